"""GeoParquet: its geometry in WKB and its columns as texts; runs in the box, in one that has pyarrow.

Source: geoparquet.org, specification 1.0 and 1.1.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import shapely

from geo_cluster.box.limits import Limits
from geo_cluster.box.looks import LOOKS
from geo_cluster.box.shapes import said_of
from geo_cluster.errors import Fault, InputError

Answer = tuple[dict[str, Any], dict[str, Any]]


def columnar(files: dict[str, bytes], asked: dict[str, Any], limits: Limits) -> Answer:
    """The one layer of a GeoParquet; see `shapes`."""
    name, (content,) = asked["name"], files.values()
    LOOKS[".parquet"](content, name, limits)
    file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content))
    limits.refuse(name, "features", file.metadata.num_rows, "box.too_many_shapes")
    limits.refuse(name, "columns", file.metadata.num_columns, "box.too_many_columns")
    geo = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
    main = geo.get("primary_column", "geometry")
    how = geo.get("columns", {}).get(main, {})
    if how.get("encoding") != "WKB":
        raise InputError(Fault("box.another_kind", name, kind="GeoParquet"))
    crs = how.get("crs", "EPSG:4326")
    table = file.read(use_threads=False)
    plain = [key for key in table.column_names if key not in (main, "bbox", *geo["columns"])]
    columns = {key: table.column(key).to_pylist() for key in plain}
    geometry = shapely.from_wkb(np.array(table.column(main).to_pylist(), dtype=object))
    about, arrays = said_of(columns, shapely.force_2d(geometry), _system(crs), "", name, limits)
    layers = [("", about["kind"])]
    return {"layers": layers, "read": [about | {"layer": ""}]}, {f"0/{key}": array for key, array in arrays.items()}


def _system(crs: Any) -> str | None:
    """A coordinate reference system in PROJJSON by its code, or in full; what says nothing is in degrees."""
    if not isinstance(crs, dict):
        return crs
    code = crs.get("id", {})
    if "authority" in code and "code" in code:
        return f"{code['authority']}:{code['code']}"
    return json.dumps({key: value for key, value in crs.items() if key != "$schema"})
