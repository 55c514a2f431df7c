/* Slides of the page one at a time over the whole screen: a press on .gc-begin begins; arrow keys, space, a
   press or a swipe turn the page; Escape ends. `words` are what screen readers say of it. */
(function (words) {
  let shade = null, at = 0;
  const faces = () => [...document.querySelectorAll(".gc-deck > .gc-screen")];
  function show(number) {
    const all = faces();
    if (!shade || !all.length) return end();
    at = Math.max(0, Math.min(number, all.length - 1));
    const face = all[at].cloneNode(true), count = document.createElement("span");
    count.textContent = at + 1 + " / " + all.length;
    shade.replaceChildren(face, count);
  }
  function begin() {
    if (shade || !faces().length) return;
    shade = Object.assign(document.createElement("div"), { className: "gc-present", tabIndex: -1 });
    for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"], ["aria-label", words]]) shade.setAttribute(name, value);
    shade.addEventListener("click", (press) => show(at + (press.clientX < innerWidth / 3 ? -1 : 1)));
    let from = 0;
    shade.addEventListener("touchstart", (touch) => (from = touch.changedTouches[0].clientX), { passive: true });
    shade.addEventListener("touchend", (touch) => {
      const way = touch.changedTouches[0].clientX - from;
      if (Math.abs(way) < 40) return;
      touch.preventDefault();
      show(at + (way < 0 ? 1 : -1));
    });
    document.body.append(shade);
    document.documentElement.requestFullscreen?.().catch(() => {});
    show(0);
    shade.focus();
  }
  function end() {
    shade?.remove();
    shade = null;
    if (document.fullscreenElement) document.exitFullscreen();
    document.querySelector(".gc-begin")?.focus();
  }
  const KEYS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Home: -999, End: 999 };
  function key(press) {
    if (!shade) return;
    if (press.key === "Escape") end();
    else if (press.key in KEYS) show(at + KEYS[press.key]);
    else if (press.key !== "Tab") return;
    press.preventDefault();
    press.stopPropagation();
  }
  const left = () => shade && !document.fullscreenElement && end();
  window.gcPresent?.();
  document.addEventListener("keydown", key, true);
  document.addEventListener("fullscreenchange", left);
  const pressed = (press) => press.target.closest?.(".gc-begin") && begin();
  document.addEventListener("click", pressed);
  window.gcPresent = () => {
    document.removeEventListener("keydown", key, true);
    document.removeEventListener("fullscreenchange", left);
    document.removeEventListener("click", pressed);
  };
})
