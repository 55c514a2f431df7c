"""Which kinds of vector files there are: told by what is in a file first, by its ending where that says nothing."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath

DRIVERS: dict[str, tuple[str, ...]] = {
    ".geojson": ("GeoJSON", "ESRIJSON", "GeoJSONSeq"),
    ".json": ("GeoJSON", "ESRIJSON", "GeoJSONSeq"),
    ".gpkg": ("GPKG",),
    ".shp": ("ESRI Shapefile",),
    ".kml": (),
    ".dxf": ("DXF",),
    ".gdb": ("OpenFileGDB",),
    ".tab": ("MapInfo File",),
    ".mif": ("MapInfo File",),
    ".gpx": ("GPX",),
    ".gml": ("GML",),
    ".fgb": ("FlatGeobuf",),
    ".parquet": (),
    ".txt": (),
}
"""What of GDAL may open a file, by its ending; every other driver is taken out of GDAL before it is opened."""

ARCHIVES: dict[str, tuple[str, ...]] = {
    ".zip": tuple(ending for ending in DRIVERS if ending != ".parquet"),
    ".kmz": (".kml",),
}
"""What may lie in an archive, by its ending."""

MANY = (".gpkg", ".kml", ".dxf", ".gdb", ".gpx", ".gml")
"""What may hold several layers; looking for them in another kind would read all of it."""

BESIDE: dict[str, tuple[str, ...]] = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg"),
    ".tab": (".dat", ".map", ".id", ".ind"),
    ".mif": (".mid",),
    ".gml": (".xsd",),
}
"""The further files of a kind that is several, by the ending of the one that has the shapes."""

SAME = {".ovkml": ".kml", ".ovkmz": ".kmz", ".ovjsn": ".geojson", ".geoparquet": ".parquet"}
"""Other endings of the same kinds; the first three are those of 奥维互动地图."""

GDB_PART = re.compile(r"\.(gdbtable|gdbtablx|gdbindexes|atx|spx|freelist|horizon)$|^(gdb|timestamps)$", re.IGNORECASE)
"""The names of what lies in the folder of a file geodatabase."""

STAKES = "[地块坐标]"
"""What a text of boundary points holds, whatever it is called; see `box.stakes`."""

_STAKES = tuple(STAKES.encode(code) for code in ("utf-8", "gb18030"))
_BLANK = b"\xef\xbb\xbf \t\r\n"
_ROOTS = ((b"<kml", ".kml"), (b"<gpx", ".gpx"), (b"opengis.net/gml", ".gml"))
_BEGINNINGS = (
    (b"SQLite format 3\0", ".gpkg"),
    (b"fgb\x03fgb", ".fgb"),
    (b"PAR1", ".parquet"),
    (b"AutoCAD Binary DXF", ".dxf"),
    (b"\x00\x00\x27\x0a", ".shp"),
)


def ending_of(content: bytes, name: str) -> str:
    """The ending of the kind that a file is, with its point; '' where that is no kind of vector file.

    >>> ending_of(b'{"type": "FeatureCollection"}', "parcels.txt"), ending_of(b"a,b", "parcels.csv")
    ('.geojson', '')
    """
    said = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    said = SAME.get(said, said)
    found = next((ending for mark, ending in _BEGINNINGS if content.startswith(mark)), "")
    start = content[:65536]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start.decode("utf-16", "ignore").encode()
    head = start[:4096].lstrip(_BLANK)
    if not found and content[:2] == b"PK":
        found = _of_archive(content, said)
    if not found and head[:1] == b"<":
        found = next((ending for mark, ending in _ROOTS if mark in start), "")
    if not found and head[:1] == b"{":
        found = said if said in (".json", ".geojson") else ".geojson"
    if not found and any(mark in start for mark in _STAKES):
        found = ".txt"
    if not found and _is_drawing(head):
        found = ".dxf"
    if not found and head[:8].lower() in (b"!table\r\n", b"!table\n!"):
        found = ".tab"
    return found or (said if said in (*DRIVERS, *ARCHIVES) and said != ".txt" else "")  # a text is mostly a table


def _of_archive(content: bytes, said: str) -> str:
    """What an archive is: a workbook is none of ours, a KMZ holds a KML."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = packed.namelist()[:2000]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return ""
    if "[Content_Types].xml" in names or "mimetype" in names:
        return "" if said not in ARCHIVES else said
    return ".kmz" if said == ".kmz" else ".zip"


def _is_drawing(head: bytes) -> bool:
    lines = [line.strip() for line in head[:256].split(b"\n")[:2]]
    return lines[:2] == [b"0", b"SECTION"] or (lines[:1] == [b"999"] and b"SECTION" in head)
