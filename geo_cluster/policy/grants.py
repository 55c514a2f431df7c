"""What one product, project or platform is paid: shares of a base up to a ceiling, or a ceiling without a formula.

Arrays are items × (low, likely, high), 10,000 yuan.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from geo_cluster.policy.rules import Table

NOTHING = (0.0, np.nan, 0.0)


def product(row: Table, price: np.ndarray, rd: np.ndarray, taken: Mapping[str, str]) -> np.ndarray:
    """15 % of the unit price or the R&D cost of a first set or batch, both sides together.

    Parameters
    ----------
    row : mapping
        The rule.
    price, rd : (N, 3) array
        Nan where unknown.
    taken : mapping
        Readings taken: `base`, `cap`.

    Returns
    -------
    (N, 3) array
        Where only one base is known, the other may make it less (the lower is taken) or more (the higher, or both).

    Examples
    --------
    >>> from geo_cluster.policy.rules import chosen, rules
    >>> import datetime
    >>> row = rules(datetime.date(2026, 1, 1))["19-first"].row
    >>> price, rd = np.full((1, 3), 2000.0), np.full((1, 3), 6000.0)
    >>> product(row, price, rd, chosen({"base": "each"})).tolist()
    [[1000.0, 1000.0, 1000.0]]
    """
    share, side = row["share"], float(row["most_10k_yuan"])
    most = side if taken["cap"] == "together" else 2 * side
    by_price, by_rd = share * price, share * rd
    one_missing = np.isnan(price[:, 1]) | np.isnan(rd[:, 1])
    lower, higher = np.fmin(by_price, by_rd), np.fmax(by_price, by_rd)
    if taken["base"] == "each":
        limit = side if taken["cap"] == "each_side" else np.inf
        found = np.minimum(np.nan_to_num(by_price), limit) + np.minimum(np.nan_to_num(by_rd), limit)
    elif taken["base"] == "either":
        is_same = one_missing | (lower[:, 1] == higher[:, 1])
        found = np.column_stack([lower[:, 0], np.where(is_same, lower[:, 1], np.nan), higher[:, 2]])
    else:
        found = lower if taken["base"] == "lower" else higher
    found = np.minimum(found, most)
    if taken["base"] == "lower":
        found[one_missing, 0] = 0.0
    if taken["base"] in ("higher", "each"):
        found[one_missing, 2] = most
    if taken["base"] == "each":
        found[one_missing, 1] = np.nan
    return found


def project(row: Table, base: np.ndarray, taken: Mapping[str, str], *, most: float) -> np.ndarray:
    """A share of a project's cost that may be granted or not.

    Parameters
    ----------
    row : mapping
        The rule.
    base : (N, 3) array
        Nan where unknown: between nothing and the ceiling then.
    taken : mapping
        Readings taken: `discretion`.
    most : float
        The ceiling.
    """
    full = np.minimum(row["share"] * base, most)
    likely = {"open": np.full(len(base), np.nan), "granted": full[:, 1], "refused": np.zeros(len(base))}
    unknown = np.isnan(base[:, 1])
    return np.column_stack(
        [np.zeros(len(base)), np.where(unknown, np.nan, likely[taken["discretion"]]), np.where(unknown, most, full[:, 2])]
    )


def service(row: Table, count: int) -> np.ndarray:
    """What no formula is given for: between nothing and the ceiling, for so many items."""
    return np.tile([0.0, np.nan, float(row["most_10k_yuan"])], (count, 1))
