"""Tables of our own making, or as exact as those: text under the headings, and nothing guessed, shifted or left out.

Tables as people write them are what `world.sheets` reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo_cluster.box import door
from geo_cluster.box.limits import limits
from geo_cluster.errors import Fault, Faults, InputError, place, refuse_if
from geo_cluster.world import spreadsheet


def read(content: bytes, name: str) -> pd.DataFrame:
    """Read the first sheet in sight of a file as text; see `box.door.sheets` for what is read.

    Returns
    -------
    DataFrame
        Text; columns are the headings as they came, the index is the row in the file, blank rows are left out. The
        heading row is the first with two cells or more that are not empty, so that a title above it does no harm. The
        apostrophes of `spreadsheet` are taken away again.

    Raises
    ------
    InputError
        For a file that is too big or no table, for every row with more cells than headings (which heading such a cell
        is under, nobody can tell), and for every cell of a sheet that holds a formula nobody worked out or an error
        such as #REF!.
    """
    sheets = door.sheets(content, name)
    found = next((one for one in sheets if one.rows and not one.hidden), sheets[0])
    top = next((k for k, (_, row) in enumerate(found.rows) if sum(cell != "" for cell in row) >= 2), None)
    if top is None:
        raise InputError(Fault("world.no_headings", name))
    headings = [heading or f"#{k}" for k, heading in enumerate(found.rows[top][1], start=1)]
    width, body = len(headings), found.rows[top + 1 :]
    faults = _odd_cells(found.odd, name, headings)
    faults += (Fault("world.more_cells_than_headings", place(name, number)) for number, row in body if len(row) > width)
    refuse_if(faults)
    limits().refuse(name, "cells", len(body) * width, "box.too_many_cells_with_empty")
    cells = [row + [""] * (width - len(row)) for _, row in body]
    return spreadsheet.bared(pd.DataFrame(cells, columns=headings, index=[number for number, _ in body], dtype=object))


def _odd_cells(odd: Sequence[tuple[int, int, str, str]], name: str, headings: Sequence[str]) -> Faults:
    """A fault for every cell that doesn't hold what it shows."""
    faults = Faults()
    for row, column, kind, shown in odd:
        heading = headings[column - 1] if column <= len(headings) else f"#{column}"
        at = place(name, row, heading)
        faults.append(
            Fault("world.formula_without_value", at)
            if kind == "unsaved"
            else Fault("world.spreadsheet_error", at, value=shown)
        )
    return faults
