import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely.geometry.base import BaseGeometry

from geo_cluster.access.isochrones import Lattice, isochrones
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix, minutes_to_all, reach, route
from geo_cluster.errors import Fault
from tests.refusals import faults_of, refused


def square() -> RoadNetwork:
    """10 - 20 - 30 - 40 - 10 on a square; 10 - 30 is short but slow."""
    return RoadNetwork.from_edges(
        [10, 20, 30, 40, 10],
        [20, 30, 40, 10, 30],
        [1.0, 2.0, 3.0, 4.0, 9.0],
        km=[1, 2, 3, 4, 1],
        places=[(114.0, 30.0), (114.1, 30.0), (114.1, 30.1), (114.0, 30.1)],
    )


def grid(side: int = 21, *, step: float = 0.02, minutes: float = 2.0, lon: float = 114.0, lat: float = 30.0):
    """side x side streets, about 2 km and `minutes` apart."""
    at = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    head = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    x, y = np.meshgrid(lon + step * np.arange(side), lat + step * np.arange(side))
    return tail, head, np.full(tail.size, minutes), x.ravel(), y.ravel()


def test_matrix_of_a_square_by_hand() -> None:
    minutes, km = matrix(square(), [10, 40], [30, 20, 10])
    assert minutes.tolist() == [[3, 1, 0], [3, 5, 4]]
    assert km.tolist() == [[3, 1, 0], [3, 5, 4]]


@pytest.mark.slow
@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    nodes=st.integers(2, 50),
    degree=st.floats(0.5, 3),
    origins=st.integers(1, 30),
    destinations=st.integers(1, 30),
    oneway=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_matrix_agrees_with_networkx(
    seed: int, nodes: int, degree: float, origins: int, destinations: int, oneway: float
) -> None:
    rng = np.random.default_rng(seed)
    edges = int(nodes * degree)
    tail, head = rng.integers(0, nodes, (2, edges))
    minutes, km = rng.uniform(0.1, 9, (2, edges))
    one = rng.random(edges) < oneway
    network = RoadNetwork.from_edges(tail, head, minutes, km=km, nodes=np.arange(nodes), oneway=one)
    peer = nx.MultiDiGraph()
    peer.add_nodes_from(range(nodes))
    peer.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), minutes, strict=True))
    peer.add_weighted_edges_from(zip(head[~one].tolist(), tail[~one].tolist(), minutes[~one], strict=True))
    length = {frozenset((t, h)): [] for t, h in zip(tail.tolist(), head.tolist(), strict=True)}
    for t, h, m, k in zip(tail.tolist(), head.tolist(), minutes, km, strict=True):
        length[frozenset((t, h))].append((m, k))
    start, end = rng.integers(0, nodes, origins), rng.integers(0, nodes, destinations)  # some of them twice
    trip = matrix(network, start, end)
    for i, origin in enumerate(start.tolist()):
        cost, path = nx.single_source_dijkstra(peer, origin)
        assert_allclose(trip.minutes[i], [cost.get(j, np.inf) for j in end.tolist()])
        for j, destination in enumerate(end.tolist()):
            if destination not in path:
                assert trip.km[i, j] == np.inf
                continue
            steps = zip(path[destination][:-1], path[destination][1:], strict=True)
            taken = [min(peer[a][b].values(), key=lambda d: d["weight"])["weight"] for a, b in steps]
            known = {m: k for ways in length.values() for m, k in ways}
            assert trip.km[i, j] == pytest.approx(sum(known[m] for m in taken))


def test_islands_can_not_be_reached_and_nothing_comes_of_nothing() -> None:
    network = RoadNetwork.from_edges([1, 8], [2, 9], [1.0, 1.0])
    trip = matrix(network, [1], [2, 9])
    assert trip.minutes.tolist() == [[1, np.inf]] and np.isnan(trip.km).all()
    assert matrix(network, [], [1, 2]).minutes.shape == (0, 2)
    assert matrix(network, [1, 2], []).km.shape == (2, 0)


def test_gaps_of_points_are_counted_at_both_ends_of_a_matrix() -> None:
    points = gpd.GeoSeries.from_xy([114.0, 114.11], [30.0, 30.1], crs=4326)
    gap = 0.01 * np.cos(np.radians(30.1)) * np.pi / 180 * 6371.0088
    trip = matrix(square(), points, points)
    assert_allclose(trip.km, [[0, 3 + gap], [3 + gap, 0]], rtol=1e-6)
    assert_allclose(trip.minutes, [[0, 3 + gap * 2], [3 + gap * 2, 0]], rtol=1e-6)


def test_points_nearer_to_each_other_than_to_a_road_are_joined_directly() -> None:
    network = square()
    points = np.array([[113.9, 30.0], [113.9, 30.01], [113.99, 30.0]])  # 9.6 km from node 10, 1.1 km apart; 1 km
    near = 0.01 * np.pi / 180 * 6371.0088
    trip = matrix(network, points[:1], points)
    assert_allclose(trip.km[0, :2], [0, near], rtol=1e-6)
    assert_allclose(trip.minutes[0, :2], [0, near * 2], rtol=1e-6)
    way = route(network, points[0], points[1])
    assert_allclose([way.km, way.minutes], [near, near * 2], rtol=1e-6)
    assert list(way.line.coords) == [(113.9, 30.0), (113.9, 30.01)]
    assert route(network, points[2], points[2]).minutes == 0


@pytest.mark.parametrize("count", [3, 20])  # by Dijkstra, and by contraction
def test_minutes_to_all_nodes(count: int) -> None:
    tail, head, minutes, *_ = grid(12)
    network = RoadNetwork.from_edges(tail, head, minutes)
    rows, columns = np.divmod(np.arange(144), 12)
    origins = np.arange(0, 144, 144 // count)[:count]
    expected = 2.0 * (np.abs(rows[origins, None] - rows) + np.abs(columns[origins, None] - columns))
    assert_allclose(minutes_to_all(network, origins), expected)
    near = minutes_to_all(network, origins, limit_min=10)
    assert_allclose(near[expected <= 10], expected[expected <= 10])


def test_route_runs_from_point_to_point_and_counts_its_gaps() -> None:
    way = route(square(), (113.99, 30.0), shapely.Point(114.11, 30.1))
    gap_km = 2 * np.pi * 6371.0088 * 0.01 / 360
    expected = gap_km * np.cos(np.radians(30.0)) + gap_km * np.cos(np.radians(30.1))
    assert list(way.line.coords) == [(113.99, 30), (114, 30), (114.1, 30), (114.1, 30.1), (114.11, 30.1)]
    assert_allclose([way.km, way.minutes], [3 + expected, 3 + expected / 30 * 60], rtol=1e-6)


def test_route_follows_the_drawn_lines_in_the_direction_of_travel() -> None:
    bends = [[(114, 30), (114.05, 29.9), (114.1, 30)], [(114.2, 30), (114.15, 30.1), (114.1, 30)]]
    network = RoadNetwork.from_edges(
        [1, 3],
        [2, 2],
        [1.0, 1.0],
        lines=[shapely.LineString(b) for b in bends],
        places=[(114, 30), (114.1, 30), (114.2, 30)],
    )
    there = [(114, 30), (114.05, 29.9), (114.1, 30), (114.15, 30.1), (114.2, 30)]
    assert list(route(network, 1, 3).line.coords) == there
    assert list(route(network, 3, 1).line.coords) == there[::-1]
    assert route(network, 2, 2).minutes == 0 and route(network, 2, 2).line.length == 0


def test_routes_that_can_not_be() -> None:
    places = [(114, 30), (114.1, 30), (115, 30), (115.1, 30)]
    network = RoadNetwork.from_edges([1, 8], [2, 9], [1.0, 1.0], places=places)
    assert faults_of(route, network, 1, 9) == [Fault("access.no_way", "route", start=1, end=9)]
    assert refused(route, network, 1, (114.0, 30.0)) == [("access.label_and_point", "route")]


def test_reach_counts_the_weight_of_places() -> None:
    # from 10: 20 after 1 min, 30 after 3, 40 after 4
    near = reach(square(), [10], [20, 30, 40], within_min=(1, 3.5, 10), weight=[1, 2, 5])
    assert_allclose(near, [[1 / 8, 3 / 8, 1]])
    assert_allclose(reach(square(), [10, 30], [20, 40], within_min=(2,)), [[0.5], [0.5]])
    assert np.isnan(reach(square(), [10], [20], weight=[0])).all()
    assert refused(reach, square(), [10], [20, 30], weight=[1]) == [("access.weights_unusable", "weight")]


def holes(shape: BaseGeometry) -> int:
    return sum(len(part.interiors) for part in shape.geoms)


def test_isochrones_hold_what_is_near_and_nothing_that_is_far() -> None:
    tail, head, minutes, x, y = grid()
    network = RoadNetwork.from_edges(tail, head, minutes, places=np.column_stack([x, y]))
    areas = isochrones(network, [220, 0], within_min=(20, 6))
    assert areas["origin"].tolist() == [0, 0, 1, 1] and areas["within_min"].tolist() == [6, 20, 6, 20]
    assert areas.crs == "EPSG:4326" and areas.is_valid.all() and (areas.geom_type == "MultiPolygon").all()
    for origin, node in enumerate((220, 0)):
        after = minutes_to_all(network, [node])[0]
        for band, shape in areas.loc[areas["origin"] == origin, ["within_min", "geometry"]].to_numpy():
            inside = shapely.contains_xy(shape, x, y)
            assert inside[after <= band - 2].all()  # a lattice cell is about 2 minutes wide off the road
            assert not inside[after > band + 2].any()
            assert holes(shape) == 0
        small, large = areas.loc[areas["origin"] == origin, "geometry"]
        assert large.buffer(1e-9).contains(small)


def test_a_hole_is_kept_only_where_a_road_is_out_of_reach() -> None:
    tail, head, minutes, x, y = grid(31)
    middle = np.hypot(x - x.mean(), y - y.mean()) < 0.13
    apart, places = middle[tail] | middle[head], np.column_stack([x, y])
    lake = RoadNetwork.from_edges(tail[~apart], head[~apart], minutes[~apart], nodes=np.arange(x.size), places=places)
    lake = lake.largest_component()
    slow = RoadNetwork.from_edges(tail, head, np.where(apart, 500.0, minutes), places=places)
    shapes = [isochrones(Lattice.of(n, widest_gap_km=4), [0], within_min=[130]).geometry[0] for n in (lake, slow)]
    assert [holes(shape) for shape in shapes] == [0, 1]
    centre = shapely.Point(x.mean(), y.mean())
    assert shapes[0].contains(centre) and not shapes[1].contains(centre)


def test_isochrones_are_cut_to_an_area() -> None:
    tail, head, minutes, x, y = grid()
    lattice = Lattice.of(RoadNetwork.from_edges(tail, head, minutes, places=np.column_stack([x, y])))
    clip = shapely.box(114.1, 30.1, 114.3, 30.3).difference(shapely.box(114.15, 30.15, 114.2, 30.2))
    whole, cut = (isochrones(lattice, [220], within_min=(10, 20), clip=c).geometry for c in (None, clip))
    for a, b in zip(whole, cut, strict=True):
        assert b.equals_exact(b, 0) and b.geom_type == "MultiPolygon"
        assert b.symmetric_difference(a.intersection(clip)).area < 1e-12
    far = isochrones(lattice, [0], within_min=[2], clip=shapely.box(114.35, 30.35, 114.4, 30.4)).geometry[0]
    assert far.is_empty


def test_a_band_smaller_than_the_lattice_is_a_small_circle() -> None:
    tail, head, minutes, x, y = grid()
    network = RoadNetwork.from_edges(tail, head, minutes, places=np.column_stack([x + 0.0037, y + 0.0041]))
    shape = isochrones(network, [220], within_min=[0.5]).to_crs(4547).geometry[0]
    assert shape.area / 1e6 == pytest.approx(np.pi * 0.25**2, rel=0.03)  # half a minute at 30 km/h
    far = isochrones(network, np.array([[114.2, 30.44]]), within_min=[0.5]).geometry[0]
    assert far.is_empty


def test_isochrones_of_nothing_are_no_rows() -> None:
    areas = isochrones(square(), np.empty((0, 2)))
    assert len(areas) == 0 and areas.crs == "EPSG:4326"


def test_isochrones_refuse_bands_and_lattices_that_make_no_sense() -> None:
    network = square()
    assert refused(isochrones, network, [10], within_min=(30, -1)) == [("access.bands_not_positive", "within_min")]
    assert refused(Lattice.of, RoadNetwork.from_edges([1], [2], [1.0]), cell_km=0) == [
        ("access.km_not_positive", "cell_km"),
        ("access.nodes_without_places", "network"),
    ]
