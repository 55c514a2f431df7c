"""The largest rectangle of any orientation inside a polygon: the hall that fits on a piece of land.

Two steps, each over many polygons at once. A coarse search lays a grid over the polygon at some forty angles, with
lines through its vertices, and finds the largest block of cells that no edge crosses (the maximal rectangle of a
binary matrix, by dynamic programming over rows). The best blocks are then grown (`growth`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo_cluster.supply.growth import BARRIER, Floats, Ints, corners, grow

Geometries = NDArray[np.object_]

CELLS, VERTEX_LINES = 48, 24
"""Cells of the coarse grid along each side, and how many of its lines go through vertices."""
EDGE_ANGLES, SWEEP_ANGLES = 12, 30
"""Orientations tried: those of the edges that are longest together, and an even sweep of the quarter turn."""
SECTORS, EDGE_SECTORS, SEEDS, FINALISTS = 15, 3, 6, 3
"""Blocks grown for each polygon: the best of each sector of the quarter turn and those flush with the main edges; then
how many of them turning, and how many to the end."""
BATCH, BATCH_VERTICES = 100, 8000
"""Polygons worked on at a time, and their vertices together; bounds the memory."""
MOST_CORNERS, CORNER_STEP = 3000, 0.0005
"""Corners beyond which an outline is simplified, and by how much of the square root of its area."""

_TOUCH = 1e-9  # coordinates are scaled to about 1: nearer than this is on the line


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
    polygons = _with_fewer_corners(np.asarray(polygons, dtype=object))
    best = np.zeros((len(polygons), 5))  # centre x, y, half sides a, b, angle in radians
    parts, owner = shapely.get_parts(polygons, return_index=True)
    area = shapely.area(parts)
    order = np.lexsort((-area, owner))
    parts, owner, area = parts[order], owner[order], area[order]
    place = np.arange(len(parts)) - np.searchsorted(owner, owner)
    rank = 0
    # largest part first; a smaller part only where it could still hold something larger
    while (todo := np.flatnonzero((place == rank) & (area > 4 * best[owner, 2] * best[owner, 3] + 1e-9))).size:
        load = np.cumsum(np.maximum(shapely.get_num_coordinates(parts[todo]) / BATCH_VERTICES, 1 / BATCH))
        for rows in np.split(todo, np.flatnonzero(np.diff(load.astype(int))) + 1):
            found = _search(parts[rows])
            better = found[:, 2] * found[:, 3] > best[owner[rows], 2] * best[owner[rows], 3]
            best[owner[rows[better]]] = found[better]
        rank += 1
    return _described(best)


def _with_fewer_corners(polygons: Geometries) -> Geometries:
    """What has very many corners, drawn inside itself with fewer: the search takes time for each."""
    many = shapely.get_num_coordinates(polygons) > MOST_CORNERS
    if not many.any():
        return polygons
    polygons = polygons.copy()
    step = np.sqrt(shapely.area(polygons[many])) * CORNER_STEP
    polygons[many] = shapely.simplify(shapely.buffer(polygons[many], -step), step)
    return polygons


def _described(best: Floats) -> Rectangles:
    a, b = best[:, 2], best[:, 3]
    long = np.maximum(a, b)
    angle = np.where(a >= b, best[:, 4], best[:, 4] + np.pi / 2)
    empty = long <= 0
    geometry = shapely.polygons(corners(best))
    geometry[empty] = shapely.Polygon()
    degrees = np.where(empty, np.nan, np.degrees(angle) % 180.0)
    return Rectangles(2 * np.minimum(a, b), 2 * long, degrees, geometry)


def _search(parts: Geometries) -> Floats:
    """Best rectangle of each polygon, shape (n, 5), checked to lie inside."""
    bounds = shapely.bounds(parts)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    scale = np.maximum((bounds[:, 2:] - bounds[:, :2]).max(axis=1) / 2, 1e-12)
    start, end, of = _segments(parts)
    start, end = (start - middle[of]) / scale[of, None], (end - middle[of]) / scale[of, None]
    length = np.hypot(*(end - start).T)
    real = length > 1e-12  # an edge without length has no direction; a very short one no reliable one
    outer = _on_hull(parts) & (length > 1e-6)
    start, end, of = start[real], end[real], of[real]
    edges = start, end, of, outer[real]
    angles = _angles(start, end, of, len(parts))
    seeds, seed_of, sector = _blocks(start, end, of, angles)
    seeds, seed_of = _best_of_each_sector(seeds, seed_of, sector)
    seeds, seed_of = _with_fallback(seeds, seed_of, parts, middle, scale, angles)
    seeds = grow(seeds, seed_of, edges, BARRIER[:2], turning=False)
    seeds, seed_of = _top(seeds, seed_of, SEEDS)
    seeds = grow(seeds, seed_of, edges, BARRIER, turning=True)
    seeds, seed_of = _top(seeds, seed_of, FINALISTS)
    seeds = grow(seeds, seed_of, edges, BARRIER[2:], turning=True)
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
        outside = ~shapely.covers(parts, shapely.polygons(corners(x)))
        x[outside, 2:4] *= 1.0 - shrink
    return x


def _segments(parts: Geometries) -> tuple[Floats, Floats, Ints]:
    """Edges of all rings: start, end, and the polygon each belongs to."""
    rings, part_of = shapely.get_rings(parts, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    same = ring_of[1:] == ring_of[:-1]
    start, end = points[:-1][same], points[1:][same]
    return start, end, part_of[ring_of[:-1][same]]


def _on_hull(parts: Geometries) -> NDArray[np.bool_]:
    """Edges that lie on the convex hull of their polygon."""
    start, end, of = _segments(parts)
    hull = shapely.boundary(shapely.convex_hull(parts))
    reach = shapely.distance(shapely.points((start + end) / 2), hull[of])
    return np.asarray(reach <= _TOUCH * shapely.length(hull)[of])


def _angles(start: Floats, end: Floats, of: Ints, count: int) -> Floats:
    """Orientations to try, radians, shape (count, EDGE_ANGLES + SWEEP_ANGLES)."""
    span = end - start
    length = np.hypot(span[:, 0], span[:, 1])
    angle = np.arctan2(span[:, 1], span[:, 0]) % (np.pi / 2)
    by_length = np.argsort(length, kind="stable")
    ahead = np.zeros(count)
    ahead[of[by_length]] = angle[by_length]  # the longest edge of each polygon is written last
    # everything relative to the longest edge, so that turning the polygon turns the answer
    bins, width = 90, np.pi / 180
    where = of * bins + np.minimum(((angle - ahead[of] + width / 2) % (np.pi / 2) / width).astype(int), bins - 1)
    weight = np.bincount(where, weights=length, minlength=count * bins).reshape(count, bins)
    longest = np.repeat(ahead, bins)
    longest[where[by_length]] = angle[by_length]
    top = np.argsort(-weight, axis=1, kind="stable")[:, :EDGE_ANGLES]
    exact = np.take_along_axis(longest.reshape(count, bins), top, axis=1)
    sweep = (np.arange(SWEEP_ANGLES) + 0.5) * (np.pi / 2 / SWEEP_ANGLES)
    return np.hstack([exact, ahead[:, None] + sweep])


def _blocks(start: Floats, end: Floats, of: Ints, angles: Floats) -> tuple[Floats, Ints, Ints]:
    """Largest block of free grid cells at each angle, ordered by polygon, with the sector its angle counts to."""
    count, tried = angles.shape
    segment = np.repeat(np.arange(len(of)), tried)
    problem = of[segment] * tried + np.tile(np.arange(tried), len(of))
    angle = angles.ravel()[problem]
    cos, sin = np.cos(angle), np.sin(angle)
    x0, y0 = _rotated(start[segment], cos, sin)
    x1, y1 = _rotated(end[segment], cos, sin)
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
    column = np.tile(np.arange(tried), count)
    sector = (back % (np.pi / 2) / (np.pi / 2) * SECTORS).astype(int)
    sector = np.where(column < EDGE_SECTORS, SECTORS + column, sector)
    return found[some], polygon[some], sector[some]


def _rotated(points: Floats, cos: Floats, sin: Floats) -> tuple[Floats, Floats]:
    """Coordinates in axes turned by the angle."""
    return points[:, 0] * cos + points[:, 1] * sin, points[:, 1] * cos - points[:, 0] * sin


def _lines(values: Floats, problem: Ints, count: int) -> Floats:
    """Grid lines of each problem, some through vertices, the others evenly spaced; shape (count, CELLS + 1)."""
    order = np.lexsort((values, problem))
    values = values[order]
    size = np.bincount(problem, minlength=count)
    first = np.cumsum(size) - size
    half = VERTEX_LINES
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


def _best_of_each_sector(seeds: Floats, seed_of: Ints, sector: Ints) -> tuple[Floats, Ints]:
    """Keep the seeds apart: neighbouring angles mostly find the same rectangle."""
    order = np.lexsort((-seeds[:, 2] * seeds[:, 3], sector, seed_of))
    seeds, seed_of, sector = seeds[order], seed_of[order], sector[order]
    first = np.append(True, (np.diff(seed_of) != 0) | (np.diff(sector) != 0))
    return seeds[first], seed_of[first]


def _top(seeds: Floats, seed_of: Ints, count: int) -> tuple[Floats, Ints]:
    """Largest `count` rectangles of each polygon, ordered by polygon."""
    order = np.lexsort((-seeds[:, 2] * seeds[:, 3], seed_of))
    seeds, seed_of = seeds[order], seed_of[order]
    rank = np.arange(len(seed_of)) - np.searchsorted(seed_of, seed_of)
    return seeds[rank < count], seed_of[rank < count]
