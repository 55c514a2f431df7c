"""Compiled loops that look for land in one piece: the best squares, and growing from a seed."""

from __future__ import annotations

import heapq

import numpy as np

from geo_cluster.matching.engine.compiled import compiled


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
