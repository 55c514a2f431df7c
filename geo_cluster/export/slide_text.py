"""Places on a slide, and text in them: faces, colours of the theme, sizes that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.export import measure

EAST_ASIAN = "微软雅黑"
"""The Chinese face, which PowerPoint and WPS have; named, not shipped."""
FACES: dict[Language, str] = {"zh": EAST_ASIAN, "en": "Segoe UI"}
"""The face of letters and digits."""
LANGUAGES: dict[Language, tuple[str, str]] = {"zh": ("zh-CN", "en-US"), "en": ("en-US", "zh-CN")}

WARNING = toml.table("style")["page"]["warning"]
THEME = {
    "ink": MSO_THEME_COLOR.TEXT_1,
    "muted": MSO_THEME_COLOR.TEXT_2,
    "accent": MSO_THEME_COLOR.ACCENT_1,
    "paper": MSO_THEME_COLOR.BACKGROUND_1,
    "pale": MSO_THEME_COLOR.BACKGROUND_2,
}
"""Colours by what they are for; they follow the theme, also a house's."""


class Box(NamedTuple):
    """A place on a slide, EMU."""

    left: int
    top: int
    width: int
    height: int

    def rows(self, *shares: float, gap: int = Inches(0.18)) -> list[Box]:
        """The box cut into rows by shares of its height."""
        whole, top, boxes = self.height - gap * (len(shares) - 1), self.top, []
        for share in shares:
            height = int(whole * share / sum(shares))
            boxes.append(Box(self.left, top, self.width, height))
            top += height + gap
        return boxes

    def columns(self, *shares: float, gap: int = Inches(0.3)) -> list[Box]:
        """The box cut into columns by shares of its width."""
        whole, left, boxes = self.width - gap * (len(shares) - 1), self.left, []
        for share in shares:
            width = int(whole * share / sum(shares))
            boxes.append(Box(left, self.top, width, self.height))
            left += width + gap
        return boxes

    def inside(self, pad: int) -> Box:
        """The box without a margin."""
        return Box(self.left + pad, self.top + pad, self.width - 2 * pad, self.height - 2 * pad)


@dataclass(frozen=True)
class Pen:
    """Puts text onto slides.

    Attributes
    ----------
    language : {"zh", "en"}
    own : bool
        The template is a house's: its faces are left alone.
    scale : float
        Height of the slides over that of ours; sizes of text go with it.
    """

    language: Language
    own: bool
    scale: float = 1.0

    def sizes(self, *sizes: float) -> tuple[float, ...]:
        """Sizes of text on slides of ours, as they are on these; half points."""
        return tuple(max(round(one * self.scale * 2) / 2, 6.0) for one in sizes)

    def text(self, shapes: Any, box: Box, texts: Sequence[str], size: float, **look: Any) -> Any:
        """Put `texts`, a paragraph each, of a `size` in points and a `look` (see `say`), into a `box` of `shapes`."""
        shape = shapes.add_textbox(*box)
        frame = shape.text_frame
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        self.say(frame, texts, size, **look)
        return shape

    def say(
        self,
        frame: Any,
        texts: Sequence[str],
        size: float,
        *,
        bold: bool = False,
        colour: str = "ink",
        after: float = 0,
        align: Any = None,
    ) -> None:
        """Put a paragraph a text into a frame.

        Parameters
        ----------
        frame : TextFrame
        texts : sequence of str
        size : float
            Points.
        bold : bool
        colour : str
            A key of `THEME`, or `#rrggbb`.
        after : float
            Points below each paragraph.
        align : PP_ALIGN, optional
        """
        frame.word_wrap = True
        for at, text in enumerate(texts):
            paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            paragraph.text = clean(text)
            paragraph.space_before, paragraph.space_after = Pt(0), Pt(after)
            if align is not None:
                paragraph.alignment = align
            self.style(paragraph, size, bold=bold, colour=colour)

    def style(self, paragraph: Any, size: float, *, bold: bool = False, colour: str = "ink") -> None:
        """Set `size` in points, `bold`, `colour` of the palette, language and faces of a `paragraph`."""
        for run in paragraph.runs:
            self.run(run, size, bold=bold, colour=colour)

    def run(self, run: Any, size: float, *, bold: bool = False, colour: str = "ink") -> None:
        """Set `size` in points, `bold`, `colour` of the palette, language and faces of a `run`."""
        run.font.size, run.font.bold = Pt(size), bold
        paint(run.font, colour)
        properties = run.font._rPr
        properties.set("lang", LANGUAGES[self.language][0])
        properties.set("altLang", LANGUAGES[self.language][1])
        self.face(run.font)

    def face(self, font: Any) -> None:
        """Our faces, of letters and of Chinese, unless the template has its own."""
        if self.own:
            return
        font.name = FACES[self.language]
        properties, latin = font._rPr, font._rPr.find(qn("a:latin"))
        for old in properties.findall(qn("a:ea")):
            properties.remove(old)
        face = etree.Element(qn("a:ea"))
        face.set("typeface", EAST_ASIAN)
        latin.addnext(face)


def fitting(texts: Sequence[str], box: Box, sizes: Sequence[float], *, bold: bool = False, after: float = 0) -> float:
    """The largest of `sizes` at which the paragraphs go into a box, else the last.

    Parameters
    ----------
    texts : sequence of str
    box : Box
    sizes : sequence of float
        Points, the largest first.
    bold : bool
    after : float
        Points below each paragraph.
    """
    for size in sizes:
        rows = sum(measure.lines(text, Emu(box.width).pt / size, bold=bold) for text in texts)
        if rows * size * measure.LINE + after * len(texts) <= Emu(box.height).pt:
            return size
    return sizes[-1]


def panel(shapes: Any, box: Box, colour: str, *, line: str = "") -> Any:
    """A filled rectangle without shadow.

    Parameters
    ----------
    shapes : Shapes
    box : Box
    colour, line : str
        Keys of `THEME`, or `#rrggbb`; no line when left out.
    """
    shape = shapes.add_shape(MSO_SHAPE.RECTANGLE, *box)
    fill(shape, colour)
    if line:
        paint(shape.line, line)
        shape.line.width = Pt(0.75)
    else:
        shape.line.fill.background()
    flat(shape)
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    return shape


def flat(shape: Any) -> None:
    """Without the shadow of the theme."""
    shape.shadow.inherit = False
    for effect in shape._element.iter(qn("a:effectRef")):
        effect.set("idx", "0")


def fill(shape: Any, colour: str) -> None:
    """Fill a shape or a cell."""
    shape.fill.solid()
    _set(shape.fill.fore_color, colour)


def paint(drawn: Any, colour: str) -> None:
    """Colour a font or a line."""
    _set(drawn.color, colour)


def _set(target: Any, colour: str) -> None:
    if colour.startswith("#"):
        target.rgb = RGBColor.from_string(colour[1:].upper())
    else:
        target.theme_color = THEME[colour]


def clean(text: str) -> str:
    """Without control characters, which XML can't hold."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
