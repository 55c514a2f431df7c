"""From a file to one table: the sheet that holds it, its headings and rows, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from geo_cluster.box import door
from geo_cluster.box.limits import limits
from geo_cluster.domain import Text
from geo_cluster.errors import A_SHEET, Fault, Faults, InputError, Place, place, refuse_if
from geo_cluster.world.sheets import layout
from geo_cluster.world.sheets.words import head
from geo_cluster.world.spreadsheet import bared

MOST_NAMED = 12
"""Rows that a note names; of more it says how many."""

_DROPPED = {
    "total": Text(zh="合计行", en="totals"),
    "note": Text(zh="说明行", en="notes"),
    "repeated": Text(zh="重复的表头", en="headings again"),
    "numbering": Text(zh="列号行", en="column numbers"),
}

GUIDE, VALUES = "说明 guide", "取值 values"
"""Sheets of our own templates that explain: nobody's data, though one has the headings of the table to fill in."""


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
    parts : tuple of str
        Those that were read, `sheet` the first of them; rows of the second count on from `A_SHEET`, and so on.
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
    parts: tuple[str, ...] = ()
    notes: tuple[Text, ...] = ()
    odd: Mapping[tuple[int, int], Fault] = field(default_factory=dict)
    filled: frozenset[tuple[int, int]] = frozenset()
    units: tuple[str, ...] = ()
    score: int = 0

    def place(self, row: int = 0, heading: str = "") -> Place:
        """A row and column of it."""
        here = place(self.name, row, heading)
        sheet = self.parts[row // A_SHEET] if self.parts else self.sheet
        return replace(here, sheet=sheet) if len(self.sheets) > 1 else here


def read(content: bytes, name: str, is_known: Callable[[str], bool], *, chosen: Sequence[str] = ()) -> Table:
    """Read the sheets of a file that are meant: the first in sight that has most known headings, and all like it.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    is_known : callable
        Whether a text is a heading of what is looked for.
    chosen : sequence of str
        Names of sheets; none for those that fit.

    Raises
    ------
    InputError
        It is no table, has no sheet of that name or no heading row, is too large, rows have cells under no heading, or
        sheets that are chosen have other headings.
    """
    found = [one for one in door.sheets(content, name) if one.rows and one.name not in (GUIDE, VALUES)]
    if not found:
        raise InputError(Fault("sheets.no_headings", name))
    names = [one.name for one in found]
    refuse_if(
        [Fault("sheets.no_such_sheet", Place(name, sheet=one), known=names) for one in chosen if one not in names]
    )
    looked = [one for one in found if (one.name in chosen if chosen else not one.hidden)] or found
    layouts = [(one, layout.of_sheet(one, is_known)) for one in looked]
    headed = [Part(one, laid) for one, laid in layouts if laid is not None]
    if not headed:
        raise InputError(Fault("sheets.no_headings", name))
    best = max(headed, key=lambda one: (min(one.laid.score, 3), bool(one.laid.rows)))
    alike = [one for one in headed if one is best or (one.laid.rows and one.is_like(best, is_known))]
    first, read_ = best.sheet.name, {one.sheet.name for one in alike}
    refuse_if(
        [Fault("sheets.other_headings", Place(name, sheet=one), first=first) for one in chosen if one not in read_]
    )
    parts = [best, *(one for one in alike if one is not best)]
    return _table(parts, name, found, [one for one in headed if one not in alike])


@dataclass(frozen=True, eq=False)
class Part:
    """A sheet with its headings."""

    sheet: door.Sheet
    laid: layout.Layout

    def is_like(self, other: Part, is_known: Callable[[str], bool]) -> bool:
        """Whether it has the same known headings, each once, in the same units."""
        ours, theirs = (sorted(head(h) for h in one.laid.headings if is_known(h)) for one in (self, other))
        return ours == theirs and len(set(ours)) == len(ours) >= 2 and self.laid.units == other.laid.units


def _table(parts: Sequence[Part], name: str, found: Sequence[door.Sheet], others: Sequence[Part]) -> Table:
    """One table of the rows of every part, under the headings of the first and what further ones others have."""
    headings = list(parts[0].laid.headings)
    rows: list[list[str]] = []
    index: list[int] = []
    odd: dict[tuple[int, int], Fault] = {}
    filled: set[tuple[int, int]] = set()
    faults = Faults()
    for number, part in enumerate(parts):
        at = _positions(part.laid.headings, headings) if number else list(range(len(headings)))
        sheet = part.sheet.name if len(found) > 1 else ""
        size = (len(rows) + len(part.laid.rows)) * len(headings)
        limits().refuse(name, "cells", size, "box.too_many_cells_with_empty")
        for row, cells in part.laid.rows:
            if any(cells[len(at) :]):
                faults.append(Fault("world.more_cells_than_headings", Place(name, sheet=sheet, row=row)))
            full = [""] * len(headings)
            for k, cell in zip(at, cells, strict=False):
                full[k] = cell
            rows.append(full)
            index.append(row + number * A_SHEET)
        for row, column, kind, shown in part.sheet.odd:
            k = at[column - 1] if column <= len(at) else column - 1
            where = Place(name, sheet=sheet, row=row, column=headings[k] if k < len(headings) else f"#{column}")
            unsaved = Fault("world.formula_without_value", where) if kind == "unsaved" else None
            odd[row + number * A_SHEET, k] = unsaved or Fault("world.spreadsheet_error", where, value=shown)
        filled |= {(row + number * A_SHEET, at[column - 1]) for row, column in part.laid.filled if column <= len(at)}
    refuse_if(faults)
    rows = [row + [""] * (len(headings) - len(row)) for row in rows]
    frame = bared(pd.DataFrame(rows, columns=headings, index=index, dtype=object))
    names, first = tuple(one.sheet.name for one in parts), parts[0]
    return Table(
        frame, name, names[0], tuple(one.name for one in found), names, tuple(_notes(parts, found, others)), odd,
        frozenset(filled), tuple(first.laid.units), first.laid.score,
    )  # fmt: skip


def _positions(own: Sequence[str], headings: list[str]) -> list[int]:
    """Where the columns of a further sheet stand among the headings; those that are new are added."""
    known = {head(heading): k for k, heading in reversed(list(enumerate(headings)))}
    out = []
    for heading in own:
        k = known.get(head(heading))
        if k is None or k in out:
            k = len(headings)
            headings.append(heading)
        out.append(k)
    return out


def _notes(parts: Sequence[Part], found: Sequence[door.Sheet], alike: Sequence[Part]) -> list[Text]:
    """What of a file is read, left out and hidden."""
    notes = []
    read = [one.sheet.name for one in parts]
    others = [one for one in found if one.name not in read]
    if len(found) > 1:
        zh, en = f"读取工作表{_some(read, 'zh')}", f"Read of the sheets: {_some(read, 'en')}"
        hidden = [one.name for one in others if one.hidden]
        zh += f"；另有 {_some([one.name for one in others], 'zh')} 未读" if others else ""
        en += f"; not read: {_some([one.name for one in others], 'en')}" if others else ""
        zh += f"，其中隐藏：{_some(hidden, 'zh')}" if hidden else ""
        en += f", hidden: {_some(hidden, 'en')}" if hidden else ""
        like = [one.sheet.name for one in alike if one.laid.score >= max(2, parts[0].laid.score) and one.laid.rows]
        zh += f"。{_some(like, 'zh')} 也像同类表，但表头不同，请另选导入" if like else ""
        en += f". {_some(like, 'en')} look alike with other headings: choose them to import them" if like else ""
        notes.append(Text(zh=f"{zh}。", en=f"{en}."))
    for part in parts:
        own = list(_of_sheet(part.sheet, part.laid))
        zh, en = (f"工作表“{part.sheet.name}”：", f"Sheet {part.sheet.name}: ") if len(parts) > 1 else ("", "")
        notes += [Text(zh=f"{zh}{one.zh}", en=f"{en}{one.en}") for one in own]
    return notes


def _of_sheet(best: door.Sheet, laid: layout.Layout) -> list[Text]:
    """What of a sheet is left out, and what is hidden."""
    notes = []
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
