"""A look into a file that is handed over: the first rows of a table, or what a package holds."""

from __future__ import annotations

import io
from pathlib import PurePath

import pandas as pd
import pyogrio

from geo_cluster import scratch
from geo_cluster.errors import Fault, InputError

ROWS = 200
"""So many rows are looked at."""


def table_of(name: str, content: bytes) -> pd.DataFrame | None:
    """The first rows of a CSV, a GeoJSON or an XLSX's first sheet, the layers of a GeoPackage; None for no table.

    Raises
    ------
    InputError
        The file can't be read.
    """
    try:
        kind = PurePath(name).suffix
        if kind == ".csv":
            return pd.read_csv(io.BytesIO(content), nrows=ROWS, encoding="utf-8-sig", dtype=str, keep_default_na=False)
        if kind == ".xlsx":
            return pd.read_excel(io.BytesIO(content), nrows=ROWS, dtype=str, keep_default_na=False)
        if kind == ".geojson":
            return pyogrio.read_dataframe(content, read_geometry=False, max_features=ROWS)
        if kind == ".gpkg":
            return _layers(content)
    except (
        ValueError,
        pd.errors.ParserError,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
    ) as problem:
        told = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise InputError(Fault(name, f"can't be read ({told})", "check the file and its format")) from None
    return None


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
