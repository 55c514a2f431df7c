"""Geometry of a file as arrays of coordinates, its columns as arrays and texts; runs in the box.

Only the driver of the file's ending is there, and only what the ending promises is read.
"""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import shapely

from geo_cluster.box import sizes
from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError, Place

DRIVERS = {
    ".geojson": ("GeoJSON",),
    ".json": ("GeoJSON", "ESRIJSON"),
    ".gpkg": ("GPKG",),
    ".shp": ("ESRI Shapefile",),
    ".kml": ("LIBKML", "KML"),
    ".dxf": ("DXF",),
}
"""What may open a file, by its ending; every other driver is taken out of GDAL before it is opened."""

ARCHIVES: dict[str, tuple[str, ...]] = {".zip": tuple(DRIVERS), ".kmz": (".kml",)}
"""What may lie in an archive, by its ending."""

MANY = (".gpkg", ".kml", ".dxf")
"""What may hold several layers; looking for them in another kind would read all of it."""

BESIDE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
"""The files of a Shapefile."""

COLLECTION = 7
SQLITE = b"SQLite format 3\0"
Answer = tuple[dict[str, Any], dict[str, Any]]


def allowed(ending: str) -> set[str]:
    """Drivers that may open a file of this ending; of an archive, those of what may lie in it."""
    return set().union(*(DRIVERS[one] for one in ARCHIVES.get(ending, (ending,))))


def shapes(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """One or more layers of a file, and the names and kinds of all.

    `asked["layers"]`: which ones; empty for the first that has geometry.
    """
    if asked.get("is_text"):
        return _outlines(files, asked, limits)
    name, wanted, ending = asked["name"], asked["layers"], next(iter(files))
    _leave_only(allowed(ending))
    ending, source, encodings = _checked(files, ending, name, limits)
    there, chosen = _chosen(source, wanted) if ending in MANY or wanted else ([], [0])
    read: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for number, layer in enumerate(chosen):
        about, found = _layer(source, layer, encodings, name, limits)
        read.append(about | {"layer": there[layer][0] if there else ""})
        arrays |= {f"{number}/{key}": array for key, array in found.items()}
    return {"layers": there or [("", one["kind"]) for one in read], "read": read}, arrays


def _chosen(source: bytes, wanted: list[str]) -> tuple[list[tuple[str, Any]], list[int]]:
    """Names and kinds of all layers, and which to read; one that has no name of its own is called ''."""
    import pyogrio

    there = [
        ("" if str(name).startswith("pyogrio_") else str(name), kind) for name, kind in pyogrio.list_layers(source)
    ]
    if wanted:
        return there, [number for number, (name, _) in enumerate(there) if name in wanted]
    with_shapes = [number for number, (_, kind) in enumerate(there) if kind is not None]
    return there, [*with_shapes, *range(len(there))][:1]


def _leave_only(drivers: set[str]) -> None:
    """Take every other driver out of GDAL."""
    import pyogrio
    from pyogrio import _ogr

    pyogrio.set_gdal_config_options({"GDAL_SKIP": ",".join(set(pyogrio.list_drivers()) - drivers)})
    _ogr._register_drivers()
    if others := set(pyogrio.list_drivers()) - drivers:
        msg = f"GDAL keeps {', '.join(sorted(others))}"
        raise RuntimeError(msg)


def _outlines(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """Outlines in WKT, one a line, as geometry; none where a line is no outline."""
    (content,) = files.values()
    texts = content.decode().split("\n")
    for place, text in zip(asked["places"], texts, strict=True):
        levels = sizes.depth(text.encode(), b"(", b")", limits.nesting)
        limits.refuse(Place(**place), "nesting", levels, "box.nested_beyond_limit")
    found = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
    return {}, _taken_apart(found, asked["name"], limits)


# ---- is it what it says -------------------------------------------------------------------------------------


def _checked(
    files: dict[str, bytes], ending: str, name: str, limits: Limits
) -> tuple[str, bytes, tuple[str | None, ...]]:
    """What GDAL may open, its ending, and the encodings to try: texts without a .cpg are UTF-8, else GB 18030."""
    if ending in ARCHIVES:
        files = _unpacked(files[ending], ARCHIVES[ending], name, limits)
        ending = next(iter(files))
    if ending != ".shp":
        _LOOKS[ending](files[ending], name, limits)
        return ending, _plain(files[ending]), (None,)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for kind, content in files.items():
            archive.writestr(f"layer{kind}", content)
    return ending, packed.getvalue(), (None,) if ".cpg" in files else ("utf-8", "gb18030")


def _unpacked(content: bytes, endings: tuple[str, ...], name: str, limits: Limits) -> dict[str, bytes]:
    """The files of an archive's first layer by ending."""
    with sizes.archive(content, name, limits) as packed:
        paths = {one: PurePosixPath(one) for one in packed.namelist() if not one.startswith("__MACOSX/")}
        inner = next((path for path in paths.values() if path.suffix.lower() in endings and path.name[0] != "."), None)
        if inner is None:
            raise InputError(Fault("box.nothing_to_read", name, known=", ".join(endings)))
        ending = inner.suffix.lower()
        beside = {
            path.suffix.lower(): one for one, path in paths.items() if path.with_suffix("") == inner.with_suffix("")
        }
        kinds = [ending, *BESIDE[1:]] if ending == ".shp" else [ending]
        return {kind: packed.read(beside[kind]) for kind in kinds if kind in beside}


def _plain(content: bytes) -> bytes:
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


def _look_at_xml(content: bytes, name: str, limits: Limits) -> None:
    from xml.parsers import expat

    if content.lstrip(_BLANK)[:1] != b"<" or b"kml" not in content[:65536]:
        raise _is_no("KML", name)
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


def _look_at_drawing(content: bytes, name: str, _limits: Limits) -> None:
    first = [line.strip() for line in content[:256].lstrip(_BLANK).split(b"\n")[:2]]
    if not content.startswith(b"AutoCAD Binary DXF") and first[:1] != [b"999"] and first != [b"0", b"SECTION"]:
        raise _is_no("DXF", name)


def _look_at_package(content: bytes, name: str, limits: Limits) -> None:
    """Whether a database is a GeoPackage of plain tables: nothing in it that runs when it is looked at."""
    if not content.startswith(SQLITE):
        raise _is_no("GeoPackage", name)
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(_plain(content))
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


_QUOTED = re.compile(r"/\*.*?\*/|--[^\n]*|\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\[[^\]]*\]|`[^`]*`", re.DOTALL)
_RTREE = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\s+\S+\s+USING\s+rtree\s*\(.*", re.DOTALL | re.IGNORECASE)
"""The one kind of table that is worked out when it is read and may be there: the index of a layer."""
_BLANK = b"\xef\xbb\xbf \t\r\n"
_LOOKS = {
    ".geojson": _look_at_json,
    ".json": _look_at_json,
    ".gpkg": _look_at_package,
    ".kml": _look_at_xml,
    ".dxf": _look_at_drawing,
}


# ---- what is in it ------------------------------------------------------------------------------------------


def _layer(
    source: bytes, layer: int, encodings: tuple[str | None, ...], name: str, limits: Limits
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One layer: what it says of itself with its columns of text, and its columns of numbers with its geometry."""
    import pyogrio.raw

    for encoding in encodings:
        try:
            meta, _, geometry, fields = pyogrio.raw.read(source, layer=layer, encoding=encoding, force_2d=True)
            break
        except UnicodeDecodeError as problem:
            if encoding == encodings[-1]:
                raise InputError(Fault("box.broken_texts", name, reason=str(problem))) from None
    limits.refuse(name, "columns", len(fields), "box.too_many_columns")
    columns, arrays = [], {}
    for number, (heading, values) in enumerate(zip(meta["fields"], fields, strict=True)):
        kind = "array" if values.dtype.kind in "iufb" or values.dtype.kind == "M" else "text"
        column: dict[str, Any] = {"name": str(heading), "kind": kind}
        if kind == "array":
            arrays[f"column{number}"] = values.astype(_KINDS.get(values.dtype.kind, values.dtype.name), copy=False)
        else:
            column["texts"] = [None if one is None else str(one) for one in values.tolist()]
            longest = max((len(text) for text in column["texts"] if text), default=0)
            limits.refuse(Place(name, column=str(heading)), "characters", longest, "box.text_too_long")
        columns.append(column)
    about = {"kind": meta["geometry_type"], "crs": meta["crs"], "columns": columns}
    about |= {"rows": len(fields[0]) if len(fields) else 0}
    count = max(about["rows"], 0 if geometry is None else len(geometry))
    limits.refuse(name, "features", count, "box.too_many_shapes")
    if geometry is None:
        return about | {"is_shapes": False}, arrays
    try:
        shapes = shapely.from_wkb(geometry)
    except shapely.errors.GEOSException as problem:
        raise InputError(Fault("box.broken_geometry", name, reason=str(problem))) from None
    return about | {"is_shapes": True, "rows": len(shapes)}, arrays | _taken_apart(shapes, name, limits)


_KINDS = {"i": "int64", "u": "int64", "f": "float64", "b": "bool", "M": "datetime64[ms]"}


def _taken_apart(shapes: Any, name: str, limits: Limits) -> dict[str, Any]:
    """Geometry as arrays, which `door.put_together` makes geometry of again.

    Returns
    -------
    dict
        `kinds`: (n,) GEOS type of each shape, -1 where there is none. For each type `k` of part: `k/row` the shape that
        it belongs to, `k/at` its coordinates, `k/end0`, … where rings, parts and shapes end (GeoArrow).
    """
    limits.refuse(name, "vertices", int(shapely.get_num_coordinates(shapes).sum()), "box.too_many_vertices")
    shapes = _without_empty_parts(np.where(shapely.is_empty(shapes), None, shapes))
    arrays = {"kinds": shapely.get_type_id(shapes).astype(np.int32)}
    parts, rows = _flat(shapes)
    parts = _without_empty_parts(parts)
    kinds = shapely.get_type_id(parts)
    for kind in np.unique(kinds).tolist():
        _, coordinates, ends = shapely.to_ragged_array(parts[kinds == kind], include_z=False)
        arrays |= {f"{kind}/row": rows[kinds == kind], f"{kind}/at": coordinates}
        arrays |= {f"{kind}/end{k}": end.astype(np.int64) for k, end in enumerate(ends)}
    return arrays


def _without_empty_parts(shapes: Any) -> Any:
    """Shapes whose parts all have corners: a part without any is nothing, and some libraries don't survive it."""
    for kind, build in ((5, shapely.multilinestrings), (6, shapely.multipolygons)):
        rows = np.flatnonzero(shapely.get_type_id(shapes) == kind)
        parts, which = shapely.get_parts(shapes[rows], return_index=True)
        is_empty = shapely.is_empty(parts)
        if is_empty.any():
            again = np.unique(which[is_empty])
            kept = np.isin(which, again) & ~is_empty
            shapes = shapes.copy()
            shapes[rows[again]] = build(parts[kept], indices=np.searchsorted(again, which[kept]))
    return shapes


def _flat(shapes: Any) -> tuple[Any, Any]:
    """Shapes that are no collections, and the row that each belongs to."""
    rows = np.arange(len(shapes), dtype=np.int64)
    while (is_many := shapely.get_type_id(shapes) == COLLECTION).any():
        parts, which = shapely.get_parts(shapes[is_many], return_index=True)
        shapes = np.concatenate([shapes[~is_many], parts])
        rows = np.concatenate([rows[~is_many], rows[is_many][which]])
    is_there = shapely.get_type_id(shapes) >= 0
    return shapes[is_there], rows[is_there]
