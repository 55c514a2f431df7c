"""Compiled: the best filling of a 0-1 knapsack whose items come in rows, at most one of each (Bellman's recursion)."""

from __future__ import annotations

import numpy as np

from geo_cluster.matching.engine.compiled import compiled


@compiled
def fill(row, profit, weight, room):  # type: ignore[no-untyped-def]
    """Items of the best filling, and the best profit for each room.

    Parameters
    ----------
    row : (N,) int array
        Which items exclude each other: equal numbers stand together.
    profit : (N,) array
    weight : (N,) int array
        Cells, not more than `room`.
    room : int

    Returns
    -------
    taken : int array
        Items of the best filling, rising.
    best : (room + 1,) array
    """
    rows = 0
    for i in range(len(row)):
        rows += i == 0 or row[i] != row[i - 1]
    best, before = np.zeros(room + 1), np.zeros(room + 1)
    which = np.full((rows, room + 1), -1, np.int32)
    r = -1
    for i in range(len(row)):
        if i == 0 or row[i] != row[i - 1]:
            r += 1
            before[:] = best
        gain, w = profit[i], weight[i]
        for c in range(w, room + 1):
            if before[c - w] + gain > best[c]:
                best[c], which[r, c] = before[c - w] + gain, i
    taken, n, c = np.empty(rows, np.int64), rows, room
    for r in range(rows - 1, -1, -1):
        i = which[r, c]
        if i >= 0:
            n -= 1
            taken[n] = i
            c -= weight[i]
    return taken[n:], best


def warm() -> None:
    """Compile it and keep it on disk."""
    one = np.ones(1, dtype=np.intp)
    fill(one, np.ones(1), one, 1)
