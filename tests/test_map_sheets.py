"""Map sheets: what is declared is drawn and explained, names stay clear, measures hold, odd requests are refused."""

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from geo_cluster import study, toml
from geo_cluster.errors import InputError
from geo_cluster.export import fonts, map_sheets, review
from geo_cluster.export.map_frame import Frame, degree_words, frame_around, round_scale
from geo_cluster.export.map_glyphs import GLYPHS
from geo_cluster.export.map_labels import Name, Names
from geo_cluster.export.map_legend import LADDERS
from geo_cluster.export.map_page import Page
from geo_cluster.export.map_tables import _TABLES as SIDE_TABLES
from geo_cluster.export.map_themes import apart
from geo_cluster.suitability import headroom
from geo_cluster.world import catalog
from tests import screenings, world

DECLARED = toml.table("sheets")
POINTS = np.array([(114.5, 30.3), (115.2, 30.6), (114.9, 30.1)])


@pytest.fixture(scope="module")
def done():
    scenario = catalog.scenario().model_copy(update={"sites": ("E01", "S01", "H04"), "draws": 50})
    projects = world.projects(2)
    projects["name"] = ["示例 甲" * 100, "示例 乙 😀\x07\n"]
    return study.run(scenario, projects=projects)


@pytest.fixture
def said(monkeypatch):
    """Every text that a sheet sets."""
    texts, real = [], Page.text

    def text(page, x, y, words, size, **look):
        texts.append(page.plain(words))
        real(page, x, y, words, size, **look)

    monkeypatch.setattr(Page, "text", text)
    return texts


def test_what_is_declared_can_be_drawn_and_is_worded_in_both_languages():
    for kind in DECLARED["kinds"].values():
        assert set(kind["signs"]) <= set(map_sheets.SIGNS)
        assert set(kind["tables"]) <= set(SIDE_TABLES)
        assert all(set(kind[key]) == {"zh", "en"} for key in ("title", "lead"))
    drawn = {sign for kind in DECLARED["kinds"].values() for sign in kind["signs"]}
    assert drawn == set(map_sheets.SIGNS)
    assert {name for kind in DECLARED["kinds"].values() for name in kind["tables"]} == set(SIDE_TABLES)
    assert all(set(one) == {"zh", "en"} for one in (*DECLARED["words"].values(), *DECLARED["headings"].values()))
    files = [*toml.PACKAGE.glob("export/map_*.py"), toml.PACKAGE / "export" / "review.py"]
    code = "".join(path.read_text("utf-8") for path in files)
    assert not [key for key in (*DECLARED["words"], *DECLARED["headings"]) if not re.search(f"['\"]{key}['\"]", code)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(DECLARED["kinds"]))
def test_a_sheet_explains_its_signs_and_bears_all_that_a_map_has_to(done, said, kind, monkeypatch):
    made = []
    monkeypatch.setattr(map_sheets, "column", lambda sheet, *more: (made.append(sheet), real(sheet, *more)))
    language = "en" if kind == "plan" else "zh"
    study = screenings.done() if kind == "suitability" else done
    file = map_sheets.map_sheet(study, kind, language=language, review="鄂S（2026）001号" if kind == "supply" else "")
    assert file.startswith(b"%PDF") and b"/Type3" in file and b"NotoSansSC" in file
    assert (b"/Subtype /Image" in file) == (kind == "suitability"), "all but the surface is drawn"
    (sheet,), text = made, "".join(said)
    bare = text.replace(" ", "")
    for row in (*sheet.rows, *sheet.ground):
        assert row.glyph in {*GLYPHS, *LADDERS}
        assert row.words.replace(" ", "") in bare, f"{row.words} is not in the legend"
    for key in ("legend", "sample"):
        assert DECLARED["words"][key][language] in text
    review = {"supply": "审图号：鄂S(2026)001号", "plan": "Internal use, not reviewed"}.get(kind, "内部使用，未经审图")
    assert review in text
    assert (
        "EPSG:45" in text
        and str(study.day) in text
        and "GSHHG" in text
        and "Tianditu" in text.replace("天地图", "Tianditu")
    )
    assert re.search(r"1[∶:]\d+ 000", text) and re.search(r"114°\d*", text)
    assert not {"1 projects"} & set(said)
    if kind != "chain":
        assert any("葛店" in one or "Gedian ETDZ" in one for one in said)
    if kind == "suitability":
        for words in ("L01", "CC0", "阿尔伯斯", "栅格为示例", headroom.interval(screenings.screened()[3].iloc[0])):
            assert words in text
    if kind in ("supply", "ranking"):
        assert len(sheet.names) == 2, "Shiyan lies far off and is enlarged"


real = map_sheets.column


@pytest.mark.slow
def test_sizes_and_forms_are_what_was_asked_for_and_the_same_each_time(done):
    picture = Image.open(io.BytesIO(map_sheets.map_sheet(done, "plan", size="wide", form="png")))
    assert picture.size == pytest.approx((338.667 / 25.4 * 300, 190.5 / 25.4 * 300), abs=2)
    assert picture.width / picture.height == pytest.approx(16 / 9, abs=2e-3)
    drawing = map_sheets.map_sheet(done, "plan", size="a3", form="svg", language="en")
    root = ElementTree.fromstring(drawing)
    assert float(root.get("width").removesuffix("pt")) * 25.4 / 72 == pytest.approx(420, abs=0.1)
    assert not root.findall(".//{http://www.w3.org/2000/svg}text"), "texts are outlines: no font is needed"
    assert drawing == map_sheets.map_sheet(done, "plan", size="a3", form="svg", language="en")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("", ""),
        ("  ", ""),
        ("审图号：GS(2024)0650号", "GS(2024)0650号"),
        ("GS（2024）0650号", "GS(2024)0650号"),
        ("gs京（2022）0123号", "GS京(2022)0123号"),
        ("审图号: 鄂S (2026) 001 号", "鄂S(2026)001号"),
        ("鄂S〔2026〕1号", "鄂S(2026)1号"),
    ],
)
def test_review_numbers_of_every_official_form_are_taken(typed, printed):
    assert review.review_number(typed) == printed
    words = review.review_words(typed, "zh")
    assert words == (f"审图号：{printed}" if printed else "内部使用，未经审图")


@pytest.mark.parametrize(
    "typed", ["2024", "GS(24)0650号", "S(2026)001号", "GS(2024)0650", "GS(2024)号", "x" * 500, "鄂s"]
)
def test_another_number_is_not_printed_on_a_map(typed):
    with pytest.raises(InputError) as refusal:
        review.review_number(typed)
    assert [one.code for one in refusal.value.faults] == ["export.odd_review_number"]
    assert len(str(refusal.value)) < 300


def test_everything_wrong_with_a_request_is_said_at_once(done):
    odd = {"size": "b5", "form": "gif", "review": "GS", "project": "P99"}
    with pytest.raises(InputError) as refusal:
        map_sheets.map_sheet(done, "rankings", **odd)
    codes = [one.code for one in refusal.value.faults]
    assert codes == [*(f"export.no_sheet_{key}" for key in ("kind", "size", "form")), "export.odd_review_number"]
    assert "chain, supply, ranking, plan" in str(refusal.value)
    with pytest.raises(InputError) as refusal:
        map_sheets.map_sheet(done, "ranking", project="P99")
    assert [one.code for one in refusal.value.faults] == ["export.no_such_project"]


# ---- measures -------------------------------------------------------------------------------------------------


def test_the_page_is_true_to_scale_in_the_zone_of_its_middle():
    frame = frame_around(POINTS, (10, 20, 200, 150))
    there = gpd.GeoSeries(gpd.points_from_xy(*POINTS.T), crs=4326).to_crs(4547)  # 114 degrees east: 113.5 to 116.5
    assert (frame.epsg, frame.meridian) == (4547, 114)
    for a, b in itertools.combinations(range(3), 2):
        ground = there.iloc[a].distance(there.iloc[b])
        paper = np.hypot(*np.subtract(frame.point(*POINTS[a]), frame.point(*POINTS[b])))
        assert paper * frame.scale / 1000 == pytest.approx(ground, rel=1e-6)
    assert all(frame.has(*frame.point(*one), inner=14 - 1e-6) for one in POINTS)
    x, y = frame.point(114.9, 30.3)
    north = np.subtract(frame.point(114.9, 30.301), (x, y))
    assert np.degrees(np.arctan2(-north[0], north[1])) == pytest.approx(frame.convergence_deg(), abs=0.25)
    west, south, east, top = frame.degrees()
    assert west < 114.5 and east > 115.2 and south < 30.1 and top > 30.6


def test_shiyan_is_drawn_in_its_own_zone():
    frame = frame_around(np.array([(110.2, 32.2), (111.2, 32.8)]), (0, 0, 60, 50))
    assert (frame.epsg, frame.meridian) == (4546, 111)


@given(st.floats(min_value=1e3, max_value=9e6))
def test_scales_are_round_and_show_all(denominator):
    scale = round_scale(denominator, 1e3)
    assert denominator <= scale + 1e-3 and scale <= 1.26 * denominator
    assert f"{scale:.0f}".rstrip("0").__len__() <= 2


def test_degrees_are_written_as_on_maps():
    assert [degree_words(114.5, "E"), degree_words(30, "N"), degree_words(30.25, "N")] == [
        "114°30′E",
        "30°N",
        "30°15′N",
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 20)), max_size=60))
def test_marks_that_would_meet_are_moved_apart(points):
    moved = np.array(apart(points, 1.0)).reshape(-1, 2)
    gaps = [np.hypot(*(a - b)) for a, b in itertools.combinations(moved, 2)]
    assert len(moved) == len(points) and min(gaps, default=2) >= 2 - 1e-6
    assert not points or moved[0] == pytest.approx(points[0])


# ---- names ----------------------------------------------------------------------------------------------------


def test_two_hundred_names_never_lie_on_each_other_or_on_a_mark():
    page, frame = Page(297, 210), Frame(0, 0, 200, 180, 4547, (5e5, 3.3e6), 1e6)
    names, rng = Names(page, frame), np.random.default_rng(7)
    spots = rng.uniform(10, 170, (200, 2))
    for number, (x, y) in enumerate(spots):
        names.keep_off(x, y, 1)
        names.want(Name([f"园区{number}"], x, y, 1, 6, number, must=True, told=True))
    names.set()
    boxes = names.taken[200:]
    assert len(boxes) == 200 - names.left_out > 150
    labels, marks = shapely.box(*np.array(boxes).T), shapely.box(*np.array(names.taken[:200]).T)
    tree = shapely.STRtree(labels)
    assert not len(tree.query(marks, predicate="overlaps").T)
    for a, b in tree.query(labels, predicate="intersects").T:
        assert a == b or labels[a].intersection(labels[b]).area < 1e-9
    assert all(frame.rect.contains(label) for label in labels)


def test_long_names_are_broken_and_cut():
    page = Page(297, 210)
    for text in ("超长名称" * 125, "word " * 100, "x" * 500):
        lines = page.wrapped(text, 7, 30, most=3)
        assert len(lines) == 3 and lines[-1].endswith("…")
        assert all(page.wide(line, 7) <= 30 + 1e-6 for line in lines)
    assert page.wrapped("甲，乙。", 7, page.wide("甲", 7) + 0.1)[0] == "甲，"


def test_no_character_comes_out_as_a_box():
    page = Page(297, 210)
    assert page.plain("武汉 😀\x07\n𠮷 葛店") == "武汉 〓〓 〓 葛店" or "😀" not in page.plain("武汉 😀")
    assert fonts.has(fonts.chinese(), fonts.NEEDED) and fonts.has(fonts.serif(), fonts.NEEDED)
    texts = [one for part in ("words", "headings") for of in DECLARED[part].values() for one in of.values()]
    assert all(fonts.has(fonts.chinese(), re.sub(r"\s", "", one)) for one in texts)


def test_without_the_wheel_the_machine_s_font_is_taken_or_the_sheet_refused(monkeypatch, tmp_path):
    from matplotlib import font_manager

    own = fonts.chinese()
    monkeypatch.setattr(fonts, "WHEEL", "no_such_wheel")
    poor = tmp_path / "simhei.ttf"
    poor.write_bytes(b"no font")
    (tmp_path / "NotoSansSC-Regular.otf").symlink_to(own)
    for there, expected in (
        (["/x/DejaVuSans.ttf", str(poor)], None),
        ([str(poor), str(tmp_path / own.name)], own.name),
    ):
        fonts._of_system.cache_clear()
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda there=there: there)
        if expected:
            assert fonts.chinese().name == expected
        else:
            with pytest.raises(InputError) as refusal:
                fonts.chinese()
            assert [one.code for one in refusal.value.faults] == ["export.no_chinese_font"]
    fonts._of_system.cache_clear()
