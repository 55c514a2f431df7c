"""The briefing as slides: 16:9, tables and charts native and editable, the map as shapes that can be recoloured."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from geo_cluster.domain import Language
from geo_cluster.export import measure, slide_charts, slide_map, slide_surface, slide_tables, slide_template
from geo_cluster.export.outline import Block, Chart, Facts, Grid, Lines, Outline, Part, Remark, Sheet, outline
from geo_cluster.export.review import review_words
from geo_cluster.export.slide_text import WARNING, Box, Pen, fitting, panel
from geo_cluster.export.template import House
from geo_cluster.study import Study

BESIDE = (1.15, 1.5, 2.0)
"""How much wider than charts what stands beside them is: the least that tables have room in."""
CAPTION = Inches(0.32)
"""Height of a table's title in one line, where another block stands beside it."""


def slides(
    study: Study,
    *,
    language: Language = "zh",
    template: House = None,
    stale: str = "",
    review: str = "",
    remarks: Sequence[Remark] = (),
) -> bytes:
    """The briefing of a study as a .pptx file.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    template : Path or Template, optional
        A house's own .pptx: its master, layouts, faces and colours are used, its slides are left out.
    stale : str
        What every slide says when the study is out of date.
    review : str
        Map review number, '' for none.
    remarks : sequence of Remark
        Comments to carry along.

    Raises
    ------
    InputError
        The template is no .pptx, or has no layout with a title.
    """
    base = slide_template.opened(template)
    made = outline(study, language=language, stale=stale, review=review, remarks=remarks)
    scale = base.file.slide_height / Inches(slide_template.HIGH_IN)
    deck = _Deck(made, base, Pen(language, own=template is not None, scale=scale), study, review)
    deck.cover()
    for part in made.parts:
        deck.part(part)
    return deck.saved()


class _Deck:
    """A presentation being made."""

    def __init__(self, made: Outline, base: slide_template.Base, pen: Pen, study: Study, review: str) -> None:
        self.made, self.base, self.pen, self.study = made, base, pen, study
        self.review = review_words(review, pen.language)
        self.wide, self.high = int(base.file.slide_width or 0), int(base.file.slide_height or 0)

    def cover(self) -> None:
        slide = self.base.file.slides.add_slide(self.base.cover)
        title, box = slide.shapes.title, self._at(0.085, 0.27, 0.83, 0.19)
        if self.pen.own:
            box = Box(title.left, title.top, title.width, title.height)
        else:
            panel(slide.shapes, self._at(0, 0, 0.03, 1), "accent")
            title.left, title.top, title.width, title.height = box
            title.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM
        size = fitting([self.made.title], box, self.pen.sizes(44, 40, 36, 32, 28, 24), bold=True)
        self.pen.say(title.text_frame, [self.made.title], size, bold=True)
        top = box.top + box.height + int(self.high * 0.03)
        under = Box(box.left, top, box.width, int(self.high * 0.92) - top)
        told = [(one, WARNING) for one in (self.made.stale, self.made.sample) if one]
        told += [(one, "muted") for one in (*self.made.about, self.made.review)]
        texts = [measure.cut(text, 45, 3) for text, _ in told]
        size = fitting(texts, under, self.pen.sizes(18, 16, 14, 12), after=8)
        frame = self.pen.text(slide.shapes, under, texts, size, after=8).text_frame
        for paragraph, (_, colour) in zip(frame.paragraphs, told, strict=True):
            self.pen.style(paragraph, size, bold=colour == WARNING, colour=colour)
        _drop_empty(slide)

    def part(self, part: Part) -> None:
        slide = self.base.file.slides.add_slide(self.base.inner)
        title, message = slide.shapes.title, part.message
        if self.pen.own:
            message = f"{part.title} | {message}"
        else:
            title.left, title.top, title.width, title.height = self._at(0.045, 0.085, 0.91, 0.125)
            kicker = self._at(0.045, 0.04, 0.7, 0.045)
            self.pen.text(slide.shapes, kicker, [part.title], 14, colour="accent", bold=True)
            frame = title.text_frame
            frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
            frame.vertical_anchor = MSO_ANCHOR.TOP
        inner = Box(title.left, title.top, title.width - Inches(0.2), title.height)
        size = fitting([message], inner, self.pen.sizes(26, 24, 22, 20, 18, 16), bold=True)
        room = Emu(inner.width).pt / size
        most = max(1, int(Emu(inner.height).pt / size / measure.LINE))
        self.pen.say(title.text_frame, [measure.cut(message, room, most, bold=True)], size, bold=True)
        body = slide_template.body(self.base.inner, title, int(self.high * 0.925))
        for block, box in zip(part.blocks, arranged(self.pen, part.blocks, body), strict=True):
            self._block(slide, box, block, alone=len(part.blocks) == 1)
        self._foot(slide, title.left, title.width)
        slide.notes_slide.notes_text_frame.text = "\n".join((f"{part.title}：{part.message}", *part.sources))
        _drop_empty(slide)

    def saved(self) -> bytes:
        properties = self.base.file.core_properties
        properties.title, properties.author, properties.subject = self.made.title, "geo_cluster", self.made.subtitle
        kept = io.BytesIO()
        self.base.file.save(kept)
        return kept.getvalue()

    def _block(self, slide: Any, box: Box, block: Block, *, alone: bool) -> None:
        if isinstance(block, Sheet):
            draw = slide_surface.draw if block.name == "suitability" else slide_map.draw
            draw(self.pen, slide, box, self.study, self.review)
            return
        if isinstance(block, Grid) and not alone:
            (size,) = self.pen.sizes(12)
            room = Emu(box.width).pt / size
            title = measure.cut(block.title, room, 2, bold=True)
            high = int(Pt(size * measure.LINE * measure.lines(title, room, bold=True) + 6))
            self.pen.text(slide.shapes, Box(*box[:3], high), [title], size, colour="accent", bold=True)
            box = Box(box.left, box.top + high, box.width, box.height - high)
        _DRAWN[type(block)](self.pen, slide.shapes, box, block)

    def _foot(self, slide: Any, left: int, width: int) -> None:
        """What every slide has to say, and its number."""
        said = [one for one in (self.made.stale, self.made.sample) if one]
        box = Box(left, int(self.high * 0.942), width - Inches(0.7), int(self.high * 0.045))
        size = fitting([" · ".join((*said, self.made.subtitle))], box, self.pen.sizes(10, 9, 8), bold=True)
        room = Emu(box.width).pt / size
        warned = measure.cut(" · ".join(said), room * 0.75, 1, bold=True)
        about = measure.cut(self.made.subtitle, max(room - measure.width(warned, bold=True) - 2, 6), 1)
        frame = self.pen.text(slide.shapes, box, [warned], size, bold=True, colour=WARNING).text_frame
        run = frame.paragraphs[0].add_run()
        run.text = f"　{about}" if warned else about
        self.pen.run(run, size, colour="muted")
        number = Box(left + width - Inches(0.6), box.top, Inches(0.6), box.height)
        frame = self.pen.text(slide.shapes, number, ["0"], size, colour="muted", align=PP_ALIGN.RIGHT).text_frame
        _number(frame.paragraphs[0], len(self.base.file.slides))

    def _at(self, left: float, top: float, width: float, height: float) -> Box:
        return Box(int(self.wide * left), int(self.high * top), int(self.wide * width), int(self.high * height))


_DRAWN: dict[type, Callable[..., None]] = {
    Facts: slide_tables.facts,
    Lines: slide_tables.lines,
    Grid: slide_tables.grid,
    Chart: slide_charts.chart,
}


def arranged(pen: Pen, blocks: tuple[Block, ...], body: Box) -> list[Box]:
    """Where the blocks of a part go: charts at the left, tables at the right; else one below the other.

    Parameters
    ----------
    pen : Pen
    blocks : tuple of Block
    body : Box
    """
    charts = [block for block in blocks if isinstance(block, Chart)]
    others = [block for block in blocks if not isinstance(block, Chart)]
    if charts and others:
        left, right = body.columns(1, next((one for one in BESIDE if _fits(pen, others, body, one)), BESIDE[-1]))
        cells = {id(one): at for one, at in zip(charts, left.rows(*[1] * len(charts)), strict=True)}
        shares = [_wanted(pen, block, right.width) for block in others]
        cells |= {id(one): at for one, at in zip(others, right.rows(*shares), strict=True)}
        return [cells[id(block)] for block in blocks]
    return body.rows(*(_wanted(pen, block, body.width) for block in blocks)) if blocks else []


def _fits(pen: Pen, blocks: Sequence[Block], body: Box, share: float) -> bool:
    """Whether the tables among the blocks have room for their words in this share of the slide."""
    _, right = body.columns(1, share)
    grids = [block for block in blocks if isinstance(block, Grid)]
    return all(slide_tables.least(pen, block) <= right.width for block in grids)


def _wanted(pen: Pen, block: Block, width: int) -> int:
    """How much height a block wants beside others, EMU."""
    if isinstance(block, Grid):
        return slide_tables.wanted(pen, block, width) + CAPTION
    return {Facts: Inches(3.2), Lines: Inches(1.4)}.get(type(block), Inches(3))


def _number(paragraph: Any, shown: int) -> None:
    """Make the run of a paragraph the number of the slide, which follows when slides are moved."""
    run = paragraph.runs[0]._r
    field = etree.Element(qn("a:fld"))
    field.set("id", "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}")
    field.set("type", "slidenum")
    for child in list(run):
        field.append(child)
    field.find(qn("a:t")).text = str(shown)
    run.getparent().replace(run, field)


def _drop_empty(slide: Any) -> None:
    """Placeholders that nothing was put into would show their prompt."""
    for shape in list(slide.placeholders):
        if shape.has_text_frame and not shape.text_frame.text:
            shape._element.getparent().remove(shape._element)
