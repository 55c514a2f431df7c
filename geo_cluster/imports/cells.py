"""What a cell says: a number or a range, a day, a unit of an attribute; by `world.sheets`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo_cluster.errors import Fault
from geo_cluster.world import catalog
from geo_cluster.world.sheets import cells, units
from geo_cluster.world.sheets.cells import day
from geo_cluster.world.sheets.words import plain

__all__ = ["day", "plain", "spans", "unit_factor", "units_of"]


def spans(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Read cells like `30`, `1,200` or `25-35`, without units.

    Returns
    -------
    bounds : (n, 3) array
        Low, likely and high; nan where the cell is empty or no number. Of a range, its middle is likely.
    bad : (n,) array of bool
        Which cells are no number, or a range backwards.

    Examples
    --------
    >>> bounds, bad = spans(pd.Series(["1,200", "25-35", "ample"]))
    >>> bounds.tolist()[:2], bad.tolist()
    ([[1200.0, 1200.0, 1200.0], [25.0, 30.0, 35.0]], [False, False, True])
    """
    bounds, bad = np.full((len(column), 3), np.nan), np.zeros(len(column), dtype=bool)
    for k, cell in enumerate(column):
        if cells.is_empty(cell):
            continue
        found = cells.amount(cell)
        if isinstance(found, Fault) or found.low_unit or found.high_unit or found.low > found.high:
            bad[k] = True
            continue
        bounds[k] = found.low, (found.low + found.high) / 2, found.high
    return bounds, bad


def units_of(attribute: str) -> list[str]:
    """The units that are understood for an attribute, its own first."""
    unit, (_, spoken) = catalog.attributes()[attribute].unit, catalog.attributes()[attribute].display_unit()
    return list(dict.fromkeys((spoken.zh, unit.zh, *units.known(unit.zh))))


def unit_factor(attribute: str, unit: str) -> float | None:
    """How many of the attribute's own unit one `unit` is; None when it isn't understood.

    >>> unit_factor("spare_mva", "kva")
    0.001
    """
    own, (times, spoken) = catalog.attributes()[attribute].unit, catalog.attributes()[attribute].display_unit()
    if not unit.strip():
        return None
    for name, factor in ((own.zh, 1.0), (own.en, 1.0), (spoken.zh, 1 / times), (spoken.en, 1 / times)):
        if plain(name).lower().replace(" ", "") == plain(unit).lower().replace(" ", ""):
            return factor
    return units.factor(own.zh, unit)
