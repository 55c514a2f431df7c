"""Compiled loops over outlines: cells whose centre lies inside, the nearest outline of each cell.

Rows and columns are those of the whole grid, so no answer depends on the tile.
"""

from __future__ import annotations

import math

import numpy as np

from geo_cluster.matching.engine.compiled import compiled

COARSE, FINE = 256, 32
"""Blocks by which the candidates for the nearest are narrowed down."""


@compiled
def burn(out, at, start, x, y):  # type: ignore[no-untyped-def]
    """Set 1 where a cell's centre lies in one of the polygons (even-odd).

    Parameters
    ----------
    out : (rows, columns) array
    at : (row, column, west, north, cell_m)
        Where it lies on the grid.
    start : (n + 1,) array
        Where the edges of each polygon begin.
    x, y : (m, 2) arrays
        From where to where each edge runs, metres.
    """
    rows, _columns = out.shape
    row, column, west, north, cell_m = at
    for k in range(start.size - 1):
        first, last = rows, 0
        for e in range(start[k], start[k + 1]):
            first, last = min(first, _above(y[e].max(), at)), max(last, _above(y[e].min(), at) + 1)
        first, last = max(first, 0), min(last, rows)
        if first >= last:
            continue
        begin = np.zeros(last - first + 1, np.int64)
        for e in range(start[k], start[k + 1]):
            for r in range(max(_above(y[e].max(), at), first), min(_above(y[e].min(), at) + 1, last)):
                begin[r - first + 1] += _crosses(y[e], north - (row + r + 0.5) * cell_m)
        begin = np.cumsum(begin)
        crossings, ends = np.empty(begin[-1], np.int64), begin.copy()
        for e in range(start[k], start[k + 1]):
            for r in range(max(_above(y[e].max(), at), first), min(_above(y[e].min(), at) + 1, last)):
                centre = north - (row + r + 0.5) * cell_m
                if _crosses(y[e], centre):
                    where = x[e, 0] + (centre - y[e, 0]) * (x[e, 1] - x[e, 0]) / (y[e, 1] - y[e, 0])
                    crossings[ends[r - first]] = math.ceil((where - west) / cell_m - 0.5) - column
                    ends[r - first] += 1
        _fill(out[first:last], crossings, begin)


@compiled
def _above(y, at):  # type: ignore[no-untyped-def]
    """A row, of the window, that lies above a height by no more than two."""
    return math.ceil((at[3] - y) / at[4] - 0.5) - 1 - at[0]


@compiled
def _crosses(y, centre):  # type: ignore[no-untyped-def]
    """Whether an edge crosses the middle of a row; of two that meet there, one does."""
    return min(y[0], y[1]) <= centre < max(y[0], y[1])


@compiled
def _fill(out, crossings, begin):  # type: ignore[no-untyped-def]
    """Fill each row between the crossings that belong together."""
    for r in range(out.shape[0]):
        row = np.sort(crossings[begin[r] : begin[r + 1]])
        for p in range(0, row.size - 1, 2):
            for c in range(max(row[p], 0), min(row[p + 1], out.shape[1])):
                out[r, c] = 1


@compiled
def _apart(px, py, s):  # type: ignore[no-untyped-def]
    """Square of the distance of a point from a segment (x0, y0, x1, y1)."""
    dx, dy = s[2] - s[0], s[3] - s[1]
    length = dx * dx + dy * dy
    t = 0.0
    if length > 0:
        t = min(max(((px - s[0]) * dx + (py - s[1]) * dy) / length, 0.0), 1.0)
    ex, ey = px - s[0] - t * dx, py - s[1] - t * dy
    return ex * ex + ey * ey


@compiled
def _nearby(px, py, half, segments, some):  # type: ignore[no-untyped-def]
    """Which of some segments can be the nearest to a point within `half` of (px, py)."""
    away = np.empty(some.size, np.float64)
    least = np.inf
    for k in range(some.size):
        away[k] = math.sqrt(_apart(px, py, segments[some[k]]))
        least = min(least, away[k])
    return some[away <= least + 2 * half + 1e-6]


@compiled
def nearest(mask, at, segments, named):  # type: ignore[no-untyped-def]
    """Number of the segment nearest to the centre of each cell of the mask, and how far away it is, metres.

    Exact; of equally near ones the first. -1 and nan outside the mask.

    Parameters
    ----------
    mask : (rows, columns) bool array
    at : (row, column, west, north, cell_m)
        Where it lies on the grid.
    segments : (n, 4) array
        From x, y to x, y.
    named : bool
        Whether the number is wanted; it is left out otherwise.
    """
    rows, columns = mask.shape
    row, column, west, north, cell_m = at
    which = np.full(mask.shape if named else (0, 0), -1, np.int32)
    metres = np.full(mask.shape, np.nan, np.float32)
    if segments.shape[0] == 0:
        return which, metres
    middle_x, middle_y = west + (column + columns / 2) * cell_m, north - (row + rows / 2) * cell_m
    tile = _nearby(middle_x, middle_y, math.hypot(rows, columns) / 2 * cell_m, segments, np.arange(segments.shape[0]))
    for by in range(0, rows, COARSE):
        for bx in range(0, columns, COARSE):
            half = COARSE / 2 * cell_m
            x0, y0 = west + (column + bx) * cell_m, north - (row + by) * cell_m
            block = _nearby(x0 + half, y0 - half, half * 1.4142136, segments, tile)
            for fy in range(by, min(by + COARSE, rows), FINE):
                for fx in range(bx, min(bx + COARSE, columns), FINE):
                    _in_block(mask, (fy, fx), at, segments, block, which, metres)
    return which, metres


@compiled
def _in_block(mask, first, at, segments, block, which, metres):  # type: ignore[no-untyped-def]
    """The nearest of a block's candidates, for the cells of a small block."""
    fy, fx = first
    row, column, west, north, cell_m = at
    last_y, last_x = min(fy + FINE, mask.shape[0]), min(fx + FINE, mask.shape[1])
    if not mask[fy:last_y, fx:last_x].any():
        return
    half = FINE / 2 * cell_m
    x0, y0 = west + (column + fx) * cell_m, north - (row + fy) * cell_m
    few = _nearby(x0 + half, y0 - half, half * 1.4142136, segments, block)
    for y in range(fy, last_y):
        py = north - (row + y + 0.5) * cell_m
        for x in range(fx, last_x):
            if mask[y, x]:
                px = west + (column + x + 0.5) * cell_m
                least, found = np.inf, -1
                for k in range(few.size):
                    away = _apart(px, py, segments[few[k]])
                    if away < least:
                        least, found = away, few[k]
                metres[y, x] = math.sqrt(least)
                if which.size:
                    which[y, x] = found
