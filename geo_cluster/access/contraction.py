"""Drop what no shortest path between the terminals needs, and keep every distance between them.

Nodes that are no terminals are eliminated, a whole independent set in each round, lowest degree first: a dead end just
goes, a chain of degree 2 becomes one arc, a node of degree k leaves arcs between its k neighbours. This is the
contraction of Dibbelt, Strasser and Wagner (2016, "Customizable contraction hierarchies", ACM J. Exp. Algorithmics 21),
done with arrays instead of node by node, and stopped where it no longer pays. Of the arcs that a node leaves behind,
those made needless by a way over another of its neighbours are pruned at once (a witness search of one step), which
keeps the rest thin.

An arc's cost is one number: minutes, or complex minutes + i·km. Complex numbers add part by part and numpy's `minimum`
orders them by real part first, so the kilometres of the fastest path come along at no extra code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

MOST_NEIGHBOURS = 16
"""Nodes of a higher degree stay: eliminating one leaves up to k (k - 1) arcs. 12 to 24 make no great difference."""

LEAST_SHARE = 0.03
"""Stop when a round eliminates a smaller share of the nodes that are left: it then costs more than it saves."""

_TIE_GUARD = 1e12  # an arc this much longer than the shortest may swallow it in rounding: prune it on < only

Costs = NDArray[Any]
Bools = NDArray[np.bool_]
Positions = NDArray[np.integer[Any]]


class Round(NamedTuple):
    """Nodes eliminated together, and their arcs at that time (rows of `indptr`, one a node)."""

    node: Positions
    indptr: Positions
    head: Positions
    back: Costs


@dataclass(frozen=True, eq=False)
class Contraction:
    """What is left of a graph, with every distance between the nodes that are left.

    Attributes
    ----------
    size : int
        Nodes of the whole graph.
    core : (C,) int
        Positions of the nodes that are left, ascending.
    indptr, head, cost : (C + 1,), (A,), (A,)
        Arcs between them in compressed sparse rows; `head` counts in `core`.
    rounds : tuple of Round
        What was eliminated, first to last, for `spread`.
    """

    size: int
    core: Positions
    indptr: Positions
    head: Positions
    cost: Costs
    rounds: tuple[Round, ...]

    @property
    def graph(self) -> csr_array:
        """Minutes between the nodes that are left, as a sparse matrix."""
        return csr_array((self.cost.real, self.head, self.indptr), shape=(self.core.size, self.core.size))

    def spread(self, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Carry minutes at the core back to every node, last eliminated first.

        Parameters
        ----------
        minutes : (O, C) ndarray
            From each of O origins, which are in the core, to each core node.

        Returns
        -------
        (O, size) ndarray
            From each origin to each node of the whole graph, exact.
        """
        every = np.full((self.size, len(minutes)), np.inf)
        every[self.core] = minutes.T
        for node, indptr, head, back in reversed(self.rounds):
            every[node] = np.minimum.reduceat(every[head] + back.real[:, None], indptr[:-1], axis=0)
        return every.T


class _Edges(NamedTuple):
    """Undirected edges between lo < hi, sorted by both. `cost` rows: lo to hi, and hi to lo if that differs."""

    lo: Positions
    hi: Positions
    cost: Costs  # (1, E) when both directions cost the same, else (2, E); inf where there is no way


class _Stars(NamedTuple):
    """Nodes to eliminate, sorted by degree, each with the edges to its neighbours in ascending order."""

    node: Positions  # (m,)
    degree: Positions  # (m,)
    near: Positions  # (edges,) neighbours, those of one node after those of the other
    out: Costs  # from the node to the neighbour
    back: Costs  # from the neighbour to the node


def contract(
    indptr: Positions,
    head: Positions,
    cost: Costs,
    keep: Positions,
    *,
    most_neighbours: int = MOST_NEIGHBOURS,
    least_share: float = LEAST_SHARE,
) -> Contraction:
    """Eliminate nodes of a directed graph, keeping all distances between those that stay.

    Parameters
    ----------
    indptr, head : (N + 1,), (A,) int
        Arcs in compressed sparse rows, no parallel ones, no loops.
    cost : (A,) float or complex
        Positive minutes, or minutes + i·km.
    keep : (K,) int
        Terminals: nodes that must stay.
    most_neighbours, least_share
        When to stop, see the constants.

    Returns
    -------
    Contraction
    """
    size = indptr.size - 1
    stays = np.zeros(size, dtype=bool)
    stays[keep] = True
    edges = _undirected(size, np.repeat(np.arange(size), np.diff(indptr)), head.astype(np.int64), cost)
    shortest = float(cost.real.min(initial=np.inf))
    # ties between neighbours of one degree are broken by a fixed shuffle, or a chain would lose one node a round
    shuffled = np.random.default_rng(0).permutation(size)
    left = np.ones(size, dtype=bool)
    rounds: list[Round] = []
    while True:
        degree = np.bincount(edges.lo, minlength=size) + np.bincount(edges.hi, minlength=size)
        goes = _independent(edges, degree, shuffled, left & ~stays & (degree <= most_neighbours))
        if goes.sum() <= least_share * left.sum():
            return _rest(left, edges, rounds)
        touched = goes[edges.lo] | goes[edges.hi]
        stars = _stars(edges, np.flatnonzero(touched), goes, degree)
        indptr = np.concatenate([[0], np.cumsum(stars.degree)])
        rounds.append(Round(stars.node, indptr, stars.near, stars.back))
        edges = _eliminate(size, edges, np.flatnonzero(~touched), stars, shortest)
        left &= ~goes


def _undirected(size: int, tail: Positions, head: Positions, cost: Costs) -> _Edges:
    up, down = np.flatnonzero(tail < head), np.flatnonzero(tail > head)
    down = down[np.argsort(head[down] * size + tail[down])]
    lo, hi = tail[up], head[up]
    if np.array_equal(lo, head[down]) and np.array_equal(hi, tail[down]) and (cost[up] == cost[down]).all():
        return _Edges(lo, hi, cost[up][None])  # the usual case: every street is the same both ways
    both = np.full((2, cost.size), np.inf, dtype=cost.dtype)
    both[0, : up.size], both[1, up.size :] = cost[up], cost[down]
    return _merged(size, np.concatenate([lo, head[down]]), np.concatenate([hi, tail[down]]), both)[0]


def _merged(size: int, lo: Positions, hi: Positions, cost: Costs) -> tuple[_Edges, Positions]:
    """Sort edges, keep the cheapest of parallel ones; also where each of the given edges went."""
    key = lo * size + hi
    order = np.argsort(key)
    key = key[order]
    new = np.concatenate([[True], key[1:] != key[:-1]])[: key.size]
    first = np.flatnonzero(new)
    where = np.empty(order.size, dtype=np.int64)
    where[order] = np.cumsum(new) - 1
    cheapest = np.minimum.reduceat(cost[:, order], first, axis=1) if first.size else cost
    return _Edges(lo[order[first]], hi[order[first]], cheapest), where


def _independent(edges: _Edges, degree: Positions, shuffled: Positions, candidate: Bools) -> Bools:
    """Candidates of which no neighbour is a better candidate: lower degree, then the shuffle."""
    rank = np.where(candidate, degree * degree.size + shuffled, np.iinfo(np.int64).max)
    worse = rank[edges.lo] > rank[edges.hi]
    beaten = np.zeros(degree.size, dtype=bool)
    beaten[edges.lo[worse]] = True
    beaten[edges.hi[~worse]] = True
    return candidate & ~beaten


def _stars(edges: _Edges, touched: Positions, goes: Bools, degree: Positions) -> _Stars:
    lo, hi, cost = edges.lo[touched], edges.hi[touched], edges.cost[:, touched]
    low = goes[lo]  # whether the node that goes is the lower one: of each edge exactly one goes
    node, near = np.where(low, lo, hi), np.where(low, hi, lo)
    out, back = np.where(low, cost[0], cost[-1]), np.where(low, cost[-1], cost[0])
    # by degree, node, and place among the edges, which are sorted by lo and hi: so neighbours are in ascending order;
    # sorting numbers that hold their own place is several times faster than a stable argsort
    count = node.size
    order = np.sort((degree[node] * degree.size + node) * count + np.arange(count)) % max(count, 1)
    node = node[order]
    first = np.concatenate([[True], node[1:] != node[:-1]])[: node.size]
    return _Stars(node[first], degree[node[first]], near[order], out[order], back[order])


def _eliminate(size: int, edges: _Edges, rest: Positions, stars: _Stars, shortest: float) -> _Edges:
    """Take nodes out, keeping the rest of the edges and adding those that may be needed between their neighbours."""
    los, his, costs = [edges.lo[rest]], [edges.hi[rest]], [edges.cost[:, rest]]
    shapes = [(int(k), int((stars.degree == k).sum())) for k in np.unique(stars.degree)]
    start = 0
    for k, nodes in shapes:
        rows = slice(start, start + k * nodes)
        start = rows.stop
        i, j = np.triu_indices(k, 1)
        near, out, back = (a[rows].reshape(nodes, k).T for a in (stars.near, stars.out, stars.back))
        ways = [back[i] + out[j], back[j] + out[i]][: len(edges.cost)]
        los.append(near[i].ravel())
        his.append(near[j].ravel())
        costs.append(np.array(ways).reshape(len(edges.cost), -1))
    merged, where = _merged(size, np.concatenate(los), np.concatenate(his), np.concatenate(costs, axis=1))
    return _pruned(merged, where[rest.size :], shapes, shortest)


def _pruned(edges: _Edges, where: Positions, shapes: list[tuple[int, int]], shortest: float) -> _Edges:
    """Drop an edge between two neighbours of a node when over a third there is a way that is no longer.

    Both legs of that way are shorter than the edge, so it doesn't matter if they are dropped too: what replaces them
    is no longer than they are, and so on down to edges that stay.
    """
    cost = edges.cost
    start = 0
    for k, nodes in shapes:
        i, j = np.triu_indices(k, 1)
        at = where[start : start + nodes * i.size].reshape(i.size, nodes)
        start += at.size
        if k < 3:
            continue
        way = np.full((k, k, nodes), np.inf)
        way[i, j], way[j, i] = cost[0, at].real, cost[-1, at].real
        over = np.full_like(way, np.inf)
        for x in range(k):
            np.minimum(over, way[:, x, None] + way[None, x], out=over)
        needless = (over < way) | ((over == way) & (way < shortest * _TIE_GUARD))
        cost[0, at[needless[i, j]]] = np.inf
        cost[-1, at[needless[j, i]]] = np.inf
    stays = np.flatnonzero(np.isfinite(cost[0].real) | np.isfinite(cost[-1].real))
    return _Edges(edges.lo[stays], edges.hi[stays], cost[:, stays])


def _rest(left: Bools, edges: _Edges, rounds: list[Round]) -> Contraction:
    core = np.flatnonzero(left)
    place = (np.cumsum(left) - 1).astype(np.int32)
    lo, hi = place[edges.lo], place[edges.hi]
    tail, head = np.concatenate([lo, hi]), np.concatenate([hi, lo])
    cost = np.concatenate([edges.cost[0], edges.cost[-1]])
    order = np.argsort(tail.astype(np.int64) * core.size + head)
    order = order[np.isfinite(cost.real[order])]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail[order], minlength=core.size))]).astype(np.int32)
    return Contraction(left.size, core, indptr, head[order], cost[order], tuple(rounds))
