"""Travel matrices and isochrones against plain Dijkstra, and pandana where it is installed. Ratios are of this run.

python benchmarks/access.py                              three synthetic graphs and, with the data group, a real one
python benchmarks/access.py planar                       only those whose name has this in it
uv run --with pandana python benchmarks/access.py        with that peer too: minutes for each graph
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay

from geo_cluster.access import roads
from geo_cluster.access.isochrones import Lattice, isochrones
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix

DATA = Path(__file__).parent.parent / "data/geo"
NODES, EDGES = 250_000, 424_000
ORIGINS, DESTINATIONS = 100, 200


class Graph(NamedTuple):
    """Undirected edges, minutes and places."""

    name: str
    nodes: int
    tail: np.ndarray
    head: np.ndarray
    minutes: np.ndarray
    places: np.ndarray


def delaunay_edges(places: np.ndarray) -> np.ndarray:
    corners = Delaunay(places).simplices
    pairs = np.sort(np.concatenate([corners[:, :2], corners[:, 1:], corners[:, ::2]]), axis=1)
    return np.unique(pairs, axis=0)


def timed(name: str, places: np.ndarray, edges: np.ndarray, rng: np.random.Generator) -> Graph:
    length = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    return Graph(name, len(places), *edges.T, length * rng.uniform(0.6, 2.0, len(edges)) + 1e-6, places)


def road_like(seed: int = 0) -> Graph:
    """Towns and land between them, streets with chains of degree 2 and dead ends, labels in no order.

    120,000 junctions, two in three within towns (normal around 400 centres); of their Delaunay triangulation the
    shortest spanning tree and the shortest other edges, 294,000 in all; 90,000 edges get a node in the middle, off the
    straight line; 40,000 dead ends hang on junctions. Real networks have fewer edges for their nodes than the 1.7 that
    the target names (1.2-1.4), so the middle of this one is denser than a real one's.
    """
    rng = np.random.default_rng(seed)
    junctions, bends, stubs = 120_000, 90_000, NODES - 210_000
    towns = rng.random((400, 2)) * 1000
    in_town = towns[rng.integers(0, 400, 2 * junctions // 3)] + rng.normal(0, 12, (2 * junctions // 3, 2))
    places = np.concatenate([in_town, rng.random((junctions - len(in_town), 2)) * 1000])
    edges = delaunay_edges(places)
    length = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    tree = minimum_spanning_tree(csr_array((length, edges.T), shape=(junctions, junctions))).tocoo()
    needed = np.isin(edges @ [junctions, 1], np.sort(tree.coords, axis=0).T @ [junctions, 1])
    edges = edges[np.lexsort((length, ~needed))[: EDGES - bends - stubs]]
    bent = rng.permutation(len(edges))[:bends]
    middle = places[edges[bent]].mean(axis=1) + rng.normal(0, 0.1, (bends, 2))
    new = junctions + np.arange(bends)
    hang = rng.integers(0, junctions, stubs)
    ends = places[hang] + rng.normal(0, 0.3, (stubs, 2))
    edges = np.concatenate([
        np.delete(edges, bent, axis=0), np.column_stack([edges[bent, 0], new]), np.column_stack([new, edges[bent, 1]]),
        np.column_stack([hang, junctions + bends + np.arange(stubs)]),
    ])  # fmt: skip
    places = np.concatenate([places, middle, ends])
    shuffled = rng.permutation(NODES)
    back = np.argsort(shuffled)
    return timed("road-like", places[back], shuffled[edges], rng)


def planar(seed: int = 0) -> Graph:
    """Uniform points, 424,000 edges of their Delaunay triangulation taken at random."""
    rng = np.random.default_rng(seed)
    places = rng.random((NODES, 2)) * 1000
    edges = delaunay_edges(places)
    return timed("random planar", places, edges[rng.permutation(len(edges))[:EDGES]], rng)


def lattice(seed: int = 0) -> Graph:
    """500 x 500 streets of which 15 in 100 are missing: nothing to prune, the hardest for any contraction."""
    rng = np.random.default_rng(seed)
    at = np.arange(NODES).reshape(500, 500)
    across, down = (np.column_stack([a.ravel(), b.ravel()]) for a, b in ((at[:, :-1], at[:, 1:]), (at[:-1], at[1:])))
    edges = np.concatenate([across, down])
    edges = edges[np.sort(rng.permutation(len(edges))[:EDGES])]
    places = np.column_stack(np.divmod(np.arange(NODES), 500)).astype(float)
    return timed("lattice", places, edges, rng)


def world_highways() -> Graph | None:
    """Highways of the world from OpenStreetMap, as scgraph-data ships them: a real network, all of it."""
    try:
        from scgraph_data.world_highways import graph, nodes
    except ImportError:
        return None
    tail = np.repeat(np.arange(len(graph)), [len(arcs) for arcs in graph])
    head = np.concatenate([np.fromiter(arcs, dtype=np.int64) for arcs in graph])
    km = np.concatenate([np.fromiter(arcs.values(), dtype=float) for arcs in graph])
    once = (tail < head) & (km > 0)
    places = np.array([place[1::-1] for place in nodes], dtype=float)
    return Graph("world highways (OpenStreetMap)", len(nodes), tail[once], head[once], km[once], places)


def seconds(
    run: Callable[[], Any], *, times: int = 1, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, Any]:
    best, result = np.inf, None
    for _ in range(times):
        start = clock()
        result = run()
        best = min(best, clock() - start)
    return best, result


def plain(graph: Graph, origins: np.ndarray, destinations: np.ndarray) -> np.ndarray:
    ends = np.concatenate([graph.tail, graph.head]), np.concatenate([graph.head, graph.tail])
    weights = np.concatenate([graph.minutes, graph.minutes])
    matrix = csr_array((weights, ends), shape=(graph.nodes, graph.nodes))
    return dijkstra(matrix, indices=origins)[:, destinations]


def pandana_matrix(graph: Graph, origins: np.ndarray, destinations: np.ndarray) -> str:
    try:
        import pandana
    except ImportError:
        return "not installed"
    x, y = (pd.Series(graph.places[:, i]) for i in (0, 1))
    weights = pd.DataFrame({"minutes": graph.minutes})
    tail, head = pd.Series(graph.tail), pd.Series(graph.head)
    prepared, peer = seconds(lambda: pandana.Network(x, y, tail, head, weights))
    a, b = np.repeat(origins, destinations.size), np.tile(destinations, origins.size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a line for each pair that nothing connects
        asked, found = seconds(lambda: np.array(peer.shortest_path_lengths(a, b)))
    expected = plain(graph, origins, destinations).ravel()
    reached = np.isfinite(expected)
    off = np.abs(found[reached] - expected[reached]).max()
    return f"{prepared:.1f} s (wall) to prepare, {asked:.1f} s to ask, off by at most {off:.1e} minutes"


def compare(graph: Graph) -> None:
    rng = np.random.default_rng(1)
    origins, destinations = (rng.choice(graph.nodes, n, replace=False) for n in (ORIGINS, DESTINATIONS))
    ours = lambda km: matrix(  # noqa: E731
        RoadNetwork.from_edges(graph.tail, graph.head, graph.minutes, km=km, nodes=np.arange(graph.nodes)),
        origins,
        destinations,
    )
    cpu = {"times": 2, "clock": time.process_time}  # one thread each, so a busy machine disturbs least this way
    fast, trip = seconds(lambda: ours(None), **cpu)
    with_km, trip_km = seconds(lambda: ours(graph.minutes * 0.8), **cpu)
    slow, expected = seconds(lambda: plain(graph, origins, destinations), **cpu)
    reached = np.isfinite(expected)
    np.testing.assert_allclose(trip.minutes, expected, rtol=1e-10, atol=0)
    np.testing.assert_allclose(trip_km.minutes, expected, rtol=1e-10, atol=0)
    np.testing.assert_allclose(trip_km.km[reached], expected[reached] * 0.8, rtol=1e-10, atol=0)
    print(f"{graph.name}: {graph.nodes:,} nodes, {graph.tail.size:,} edges, {ORIGINS} x {DESTINATIONS}")
    print(f"  plain dijkstra   {slow:6.2f} CPU s, building its matrix included")
    print(f"  minutes          {fast:6.2f} CPU s, building and contracting included: {slow / fast:.1f} times faster")
    print(f"  minutes and km   {with_km:6.2f} CPU s: {slow / with_km:.1f} times faster")
    print(f"  pandana          {pandana_matrix(graph, origins, destinations)}")


def warm_isochrones() -> None:
    network = roads.from_layer(gpd.read_file(DATA / "roads.geojson"))
    province = gpd.read_file(DATA / "province.geojson").geometry.iloc[0]
    sites = pd.read_csv(DATA / "sites.csv")
    points = gpd.GeoSeries.from_xy(sites["lon"], sites["lat"], crs=4326)
    cold, laid = seconds(lambda: Lattice.of(network))
    warm, areas = seconds(lambda: isochrones(laid, points, clip=province), times=3)
    print(f"isochrones of {len(points)} sites x 4 bands, clipped: {warm:.2f} s warm ({len(areas)} polygons),", end=" ")
    print(f"{cold:.2f} s once for the lattice ({network.label.size:,} nodes, {laid.cell.size:,} lattice points)")


if __name__ == "__main__":
    warm_isochrones()
    for case in (road_like(), planar(), lattice(), world_highways()):
        if case is not None and (len(sys.argv) < 2 or sys.argv[1] in case.name):
            compare(case)
