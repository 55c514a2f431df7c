"""From the bytes of a file to shapes as they came; tables are read by `world.tabular`."""

from __future__ import annotations

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from geo_cluster.box import door
from geo_cluster.box.door import suffix
from geo_cluster.errors import Fault, InputError
from geo_cluster.world.coordinates import convert_geometry

TABLES = (".csv", ".txt", ".xlsx", ".xlsm")
SHAPES = (".geojson", ".json", ".gpkg", ".zip", ".kml", ".kmz", ".dxf")


def digest(content: bytes) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def read_shapes(content: bytes, name: str, *, crs: str = "") -> gpd.GeoDataFrame:
    """Read GeoJSON, GeoPackage, a zipped Shapefile, KML or DXF; the first layer that has geometry.

    Parameters
    ----------
    content, name : bytes, str
        The file.
    crs : str
        What the coordinates are in where the file doesn't say it, or says it wrongly: an EPSG code, `gcj02` or `bd09`.

    Returns
    -------
    GeoDataFrame
        In its own CRS, shifted systems brought to WGS 84; the index counts from 1; `attrs["crs"]` says what the file
        states.

    Raises
    ------
    InputError
        What can't be read, has no geometry, or has no CRS while none is chosen.
    """
    frame = next(iter(door.shapes({suffix(name): content}, name).read.values()), None)
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        raise InputError(Fault("imports.no_geometry", name))
    stated = frame.crs.to_string() if frame.crs else ""
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    if crs in ("gcj02", "bd09"):
        frame = convert_geometry(frame.set_crs(4326, allow_override=True), source=crs, target="wgs84")
    elif crs:
        frame = frame.set_crs(chosen_system(crs, name), allow_override=True)
    elif frame.crs is None:
        raise InputError(Fault("imports.no_crs", name))
    elif frame.crs.is_geographic and np.abs(frame.total_bounds).max() > 360:
        raise InputError(Fault("imports.not_in_degrees", name, crs=stated))
    frame.attrs["crs"] = stated
    return frame


def chosen_system(crs: str, name: str) -> pyproj.CRS:
    """The coordinate reference system that somebody chose for a file.

    Raises
    ------
    InputError
        There is no such system, or its points can't be placed on the map.
    """
    try:
        system = pyproj.CRS.from_user_input(crs)
        pyproj.Transformer.from_crs(system, 4490, always_xy=True).transform(0.0, 0.0)
    except pyproj.exceptions.CRSError:
        raise InputError(Fault("imports.unknown_crs", name, crs=crs)) from None
    except pyproj.exceptions.ProjError:
        raise InputError(Fault("imports.crs_places_nothing", name, crs=crs)) from None
    return system
