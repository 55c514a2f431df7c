"""What cells of a sheet show, as text, and a sheet as it leaves the box; runs in the box."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any

from geo_cluster.box.limits import Limits
from geo_cluster.errors import place

MOST_MERGED = 20_000
"""More merged areas than any table has; the others count as not merged."""

_INTEGER = re.compile(r"-?\d{1,40}")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[([^\]]*)\]|_.|\*.')
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
"""Number formats of spreadsheets that are dates or times (ECMA-376 part 1, 18.8.30)."""
_PERCENTS = {9, 10}


class Sheet:
    """A sheet that is being read: rows with something in them, what is hidden, what is merged."""

    def __init__(self, name: str, file: str, limits: Limits, *, hidden: bool = False):
        self.name, self.file, self.limits, self.hidden = name, file, limits, hidden
        self.rows: list[tuple[int, list[str]]] = []
        self.odd: list[tuple[int, int, str, str]] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: list[tuple[int, int, int, int]] = []
        self.cells = 0

    def add(self, number: int, cells: dict[int, str]) -> None:
        """A row by column, from 1; what shows nothing is none."""
        shown = {column: text for column, text in cells.items() if text}
        if not shown:
            return
        here, width = place(self.file, number), max(shown)
        self.limits.refuse(here, "rows", number, "box.row_too_far_down")
        self.limits.refuse(here, "columns", width, "box.row_too_wide")
        self.cells += len(shown)
        self.limits.refuse(self.file, "cells", self.cells, "box.more_than_so_many_cells")
        longest = max(map(len, shown.values()))
        self.limits.refuse(here, "characters", longest, "box.cell_too_long")
        self.rows.append((number, [shown.get(column, "") for column in range(1, width + 1)]))

    def merge(self, top: int, left: int, bottom: int, right: int) -> None:
        """Cells that are merged into one."""
        if len(self.merged) < MOST_MERGED and (top, left) != (bottom, right):
            self.merged.append((top, left, bottom, right))

    def said(self) -> dict[str, Any]:
        """The sheet as JSON."""
        last, width = self.rows[-1][0] if self.rows else 0, max((len(row) for _, row in self.rows), default=0)
        there = {number for number, _ in self.rows}
        return {
            "name": self.name,
            "hidden": self.hidden,
            "rows": self.rows,
            "odd": self.odd,
            "hidden_rows": sorted(self.hidden_rows & there),
            "hidden_columns": sorted(one for one in self.hidden_columns if one <= width),
            "merged": [one for one in self.merged if one[0] <= last and one[1] <= width],
        }


class Kind:
    """How a number is shown: as a date, a per cent, or between words such as 约 and 亩."""

    __slots__ = ("after", "before", "is_date", "is_percent")

    def __init__(self, *, is_date: bool = False, is_percent: bool = False, before: str = "", after: str = ""):
        self.is_date, self.is_percent, self.before, self.after = is_date, is_percent, before, after

    @classmethod
    def of(cls, code: int, text: str = "") -> Kind:
        """The kind that a number format is, by its code and, if it is none of the built-in ones, its text."""
        if not text:
            return cls(is_date=code in _DATES, is_percent=code in _PERCENTS)
        first = text.split(";")[0]
        bare = _QUOTED.sub("", first).lower()
        if bare.replace("general", "") and re.search(r"[ymdhs]", bare.replace("general", "")):
            return cls(is_date=True)
        if "%" in bare:
            return cls(is_percent=True)
        if re.search(r"[0#?],+(?![0#?])", bare):  # shown in thousands: the words are of what is shown, not of the value
            return cls()
        at = re.search(r"[0#?]|general", first, re.IGNORECASE)
        if not at:
            return cls()
        words = [(found.start(), found[1] or found[2] or _currency(found[3])) for found in _QUOTED.finditer(first)]
        before = "".join(word for start, word in words if word and start < at.start())
        after = "".join(word for start, word in words if word and start > at.start())
        return cls(before=before.strip(), after=after.strip())


def shown(value: Any) -> str:
    """What a value shows, as text.

    >>> shown(6.0), shown(0.1 + 0.2), shown(datetime.datetime(2027, 6, 1)), shown(None), shown(True)
    ('6', '0.3', '2027-06-01', '', 'TRUE')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value).strip()


PLAIN = Kind()
"""As it stands."""


def number(text: str, kind: Kind = PLAIN, *, since_1904: bool = False) -> str:
    """What a number of a workbook shows under its format: a day, a per cent, a number with the words of the format.

    >>> number("46000", Kind.of(14)), number("0.5", Kind.of(9)), number("30", Kind.of(200, '0"亩"')), number("6.0")
    ('2025-12-09', '50%', '30亩', '6')
    """
    try:
        value = float(text)
    except ValueError:
        return text.strip()
    if kind.is_date:
        return _day(value, since_1904=since_1904) or f"{value:.15g}"
    if kind.is_percent:
        return f"{value * 100:.12g}%"
    plain = text.strip() if _INTEGER.fullmatch(text.strip()) else f"{value:.15g}"
    return f"{kind.before}{plain}{kind.after}"


def _day(serial: float, *, since_1904: bool) -> str:
    if not 0 <= serial < 2_958_466:
        return ""
    first = datetime.datetime(1904, 1, 1) if since_1904 else datetime.datetime(1899, 12, 30 if serial >= 60 else 31)
    return shown(first + datetime.timedelta(seconds=round(serial * 86400)))


def _currency(bracket: str | None) -> str:
    """The sign in a bracket such as `[$¥-804]`; '' for a colour, a condition, and for yuan."""
    sign = (bracket or "").partition("-")[0]
    return sign[1:] if sign.startswith("$") and sign[1:] not in ("", "¥", "￥") else ""


def of_rows(sheet: Sheet, rows: Iterable[tuple[int, Sequence[str]]]) -> Sheet:
    """A sheet filled with rows of text."""
    for row, cells in rows:
        sheet.add(row, dict(enumerate((cell.strip() for cell in cells), start=1)))
    return sheet
