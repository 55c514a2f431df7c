/* Draws a payload of layers on a Leaflet map: the same code in the app and in the single-file export.
   Everything that came from data enters the page as text, never as markup. */
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const CELL = 46; // points closer than this many pixels become one bubble

  function el(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    return node;
  }

  function svg(tag, attributes, parent) {
    const node = document.createElementNS(SVG, tag);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(node);
    return node;
  }

  function swatch(layer) {
    const box = svg("svg", { class: "gc-swatch", viewBox: "0 0 16 14", "aria-hidden": "true" });
    const c = layer.color;
    if (layer.kind === "area") svg("rect", { x: 1, y: 2, width: 14, height: 10, rx: 2, fill: layer.fill || "none", stroke: c }, box);
    else if (layer.kind === "line" || layer.kind === "flow") svg("line", { x1: 0, y1: 7, x2: 16, y2: 7, stroke: c, "stroke-width": layer.weight > 2 ? 3 : 2, "stroke-dasharray": layer.dash ? "4 3" : "none" }, box);
    else if (layer.kind === "ring") svg("circle", { cx: 8, cy: 7, r: 5.5, fill: layer.fill || "none", "fill-opacity": 0.25, stroke: c, "stroke-dasharray": "2.5 2" }, box);
    else if (layer.kind === "site") svg("path", { d: "M8 1 L14 7 L8 13 L2 7 Z", fill: c, stroke: "#fff" }, box);
    else if (layer.kind === "square") svg("rect", { x: 3.5, y: 2.5, width: 9, height: 9, fill: c, stroke: "#fff" }, box);
    else svg("circle", { cx: 8, cy: 7, r: 5, fill: c, stroke: "#fff" }, box);
    return box;
  }

  function section(p) {
    const part = el("section");
    const head = el("h3", "", p.title);
    if (p.sample) head.appendChild(el("span", "gc-sample", p.sample));
    part.appendChild(head);
    if (p.sub) part.appendChild(el("p", "gc-sub", p.sub));
    const list = el("dl");
    for (const row of p.rows || []) {
      list.appendChild(el("dt", "", row[0]));
      list.appendChild(el("dd", "", row[1]));
    }
    part.appendChild(list);
    if (p.source) part.appendChild(el("div", "gc-source", p.source));
    return part;
  }

  function card(members) {
    const box = el("div", "gc-pop");
    members.forEach((p) => box.appendChild(section(p)));
    return box;
  }

  function bindCard(layer, p) {
    layer.bindPopup(() => card([p]), { maxWidth: 340, autoPanPadding: [30, 30] });
    layer.bindTooltip(el("span", "", p.title), { direction: "top", opacity: 0.95 });
  }

  function arc(from, to) {
    const bend = 0.14, points = [];
    const dx = to[1] - from[1], dy = to[0] - from[0];
    const mid = [from[0] + dy / 2 + dx * bend, from[1] + dx / 2 - dy * bend];
    for (let i = 0; i <= 24; i++) {
      const t = i / 24, a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;
      points.push([a * from[0] + b * mid[0] + c * to[0], a * from[1] + b * mid[1] + c * to[1]]);
    }
    return points;
  }

  function diamond(f, layer) {
    const size = f.p.size || 18, half = size / 2;
    const box = svg("svg", { width: size, height: size, viewBox: "0 0 20 20", class: "gc-diamond", role: "img", "aria-label": f.p.title });
    svg("path", { d: "M10 1.5 L18.5 10 L10 18.5 L1.5 10 Z", fill: f.p.color || layer.color, stroke: "#fff", "stroke-width": 1.8 }, box);
    if (f.p.mark) {
      const text = svg("text", { x: 10, y: 10.5, "text-anchor": "middle", "dominant-baseline": "central", fill: "#fff", "font-size": 9, "font-weight": 700 }, box);
      text.textContent = f.p.mark;
    }
    return L.marker(f.at, { icon: L.divIcon({ className: "", html: box, iconSize: [size, size], iconAnchor: [half, half] }), riseOnHover: true, zIndexOffset: f.p.mark ? 900 : 400, alt: f.p.title });
  }

  function donut(members) {
    const n = members.length, r = n === 1 ? 6.5 : Math.min(11 + 2.2 * Math.sqrt(n), 24), size = 2 * r + 4, c = size / 2;
    const box = svg("svg", { width: size, height: size, class: "gc-donut", role: "img", "aria-label": n === 1 ? members[0].p.title : String(n) });
    if (n === 1) {
      svg("circle", { cx: c, cy: c, r: r, fill: members[0].color, stroke: "#fff", "stroke-width": 1.8 }, box);
    } else {
      svg("circle", { cx: c, cy: c, r: r, fill: "#fff", stroke: "#fff", "stroke-width": 3 }, box);
      const share = new Map();
      members.forEach((m) => share.set(m.color, (share.get(m.color) || 0) + 1));
      const ring = r - 2.5, around = 2 * Math.PI * ring;
      let start = 0;
      for (const [color, count] of share) {
        const length = (count / n) * around;
        svg("circle", { cx: c, cy: c, r: ring, fill: "none", stroke: color, "stroke-width": 5, "stroke-dasharray": length + " " + (around - length), "stroke-dashoffset": -start, transform: "rotate(-90 " + c + " " + c + ")" }, box);
        start += length;
      }
      svg("text", { x: c, y: c }, box).textContent = n;
    }
    return L.divIcon({ className: "", html: box, iconSize: [size, size], iconAnchor: [c, c] });
  }

  /* Points that would overlap are one bubble: a ring of their colours and their number. Those that share an anchor
     never come apart, however far one zooms in: the popup lists them all. */
  function Bubbles(map) {
    const group = L.layerGroup().addTo(map), shown = new Map();
    function draw() {
      group.clearLayers();
      const cells = new Map(), zoom = map.getZoom();
      for (const points of shown.values()) for (const m of points) {
        const xy = map.project(m.at, zoom), key = Math.round(xy.x / CELL) + ":" + Math.round(xy.y / CELL);
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push(m);
      }
      for (const members of cells.values()) {
        const mean = (axis) => members.reduce((sum, m) => sum + m.at[axis], 0) / members.length;
        const at = [mean("lat"), mean("lng")];
        const title = members.length === 1 ? members[0].p.title : members.slice(0, 6).map((m) => m.p.title).join("、") + (members.length > 6 ? "…" : "");
        const marker = L.marker(at, { icon: donut(members), riseOnHover: true, zIndexOffset: 200, alt: title });
        marker.bindTooltip(el("span", "", title), { direction: "top" });
        const apart = members.some((m) => map.latLngToLayerPoint(m.at).distanceTo(map.latLngToLayerPoint(members[0].at)) > 3);
        if (apart && zoom < 13) marker.on("click", () => map.flyToBounds(L.latLngBounds(members.map((m) => m.at)).pad(0.3), { maxZoom: 13, duration: 0.6 }));
        else marker.bindPopup(() => card(members.map((m) => m.p)), { maxWidth: 340 });
        group.addLayer(marker);
      }
    }
    map.on("zoomend", draw);
    return { set: (key, points) => { points ? shown.set(key, points) : shown.delete(key); draw(); } };
  }

  function build(layer, map, bubbles, lines) {
    const at = (f) => L.latLng(f.at);
    if (layer.kind === "point") {
      const members = layer.features.map((f) => ({ at: at(f), p: f.p, color: layer.color }));
      return { show: () => bubbles.set(layer.key, members), hide: () => bubbles.set(layer.key, null) };
    }
    const group = L.featureGroup();
    if (layer.kind === "area" || layer.kind === "line") {
      const style = { color: layer.color, weight: layer.weight || 1, opacity: layer.opacity || 1, dashArray: layer.dash || null, fill: layer.kind === "area", fillColor: layer.fill || "#000", fillOpacity: layer.fill ? layer.fillOpacity || 1 : 0, renderer: lines, interactive: false };
      const shape = L.geoJSON(layer.features, { style: (f) => (f.properties && f.properties.fill ? Object.assign({}, style, { fillColor: f.properties.fill, fillOpacity: 1 }) : style), interactive: false });
      group.addLayer(shape);
    } else for (const f of layer.features) {
      let shape;
      if (layer.kind === "site") shape = diamond(Object.assign({}, f, { at: at(f) }), layer);
      else if (layer.kind === "ring") shape = L.circle(at(f), { radius: f.p.radius_m, color: layer.color, weight: 1, dashArray: "4 4", fillColor: layer.fill || layer.color, fillOpacity: 0.07, interactive: false });
      else if (layer.kind === "flow") {
        const path = arc(f.from, f.to), weight = f.p.weight || 2;
        group.addLayer(L.polyline(path, { color: "#fff", weight: weight + 2.5, opacity: 0.9, interactive: false }));
        shape = L.polyline(path, { color: layer.color, weight: weight, opacity: 0.85, lineCap: layer.dash ? "butt" : "round", dashArray: layer.dash || null });
      }
      else if (layer.kind === "label") shape = L.marker(at(f), { interactive: false, keyboard: false, icon: L.divIcon({ className: "", html: el("div", "gc-label" + (layer.strong ? " gc-strong" : ""), f.p.title), iconSize: [0, 0] }) });
      else shape = L.marker(at(f), { alt: f.p.title, icon: L.divIcon({ className: "", html: square(layer.color, layer.kind), iconSize: [12, 12], iconAnchor: [6, 6] }) });
      if (layer.kind !== "ring" && layer.kind !== "label") bindCard(shape, f.p);
      group.addLayer(shape);
    }
    const visible = () => map.getZoom() >= (layer.minZoom || 0) && map.getZoom() <= (layer.maxZoom || 99);
    let on = false;
    const update = () => (on && visible() ? group.addTo(map) : group.remove());
    map.on("zoomend", update);
    return { show: () => { on = true; update(); }, hide: () => { on = false; update(); } };
  }

  function square(color, kind) {
    const box = svg("svg", { width: 12, height: 12, viewBox: "0 0 12 12" });
    if (kind === "square") svg("rect", { x: 1, y: 1, width: 10, height: 10, rx: 1.5, fill: color, stroke: "#fff", "stroke-width": 1.4 }, box);
    else svg("circle", { cx: 6, cy: 6, r: 5, fill: color, stroke: "#fff", "stroke-width": 1.4 }, box);
    return box;
  }

  function control(position, node) {
    const c = L.control({ position: position });
    c.onAdd = () => { L.DomEvent.disableClickPropagation(node); L.DomEvent.disableScrollPropagation(node); return node; };
    return c;
  }

  function panel(map, payload, built) {
    const small = map.getSize().x < 640, box = el("div", "gc-card gc-panel" + (small ? " gc-closed" : ""));
    const head = el("button", "", payload.words.layers), body = el("div", "gc-body");
    head.type = "button";
    head.setAttribute("aria-expanded", String(!small));
    head.onclick = () => head.setAttribute("aria-expanded", String(!box.classList.toggle("gc-closed")));
    const groups = new Map();
    payload.layers.forEach((layer, i) => {
      if (!layer.legend) { built[i].show(); return; }
      if (!groups.has(layer.group)) {
        const g = el("div", "gc-group");
        g.appendChild(el("h4", "", layer.group));
        groups.set(layer.group, g);
        body.appendChild(g);
      }
      const row = el("label", "gc-row"), tick = el("input");
      tick.type = "checkbox";
      tick.checked = layer.visible;
      tick.dataset.layer = layer.key;
      tick.onchange = () => (tick.checked ? built[i].show() : built[i].hide());
      row.append(tick, swatch(layer), el("span", "gc-name", layer.name));
      if (layer.count) row.appendChild(el("span", "gc-count", layer.count));
      groups.get(layer.group).appendChild(row);
      if (layer.visible) built[i].show();
    });
    (payload.notes || []).forEach((note) => body.appendChild(el("p", "gc-note", note)));
    box.append(head, body);
    control("topright", box).addTo(map);
  }

  function search(map, payload) {
    const box = el("div", "gc-card gc-search"), input = el("input"), found = el("ul", "gc-found"), places = el("div", "gc-places");
    input.type = "search";
    input.placeholder = payload.words.search;
    input.setAttribute("aria-label", payload.words.search);
    box.setAttribute("role", "search");
    found.setAttribute("aria-live", "polite");
    const fold = (s) => s.toLowerCase().replace(/\s+/g, "");
    const known = [];
    for (const layer of payload.layers) if (layer.search) for (const f of layer.features) known.push({ text: fold([f.p.title, f.p.sub || "", f.p.find || ""].join(" ")), f: f, where: layer.name });
    const fly = (hit) => {
      found.replaceChildren();
      input.value = hit.f.p.title;
      map.flyTo(hit.f.at, Math.max(map.getZoom(), 12), { duration: 0.8 });
      map.once("moveend", () => L.popup({ maxWidth: 340, offset: [0, -8] }).setLatLng(hit.f.at).setContent(card([hit.f.p])).openOn(map));
    };
    const look = () => {
      const wanted = fold(input.value);
      found.replaceChildren();
      if (!wanted) return [];
      const hits = known.filter((k) => k.text.includes(wanted)).slice(0, 8);
      for (const hit of hits) {
        const row = el("li"), button = el("button", "", hit.f.p.title);
        button.type = "button";
        button.appendChild(el("small", "", hit.where));
        button.onclick = () => fly(hit);
        row.appendChild(button);
        found.appendChild(row);
      }
      if (!hits.length) found.appendChild(el("li", "gc-note", payload.words.nothing));
      return hits;
    };
    input.oninput = look;
    input.onkeydown = (e) => { if (e.key === "Enter") { const hits = look(); if (hits.length) fly(hits[0]); } };
    box.onkeydown = (e) => {
      const stops = [input, ...found.querySelectorAll("button")], step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      if (e.key === "Escape") { input.value = ""; look(); input.focus(); }
      if (!step || !stops.includes(document.activeElement)) return;
      e.preventDefault();
      stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
    };
    for (const place of payload.places || []) {
      const button = el("button", "", place.name);
      button.type = "button";
      button.onclick = () => map.flyToBounds(place.bounds, { duration: 0.7 });
      places.appendChild(button);
    }
    box.append(input, found, places);
    control("topleft", box).addTo(map);
  }

  /* Leaflet's own attribution takes markup; this one takes text and unfolds. */
  function sources(map, payload) {
    const box = el("details", "gc-card gc-owed");
    const list = el("ul");
    payload.attribution.forEach((text) => list.appendChild(el("li", "", text)));
    box.append(el("summary", "", payload.words.sources), list);
    map.removeControl(map.attributionControl);
    control("bottomright", box).addTo(map);
  }

  function draw(map, payload) {
    const container = map.getContainer();
    container.classList.add("gc-map");
    container.setAttribute("aria-label", payload.words.map);
    document.documentElement.lang = payload.lang;
    container.setAttribute("role", "region");
    sources(map, payload);
    map.zoomControl.setPosition("bottomright");
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    const lines = L.canvas({ padding: 0.4 }), bubbles = Bubbles(map);
    if (payload.title) {
      const title = el("div", "gc-card gc-title", payload.title.text);
      if (payload.title.sample) title.appendChild(el("span", "gc-sample", payload.title.sample));
      if (payload.title.sub) title.appendChild(el("small", "", payload.title.sub));
      control("topleft", title).addTo(map);
    }
    search(map, payload);
    const built = payload.layers.map((layer) => build(layer, map, bubbles, lines));
    panel(map, payload, built);
    map.fitBounds(payload.bounds);
    container.dataset.ready = "true";
  }

  window.geoClusterMap = function (map, payload) {
    if (typeof payload !== "string") return draw(map, payload);
    return fetch(payload).then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); }).then((p) => draw(map, p)).catch(() => {
      map.getContainer().textContent = "地图数据没有送到，请刷新页面。 / The map's data did not arrive; reload the page.";
    });
  };
})();
