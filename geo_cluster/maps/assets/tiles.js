/* Online base maps: off until somebody switches one on. A key stays in this browser's storage: it is in no link, page or
   export. Tiles in GCJ-02 get a map projection that shifts: data, clicks and links remain WGS 84. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const GIVE_UP = 3; // so many failed tiles without a single good one: there is no way to the server

  function shifted() {
    const plain = L.CRS.EPSG3857.projection, { toGcj, fromGcj } = gc.geodesy;
    const projection = Object.assign({}, plain, {
      project: (p) => { const to = toGcj(p.lat, p.lng); return plain.project(L.latLng(to.lat, to.lng)); },
      unproject: (xy) => { const p = plain.unproject(xy), home = fromGcj(p.lat, p.lng); return L.latLng(home.lat, home.lng); },
    });
    return L.extend({}, L.CRS.EPSG3857, { code: "GCJ02:3857", projection: projection });
  }

  const store = {
    get: (name) => { try { return localStorage.getItem("geo-cluster." + name) || ""; } catch (e) { return ""; } },
    set: (name, value) => { try { value ? localStorage.setItem("geo-cluster." + name, value) : localStorage.removeItem("geo-cluster." + name); } catch (e) { /* private window: for this visit only */ } },
  };

  gc.tiles = function (map, payload, body, onChange) {
    if (!(payload.basemaps || []).length) return;
    const { el } = gc, words = payload.words, group = el("div", "gc-group gc-tiles"), told = el("p", "gc-note");
    group.appendChild(el("h4", "", words.online));
    told.setAttribute("role", "status");
    const key = el("input");
    key.type = "password";
    key.autocomplete = "off";
    key.placeholder = words.key;
    key.setAttribute("aria-label", words.key);
    key.value = store.get("tianditu");
    key.hidden = true;
    const systems = { wgs84: L.CRS.EPSG3857, gcj02: shifted() };
    let now = [], chosen = null;

    function tell(text) { told.textContent = text; }
    function off() {
      now.forEach((layer) => layer.remove());
      now = [];
    }
    function turn(base) {
      off();
      chosen = base;
      key.hidden = !(base && base.key);
      const crs = systems[base ? base.system : "wgs84"];
      if (map.options.crs !== crs) {
        const at = map.getCenter(), zoom = map.getZoom();
        map.options.crs = crs;
        map._resetView(at, zoom, true);
      }
      map.getContainer().dataset.basemap = base ? base.id : "";
      onChange(base);
      tell("");
      if (!base) return;
      if (base.key && !key.value.trim()) return tell(words.needsKey);
      let good = 0, bad = 0;
      for (const url of base.urls) {
        const layer = L.tileLayer(url, { subdomains: base.subdomains || "abc", maxZoom: base.maxZoom || 18, key: encodeURIComponent(key.value.trim()), zIndex: 0, className: "gc-tile" });
        layer.on("tileload", () => { good += 1; });
        layer.on("tileerror", () => {
          bad += 1;
          if (good || bad < GIVE_UP || chosen !== base) return;
          turn(null);
          group.querySelector("input[value='']").checked = true;
          tell(words.unreachable);
        });
        now.push(layer.addTo(map));
      }
    }
    for (const base of [null, ...payload.basemaps]) {
      const row = el("label", "gc-row"), pick = el("input");
      pick.type = "radio";
      pick.name = "gc-basemap";
      pick.value = base ? base.id : "";
      pick.checked = !base;
      pick.onchange = () => turn(base);
      row.append(pick, el("span", "gc-name", base ? base.name : words.offline));
      group.appendChild(row);
    }
    key.onchange = () => { store.set("tianditu", key.value.trim()); turn(chosen); };
    group.append(key, told);
    body.appendChild(group);
  };
})();
