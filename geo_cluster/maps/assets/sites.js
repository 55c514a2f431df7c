/* Sites coloured by a value that the page lays on a map which stands: legend, names, numbers; a click tells the app. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const NAMES_FROM = 9;

  /* The app hears of a pick once, in the way of Streamlit's components. */
  function tell(id) {
    if (window.parent === window) return;
    window.parent.postMessage({ isStreamlitMessage: true, type: "streamlit:setComponentValue", dataType: "json", value: { picked: id, at: Date.now() } }, "*");
  }

  function sign(site, told, chosen) {
    const size = told.muted ? 12 : told.mark ? 26 : 18, half = size / 2, box = gc.svg("svg", { width: size, height: size, class: "gc-spot" + (chosen ? " gc-chosen" : ""), role: "img", "aria-label": site.name + " " + told.text });
    const look = told.muted ? { fill: "#c4cbcd", stroke: "#fff" } : told.color ? { fill: told.color, stroke: "#fff" } : { fill: "#fff", stroke: "#6b7785" };
    gc.svg("circle", { cx: half, cy: half, r: half - 0.8, fill: "#56636c", opacity: 0.75 }, box);
    gc.svg("circle", { class: "gc-face", cx: half, cy: half, r: half - 2.2, ...look, "stroke-width": 1.6 }, box);
    if (told.mark && !told.muted) {
      const dark = told.color && gc.luminance(told.color) < 0.3;
      gc.svg("text", { x: half, y: half, "text-anchor": "middle", "dominant-baseline": "central", "font-size": 11.5, "font-weight": 700, fill: dark ? "#fff" : "#12303a" }, box).textContent = told.mark;
    }
    return { size, html: box };
  }

  gc.luminance = function (color) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  function tip(site, told) {
    const box = gc.el("div", "gc-tip"), list = gc.el("dl");
    box.append(gc.el("strong", "", site.name), gc.el("div", "", told.text), list);
    for (const [heading, text] of told.rows) list.append(gc.el("dt", "", heading), gc.el("dd", "", text));
    return box;
  }

  function legend(shown) {
    const box = gc.el("aside", "gc-card gc-key");
    box.appendChild(gc.el("h4", "", shown.title));
    for (const [color, text] of shown.legend) {
      const row = gc.el("div"), patch = gc.el("i", color ? "" : "gc-none");
      if (color) patch.style.background = color;
      row.append(patch, text);
      box.appendChild(row);
    }
    return box;
  }

  gc.sites = function (map, payload) {
    const signs = L.featureGroup().addTo(map), names = L.layerGroup(), known = new Map(payload.sites.map((site) => [site.id, site]));
    let key = null, last = "";
    const named = () => (map.getZoom() >= NAMES_FROM ? names.addTo(map) : names.remove());
    map.on("zoomend", named);
    return function lay(shown) {
      signs.clearLayers();
      names.clearLayers();
      if (key) key.remove();
      key = gc.control("topright", legend(shown)).addTo(map);
      for (const [id, told] of Object.entries(shown.sites)) {
        const site = known.get(id), chosen = id === shown.chosen;
        if (!site) continue;
        const { size, html } = sign(site, told, chosen);
        const marker = L.marker(site.at, { icon: L.divIcon({ className: "", html: html, iconSize: [size, size] }), riseOnHover: true, autoPanOnFocus: false, zIndexOffset: chosen ? 1000 : told.muted ? 0 : 400 });
        const pick = () => tell(id);
        marker.on("add", () => marker.getElement()?.setAttribute("aria-label", site.name + " " + told.text));
        marker.on("click", pick).on("keypress", (e) => { if (e.originalEvent.key === "Enter") pick(); });
        marker.bindTooltip(tip(site, told), { direction: "auto" });
        signs.addLayer(marker);
        if (!told.muted || chosen) names.addLayer(gc.name(site.at, gc.brief(site.name), { kind: "of-site" + (chosen ? " chosen" : ""), gap: size / 2 + 2, weight: chosen ? 90 : 50 }));
      }
      named();
      const at = known.get(shown.chosen)?.at;
      if (at && shown.chosen !== last && !map.getBounds().pad(-0.05).contains(at)) map.flyTo(at, Math.max(map.getZoom(), 9), { duration: 0.6 });
      last = shown.chosen;
    };
  };
})();
