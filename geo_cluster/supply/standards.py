"""What land may cost at least, and what a park asks of a project per mu （标准地）， against `tables/land.toml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo_cluster.domain import LANGUAGES
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.supply.interval import Interval
from geo_cluster.world.coordinates import MU_PER_HA
from geo_cluster.world.rule_life import STATES, Found, found_on, span_of, versions

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
    on: dt.date | None = None,
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
    on : date, optional
        Day whose rules apply; today when left out.

    Returns
    -------
    FloorPrice

    Raises
    ------
    InputError
        For a class outside the table or a negative cost, a rule without dates.
    """
    day = on or dt.date.today()
    rule = found_on("floor_price", day, table=land)
    table, rules = rule.row, [rule]
    steps = len(table["yuan_per_m2"])
    faults = []
    if isinstance(land_class, bool) or land_class not in range(1, steps + 1):
        faults.append(Fault("supply.land_class_unknown", "land_class", value=str(land_class), most=steps))
    if cost_yuan_per_m2 is not None and not cost_yuan_per_m2 >= 0:
        faults.append(Fault("supply.cost_negative", "cost_yuan_per_m2", value=float(cost_yuan_per_m2)))
    refuse_if(faults)

    full = float(table["yuan_per_m2"][int(land_class) - 1])
    price, share = full, 1.0
    if priority_industry and intensive:
        rules.append(found_on("floor_price_priority", day, table=land))
        share = float(rules[-1].row["share"])
        price = max(full * share, min(cost_yuan_per_m2 or 0.0, full))
    documents = tuple(one.life.number or one.life.title.zh for one in rules)
    per_mu = price * M2_PER_MU / 1e4
    here = f"适用底价{price:g}元/平方米（约{per_mu:.1f}万元/亩）"
    zh, en = ("".join(one.words("zh") for one in rules), " ".join(filter(None, (one.words("en") for one in rules))))
    zh += f"{int(land_class)}等地工业用地出让最低价{full:g}元/平方米；{here}。"
    en += f"{' ' if en else ''}Land class {int(land_class)}: floor {full:g} yuan/m2; here {price:g}"
    en += f" (about {per_mu:.1f} wan yuan/mu)."
    return FloorPrice(price, per_mu, int(land_class), share, documents, zh, en)


def standard_land(project: Mapping[str, Quantity], *, land: Table, on: dt.date | None = None) -> pd.DataFrame:
    """Check a project against the standard-land table.

    Parameters
    ----------
    project : mapping
        Indicator name to value (number or interval); names as in the table's rows, e.g.
        `investment_wan_yuan_per_mu`. What is absent is unknown, not failed.
    land : mapping
        Parsed `land.toml`; the user may replace its `check` rows.
    on : date, optional
        Day whose indicators apply; today when left out.

    Returns
    -------
    DataFrame
        One row an indicator: `indicator`, `name_zh`, `name_en`, `unit`, `rule`, `limit_low`, `limit_likely`,
        `limit_high`, `value_low`, `value_likely`, `value_high`, `result` (``met``, ``failed``, ``open`` where the
        intervals overlap, ``unknown``), `gap` (likely shortfall, 0 where met), `binds` (else recommended),
        `document_zh`, `document_en` (with number and life), `state` (see `domain.RuleState`), `state_zh`, `state_en`,
        `remark_zh`, `remark_en` (what has to be said where the rule is not in force), `publisher`, `as_of`, `source`,
        `source_class`, `confidence`.

    Raises
    ------
    InputError
        For an indicator that no row of the table names, a rule without dates, two that are in force at once.
    """
    day, known = on or dt.date.today(), [key for (key,) in versions("land_check", land)]
    refuse_if(
        [
            Fault("supply.indicator_unknown", Place("project", column=name), known=sorted(known))
            for name in project
            if name not in known
        ]
    )
    found = [found_on("land_check", day, table=land, key=(name,)) for name in known]
    return pd.DataFrame([_checked(one, project) for one in found])


def _checked(found: Found, project: Mapping[str, Quantity]) -> dict[str, Any]:
    """One indicator: limit, value, verdict, and the rule that it rests on."""
    check, life = found.row, found.life
    limit = Interval.of(check["limit"])
    value = Interval.of(project[check["indicator"]]) if check["indicator"] in project else None
    sign, ends = 1.0 if check["rule"] == "at_least" else -1.0, ("low", "likely", "high")
    return {
        **{key: check[key] for key in ("indicator", "name_zh", "name_en", "unit", "rule")},
        **{f"limit_{end}": getattr(limit, end) for end in ends},
        **{f"value_{end}": getattr(value, end) if value else float("nan") for end in ends},
        "result": _verdict(value, limit, sign),
        "gap": max(0.0, sign * (limit.likely - value.likely)) if value else float("nan"),
        "binds": check["binds"],
        **{f"document_{lang}": f"{life.title[lang]} ({span_of(life, lang)})" for lang in LANGUAGES},
        "state": found.state,
        **{f"state_{lang}": STATES[found.state][lang] for lang in LANGUAGES},
        **{f"remark_{lang}": found.words(lang) for lang in LANGUAGES},
        **{key: getattr(life, key) for key in ("publisher", "source", "source_class", "confidence")},
        "as_of": check["as_of"],
    }


def _verdict(value: Interval | None, limit: Interval, sign: float) -> str:
    if value is None:
        return "unknown"
    worst, best = (value.low, value.high) if sign > 0 else (value.high, value.low)
    strict, lenient = (limit.high, limit.low) if sign > 0 else (limit.low, limit.high)
    if sign * (worst - strict) >= 0:
        return "met"
    return "failed" if sign * (best - lenient) < 0 else "open"
