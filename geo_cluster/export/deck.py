"""Slides to present in a browser, one a screen: the whole of each part, drawn as HTML; the page styles its classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from geo_cluster.export.outline import Block, Chart, Grid, Outline
from geo_cluster.export.render import render
from geo_cluster.export.thumbnails import CLEAR, COLOURS, marks

MOST = 14
"""Rows of a table on one screen."""
SIZES = (2.0, 1.75, 1.5, 1.3, 1.15)
"""Type of a table, in hundredths of the slide's width; the largest that fits is taken."""
HIGH, WIDE, BESIDE = 36.0, 88.0, 54.0
"""Room for a table in the same measure: its height, its width alone and beside a chart."""
SHORT = 8
"""Letters of a column's cells that are kept on one line."""
PALE = "#9cc7c9"
ELSEWHERE = {"zh": "另有 {count} 行，见材料", "en": "{count} more rows in the paper"}


class Bar(NamedTuple):
    """A bar: its label, pieces (share of the longest bar in percent, colour) and its numbers as shown."""

    label: str
    pieces: list[tuple[float, str]]
    told: str


class Bars(NamedTuple):
    """A chart as bars, one under the other, with the names of its colours."""

    title: str
    unit: str
    bars: list[Bar]
    legend: list[tuple[str, str]]


def deck(made: Outline, pictures: Mapping[str, str], *, language: str) -> str:
    """A briefing as slides to present.

    Parameters
    ----------
    made : Outline
    pictures : mapping of str
        Address of the picture of each map sheet by its name.
    language : {"zh", "en"}
    """
    cover: dict[str, Any] = {"title": made.title, "message": made.subtitle, "sides": []}
    slides = [{"title": part.title, "message": part.message, "sides": _sides(part.blocks)} for part in made.parts]
    return render(
        "deck.html",
        slides=[cover, *slides],
        pictures=pictures,
        marks=marks(made),
        most=MOST,
        elsewhere=ELSEWHERE[language],
        is_short=_is_short,
    )


def _sides(blocks: tuple[Block, ...]) -> list[list[tuple[str, object, float]]]:
    """Kind, what is drawn and type of each block: charts at the left where there are others, these at the right."""
    charts = [one for one in blocks if isinstance(one, Chart)]
    others = [one for one in blocks if not isinstance(one, Chart)]
    sides: list[list[Block]] = [[*charts], [*others]] if charts and others else [[one] for one in blocks]
    tables = max(1, sum(isinstance(one, Grid) for one in others))
    room = (HIGH / tables if charts else HIGH, BESIDE if len(sides) > 1 else WIDE)
    return [
        [(type(one).__name__, _bars(one) if isinstance(one, Chart) else one, _size(one, *room)) for one in side]
        for side in sides
    ]


def _size(block: Block, high: float, wide: float) -> float:
    """Type in which a table fits into its room, or the smallest."""
    if not isinstance(block, Grid):
        return SIZES[0]
    rows = [block.headings, *block.texts[:MOST]]
    letters = [sum(sum(1.0 if ord(one) > 255 else 0.55 for one in cell) + 1.5 for cell in row) for row in rows]
    for size in SIZES:
        lines = sum(max(1.0, math.ceil(1.25 * count * size / wide)) for count in letters)
        if size * (1.3 * lines + 0.6 * len(rows)) <= high:
            return size
    return SIZES[-1]


def _is_short(block: Grid) -> list[bool]:
    """Which columns of a table stay on one line."""
    columns = zip(*block.texts, strict=True)
    return [max(map(len, column)) <= SHORT for column in columns] or [False] * len(block.headings)


def _bars(chart: Chart) -> Bars:
    """A chart's bars: of a range its low end clear, then up to the likely and to the high end."""
    rows, names = list(zip(*chart.series.values(), strict=True)), list(chart.series)
    if chart.kind == "range":
        colours = dict(zip(names[1:], (COLOURS[0], PALE), strict=True))
        pieces = [[(a, CLEAR), (b - a, COLOURS[0]), (c - b, PALE)] for a, b, c in rows]
        told = ["–".join(map(chart.tick, row)) for row in rows]
    else:
        colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
        pieces = [list(zip(row, colours.values(), strict=True)) for row in rows]
        told = [chart.tick(sum(row)) for row in rows]
    longest = max((sum(value for value, _ in row) for row in pieces), default=0.0) or 1.0
    bars = [
        Bar(label, [(round(100 * value / longest, 1), colour) for value, colour in row if value > 0], numbers)
        for label, row, numbers in zip(chart.categories, pieces, told, strict=True)
    ]
    return Bars(chart.title, chart.unit, bars, list(colours.items()) if len(colours) > 1 else [])
