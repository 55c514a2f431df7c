"""Native charts in a .docx file: made as those of slides are, with the sheet of numbers behind them."""

from __future__ import annotations

from typing import Any

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from lxml import etree
from pptx import Presentation

from geo_cluster.domain import Language
from geo_cluster.export import slide_charts
from geo_cluster.export.outline import Chart
from geo_cluster.export.paper_style import HEITI, LATIN
from geo_cluster.export.slide_text import Box, Pen

CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
BOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SCALE = 0.75
"""Type of a chart on paper over that on a slide."""


def add_chart(paragraph: Any, block: Chart, language: Language, size: tuple[int, int], number: int) -> None:
    """Put a chart into a paragraph.

    Parameters
    ----------
    paragraph : Paragraph
    block : Chart
    language : {"zh", "en"}
    size : (int, int)
        Width and height, EMU.
    number : int
        Which chart of the paper it is, from 1.
    """
    root, book = _drawn(block, language, size)
    package = paragraph.part.package
    sheet = Part(PackURI(f"/word/embeddings/chart{number}.xlsx"), BOOK, book, package)
    part = Part(PackURI(f"/word/charts/chart{number}.xml"), CHART, b"", package)
    root.find(qn("c:externalData")).set(qn("r:id"), part.relate_to(sheet, RELATIONSHIP_TYPE.PACKAGE))
    part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    link = paragraph.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    paragraph.add_run()._r.append(_inline(link, block, size, number))


def _drawn(block: Chart, language: Language, size: tuple[int, int]) -> tuple[Any, bytes]:
    """The chart's XML in the faces of the paper, and its workbook."""
    slide = Presentation().slides.add_slide(Presentation().slide_layouts[6])
    slide_charts.chart(Pen(language, own=False, scale=SCALE), slide.shapes, Box(0, 0, *size), block)
    part = slide.shapes[0].chart.part
    root = etree.fromstring(part.blob)
    for tag, name in (("a:ea", HEITI), ("a:latin", LATIN)):
        for face in root.iter(qn(tag)):
            face.set("typeface", name)
    return root, part.chart_workbook.xlsx_part.blob


def _inline(link: str, block: Chart, size: tuple[int, int], number: int) -> Any:
    wide, high = size
    drawing = parse_xml(
        f"<w:drawing {nsdecls('w', 'wp', 'a', 'r')}>"
        '<wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{wide}" cy="{high}"/><wp:docPr id="{1000 + number}" name="chart{number}"/>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart">'
        f'<c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="{link}"/>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing>"
    )
    drawing.find(f".//{qn('wp:docPr')}").set("descr", f"{block.title} ({block.unit})")
    return drawing
