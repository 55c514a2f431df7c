"""Files of shapes as planners have them: all in them is read at its value, or refused with what, where, remedy."""

from __future__ import annotations

import datetime
import random

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

from geo_cluster import cli
from geo_cluster.box import foreign, formats, outlines, texts
from geo_cluster.errors import InputError
from geo_cluster.imports import ledger
from geo_cluster.imports.check import guess
from geo_cluster.imports.files import lone_part, together
from geo_cluster.imports.tables import TableChoice
from geo_cluster.region import prepare
from geo_cluster.world import catalog, spreadsheet
from geo_cluster.world.coordinates import convert_geometry
from geo_cluster.world.layers import Layers
from tests import drawings as made
from tests.fuzzing import changed
from tests.surveyed import codes, hectares, read, told

NOW = datetime.datetime(2026, 11, 30, 13)
DEGREES = made.squares().to_crs(4490)
ONE, TWO = DEGREES.geometry
GRANTED = made.squares(状态=["净地", "已供"])


@pytest.fixture(scope="module")
def region():
    return prepare(catalog.scenario(), Layers())


def land(checked):
    return spreadsheet.read_csv(checked.files["land.csv"])


def geojson(frame, **members):
    content = frame.to_json(drop_id=True)
    extra = "".join(f'"{key}": {value}, ' for key, value in members.items())
    return content.replace("{", "{" + extra, 1).encode()


# ---- every layer, folder and Shapefile ----------------------------------------------------------------------

PLAIN = (made.placemark("一号", ONE), made.placemark("二号", TWO))
STATUS = [made.extended(园区="H05", 地块=f"1-{k}", 状态=word) for k, word in ((1, "净地"), (2, "已供"))]
SCHEMA = (
    '<Schema name="s" id="s"><SimpleField name="a"><displayName>园区</displayName></SimpleField>'
    '<SimpleField name="b"><displayName>状态</displayName></SimpleField></Schema>'
)
FIELDS = [made.schema_data(a="H05", b=word) for word in ("净地", "已供")]
TABLE = "<description><![CDATA[<table><tr><td>状态</td><td>已供</td></tr></table>]]></description>"

KML = {
    "picture": (made.kml(made.OVERLAY, *PLAIN), 7),
    "folders": (made.kml(made.folder("甲片", PLAIN[0]), made.folder("乙片", PLAIN[1])), 7),
    "nested": (made.kml(made.folder("园", made.folder("甲", PLAIN[0]), made.folder("乙", PLAIN[1]))), 7),
    "extended": (made.kml(*(made.placemark("x", *both) for both in zip((ONE, TWO), STATUS, strict=True))), 6),
    "schema": (made.kml(SCHEMA, *(made.placemark("x", *both) for both in zip((ONE, TWO), FIELDS, strict=True))), 6),
    "description": (made.kml(PLAIN[0], made.placemark("y", TWO, TABLE)), 6),
    "gbk": (made.kml(*PLAIN, text="gbk"), 7),
    "one name": (made.kml(made.placemark("无标题多边形", ONE), made.placemark("无标题多边形", TWO)), 7),
    "pin": (made.kml(*PLAIN, "<Placemark><Point><coordinates>115.05,30.11</coordinates></Point></Placemark>"), 7),
}


@pytest.mark.slow
@pytest.mark.parametrize(("content", "expected"), KML.values(), ids=list(KML))
def test_every_folder_of_a_kml_is_read_and_no_picture_is_land(region, content, expected):
    found = read(region, content, "a.kml")
    assert hectares(found) == pytest.approx(expected, abs=0.001)
    assert ("贴图" in told(found)) == (b"GroundOverlay" in content)
    if b"GroundOverlay" in content:
        packed = made.packed({"doc.kml": content, "files/x.png": b"\x89PNG"})
        assert hectares(read(region, packed, "a.kmz")) == hectares(found)


def test_a_picture_alone_is_no_land(region):
    assert codes(read(region, made.kml(made.OVERLAY), "a.kml")) == ["imports.no_geometry"]


@pytest.mark.slow
def test_layers_are_listed_and_chosen(region):
    content = made.kml(made.folder("甲片", PLAIN[0]), made.folder("乙片", PLAIN[1]))
    found = read(region, content, "a.kml")
    assert [(one.name, one.rows, one.is_read) for one in found.extra["layers"]] == [
        ("甲片", 1, True),
        ("乙片", 1, True),
    ]
    only = read(region, content, "a.kml", table=TableChoice(layers=("乙片",)))
    assert hectares(only) == pytest.approx(1, abs=0.001)
    assert "未读取的图层：甲片" in told(only)


ROADS = gpd.GeoDataFrame({"名称": ["路"]}, geometry=[LineString(made.RECTANGLE[:3])], crs=4547)
LONG = GRANTED.rename(columns={"园区": "所属园区", "地块": "地块编号", "状态": "供应状态"})
_LETTERS = dict(zip("abc", LONG, strict=False))
DBF_UTF8 = made.shapefile(LONG.rename(columns={name: letter * 10 for letter, name in _LETTERS.items()}), text="utf-8")
for _letter, _name in _LETTERS.items():  # as ArcGIS cuts them off
    DBF_UTF8 = {key: part.replace(_letter.encode() * 10, _name.encode()[:10]) for key, part in DBF_UTF8.items()}

SHAPEFILES = {
    "of a Mac": (made.shapefile(GRANTED) | {"__MACOSX/._地块.shp": b"\0\5\x16\7", "__MACOSX/._地块.dbf": b"\0\5"}, 6),
    "with roads": (made.shapefile(ROADS, name="a道路") | made.shapefile(GRANTED), 6),
    "two": (made.shapefile(GRANTED.iloc[:1], name="甲") | made.shapefile(made.squares().iloc[1:], name="乙"), 7),
    "a copy in it": (made.shapefile(GRANTED, name="甲") | made.shapefile(GRANTED, name="甲 - 副本"), 6),
    "no .shx": (made.shapefile(GRANTED, without=(".shx",)), 6),
    "no .dbf": (made.shapefile(GRANTED, without=(".dbf",)), 7),
    ".cpg OEM": (made.shapefile(GRANTED, cpg="OEM"), 6),
    ".cpg lies UTF-8": (made.shapefile(GRANTED, cpg="UTF-8"), 6),
    ".cpg lies GBK": (made.shapefile(GRANTED, text="utf-8", cpg="GBK"), 6),
    "names cut in UTF-8": (DBF_UTF8 | {"地块.cpg": b"UTF-8"}, 6),
    "capitals": ({name.upper(): part for name, part in made.shapefile(GRANTED, name="dk").items()}, 6),
    "in folders": ({f"资料/地块/{name}": part for name, part in made.shapefile(GRANTED).items()}, 6),
}


@pytest.mark.slow
@pytest.mark.parametrize(("members", "expected"), SHAPEFILES.values(), ids=list(SHAPEFILES))
def test_every_shapefile_of_an_archive_is_read_whatever_its_code_page_says(region, members, expected):
    found = read(region, made.packed(members), "地块.zip")
    assert hectares(found) == pytest.approx(expected, abs=0.001)
    if "a道路.shp" in members:
        assert "a道路" in told(found)
    if "__MACOSX/._地块.shp" in members:
        loose = together([(name, part) for name, part in members.items() if "__MACOSX" not in name])
        assert [name for name, _ in loose] == ["地块.shp.zip"]
        assert hectares(read(region, loose[0][1], loose[0][0])) == pytest.approx(expected, abs=0.001)


ENGLISH = GRANTED.rename(columns={"园区": "site", "地块": "parcel", "状态": "status"})
FORMATS = {
    "a.gpkg": made.written(GRANTED, ".gpkg"),
    "gdb.zip": made.written(GRANTED, ".gdb", driver="OpenFileGDB", layer="dk"),
    "a.fgb": made.written(GRANTED, ".fgb", driver="FlatGeobuf"),
    "a.gml": made.written(GRANTED, ".gml", driver="GML"),
    "a.parquet": made.written(GRANTED, ".parquet"),
    "tab.zip": made.written(ENGLISH, ".tab", driver="MapInfo File"),
    "mif.zip": made.packed(made.mapinfo(GRANTED)),
    "gbk.geojson": geojson(GRANTED.to_crs(4490)).decode().encode("gbk"),
    "utf16.geojson": geojson(GRANTED.to_crs(4490)).decode().encode("utf-16"),
    "a.txt": geojson(GRANTED.to_crs(4490)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_found_by_what_is_in_them(region, name):
    content = FORMATS[name]
    found = read(region, content, name)
    assert hectares(found) == pytest.approx(6, abs=0.01)
    assert land(found)["status"].tolist() == ["净地", "已供"] or name == "a.fgb"  # which sorts its rows
    assert guess(content, name) == "parcels"
    assert formats.ending_of(content, "x.bin") == formats.ending_of(content, name)


@pytest.mark.slow
def test_both_layers_of_a_package_count(region, tmp_path):
    GRANTED.iloc[:1].to_file(tmp_path / "a.gpkg", layer="甲")
    made.squares().iloc[1:].to_file(tmp_path / "a.gpkg", layer="乙")
    content = (tmp_path / "a.gpkg").read_bytes()
    found = read(region, content, "a.gpkg")
    assert hectares(found) == pytest.approx(7)
    made.squares(地块=["一", "怪"]).iloc[1:].assign(状态="怪地").to_file(tmp_path / "a.gpkg", layer="乙")
    (fault,) = read(region, (tmp_path / "a.gpkg").read_bytes(), "a.gpkg").faults
    assert (fault.place.sheet, fault.row, fault.column) == ("乙", 1, "状态"), "the row in its own layer"


@pytest.mark.slow
def test_a_walk_around_a_parcel_is_its_outline(region, tmp_path):
    corners = list(ONE.exterior.coords)
    corners[-1] = (corners[-1][0] + 2e-5, corners[-1][1])
    track = gpd.GeoDataFrame({"name": ["走"]}, geometry=[shapely.MultiLineString([corners])], crs=4326)
    track.to_file(tmp_path / "a.gpx", driver="GPX", layer="tracks")
    assert hectares(read(region, (tmp_path / "a.gpx").read_bytes(), "a.gpx")) == pytest.approx(6, rel=0.01)


# ---- drawings -----------------------------------------------------------------------------------------------

E, N = made.EAST, made.NORTH
CORNERS = made.RECTANGLE
SIDES = list(zip(CORNERS, [*CORNERS[1:], CORNERS[0]], strict=True))
SMALL = [(0, 0), (100, 0), (100, 150), (0, 150)]
DRAWINGS = {
    "closed": (made.dxf(made.polyline(CORNERS)), 6),
    "same end": (made.dxf(made.polyline([*CORNERS, CORNERS[0]], closed=False)), 6),
    "in space": (made.dxf(made.polyline(CORNERS, z=25)), 6),
    "two layers": (made.dxf(made.polyline(CORNERS), made.polyline([(x + 400, y) for x, y in CORNERS], layer="B")), 12),
    "lines": (made.dxf(*(made.line(*side) for side in SIDES)), 6),
    "half circles": (made.dxf(made.polyline([(E, N), (E + 200, N)], bulge=1)), np.pi),
    "block": (made.dxf(made.insert("DK1", (E, N), 2, 30), blocks=made.block("DK1", made.polyline(SMALL))), 6),
    "hatch": (made.dxf(made.hatch(CORNERS), version="AC1024", text="utf-8"), 6),
    "hatch over outline": (made.dxf(made.polyline(CORNERS), made.hatch(CORNERS, "填充"), version="AC1018"), 6),
}


@pytest.mark.slow
@pytest.mark.parametrize(("content", "expected"), DRAWINGS.values(), ids=list(DRAWINGS))
def test_what_closes_in_a_drawing_is_an_outline(region, content, expected):
    assert hectares(read(region, content, "a.dxf", crs="EPSG:4547")) == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "page", "text"),
    [("AC1009", "ANSI_936", "gbk"), ("AC1015", "ANSI_1252", "gbk"), ("AC1024", "ANSI_936", "utf-8")],
)
def test_layers_and_labels_name_parcels_in_any_code_page(region, version, page, text):
    content = made.dxf(
        made.polyline(CORNERS, layer="地块"),
        made.label("甲号地", (E + 50, N + 50)),
        version=version,
        page=page,
        text=text,
    )
    found = read(region, content, "a.dxf", crs="EPSG:4547")
    assert land(found)["parcel"].tolist() == ["甲号地"]
    bare = made.dxf(made.polyline(CORNERS, layer="地块"), version=version, page=page, text=text)
    assert land(read(region, bare, "a.dxf", crs="EPSG:4547"))["parcel"].tolist() == ["地块"]


def test_a_net_of_lines_is_no_outline(region):
    grid = [made.line((E + k * 100, N), (E + k * 100, N + 300)) for k in range(4)]
    grid += [made.line((E, N + k * 100), (E + 300, N + k * 100)) for k in range(4)]
    assert codes(read(region, made.dxf(*grid), "a.dxf", crs="EPSG:4547")) == ["imports.no_outlines"]


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6))
def test_lines_in_any_order_and_direction_close(order, turned):
    ring = shapely.get_coordinates(Point(0, 0).buffer(100, quad_segs=2))[:7]
    ring[-1] = ring[0]
    sides = [LineString(ring[k : k + 2][:: -1 if turn else 1]) for k, turn in zip(order, turned, strict=True)]
    found, _, used = outlines.chained(np.array(sides, dtype=object), np.full(6, "a"), grid=0.001)
    assert used.all()
    assert shapely.area(found).tolist() == pytest.approx([shapely.Polygon(ring).area], rel=1e-4)


# ---- texts --------------------------------------------------------------------------------------------------


@given(
    st.lists(st.text("净地已供黄石科技城甲乙丙一二三", min_size=1, max_size=8), min_size=1),
    st.sampled_from(["utf-8", "gb18030"]),
)
def test_chinese_texts_are_read_in_either_encoding(words, code):
    assert texts.spelt([word.encode(code) for word in words], "OEM")[0] == words


def test_a_word_cut_within_a_letter_is_known_as_one():
    assert texts.spelt(["供应状态".encode()[:10]]) == (["供应状"], [True])


# ---- files that can't be read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "way"),
    [
        ("总图.dwg", b"AC1027\0\0", "DXF"), ("总图.dxf", b"AC1032\0\0", "DXF"), ("a.rar", b"Rar!\x1a\x07\1\0", "ZIP"),
        ("a.ovobj", b"\0\1", "KML"), ("a.pdf", b"%PDF-1.7", "XLSX"), ("a.jpg", b"\xff\xd8\xff\xe0", "Shapefile"),
        ("a.mxd", b"\xd0\xcf\x11\xe0", "SHP"), ("a.7z", b"7z\xbc\xaf\x27\x1c", "ZIP"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_says_how_to_save_it(region, name, content, way):
    (fault,) = read(region, content, name).faults
    assert fault.code == "box.foreign"
    assert way in fault.words("zh").remedy
    assert fault.words("en").remedy.isascii()
    assert foreign.foreign_fault(content, name).code == fault.code


def test_a_part_of_a_shapefile_asks_for_the_others(region):
    assert codes(read(region, b"\3", "地块.dbf")) == ["imports.lone_part"]
    assert lone_part("地块.shp") is None


# ---- where they lie -----------------------------------------------------------------------------------------


def moved(frame, crs):
    """The same numbers under another system."""
    return made.written(frame.set_crs(crs, allow_override=True), ".gpkg")


TURNED = GRANTED.set_geometry(gpd.GeoSeries(shapely.transform(GRANTED.geometry, lambda at: at[:, ::-1]), crs=4547))
BARE = made.shapefile(GRANTED, without=(".prj",))
LOCAL = {"地块.prj": b'LOCAL_CS["Arbitrary",UNIT["Meter",1.0]]'}
IN_MM = made.dxf(made.polyline([(1000 * x, 1000 * y) for x, y in CORNERS]))
WRONG = {
    "no zone prefix": (moved(GRANTED, 4526), "imports.lies_elsewhere", ("EPSG:4547",)),
    "a zone prefix": (moved(GRANTED.to_crs(4526), 4547), "imports.lies_elsewhere", ("EPSG:4526",)),
    "another zone": (moved(GRANTED.to_crs(4546), 4547), "imports.lies_elsewhere", ("EPSG:4546",)),
    "x and y": (made.written(TURNED, ".gpkg"), "imports.all_swapped", ("EPSG:4547 xy",)),
    "no system": (made.packed(BARE), "imports.no_crs_but", ("EPSG:4547",)),
    "a local one": (made.packed(BARE | LOCAL), "imports.no_crs_but", ("EPSG:4547",)),
    "millimetres": (IN_MM, "imports.no_crs_but", ("EPSG:4547 mm",)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("content", "code", "offered"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_system_is_found_and_the_right_one_offered(region, content, code, offered):
    name = {b"PK": "a.zip", b"SQ": "a.gpkg"}.get(content[:2], "a.dxf")
    found = read(region, content, name)
    assert (codes(found), found.extra["offered"]) == ([code], offered)
    assert hectares(read(region, content, name, crs=offered[0])) == pytest.approx(6, abs=0.01)


@pytest.mark.slow
def test_a_row_with_longitude_and_latitude_swapped_is_named(region):
    turned = shapely.transform(TWO, lambda at: at[:, ::-1])
    found = read(region, geojson(DEGREES.set_geometry([ONE, turned])), "a.geojson")
    assert [(fault.code, fault.row) for fault in found.faults] == [("imports.swapped_shape", 2)]
    away = read(region, geojson(DEGREES.set_geometry(DEGREES.geometry.translate(-230))), "a.geojson")
    assert [(fault.code, fault.row) for fault in away.faults] == [("imports.outside", 1), ("imports.outside", 2)]


@pytest.mark.slow
def test_coordinates_that_say_they_are_shifted_wait_for_a_choice(region):
    shifted = convert_geometry(DEGREES, source="wgs84", target="gcj02")
    content = geojson(shifted, crs='{"type": "name", "properties": {"name": "GCJ02"}}')
    found = read(region, content, "a.geojson")
    assert (codes(found), found.extra["offered"][:2]) == (["imports.says_shifted"], ("gcj02", "bd09"))
    home = read(region, content, "a.geojson", crs="gcj02").extra["gross"].to_crs(4547).geometry
    assert home.iloc[0].symmetric_difference(made.squares().geometry[0]).area < 500
    column = read(region, geojson(shifted.assign(坐标系="百度坐标")), "a.geojson")
    assert codes(column) == ["imports.says_shifted"]


@pytest.mark.slow
def test_exclusion_layers_that_are_elsewhere_empty_or_beside_are_told(region, tmp_path):
    rules = b"name,layer,buffer_m\nfarm,farm,0\n"
    farm = gpd.GeoDataFrame(geometry=[box(E, N, E + 100, N + 300)], crs=4547)
    for frame, codes_, words in (
        (farm, [], ""),
        (farm.set_crs(4548, allow_override=True), ["imports.rule_far_but"], ""),
        (farm.iloc[:0], [], "空的"),
        (farm.translate(900, 0).to_frame("geometry"), [], "不碰任何地块"),
    ):
        frame.to_file(tmp_path / "l.gpkg", layer="farm")
        found = read(region, geojson(DEGREES), "a.geojson", rules=(rules, (tmp_path / "l.gpkg").read_bytes()))
        assert codes(found) == codes_
        assert words in told(found)
        if frame is farm:
            assert hectares(found) == pytest.approx(4, abs=0.001)
        (tmp_path / "l.gpkg").unlink()


# ---- what parcels say and are -------------------------------------------------------------------------------


@pytest.mark.slow
def test_rows_without_outline_empty_words_and_other_uses(region):
    nothing = DEGREES.set_geometry(gpd.GeoSeries([ONE, None], crs=4490))
    found = read(region, geojson(nothing), "a.geojson")
    assert hectares(found) == pytest.approx(6, abs=0.001)
    assert "1 个图形没有边界，未计（第 2 行）" in told(found)
    empty = read(region, geojson(DEGREES.assign(状态=["净地", None], 用途=["M1", ""])), "a.geojson")
    assert hectares(empty) == pytest.approx(7, abs=0.001)
    living = read(region, geojson(DEGREES.assign(用途=["M1", "R2"])), "a.geojson")
    assert hectares(living) == pytest.approx(6, abs=0.001)
    assert "非工业用途" in told(living)
    priced = read(region, geojson(DEGREES.assign(**{"地价(元/平方米)": 210})), "a.geojson")
    assert land(priced)["price_wan_yuan_per_mu"].astype(float).tolist() == [14, 14]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"面积": [9, 1], "单位": "公顷"}, "第 1 行 9.00 对 6.00"),
        ({"面积(亩)": [90, 15]}, ""), ({"面积": [90, 15]}, ""),
        ({"面积": [60000, 15000]}, "第 2 行 1.50 对 1.00"), ({"面积": [7, 7]}, ""),
    ],
)  # fmt: skip
def test_an_area_that_differs_from_the_outline_is_told(region, columns, words):
    found = read(region, geojson(DEGREES.assign(**columns)), "a.geojson")
    assert hectares(found) == pytest.approx(7, abs=0.001)
    assert ("不符" in told(found)) == bool(words)
    assert words in told(found)


@pytest.mark.slow
def test_a_county_is_no_parcel_and_a_strip_of_a_centimetre_no_overlap(region):
    county = gpd.GeoDataFrame({"园区": ["H05"]}, geometry=[box(114.5, 29.8, 115.5, 30.5)], crs=4490)
    assert codes(read(region, geojson(county), "a.geojson")) == ["imports.parcel_too_large"]
    touching = made.squares().set_geometry(
        [box(E, N, E + 200, N + 300), box(E + 199.99, N, E + 400, N + 300)], crs=4547
    )
    found = read(region, geojson(touching.to_crs(4490)), "a.geojson")
    assert hectares(found) == pytest.approx(12, abs=0.01)
    assert "最大 3 平方米（一、二）" in told(found)
    far = read(region, made.written(GRANTED.set_geometry(GRANTED.translate(30_000, 0)), ".gpkg"), "a.gpkg")
    assert "离该园区 30 公里" in told(far)


# ---- twice is not more --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_files_for_one_park_add_up_or_replace_as_chosen(region):
    first, second = (
        read(region, geojson(DEGREES.iloc[[k]]), f"{name}.geojson") for k, name in enumerate(("A批", "B批"))
    )
    held = ledger.accept((), {}, first, when=NOW)

    def number(state):
        return next(one.likely for one in state.known if one.attribute == "available_land_ha")

    both = ledger.accept(*held, second, when=NOW)
    assert number(both) == pytest.approx(7, abs=0.001), "other ground adds up"
    instead = ledger.beside(held.files, second, adds=False, region=region)
    assert number(ledger.accept(*held, instead, when=NOW)) == pytest.approx(1, abs=0.001)
    assert "取代已导入的“A批.geojson”" in told(instead)
    again = ledger.accept(*both, first, when=NOW)
    assert number(again) == pytest.approx(6, abs=0.001), "ground that was surveyed before is surveyed anew"
    assert "导入过" in told(ledger.beside(both.files, first))
    refused = ledger.beside(both.files, first, adds=True)
    assert codes(refused) == ["imports.parcels_again"]
    with pytest.raises(InputError):
        ledger.accept(*both, refused, when=NOW)
    assert number(ledger.revert(*both, "1")) == pytest.approx(1, abs=0.001)
    assert number(ledger.revert(*both, "2")) == pytest.approx(6, abs=0.001)


STATION = {"站名": ["甲变"], "电压等级": ["110/10"], "主变": ["2x63"], "最大负荷": [40]}


@pytest.mark.slow
def test_points_of_a_gis_are_stations_whatever_columns_say_besides(region):
    points = gpd.GeoDataFrame(
        {key: value * 2 for key, value in STATION.items()} | {"站名": ["甲", "乙"], "投运": [2018, None], "经度": 1.0},
        geometry=[Point(115.03, 30.12), Point(115.04, 30.12)], crs=4326,
    )  # fmt: skip
    for content, name in ((geojson(points), "a.geojson"), (made.packed(made.shapefile(points)), "a.zip")):
        found = read(region, content, name, "substations")
        assert found.faults == ()
        assert found.preview["likely"].tolist() == [23, 23]
        assert guess(content, name) == "substations"


def stations(*rows, heads="编号,站名,电压等级,主变(MVA),最大负荷(MVA),经度,纬度"):
    return "\n".join([heads, *rows]).encode()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((",甲变,110,2x63,40,115.03,30.12", ",甲变,110,2x63,40,115.04,30.12"), "imports.same_station"),
        ((",甲变,110,2x63,40,115.03,30.12", ",110kV甲变电站,110,2x63,40,115.04,30.12"), "imports.same_station"),
        (("H01,甲变,110,2x63,40,115.03,30.12",), "imports.id_of_another"),
        ((",甲变,115/10,2x63,40,115.03,30.12",), "sheets.unknown_level"),
        ((",甲变,110,2x63,40,30.12,115.03",), "imports.swapped_position"),
        ((",铜都500kV变,500,2x750,400,112.03,31.12",), "imports.same_name_elsewhere"),
        ((",甲变,110,2x63,40,601196,3333327",), "imports.no_crs_but"),
    ],
)
def test_a_station_is_one_has_its_own_id_and_a_voltage_of_the_grid(region, rows, expected):
    assert any(expected in code for code in codes(read(region, stations(*rows), "s.csv", "substations")))


def test_a_station_of_another_name_in_metres_and_with_one_transformer(region):
    known = read(region, stations(",蒲团变,220,2x180,200,,"), "s.csv", "substations")
    assert known.preview["id"].tolist() == ["G11"]
    assert "蒲团变 → G11" in told(known)
    metres = read(region, stations(f",甲变,110,2x63,40,{E},{N}"), "s.csv", "substations", crs="EPSG:4547")
    row = spreadsheet.read_csv(metres.files["substations.csv"]).iloc[0]
    assert (float(row["lon"]), float(row["lat"])) == pytest.approx(DEGREES.geometry[0].exterior.coords[1], abs=0.01)
    alone = read(region, stations(",甲变,110,126,40,115.03,30.12"), "s.csv", "substations")
    assert "只有一台主变" in told(alone)


# ---- the command line, and files that were changed ----------------------------------------------------------


@pytest.mark.slow
def test_the_command_line_reads_the_same_and_writes_no_formula(tmp_path, monkeypatch, capsys):
    names = {"园区": ["甲园", "甲园"], "地块": ['=HYPERLINK("http://x")', "二"], "备注": ["=cmd|'/c calc'!A0", ""]}
    parts = made.shapefile(made.squares(**names, 状态=["净地", "已供"]), cpg="OEM")
    (tmp_path / "地块.zip").write_bytes(made.packed(parts))
    (tmp_path / "r.csv").write_text("name,layer,buffer_m\nfarm,farm,0\n", encoding="utf-8")
    farm = gpd.GeoDataFrame(geometry=[box(E, N, E + 100, N + 300)], crs=4547)
    farm.to_file(tmp_path / "l.gpkg", layer="farm")
    asked = ["land", tmp_path / "地块.zip", "--rules", tmp_path / "r.csv", "--layers", tmp_path / "l.gpkg"]
    monkeypatch.setattr("sys.argv", ["geo-cluster", *map(str, asked), "--out", str(tmp_path / "o")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code in (0, None)
    assert "3.00 ha" in capsys.readouterr().out
    written = (tmp_path / "o" / "land.csv").read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in written
    assert ",=" not in written


def test_changed_files_of_shapes_are_read_or_refused(region):
    honest = {
        **FORMATS, "a.kml": KML["schema"][0], "a.dxf": DRAWINGS["block"][0], "hatch.dxf": DRAWINGS["hatch"][0],
        "a.zip": made.packed(SHAPEFILES["two"][0]), "a.kmz": made.packed({"doc.kml": KML["folders"][0]}),
    }  # fmt: skip
    chance = random.Random(7)
    for name in chance.sample(sorted(honest), 8):
        spoilt = changed(honest[name], chance)
        found = read(region, spoilt, name, crs="EPSG:4547")
        assert found.faults or found.is_ready or found.notes


def test_an_archive_names_its_members_as_they_were_written(region):
    parts = made.shapefile(GRANTED, name="dkdk") | {"b.geojson": geojson(DEGREES.iloc[:0])}
    content = made.packed(parts).replace(b"dkdk.", "地块.".encode("gbk"))  # as Windows in Chinese packs them
    assert {one.name for one in read(region, content, "a.zip").extra["layers"]} == {"地块", "b"}
