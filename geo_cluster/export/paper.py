"""The briefing as a plain paper （汇报材料） in .docx: chapters, tables that go on over pages, native charts, notes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from docx.enum.section import WD_SECTION
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from geo_cluster.domain import Language
from geo_cluster.export import columns
from geo_cluster.export.map_sheets import map_sheet
from geo_cluster.export.numbering import WORDS, Numbers, heading
from geo_cluster.export.outline import Block, Chart, Drawing, Facts, Grid, Lines, Outline, Part, Remark, Sheet, outline
from geo_cluster.export.paper_chart import add_chart
from geo_cluster.export.paper_style import SIZE_5, SIZE_SMALL_5, WIDE_MM, furnish, opened, page, style
from geo_cluster.export.template import House
from geo_cluster.study import Study

CHART_MM = (150.0, 75.0)
MAP_MM = 200.0
CELL_PT = 4.0
"""Margin of a cell at each side."""
SIZES = (SIZE_5, SIZE_SMALL_5, 8.0, 7.0)
"""Type of a table's text, the largest first."""
HEAD_FILL = "E7EEEE"


def paper(
    study: Study,
    *,
    language: Language = "zh",
    template: House = None,
    stale: str = "",
    review: str = "",
    remarks: Sequence[Remark] = (),
) -> bytes:
    """The briefing of a study as a .docx file.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    template : Path or Template, optional
        A house's own .docx: its page, styles, header and footer are used, its text is left out.
    stale : str
        What every page says when the study is out of date.
    review : str
        Map review number, '' for none.
    remarks : sequence of Remark
        Comments to carry along.

    Raises
    ------
    InputError
        The template is no .docx; or there is no Chinese font to draw the map with.
    """
    made = outline(study, language=language, stale=stale, review=review, remarks=remarks)
    return typeset(made, language, template=template, study=study, review=review)


def typeset(
    made: Outline,
    language: Language,
    *,
    template: House = None,
    study: Study | None = None,
    review: str = "",
) -> bytes:
    """Any outline as a .docx file in the house's style.

    Parameters
    ----------
    made : Outline
    language : {"zh", "en"}
    template : Path, optional
        As of `paper`.
    study : Study, optional
        What its maps are drawn from, where it has any.
    review : str
        As of `paper`.
    """
    file = opened(template, language)
    _Paper(file, made, language, study, review, own=template is not None).write()
    kept = io.BytesIO()
    file.save(kept)
    return kept.getvalue()


class _Paper:
    """A paper being written."""

    def __init__(
        self, file: Any, made: Outline, language: Language, study: Study | None, review: str, *, own: bool
    ) -> None:
        self.file, self.made, self.language, self.study, self.own = file, made, language, study, own
        self.review = review
        self.words, self.numbers = WORDS[language], Numbers.of(made)

    def write(self) -> None:
        section = self.file.sections[0]
        head = " · ".join(one for one in (self.made.stale, self.made.sample) if one)
        if not self.own:
            page(section)
            furnish(self.file, section, head)
        self._say("Title", self.made.title)
        for text in (*((head,) if self.own and head else ()), *self.made.about):
            self._say("Subtitle", text)
        self._say("Body Text", "")
        for number, (title, parts) in enumerate(self.made.chapters().items(), 1):
            self._say("Heading 1", heading(1, number, title, self.language))
            for at, part in enumerate(parts, 1):
                if len(parts) > 1:
                    self._say("Heading 2", heading(2, at, part.title, self.language))
                self._part(part)
        self._notes()
        self._maps()
        properties = self.file.core_properties
        properties.title, properties.author, properties.subject = self.made.title, "geo_cluster", self.made.subtitle
        properties.comments = ""

    def _say(self, name: str, text: str) -> Any:
        return self.file.add_paragraph(_clean(text), style=style(self.file, name))

    def _part(self, part: Part) -> None:
        paragraph = self._say("Body Text", part.message + self.numbers.references(part, self.language))
        if part.sources:
            mark = self.numbers.note(" ".join(part.sources))
            paragraph.add_run(self.words["note"].format(n=mark)).font.superscript = True
        for block in part.blocks:
            _WRITTEN[type(block)](self, block)

    def facts(self, block: Facts) -> None:
        told = [self.words["fact"].format(name=name, value=value) for name, value in block.rows]
        self._say("Body Text", self.words["facts"].format(facts=self.words["stop"].join(told)))

    def lines(self, block: Lines) -> None:
        for n, text in enumerate(block.lines, 1):
            self._say("Body Text", self.words["item"].format(n=n, text=text) if len(block.lines) > 1 else text)

    def chart(self, block: Chart) -> None:
        paragraph = self.file.add_paragraph(style=style(self.file, "Cell"))
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        _, number = self.numbers.captions[id(block)]
        wide, high = CHART_MM
        if block.kind != "stacked":
            high = 30.0 + 10.0 * len(block.categories)
        add_chart(paragraph, block, self.language, (Mm(wide), Mm(min(high, 200.0))), number)
        self._say("Caption", self.numbers.caption(block, self.language)).paragraph_format.keep_with_next = False

    def drawing(self, block: Drawing) -> None:
        paragraph = self.file.add_paragraph(style=style(self.file, "Cell"))
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        paragraph.add_run().add_picture(io.BytesIO(block.png), width=int(Pt(self._across())))
        self._say("Caption", self.numbers.caption(block, self.language)).paragraph_format.keep_with_next = False

    def grid(self, block: Grid) -> None:
        self._say("Caption", self.numbers.caption(block, self.language))
        across = self._across()
        size = _size(block, across)
        wide = columns.widths(block, across / size, 2 * CELL_PT / size)
        rows = [block.headings, *block.texts, *([block.total] if block.total else [])]
        table = self.file.add_table(len(rows), len(block.headings))
        if "Table Grid" in self.file.styles:
            table.style = self.file.styles["Table Grid"]
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        look = style(self.file, "Cell").style_id
        _margins(table)
        for column, width in zip(table.columns, wide, strict=True):
            column.width = Pt(width * size)
        last = len(rows) - 1 if block.total else -1
        for y, (row, texts) in enumerate(zip(table.rows, rows, strict=True)):
            _row(row._tr, head=y == 0)
            for cell, text, width, number in zip(row.cells, texts, wide, block.numeric, strict=True):
                cell.width = Pt(width * size)
                cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
                paragraph = cell.paragraphs[0]
                paragraph._p.style = look
                run = paragraph.add_run(_clean(text))
                run.font.size, run.font.bold = Pt(size), y in (0, last) or None
                if y == 0:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                    _shade(cell._tc)
                elif number:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        self._say("Note", "")

    def map(self, block: Sheet) -> None:
        """Maps stand at the end, on pages of their own."""

    def _across(self) -> float:
        """Width of the text, points."""
        if not self.own:
            return WIDE_MM / 25.4 * 72
        first = self.file.sections[0]
        return (first.page_width - first.left_margin - first.right_margin) / Pt(1)

    def _notes(self) -> None:
        if not self.numbers.notes:
            return
        self._say("Heading 1", self.words["notes"])
        for number, text in enumerate(self.numbers.notes, 1):
            self._say("Note", f"{self.words['note'].format(n=number)} {text}")
        if self.made.review:
            self._say("Note", self.made.review)

    def _maps(self) -> None:
        sheets = [block for part in self.made.parts for block in part.blocks if isinstance(block, Sheet)]
        if not sheets:
            return
        assert self.study is not None, "maps are drawn from a study"
        section = self.file.add_section(WD_SECTION.NEW_PAGE)
        if not self.own:
            page(section, upright=False)
        wide = Mm(MAP_MM) if not self.own else int(Pt(self._across()))
        for block in sheets:
            how: dict[str, Any] = {"size": "a4", "form": "png", "language": self.language, "review": self.review}
            picture = map_sheet(self.study, block.name, **how)
            paragraph = self.file.add_paragraph(style=style(self.file, "Cell"))
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.add_run().add_picture(io.BytesIO(picture), width=wide)
            caption = self._say("Caption", self.numbers.caption(block, self.language))
            caption.paragraph_format.keep_with_next = False


_WRITTEN: dict[type[Block], Callable[..., None]] = {
    Facts: _Paper.facts,
    Lines: _Paper.lines,
    Chart: _Paper.chart,
    Grid: _Paper.grid,
    Sheet: _Paper.map,
    Drawing: _Paper.drawing,
}


def _size(block: Grid, across: float) -> float:
    """The largest type at which no short text is broken; where there is none, no word or number."""
    for broken in (False, True):
        for size in SIZES:
            if columns.least(block, 2 * CELL_PT / size, broken=broken) * size <= across:
                return size
    return SIZES[-1]


def _margins(table: Any) -> None:
    """Margins of the cells at their sides."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        one = OxmlElement(f"w:{side}")
        one.set(qn("w:w"), str(round(CELL_PT * 20)))
        one.set(qn("w:type"), "dxa")
        margins.append(one)
    look = table._tbl.tblPr.find(qn("w:tblLook"))
    table._tbl.tblPr.append(margins) if look is None else look.addprevious(margins)


def _row(row: Any, *, head: bool) -> None:
    """A row that isn't broken over pages; the heading stands on each page."""
    properties = row.get_or_add_trPr()
    for tag in ("w:cantSplit", *(("w:tblHeader",) if head else ())):
        properties.append(OxmlElement(tag))


def _shade(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", HEAD_FILL)):
        shade.set(qn(f"w:{key}"), value)
    cell.get_or_add_tcPr().append(shade)


def _clean(text: str) -> str:
    """Without control characters, which XML can't hold."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
