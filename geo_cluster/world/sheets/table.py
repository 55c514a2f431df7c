"""From a file to one table: the sheet that holds it, its headings and rows, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from geo_cluster.box import door
from geo_cluster.box.limits import limits
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults, InputError, Place, place, refuse_if
from geo_cluster.world.sheets import layout
from geo_cluster.world.spreadsheet import bared

MOST_NAMED = 12
"""Rows that a note names; of more it says how many."""

_DROPPED = {
    "total": Text(zh="合计行", en="totals"),
    "note": Text(zh="说明行", en="notes"),
    "repeated": Text(zh="重复的表头", en="headings again"),
    "numbering": Text(zh="列号行", en="column numbers"),
}


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it came, headings found.

    Attributes
    ----------
    frame : DataFrame
        Text; columns are the headings as they came, the index is the row in the file.
    name, sheet : str
        Of the file and of the sheet.
    sheets : tuple of str
        Every sheet of the file that has rows.
    notes : tuple of Text
        What was left out, and what is hidden.
    odd : mapping of Fault
        By row and position of the column: formulas without a value, errors. They count where a cell is read.
    filled : set of (int, int)
        Row and position of cells that stand for a merged one above.
    units : tuple of str
        That a line above the table states for all of it.
    score : int
        How many headings are known.
    """

    frame: pd.DataFrame
    name: Place | str
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    odd: Mapping[tuple[int, int], Fault] = field(default_factory=dict)
    filled: frozenset[tuple[int, int]] = frozenset()
    units: tuple[str, ...] = ()
    score: int = 0

    def place(self, row: int = 0, heading: str = "") -> Place:
        """A row and column of it."""
        here = place(self.name, row, heading)
        return replace(here, sheet=self.sheet) if len(self.sheets) > 1 else here


def read(content: bytes, name: str, is_known: Callable[[str], bool], *, sheet: str = "") -> Table:
    """Read the best sheet of a file: the first in sight that has most known headings, or the one that is named.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    is_known : callable
        Whether a text is a heading of what is looked for.
    sheet : str
        Name of a sheet; '' for the best.

    Raises
    ------
    InputError
        It is no table, has no sheet of that name or no heading row, is too large, or rows have cells under no heading.
    """
    found = [one for one in door.sheets(content, name) if one.rows]
    if not found:
        raise InputError(Fault("sheets.no_headings", name))
    names = tuple(one.name for one in found)
    if sheet and sheet not in names:
        raise InputError(Fault("sheets.no_such_sheet", Place(name, sheet=sheet), known=list(names)))
    looked = [one for one in found if one.name == sheet] if sheet else [one for one in found if not one.hidden] or found
    layouts = [(one, layout.of_sheet(one, is_known)) for one in looked]
    headed = [(one, laid) for one, laid in layouts if laid is not None]
    if not headed:
        raise InputError(Fault("sheets.no_headings", name))
    best, laid = max(headed, key=lambda one: (min(one[1].score, 3), bool(one[1].rows)))
    alike = [one.name for one, other in headed if one is not best and other.score >= max(2, laid.score) and other.rows]
    return _table(best, laid, name, list(found), alike)


def _table(best: door.Sheet, laid: layout.Layout, name: str, found: Sequence[door.Sheet], alike: list[str]) -> Table:
    sheet_name = best.name if len(found) > 1 else ""
    width = len(laid.headings)
    faults = Faults()
    for number, row in laid.rows:
        if any(row[width:]):
            faults.append(Fault("world.more_cells_than_headings", Place(name, sheet=sheet_name, row=number)))
    refuse_if(faults)
    limits().refuse(name, "cells", len(laid.rows) * width, "box.too_many_cells_with_empty")
    cells = [(row + [""] * (width - len(row)))[:width] for _, row in laid.rows]
    frame = bared(pd.DataFrame(cells, columns=laid.headings, index=[number for number, _ in laid.rows], dtype=object))
    odd = {}
    for at_row, column, kind, shown in best.odd:
        at = Place(
            name, sheet=sheet_name, row=at_row, column=laid.headings[column - 1] if column <= width else f"#{column}"
        )
        fault = Fault("world.formula_without_value", at) if kind == "unsaved" else None
        odd[at_row, column - 1] = fault or Fault("world.spreadsheet_error", at, value=shown)
    return Table(
        frame, name, best.name, tuple(one.name for one in found), tuple(_notes(best, laid, found, alike)), odd,
        frozenset((row, column - 1) for row, column in laid.filled), tuple(laid.units), laid.score,
    )  # fmt: skip


def _notes(best: door.Sheet, laid: layout.Layout, found: Sequence[door.Sheet], alike: list[str]) -> list[Text]:
    """What of a file is left out, and what is hidden."""
    notes = []
    others = [one.name for one in found if one is not best]
    if others:
        hidden = [one.name for one in found if one.hidden and one is not best]
        zh = f"读取工作表“{best.name}”；另有 {_some(others, 'zh')} 未读"
        en = f"Sheet {best.name} is read; {_some(others, 'en')} are not"
        zh += f"，其中隐藏：{_some(hidden, 'zh')}" if hidden else ""
        en += f", hidden: {_some(hidden, 'en')}" if hidden else ""
        zh += f"。{_some(alike, 'zh')} 也像同类表，请另选导入" if alike else ""
        en += f". {_some(alike, 'en')} look like tables of this kind too: choose them to import them" if alike else ""
        notes.append(Text(zh=f"{zh}。", en=f"{en}."))
    if best.hidden:
        notes.append(Text(zh=f"工作表“{best.name}”是隐藏的。", en=f"Sheet {best.name} is hidden."))
    for why, said in _DROPPED.items():
        rows = [row for row, reason, _ in laid.dropped if reason == why]
        if rows:
            first = next(text for _, reason, text in laid.dropped if reason == why)
            zh, en = f"{said.zh}不读：第 {_rows(rows, 'zh')} 行", f"Left out as {said.en}: row {_rows(rows, 'en')}"
            notes.append(Text(zh=f"{zh}（“{first}”）。", en=f"{en} ({first})."))
    numbers = {number for number, _ in laid.rows}
    hidden_rows = [row for row in best.hidden_rows if row in numbers]
    if hidden_rows:
        zh = f"第 {_rows(hidden_rows, 'zh')} 行是隐藏的或被筛选掉的，仍按数据读取。"
        notes.append(Text(zh=zh, en=f"Hidden or filtered away, and read all the same: row {_rows(hidden_rows, 'en')}."))
    columns = [laid.headings[k - 1] for k in best.hidden_columns if k <= len(laid.headings) and laid.headings[k - 1]]
    if columns:
        zh = f"隐藏的列也读：{_some(columns, 'zh')}。"
        notes.append(Text(zh=zh, en=f"Hidden columns are read too: {_some(columns, 'en')}."))
    if laid.filled:
        rows = sorted({row for row, _ in laid.filled})
        zh = f"合并单元格的内容用于它跨过的每一行：第 {_rows(rows, 'zh')} 行。"
        notes.append(Text(zh=zh, en=f"What stands in merged cells counts for each row they span: {_rows(rows, 'en')}."))
    return notes


def _rows(rows: Sequence[int], language: str) -> str:
    shown = ("、" if language == "zh" else ", ").join(map(str, rows[:MOST_NAMED]))
    more = len(rows) - MOST_NAMED
    return shown + ((f" 等 {len(rows)} " if language == "zh" else f" and {more} more") if more > 0 else "")


def _some(names: Sequence[str], language: str) -> str:
    quoted = [f"“{name[:30]}”" if language == "zh" else name[:30] for name in names[:6]]
    more = f" 等 {len(names)} 张" if language == "zh" else f" and {len(names) - 6} more"
    return ("、" if language == "zh" else ", ").join(quoted) + (more if len(names) > 6 else "")
