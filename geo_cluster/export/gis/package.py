"""All layers and tables as one GeoPackage: styles in `layer_styles`, titles of fields in `gpkg_data_columns`."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geo_cluster.export.gis.layer import GisLayer
from geo_cluster.export.gis.qml import qml
from geo_cluster.export.gis.sld import sld
from geo_cluster.world.spreadsheet import undate_package

DATED = "1980-01-01T00:00:00.000Z"
_SCHEMA = """
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME);
"""
_EXTENSION = "http://www.geopackage.org/spec121/#extension_schema"


def write_package(layers: Iterable[GisLayer], path: Path, *, crs: str) -> None:
    """Write every layer and table, styled and with titles of fields.

    Parameters
    ----------
    layers : iterable of GisLayer
    path : Path
        Of a new file.
    crs : str
        The system that shapes are written in, ``EPSG:...``.

    Raises
    ------
    OSError
        The file can't be written or the disk is full.
    """
    layers = tuple(layers)
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})  # a new file, which nobody has yet
    for layer in layers:
        frame = layer.frame.to_crs(crs) if isinstance(layer.frame, gpd.GeoDataFrame) else layer.frame
        _write(frame, path, layer)
    try:
        with contextlib.closing(sqlite3.connect(path)) as package, package:
            package.execute("PRAGMA synchronous = OFF")
            _describe(package, layers)
    except sqlite3.Error as problem:
        raise OSError(str(problem)) from problem
    undate_package(path)


def _write(frame: pd.DataFrame, path: Path, layer: GisLayer) -> None:
    about = {"IDENTIFIER": layer.title, "DESCRIPTION": described(layer.about)}
    try:
        pyogrio.write_dataframe(
            frame,
            path,
            layer=layer.name,
            driver="GPKG",
            geometry_type=layer.shapes or None,
            layer_metadata=dict(layer.about),
            dataset_options={"VERSION": "1.2"},  # what every QGIS in use reads without a warning
            layer_options=about,
        )
    except (DataSourceError, DataLayerError, FeatureError) as problem:
        raise OSError(errno.EIO, str(problem)) from problem


def described(about: Mapping[str, str]) -> str:
    """What a layer is and where it comes from, in one line."""
    return " · ".join(about[key] for key in ("notice", "abstract", "publishers", "as_of", "review") if about.get(key))


def _describe(package: sqlite3.Connection, layers: tuple[GisLayer, ...]) -> None:
    for statement in _SCHEMA.split(";"):
        package.execute(statement)
    titles = [
        (layer.name, field, title, title, layer.about.get("abstract", ""))
        for layer in layers
        for field, title in layer.titles.items()
    ]
    package.executemany(
        "INSERT INTO gpkg_data_columns (table_name, column_name, name, title) VALUES (?, ?, ?, ?)",
        [row[:4] for row in titles],
    )
    rows = [("gpkg_data_columns",), ("gpkg_data_column_constraints",)]
    extension = f"INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', '{_EXTENSION}', 'read-write')"
    package.executemany(extension, rows)
    package.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
        " VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
        (DATED,),
    )
    styles = [
        (layer.name, "geom", "geo_cluster", qml(layer), sld(layer), layer.title, "", DATED)
        for layer in layers
        if layer.look
    ]
    package.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
        " styleQML, styleSLD, useAsDefault, description, owner, update_time)"
        " VALUES ('', '', ?, ?, ?, ?, ?, 1, ?, ?, ?)",
        styles,
    )
