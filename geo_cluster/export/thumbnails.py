"""Small pictures of what is in a briefing pack: slides drawn from the outline as HTML, map sheets made smaller."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image

from geo_cluster.domain import Language
from geo_cluster.export.numbering import heading
from geo_cluster.export.outline import Block, Chart, Outline
from geo_cluster.export.render import render

COLOURS = ("#0b6e75", "#e08a1e", "#5b3f8c", "#6b7785", "#b3223e", "#38a874")
CLEAR = "transparent"
ROWS = 7
"""Rows of a table that can be told apart on a slide so small."""
WIDTH = 640
"""Pixels of a map sheet: twice as many as it is shown in."""


class Bars(NamedTuple):
    """A chart as bars of pieces (share of the longest bar in percent, colour); `upright` ones are columns."""

    upright: bool
    bars: list[list[tuple[float, str]]]


def slides(made: Outline, sketch: str, *, label: str, sheets: Mapping[str, str] = MappingProxyType({})) -> str:
    """Each slide of a briefing, small, in a strip that scrolls sideways; its classes are styled by the page.

    Parameters
    ----------
    made : Outline
    sketch : str
        The plan's map as SVG, '' for none.
    label : str
        What a screen reader calls the strip.
    sheets : mapping of str
        Address of the picture of each map sheet by its name; of the plan the sketch is shown.
    """
    parts: list[dict[str, Any]] = [{"title": made.title, "message": made.subtitle, "blocks": []}]
    parts += [
        {"title": part.title, "message": part.message, "blocks": [_small(block) for block in part.blocks]}
        for part in made.parts
    ]
    drawn = sketch.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    pictures = {**sheets, "plan": _address(drawn.encode(), "image/svg+xml")}
    return render("thumbnails.html", slides=parts, pictures=pictures, marks=marks(made), rows=ROWS, label=label)


def paper(made: Outline, *, label: str, language: Language) -> str:
    """The first page of the paper, small; its classes are styled by the page.

    Parameters
    ----------
    made : Outline
    label : str
        What a screen reader calls it.
    language : {"zh", "en"}
        Of the paper.
    """
    chapters = [
        (heading(1, at, title, language), parts) for at, (title, parts) in enumerate(made.chapters().items(), 1)
    ]
    return render("thumbnail_paper.html", made=made, chapters=chapters, marks=marks(made), label=label)


def marks(made: Outline) -> str:
    """What every page has to say, short."""
    return " · ".join(one for one in (made.sample.partition("：")[0], made.stale) if one)


def _small(block: Block) -> tuple[str, Any]:
    """The kind of a block and what is drawn of it."""
    return type(block).__name__, _bars(block) if isinstance(block, Chart) else block


def _bars(chart: Chart) -> Bars:
    """A chart's bars: of a range its low end clear, then up to the likely and to the high end."""
    series = list(chart.series.values())
    if chart.kind == "range":
        low, likely, high = series
        rows = [(a, b - a, c - b) for a, b, c in zip(low, likely, high, strict=True)]
        colours: tuple[str, ...] = (CLEAR, COLOURS[0], "#9cc7c9")
    else:
        rows, colours = list(zip(*series, strict=True)), COLOURS
    longest = max((sum(row) for row in rows), default=0.0) or 1.0
    bars = [
        [(round(100 * value / longest, 1), colours[at % len(colours)]) for at, value in enumerate(row) if value > 0]
        for row in rows
    ]
    return Bars(chart.kind == "stacked", bars)


def smaller(picture: bytes, width: int = WIDTH) -> str:
    """A picture of a map sheet at most so many pixels wide, as an address that holds it."""
    with Image.open(io.BytesIO(picture)) as opened:
        opened.thumbnail((width, width))
        small = io.BytesIO()
        opened.convert("RGB").save(small, "JPEG", quality=85)
    return _address(small.getvalue(), "image/jpeg")


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
