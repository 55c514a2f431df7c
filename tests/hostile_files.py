"""Files that try to read, write, ask or kill, made of the path of a secret, a folder to write to and the URL of a trap."""

from __future__ import annotations

import base64
import io
import json
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import geopandas as gpd
import openpyxl
from shapely import box

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
SQUARE = {"type": "Polygon", "coordinates": [[[115, 30], [115.01, 30], [115.01, 30.01], [115, 30.01], [115, 30]]]}
HEAD = "编号,名称,细分环节,年产值(亿元)\n"


def hostile(secret: Path, out: Path, trap: str) -> dict[str, Callable[[], bytes]]:
    """What makes each file, by name; the name's ending is what the file pretends to be."""
    plain = {**_drivers(secret, out, trap), **_json(secret, trap), **_xml(secret, trap)}
    return {
        **{name: partial(bytes, content) for name, content in plain.items()},
        **_packages(secret, out),
        **_archives(secret, trap),
        **_workbooks(secret, trap),
        **_texts(),
    }


def _drivers(secret: Path, out: Path, trap: str) -> dict[str, bytes]:
    """Descriptions that GDAL follows, whatever the ending, if it has the driver."""
    layer = (
        '<OGRVRTDataSource><OGRVRTLayer name="{}"><SrcDataSource>{}</SrcDataSource>{}</OGRVRTLayer></OGRVRTDataSource>'
    )
    stem = secret.stem
    told = {
        "vrt": layer.format(stem, secret, "<GeometryType>wkbNone</GeometryType>"),
        "vrt_sql": layer.format("a", out / "db.sqlite", f"<SrcSQL>VACUUM INTO '{out / 'vacuumed'}'</SrcSQL>"),
        "vrt_attach": layer.format("a", ":memory:", f"<SrcSQL>ATTACH '{out / 'attached'}' AS x</SrcSQL>"),
        "vrt_curl": layer.format("a", f"/vsicurl/{trap}a.csv", ""),
        "vrt_zip": layer.format("a", f"/vsizip//vsicurl/{trap}a.zip", ""),
        "vrt_wfs": layer.format("a", f"WFS:{trap}wfs", ""),
        "wfs": f"<OGRWFSDataSource><URL>{trap}wfs?</URL></OGRWFSDataSource>",
        "wfs_capabilities": f'<WFS_Capabilities version="2.0.0"><Get xlink:href="{trap}"/></WFS_Capabilities>',
        "csw": f"<OGRCSWDataSource><URL>{trap}csw</URL></OGRCSWDataSource>",
        "wms": f'<GDAL_WMS><Service name="WMS"><ServerUrl>{trap}</ServerUrl></Service></GDAL_WMS>',
        "vrt_raster": f"<VRTDataset><VRTRasterBand><SourceFilename>{secret}</SourceFilename></VRTRasterBand></VRTDataset>",
        "mapml": f'<mapml><head><link rel="stylesheet" href="{trap}"/></head></mapml>',
        "gml": f'<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml" xsi:schemaLocation="a {trap}a.xsd"/>',
        "osm": '<?xml version="1.0"?><osm version="0.6"><node id="1" lat="30" lon="115"/></osm>',
        "gpx": f'<gpx version="1.1"><metadata><link href="{trap}"/></metadata></gpx>',
    }
    command = f"gdal vector pipeline ! read {secret} ! write --overwrite {out / 'written.csv'}"
    streamed = json.dumps(
        {"type": "gdal_streamed_alg", "command_line": command, "relative_paths_relative_to_this_file": False}
    )
    links = json.dumps({"links": [{"rel": "data", "type": "application/json", "href": f"{trap}collections"}]})
    found = {f"{how}{ending}": text.encode() for how, text in told.items() for ending in (".geojson", ".kml")}
    found |= {f"vrt{ending}": told["vrt"].encode() for ending in (".json", ".dxf", ".gpkg", ".csv", ".xlsx")}
    found |= {
        "vrt_bom.geojson": b"\xef\xbb\xbf" + told["vrt"].encode(),
        "vrt_blank.json": b" \n\t" + told["vrt"].encode(),
    }
    found |= {"gdalg.json": streamed.encode(), "gdalg.geojson": streamed.encode(), "oapif.json": links.encode()}
    return found


def _json(secret: Path, trap: str) -> dict[str, bytes]:
    def collection(geometry, **more):
        feature = {"type": "Feature", "properties": {"site": "H01"}, "geometry": geometry}
        return json.dumps({"type": "FeatureCollection", "features": [feature], **more}).encode()

    link = {"type": "link", "properties": {"href": f"{trap}crs", "type": "proj4"}}
    grid = {"type": "name", "properties": {"name": f"+proj=longlat +nadgrids={secret} +type=crs"}}
    deep = b'{"type":"GeometryCollection","geometries":[' * 60_000 + b"]}" * 60_000
    local = {"type": "name", "properties": {"name": 'LOCAL_CS["x",UNIT["m",1]]'}}
    moon = 'GEOGCS["Moon",DATUM["D_Moon",SPHEROID["Moon",1737400,0]],PRIMEM["0",0],UNIT["Degree",0.0174]]'
    esri = {"geometryType": "esriGeometryPoint", "spatialReference": {"wkt": moon}, "fields": []}
    esri |= {"features": [{"attributes": {}, "geometry": {"x": 1, "y": 2}}]}
    return {
        "crs_local.geojson": collection(SQUARE, crs=local),
        "crs_moon.json": json.dumps(esri).encode(),
        "crs_link.geojson": collection(SQUARE, crs=link),
        "crs_grid.geojson": collection(SQUARE, crs=grid),
        "nested_arrays.geojson": b'{"type":"FeatureCollection","features":' + b"[" * 200_000,
        "nested_collections.geojson": deep,
        "nested_properties.json": b'{"type":"Feature","properties":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        "endless_number.geojson": collection(SQUARE).replace(b"115.01", b"9" * 100_000),
        "not_finite.geojson": collection(SQUARE).replace(b"115.01", b"1e999"),
        "topology.json": json.dumps({"type": "Topology", "objects": {}, "arcs": [], "transform": trap}).encode(),
        **{f"empty_part_{k}.geojson": collection(one) for k, one in enumerate(_with_empty_parts())},
        "many_columns.geojson": json.dumps(
            {"type": "Feature", "properties": dict.fromkeys(map(str, range(30_000)), 1), "geometry": SQUARE}
        ).encode(),
    }


def _with_empty_parts() -> list[dict]:
    """Shapes with a part without corners, which bring down what trusts them to have some."""
    ring = SQUARE["coordinates"][0]
    many = [
        {"type": "MultiPolygon", "coordinates": one} for one in ([[], [ring]], [[ring], []], [[[]], [ring]], [[], []])
    ]
    lines = {"type": "MultiLineString", "coordinates": [[], ring]}
    return [*many, lines, {"type": "GeometryCollection", "geometries": [many[0], lines, SQUARE]}]


def _xml(secret: Path, trap: str) -> dict[str, bytes]:
    kml = '<?xml version="1.0"?>{}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
    laughs = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    outside = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>'
    return {
        "laughs.kml": kml.format(laughs + "]>", "<name>&i;</name>").encode(),
        "outside.kml": kml.format(outside, "<name>&x;</name>").encode(),
        "outside_utf16.kml": kml.format(outside, "<name>&x;</name>").encode("utf-16"),
        "network_link.kml": kml.format(
            "", f"<NetworkLink><Link><href>{trap}a.kml</href></Link></NetworkLink>"
        ).encode(),
        "overlay.kml": kml.format(
            "", f"<GroundOverlay><Icon><href>file://{secret}</href></Icon></GroundOverlay>"
        ).encode(),
        "nested.kml": kml.format("", "<Folder>" * 50_000 + "</Folder>" * 50_000).encode(),
        "include.dxf": f"0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n1\n{secret}\n0\nENDSEC\n0\nEOF\n".encode(),
        "itself.dxf": _drawing_of_itself(),
    }


def _drawing_of_itself() -> bytes:
    """A block that inserts itself ten thousand times ten thousand times."""
    insert = ("0", "INSERT", "2", "A", "70", "10000", "71", "10000", "44", "1", "45", "1", "10", "0", "20", "0")
    lines = ["0", "SECTION", "2", "BLOCKS", "0", "BLOCK", "2", "A", "10", "0", "20", "0", *insert, "0", "POINT"]
    lines += [
        "10",
        "1",
        "20",
        "1",
        "0",
        "ENDBLK",
        "0",
        "ENDSEC",
        "0",
        "SECTION",
        "2",
        "ENTITIES",
        *insert,
        "0",
        "ENDSEC",
    ]
    return "\n".join([*lines, "0", "EOF", ""]).encode()


def _package(change) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.gpkg")
        gpd.GeoDataFrame({"site": ["H01"]}, geometry=[box(115, 30, 115.01, 30.01)], crs=4326).to_file(path, layer="a")
        with sqlite3.connect(path) as database:
            database.executescript("DROP TRIGGER IF EXISTS trigger_insert_feature_count_a;")
            change(database)
        database.close()
        return path.read_bytes()


def _packages(secret: Path, out: Path) -> dict[str, Callable[[], bytes]]:
    endless = (
        "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) SELECT max(k) AS fid, x'00' AS geom FROM n"
    )
    collection = struct.pack("<BII", 1, 7, 1) * 100_000 + struct.pack("<BII", 1, 7, 0)
    header = b"GP\x00\x01" + struct.pack("<i", 4326)

    def run(*statements):
        return lambda database: [database.execute(one) for one in statements]

    def nested(database):
        database.execute("DROP TRIGGER IF EXISTS rtree_a_geom_update6")
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE a SET geom = ?", (header + collection,))

    drop = [f"DROP TABLE IF EXISTS {one}" for one in ("rtree_a_geom", "a")]
    definition = f'GEOGCS["x",DATUM["x",SPHEROID["x",6378137,298],EXTENSION["PROJ4_GRIDS","{secret}"]],PRIMEM["G",0],UNIT["d",0.0174]]'
    return {
        "endless_layer.gpkg": lambda: _package(run(*drop, f"CREATE VIEW a AS {endless}")),
        "endless_contents.gpkg": lambda: _package(
            run("ALTER TABLE gpkg_contents RENAME TO c", f"CREATE VIEW gpkg_contents AS SELECT c.* FROM c, ({endless})")
        ),
        "endless_beside.gpkg": lambda: _package(run(f"CREATE VIEW b AS {endless}")),
        "endless_geometry.gpkg": lambda: _package(
            run("ALTER TABLE gpkg_geometry_columns RENAME TO g", f"CREATE VIEW gpkg_geometry_columns AS {endless}")
        ),
        "virtual_by_comment.gpkg": lambda: _package(
            run("CREATE VIRTUAL TABLE rtree_b USING fts4(c)", "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = 'CREATE/**/VIRTUAL TABLE \"b USING rtree(\" USING VirtualOGR(1)' WHERE name = 'rtree_b'")
        ),
        "long_text.gpkg": lambda: _package(run("ALTER TABLE a ADD COLUMN t GENERATED ALWAYS AS (printf('%.*c', 50000000, 'x'))")),
        "virtual.gpkg": lambda: _package(run("CREATE VIRTUAL TABLE b USING fts4(c)")),
        "other_file.gpkg": lambda: _package(
            run("CREATE VIRTUAL TABLE b USING fts4(c)", "PRAGMA writable_schema = ON",
                f"UPDATE sqlite_master SET sql = 'CREATE VIRTUAL TABLE b USING VirtualOGR(''{secret}'')' WHERE name = 'b'")
        ),
        "nested_shape.gpkg": lambda: _package(nested),
        "grid.gpkg": lambda: _package(
            run(f"UPDATE gpkg_spatial_ref_sys SET definition = '{definition}', organization = 'X', organization_coordsys_id = 9 "
                "WHERE srs_id = 4326")
        ),
        "path_as_name.gpkg": lambda: _package(run(f"UPDATE gpkg_contents SET table_name = '{secret}' WHERE table_name = 'a'")),
        "no_package.gpkg": lambda: _database(f"CREATE TABLE a (b); ATTACH '{out / 'attached'}' AS x;"),
        "zero_blob.gpkg": lambda: _package(run("DROP TABLE IF EXISTS b", "ALTER TABLE a ADD COLUMN c GENERATED ALWAYS AS (zeroblob(900000000))")),
        "cut.gpkg": lambda: _package(run())[:20_000],
    }  # fmt: skip


def _database(script: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        database = sqlite3.connect(path)
        database.executescript(script.split("ATTACH")[0])
        database.close()
        return path.read_bytes()


def _zip(members, method=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def _shapefile(**parts: bytes) -> list[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        frame = gpd.GeoDataFrame({"site": ["H01"]}, geometry=[box(115, 30, 115.01, 30.01)], crs=4326)
        frame.to_file(Path(folder, "a.shp"))
        found = {one.suffix: one.read_bytes() for one in Path(folder).iterdir()}
    return [(f"a{ending}", content) for ending, content in {**found, **{f".{k}": v for k, v in parts.items()}}.items()]


def _archives(secret: Path, trap: str) -> dict[str, Callable[[], bytes]]:
    vrt = f"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    link = zipfile.ZipInfo("a.geojson")
    link.external_attr = 0xA1FF << 16
    grid = f'PROJCS["x",GEOGCS["x",DATUM["x",SPHEROID["x",6378137,298]],PRIMEM["G",0],UNIT["d",0.0174],EXTENSION["PROJ4","+proj=longlat +nadgrids={secret}"]]]'
    huge = struct.pack(">i", 9994) + b"\0" * 20 + struct.pack(">i", 2**30) + struct.pack("<ii", 1000, 5) + b"\0" * 64
    return {
        "vrt_inside.zip": lambda: _zip([("a.geojson", vrt)]),
        "vrt_by_name.zip": lambda: _zip([("a.vrt", vrt), ("b.kml", vrt)]),
        "slip.zip": lambda: _zip([("../../../../tmp/slipped.geojson", b"{}"), ("/etc/slipped.shp", b"")]),
        "link.zip": lambda: _zip([(link, str(secret))]),
        "named.zip": lambda: _zip(
            [("}/vsicurl/" + trap.replace("/", "_") + "{.geojson", b"{}"), ("a\nb\0c.kml", b"<kml/>")]
        ),
        "local.zip": lambda: _zip(_shapefile(prj=b'LOCAL_CS["x",UNIT["m",1]]')),
        "grid.zip": lambda: _zip(_shapefile(prj=grid.encode())),
        "huge_header.zip": lambda: _zip(_shapefile(shp=huge, shx=huge)),
        "cut_shape.zip": lambda: _zip([(name, part[:110]) for name, part in _shapefile()]),
        "many.zip": lambda: _zip([(f"{k}.txt", b"") for k in range(5_000)]),
        "ratio.zip": lambda: _zip([("a.geojson", b" " * 30_000_000)]),
        "lying.zip": _lying,
        "twice.zip": lambda: _zip([("a.zip", _zip([("a.geojson", b"{}")]))]),
        "locked.zip": _locked,
        "no_archive.zip": lambda: b"PK\x03\x04" + b"\xff" * 100,
    }


def _locked() -> bytes:
    """An archive that says a password guards it."""
    made = bytearray(_zip([("a.geojson", b"{}")]))
    for at in (6, made.index(b"PK\x01\x02") + 8):
        made[at] |= 1
    return bytes(made)


def _lying() -> bytes:
    """An archive whose file is larger than it says."""
    made = bytearray(_zip([("a.geojson", b" " * 20_000_000)]))
    at = made.index(b"PK\x01\x02") + 24
    made[at : at + 4] = struct.pack("<I", 100)
    return bytes(made)


def _book(sheet: str, **parts: str) -> bytes:
    """A workbook whose first sheet, and whatever else is named, is replaced."""
    with zipfile.ZipFile(io.BytesIO(workbook(["a"]))) as honest:
        members = {name: honest.read(name) for name in honest.namelist()}
    return _zip(list({**members, "xl/worksheets/sheet1.xml": sheet, **parts}.items()))


def _workbooks(secret: Path, trap: str) -> dict[str, Callable[[], bytes]]:
    def row(number, *cells):
        inside = "".join(f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in cells)
        return f'<row r="{number}">{inside}</row>'

    heads = row(1, ("A1", "细分环节"), ("B1", "年产值(亿元)"))
    parcels = row(1, ("A1", "园区"), ("B1", "边界"))
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>'
    outside = f'<externalLink xmlns="a"><externalBook href="{trap}a.xlsx"/></externalLink>'
    return {
        "far_cell.xlsx": lambda: _book(SHEET.format(heads + row(1048576, ("XFD1048576", "x")))),
        "far_format.xlsx": lambda: _book(SHEET.format(heads + '<row r="1048576"><c r="XFD1048576" s="0"/></row>')),
        "nested_outline.xlsx": lambda: _book(
            SHEET.format(parcels + row(2, ("A2", "H01"), ("B2", "GEOMETRYCOLLECTION(" * 100_000 + ")" * 100_000)))
        ),
        "open_outline.xlsx": lambda: _book(SHEET.format(parcels + row(2, ("A2", "H01"), ("B2", "POLYGON(" * 30_000)))),
        "blank_sheet.xlsx": lambda: _book(SHEET.format(heads + " " * 30_000_000)),
        "many_cells.xlsx": lambda: _book(SHEET.format(heads + '<row r="2">' + "<c />" * 3_000_000 + "</row>")),
        "many_texts.xlsx": lambda: _book(
            SHEET.format(heads), **{"xl/sharedStrings.xml": f"<sst>{'<si><t>a</t></si>' * 1_500_000}</sst>"}
        ),
        "nested_xml.xlsx": lambda: _book(SHEET.format(heads + "<a>" * 200_000 + "</a>" * 200_000)),
        "entity.xlsx": lambda: _book(entity + SHEET.format(heads + row(2, ("A2", "&x;"), ("B2", "1")))),
        "laughs.xlsx": lambda: _book(
            '<!DOCTYPE a [<!ENTITY a "' + "ha" * 1000 + '">]>' + SHEET.format(f"<v>{'&a;' * 9000}</v>")
        ),
        "outside.xlsx": lambda: _book(SHEET.format(heads), **{"xl/externalLinks/externalLink1.xml": outside}),
        "no_book.xlsx": lambda: _zip([("xl/sheet.xml", b"<a/>")]),
        "no_sheet.xlsx": lambda: _book("<chartsheet/>"),
        "long_number.xlsx": lambda: _book(
            SHEET.format(heads + '<row r="2"><c r="B2"><v>' + "9" * 500_000 + "</v></c></row>")
        ),
        "row_of_no_number.xlsx": lambda: _book(SHEET.format(heads + '<row r="-7"><c r="ZZZZZ9"><v>1</v></c></row>')),
        "old_book.xlsx": lambda: base64.b64decode("0M8R4KGxGuE=") + b"\0" * 1000,
        "archive.csv": lambda: _zip([("a.csv", HEAD)]),
    }


def _texts() -> dict[str, Callable[[], bytes]]:
    deep = "GEOMETRYCOLLECTION(" * 100_000
    return {
        "blank_lines.csv": lambda: b"\n" * 20_000_000,
        "carriage_returns.csv": lambda: b"\r" * 20_000_000,
        "commas.csv": lambda: HEAD.encode() + (b"," * 16_384 + b"\n") * 1_500,
        "cells.csv": lambda: HEAD.encode() + b"1,a,b,2\n" * 600_000,
        "one_line.csv": lambda: b"x" * 10_000_000,
        "wide.csv": lambda: b"a," * 200_000 + b"\n" + b"1," * 200_000,
        "open_quote.csv": lambda: HEAD.encode() + b'1,"' + b"x" * 5_000_000,
        "zeros.csv": lambda: b"\0" * 5_000_000,
        "empty_outline.csv": lambda: (
            '园区,边界\nH01,"MULTIPOLYGON (EMPTY, ((115 30, 115.1 30, 115.1 30.1, 115 30)))"\n'.encode()
        ),
        "padded.csv": lambda: ",".join(f"h{k}" for k in range(1000)).encode() + b"\n" + b"1\n" * 200_000,
        "nested_outline.csv": lambda: f"园区,边界\nH01,{deep}\n".encode(),
        "not_finite.csv": lambda: '园区,边界\nH01,"POLYGON((0 0, 1e999 0, nan inf, 0 0))"\n'.encode(),
        "halves.csv": lambda: HEAD.encode("utf-16-le") + b"\x00\xd8",
        "half_utf16.csv": lambda: b"\xff\xfe" + b"\x00\xd8" * 1000,
    }


def workbook(*rows) -> bytes:
    """An honest workbook."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
