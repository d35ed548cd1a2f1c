"use strict";
/* A photo of a material, large (看大图): turn, zoom, next, by key, finger or mouse. Without script the link just opens it.
   <a data-view="photo" data-title="居民户口簿（1）" href="…">      or <form data-view="photo" …> that asks for the reason first */
(function () {
  var box, img, says, name, turn = 0, zoom = 1, list = [], at = 0, from;

  function all(sel, el) { return Array.prototype.slice.call((el || document).querySelectorAll(sel)); }
  function button(words, key, act) {
    var b = document.createElement("button");
    b.type = "button"; b.className = "b"; b.textContent = words; b.title = words + "（" + key + "）"; b.onclick = act;
    return b;
  }
  function made() {
    if (box) return;
    box = document.createElement("dialog"); box.className = "viewer"; box.setAttribute("aria-labelledby", "viewer-title");
    var bar = document.createElement("div"), stage = document.createElement("div");
    name = document.createElement("h2"); name.id = "viewer-title"; says = document.createElement("p"); says.setAttribute("role", "status");
    img = document.createElement("img"); img.alt = "";
    bar.className = "viewer-bar"; stage.className = "viewer-stage"; stage.tabIndex = 0; stage.setAttribute("aria-label", "图片，可用方向键移动");
    [["上一张", "PageUp", function () { step(-1); }], ["下一张", "PageDown", function () { step(1); }], ["旋转", "r", function () { turn = (turn + 90) % 360; draw(); }],
      ["放大", "+", function () { zoomTo(zoom * 1.5); }], ["缩小", "-", function () { zoomTo(zoom / 1.5); }], ["关闭", "Esc", function () { box.close(); }]]
      .forEach(function (one) { bar.appendChild(button(one[0], one[1], one[2])); });
    stage.appendChild(img); stage.appendChild(says);
    box.appendChild(name); box.appendChild(bar); box.appendChild(stage); document.body.appendChild(box);
    img.onload = function () { says.textContent = ""; draw(); };
    img.onerror = function () { if (img.getAttribute("src")) says.textContent = "打不开：可能还没有传到、已按期限删除，或线路断了。请稍后重试。"; };
    img.onclick = function () { zoomTo(zoom > 1 ? 1 : 2.5); };
    box.addEventListener("keydown", keyed);
    box.addEventListener("close", function () { img.removeAttribute("src"); if (from && from.focus) from.focus(); });
    window.addEventListener("resize", function () { if (box.open) draw(); });
  }
  function keyed(ev) {
    var acts = { r: function () { turn = (turn + 90) % 360; draw(); }, R: function () { turn = (turn + 270) % 360; draw(); },
      "+": function () { zoomTo(zoom * 1.5); }, "=": function () { zoomTo(zoom * 1.5); }, "-": function () { zoomTo(zoom / 1.5); }, "0": function () { turn = 0; zoomTo(1); },
      PageDown: function () { step(1); }, PageUp: function () { step(-1); },
      ArrowRight: zoom > 1 ? null : function () { step(1); }, ArrowLeft: zoom > 1 ? null : function () { step(-1); } };
    if (ev.ctrlKey || ev.metaKey || ev.altKey || !acts[ev.key]) return;
    ev.preventDefault(); ev.stopPropagation(); acts[ev.key]();
  }
  /* Size and place by arithmetic, so that a turned picture takes its room and can be scrolled. */
  function draw() {
    var stage = img.parentNode, w = img.naturalWidth, h = img.naturalHeight;
    if (!w) return;
    var lying = turn % 180 !== 0, fit = Math.min(stage.clientWidth / (lying ? h : w), stage.clientHeight / (lying ? w : h), 2) * zoom;
    var width = w * fit, height = h * fit, wide = lying ? height : width, tall = lying ? width : height;
    img.style.width = width + "px"; img.style.height = height + "px";
    img.style.left = Math.max(0, (stage.clientWidth - wide) / 2) + (wide - width) / 2 + "px";
    img.style.top = Math.max(0, (stage.clientHeight - tall) / 2) + (tall - height) / 2 + "px";
    img.style.transform = "rotate(" + turn + "deg)"; box.dataset.turn = turn; box.dataset.zoom = zoom.toFixed(2);
  }
  function zoomTo(to) {
    var stage = img.parentNode, x = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth, y = (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight;
    zoom = Math.max(1, Math.min(8, to)); draw();
    stage.scrollLeft = x * stage.scrollWidth - stage.clientWidth / 2; stage.scrollTop = y * stage.scrollHeight - stage.clientHeight / 2;
  }
  function step(by) { if (list.length > 1) { at = (at + by + list.length) % list.length; load(list[at].href, list[at].dataset.title); } }
  function load(src, title) {
    turn = 0; zoom = 1; says.textContent = "正在打开…"; name.textContent = title || "照片"; img.alt = title || "照片"; img.removeAttribute("src"); img.src = src;
  }
  function open(src, title, el) {
    made(); from = el;
    list = all("a[data-view=photo]"); at = Math.max(0, list.indexOf(el));
    if (list.indexOf(el) < 0) list = [];
    all("button", box).slice(0, 2).forEach(function (b) { b.hidden = list.length < 2; });
    load(src, title);
    if (!box.open) { if (box.showModal) box.showModal(); else location.href = src; }
    img.parentNode.focus();
  }
  document.addEventListener("click", function (ev) {
    var el = ev.target.closest && ev.target.closest("a[data-view=photo]");
    if (!el || ev.ctrlKey || ev.metaKey || ev.shiftKey) return;
    ev.preventDefault(); open(el.href, el.dataset.title, el);
  });
  document.addEventListener("submit", function (ev) {
    var form = ev.target;
    if (form.dataset.view !== "photo") return;
    ev.preventDefault(); ev.stopImmediatePropagation();
    open(form.action + "?why=" + encodeURIComponent(form.elements.why.value), form.dataset.title, form.parentNode.querySelector("summary"));
  }, true);
})();
