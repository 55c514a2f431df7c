/* The chain matrix beside the map: stages and their segments by city, gaps marked. A cell filters the map, moves to who is
   in it and names them; a gap leads to who could come. */
(function () {
  "use strict";
  const gc = (window.geoCluster = window.geoCluster || {});
  const WIDE = "(min-width: 1280px)";

  gc.matrix = function (map, payload, filters, list) {
    const { el } = gc, words = payload.words, matrix = payload.matrix, box = el("section", "gc-matrix"), grid = el("table"), names = el("p", "gc-names");
    const known = new Map(gc.everyone(payload).map((f) => [f.p.id, f])), buttons = [];
    const head = el("tr"), top = el("thead"), body = el("tbody");
    grid.appendChild(el("caption", "", matrix.title));
    head.appendChild(el("td"));
    for (const city of matrix.cities) {
      const th = el("th", "", city.name);
      th.scope = "col";
      head.appendChild(th);
    }
    top.appendChild(head);

    /* To those of a cell that have a place, or to the city. */
    function move(ids, city) {
      const at = ids.map((id) => known.get(id)).filter((f) => f && f.at).map((f) => f.at), place = (payload.places || []).find((one) => one.key === city);
      const to = at.length ? L.latLngBounds(at).pad(0.25) : place && place.bounds;
      map.closePopup();
      if (to) map.flyToBounds(to, { maxZoom: 12, duration: 0.6 });
    }
    function gap(row, city) {
      const link = el(matrix.leads && row.link ? "a" : "button", "gc-gap", row.segment ? "＋" : words.gap);
      link.title = matrix.note;
      link.setAttribute("aria-label", row.name + " · " + city.name + " " + words.gap);
      if (link.tagName === "A") {
        Object.assign(link, { target: "_blank", rel: "noopener", href: gc.inApp("delivery", { part: "chain", link: row.link, language: payload.lang.slice(0, 2) }) });
      } else {
        link.type = "button";
        link.onclick = () => move([], city.key);
      }
      return link;
    }
    for (const [at, row] of matrix.rows.entries()) {
      const line = el("tr", row.segment ? "gc-fine" : "gc-stage"), th = el("th");
      th.scope = "row";
      if (!row.segment) {
        const patch = el("i");
        patch.style.background = row.color;
        th.appendChild(patch);
      }
      th.append(gc.brief(row.name));
      th.title = row.name;
      line.appendChild(th);
      for (const [column, city] of matrix.cities.entries()) {
        const ids = matrix.cells[at][column], td = el("td");
        if (!ids.length && city.key) td.appendChild(gap(row, city));
        else if (!city.key) td.append(el("span", "", ids.length || ""));
        else {
          const button = el("button"), wanted = { stage: row.stage, segment: row.segment || "", city: city.key };
          button.type = "button";
          button.onclick = () => {
            const now = filters.get(), same = Object.keys(wanted).every((key) => (now[key] || "") === wanted[key]);
            if (list.side.dataset.open === "sites") list.turn("firms");
            filters.set(same ? { stage: "", segment: "", city: "" } : wanted);
            if (!same) move(ids, city.key);
          };
          buttons.push({ button: button, ids: ids, row: row, city: city, wanted: wanted });
          td.appendChild(button);
        }
        line.appendChild(td);
      }
      body.appendChild(line);
    }
    grid.append(top, body);
    names.setAttribute("role", "status");
    box.append(grid, names, el("p", "gc-note", matrix.note));

    /* In a column of its own where the window is wide, else behind the list's third tab. */
    const wide = window.matchMedia(payload.pinned ? "not all" : WIDE), place = () => {
      document.body.classList.toggle("gc-with-matrix", wide.matches);
      (wide.matches ? document.body : list.side).appendChild(box);
      if (wide.matches && list.side.dataset.open === "matrix") list.turn("firms");
      map.invalidateSize({ pan: false });
    };
    wide.addEventListener("change", place);
    place();
    const update = () => {
      const now = filters.get();
      names.textContent = "";
      for (const { button, ids, row, city, wanted } of buttons) {
        const pass = ids.filter((id) => filters.pass(known.get(id), "stage", "segment", "city"));
        const chosen = Object.keys(wanted).every((key) => (now[key] || "") === wanted[key]);
        button.textContent = pass.length;
        button.disabled = !pass.length;
        button.title = pass.map((id) => known.get(id).p.title).join(words.comma);
        button.setAttribute("aria-pressed", String(chosen));
        button.setAttribute("aria-label", row.name + " · " + city.name + " " + pass.length);
        if (chosen) names.textContent = row.name + " · " + city.name + words.colon + button.title;
      }
    };
    filters.listen(update);
    update();
  };
})();
