"""Points on the globe: longitudes and latitudes, whatever they come in, and as unit vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo_cluster.errors import Fault, InputError, Place

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the earth (IUGG)."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = Mapping[str, tuple[float, float]]
"""Longitude and latitude of places, by id."""


def as_lon_lat(points: Any) -> tuple[Floats, Floats, list[Place]]:
    """Longitudes and latitudes of points, and where a fault of each is.

    Parameters
    ----------
    points : GeoSeries or GeoDataFrame of points, or (n, 2) array_like of lon, lat
        Degrees WGS 84; a projected series is brought to it. Two numbers are one point.

    Returns
    -------
    lon, lat : (n,) ndarray
        Degrees; nan for what is no point.
    names : list of Place
        ``point 3``: by the index of a series, else counted from 0.

    Raises
    ------
    InputError
        For an array of another shape.
    """
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        series = points.geometry
        if series.crs is not None and not series.crs.is_geographic:
            series = series.to_crs(4326)
        names = [Place(str(i), kind="point") for i in points.index]
        return shapely.get_x(series.to_numpy()), shapely.get_y(series.to_numpy()), names
    array = np.asarray(points, dtype=float)
    if array.ndim == 1 and array.size == 2:
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(Fault("access.points_of_another_shape", "points", shape=str(array.shape)))
    return array[:, 0], array[:, 1], [Place(str(i), kind="point") for i in range(len(array))]


def point_faults(lon: Floats, lat: Floats, names: list[Place]) -> list[Fault]:
    """List the points that are empty or not in degrees, in the order of `as_lon_lat`.

    Parameters
    ----------
    lon, lat : (n,) ndarray
        Degrees.
    names : list of Place
        Where the fault of each is.

    Returns
    -------
    list of Fault
    """
    missing = np.flatnonzero(~(np.isfinite(lon) & np.isfinite(lat)))
    faults = [Fault("access.point_without_place", names[i]) for i in missing]
    for i in np.flatnonzero((np.abs(lat) > 90) | (np.abs(lon) > 180)):
        there = {"lon": float(lon[i]), "lat": float(lat[i])}
        if abs(lat[i]) <= 180 and abs(lon[i]) <= 90:
            faults.append(Fault("access.point_swapped", names[i], **there))
        else:
            faults.append(Fault("access.point_not_in_degrees", names[i], **there))
    return faults


def unit_vectors(lon: Floats, lat: Floats) -> Floats:
    """Points on the unit sphere, for nearest neighbours by true distance.

    Parameters
    ----------
    lon, lat : (n,) ndarray
        Degrees.

    Returns
    -------
    (n, 3) ndarray
    """
    x, y = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
