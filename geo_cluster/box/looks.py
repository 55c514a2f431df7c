"""Whether a vector file is what it says, and holds nothing that runs or reaches elsewhere; before anything opens it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from geo_cluster.box import sizes
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError, Place

SQLITE = b"SQLite format 3\0"
_BLANK = b"\xef\xbb\xbf \t\r\n"


def plain(content: bytes) -> bytes:
    """A database as if its log were merged into it: what is handed over has no log beside it."""
    is_logged = content.startswith(SQLITE) and content[18:20] == b"\2\2"
    return content[:18] + b"\1\1" + content[20:] if is_logged else content


def _is_no(kind: str, name: str) -> InputError:
    return InputError(Fault("box.another_kind", name, kind=kind))


def _look_at_json(content: bytes, name: str, limits: Limits) -> None:
    if content.lstrip(_BLANK)[:1] != b"{":
        raise _is_no("GeoJSON", name)
    limits.refuse(name, "vertices", content.count(b"["), "box.too_many_vertices")
    limits.refuse(name, "nesting", sizes.depth(content, b"[{", b"]}", limits.nesting), "box.nested_beyond_limit")


def _look_at_xml(kind: str, mark: bytes) -> Callable[[bytes, str, Limits], None]:
    def look(content: bytes, name: str, limits: Limits) -> None:
        from xml.parsers import expat

        if content.lstrip(_BLANK)[:1] != b"<" or mark not in content[:65536]:
            raise _is_no(kind, name)
        level = 0

        def refuse(*_: Any) -> None:
            raise InputError(Fault("box.entities", name))

        def begins(*_: Any) -> None:
            nonlocal level
            level += 1
            limits.refuse(name, "nesting", level, "box.nested_beyond_limit")

        def ends(*_: Any) -> None:
            nonlocal level
            level -= 1

        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = refuse, refuse
        parser.StartElementHandler, parser.EndElementHandler = begins, ends
        try:
            parser.Parse(content, True)
        except expat.ExpatError as problem:
            reason = expat.ErrorString(problem.code)
            raise InputError(
                Fault("box.broken_xml", name, reason=reason, line=problem.lineno, column=problem.offset + 1)
            ) from None

    return look


def _look_at_drawing(content: bytes, name: str, _limits: Limits) -> None:
    first = [line.strip() for line in content[:256].lstrip(_BLANK).split(b"\n")[:2]]
    if not content.startswith(b"AutoCAD Binary DXF") and first[:1] != [b"999"] and first != [b"0", b"SECTION"]:
        raise _is_no("DXF", name)


def _look_at_package(content: bytes, name: str, limits: Limits) -> None:
    """Whether a database is a GeoPackage of plain tables: nothing in it that runs when it is looked at."""
    if not content.startswith(SQLITE):
        raise _is_no("GeoPackage", name)
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(plain(content))
        query = "SELECT type, name, coalesce(sql, ''), rootpage FROM sqlite_master LIMIT 20000"
        try:
            made = database.execute(query).fetchall()
        except sqlite3.Error as problem:
            raise InputError(Fault("box.broken_package", name, reason=str(problem))) from None
    if ("table", "gpkg_contents") not in [(kind, one) for kind, one, _, _ in made]:
        raise _is_no("GeoPackage", name)
    faults = [
        Fault("box.view", Place(name, sheet=one))
        for kind, one, sql, page in made
        if kind == "view" or (kind == "table" and not page and not _RTREE.fullmatch(_QUOTED.sub(" q ", sql)))
    ]
    if faults:
        raise InputError(faults[:10])
    limits.refuse(name, "columns", max(sql.count(",") for _, _, sql, _ in made), "box.too_many_columns")


def _begins(kind: str, mark: bytes) -> Callable[[bytes, str, Limits], None]:
    def look(content: bytes, name: str, _limits: Limits) -> None:
        if not content.lower().startswith(mark):
            raise _is_no(kind, name)

    return look


_QUOTED = re.compile(r"/\*.*?\*/|--[^\n]*|\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\[[^\]]*\]|`[^`]*`", re.DOTALL)
_RTREE = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\s+\S+\s+USING\s+rtree\s*\(.*", re.DOTALL | re.IGNORECASE)
"""The one kind of table that is worked out when it is read and may be there: the index of a layer."""
LOOKS: dict[str, Callable[[bytes, str, Limits], None]] = {
    ".geojson": _look_at_json,
    ".json": _look_at_json,
    ".gpkg": _look_at_package,
    ".kml": _look_at_xml("KML", b"kml"),
    ".gpx": _look_at_xml("GPX", b"<gpx"),
    ".gml": _look_at_xml("GML", b"opengis.net/gml"),
    ".dxf": _look_at_drawing,
    ".fgb": _begins("FlatGeobuf", b"fgb"),
    ".parquet": _begins("GeoParquet", b"par1"),
    ".tab": _begins("MapInfo TAB", b"!table"),
    ".mif": _begins("MapInfo MIF", b"version"),
    ".shp": _begins("Shapefile", b"\x00\x00\x27\x0a"),
}
"""What looks at each kind; of a file geodatabase, GDAL itself does."""
