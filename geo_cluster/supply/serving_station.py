"""Which substation each site is counted to: the nearest of those that a source names for it, else of its prefecture.

Which station really feeds a zone is not published: this is an assumption, and the page says so.
"""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
from pyproj import Geod

SERVING_KV = (110.0, 500.0)
"""Voltages of stations whose supply area a site is counted to: converters and 1,000 kV stations serve no user."""

_GEOD = Geod(ellps="WGS84")


class Feed(NamedTuple):
    """The station that each site is counted to: its id ('' where the prefecture has none) and distance, km (nan)."""

    station: np.ndarray
    km: np.ndarray


def distance_km(first: gpd.GeoSeries, second: gpd.GeoSeries) -> np.ndarray:
    """Geodesic distance between every pair of points.

    Parameters
    ----------
    first, second : GeoSeries of n and m points
        WGS 84 degrees.

    Returns
    -------
    (n, m) ndarray
        km; nan where a point is missing.
    """
    pairs = np.broadcast_arrays(*(axis.to_numpy()[:, None] for axis in (first.x, first.y)), second.x, second.y)
    lon_1, lat_1, lon_2, lat_2 = (np.ascontiguousarray(axis) for axis in pairs)
    return _GEOD.inv(lon_1, lat_1, lon_2, lat_2)[2] / 1000


def feeding_station(sites: gpd.GeoDataFrame, substations: gpd.GeoDataFrame) -> Feed:
    """Nearest serving station that a source names for the site, else the nearest one of its own prefecture.

    Parameters
    ----------
    sites : GeoDataFrame
        Points with `prefecture_code` and `stations` (ids joined by `;`, may be empty).
    substations : GeoDataFrame
        Points with `id`, `kind`, `voltage_kv`, `prefecture_code`.

    Returns
    -------
    Feed
        (sites,) arrays.
    """
    low, high = SERVING_KV
    serves = substations[(substations["kind"] == "substation") & substations["voltage_kv"].between(low, high)]
    if serves.empty:
        return Feed(np.full(len(sites), "", dtype=object), np.full(len(sites), np.nan))
    ids = serves["id"].to_numpy()
    named = np.array([np.isin(ids, text.split(";")) for text in sites["stations"]])
    own = sites["prefecture_code"].to_numpy()[:, None] == serves["prefecture_code"].to_numpy()[None, :]
    km = distance_km(sites.geometry, serves.geometry)
    km = np.where(np.where(named.any(axis=1, keepdims=True), named, own) & ~np.isnan(km), km, np.inf)
    nearest, least = km.argmin(axis=1), km.min(axis=1)
    found = np.isfinite(least)
    return Feed(np.where(found, ids[nearest], ""), np.where(found, least, np.nan))
