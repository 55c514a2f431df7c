"""The sources of a spec, opened or refused with every fault at once; what they say in a window, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from geo_cluster.errors import DataError, Fault, InputError, refuse_if
from geo_cluster.suitability import outlines, rasters
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.outlines import Outlines
from geo_cluster.suitability.rasters import Raster
from geo_cluster.suitability.spec import Spec


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
        self._bytes: dict[str, np.ndarray | None] = {}

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
        from geo_cluster.suitability import kernels_rules

        stored = None if slope else self.bytes(name, around=around)
        if stored is not None:
            return np.asarray(self._raster(name).numbers_of_bytes[stored])
        most = self._reach.get(name, 0)
        if (name, slope) not in self._kept:
            if slope:
                heights = self.numbers(name, around=most)
                self._kept[name, slope] = kernels_rules.slope(heights, self.grid.cell_m)
            else:
                self._kept[name, slope] = self._raster(name).read(self.grid, self.window.grown(most))
        return _without_rim(self._kept[name, slope], most - around - (1 if slope else 0))

    def bytes(self, name: str, *, around: int = 0) -> np.ndarray | None:
        """Stored pixels of a raster of bytes that lies on the cells of the grid; None for any other."""
        most = self._reach.get(name, 0)
        if name not in self._bytes:
            self._bytes[name] = self._raster(name).bytes(self.grid, self.window.grown(most))
        kept = self._bytes[name]
        return None if kept is None else _without_rim(kept, most - around)

    def _raster(self, name: str) -> Raster:
        raster = self.sources[name]
        assert isinstance(raster, Raster)  # as `screen.ready` saw to
        return raster


def _without_rim(kept: np.ndarray, cells: int) -> np.ndarray:
    """The array without so many cells along each side; a view."""
    return kept[cells : kept.shape[0] - cells, cells : kept.shape[1] - cells]


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
            if Path(row.file).suffix.lower() in rasters.DRIVER_OF:
                found[name] = rasters.opened(name, spec.path(row), row, is_height=name in heights)
            else:
                found[name] = outlines.opened(name, spec, row)
            raster = found[name]
            if grid and isinstance(raster, Raster) and raster.misses(grid):
                raise InputError(Fault("suitability.no_overlap", raster.place))
        except (InputError, DataError) as refusal:
            faults += refusal.faults
    refuse_if(faults)
    return found
