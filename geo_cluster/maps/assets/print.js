/* Printed, the page is a map sheet: title, map, legend of what is shown, scale, north, sources; not a picture of the screen. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});

  function north(words) {
    const box = gc.svg("svg", { class: "gc-north", viewBox: "0 0 20 34", role: "img", "aria-label": words.north });
    gc.svg("path", { d: "M10 10 L15 32 L10 27 Z", fill: "#fff", stroke: "#1d2b36" }, box);
    gc.svg("path", { d: "M10 10 L5 32 L10 27 Z", fill: "#1d2b36", stroke: "#1d2b36" }, box);
    gc.svg("text", { x: 10, y: 8, "text-anchor": "middle", "font-size": 9, "font-weight": 700 }, box).textContent = "N";
    return box;
  }

  /* Signs of the layers that are on, under the headings of the screen's legend. */
  function legend(payload, ticks) {
    const box = gc.el("aside", "gc-sheet-legend"), groups = new Map();
    box.appendChild(gc.el("h2", "", payload.words.legend));
    for (const { layer, tick } of ticks.values()) {
      if (!tick.checked || !(layer.features.length || layer.features.features)) continue;
      if (!groups.has(layer.group)) {
        groups.set(layer.group, gc.el("ul"));
        box.append(gc.el("h3", "", layer.group), groups.get(layer.group));
      }
      const row = gc.el("li");
      row.append(gc.swatch(layer), gc.el("span", "", layer.name + (layer.count ? " " + layer.count : "")));
      groups.get(layer.group).appendChild(row);
    }
    (payload.notes || []).forEach((note) => box.appendChild(gc.el("p", "", note)));
    box.appendChild(north(payload.words));
    return box;
  }

  function head(payload) {
    const box = gc.el("header", "gc-sheet-head"), title = gc.el("h1", "", payload.title ? payload.title.text : payload.words.map);
    if (payload.title && payload.title.sample) title.appendChild(gc.el("span", "gc-sample", payload.title.sample));
    box.append(title, gc.el("p", "", payload.title ? payload.title.sub : ""));
    return box;
  }

  function foot(payload) {
    const box = gc.el("footer", "gc-sheet-foot"), [review, ...owed] = [...payload.attribution].reverse();
    box.append(gc.el("p", "", payload.words.owed + owed.reverse().join(payload.words.semicolon)));
    box.append(gc.el("p", "", [payload.words.projection, payload.day, review].filter(Boolean).join(" · ")));
    box.append(gc.el("strong", "", payload.words.unreviewed));
    return box;
  }

  /* Before it prints, the page takes the sheet's form and the map shows again what it showed; afterwards it is the screen's. */
  gc.print = function (map, payload, ticks, separate) {
    if (window.parent !== window) return; // in the app it is the page of the app that prints
    const box = map.getContainer(), page = document.documentElement;
    const names = L.layerGroup();
    let seen = null, made = [];
    /* Sites of the plan by name beside their sign, where each covers the least. */
    function name() {
      const frame = box.getBoundingClientRect(), signs = [...box.querySelectorAll(".leaflet-marker-icon:not(:has(.gc-of-plan, .gc-planned))")].map((one) => (one.querySelector(".gc-label") || one).getBoundingClientRect()).filter((one) => one.width);
      const over = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
      for (const { layer, tick } of ticks.values()) {
        if (layer.kind !== "site" || !tick.checked) continue;
        for (const f of layer.features) if (f.p.mark) names.addLayer(L.marker(f.at, { interactive: false, keyboard: false, zIndexOffset: 950, icon: L.divIcon({ className: "", html: gc.el("div", "gc-label gc-of-site gc-of-plan", f.p.title), iconSize: [0, 0] }) }));
      }
      names.addTo(map);
      for (const label of box.querySelectorAll(".gc-of-plan")) {
        const { left, top, width, height } = label.getBoundingClientRect(), x = width / 2 + 14, y = height / 2 + 13;
        const spots = [[0, y], [x, 0], [-x, 0], [0, -y], [x, y], [-x, y], [x, -y], [-x, -y]].map(([dx, dy]) => {
          const at = { left: left + dx, right: left + dx + width, top: top + dy, bottom: top + dy + height };
          return { dx, dy, at, cost: width * height - over(at, frame) + signs.reduce((sum, one) => sum + over(at, one), 0) };
        });
        const best = spots.reduce((a, b) => (b.cost < a.cost - 1 ? b : a));
        Object.assign(label.style, { marginLeft: best.dx + "px", marginTop: best.dy + "px" });
        signs.push(best.at);
      }
    }
    window.addEventListener("beforeprint", () => {
      if (seen) return;
      seen = { bounds: map.getBounds(), center: map.getCenter(), zoom: map.getZoom(), snap: map.options.zoomSnap };
      made = [head(payload), legend(payload, ticks), foot(payload)];
      document.body.append(...made);
      page.classList.add("gc-printing");
      map.options.zoomSnap = 0;
      map.invalidateSize({ animate: false, pan: false });
      map.fitBounds(seen.bounds, { animate: false });
      name();
      separate();
      box.dataset.printed = "true";
    });
    window.addEventListener("afterprint", () => {
      if (!seen) return;
      page.classList.remove("gc-printing");
      made.forEach((part) => part.remove());
      names.clearLayers().remove();
      map.options.zoomSnap = seen.snap;
      map.invalidateSize({ animate: false, pan: false });
      map.setView(seen.center, seen.zoom, { animate: false });
      separate();
      delete box.dataset.printed;
      seen = null;
    });
  };
})();
