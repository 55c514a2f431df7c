"""A look into a file that is handed over: the first rows of a table, or what a package holds."""

from __future__ import annotations

import io
from pathlib import PurePath

import pandas as pd
import pyogrio

from geo_cluster.errors import Fault, InputError

ROWS = 200
"""So many rows are looked at."""


def table_of(name: str, content: bytes) -> pd.DataFrame | None:
    """The first rows of a CSV or GeoJSON, the layers of a GeoPackage; None for what is no table.

    Raises
    ------
    InputError
        The file can't be read.
    """
    try:
        kind = PurePath(name).suffix
        if kind == ".csv":
            return pd.read_csv(io.BytesIO(content), nrows=ROWS, encoding="utf-8-sig", dtype=str, keep_default_na=False)
        if kind == ".geojson":
            return pyogrio.read_dataframe(content, read_geometry=False, max_features=ROWS)
        if kind == ".gpkg":
            return pd.DataFrame([_layer(content, layer) for layer, _ in pyogrio.list_layers(content)])
    except (
        ValueError,
        pd.errors.ParserError,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
    ) as problem:
        told = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise InputError(Fault(name, f"can't be read ({told})", "check the file and its format")) from None
    return None


def _layer(content: bytes, layer: str) -> dict[str, object]:
    info = pyogrio.read_info(content, layer=layer)
    fields = ", ".join(info["fields"])
    return {"layer": layer, "geometry": info["geometry_type"] or "", "rows": info["features"], "fields": fields}
