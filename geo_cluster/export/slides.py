"""The briefing as slides: 16:9, tables and charts native and editable, the map as shapes that can be recoloured."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.enum.shapes import MSO_SHAPE, PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError
from geo_cluster.export import slide_map
from geo_cluster.export.outline import Chart, Facts, Grid, Lines, Outline, Part, Sheet, outline
from geo_cluster.study import Study

FONTS: dict[Language, str] = {"zh": "微软雅黑", "en": "Segoe UI"}
"""Faces that PowerPoint and WPS have; named, not shipped."""
EAST_ASIAN = "微软雅黑"
PALETTE = toml.table("style")["page"]
SERIES = ("0b6e75", "e08a1e", "5b3f8c", "6b7785", "b3223e", "38a874")
"""Colours of a chart's series, told apart by colour-blind readers and in print."""
MORE: dict[Language, str] = {"zh": "其余 {n} 行见 tables.xlsx", "en": "{n} more rows in tables.xlsx"}
RANGE: dict[Language, tuple[str, str, str]] = {
    "zh": ("下限", "下限–最可能", "最可能–上限"),
    "en": ("low", "low–likely", "likely–high"),
}
LINE_PT = 1.3
"""Height of a line of text, in font sizes."""
SHORT = 12.0
"""A column of texts up to this length, in font sizes, keeps them on one line."""


class Box(NamedTuple):
    """A place on a slide, EMU."""

    left: int
    top: int
    width: int
    height: int

    def rows(self, *shares: float, gap: int = Inches(0.15)) -> list[Box]:
        """The box cut into rows by shares of its height."""
        whole, top, boxes = self.height - gap * (len(shares) - 1), self.top, []
        for share in shares:
            height = int(whole * share / sum(shares))
            boxes.append(Box(self.left, top, self.width, height))
            top += height + gap
        return boxes

    def columns(self, *shares: float, gap: int = Inches(0.25)) -> list[Box]:
        """The box cut into columns by shares of its width."""
        whole, left, boxes = self.width - gap * (len(shares) - 1), self.left, []
        for share in shares:
            width = int(whole * share / sum(shares))
            boxes.append(Box(left, self.top, width, self.height))
            left += width + gap
        return boxes


def slides(study: Study, *, language: Language = "zh", template: Path | None = None, stale: str = "") -> bytes:
    """The briefing of a study as a .pptx file.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    template : Path, optional
        A house's own .pptx: its master, layouts and fonts are used, its slides are left out.
    stale : str
        What every slide says when the study is out of date.

    Raises
    ------
    InputError
        The template is no .pptx, or has no layout with a title.
    """
    made = outline(study, language=language, stale=stale)
    deck = _Deck(made, language, template)
    deck.cover()
    for part in made.parts:
        deck.part(part, study)
    return deck.saved()


class _Deck:
    """A presentation being made."""

    def __init__(self, made: Outline, language: Language, template: Path | None) -> None:
        self.made, self.language, self.own = made, language, template is not None
        self.file = _opened(template)
        if not self.own:
            _plain(self.file)
        self.wide, self.high = int(self.file.slide_width or 0), int(self.file.slide_height or 0)
        self.cover_layout, self.layout = _layouts(self.file, template)

    def cover(self) -> None:
        slide = self.file.slides.add_slide(self.cover_layout)
        box = Box(int(self.wide * 0.08), int(self.high * 0.32), int(self.wide * 0.84), int(self.high * 0.2))
        title = slide.shapes.title
        if not self.own:
            self._band(slide, Box(0, 0, int(self.wide * 0.03), self.high))
            title.left, title.top, title.width, title.height = box
        self._say(title.text_frame, [self.made.title], 40, bold=True)
        lines = [one for one in (self.made.subtitle, self.made.sample, self.made.stale, self.made.review) if one]
        under = Box(box.left, box.top + box.height + Inches(0.15), box.width, int(self.high * 0.28))
        self._text(slide, under, lines, 16, colour=PALETTE["muted"])
        self._drop_empty(slide)

    def part(self, part: Part, study: Study) -> None:
        slide = self.file.slides.add_slide(self.layout)
        title = slide.shapes.title
        if not self.own:
            title.left, title.top, title.width, title.height = self._at(0.045, 0.085, 0.91, 0.115)
            self._text(
                slide, Box(*self._at(0.045, 0.035, 0.7, 0.05)), [part.title], 14, colour=PALETTE["accent"], bold=True
            )
        self._say(title.text_frame, [part.message], 24, bold=True)
        title.text_frame.vertical_anchor = MSO_ANCHOR.TOP
        top = title.top + title.height + int(self.high * 0.015)
        body = Box(title.left, top, title.width, int(self.high * 0.925) - top)
        for block, box in zip(part.blocks, _arranged(part, body), strict=True):
            _DRAWN[type(block)](self, slide, box, block, study)
        self._foot(slide, title.left)
        self._drop_empty(slide)

    def saved(self) -> bytes:
        properties = self.file.core_properties
        properties.title, properties.author, properties.subject = self.made.title, "geo_cluster", self.made.subtitle
        kept = io.BytesIO()
        self.file.save(kept)
        return kept.getvalue()

    def facts(self, slide: Any, box: Box, block: Facts, _: Study) -> None:
        """Cards, four a row."""
        rows = [block.rows[at : at + 4] for at in range(0, len(block.rows), 4)]
        for line, row_box in zip(rows, box.rows(*[1] * len(rows)), strict=True):
            for (name, value), card in zip(line, row_box.columns(*[1] * 4), strict=False):
                shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *card)
                shape.fill.solid()
                shape.fill.fore_color.rgb = _rgb("eef4f4")
                shape.line.fill.background()
                shape.shadow.inherit = False
                frame = shape.text_frame
                frame.vertical_anchor = MSO_ANCHOR.MIDDLE
                size = 26 if _long(value) < 8 else 18
                self._say(frame, [value, name], size, bold=True, colour=PALETTE["accent"], align=PP_ALIGN.CENTER)
                self._style(frame.paragraphs[1], 13, False, PALETTE["muted"])

    def lines(self, slide: Any, box: Box, block: Lines, _: Study) -> None:
        self._text(slide, box, block.lines, 20 if len(block.lines) > 2 else 18, spaced=10)

    def grid(self, slide: Any, box: Box, block: Grid, _: Study) -> None:
        """A native table: as many rows as fit legibly, the rest told."""
        size, count, heights = _fitted(block, box)
        rows = [block.headings, *block.texts[:count], *([block.total] if block.total else [])]
        table = slide.shapes.add_table(len(rows), len(block.headings), box.left, box.top, box.width, sum(heights)).table
        _banded(table)
        for column, width in zip(table.columns, _widths(block, box.width, size), strict=True):
            column.width = width
        for y, (row, height) in enumerate(zip(rows, heights, strict=True)):
            table.rows[y].height = height
            for x, text in enumerate(row):
                cell = table.cell(y, x)
                cell.margin_left = cell.margin_right = Inches(0.06)
                cell.margin_top = cell.margin_bottom = Inches(0.025)
                cell.vertical_anchor = MSO_ANCHOR.MIDDLE
                head, last = y == 0, bool(block.total) and y == len(rows) - 1
                cell.fill.solid()
                cell.fill.fore_color.rgb = _rgb(
                    PALETTE["accent"] if head else "e3eeee" if last else "ffffff" if y % 2 else "f5f7f7"
                )
                self._say(cell.text_frame, [text], size, bold=head or last, colour="ffffff" if head else PALETTE["ink"])
                if block.numeric[x]:
                    cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
        if count < len(block.texts):
            under = Box(box.left, box.top + sum(heights) + Inches(0.03), box.width, Inches(0.28))
            said = MORE[self.language].format(n=len(block.texts) - count)
            self._text(slide, under, [said], 11, colour=PALETTE["muted"])

    def chart(self, slide: Any, box: Box, block: Chart, _: Study) -> None:
        """A native chart; its numbers open in the spreadsheet behind it."""
        data = CategoryChartData(number_format="0%" if block.percent else "#,##0")
        data.categories = block.categories
        series = _as_range(block, RANGE[self.language]) if block.kind == "range" else block.series
        for name, values in series.items():
            data.add_series(name, values)
        across = XL_CHART_TYPE.BAR_STACKED if block.kind == "range" else XL_CHART_TYPE.BAR_CLUSTERED
        kind = XL_CHART_TYPE.COLUMN_STACKED if block.kind == "stacked" else across
        frame = slide.shapes.add_chart(kind, *box, data)
        frame.name = block.title or block.name
        self._chart_style(frame.chart, block)

    def map(self, slide: Any, box: Box, block: Sheet, study: Study) -> None:
        slide_map.draw(slide, box, study, self.language, self._text)

    def _chart_style(self, chart: Any, block: Chart) -> None:
        chart.font.size, chart.font.color.rgb = Pt(12), _rgb(PALETTE["ink"])
        _face(chart.font._rPr, FONTS[self.language])
        chart.has_title = True
        title = f"{block.title}（{block.unit}）" if self.language == "zh" else f"{block.title} ({block.unit})"
        chart.chart_title.text_frame.text = title if block.title else block.unit
        self._style(chart.chart_title.text_frame.paragraphs[0], 13, True, PALETTE["ink"])
        chart.has_legend = len(chart.plots[0].series) > 1 if hasattr(chart.plots[0], "series") else False
        if chart.has_legend:
            chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        plot = chart.plots[0]
        plot.gap_width = 60
        colours = (None, "9fc9cb", "0b6e75") if block.kind == "range" else SERIES
        if block.kind != "bar":
            plot.overlap = 100
        for at, series in enumerate(plot.series):
            colour = colours[at % len(colours)]
            if colour is None:
                series.format.fill.background()
            else:
                series.format.fill.solid()
                series.format.fill.fore_color.rgb = _rgb(colour)
        value, category = chart.value_axis, chart.category_axis
        value.tick_labels.number_format, value.tick_labels.number_format_is_linked = (
            "0%" if block.percent else "#,##0",
            False,
        )
        value.has_major_gridlines = True
        value.major_gridlines.format.line.color.rgb = _rgb("dfe5e5")
        value.format.line.fill.background()
        category.format.line.color.rgb = _rgb("a9b3b3")
        if block.kind in ("range", "bar"):
            category.reverse_order = True

    def _foot(self, slide: Any, left: int) -> None:
        """What every slide has to say, and its number."""
        said = " · ".join(one for one in (self.made.stale, self.made.sample, self.made.subtitle) if one)
        box = Box(left, int(self.high * 0.945), int(self.wide * 0.84), int(self.high * 0.045))
        self._text(slide, box, [said], 10, colour=PALETTE["muted"])
        if not self.own:
            number = Box(int(self.wide * 0.9), box.top, int(self.wide * 0.055), box.height)
            self._text(
                slide, number, [str(len(self.file.slides) - 1)], 10, colour=PALETTE["muted"], align=PP_ALIGN.RIGHT
            )

    def _band(self, slide: Any, box: Box) -> None:
        shape = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *box)
        shape.fill.solid()
        shape.fill.fore_color.rgb = _rgb(PALETTE["accent"])
        shape.line.fill.background()

    def _at(self, left: float, top: float, width: float, height: float) -> tuple[int, int, int, int]:
        return int(self.wide * left), int(self.high * top), int(self.wide * width), int(self.high * height)

    def _text(self, slide: Any, box: Box, lines: Sequence[str], size: float, **look: Any) -> Any:
        shape = slide.shapes.add_textbox(*box)
        frame = shape.text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        self._say(frame, lines, size, **look)
        return shape

    def _say(
        self,
        frame: Any,
        lines: Sequence[str],
        size: float,
        *,
        bold: bool = False,
        colour: str = PALETTE["ink"],
        spaced: float = 0,
        align: Any = None,
    ) -> None:
        frame.word_wrap = True
        for at, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            paragraph.text = _clean(line)
            paragraph.space_after = Pt(spaced)
            if align is not None:
                paragraph.alignment = align
            self._style(paragraph, size, bold, colour)

    def _style(self, paragraph: Any, size: float, bold: bool, colour: str) -> None:
        for run in paragraph.runs:
            run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, _rgb(colour)
            if not self.own:
                run.font.name = FONTS[self.language]
                _face(run.font._rPr, EAST_ASIAN)

    def _drop_empty(self, slide: Any) -> None:
        """Placeholders that nothing was put into would show their prompt."""
        for shape in list(slide.placeholders):
            if shape.has_text_frame and not shape.text_frame.text:
                shape._element.getparent().remove(shape._element)


_DRAWN: dict[type, Callable[..., None]] = {
    Facts: _Deck.facts,
    Lines: _Deck.lines,
    Grid: _Deck.grid,
    Chart: _Deck.chart,
    Sheet: _Deck.map,
}


def _opened(template: Path | None) -> Any:
    """A presentation without slides: the template's, or an empty one."""
    try:
        file = Presentation(None if template is None else str(template))
    except Exception as problem:  # whatever a file that is no presentation brings up
        raise InputError(Fault("export.no_template", template or "", kind=".pptx")) from problem
    ids = file.slides._sldIdLst
    for one in list(ids):
        file.part.drop_rel(one.get(qn("r:id")))
        ids.remove(one)
    return file


def _plain(file: Any) -> None:
    """The library's own template, made wide, with our faces in its theme."""
    file.slide_width, file.slide_height = Inches(13.333), Inches(7.5)
    master = file.slide_masters[0]
    part = next(rel.target_part for rel in master.part.rels.values() if rel.reltype.endswith("/theme"))
    theme = etree.fromstring(part.blob)
    for font in theme.iter(qn("a:latin")):
        if font.getparent().tag in (qn("a:majorFont"), qn("a:minorFont")):
            font.set("typeface", FONTS["en"])
    for font in theme.iter(qn("a:ea")):
        font.set("typeface", EAST_ASIAN)
    part._blob = etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)
    for layout in file.slide_layouts:
        for shape in layout.placeholders:
            if shape.placeholder_format.type in (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE):
                for paragraph in shape.text_frame.paragraphs:
                    paragraph.alignment = PP_ALIGN.LEFT
    for shape in master.placeholders:
        if shape.placeholder_format.type == PP_PLACEHOLDER.TITLE:
            shape.left, shape.width = Inches(0.6), Inches(12.1)
    for style in master.element.iter(qn("p:titleStyle")):
        for level in style:
            level.set("algn", "l")


def _layouts(file: Any, template: Path | None) -> tuple[Any, Any]:
    """The layouts for the cover and for a part: the one of least else with a title."""
    kinds = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
    titled = [one for one in file.slide_layouts if any(p.placeholder_format.type in kinds for p in one.placeholders)]
    if not titled:
        raise InputError(Fault("export.no_layout", template or ""))
    covers = [
        one for one in titled if any(p.placeholder_format.type == PP_PLACEHOLDER.CENTER_TITLE for p in one.placeholders)
    ]
    inner = [one for one in titled if one not in covers] or titled
    return (covers or inner)[0], min(inner, key=lambda one: len(list(one.placeholders)))


def _arranged(part: Part, body: Box) -> list[Box]:
    """Where the blocks of a part go."""
    kinds = [type(block) for block in part.blocks]
    if kinds == [Chart, Chart, Grid]:
        above, below = body.rows(1, 1)
        return [*above.columns(1, 1), below]
    if kinds == [Chart, Grid]:
        return body.columns(1, 1)
    if kinds == [Facts, Lines]:
        return body.rows(3, 1.4)
    if kinds == [Grid, Grid]:
        return body.rows(2.2, 1)
    return body.rows(*[1] * len(kinds)) if kinds else []


def _long(text: str) -> float:
    """Width of a text in font sizes: a wide character is one wide, others a little over half."""
    return sum(1.0 if ord(letter) > 0x2E80 else 0.6 for letter in text)


def _lines_of(text: str, width: float, size: float) -> int:
    """How many lines a text takes in a column, points."""
    return max(1, -(-int(_long(text) * size) // max(int(width), 1)))


def _widths(block: Grid, width: int, size: float) -> list[int]:
    """Short columns are as wide as their longest cell, or half their heading; long texts share what is left."""
    pad = Pt(size + 4)
    whole = [max((_long(row[at]) for row in block.texts[:60]), default=0.0) for at in range(len(block.headings))]
    least = [
        max(cells if number else min(cells, SHORT), _long(heading) / 2 + 0.5)
        for cells, number, heading in zip(whole, block.numeric, block.headings, strict=True)
    ]
    short = [number or cells <= SHORT for cells, number in zip(whole, block.numeric, strict=True)]
    fixed = [int(Pt(one * size) + pad) if is_short else 0 for one, is_short in zip(least, short, strict=True)]
    wanted = [0.0 if is_short else min(cells, 60.0) for cells, is_short in zip(whole, short, strict=True)]
    room = width - sum(fixed)
    if not any(wanted) or room < width * 0.25:
        total = sum(max(one, 3.0) for one in least)
        return (
            [int(width * max(one, 3.0) / total) for one in least]
            if room < 0
            else [int(one * width / sum(fixed)) for one in fixed]
        )
    return [one or int(room * more / sum(wanted)) for one, more in zip(fixed, wanted, strict=True)]


def _fitted(block: Grid, box: Box) -> tuple[float, int, list[int]]:
    """Size of text, number of rows and their heights that go into a box."""
    most = min(block.rows, len(block.texts))
    for size in (14, 13, 12, 11):
        heights = _heights(block, box.width, size, most)
        if sum(heights) <= box.height - Inches(0.3):
            return size, most, heights
    while most > 1:
        most -= 1
        heights = _heights(block, box.width, 11, most)
        if sum(heights) <= box.height - Inches(0.3):
            break
    return 11, most, _heights(block, box.width, 11, most)


def _heights(block: Grid, width: int, size: float, count: int) -> list[int]:
    widths = [Emu(one).pt - 10 for one in _widths(block, width, size)]
    rows = [block.headings, *block.texts[:count], *([block.total] if block.total else [])]
    return [
        int(Pt(max(_lines_of(text, wide, size) for text, wide in zip(row, widths, strict=True)) * size * LINE_PT + 6))
        for row in rows
    ]


def _as_range(block: Chart, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Low, likely, high as bars that lie on each other: nothing up to low, then to likely, then to high."""
    low, likely, high = block.series.values()
    return {
        names[0]: low,
        names[1]: tuple(b - a for a, b in zip(low, likely, strict=True)),
        names[2]: tuple(b - a for a, b in zip(likely, high, strict=True)),
    }


def _banded(table: Any) -> None:
    """No style of the template's: cells have their own fill."""
    for flag in ("firstRow", "bandRow"):
        table._tbl.tblPr.set(flag, "0")


def _rgb(colour: str) -> RGBColor:
    return RGBColor.from_string(colour.lstrip("#").upper())


def _face(properties: Any, name: str) -> None:
    """The East Asian face of a run or chart: without it Chinese falls back to what the theme's Latin face lacks."""
    found = properties.find(qn("a:ea"))
    face = etree.SubElement(properties, qn("a:ea")) if found is None else found
    face.set("typeface", name)
    latin = properties.find(qn("a:latin"))
    if latin is not None and found is None:
        latin.addnext(deepcopy(face))
        properties.remove(face)


def _clean(text: str) -> str:
    """Without control characters, which XML can't hold."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
