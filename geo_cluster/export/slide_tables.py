"""Cards, sentences and native tables on a slide; what is too long for its place is cut and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from geo_cluster.domain import Language
from geo_cluster.export import measure
from geo_cluster.export.outline import Facts, Grid, Lines
from geo_cluster.export.slide_text import Box, Pen, fill, fitting, panel

Texts = tuple[tuple[str, ...], ...]

MORE: dict[Language, str] = {"zh": "其余 {n} 行见 tables.xlsx", "en": "{n} more rows: tables.xlsx"}
SIZES = (16, 14, 13, 12, 11)
"""Sizes of a table's text, points; below the last no one in the room reads it."""
SHORT = 14.0
"""A column of texts up to this length, in font sizes, keeps them on one line."""
SIDE, ABOVE = Inches(0.07), Inches(0.03)
"""Margins of a cell."""
NOTE = Inches(0.3)
"""Height of the line below a table that is cut."""
USUAL = (0.5, 0.8, 1.0)
"""Columns are as wide as this share of their cells wants, whichever makes the table lowest; longer ones are broken."""
LONG = 60.0
LINES, TALLEST = 4, 0.26
"""Where a table is too long, its cells keep so many lines, or lines up to this share of its place."""


def facts(pen: Pen, shapes: Any, box: Box, block: Facts) -> None:
    """Cards, four a row."""
    rows = [block.rows[at : at + 4] for at in range(0, len(block.rows), 4)]
    for line, row_box in zip(rows, box.rows(*[1] * len(rows)), strict=True):
        for (name, value), card in zip(line, row_box.columns(*[1] * 4, gap=Inches(0.2)), strict=False):
            shape = panel(shapes, card, "pale")
            panel(shapes, Box(card.left, card.top, Inches(0.06), card.height), "accent")
            frame = shape.text_frame
            frame.margin_left = frame.margin_right = Inches(0.15)
            inner = Box(0, 0, card.width - Inches(0.3), int(Pt(40)))
            size = fitting([value], inner, (28, 24, 20, 18, 16, 13), bold=True)
            pen.say(frame, [value, name], size, bold=True, colour="accent", align=PP_ALIGN.CENTER)
            pen.style(frame.paragraphs[1], 13, colour="muted")


def lines(pen: Pen, shapes: Any, box: Box, block: Lines) -> None:
    """Sentences; more than two are numbered, each with a rule of its own."""
    if len(block.lines) <= 2:
        size = fitting(block.lines, box, (18, 16, 14, 13, 12), after=8)
        pen.text(shapes, box, block.lines, size, after=8)
        return
    rows = box.rows(*[1] * len(block.lines))
    size = min(
        fitting([text], Box(0, 0, box.width - Inches(1.1), rows[0].height), (22, 20, 18, 16, 14, 12))
        for text in block.lines
    )
    for at, (text, row) in enumerate(zip(block.lines, rows, strict=True), 1):
        mark = panel(shapes, Box(row.left, row.top, Inches(0.7), row.height), "accent")
        pen.say(mark.text_frame, [str(at)], 24, bold=True, colour="paper", align=PP_ALIGN.CENTER)
        shape = panel(shapes, Box(row.left + Inches(0.7), row.top, row.width - Inches(0.7), row.height), "pale")
        shape.text_frame.margin_left = Inches(0.25)
        pen.say(shape.text_frame, [text], size, align=PP_ALIGN.LEFT)


def grid(pen: Pen, shapes: Any, box: Box, block: Grid) -> None:
    """A native table: as many rows as fit legibly, the rest told."""
    size, texts, heights = _fitted(block, box)
    wide = widths(block, box.width, size)
    rows = [block.headings, *texts, *([block.total] if block.total else [])]
    frame = shapes.add_table(len(rows), len(block.headings), box.left, box.top, box.width, sum(heights))
    frame.name, table = block.title or block.name, frame.table
    frame._element.nvGraphicFramePr.cNvPr.set("descr", f"{block.title} {' · '.join(block.headings)}".strip())
    table.first_row, table.horz_banding = True, False
    for column, width in zip(table.columns, wide, strict=True):
        column.width = width
    for y, (row, height) in enumerate(zip(rows, heights, strict=True)):
        table.rows[y].height = height
        head, last = y == 0, bool(block.total) and y == len(rows) - 1
        for x, text in enumerate(row):
            cell = table.cell(y, x)
            cell.margin_left = cell.margin_right = SIDE
            cell.margin_top = cell.margin_bottom = ABOVE
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            fill(cell, "accent" if head else "pale" if last or y % 2 == 0 else "paper")
            align = PP_ALIGN.RIGHT if block.numeric[x] else PP_ALIGN.LEFT
            pen.say(cell.text_frame, [text], size, bold=head or last, colour="paper" if head else "ink", align=align)
    if len(texts) < len(block.texts):
        under = Box(box.left, box.top + sum(heights) + Inches(0.05), box.width, NOTE - Inches(0.05))
        pen.text(shapes, under, [MORE[pen.language].format(n=len(block.texts) - len(texts))], 11, colour="muted")


def widths(block: Grid, width: int, size: float) -> list[int]:
    """Widths of columns, EMU: those of some sensible ones at which the table is lowest.

    Parameters
    ----------
    block : Grid
    width : int
        Of the table, EMU.
    size : float
        Points.
    """
    tries = [_shared(block, width, size, usual) for usual in USUAL]
    return min(tries, key=lambda one: sum(_heights(block, block.texts[: block.rows], one, size)))


def _least(block: Grid, at: int, *, broken: bool) -> float:
    """Width that a column can't do without, font sizes: a number or a short text whole, else its longest word."""
    cells, heading = _cells(block, at), block.headings[at]
    whole = max(map(measure.width, cells), default=0.0)
    kept = block.numeric[at] or (whole <= SHORT and not broken)
    words = whole if kept else min(max(map(measure.longest_word, cells), default=0.0), SHORT)
    head = max(measure.width(heading, bold=True) / 3 + 1.0, measure.longest_word(heading) * measure.BOLD)
    return max(words, min(head, SHORT), 2.0) + Emu(2 * SIDE).pt / 12


def _cells(block: Grid, at: int) -> list[str]:
    return [row[at] for row in (*block.texts[: block.rows], *([block.total] if block.total else []))]


def _shared(block: Grid, width: int, size: float, usual: float) -> list[int]:
    """Widths of columns where each is as wide as this share of its cells wants, as far as there is room."""
    room, every = Emu(width).pt / size, range(len(block.headings))
    least = [_least(block, at, broken=False) for at in every]
    if sum(least) > room:
        least = [_least(block, at, broken=True) for at in every]
    wish = []
    for at in every:
        long = sorted(map(measure.width, _cells(block, at))) or [0.0]
        most = min(long[min(int(len(long) * usual), len(long) - 1)], LONG)
        wish.append(max(most, measure.width(block.headings[at], bold=True)) + 1.0)
    spare, more = room - sum(least), [max(b - a, 0.0) for a, b in zip(least, wish, strict=True)]
    if spare <= 0:
        shared = [one * room / sum(least) for one in least]
    elif sum(more) >= spare:
        shared = [a + spare * b / sum(more) for a, b in zip(least, more, strict=True)]
    else:
        shared = [(a + b) * room / (sum(least) + sum(more)) for a, b in zip(least, more, strict=True)]
    return [int(Pt(one * size)) for one in shared]


def wanted(block: Grid, width: int) -> int:
    """Height that a table would like, EMU."""
    return sum(_heights(block, block.texts[: block.rows], widths(block, width, SIZES[1]), SIZES[1]))


def _fitted(block: Grid, box: Box) -> tuple[float, Texts, list[int]]:
    """Size of text, rows and heights of all rows that go into a box; long cells are cut before rows are left out."""
    texts = block.texts[: block.rows]
    room = box.height - (NOTE if len(texts) < len(block.texts) else 0)
    for size in SIZES:
        least = sum(_least(block, at, broken=True) for at in range(len(block.headings)))
        heights = _heights(block, texts, widths(block, box.width, size), size)
        if least * size <= Emu(box.width).pt and sum(heights) <= room:
            return size, texts, heights
    size, room = SIZES[-1], box.height - NOTE
    wide = widths(block, box.width, size)
    tallest = max(LINES, int(Emu(box.height).pt * TALLEST / (size * measure.LINE)))
    texts = tuple(
        tuple(measure.cut(text, one, tallest) for text, one in zip(row, _rooms(wide, size), strict=True))
        for row in texts
    )
    while True:
        heights = _heights(block, texts, wide, size)
        if sum(heights) <= room or len(texts) == 1:
            return size, texts, heights
        texts = texts[:-1]


def _rooms(wide: Sequence[int], size: float) -> list[float]:
    """Widths of cells without their margins, font sizes."""
    return [Emu(one - 2 * SIDE).pt / size for one in wide]


def _heights(block: Grid, texts: Texts, wide: Sequence[int], size: float) -> list[int]:
    """Heights of heading, rows and total, EMU."""
    rooms = _rooms(wide, size)
    rows = [(block.headings, True), *((row, False) for row in texts), *([(block.total, True)] if block.total else [])]
    tall = [
        max(measure.lines(text, room, bold=bold) for text, room in zip(row, rooms, strict=True)) for row, bold in rows
    ]
    return [int(Pt(one * size * measure.LINE + 2) + 2 * ABOVE) for one in tall]
