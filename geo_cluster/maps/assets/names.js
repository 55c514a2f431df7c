/* Names don't lie on each other: strong ones keep their place, then the weightier. A name beside a sign stands where it
   covers nothing: right of it, left, below, above. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const SIDES = [[1, 0], [-1, 0], [0, 1], [0, -1]], AROUND = [[0, 0], [0, -1], [0, 1], [-1, 0], [1, 0]];
  const FIRM = 80; // names from this weight (cities, planned sites) stand beside signs rather than on them, and on them rather than nowhere
  const CLEAR = 24; // pixels that such a name keeps from its place when it gives way
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

  /* A name as a marker; `gap`: pixels from the middle of the sign that it stands beside, 0 for a name at its place. */
  gc.name = function (at, title, { kind = "", gap = 0, weight = 0 } = {}) {
    const label = gc.el("div", ["gc-label", ...kind.split(" ").filter(Boolean).map((one) => "gc-" + one)].join(" "), title);
    label.dataset.gap = gap;
    label.dataset.weight = weight;
    return L.marker(at, { interactive: false, keyboard: false, zIndexOffset: gap ? 0 : 20 * weight, icon: L.divIcon({ className: "", html: label, iconSize: [0, 0] }) });
  };

  gc.names = function (map) {
    let waiting = false;
    function choose() {
      waiting = false;
      const box = map.getContainer(), frame = box.getBoundingClientRect(), names = [...box.querySelectorAll(".gc-label[data-gap]")].map((label) => ({ label, gap: Number(label.dataset.gap), weight: Number(label.dataset.weight), spot: label.parentNode.getBoundingClientRect(), width: label.offsetWidth, height: label.offsetHeight }));
      const signs = [...box.querySelectorAll(".gc-diamond, .gc-donut, .gc-spot")].map((sign) => sign.getBoundingClientRect()).map((r) => ({ left: r.left + 2, right: r.right - 2, top: r.top + 2, bottom: r.bottom - 2 }));
      const taken = [...box.querySelectorAll(".gc-label:not([data-gap])")].map((label) => label.getBoundingClientRect()); // placed already
      names.sort((a, b) => b.weight - a.weight);
      for (const { label, gap, weight, spot, width, height } of names) {
        const firm = weight >= FIRM, off = gap || (firm ? CLEAR : 0), boxAt = ([x, y]) => {
          const cx = spot.left + x * (off + width / 2), cy = spot.top + y * (off + height / 2);
          return { x: cx - spot.left, y: cy - spot.top, left: cx - width / 2, right: cx + width / 2, top: cy - height / 2, bottom: cy + height / 2 };
        };
        const cut = (one) => one.left < frame.left || one.right > frame.right, seen = spot.left > frame.left && spot.left < frame.right;
        const spots = (gap ? SIDES : firm ? AROUND : [[0, 0]]).map(boxAt).filter((one) => !(off && seen && cut(one)));
        const open = spots.filter((one) => !taken.some((other) => meet(one, other))), bare = open.find((one) => !signs.some((sign) => meet(one, sign)));
        const free = bare || (gap && !firm ? undefined : open[0]);
        label.style.visibility = free ? "" : "hidden";
        if (!free) continue;
        label.style.translate = free.x + "px " + free.y + "px";
        taken.push(free);
      }
    }
    map.on("moveend zoomend layeradd layerremove", () => {
      if (!waiting) requestAnimationFrame(choose);
      waiting = true;
    });
    return choose;
  };
})();
