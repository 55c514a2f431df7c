"""What a cell says: a number or a range, a day, a unit."""

from __future__ import annotations

import datetime
import re
import unicodedata

import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.world import catalog

_SPAN = re.compile(r"^(-?\d+(?:\.\d+)?)(?:\s*(?:-|–|—|~|至|to)\s*(\d+(?:\.\d+)?))?$")
_DAY = re.compile(r"^((?:19|20)\d\d)(?:\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})日?|月?)|年?)$")


def plain(text: object) -> str:
    """Full-width letters, digits and punctuation as half-width ones (NFKC), trimmed.

    >>> plain(" ３０－３５ ")
    '30-35'
    """
    return unicodedata.normalize("NFKC", str(text)).strip()


def spans(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Read cells like `30`, `1,200` or `25-35`.

    Returns
    -------
    bounds : (n, 3) array
        Low, likely and high; nan where the cell is empty or no number. Of a range, its middle is likely.
    bad : (n,) array of bool
        Which cells are no number.

    Examples
    --------
    >>> bounds, bad = spans(pd.Series(["1,200", "25-35", "ample"]))
    >>> bounds.tolist()[:2], bad.tolist()
    ([[1200.0, 1200.0, 1200.0], [25.0, 30.0, 35.0]], [False, False, True])
    """
    bounds, bad = np.full((len(column), 3), np.nan), np.zeros(len(column), dtype=bool)
    for k, cell in enumerate(column):
        if cell == "":
            continue
        found = _SPAN.match(plain(cell).replace(",", ""))
        if not found:
            bad[k] = True
            continue
        low = float(found[1])
        high = float(found[2]) if found[2] else low
        bounds[k] = low, (low + high) / 2, high
    return bounds, bad


def day(text: str) -> str | None:
    """A year, month or day as `2026`, `2026-06` or `2026-06-15`; None when it is none of them.

    >>> day("2026年6月"), day("2026-13")
    ('2026-06', None)
    """
    found = _DAY.match(plain(text))
    if not found:
        return None
    parts = [found[1]] + [f"{int(part):02d}" for part in found.groups()[1:] if part]
    try:
        datetime.date(*(int(part) for part in [*parts, "1", "1"][:3]))
    except ValueError:
        return None
    return "-".join(parts)


def units_of(attribute: str) -> dict[str, float]:
    """The units that are understood for an attribute: how many of its own unit one of each is."""
    known = toml.table("imports")["units"].get(attribute, {})
    unit, (times, spoken) = catalog.attributes()[attribute].unit, catalog.attributes()[attribute].display_unit()
    own = {unit.zh: 1.0, unit.en: 1.0, spoken.zh: 1 / times, spoken.en: 1 / times}
    return known | {name: factor for name, factor in own.items() if name not in known}


def unit_factor(attribute: str, unit: str) -> float | None:
    """How many of the attribute's own unit one `unit` is; None when it isn't understood.

    >>> unit_factor("spare_mva", "kva")
    0.001
    """
    factors = {plain(name).lower().replace(" ", ""): factor for name, factor in units_of(attribute).items()}
    return factors.get(plain(unit).lower().replace(" ", ""))
