"""The file that slides are put into: a plain one, or a house's with its master, layouts, faces and colours."""

from __future__ import annotations

from typing import Any, NamedTuple

from lxml import etree
from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.oxml.ns import qn
from pptx.util import Inches

from geo_cluster import toml
from geo_cluster.errors import Fault, InputError
from geo_cluster.export.slide_text import EAST_ASIAN, FACES, Box
from geo_cluster.export.template import House, named, source

TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
CONTENT = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT)
COVERS, INNER = ("title",), ("titleOnly", "obj", "twoObj", "tx")
"""Types of layouts for the cover and for a part, the best first."""
SERIES = ("0b6e75", "e08a1e", "5b3f8c", "6b7785", "b3223e", "38a874")
"""Accents of the plain theme: told apart by colour-blind readers and in print."""
PALE = "eaf1f1"
WIDE_IN, HIGH_IN = 13.333, 7.5


class Base(NamedTuple):
    """A presentation without slides, and its layouts for the cover and for a part."""

    file: Any
    cover: Any
    inner: Any


def opened(template: House) -> Base:
    """The plain file, or a house's without its slides.

    Raises
    ------
    InputError
        The template is no .pptx, or has no layout with a title.
    """
    content = source(template, ".pptx")
    try:
        file: Any = Presentation(content)
    except Exception as problem:  # whatever a file that is no presentation brings up
        raise InputError(Fault("export.no_template", named(template), kind=".pptx")) from problem
    ids = file.slides._sldIdLst
    for one in list(ids):
        file.part.drop_rel(one.get(qn("r:id")))
        ids.remove(one)
    for sections in list(file.part._element.iter("{http://schemas.microsoft.com/office/powerpoint/2010/main}section")):
        sections.getparent().remove(sections)
    if template is None:
        _plain(file)
    titled = [one for one in file.slide_layouts if any(p.placeholder_format.type in TITLES for p in one.placeholders)]
    if not titled:
        raise InputError(Fault("export.no_layout", named(template)))
    return Base(file, _of_type(titled, COVERS), _of_type(titled, INNER))


def body(layout: Any, title: Any, bottom: int) -> Box:
    """Where content goes: the layout's own place for it, else below the title.

    Parameters
    ----------
    layout : SlideLayout
    title : shape
        Title of a slide of it.
    bottom : int
        Nothing goes below this, EMU.
    """
    own = [one for one in layout.placeholders if one.placeholder_format.type in CONTENT and one.width and one.height]
    if not own:
        top = title.top + title.height + int(bottom * 0.015)
        return Box(title.left, top, title.width, bottom - top)
    left, top = min(one.left for one in own), min(one.top for one in own)
    right, end = max(one.left + one.width for one in own), max(one.top + one.height for one in own)
    return Box(left, top, right - left, min(end, bottom) - top)


def _of_type(layouts: list[Any], types: tuple[str, ...]) -> Any:
    """The first layout of the first type that there is, else the one of least else."""
    for kind in types:
        for layout in layouts:
            if layout._element.get("type") == kind:
                return layout
    return min(layouts, key=lambda one: len(one.placeholders))


def _plain(file: Any) -> None:
    """The library's own template, made wide, with our faces and colours in its theme."""
    share = Inches(WIDE_IN) / file.slide_width
    file.slide_width, file.slide_height = Inches(WIDE_IN), Inches(HIGH_IN)
    master = file.slide_masters[0]
    for offset in (one for page in (master, *file.slide_layouts) for one in page._element.iter(qn("a:xfrm"))):
        for point, key in ((offset.find(qn("a:off")), "x"), (offset.find(qn("a:ext")), "cx")):
            if point is not None:
                point.set(key, str(int(int(point.get(key)) * share)))
    for level in (level for style in master._element.iter(qn("p:titleStyle")) for level in style):
        level.set("algn", "l")
    part = next(rel.target_part for rel in master.part.rels.values() if rel.reltype.endswith("/theme"))
    part._blob = themed(part.blob, latin=FACES["en"], chinese=EAST_ASIAN)


def themed(content: bytes, *, latin: str, chinese: str) -> bytes:
    """A theme part, `content`, with our colours and the faces `latin` and `chinese`."""
    theme = etree.fromstring(content)
    _faces(theme, latin, chinese)
    _colours(theme)
    return etree.tostring(theme, xml_declaration=True, encoding="UTF-8", standalone=True)


def _faces(theme: Any, latin: str, chinese: str) -> None:
    for kind in (qn("a:majorFont"), qn("a:minorFont")):
        for fonts in theme.iter(kind):
            fonts.find(qn("a:latin")).set("typeface", latin)
            fonts.find(qn("a:ea")).set("typeface", chinese)
            for script in fonts.findall(qn("a:font")):
                if script.get("script") == "Hans":
                    script.set("typeface", chinese)


def _colours(theme: Any) -> None:
    page = toml.table("style")["page"]
    named = {"dk1": page["ink"], "lt1": page["paper"], "dk2": page["muted"], "lt2": PALE}
    named |= {f"accent{at}": colour for at, colour in enumerate(SERIES, 1)}
    scheme = next(theme.iter(qn("a:clrScheme")))
    for name, colour in named.items():
        slot = scheme.find(qn(f"a:{name}"))
        for old in list(slot):
            slot.remove(old)
        etree.SubElement(slot, qn("a:srgbClr")).set("val", colour.lstrip("#"))
