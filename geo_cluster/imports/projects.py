"""A portfolio of the planner's own, checked by `portfolio.checked`."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.errors import Fault, InputError, row_of
from geo_cluster.imports.checked import Checked, ImportContext
from geo_cluster.imports.headings import Rows, recognise
from geo_cluster.world import portfolio
from geo_cluster.world.sheets.table import Table


def check_projects(table: Table | pd.DataFrame, context: ImportContext) -> Checked:
    """Check a table of projects; the preview is that of `portfolio.checked`, the file `projects.csv`.

    Further columns of the table are carried along in the file.
    """
    rows = recognise(table, context)
    if rows.halted or rows.text.empty:
        if not rows.faults and not rows.notes:
            rows.faults.append(Fault("imports.no_project", context.name))
        return rows.checked()
    again(rows)
    try:
        preview = portfolio.checked(rows.understood)
    except InputError as refusal:
        rows.faults.extend(fault for fault in refusal.faults if fault not in list(rows.faults))
        return rows.checked()
    if rows.faults:
        return rows.checked()
    is_stated = preview[[f"{need}_given" for need in portfolio.needs()]].to_numpy()
    stated, estimated = int(is_stated.sum()), int((~is_stated).sum())
    rows.notes.append(
        Text(
            zh=f"{len(preview)} 个项目；{stated} 个需求数为填报值，{estimated} 个按细分环节估算。",
            en=f"{len(preview)} projects; {stated} needs are given, {estimated} estimated by segment.",
        )
    )
    for odd in portfolio.warnings(preview):
        zh, en = (odd.words(language) for language in LANGUAGES)
        rows.notes.append(Text(zh=f"请核对：{zh}。", en=f"To be checked: {en}."))
    files = {"projects.csv": portfolio.write_text(portfolio.as_text(rows.understood))}
    return rows.checked(preview=preview.reset_index(), files=files, source=context.name)


def again(rows: Rows) -> None:
    """A fault for every project that stands there twice, word for word but for its id."""
    said = rows.text.drop(columns=["id", "notes"])
    first: dict[tuple[str, ...], int] = {}
    for row, cells in zip(said.index, said.itertuples(index=False, name=None), strict=True):
        earlier = first.setdefault(cells, int(row))
        if earlier != row and any(cells) and rows.text.loc[row, "name"]:
            rows.faults.append(Fault("imports.same_project", rows.at(row, "name"), earlier=row_of(earlier)))
