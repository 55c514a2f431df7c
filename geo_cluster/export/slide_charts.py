"""Native charts on a slide: editable, their numbers in the spreadsheet behind them."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.oxml.ns import qn
from pptx.util import Pt
from xlsxwriter.utility import xl_col_to_name

from geo_cluster.domain import Language
from geo_cluster.export.outline import Chart
from geo_cluster.export.slide_text import Box, Pen, clean, paint
from geo_cluster.world.spreadsheet import inert

BETWEEN: dict[Language, tuple[str, str]] = {
    "zh": ("下限–最可能", "最可能–上限"),
    "en": ("low–likely", "likely–high"),
}
BANDS: dict[Language, str] = {
    "zh": "：浅色下限至最可能，深色最可能至上限",
    "en": ": light low to likely, dark likely to high",
}
"""What the two colours of a range are; a legend would show the bar that can't be seen."""
ACCENTS = tuple(getattr(MSO_THEME_COLOR, f"ACCENT_{at}") for at in range(1, 7))
KINDS = {
    "range": XL_CHART_TYPE.BAR_STACKED,
    "bar": XL_CHART_TYPE.BAR_CLUSTERED,
    "stacked": XL_CHART_TYPE.COLUMN_STACKED,
}
LONGEST = 24
"""Letters of a category's name."""


def chart(pen: Pen, shapes: Any, box: Box, block: Chart) -> None:
    """Draw `block`, a chart of the outline, among the `shapes` of a slide, in a `box`, with the `pen` of the deck."""
    data = CategoryChartData(number_format=_format(block))
    data.categories = [_name(one if len(one) <= LONGEST else one[: LONGEST - 1] + "…") for one in block.categories]
    series = _stacked_range(block, pen.language) if block.kind == "range" else block.series
    for name, values in series.items():
        data.add_series(_name(name), values)
    frame = shapes.add_chart(KINDS[block.kind], *box, data)
    frame.name = block.title or block.unit
    frame._element.nvGraphicFramePr.cNvPr.set("descr", f"{block.title} ({block.unit})")
    if block.kind == "range":
        _true_workbook(frame.chart, block, pen.language)
    _style(pen, frame.chart, block)


def _name(text: str) -> str:
    """A name as it stands in the sheet of a chart, which runs nothing of it."""
    return inert(clean(text))


def _format(block: Chart) -> str:
    return "0%" if block.percent else "#,##0"


def _stacked_range(block: Chart, language: Language) -> dict[str, tuple[float, ...]]:
    """Low, likely, high as bars that lie on each other: nothing up to low, then to likely, then to high."""
    (name, low), (_, likely), (_, high) = block.series.items()
    return {
        name: low,
        BETWEEN[language][0]: tuple(b - a for a, b in zip(low, likely, strict=True)),
        BETWEEN[language][1]: tuple(b - a for a, b in zip(likely, high, strict=True)),
    }


def _true_workbook(chart: Any, block: Chart, language: Language) -> None:
    """A sheet of low, likely and high, with the lengths of the bars as formulas of them."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        page = book.add_worksheet("Sheet1")
        for at, (name, values) in enumerate(block.series.items(), 1):
            page.write_string(0, at, _name(name))
            page.write_column(1, at, values)
        page.write_column(1, 0, [_name(one) for one in block.categories])
        for at, (name, values) in enumerate(list(_stacked_range(block, language).items())[1:]):
            page.write_string(0, 4 + at, name)
            for row, value in enumerate(values, 2):
                page.write_formula(row - 1, 4 + at, f"={'CD'[at]}{row}-{'BC'[at]}{row}", None, value)
    chart.part.chart_workbook.update_from_xlsx_blob(content.getvalue())
    for series, column in zip(chart._chartSpace.iter(qn("c:ser")), (1, 4, 5), strict=True):
        name, last = xl_col_to_name(column), len(block.categories) + 1
        series.find(qn("c:tx")).find(f".//{qn('c:f')}").text = f"Sheet1!${name}$1"
        series.find(qn("c:val")).find(f".//{qn('c:f')}").text = f"Sheet1!${name}$2:${name}${last}"


def _style(pen: Pen, chart: Any, block: Chart) -> None:
    chart.font.size = Pt(*pen.sizes(12))
    paint(chart.font, "ink")
    pen.face(chart.font)
    title = {"zh": "{}（{}）", "en": "{} ({})"}[pen.language].format(block.title, block.unit)
    chart.has_title = True
    pen.say(
        chart.chart_title.text_frame,
        [title + (BANDS[pen.language] if block.kind == "range" else "")],
        *pen.sizes(13),
        bold=True,
    )
    chart.chart_title.include_in_layout = False
    plot = chart.plots[0]
    plot.gap_width, plot.vary_by_categories = 60, False
    if block.kind != "bar":
        plot.overlap = 100
    _colours(plot, block)
    _legend(chart, block)
    _labels(pen, plot, block)
    _axes(chart, block)


def _colours(plot: Any, block: Chart) -> None:
    for at, series in enumerate(plot.series):
        fill = series.format.fill
        if block.kind == "range" and at == 0:
            fill.background()
            continue
        fill.solid()
        if block.kind == "range" and at == 1:
            fill.fore_color.theme_color, fill.fore_color.brightness = MSO_THEME_COLOR.BACKGROUND_2, -0.25
        else:
            fill.fore_color.theme_color = ACCENTS[0] if block.kind == "range" else ACCENTS[at % len(ACCENTS)]


def _legend(chart: Any, block: Chart) -> None:
    chart.has_legend = len(block.series) > 1 and block.kind != "range"
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False


def _labels(pen: Pen, plot: Any, block: Chart) -> None:
    """Numbers in stacked bars and at the ends of bars; none for nothing."""
    if block.kind == "range":
        return
    plot.has_data_labels = True
    labels = plot.data_labels
    labels.number_format, labels.number_format_is_linked = f"{_format(block)};;", False
    labels.show_value = True
    labels.position = XL_LABEL_POSITION.OUTSIDE_END if block.kind == "bar" else XL_LABEL_POSITION.CENTER
    labels.font.size = Pt(*pen.sizes(12))
    paint(labels.font, "ink" if block.kind == "bar" else "paper")
    pen.face(labels.font)


def _axes(chart: Any, block: Chart) -> None:
    value, category = chart.value_axis, chart.category_axis
    value.minimum_scale = 0
    value.maximum_scale, value.major_unit = block.axis
    labels = value.tick_labels
    labels.number_format, labels.number_format_is_linked = _format(block), False
    value.has_major_gridlines = True
    paint(value.major_gridlines.format.line, "#d9e0e0")
    value.format.line.fill.background()
    paint(category.format.line, "#a9b3b3")
    if block.kind in ("range", "bar"):  # the first on top, numbers below
        category.reverse_order = True
        value.tick_label_position = XL_TICK_LABEL_POSITION.HIGH
