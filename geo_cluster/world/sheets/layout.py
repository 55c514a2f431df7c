"""From a sheet to its headings and rows: titles above, notes and totals below and between are left out, and told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from geo_cluster.box.door import Sheet
from geo_cluster.world.sheets import calls, units
from geo_cluster.world.sheets.words import fold

LOOKED_AT = 60
"""The heading row is one of the first so many."""

DEEPEST = 3
"""Rows that headings may take."""

TOTALS = frozenset(
    {"合计", "总计", "小计", "共计", "累计", "合计数", "总数", "平均", "平均值", "均值", "总和", "汇总"}
    | {"total", "totals", "subtotal", "sum", "average", "mean", "grandtotal"}
)
_TOTAL_LIKE = re.compile(
    r"^(?:合计|总计|小计|共计|本页小计|本页合计)(?:[(:].*)?$|^[一-鿿]{2,8}(?:小计|合计|总计)$|^其中(?:[:].*)?$"
)
_NOTE = re.compile(
    r"^(?:注\d?|备注|说明|填表说明|填报说明|填报单位|填报人|填表人|填报|制表|制表人|审核|审核人|联系人|联系电话|单位负责人|负责人|"
    r"填报日期|日期|数据来源|资料来源|来源|单位|note|notes|source|prepared by)\s*[:：.。]|"
    r"^\*|^※|^注[^册]|^以上|^数据截至|^截至"
)
_SECTION = re.compile(r"^(?:[(]?[一二三四五六七八九十]+[)、.]|第[一二三四五六七八九十\d]+[类部批])")
_MAY_TOTAL = re.compile(r"计|總|总|平均|均值|其中|total|sum|average|mean", re.IGNORECASE)
_NUMBERING = re.compile(r"^(?:\d{1,3}|[甲乙丙丁戊己庚辛]|[(]\d{1,3}[)]|[a-z])$")
_NUMERIC = re.compile(r"^[-+]?[\d.,]+%?$")


@dataclass(frozen=True)
class Layout:
    """Headings and rows of a sheet.

    Attributes
    ----------
    headings : list of str
        One a column; a heading over several rows has `calls.JOINT` in it.
    rows : list of (int, list of str)
        Number in the file and cells.
    top : int
        Row of the headings, the last where there are two.
    score : int
        How many headings are known.
    dropped : list of (int, str, str)
        Row, why (`total`, `note`, `repeated`, `numbering`), and its first cells.
    filled : set of (int, int)
        Row and column, from 1, of cells that stand for a merged one above them.
    units : list of str
        That lines above the headings or notes state for the whole table.
    """

    headings: list[str]
    rows: list[tuple[int, list[str]]]
    top: int
    score: int
    dropped: list[tuple[int, str, str]] = field(default_factory=list)
    filled: set[tuple[int, int]] = field(default_factory=set)
    units: list[str] = field(default_factory=list)


def of_sheet(sheet: Sheet, is_known: Callable[[str], bool]) -> Layout | None:
    """Find the headings of a sheet: the row, or up to `DEEPEST` rows, with most headings that are known.

    Parameters
    ----------
    sheet : Sheet
    is_known : callable
        Whether a text is a heading of what is looked for.

    Returns
    -------
    Layout or None
        Where no heading is known, the first row with two cells has them; None where there is no such row.
    """
    rows = sheet.rows
    alone = [(_count(cells, is_known), k, k, cells) for k, (_, cells) in enumerate(rows[:LOOKED_AT])]
    best = max(alone, key=lambda one: one[0], default=(0, 0, 0, []))
    for k, last in ((k, k + more) for more in range(1, DEEPEST) for k in range(min(len(rows), LOOKED_AT))):
        joined = _joined(sheet, k, last)
        both = _count(joined, is_known) if joined else 0
        is_next = k == best[1] and last == best[2] + 1
        if joined and (both > best[0] or (both == best[0] and is_next and _only_units(sheet, last))):
            best = both, k, last, joined
    if not best[0]:
        top = next((k for k, (_, row) in enumerate(rows) if sum(map(bool, row)) >= 2), None)
        if top is None:
            return None
        best = 0, top, top, rows[top][1]
    score, first, last, names = best
    headings = [" ".join(name.split()) or f"#{k}" for k, name in enumerate(names, start=1)]
    stated = [unit for _, cells in rows[:first] for cell in cells for unit in calls.table_units(cell)]
    body, filled = _filled(sheet, rows[last + 1 :], rows[last][0])
    kept, dropped = _kept(body, names, rows[last][1])
    stated += [unit for _, why, text in dropped if why == "note" for unit in calls.table_units(text)]
    return Layout(headings, kept, rows[last][0], score, dropped, filled, stated)


def _count(cells: Sequence[str], is_known: Callable[[str], bool]) -> int:
    return len({cell for cell in cells if cell and not _NUMERIC.match(cell) and is_known(cell)})


def _joined(sheet: Sheet, first: int, last: int) -> list[str] | None:
    """Headings of several rows, each over the columns it is merged over; None where a row but the first has numbers."""
    rows = sheet.rows[first : last + 1]
    top, width = rows[0][0], max(len(cells) for _, cells in rows)
    if len(rows) <= last - first or [number for number, _ in rows] != list(range(top, top + len(rows))):
        return None
    if any(_NUMERIC.match(cell) for _, cells in rows[1:] for cell in cells):
        return None
    levels = [(cells + [""] * width)[:width] for _, cells in rows]
    for upper, left, lower, right in sheet.merged:
        if top <= upper < top + len(rows) and left <= width:
            across = min(right, width) - left + 1
            text = levels[upper - top][left - 1]
            levels[upper - top][left - 1 : left - 1 + across] = [text] * across
            for level in levels[upper - top + 1 : lower - top + 1]:
                level[left - 1 : left - 1 + across] = [""] * across
    joined = []
    for over in zip(*levels, strict=True):
        said = list(dict.fromkeys(_bare_unit(one) if one is not over[0] else one for one in over if one))
        joined.append(calls.JOINT.join(said))
    return joined


def _bare_unit(text: str) -> str:
    """A unit without its brackets; any other text as it is."""
    bare = text.strip("()（）[]")
    return bare if units.kind_of(bare) else text


def _only_units(sheet: Sheet, k: int) -> bool:
    """Whether a row has units and nothing else."""
    cells = [cell.strip("()（）[]") for cell in sheet.rows[k][1] if cell]
    return bool(cells) and all(units.kind_of(cell) for cell in cells)


def _filled(
    sheet: Sheet, rows: Sequence[tuple[int, list[str]]], top: int
) -> tuple[list[tuple[int, list[str]]], set[tuple[int, int]]]:
    """Rows with the text of cells merged downwards in each of their rows, and which those are."""
    down = {
        (row, left): (first, left)
        for first, left, last, right in sheet.merged
        if first > top and last > first and right - left < 3
        for row in range(first + 1, min(last, first + 100_000) + 1)
    }
    if not down:
        return list(rows), set()
    cells = dict(rows)
    filled: set[tuple[int, int]] = set()
    out = []
    for number, row in rows:
        own = list(row)
        for column in sorted(left for at, left in down if at == number) if len(down) < 2000 else _columns(down, number):
            first, _ = down[number, column]
            text = (cells.get(first, []) + [""] * column)[column - 1]
            own += [""] * (column - len(own))
            if text and not own[column - 1]:
                own[column - 1] = text
                filled.add((number, column))
        out.append((number, own))
    return out, filled


def _columns(down: dict[tuple[int, int], tuple[int, int]], number: int) -> list[int]:
    return [column for column in range(1, 1001) if (number, column) in down]


def _kept(
    rows: Sequence[tuple[int, list[str]]], headings: Sequence[str], last: Sequence[str]
) -> tuple[list[tuple[int, list[str]]], list[tuple[int, str, str]]]:
    """Rows of data, and those that are none: totals, notes, headings again, a row of column numbers."""
    kept, dropped = [], []
    for k, (number, cells) in enumerate(rows):
        why = _no_data(cells, headings, last, is_first=k == 0)
        if why:
            dropped.append((number, why, " ".join([cell for cell in cells if cell][:3])[:40]))
        else:
            kept.append((number, cells))
    return kept, dropped


def _no_data(cells: Sequence[str], headings: Sequence[str], last: Sequence[str], *, is_first: bool) -> str:
    """Why a row is no data; '' where it is."""
    said = [cell for cell in cells if cell]
    for names in (headings, last):
        same = sum(bool(one) and one == name for one, name in zip(cells, names, strict=False))
        if same >= 2 and same >= len(said) - 1:
            return "repeated"
    if is_first and len(said) >= 3 and all(_NUMBERING.match(fold(cell).lower()) for cell in said):
        numbers = [int(cell) for cell in said if cell.isdigit()]
        if numbers and numbers == list(range(1, len(numbers) + 1)):
            return "numbering"
    if _MAY_TOTAL.search(" ".join(said[:3])):
        squeezed = [fold(cell).replace(" ", "").lower() for cell in said[:3]]
        if any(one in TOTALS or _TOTAL_LIKE.match(one) for one in squeezed):
            return "total"
    if _NOTE.match(said[0]) and len(said) < len([one for one in headings if one]) / 2 + 1:
        return "note"
    return "note" if len(said) == 1 < len(headings) - 1 and (_SECTION.match(said[0]) or len(said[0]) > 40) else ""
