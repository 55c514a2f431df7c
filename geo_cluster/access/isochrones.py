"""Areas reached within so many minutes, as polygons for the map.

The minutes of every node are spread over a lattice: a lattice point takes the best of its nearest road points, the gap
counted at the off-network speed. The polygon is the contour of that surface, so it needs no union of thousands of
buffers, and a hole in it is there only if a road in it is out of reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import contourpy
import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geo_cluster.access.network import RoadNetwork, as_numbers
from geo_cluster.access.points import EARTH_RADIUS_KM, Floats, Ints, unit_vectors
from geo_cluster.access.travel import minutes_to_all
from geo_cluster.errors import Fault, InputError, refuse_if

CELL_KM = 1.0
"""Spacing of the lattice; the outline is good to about half of it."""

WIDEST_GAP_KM = 6.0
"""A lattice point further from any road belongs to no isochrone: a mountain, a lake."""

_NEAREST = 3  # road points that compete for a lattice point
_KM_PER_DEGREE = 111.195


@dataclass(frozen=True, eq=False)
class Lattice:
    """What isochrones of one network need that doesn't depend on the origins; make it once, use it often.

    Attributes
    ----------
    network : RoadNetwork
    lon, lat : (W,), (H,) degrees of the columns and rows
    cell : (M,) lattice points near a road, as positions in the flattened (H, W) lattice
    sample : (M, 3) the road points nearest to each, as positions in `tail`
    gap_min : (M, 3) minutes from them
    tail, after_min : (S,) a road point is reached from node `tail` after so many minutes
    places : (N,) Points of the network's nodes
    """

    network: RoadNetwork
    lon: Floats
    lat: Floats
    cell: Ints
    sample: Ints
    gap_min: Floats
    tail: Ints
    after_min: Floats
    places: NDArray[np.object_]

    @classmethod
    def of(cls, network: RoadNetwork, *, cell_km: float = CELL_KM, widest_gap_km: float = WIDEST_GAP_KM) -> Lattice:
        """Lay a lattice over a network.

        Parameters
        ----------
        network : RoadNetwork
            With places of its nodes.
        cell_km : float
            Spacing in kilometres.
        widest_gap_km : float
            How far from a road an isochrone reaches at most.

        Returns
        -------
        Lattice

        Raises
        ------
        InputError
            With every fault: kilometres that aren't above zero, a network without places.
        """
        faults = [
            Fault("access.km_not_positive", name, value=float(value))
            for name, value in (("cell_km", cell_km), ("widest_gap_km", widest_gap_km))
            if not value > 0
        ]
        if network.lon is None or network.lat is None or not network.label.size:
            faults.append(Fault("access.nodes_without_places", "network"))
        refuse_if(faults)
        lon, lat, tail, after_min = _road_points(network, cell_km)
        columns, rows = _axes(lon, lat, cell_km, widest_gap_km)
        x, y = (a.ravel() for a in np.meshgrid(columns, rows))
        count = min(_NEAREST, lon.size)
        limit = widest_gap_km / EARTH_RADIUS_KM  # chord and arc differ by less than a metre here
        gap, sample = cKDTree(unit_vectors(lon, lat)).query(
            unit_vectors(x, y), k=np.arange(1, count + 1), distance_upper_bound=limit, workers=-1
        )
        cell = np.flatnonzero(np.isfinite(gap[:, 0]))
        gap_min = gap[cell] * EARTH_RADIUS_KM / network.off_network_kmh * 60
        sample = np.where(np.isfinite(gap_min), sample[cell], 0)
        places = shapely.points(network.lon, network.lat)
        return cls(network, columns, rows, cell, sample, gap_min, tail, after_min, places)

    def surface(self, node_min: Floats) -> Floats:
        """Minutes at each lattice point, from minutes at each node.

        Parameters
        ----------
        node_min : (N,) ndarray

        Returns
        -------
        (H, W) ndarray
            inf far from roads.
        """
        road_min = node_min[self.tail] + self.after_min
        field = np.full(self.lat.size * self.lon.size, np.inf)
        field[self.cell] = (road_min[self.sample] + self.gap_min).min(axis=1)
        return field.reshape(self.lat.size, self.lon.size)


def isochrones(
    lattice: Lattice | RoadNetwork,
    origins: Any,
    *,
    within_min: Sequence[float] = (30, 60, 90, 240),
    clip: BaseGeometry | None = None,
) -> gpd.GeoDataFrame:
    """Areas within so many minutes of each origin.

    Parameters
    ----------
    lattice : Lattice or RoadNetwork
        A lattice laid once is warm; from a network one is laid first, which takes the longer part of a second.
    origins : (n,) array_like of int, or points
        Node labels or points, as in `travel.matrix`.
    within_min : sequence of float
        Bands, minutes above zero.
    clip : Polygon or MultiPolygon, optional
        WGS 84 area that the polygons are cut to, e.g. the province.

    Returns
    -------
    GeoDataFrame
        Columns `origin` (0..n-1), `within_min`, `geometry` (MultiPolygon, EPSG:4326), one row an origin and band,
        bands ascending. A band holds the smaller ones. A hole is kept only if a road node in it is out of reach.

    Raises
    ------
    InputError
        For bands that aren't positive numbers, and origins that `travel.matrix` refuses.
    """
    bands = np.unique(as_numbers("within_min", within_min))
    if not bands.size or not (np.isfinite(bands) & (bands > 0)).all():
        raise InputError(Fault("access.bands_not_positive", "within_min", bands=bands.tolist()))
    lattice = Lattice.of(lattice) if isinstance(lattice, RoadNetwork) else lattice
    minutes = minutes_to_all(lattice.network, origins, limit_min=float(bands[-1]))
    shapes = np.array([shape for row in minutes for shape in _bands(lattice, row, bands)], dtype=object)
    broken = ~shapely.is_valid(shapes)  # a contour through a lattice point may touch itself
    shapes[broken] = [_areas_only(shape) for shape in shapely.make_valid(shapes[broken])]
    if clip is not None:
        shapes = _cut(shapes, clip)
    return gpd.GeoDataFrame(
        {"origin": np.repeat(np.arange(len(minutes)), bands.size), "within_min": np.tile(bands, len(minutes))},
        geometry=shapes,
        crs=4326,
    )


def _road_points(network: RoadNetwork, cell_km: float) -> tuple[Floats, Floats, Ints, Floats]:
    """Nodes, and points along arcs longer than a cell: lon, lat, the node they are reached from, and after how long."""
    assert network.lon is not None and network.lat is not None
    tail = np.repeat(np.arange(network.label.size), np.diff(network.indptr))
    ends = np.stack([np.column_stack([network.lon[i], network.lat[i]]) for i in (tail, network.head)], axis=1)
    chord = np.linalg.norm(unit_vectors(*ends[:, 0].T) - unit_vectors(*ends[:, 1].T), axis=1) * EARTH_RADIUS_KM
    long = np.flatnonzero(chord > cell_km)
    pieces = np.ceil(chord[long] / cell_km).astype(int)
    arc = np.repeat(long, pieces - 1)
    step = np.arange(arc.size) - np.repeat(np.cumsum(pieces - 1) - (pieces - 1), pieces - 1) + 1
    share = step / np.repeat(pieces, pieces - 1)
    places = _along(network, arc, share, ends)
    return (
        np.concatenate([network.lon, places[:, 0]]),
        np.concatenate([network.lat, places[:, 1]]),
        np.concatenate([np.arange(network.label.size), tail[arc]]),
        np.concatenate([np.zeros(network.label.size), share * network.minutes[arc]]),
    )


def _along(network: RoadNetwork, arc: Ints, share: Floats, ends: Floats) -> Floats:
    """(n, 2) places at a share of the way along arcs, on their drawn lines if they have some."""
    if network.lines is None or not arc.size:
        return ends[arc, 0] + share[:, None] * (ends[arc, 1] - ends[arc, 0])
    edges, edge = np.unique(network.edge[arc], return_inverse=True)
    points, line = shapely.get_coordinates(network.lines[edges], return_index=True)
    start = np.searchsorted(line, np.arange(edges.size + 1))
    first, last = points[start[:-1]][edge], points[start[1:] - 1][edge]
    backwards = np.abs(last - ends[arc, 0]).sum(axis=1) < np.abs(first - ends[arc, 0]).sum(axis=1)
    so_far = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    begin, end = so_far[start[:-1]][edge], so_far[start[1:] - 1][edge]
    at = begin + np.where(backwards, 1 - share, share) * (end - begin)
    after = np.clip(np.searchsorted(so_far, at), start[:-1][edge] + 1, start[1:][edge] - 1)
    step = so_far[after] - so_far[after - 1]
    part = np.divide(at - so_far[after - 1], step, out=np.zeros_like(at), where=step > 0)
    return points[after - 1] + part[:, None] * (points[after] - points[after - 1])


def _axes(lon: Floats, lat: Floats, cell_km: float, margin_km: float) -> tuple[Floats, Floats]:
    dy = cell_km / _KM_PER_DEGREE
    dx = dy / np.cos(np.radians((lat.min() + lat.max()) / 2))
    reach = margin_km / cell_km + 2
    return (
        np.arange(lon.min() - reach * dx, lon.max() + reach * dx, dx),
        np.arange(lat.min() - reach * dy, lat.max() + reach * dy, dy),
    )


def _bands(lattice: Lattice, node_min: Floats, bands: Floats) -> list[BaseGeometry]:
    field = np.minimum(lattice.surface(node_min), 2 * bands[-1])
    return [_within(lattice, field, node_min, band) for band in bands]


def _within(lattice: Lattice, field: Floats, node_min: Floats, band: float) -> BaseGeometry:
    inside = field <= band
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return _around(lattice.network, node_min, band)
    y, x = slice(rows[0] - 1, rows[-1] + 2), slice(columns[0] - 1, columns[-1] + 2)  # the lattice has a free margin
    contour = contourpy.contour_generator(
        lattice.lon[x], lattice.lat[y], field[y, x], fill_type=contourpy.FillType.OuterOffset
    )
    parts = [_polygon(*part) for part in zip(*contour.filled(-1.0, band), strict=True)]
    polygons = [p for p in parts if p is not None]
    return shapely.multipolygons(_without_false_holes(lattice.places, node_min, band, polygons))


def _polygon(points: Floats, offsets: Ints) -> shapely.Polygon | None:
    rings = [points[a:b] for a, b in pairwise(offsets) if b - a >= 4]
    return shapely.Polygon(rings[0], rings[1:]) if rings else None


def _without_false_holes(
    places: NDArray[np.object_], node_min: Floats, band: float, polygons: list[shapely.Polygon]
) -> list[shapely.Polygon]:
    """Fill the holes in which no node is out of reach: nobody can say that they are."""
    holes = [(i, shapely.Polygon(ring)) for i, polygon in enumerate(polygons) for ring in polygon.interiors]
    if not holes:
        return polygons
    tree = shapely.STRtree([hole for _, hole in holes])
    real = set(tree.query(places[node_min > band], predicate="within")[1].tolist())
    kept: list[list[shapely.LinearRing]] = [[] for _ in polygons]
    for number, (i, hole) in enumerate(holes):
        if number in real:
            kept[i].append(hole.exterior)
    return [shapely.Polygon(p.exterior, rings) for p, rings in zip(polygons, kept, strict=True)]


def _around(network: RoadNetwork, node_min: Floats, band: float) -> BaseGeometry:
    """A circle about the nearest node for a band too small for the lattice; empty if even that is out of reach."""
    assert network.lon is not None and network.lat is not None
    start = int(np.argmin(node_min))
    left = band - node_min[start]
    if not left > 0:
        return shapely.MultiPolygon()
    radius = left / 60 * network.off_network_kmh / _KM_PER_DEGREE
    angle = np.linspace(0, 2 * np.pi, 33)[:-1]
    x = network.lon[start] + radius * np.cos(angle) / np.cos(np.radians(network.lat[start]))
    return shapely.MultiPolygon([shapely.Polygon(np.column_stack([x, network.lat[start] + radius * np.sin(angle)]))])


def _cut(shapes: NDArray[np.object_], clip: BaseGeometry) -> NDArray[np.object_]:
    shapely.prepare(clip)
    outside = ~shapely.contains(clip, shapes)
    cut = shapes.copy()
    cut[outside] = [_areas_only(shape) for shape in shapely.intersection(shapes[outside], clip)]
    return cut


def _areas_only(shape: BaseGeometry) -> shapely.MultiPolygon:
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.MultiPolygon([p for p in parts if p.geom_type == "Polygon" and not p.is_empty])
