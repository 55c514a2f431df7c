"""A declared grid: square cells in metres, aligned once to whole multiples of the cell, cut into tiles.

Row 0 is the northernmost. Rows and columns of a window count from the grid's north-west corner, so that whatever is
computed of a cell depends on where it is and never on the tile it was computed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyproj

from geo_cluster.errors import Fault, Place, refuse_if

TILE = 2048
"""Cells along the side of a tile."""
MOST_CELLS = 40_000_000_000
"""More cells than any nation has at 10 m; a grid of more is a slip of the pen."""


@dataclass(frozen=True)
class Window:
    """Some rows and columns of a grid; they may lie beyond it.

    Parameters
    ----------
    row, column : int
        Of the north-west cell.
    rows, columns : int
        How many.
    """

    row: int
    column: int
    rows: int
    columns: int

    def grown(self, cells: int) -> Window:
        """The window and so many cells around it."""
        return Window(self.row - cells, self.column - cells, self.rows + 2 * cells, self.columns + 2 * cells)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    def __str__(self) -> str:
        return f"{self.row}-{self.column}"


@dataclass(frozen=True)
class Grid:
    """Square cells in a coordinate reference system in metres.

    Parameters
    ----------
    crs : str
        Anything that PROJ reads: `EPSG:3035`, WKT, a PROJ string.
    cell_m : float
        Side of a cell.
    west, north : float
        Corner of the grid, metres.
    rows, columns : int
    """

    crs: str
    cell_m: float
    west: float
    north: float
    rows: int
    columns: int

    @classmethod
    def around(cls, bounds: tuple[float, float, float, float], crs: str, cell_m: float) -> Grid:
        """The grid that covers bounds, its lines at whole multiples of the cell.

        Parameters
        ----------
        bounds : (west, south, east, north)
            In `crs`.
        crs : str
        cell_m : float

        Raises
        ------
        InputError
            The system isn't in metres, the cell is no size, or there would be no cell or far too many.
        """
        faults = crs_faults(crs)
        if not 0 < cell_m < math.inf:
            faults.append(Fault("suitability.no_cell", Place("grid", key="cell_m"), cell=cell_m))
        refuse_if(faults)
        west, south = (math.floor(edge / cell_m + 1e-9) for edge in bounds[:2])
        east, north = (math.ceil(edge / cell_m - 1e-9) for edge in bounds[2:])
        rows, columns = north - south, east - west
        if not (rows > 0 and columns > 0 and rows * columns <= MOST_CELLS):
            at = Place("grid", key="bounds")
            refuse_if([Fault("suitability.odd_extent", at, rows=rows, columns=columns, cell=cell_m)])
        return cls(crs, cell_m, west * cell_m, north * cell_m, rows, columns)

    @property
    def whole(self) -> Window:
        """All of it."""
        return Window(0, 0, self.rows, self.columns)

    @property
    def cell_ha(self) -> float:
        """Hectares of a cell."""
        return self.cell_m**2 / 1e4

    def tiles(self, size: int = TILE) -> Iterator[Window]:
        """The windows that it is cut into, row by row."""
        for row in range(0, self.rows, size):
            for column in range(0, self.columns, size):
                yield Window(row, column, min(size, self.rows - row), min(size, self.columns - column))

    def bounds(self, window: Window) -> tuple[float, float, float, float]:
        """West, south, east and north of a window, metres."""
        west, north = self.west + window.column * self.cell_m, self.north - window.row * self.cell_m
        return west, north - window.rows * self.cell_m, west + window.columns * self.cell_m, north

    def transform(self, window: Window) -> Any:
        """The affine transform of a window, as rasterio wants it."""
        from rasterio.transform import from_origin

        west, _, _, north = self.bounds(window)
        return from_origin(west, north, self.cell_m, self.cell_m)

    def at_window(self, window: Window) -> tuple[int, int, float, float, float]:
        """Row, column, west, north and cell of a window, as kernels want it: the corner is the grid's."""
        return window.row, window.column, self.west, self.north, self.cell_m

    def at_lon_lat(self, lon: float, lat: float) -> tuple[int, int]:
        """Row and column of the cell at a place in degrees; it may lie beyond the grid."""
        x, y = pyproj.Transformer.from_crs(4326, self.crs, always_xy=True).transform(lon, lat)
        return self.at(x, y)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the cell at a place in metres."""
        return math.floor((self.north - y) / self.cell_m), math.floor((x - self.west) / self.cell_m)


def crs_faults(crs: str) -> list[Fault]:
    """What is wrong with the coordinate reference system of a grid: unreadable, or not in metres."""
    place = Place("grid", key="crs")
    try:
        found = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return [Fault("suitability.no_such_crs", place, crs=crs[:80])]
    units = {axis.unit_name for axis in found.axis_info[:2]}
    return (
        [] if found.is_projected and units == {"metre"} else [Fault("suitability.not_in_metres", place, crs=crs[:80])]
    )
