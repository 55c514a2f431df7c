"""Files of shapes as people have them, written by hand: KML, DXF, MapInfo, archives."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
from shapely import box

EAST, NORTH = 601_196.0, 3_333_327.0
"""A corner in Huangshi's science city (H05), in the zone of 114° E; made up."""

RECTANGLE = [(EAST, NORTH), (EAST + 200, NORTH), (EAST + 200, NORTH + 300), (EAST, NORTH + 300)]


def squares(**columns):
    """Two parcels of 6 and 1 hectares."""
    names = {"园区": ["H05", "H05"], "地块": ["一", "二"]} | columns
    shapes = [box(EAST, NORTH, EAST + 200, NORTH + 300), box(EAST + 400, NORTH, EAST + 500, NORTH + 100)]
    return gpd.GeoDataFrame(names, geometry=shapes, crs=4547)


def written(frame, ending, **how):
    """The bytes of a file that GDAL or pyarrow writes; of several files, an archive of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{ending}")
        if ending == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_file(path, **how)
        if path.is_dir():
            return packed({f"数据.gdb/{one.name}": one.read_bytes() for one in path.iterdir()})
        parts = {one.name: one.read_bytes() for one in Path(folder).iterdir()}
        return packed(parts) if ending in (".shp", ".tab", ".mif") else path.read_bytes()


def shapefile(frame, *, text="gbk", cpg=None, without=(), name="地块"):
    """The files of a Shapefile by name; its .cpg says what it is told to."""
    with zipfile.ZipFile(io.BytesIO(written(frame, ".shp", encoding=text))) as archive:
        parts = {Path(one).suffix: archive.read(one) for one in archive.namelist()}
    parts.pop(".cpg", None)
    parts |= {} if cpg is None else {".cpg": cpg.encode()}
    return {f"{name}{ending}": content for ending, content in parts.items() if ending not in without}


def packed(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


# ---- KML ----------------------------------------------------------------------------------------------------


def kml(*parts, text="utf-8"):
    body = "".join(parts)
    head = f'<?xml version="1.0" encoding="{text}"?>'
    return f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>图</name>{body}</Document></kml>'.encode(
        text
    )


def folder(name, *parts):
    return f"<Folder><name>{name}</name>{''.join(parts)}</Folder>"


def placemark(name, shape, more=""):
    """A placemark of an outline; `more` stands before it."""
    corners = " ".join(f"{x:.9f},{y:.9f},0" for x, y in shape.exterior.coords)
    ring = f"<LinearRing><coordinates>{corners}</coordinates></LinearRing>"
    return (
        f"<Placemark><name>{name}</name>{more}<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon></Placemark>"
    )


def extended(**values):
    cells = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in values.items())
    return f"<ExtendedData>{cells}</ExtendedData>"


def schema_data(**values):
    cells = "".join(f'<SimpleData name="{key}">{value}</SimpleData>' for key, value in values.items())
    return f'<ExtendedData><SchemaData schemaUrl="#s">{cells}</SchemaData></ExtendedData>'


OVERLAY = (
    "<GroundOverlay><name>影像</name><Icon><href>x.png</href></Icon><LatLonBox><north>30.12</north>"
    "<south>30.10</south><east>115.04</east><west>115.02</west></LatLonBox></GroundOverlay>"
)


# ---- DXF ----------------------------------------------------------------------------------------------------


def dxf(*entities, version="AC1009", page="ANSI_936", blocks="", text="gbk"):
    """A drawing as CAD writes it, as short as may be."""
    head = f"0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\n{version}\n9\n$DWGCODEPAGE\n3\n{page}\n0\nENDSEC\n"
    parts = f"0\nSECTION\n2\nBLOCKS\n{blocks}0\nENDSEC\n" if blocks else ""
    body = "".join(entities)
    return f"{head}{parts}0\nSECTION\n2\nENTITIES\n{body}0\nENDSEC\n0\nEOF\n".encode(text)


def polyline(corners, *, closed=True, layer="DK", z=None, bulge=None):
    """The POLYLINE of R12, flat or in space; `bulge` bends each of its sides."""
    flag = (1 if closed else 0) | (8 if z is not None else 0)
    out = f"0\nPOLYLINE\n8\n{layer}\n66\n1\n70\n{flag}\n"
    for x, y in corners:
        out += f"0\nVERTEX\n8\n{layer}\n10\n{x}\n20\n{y}\n30\n{z or 0}\n" + (f"42\n{bulge}\n" if bulge else "")
    return f"{out}0\nSEQEND\n8\n{layer}\n"


def lwpolyline(corners, *, layer="DK", common=""):
    """The closed LWPOLYLINE of R2000 and later; `common` stands where group codes of all entities do."""
    at = "".join(f"10\n{x}\n20\n{y}\n" for x, y in corners)
    head = f"0\nLWPOLYLINE\n5\n2A\n100\nAcDbEntity\n8\n{layer}\n{common}100\nAcDbPolyline\n"
    return f"{head}90\n{len(corners)}\n70\n1\n{at}"


def layer_table(content, **flags):
    """A drawing with a table of layers; `flags` are flag and colour of each."""
    rows = "".join(f"0\nLAYER\n2\n{name}\n70\n{flag}\n62\n{color}\n6\nX\n" for name, (flag, color) in flags.items())
    table = f"0\nSECTION\n2\nTABLES\n0\nTABLE\n2\nLAYER\n70\n9\n{rows}0\nENDTAB\n0\nENDSEC\n".encode("gbk")
    start = content.index(b"0\nSECTION\n2\nENTITIES")
    return content[:start] + table + content[start:]


def line(start, end, layer="DK"):
    return f"0\nLINE\n8\n{layer}\n10\n{start[0]}\n20\n{start[1]}\n11\n{end[0]}\n21\n{end[1]}\n"


def label(words, at, layer="ZJ"):
    return f"0\nTEXT\n8\n{layer}\n10\n{at[0]}\n20\n{at[1]}\n40\n2.5\n1\n{words}\n"


def hatch(corners, layer="DK"):
    """A filled outline of newer versions."""
    at = "".join(f"10\n{x}\n20\n{y}\n" for x, y in corners)
    return (
        f"0\nHATCH\n8\n{layer}\n100\nAcDbHatch\n10\n0\n20\n0\n30\n0\n210\n0\n220\n0\n230\n1\n2\nSOLID\n70\n1\n71\n0\n"
        f"91\n1\n92\n2\n72\n0\n73\n1\n93\n{len(corners)}\n{at}97\n0\n75\n0\n76\n1\n98\n0\n"
    )


def block(name, *entities):
    head = f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n30\n0\n3\n{name}\n"
    return f"{head}{''.join(entities)}0\nENDBLK\n8\n0\n"


def insert(name, at, scale=1.0, turned=0.0):
    return f"0\nINSERT\n8\n0\n2\n{name}\n10\n{at[0]}\n20\n{at[1]}\n41\n{scale}\n42\n{scale}\n50\n{turned}\n"


# ---- boundary points ----------------------------------------------------------------------------------------


def stakes(*rings, system="2000国家大地坐标系", zone="38", name="一号"):
    """A parcel as surveyors hand it over: each ring's corners in metres, northing first."""
    head = f"[属性描述]\n坐标系={system}\n几度分带=3\n投影类型=高斯克吕格\n计量单位=米\n带号={zone}\n[地块坐标]\n"
    corners = [(x, y, k) for k, ring in enumerate(rings, 1) for x, y in ring]
    out = f"{head}{len(corners)},6.0,1,{name},面,,工业,,@\n"
    return out + "".join(f"J{k},{ring},{y:.3f},{x:.3f}\n" for k, (x, y, ring) in enumerate(corners, 1))


# ---- MapInfo ------------------------------------------------------------------------------------------------


def mapinfo(frame):
    """A MIF and its MID as MapInfo in Chinese writes them."""
    names = [key for key in frame if key != "geometry"]
    out = 'Version 300\r\nCharset "WindowsSimpChinese"\r\nDelimiter ","\r\nCoordSys Earth Projection 1, 104\r\n'
    out += f"Columns {len(names)}\r\n" + "".join(f"  {name} Char(20)\r\n" for name in names) + "Data\r\n\r\n"
    for shape in frame.to_crs(4490).geometry:
        at = list(shape.exterior.coords)
        out += f"Region 1\r\n  {len(at)}\r\n" + "".join(f"{x} {y}\r\n" for x, y in at)
    rows = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in frame[names].itertuples(index=False))
    return {"地块.mif": out.encode("gbk"), "地块.mid": rows.encode("gbk")}
