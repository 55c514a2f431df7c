/* Draws a payload of layers on a Leaflet map: the same code in the app and in the single-file export.
   Everything that came from data enters the page as text, never as markup. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const SVG = "http://www.w3.org/2000/svg";
  /* A press gives the map the keyboard; Leaflet's way scrolls the page to it, and the first click is lost. */
  L.Map.Keyboard.include({ _onMouseDown: function () { if (!this._focused) this._map.getContainer().focus({ preventScroll: true }); } });
  const CELL = 46; // points closer than this many pixels become one bubble
  const PIN = 12; // a position uncertain by more pixels than this is an area, not a pin
  const EQUATOR_M = 40075016.686;
  const SITES_FROM = 9, FIRMS_FROM = 12; // zooms from which signs are named
  const brief = (name) => name.replace(/[（(][^）)]*[）)]/g, "").trim() || name;

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
    if (layer.ramp) layer.ramp.forEach((color, i) => svg("rect", { x: i * 4, y: 3, width: 4, height: 8, fill: color }, box));
    else if (layer.kind === "area") svg("rect", { x: 1, y: 2, width: 14, height: 10, rx: 2, fill: layer.fill || "none", stroke: c }, box);
    else if (layer.core_weight) for (const [color, width] of [[c === "#ffffff" ? "#cfd5d6" : c, 5], [layer.core, 2.6]]) svg("line", { x1: 0, y1: 7, x2: 16, y2: 7, stroke: color, "stroke-width": width }, box);
    else if (layer.kind === "line" || layer.kind === "flow") svg("line", { x1: 0, y1: 7, x2: 16, y2: 7, stroke: c, "stroke-width": layer.weight > 2 ? 3 : 2, "stroke-dasharray": layer.dash ? "4 3" : "none" }, box);
    else if (layer.kind === "choropleth") layer.classes.forEach((_, i) => svg("rect", { x: i * 3.2, y: 3, width: 3.2, height: 8, fill: layer.colors[i] }, box));
    else if (layer.kind === "ring") svg("circle", { cx: 8, cy: 7, r: 6, fill: c, "fill-opacity": 0.3 }, box);
    else if (layer.kind === "square" || layer.shape === "square") svg("rect", { x: 3.5, y: 2.5, width: 9, height: 9, fill: c, stroke: "#fff" }, box);
    else if (layer.kind === "site") svg("path", { d: "M8 1 L14 7 L8 13 L2 7 Z", fill: c, stroke: "#fff" }, box);
    else if (layer.shape === "triangle") svg("path", { d: "M8 1.5 L14.2 12.5 L1.8 12.5 Z", fill: layer.hollow ? "#fff" : c, stroke: c, "stroke-width": layer.hollow ? 2 : 1 }, box);
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

  function card(members, sheetOf) {
    const box = el("div", "gc-pop");
    members.forEach((m) => box.appendChild(section(m.f.p)).querySelector("dl").before(...(sheetOf ? sheetOf(m) : [])));
    return box;
  }

  /* A click or Enter opens the card of a feature; the popup knows whom it shows, for the link to this view. */
  function bindCard(shape, layer, f, map) {
    const open = (e) => openCard(map, (e && e.latlng) || L.latLng(f.at), [{ layer: layer, f: f }]);
    shape.on("click", open);
    shape.on("keypress", (e) => { if (e.originalEvent.key === "Enter") open(); });
    shape.bindTooltip(el("span", "", f.p.title), { direction: "auto", opacity: 0.95 });
    if (f.p.within_m) shape.on("mouseover", () => map.unsure.point([f])).on("mouseout", () => map.unsure.point([]));
  }

  /* A card stays clear of what stands around the map: beside an open legend and list, below the search, above the tools. */
  function clear(map) {
    const box = map.getContainer(), size = (which, side) => box.querySelector(which)?.[side] || 0, wide = box.clientWidth > 640;
    const left = wide && size(".gc-told", "offsetWidth"), right = wide && size(".gc-panel:not(.gc-closed)", "offsetWidth");
    return { autoPanPaddingTopLeft: [left + 20, size(".leaflet-top.leaflet-left", "offsetHeight") + 10], autoPanPaddingBottomRight: [right + 20, size(".gc-tools", "offsetHeight") + 45] };
  }

  /* A card of what has no place stands in the middle of the map and points at nothing. */
  function openCard(map, at, members) {
    const adrift = at ? {} : { className: "gc-adrift", autoPan: false }, size = map.getSize(), free = clear(map);
    const high = Math.max(size.y - free.autoPanPaddingTopLeft[1] - free.autoPanPaddingBottomRight[1] - 46, 120), wide = Math.min(340, size.x - 60);
    const popup = L.popup({ maxWidth: wide, minWidth: Math.min(220, wide), maxHeight: high, offset: [0, -6], ...free, ...adrift }).setLatLng(at || map.containerPointToLatLng([size.x / 2, size.y * 0.88])).setContent(card(members, map.sheetOf));
    popup.shows = members.filter((m) => m.f.p.id).slice(0, 60).map((m) => m.layer.key + ":" + m.f.p.id);
    popup.openOn(map);
    map.unsure.point(members.map((m) => m.f));
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

  // a marker of our own making is a button without a name until it gets one
  function named(title, marker) {
    return marker.on("add", () => marker.getElement()?.setAttribute("aria-label", title));
  }

  function diamond(f, layer) {
    const size = f.p.size || 18, half = size / 2;
    const box = svg("svg", { width: size, height: size, viewBox: "0 0 20 20", class: "gc-diamond", role: "img", "aria-label": f.p.title });
    const beside = layer.shape === "square"; // stands where its zone does, so it is drawn to its right
    svg("path", { d: beside ? "M3 3 L17 3 L17 17 L3 17 Z" : "M10 1.5 L18.5 10 L10 18.5 L1.5 10 Z", fill: f.p.color || layer.color, stroke: "#fff", "stroke-width": 1.8 }, box);
    if (f.p.mark) {
      const text = svg("text", { x: 10, y: 10.5, "text-anchor": "middle", "dominant-baseline": "central", fill: "#fff", "font-size": 9, "font-weight": 700 }, box);
      text.textContent = f.p.mark;
    }
    return named(f.p.title, L.marker(f.at, { icon: L.divIcon({ className: "", html: box, iconSize: [size, size], iconAnchor: [beside ? -half / 2 : half, half] }), riseOnHover: true, autoPanOnFocus: false, zIndexOffset: f.p.mark ? 900 : 400 }));
  }

  /* Solid where the position is known to a pin's width at this zoom; hollow, or in a dashed ring, where it is not. */
  function donut(members, unsure) {
    const n = members.length, r = n === 1 ? 6.5 : Math.min(11 + 2.2 * Math.sqrt(n), 24), size = 2 * r + 6, c = size / 2;
    const box = svg("svg", { width: size, height: size, class: "gc-donut" + (unsure ? " gc-vague" : ""), "aria-hidden": "true" });
    if (n === 1) {
      const color = members[0].layer.color, { shape, hollow } = members[0].layer;
      if (shape === "triangle") svg("path", { d: ["M", c, c - r - 1, "L", c + r + 0.5, c + r - 1, "L", c - r - 0.5, c + r - 1, "Z"].join(" "), fill: hollow ? "#fff" : color, stroke: hollow ? color : "#fff", "stroke-width": hollow ? 2.6 : 1.6, "stroke-linejoin": "round" }, box);
      else if (unsure) svg("circle", { cx: c, cy: c, r: r - 1, fill: "#fff", stroke: color, "stroke-width": 2.8 }, box);
      else svg("circle", { cx: c, cy: c, r: r, fill: color, stroke: "#fff", "stroke-width": 1.8 }, box);
    } else {
      svg("circle", { cx: c, cy: c, r: r, fill: "#fff", stroke: "#fff", "stroke-width": 3 }, box);
      const share = new Map();
      members.forEach((m) => share.set(m.layer.color, (share.get(m.layer.color) || 0) + 1));
      const ring = r - 2.5, around = 2 * Math.PI * ring;
      let start = 0;
      for (const [color, count] of share) {
        const length = (count / n) * around;
        svg("circle", { cx: c, cy: c, r: ring, fill: "none", stroke: color, "stroke-width": 5, "stroke-dasharray": length + " " + (around - length), "stroke-dashoffset": -start, transform: "rotate(-90 " + c + " " + c + ")" }, box);
        start += length;
      }
      if (unsure) svg("circle", { cx: c, cy: c, r: r + 1.4, fill: "none", stroke: "#56636c", "stroke-width": 1.2, "stroke-dasharray": "2.6 2.2" }, box);
      svg("text", { x: c, y: c }, box).textContent = n;
    }
    return L.divIcon({ className: "", html: box, iconSize: [size, size], iconAnchor: [c, c] });
  }

  /* Points that would overlap are one bubble: a ring of their colours and their number. Those that share an anchor
     never come apart, however far one zooms in: the card lists them all. A sign whose position is uncertain by more
     than a pin is wide is hollow; pointed at, it shows the area that it lies in. Only what is in view is drawn. */
  function Bubbles(map, lines, comma) {
    const markers = L.layerGroup().addTo(map), shown = new Map();
    let drawn = new Map(), zoomed = null, cells = new Map();
    const reach = (m) => ((m.f.p.within_m || 0) * 2 ** (map.getZoom() + 8)) / (EQUATOR_M * Math.cos((m.at.lat * Math.PI) / 180));
    function sort() {
      cells = new Map();
      zoomed = map.getZoom();
      const crs = map.options.crs;
      for (const points of shown.values()) for (const m of points) {
        if (m.crs !== crs) { m.world = map.project(m.at, 0); m.crs = crs; }
        const x = m.world.x * 2 ** zoomed, y = m.world.y * 2 ** zoomed, key = Math.round(x / CELL) + ":" + Math.round(y / CELL);
        let cell = cells.get(key);
        if (!cell) cells.set(key, (cell = { x: 0, y: 0, members: [] }));
        cell.members.push(m);
        cell.x += x;
        cell.y += y;
      }
    }
    function marker(cell) {
      const members = cell.members, zoom = map.getZoom();
      const at = map.unproject([cell.x / members.length, cell.y / members.length], zoom);
      const unsure = members.some((m) => reach(m) > PIN);
      const title = members.length === 1 ? members[0].f.p.title : members.slice(0, 6).map((m) => m.f.p.title).join(comma) + (members.length > 6 ? "…" : "");
      const one = named(title, L.marker(at, { icon: donut(members, unsure), riseOnHover: true, autoPanOnFocus: false, zIndexOffset: 200 }));
      one.on("add", () => one.getElement() && one.getElement().setAttribute("aria-label", members.length > 1 ? members.length + " · " + title : title));
      one.bindTooltip(el("span", "", title), { direction: "auto" });
      const apart = zoom < 13 && members.some((m) => Math.hypot(m.world.x - members[0].world.x, m.world.y - members[0].world.y) * 2 ** zoom > 3);
      const open = () => (apart ? map.flyToBounds(L.latLngBounds(members.map((m) => m.at)).pad(0.3), { maxZoom: 13, duration: 0.6 }) : openCard(map, at, members));
      one.on("click", open);
      one.on("keypress", (e) => { if (e.originalEvent.key === "Enter") open(); });
      if (members.length === 1 && zoom >= FIRMS_FROM) one.name = gc.name(at, brief(members[0].f.p.title), { kind: "of-firm", gap: 10, weight: 40 });
      if (unsure) one.on("mouseover", () => map.unsure.point(members.map((m) => m.f))).on("mouseout", () => map.unsure.point([]));
      return one;
    }
    function draw() {
      const view = map.getBounds().pad(0.35), box = L.bounds(map.project(view.getNorthWest()), map.project(view.getSouthEast()));
      const next = new Map();
      for (const [key, cell] of cells) {
        if (!box.contains([cell.x / cell.members.length, cell.y / cell.members.length])) continue;
        const one = drawn.get(key) || marker(cell);
        next.set(key, one);
        if (!drawn.has(key)) for (const part of [one, one.name]) if (part) markers.addLayer(part);
      }
      for (const [key, one] of drawn) if (!next.has(key)) for (const part of [one, one.name]) if (part) markers.removeLayer(part);
      drawn = next;
    }
    function again() {
      markers.clearLayers();
      drawn = new Map();
      sort();
      if (map._loaded) draw();
    }
    let waiting = false;
    function soon() { // many layers change together: one drawing
      if (waiting) return;
      waiting = true;
      Promise.resolve().then(() => { waiting = false; again(); });
    }
    map.on("moveend", () => (map.getZoom() === zoomed ? draw() : again()));
    map.on("viewreset", soon);
    return { set: (key, points) => { points ? shown.set(key, points) : shown.delete(key); soon(); } };
  }

  /* Roads are thin where the whole province is in view, broad in a town. */
  const broad = (zoom) => (zoom < 8 ? 0.55 : zoom < 9.5 ? 0.75 : zoom < 12 ? 1 : 1.6);

  /* Areas and lines lie on each other in the order of the payload, whatever is switched on last. */
  function restack(map) {
    for (const group of map.stacks) if (map.hasLayer(group)) group.stack.forEach((one) => one.bringToFront());
  }

  function build(layer, map, bubbles, lines, filters, payload) {
    const at = (f) => L.latLng(f.at);
    if (layer.kind === "point") {
      const members = layer.features.map((f) => ({ at: at(f), f: f, layer: layer }));
      let on = false;
      const update = () => bubbles.set(layer.key, on ? members.filter((m) => filters.pass(m.f)) : null);
      return { show: () => { on = true; update(); }, hide: () => { on = false; update(); }, filter: () => on && update(), on: () => on };
    }
    const group = L.featureGroup(), names = L.layerGroup();
    let repaint = () => {}, plain = () => {};
    if (layer.kind === "choropleth") repaint = choropleth(layer, group, filters, payload, lines);
    else if (layer.kind === "area" || layer.kind === "line") {
      const style = { color: layer.color, weight: layer.weight || 1, opacity: layer.opacity || 1, dashArray: layer.dash || null, fill: layer.kind === "area", fillColor: layer.fill || "#000", fillOpacity: layer.fill ? layer.fillOpacity || 1 : 0, renderer: lines, interactive: false };
      const dressed = (f) => (f.properties && f.properties.fill ? { fillColor: f.properties.fill, fillOpacity: layer.fillOpacity || 1 } : /Line/.test(f.geometry.type) ? { fill: false } : layer.tiled ? { stroke: false } : {});
      const shape = L.geoJSON(layer.features, { style: (f) => Object.assign({}, style, dressed(f)), interactive: false });
      group.stack = [shape];
      if (layer.core_weight) group.stack.push(L.geoJSON(layer.features, { style: { ...style, color: layer.core, weight: layer.core_weight }, interactive: false }));
      if (layer.tiled) plain = (bare) => { covered = bare; update(); };
      else if (layer.fill) plain = (bare) => shape.setStyle({ fill: !bare });
      group.stack.forEach((one) => group.addLayer(one));
      if (layer.core_weight) {
        const widths = [layer.weight, layer.core_weight], size = () => group.stack.forEach((one, at) => one.setStyle({ weight: widths[at] * broad(map.getZoom()) }));
        map.on("zoomend", size);
        size();
      }
    } else for (const f of layer.features) {
      let shape;
      if (layer.kind === "site") shape = diamond(Object.assign({}, f, { at: at(f) }), layer);
      else if (layer.kind === "ring") shape = map.unsure.circle(f.at, f.p.radius_m);
      else if (layer.kind === "flow") {
        const path = arc(f.from, f.to), weight = f.p.weight || 2;
        group.addLayer(L.polyline(path, { color: "#fff", weight: weight + 2.5, opacity: 0.9, interactive: false }));
        shape = L.polyline(path, { color: layer.color, weight: weight, opacity: 0.85, lineCap: layer.dash ? "butt" : "round", dashArray: layer.dash || null });
      }
      else if (layer.kind === "label") shape = gc.name(at(f), f.p.title, { kind: layer.look || "", weight: f.p.weight || layer.weight || 0 });
      else shape = named(f.p.title, L.marker(at(f), { icon: L.divIcon({ className: "", html: square(layer.color, layer.kind), iconSize: [12, 12], iconAnchor: [6, 6] }), autoPanOnFocus: false }));
      if (layer.kind !== "ring" && layer.kind !== "label") bindCard(shape, layer, f, map);
      group.addLayer(shape);
      if (layer.kind === "site") (f.p.mark ? group : names).addLayer(gc.name(f.at, brief(f.p.title), { kind: "of-site" + (f.p.mark ? " planned" : ""), gap: (f.p.size || 18) / 2 + 2, weight: f.p.mark ? 90 : 50 }));
    }
    if (layer.kind === "label" && !layer.legend) plain = (bare) => { covered = bare; update(); };
    let on = false, covered = false;
    if (group.stack) (map.stacks = map.stacks || []).push(group);
    const visible = () => !covered && map.getZoom() >= (layer.from_zoom || 0);
    const update = () => {
      on && map.getZoom() >= SITES_FROM ? names.addTo(map) : names.remove();
      if (!(on && visible())) return group.remove();
      if (map.hasLayer(group)) return group;
      group.addTo(map);
      if (group.stack) restack(map);
      return group;
    };
    map.on("zoomend", update);
    return { show: () => { on = true; repaint(); update(); }, hide: () => { on = false; update(); }, filter: () => on && repaint(), on: () => on, plain: (bare) => plain(bare) };
  }

  /* Counties shaded by how many entities that pass the filters lie in them; always the same classes. */
  function choropleth(layer, group, filters, payload, lines) {
    const shapes = new Map(payload.layers.find((one) => one.key === layer.of).features.features.map((f) => [f.properties.code, f]));
    const known = new Map(payload.layers.flatMap((one) => (one.kind === "point" ? one.features.map((f) => [f.p.id, f]) : [])));
    return () => {
      group.clearLayers();
      for (const county of layer.features) {
        const count = county.ids.filter((id) => known.has(id) && filters.pass(known.get(id))).length;
        const at = layer.classes.findLastIndex((least) => count >= least), shape = shapes.get(county.county);
        if (at < 0 || !shape) continue;
        const drawn = L.geoJSON(shape, { style: { color: "#fff", weight: 1, fillColor: layer.colors[at], fillOpacity: 0.7, renderer: lines } });
        group.addLayer(drawn.bindTooltip(el("span", "", county.p.title + " " + count), { sticky: true }));
      }
    };
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

  /* All that can be filtered, on the map or without a place. */
  gc.everyone = (payload) => [...payload.layers.filter((layer) => layer.kind === "point"), ...(payload.unplaced || [])].flatMap((layer) => layer.features.filter((f) => f.p.tags));

  /* The address of a page of the app, within the same work. */
  gc.inApp = function (name, query) {
    const here = new URL((window.parent === window ? window : window.parent).location.href), url = new URL(name, here);
    url.search = new URLSearchParams({ ...query, ...(here.searchParams.get("work") ? { work: here.searchParams.get("work") } : {}) });
    return url.href;
  };

  /* One choice a facet; the number beside a choice says how many entities it would leave. */
  function Filters(payload) {
    const facets = payload.filters || [], chosen = {}, listeners = [];
    const everyone = gc.everyone(payload);
    const pass = (f, ...but) => !f.p.tags || facets.every((facet) => but.includes(facet.key) || !chosen[facet.key] || (f.p.tags[facet.key] || []).includes(chosen[facet.key]));
    const known = (key, value) => facets.some((facet) => facet.key === key && facet.options.some(([one]) => one === value));
    const set = (values) => {
      for (const key in values) known(key, values[key]) ? (chosen[key] = values[key]) : delete chosen[key];
      listeners.forEach((tell) => tell());
    };
    function panel(body) {
      if (!facets.length) return;
      const box = el("div", "gc-group gc-filters"), line = el("div", "gc-left"), left = el("span"), reset = el("button", "", payload.words.all), boxes = {};
      box.appendChild(el("h4", "", payload.words.filter));
      for (const facet of facets) {
        const row = el("label", "gc-facet"), select = (boxes[facet.key] = el("select"));
        select.dataset.filter = facet.key;
        select.onchange = () => set({ [facet.key]: select.value });
        row.append(el("span", "", facet.name), select);
        box.appendChild(row);
      }
      reset.type = "button";
      reset.onclick = () => set(Object.fromEntries(facets.map((facet) => [facet.key, ""])));
      left.setAttribute("role", "status");
      line.append(left, reset);
      box.appendChild(line);
      body.appendChild(box);
      const update = () => {
        for (const facet of facets) {
          const others = everyone.filter((f) => pass(f, facet.key));
          const options = [["", payload.words.any, others.length], ...facet.options.map(([value, name]) => [value, name, others.filter((f) => (f.p.tags[facet.key] || []).includes(value)).length])];
          boxes[facet.key].replaceChildren(...options.map(([value, name, count]) => {
            const option = el("option", "", name + " (" + count + ")");
            option.value = value;
            option.disabled = !count && value !== (chosen[facet.key] || "");
            return option;
          }));
          boxes[facet.key].value = chosen[facet.key] || "";
        }
        left.textContent = payload.words.left.replace("{n}", everyone.filter((f) => pass(f)).length).replace("{all}", everyone.length);
        reset.disabled = !Object.keys(chosen).length;
      };
      listeners.push(update);
      update();
    }
    return { pass: pass, panel: panel, set: set, get: () => Object.assign({}, chosen), keys: facets.map((facet) => facet.key), listen: (tell) => listeners.push(tell) };
  }

  function panel(map, payload, built, filters, onChange) {
    const closed = map.getSize().x < 640 || Boolean(payload.pinned) || Boolean(payload.list && map.getSize().x < 1000), box = el("div", "gc-card gc-panel" + (closed ? " gc-closed" : ""));
    const head = el("button", "", payload.words.layers), pinned = el("div", "gc-pinned"), body = el("div", "gc-body");
    head.type = "button";
    head.setAttribute("aria-expanded", String(!closed));
    head.onclick = () => head.setAttribute("aria-expanded", String(!box.classList.toggle("gc-closed")));
    const groups = new Map(), ticks = new Map(), follows = new Set(payload.layers.filter((one) => one.of && !one.legend).map((one) => one.key));
    if (!payload.list) filters.panel(body);
    payload.layers.forEach((layer, i) => {
      if (!layer.legend) { if (!follows.has(layer.key)) built[i].show(); return; }
      if (!groups.has(layer.group)) {
        const g = el("div", "gc-group");
        g.appendChild(el("h4", "", layer.group));
        groups.set(layer.group, g);
        (layer.group === payload.pinned ? pinned : body).appendChild(g);
      }
      const row = el("label", "gc-row"), tick = el("input");
      tick.type = "checkbox";
      tick.checked = layer.visible;
      tick.dataset.layer = layer.key;
      const counted = el("span", "gc-count", layer.count || ""), more = layer.classes ? classes(layer) : null;
      const group = [built[i], ...payload.layers.flatMap((one, at) => (one.of === layer.key && !one.legend ? [built[at]] : []))];
      const turn = () => { group.forEach((one) => (tick.checked ? one.show() : one.hide())); if (more) more.hidden = !tick.checked; onChange(); };
      tick.onchange = turn;
      ticks.set(layer.key, { layer: layer, tick: tick, turn: turn });
      row.append(tick, swatch(layer), el("span", "gc-name", layer.name), counted);
      groups.get(layer.group).appendChild(row);
      if (more) groups.get(layer.group).appendChild(more);
      if (layer.kind === "point") filters.listen(() => { counted.textContent = layer.features.filter((f) => filters.pass(f)).length; });
      if (layer.visible) group.forEach((one) => one.show());
    });
    (payload.unplaced || []).forEach((layer) => body.appendChild(unplaced(map, layer)));
    if (payload.matrix) body.prepend(groups.get(payload.layers.find((layer) => layer.kind === "point").group)); // what the colours say comes first
    (payload.notes || []).forEach((note) => body.appendChild(el("p", "gc-note", note)));
    box.append(head, pinned, body);
    control("topright", box).addTo(map);
    return { body: body, ticks: ticks };
  }

  /* What no source gives a place of, by name; a card each. */
  function unplaced(map, layer) {
    const box = el("details", "gc-group gc-unplaced"), list = el("ul");
    box.append(el("summary", "", layer.name + " " + layer.features.length), list);
    for (const f of layer.features) {
      const row = el("li"), button = el("button", "", f.p.title);
      button.type = "button";
      button.onclick = () => openCard(map, null, [{ layer: layer, f: f }]);
      row.appendChild(button);
      list.appendChild(row);
    }
    return box;
  }

  /* The classes of a shaded layer, and what its counts leave out. */
  function classes(layer) {
    const box = el("div", "gc-classes");
    layer.classes.forEach((least, i) => {
      const row = el("span", ""), next = layer.classes[i + 1], patch = el("i");
      patch.style.background = layer.colors[i];
      row.append(patch, next === undefined ? "≥ " + least : next - 1 > least ? least + "–" + (next - 1) : String(least));
      box.appendChild(row);
    });
    box.appendChild(el("p", "gc-note", layer.note));
    box.hidden = !layer.visible;
    return box;
  }

  /* What is seen, as the fragment of the page's address: a link restores it. In the app the page is the parent's. */
  function View(map, payload, parts) {
    const page = host();
    const { ticks, filters, tools } = parts;
    let card = "", timer = 0;
    function host() {
      if (window.parent === window) return window;
      try { return payload.link && window.parent.location.href ? window.parent : null; } catch (e) { return null; }
    }
    /* In the app a site or a firm has a sheet of its own, which opens beside the map. */
    if (page && payload.sheet) map.sheetOf = ({ layer, f }) => {
      if (!f.p.id || !/^(sites|factories|chain(-.*)?)$/.test(layer.key)) return [];
      const address = gc.inApp("sheet", { id: f.p.id, language: payload.lang.slice(0, 2) });
      return [Object.assign(el("a", "gc-open", payload.sheet), { href: address, target: "_blank", rel: "noopener" })];
    };
    function text() {
      const at = map.getCenter(), entries = [["at", [at.lat.toFixed(5), at.lng.toFixed(5), map.getZoom()].join(",")]];
      const flipped = [...ticks.values()].filter(({ layer, tick }) => tick.checked !== layer.visible);
      for (const [name, on] of [["on", true], ["off", false]]) {
        const keys = flipped.filter(({ tick }) => tick.checked === on).map(({ layer }) => layer.key);
        if (keys.length) entries.push([name, keys.join(",")]);
      }
      entries.push(...Object.entries(filters.get()));
      if (card) entries.push(["card", card]);
      if (tools.get()) entries.push(["drawn", tools.get()]);
      return new URLSearchParams(entries).toString().replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%3B/g, ";");
    }
    function write() {
      const state = text();
      try {
        sessionStorage.setItem("geo-cluster.view." + payload.link, state);
        page.history.replaceState(page.history.state, "", "#" + state);
      } catch (e) { /* a page from disk may refuse; the view is then not in its address */ }
    }
    function changed() {
      if (!page) return;
      clearTimeout(timer);
      timer = setTimeout(write, 120);
    }
    map.on("unload", () => clearTimeout(timer)); // a map that makes room for another has no view any more
    function read() {
      if (!page) return;
      let kept = page.location.hash.slice(1);
      try { kept = kept || (payload.link && sessionStorage.getItem("geo-cluster.view." + payload.link)) || ""; } catch (e) { /* no storage: the address alone */ }
      const given = new URLSearchParams(kept), at = (given.get("at") || "").split(",").map(Number);
      if (at.length === 3 && at.every(isFinite) && Math.abs(at[0]) < 85 && Math.abs(at[1]) <= 180) map.setView([at[0], at[1]], at[2], { animate: false });
      for (const [name, on] of [["on", true], ["off", false]]) for (const key of (given.get(name) || "").split(",")) {
        const row = ticks.get(key);
        if (row && row.tick.checked !== on) { row.tick.checked = on; row.turn(); }
      }
      filters.set(Object.fromEntries(filters.keys.map((key) => [key, given.get(key) || ""])));
      if (given.get("drawn")) tools.set(given.get("drawn"));
      const members = (given.get("card") || "").split(",").flatMap((ref) => {
        const [key, id] = ref.split(":"), named = [...payload.layers, ...(payload.unplaced || [])].filter((one) => one.key === key && Array.isArray(one.features));
        return named.flatMap((layer) => layer.features.filter((f) => f.p && f.p.id === id && !f.from).map((f) => ({ layer: layer, f: f })));
      });
      if (members.length) {
        const pan = map.getCenter(), zoom = map.getZoom();
        openCard(map, members[0].f.at, members);
        map.stop();
        map.setView(pan, zoom, { animate: false });
      }
    }
    function address() {
      const url = new URL(page.location.href);
      if (payload.link) url.searchParams.set("language", payload.lang.slice(0, 2));
      url.hash = text();
      return url.href;
    }
    function button(bar) {
      if (!page || page.location.protocol === "file:") return;
      const copy = el("button", "gc-link", payload.words.link);
      copy.type = "button";
      copy.onclick = () => gc.copy(address()).then(() => payload.words.copied, () => payload.words.refused).then((told) => {
        copy.textContent = told;
        setTimeout(() => { copy.textContent = payload.words.link; }, 2500);
      });
      copy.setAttribute("aria-live", "polite");
      bar.appendChild(copy);
    }
    map.on("moveend", changed);
    map.on("unload", () => { // a map that is taken away mid-move has no place left to ask for
      clearTimeout(timer);
      map._animatingZoom = false;
    });
    map.on("popupopen", (e) => { card = (e.popup.shows || []).join(","); changed(); });
    map.on("popupclose", () => { card = ""; changed(); });
    return { read: read, changed: changed, button: button };
  }

  /* To a feature, and its card; what has no place has only a card. */
  function flyTo(map, hit) {
    map.closePopup();
    if (!hit.f.at) return openCard(map, null, [hit]);
    const open = () => openCard(map, hit.f.at, [hit]), zoom = Math.max(map.getZoom(), 12);
    map.once("moveend", open);
    map.getZoom() === zoom && map.getCenter().distanceTo(hit.f.at) < 30 ? map.setView(hit.f.at, zoom, { animate: false }) : map.flyTo(hit.f.at, zoom, { duration: 0.8 });
  }

  function search(map, payload) {
    const box = el("div", "gc-card gc-search"), input = el("input"), found = el("ul", "gc-found");
    input.type = "search";
    input.placeholder = payload.words.search;
    input.setAttribute("aria-label", payload.words.search);
    box.setAttribute("role", "search");
    found.setAttribute("aria-live", "polite");
    const fold = (s) => s.toLowerCase().replace(/\s+/g, "");
    const known = [];
    for (const layer of [...payload.layers, ...(payload.unplaced || [])]) if (layer.search || !layer.kind) for (const f of layer.features) known.push({ text: fold([f.p.title, f.p.sub || "", f.p.find || ""].join(" ")), f: f, layer: layer });
    const fly = (hit) => {
      found.replaceChildren();
      input.value = hit.f.p.title;
      flyTo(map, hit);
    };
    const look = () => {
      const wanted = fold(input.value);
      found.replaceChildren();
      if (!wanted) return [];
      const hits = known.filter((k) => k.text.includes(wanted)).slice(0, 8);
      for (const hit of hits) {
        const row = el("li"), button = el("button", "", hit.f.p.title);
        button.type = "button";
        button.appendChild(el("small", "", hit.layer.name));
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
    box.append(input, found, places(map, payload));
    control("topleft", box).addTo(map);
  }

  function places(map, payload) {
    const box = el("div", "gc-places");
    for (const place of payload.places || []) {
      const button = el("button", "", place.name);
      button.type = "button";
      button.onclick = () => { map.closePopup(); map.flyToBounds(place.bounds, { duration: 0.7 }); };
      box.appendChild(button);
    }
    return box;
  }

  /* Leaflet's own attribution takes markup; this one takes text and unfolds. */
  function sources(map, payload) {
    const box = el("details", "gc-card gc-owed");
    const list = el("ul");
    payload.attribution.forEach((text) => list.appendChild(el("li", "", text)));
    box.append(el("summary", "", payload.words.sources), list);
    map.removeControl(map.attributionControl);
    control("bottomright", box).addTo(map);
    const online = el("li");
    return { base: (base) => { online.textContent = base ? base.attribution : ""; base ? list.prepend(online) : online.remove(); } };
  }

  /* Everything that the map is about, arcs included; a plan's clear of the cards, which are beside it or above it. */
  function fit(map, payload) {
    const extent = L.latLngBounds(payload.bounds);
    map.invalidateSize({ animate: false });
    for (const layer of payload.layers) if (layer.kind === "flow") for (const f of layer.features) arc(f.from, f.to).forEach((at) => extent.extend(at));
    if (!payload.pinned) return map.fitBounds(extent, { animate: false });
    const mark = 24, size = map.getSize(), [left, right, foot] = ["topleft", "topright", "bottomright"].map((corner) => map._controlCorners[corner]);
    const top = Math.min(Math.max(left.offsetHeight, right.offsetHeight), 0.4 * size.y), tools = map.zoomControl.getContainer().offsetWidth + 2 * mark;
    const beside = [[left.offsetWidth + mark, mark], [Math.max(right.offsetWidth, tools) + mark, 2 * mark]];
    const above = [[mark, top + mark], [tools, Math.min(foot.offsetHeight, 0.15 * size.y) + mark]];
    const zoom = ([a, b]) => map.getBoundsZoom(extent, false, L.point(a).add(b));
    const [a, b] = left.offsetWidth + right.offsetWidth < 0.7 * size.x && zoom(beside) > zoom(above) ? beside : above;
    map.fitBounds(extent, { animate: false, paddingTopLeft: a, paddingBottomRight: b });
  }

  Object.assign(gc, { el: el, svg: svg, control: control, swatch: swatch, brief: brief });

  /* What all maps have: their name, the scale, the sources, buttons that fly to places. */
  function dressed(map, payload) {
    const container = map.getContainer();
    container.classList.add("gc-map");
    container.setAttribute("aria-label", payload.words.map);
    document.documentElement.lang = payload.lang;
    container.setAttribute("role", "region");
    for (const key in payload.look || {}) container.style.setProperty("--gc-" + key, payload.look[key]);
    map.unsure = Unsure(map, (payload.look || {}).ring || "#6a5f86");
    map.zoomControl.setPosition("bottomright");
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    return sources(map, payload);
  }

  /* The map on which the app lays values; what it shows comes with each run of the page. */
  function drawSites(map, payload) {
    dressed(map, payload);
    const lines = L.canvas({ padding: 0.4 });
    control("topleft", places(map, payload)).addTo(map);
    gc.names(map);
    payload.layers.forEach((layer) => build(layer, map, null, lines, null, payload).show());
    fit(map, payload);
    gc.edges(map, payload);
    map.lay = gc.sites(map, payload);
    map.getContainer().dataset.ready = "true";
  }

  function draw(map, payload) {
    const container = map.getContainer(), owed = dressed(map, payload);
    const lines = L.canvas({ padding: 0.4 }), filters = Filters(payload), bubbles = Bubbles(map, lines, payload.words.comma);
    if (payload.title) {
      const title = el("div", "gc-card gc-title", payload.title.text);
      if (payload.title.sample) title.appendChild(el("span", "gc-sample", payload.title.sample));
      if (payload.title.sub) title.appendChild(el("small", "", payload.title.sub));
      control("topleft", title).addTo(map);
    }
    if (payload.list) {
      const list = gc.list(map, payload, filters, (hit) => flyTo(map, hit));
      if (payload.matrix) gc.matrix(map, payload, filters, list);
    }
    search(map, payload);
    const separate = gc.names(map);
    let view = { changed: () => {} };
    const built = payload.layers.map((layer) => build(layer, map, bubbles, lines, filters, payload));
    const onChange = () => { tools && tools.refresh(); view.changed(); };
    const shown = () => payload.layers.map((layer, i) => ({ layer: layer, features: layer.search && built[i].on() ? layer.features.filter((f) => filters.pass(f)) : [] }));
    let tools = null;
    const { body, ticks } = panel(map, payload, built, filters, onChange);
    tools = gc.tools(map, payload, shown, () => view.changed());
    filters.listen(() => { built.forEach((one) => one.filter && one.filter()); onChange(); });
    gc.tiles(map, payload, body, (base) => { built.forEach((one) => one.plain && one.plain(Boolean(base))); owed.base(base); });
    fit(map, payload);
    gc.print(map, payload, ticks, separate);
    gc.edges(map, payload);
    view = View(map, payload, { ticks: ticks, filters: filters, tools: tools });
    view.read();
    view.button(tools.bar);
    container.dataset.ready = "true";
  }

  /* Where uncertain places may lie, as one soft area: circles in a pane that is pale as a whole, so none darkens another. */
  function Unsure(map, color) {
    map.createPane("unsure").classList.add("gc-unsure-pane");
    const renderer = L.svg({ pane: "unsure" }), pointed = L.layerGroup().addTo(map);
    const circle = (at, radius) => L.circle(at, { radius: radius, pane: "unsure", renderer: renderer, interactive: false, stroke: false, fillColor: color, fillOpacity: 1 });
    const point = (features) => { pointed.clearLayers(); features.forEach((f) => f.at && f.p.within_m && pointed.addLayer(circle(f.at, f.p.within_m))); };
    map.on("popupclose", () => point([]));
    return { circle: circle, point: point };
  }

  /* A map that shows something already makes room for the next payload once it is there, not before. */
  function emptied(map) {
    const box = map.getContainer(), options = Object.assign({}, map.options, { crs: L.CRS.EPSG3857 });
    if (!box.dataset.ready) return map;
    map._animatingZoom = false; // Leaflet ends a zoom after a while, also on a map that is gone
    clearTimeout(map._sizeTimer); // and tells of a new size
    map.remove();
    document.querySelectorAll(".gc-side, .gc-matrix, .gc-edges").forEach((one) => one.remove());
    document.body.classList.remove("gc-atlas", "gc-with-matrix", "gc-side-away");
    delete box.dataset.ready;
    return (window.map = window.map_div = L.map(box, options)); // by these names streamlit-folium knows it
  }

  let wanted = "", drawn = "", standing = null, values = null;
  /* Draws a payload, or one that is fetched from an address; `laid` are values for a map of sites. */
  window.geoClusterMap = function (map, payload, laid) {
    if (typeof payload !== "string") return draw(map, payload);
    const address = payload.split("?")[0], before = wanted;
    values = laid;
    wanted = address;
    if (laid && drawn === address) return standing.lay(laid);
    if (laid && before === address) return undefined; // on its way
    return fetch(payload).then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.json(); }).then((p) => {
      if (wanted !== address) return;
      standing = emptied(map);
      drawn = address;
      p.sites ? drawSites(standing, p) : draw(standing, p);
      if (values) standing.lay(values);
    }).catch(() => {
      map.getContainer().textContent = "地图数据没有送到，请刷新页面。 / The map's data did not arrive; reload the page.";
    });
  };
})();
