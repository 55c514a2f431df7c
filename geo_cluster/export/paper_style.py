"""The measures and faces of a Chinese official paper (GB/T 9704-2012) as page set-up and styles of a .docx file.

A4 with margins of 37, 28, 26 and 35 mm: a text block of 156 x 225 mm, 22 lines of 28 characters of 3号. The title in
2号小标宋; 一、 in 黑体, （一） in 楷体, 1. and text in 仿宋; page numbers in 4号宋体, outside.
Faces are named, not shipped.
"""

from __future__ import annotations

from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor, Twips

from geo_cluster.domain import Language
from geo_cluster.errors import Fault, InputError
from geo_cluster.export.slide_template import themed
from geo_cluster.export.template import House, named, source

LATIN = "Times New Roman"
SMALL_SONG, FANGSONG, HEITI, KAITI, SONG = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312", "宋体"
SIZE_2, SIZE_3, SIZE_4, SIZE_SMALL_4, SIZE_5, SIZE_SMALL_5 = 22.0, 16.0, 14.0, 12.0, 10.5, 9.0
"""Chinese sizes of type, points."""
WIDE_MM, HIGH_MM = 156.0, 225.0
TOP_MM, LEFT_MM = 37.0, 28.0
LINES, LETTERS = 22, 28
LINE_PT = HIGH_MM / 25.4 * 72 / LINES
PITCH_PT = WIDE_MM / 25.4 * 72 / LETTERS
TIGHT_TWIPS = -5
"""Between characters of 3号, so that 28 fill a line: programs differ about a grid narrower than its type."""
LANGUAGES: dict[Language, str] = {"zh": "zh-CN", "en": "en-US"}

STYLES: dict[str, tuple[str, float, bool, float]] = {
    "Normal": (FANGSONG, SIZE_3, False, 0),
    "Body Text": (FANGSONG, SIZE_3, False, 2),
    "Title": (SMALL_SONG, SIZE_2, False, 0),
    "Subtitle": (KAITI, SIZE_3, False, 0),
    "Heading 1": (HEITI, SIZE_3, False, 2),
    "Heading 2": (KAITI, SIZE_3, False, 2),
    "Heading 3": (FANGSONG, SIZE_3, True, 2),
    "Caption": (HEITI, SIZE_SMALL_4, False, 0),
    "Cell": (FANGSONG, SIZE_5, False, 0),
    "Note": (FANGSONG, SIZE_5, False, 0),
    "Header": (HEITI, SIZE_5, False, 0),
    "Footer": (SONG, SIZE_4, False, 0),
}
"""Style -> Chinese face, size, whether bold, characters by which the first line is indented."""
CENTRED = ("Title", "Subtitle", "Caption", "Header")
OFF_GRID = ("Caption", "Cell", "Note", "Header")
"""Styles of smaller type, which don't keep to the 22 lines; the others have lines of the grid's height."""


def opened(template: House, language: Language) -> Any:
    """An empty document: with the measures of the standard, or a house's with its page and styles.

    Raises
    ------
    InputError
        The template is no .docx.
    """
    content = source(template, ".docx")
    try:
        file = Document(content)
    except Exception as problem:  # whatever a file that is no document brings up
        raise InputError(Fault("export.no_template", named(template), kind=".docx")) from problem
    body = file.element.body
    for child in list(body):
        if child.tag != qn("w:sectPr"):
            body.remove(child)
    if template is None:
        _plain(file, language)
    return file


def style(file: Any, name: str) -> Any:
    """A style by name; the one of plain text where a house's template hasn't got it."""
    return file.styles[name if name in file.styles else "Normal"]


def face(run_or_style: Any, chinese: str) -> None:
    """Name the faces of a run or a style; a face of the theme would beat them, so there is none."""
    properties = run_or_style.element.get_or_add_rPr()
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for key in [key for key in fonts.attrib if "theme" in key.lower()]:
        del fonts.attrib[key]
    for key, name in (("ascii", LATIN), ("hAnsi", LATIN), ("cs", LATIN), ("eastAsia", chinese)):
        fonts.set(qn(f"w:{key}"), name)


def page(section: Any, *, upright: bool = True) -> None:
    """Size, margins and grid of a section; one that lies on its side has its margins turned with it.

    Parameters
    ----------
    section : Section
    upright : bool
    """
    section.orientation = WD_ORIENT.PORTRAIT if upright else WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = (Mm(210), Mm(297)) if upright else (Mm(297), Mm(210))
    right, bottom = 210 - LEFT_MM - WIDE_MM, 297 - TOP_MM - HIGH_MM
    sides = (TOP_MM, right, bottom, LEFT_MM) if upright else (LEFT_MM, bottom, right, 25.0)
    section.top_margin, section.right_margin, section.bottom_margin, section.left_margin = map(Mm, sides)
    section.header_distance, section.footer_distance = Mm(15), Mm(bottom - 7 - 5 if upright else 12)
    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is None:
        grid = OxmlElement("w:docGrid")
        section._sectPr.append(grid)
    grid.set(qn("w:type"), "linesAndChars")
    grid.set(qn("w:linePitch"), str(int(LINE_PT * 20)))
    grid.set(qn("w:charSpace"), str(round((PITCH_PT - SIZE_3) * 4096)))


def furnish(file: Any, section: Any, head: str) -> None:
    """Put what every page has to say above it, and page numbers below: outside, between two lines.

    Parameters
    ----------
    file : Document
    section : Section
    head : str
        '' for nothing.
    """
    file.settings.odd_and_even_pages_header_footer = True
    for header in (section.header, section.even_page_header):
        header.is_linked_to_previous = False
        paragraph = header.paragraphs[0]
        paragraph.style = style(file, "Header")
        if head:
            paragraph.add_run(head).font.color.rgb = RGBColor(0xB4, 0x54, 0x1A)
    for footer, side in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.style, paragraph.alignment = style(file, "Footer"), side
        indent = paragraph._p.get_or_add_pPr().get_or_add_ind()
        indent.set(qn("w:rightChars" if side == WD_ALIGN_PARAGRAPH.RIGHT else "w:leftChars"), "100")
        paragraph.add_run("— ")
        _field(paragraph.add_run(), "PAGE")
        paragraph.add_run(" —")


def _field(run: Any, code: str) -> None:
    for kind in ("begin", "separate", "end"):
        mark = OxmlElement("w:fldChar")
        mark.set(qn("w:fldCharType"), kind)
        if kind == "separate":
            text = OxmlElement("w:instrText")
            text.set(qn("xml:space"), "preserve")
            text.text = f" {code} "
            run._r.append(text)
        run._r.append(mark)
        if kind == "separate":
            shown = OxmlElement("w:t")
            shown.text = "1"
            run._r.append(shown)


def _plain(file: Any, language: Language) -> None:
    """Styles and theme of the standard's faces, in the library's own template."""
    for fonts in file.styles.element.iter(qn("w:rFonts")):
        for key in [key for key in fonts.attrib if "theme" in key.lower()]:
            del fonts.attrib[key]
    for said in file.styles.element.iter(qn("w:lang")):
        said.set(qn("w:val"), "en-US")
        said.set(qn("w:eastAsia"), "zh-CN")
    for size in file.styles.element.iter(qn("w:docDefaults")):  # from which the grid's characters are counted
        for one in size.iter(qn("w:sz"), qn("w:szCs")):
            one.set(qn("w:val"), str(int(2 * SIZE_3)))
    for name, (chinese, size, bold, indent) in STYLES.items():
        known = name in file.styles
        one = file.styles[name] if known else file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if not known:
            one.base_style = file.styles["Normal"]
        face(one, chinese)
        one.font.size, one.font.bold, one.font.italic = Pt(size), bold, False
        one.font.color.rgb = RGBColor(0, 0, 0)
        _paragraphs(one, name, indent, language)
    part = next(rel.target_part for rel in file.part.rels.values() if rel.reltype.endswith("/theme"))
    part._blob = themed(part.blob, latin=LATIN, chinese=HEITI)


def _tight(one: Any) -> None:
    spacing = OxmlElement("w:spacing")
    spacing.set(qn("w:val"), str(TIGHT_TWIPS))
    properties = one.element.get_or_add_rPr()
    properties.insert_element_before(spacing, "w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:lang")


def _paragraphs(one: Any, name: str, indent: float, language: Language) -> None:
    form = one.paragraph_format
    form.space_before = form.space_after = Pt(0)
    if name in OFF_GRID:
        form.line_spacing = 1.15
        if name == "Caption":
            form.space_before = form.space_after = Pt(4)
    else:
        form.line_spacing = Twips(int(LINE_PT * 20)) if name != "Title" else Pt(34)
        if language == "zh" and name != "Title":
            _tight(one)
    properties = one.element.get_or_add_pPr()
    for old in properties.findall(qn("w:pBdr")):
        properties.remove(old)
    snap = OxmlElement("w:snapToGrid")
    snap.set(qn("w:val"), "0")
    properties.insert_element_before(snap, "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:outlineLvl", "w:rPr")
    if name in CENTRED:
        form.alignment = WD_ALIGN_PARAGRAPH.CENTER
    elif name == "Body Text":
        form.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY if language == "zh" else WD_ALIGN_PARAGRAPH.LEFT
    if indent:
        form.first_line_indent = Pt(indent * SIZE_3)
        form._element.pPr.ind.set(qn("w:firstLineChars"), str(int(indent * 100)))
    if name.startswith("Heading") or name == "Caption":
        form.keep_with_next = True
