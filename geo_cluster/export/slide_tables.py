"""Cards, sentences and native tables on a slide; what is too long for its place is cut and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from geo_cluster.domain import Language
from geo_cluster.export import columns, measure
from geo_cluster.export.columns import Texts
from geo_cluster.export.outline import Facts, Grid, Lines
from geo_cluster.export.slide_text import Box, Pen, fill, fitting, panel

MORE: dict[Language, str] = {
    "zh": "其余 {n} 行见“全部表格”和汇报材料",
    "en": "{n} more rows: see the tables and the paper",
}
SIZES = (16, 14, 13, 12, 11)
"""Sizes of a table's text, points; below the last no one in the room reads it."""
LEGIBLE = 12
"""Tables beside charts get room for so large a type."""
SIDE, ABOVE = Inches(0.07), Inches(0.03)
"""Margins of a cell."""
NUMBERED = Inches(0.65)
"""Sentences with so much height each are numbered."""
NOTE = Inches(0.3)
"""Height of the line below a table that is cut."""
LINES, TALLEST = 4, 0.26
"""Where a table is too long, its cells keep so many lines, or lines up to this share of its place."""


def facts(pen: Pen, shapes: Any, box: Box, block: Facts) -> None:
    """Draw `block` with `pen` among `shapes` in `box`: cards, four a row."""
    rows = [block.rows[at : at + 4] for at in range(0, len(block.rows), 4)]
    for line, row_box in zip(rows, box.rows(*[1] * len(rows)), strict=True):
        for (name, value), card in zip(line, row_box.columns(*[1] * 4, gap=Inches(0.2)), strict=False):
            shape = panel(shapes, card, "pale")
            panel(shapes, Box(card.left, card.top, Inches(0.06), card.height), "accent")
            frame = shape.text_frame
            frame.margin_left = frame.margin_right = Inches(0.15)
            inner = Box(0, 0, card.width - Inches(0.3), int(Pt(40 * pen.scale)))
            size = fitting([value], inner, pen.sizes(28, 24, 20, 18, 16, 13), bold=True)
            pen.say(frame, [value, name], size, bold=True, colour="accent", align=PP_ALIGN.CENTER)
            pen.style(frame.paragraphs[1], *pen.sizes(13), colour="muted")


def lines(pen: Pen, shapes: Any, box: Box, block: Lines) -> None:
    """Draw `block` with `pen` among `shapes` in `box`: sentences; those with a place of their own are numbered."""
    if box.height < NUMBERED * len(block.lines):
        size = fitting(block.lines, box, pen.sizes(18, 16, 14, 13, 12), after=8)
        pen.text(shapes, box, block.lines, size, after=8)
        return
    rows = box.rows(*[1] * len(block.lines))
    size = min(
        fitting([text], Box(0, 0, box.width - Inches(1.1), rows[0].height), pen.sizes(22, 20, 18, 16, 14, 12))
        for text in block.lines
    )
    for at, (text, row) in enumerate(zip(block.lines, rows, strict=True), 1):
        mark = panel(shapes, Box(row.left, row.top, Inches(0.7), row.height), "accent")
        pen.say(mark.text_frame, [str(at)], 24, bold=True, colour="paper", align=PP_ALIGN.CENTER)
        shape = panel(shapes, Box(row.left + Inches(0.7), row.top, row.width - Inches(0.7), row.height), "pale")
        shape.text_frame.margin_left = Inches(0.25)
        pen.say(shape.text_frame, [text], size, align=PP_ALIGN.LEFT)


def grid(pen: Pen, shapes: Any, box: Box, block: Grid) -> None:
    """Draw `block` with `pen` among `shapes` in `box`: a native table, as many rows as fit, the rest told."""
    size, wide, texts, heights = _fitted(block, box, pen.sizes(*SIZES))
    rows = [block.headings, *texts, *([block.total] if block.total else [])]
    frame = shapes.add_table(len(rows), len(block.headings), box.left, box.top, box.width, sum(heights))
    frame.name, table = block.title or block.name, frame.table
    frame._element.nvGraphicFramePr.cNvPr.set("descr", f"{block.title} {' · '.join(block.headings)}".strip())
    table.first_row, table.horz_banding = True, False
    for column, width in zip(table.columns, wide, strict=True):
        column.width = int(Pt(width * size))
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
        pen.text(
            shapes, under, [MORE[pen.language].format(n=len(block.texts) - len(texts))], *pen.sizes(11), colour="muted"
        )


def wanted(pen: Pen, block: Grid, width: int) -> int:
    """Height that the table `block` would like in a `width`, EMU, in the faces of `pen`."""
    (size,) = pen.sizes(SIZES[1])
    across, margins = Emu(width).pt / size, Emu(2 * SIDE).pt / size
    return sum(_heights(block, block.texts[: block.rows], columns.widths(block, across, margins), size))


def least(pen: Pen, block: Grid) -> int:
    """Width below which words or numbers of a table would be broken at a size that can be read, EMU."""
    (size,) = pen.sizes(LEGIBLE)
    return int(Pt(columns.least(block, Emu(2 * SIDE).pt / size) * size))


def _fitted(block: Grid, box: Box, sizes: Sequence[float]) -> tuple[float, list[float], Texts, list[int]]:
    """Size of text, widths, rows and heights of all rows that go into a box.

    Long cells are cut before rows are left out.
    """
    texts = block.texts[: block.rows]
    room = box.height - (NOTE if len(texts) < len(block.texts) else 0)
    for size in sizes:
        across, margins = Emu(box.width).pt / size, Emu(2 * SIDE).pt / size
        wide = columns.widths(block, across, margins)
        heights = _heights(block, texts, wide, size)
        if columns.least(block, margins) <= across and sum(heights) <= room:
            return size, wide, texts, heights
    room = box.height - NOTE
    tallest = max(LINES, int(Emu(box.height).pt * TALLEST / (size * measure.LINE)))
    texts = tuple(
        tuple(measure.cut(text, one - margins, tallest) for text, one in zip(row, wide, strict=True)) for row in texts
    )
    while True:
        heights = _heights(block, texts, wide, size)
        if sum(heights) <= room or len(texts) == 1:
            return size, wide, texts, heights
        texts = texts[:-1]


def _heights(block: Grid, texts: Texts, wide: Sequence[float], size: float) -> list[int]:
    """Heights of heading, rows and total, EMU."""
    tall = columns.lines(block, texts, wide, Emu(2 * SIDE).pt / size)
    return [int(Pt(one * size * measure.LINE + 2) + 2 * ABOVE) for one in tall]
