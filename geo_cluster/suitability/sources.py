"""Rasters and outlines brought onto the grid, or refused with every fault at once.

What a file doesn't say, its row has to: coordinate reference system, the number that means unknown, unit of elevations.
Rasters are read a window at a time; outlines are read once. Rasterio is imported when needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo_cluster.box import door, formats
from geo_cluster.errors import DataError, Fault, InputError, Place, refuse_if
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.spec import Source, Spec, Tests
from geo_cluster.supply.raster import DRIVERS
from geo_cluster.world.layers import Layers

FEET = {"ft", "foot", "feet", "us-ft", "us survey foot", "us survey feet", "foot_us", "ft_us"}
METRES = {"m", "metre", "meter", "metres", "meters"}
FOOT_M = 0.3048
LOWEST_M, HIGHEST_M = -500.0, 8849.0
"""No ground is lower or higher; a number beyond is in feet, or a code for unknown that isn't said to be one."""
RASTERS = {**DRIVERS, ".zarr": "Zarr"}
AREAS, LINES = (3, 6), (1, 2, 5)
"""Kinds of geometry, as shapely numbers them."""
FINEST = 16
"""A cell's mean is taken over at most so many points along each side."""
QUAD_SEGMENTS = 30
"""Straight pieces that a quarter of a buffer's circle is drawn with, as OGR draws it."""


@lru_cache(maxsize=256)
def _same_crs(one: str, other: str) -> bool:
    return pyproj.CRS.from_user_input(one).equals(pyproj.CRS.from_user_input(other), ignore_axis_order=True)


@dataclass(frozen=True)
class Raster:
    """A raster that was found fit; it is opened anew for each window, so that any thread or worker may.

    Parameters
    ----------
    name : str
        Of the source.
    path, driver : str
    crs : str
        WKT.
    transform : tuple of six floats
        Affine, as GDAL has it in rasterio's order.
    shape : (int, int)
    nodata : float, optional
        None where every pixel is known.
    row : Source
    times : float
        What brings its numbers to the unit that is meant.
    dtype : str
        Type its numbers are worked with.
    is_height : bool
        Whether its numbers are elevations.
    """

    name: str
    path: str
    driver: str
    crs: str
    transform: tuple[float, float, float, float, float, float]
    shape: tuple[int, int]
    nodata: float | None
    row: Source
    times: float
    dtype: str
    is_height: bool = False

    def read(self, grid: Grid, window: Window) -> np.ndarray:
        """Numbers at the cells of a window of the grid, nan where unknown.

        Raises
        ------
        InputError
            The file can't be read there, or says what its row excludes: a class not in the legend, an elevation that
            no ground has.
        """
        from geo_cluster.suitability import kernels

        found = self._aligned(grid, window)
        if found is not None:
            return found
        u, v = self._lattice(grid, window)
        left, top = math.floor(u.min()) - 2, math.floor(v.min()) - 2
        right, bottom = math.ceil(u.max()) + 3, math.ceil(v.max()) + 3
        left, right = np.clip([left, right], 0, self.shape[1])
        top, bottom = np.clip([top, bottom], 0, self.shape[0])
        if right <= left or bottom <= top:
            return np.full(window.shape, np.nan, self.dtype)
        pixels = self._pixels(int(top), int(left), int(bottom), int(right))
        parts = 1
        if self.row.resampling == "average":
            parts = min(max(math.ceil(self._pixels_in_cell(grid) - 1e-6), 1), FINEST)
        smooth = self.row.resampling == "bilinear"
        at = (window.row, window.column, *window.shape)
        return kernels.sample(pixels, (int(top), int(left)), u, v, at, parts, smooth)

    def _aligned(self, grid: Grid, window: Window) -> np.ndarray | None:
        """The pixels themselves, where they are the cells of the grid."""
        a, b, c, d, e, f = self.transform
        if b or d or a != grid.cell_m or e != -grid.cell_m or not self._same_crs(grid.crs):
            return None
        column, row = (grid.west - c) / a + window.column, (f - grid.north) / a + window.row
        left, top = round(column), round(row)
        if abs(column - left) > 1e-6 or abs(row - top) > 1e-6:
            return None
        out = np.full(window.shape, np.nan, self.dtype)
        first, last = max(top, 0), min(top + window.rows, self.shape[0])
        begin, end = max(left, 0), min(left + window.columns, self.shape[1])
        if first < last and begin < end:
            out[first - top : last - top, begin - left : end - left] = self._pixels(first, begin, last, end)
        return out

    def _same_crs(self, crs: str) -> bool:
        return _same_crs(self.crs, crs)

    def _lattice(self, grid: Grid, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of the raster at every so many cells of the grid."""
        from geo_cluster.suitability.kernels import LATTICE

        rows = np.arange(window.row // LATTICE, (window.row + window.rows) // LATTICE + 2) * LATTICE
        columns = np.arange(window.column // LATTICE, (window.column + window.columns) // LATTICE + 2) * LATTICE
        return self._positions(grid, *np.meshgrid(columns, rows))

    def _positions(self, grid: Grid, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of the raster, in pixels from its corner, at places of the grid in cells from its."""
        x, y = grid.west + columns * grid.cell_m, grid.north - rows * grid.cell_m
        if not self._same_crs(grid.crs):
            move = pyproj.Transformer.from_crs(grid.crs, self.crs, always_xy=True)
            x, y = move.transform(x, y)
        a, b, c, d, e, f = self.transform
        turn = a * e - b * d
        u, v = (e * (x - c) - b * (y - f)) / turn, (a * (y - f) - d * (x - c)) / turn
        return u, v

    def _pixels_in_cell(self, grid: Grid) -> float:
        from geo_cluster.suitability.kernels import LATTICE

        u, v = self._lattice(grid, Window(grid.rows // 2, grid.columns // 2, 1, 1))
        return max(abs(u[0, 1] - u[0, 0]), abs(v[1, 0] - v[0, 0])) / LATTICE

    def _pixels(self, top: int, left: int, bottom: int, right: int) -> np.ndarray:
        """Pixels as numbers, nan where unknown."""
        import rasterio
        from rasterio.errors import RasterioError

        from geo_cluster.suitability import kernels

        try:
            with rasterio.open(self.path, driver=self.driver) as file:
                part = file.read(self.row.band, window=((top, bottom), (left, right)))
                scale, offset = file.scales[self.row.band - 1], file.offsets[self.row.band - 1]
        except (RasterioError, OSError) as problem:
            raise InputError(Fault("suitability.unreadable_here", self.path, reason=_cause(problem))) from None
        found = kernels.numbers(part, np.nan if self.nodata is None else self.nodata, np.dtype(self.dtype).type(np.nan))
        if (scale, offset) != (1.0, 0.0):
            found = found * scale + offset
        if self.times != 1.0:
            found *= self.times
        self._check(found)
        return found.astype(self.dtype, copy=False)

    def _check(self, found: np.ndarray) -> None:
        """Refuse classes that the legend hasn't, and heights that no ground has."""
        known = found[~np.isnan(found)] if self.row.legend or self.is_height else found[:0]
        if self.row.legend:
            odd = known[~np.isin(known, np.asarray(self.row.legend, dtype=self.dtype))]
            if odd.size:
                classes = [f"{one:g}" for one in np.unique(odd)[:10]]
                raise InputError(Fault("suitability.class_not_in_legend", self.place, classes=classes))
        if self.is_height and known.size and not (known.min() >= LOWEST_M and known.max() <= HIGHEST_M):
            low, high = float(known.min()), float(known.max())
            raise InputError(Fault("suitability.no_such_height", self.place, low=low, high=high))

    def misses(self, grid: Grid) -> bool:
        """Whether no part of it lies on the grid."""
        rows, columns = np.linspace(0, grid.rows, 33), np.linspace(0, grid.columns, 33)
        u, v = self._positions(grid, *np.meshgrid(columns, rows))
        inside = np.isfinite(u) & np.isfinite(v)
        if not inside.any():
            return True
        u, v = u[inside], v[inside]
        return bool(u.max() <= 0 or v.max() <= 0 or u.min() >= self.shape[1] or v.min() >= self.shape[0])

    @property
    def place(self) -> Place:
        """Where a fault of it is."""
        return Place(Path(self.path).name, key=self.name)


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
        from geo_cluster.suitability import kernels

        out = np.zeros(window.shape, np.uint8)
        west, south, east, north = grid.bounds(window)
        near = self.tree.query(shapely.box(west - buffer_m, south - buffer_m, east + buffer_m, north + buffer_m))
        shapes = self.shapes[np.sort(near)]
        if buffer_m and shapes.size:
            shapes = shapely.buffer(shapes, buffer_m, quad_segs=QUAD_SEGMENTS)
        shapes = shapes[np.isin(shapely.get_type_id(shapes), AREAS)]
        if shapes.size:
            kernels.burn(out, grid.at_window(window), *_edges(shapes))
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


class Tile:
    """A window of a grid with what its sources say there, each read once.

    Parameters
    ----------
    grid : Grid
    window : Window
    sources : mapping
        By name.
    reach : mapping of int
        How many cells around the window are wanted of each raster, at most.
    """

    def __init__(
        self, grid: Grid, window: Window, sources: Mapping[str, Raster | Outlines], reach: Mapping[str, int]
    ) -> None:
        self.grid, self.window, self.sources = grid, window, sources
        self._reach = reach
        self._kept: dict[tuple[str, bool], np.ndarray] = {}

    @property
    def at(self) -> tuple[int, int, float, float, float]:
        """Where it lies, as kernels want it."""
        return self.grid.at_window(self.window)

    def numbers(self, name: str, *, slope: bool = False, around: int = 0) -> np.ndarray:
        """Numbers of a raster, or the slope in percent of an elevation; nan where unknown.

        Parameters
        ----------
        name : str
        slope : bool
        around : int
            So many cells around the window belong to it.
        """
        from geo_cluster.suitability import kernels

        raster, most = self.sources[name], self._reach.get(name, 0)
        assert isinstance(raster, Raster)  # as `screen.ready` saw to
        if (name, slope) not in self._kept:
            if slope:
                heights = self.numbers(name, around=most)
                self._kept[name, slope] = kernels.slope(heights, self.grid.cell_m)
            else:
                self._kept[name, slope] = raster.read(self.grid, self.window.grown(most))
        cut = most - around - (1 if slope else 0)
        kept = self._kept[name, slope]
        return np.ascontiguousarray(kept[cut : kept.shape[0] - cut, cut : kept.shape[1] - cut]) if cut else kept


def opened(spec: Spec, grid: Grid | None, names: set[str]) -> dict[str, Raster | Outlines]:
    """The sources of a spec by name, fit for use.

    Parameters
    ----------
    spec : Spec
    grid : Grid, optional
        Where there is none yet, outlines come in the spec's reference system and nothing is held against the area.
    names : set of str
        Those that are wanted.

    Raises
    ------
    InputError, DataError
        With every fault of every one.
    """
    found: dict[str, Raster | Outlines] = {}
    faults: list[Fault] = []
    heights = {rule.source for rule in spec.exclusions.values() if rule.slope}
    heights |= {one.source for one in spec.criteria.values() if one.measure == "slope"}
    for name in [one for one in spec.sources if one in names]:
        row = spec.sources[name]
        try:
            if Path(row.file).suffix.lower() in RASTERS:
                found[name] = _raster(name, spec.path(row), row, is_height=name in heights)
            else:
                found[name] = _outlines(name, spec, row)
            raster = found[name]
            if grid and isinstance(raster, Raster) and raster.misses(grid):
                raise InputError(Fault("suitability.no_overlap", raster.place))
        except (InputError, DataError) as refusal:
            faults += refusal.faults
    refuse_if(faults)
    return found


def _raster(name: str, path: Path, row: Source, *, is_height: bool) -> Raster:
    import rasterio
    from rasterio.errors import RasterioError

    driver = RASTERS[path.suffix.lower()]
    if not path.exists():
        raise InputError(Fault("common.no_such_file", path))
    try:
        with rasterio.open(path, driver=driver) as file:
            refuse_if(list(_raster_faults(name, path, row, file)))
            crs = file.crs.to_wkt() if file.crs and not row.crs else pyproj.CRS.from_user_input(row.crs).to_wkt()
            nodata = file.nodatavals[row.band - 1] if row.nodata is None else row.nodata
            unit = (row.unit or file.units[row.band - 1] or "m").lower()
            if is_height and unit not in FEET | METRES:
                raise InputError(Fault("suitability.odd_unit", Place(path.name, key=name), unit=unit))
            dtype = file.dtypes[row.band - 1]
            return Raster(
                name,
                str(path),
                driver,
                crs,
                tuple(file.transform)[:6],
                file.shape,
                None if nodata == "none" else float(nodata),
                row,
                FOOT_M if is_height and unit in FEET else 1.0,
                "float32" if dtype in ("uint8", "int8", "int16", "uint16", "float32") else "float64",
                is_height,
            )
    except (RasterioError, OSError) as problem:
        raise InputError(Fault("supply.raster_unreadable", path, reason=_cause(problem))) from None


def _raster_faults(name: str, path: Path, row: Source, file: Any) -> Iterator[Fault]:
    place = Place(path.name, key=name)
    if row.band not in file.indexes:
        yield Fault("supply.raster_without_band", path, band=row.band, known=list(file.indexes))
        return
    if file.crs is None and not row.crs:
        yield Fault("suitability.no_crs", place)
    if row.crs:
        try:
            pyproj.CRS.from_user_input(row.crs)
        except pyproj.exceptions.CRSError:
            yield Fault("suitability.no_such_crs", place, crs=row.crs[:80])
    if file.transform.is_identity:
        yield Fault("suitability.lies_nowhere", place)
    if row.nodata is None and file.nodatavals[row.band - 1] is None:
        yield Fault("suitability.no_nodata", place)
    if file.dtypes[row.band - 1].startswith("complex"):
        yield Fault("suitability.complex_numbers", place)


def _outlines(name: str, spec: Spec, row: Source) -> Outlines:
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


def _cause(problem: Exception) -> str:
    """The first line of what a library says."""
    return (str(problem.__cause__ or problem) or type(problem).__name__).splitlines()[0][:200]
