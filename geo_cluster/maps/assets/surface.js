/* Lays a picture of a surface on a map of sites that `map.js` draws, with its legend, its opacity, regions by number and the
   cell that was clicked. The picture changes in place; the map below it is drawn once. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  let base = "", drawn = null, wanted = null;

  function pane(map, name, level, blend) {
    const there = map.getPane(name) || map.createPane(name);
    there.style.zIndex = level;
    there.style.mixBlendMode = blend || "";
    there.style.pointerEvents = "none";
    return there;
  }

  function legend(map, told, picture) {
    const box = gc.el("div", "gc-card gc-surface");
    box.style.cssText = "padding:8px 10px;font-size:12px;line-height:1.4;box-sizing:border-box;max-width:min(230px,50vw);color:#1d2b36";
    const head = gc.el("b", "", told.words.score), bar = gc.el("div"), ends = gc.el("div"), rows = gc.el("div");
    bar.style.cssText = "display:flex;height:10px;margin:4px 0 1px";
    ends.style.cssText = rows.style.cssText = "display:flex;justify-content:space-between;gap:10px";
    rows.style.cssText += ";justify-content:flex-start;margin-top:4px";
    const slider = gc.el("input"), label = gc.el("label", "", told.words.opacity);
    label.style.cssText = "display:flex;align-items:center;gap:6px;margin-top:4px;min-height:28px";
    slider.type = "range";
    Object.assign(slider, { min: 0, max: 100, value: 80 });
    slider.style.cssText = "flex:1;min-width:60px;accent-color:#0b6e75";
    slider.oninput = () => {
      picture.setOpacity(slider.value / 100);
      if (drawn.tiles) drawn.tiles.setOpacity(slider.value / 100);
    };
    label.appendChild(slider);
    box.append(head, bar, ends, rows, label);
    const show = (said) => {
      bar.replaceChildren(...said.ramp.map((colour) => { const one = gc.el("span"); one.style.cssText = "flex:1;background:" + colour; return one; }));
      ends.replaceChildren(gc.el("span", "", said.span[0]), gc.el("span", "", said.span[1]));
      rows.replaceChildren(...[["taken", said.taken], ["unknown", said.unknown]].map(([key, colour]) => {
        const one = gc.el("span"), dot = gc.el("span");
        dot.style.cssText = "display:inline-block;width:10px;height:10px;margin-right:4px;border:1px solid #56636c55;background:" + colour;
        one.append(dot, said.words[key]);
        return one;
      }));
    };
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    gc.control("bottomleft", box).addTo(map);
    return show;
  }

  function number(rank, at, colour) {
    const dot = gc.el("div", "", rank);
    dot.style.cssText = "box-sizing:border-box;width:20px;height:20px;border-radius:10px;border:1.5px solid #fff;color:#fff;font:700 11px/17px sans-serif;text-align:center;box-shadow:0 1px 3px #0006;background:" + colour;
    return L.marker(at, { interactive: false, keyboard: false, zIndexOffset: 1200, icon: L.divIcon({ className: "", html: dot, iconSize: [20, 20], iconAnchor: [10, 10] }) });
  }

  // The surface at its own cells, as tiles in place of the picture; the picture stays until the first tiles are there.
  function exact(map, told) {
    const picture = drawn.picture.getElement();
    if (drawn.address === told.tiles) return;
    drawn.address = told.tiles;
    if (drawn.tiles) map.removeLayer(drawn.tiles);
    drawn.tiles = null;
    picture.style.display = "";
    if (!told.tiles) return;
    const tiles = L.tileLayer(told.tiles, { pane: "gc-surface", bounds: told.bounds, opacity: drawn.picture.options.opacity, maxZoom: 22, maxNativeZoom: 19 });
    tiles.once("load", () => { if (drawn.tiles === tiles) { picture.style.display = "none"; picture.dataset.exact = "yes"; } });
    drawn.tiles = tiles.addTo(map);
  }

  function put(map, told) {
    if (!drawn || drawn.map !== map) {
      map.getContainer().style.height = "100vh"; // as high as the page makes the frame
      map.invalidateSize({ animate: false });
      pane(map, "gc-surface", 420, "multiply");
      pane(map, "gc-regions", 640);
      const picture = L.imageOverlay(told.picture, told.bounds, { pane: "gc-surface", opacity: 0.8, interactive: false, alt: told.words.map });
      picture.on("load", () => { picture.getElement().dataset.ready = wanted.picture; });
      picture.addTo(map);
      picture.getElement().style.imageRendering = "pixelated";
      drawn = { map: map, picture: picture, marks: L.layerGroup().addTo(map), legend: legend(map, told, picture) };
    }
    drawn.picture.setUrl(told.picture);
    exact(map, told);
    drawn.legend(told);
    drawn.marks.clearLayers();
    if (told.regions.features.length) drawn.marks.addLayer(L.geoJSON(told.regions, { pane: "gc-regions", interactive: false, style: { color: told.region, weight: 2.5, fill: false } }));
    for (const f of told.regions.features) drawn.marks.addLayer(number(f.properties.rank, f.properties.at, told.region));
    if (told.clicked) drawn.marks.addLayer(L.circleMarker(told.clicked, { pane: "gc-regions", interactive: false, radius: 8, color: "#1d2b36", weight: 2.5, fill: false }));
  }

  window.geoClusterSurface = function (map, address, told) {
    wanted = told;
    const ready = window.geoClusterMap(map, address, told.sites);
    if (base === address) return drawn && put(map, told);
    base = address;
    Promise.resolve(ready).then(() => put(map, wanted));
  };
})();
