"""晋档补差: what a firm's yearly revenue is paid when it first passes a tier, and the difference when it passes more.

Arrays are firms × years × (low, likely, high). A path of revenue between its bounds is paid, up to a year, between what
the low and the high path are paid, so the bounds of one year are differences of these; where it is not known which
tiers a firm passed before, they are the widest of all that may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LOW, LIKELY, HIGH = range(3)
ENDS = 3


@dataclass(frozen=True, eq=False)
class Paid:
    """What firms are paid.

    Attributes
    ----------
    by_year : (F, Y, 3) array
        Bounds of each year, 10,000 yuan; the likely one is nan where tiers passed before are not known.
    in_all : (F, 3) array
        Bounds of the sum over all years; tighter than the sums of the bounds.
    tier : (F, Y, 3) array of int
        Tiers passed by the end of each year.
    is_open : (F,) array of bool
        Whether it is not known which tiers a firm passed before.
    """

    by_year: np.ndarray
    in_all: np.ndarray
    tier: np.ndarray
    is_open: np.ndarray


def projected(revenue: np.ndarray, growth: np.ndarray) -> np.ndarray:
    """Revenue of the years after the last known one at a constant growth.

    Parameters
    ----------
    revenue : (F, Y, 3) array
        Nan where unknown.
    growth : (F, 3) array
        A year, as a share; nan where unknown: nothing is projected then.

    Examples
    --------
    >>> known = np.full((1, 3, 3), np.nan)
    >>> known[0, 0] = 100
    >>> projected(known, np.array([[0.0, 0.1, 0.2]]))[0, :, 2].round(6).tolist()
    [100.0, 120.0, 144.0]
    """
    years = revenue.shape[1]
    there = ~np.isnan(revenue[:, :, LIKELY])
    last = np.where(there.any(axis=1), years - 1 - np.argmax(there[:, ::-1], axis=1), years)
    since = np.arange(years)[None, :] - last[:, None]
    base = revenue[np.arange(len(revenue)), np.minimum(last, years - 1)]
    grown = base[:, None, :] * (1 + growth)[:, None, :] ** np.maximum(since, 0)[:, :, None]
    return np.where((since > 0)[:, :, None], grown, revenue)


def settled(revenue: np.ndarray, first: int, passed: np.ndarray, limits: Sequence[float]) -> tuple[np.ndarray, ...]:
    """Tiers passed before the policy: fewest, most, and where that is not known.

    What was passed is known from the years before or from who says so; a firm that is first seen beyond a tier may
    have passed it before.

    Parameters
    ----------
    revenue : (F, Y, 3) array
    first : int
        Position of the first year that the rule pays for.
    passed : (F, 3) array
        The highest revenue of a year before; nan where nobody says so.
    limits : sequence of float
        Revenue of each tier, rising.
    """
    before = revenue[:, :first]
    best = np.fmax(np.fmax.reduce(before, axis=1, initial=np.nan), passed)
    is_said = ~np.isnan(best[:, LIKELY])
    here = revenue[:, first:]
    there = ~np.isnan(here[:, :, LIKELY])
    seen = here[np.arange(len(revenue)), np.argmax(there, axis=1)]
    at_first = np.searchsorted(limits, np.nan_to_num(seen[:, HIGH]), side="right")
    tiers = np.searchsorted(limits, np.nan_to_num(best), side="right")
    fewest = np.where(is_said, tiers[:, LOW], 0)
    most = np.where(is_said, tiers[:, HIGH], at_first)
    return fewest, np.where(is_said, tiers[:, LIKELY], 0), most, ~is_said & (at_first > 0)


def awards(
    revenue: np.ndarray,
    *,
    first: int,
    passed: np.ndarray,
    steps: Sequence[Sequence[float]],
    is_paid: np.ndarray,
    only_paid: bool = False,
) -> Paid:
    """What firms are paid by year.

    Parameters
    ----------
    revenue : (F, Y, 3) array
        Yearly revenue, nan where unknown: no tier is passed then.
    first : int
        Position of the first year that the rule pays for.
    passed : (F, 3) array
        The highest revenue of a year before the first; nan where nobody says so.
    steps : sequence of (revenue, amount)
        Rising; a tier is passed at its revenue or above.
    is_paid : (Y,) array of bool
        Years in which the rule is in force.
    only_paid : bool
        Only what was paid is taken off, instead of all tiers passed before: nothing was paid under this rule before.
    """
    limits, amount = [one[0] for one in steps], np.array([0.0, *(one[1] for one in steps)])
    best = np.fmax.accumulate(np.concatenate([np.nan_to_num(passed)[:, None, :], revenue], axis=1), axis=1)[:, 1:]
    tier = np.searchsorted(limits, best, side="right")
    fewest, likely, most, is_open = settled(revenue, first, passed, limits)
    in_force = is_paid & (np.arange(revenue.shape[1]) >= first)
    by_year = np.full(revenue.shape, np.nan)
    in_all = np.full((len(revenue), ENDS), np.nan)
    for before in range(len(amount)):  # each number of tiers that may have been passed before
        off = 0.0 if only_paid else amount[before]
        due = np.where(tier > before, amount[tier] - off, 0.0)
        so_far = np.cumsum(np.diff(due, axis=1, prepend=0.0) * in_force[None, :, None], axis=1)
        earlier = np.concatenate([np.zeros_like(so_far[:, :1]), so_far[:, :-1]], axis=1)
        each = so_far - earlier
        each[:, :, LOW] = np.maximum(0.0, so_far[:, :, LOW] - earlier[:, :, HIGH])
        each[:, :, HIGH] = so_far[:, :, HIGH] - earlier[:, :, LOW]
        may, is_likely = (fewest <= before) & (before <= most), ~is_open & (likely == before)
        for found, new in ((by_year, each), (in_all, so_far[:, -1])):
            found[may, ..., LOW] = np.fmin(found[may, ..., LOW], new[may, ..., LOW])
            found[may, ..., HIGH] = np.fmax(found[may, ..., HIGH], new[may, ..., HIGH])
            found[is_likely, ..., LIKELY] = new[is_likely, ..., LIKELY]
    return Paid(by_year, in_all, tier, is_open)
