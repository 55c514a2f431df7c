"""A portfolio of the planner's own, checked by `portfolio.check`."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, place
from geo_cluster.imports.files import Checked, keyed
from geo_cluster.world import portfolio, spreadsheet


def check_projects(table: pd.DataFrame, *, name: str, sha256: str = "") -> Checked:
    """Check a table of projects; the preview is that of `portfolio.check`, the file `projects.csv`."""
    text, headings, faults, notes = keyed(table, "projects", name)
    if faults or text.empty:
        if not faults and not notes:
            faults.append(Fault(name, "has no project", "add at least one row with segment and output"))
        return Checked("projects", name, sha256, table, tuple(faults), tuple(notes))
    own = [key for key in portfolio.COLUMNS if key in headings]
    rows = text[own].rename(columns=portfolio.COLUMNS)
    try:
        preview = portfolio.check(rows.reset_index(drop=True), where=name)
    except InputError as refusal:
        moved = [_moved(fault, name, text.index, headings) for fault in refusal.faults]
        return Checked("projects", name, sha256, table, tuple(moved), tuple(notes))
    given = int(preview[[f"{need}_given" for need in portfolio.NEEDS]].to_numpy().sum())
    notes.append(
        Text(
            zh=f"{len(preview)} 个项目；{given} 个需求数是给出的，{3 * len(preview) - given} 个按环节估算。",
            en=f"{len(preview)} projects; {given} needs are given, {3 * len(preview) - given} estimated by segment.",
        )
    )
    content = spreadsheet.as_csv(rows)
    return Checked(
        "projects",
        name,
        sha256,
        table,
        (),
        tuple(notes),
        preview=preview.reset_index(),
        files={"projects.csv": content},
        source=name,
    )


def _moved(fault: Fault, name: str, rows: pd.Index, headings: dict[str, str]) -> Fault:
    """The fault at its row and heading in the file: blank rows and headings of one's own are counted."""
    if not fault.row:
        return fault
    key = {title: key for key, title in portfolio.COLUMNS.items()}.get(fault.column, "")
    here = place(name, int(rows[fault.row - 2]), headings.get(key, fault.column))
    return Fault(here, fault.what, fault.remedy)
