/* Measuring a distance, drawing an area and listing what lies inside; by mouse, touch or keyboard. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const MU_PER_HA = 15, INK = "#b4541a";
  const LARGE_HA = 1000; // from here areas are told in square kilometres
  const DRAG = 8; // pixels from which a press is no click
  const WAY = 300; // corners of an area drawn in one go, at most: they stand in the link

  const number = (x, digits) => x.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const metres = (m) => (m < 1000 ? number(m, 0) + " m" : number(m / 1000, m < 100000 ? 2 : 1) + " km");
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  /* What a spreadsheet would take for a formula gets an apostrophe, as in geo_cluster/world/spreadsheet.py; numbers stay numbers. */
  const CELL = /(?:^|(?<=[;\t\r\n]))([\s\p{Cc}\p{Cf}\p{Z}\ufe00-\ufe0f']*)([=+\-@⁺⁻⁼₊₋₌−⩵⩶﬩﹢﹣﹦﹫＋－＝＠]?)/gu;
  const guarded = (all, blank, lead, at) => lead ? "'" + blank.replace(/[\t\r\n]/g, "$&'") + lead : at === 0 && /^'*[\t\r\n]/.test(blank) ? "'" + blank : all;
  const cell = gc.cell = (value) => '"' + (typeof value === "number" ? String(value) : String(value).replace(CELL, guarded)).replace(/"/g, '""') + '"';

  function shapeOf(kind, points) {
    if (kind === "rectangle" && points.length > 1) {
      const [a, b] = points;
      return [a, { lat: a.lat, lng: b.lng }, b, { lat: b.lat, lng: a.lng }];
    }
    if (kind === "circle" && points.length > 1) return gc.geodesy.circle(points[0], gc.geodesy.distance(points[0], points[1]));
    return points;
  }

  /* What of the shown layers lies in a ring: surely, or only perhaps because the position is that uncertain. */
  function within(ring, shown) {
    return shown.map(({ layer, features }) => {
      const found = [];
      for (const f of features) {
        const off = gc.geodesy.toEdge({ lat: f.at[0], lng: f.at[1] }, ring), radius = f.p.within_m || 0;
        if (off < radius) found.push({ f: f, sure: off <= -radius });
      }
      return { layer: layer, found: found };
    }).filter((part) => part.found.length);
  }

  gc.copy = function (text) {
    const old = () => {
      const area = gc.el("textarea");
      area.value = text;
      document.body.appendChild(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done ? Promise.resolve() : Promise.reject(new Error("copy"));
    };
    return navigator.clipboard && window.isSecureContext ? navigator.clipboard.writeText(text).catch(old) : old();
  };

  gc.tools = function (map, payload, shown, onChange) {
    const { el, control } = gc, words = payload.words, container = map.getContainer();
    const bar = el("div", "gc-card gc-tools"), told = el("div", "gc-card gc-told"), cross = el("div", "gc-cross");
    const drawn = L.layerGroup().addTo(map);
    const ink = { color: INK, weight: 2.2, fillColor: INK, fillOpacity: 0.08, interactive: false };
    let kind = "", points = [], hover = null, drawing = false;
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", words.tools);
    told.hidden = cross.hidden = true;
    cross.setAttribute("aria-hidden", "true");
    const ends = () => (kind === "rectangle" || kind === "circle" ? 2 : Infinity);
    const least = () => (kind === "polygon" ? 3 : 2);

    function sketch(way) {
      drawn.clearLayers();
      const all = way || (drawing && hover && points.length ? [...points, hover] : points), shape = shapeOf(kind, all).map((p) => [p.lat, p.lng]);
      if (kind === "distance" || shape.length < 3) drawn.addLayer(L.polyline(shape, ink));
      else drawn.addLayer(L.polygon(shape, ink));
      for (const p of points) drawn.addLayer(L.circleMarker([p.lat, p.lng], { radius: 3.5, color: INK, fillColor: "#fff", fillOpacity: 1, weight: 2, interactive: false }));
    }
    function measured() {
      const shape = shapeOf(kind, points), g = gc.geodesy;
      if (kind === "distance") return words.length + " " + metres(g.length(points));
      if (shape.length < 3) return "";
      const ha = g.area(shape) / 1e4, around = g.length([...shape, shape[0]]);
      const radius = kind === "circle" ? words.radius + " " + metres(g.distance(points[0], points[1])) + " · " : "";
      return radius + filled(ha < LARGE_HA ? words.area : words.area_large, { km2: number(ha / 100, ha < 1e4 ? 1 : 0), ha: number(ha, ha < 100 ? 2 : 0), mu: number(ha * MU_PER_HA, ha < 10 ? 1 : 0), around: metres(around) });
    }
    function table(parts) {
      const head = words.csv.split("|"), rows = [];
      for (const { layer, found } of parts) for (const { f, sure } of found) rows.push([layer.name, f.p.id || "", f.p.title, f.at[0], f.at[1], f.p.within_m || "", sure ? words.inside : words.perhaps]);
      return "\ufeff" + [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
    }
    function action(text, run) {
      const button = el("button", "", text);
      button.type = "button";
      button.onclick = () => run(button);
      return button;
    }
    function report() {
      told.replaceChildren();
      told.hidden = !kind;
      if (!kind) return;
      const line = el("p", "gc-result", drawing ? (points.length ? measured() || words.more : words["how_" + kind]) : measured());
      line.setAttribute("role", "status");
      told.appendChild(line);
      const acts = el("div", "gc-acts");
      if (drawing) {
        told.appendChild(el("p", "gc-note", words.keys));
        if (points.length >= least()) acts.appendChild(action(words.finish, finish));
      } else if (kind !== "distance") {
        const parts = within(shapeOf(kind, points), shown()), list = el("div", "gc-inside");
        list.tabIndex = 0;
        list.setAttribute("role", "region");
        list.setAttribute("aria-label", words.inside);
        const total = parts.reduce((sum, part) => sum + part.found.length, 0), unsure = parts.reduce((sum, part) => sum + part.found.filter((one) => !one.sure).length, 0);
        told.appendChild(el("p", "gc-count-line", total ? filled(words.found, { n: total, unsure: unsure }) : words.empty));
        for (const { layer, found } of parts) {
          list.appendChild(el("h4", "", layer.name + " " + found.length));
          const names = el("ul");
          for (const { f, sure } of found) names.appendChild(el("li", sure ? "" : "gc-unsure", f.p.title + (sure ? "" : " · " + words.perhaps)));
          list.appendChild(names);
        }
        if (total) {
          told.appendChild(list);
          acts.appendChild(action(words.copy, (b) => gc.copy(table(parts)).then(() => { b.textContent = words.copied; })));
          acts.appendChild(action(words.save, () => {
            const link = el("a");
            link.href = URL.createObjectURL(new Blob([table(parts)], { type: "text/csv;charset=utf-8" }));
            link.download = "inside.csv";
            link.click();
            setTimeout(() => URL.revokeObjectURL(link.href), 10000);
          }));
        }
      }
      acts.appendChild(action(words.clear, clear));
      told.appendChild(acts);
    }
    /* An area may be drawn in one go, from press to release; once a first point is set, a drag moves the map. */
    const inOneGo = () => drawing && kind !== "distance" && !points.length;
    function hold() { map.dragging[inOneGo() ? "disable" : "enable"](); }
    function state(on) {
      drawing = on;
      hold();
      container.classList.toggle("gc-drawing", on);
      map.doubleClickZoom[on ? "disable" : "enable"]();
      if (!on) { cross.hidden = true; hover = null; }
      bar.querySelectorAll("[data-tool]").forEach((button) => button.setAttribute("aria-pressed", String(on && button.dataset.tool === kind)));
    }
    function start(which, byKeyboard) {
      kind = which;
      points = [];
      state(true);
      map.closePopup();
      sketch();
      report();
      cross.hidden = !byKeyboard;
      if (byKeyboard) container.focus({ preventScroll: true });
      onChange();
    }
    function add(at) {
      points.push({ lat: Number(at.lat.toFixed(5)), lng: Number(at.lng.toFixed(5)) });
      if (points.length >= ends()) return finish();
      hold();
      sketch();
      report();
    }
    let pressed = null, trail = []; // where the pointer went down, and its way since, in pixels of the map's window
    const where = (e) => map.mouseEventToContainerPoint(e);
    function press(e) {
      pressed = inOneGo() && e.isPrimary && !e.button && !e.target.closest(".leaflet-control") ? where(e) : null;
      trail = pressed ? [pressed] : [];
    }
    function drag(e) {
      if (!pressed || !e.isPrimary || (trail.length < 2 && where(e).distanceTo(pressed) < DRAG)) return;
      trail.push(where(e));
      cross.hidden = true;
      const way = (ends() === 2 ? [pressed, trail.at(-1)] : L.LineUtil.simplify(trail, 3)).map((p) => map.containerPointToLatLng(p));
      sketch(way);
      return way;
    }
    function release(e) {
      const way = drag(e);
      pressed = null;
      if (!way || e.type === "pointercancel") return sketch();
      way.slice(0, WAY).forEach(add);
      if (drawing) finish();
    }
    function finish() {
      if (points.length < least()) return clear();
      state(false);
      sketch();
      report();
      onChange();
    }
    function clear() {
      kind = "";
      points = [];
      state(false);
      drawn.clearLayers();
      report();
      onChange();
    }
    container.addEventListener("pointerdown", press);
    window.addEventListener("pointermove", drag);
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);
    map.on("click", (e) => { if (drawing) { cross.hidden = true; const last = points[points.length - 1]; if (!last || map.latLngToContainerPoint(last).distanceTo(e.containerPoint) > 4) add(e.latlng); } });
    map.on("dblclick", () => { if (drawing) finish(); });
    map.on("mousemove", (e) => { if (drawing) { hover = e.latlng; sketch(); } });
    map.on("move", () => { if (drawing && !cross.hidden) { hover = map.getCenter(); sketch(); } });
    container.addEventListener("keydown", (e) => {
      if (e.key === "Escape" && kind) { clear(); e.stopPropagation(); return; }
      if (!drawing || e.target !== container) return;
      if (e.key === "Enter" || e.key === " ") {
        e.preventDefault();
        cross.hidden = false;
        const at = map.getCenter(), last = points[points.length - 1];
        last && map.latLngToContainerPoint(last).distanceTo(map.latLngToContainerPoint(at)) < 4 ? finish() : add(at);
      } else if (e.key === "Backspace") { e.preventDefault(); points.pop(); hold(); sketch(); report(); }
    });
    for (const tool of ["distance", "polygon", "rectangle", "circle"]) {
      const button = el("button", "", words[tool]);
      button.type = "button";
      button.dataset.tool = tool;
      button.setAttribute("aria-pressed", "false");
      button.onclick = (e) => (drawing && kind === tool ? clear() : start(tool, e.detail === 0));
      bar.appendChild(button);
    }
    container.appendChild(cross);
    const box = el("div", "gc-toolbox");
    box.append(told, bar);
    control("bottomleft", box).addTo(map);
    return {
      bar: bar,
      refresh: () => { if (kind && !drawing) report(); },
      get: () => (kind && !drawing ? kind + ":" + points.map((p) => p.lat + "," + p.lng).join(";") : ""),
      set: (text) => {
        const [which, list] = String(text).split(":");
        const given = (list || "").split(";").map((pair) => pair.split(",").map(Number)).filter((pair) => pair.length === 2 && pair.every(isFinite)).slice(0, 500);
        if (!["distance", "polygon", "rectangle", "circle"].includes(which) || given.length < 2) return;
        kind = which;
        points = given.map(([lat, lng]) => ({ lat: lat, lng: lng }));
        finish();
      },
    };
  };
})();
