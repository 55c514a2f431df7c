from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from geo_cluster.access import roads
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, Fault, InputError, Place
from tests.refusals import refused


def layer(**changed: Any) -> gpd.GeoDataFrame:
    """1 - 2 - 3 and, apart, 8 - 9."""
    columns = {"u": [1, 2, 8], "v": [2, 3, 9], "length_km": [10.0, 20.0, 1.0], "speed_kmh": [60.0, 40.0, 60.0]}
    lines = [[(114, 30), (114.1, 30)], [(114.1, 30), (114.2, 30.1), (114.3, 30)], [(114, 31), (114.01, 31)]]
    return gpd.GeoDataFrame(columns | changed, geometry=[shapely.LineString(x) for x in lines], crs=4326)


def street_graph(**changed: Any) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, (x, y) in {11: (114.0, 30.0), 12: (114.1, 30.0), 13: (114.1, 30.1)}.items():
        graph.add_node(node, x=x, y=y)
    for u, v in ((11, 12), (12, 11), (12, 13), (13, 12)):
        graph.add_edge(u, v, **({"length": 1000.0, "highway": "primary", "osmid": 5} | changed))
    return graph


def test_labels_parallel_edges_loops_and_one_way() -> None:
    network = RoadNetwork.from_edges(
        [-5, 10**12, 7, 7, 7],
        [7, 7, 10**12, 7, -5],
        [4.0, 1.0, 9.0, 5.0, 3.0],
        oneway=[True, False, False, False, True],
    )
    assert network.label.tolist() == [-5, 7, 10**12]
    assert matrix(network, [-5, 10**12], [-5, 7, 10**12]).minutes.tolist() == [[0, 4, 5], [4, 1, 0]]
    assert network.notes == ("1 edges from a node to itself dropped", "2 slower parallel arcs dropped")


def test_every_fault_of_edges_is_named_at_once() -> None:
    with pytest.raises(InputError) as refusal:
        RoadNetwork.from_edges([1, 2, 3], [2, 3, 4], [1.0, 0.0, np.nan], km=[1.0, -2.0, 3.0], oneway=[True])
    oneway, minutes, km = refusal.value.faults
    assert (oneway.code, oneway.where) == ("access.not_one_an_edge", "oneway")
    assert minutes == Fault("access.edge_not_positive", Place("1", kind="edge"), quantity="minutes", value=0.0, count=2)
    assert km == Fault("access.edge_not_positive", Place("1", kind="edge"), quantity="km", value=-2.0, count=1)
    assert refused(RoadNetwork.from_edges, [[1]], [2], [[1.0]])[0] == ("access.no_row_of_labels", "tail")
    assert refused(RoadNetwork.from_edges, [1], [2], ["fast"]) == [("access.not_numbers", "minutes")]
    assert ("access.labels_no_integers", "tail") in refused(RoadNetwork.from_edges, [1.5], [2.5], [1.0])
    network = RoadNetwork.from_edges([1], [2], [1.0])
    assert refused(replace, network, off_network_kmh=0) == [("access.speed_not_positive", "off_network_kmh")]


def test_every_fault_of_places_is_named_at_once() -> None:
    with pytest.raises(InputError) as refusal:
        RoadNetwork.from_edges([1, 2], [2, 3], [1.0, 1.0], places=[(30, 114), (30.1, 114.1), (200, 30)])
    lon, lat = refusal.value.faults
    assert lon == Fault(
        "access.node_not_in_degrees", Place("3", kind="node", column="longitude"), value=200.0, count=1, most=180
    )
    assert (lat.where, lat.values["value"], lat.values["count"]) == ("node 1, column latitude", 114.0, 2)
    assert refused(RoadNetwork.from_edges, [1], [2], [1.0], places=[114, 114]) == [("access.not_one_a_node", "places")]
    codes = [code for code, _ in refused(RoadNetwork.from_edges, [1], [2], [1.0], nodes=[1, 1, 3])]
    assert codes == ["access.labels_twice", "access.nodes_not_listed"]


def test_a_layer_keeps_its_largest_part_and_both_directions() -> None:
    network = roads.from_layer(layer(), source="© OpenStreetMap contributors")
    assert network.label.tolist() == [1, 2, 3]
    assert network.notes == ("2 of 5 nodes dropped: on islands or one-way streets without return",)
    assert network.source == "© OpenStreetMap contributors"
    trip = matrix(network, [1, 3], [3, 1])
    assert trip.minutes.tolist() == [[40, 0], [0, 40]] and trip.km.tolist() == [[30, 0], [0, 30]]
    with pytest.raises(InputError) as refusal:
        matrix(network, [8, 9], [1])
    assert refusal.value.faults == [Fault("access.labels_unknown", "nodes", count=2, labels=[8, 9])]


def test_a_one_way_street_without_return_is_no_part_of_the_network() -> None:
    network = RoadNetwork.from_edges([1, 2, 2], [2, 1, 3], [1.0, 1.0, 1.0], oneway=True)
    assert network.component.tolist() == [0, 0, 1]
    assert network.largest_component().label.tolist() == [1, 2]


def test_faults_of_a_layer() -> None:
    with pytest.raises(DataError) as refusal:
        roads.from_layer(layer().drop(columns="speed_kmh"))
    assert (refusal.value.faults[0].code, refusal.value.faults[0].values["column"]) == (
        "access.roads_without_column", "speed_kmh",
    )  # fmt: skip
    broken = layer(length_km=[1.0, 0.0, 1.0], speed_kmh=[60.0, 0.0, 60.0])
    assert refused(roads.from_layer, broken) == [("access.edge_not_positive", "edge 1")] * 2
    assert refused(roads.from_layer, layer().to_crs(4547)) == [("access.roads_not_in_degrees", "roads")]


def test_points_snap_to_the_largest_part_and_the_gap_is_reported() -> None:
    network = RoadNetwork.from_edges(
        [1, 2, 8], [2, 3, 9], np.ones(3), places=[(x, 30.0) for x in (114, 114.1, 114.2, 115, 115.1)]
    )
    points = gpd.GeoSeries.from_xy([114.0, 115.0], [30.0, 30.0], crs=4326)
    snap = network.snap(points, max_gap_km=100)
    assert snap.node.tolist() == [1, 3]  # 115.0 is on an island: 0.8 degrees to node 3
    gap = 0.8 * np.cos(np.radians(30)) * np.pi / 180 * 6371.0088
    assert snap.gap_km == pytest.approx([0, gap], rel=1e-5)
    assert snap.gap_min == pytest.approx([0, gap / 30 * 60], rel=1e-5)
    projected = network.snap(points.to_crs(4547), max_gap_km=100)
    assert projected.node.tolist() == [1, 3]


def test_every_point_that_can_not_be_used_is_named_at_once() -> None:
    network = RoadNetwork.from_edges([1, 2], [2, 3], np.ones(2), places=[(114, 30), (114.1, 30), (114.2, 30)])
    assert refused(network.snap, [(114.0, 30.0), (30.0, 114.0), (np.nan, 30.0), (500_000.0, 3_350_000.0)]) == [
        ("access.point_without_place", "point 2"),
        ("access.point_swapped", "point 1"),
        ("access.point_not_in_degrees", "point 3"),
    ]
    assert refused(network.snap, [(116.0, 40.0), (114.0, 30.1)]) == [("access.point_far", "point 0")]
    # both ways round it is a place on earth, but only one is near the network
    near_the_equator = RoadNetwork.from_edges([1], [2], [1.0], places=[(60.0, 10.0), (60.1, 10.0)])
    assert refused(near_the_equator.snap, [(10.0, 60.0)]) == [("access.point_far_as_swapped", "point 0")]
    assert refused(network.snap, [1.0, 2.0, 3.0]) == [("access.points_of_another_shape", "points")]
    nowhere = RoadNetwork.from_edges([1], [2], [1.0])
    assert refused(nowhere.snap, [(114.0, 30.0)]) == [("access.nodes_without_places", "network")]


def test_an_osmnx_graph_by_time_by_speed_and_by_class() -> None:
    for changed, minutes in (({"travel_time": 90.0}, 1.5), ({"speed_kph": 30.0}, 2.0), ({}, 60 / 55)):
        network = roads.from_osmnx(street_graph(**changed))
        assert matrix(network, [11], [13]).minutes[0, 0] == pytest.approx(2 * minutes)
        assert matrix(network, [11], [13]).km[0, 0] == pytest.approx(2)
    assert "4 of 4 edges have no speed" in network.notes[0]
    assert "ODbL" in network.source
    merged = roads.from_osmnx(street_graph(highway=["primary", "residential"]))
    assert merged.minutes[0] == pytest.approx(60 / 25)  # a merged edge is as slow as its slowest part


def test_a_graphml_of_any_osmnx_is_read_though_all_its_numbers_are_text(tmp_path: Path) -> None:
    graph = street_graph()
    for *_, data in (*graph.nodes(data=True), *graph.edges(data=True)):
        data.update({key: str(value) for key, value in data.items()})
    nx.write_graphml(graph, tmp_path / "old.graphml")
    network = roads.from_graphml(tmp_path / "old.graphml")
    assert network.label.tolist() == [11, 12, 13]
    assert matrix(network, [11], [13]).km[0, 0] == pytest.approx(2)
    (tmp_path / "bad.graphml").write_text("<html>busy</html>")
    (tmp_path / "half.graphml").write_text((tmp_path / "old.graphml").read_text()[:500])
    for name, code in (
        ("bad", "access.no_graph"),
        ("half", "access.graph_unreadable"),
        ("none", "common.no_such_file"),
    ):
        path = tmp_path / f"{name}.graphml"
        assert refused(roads.from_graphml, path) == [(code, str(path))]


def test_faults_of_an_osmnx_graph() -> None:
    with pytest.raises(DataError) as refusal:
        roads.from_osmnx(street_graph(length=0.0))
    assert refusal.value.faults == [Fault("access.graph_without_lengths", "graph", count=4, start="11", end="12")]
    projected = street_graph()
    for _, data in projected.nodes(data=True):
        data["x"] = 500_000.0
    assert refused(roads.from_osmnx, projected) == [("access.graph_not_in_degrees", "graph")]
    assert ("access.graph_undirected", "graph") in refused(roads.from_osmnx, street_graph().to_undirected())
    assert refused(roads.from_osmnx, nx.MultiDiGraph()) == [("access.graph_without_edges", "graph")]
