"""The largest rectangle of any orientation inside a polygon: the hall that fits on a piece of land.

Two steps, each over many polygons at once. A coarse search lays a grid over the polygon at some fifteen angles, with
lines through its vertices, and finds the largest block of cells that no edge crosses (the maximal rectangle of a
binary matrix, by dynamic programming over rows). The best blocks are then grown by an interior-point method in
centre, half sides and angle together: the logarithm of the area is maximised while each edge of the polygon stays
on the far side of a line that separates it from the rectangle, one of the rectangle's own sides or the edge's own
line (the separating axis theorem). For a convex polygon at a given angle that is a convex problem, so the answer is
the optimum; elsewhere it is a local optimum grown from the best seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Geometries = NDArray[np.object_]
Edges = tuple[Floats, Floats, Ints]

CELLS = 36
"""Cells of the coarse grid along each side."""
EDGE_ANGLES, SWEEP_ANGLES = 6, 9
"""Orientations tried: those of the edges that are longest together, and an even sweep of the quarter turn."""
TRIALS, SEEDS, FINALISTS = 12, 5, 2
"""Blocks grown for each polygon at their own angle, then how many of them turning, then to the end."""
ROUNDS = 1
BATCH = 200
"""Polygons worked on at a time; bounds the memory."""

_TOUCH = 1e-9  # coordinates are scaled to about 1: nearer than this is on the line
_BARRIER = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_STEPS = 4


@dataclass(frozen=True)
class Rectangles:
    """Rectangles, one a polygon; zero size and angle nan where there is no land.

    Parameters
    ----------
    width_m, length_m : ndarray
        Short and long side.
    angle_deg : ndarray
        Direction of the long side, counter-clockwise from the x axis (grid east), in [0, 180).
    geometry : ndarray of Polygon
        The rectangles; empty polygons where there is no land.
    """

    width_m: Floats
    length_m: Floats
    angle_deg: Floats
    geometry: Geometries


def largest_rectangles(polygons: Geometries) -> Rectangles:
    """Largest rectangle of any orientation inside each polygon.

    Parameters
    ----------
    polygons : array of Polygon or MultiPolygon
        Valid, in metres; holes count, and a rectangle never spans two parts.

    Returns
    -------
    Rectangles
        Each lies within its polygon (checked exactly). Within 1 % of the optimum on the shapes of the tests.
    """
    polygons = np.asarray(polygons, dtype=object)
    best = np.zeros((len(polygons), 5))  # centre x, y, half sides a, b, angle in radians
    parts, owner = shapely.get_parts(polygons, return_index=True)
    area = shapely.area(parts)
    order = np.lexsort((-area, owner))
    parts, owner, area = parts[order], owner[order], area[order]
    place = np.arange(len(parts)) - np.searchsorted(owner, owner)
    turn = 0
    # largest part first; a smaller part only where it could still hold something larger
    while (todo := np.flatnonzero((place == turn) & (area > 4 * best[owner, 2] * best[owner, 3] + 1e-9))).size:
        for start in range(0, len(todo), BATCH):
            rows = todo[start : start + BATCH]
            found = _search(parts[rows])
            better = found[:, 2] * found[:, 3] > best[owner[rows], 2] * best[owner[rows], 3]
            best[owner[rows[better]]] = found[better]
        turn += 1
    return _described(best)


def _described(best: Floats) -> Rectangles:
    a, b = best[:, 2], best[:, 3]
    long = np.maximum(a, b)
    angle = np.where(a >= b, best[:, 4], best[:, 4] + np.pi / 2)
    empty = long <= 0
    geometry = shapely.polygons(_corners(best))
    geometry[empty] = shapely.Polygon()
    degrees = np.where(empty, np.nan, np.degrees(angle) % 180.0)
    return Rectangles(2 * np.minimum(a, b), 2 * long, degrees, geometry)


def _corners(x: Floats) -> Floats:
    """Corners of rectangles (centre, half sides, angle), shape (n, 4, 2)."""
    u, v = _axes(x)
    along = _SIGNS[:, :1] * x[:, None, 2:3] * u[:, None]
    across = _SIGNS[:, 1:] * x[:, None, 3:4] * v[:, None]
    return x[:, None, :2] + along + across


def _search(parts: Geometries) -> Floats:
    """Best rectangle of each polygon, shape (n, 5), checked to lie inside."""
    bounds = shapely.bounds(parts)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    scale = np.maximum((bounds[:, 2:] - bounds[:, :2]).max(axis=1) / 2, 1e-12)
    start, end, of = _segments(parts)
    start, end = (start - middle[of]) / scale[of, None], (end - middle[of]) / scale[of, None]
    angles = _angles(start, end, of, len(parts))
    seeds, seed_of = _blocks(start, end, of, angles)
    seeds, seed_of = _with_fallback(seeds, seed_of, parts, middle, scale, angles)
    edges = start, end, of
    seeds, seed_of = _top(seeds, seed_of, TRIALS)
    seeds = _grow(seeds, seed_of, edges, _BARRIER[:2], turning=False, by_side=False)
    seeds, seed_of = _top(seeds, seed_of, SEEDS)
    seeds = _grow(seeds, seed_of, edges, _BARRIER, turning=True, by_side=False)
    seeds, seed_of = _top(seeds, seed_of, FINALISTS)
    for _ in range(ROUNDS):
        seeds = _grow(seeds, seed_of, edges, _BARRIER[2:], turning=True, by_side=True)
    best, best_of = _top(seeds, seed_of, 1)
    out = np.zeros((len(parts), 5))
    out[best_of] = best
    out[:, :2] = out[:, :2] * scale[:, None] + middle
    out[:, 2:4] *= scale[:, None]
    return _inside(out, parts)


def _inside(x: Floats, parts: Geometries) -> Floats:
    """Shrink by rounding errors until each rectangle is covered; nothing where that does not help."""
    shapely.prepare(parts)
    for shrink in (0.0, 1e-9, 1e-7, 1e-5, 1e-3, 1.0):
        outside = ~shapely.covers(parts, shapely.polygons(_corners(x)))
        x[outside, 2:4] *= 1.0 - shrink
    return x


def _segments(parts: Geometries) -> tuple[Floats, Floats, Ints]:
    """Edges of all rings: start, end, and the polygon each belongs to."""
    rings, part_of = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    same = ring_of[1:] == ring_of[:-1]
    start, end = points[:-1][same], points[1:][same]
    return start, end, part_of[ring_of[:-1][same]]


def _angles(start: Floats, end: Floats, of: Ints, count: int) -> Floats:
    """Orientations to try, radians within a quarter turn, shape (count, EDGE_ANGLES + SWEEP_ANGLES)."""
    span = end - start
    length = np.hypot(span[:, 0], span[:, 1])
    angle = np.arctan2(span[:, 1], span[:, 0]) % (np.pi / 2)
    bins = 90
    where = of * bins + np.minimum((angle / (np.pi / 2) * bins).astype(int), bins - 1)
    weight = np.bincount(where, weights=length, minlength=count * bins).reshape(count, bins)
    longest = np.zeros(count * bins)
    by_length = np.argsort(length, kind="stable")
    longest[where[by_length]] = angle[by_length]  # the longest edge of each bin is written last
    exact = longest.reshape(count, bins)
    top = np.argsort(-weight, axis=1, kind="stable")[:, :EDGE_ANGLES]
    sweep = (np.arange(SWEEP_ANGLES) + 0.5) * (np.pi / 2 / SWEEP_ANGLES)
    return np.hstack([np.take_along_axis(exact, top, axis=1), np.broadcast_to(sweep, (count, SWEEP_ANGLES))])


def _blocks(start: Floats, end: Floats, of: Ints, angles: Floats) -> tuple[Floats, Ints]:
    """Largest block of free grid cells at each angle, ordered by polygon."""
    count, tried = angles.shape
    segment = np.repeat(np.arange(len(of)), tried)
    problem = of[segment] * tried + np.tile(np.arange(tried), len(of))
    turn = angles.ravel()[problem]
    cos, sin = np.cos(turn), np.sin(turn)
    x0, y0 = _turned(start[segment], cos, sin)
    x1, y1 = _turned(end[segment], cos, sin)
    xs, ys = _lines(x0, problem, count * tried), _lines(y0, problem, count * tried)
    free = _free_cells(x0, y0, x1, y1, problem, xs, ys)
    left, right, low, high = _largest_block(free, xs, ys)
    a, b = (right - left) / 2, (high - low) / 2
    mx, my = (left + right) / 2, (low + high) / 2
    back = angles.ravel()
    cx, cy = mx * np.cos(back) - my * np.sin(back), mx * np.sin(back) + my * np.cos(back)
    found = np.stack([cx, cy, a * 0.999, b * 0.999, back], axis=1)
    polygon = np.repeat(np.arange(count), tried)
    some = (a > _TOUCH) & (b > _TOUCH)
    return found[some], polygon[some]


def _turned(points: Floats, cos: Floats, sin: Floats) -> tuple[Floats, Floats]:
    """Coordinates in axes turned by the angle."""
    return points[:, 0] * cos + points[:, 1] * sin, points[:, 1] * cos - points[:, 0] * sin


def _lines(values: Floats, problem: Ints, count: int) -> Floats:
    """Grid lines of each problem, half of them through vertices, half evenly spaced; shape (count, CELLS + 1)."""
    order = np.lexsort((values, problem))
    values = values[order]
    size = np.bincount(problem, minlength=count)
    first = np.cumsum(size) - size
    half = CELLS // 2
    rank = np.round(np.linspace(0.0, 1.0, half)[None, :] * (size[:, None] - 1)).astype(int)
    through = values[first[:, None] + rank]
    even = np.linspace(0.0, 1.0, CELLS + 1 - half)
    spread = through[:, :1] + even[None, :] * (through[:, -1:] - through[:, :1])
    return np.sort(np.hstack([through, spread]), axis=1)


def _cell(lines: Floats, problem: Ints, values: Floats, side: str) -> Ints:
    """Cell of each value on the lines of its problem."""
    stride = 10.0  # scaled and turned coordinates stay within (-2, 2): problems lie apart on one long axis
    axis = (lines + stride * np.arange(len(lines))[:, None]).ravel()
    found = np.searchsorted(axis, values + stride * problem, side=side)  # type: ignore[call-overload]
    return np.asarray(found - problem * lines.shape[1] - 1)


def _free_cells(
    x0: Floats, y0: Floats, x1: Floats, y1: Floats, problem: Ints, xs: Floats, ys: Floats
) -> NDArray[np.bool_]:
    """Cells inside the polygon that no edge enters, shape (problems, rows, columns)."""
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    first = _cell(ys, problem, low + _TOUCH, "right")
    last = np.minimum(_cell(ys, problem, high - _TOUCH, "left"), CELLS - 1)
    rows = np.maximum(last - first + 1, 0)
    edge = np.repeat(np.arange(len(problem)), rows)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(rows) - rows, rows)
    of = problem[edge]
    bottom, top = ys[of, row], ys[of, row + 1]
    rise = y1[edge] - y0[edge]
    steep = np.abs(rise) > _TOUCH
    slope = (x1[edge] - x0[edge]) / np.where(steep, rise, 1.0)

    def at(height: Floats) -> Floats:
        return x0[edge] + (height - y0[edge]) * slope

    near = np.where(steep, at(np.maximum(low[edge], bottom)), x0[edge])
    far = np.where(steep, at(np.minimum(high[edge], top)), x1[edge])
    begin = np.clip(_cell(xs, of, np.minimum(near, far) + _TOUCH, "right"), 0, CELLS)
    stop = np.clip(_cell(xs, of, np.maximum(near, far) - _TOUCH, "left") + 1, 0, CELLS)
    shape = (len(xs), CELLS, CELLS + 1)
    base = (of * CELLS + row) * (CELLS + 1)
    hit = begin < stop
    crossed = np.bincount(base[hit] + begin[hit], minlength=np.prod(shape)) - np.bincount(
        base[hit] + stop[hit], minlength=np.prod(shape)
    )

    centre = (bottom + top) / 2
    cuts = steep & (low[edge] <= centre) & (centre < high[edge])
    x, of, base = at(centre)[cuts], of[cuts], base[cuts]
    column = np.clip(_cell(xs, of, x, "right"), 0, CELLS - 1)
    column += x > (xs[of, column] + xs[of, column + 1]) / 2
    flips = np.bincount(base + column, minlength=np.prod(shape))
    inside = np.cumsum(flips.reshape(shape), axis=2) % 2 == 1
    return (inside & (np.cumsum(crossed.reshape(shape), axis=2) == 0))[:, :, :CELLS]


def _largest_block(free: NDArray[np.bool_], xs: Floats, ys: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Largest all-free block of each grid: left, right, low, high.

    Row by row, each column keeps how high its free run is and how far that run reaches to both sides; the block it
    spans is maximal for that column and row.
    """
    count = len(free)
    column = np.arange(CELLS)
    height = np.zeros((count, CELLS), dtype=np.intp)
    left, right = np.zeros((count, CELLS), dtype=np.intp), np.full((count, CELLS), CELLS, dtype=np.intp)
    best = np.zeros((count, 5))
    every = np.arange(count)
    for row in range(CELLS):
        open_ = free[:, row]
        run_left = np.maximum.accumulate(np.where(open_, 0, column + 1), axis=1)
        run_right = np.minimum.accumulate(np.where(open_, CELLS, column)[:, ::-1], axis=1)[:, ::-1]
        height = np.where(open_, height + 1, 0)
        left = np.where(open_, np.maximum(left, run_left), 0)
        right = np.where(open_, np.minimum(right, run_right), CELLS)
        width = np.take_along_axis(xs, right, axis=1) - np.take_along_axis(xs, left, axis=1)
        area = width * (ys[:, row + 1, None] - np.take_along_axis(ys, row + 1 - height, axis=1)) * open_
        peak = area.argmax(axis=1)
        better = area[every, peak] > best[:, 0]
        who, at = every[better], peak[better]
        best[who, 0] = area[who, at]
        best[who, 1], best[who, 2] = xs[who, left[who, at]], xs[who, right[who, at]]
        best[who, 3], best[who, 4] = ys[who, row + 1 - height[who, at]], ys[who, row + 1]
    return best[:, 1], best[:, 2], best[:, 3], best[:, 4]


def _with_fallback(
    seeds: Floats, seed_of: Ints, parts: Geometries, middle: Floats, scale: Floats, angles: Floats
) -> tuple[Floats, Ints]:
    """Add small squares in the largest inscribed circle of polygons too thin for the grid."""
    missing = np.setdiff1d(np.arange(len(parts)), seed_of)
    if not missing.size:
        return seeds, seed_of
    radius = shapely.maximum_inscribed_circle(parts[missing])
    centre = shapely.get_coordinates(shapely.get_point(radius, 0))
    reach = shapely.length(radius) / scale[missing] * 0.5
    tried = EDGE_ANGLES
    added = np.column_stack(
        [
            np.repeat((centre - middle[missing]) / scale[missing, None], tried, axis=0),
            np.repeat(reach, tried),
            np.repeat(reach, tried),
            angles[missing, :tried].ravel(),
        ]
    )
    added = added[added[:, 2] > 0]
    added_of = np.repeat(missing[reach > 0], tried)
    order = np.argsort(np.concatenate([seed_of, added_of]), kind="stable")
    return np.concatenate([seeds, added])[order], np.concatenate([seed_of, added_of])[order]


def _top(seeds: Floats, seed_of: Ints, count: int) -> tuple[Floats, Ints]:
    """Largest `count` rectangles of each polygon, ordered by polygon."""
    order = np.lexsort((-seeds[:, 2] * seeds[:, 3], seed_of))
    seeds, seed_of = seeds[order], seed_of[order]
    rank = np.arange(len(seed_of)) - np.searchsorted(seed_of, seed_of)
    return seeds[rank < count], seed_of[rank < count]


@dataclass(frozen=True)
class _Rules:
    """Separating lines, two for each edge that is near, flat over all rectangles and sorted by rectangle.

    The slack is ``given . table[row]``: either a corner of the rectangle stays behind the edge's line (given: the
    normal and offset of the line; row 0-3: the corner), or an end of the edge stays beyond a side of the rectangle
    (given: the end; row 4-7: the side), with eight rows for each rectangle.
    """

    of: Ints
    heads: Ints
    given: Floats
    row: Ints

    def slack(self, x: Floats) -> Floats:
        """Distance to spare of each line."""
        return np.einsum("mi,mi->m", self.given, _table(x)[self.row])

    def gradient(self, x: Floats) -> Floats:
        """Derivatives of the slack by centre, half sides and angle, shape (lines, 5)."""
        return np.einsum("mi,mij->mj", self.given, _table_gradient(x)[self.row])

    def nearest(self, values: Floats) -> Floats:
        """Smallest value of each rectangle."""
        return np.minimum.reduceat(values, self.heads)


_SIGNS = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def _axes(x: Floats) -> tuple[Floats, Floats]:
    u = np.stack([np.cos(x[:, 4]), np.sin(x[:, 4])], axis=1)
    return u, np.stack([-u[:, 1], u[:, 0]], axis=1)


def _table(x: Floats) -> Floats:
    """Corners as (-x, -y, 1), then sides +u, -u, +v, -v as (direction, -reach), shape (8 n, 3)."""
    u, v = _axes(x)
    table = np.ones((len(x), 8, 3))
    table[:, :4, :2] = -_corners(x)
    table[:, 4:, :2] = np.stack([u, -u, v, -v], axis=1)
    table[:, 4:, 2] = -np.einsum("nki,ni->nk", table[:, 4:, :2], x[:, :2]) - x[:, [2, 2, 3, 3]]
    return table.reshape(-1, 3)


def _table_gradient(x: Floats) -> Floats:
    """Derivatives of `_table` by the five variables, shape (8 n, 3, 5)."""
    u, v = _axes(x)
    out = np.zeros((len(x), 8, 3, 5))
    out[:, :4, 0, 0] = out[:, :4, 1, 1] = -1.0
    along, across = _SIGNS[:, 0, None], _SIGNS[:, 1, None]
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


def _separate(x: Floats, x_of: Ints, edges: Edges, *, by_side: bool) -> tuple[_Rules, NDArray[np.bool_]]:
    """Choose what keeps each edge off each rectangle: the line with most room, or the edge's own where it can.

    Also tells which rectangles no edge enters.
    """
    start, end, of = edges
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

    by_edge = (room_edge >= room_side) | (room_edge > 0 if not by_side else False)
    room = np.maximum(room_edge, room_side)
    # edges farther off than the rectangle is large are left out, and a fence keeps the rectangle from them; 1.5
    # covers the corners of the fence
    closest = np.minimum.reduceat(room, heads)
    reach = x[:, 2] + x[:, 3]
    near = room <= 1.5 * reach[rect]
    by_edge, rect = by_edge[near, None], rect[near]
    ends = np.ones((len(rect), 2, 3))
    ends[:, 0, :2], ends[:, 1, :2] = p[near], q[near]
    given = np.where(by_edge[:, :, None], np.column_stack([normal, offset])[near, None, :], ends).reshape(-1, 3)
    row = np.where(by_edge, corner[near], side[near, None] + 4) + 8 * rect[:, None]
    fence = np.repeat(table[:, 4:] * (1.0, 1.0, -1.0) + (0.0, 0.0, 1.0) * reach[:, None, None], 2, axis=1).reshape(
        -1, 3
    )
    # corners 0-3 as in _SIGNS: +u 1, 2; -u 0, 3; +v 2, 3; -v 0, 1
    fence_row = (np.array([1, 2, 0, 3, 2, 3, 0, 1]) + 8 * np.arange(len(x))[:, None]).ravel()
    rows = np.concatenate([row.ravel(), fence_row])
    order = np.argsort(rows // 8, kind="stable")
    owner = rows[order] // 8
    begin = np.searchsorted(owner, np.arange(len(x)))
    rules = _Rules(owner, begin, np.concatenate([given, fence])[order], rows[order])
    return rules, closest > 0


def _grow(
    x: Floats,
    x_of: Ints,
    edges: Edges,
    barrier: Sequence[float],
    *,
    turning: bool,
    by_side: bool,
) -> Floats:
    """Maximise the log of the area behind separating lines; never returns a smaller rectangle."""
    best = x.copy()
    for weight in barrier:
        rules, valid = _separate(x, x_of, edges, by_side=by_side)
        if not valid.all():  # turned so far that another corner ran into an edge: go on from the last good one
            x = np.where(valid[:, None], x, best)
            rules, valid = _separate(x, x_of, edges, by_side=by_side)
        best = np.where(_larger(x, best) & valid[:, None], x, best)
        for _ in range(_STEPS):
            x = _step(x, rules, weight, valid, turning)
    valid = _separate(x, x_of, edges, by_side=True)[1]
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
