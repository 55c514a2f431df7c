"""How long it takes: matrices, routes, isochrones and reach on a `RoadNetwork`.

All times are exact shortest paths in minutes; the kilometres are those of the fastest path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo_cluster.access.contraction import contract
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.points import EARTH_RADIUS_KM, Floats, Ints, as_lon_lat, unit_vectors
from geo_cluster.errors import Fault, InputError

_FEW = 12  # origins that plain Dijkstra serves in the time that a contraction takes
_NOWHERE = -9999  # scipy's predecessor of a node that has none


class Matrix(NamedTuple):
    """Minutes and kilometres of the fastest trip from each origin to each destination, inf where there is none."""

    minutes: Floats
    km: Floats


class Route(NamedTuple):
    """The fastest trip between two places: its line in WGS 84, minutes and kilometres, gaps at both ends included."""

    line: shapely.LineString
    minutes: float
    km: float


def matrix(network: RoadNetwork, origins: Any, destinations: Any) -> Matrix:
    """Exact travel times from each origin to each destination.

    Parameters
    ----------
    network : RoadNetwork
    origins, destinations : (n,) array_like of int, or points
        Node labels; or points (GeoSeries, GeoDataFrame or (n, 2) of lon, lat), which are snapped, their gaps counted
        as time and distance at both ends. Two points nearer to each other than to their nodes are also joined
        directly, as the crow flies at the off-network speed, if that is faster.

    Returns
    -------
    Matrix
        minutes (O, D) and km (O, D); inf where no way leads. km is nan for a network without lengths.

    Raises
    ------
    InputError
        For labels that aren't in the network, and points that `RoadNetwork.snap` refuses.
    """
    start, end = _terminals(network, origins), _terminals(network, destinations)
    minutes, km = _between(network, start.node, end.node)
    minutes, km = minutes + start.gap_min[:, None] + end.gap_min, km + start.gap_km[:, None] + end.gap_km
    direct_min, direct_km = _direct(network, start, end)
    return Matrix(np.minimum(minutes, direct_min), np.where(direct_min < minutes, direct_km, km))


def minutes_to_all(network: RoadNetwork, origins: Any, *, limit_min: float = np.inf) -> Floats:
    """Exact minutes from each origin to every node.

    Parameters
    ----------
    network : RoadNetwork
    origins : (n,) array_like of int, or points
        As in `matrix`; the gap of a point is counted.
    limit_min : float
        Nodes further away may be given as inf.

    Returns
    -------
    (n, N) ndarray
        In the order of `network.label`.
    """
    places = _terminals(network, origins)
    start, graph = places.node, network.graph
    if start.size <= _FEW:
        minutes = np.full((start.size, network.label.size), np.inf)
        for i, origin in enumerate(start):
            minutes[i] = dijkstra(graph, indices=origin, limit=limit_min)
    else:
        rest = contract(graph.indptr, graph.indices, graph.data, start)
        minutes = rest.spread(dijkstra(rest.graph, indices=np.searchsorted(rest.core, start)))
    return minutes + places.gap_min[:, None]


def reach(
    network: RoadNetwork,
    origins: Any,
    places: Any,
    *,
    within_min: Sequence[float] = (30, 60, 90, 240),
    weight: ArrayLike | None = None,
) -> Floats:
    """Share of places (firms, institutes) that are within so many minutes of each origin.

    Parameters
    ----------
    network : RoadNetwork
    origins, places : (n,) array_like of int, or points
        As in `matrix`; minutes run from origin to place.
    within_min : sequence of float
        Bands, minutes.
    weight : (places,) array_like, optional
        What each place counts, not negative; 1 when not given.

    Returns
    -------
    (origins, bands) ndarray
        Between 0 and 1; nan when there is nothing to reach.

    Raises
    ------
    InputError
        For weights that are negative or not one a place, and what `matrix` refuses.
    """
    minutes = matrix(network, origins, places).minutes
    weights = np.ones(minutes.shape[1]) if weight is None else np.asarray(weight, dtype=float)
    if weights.shape != minutes.shape[1:] or not (weights >= 0).all():
        shape, count = str(weights.shape), int(minutes.shape[1])
        raise InputError(Fault("access.weights_unusable", "weight", shape=shape, places=count))
    total = weights.sum()
    near = minutes[:, :, None] <= np.asarray(within_min, dtype=float)
    return (near * weights[:, None]).sum(axis=1) / total if total else np.full((len(minutes), near.shape[2]), np.nan)


def route(network: RoadNetwork, origin: Any, destination: Any) -> Route:
    """Return the fastest way from one place to another, as a line for the map.

    Parameters
    ----------
    network : RoadNetwork
        With places of its nodes.
    origin, destination : int or point
        A node label, a shapely Point, or (lon, lat).

    Returns
    -------
    Route

    Raises
    ------
    InputError
        When no way leads there, or the network has no places.
    """
    if network.lon is None or network.lat is None:
        raise InputError(Fault("access.nodes_without_places", "network"))
    pair = _terminals(network, _pair(origin, destination))
    start, end = pair.node
    minutes, before = dijkstra(network.graph, indices=start, return_predecessors=True)
    total_min = float(minutes[end] + pair.gap_min.sum())
    straight_min, straight_km = _direct(network, pair, pair)
    direct_min, direct_km = float(straight_min[0, 1]), float(straight_km[0, 1])
    if direct_min < total_min:
        line = shapely.LineString(np.concatenate([_place(origin), _place(destination)]))
        return Route(line, direct_min, direct_km)
    if np.isinf(minutes[end]):
        labels = {"start": int(network.label[start]), "end": int(network.label[end])}
        raise InputError(Fault("access.no_way", "route", **labels))
    nodes = [int(end)]
    while nodes[-1] != start:
        nodes.append(int(before[nodes[-1]]))
    path = np.array(nodes[::-1])
    arcs = np.searchsorted(_keys(network.indptr, network.head), path[:-1] * network.label.size + path[1:])
    pieces = [_shape(network, arc, tail) for arc, tail in zip(arcs, path[:-1], strict=True)]
    ends = [_place(p) for p in (origin, destination)]
    line = np.concatenate([ends[0], [[network.lon[start], network.lat[start]]], *pieces, ends[1]])
    moved = np.r_[True, (np.diff(line, axis=0) != 0).any(axis=1)]
    line = line[moved] if moved.sum() > 1 else np.repeat(line[:1], 2, axis=0)
    return Route(
        shapely.LineString(line),
        total_min,
        float(network.km[arcs].sum() + pair.gap_km.sum()),
    )


def _pair(origin: Any, destination: Any) -> Any:
    if np.ndim(origin) == 0 and isinstance(origin, int | np.integer) and isinstance(destination, int | np.integer):
        return np.array([origin, destination])
    if isinstance(origin, int | np.integer) or isinstance(destination, int | np.integer):
        raise InputError(Fault("access.label_and_point", "route"))
    return np.concatenate([_place(origin), _place(destination)])


def _place(point: Any) -> NDArray[np.float64]:
    """(1, 2) lon, lat of a point; (0, 2) for a node label."""
    if isinstance(point, int | np.integer):
        return np.empty((0, 2))
    if isinstance(point, shapely.Point):
        return np.array([[point.x, point.y]])
    return np.asarray(point, dtype=float).reshape(1, 2)


class _Terminals(NamedTuple):
    """Positions in the network; the gap of each place in minutes and km, zero for labels; degrees, nan for labels."""

    node: Ints
    gap_min: Floats
    gap_km: Floats
    lon: Floats
    lat: Floats


def _terminals(network: RoadNetwork, places: Any) -> _Terminals:
    if not isinstance(places, gpd.GeoSeries | gpd.GeoDataFrame):
        labels = np.asarray(places)
        if labels.ndim == 1 and (np.issubdtype(labels.dtype, np.integer) or not labels.size):
            none = np.zeros(labels.size)
            return _Terminals(network.position(labels), none, none, none * np.nan, none * np.nan)
    snap = network.snap(places)
    lon, lat, _ = as_lon_lat(places)
    return _Terminals(network.position(snap.node), snap.gap_min, snap.gap_km, lon, lat)


def _direct(network: RoadNetwork, start: _Terminals, end: _Terminals) -> tuple[Floats, Floats]:
    """Minutes and km straight from point to point, inf where they are further apart than from their nodes."""
    a, b = unit_vectors(start.lon, start.lat), unit_vectors(end.lon, end.lat)
    chord = np.linalg.norm(a[:, None] - b[None], axis=2)
    km = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    km = np.where(km <= start.gap_km[:, None] + end.gap_km, km, np.inf)  # nan, of labels, is not
    return km / network.off_network_kmh * 60, km


def _between(network: RoadNetwork, start: Ints, end: Ints) -> tuple[Floats, Floats]:
    """Minutes and km from each start to each end, solved from whichever are fewer."""
    if end.size < start.size:
        minutes, km = _from_each(_costs(network).T.tocsr(), end, start)
        return minutes.T, km.T
    return _from_each(_costs(network), start, end)


def _costs(network: RoadNetwork) -> csr_array:
    """Minutes, or minutes + i·km where lengths are known."""
    graph = network.graph
    if not np.isnan(network.km).any():
        graph = graph.astype(complex)
        graph.data.imag = network.km
    return graph


def _from_each(graph: csr_array, start: Ints, end: Ints) -> tuple[Floats, Floats]:
    if start.size > _FEW:
        rest = contract(graph.indptr, graph.indices, graph.data, np.concatenate([start, end]))
        start, end = np.searchsorted(rest.core, start), np.searchsorted(rest.core, end)
        graph = csr_array((rest.cost, rest.head, rest.indptr), shape=(rest.core.size, rest.core.size))
    if not np.iscomplexobj(graph.data):
        minutes = dijkstra(graph, indices=start)[:, end] if start.size else np.empty((0, end.size))
        return minutes, np.full(minutes.shape, np.nan)
    time = csr_array((graph.data.real, graph.indices, graph.indptr), shape=graph.shape)
    keys = _keys(graph.indptr, graph.indices)
    minutes = np.empty((start.size, end.size))
    km = np.full((start.size, end.size), np.inf)
    for i, origin in enumerate(start):
        cost, before = dijkstra(time, indices=origin, return_predecessors=True)
        minutes[i] = cost[end]
        there = np.isfinite(minutes[i])
        km[i, there] = _along(before, keys, graph.data.imag)[end[there]]
    return minutes, km


def _along(before: NDArray[np.int32], keys: Ints, length: Floats) -> Floats:
    """Sum of lengths from the root of a shortest-path tree to each node, by pointer doubling."""
    node = np.arange(before.size)
    reached = before != _NOWHERE
    total = np.zeros(before.size)
    total[reached] = length[np.searchsorted(keys, before[reached].astype(np.int64) * before.size + node[reached])]
    above = np.where(reached, before, node)
    while (above != above[above]).any():
        total += total[above]
        above = above[above]
    return total


def _keys(indptr: NDArray[np.int32], head: NDArray[np.int32]) -> Ints:
    """One ascending number for each arc of a graph whose rows are sorted: tail * nodes + head."""
    nodes = indptr.size - 1
    return np.repeat(np.arange(nodes, dtype=np.int64), np.diff(indptr)) * nodes + head


def _shape(network: RoadNetwork, arc: int, tail: int) -> NDArray[np.float64]:
    """(n, 2) lon, lat of an arc in the direction of travel."""
    assert network.lon is not None and network.lat is not None
    here = np.array([network.lon[tail], network.lat[tail]])
    if network.lines is None:
        there = network.head[arc]
        return np.array([here, [network.lon[there], network.lat[there]]])
    points = shapely.get_coordinates(network.lines[network.edge[arc]])
    backwards = np.abs(points[-1] - here).sum() < np.abs(points[0] - here).sum()
    return points[::-1] if backwards else points
