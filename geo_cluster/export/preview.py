"""A look into a file that is handed over: the first rows of a table, or what a package holds."""

from __future__ import annotations

import io
from pathlib import PurePath

import pandas as pd
import pyogrio

from geo_cluster import scratch
from geo_cluster.box import door
from geo_cluster.box.formats import DRIVERS
from geo_cluster.errors import Fault, InputError
from geo_cluster.world import tabular

ROWS = 200
"""So many rows are looked at."""


def table_of(name: str, content: bytes) -> pd.DataFrame | None:
    """The first rows of a CSV, an own GeoJSON or an XLSX's first sheet, the layers of a GeoPackage; None for no table.

    Raises
    ------
    InputError
        The file can't be read.
    """
    kind = PurePath(name).suffix
    if "/" in name or kind == ".geojson":  # a layer, maybe of the user's own
        return _own(kind, name, content)
    try:
        if kind == ".csv":
            return pd.read_csv(io.BytesIO(content), nrows=ROWS, encoding="utf-8-sig", dtype=str, keep_default_na=False)
        if kind == ".xlsx":
            return pd.read_excel(io.BytesIO(content), nrows=ROWS, dtype=str, keep_default_na=False)
        if kind == ".gpkg":
            return _layers(content)
    except (
        ValueError,
        pd.errors.ParserError,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
    ) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise InputError(Fault("export.unreadable", name, reason=reason)) from None
    return None


def _own(kind: str, name: str, content: bytes) -> pd.DataFrame | None:
    """The same of a file that we didn't write: it is opened in the box."""
    if kind == ".csv":
        return tabular.read(content, PurePath(name).name).head(ROWS)
    if kind not in DRIVERS:
        return None
    found = door.shapes({kind: content}, PurePath(name).name)
    if len(found.layers) > 1:
        return pd.DataFrame({"layer": list(found.layers), "geometry": list(found.layers.values())})
    table = next(iter(found.read.values()), pd.DataFrame())
    return pd.DataFrame(table).drop(columns="geometry", errors="ignore").head(ROWS)


def _layers(content: bytes) -> pd.DataFrame:
    """The layers of a GeoPackage, which the driver wants to see as a file of that name."""
    with scratch.temporary() as folder:
        path = folder / "layers.gpkg"
        path.write_bytes(content)
        found = {layer: pyogrio.read_info(path, layer=layer) for layer, _ in pyogrio.list_layers(path)}
    kinds = [of["geometry_type"] or "" for of in found.values()]
    rows, fields = [[of[key] for of in found.values()] for key in ("features", "fields")]
    named = [", ".join(names) for names in fields]
    return pd.DataFrame({"layer": list(found), "geometry": kinds, "rows": rows, "fields": named})
