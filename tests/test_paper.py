"""The paper and the PDF: measures and faces of GB/T 9704-2012, native charts, and each number that of the outline."""

import io
import re
import zipfile

import openpyxl
import pypdf
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from lxml import etree

from geo_cluster.errors import InputError
from geo_cluster.export.numbering import Numbers, chinese_number, heading
from geo_cluster.export.outline import Chart, Facts, Grid, Lines, Sheet, conclusion, outline
from geo_cluster.export.paper import paper
from geo_cluster.export.print import printed
from geo_cluster.export.sheet import sheet
from geo_cluster.export.workbook import workbook
from tests.briefings import small

STALE = {"zh": "本结果早于现行设置", "en": "older than the settings"}
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"


@pytest.fixture(scope="module", params=["zh", "en"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def made(language):
    return outline(small(), language=language, stale=STALE[language])


@pytest.fixture(scope="module")
def content(language):
    return paper(small(), language=language, stale=STALE[language])


@pytest.fixture(scope="module")
def file(content):
    return Document(io.BytesIO(content))


@pytest.fixture(scope="module")
def read(language):
    return pypdf.PdfReader(io.BytesIO(printed(small(), language=language, stale=STALE[language])))


def blocks(made, kind):
    return [block for part in made.parts for block in part.blocks if isinstance(block, kind)]


def figures(text):
    return {one.rstrip(",.") for one in re.findall(r"\d[\d,.]*", text)}


def faces(style):
    fonts = style.element.rPr.find(qn("w:rFonts"))
    return {key.split("}")[1]: value for key, value in fonts.attrib.items()}


@pytest.mark.slow
def test_page_grid_and_faces_are_those_of_the_standard(file):
    section = file.sections[0]
    assert (section.page_width, section.page_height) == pytest.approx((Mm(210), Mm(297)), abs=Mm(0.1))
    block = (
        section.page_width - section.left_margin - section.right_margin,
        section.page_height - section.top_margin - section.bottom_margin,
    )
    assert block == pytest.approx((Mm(156), Mm(225)), abs=Mm(0.1))
    assert (section.top_margin, section.left_margin) == pytest.approx((Mm(37), Mm(28)), abs=Mm(0.1))
    grid = section._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    pitch = int(grid.get(qn("w:linePitch"))) / 20
    letter = 16 + int(grid.get(qn("w:charSpace"))) / 4096
    assert (int(block[1] / Pt(1) / pitch), int(block[0] / Pt(1) / letter + 0.01)) == (22, 28)
    for name, chinese, size in (
        ("Title", "方正小标宋简体", 22),
        ("Heading 1", "黑体", 16),
        ("Heading 2", "楷体_GB2312", 16),
        ("Body Text", "仿宋_GB2312", 16),
        ("Footer", "宋体", 14),
    ):
        style = file.styles[name]
        assert style.font.size == Pt(size)
        assert faces(style)["eastAsia"] == chinese and "Times New Roman" in faces(style)["ascii"]
    assert file.styles["Body Text"].element.pPr.ind.get(qn("w:firstLineChars")) == "200"


@pytest.mark.slow
def test_no_face_of_the_theme_beats_a_named_one(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")}
    for name in ("word/styles.xml", "word/document.xml"):
        fonts = list(parts[name].iter(qn("w:rFonts")))
        assert all("theme" not in key.lower() for one in fonts for key in one.attrib)
    charts = [root for name, root in parts.items() if name.startswith("word/charts/")]
    assert charts and all(face.get("typeface") == "黑体" for root in charts for face in root.iter(qn("a:ea")))


@pytest.mark.slow
def test_28_letters_fill_a_line(file, language):
    spacing = file.styles["Body Text"].element.rPr.find(qn("w:spacing"))
    if language == "zh":
        assert 28 * (16 + int(spacing.get(qn("w:val"))) / 20) <= 156 / 25.4 * 72 < 29 * 16
    else:
        assert spacing is None
    assert file.styles["Body Text"].paragraph_format.line_spacing / Pt(1) * 22 <= 225 / 25.4 * 72


@pytest.mark.slow
def test_every_page_says_what_it_has_to_and_its_number_outside(file, made, language):
    for section in file.sections:
        for head in (section.header, section.even_page_header):
            said = "".join(paragraph.text for paragraph in head.paragraphs)
            assert made.sample in said and STALE[language] in said
        sides = []
        for foot in (section.footer, section.even_page_footer):
            (paragraph,) = foot.paragraphs
            assert paragraph.text.startswith("— ") and paragraph.text.endswith(" —")
            assert "PAGE" in "".join(one.text for one in paragraph._p.iter(qn("w:instrText")))
            sides.append(paragraph.alignment)
        assert len(set(sides)) == 2
    assert file.settings.odd_and_even_pages_header_footer


@pytest.mark.slow
def test_text_tables_and_captions_are_those_of_the_outline(file, made, language):
    numbers = Numbers.of(made)
    written = [paragraph.text for paragraph in file.paragraphs]
    whole = "\n".join(written)
    for part in made.parts:
        assert any(text.startswith(part.message) for text in written)
    for block in blocks(made, (Grid, Chart, Sheet)):
        assert numbers.caption(block, language) in written
    for block in blocks(made, Facts):
        assert all(name in whole and value in whole for name, value in block.rows)
    for block in blocks(made, Lines):
        assert all(text in whole for text in block.lines)
    for table, grid in zip(file.tables, blocks(made, Grid), strict=True):
        rows = [tuple(cell.text for cell in row.cells) for row in table.rows]
        assert rows == [grid.headings, *grid.texts, *([grid.total] if grid.total else [])]
    assert [text for text in written if text.startswith(("一、", "1. "))]
    numbered = {str(n) for n in range(30)}
    assert figures(re.sub(r"\w+\.(csv|json|gpkg|md)", "", whole)) <= figures(repr(made)) | numbered


@pytest.mark.slow
def test_heads_of_tables_are_repeated_and_rows_kept_together(file):
    assert file.tables
    for table in file.tables:
        first, *rest = table.rows
        assert first._tr.trPr.find(qn("w:tblHeader")) is not None
        assert all(row._tr.trPr.find(qn("w:tblHeader")) is None for row in rest)
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
        assert sum(column.width for column in table.columns) <= Mm(156) + Pt(1)


@pytest.mark.slow
def test_charts_are_native_with_the_outlines_numbers_behind_them(content, made):
    charts = blocks(made, Chart)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        document = etree.fromstring(archive.read("word/document.xml"))
        assert len(list(document.iter(CHART))) == len(charts)
        for number, chart in enumerate(charts, 1):
            links = etree.fromstring(archive.read(f"word/charts/_rels/chart{number}.xml.rels"))
            root = etree.fromstring(archive.read(f"word/charts/chart{number}.xml"))
            data = root.find("{http://schemas.openxmlformats.org/drawingml/2006/chart}externalData")
            assert data.get(qn("r:id")) == links[0].get("Id")
            book = openpyxl.load_workbook(io.BytesIO(archive.read(f"word/embeddings/chart{number}.xlsx")))
            rows = list(book.active.iter_rows(values_only=True))
            for at, (name, values) in enumerate(chart.series.items(), 1):
                assert rows[0][at] == name and [row[at] for row in rows[1:]] == pytest.approx(values)


@pytest.mark.slow
def test_a_houses_template_keeps_its_page_and_styles(tmp_path, made, language):
    house = Document()
    house.add_paragraph("old text")
    house.sections[0].header.paragraphs[0].text = "the house"
    house.styles["Heading 1"].font.size = Pt(31)
    house.save(tmp_path / "house.docx")
    own = paper(small(), language=language, template=tmp_path / "house.docx", stale=STALE[language])
    file = Document(io.BytesIO(own))
    written = [paragraph.text for paragraph in file.paragraphs]
    assert "old text" not in written and file.sections[0].header.paragraphs[0].text == "the house"
    assert file.sections[0].page_width == house.sections[0].page_width
    assert file.styles["Heading 1"].font.size == Pt(31)
    assert any(made.sample in text and STALE[language] in text for text in written)


def test_a_template_that_is_none_is_refused_in_words(tmp_path):
    (tmp_path / "wrong.docx").write_text("no document")
    with pytest.raises(InputError) as refused:
        paper(small(), template=tmp_path / "wrong.docx")
    (fault,) = refused.value.faults
    assert "不是能用的 .docx 模板" in fault.words("zh").what and ".docx" in fault.words("en").remedy


def plain(text):
    """Letters and digits only: lines are broken, and blanks put in, as the page needs it."""
    return re.sub(r"[\W_]+", "", text)


@pytest.mark.slow
def test_the_pdf_says_what_the_outline_says(read, made, language):
    whole = plain("".join(page.extract_text() for page in read.pages))
    for part in made.parts:
        assert plain(part.title) in whole and plain(part.message) in whole
    for block in blocks(made, Facts):
        assert all(plain(value) in whole for _, value in block.rows)
    for block in blocks(made, Lines):
        assert all(plain(text) in whole for text in block.lines)
    for grid in blocks(made, Grid):
        cells = {cell for row in (*grid.texts, grid.total, grid.headings) for cell in row}
        missing = [cell for cell in cells if plain(cell) not in whole]
        assert not missing
    for page in read.pages:
        text = plain(page.extract_text())
        assert plain(made.sample) in text and plain(STALE[language]) in text


@pytest.mark.slow
def test_fonts_of_the_pdf_are_embedded(read):
    found = {}
    for page in read.pages:
        for font in page["/Resources"].get_object().get("/Font", {}).values():
            (below,) = font.get_object()["/DescendantFonts"]
            about = below.get_object()["/FontDescriptor"].get_object()
            found[str(about["/FontName"])] = any(key in about for key in ("/FontFile", "/FontFile2", "/FontFile3"))
    assert found and all(found.values())


def test_numbers_of_headings():
    assert [chinese_number(n) for n in (1, 9, 10, 11, 20, 21, 30, 99)] == [
        "一",
        "九",
        "十",
        "十一",
        "二十",
        "二十一",
        "三十",
        "九十九",
    ]
    assert heading(1, 2, "现状", "zh") == "二、现状" and heading(2, 12, "缺口", "zh") == "（十二）缺口"
    assert heading(1, 2, "Now", "en") == "2. Now" and heading(2, 1, "Gaps", "en") == "(1) Gaps"


def test_tables_are_set_up_for_print_with_totals(language):
    book = openpyxl.load_workbook(io.BytesIO(workbook(small(), language=language)))
    for page in book:
        assert page.page_setup.orientation == "landscape" and int(page.page_setup.paperSize) == 9
        assert page.sheet_properties.pageSetUpPr.fitToPage and page.page_setup.fitToHeight == 0
        assert page.print_title_rows == "$1:$1" and "&P" in page.oddFooter.right.text
    plan = book["方案" if language == "zh" else "Plan"]
    heads, *rows, total = list(plan.iter_rows(values_only=True))
    assert total[0] == ("合计" if language == "zh" else "Total")
    summed = [at for at, value in enumerate(total) if at and value is not None]
    assert len(summed) == 4
    for at in summed:
        assert total[at] == pytest.approx(sum(row[at] for row in rows))
        assert re.search("[（(]", heads[at])  # its unit
    assert plan.auto_filter.ref.endswith(str(len(rows) + 1))


def test_the_sheet_says_its_conclusion_first_and_what_each_city_gets(made, language):
    html = sheet(small(), language=language)
    said = conclusion(small(), language)
    assert said == made.parts[0].message
    assert html.index(said) < html.index("<div class=facts>") < html.index("<table ")
    first = html[html.index("<table ") : html.index("</table>")]
    (grid,) = (one for one in blocks(made, Grid) if one.name == "cities")
    assert all(city in first for city, *_ in grid.texts)
