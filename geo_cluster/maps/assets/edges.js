/* A city of the study that lies outside the view is announced at the edge of the map, on the way to it. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});

  gc.edges = function (map, payload) {
    const cities = (payload.places || []).filter((place) => place.key), box = gc.el("nav", "gc-edges");
    if (!cities.length) return;
    box.setAttribute("aria-label", payload.words.beyond);
    map.getContainer().appendChild(box);
    const buttons = cities.map((place) => {
      const button = gc.el("button"), arrow = gc.svg("svg", { viewBox: "0 0 13 13", "aria-hidden": "true" }), text = gc.el("span");
      gc.svg("path", { d: "M1 6.5 H11 M7 2.5 L11 6.5 L7 10.5", fill: "none", stroke: "#fff", "stroke-width": 1.8 }, arrow);
      button.type = "button";
      button.append(arrow, text);
      button.onclick = () => { map.closePopup(); map.flyToBounds(place.bounds, { duration: 0.8 }); };
      L.DomEvent.disableClickPropagation(button);
      box.appendChild(button);
      return { place, button, arrow, text, bounds: L.latLngBounds(place.bounds) };
    });
    function draw() {
      const view = map.getBounds(), size = map.getSize(), middle = size.divideBy(2), corner = (name) => map._controlCorners[name].offsetHeight;
      const low = Math.max(corner("topleft"), corner("topright") > 0.6 * size.y ? 0 : corner("topright")) + 22, high = size.y - Math.max(corner("bottomleft"), corner("bottomright")) - 22;
      for (const { place, button, arrow, text, bounds } of buttons) {
        const away = !view.intersects(bounds);
        button.hidden = !away;
        if (!away) continue;
        const to = map.latLngToContainerPoint(bounds.getCenter()).subtract(middle), scale = Math.min(middle.x / Math.abs(to.x || 1), middle.y / Math.abs(to.y || 1));
        const at = middle.add(to.multiplyBy(scale)), km = Math.round(map.distance(view.getCenter(), bounds.getCenter()) / 10000) * 10;
        text.textContent = payload.words.away.replace("{place}", place.name).replace("{km}", km);
        arrow.style.transform = "rotate(" + Math.round((Math.atan2(to.y, to.x) * 180) / Math.PI) + "deg)";
        const half = button.offsetWidth / 2 + 10;
        button.style.left = Math.min(Math.max(at.x, half), size.x - half) + "px";
        button.style.top = Math.min(Math.max(at.y, Math.min(low, high)), high) + "px";
      }
    }
    map.on("moveend resize", draw);
    draw();
  };
})();
