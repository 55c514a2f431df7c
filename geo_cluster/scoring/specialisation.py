"""Who does what: location quotient, specialisation, and how far two cities do the same.

C cities, G segments; what is counted (firms, jobs, output) is not negative. Pure functions of arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Z_90 = 1.6448536269514722
"""Half width of a 90 % interval, in standard errors of the normal distribution."""


def shares(amounts: ArrayLike) -> Floats:
    """(C, G): what share of a city's total each segment is; nan for a city without anything."""
    table = np.atleast_2d(np.asarray(amounts, dtype=float))
    total = table.sum(axis=1, keepdims=True)
    return np.divide(table, total, out=np.full(table.shape, np.nan), where=total > 0)


def location_quotient(amounts: ArrayLike, reference: ArrayLike | None = None) -> Floats:
    """Share of a segment in a city over its share in the reference area (Florence 1939; Isard 1960, ch. 7).

    Parameters
    ----------
    amounts : (C, G) array
        What each city has of each segment.
    reference : (G,) array, optional
        What the reference area has, the cities among it; the sum of the cities when left out.

    Returns
    -------
    (C, G) array
        1: as in the reference area; above: more than its share. nan for a city without anything, and for a segment
        that the reference area has nothing of.
    """
    table = np.atleast_2d(np.asarray(amounts, dtype=float))
    whole = shares(table.sum(axis=0) if reference is None else reference)
    whole = np.broadcast_to(whole, table.shape)
    return np.divide(shares(table), whole, out=np.full(table.shape, np.nan), where=whole > 0)


def krugman(amounts: ArrayLike) -> Floats:
    """(C, C): Krugman's index of each two cities, Σ over segments of |share in one - share in the other|.

    0: the same structure; 2: nothing in common (Krugman 1991, *Geography and Trade*). nan where a city has
    nothing.
    """
    share = shares(amounts)
    return np.abs(share[:, None, :] - share[None, :, :]).sum(axis=2)


def overlap(index: ArrayLike) -> Floats:
    """What two structures have in common, Σ of the lesser shares: 1 - index / 2, from 0 to 1."""
    return 1.0 - np.asarray(index, dtype=float) / 2.0


def _against(amounts: ArrayLike, reference: ArrayLike | None) -> tuple[Floats, Floats]:
    """(C, G) amounts and (G,) what the reference area has, the sum of the cities where none is given."""
    table = np.atleast_2d(np.asarray(amounts, dtype=float))
    return table, table.sum(axis=0) if reference is None else np.asarray(reference, dtype=float)


def specialisation(amounts: ArrayLike, reference: ArrayLike | None = None) -> Floats:
    """(C,): Krugman's specialisation index, a city against all others; 0 … 2, nan where either has nothing.

    Parameters
    ----------
    amounts : (C, G) array
        What each city has of each segment.
    reference : (G,) array, optional
        What the reference area has, the cities among it; the sum of the cities when left out.
    """
    table, whole = _against(amounts, reference)
    return np.abs(shares(table) - shares(whole - table)).sum(axis=1)


def hoover(amounts: ArrayLike, reference: ArrayLike | None = None) -> Floats:
    """(C,): Hoover's index, ½ Σ |share in the city - share in the reference area|; 0 … 1 (Hoover 1936).

    Parameters
    ----------
    amounts : (C, G) array
        What each city has of each segment.
    reference : (G,) array, optional
        What the reference area has, the cities among it; the sum of the cities when left out.
    """
    table, whole = _against(amounts, reference)
    return np.abs(shares(table) - shares(whole)).sum(axis=1) / 2.0


def herfindahl(amounts: ArrayLike) -> Floats:
    """(C,): sum of squared shares; 1 where all is one segment, 1 / G where all are alike."""
    share = shares(amounts)
    return (share**2).sum(axis=1)


def wilson(count: ArrayLike, total: ArrayLike, *, z: float = Z_90) -> tuple[Floats, Floats]:
    """Wilson's interval of a share (Wilson 1927): true to its level at counts of a few, too, within 0 and 1.

    Parameters
    ----------
    count, total : array
        How many of how many; broadcast against each other.
    z : float
        Half width in standard errors; of a 90 % interval when left out.

    Returns
    -------
    low, high : arrays
        nan where the total is 0.
    """
    some, n = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(total, dtype=float))
    n = np.where(n > 0, n, np.nan)
    share = some / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


class ByChance(NamedTuple):
    """Overlap of two cities whose firms are dealt out between them at random."""

    low: float
    mean: float
    high: float


def overlap_by_chance(first: ArrayLike, second: ArrayLike, *, draws: int = 2000, seed: int = 0) -> ByChance:
    """What overlap two cities of these sizes have when nobody divides any labour: their firms dealt out at random.

    A permutation test: with few firms two cities differ by chance alone, and an index far from 0 says little.

    Parameters
    ----------
    first, second : (G,) int array
        Firms by segment.
    draws : int
        How often they are dealt out.
    seed : int

    Returns
    -------
    ByChance
        5th percentile, mean and 95th percentile; nan where a city has none.
    """
    one, other = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    if not one.sum() or not other.sum():
        return ByChance(np.nan, np.nan, np.nan)
    pool = one + other
    dealt = np.random.default_rng(seed).multivariate_hypergeometric(pool, int(one.sum()), size=draws)
    apart = np.abs(dealt / one.sum() - (pool - dealt) / other.sum()).sum(axis=1)
    common = overlap(apart)
    low, high = np.percentile(common, [5, 95])
    return ByChance(float(low), float(common.mean()), float(high))
