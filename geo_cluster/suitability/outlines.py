"""Points, lines and areas: read once, brought to the grid's reference system, burnt a window at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_cluster.box import door, formats
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.spec import Source, Spec, Tests
from geo_cluster.world.layers import Layers

AREAS, LINES = (3, 6), (1, 2, 5)
"""Kinds of geometry, as shapely numbers them."""
QUAD_SEGMENTS = 30
"""Straight pieces that a quarter of a buffer's circle is drawn with, as OGR draws it."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Points, lines or areas in the grid's reference system.

    Parameters
    ----------
    name : str
    shapes : array of geometries
        Single parts, valid, in metres.
    row : Source
    """

    name: str
    shapes: np.ndarray
    row: Source

    @cached_property
    def tree(self) -> shapely.STRtree:
        """For finding those near a window."""
        return shapely.STRtree(self.shapes)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "tree"}

    def burnt(self, grid: Grid, window: Window, buffer_m: float) -> np.ndarray:
        """1 where a cell's centre lies in an outline, or within so many metres of one.

        Parameters
        ----------
        grid : Grid
        window : Window
        buffer_m : float
            Outlines are buffered before they are burnt, so lines and points need one.
        """
        from geo_cluster.suitability import kernels_outlines

        out = np.zeros(window.shape, np.uint8)
        west, south, east, north = grid.bounds(window)
        near = self.tree.query(shapely.box(west - buffer_m, south - buffer_m, east + buffer_m, north + buffer_m))
        shapes = self.shapes[np.sort(near)]
        if buffer_m and shapes.size:
            shapes = shapely.buffer(shapes, buffer_m, quad_segs=QUAD_SEGMENTS)
        shapes = shapes[np.isin(shapely.get_type_id(shapes), AREAS)]
        if shapes.size:
            kernels_outlines.burn(out, grid.at_window(window), *_edges(shapes))
        return out

    @property
    def only_areas(self) -> bool:
        """Whether all of them have an area."""
        return bool(np.isin(shapely.get_type_id(self.shapes), AREAS).all())

    @property
    def some_areas(self) -> bool:
        """Whether any of them has an area."""
        return bool(np.isin(shapely.get_type_id(self.shapes), AREAS).any())

    @cached_property
    def segments(self) -> np.ndarray:
        """(n, 4) every edge, from x, y to x, y; a point is an edge of no length."""
        points = shapely.get_coordinates(self.shapes[shapely.get_type_id(self.shapes) == 0])
        _, x, y = _edges(self.shapes)
        edges = np.column_stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]])
        return np.concatenate([edges, np.column_stack([points, points])])


def _edges(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the edges of each line or area begin (n + 1), and from which x and y to which they run (m, 2)."""
    areas = np.isin(shapely.get_type_id(shapes), AREAS)
    rings, ring_of = shapely.get_rings(shapes[areas], return_index=True)
    lines = np.flatnonzero(np.isin(shapely.get_type_id(shapes), LINES))
    rings = np.concatenate([rings, shapes[lines]])
    ring_of = np.concatenate([np.flatnonzero(areas)[ring_of], lines])
    points, point_of = shapely.get_coordinates(rings, return_index=True)
    inside = np.flatnonzero(point_of[1:] == point_of[:-1])
    inside = inside[np.argsort(ring_of[point_of[inside]], kind="stable")]
    count = np.bincount(ring_of[point_of[inside]], minlength=len(shapes))
    x, y = (np.column_stack([points[inside, axis], points[inside + 1, axis]]) for axis in (0, 1))
    return np.concatenate([[0], np.cumsum(count)]), np.ascontiguousarray(x), np.ascontiguousarray(y)


def opened(name: str, spec: Spec, row: Source) -> Outlines:
    """Outlines of a file or a layer, in the spec's reference system.

    Parameters
    ----------
    name : str
    spec : Spec
    row : Source

    Raises
    ------
    InputError, DataError
        With what makes them unfit.
    """
    if row.layer:
        frame = Layers(spec.layers).read(row.layer)
        place = Place(row.layer, key=name)
    else:
        frame, place = _read(spec.path(row), row), Place(Path(row.file).name, key=name)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Fault("suitability.no_shapes", place))
    if row.crs:
        frame = frame.set_crs(row.crs, allow_override=True)
    if frame.crs is None:
        raise InputError(Fault("suitability.no_crs", place))
    if row.where:
        if row.where.column not in frame:
            known = [str(one) for one in frame.columns if one != frame.geometry.name]
            raise InputError(Fault("suitability.no_such_column", place, column=row.where.column, known=known))
        frame = frame[_counts(frame[row.where.column], row.where)]
    shapes = shapely.force_2d(frame.geometry.dropna().to_crs(spec.grid.crs).to_numpy())
    shapes = shapely.get_parts(shapely.make_valid(shapes))
    shapes = shapely.get_parts(shapes[~shapely.is_empty(shapes)])
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise InputError(Fault("suitability.not_on_grid", place, crs=spec.grid.crs[:80]))
    return Outlines(name, shapes, row)


def _read(path: Path, row: Source) -> Any:
    """A vector file, opened in the box with what belongs to it."""
    if path.is_dir() or not path.exists():
        raise InputError(Fault("common.not_a_file" if path.exists() else "common.no_such_file", path))
    beside = formats.BESIDE.get(path.suffix.lower(), ())
    files = {path.suffix.lower(): door.content_of(path)} | {
        one.suffix.lower(): door.content_of(one)
        for one in sorted(path.parent.iterdir() if beside else ())
        if one.stem.lower() == path.stem.lower() and one.suffix.lower() in beside and one.is_file()
    }
    layers = (row.sheet,) if row.sheet else ()
    read = door.shapes(files, path.name, layers=layers).read
    placed = [frame for frame in read.values() if isinstance(frame, gpd.GeoDataFrame)]
    if len(placed) != 1:
        raise InputError(Fault("suitability.which_layer", Place(path.name), known=list(read)))
    return placed[0]


def _counts(column: Any, tests: Tests) -> np.ndarray:
    """Which rows of a column meet one of the tests."""
    words = {str(one) for one in tests.classes}
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(float)
    out = column.astype(str).isin(words).to_numpy().copy()
    for limit, test in (
        (tests.at_least, np.greater_equal),
        (tests.above, np.greater),
        (tests.at_most, np.less_equal),
        (tests.below, np.less),
    ):
        out |= test(numbers, limit) if limit is not None else False
    return out
