import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo_cluster.access.contraction import contract
from geo_cluster.access.network import RoadNetwork


def random_network(seed: int, nodes: int, edges: int, *, oneway: float, whole: bool) -> RoadNetwork:
    rng = np.random.default_rng(seed)
    tail, head = rng.integers(0, nodes, (2, edges))
    minutes = rng.integers(1, 6, edges).astype(float) if whole else rng.uniform(0.1, 9, edges)
    return RoadNetwork.from_edges(
        tail, head, minutes, km=rng.uniform(1, 2, edges), nodes=np.arange(nodes), oneway=rng.random(edges) < oneway
    )


@pytest.mark.slow
@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    nodes=st.integers(1, 60),
    degree=st.floats(0, 3),
    terminals=st.integers(0, 6),
    oneway=st.sampled_from([0.0, 0.3, 1.0]),
    whole=st.booleans(),
)
def test_distances_between_what_stays_and_to_what_goes_are_those_of_dijkstra(
    seed: int, nodes: int, degree: float, terminals: int, oneway: float, whole: bool
) -> None:
    network = random_network(seed, nodes, int(nodes * degree), oneway=oneway, whole=whole)
    keep = np.random.default_rng(seed).integers(0, nodes, terminals)
    rest = contract(network.indptr, network.head, network.minutes, keep, least_share=0)
    every = dijkstra(network.graph, indices=rest.core) if rest.core.size else np.empty((0, nodes))
    core = dijkstra(rest.graph) if rest.core.size else np.empty((0, 0))
    assert np.isin(keep, rest.core).all()
    np.testing.assert_allclose(core, every[:, rest.core])
    np.testing.assert_allclose(rest.spread(core), every)


def test_equal_ways_and_tiny_legs_are_not_pruned_away() -> None:
    # a complete graph whose third way costs the same up to rounding: 1 + 1e-20 is 1
    tail, head = np.array([0, 0, 0, 1, 1, 2]), np.array([1, 2, 3, 2, 3, 3])
    network = RoadNetwork.from_edges(tail, head, [1.0, 1.0, 1.0, 1e-20, 1.0, 1.0])
    rest = contract(network.indptr, network.head, network.minutes, np.array([0, 1, 2]), least_share=0)
    np.testing.assert_allclose(dijkstra(rest.graph), dijkstra(network.graph)[:3, :3])


def test_dead_ends_and_chains_leave_only_the_terminals() -> None:
    # 0 - 1 - 2 - … - 9 with a branch of three nodes at 5; terminals 0 and 9
    tail = np.array([*range(9), 5, 10, 11])
    head = np.array([*range(1, 10), 10, 11, 12])
    network = RoadNetwork.from_edges(tail, head, np.full(12, 2.0), km=np.full(12, 3.0))
    cost = network.minutes + 1j * network.km
    rest = contract(network.indptr, network.head, cost, np.array([0, 9]), least_share=0)
    assert rest.core.tolist() == [0, 9]
    assert rest.cost.tolist() == [18 + 27j, 18 + 27j]


@pytest.mark.parametrize("oneway", [0.0, 0.4])
def test_kilometres_are_those_of_the_fastest_path(oneway: float) -> None:
    network = random_network(7, 200, 500, oneway=oneway, whole=False)
    keep = np.arange(0, 200, 20)
    rest = contract(network.indptr, network.head, network.minutes + 1j * network.km, keep)
    assert rest.core.size < 150
    both = csr_array((rest.cost, rest.head, rest.indptr), shape=(rest.core.size,) * 2).tocoo()
    minutes, before = dijkstra(network.graph, return_predecessors=True)
    length = csr_array((network.km, network.head, network.indptr), shape=(200, 200))
    for tail, head, cost in zip(*both.coords, both.data, strict=True):
        tail, head = rest.core[tail], rest.core[head]
        if not np.isclose(cost.real, minutes[tail, head]):
            continue  # an arc that another way beats
        km, at = 0.0, head
        while at != tail:
            km += length[before[tail, at], at]
            at = before[tail, at]
        assert cost.imag == pytest.approx(km)
