"""How wide the columns of a table of the outline are, and how many lines its rows take, on slides and on paper."""

from __future__ import annotations

from collections.abc import Sequence

from geo_cluster.export import measure
from geo_cluster.export.outline import Grid

Texts = tuple[tuple[str, ...], ...]

SHORT, KEPT = 14.0, 4.0
"""Texts up to this length, in font sizes, keep to one line; up to the second also where room is scarce."""
LEAST = 9.0
"""Where it isn't, a column of long texts is at least so wide."""
USUAL = (0.5, 0.8, 1.0)
"""Columns are as wide as this share of their cells wants, whichever makes the table lowest; longer ones are broken."""
LONG = 60.0
"""No cell wants more than this, font sizes."""


def widths(block: Grid, width: float, margins: float) -> list[float]:
    """Widths of columns, in font sizes: those of some sensible ones at which the table is lowest.

    Parameters
    ----------
    block : Grid
    width, margins : float
        Of the table, and of a cell's two margins, in font sizes.
    """
    ways = (False, True) if least(block, margins, broken=False) <= width else (True,)
    tries = [_shared(block, width, margins, usual, broken=broken) for broken in ways for usual in USUAL]
    return min(tries, key=lambda one: sum(lines(block, block.texts[: block.rows], one, margins)))


def least(block: Grid, margins: float, *, broken: bool = True) -> float:
    """Width, in font sizes, below which words or numbers of a table would be broken; or short texts, too.

    Parameters
    ----------
    block : Grid
    margins : float
        Of a cell's two sides, in font sizes.
    broken : bool
        Short texts may go over several lines.
    """
    return sum(_least(block, at, margins, broken=broken) for at in range(len(block.headings)))


def lines(block: Grid, texts: Texts, columns: Sequence[float], margins: float) -> list[int]:
    """How many lines the heading, each row and the total take.

    Parameters
    ----------
    block : Grid
    texts : tuple of tuple of str
        Rows.
    columns : sequence of float
        Widths, in font sizes.
    margins : float
        Of a cell's two sides, in font sizes.
    """
    rows = [(block.headings, True), *((row, False) for row in texts), *([(block.total, True)] if block.total else [])]
    return [
        max(measure.lines(text, one - margins, bold=bold) for text, one in zip(row, columns, strict=True))
        for row, bold in rows
    ]


def _cells(block: Grid, at: int) -> list[str]:
    return [row[at] for row in (*block.texts[: block.rows], *([block.total] if block.total else []))]


def _least(block: Grid, at: int, margins: float, *, broken: bool) -> float:
    """Width that a column can't do without: a number or a short text whole, else its longest word."""
    cells, heading = _cells(block, at), block.headings[at]
    whole = max(map(measure.width, cells), default=0.0)
    kept = block.numeric[at] or whole <= (KEPT if broken else SHORT)
    words = whole if kept else min(max(map(measure.longest_word, cells), default=0.0), SHORT)
    words = words if kept else max(words, min(whole, KEPT if broken else LEAST))
    head = max(measure.width(heading, bold=True) / 3 + 1.0, measure.longest_word(heading) * measure.BOLD)
    return max(words, min(head, SHORT), 2.0) + margins + 0.2


def _shared(block: Grid, width: float, margins: float, usual: float, *, broken: bool) -> list[float]:
    """Widths of columns where each is as wide as this share of its cells wants, as far as there is room."""
    every = range(len(block.headings))
    needed = [_least(block, at, margins, broken=broken) for at in every]
    wish = []
    for at in every:
        long = sorted(map(measure.width, _cells(block, at))) or [0.0]
        most = min(long[min(int(len(long) * usual), len(long) - 1)], LONG)
        wish.append(max(most, measure.width(block.headings[at], bold=True)) + margins + 0.2)
    spare, more = width - sum(needed), [max(b - a, 0.0) for a, b in zip(needed, wish, strict=True)]
    if spare <= 0:  # what can't be broken is
        return [one * width / sum(needed) for one in needed]
    if sum(more) >= spare:
        return [a + spare * b / sum(more) for a, b in zip(needed, more, strict=True)]
    return [(a + b) * width / (sum(needed) + sum(more)) for a, b in zip(needed, more, strict=True)]
