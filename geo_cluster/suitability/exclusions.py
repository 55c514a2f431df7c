"""The stack of exclusions on a window: which rule takes a cell first, and what each takes alone and after the others.

Code of a cell: 0 free, n taken by the n-th rule of the declared order, `UNKNOWN` where no rule takes it and one can't
say, `OUTSIDE` beyond the area.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo_cluster.suitability.grid import Grid, Window
from geo_cluster.suitability.sources import Outlines, Raster, Tile
from geo_cluster.suitability.spec import Exclusion, Spec

FREE, UNKNOWN, OUTSIDE = 0, 254, 255

TURNED_ROUND = 0.95
"""A mask that takes more of the land it knows counts as turned round, unless it is meant to."""

Sources = Mapping[str, Raster | Outlines]


class Stack(NamedTuple):
    """What the rules make of a window.

    Parameters
    ----------
    code : (rows, columns) uint8
    counts : (rules, 3) int
        Cells that each takes alone, takes after the ones before it, and can't say of.
    cells : int
        Cells of the area.
    """

    code: np.ndarray
    counts: np.ndarray
    cells: int


def lay(spec: Spec, area: Outlines | None, tile: Tile) -> Stack:
    """Lay all rules of a spec onto a tile.

    Parameters
    ----------
    spec : Spec
    area : Outlines, optional
    tile : Tile
    """
    from geo_cluster.suitability import kernels_rules

    code = np.zeros(tile.window.shape, np.uint8)
    if area is not None:
        code[area.burnt(tile.grid, tile.window, 0.0) == 0] = OUTSIDE
    unknown = np.zeros(code.shape, np.bool_)
    counts = np.zeros((len(spec.exclusions), 3), np.int64)
    cells = int((code != OUTSIDE).sum())
    for number, rule in enumerate(spec.exclusions.values() if cells else ()):
        kernels_rules.stack(code, states_of(rule, tile), number + 1, unknown, counts[number])
    code[unknown & (code == FREE)] = UNKNOWN
    return Stack(code, counts, cells)


def states_of(rule: Exclusion, tile: Tile) -> np.ndarray:
    """State of each cell of a tile under one rule: 0 not taken, 1 taken, 2 unknown.

    Parameters
    ----------
    rule : Exclusion
    tile : Tile
    """
    from geo_cluster.suitability import kernels_rules

    source, metres = tile.sources[rule.source], rule.beyond_m or rule.buffer_m
    if isinstance(source, Outlines):
        inside = source.burnt(tile.grid, tile.window, metres)
        return 1 - inside if rule.beyond_m else inside
    reach, spans = circle_of(rule, tile.grid)
    limits = [np.nan if one is None else float(one) for one in (rule.at_least, rule.above, rule.at_most, rule.below)]
    tests = (*limits, np.array([float(one) for one in rule.classes]))
    stored = None if rule.slope else tile.bytes(rule.source, around=reach)
    if stored is not None:
        states = kernels_rules.looked_up(stored, kernels_rules.judge(source.numbers_of_bytes[None], *tests)[0])
    else:
        states = kernels_rules.judge(tile.numbers(rule.source, slope=rule.slope, around=reach), *tests)
    if not metres:
        return states
    _ignore_beyond(states, tile.grid, tile.window.grown(reach))
    return kernels_rules.spread(states, reach, spans, bool(rule.beyond_m))


def circle_of(rule: Exclusion, grid: Grid) -> tuple[int, np.ndarray]:
    """The circle of a rule's distance, in cells; see `kernels_rules.circle`."""
    from geo_cluster.suitability import kernels_rules

    return kernels_rules.circle(rule.beyond_m or rule.buffer_m, grid.cell_m, of_edge=rule.measured_from == "edge")


def reach_of(spec: Spec, grid: Grid) -> dict[str, int]:
    """How many cells around a tile the rules and criteria want of each source, at most."""
    reach: dict[str, int] = {}
    for rule in spec.exclusions.values():
        cells = (circle_of(rule, grid)[0] if rule.beyond_m or rule.buffer_m else 0) + rule.slope
        reach[rule.source] = max(reach.get(rule.source, 0), cells)
    for one in spec.criteria.values():
        if one.source:
            reach[one.source] = max(reach.get(one.source, 0), int(one.measure == "slope"))
    return reach


def _ignore_beyond(states: np.ndarray, grid: Grid, window: Window) -> None:
    """What isn't known beyond the grid makes nothing within it unknown."""
    within = np.zeros(window.shape, np.bool_)
    rows = slice(max(-window.row, 0), max(grid.rows - window.row, 0))
    within[rows, max(-window.column, 0) : max(grid.columns - window.column, 0)] = True
    if not within.all():
        states[~within & (states == 2)] = 0


def table(spec: Spec, counts: np.ndarray, cells: int, cell_ha: float) -> pd.DataFrame:
    """What each rule takes, in the declared order; shares in percent of the area.

    Parameters
    ----------
    spec : Spec
    counts : (rules, 3) int
        As in `Stack`, of all tiles.
    cells : int
        Of the area.
    cell_ha : float

    Returns
    -------
    DataFrame
        `rule`, `name_zh`, `name_en`; `alone_pct` what it takes by itself, `after_pct` what is left for it after those
        before it, `left_pct` what is then left of the area (its unknown cells included), `unknown_pct` where it can't
        say; `after_ha`.
    """
    share = 100.0 * counts / max(cells, 1)
    left = 100.0 - np.cumsum(share[:, 1]) if len(counts) else np.zeros(0)
    return pd.DataFrame(
        {
            "rule": list(spec.exclusions),
            "name_zh": [rule.name.zh for rule in spec.exclusions.values()],
            "name_en": [rule.name.en for rule in spec.exclusions.values()],
            "alone_pct": share[:, 0],
            "after_pct": share[:, 1],
            "left_pct": left,
            "unknown_pct": share[:, 2],
            "after_ha": counts[:, 1] * cell_ha,
        }
    )


def turned_round(spec: Spec, sources: Sources, counts: np.ndarray, cells: int) -> Sequence[str]:
    """Rules of a raster that take nearly all the land they know of, and aren't meant to.

    Parameters
    ----------
    spec : Spec
    sources : mapping
    counts : (rules, 3) int
        As in `Stack`, of all tiles.
    cells : int
        Of the area.
    """
    known = np.maximum(cells - counts[:, 2], 1) if len(counts) else np.zeros(0)
    return [
        key
        for (key, rule), taken, of in zip(spec.exclusions.items(), counts[:, 0], known, strict=True)
        if isinstance(sources[rule.source], Raster) and taken > TURNED_ROUND * of and not rule.takes_most
    ]
