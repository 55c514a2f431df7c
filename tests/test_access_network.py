from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix
from geo_cluster.errors import DataError, InputError


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
        RoadNetwork.from_edges(
            [1, 2, 3], [2, 3, 4], [1.0, 0.0, np.nan], km=[1.0, -2.0, 3.0], oneway=[True], off_network_kmh=0
        )
    told = str(refusal.value)
    assert len(refusal.value.faults) == 4
    assert "edge 1 and 1 more: minutes is 0" in told and "edge 1: km is -2" in told and "oneway" in told
    for tail, minutes, words in (([[1]], [[1.0]], "tail: has shape"), ([1], ["fast"], "minutes: has something")):
        with pytest.raises(InputError, match=words):
            RoadNetwork.from_edges(tail, [2], minutes)
    with pytest.raises(InputError, match="labels are float64"):
        RoadNetwork.from_edges([1.5], [2.5], [1.0])


def test_every_fault_of_places_is_named_at_once() -> None:
    with pytest.raises(InputError) as refusal:
        RoadNetwork.from_edges([1, 2], [2, 3], [1.0, 1.0], lon=[30, 30.1, 30.2], lat={1: 114.0, 2: 114.1})
    assert "lat: of node 1 is 114" in str(refusal.value)
    with pytest.raises(InputError, match="lat: is missing"):
        RoadNetwork.from_edges([1], [2], [1.0], lon=[114, 114])
    with pytest.raises(InputError, match=r"labels occur twice.*\n.*not listed, the first 2"):
        RoadNetwork.from_edges([1], [2], [1.0], nodes=[1, 1, 3])


def test_a_layer_keeps_its_largest_part_and_both_directions() -> None:
    network = RoadNetwork.from_layer(layer(), source="© OpenStreetMap contributors")
    assert network.label.tolist() == [1, 2, 3]
    assert network.notes == ("2 of 5 nodes dropped: on islands or one-way streets without return",)
    assert network.source == "© OpenStreetMap contributors"
    trip = matrix(network, [1, 3], [3, 1])
    assert trip.minutes.tolist() == [[40, 0], [0, 40]] and trip.km.tolist() == [[30, 0], [0, 30]]
    with pytest.raises(InputError, match="2 labels are not in the network: 8, 9"):
        matrix(network, [8, 9], [1])


def test_a_one_way_street_without_return_is_no_part_of_the_network() -> None:
    network = RoadNetwork.from_edges([1, 2, 2], [2, 1, 3], [1.0, 1.0, 1.0], oneway=True)
    assert network.component.tolist() == [0, 0, 1]
    assert network.largest_component().label.tolist() == [1, 2]


def test_faults_of_a_layer() -> None:
    with pytest.raises(DataError, match="has no column speed_kmh"):
        RoadNetwork.from_layer(layer().drop(columns="speed_kmh"))
    with pytest.raises(DataError, match="edge 1: km is 0") as refusal:
        RoadNetwork.from_layer(layer(length_km=[1.0, 0.0, 1.0], speed_kmh=[60.0, 0.0, 60.0]))
    assert len(refusal.value.faults) == 2
    with pytest.raises(DataError, match="not in degrees"):
        RoadNetwork.from_layer(layer().to_crs(4547))


def test_points_snap_to_the_largest_part_and_the_gap_is_reported() -> None:
    network = RoadNetwork.from_edges(
        [1, 2, 8], [2, 3, 9], np.ones(3), lon=[114, 114.1, 114.2, 115, 115.1], lat=np.full(5, 30.0)
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
    network = RoadNetwork.from_edges([1, 2], [2, 3], np.ones(2), lon=[114, 114.1, 114.2], lat=np.full(3, 30.0))
    with pytest.raises(InputError) as refusal:
        network.snap([(114.0, 30.0), (30.0, 114.0), (np.nan, 30.0), (500_000.0, 3_350_000.0)])
    told = [str(fault) for fault in refusal.value.faults]
    assert len(told) == 3
    assert "point 1" in told[1] and "swapped" in told[1] and "degrees, not metres" in told[2]
    with pytest.raises(InputError) as refusal:
        network.snap([(116.0, 40.0), (114.0, 30.1)])
    assert len(refusal.value.faults) == 1 and "outside the network's area" in str(refusal.value)
    # both ways round it is a place on earth, but only one is near the network
    near_the_equator = RoadNetwork.from_edges([1], [2], [1.0], lon=[60.0, 60.1], lat=[10.0, 10.0])
    with pytest.raises(InputError, match="km from the nearest road → longitude and latitude are swapped"):
        near_the_equator.snap([(10.0, 60.0)])
    with pytest.raises(InputError, match=r"have shape \(3,\)"):
        network.snap([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="nodes have no lon and lat"):
        RoadNetwork.from_edges([1], [2], [1.0]).snap([(114.0, 30.0)])


def test_an_osmnx_graph_by_time_by_speed_and_by_class() -> None:
    for changed, minutes in (({"travel_time": 90.0}, 1.5), ({"speed_kph": 30.0}, 2.0), ({}, 60 / 55)):
        network = RoadNetwork.from_osmnx(street_graph(**changed))
        assert matrix(network, [11], [13]).minutes[0, 0] == pytest.approx(2 * minutes)
        assert matrix(network, [11], [13]).km[0, 0] == pytest.approx(2)
    assert "4 of 4 edges have no speed" in network.notes[0]
    assert "ODbL" in network.source
    merged = RoadNetwork.from_osmnx(street_graph(highway=["primary", "residential"]))
    assert merged.minutes[0] == pytest.approx(60 / 25)  # a merged edge is as slow as its slowest part


def test_a_graphml_of_any_osmnx_is_read_though_all_its_numbers_are_text(tmp_path: Path) -> None:
    graph = street_graph()
    for *_, data in (*graph.nodes(data=True), *graph.edges(data=True)):
        data.update({key: str(value) for key, value in data.items()})
    nx.write_graphml(graph, tmp_path / "old.graphml")
    network = RoadNetwork.from_graphml(tmp_path / "old.graphml")
    assert network.label.tolist() == [11, 12, 13]
    assert matrix(network, [11], [13]).km[0, 0] == pytest.approx(2)
    (tmp_path / "bad.graphml").write_text("<html>busy</html>")
    (tmp_path / "half.graphml").write_text((tmp_path / "old.graphml").read_text()[:500])
    for name, words in (("bad", "no graph in it"), ("half", "can't be read"), ("none", "no such file")):
        with pytest.raises(DataError, match=words):
            RoadNetwork.from_graphml(tmp_path / f"{name}.graphml")


def test_faults_of_an_osmnx_graph() -> None:
    with pytest.raises(DataError, match="4 edges have no length above zero, the first from node 11 to 12"):
        RoadNetwork.from_osmnx(street_graph(length=0.0))
    projected = street_graph()
    for _, data in projected.nodes(data=True):
        data["x"] = 500_000.0
    with pytest.raises(DataError, match="no x and y in degrees"):
        RoadNetwork.from_osmnx(projected)
    with pytest.raises(DataError) as refusal:
        RoadNetwork.from_osmnx(street_graph().to_undirected())
    assert "undirected" in str(refusal.value)
    with pytest.raises(DataError, match="no edges"):
        RoadNetwork.from_osmnx(nx.MultiDiGraph())
