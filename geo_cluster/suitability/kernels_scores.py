"""Compiled loops of the criteria: values to scores."""

from __future__ import annotations

import math

import numpy as np

from geo_cluster.matching.engine.compiled import compiled


@compiled
def picked(numbers, times, mask):  # type: ignore[no-untyped-def]
    """(n,) so many times the numbers at the cells of a mask, row by row."""
    count = 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            count += mask[y, x]
    out = np.empty(count, numbers.dtype)
    at = 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                out[at] = numbers[y, x] * times
                at += 1
    return out


@compiled
def straight(numbers, times, mask, worst, best, out):  # type: ignore[no-untyped-def]
    """Put the values of `picked` numbers by a linear value function into `out`; nan stays nan."""
    at = 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                value = (numbers[y, x] * times - worst) / (best - worst)
                if value < 0.0:
                    value = 0.0
                elif value > 1.0:
                    value = 1.0
                out[at] = value
                at += 1


@compiled
def weigh(code, values, weight, times, none):  # type: ignore[no-untyped-def]
    """(3, rows, columns) likely, low and high score, in whole parts of a point; `none` where there is none.

    Parameters
    ----------
    code : (rows, columns) uint8
        Of the exclusions: 0 free, 254 where one can't say, which has a high score only.
    values : (criteria, n) array
        Of these cells, row by row.
    weight : (criteria,) array
    times : int
        Parts of a point.
    none : int
    """
    rows, columns = code.shape
    out = np.full((3, rows, columns), np.uint16(none))
    k = 0
    for y in range(rows):
        for x in range(columns):
            if code[y, x] != 0 and code[y, x] != 254:
                continue
            known, missing, some = 0.0, 0.0, False
            for c in range(values.shape[0]):
                value = values[c, k]
                if np.isnan(value):
                    missing += weight[c]
                else:
                    known += weight[c] * value
                    some = some or weight[c] > 0
            k += 1
            if some:
                out[2, y, x] = math.floor(100 * times * (known + missing) + 0.5)
                if code[y, x] == 0:
                    out[0, y, x] = math.floor(100 * times * (known + missing / 2) + 0.5)
                    out[1, y, x] = math.floor(100 * times * known + 0.5)
    return out


@compiled
def halved(points, none):  # type: ignore[no-untyped-def]
    """(rows, columns, bands) at half the size: the mean of those of four cells that aren't `none`, halves upward."""
    rows, columns, bands = points.shape
    out = np.empty(((rows + 1) // 2, (columns + 1) // 2, bands), points.dtype)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            for b in range(bands):
                total, found = 0, 0
                for r in range(2 * y, min(2 * y + 2, rows)):
                    for c in range(2 * x, min(2 * x + 2, columns)):
                        if points[r, c, b] != none:
                            total += points[r, c, b]
                            found += 1
                if found == 4:
                    out[y, x, b] = (total + 2) >> 2
                else:
                    out[y, x, b] = (2 * total + found) // (2 * found) if found else none
    return out
