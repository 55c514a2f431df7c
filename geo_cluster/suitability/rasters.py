"""Rasters: opened with every fault, read a window of the grid at a time, their numbers checked.

What a file doesn't say, its row has to: coordinate reference system, the number that means unknown, unit of elevations.
Rasterio is imported when needed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyproj

from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.spec import Source
from geo_cluster.supply.raster import DRIVERS

FEET = {"ft", "foot", "feet", "us-ft", "us survey foot", "us survey feet", "foot_us", "ft_us"}
METRES = {"m", "metre", "meter", "metres", "meters"}
FOOT_M = 0.3048
LOWEST_M, HIGHEST_M = -500.0, 8849.0
"""No ground is lower or higher; a number beyond is in feet, or a code for unknown that isn't said to be one."""
DRIVER_OF = {**DRIVERS, ".zarr": "Zarr"}
FINEST = 16
"""A cell's mean is taken over at most so many points along each side."""
BEYOND = 256
"""Stands for a pixel outside the file, where the others are bytes."""


@lru_cache(maxsize=256)
def _same_crs(one: str, other: str) -> bool:
    return pyproj.CRS.from_user_input(one).equals(pyproj.CRS.from_user_input(other), ignore_axis_order=True)


@dataclass(frozen=True)
class Raster:
    """A raster that was found fit; each process opens it once, and its threads read it in turn.

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
    is_bytes : bool
        Whether its pixels are stored as bytes.
    scale, offset : float
        What the file says of its stored pixels.
    is_overview : bool
        Whether larger cells may be read from its overviews, or from one pixel in so many: quick, and not exact.
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
    is_bytes: bool = False
    scale: float = 1.0
    offset: float = 0.0
    is_overview: bool = False

    def read(self, grid: Grid, window: Window) -> np.ndarray:
        """Numbers at the cells of a window of the grid, nan where unknown.

        Raises
        ------
        InputError
            The file can't be read there, or says what its row excludes: a class not in the legend, an elevation that
            no ground has.
        """
        from geo_cluster.suitability import kernels_rasters

        found = self._aligned(grid, window)
        if found is not None:
            return found
        u, v = self._lattice(grid, window)
        left, top = math.floor(u.min()) - 2, math.floor(v.min()) - 2
        right, bottom = math.ceil(u.max()) + 3, math.ceil(v.max()) + 3
        in_cell = self._pixels_in_cell(grid)
        skip = max(math.floor(in_cell + 1e-6), 1) if self.is_overview else 1
        left, top, right, bottom = (
            left // skip * skip,
            top // skip * skip,
            -(-right // skip) * skip,
            -(-bottom // skip) * skip,
        )
        left, right = (int(one) for one in np.clip([left, right], 0, self.shape[1]))
        top, bottom = (int(one) for one in np.clip([top, bottom], 0, self.shape[0]))
        if right <= left or bottom <= top:
            return np.full(window.shape, np.nan, self.dtype)
        pixels = self._pixels(top, left, bottom, right, skip)
        parts = 1
        if self.row.resampling == "average":
            parts = min(max(math.ceil(in_cell / skip - 1e-6), 1), FINEST)
        smooth = self.row.resampling == "bilinear"
        at = (window.row, window.column, *window.shape)
        return kernels_rasters.sample(pixels, (top // skip, left // skip), u / skip, v / skip, at, parts, smooth)

    def _aligned(self, grid: Grid, window: Window) -> np.ndarray | None:
        """The pixels themselves, where they are the cells of the grid."""
        found = self._on_cells(grid, window)
        if found is None:
            return None
        part, at = found
        out = np.full(window.shape, np.nan, self.dtype)
        if part is not None:
            out[at] = self._pixels(*part)
        return out

    def bytes(self, grid: Grid, window: Window) -> np.ndarray | None:
        """Pixels at the cells of a window as they stand in the file, `BEYOND` outside it.

        None where the pixels aren't bytes, or not the cells of the grid; else `numbers_of_bytes` says what they mean.
        """
        from geo_cluster.suitability import kernels_rasters

        found = self._on_cells(grid, window) if self.is_bytes else None
        if found is None:
            return None
        part, at = found
        out = np.full(window.shape, BEYOND, np.uint16)
        if part is not None:
            stored = self._stored(*part)
            self._check(self.numbers_of_bytes[kernels_rasters.bytes_there(stored)])
            out[at] = stored
        return out

    @cached_property
    def numbers_of_bytes(self) -> np.ndarray:
        """(257,) the number that each byte stands for, nan where unknown and beyond the file."""
        every = np.arange(BEYOND + 1, dtype=np.uint16)
        out = self._numbers(every[None])[0].astype(self.dtype)
        out[BEYOND] = np.nan
        return out

    def _on_cells(self, grid: Grid, window: Window) -> tuple[tuple[int, int, int, int] | None, Any] | None:
        """Which of its pixels are cells of a window (top, left, bottom, right), and where; None if none can be."""
        a, b, c, d, e, f = self.transform
        if b or d or a != grid.cell_m or e != -grid.cell_m or not _same_crs(self.crs, grid.crs):
            return None
        column, row = (grid.west - c) / a + window.column, (f - grid.north) / a + window.row
        left, top = round(column), round(row)
        if abs(column - left) > 1e-6 or abs(row - top) > 1e-6:
            return None
        first, last = max(top, 0), min(top + window.rows, self.shape[0])
        begin, end = max(left, 0), min(left + window.columns, self.shape[1])
        if first >= last or begin >= end:
            return None, ()
        return (first, begin, last, end), (slice(first - top, last - top), slice(begin - left, end - left))

    def _lattice(self, grid: Grid, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of the raster at every so many cells of the grid."""
        from geo_cluster.suitability.kernels_rasters import LATTICE

        rows = np.arange(window.row // LATTICE, (window.row + window.rows) // LATTICE + 2) * LATTICE
        columns = np.arange(window.column // LATTICE, (window.column + window.columns) // LATTICE + 2) * LATTICE
        return self._positions(grid, *np.meshgrid(columns, rows))

    def _positions(self, grid: Grid, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of the raster, in pixels from its corner, at places of the grid in cells from its."""
        x, y = grid.west + columns * grid.cell_m, grid.north - rows * grid.cell_m
        if not _same_crs(self.crs, grid.crs):
            move = pyproj.Transformer.from_crs(grid.crs, self.crs, always_xy=True)
            x, y = move.transform(x, y)
        a, b, c, d, e, f = self.transform
        turn = a * e - b * d
        u, v = (e * (x - c) - b * (y - f)) / turn, (a * (y - f) - d * (x - c)) / turn
        return u, v

    def _pixels_in_cell(self, grid: Grid) -> float:
        from geo_cluster.suitability.kernels_rasters import LATTICE

        u, v = self._lattice(grid, Window(grid.rows // 2, grid.columns // 2, 1, 1))
        return max(abs(u[0, 1] - u[0, 0]), abs(v[1, 0] - v[0, 0])) / LATTICE

    def _pixels(self, top: int, left: int, bottom: int, right: int, skip: int = 1) -> np.ndarray:
        """Pixels as numbers, nan where unknown; one in place of so many by so many."""
        found = self._numbers(self._stored(top, left, bottom, right, skip))
        self._check(found)
        return found.astype(self.dtype, copy=False)

    def _stored(self, top: int, left: int, bottom: int, right: int, skip: int = 1) -> np.ndarray:
        """Pixels as they stand in the file, or in its overviews."""
        from rasterio.enums import Resampling
        from rasterio.errors import RasterioError

        try:
            file, lock = self._file
            with lock:
                area = ((top, bottom), (left, right))
                if skip == 1:
                    return np.asarray(file.read(self.row.band, window=area))
                shape = (-(-(bottom - top) // skip), -(-(right - left) // skip))
                how = Resampling.nearest if self.row.resampling == "nearest" else Resampling.average
                return np.asarray(file.read(self.row.band, window=area, out_shape=shape, resampling=how))
        except (RasterioError, OSError) as problem:
            raise InputError(Fault("suitability.unreadable_here", self.path, reason=_cause(problem))) from None

    def _numbers(self, part: np.ndarray) -> np.ndarray:
        """What stored pixels mean, in the unit that is meant; nan where unknown."""
        from geo_cluster.suitability import kernels_rasters

        nodata = np.nan if self.nodata is None else self.nodata
        found = kernels_rasters.numbers(part, nodata, np.dtype(self.dtype).type(np.nan))
        if (self.scale, self.offset) != (1.0, 0.0):
            found = found * self.scale + self.offset
        if self.times != 1.0:
            found *= self.times
        return found

    @cached_property
    def _file(self) -> tuple[Any, threading.Lock]:
        """The open file, whose blocks GDAL keeps for the next window, and the lock of who reads it."""
        import rasterio

        return rasterio.open(self.path, driver=self.driver), threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_file"}

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


def opened(name: str, path: Path, row: Source, *, is_height: bool) -> Raster:
    """A raster whose file and row say all that has to be known.

    Parameters
    ----------
    name : str
    path : Path
    row : Source
    is_height : bool
        Whether its numbers are elevations.

    Raises
    ------
    InputError
        With every fault.
    """
    import rasterio
    from rasterio.errors import RasterioError

    driver = DRIVER_OF[path.suffix.lower()]
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
                dtype == "uint8",
                file.scales[row.band - 1],
                file.offsets[row.band - 1],
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


def _cause(problem: Exception) -> str:
    """The first line of what a library says."""
    return (str(problem.__cause__ or problem) or type(problem).__name__).splitlines()[0][:200]
