"""Layers for GIS, CAD, globes and portals: each format is read back by a library that didn't write it."""

import collections
import dataclasses
import gzip
import io
import json
import re
import shutil
import sqlite3
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import ezdxf
import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapefile
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pmtiles.reader import MemorySource, Reader, all_tiles

from geo_cluster import region, study, toml
from geo_cluster.errors import InputError
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.gis import dxf, files, kml, layer, look, qml, sld, vector
from geo_cluster.export.gis.content import gis_layers
from geo_cluster.export.gis.sheet_frame import MAP_MM, sheet_frame
from geo_cluster.report import tables
from geo_cluster.supply import land_survey
from geo_cluster.world.layers import Layers
from tests import world
from tests.studies import run

KML = "{http://www.opengis.net/kml/2.2}"
ANSWER = {"plan_sites", "flows", "routes", "plan", "ranking", "pools", "requests", "isochrones"}
QGIS_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def default():
    return run()


@pytest.fixture(scope="module")
def layers(default):
    return {one.name: one for one in gis_layers(default, "zh")}


@pytest.fixture(scope="module")
def tiny():
    """The tiny country with names of any sort, and of the shipped layers only those that it can't do without."""
    projects = world.projects(3).assign(name=["=1+1", "<b>甲</b>&\x07", "甲" * 500])
    held = Layers(tables=world.layers())
    held.registry = {name: held.registry[name] for name in dict.fromkeys([*world.layers(), *region.LAYERS, "province"])}
    return study.run(world.scenario(), held, projects=projects)


@pytest.fixture(scope="module")
def out(default, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gis") / "layers"
    files.gis_files(default, folder)
    return folder


def unpacked(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def shown(layers):
    return {name: one for name, one in layers.items() if one.look}


# ---- what is in them ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_format_is_one_file(out):
    declared = {about["file"] for about in toml.table("gis")["formats"].values()}
    assert {path.name for path in out.iterdir()} == declared | {"fields.csv", "fields.xlsx"}


@pytest.mark.slow
def test_the_answer_says_what_the_tables_of_the_study_say(default, layers):
    plan, found = tables.assignment(default), layers["plan"].frame
    assert found["project"].tolist() == plan["project"].tolist()
    assert found["score"].tolist() == plan["score"].tolist()
    sites = layers["plan_sites"].frame
    assert dict(zip(sites["site"], sites["projects"], strict=True)) == plan["site"].value_counts().to_dict()
    assert np.isclose(sites["land_mu"].sum(), plan["land_mu"].sum())
    pools = layers["pools"].frame
    assert len(pools) == len(tables.pools(default)) and np.isclose(
        pools["used"].sum(), tables.pools(default)["used"].sum()
    )
    assert pools.geometry.notna().all()
    ranked = layers["ranking"].frame
    assert len(ranked) == len(default.projects) * len(default.sites)
    assert (ranked["rank"].notna() == (ranked["eligible"] == "可")).all()
    assert layers["requests"].frame["gain"].tolist() == tables.requests(default)["gain"].tolist()
    areas = layers["isochrones"].frame
    assert areas["within_min"].tolist() == [240, 90, 60, 30]
    assert all(
        wide.buffer(1e-6).contains(narrow) for wide, narrow in zip(areas.geometry, areas.geometry[1:], strict=False)
    )


@pytest.mark.slow
def test_the_sample_is_marked_in_rows_and_metadata_of_the_answer_and_facts_are_none(layers):
    for name, one in layers.items():
        if name in ANSWER:
            assert (one.frame["notice"] == SAMPLE).all() and one.about["notice"] == SAMPLE, name
        else:
            assert "notice" not in one.about, name
        assert one.about["review"] == "内部使用，未经审图"
        assert one.about["publishers"] and one.about["as_of"], name


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_field_has_a_title_of_the_language(default, language):
    for one in gis_layers(default, language):
        assert len(set(one.titles.values())) == len(one.titles), one.name
        untold = [field for field, title in one.titles.items() if title == field]
        assert not untold or language == "en", (one.name, untold)
        chinese = [title for title in one.titles.values() if re.search("[\u4e00-\u9fff]", title)]
        assert len(chinese) == (0 if language == "en" else len(chinese)), (one.name, chinese)
        assert re.fullmatch("[a-z_]+", one.name)


# ---- GeoPackage and project -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_package_holds_styles_titles_and_sources(out, layers):
    with sqlite3.connect(out / "layers.gpkg") as package:
        contents = dict(package.execute("SELECT table_name, data_type FROM gpkg_contents"))
        assert contents.pop("layer_styles") == "attributes"
        assert contents == {name: "features" if one.look else "attributes" for name, one in layers.items()}
        assert {code for (code,) in package.execute("SELECT DISTINCT srs_id FROM gpkg_geometry_columns")} == {4490}
        named = pd.read_sql("SELECT table_name, column_name, name FROM gpkg_data_columns", package)
        for name, one in layers.items():
            columns = [row[1] for row in package.execute(f"PRAGMA table_info({name})")]
            titles = named[named["table_name"] == name].set_index("column_name")["name"].to_dict()
            assert set(columns) == {"fid", *titles, *({"geom"} if one.look else ())}
            assert titles == one.titles
        styles = package.execute("SELECT f_table_name, styleQML, styleSLD, useAsDefault FROM layer_styles").fetchall()
        assert {row[0] for row in styles} == set(shown(layers))
        for _, style, other, used in styles:
            assert used == 1
            assert ElementTree.fromstring(style.split("\n", 1)[1]).tag == "qgis"
            assert ElementTree.fromstring(other.encode()).tag.endswith("StyledLayerDescriptor")
        (text,) = package.execute("SELECT group_concat(metadata) FROM gpkg_metadata").fetchone()
        assert text.count("内部使用，未经审图") == len(layers) and SAMPLE in text
        plan = pd.read_sql("SELECT * FROM plan", package)
    assert plan["site_name"].tolist() == layers["plan"].frame["site_name"].tolist()


@pytest.mark.slow
def test_the_project_names_only_what_the_package_has(out, default):
    document = unpacked(out / "project.qgz")["project.qgs"].decode()
    assert str(out) not in document and "/" + "tmp" not in document
    root = ElementTree.fromstring(document.split("\n", 1)[1])
    held = root.find("projectlayers").findall("maplayer")
    with sqlite3.connect(out / "layers.gpkg") as package:
        for one in held:
            source, table, *subset = one.findtext("datasource").split("|")
            assert source == "./layers.gpkg"
            columns = {row[1] for row in package.execute(f"PRAGMA table_info({table.removeprefix('layername=')})")}
            assert columns, table
            fields = {element.get("field") for element in one.find("aliases")}
            fields |= {element.get("name") for element in one.find("fieldConfiguration")}
            fields |= {element.get("fieldName") for element in one.iter("text-style")}
            filters = [element.get("filter") for element in one.iter("rule")] + subset
            fields |= {name for text in filters for name in re.findall('"([a-z_]+)"', text.replace('subset="', '"'))}
            assert fields <= columns
            count = "SELECT count(*) FROM {} WHERE {}".format(
                table.removeprefix("layername="),
                " OR ".join(f"({text})" for text in filters if "subset" not in text) or 1,
            )
            assert package.execute(count).fetchone()[0] >= 0, "each filter is SQL"
    keys = [one.findtext("id") for one in held]
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == sorted(one.get("id") for one in root.iter("layer-tree-layer"))
    assert len([key for key in keys if key.startswith("ranking")]) == 1 + len(default.projects)
    assert root.findtext("properties/Paths/Absolute") == "false"


@pytest.mark.slow
def test_the_sheet_is_a3_and_holds_the_plan_at_the_scale_it_says(out, default):
    root = ElementTree.fromstring(unpacked(out / "project.qgz")["project.qgs"].decode().split("\n", 1)[1])
    frame = sheet_frame(default, "EPSG:4490")
    assert frame.crs == "EPSG:4547"
    items = {one.get("id"): one for one in root.iter("LayoutItem")}
    assert items["page"].get("size") == "420.0,297.0,mm"
    west, south, east, north = (float(items["map"].find("Extent").get(key)) for key in ("xmin", "ymin", "xmax", "ymax"))
    width, height = (float(side) for side in items["map"].get("size").split(",")[:2])
    assert np.isclose((east - west) / width, frame.scale / 1000) and np.isclose(
        (north - south) / height, frame.scale / 1000
    )
    assert (width, height) == MAP_MM[2:]
    used = default.sites.geometry[np.unique(default.plan.site[default.plan.site >= 0])].to_crs(frame.crs)
    assert used.within(shapely.box(west, south, east, north)).all()
    notes = items["notes"].get("labelText")
    assert f"1:{frame.scale:,}" in notes and SAMPLE in notes and "内部使用，未经审图" in notes
    assert "天地图" in items["sources"].get("labelText")


@pytest.mark.slow
def test_qgis_opens_the_project_without_a_warning(out, layers, tmp_path):
    has = shutil.which(QGIS_PYTHON) and subprocess.run([QGIS_PYTHON, "-c", "import qgis.core"], capture_output=True)
    if not has or has.returncode:
        pytest.skip("no QGIS here; what the project says is held against the package above")
    picture = tmp_path / "sheet.png"
    script = Path(__file__).with_name("qgis_opens.py")
    command = [QGIS_PYTHON, str(script), str(out / "project.qgz"), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    found = json.loads(done.stdout.splitlines()[-1])
    assert "GeoPackage" not in done.stderr, done.stderr
    assert found["read"] and not found["error"] and not found["invalid"] and not found["heard"]
    assert found["crs"] == "EPSG:4547" and found["ellipsoid"] == "EPSG:1024"
    for one in shown(layers).values():
        assert found["layers"][one.title] == len(one.frame), one.name
        assert found["renderers"][one.title] == ("RuleRenderer" if one.look.rules[0].field else "singleSymbol")
    assert found["shown"][:2] == ["落地园区", "研发到制造的流向"]
    assert found["alone"][1:] == list(layers["plan_sites"].titles.values())
    assert found["alone_renderer"] == "RuleRenderer", "the package alone brings its styles"
    assert found["picture"] and len(np.unique(np.frombuffer(picture.read_bytes(), np.uint8))) == 256


@pytest.mark.slow
def test_a_zone_that_is_asked_for_is_the_one_that_is_written(tiny, tmp_path):
    files.gis_files(tiny, tmp_path / "a", formats=["gpkg"], crs="4526")
    sites = gpd.read_file(tmp_path / "a" / "layers.gpkg", layer="sites").set_index("id")
    assert sites.crs.to_epsg() == 4526
    zone = pyproj.Proj("+proj=tmerc +lon_0=114 +k=1 +x_0=38500000 +ellps=GRS80")
    x, y = zone(*shapely.get_coordinates(tiny.sites.geometry).T)
    assert np.allclose(shapely.get_coordinates(sites.geometry[tiny.sites["id"]]), np.column_stack([x, y]), atol=0.01)


# ---- the other formats ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_shapefiles_read_back_in_chinese(out, layers):
    parts = unpacked(out / "shapefile.zip")
    fields = pd.read_csv(out / "fields.csv", encoding="utf-8-sig").set_index(["图层", "字段"])["Shapefile 字段"]
    for name, one in shown(layers).items():
        assert parts[f"{name}.cpg"] == b"GBK"
        assert b"China_2000" in parts[f"{name}.prj"] or b"CGCS" in parts[f"{name}.prj"].upper(), parts[f"{name}.prj"]
        files_of = {part: io.BytesIO(parts[f"{name}.{part}"]) for part in ("shp", "shx", "dbf")}
        reader = shapefile.Reader(**files_of, encoding="gbk")
        short = [field[0] for field in reader.fields[1:]]
        assert all(key.isascii() and len(key) <= 10 for key in short)
        assert short == [fields[name, field] for field in one.fields]
        assert len(reader) == len(one.placed), name
        for field in one.fields:
            if one.kind_of(field) != "text":
                continue
            wanted = ["" if cell is None else vector.gbk(cell) for cell in one.placed[field]]
            assert [row[fields[name, field]] or "" for row in reader.records()] == [cell.rstrip() for cell in wanted]
    reader = shapefile.Reader(
        **{part: io.BytesIO(parts[f"plan.{part}"]) for part in ("shp", "shx", "dbf")}, encoding="gbk"
    )
    assert {row["notice"] for row in reader.records()} == {SAMPLE}


@pytest.mark.slow
def test_kml_has_folders_styles_and_values(out, layers):
    signs = unpacked(out / "layers.kmz")
    root = ElementTree.fromstring(signs["doc.kml"])
    styles = {one.get("id"): one for one in root.iter(f"{KML}Style")}
    used = {one.text.removeprefix("#") for one in root.iter(f"{KML}styleUrl")}
    assert used <= set(styles)
    for one in (layers["chain"], layers["flows"], layers["pools"]):
        for number, rule in enumerate(one.look.rules):
            colour = styles[f"{one.name}-{number}"].find(f".//{KML}color").text
            assert "#" + colour[6:8] + colour[4:6] + colour[2:4] == rule.colour
    assert {href.text for href in root.iter(f"{KML}href")} <= set(signs)
    for name, content in signs.items():
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG") and struct.unpack(">II", content[16:24]) == (32, 32)
    for path in (out / "layers.kmz", out / "layers.kml"):
        found = [name for name, _ in pyogrio.list_layers(path)]
        assert found[:2] == ["方案", "落地园区"]
        sites = pyogrio.read_dataframe(path, layer="落地园区")
        assert sites["Name"].tolist() == layers["plan_sites"].frame["site_name"].tolist()
        assert np.allclose(
            shapely.get_coordinates(sites.geometry),
            shapely.get_coordinates(layers["plan_sites"].frame.geometry),
            atol=1e-5,
        )
        assert sites["description"].str.contains(SAMPLE.split(" / ")[0], regex=False).all()
    assert b"<Icon>" not in (out / "layers.kml").read_bytes(), "a sign that isn't there shows as a red cross"
    with_place = sum(len(one.placed) for one in shown(layers).values() if not one.look.backdrop)
    assert len(list(root.iter(f"{KML}Placemark"))) == with_place


@pytest.mark.slow
def test_the_drawing_is_sound_and_in_metres(out, default, layers):
    drawing = ezdxf.readfile(out / "layers.dxf")
    audit = drawing.audit()
    assert not audit.has_errors and not audit.has_fixes
    assert drawing.dxfversion == "AC1018" and drawing.encoding == "gbk" and drawing.header["$INSUNITS"] == 6
    frame = sheet_frame(default, "EPSG:4490")
    heights = {round(one.dxf.height, 6) for one in drawing.modelspace().query("TEXT")}
    assert heights == {2.5 * frame.scale / 1000}
    assert drawing.layers.get("落地园区").rgb == look.red_green_blue(toml.table("style")["map"]["site"])
    found = pyogrio.read_dataframe(out / "layers.dxf")
    assert {one.title for one in shown(layers).values() if len(one.placed)} <= set(found["Layer"])
    texts = set(found["Text"].dropna())
    assert SAMPLE in texts and "内部使用，未经审图" in texts
    assert set(layers["plan_sites"].frame["site_name"]) <= texts
    signs = drawing.modelspace().query('INSERT[layer=="候选制造园区"]')
    metres = default.sites.geometry.to_crs(frame.crs)
    assert {(round(one.dxf.insert.x, 3), round(one.dxf.insert.y, 3)) for one in signs} == {
        (round(point.x, 3), round(point.y, 3)) for point in metres
    }


@pytest.mark.slow
def test_geojson_is_as_rfc_7946_wants_it(out, layers):
    for name, content in unpacked(out / "geojson.zip").items():
        found, one = json.loads(content), layers[name.removesuffix(".geojson")]
        assert found["type"] == "FeatureCollection" and "crs" not in found
        assert one.about["review"] in found["description"]
        assert len(found["features"]) == len(one.placed)
        for feature, shape in zip(found["features"], one.placed.geometry, strict=True):
            made = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert np.allclose(made.bounds, shape.bounds, atol=1e-6)
            for part in shapely.get_parts(made):
                assert part.geom_type != "Polygon" or part.exterior.is_ccw, "the right-hand rule"
            assert set(feature["properties"]) == set(one.fields)


@pytest.mark.slow
def test_flatgeobuf_and_geoparquet_read_back(out, layers):
    for name, content in unpacked(out / "flatgeobuf.zip").items():
        one = layers[name.removesuffix(".fgb")]
        assert content.startswith(b"fgb\x03fgb")
        frame = pyogrio.read_dataframe(content)
        assert len(frame) == len(one.placed) and frame.crs.to_epsg() == 4490
        assert sorted(frame.columns) == sorted([*one.fields, "geometry"])
    for name, content in unpacked(out / "geoparquet.zip").items():
        one, table = layers[name.removesuffix(".parquet")], pq.read_table(io.BytesIO(content))
        about = json.loads(table.schema.metadata[b"geo"])
        column = about["columns"]["geometry"]
        assert about["version"] == "1.1.0" and column["crs"]["id"] == {"authority": "EPSG", "code": 4490}
        assert set(column["covering"]["bbox"]) == {"xmin", "ymin", "xmax", "ymax"}
        boxes = pd.DataFrame(table["bbox"].to_pylist(), columns=["xmin", "ymin", "xmax", "ymax"])
        assert np.allclose(boxes, one.placed.bounds, atol=1e-6)
        assert json.loads(table.schema.metadata[b"PANDAS_ATTRS"])["title"] == one.title
        assert [table.column(field).to_pylist() for field in one.fields[:3]] == [
            one.placed[field].tolist() for field in one.fields[:3]
        ]


@pytest.mark.slow
def test_vector_tiles_hold_every_layer(out, layers):
    content = (out / "layers.pmtiles").read_bytes()
    reader = Reader(MemorySource(content))
    wanted = {name for name, one in shown(layers).items() if not one.look.backdrop and len(one.placed)}
    told = {one["id"]: one for one in reader.metadata()["vector_layers"]}
    assert set(told) == wanted and SAMPLE in told["plan"]["description"]
    seen = {name: set() for name in wanted}
    for place, tile in all_tiles(MemorySource(content)):
        if place[0] == 10:
            for name, held in mapbox_vector_tile.decode(gzip.decompress(tile)).items():
                seen[name] |= {feature["properties"].get("site_name", "") for feature in held["features"]}
    assert all(seen.values()), "each has something at the highest zoom"
    assert seen["plan_sites"] == set(layers["plan_sites"].frame["site_name"])
    assert {name for name, _ in pyogrio.list_layers(out / "layers.pmtiles")} == wanted


@pytest.mark.slow
def test_all_styles_come_from_one_place(out, layers):
    styles = unpacked(out / "sld.zip")
    assert set(styles) == {f"{name}.sld" for name in shown(layers)}
    for name, one in shown(layers).items():
        symbols = {"fill": "color", "marker": "color", "line": "line_color"}
        root = ElementTree.fromstring(qml.qml(one).split("\n", 1)[1])
        drawn = [
            {option.get("name"): option.get("value") for option in symbol.iter("Option")}
            for symbol in root.find("renderer-v2/symbols")
        ]
        kind = root.find("renderer-v2/symbols/symbol").get("type")
        key = "outline_color" if kind == "fill" else symbols[kind]
        asked = [rule.colour for rule in one.look.rules]
        assert ["#{:02x}{:02x}{:02x}".format(*map(int, each[key].split(",")[:3])) for each in drawn] == asked
        rules = list(ElementTree.fromstring(styles[f"{name}.sld"]).iter("{http://www.opengis.net/sld}Rule"))
        inked = [
            [
                p.text
                for p in rule.iter("{http://www.opengis.net/sld}CssParameter")
                if p.get("name") in ("fill", "stroke")
            ]
            for rule in rules[: len(asked)]
        ]
        assert all(colour in each for colour, each in zip(asked, inked, strict=True)), name
        assert set(asked) <= set(re.findall("#[0-9a-f]{6}", json.dumps(toml.table("style"))))
        drawn_rows = one.look.rule_of(one.frame)
        assert name in ("requests", "demand") or (drawn_rows >= 0).all(), f"some rows of {name} are drawn by no rule"


# ---- hard cases -----------------------------------------------------------------------------------------------


def test_a_format_and_a_system_that_there_are_not_are_named_together_with_those_there_are(tmp_path):
    with pytest.raises(InputError) as refusal:
        files.gis_files(None, tmp_path / "out", formats=["gpkg", "dwg", "gdb"], crs="EPSG:2381")
    codes = [fault.code for fault in refusal.value.faults]
    assert codes == ["export.no_such_format", "export.no_such_format", "export.no_such_crs"]
    said = [str(fault.words("zh")) for fault in refusal.value.faults]
    assert "dwg" in said[0] and "pmtiles" in said[0] and "EPSG:4547" in said[2]
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_names_of_any_sort_leave_in_every_format(tiny, tmp_path):
    files.gis_files(tiny, tmp_path / "out", language="en")
    with sqlite3.connect(tmp_path / "out" / "layers.gpkg") as package:
        names = [name for (name,) in package.execute("SELECT project_name FROM plan ORDER BY project")]
    assert names == list(tables.assignment(tiny)["project_name"])
    document = unpacked(tmp_path / "out" / "layers.kmz")["doc.kml"]
    described = [one.text for one in ElementTree.fromstring(document).iter(f"{KML}description")]
    assert not any("<b>甲" in text for text in described if text), "a description is HTML"
    root = ElementTree.fromstring(unpacked(tmp_path / "out" / "project.qgz")["project.qgs"].decode().split("\n", 1)[1])
    assert any("\ufffd" in one.get("name") for one in root.iter("layer-tree-layer"))
    assert not ezdxf.readfile(tmp_path / "out" / "layers.dxf").audit().has_errors
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    files.gis_files(tiny, tmp_path / "out", language="en")
    changed = [name for name, content in before.items() if (tmp_path / "out" / name).read_bytes() != content]
    assert not changed, "the same study gives the same bytes"


@pytest.mark.slow
def test_a_plan_that_places_nobody_leaves_whole_and_its_layers_are_empty(tiny, tmp_path):
    nobody = dataclasses.replace(tiny, plan=dataclasses.replace(tiny.plan, site=np.full(3, -1)))
    files.gis_files(nobody, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {files.file_of(form) for form in files.formats()}
    for name in ("plan", "flows", "routes", "plan_sites"):
        frame = pyogrio.read_dataframe(tmp_path / "out" / "layers.gpkg", layer=name)
        assert frame.empty and "site_name" in frame
    assert "parcels" not in {name for name, _ in pyogrio.list_layers(tmp_path / "out" / "layers.gpkg")}


@pytest.mark.slow
def test_a_survey_adds_parcels_and_rectangles(tiny, tmp_path):
    found = land_survey.sample()
    files.gis_files(tiny, tmp_path / "out", formats=["gpkg"], crs="EPSG:4547", survey=found)
    parcels = gpd.read_file(tmp_path / "out" / "layers.gpkg", layer="parcels")
    placed = found.land[found.land["net_ha"] > 0]
    assert np.isclose(parcels.area.sum() / 1e4, placed["net_ha"].sum(), rtol=2e-3)
    halls = gpd.read_file(tmp_path / "out" / "layers.gpkg", layer="rectangles")
    assert (
        len(halls)
        and (halls.area <= parcels.set_index("parcel").area.reindex(halls["parcel"]).to_numpy() * 1.001).all()
    )


def test_a_folder_that_cannot_be_written_to_is_refused(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as refusal:
        files.gis_files(tiny, tmp_path / "file", formats=["sld"])
    assert [fault.code for fault in refusal.value.faults] == ["export.no_folder"]


def small(**about):
    frame = gpd.GeoDataFrame({"name": ["甲"], "share": [0.5]}, geometry=[shapely.Point(114, 30)], crs="EPSG:4326")
    drawn = look.Look("point", (look.Rule("", "#123456", 2.0),))
    return layer.GisLayer(
        "small", "=小", "plan", frame, {"name": "@名", "share": "+比"}, {"abstract": "-x"} | about, drawn
    )


def test_the_dictionary_has_no_formulas(tmp_path):
    files._write_dictionary((small(),), tmp_path, "zh")
    text = (tmp_path / "fields.csv").read_text(encoding="utf-8-sig")
    assert not [cell for line in text.splitlines() for cell in line.split(",") if cell[:1] in tuple("=+-@")]
    book = openpyxl.load_workbook(tmp_path / "fields.xlsx")
    assert book.sheetnames == ["图层", "字段"]
    cells = [cell for page in book for row in page.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or str(cell.value)[:1] in tuple("=+-@")]


@given(st.lists(st.text(max_size=14), unique=True, max_size=40))
def test_short_names_are_ascii_short_and_distinct(names):
    found = layer.short_names(names)
    assert list(found) == names
    assert all(one.isascii() and 1 <= len(one) <= 10 for one in found.values())
    assert len({one.lower() for one in found.values()}) == len(names)


@given(st.text(st.characters(codec="utf-8")))
def test_texts_of_a_shapefile_are_in_gbk_and_fit(text):
    held = vector.gbk(text)
    assert len(held.encode("gbk")) <= 254
    assert (
        len(text.encode("gbk", "replace")) > 254 or held == text.translate(str.maketrans("−‑", "--")) or not _gbk(text)
    )


def _gbk(text):
    try:
        return text.encode("gbk")
    except UnicodeEncodeError:
        return None


@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_texts_of_a_drawing_are_one_line_that_gbk_holds(text):
    line = dxf.cad_text(text)
    assert line.encode("gbk") is not None and "\n" not in line and "%%" not in line


@given(st.lists(st.one_of(st.none(), st.floats(-1, 3)), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_filter_of_qgis_draws_the_rows_that_the_rule_says(values, a, b):
    low, high = float(f"{min(a, b):g}"), float(f"{max(a, b):g}")
    frame = pd.DataFrame({"share": pd.Series(values, dtype=float)})
    rules = [
        look.Rule("", "#000000", 1, field="share", low=low, high=high),
        look.Rule("", "#000000", 1, field="share", missing=True),
    ]
    with sqlite3.connect(":memory:") as base:
        frame.to_sql("t", base)
        for rule in rules:
            rows = [
                row for (row,) in base.execute(f'SELECT "index" FROM t WHERE {qml.filter_of(rule)} ORDER BY "index"')
            ]
            assert rows == np.flatnonzero(rule.of(frame)).tolist()


def test_values_with_quotes_are_quoted_in_filters():
    rule = look.Rule("", "#000000", 1, field="name", value="it's")
    assert qml.filter_of(rule) == "\"name\" = 'it''s'"


def test_a_layer_of_several_kinds_of_shapes_leaves_as_several():
    shapes = [shapely.Point(1, 1, 5), shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 1), None]
    shapes.append(shapely.GeometryCollection([shapely.box(2, 2, 3, 3), shapely.Point(0, 0)]))
    shapes.append(shapely.MultiPoint([(1, 2), (3, 4)]))
    frame = gpd.GeoDataFrame({"n": range(6)}, geometry=shapes, crs=4326)
    parts = dict(layer.by_kind(frame))
    assert parts["point"]["n"].tolist() == [0, 3, 5, 5] and not parts["point"].geometry.dropna().has_z.any()
    assert set(parts["line"].geom_type) == {"MultiLineString"}
    assert parts["area"]["n"].tolist() == [2, 4] and set(parts["area"].geom_type) == {"MultiPolygon"}


@pytest.mark.parametrize("shape", ["circle", "square", "diamond", "triangle"])
def test_signs_are_pictures_with_a_shape_in_the_middle(shape):
    import zlib

    content = kml.sign(shape)
    rows = np.frombuffer(zlib.decompress(content[content.index(b"IDAT") + 4 : -16]), np.uint8).reshape(32, 129)
    alpha = rows[:, 4::4]
    assert alpha[16, 16] == 255 and alpha[0, 0] == 0


def test_sld_of_a_rule_for_missing_numbers_and_of_a_last_range():
    frame = gpd.GeoDataFrame({"rank": [1.0]}, geometry=[shapely.Point(0, 0)], crs=4326)
    of = look.look_of("ranking", "point", frame, "zh")
    one = dataclasses.replace(small(), look=of)
    text = sld.sld(one)
    assert text.count("PropertyIsNull>") == 2 and text.count("PropertyIsLessThan>") == 2 * 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda ends: ends[0] != ends[1])))
def test_roads_are_joined_into_few_lines_that_draw_each_once(pairs):
    at = [(0, 0), (5, 0), (0, 7), (11, 3)]
    lines = [shapely.LineString([at[a], (at[a][0] + k, 20 + k), at[b]]) for k, (a, b) in enumerate(pairs)]
    found = dxf.trails(lines)
    pieces = [
        tuple(sorted(map(tuple, pair))) for one in found for pair in zip(one.coords[:-1], one.coords[1:], strict=True)
    ]
    expected = [
        tuple(sorted(map(tuple, pair))) for one in lines for pair in zip(one.coords[:-1], one.coords[1:], strict=True)
    ]
    assert sorted(pieces) == sorted(expected)
    ends = collections.Counter(end for pair in pairs for end in pair)
    assert len(found) <= max(sum(n % 2 for n in ends.values()) // 2 + len(at), 1)
