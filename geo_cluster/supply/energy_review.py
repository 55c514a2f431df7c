"""Energy of a project in coal equivalent, and the energy review (节能审查) that it triggers (`tables/grid.toml`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.supply.interval import Interval
from geo_cluster.world.rule_life import Found, found_on

Table = Mapping[str, Any]
Quantity = Interval | float | Sequence[float]


@dataclass(frozen=True)
class EnergyReview:
    """Yearly energy of a project and the energy review (节能审查) it triggers.

    Parameters
    ----------
    gwh, tce : Interval
        Electricity, and all energy in tonnes of coal equivalent.
    counted_tce : Interval
        What draws on the prefecture's quota: all energy but the green share of the electricity.
    review : {"exempt", "local", "provincial"}
        Class at the likely use; `review_low` and `review_high` at the bounds.
    words_zh, words_en : str
        A paragraph to paste into a report: it names the measures, and begins with what has to be said where they are
        not in force on the day.
    rule : Found
        The measures, with their state on the day.
    """

    gwh: Interval
    tce: Interval
    counted_tce: Interval
    review: str
    review_low: str
    review_high: str
    words_zh: str
    words_en: str
    rule: Found


def coal_equivalent_tce(gwh: Any, *, grid: Table) -> Any:
    """Tonnes of coal equivalent of electricity, at the equivalent value (当量值).

    Parameters
    ----------
    gwh : number, array or Interval
    grid : mapping
        Parsed `grid.toml`: `conversion`.

    Returns
    -------
    number, array or Interval
        As `gwh` is.
    """
    return gwh * (grid["conversion"]["kgce_per_kwh"] * 1000.0)


def review_class(gwh: float, tce: float, *, measures: Table, coal_t: float = 0.0) -> str:
    """Review that a yearly use triggers.

    Parameters
    ----------
    gwh, tce : float
        Electricity, and all energy in tonnes of coal equivalent, a year.
    measures : mapping
        One version of the measures: a `review` row of `grid.toml`.
    coal_t : float
        Coal burnt, tonnes a year.

    Returns
    -------
    {"exempt", "local", "provincial"}
        Provincial from any limit that the measures state, exempt below each of them.
    """
    used = {"gwh": round(gwh, 6), "tce": round(tce, 6), "coal_t": round(coal_t, 6)}  # 10,000 tce to GWh and back
    from_, below = measures["provincial"], measures["exempt"]
    if any(amount >= from_[f"from_{name}"] for name, amount in used.items() if f"from_{name}" in from_):
        return "provincial"
    is_small = all(amount < below[f"below_{name}"] for name, amount in used.items() if f"below_{name}" in below)
    return "exempt" if is_small else "local"


def heat_tce(*, grid: Table, gas_m3: Quantity = 0.0, steam_gj: Quantity = 0.0) -> Interval:
    """Tonnes of coal equivalent of a year's gas and steam, for `energy_review`.

    Parameters
    ----------
    grid : mapping
        Parsed `grid.toml`: `conversion`.
    gas_m3 : number or interval
        Natural gas, m3.
    steam_gj : number or interval
        Steam, GJ.

    Returns
    -------
    Interval
    """
    rule = grid["conversion"]
    gas = Interval.of(gas_m3) * Interval.of(rule["gas_kgce_per_m3"])
    return (gas + Interval.of(steam_gj) * rule["steam_kgce_per_gj"]) * 0.001


def energy_review(
    annual_gwh: Quantity,
    *,
    grid: Table,
    other_tce: Quantity = 0.0,
    green_share: Quantity = 0.0,
    coal_t: Quantity | None = None,
    on: dt.date | None = None,
) -> EnergyReview:
    """Energy of a project in GWh and tce, and its energy review in words.

    Parameters
    ----------
    annual_gwh : number, (low, high), (low, likely, high) or Interval
        Electricity a year, from the segment's range or the firm's own figure.
    grid : mapping
        Parsed `grid.toml`.
    other_tce : number or interval
        Gas, steam, coal and other energy, tonnes of coal equivalent a year, see `heat_tce`.
    green_share : number or interval
        Share of the electricity, 0 to 1, from newly built renewables: it is reviewed, but draws on no quota.
    coal_t : number or interval, optional
        Coal burnt, tonnes a year. Left out, the plant is taken to burn none, and the text says so.
    on : date, optional
        Day whose measures apply; today when left out.

    Returns
    -------
    EnergyReview

    Raises
    ------
    InputError
        For negative electricity or coal, a green share outside 0 to 1, measures without dates.

    Examples
    --------
    >>> from geo_cluster import toml
    >>> energy_review(8.13, grid=toml.table("grid"), on=dt.date(2026, 8, 1)).review
    'exempt'
    """
    gwh, green, coal = Interval.of(annual_gwh), Interval.of(green_share), Interval.of(coal_t or 0.0)
    negative = [(name, one) for name, one in (("annual_gwh", gwh), ("coal_t", coal)) if one.low < 0]
    faults = [Fault("supply.energy_negative", name, value=f"{one:g}") for name, one in negative]
    if not 0 <= green.low <= green.high <= 1:
        faults.append(Fault("supply.no_share", "green_share", value=f"{green:g}"))
    refuse_if(faults)
    rule = found_on("review", on or dt.date.today(), table=grid)
    tce = coal_equivalent_tce(gwh, grid=grid) + Interval.of(other_tce)
    ends = ("low", "likely", "high")
    amounts = [(getattr(gwh, end), getattr(tce, end), getattr(coal, end)) for end in ends]
    low, review, high = (review_class(g, t, measures=rule.row, coal_t=c) for g, t, c in amounts)
    words = _words(rule, (low, review, high), {"gwh": gwh, "tce": tce}, None if coal_t is None else coal)
    counted = coal_equivalent_tce(gwh, grid=grid) * (1.0 - green) + Interval.of(other_tce)
    return EnergyReview(gwh, tce, counted, review, low, high, *words, rule)


def _words(
    rule: Found, classes: tuple[str, str, str], used: Mapping[str, Interval], coal: Interval | None
) -> tuple[str, str]:
    """The paragraph in Chinese and English: life of the measures, class, duties, what is not known."""
    low, review, high = classes
    row, gwh, tce = rule.row, used["gwh"], used["tce"]
    if coal is None:
        burnt = ("按不使用煤炭考虑", "taken to burn no coal")
    else:
        burnt = (f"年煤炭消费量约{_with_bounds(coal, '.0f')}吨", f"about {_with_bounds(coal, ',.0f')} t of coal")
    amounts = {"tce": _with_bounds(tce, ".0f"), "gwh": _with_bounds(gwh * 100.0, ".0f"), "coal": burnt[0]}
    zh = [rule.words("zh"), row[review]["words_zh"].format(**amounts)]
    amounts = {"tce": _with_bounds(tce, ",.0f"), "gwh": _with_bounds(gwh, ".2f"), "coal": burnt[1]}
    en = [rule.words("en"), row[review]["words_en"].format(**amounts)]
    if low != high:
        zh.append(f"区间两端分别对应：{row[low]['label_zh']}、{row[high]['label_zh']}。")
        en.append(f"The bounds fall under different rules: {row[low]['label_en']} and {row[high]['label_en']}.")
    if {low, high} != {"exempt"}:
        zh.append(row.get("duties_zh", ""))
        en.append(row.get("duties_en", ""))
    zh.append(row.get("note_zh", ""))
    en.append(row.get("note_en", ""))
    return "".join(zh), " ".join(filter(None, en))


def _with_bounds(amount: Interval, spec: str) -> str:
    """``492 (246-2,458)``: the likely value, then the bounds where they differ."""
    likely, span = format(amount.likely, spec), format(amount, spec)
    return likely if likely == span else f"{likely} ({span})"
