"""Cards, sentences and native tables on a slide; what is too long for its place is cut and told."""

from __future__ import annotations

from typing import Any

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from geo_cluster.domain import Language
from geo_cluster.export import measure
from geo_cluster.export.outline import Facts, Grid, Lines
from geo_cluster.export.slide_text import Box, Pen, fill, fitting, panel

MORE: dict[Language, str] = {"zh": "其余 {n} 行见 tables.xlsx", "en": "{n} more rows: tables.xlsx"}
SIZES = (16, 14, 13, 12, 11)
"""Sizes of a table's text, points; below the last no one in the room reads it."""
SHORT = 12.0
"""A column of texts up to this length, in font sizes, keeps them on one line."""
SIDE, ABOVE = Inches(0.07), Inches(0.03)
"""Margins of a cell."""
NOTE = Inches(0.3)
"""Height of the line below a table that is cut."""
TALLEST = 0.26
"""A row takes up to this share of the place of its table."""


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
    size = min(fitting([text], Box(0, 0, box.width - Inches(1.1), rows[0].height), (22, 20, 18, 16, 14, 12)) for text in block.lines)
    for at, (text, row) in enumerate(zip(block.lines, rows, strict=True), 1):
        mark = panel(shapes, Box(row.left, row.top, Inches(0.7), row.height), "accent")
        pen.say(mark.text_frame, [str(at)], 24, bold=True, colour="paper", align=PP_ALIGN.CENTER)
        shape = panel(shapes, Box(row.left + Inches(0.7), row.top, row.width - Inches(0.7), row.height), "pale")
        shape.text_frame.margin_left = Inches(0.25)
        pen.say(shape.text_frame, [text], size, align=PP_ALIGN.LEFT)


def grid(pen: Pen, shapes: Any, box: Box, block: Grid) -> None:
    """A native table: as many rows as fit legibly, the rest told."""
    size, texts, heights = _fitted(block, box)
    rows = [block.headings, *texts, *([block.total] if block.total else [])]
    frame = shapes.add_table(len(rows), len(block.headings), box.left, box.top, box.width, sum(heights))
    frame.name, table = block.title or block.name, frame.table
    frame._element.nvGraphicFramePr.cNvPr.set("descr", f"{block.title} {' · '.join(block.headings)}".strip())
    table.first_row, table.horz_banding = True, False
    for column, width in zip(table.columns, widths(block, box.width, size), strict=True):
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
    """Widths of columns, EMU: each at least as wide as what can't be broken, the rest by what the cells hold.

    Parameters
    ----------
    block : Grid
    width : int
        Of the table, EMU.
    size : float
        Points.
    """
    pad = Emu(2 * SIDE).pt / size + 0.2
    least, wanted = [], []
    for at, (heading, number) in enumerate(zip(block.headings, block.numeric, strict=True)):
        cells = [row[at] for row in (*block.texts[:60], *([block.total] if block.total else []))]
        whole = max((measure.width(text) for text in cells), default=0.0)
        head = max(measure.width(heading, bold=True) / 2 + 0.6, measure.longest_word(heading) * measure.BOLD)
        kept = whole if number or whole <= SHORT else min(max(map(measure.longest_word, cells)), SHORT)
        least.append(max(kept, min(head, SHORT)) + pad)
        wanted.append(max(min(whole, 60.0), measure.width(heading, bold=True)) + pad)
    room = Emu(width).pt / size
    spare, more = room - sum(least), [max(b - a, 0.0) for a, b in zip(least, wanted, strict=True)]
    if spare <= 0:
        shared = [one * room / sum(least) for one in least]
    elif sum(more) >= spare:
        shared = [a + spare * b / sum(more) for a, b in zip(least, more, strict=True)]
    else:
        shared = [(a + b) * room / (sum(least) + sum(more)) for a, b in zip(least, more, strict=True)]
    return [int(Pt(one * size)) for one in shared]


def _fitted(block: Grid, box: Box) -> tuple[float, list[tuple[str, ...]], list[int]]:
    """Size of text, rows and heights of all rows that go into a box."""
    most = min(block.rows, len(block.texts))
    room = box.height - (NOTE if most < len(block.texts) else 0)
    size: float = SIZES[0]
    for size in SIZES:
        texts, heights = _cut(block, box, size, most)
        if sum(heights) <= room:
            return size, texts, heights
    room = box.height - NOTE
    while most > 1:
        most -= 1
        texts, heights = _cut(block, box, size, most)
        if sum(heights) <= room:
            break
    return size, texts, heights


def _cut(block: Grid, box: Box, size: float, count: int) -> tuple[list[tuple[str, ...]], list[int]]:
    """The first rows, their long cells cut, and the heights of heading, rows and total."""
    rooms = [(Emu(one).pt - Emu(2 * SIDE).pt) / size for one in widths(block, box.width, size)]
    most = max(1, int((Emu(box.height).pt * TALLEST) / (size * measure.LINE)))
    texts = [
        tuple(measure.cut(text, room, most) for text, room in zip(row, rooms, strict=True))
        for row in block.texts[:count]
    ]
    rows = [(block.headings, True), *((row, False) for row in texts), *([(block.total, True)] if block.total else [])]
    heights = [
        max(measure.lines(text, room, bold=bold) for text, room in zip(row, rooms, strict=True))
        for row, bold in rows
    ]
    return texts, [int(Pt(one * size * measure.LINE + 2) + 2 * ABOVE) for one in heights]
