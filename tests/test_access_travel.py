import numpy as np
import shapely

from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix, route


def square() -> RoadNetwork:
    """10 -> 20 -> 30 -> 40 -> 10 on a square; 10-30 is a slow short cut."""
    return RoadNetwork.from_edges(
        [10, 20, 30, 40, 10],
        [20, 30, 40, 10, 30],
        [1.0, 2.0, 3.0, 4.0, 9.0],
        km=[1, 2, 3, 4, 1],
        lon=[114.0, 114.1, 114.1, 114.0],
        lat=[30.0, 30.0, 30.1, 30.1],
    )


def test_matrix_of_a_square_by_hand() -> None:
    minutes, km = matrix(square(), [10, 40], [30, 20, 10])
    assert minutes.tolist() == [[3, 1, 0], [3, 5, 4]]
    assert km.tolist() == [[3, 1, 0], [3, 5, 4]]


def test_one_way_streets_have_one_way() -> None:
    network = RoadNetwork.from_edges([1, 2, 3], [2, 3, 1], [1.0, 1.0, 1.0], oneway=[True, True, True])
    assert matrix(network, [1, 2], [2, 1]).minutes.tolist() == [[1, 0], [0, 2]]


def test_route_runs_from_point_to_point_and_counts_its_gaps() -> None:
    way = route(square(), (113.99, 30.0), shapely.Point(114.11, 30.1))
    gap_km = 2 * np.pi * 6371.0088 * 0.01 / 360
    expected = gap_km * np.cos(np.radians(30.0)) + gap_km * np.cos(np.radians(30.1))
    assert list(way.line.coords) == [(113.99, 30), (114, 30), (114.1, 30), (114.1, 30.1), (114.11, 30.1)]
    np.testing.assert_allclose([way.km, way.minutes], [3 + expected, 3 + expected / 30 * 60], rtol=1e-6)
