"""A surface as a picture for a web map: in Web Mercator, a palette of a few colours, made anew within a blink."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj

from geo_cluster.suitability.criteria import HUNDREDTHS, NO_SCORE
from geo_cluster.suitability.exclusions import OUTSIDE, UNKNOWN
from geo_cluster.suitability.grid import Grid
from geo_cluster.suitability.run import Answer

MERCATOR = "EPSG:3857"
MOST_PIXELS = 6_000_000
STEP = 64
"""Positions are projected at every so many pixels and interpolated between: far below a pixel at these sizes."""
TAKEN, NOT_KNOWN = 254, 253
"""Places in the palette; 255 is clear, the classes of scores begin at 0."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the cells of a grid come to lie in a picture.

    Parameters
    ----------
    cell : (height, width) int32
        Which cell each pixel shows, row by row; one past the last beyond the grid.
    bounds : ((south, west), (north, east))
        Of the picture, degrees.
    """

    cell: np.ndarray
    bounds: tuple[tuple[float, float], tuple[float, float]]


def laid_out(grid: Grid, *, most: int = MOST_PIXELS) -> Layout:
    """The picture of a grid at the size of its cells, or as large as may be.

    Parameters
    ----------
    grid : Grid
    most : int
        Pixels at most.
    """
    west, south, east, north = grid.bounds(grid.whole)
    move = pyproj.Transformer.from_crs(grid.crs, MERCATOR, always_xy=True)
    west, south, east, north = move.transform_bounds(west, south, east, north, densify_pts=51)
    stretch = max((east - west) / grid.columns, (north - south) / grid.rows)
    pixel = max(stretch, math.sqrt((east - west) * (north - south) / most))
    width, height = math.ceil((east - west) / pixel), math.ceil((north - south) / pixel)
    edges = west, north - height * pixel, west + width * pixel, north
    cell = cells_of(grid, MERCATOR, edges, (height, width))
    degrees = pyproj.Transformer.from_crs(MERCATOR, 4326, always_xy=True)
    (left, right), (bottom, top) = degrees.transform([west, west + width * pixel], [north - height * pixel, north])
    return Layout(cell, ((bottom, left), (top, right)))


def cells_of(
    grid: Grid, crs: int | str, bounds: tuple[float, float, float, float], shape: tuple[int, int]
) -> np.ndarray:
    """Which cell of a grid each pixel of a picture shows, as in `Layout`.

    Parameters
    ----------
    grid : Grid
    crs : int or str
        Of the picture.
    bounds : (west, south, east, north)
        Of the picture, in its own system.
    shape : (height, width)
        In pixels.
    """
    west, south, east, north = bounds
    height, width = shape
    xs, ys = (np.append(np.arange(0, size, STEP), size - 1) for size in (width, height))
    back = pyproj.Transformer.from_crs(crs, grid.crs, always_xy=True)
    over, down = (east - west) / width, (north - south) / height
    x, y = back.transform(*np.meshgrid(west + (xs + 0.5) * over, north - (ys + 0.5) * down))
    column = np.floor((_between(x, ys, xs) - grid.west) / grid.cell_m).astype(np.int32)
    row = np.floor((grid.north - _between(y, ys, xs)) / grid.cell_m).astype(np.int32)
    beyond = (row < 0) | (row >= grid.rows) | (column < 0) | (column >= grid.columns)
    return np.where(beyond, grid.rows * grid.columns, row * grid.columns + column).astype(np.int32)


def _between(known: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """Numbers at every pixel between those at some rows and columns, in straight lines."""
    every = np.arange(xs[-1] + 1)
    across = np.stack([np.interp(every, xs, line) for line in known])
    at = np.clip(np.searchsorted(ys, np.arange(ys[-1] + 1), side="right") - 1, 0, max(len(ys) - 2, 0))
    share = (np.arange(ys[-1] + 1) - ys[at]) / np.maximum(ys[np.minimum(at + 1, len(ys) - 1)] - ys[at], 1)
    return across[at] * (1 - share[:, None]) + across[np.minimum(at + 1, len(ys) - 1)] * share[:, None]


def classes(likely: np.ndarray, *, count: int) -> tuple[float, float]:
    """From which to which score the colours run: all but the outermost hundredth, in whole steps of five points.

    Parameters
    ----------
    likely : array of uint16
        Hundredths of a point.
    count : int
        How many colours; the span divides into them evenly.
    """
    known = likely[likely != NO_SCORE]
    if not known.size:
        return 0.0, 100.0
    sums = np.cumsum(np.bincount(known, minlength=100 * HUNDREDTHS + 1))
    low, high = (int(np.searchsorted(sums, share * sums[-1])) / HUNDREDTHS for share in (0.01, 0.99))
    low, high = math.floor(low / 5) * 5.0, math.ceil(high / 5) * 5.0
    return low, max(high, low + max(count / HUNDREDTHS, 5.0))


def drawn(
    layout: Layout,
    code: np.ndarray,
    likely: np.ndarray,
    *,
    span: tuple[float, float],
    colours: Sequence[str],
    taken: str,
    unknown: str,
) -> bytes:
    """The picture as PNG: free land by score, taken and unknown land each in a colour, clear beyond the area.

    Parameters
    ----------
    layout : Layout
    code : (rows, columns) uint8
        Of the exclusions.
    likely : (rows, columns) uint16
        Hundredths of a point.
    span : (float, float)
        Scores from which to which the colours run.
    colours : sequence of str
        From low to high, `#rrggbb`.
    taken, unknown : str
        `#rrggbbaa`.
    """
    place = _places(code, likely, span, len(colours))
    pixels = np.append(place.ravel(), np.uint8(255))[layout.cell]
    return _png(pixels, colours, taken, unknown)


def _places(code: np.ndarray, likely: np.ndarray, span: tuple[float, float], count: int) -> np.ndarray:
    """Which place of the palette each cell has."""
    of_score = np.full(NO_SCORE + 1, TAKEN, np.uint8)
    points = np.arange(100 * HUNDREDTHS + 1) / HUNDREDTHS
    at = (points - span[0]) / (span[1] - span[0]) * count
    of_score[: len(points)] = np.clip(np.floor(at), 0, count - 1).astype(np.uint8)
    place = of_score[likely]
    place[code == UNKNOWN] = NOT_KNOWN
    place[code == OUTSIDE] = 255
    return np.asarray(place)


def _png(pixels: np.ndarray, colours: Sequence[str], taken: str, unknown: str) -> bytes:
    from PIL import Image

    palette = np.zeros((256, 4), np.uint8)
    for where, colour in (*enumerate(colours), (TAKEN, taken), (NOT_KNOWN, unknown)):
        palette[where] = list(bytes.fromhex(colour.lstrip("#").ljust(8, "f")))
    picture = Image.fromarray(pixels, "P")
    picture.putpalette(palette[:, :3].tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1, transparency=palette[:, 3].tobytes())
    return out.getvalue()


SIDE = 256
"""Pixels along the side of a map tile."""
EDGE_M = math.pi * 6_378_137.0
"""Half the width of the world in Web Mercator, metres."""


def tile(
    answer: Answer,
    at: tuple[int, int, int],
    *,
    span: tuple[float, float],
    colours: Sequence[str],
    taken: str,
    unknown: str,
) -> bytes:
    """A map tile of a finished screening as PNG: each pixel its own cell, or the overview's where cells are smaller.

    Parameters
    ----------
    answer : Answer
    at : (int, int, int)
        Zoom, column and row, as web maps count them.
    span, colours, taken, unknown
        As in `drawn`.
    """
    zoom, across, down = at
    pixel = 2 * EDGE_M / 2**zoom / SIDE
    steps = np.append(np.arange(0, SIDE, STEP), SIDE - 1)
    x = (across * SIDE + steps + 0.5) * pixel - EDGE_M
    y = EDGE_M - (down * SIDE + steps + 0.5) * pixel
    back = pyproj.Transformer.from_crs(MERCATOR, answer.grid.crs, always_xy=True)
    east, north = back.transform(*np.meshgrid(x, y))
    column = (_between(east, steps, steps) - answer.grid.west) / answer.grid.cell_m
    row = (answer.grid.north - _between(north, steps, steps)) / answer.grid.cell_m
    inside = (row >= 0) & (row < answer.grid.rows) & (column >= 0) & (column < answer.grid.columns)
    code, likely = np.full((SIDE, SIDE), OUTSIDE, np.uint8), np.full((SIDE, SIDE), NO_SCORE, np.uint16)
    if inside.any():
        cells = max(float(np.abs(np.diff(column, axis=1)).max()), float(np.abs(np.diff(row, axis=0)).max()))
        level = max(math.floor(math.log2(max(cells, 1.0)) + 1e-6), 0)
        rows, columns = np.floor(row[inside]).astype(np.int64), np.floor(column[inside]).astype(np.int64)
        code[inside] = _read_at(answer.code, rows, columns, level)
        likely[inside] = _read_at(answer.score, rows, columns, level)
    return _png(_places(code, likely, span, len(colours)), colours, taken, unknown)


def _read_at(path: Path, rows: np.ndarray, columns: np.ndarray, level: int) -> np.ndarray:
    """The first band of a surface at some cells, from the overview of a level; 0 is the surface itself."""
    import rasterio

    with rasterio.open(path, driver="GTiff") as file:
        level = min(level, len(file.overviews(1)))
    with rasterio.open(path, driver="GTiff", **({"overview_level": level - 1} if level else {})) as file:
        rows, columns = rows >> level, columns >> level
        top, left = int(rows.min()), int(columns.min())
        part = file.read(1, window=((top, int(rows.max()) + 1), (left, int(columns.max()) + 1)))
    return np.asarray(part[rows - top, columns - left])


def histogram(likely: np.ndarray, *, step: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """How many cells have which score: lower ends of the bins (points) and counts.

    Parameters
    ----------
    likely : array of uint16
        Hundredths of a point.
    step : float
        Width of a bin, points; divides 100.
    """
    counts = np.bincount(likely[likely != NO_SCORE], minlength=100 * HUNDREDTHS + 1)[: 100 * HUNDREDTHS + 1]
    edges = np.arange(0, 100 * HUNDREDTHS, round(step * HUNDREDTHS))
    sums = np.add.reduceat(counts, edges)
    return edges / HUNDREDTHS, sums
