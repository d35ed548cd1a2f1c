"use strict";
/* Our own glue, small. Everything on a page works without it; this adds drafts, keys, live parts, dialogs. */
(function () {
  var root = document.documentElement, body = document.body;
  root.classList.add("js-on");
  function all(sel, from) { return Array.prototype.slice.call((from || document).querySelectorAll(sel)); }
  function store(key, value) {
    try { if (value === undefined) return localStorage.getItem(key); if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value); } catch (_) { return null; }
  }

  /* Drafts: what is typed survives a reload, a closed lid, a cut line. Never passwords, tokens or files. */
  function draftable(el) { return el.name && el.name !== "csrf" && el.type !== "password" && el.type !== "file" && el.type !== "hidden"; }
  function save(form) {
    var kept = {}, n = 0;
    all("input,select,textarea", form).forEach(function (el) {
      if (!draftable(el)) return;
      if (el.type === "radio" || el.type === "checkbox") { if (!kept[el.name]) kept[el.name] = []; if (el.checked) kept[el.name].push(el.value); }
      else kept[el.name] = el.value;
      n++;
    });
    if (n) store(keyOf(form), JSON.stringify({ t: Date.now(), o: kept }));
    var says = document.getElementById("draft-state");
    if (says) says.textContent = "草稿 " + new Date().toTimeString().slice(0, 5) + " 已存本机";
  }
  function step(form) { var el = form.querySelector("[name=step]"); return el ? "#" + el.value : ""; }
  function keyOf(form) { return "ld-draft:" + location.pathname + "|" + (body.dataset.desk || "") + "|" + form.dataset.draft + step(form); }
  /* A draft is offered, never poured in: the next resident must not get the last one's name. */
  function offer(form) {
    var key = keyOf(form), raw = store(key), draft;
    if (!raw || form.querySelector("[aria-invalid]")) return;
    try { draft = JSON.parse(raw); } catch (_) { return; }
    if (Date.now() - draft.t > 864e5 || stands(form, draft.o)) { store(key, null); return; }
    var box = document.createElement("div"), says = document.createElement("span"), yes = document.createElement("button"), no = document.createElement("button");
    box.className = "note calm offer"; box.setAttribute("role", "status");
    says.textContent = "本机有一份 " + new Date(draft.t).toTimeString().slice(0, 5) + " 填了一半的草稿。";
    yes.type = no.type = "button"; yes.className = no.className = "b"; yes.textContent = "恢复"; no.textContent = "丢弃";
    yes.onclick = function () { fill(form, draft.o); box.remove(); };
    no.onclick = function () { store(key, null); box.remove(); };
    box.appendChild(says); box.appendChild(yes); box.appendChild(no);
    form.insertBefore(box, form.firstChild);
  }
  function stands(form, kept) {
    return all("input,select,textarea", form).every(function (el) {
      if (!draftable(el) || !(el.name in kept)) return true;
      return el.type === "radio" || el.type === "checkbox" ? el.checked === (kept[el.name].indexOf(el.value) >= 0) : el.value === kept[el.name];
    });
  }
  function fill(form, kept) {
    all("input,select,textarea", form).forEach(function (el) {
      if (!draftable(el) || !(el.name in kept)) return;
      if (el.type === "radio" || el.type === "checkbox") { var was = el.checked; el.checked = kept[el.name].indexOf(el.value) >= 0; if (was !== el.checked) el.dispatchEvent(new Event("change", { bubbles: true })); }
      else el.value = kept[el.name];
    });
  }
  var timer;
  document.addEventListener("input", function (ev) {
    var form = ev.target.form;
    if (form && form.dataset.draft !== undefined) { clearTimeout(timer); timer = setTimeout(function () { save(form); }, 400); }
  });
  /* A page that only comes after a finished form says which drafts to forget; leaving the desk forgets all. */
  if (/[?&]done=/.test(location.search)) forget(location.pathname + "|");
  all("form[data-draft]").forEach(offer);
  function forget(prefix) { try { Object.keys(localStorage).forEach(function (k) { if (k.indexOf("ld-draft:" + prefix) === 0) store(k, null); }); } catch (_) { return; } }
  if (body.dataset.forget !== undefined) forget(body.dataset.forget);

  /* One click, one submission. Danger asks first. */
  document.addEventListener("submit", function (ev) {
    var form = ev.target, ask = document.getElementById("ask");
    if (form.method === "dialog") return;
    if (form.action && /\/logout$/.test(form.action)) forget("");
    if (form.dataset.ask && !form.dataset.sure && ask && ask.showModal) {
      ev.preventDefault();
      document.getElementById("ask-text").textContent = form.dataset.ask;
      ask.returnValue = "no"; ask.showModal();
      ask.onclose = function () { if (ask.returnValue === "yes") { form.dataset.sure = "1"; form.submit(); } };
      return;
    }
    if (form.method === "post") {
      if (form.dataset.busy) { ev.preventDefault(); return; }
      form.dataset.busy = "1";
      setTimeout(function () { delete form.dataset.busy; }, 8000);
    }
  });
  window.addEventListener("pageshow", function () { all("form[data-busy]").forEach(function (f) { delete f.dataset.busy; }); });

  document.addEventListener("change", function (ev) {
    var form = ev.target.form;
    if (form && form.classList.contains("filters") && ev.target.tagName === "SELECT") form.submit();
  });

  /* Only one action form is unfolded at a time; menus close when one looks elsewhere. */
  document.addEventListener("toggle", function (ev) {
    var el = ev.target;
    if (!el.open || !el.classList) return;
    if (el.classList.contains("do")) {
      all("details.do[open]").forEach(function (other) { if (other !== el) other.open = false; });
      var first = el.querySelector("textarea,select,input:not([type=hidden])");
      if (first) first.focus();
    }
  }, true);
  document.addEventListener("click", function (ev) {
    all("details.me[open],details.fold[open]").forEach(function (d) { if (!d.contains(ev.target)) d.open = false; });
    var el = ev.target.closest("[data-do],[data-copy]");
    if (!el) return;
    if (el.dataset.do === "keys") keys();
    if (el.dataset.do === "large") { var on = root.classList.toggle("large"); document.cookie = "ld-large=" + (on ? 1 : 0) + ";path=/;max-age=31536000;samesite=strict"; }
    if (el.dataset.do === "print") window.print();
    if (el.dataset.copy) copy(el);
  });
  /* What was just counted as printed goes to the printer by itself, once: not again on a reload or on coming back. */
  window.addEventListener("load", function () {
    if (!document.querySelector("[data-print]") || history.state && history.state.printed) return;
    history.replaceState({ printed: true }, "");
    window.print();
  });
  function copy(el) {
    var area = document.createElement("textarea");
    area.value = el.dataset.copy; area.className = "off"; body.appendChild(area); area.select();
    try { document.execCommand("copy"); el.textContent = "已复制"; } catch (_) { el.textContent = "请手动复制"; }
    area.remove();
  }

  /* Keys: any element with data-key answers to it; j and k walk a list; ? shows them. */
  function keys() {
    var box = document.getElementById("keys"), list = box.querySelector("dl"), said = {};
    list.textContent = "";
    function row(key, words) { if (said[key]) return; said[key] = 1; var k = document.createElement("dt"), d = document.createElement("dd"), b = document.createElement("kbd"); b.textContent = key; k.appendChild(b); d.textContent = words; list.appendChild(k); list.appendChild(d); }
    all("[data-key]").forEach(function (el) { row(el.dataset.key, el.dataset.keyLabel || el.textContent.trim()); });
    if (document.querySelector("[data-row]")) { row("j", "下一件"); row("k", "上一件"); }
    row("?", "显示快捷键"); row("Esc", "关闭");
    box.showModal();
  }
  document.addEventListener("keydown", function (ev) {
    var at = ev.target;
    if (ev.key === "Escape") all("details.me[open],details.fold[open]").forEach(function (d) { d.open = false; d.querySelector("summary").focus(); });
    if (ev.ctrlKey || ev.metaKey || ev.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) || document.querySelector("dialog[open]")) return;
    if (ev.key === "?") { ev.preventDefault(); keys(); return; }
    if (ev.key === "j" || ev.key === "k") {
      var links = all("[data-row] .c-item a"), i = links.indexOf(document.activeElement);
      var next = links[i < 0 ? 0 : i + (ev.key === "j" ? 1 : -1)];
      if (next) { ev.preventDefault(); next.focus(); }
      return;
    }
    var el = document.querySelector("[data-key='" + (window.CSS && CSS.escape ? CSS.escape(ev.key) : ev.key) + "']");
    if (el) { ev.preventDefault(); if (/^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName)) el.focus(); else el.click(); }
  });

  /* Live parts: ask only while someone looks, say what we already show, never take the place from under a hand. */
  document.addEventListener("htmx:configRequest", function (ev) {
    var tag = ev.detail.elt.dataset && ev.detail.elt.dataset.etag;
    if (tag) ev.detail.headers["If-None-Match"] = '"' + tag + '"';
  });
  document.addEventListener("htmx:beforeRequest", function (ev) {
    var el = ev.detail.elt;
    if (el.dataset && el.dataset.etag !== undefined && (document.hidden || el.contains(document.activeElement) && document.activeElement !== el && /^(INPUT|TEXTAREA|SELECT|SUMMARY)$/.test(document.activeElement.tagName))) ev.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", function (ev) {
    var el = ev.detail.elt;
    if (!el.dataset || el.dataset.etag === undefined) return;
    if (ev.detail.xhr.status === 401 || ev.detail.xhr.status === 403) {
      var still = el.cloneNode(true);  /* htmx stops asking for what is no longer on the page */
      still.removeAttribute("hx-get");
      if (still.id === "line") { still.className = "link cut"; still.innerHTML = '<i></i><a href="/login" target="_blank">登录已到期，请重新登录</a>'; }
      el.replaceWith(still);
    }
    root.classList.toggle("lost", ev.detail.xhr.status === 0);
  });

  /* A phone folds what is seldom read; a live part that is drawn anew stays as it was left. Paper has everything. */
  var phone = window.matchMedia("(max-width:820px)"), left = {};
  function fold(from) {
    all("details[data-fold]", from).forEach(function (d) { if (d.id in left) d.open = left[d.id]; else if (phone.matches) d.open = false; });
  }
  document.addEventListener("click", function (ev) {
    var d = ev.target.closest("summary") && ev.target.closest("summary").parentNode;
    if (d && d.id && d.dataset.fold !== undefined) left[d.id] = !d.open;
  });
  document.addEventListener("htmx:afterSwap", function (ev) { fold(ev.target); });
  window.addEventListener("beforeprint", function () { all("details[data-fold]").forEach(function (d) { d.open = true; }); });
  fold();

  /* What is still missing follows the ticks, by hand, from a photo or from a draft. */
  var lacks = document.querySelector("[data-missing]");
  function follow(el) {
    var need = el.closest("[data-need]"), mark = need && need.querySelector(".pick .tag");
    if (!mark || !lacks) return;
    mark.textContent = el.checked ? "已勾" : { "必要": "缺", "免交": "部门自取" }[need.dataset.need] || "可无";
    mark.className = el.checked ? "tag good" : "tag plain";
    var names = all("[data-need=必要]").filter(function (m) { return !m.querySelector("input[name=material]").checked; }).map(function (m) { return m.dataset.photoSlot; });
    lacks.querySelector("b").textContent = names.join("、");
    lacks.hidden = !names.length;
  }
  document.addEventListener("change", function (ev) { if (ev.target.name === "material") follow(ev.target); });
  window.addEventListener("pageshow", function () { all("input[name=material]").forEach(function (el) { if (el.checked !== el.defaultChecked) follow(el); }); });
  var stop = document.querySelector("[data-focus]") || document.querySelector("[aria-invalid=true]");
  if (stop) stop.focus();
})();
