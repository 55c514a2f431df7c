"""Compiled loops over cells. Rows and columns are those of the whole grid, so no answer depends on the tile.

States of a cell under a rule: 0 not taken, 1 taken, 2 unknown.
"""

from __future__ import annotations

import heapq
import math

import numpy as np

from geo_cluster.matching.engine.compiled import compiled

LATTICE = 32
"""Cells between the points at which a projection is computed; between them it is interpolated."""
COARSE, FINE = 256, 32
"""Blocks by which the candidates for the nearest are narrowed down."""


@compiled
def numbers(part, nodata, unknown):  # type: ignore[no-untyped-def]
    """Pixels in the type of `unknown`, which stands where they say `nodata`."""
    out = np.full(part.shape, unknown)
    for y in range(part.shape[0]):
        for x in range(part.shape[1]):
            if part[y, x] != nodata:
                out[y, x] = part[y, x]
    return out


@compiled
def judge(values, at_least, above, at_most, below, classes):  # type: ignore[no-untyped-def]
    """State of each cell by its number: `>=`, `>`, `<=`, `<` (nan for none) and classes; nan is unknown."""
    out = np.zeros(values.shape, np.uint8)
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            v = values[y, x]
            if np.isnan(v):
                out[y, x] = 2
            elif v >= at_least or v > above or v <= at_most or v < below:
                out[y, x] = 1
            else:
                for k in range(classes.size):
                    if v == classes[k]:
                        out[y, x] = 1
                        break
    return out


@compiled
def slope(z, cell_m):  # type: ignore[no-untyped-def]
    """Slope in percent by Horn (1981) of all but the outer ring of cells; nan where a neighbour is unknown."""
    rows, columns = z.shape[0] - 2, z.shape[1] - 2
    out = np.empty((rows, columns), np.float32)
    for y in range(rows):
        for x in range(columns):
            a, b, c = float(z[y, x]), float(z[y, x + 1]), float(z[y, x + 2])
            d, f = float(z[y + 1, x]), float(z[y + 1, x + 2])
            g, h, i = float(z[y + 2, x]), float(z[y + 2, x + 1]), float(z[y + 2, x + 2])
            east = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * cell_m)
            north = ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * cell_m)
            known = not np.isnan(z[y + 1, x + 1])
            out[y, x] = np.float32(100 * math.sqrt(east * east + north * north)) if known else np.float32(np.nan)
    return out


@compiled
def within(states, state, reach, spans):  # type: ignore[no-untyped-def]
    """Which cells, `reach` away from the edge, have one of a state within a circle.

    `spans[k]` is how many columns to either side belong to the circle `k` rows up or down.
    """
    rows, columns = states.shape
    out = np.zeros((rows - 2 * reach, columns - 2 * reach), np.bool_)
    beyond = np.uint16(min(spans[0] + 1, 65535))
    gap = np.empty((rows, columns - 2 * reach), np.uint16)
    some = np.zeros(rows, np.bool_)
    near = np.empty(columns, np.uint16)
    for y in range(rows):
        last = -1 - int(beyond)
        for x in range(columns):
            if states[y, x] == state:
                last = x
                some[y] = True
            near[x] = min(x - last, int(beyond))
        if not some[y]:
            continue
        last = columns + int(beyond)
        for x in range(columns - 1, -1, -1):
            if states[y, x] == state:
                last = x
            near[x] = min(int(near[x]), last - x)
        gap[y] = near[reach : columns - reach]
    for y in range(out.shape[0]):
        line = out[y]
        for dy in range(-reach, reach + 1):
            if some[y + reach + dy]:
                span = np.uint16(spans[abs(dy)])
                row = gap[y + reach + dy]
                for x in range(line.size):
                    line[x] |= row[x] <= span
    return out


@compiled
def spread(states, reach, spans, beyond):  # type: ignore[no-untyped-def]
    """States of the cells `reach` away from the edge, once every taken and every unknown cell has its circle.

    With `beyond`, what is not within a circle is taken instead.
    """
    some = False
    for y in range(states.shape[0]):
        for x in range(states.shape[1]):
            some |= states[y, x] == 2
    near = within(states, 1, reach, spans)
    out = np.empty(near.shape, np.uint8)
    for y in range(near.shape[0]):
        for x in range(near.shape[1]):
            out[y, x] = near[y, x] != beyond
    if some:
        maybe = within(states, 2, reach, spans)
        for y in range(near.shape[0]):
            for x in range(near.shape[1]):
                if maybe[y, x] and not near[y, x]:
                    out[y, x] = 2
    return out


@compiled
def stack(code, states, number, unknown, counts):  # type: ignore[no-untyped-def]
    """Lay one rule onto the codes (0 free so far); count what it takes alone, after the others, and can't say."""
    for y in range(code.shape[0]):
        for x in range(code.shape[1]):
            if code[y, x] == 255:
                continue
            if states[y, x] == 1:
                counts[0] += 1
                if code[y, x] == 0:
                    counts[1] += 1
                    code[y, x] = number
            elif states[y, x] == 2:
                counts[2] += 1
                unknown[y, x] = True


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
def nearest(mask, at, segments):  # type: ignore[no-untyped-def]
    """Number of the segment nearest to the centre of each cell of the mask, and how far away it is, metres.

    Exact; of equally near ones the first. -1 and nan outside the mask.

    Parameters
    ----------
    mask : (rows, columns) bool array
    at : (row, column, west, north, cell_m)
        Where it lies on the grid.
    segments : (n, 4) array
        From x, y to x, y.
    """
    rows, columns = mask.shape
    row, column, west, north, cell_m = at
    which = np.full(mask.shape, -1, np.int32)
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
                which[y, x], metres[y, x] = found, math.sqrt(least)


@compiled
def sample(source, corner, u, v, window, parts, smooth):  # type: ignore[no-untyped-def]
    """What a raster says at each cell of a window.

    Parameters
    ----------
    source : (h, w) array
        Pixels of the raster; nan is unknown.
    corner : (row, column)
        Of the raster, where these begin.
    u, v : arrays
        Column and row of the raster, in pixels from its corner, at the lattice's points: every `LATTICE` cells.
    window : (row, column, rows, columns)
        Of the grid.
    parts : int
        So many points along each side of a cell are averaged; 1 takes the pixel at its centre.
    smooth : bool
        Interpolate between pixel centres instead.
    """
    top, left = corner
    row, column, rows, columns = window
    out = np.full((rows, columns), np.nan, source.dtype)
    base_row, base_column = row // LATTICE, column // LATTICE
    for y in range(rows):
        for x in range(columns):
            total, count = 0.0, 0
            for a in range(parts):
                gy = row + y + (a + 0.5) / parts
                ly = min(int(gy // LATTICE) - base_row, u.shape[0] - 2)
                fy = gy / LATTICE - base_row - ly
                for b in range(parts):
                    gx = column + x + (b + 0.5) / parts
                    lx = min(int(gx // LATTICE) - base_column, u.shape[1] - 2)
                    fx = gx / LATTICE - base_column - lx
                    w00, w01, w10, w11 = (1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx
                    pu = u[ly, lx] * w00 + u[ly, lx + 1] * w01 + u[ly + 1, lx] * w10 + u[ly + 1, lx + 1] * w11
                    pv = v[ly, lx] * w00 + v[ly, lx + 1] * w01 + v[ly + 1, lx] * w10 + v[ly + 1, lx + 1] * w11
                    if smooth:
                        value = _between(source, pu - left - 0.5, pv - top - 0.5)
                    else:
                        value = _pixel(source, math.floor(pu + 1e-6) - left, math.floor(pv + 1e-6) - top)
                    if not np.isnan(value):
                        total, count = total + value, count + 1
            if count == parts * parts:  # a cell of which a part is unknown is unknown
                out[y, x] = total / count
    return out


@compiled
def _pixel(source, c, r):  # type: ignore[no-untyped-def]
    if 0 <= r < source.shape[0] and 0 <= c < source.shape[1]:
        return float(source[r, c])
    return np.nan


@compiled
def _between(source, pu, pv):  # type: ignore[no-untyped-def]
    """Bilinear: unknown where one of the four pixels that count is."""
    c, r = math.floor(pu + 1e-6), math.floor(pv + 1e-6)
    fu, fv = max(pu - c, 0.0), max(pv - r, 0.0)
    if fu < 1e-6:
        fu = 0.0
    if fv < 1e-6:
        fv = 0.0
    total = 0.0
    for k in range(2):
        for m in range(2):
            weight = (fv if k else 1 - fv) * (fu if m else 1 - fu)
            if weight > 0:
                total += weight * _pixel(source, c + m, r + k)
    return total


def circle(metres: float, cell_m: float, *, of_edge: bool = False) -> tuple[int, np.ndarray]:
    """How many cells a circle reaches, and how many columns to either side belong to it by rows up or down.

    Parameters
    ----------
    metres : float
        From a cell's centre.
    cell_m : float
    of_edge : bool
        To the nearest edge of another cell, rather than to its centre.
    """
    half = 0.5 if of_edge else 0.0
    reach = math.floor(metres / cell_m + half + 1e-9)
    up = np.maximum(np.arange(reach + 1) - half, 0.0) * cell_m
    return reach, np.floor(np.sqrt(np.maximum(metres**2 - up**2, 0.0)) / cell_m + half + 1e-9).astype(np.int64)


@compiled
def weigh(values, weight, times, none):  # type: ignore[no-untyped-def]
    """Likely, low and high score of each column of values (criteria, n), in whole parts of a point."""
    out = np.empty((3, values.shape[1]), np.uint16)
    for k in range(values.shape[1]):
        known, missing, some = 0.0, 0.0, False
        for c in range(values.shape[0]):
            if np.isnan(values[c, k]):
                missing += weight[c]
            else:
                known += weight[c] * values[c, k]
                some = some or weight[c] > 0
        out[0, k] = math.floor(100 * times * (known + missing / 2) + 0.5) if some else none
        out[1, k] = math.floor(100 * times * known + 0.5) if some else none
        out[2, k] = math.floor(100 * times * (known + missing) + 0.5) if some else none
    return out


@compiled
def best_squares(points, side, row, column, shape, block):  # type: ignore[no-untyped-def]
    """(n, 3): the largest sum of points in a square, and its north-west cell, for each block that squares begin in.

    Squares begin in the first `shape` cells of the window; `row` and `column` say how far into a block it begins.
    """
    rows, columns = points.shape
    across = np.zeros((rows, columns - side + 1), np.int64)
    for y in range(rows):
        total = np.int64(0)
        for x in range(columns):
            total += points[y, x]
            if x >= side:
                total -= points[y, x - side]
            if x >= side - 1:
                across[y, x - side + 1] = total
    tall, wide = (row + shape[0] - 1) // block + 1, (column + shape[1] - 1) // block + 1
    best = np.zeros((tall * wide, 3), np.int64)
    total_down = np.zeros(across.shape[1], np.int64)
    for y in range(rows):
        for x in range(across.shape[1]):
            total_down[x] += across[y, x]
            if y >= side:
                total_down[x] -= across[y - side, x]
        top = y - side + 1
        if 0 <= top < shape[0]:
            for x in range(min(across.shape[1], shape[1])):
                at = (row + top) // block * wide + (column + x) // block
                if total_down[x] > best[at, 0]:
                    best[at, 0], best[at, 1], best[at, 2] = total_down[x], top, x
    return best


@compiled
def grow(free, scores, row, column, cells, compact, most, side):  # type: ignore[no-untyped-def]
    """A region of so many cells, in one piece by edges: from the free cell nearest to a seed, the best first.

    A cell's worth is `(1 - compact)` of its score over `most`, less `compact` of its distance from the seed over half a
    `side`; of equals the one nearer to the north-west.
    """
    rows, columns = free.shape
    mask = np.zeros((rows, columns), np.bool_)
    start, least = -1, np.inf
    for y in range(rows):
        for x in range(columns):
            away = (y - row) ** 2 + (x - column) ** 2
            if free[y, x] and away < least:
                start, least = y * columns + x, away
    if start < 0:
        return mask
    seen = np.zeros(rows * columns, np.bool_)
    seen[start] = True
    heap = [(0.0, start)]
    taken = 0
    while len(heap) and taken < cells:
        _, at = heapq.heappop(heap)
        y, x = at // columns, at % columns
        mask[y, x] = True
        taken += 1
        for k in range(4):
            ny, nx = y + (k == 0) - (k == 1), x + (k == 2) - (k == 3)
            if 0 <= ny < rows and 0 <= nx < columns and free[ny, nx] and not seen[ny * columns + nx]:
                seen[ny * columns + nx] = True
                away = max(abs(ny - row), abs(nx - column)) / (side / 2)
                worth = (1 - compact) * scores[ny, nx] / most - compact * away
                heapq.heappush(heap, (-worth, ny * columns + nx))
    return mask
