/* The chain matrix below the map: stage by city, gaps marked; a cell filters the map and names who is in it. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});

  gc.matrix = function (map, payload, filters) {
    const { el } = gc, words = payload.words, matrix = payload.matrix, box = el("section", "gc-matrix"), grid = el("table"), names = el("p", "gc-names");
    const known = new Map(payload.layers.flatMap((layer) => (layer.kind === "point" ? layer.features.map((f) => [f.p.id, f]) : [])));
    for (const id in matrix.unplaced) known.set(id, { p: { tags: matrix.unplaced[id] } }); // counted too, though on no map
    const head = el("tr"), buttons = [];
    map.getContainer().classList.add("gc-above");
    grid.appendChild(el("caption", "", matrix.title));
    head.appendChild(el("td"));
    for (const city of matrix.cities) {
      const th = el("th", "", city.name);
      th.scope = "col";
      head.appendChild(th);
    }
    const top = el("thead"), rows = el("tbody");
    top.appendChild(head);
    for (const stage of matrix.stages) {
      const row = el("tr"), th = el("th"), patch = el("i");
      th.scope = "row";
      patch.style.background = stage.color;
      th.append(patch, stage.name);
      row.appendChild(th);
      for (const city of matrix.cities) {
        const cell = matrix.cells.find((one) => one.stage === stage.key && one.city === city.key), td = el("td");
        if (cell.gap) {
          td.className = "gc-gap";
          td.textContent = words.gap;
          td.title = matrix.note;
        } else {
          const button = el("button");
          button.type = "button";
          button.title = cell.names.join(words.comma);
          button.onclick = () => {
            const now = filters.get(), same = now.stage === stage.key && now.city === city.key;
            filters.set({ stage: same ? "" : stage.key, city: same ? "" : city.key });
          };
          buttons.push({ button: button, cell: cell, stage: stage, city: city });
          td.appendChild(button);
        }
        row.appendChild(td);
      }
      rows.appendChild(row);
    }
    grid.append(top, rows);
    names.setAttribute("role", "status");
    box.append(grid, names, el("p", "gc-note", matrix.note));
    document.body.appendChild(box);
    map.invalidateSize();
    const update = () => {
      const now = filters.get();
      names.textContent = "";
      for (const { button, cell, stage, city } of buttons) {
        const pass = cell.ids.filter((id) => filters.pass(known.get(id), "stage", "city"));
        button.textContent = pass.length;
        button.disabled = !pass.length;
        const chosen = now.stage === stage.key && now.city === city.key;
        button.setAttribute("aria-pressed", String(chosen));
        button.setAttribute("aria-label", stage.name + " · " + city.name + " " + pass.length);
        if (chosen) names.textContent = stage.name + " · " + city.name + words.colon + cell.names.filter((_, i) => pass.includes(cell.ids[i])).join(words.comma);
      }
    };
    filters.listen(update);
    update();
  };
})();
