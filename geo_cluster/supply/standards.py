"""What land may cost at least, and what a park asks of a project per mu （标准地）， against `tables/land.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.supply.interval import Interval
from geo_cluster.world.coordinates import MU_PER_HA

Table = Mapping[str, Any]
Quantity = Interval | float | Sequence[float]

M2_PER_MU = 10_000.0 / MU_PER_HA
"""One mu （亩） in square metres."""


@dataclass(frozen=True)
class FloorPrice:
    """Lowest price at which industrial land may be granted.

    Parameters
    ----------
    yuan_per_m2, wan_yuan_per_mu : float
        The floor, after the 70 % rule where it applies.
    land_class : int
        Land class 1-15 (等别).
    share : float
        1, or the share of the priority rule.
    documents : tuple of str
        The notices it rests on.
    words_zh, words_en : str
        A sentence to show.
    """

    yuan_per_m2: float
    wan_yuan_per_mu: float
    land_class: int
    share: float
    documents: tuple[str, ...]
    words_zh: str
    words_en: str


def floor_price(
    land_class: int,
    *,
    land: Table,
    priority_industry: bool = False,
    intensive: bool = False,
    cost_yuan_per_m2: float | None = None,
) -> FloorPrice:
    """National floor price of industrial land by class, with the 70 % rule.

    Parameters
    ----------
    land_class : int
        1 to 15, as notified for the district; not guessed here.
    land : mapping
        Parsed `land.toml`.
    priority_industry, intensive : bool
        The 70 % rule asks for both: an industry that the province puts first, and land used intensively.
    cost_yuan_per_m2 : float, optional
        Cost of acquiring and preparing the land: the reduced floor never goes below it.

    Returns
    -------
    FloorPrice

    Raises
    ------
    InputError
        For a class outside the table or a negative cost.
    """
    table = land["floor_price"]
    steps = len(table["yuan_per_m2"])
    faults = []
    if isinstance(land_class, bool) or land_class not in range(1, steps + 1):
        faults.append(Fault("supply.land_class_unknown", "land_class", value=str(land_class), most=steps))
    if cost_yuan_per_m2 is not None and not cost_yuan_per_m2 >= 0:
        faults.append(Fault("supply.cost_negative", "cost_yuan_per_m2", value=float(cost_yuan_per_m2)))
    refuse_if(faults)

    full = float(table["yuan_per_m2"][int(land_class) - 1])
    documents: tuple[str, ...] = (table["document"],)
    price, share = full, 1.0
    if priority_industry and intensive:
        rule = table["priority"]
        share = float(rule["share"])
        price = max(full * share, min(cost_yuan_per_m2 or 0.0, full))
        documents += (rule["document"],)
    per_mu = price * M2_PER_MU / 1e4
    here = f"适用底价{price:g}元/平方米（约{per_mu:.1f}万元/亩）"
    zh = f"{int(land_class)}等地工业用地出让最低价{full:g}元/平方米；{here}。"
    en = f"Land class {int(land_class)}: floor {full:g} yuan/m2; here {price:g} (about {per_mu:.1f} wan yuan/mu)."
    return FloorPrice(price, per_mu, int(land_class), share, documents, zh, en)


def standard_land(project: Mapping[str, Quantity], *, land: Table) -> pd.DataFrame:
    """Check a project against the standard-land table.

    Parameters
    ----------
    project : mapping
        Indicator name to value (number or interval); names as in the table's rows, e.g.
        `investment_wan_yuan_per_mu`. What is absent is unknown, not failed.
    land : mapping
        Parsed `land.toml`; the user may replace its `check` rows.

    Returns
    -------
    DataFrame
        One row a check: `indicator`, `name_zh`, `name_en`, `unit`, `rule`, `limit_low`, `limit_likely`,
        `limit_high`, `value_low`, `value_likely`, `value_high`, `result` (``met``, ``failed``, ``open`` where the
        intervals overlap, ``unknown``), `gap` (likely shortfall, 0 where met), `required`, `document`, `as_of`,
        `source`, `source_class`, `confidence`.

    Raises
    ------
    InputError
        For an indicator that no row of the table names.
    """
    known = {row["indicator"] for row in land["check"]}
    refuse_if(
        [
            Fault("supply.indicator_unknown", Place("project", column=name), known=sorted(known))
            for name in project
            if name not in known
        ]
    )
    rows = []
    for check in land["check"]:
        limit = Interval.of(check["limit"])
        value = Interval.of(project[check["indicator"]]) if check["indicator"] in project else None
        sign = 1.0 if check["rule"] == "at_least" else -1.0
        rows.append(
            {
                **{key: check[key] for key in ("indicator", "name_zh", "name_en", "unit", "rule")},
                **{f"limit_{end}": getattr(limit, end) for end in ("low", "likely", "high")},
                **{f"value_{end}": getattr(value, end) if value else float("nan") for end in ("low", "likely", "high")},
                "result": _verdict(value, limit, sign),
                "gap": max(0.0, sign * (limit.likely - value.likely)) if value else float("nan"),
                **{
                    key: check[key] for key in ("required", "document", "as_of", "source", "source_class", "confidence")
                },
            }
        )
    return pd.DataFrame(rows)


def _verdict(value: Interval | None, limit: Interval, sign: float) -> str:
    if value is None:
        return "unknown"
    worst, best = (value.low, value.high) if sign > 0 else (value.high, value.low)
    strict, lenient = (limit.high, limit.low) if sign > 0 else (limit.low, limit.high)
    if sign * (worst - strict) >= 0:
        return "met"
    return "failed" if sign * (best - lenient) < 0 else "open"
