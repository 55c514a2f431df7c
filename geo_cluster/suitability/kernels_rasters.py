"""Compiled loops over pixels: numbers of a raster, and what it says at the cells of another grid."""

from __future__ import annotations

import math

import numpy as np

from geo_cluster.matching.engine.compiled import compiled

LATTICE = 32
"""Cells between the points at which a projection is computed; between them it is interpolated."""


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
def bytes_there(stored):  # type: ignore[no-untyped-def]
    """(257,) whether each byte is among the pixels."""
    out = np.zeros(257, np.bool_)
    for y in range(stored.shape[0]):
        for x in range(stored.shape[1]):
            out[stored[y, x]] = True
    return out


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
