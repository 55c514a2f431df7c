"""Coordinates as they are used in China: GCJ-02, BD-09, CGCS2000 zones, areas in hectares and mu.

Public maps of mainland China are drawn in GCJ-02 (Amap, Tencent) or BD-09 (Baidu), 300-700 m away from WGS 84;
official plans are drawn in a 3-degree Gauss-Kruger zone of CGCS2000 (GB/T 17798; EPSG:4513-4554). CGCS2000 and
WGS 84 differ by centimetres and are treated as one here.

The formulas of GCJ-02 and BD-09 are those of the library `prcoords` (CC0), the inverse is iterated on them. The
formulas are reverse engineered: the official transformation adds noise of up to a metre or so that nobody outside
has, so a centimetre here means agreement with the published formula, not with the map.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo_cluster.errors import Fault, InputError, Place, refuse_if

MU_PER_HA = 15.0
"""One mu (亩) is 1/15 hectare, 666.67 square metres."""

SYSTEMS = ("wgs84", "gcj02", "bd09")
"""The coordinate systems that `convert` knows."""

CHINA_BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north in degrees: outside it GCJ-02 equals WGS 84 (the box in the public formula)."""

_SETTLED_DEG = 1e-10  # a hundredth of a millimetre; the iteration gains two to three digits a round
_ROUNDS = 12
_FIRST_ZONE, _LAST_ZONE = 25, 45
_EPSG_ZONE_25_PREFIXED, _EPSG_ZONE_25_PLAIN = 4513, 4534

Floats = NDArray[np.float64]
G = TypeVar("G", BaseGeometry, gpd.GeoSeries, gpd.GeoDataFrame)


def _array_prcoords() -> ModuleType:
    """Load a private copy of prcoords whose `math` is numpy, so that whole arrays pass through its own formulas."""
    spec = importlib.util.find_spec("prcoords")
    if spec is None or spec.loader is None:  # pragma: no cover - a declared dependency
        msg = "prcoords is not installed"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.math = np  # type: ignore[attr-defined]
    return module


_PRC = _array_prcoords()


def _forward(lon: Floats, lat: Floats, target: str) -> tuple[Floats, Floats]:
    function = {"gcj02": _PRC.wgs_gcj, "bd09": _PRC.wgs_bd}[target]
    out = function((lat, lon), False)
    return out.lon, out.lat


def _backward(lon: Floats, lat: Floats, source: str) -> tuple[Floats, Floats]:
    """Fixed point of `wgs <- wgs - (forward(wgs) - shifted)`; the shift changes slowly, so this contracts fast."""
    wgs_lon, wgs_lat = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        ahead_lon, ahead_lat = _forward(wgs_lon, wgs_lat, source)
        off_lon, off_lat = ahead_lon - lon, ahead_lat - lat
        wgs_lon -= off_lon
        wgs_lat -= off_lat
        if max(np.abs(off_lon).max(initial=0.0), np.abs(off_lat).max(initial=0.0)) < _SETTLED_DEG:
            break
    return wgs_lon, wgs_lat


def _in_china(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    west, south, east, north = CHINA_BOX
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def convert(lon: ArrayLike, lat: ArrayLike, *, source: str, target: str) -> tuple[Floats, Floats]:
    """Convert degrees between WGS 84, GCJ-02 and BD-09.

    Parameters
    ----------
    lon, lat : array_like
        Degrees, broadcast together. NaN stays NaN.
    source, target : {"wgs84", "gcj02", "bd09"}
        What the numbers are, and what they shall be.

    Returns
    -------
    lon, lat : ndarray of float
        Degrees. A point outside `CHINA_BOX` is returned as it is. Within the last kilometre inside that box, far
        from any Chinese city, a shifted point can't be told from an unshifted one; the box then decides on the
        point as given.

    Raises
    ------
    InputError
        For an unknown system, or latitudes beyond 90 degrees (lon and lat swapped?).

    Examples
    --------
    >>> lon, lat = convert(114.89, 30.40, source="wgs84", target="gcj02")
    >>> float(lon.round(4)), float(lat.round(4))
    (114.895, 30.3973)
    """
    lon, lat = (np.array(a, dtype=float) for a in np.broadcast_arrays(lon, lat))
    faults = [
        Fault("world.no_such_system", name, value=value, known=SYSTEMS)
        for name, value in (("source", source), ("target", target))
        if value not in SYSTEMS
    ]
    beyond = np.flatnonzero((np.abs(lat) > 90) | (np.abs(lon) > 180))
    if beyond.size:
        faults.append(_not_degrees(lon.flat[beyond[0]], lat.flat[beyond[0]], beyond[0], beyond.size - 1))
    refuse_if(faults)

    inside = _in_china(lon, lat)
    if source == target or not inside.any():
        return lon, lat
    x, y = lon[inside], lat[inside]
    if source != "wgs84":
        x, y = _backward(x, y, source)
    if target != "wgs84":
        x, y = _forward(x, y, target)
    lon[inside], lat[inside] = x, y
    return lon, lat


def _not_degrees(lon: float, lat: float, first: int, more: int) -> Fault:
    place = Place(str(first), kind="point")
    if more:
        return Fault("world.not_degrees_with_more", place, lon=float(lon), lat=float(lat), more=more)
    return Fault("world.not_degrees", place, lon=float(lon), lat=float(lat))


def convert_geometry(geometry: G, *, source: str, target: str) -> G:
    """Convert every vertex of a geometry, GeoSeries or GeoDataFrame between the systems of `convert`.

    The declared CRS of a series is kept: GIS software has no code for GCJ-02 and BD-09, so the name of the file has
    to say it. Only for drawing on shifted tiles, or for bringing shifted data home; never a CRS to compute in.

    Parameters
    ----------
    geometry : shapely geometry, GeoSeries or GeoDataFrame
        In degrees.
    source, target : {"wgs84", "gcj02", "bd09"}
        What it is in, and what it shall be in.
    """

    def move(points: Floats) -> Floats:
        return np.column_stack(convert(points[:, 0], points[:, 1], source=source, target=target))

    if isinstance(geometry, gpd.GeoDataFrame):
        return geometry.set_geometry(convert_geometry(geometry.geometry, source=source, target=target))
    if isinstance(geometry, gpd.GeoSeries):
        moved = shapely.transform(geometry.to_numpy(), move)
        return gpd.GeoSeries(moved, index=geometry.index, crs=geometry.crs, name=geometry.name)
    return shapely.transform(geometry, move)


def cgcs2000_zone(where: Any, *, prefix: bool = False) -> Any:
    """EPSG code of the CGCS2000 3-degree Gauss-Kruger zone that a place lies in.

    Parameters
    ----------
    where : float, array_like of float, shapely geometry, GeoSeries or GeoDataFrame
        Longitude in degrees, or geometries in WGS 84 or CGCS2000 degrees; a geometry counts by the middle of its
        extent. A series in a projected CRS is brought to degrees first.
    prefix : bool
        True for the zones whose eastings start with the zone number (EPSG:4513-4533, easting 38 500 000 m on the
        central meridian of zone 38), False for those that don't (EPSG:4534-4554, easting 500 000 m).

    Returns
    -------
    int, or Series/ndarray of int for a series or an array

    Raises
    ------
    InputError
        For a longitude outside 73.5-136.5 degrees, where China defines no zone.

    Examples
    --------
    >>> cgcs2000_zone(115.04), cgcs2000_zone(110.8, prefix=True)
    (4547, 4525)
    """
    index = None
    if isinstance(where, gpd.GeoDataFrame | gpd.GeoSeries):
        index = where.index
        lon = _middle_lon(where.geometry)
    elif isinstance(where, BaseGeometry):
        west, _, east, _ = where.bounds
        lon = np.asarray((west + east) / 2)
    else:
        lon = np.asarray(where, dtype=float)
    zone = np.floor((lon + 1.5) / 3)
    bad = ~((zone >= _FIRST_ZONE) & (zone <= _LAST_ZONE))
    if bad.any():
        first, more = np.flatnonzero(bad)[0], int(bad.sum()) - 1
        x, place = float(lon.flat[first]), Place(str(first), kind="spot")
        raise InputError(
            Fault("world.in_no_zone_with_more", place, lon=x, more=more)
            if more
            else Fault("world.in_no_zone", place, lon=x)
        )
    epsg = zone.astype(int) - _FIRST_ZONE + (_EPSG_ZONE_25_PREFIXED if prefix else _EPSG_ZONE_25_PLAIN)
    if index is not None:
        return pd.Series(epsg, index=index, name="epsg")
    return int(epsg) if epsg.ndim == 0 else epsg


def _middle_lon(series: gpd.GeoSeries) -> Floats:
    degrees = _in_degrees(series)
    bounds = shapely.bounds(degrees.to_numpy())
    return (bounds[:, 0] + bounds[:, 2]) / 2


def _in_degrees(series: gpd.GeoSeries) -> gpd.GeoSeries:
    if series.crs is None:
        raise InputError(Fault("world.no_crs", Place("", kind="geometry")))
    return series if series.crs.is_geographic else series.to_crs(4326)


def area_ha(geometry: gpd.GeoSeries | gpd.GeoDataFrame) -> pd.Series:
    """Area in hectares, each feature on the CGCS2000 3-degree zone of its own middle.

    Plane area as Chinese land-use plans state it. At a zone's edge, 1.5 degrees off the meridian, it is up to 0.05 %
    larger than the area on the ellipsoid; a feature much wider than a zone (a province) by more.

    Parameters
    ----------
    geometry : GeoSeries or GeoDataFrame
        Polygons in any CRS.

    Returns
    -------
    Series of float
        Hectares, index of the input; nan for a missing geometry, 0 for an empty one.
    """
    degrees = _in_degrees(geometry.geometry)
    shapes = degrees.to_numpy()
    missing, empty = shapely.is_missing(shapes), shapely.is_empty(shapes)
    area = np.where(missing, np.nan, 0.0)
    filled = ~(missing | empty)
    if filled.any():
        zones = cgcs2000_zone(degrees[filled]).to_numpy()
        where = np.flatnonzero(filled)
        for epsg in np.unique(zones):
            rows = where[zones == epsg]
            area[rows] = shapely.area(degrees.iloc[rows].to_crs(int(epsg)).to_numpy()) / 1e4
    return pd.Series(area, index=geometry.index, name="area_ha")


def area_mu(geometry: gpd.GeoSeries | gpd.GeoDataFrame) -> pd.Series:
    """Area in mu (亩), as `area_ha`."""
    return (area_ha(geometry) * MU_PER_HA).rename("area_mu")
