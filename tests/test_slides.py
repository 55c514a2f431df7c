"""Slides: native and editable, each with its numbers, faces, notes and warnings; a house's template is kept."""

import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pptx import Presentation
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from geo_cluster.errors import InputError
from geo_cluster.export import measure, slide_charts, slide_tables
from geo_cluster.export.outline import Chart, Facts, Grid, Lines, outline
from geo_cluster.export.slide_text import EAST_ASIAN, FACES, Box, Pen
from geo_cluster.export.slides import slides
from tests.briefings import small

STALE = {"zh": "本结果早于现行设置", "en": "older than the settings"}
TEXTS = st.text(alphabet="激光光纤设备厂，。（）abcdefgh WM0123 ·—", max_size=120)


@pytest.fixture(scope="module", params=["zh", "en"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def content(language):
    return slides(small(), language=language, stale=STALE[language])


@pytest.fixture(scope="module")
def deck(content):
    return Presentation(io.BytesIO(content))


@pytest.fixture(scope="module")
def made(language):
    return outline(small(), language=language, stale=STALE[language])


def texts(slide):
    """All that is written on a slide, shapes and tables."""
    frames = [shape.text_frame for shape in slide.shapes if shape.has_text_frame]
    tables = [shape.table for shape in slide.shapes if shape.has_table]
    frames += [cell.text_frame for table in tables for row in table.rows for cell in row.cells]
    return [frame.text for frame in frames]


def of(slide, kind):
    return [shape for shape in slide.shapes if getattr(shape, f"has_{kind}")]


@pytest.mark.slow
def test_there_is_a_slide_a_part_with_what_the_outline_says(deck, made):
    assert len(deck.slides) == len(made.parts) + 1
    assert deck.slides[0].shapes.title.text_frame.text == made.title
    for slide, part in zip(list(deck.slides)[1:], made.parts, strict=True):
        written = texts(slide)
        assert slide.shapes.title.text_frame.text == part.message
        assert part.title in written
        for block in part.blocks:
            if isinstance(block, Facts):
                assert {f"{value}\n{name}" for name, value in block.rows} <= set(written)
            if isinstance(block, Lines):
                assert set(block.lines) <= set("\n".join(written).split("\n"))
        grids = [block for block in part.blocks if isinstance(block, Grid)]
        for shape, grid in zip(of(slide, "table"), grids, strict=True):
            rows = [tuple(cell.text_frame.text for cell in row.cells) for row in shape.table.rows]
            body = rows[1:-1] if grid.total else rows[1:]
            assert rows[0] == grid.headings and (rows[-1] == grid.total if grid.total else True)
            assert 0 < len(body) <= grid.rows
            for row, whole in zip(body, grid.texts, strict=False):
                pairs = list(zip(row, whole, strict=True))
                assert all(a == b or (a.endswith("…") and b.startswith(a[:-1].strip())) for a, b in pairs)
            left = len(grid.texts) - len(body)
            told = slide_tables.MORE["zh"].format(n=left), slide_tables.MORE["en"].format(n=left)
            assert bool(left) == any(one in written for one in told)


@pytest.mark.slow
def test_every_slide_says_that_it_is_a_sample_and_out_of_date(deck, made, language):
    assert made.sample
    for slide in deck.slides:
        whole = "\n".join(texts(slide))
        assert made.sample in whole and STALE[language] in whole


@pytest.mark.slow
def test_slides_have_numbers_that_follow_and_notes_that_name_files_and_sources(deck, made):
    for at, (slide, part) in enumerate(zip(list(deck.slides)[1:], made.parts, strict=True), 2):
        (field,) = slide._element.iter(qn("a:fld"))
        assert field.get("type") == "slidenum" and field.find(qn("a:t")).text == str(at)
        notes = slide.notes_slide.notes_text_frame.text
        assert part.message in notes and part.sources and all(one in notes for one in part.sources)
        assert re.search(r"\w+\.(csv|json|gpkg|md)", notes)


@pytest.mark.slow
def test_charts_are_native_and_the_sheets_behind_them_hold_the_outlines_numbers(deck, made):
    count = 0
    for slide, part in zip(list(deck.slides)[1:], made.parts, strict=True):
        charts = [block for block in part.blocks if isinstance(block, Chart)]
        for shape, chart in zip(of(slide, "chart"), charts, strict=True):
            count += 1
            book = openpyxl.load_workbook(io.BytesIO(shape.chart.part.chart_workbook.xlsx_part.blob))
            rows = list(book.active.iter_rows(values_only=True))
            for at, (name, values) in enumerate(chart.series.items(), 1):
                assert rows[0][at] == name
                assert [row[at] for row in rows[1:]] == pytest.approx(values)
            if chart.kind == "range":  # the bars' lengths follow when a number is changed
                assert [row[4:6] for row in rows[1:]] == [
                    (f"=C{at}-B{at}", f"=D{at}-C{at}") for at in range(2, len(rows) + 1)
                ]
                low, likely, high = chart.series.values()
                drawn = [list(series.values) for series in shape.chart.plots[0].series]
                assert [sum(ends) for ends in zip(*drawn, strict=True)] == pytest.approx(high)
                assert [a + b for a, b in zip(*drawn[:2], strict=True)] == pytest.approx(likely) and drawn[0] == list(
                    low
                )
                assert [
                    ref.text
                    for ref in shape.chart._chartSpace.iter(qn("c:f"))
                    if "$1" in ref.text and ":" not in ref.text
                ][1:] == ["Sheet1!$E$1", "Sheet1!$F$1"]
    assert count >= 4


@pytest.mark.slow
def test_chinese_faces_are_named_in_runs_charts_and_theme(content, language):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        xml = {name: etree.fromstring(file.read(name)) for name in file.namelist() if name.endswith(".xml")}
    theme = xml["ppt/theme/theme1.xml"]
    for kind in ("a:majorFont", "a:minorFont"):
        (fonts,) = theme.iter(qn(kind))
        assert fonts.find(qn("a:ea")).get("typeface") == EAST_ASIAN
    runs = [(name, run) for name, root in xml.items() if name.startswith("ppt/slides/") for run in root.iter(qn("a:r"))]
    assert len(runs) > 200
    for name, run in runs:
        kept = run.find(qn("a:rPr"))
        assert kept.find(qn("a:ea")).get("typeface") == EAST_ASIAN, name
        assert kept.find(qn("a:latin")).get("typeface") == FACES[language]
        tags = [child.tag for child in kept]
        assert tags.index(qn("a:latin")) + 1 == tags.index(qn("a:ea"))  # the order that the schema asks for
    charts = [root for name, root in xml.items() if name.startswith("ppt/charts/chart")]
    for chart in charts:
        (text,) = chart.findall(qn("c:txPr"))
        assert text.find(f".//{qn('a:ea')}").get("typeface") == EAST_ASIAN
        assert chart.find(qn("c:externalData")) is not None
    assert charts


@pytest.mark.slow
def test_nothing_leaves_the_slide_or_covers_its_foot(deck):
    foot = int(deck.slide_height * 0.942)
    for slide in list(deck.slides)[1:]:
        for shape in slide.shapes:
            assert shape.left >= -1 and shape.left + shape.width <= deck.slide_width + 1
            if shape.top < foot - 1:
                assert shape.top + shape.height <= foot + 1, (shape.name, slide.shapes.title.text_frame.text)
            if shape.has_table:
                assert sum(row.height for row in shape.table.rows) == shape.height
                assert sum(column.width for column in shape.table.columns) <= shape.width


@pytest.mark.slow
def test_the_map_is_made_of_shapes_that_can_be_recoloured(deck, made):
    (slide,) = (one for one, part in zip(list(deck.slides)[1:], made.parts, strict=True) if part.key == "map")
    assert not list(slide._element.iter(qn("p:pic")))
    ground, *_ = (shape for shape in slide.shapes if shape.name == "prefectures")
    assert len({shape.name for shape in ground.shapes}) > 2
    assert all(shape.fill.fore_color.rgb is not None for shape in ground.shapes)
    marks = [text for text in texts(slide) if text.isdigit()]
    assert sum(map(int, marks[:-1])) == int(made.fields["placed"])  # the last is the slide's number


def house(tmp_path, *, keep=lambda layout: True):
    """A house's template: wide, with a slide of its own and a red theme."""
    file = Presentation()
    file.slide_width, file.slide_height = Inches(10), Inches(5.625)
    file.slides.add_slide(file.slide_layouts[0]).shapes.title.text = "old slide"
    for layout in list(file.slide_layouts):
        if not keep(layout) and not layout.used_by_slides:
            file.slide_layouts.remove(layout)
    path = tmp_path / "house.pptx"
    file.save(path)
    return path


@pytest.mark.slow
def test_a_houses_template_keeps_its_layouts_faces_and_colours(tmp_path, made, language):
    file = Presentation(io.BytesIO(slides(small(), language=language, template=house(tmp_path), stale=STALE[language])))
    assert (file.slide_width, file.slide_height) == (Inches(10), Inches(5.625))
    assert len(file.slides) == len(made.parts) + 1
    assert file.slides[0].slide_layout.name == "Title Slide"
    assert {slide.slide_layout.name for slide in list(file.slides)[1:]} == {"Title Only"}
    for slide in file.slides:
        assert "old slide" not in texts(slide)
        assert not list(slide._element.iter(qn("a:ea"), qn("a:latin")))
        assert made.sample in "\n".join(texts(slide))
    fills = {one.get("val") for slide in file.slides for one in slide._element.iter(qn("a:schemeClr"))}
    assert {"accent1", "tx1", "bg1"} <= fills


def test_a_template_that_is_none_or_has_no_title_is_refused_in_words(tmp_path):
    wrong = tmp_path / "wrong.pptx"
    wrong.write_text("no presentation")
    blank = house(tmp_path, keep=lambda layout: layout.name == "Blank")
    file = Presentation(blank)
    for layout in file.slide_layouts:
        for shape in list(layout.placeholders):
            shape._element.getparent().remove(shape._element)
    file.save(blank)
    for path, said in (
        (wrong, "不是能用的 .pptx 模板"),
        (blank, "没有带标题的版式"),
        (tmp_path / "none.pptx", "没有这个模板文件"),
    ):
        with pytest.raises(InputError) as refused:
            slides(small(), template=path)
        (fault,) = refused.value.faults
        assert said in fault.words("zh").what and fault.words("zh").remedy and fault.words("en").remedy


@pytest.mark.parametrize("rows", [1, 12, 60])
@pytest.mark.parametrize(
    "name", ["示例01 大功率光纤激光器总装厂", "长名" * 250, "Long name " * 50, "Donaudampfschiff" * 31]
)
def test_long_tables_and_names_stay_in_their_box(rows, name):
    texts = tuple((name, "鄂州葛店经济技术开发区", f"{at:,}") for at in range(rows))
    grid = Grid("plan", "", ("项目", "园区", "用地（亩）"), None, texts, (False, False, True), 12)
    file = Presentation()
    slide, box = file.slides.add_slide(file.slide_layouts[6]), Box(0, 0, Inches(12), Inches(5.3))
    slide_tables.grid(Pen("zh", own=False), slide.shapes, box, grid)
    frame = slide.shapes[0]
    assert all(shape.top + shape.height <= box.height for shape in slide.shapes)
    assert sum(column.width for column in frame.table.columns) <= box.width
    for row in list(frame.table.rows)[1:]:
        for cell, column in zip(row.cells, frame.table.columns, strict=True):
            size = cell.text_frame.paragraphs[0].runs[0].font.size.pt
            room = (Emu(column.width).pt - Emu(cell.margin_left + cell.margin_right).pt) / size
            high = measure.lines(cell.text_frame.text, room) * size * measure.LINE
            assert Pt(high) <= row.height - cell.margin_top - cell.margin_bottom + Pt(1)
    shown = len(frame.table.rows) - 1
    assert (len(slide.shapes) == 2) == (shown < rows)


@pytest.mark.parametrize("kind", ["bar", "stacked", "range"])
def test_no_name_becomes_a_formula_in_the_sheet_of_a_chart(kind):
    names, evil = ("low", "likely", "high"), '=HYPERLINK("x")'
    series = dict.fromkeys(names, (1.0, 2.0)) if kind == "range" else {evil: (1.0, 2.0)}
    slide = Presentation().slides.add_slide(Presentation().slide_layouts[6])
    box = Box(0, 0, Inches(5), Inches(3))
    slide_charts.chart(Pen("zh", own=False), slide.shapes, box, Chart(kind, "", "", "", (evil, "b"), series))
    book = openpyxl.load_workbook(io.BytesIO(slide.shapes[0].chart.part.chart_workbook.xlsx_part.blob))
    cells = [cell for row in book.active.iter_rows() for cell in row if cell.data_type == "f"]
    assert all(re.fullmatch(r"=[CD]\d-[BC]\d", cell.value) for cell in cells) and bool(cells) == (kind == "range")


@given(st.floats(1e-3, 1e7), st.booleans())
def test_axes_have_four_to_six_gridlines_at_round_numbers(highest, whole):
    top, unit = measure.steps(highest, whole=whole)
    count = round(top / unit)
    assert top >= highest * 0.99 and top == pytest.approx(count * unit)
    assert 3 <= count <= 6 or (whole and unit == 1 and count <= 6)
    digits = f"{unit:.6e}".split("e")[0].rstrip("0").rstrip(".")
    assert digits in {"1", "2", "2.5", "5"} and (not whole or unit == int(unit))


@given(TEXTS, st.floats(3, 40), st.integers(1, 6))
def test_cut_texts_fit_and_begin_like_the_whole(text, room, most):
    short = measure.cut(text, room, most)
    assert measure.lines(short, room) <= most or len(short) <= 2
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(TEXTS, st.floats(3, 40))
def test_a_wider_column_needs_no_more_lines(text, room):
    assert measure.lines(text, room * 1.5) <= measure.lines(text, room)
    assert measure.lines(text, max(measure.width(text), 1) + 1) == 1
    assert measure.lines(text, room) >= measure.width(text) / (room + measure.WIDE) * 0.5
