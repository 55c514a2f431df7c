"""Geometry of a file as arrays of coordinates, its columns as arrays and texts; runs in the box.

Only the drivers of what is in the file are there, and only what its kind promises is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import shapely

from geo_cluster.box import drawing, kml, sizes, stakes
from geo_cluster.box.datasets import Dataset, datasets
from geo_cluster.box.formats import DRIVERS, MANY
from geo_cluster.box.limits import Limits
from geo_cluster.box.texts import spelt
from geo_cluster.errors import Fault, InputError, Place

COLLECTION = 7
HEX = 20
"""No outline in hexadecimal digits is shorter."""

Answer = tuple[dict[str, Any], dict[str, Any]]
Read = tuple[dict[str, Any], dict[str, Any]]

SPURIOUS = {".gml": ("gml_id", "lowerCorner", "upperCorner"), ".gpx": ("track_fid", "track_seg_id")}
"""Columns that a reader adds of its own."""

POINTS_OF_LINES = ("route_points", "track_points")
"""Layers of a GPX that say again what its routes and tracks say."""


class Layer(NamedTuple):
    """A layer of a file: its name, its kind of geometry ('' for a table without any), and what reads it."""

    name: str
    kind: str
    read: Callable[[], Read]


def shapes(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """One or more layers of a file, the names and kinds of all, and what was left alone.

    `asked["layers"]`: which ones; empty for the first that has geometry, or all with geometry where `asked["every"]`.
    """
    if asked.get("is_text"):
        return _outlines(files, asked, limits)
    name, wanted = asked["name"], asked["layers"]
    sets, told = datasets(files, name, limits)
    _leave_only({driver for one in sets for driver in DRIVERS[one.ending]})
    there = [layer for one in sets for layer in _layers(one, told, asked, limits, alone=len(sets) == 1)]
    with_shapes = [layer for layer in there if layer.kind]
    chosen = [layer for layer in there if layer.name in wanted] if wanted else with_shapes or there
    chosen = chosen if wanted or asked.get("every") else chosen[:1]
    read: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for number, layer in enumerate(chosen):
        about, found = layer.read()
        read.append(about | {"layer": layer.name})
        arrays |= {f"{number}/{key}": array for key, array in found.items()}
    kinds = {layer.name: about["kind"] for layer, about in zip(chosen, read, strict=True)}
    said = [(layer.name, kinds.get(layer.name, layer.kind)) for layer in there]
    return {"layers": said, "read": read, "told": dict(told)}, arrays


def _layers(one: Dataset, told: Counter[str], asked: dict[str, Any], limits: Limits, *, alone: bool) -> list[Layer]:
    """The layers of a dataset; beside others each is called by the dataset's title too."""
    name = asked["name"]
    if one.ending == ".kml":
        found, left_out = kml.folders(one.source, name, limits)
        told.update(left_out)
        own = {folder: (kml.columns(these.rows), _array(these.shapes)) for folder, these in found.items()}
        return _own_layers(own, one, name, limits, crs="EPSG:4326", alone=alone)
    if one.ending == ".txt":
        columns, these, crs = stakes.parcels(one.source, name, limits)
        return _own_layers({"": (columns, these)}, one, name, limits, crs=crs, alone=alone)
    if one.ending == ".dxf":
        return _drawn(one, told, name, limits, alone=alone)
    if one.ending not in MANY and alone and not asked["layers"]:
        return [Layer("", "Geometry", partial(_by_gdal, one, 0, name, limits))]
    import pyogrio

    listed = pyogrio.list_layers(_gdal_source(one))
    out = []
    for number, (layer, kind) in enumerate(listed):
        if one.ending == ".gpx" and layer in POINTS_OF_LINES:
            continue
        called = "" if str(layer).startswith("pyogrio_") else str(layer)
        if one.ending not in MANY:
            called = one.title
        out.append(Layer(_beside(one, called, alone), kind or "", partial(_by_gdal, one, number, name, limits)))
    return out


def _beside(one: Dataset, layer: str, alone: bool) -> str:
    return layer if alone or layer == one.title else "/".join(filter(None, (one.title, layer)))


def _own_layers(
    found: dict[str, tuple[dict[str, list[Any]], Any]],
    one: Dataset,
    name: str,
    limits: Limits,
    *,
    crs: str | None,
    alone: bool,
) -> list[Layer]:
    """Layers that were read here, not by GDAL."""
    return [
        Layer(
            _beside(one, layer, alone),
            _kind(these),
            partial(said_of, columns, these, crs, one.says, name, limits),
        )
        for layer, (columns, these) in found.items()
    ]


def _array(shapes: list[Any]) -> Any:
    out = np.full(len(shapes), None, dtype=object)
    out[:] = shapes
    return out


def _kind(these: Any) -> str:
    """What most of the shapes are that are something."""
    kinds = Counter(one.geom_type for one in these if one is not None)
    return kinds.most_common(1)[0][0] if kinds else "Unknown"


def _drawn(one: Dataset, told: Counter[str], name: str, limits: Limits, *, alone: bool) -> list[Layer]:
    import pyogrio.raw

    limits.refuse(name, "features", drawing.expanded(one.source), "box.too_many_shapes")
    meta, _, geometry, fields = pyogrio.raw.read(one.source, layer=0, force_2d=True)
    limits.refuse(name, "features", len(geometry), "box.too_many_shapes")
    limits.refuse(name, "vertices", sum(map(len, geometry)) / 16, "box.too_many_vertices")
    columns = {str(key): values.tolist() for key, values in zip(meta["fields"], fields, strict=True)}
    found, left_out = drawing.layers(columns, shapely.from_wkb(geometry))
    told.update(left_out)
    told["unread_in_drawing"] += drawing.unread(one.source)
    told["elsewhere"] += drawing.elsewhere(one.source)
    told["hidden"] += drawing.hidden(one.source, {layer: len(these) for layer, (_, these) in found.items()})
    return _own_layers(found, one, name, limits, crs=None, alone=alone)


def said_of(columns: dict[str, list[Any]], these: Any, crs: str | None, says: str, name: str, limits: Limits) -> Read:
    """What is handed over of a layer: columns of text, and its shapes taken apart."""
    limits.refuse(name, "columns", len(columns), "box.too_many_columns")
    limits.refuse(name, "features", len(these), "box.too_many_shapes")
    said = []
    for key, values in columns.items():
        texts = [None if one is None else str(one) for one in values]
        longest = max((len(text) for text in texts if text), default=0)
        limits.refuse(Place(name, column=key), "characters", longest, "box.text_too_long")
        said.append({"name": key, "kind": "text", "texts": texts})
    about = {"kind": _kind(these), "crs": crs, "columns": said, "says": says, "is_shapes": True, "rows": len(these)}
    return about, _taken_apart(these, name, limits)


def _leave_only(drivers: set[str]) -> None:
    """Take every other driver out of GDAL."""
    import pyogrio
    from pyogrio import _ogr

    pyogrio.set_gdal_config_options({"GDAL_SKIP": ",".join(set(pyogrio.list_drivers()) - drivers), **drawing.CONFIG})
    _ogr._register_drivers()
    if others := set(pyogrio.list_drivers()) - drivers:
        msg = f"GDAL keeps {', '.join(sorted(others))}"
        raise RuntimeError(msg)


def _gdal_source(one: Dataset) -> bytes:
    """What pyogrio is handed; a geodatabase in an archive is only taken for one where its name says so."""
    from pyogrio import _vsi

    if one.ending == ".gdb":
        _vsi.uuid4 = lambda: SimpleNamespace(hex="layer_gdb")
    return one.source


def _outlines(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """Outlines in WKT, one a line, as geometry; none where a line is no outline."""
    (content,) = files.values()
    texts = content.decode().split("\n")
    for place, text in zip(asked["places"], texts, strict=True):
        levels = sizes.depth(text.encode(), b"(", b")", limits.nesting)
        limits.refuse(Place(**place), "nesting", levels, "box.nested_beyond_limit")
    return {}, _taken_apart(np.array([_outline(one) for one in texts], dtype=object), asked["name"], limits)


def _outline(text: str) -> Any:
    """An outline in WKT, in GeoJSON or in hexadecimal WKB; None where it is none."""
    if text.startswith("{"):
        return shapely.from_geojson(text, on_invalid="ignore")
    is_binary = len(text) > HEX and set(text) <= set("0123456789abcdefABCDEF")
    return (shapely.from_wkb if is_binary else shapely.from_wkt)(text, on_invalid="ignore")


# ---- what is in it ------------------------------------------------------------------------------------------


def _by_gdal(one: Dataset, layer: int, name: str, limits: Limits) -> Read:
    """One layer: what it says of itself with its columns of text, and its columns of numbers with its geometry."""
    import pyogrio.raw

    source, raw = _gdal_source(one), "latin1"  # one letter a byte: what they mean is found out here
    meta, _, geometry, fields = pyogrio.raw.read(source, layer=layer, encoding=raw, force_2d=True)
    limits.refuse(name, "columns", len(fields), "box.too_many_columns")
    headings = [str(heading) for heading in meta["fields"]]
    texts = {number: values for number, values in enumerate(fields) if values.dtype.kind not in "iufbM"}
    words, cut = spelt([*(one.encode(raw) for one in headings), *_bytes_of(texts.values(), raw)], one.stated)
    spoken = iter(words[len(headings) :])
    columns, arrays = [], {}
    for number, values in enumerate(fields):
        column: dict[str, Any] = {"name": words[number], "kind": "text" if number in texts else "array"}
        column["cut"] = cut[number] or (one.ending == ".shp" and len(headings[number]) >= FIELD_BYTES)
        if number in texts:
            column["texts"] = [None if one is None else next(spoken) for one in values.tolist()]
            longest = max((len(text) for text in column["texts"] if text), default=0)
            limits.refuse(Place(name, column=words[number]), "characters", longest, "box.text_too_long")
        else:
            column["array"] = f"column{number}"
            arrays[column["array"]] = values.astype(_KINDS.get(values.dtype.kind, values.dtype.name), copy=False)
        if words[number] not in SPURIOUS.get(one.ending, ()):
            columns.append(column)
    about = {"kind": meta["geometry_type"] or "", "crs": meta["crs"], "columns": columns, "says": one.says}
    about |= {"rows": len(fields[0]) if len(fields) else 0}
    return _with_shapes(about, arrays, geometry, name, limits)


FIELD_BYTES = 9
"""Names of DBF fields as long as this may have been longer."""


def _bytes_of(columns: Any, raw: str) -> list[bytes]:
    return [str(one).encode(raw, "replace") for values in columns for one in values.tolist() if one is not None]


def _with_shapes(about: dict[str, Any], arrays: dict[str, Any], geometry: Any, name: str, limits: Limits) -> Read:
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
