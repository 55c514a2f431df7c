/* Firms and sites as a list beside the map: filtered with it, sorted; a row flies to its place, a card marks its row. On a
   phone the list is a sheet that rises from below. All of it happens in the browser. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});

  function entries(payload) {
    const drawn = (test) => payload.layers.filter(test).flatMap((layer) => layer.features.map((f) => ({ f: f, layer: layer })));
    const adrift = (payload.unplaced || []).flatMap((layer) => layer.features.map((f) => ({ f: f, layer: layer })));
    return { firms: [...drawn((layer) => layer.kind === "point"), ...adrift].filter(({ f }) => f.p.tags), sites: drawn((layer) => layer.kind === "site") };
  }

  gc.list = function (map, payload, filters, fly) {
    const { el } = gc, words = payload.words, all = entries(payload), colors = new Map((payload.matrix ? payload.matrix.rows : []).map((row) => [row.stage, row.color]));
    const facet = (key) => new Map((payload.filters.find((one) => one.key === key) || { options: [] }).options);
    const [stages, segments, cities] = ["stage", "segment", "city"].map(facet), short = (name) => (name || "").replace(/市$| City$/, "");
    const side = el("aside", "gc-side"), tabs = el("div", "gc-tabs"), fold = el("button", "gc-fold"), bodies = {}, buttons = {};
    const order = el("select"), rows = el("ul", "gc-rows"), form = el("div", "gc-list-form"), told = el("p", "gc-told-of");
    let open = "firms", marked = new Set();
    side.setAttribute("aria-label", words.list);
    tabs.setAttribute("role", "tablist");
    const about = {
      firms: ({ f }) => [short(cities.get((f.p.tags.city || [])[0])) || words.city_unknown, ...(f.p.tags.segment || []).map((one) => gc.brief(segments.get(one) || one))],
      sites: ({ f }) => [short(f.p.city_name), f.p.what],
    };
    const keys = {
      firms: { name: ({ f }) => f.p.title, city: (one) => about.firms(one)[0], stage: ({ f }) => String([...stages.keys()].indexOf((f.p.tags.stage || [])[0])) },
      sites: { name: ({ f }) => f.p.title, city: ({ f }) => f.p.city_name || "", stage: ({ f }) => f.p.what || "" },
    };
    const passing = () => (open === "firms" ? all.firms.filter(({ f }) => filters.pass(f)) : all.sites.filter(({ f }) => !filters.get().city || f.p.city === filters.get().city));

    function row(one) {
      const item = el("li"), button = el("button"), dot = el("i", open === "sites" ? "gc-site-dot" : one.f.at ? "" : "gc-none"), text = el("span");
      const color = open === "sites" ? one.layer.color : colors.get((one.f.p.tags.stage || [])[0]) || one.layer.color;
      dot.style.color = color;
      text.append(el("b", "", one.f.p.title), el("small", "", [...about[open](one).filter(Boolean), ...(one.f.at ? [] : [words.adrift])].join(" · ")));
      button.type = "button";
      button.append(dot, text);
      button.onclick = () => { if (narrow()) show(false); fly(one); };
      if (marked.has(one.f.p.id)) button.setAttribute("aria-current", "true");
      item.appendChild(button);
      return item;
    }
    function draw() {
      const shown = passing(), by = keys[open][order.value] || keys[open].name, total = all[open].length;
      const compare = new Intl.Collator(payload.lang).compare;
      const sorted = shown.map((one) => [by(one), one]).sort((a, b) => compare(a[0], b[0]) || compare(a[1].f.p.title, b[1].f.p.title));
      rows.replaceChildren(...sorted.map(([, one]) => row(one)));
      const adrift = shown.filter(({ f }) => !f.at).length;
      told.textContent = words.listed.replace("{n}", shown.length).replace("{all}", total) + (adrift ? words.listed_adrift.replace("{n}", adrift) : "");
      form.classList.toggle("gc-of-sites", open === "sites");
    }
    function mark(ids) {
      marked = new Set(ids);
      const which = ["firms", "sites"].find((kind) => all[kind].some(({ f }) => marked.has(f.p.id)));
      if (which && which !== open && open !== "matrix") turn(which);
      else draw();
      const first = rows.querySelector("[aria-current]");
      if (first) rows.scrollTop = Math.min(Math.max(rows.scrollTop, first.offsetTop + first.offsetHeight - rows.clientHeight), first.offsetTop - 6);
    }
    function turn(which) {
      open = which;
      for (const key in buttons) buttons[key].setAttribute("aria-selected", String(key === which));
      side.dataset.open = which;
      if (which !== "matrix") draw();
    }
    const narrow = () => window.innerWidth < 768;
    function show(up) {
      document.body.classList.toggle("gc-side-away", !up);
      fold.setAttribute("aria-expanded", String(up));
      fold.setAttribute("aria-label", words.list);
      map.invalidateSize({ pan: false });
    }
    for (const [key, name] of [["firms", words.firms + " " + all.firms.length], ["sites", words.sites_of + " " + all.sites.length], ["matrix", words.chain_of]]) {
      const tab = (buttons[key] = el("button", "gc-tab-" + key, name));
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.onclick = () => { turn(key); if (narrow()) show(true); };
      tabs.appendChild(tab);
    }
    for (const [key, name] of [["stage", words.by_stage], ["city", words.by_city], ["name", words.by_name]]) {
      const option = el("option", "", name);
      option.value = key;
      order.appendChild(option);
    }
    order.setAttribute("aria-label", words.order);
    order.onchange = draw;
    fold.type = "button";
    fold.onclick = () => show(document.body.classList.contains("gc-side-away"));
    filters.panel(form);
    const line = el("label", "gc-facet gc-order");
    line.append(el("span", "", words.order), order);
    form.appendChild(line);
    told.setAttribute("role", "status");
    bodies.list = el("div", "gc-list");
    bodies.list.append(form, told, rows);
    side.append(fold, tabs, bodies.list);
    document.body.append(side);
    document.body.classList.add("gc-atlas");
    show(!narrow() && !payload.pinned);
    turn("firms");
    filters.listen(() => draw());
    map.on("popupopen", (e) => mark((e.popup.shows || []).map((one) => one.split(":")[1])));
    map.on("popupclose", () => { marked = new Set(); rows.querySelectorAll("[aria-current]").forEach((one) => one.removeAttribute("aria-current")); });
    return { side: side, turn: turn };
  };
})();
