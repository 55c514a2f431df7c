"""Growing rectangles inside polygons: an interior-point method over many rectangles at once.

A rectangle is five numbers: centre x and y, half sides a and b, angle in radians. The logarithm of its area is
maximised while each edge of the polygon stays on the far side of a line that separates it from the rectangle: one of
the rectangle's own sides, or the edge's own line (the separating axis theorem). For a convex polygon at a given angle
that is a convex problem, so the answer is the optimum; elsewhere it is a local optimum grown from the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Edges = tuple[Floats, Floats, Ints, NDArray[np.bool_]]
"""Start and end of each edge, the polygon it belongs to (sorted), and whether it lies on that polygon's convex hull."""

BARRIER = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Weights of the barrier, from far inside to almost touching."""

_STEPS = 4


def corners(x: Floats) -> Floats:
    """Corners of rectangles.

    Parameters
    ----------
    x : (n, 5) ndarray
        Centre, half sides, angle in radians.

    Returns
    -------
    (n, 4, 2) ndarray
    """
    u, v = _axes(x)
    along = SIGNS[:, :1] * x[:, None, 2:3] * u[:, None]
    across = SIGNS[:, 1:] * x[:, None, 3:4] * v[:, None]
    return x[:, None, :2] + along + across


@dataclass(frozen=True)
class _Rules:
    """Separating lines, two for each edge that is near, flat over all rectangles and sorted by rectangle.

    The slack is ``fixed . table[row]``: either a corner of the rectangle stays behind the edge's line (fixed: the
    normal and offset of the line; row 0-3: the corner), or an end of the edge stays beyond a side of the rectangle
    (fixed: the end; row 4-7: the side), with eight rows for each rectangle.
    """

    of: Ints
    heads: Ints
    fixed: Floats
    row: Ints

    def slack(self, x: Floats) -> Floats:
        """Distance to spare of each line."""
        return np.einsum("mi,mi->m", self.fixed, _table(x)[self.row])

    def gradient(self, x: Floats) -> Floats:
        """Derivatives of the slack by centre, half sides and angle, shape (lines, 5)."""
        return np.einsum("mi,mij->mj", self.fixed, _table_gradient(x)[self.row])

    def nearest(self, values: Floats) -> Floats:
        """Smallest value of each rectangle."""
        return np.minimum.reduceat(values, self.heads)


SIGNS = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def _axes(x: Floats) -> tuple[Floats, Floats]:
    u = np.stack([np.cos(x[:, 4]), np.sin(x[:, 4])], axis=1)
    return u, np.stack([-u[:, 1], u[:, 0]], axis=1)


def _table(x: Floats) -> Floats:
    """Corners as (-x, -y, 1), then sides +u, -u, +v, -v as (direction, -reach), shape (8 n, 3)."""
    u, v = _axes(x)
    table = np.ones((len(x), 8, 3))
    table[:, :4, :2] = -corners(x)
    table[:, 4:, :2] = np.stack([u, -u, v, -v], axis=1)
    table[:, 4:, 2] = -np.einsum("nki,ni->nk", table[:, 4:, :2], x[:, :2]) - x[:, [2, 2, 3, 3]]
    return table.reshape(-1, 3)


def _table_gradient(x: Floats) -> Floats:
    """Derivatives of `_table` by the five variables, shape (8 n, 3, 5)."""
    u, v = _axes(x)
    out = np.zeros((len(x), 8, 3, 5))
    out[:, :4, 0, 0] = out[:, :4, 1, 1] = -1.0
    along, across = SIGNS[:, 0, None], SIGNS[:, 1, None]
    out[:, :4, :2, 2] = -along * u[:, None]
    out[:, :4, :2, 3] = -across * v[:, None]
    a, b = x[:, 2, None, None], x[:, 3, None, None]
    out[:, :4, :2, 4] = -(along * a * v[:, None] - across * b * u[:, None])
    sides, turned = np.stack([u, -u, v, -v], axis=1), np.stack([v, -v, -u, u], axis=1)
    out[:, 4:, 2, :2] = -sides
    out[:, 4:6, 2, 2] = out[:, 6:, 2, 3] = -1.0
    out[:, 4:, :2, 4] = turned
    out[:, 4:, 2, 4] = -np.einsum("nki,ni->nk", turned, x[:, :2])
    return out.reshape(-1, 3, 5)


def _separate(x: Floats, x_of: Ints, edges: Edges) -> tuple[_Rules, NDArray[np.bool_]]:
    """Choose what keeps each edge off each rectangle: the line with most room.

    An edge on the convex hull is kept off by its own line, which costs nothing elsewhere. Also tells which
    rectangles no edge enters.
    """
    start, end, of, outer = edges
    first, last = np.searchsorted(of, x_of, side="left"), np.searchsorted(of, x_of, side="right")
    size = last - first
    heads = np.cumsum(size) - size
    rect = np.repeat(np.arange(len(x)), size)
    edge = first[rect] + np.arange(len(rect)) - heads[rect]
    p, q = start[edge], end[edge]
    table = _table(x).reshape(len(x), 8, 3)
    sides = table[rect, 4:]
    beyond = (
        np.minimum(np.einsum("mki,mi->mk", sides[:, :, :2], p), np.einsum("mki,mi->mk", sides[:, :, :2], q))
        + sides[:, :, 2]
    )
    side = beyond.argmax(axis=1)
    room_side = beyond[np.arange(len(side)), side]

    span = q - p
    normal = np.stack([span[:, 1], -span[:, 0]], axis=1) / np.maximum(np.hypot(span[:, 0], span[:, 1]), 1e-300)[:, None]
    offset = (normal * p).sum(axis=1)
    flip = np.where(offset >= (normal * x[rect, :2]).sum(axis=1), 1.0, -1.0)
    normal, offset = normal * flip[:, None], offset * flip
    corner_room = np.einsum("mki,mi->mk", table[rect, :4, :2], normal) + offset[:, None]
    corner = np.argsort(corner_room, axis=1)[:, :2]  # the two corners that could meet the line
    room_edge = corner_room.min(axis=1)

    by_edge = (room_edge >= room_side) | (outer[edge] & (room_edge > 0))
    room = np.maximum(room_edge, room_side)
    # edges farther off than the rectangle is large are left out, and a fence keeps the rectangle from them; 1.5
    # covers the corners of the fence
    closest = np.minimum.reduceat(room, heads)
    reach = x[:, 2] + x[:, 3]
    near = room <= 1.5 * reach[rect]
    by_edge, rect = by_edge[near, None], rect[near]
    ends = np.ones((len(rect), 2, 3))
    ends[:, 0, :2], ends[:, 1, :2] = p[near], q[near]
    fixed = np.where(by_edge[:, :, None], np.column_stack([normal, offset])[near, None, :], ends).reshape(-1, 3)
    row = np.where(by_edge, corner[near], side[near, None] + 4) + 8 * rect[:, None]
    fence = np.repeat(table[:, 4:] * (1.0, 1.0, -1.0) + (0.0, 0.0, 1.0) * reach[:, None, None], 2, axis=1).reshape(
        -1, 3
    )
    # corners 0-3 as in SIGNS: +u 1, 2; -u 0, 3; +v 2, 3; -v 0, 1
    fence_row = (np.array([1, 2, 0, 3, 2, 3, 0, 1]) + 8 * np.arange(len(x))[:, None]).ravel()
    rows = np.concatenate([row.ravel(), fence_row])
    order = np.argsort(rows // 8, kind="stable")
    owner = rows[order] // 8
    begin = np.searchsorted(owner, np.arange(len(x)))
    rules = _Rules(owner, begin, np.concatenate([fixed, fence])[order], rows[order])
    return rules, closest > 0


def grow(
    x: Floats,
    x_of: Ints,
    edges: Edges,
    barrier: Sequence[float],
    *,
    turning: bool,
) -> Floats:
    """Maximise the log of the area behind separating lines; never returns a smaller rectangle.

    Parameters
    ----------
    x : (n, 5) ndarray
        Rectangles that no edge enters: centre, half sides, angle in radians.
    x_of : (n,) ndarray of int
        Polygon of each.
    edges : Edges
        Of the polygons.
    barrier : sequence of float
        Weights of the barrier, one after the other.
    turning : bool
        Whether the angle may change.

    Returns
    -------
    (n, 5) ndarray

    References
    ----------
    Boyd & Vandenberghe (2004), Convex Optimization, 11 (barrier methods).
    """
    best = x.copy()
    for weight in barrier:
        rules, valid = _separate(x, x_of, edges)
        if not valid.all():  # turned so far that another corner ran into an edge: go on from the last good one
            x = np.where(valid[:, None], x, best)
            rules, valid = _separate(x, x_of, edges)
        best = np.where(_larger(x, best) & valid[:, None], x, best)
        for _ in range(_STEPS):
            x = _step(x, rules, weight, valid, turning)
    valid = _separate(x, x_of, edges)[1]
    return np.where(_larger(x, best) & valid[:, None], x, best)


def _larger(x: Floats, y: Floats) -> NDArray[np.bool_]:
    return (x[:, 2] * x[:, 3] > y[:, 2] * y[:, 3])[:, None]


def _step(x: Floats, rules: _Rules, weight: float, valid: NDArray[np.bool_], turning: bool) -> Floats:
    """One damped Newton step of every rectangle towards the maximum of log(a b) + weight * sum(log(slack))."""
    upper = np.triu_indices(5)
    slack = np.where(valid[rules.of], np.maximum(rules.slack(x), 1e-15), 1.0)
    pull = rules.gradient(x) / slack[:, None]
    if not turning:
        pull[:, 4] = 0.0
    gradient = weight * np.add.reduceat(pull, rules.heads, axis=0)
    products = weight * np.add.reduceat(pull[:, upper[0]] * pull[:, upper[1]], rules.heads, axis=0)
    curve = np.zeros((len(x), 5, 5))
    curve[:, upper[0], upper[1]] = products
    curve[:, upper[1], upper[0]] = products
    gradient[:, 2:4] += 1.0 / x[:, 2:4]
    curve[:, [2, 3], [2, 3]] += 1.0 / x[:, 2:4] ** 2
    curve[:, range(5), range(5)] *= 1.0 + 1e-9
    curve[:, range(5), range(5)] += 1e-12
    step = np.linalg.solve(curve, gradient[:, :, None])[:, :, 0]
    # at most nine tenths of the way to the nearest line, by its slope; shorter where it bends
    nearest = rules.nearest((pull * step[rules.of]).sum(axis=1))
    nearest = np.minimum(nearest, (step[:, 2:4] / x[:, 2:4]).min(axis=1))
    stride = np.minimum(1.0, 0.9 / np.maximum(-nearest, 1e-12))
    for _ in range(4):
        trial = x + stride[:, None] * step
        fits = (rules.nearest(rules.slack(trial)) > 0) & (trial[:, 2:4] > 0).all(axis=1) & valid
        if fits[valid].all():
            break
        stride = np.where(fits, stride, stride * 0.4)
    return np.where(fits[:, None], trial, x)
