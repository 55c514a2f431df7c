"""A spec made ready: one window in, its answer out; and the story of one cell.

The same for a tile of a province on a worker and for an overview on the screen: only the grid differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.suitability import criteria, exclusions
from geo_cluster.suitability.exclusions import FREE, UNKNOWN, Sources, Stack
from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.outlines import Outlines
from geo_cluster.suitability.rasters import Raster
from geo_cluster.suitability.sources import Tile, opened
from geo_cluster.suitability.spec import Spec


@dataclass(frozen=True, eq=False)
class Part:
    """What a window came to.

    Parameters
    ----------
    window : Window
    stack : Stack
        Codes and counts of the exclusions.
    valued : (criteria, n) array
        Values of the cells that are free or where one can't say.
    """

    window: Window
    stack: Stack
    valued: np.ndarray

    def scores(self, weight: np.ndarray) -> criteria.Scores:
        """Scores under weights that sum to 1 (`criteria.weights`): what a moved slider asks for."""
        return criteria.scores(self.stack.code, self.valued, weight)

    def bands(self, weight: np.ndarray) -> np.ndarray:
        """(3, rows, columns) the same in one array."""
        return criteria.bands(self.stack.code, self.valued, weight)


@dataclass(frozen=True, eq=False)
class Screen:
    """A spec with its sources opened on its grid; it can be sent to a worker.

    Parameters
    ----------
    spec : Spec
    grid : Grid
    sources : mapping
    area : Outlines, optional
    roads : Roads, optional
    """

    spec: Spec
    grid: Grid
    sources: Sources
    area: Outlines | None
    roads: criteria.Roads | None

    @cached_property
    def weight(self) -> np.ndarray:
        """Weights that sum to 1."""
        return criteria.weights(self.spec)

    def tile(self, window: Window) -> Tile:
        """What the sources say in a window, read as it is asked for."""
        return Tile(self.grid, window, self.sources, exclusions.reach_of(self.spec, self.grid))

    def part(self, window: Window) -> Part:
        """What a window comes to; the whole grid (`grid.whole`) where it is small."""
        tile = self.tile(window)
        stack = exclusions.lay(self.spec, self.area, tile)
        open_ = (stack.code == FREE) | (stack.code == UNKNOWN)
        valued = np.zeros((len(self.spec.criteria), 0), np.float32)
        if open_.any():
            valued = criteria.values(self.spec, self.roads, tile, open_)
        return Part(window, stack, valued)

    def coarser(self, cell_m: float) -> Screen:
        """The same with larger cells, its rasters read from their overviews: for a look, not for the answer."""
        found = ready(self.spec.of_grid(cell_m=cell_m))
        sources = {
            name: replace(one, is_overview=True) if isinstance(one, Raster) else one
            for name, one in found.sources.items()
        }
        return replace(found, sources=sources)

    def story(self, lon: float, lat: float) -> dict[str, Any]:
        """What is known of the cell at a place in degrees.

        Returns
        -------
        dict
            `row`, `column`, `code`; `rules`: state by rule (0 not taken, 1 taken, 2 unknown); `numbers`, `values` and
            `points` by criterion, nan where unknown; `score`, `low`, `high`, nan for none.

        Raises
        ------
        InputError
            The place lies outside the grid.
        """
        row, column = self.grid.at_lon_lat(lon, lat)
        if not (0 <= row < self.grid.rows and 0 <= column < self.grid.columns):
            raise InputError(Fault("suitability.beyond_the_grid", Place(f"{lon:.5f}, {lat:.5f}")))
        window = Window(row, column, 1, 1)
        code = self.part(window).stack.code
        rules = {
            key: int(exclusions.states_of(rule, self.tile(window))[0, 0]) for key, rule in self.spec.exclusions.items()
        }
        here = np.ones((1, 1), bool)
        measured = criteria.natural(self.spec, self.roads, self.tile(window), here)
        valued = criteria.values(self.spec, self.roads, self.tile(window), here)
        ends = criteria.scores(code, valued if code[0, 0] in (FREE, UNKNOWN) else valued[:, :0], self.weight)
        points = [np.nan if one[0, 0] == criteria.NO_SCORE else one[0, 0] / criteria.HUNDREDTHS for one in ends]
        return {
            "row": row,
            "column": column,
            "code": int(code[0, 0]),
            "rules": rules,
            "numbers": {key: float(one[0]) for key, one in measured.items()},
            "values": dict(zip(measured, valued[:, 0].tolist(), strict=True)),
            "points": dict(zip(measured, (100 * self.weight * valued[:, 0]).tolist(), strict=True)),
            **dict(zip(("score", "low", "high"), points, strict=True)),
        }


def ready(spec: Spec) -> Screen:
    """Open everything that a spec names.

    Raises
    ------
    InputError, DataError
        With every fault of the grid and of all sources.
    """
    used = {rule.source for rule in spec.exclusions.values()} | {one.source for one in spec.criteria.values()}
    area = opened(spec, None, {spec.grid.area}).get(spec.grid.area) if spec.grid.area else None
    if area is not None and not isinstance(area, Outlines):
        raise InputError(Fault("suitability.area_is_no_outline", area.place))
    bounds = spec.grid.bounds
    if bounds is None and area is not None:
        if not len(area.shapes):
            raise InputError(Fault("suitability.area_is_no_outline", Place(area.name)))
        bounds = tuple(shapely.total_bounds(area.shapes).tolist())
    assert bounds is not None  # a spec has one or the other
    grid = Grid.around(bounds, spec.grid.crs, spec.grid.cell_m)
    sources = opened(spec, grid, used)
    refuse_if(list(_misfits(spec, sources)))
    return Screen(spec, grid, sources, area, criteria.roads_of(spec))


def _misfits(spec: Spec, sources: Sources) -> Iterator[Fault]:
    """Rules and criteria that ask of a raster what only outlines have, or the other way round."""
    for key, rule in spec.exclusions.items():
        place, source = Place("exclusions", key=key), sources[rule.source]
        if isinstance(source, Outlines):
            if rule.tested or rule.slope:
                yield Fault("suitability.rule_tests_outlines", place, source=rule.source)
            if not (source.only_areas or rule.buffer_m or rule.beyond_m):
                yield Fault("suitability.needs_a_buffer", place, source=rule.source)
        elif not rule.tested:
            yield Fault("suitability.rule_tests_nothing", place, source=rule.source)
    for key, one in spec.criteria.items():
        if not one.source:
            continue
        place, source = Place("criteria", key=key), sources[one.source]
        if isinstance(source, Outlines) and one.measure != "distance_km":
            yield Fault("suitability.number_of_outlines", place, source=one.source, measure=one.measure)
        elif isinstance(source, Outlines) and not len(source.shapes):
            yield Fault("suitability.nothing_to_reach", place, source=one.source)
        elif not isinstance(source, Outlines) and one.measure == "distance_km":
            yield Fault("suitability.distance_to_raster", place, source=one.source)
