"use strict";
/* Photo outbox (照片发件箱): what was photographed is kept in this browser until the node has it.
   Plain http on an office network is no secure context: no service worker and no crypto.subtle, but IndexedDB is here.

   <section data-photos data-draft="DRAFT" data-item="SZS-001">           one for a form
     <div data-photo-slot="居民身份证">                                     one for each material
       <label class="b">拍照或选文件<input type="file" data-photo-pick …></label>
       <ul class="photos" data-photo-list></ul>
       <div data-photo-errors role="alert"></div>                           what was not taken, and why
     </div>
     <p data-photo-state role="status"></p>
   </section>                                                             the form holds the page's csrf field */
(function () {
  var box = document.querySelector("[data-photos]");
  if (!box || !box.dataset.draft || !window.indexedDB || !window.fetch) return;
  var EDGE = 1600, LARGEST = 25 * 1048576, SLICE = 131072, WEEK = 6048e5, TIMEOUT = 60000;
  var desk = document.body.dataset.desk || "", draft = box.dataset.draft, form = box.closest("form");
  var says = box.querySelector("[data-photo-state]"), db, busy = false, again = 0, timer, shown = {};

  function all(sel, from) { return Array.prototype.slice.call((from || document).querySelectorAll(sel)); }
  function csrf() { var el = document.querySelector("input[name=csrf]"); return el ? el.value : ""; }
  function say(text) { if (says) says.textContent = text; }
  function token() { var a = new Uint32Array(4); crypto.getRandomValues(a); return "p-" + Array.prototype.map.call(a, function (n) { return n.toString(36); }).join("-"); }

  /* The store. */
  function opened() {
    return new Promise(function (yes, no) {
      var ask = indexedDB.open("ld-photos", 1);
      ask.onupgradeneeded = function () { ask.result.createObjectStore("photos", { keyPath: "token" }); };
      ask.onsuccess = function () { yes(ask.result); };
      ask.onerror = function () { no(ask.error); };
    });
  }
  function on(mode, act) {
    return new Promise(function (yes, no) {
      var work = db.transaction("photos", mode), ask = act(work.objectStore("photos"));
      work.oncomplete = function () { yes(ask && ask.result); };
      work.onerror = work.onabort = function () { no(work.error); };
    });
  }
  function keep(photo) { return on("readwrite", function (s) { return s.put(photo); }); }
  function drop(photo) { return on("readwrite", function (s) { return s.delete(photo.token); }); }
  function mine() {
    return on("readonly", function (s) { return s.getAll(); }).then(function (found) {
      return found.filter(function (p) { return p.desk === desk; });
    });
  }

  /* Refused before it travels: what the node would refuse for certain. The node looks again, by its own rules. */
  function head(file) {
    return new Promise(function (yes) {
      var reader = new FileReader();
      reader.onload = function () { yes(String.fromCharCode.apply(null, new Uint8Array(reader.result))); };
      reader.onerror = function () { yes(""); };
      reader.readAsArrayBuffer(file.slice(0, 12));
    });
  }
  function fault(file) {
    if (!file.size) return Promise.resolve("文件是空的，请重新选择");
    return head(file).then(function (start) {
      if (start.slice(4, 8) === "ftyp" && /^(heic|heix|hevc|mif1|heif|avif)/.test(start.slice(8))) return "这是 HEIC/AVIF 照片，不能收。请在手机相机设置里改为“兼容性最佳”后重拍";
      if (!/^(\xff\xd8\xff|\x89PNG|RIFF|%PDF-)/.test(start)) return (/^\s*</.test(start.replace("\xef\xbb\xbf", "")) ? "这是网页或 SVG 文件" : "认不出这个文件") + "，不能收。请使用照片（JPEG、PNG、WebP）或 PDF";
      return "";
    });
  }
  function tooLarge(blob) { return blob.size > LARGEST ? "文件 " + (blob.size / 1048576).toFixed(1) + " MB，超过 25 MB 的上限，请缩小后再传" : ""; }
  function complain(material, name, reason) {
    var here = slot(material), list = here && here.querySelector("[data-photo-errors]");
    if (!list) { say(name + "：" + reason); return; }
    var p = document.createElement("p"), off = document.createElement("button");
    p.className = "e"; p.textContent = (name || "照片") + " 没有收下：" + reason + " ";
    off.type = "button"; off.className = "b quiet"; off.textContent = "知道了"; off.setAttribute("aria-label", "知道了，关闭提示：" + (name || "照片"));
    off.onclick = function () { p.remove(); };
    p.appendChild(off); list.appendChild(p);
  }
  function clear(material) { var here = slot(material), list = here && here.querySelector("[data-photo-errors]"); if (list) list.textContent = ""; }

  /* Smaller before it travels; the node draws it anew anyway. What cannot be drawn here goes as it is. */
  function shrunk(file) {
    if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return Promise.resolve(file);
    return new Promise(function (yes) {
      var img = new Image(), url = URL.createObjectURL(file);
      img.onload = function () {
        var scale = Math.min(1, EDGE / Math.max(img.naturalWidth, img.naturalHeight));
        var c = document.createElement("canvas");
        c.width = Math.max(1, Math.round(img.naturalWidth * scale)); c.height = Math.max(1, Math.round(img.naturalHeight * scale));
        var pen = c.getContext("2d"); pen.fillStyle = "#fff"; pen.fillRect(0, 0, c.width, c.height); pen.drawImage(img, 0, 0, c.width, c.height);
        URL.revokeObjectURL(url);
        c.toBlob(function (blob) { yes(blob && blob.size < file.size ? blob : file); }, "image/jpeg", 0.85);
      };
      img.onerror = function () { URL.revokeObjectURL(url); yes(file); };
      img.src = url;
    });
  }

  /* What is on the page. */
  function slot(material) { return all("[data-photo-slot]", box).filter(function (el) { return el.dataset.photoSlot === material; })[0]; }
  function row(key, material, name) {
    if (shown[key]) return shown[key];
    var list = slot(material) && slot(material).querySelector("[data-photo-list]");
    if (!list) return null;
    var li = document.createElement("li"), pic = document.createElement("a"), what = document.createElement("span"), state = document.createElement("span"), off = document.createElement("button");
    what.textContent = name || "照片"; what.className = "what"; state.className = "tag"; off.type = "button"; off.className = "b quiet"; off.textContent = "移除";
    off.setAttribute("aria-label", "移除 " + material + " " + what.textContent);
    pic.className = "thumb small";
    li.appendChild(pic); li.appendChild(what); li.appendChild(state); li.appendChild(off); list.appendChild(li);
    return shown[key] = { li: li, pic: pic, state: state, off: off };
  }
  /* A small picture: from this browser while it waits, from the node once it is there; a PDF says how many pages. */
  function picture(r, title, href, thumb, words) {
    if (r.pic.dataset.has === href) return;
    r.pic.dataset.has = href; r.pic.textContent = words || ""; r.pic.href = href; r.pic.dataset.title = title;
    if (words) { delete r.pic.dataset.view; r.pic.setAttribute("download", ""); return; }
    var img = document.createElement("img");
    img.alt = "看大图：" + title; img.src = thumb; r.pic.dataset.view = "photo"; r.pic.appendChild(img);
  }
  function paint(key, material, name, text, kind) {
    var r = row(key, material, name);
    if (!r) return null;
    r.state.textContent = text; r.li.dataset.state = kind;
    return r;
  }
  function tick(material) {
    all("input[name=material]", form || document).forEach(function (el) { if (el.value === material) { el.checked = true; el.dispatchEvent(new Event("change", { bubbles: true })); } });
    var here = slot(material), mark = here && here.querySelector(".pick .tag");
    if (mark) { mark.textContent = "已收"; mark.className = "tag good"; }
  }
  function gone(key) { if (shown[key]) { shown[key].li.remove(); delete shown[key]; } }
  function local(photo) {
    if (photo.draft !== draft) return;
    var r = paint(photo.token, photo.material, photo.name, "待传", "wait");
    if (r && /^image\//.test(photo.blob.type) && !r.pic.dataset.has) { var url = URL.createObjectURL(photo.blob); picture(r, photo.material, url, url); }
    if (r) r.off.onclick = function () {
      drop(photo).then(function () { gone(photo.token); count(); });
      if (photo.id) call("DELETE", "/api/uploads/" + photo.id).catch(function () { return null; });
    };
  }
  function kept(up, key) {
    if (up.state === "refused") { complain(up.material, up.name, up.reason); call("DELETE", "/api/uploads/" + up.id).catch(function () { return null; }); return; }
    var r = paint(key || up.id, up.material, up.name, up.state === "ready" || up.state === "filed" ? up.source ? "已复用" : "已收" : "未传完", up.state);
    if (r && up.href) picture(r, up.material, up.href, up.thumb, up.thumb ? "" : up.pages ? "PDF " + up.pages + " 页" : "PDF");
    if (up.state === "ready") tick(up.material);
    if (r) r.off.onclick = function () { call("DELETE", "/api/uploads/" + up.id).then(function () { gone(key || up.id); }, function () { say("线路不通，稍后再移除"); }); };
  }
  function count() {
    return mine().then(function (found) {
      var left = found.length;
      box.dataset.waiting = String(found.filter(function (p) { return p.draft === draft; }).length);
      say(left ? "本机还有 " + left + " 份没有传完，线路通了会自动续传，请不要清除浏览器数据" : "");
      return left;
    });
  }

  /* Sending: begin under our own name, then slices from wherever the node says it is. */
  function call(method, url, data, headers) {
    var stop = new AbortController(), out = setTimeout(function () { stop.abort(); }, TIMEOUT);
    return fetch(url, { method: method, body: data, signal: stop.signal, credentials: "same-origin", headers: Object.assign({ "X-CSRF-Token": csrf() }, headers || {}) })
      .then(function (r) { return r.status === 204 ? {} : r.json().then(function (j) { j.status_code = r.status; return j; }); })
      .finally(function () { clearTimeout(out); });
  }
  function Later(text) { this.text = text; }
  function judged(answer) {
    var code = answer.status_code;
    if (code === 401 || code === 403) throw new Later("登录已过期，重新登录后自动续传");
    if (code >= 500 || code === 429) throw new Later("节点忙，稍后自动续传");
    return answer;
  }
  async function send(photo) {
    var up = judged(await call("POST", "/api/uploads", JSON.stringify({ draft: photo.draft, material: photo.material, name: photo.name, size: photo.blob.size }),
      { "Content-Type": "application/json", "Idempotency-Key": photo.token }));
    while (up.status_code < 300 && up.state !== "ready" && up.state !== "filed" && up.state !== "refused") {
      photo.id = up.id;
      paint(photo.token, photo.material, photo.name, "上传中 " + Math.floor(100 * up.offset / photo.blob.size) + "%", "coming");
      var next = judged(await call("PUT", "/api/uploads/" + photo.id + "?offset=" + up.offset, photo.blob.slice(up.offset, up.offset + SLICE)));
      if (next.status_code === 409) next = judged(await call("GET", "/api/uploads/" + photo.id));
      up = next;
    }
    if (up.status_code >= 400 || up.state === "refused") {
      await drop(photo);
      if (photo.id) call("DELETE", "/api/uploads/" + photo.id).catch(function () { return null; });
      if (photo.draft === draft) { gone(photo.token); complain(photo.material, photo.name, up.reason || up.detail || "不能收下"); }
      return;
    }
    await drop(photo);
    if (photo.draft === draft) kept(up, photo.token);
  }
  async function run() {
    if (busy || !db) return;
    busy = true;
    clearTimeout(timer);
    try {
      var found = await mine();
      for (var i = 0; i < found.length; i++) await send(found[i]);
      again = 0;
      await count();
    } catch (trouble) {
      again = Math.min(again + 1, 6);
      await count();
      say(trouble instanceof Later ? trouble.text : "线路不通，照片已存本机，稍后自动续传");
      timer = setTimeout(run, Math.min(60000, 1000 * Math.pow(2, again)));
    } finally { busy = false; }
    if (!again && (await count())) run();
  }

  /* What people do. */
  async function take(el) {
    var material = el.closest("[data-photo-slot]").dataset.photoSlot, files = Array.prototype.slice.call(el.files);
    el.value = "";
    clear(material);
    for (var i = 0; i < files.length; i++) {
      var bad = await fault(files[i]), blob = bad ? files[i] : await shrunk(files[i]);
      if ((bad = bad || tooLarge(blob))) { complain(material, files[i].name, bad); continue; }
      var photo = { token: token(), desk: desk, draft: draft, material: material, name: files[i].name, blob: blob, at: Date.now() };
      try { await ready; await keep(photo); } catch (_) { say("本机空间不足，照片没有存下，请先等已有照片传完"); return; }
      local(photo);
    }
    await count();
    again = 0;
    run();
  }
  box.addEventListener("change", function (ev) { if (ev.target.matches && ev.target.matches("[data-photo-pick]")) take(ev.target); });
  if (form) form.addEventListener("submit", function (ev) {
    var go = ev.submitter && ev.submitter.value;
    if (go === "back" || go === "save" || !Number(box.dataset.waiting || 0)) return;
    ev.preventDefault(); ev.stopPropagation();
    say("还有 " + box.dataset.waiting + " 份没有传完：请等它传完，或移除后再继续（暂存不受影响）");
  });

  /* What the applicant handed in before, with his consent (材料复用). */
  var reuse = document.getElementById("reuse");
  function consent() { var el = reuse.querySelector("input[name=reuse-consent]:checked"), e = document.getElementById("e-reuse"); e.hidden = !!el; e.textContent = el ? "" : "请先问申请人是否同意，并选择如何同意"; if (!el) reuse.querySelector("input[name=reuse-consent]").focus(); return el && el.value; }
  if (reuse) reuse.addEventListener("change", function () { document.getElementById("e-reuse").hidden = true; });
  document.addEventListener("click", function (ev) {
    var el = ev.target.closest && ev.target.closest("[data-reuse-open],[data-reuse-close],[data-reuse]");
    if (!el || !reuse) return;
    if (el.dataset.reuseClose !== undefined) { reuse.close(); return; }
    if (el.dataset.reuseOpen) { all("[data-reuse-of]", reuse).forEach(function (li) { li.hidden = li.dataset.reuseOf !== el.dataset.reuseOpen; }); reuse.showModal(); return; }
    var words = consent();
    if (!words) return;
    el.disabled = true;
    call("POST", "/api/drafts/" + encodeURIComponent(draft) + "/reuse", JSON.stringify({ material: el.dataset.material, no: el.dataset.no, sha256: el.dataset.sha, consent: words }), { "Content-Type": "application/json" })
      .then(function (up) {
        el.disabled = false;
        if (up.status_code >= 300) { var e = document.getElementById("e-reuse"); e.hidden = false; e.textContent = up.detail || "没有用上，请重试"; return; }
        kept(up); reuse.close();
      }, function () { el.disabled = false; var e = document.getElementById("e-reuse"); e.hidden = false; e.textContent = "线路不通，请稍后重试"; });
  });
  window.addEventListener("online", function () { again = 0; run(); });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) run(); });

  var ready = opened().then(function (found) { db = found; });
  ready.then(async function () {
    var everyone = await on("readonly", function (s) { return s.getAll(); });
    for (var i = 0; i < everyone.length; i++) if (Date.now() - everyone[i].at > WEEK) await drop(everyone[i]);
    (await mine()).forEach(local);
    call("GET", "/api/drafts/" + encodeURIComponent(draft) + "/materials").then(function (answer) {
      var waiting = Object.keys(shown);
      (answer.slots || []).forEach(function (s) { s.files.forEach(function (up) { if (up.state !== "coming" || !waiting.length) kept(up); }); });
    }).catch(function () { return null; });
    await count();
    run();
  }).catch(function () { say("本机不能暂存照片（浏览器未开放存储），请保持线路畅通"); });
  all("[data-photo-pick]", box).forEach(function (el) { if (el.files.length) take(el); });  /* chosen before this had come over a slow line */
})();
