"""The A3 sheet that a project and a drawing are laid out for: its system in metres, its extent, its scale."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo_cluster import toml
from geo_cluster.study import Study
from geo_cluster.world.coordinates import cgcs2000_zone
from geo_cluster.world.layers import CRS

PAGE_MM = (420.0, 297.0)
MAP_MM = (10.0, 24.0, 312.0, 250.0)
"""Left, top, width and height of the map on the page."""
_ROOM = 1.25
_LEAST_M = 30_000.0


@dataclass(frozen=True)
class SheetFrame:
    """Where the map of an A3 sheet lies.

    Attributes
    ----------
    crs : str
        A system in metres.
    bounds : (west, south, east, north) metres
    scale : int
        1 to this.
    """

    crs: str
    bounds: tuple[float, float, float, float]
    scale: int


def sheet_frame(study: Study, crs: str) -> SheetFrame:
    """The sheet that holds the R&D anchor and the sites of the plan, all sites where it has none, at a round scale.

    Parameters
    ----------
    study : Study
    crs : str
        As it was asked for; where it is in degrees, the 3-degree zone of CGCS2000 in the middle of the sites.
    """
    used = study.sites.geometry[np.unique(study.plan.site[study.plan.site >= 0])]
    places = gpd.GeoSeries([*(used if len(used) else study.sites.geometry), study.anchor.geometry], crs=CRS)
    if pyproj.CRS(crs).is_geographic:
        crs = f"EPSG:{cgcs2000_zone(shapely.MultiPoint(places.tolist()))}"
    west, south, east, north = places.to_crs(crs).total_bounds
    need = max((east - west) / MAP_MM[2], (north - south) / MAP_MM[3], _LEAST_M / MAP_MM[3]) * _ROOM * 1000
    power = 10 ** np.floor(np.log10(need))
    rounds = [*toml.table("gis")["paper"]["scales"], 10]
    scale = int(power * next(one for one in rounds if one * power >= need * (1 - 1e-9)))
    x, y = (west + east) / 2, (south + north) / 2
    dx, dy = (side * scale / 2000 for side in MAP_MM[2:])
    return SheetFrame(crs, (float(x - dx), float(y - dy), float(x + dx), float(y + dy)), scale)
