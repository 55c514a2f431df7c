"""Whether coordinates are shifted (GCJ-02, BD-09), found by what lies where they would lie if they were not.

The shift is known to a metre everywhere, 300 to 1,300 m long and of another direction for each system: where it brings
shapes onto something known that they miss as they are, they are shifted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo_cluster.imports.cells import spans
from geo_cluster.world import layers
from geo_cluster.world.coordinates import convert

NAMES = {"gcj02": "GCJ-02", "bd09": "BD-09"}
AGREES_M, APART_M = 30.0, 100.0
"""Points agree within so much; as they are, they are at least so far apart."""

ON_M = 3.0
"""A corner this near to an outline lies on it."""

LEAST_CORNERS, MOST_OF_THEM = 4, 0.8
"""A shape lies on outlines with at least so many corners, and this part of them."""

TIMES, PART, TURNS = 3.0, 0.5, 8
"""So many times more shapes agree than with the same shift in any of so many other directions, which is chance."""

SAME_AREA, MOST = 0.02, 20_000
METRES = np.array([96_000.0, 111_000.0])
"""Of a degree of longitude and of latitude in Hubei."""

LONGITUDE = re.compile(r"经度|东经|^(lon|lng|long|longitude)$|center_?(lon|lng|x)$", re.IGNORECASE)
LATITUDE = re.compile(r"纬度|北纬|^(lat|latitude)$|center_?(lat|y)$", re.IGNORECASE)

Points = NDArray[np.float64]
Way = Callable[[Points, str], Points]


class Shift(NamedTuple):
    """A system by whose shift shapes come to lie on something, and how many do."""

    code: str
    shapes: int


def _back(at: Points, code: str) -> Points:
    return np.column_stack(convert(at[:, 0], at[:, 1], source=code, target="wgs84"))


def _ahead(at: Points, code: str) -> Points:
    return np.column_stack(convert(at[:, 0], at[:, 1], source="wgs84", target=code))


def _apart(a: Points, b: Points) -> NDArray[np.float64]:
    return np.hypot(*((a - b) * METRES).T)


def _middles(shapes: gpd.GeoSeries) -> Points:
    return shapely.get_coordinates(shapely.centroid(shapes.to_crs(layers.CRS).to_numpy()))


def from_columns(frame: gpd.GeoDataFrame, table: pd.DataFrame) -> tuple[Shift, str, str] | None:
    """The shift of shapes from the degrees that their own columns say, with the headings of these; None for none.

    Parameters
    ----------
    frame : GeoDataFrame
        Shapes with a CRS.
    table : DataFrame
        What they say, as text, row by row.
    """
    headings = [next((key for key in table if mark.search(str(key))), None) for mark in (LONGITUDE, LATITUDE)]
    if None in headings or not len(table):
        return None
    said = np.column_stack([spans(table[key].astype(str))[0][:, 1] for key in headings])
    mine = _middles(frame.geometry)
    there = np.isfinite(said).all(axis=1) & np.isfinite(mine).all(axis=1)
    said, mine = said[there], mine[there]
    west, south, east, north = layers.HUBEI
    inside = (said >= [west, south]).all(axis=1) & (said <= [east, north]).all(axis=1)
    if not len(said) or not inside.all() or np.median(_apart(mine, said)) < APART_M:
        return None
    for code in NAMES:
        count = int((_apart(_back(mine, code), said) < AGREES_M).sum())
        if count > len(said) / 2:
            return Shift(code, count), str(headings[0]), str(headings[1])
    return None


def onto_parcels(mine: gpd.GeoSeries, known: gpd.GeoSeries) -> Shift | None:
    """The shift that brings parcels onto known ones of the same area; None where there is none, or they lie there."""
    at, there = _middles(mine), _middles(known)
    size, sizes = (shapely.area(one.to_crs(4547).to_numpy()) for one in (mine, known))
    tree = shapely.STRtree(shapely.points(there * METRES))

    def count(at: Points) -> int:
        one, other = tree.query(shapely.points(at * METRES), predicate="dwithin", distance=AGREES_M)
        alike = np.abs(size[one] - sizes[other]) <= SAME_AREA * sizes[other]
        return len(np.unique(one[alike]))

    return _most(count, at, max(1.0, PART * min(len(at), len(there))), _back)


def onto_outlines(mine: gpd.GeoSeries, known: gpd.GeoSeries, *, way: Way = _back) -> Shift | None:
    """The shift that brings shapes with nearly all their corners onto known outlines; None where there is none.

    Parameters
    ----------
    mine, known : GeoSeries
        Either may be the one that is shifted.
    way : callable
        How points move when it is `mine` (`_back`), or `known` (`_ahead`).
    """
    edges = shapely.get_parts(shapely.boundary(known.to_crs(layers.CRS).to_numpy()))
    edges = shapely.transform(edges[~shapely.is_empty(edges)], lambda at: at * METRES)
    at, of = shapely.get_coordinates(mine.to_crs(layers.CRS).to_numpy(), return_index=True)
    if not len(edges) or not len(at):
        return None
    west, south, east, north = shapely.total_bounds(edges)
    scaled, reach = at * METRES, 2000.0
    near = (scaled >= [west - reach, south - reach]).all(axis=1) & (scaled <= [east + reach, north + reach]).all(axis=1)
    at, of = at[near][:MOST], of[near][:MOST]
    tree = shapely.STRtree(edges)

    def count(at: Points) -> int:
        one, _ = tree.query(shapely.points(at * METRES), predicate="dwithin", distance=ON_M)
        there = np.bincount(of[np.unique(one)], minlength=len(mine))
        return int(((there >= LEAST_CORNERS) & (there >= MOST_OF_THEM * np.bincount(of, minlength=len(mine)))).sum())

    return _most(count, at, 1.0, way) if len(at) else None


def outlines_onto(mine: gpd.GeoSeries, known: gpd.GeoSeries) -> Shift | None:
    """The shift that brings shapes onto known ones, as `onto_outlines`, or known ones onto them likewise."""
    return onto_outlines(mine, known) or onto_outlines(known, mine, way=_ahead)


def _most(count: Callable[[Points], int], at: Points, least: float, way: Way) -> Shift | None:
    """The system whose shift makes the count at least this, and far more than chance does."""
    moved = {code: way(at, code) - at for code in NAMES}
    found = max((Shift(code, count(at + by)) for code, by in moved.items()), key=lambda one: one.shapes)
    if found.shapes < least or found.shapes < TIMES * count(at):
        return None
    east, north = (moved[found.code] * METRES).T
    for turn in np.arange(1, TURNS) * 2 * np.pi / TURNS:
        cos, sin = np.cos(turn), np.sin(turn)
        by = np.column_stack([east * cos - north * sin, east * sin + north * cos]) / METRES
        if found.shapes < TIMES * count(at + by):
            return None
    return found
