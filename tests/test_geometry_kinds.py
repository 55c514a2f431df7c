"""Kinds of files of shapes that were once read wrongly, and coordinates that are shifted without saying so."""

from __future__ import annotations

import datetime
import io
import random
import struct
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from geo_cluster import cli
from geo_cluster.box import datasets, drawing, kml, stakes
from geo_cluster.box.formats import ending_of
from geo_cluster.box.limits import Limits, limits
from geo_cluster.errors import InputError
from geo_cluster.imports import ledger, shifts
from geo_cluster.region import prepare
from geo_cluster.world import catalog
from geo_cluster.world.coordinates import convert_geometry
from geo_cluster.world.layers import Layers
from tests import drawings as made
from tests.fuzzing import changed
from tests.surveyed import codes, hectares, read, told

NOW = datetime.datetime(2026, 11, 30, 16)
E, N = made.EAST, made.NORTH
BIG, SMALL = made.squares().geometry
HOLE = box(E + 50, N + 50, E + 150, N + 150)
ONE, TWO = made.squares().to_crs(4490).geometry
CORNERS = made.RECTANGLE
OTHER = [(x + 400, y) for x, y in CORNERS]


@pytest.fixture(scope="module")
def region():
    return prepare(catalog.scenario(), Layers())


# ---- KML and archives ---------------------------------------------------------------------------------------


def rings(*shapes):
    at = [" ".join(f"{x:.9f},{y:.9f}" for x, y in shape.exterior.coords) for shape in shapes]
    outer = "".join(
        f"<outerBoundaryIs><LinearRing><coordinates>{one}</coordinates></LinearRing></outerBoundaryIs>" for one in at
    )
    return f"<Placemark><name>a</name><Polygon>{outer}</Polygon></Placemark>"


def popup(**cells):
    rows = "".join(f"<tr><td>{key}</td><td>{value}</td></tr>" for key, value in cells.items())
    inner = f"<table><tr><td>标题</td></tr><tr><td><table>{rows}</table></td></tr></table>"
    return f"<description><![CDATA[<html>{inner}</html>]]></description>"


def area(folders):
    shapes = [shape for one in folders.values() for shape in one.shapes]
    return shapely.area(gpd.GeoSeries(shapes, crs=4490).to_crs(4547).to_numpy()).sum() / 1e4


@pytest.mark.parametrize(("shapes", "expected"), [((ONE, TWO), 7), ((ONE, Polygon(ONE.buffer(-4e-4).exterior)), 0)])
def test_a_polygon_of_several_outer_rings_is_all_of_them(shapes, expected):
    found, _ = kml.folders(made.kml(rings(*shapes)), "a.kml", limits())
    within = area({"": kml.Folder([], [shapes[1]])})
    assert area(found) == pytest.approx(expected or 6 - within, abs=1e-3)


def test_the_table_of_a_popup_lies_in_another_table():
    cells = {"状态": "已供", "园区": "H05"}
    found, _ = kml.folders(made.kml(made.placemark("a", ONE, popup(**cells))), "a.kml", limits())
    assert found[""].rows == [{"name": "a", **cells}]


def test_what_is_switched_off_is_counted():
    off = made.folder("作废", "<visibility>0</visibility>", made.folder("内", made.placemark("b", TWO)))
    _, left_out = kml.folders(made.kml(off, made.placemark("a", ONE)), "a.kml", limits())
    assert left_out["hidden"] == 1


def kmz(*shapes):
    return made.packed({f"{k}.kml": made.kml(made.placemark(f"{k}", shape)) for k, shape in enumerate(shapes)})


def geodatabase(folder):
    content = made.written(made.squares(), ".gdb", driver="OpenFileGDB")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return made.packed({f"{folder}{name.split('/')[-1]}": archive.read(name) for name in archive.namelist()})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (made.packed({"a.kmz": kmz(ONE, TWO)}), 7),
        (made.packed({"a.zip": made.packed(made.shapefile(made.squares()))}), 7),
        (geodatabase("数据/"), 7),
        (geodatabase(""), 7),
        (made.packed({"a.txt": made.stakes(CORNERS).encode("gbk"), "readme.txt": b"x"}), 6),
    ],
    ids=["two in a KMZ", "ZIP in ZIP", "geodatabase in a folder", "geodatabase without one", "boundary points"],
)
def test_what_lies_in_archives_is_found(region, content, expected):
    assert hectares(read(region, content, "a.zip")) == pytest.approx(expected, abs=1e-3)


def test_archives_are_looked_into_once_and_together_unpack_to_no_more_than_one_may():
    deep = made.packed({"b.zip": made.packed({"c.zip": kmz(ONE)})})
    with pytest.raises(InputError) as refusal:
        datasets.datasets({".zip": deep}, "a.zip", limits())
    assert refusal.value.faults[0].code == "box.nothing_to_read"
    few = Limits(**vars(limits()) | {"unpacked_megabytes": 1})
    half = made.packed({"a.kml": made.kml(made.placemark("a", ONE)) + b" " * 700_000})
    with pytest.raises(InputError) as refusal:
        datasets.datasets({".zip": made.packed({"a.zip": half, "b.zip": half})}, "a.zip", few)
    assert refusal.value.faults[0].code == "box.unpacks_too_large"


# ---- Shapefiles and MapInfo that are torn -------------------------------------------------------------------


def torn(how):
    files = made.shapefile(made.squares(), name="a", without=(".shx",) if how in ("table", "cut") else ())
    if how == "table":
        files["a.dbf"] = files["a.dbf"][:4] + struct.pack("<I", 1) + files["a.dbf"][8:]
    if how == "cut":
        files["a.shp"] = files["a.shp"][:-60]
    if how == "index":
        files["a.shx"] = files["a.shx"][:108]
    return made.packed(files)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (torn("table"), "box.parts_differ"),
        (torn("index"), "box.parts_differ"),
        (torn("cut"), "box.cut_short"),
        (made.packed({"a.mif": made.mapinfo(made.squares())["地块.mif"]}), "box.part_missing"),
    ],
)
def test_a_torn_file_is_refused_and_no_half_of_it_read(content, code):
    with pytest.raises(InputError) as refusal:
        datasets.datasets({".zip": content}, "a.zip", limits())
    assert [one.code for one in refusal.value.faults] == [code]


# ---- drawings -----------------------------------------------------------------------------------------------


def test_what_a_drawing_hides_refers_to_or_keeps_to_itself_is_counted():
    shapes = [made.lwpolyline(CORNERS), made.lwpolyline(OTHER, layer="off"), made.lwpolyline(OTHER, layer="cold")]
    unseen = made.lwpolyline(OTHER, common="60\n1\n")
    content = made.dxf(*shapes, unseen, "0\nMPOLYGON\n8\nDK\n70\n1\n", version="AC1015")
    content = made.layer_table(content, DK=(0, 7), off=(0, -7), cold=(1, 7))
    assert drawing.hidden(content, {"DK": 1, "off": 1, "cold": 1}) == 3
    assert drawing.hidden(content.replace(b"\n", b"\r\n"), {"DK": 1}) == 1
    assert drawing.unread(content) == 1
    beside = made.block("x", "").replace("70\n0", "70\n4")
    assert drawing.elsewhere(made.dxf(*shapes, blocks=beside + made.block("y", ""))) == 1


def test_blocks_within_blocks_are_counted_before_they_are_drawn():
    ten = [made.block(f"b{k}", *[made.insert(f"b{k + 1}", (0, 0))] * 10) for k in range(12)]
    blocks = "".join(ten) + made.block("b12", made.polyline([(0, 0), (1, 0), (1, 1)]))
    assert drawing.expanded(made.dxf(made.insert("b0", (0, 0)), blocks=blocks)) > 10**12
    field = made.insert("b12", (0, 0)) + "70\n30000\n71\n30000\n"
    assert drawing.expanded(made.dxf(field, blocks=blocks)) > 10**9
    assert drawing.expanded(made.dxf(made.insert("b", (0, 0)), blocks=made.block("b", made.insert("b", (0, 0))))) < 10


@pytest.mark.slow
def test_a_bomb_of_blocks_is_refused_and_layers_that_are_off_are_told(region):
    blocks = "".join(made.block(f"b{k}", *[made.insert(f"b{k + 1}", (0, 0))] * 10) for k in range(12))
    content = made.dxf(made.insert("b0", (0, 0)), blocks=blocks + made.block("b12", made.polyline(CORNERS)))
    assert codes(read(region, content, "a.dxf")) == ["box.too_many_shapes"]
    content = made.dxf(made.lwpolyline(CORNERS), made.lwpolyline(OTHER, layer="off"), version="AC1015")
    found = read(region, made.layer_table(content, DK=(0, 7), off=(0, -7)), "a.dxf", crs="EPSG:4547")
    assert hectares(found) == pytest.approx(12, abs=1e-3)
    assert "1 个图形在文件中隐藏、关闭或冻结" in told(found)


# ---- boundary points ----------------------------------------------------------------------------------------

PREFIXED = [(x + 38_000_000, y) for x, y in CORNERS]
INNER = list(HOLE.exterior.coords)


@pytest.mark.parametrize(
    ("text", "expected", "crs"),
    [
        (made.stakes(CORNERS), 6, "EPSG:4547"),
        (made.stakes(PREFIXED), 6, "EPSG:4526"),
        (made.stakes(CORNERS, INNER), 5, "EPSG:4547"),
        (made.stakes(CORNERS, OTHER), 12, "EPSG:4547"),
        (made.stakes(CORNERS, system="1980西安坐标系"), 6, "EPSG:2383"),
        (made.stakes(PREFIXED, system="1954年北京坐标系"), 6, "EPSG:2414"),
        (made.stakes(CORNERS, zone=""), 6, None),
    ],
)
def test_boundary_points_are_an_outline_in_the_zone_that_they_say(text, expected, crs):
    columns, shapes, system = stakes.parcels(text.encode(), "a.txt", limits())
    assert (shapely.area(shapes).sum() / 1e4, system) == (pytest.approx(expected), crs)
    assert columns["地块"] == ["一号"]
    assert ending_of(text.encode("gbk"), "a.txt") == ending_of(text.encode(), "a.csv") == ".txt"


def test_a_line_that_is_no_corner_is_named():
    with pytest.raises(InputError) as refusal:
        stakes.parcels(made.stakes(CORNERS).replace("J2,1,", "J2;1;").encode(), "a.txt", limits())
    (fault,) = refusal.value.faults
    assert (fault.code, fault.row) == ("box.no_corner", 10)


@pytest.mark.slow
def test_boundary_points_are_parcels(region):
    assert hectares(read(region, made.stakes(PREFIXED).encode("gbk"), "报盘.txt")) == pytest.approx(6, abs=1e-3)


# ---- scraps -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_scrap_is_told(region):
    frame = gpd.GeoDataFrame({"园区": ["H05"] * 2}, geometry=[BIG, box(E + 300, N, E + 302, N + 1)], crs=4547)
    found = read(region, frame.to_crs(4490).to_json().encode(), "a.geojson")
    assert hectares(found) == pytest.approx(6, abs=1e-3)
    assert "1 个边界不足 200 平方米，仍计入（第 2 行，最小 2.0 平方米）" in told(found)


# ---- shifted coordinates ------------------------------------------------------------------------------------

WGS = made.squares().to_crs(4326)
MIDDLES = WGS.geometry.centroid
SAYING = WGS.assign(经度=MIDDLES.x.map("{:.6f}".format), 纬度=MIDDLES.y.map("{:.6f}".format))
FARM = gpd.GeoSeries([box(E, N, E + 100, N + 300), box(E + 400, N, E + 450, N + 100)], crs=4547)


def shifted(frame, code):
    return convert_geometry(frame.to_crs(4326), source="wgs84", target=code)


@pytest.mark.parametrize("code", ["gcj02", "bd09"])
def test_a_shift_is_known_by_what_shapes_lie_on_without_it(code):
    parcels = made.squares().geometry
    table = SAYING.drop(columns="geometry")
    assert shifts.from_columns(shifted(SAYING, code), table)[0] == (code, 2)
    assert shifts.onto_parcels(shifted(parcels, code), parcels) == (code, 2)
    assert shifts.outlines_onto(shifted(FARM, code), parcels) == (code, 2)
    assert shifts.outlines_onto(parcels, FARM) is None
    assert shifts.outlines_onto(shifted(parcels, code), FARM) == (code, 2), "the farm's corners lie on the parcels"
    assert shifts.outlines_onto(FARM, shifted(parcels, code)) is None, "it is the other one that is shifted"


def test_what_lies_right_or_by_chance_is_not_shifted():
    parcels = made.squares().geometry
    assert shifts.from_columns(SAYING, SAYING.drop(columns="geometry")) is None
    assert shifts.onto_parcels(parcels, parcels) is None
    assert shifts.outlines_onto(FARM, parcels) is None
    chance = np.random.default_rng(1)
    at = chance.uniform(0, 3000, (400, 2)) + np.array([E - 1500, N - 1500])
    round_ = gpd.GeoSeries(shapely.points(at), crs=4547).buffer(60)
    plots = gpd.GeoSeries([box(x, y, x + 80, y + 50) for x, y in at[:200]], crs=4547)
    assert shifts.outlines_onto(round_, plots) is None
    assert shifts.outlines_onto(plots, round_) is None
    grid = [box(E + 20 * i, N + 20 * j, E + 20 * i + 20, N + 20 * j + 20) for i in range(60) for j in range(60)]
    assert shifts.outlines_onto(gpd.GeoSeries(grid, crs=4547), plots) is None
    assert shifts.outlines_onto(plots, gpd.GeoSeries(grid, crs=4547)) is None


@pytest.mark.slow
def test_shifted_files_and_layers_are_asked_about_and_read_as_chosen(region):
    content = shifted(SAYING, "gcj02").to_json().encode()
    asked = read(region, content, "a.geojson")
    assert (codes(asked), asked.extra["offered"]) == (["imports.shifted_beside"], ("gcj02", "EPSG:4326"))
    assert hectares(read(region, content, "a.geojson", crs="gcj02")) == pytest.approx(7, abs=1e-3)
    projected = made.packed(made.shapefile(shifted(SAYING, "gcj02").to_crs(4547)))
    assert read(region, projected, "a.zip").extra["offered"] == ("gcj02", "EPSG:4547")
    assert hectares(read(region, projected, "a.zip", crs="gcj02")) == pytest.approx(7, abs=1e-3)
    rules = b"name,layer,buffer_m\nfarm,farm,0\n"
    farm = shifted(gpd.GeoDataFrame(geometry=FARM), "bd09")
    both = (rules, made.written(farm, ".gpkg", layer="farm"))
    plain = WGS.to_json().encode()
    asked = read(region, plain, "a.geojson", rules=both)
    assert (codes(asked), asked.extra["of_rules"]) == (["imports.rule_shifted"], ("bd09", "EPSG:4326"))
    assert hectares(read(region, plain, "a.geojson", rules=both, rules_crs="bd09")) == pytest.approx(3.5, abs=1e-3)


@pytest.mark.slow
def test_the_same_parcels_again_from_a_shifted_map_are_known(region):
    held = ledger.accept((), {}, read(region, WGS.to_json().encode(), "a.geojson"), when=NOW)
    found = ledger.beside(held.files, read(region, shifted(WGS, "gcj02").to_json().encode(), "b.geojson"))
    assert (codes(found), found.extra["offered"]) == (["imports.shifted_beside"], ("gcj02", "EPSG:4326"))
    chosen = read(region, shifted(WGS, "gcj02").to_json().encode(), "b.geojson", crs="gcj02")
    assert ledger.beside(held.files, chosen).extra["again"] == 2


# ---- changed at random --------------------------------------------------------------------------------------

HONEST = {
    ".kml": made.kml(made.folder("甲", made.placemark("a", ONE, popup(状态="已供"))), rings(ONE, TWO)),
    ".dxf": made.layer_table(made.dxf(made.insert("b", (E, N)), blocks=made.block("b", "")), DK=(1, -7)),
    ".txt": made.stakes(PREFIXED, INNER).encode(),
    ".zip": made.packed(made.shapefile(made.squares()) | {"b.kmz": kmz(ONE)}),
}


@pytest.mark.parametrize("ending", list(HONEST))
def test_readers_of_our_own_survive_any_change(ending):
    chance, now = random.Random(24), limits()
    own = {
        ".kml": lambda one: kml.folders(one.source, "a", now),
        ".dxf": lambda one: [drawing.hidden(one.source, {}), drawing.expanded(one.source), drawing.unread(one.source)],
        ".txt": lambda one: stakes.parcels(one.source, "a", now),
    }
    refused = 0
    for _ in range(150):
        try:
            found, _ = datasets.datasets({ending: changed(HONEST[ending], chance)}, "a", now)
            for one in found:
                own.get(one.ending, lambda one: one.source)(one)
        except (InputError, ValueError, shapely.errors.ShapelyError):  # the box says of the latter: can't be read
            refused += 1
    assert 0 < refused < 150


@pytest.mark.slow
def test_the_command_line_takes_a_drawing_in_the_system_that_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.dxf").write_bytes(made.dxf(made.lwpolyline(CORNERS, layer="H05"), version="AC1015"))
    (tmp_path / "r.csv").write_text("name,layer,buffer_m\nfarm,farm,0\n", encoding="utf-8")
    shifted(gpd.GeoDataFrame(geometry=FARM), "gcj02").to_file(tmp_path / "l.gpkg", layer="farm")
    asked = ["land", "a.dxf", "--rules", "r.csv", "--layers", "l.gpkg", "--crs", "EPSG:4547"]
    monkeypatch.chdir(tmp_path)
    for more, code, said in (([], 2, "GCJ-02"), (["--layers-crs", "gcj02"], 0, "H05: 3.00 ha")):
        monkeypatch.setattr("sys.argv", ["geo-cluster", *asked, *more])
        with pytest.raises(SystemExit) as end:
            cli.main()
        told_ = capsys.readouterr()
        assert (end.value.code or 0) == code
        assert said in told_.out + told_.err


@pytest.mark.parametrize("id_", ["H01", "420200"])
def test_a_project_has_no_id_of_a_site_or_a_prefecture(region, id_):
    table = f"编号,名称,细分环节,年产值(亿元)\n{id_},甲,光纤激光器,6\n".encode()
    assert codes(read(region, table, "a.csv", "projects")) == ["imports.id_of_another"]


def test_the_title_of_a_file_speaks_of_its_coordinates(region):
    content = WGS.to_json().replace("{", '{"name": "高德导出", ', 1).encode()
    assert codes(read(region, content, "a.geojson")) == ["imports.says_shifted"]
