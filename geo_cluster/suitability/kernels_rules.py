"""Compiled loops of the exclusions: what a number is judged, slope, buffers, the stack.

States of a cell under a rule: 0 not taken, 1 taken, 2 unknown.
"""

from __future__ import annotations

import math

import numpy as np

from geo_cluster.matching.engine.compiled import compiled


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
def looked_up(stored, states):  # type: ignore[no-untyped-def]
    """State of each cell whose pixel is a byte, from the state of every byte."""
    out = np.empty(stored.shape, np.uint8)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = states[stored[y, x]]
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
