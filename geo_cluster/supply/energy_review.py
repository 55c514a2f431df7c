"""Energy of a project in coal equivalent, and the energy review (节能审查) that it triggers (`tables/grid.toml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.supply.interval import Interval

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
        A paragraph to paste into a report.
    """

    gwh: Interval
    tce: Interval
    counted_tce: Interval
    review: str
    review_low: str
    review_high: str
    words_zh: str
    words_en: str


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


def review_class(gwh: float, tce: float, *, grid: Table) -> str:
    """Review that a yearly use triggers: exempt only when both below the limits, provincial from 10,000 tce.

    Parameters
    ----------
    gwh, tce : float
        Electricity, and all energy in tonnes of coal equivalent, a year.
    grid : mapping
        Parsed `grid.toml`: `review`.

    Returns
    -------
    {"exempt", "local", "provincial"}
    """
    rule = grid["review"]
    gwh, tce = round(gwh, 6), round(tce, 6)  # 10,000 tce converted from GWh and back is 10,000 tce
    if tce >= rule["provincial"]["from_tce"]:
        return "provincial"
    exempt = rule["exempt"]
    return "exempt" if tce < exempt["below_tce"] and gwh < exempt["below_gwh"] else "local"


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
    annual_gwh: Quantity, *, grid: Table, other_tce: Quantity = 0.0, green_share: Quantity = 0.0
) -> EnergyReview:
    """Energy of a project in GWh and tce, and its energy review in words.

    Parameters
    ----------
    annual_gwh : number, (low, high), (low, likely, high) or Interval
        Electricity a year, from the segment's range or the firm's own figure.
    grid : mapping
        Parsed `grid.toml`.
    other_tce : number or interval
        Gas, steam and other energy, tonnes of coal equivalent a year, see `heat_tce`.
    green_share : number or interval
        Share of the electricity, 0 to 1, from newly built renewables: it is reviewed, but draws on no quota.

    Returns
    -------
    EnergyReview

    Raises
    ------
    InputError
        For negative electricity, or a green share outside 0 to 1.
    """
    gwh, green = Interval.of(annual_gwh), Interval.of(green_share)
    faults = [Fault("supply.energy_negative", "annual_gwh", value=f"{gwh:g}")] if gwh.low < 0 else []
    if not 0 <= green.low <= green.high <= 1:
        faults.append(Fault("supply.no_share", "green_share", value=f"{green:g}"))
    refuse_if(faults)
    tce = coal_equivalent_tce(gwh, grid=grid) + Interval.of(other_tce)
    review = review_class(gwh.likely, tce.likely, grid=grid)
    ends = [review_class(g, t, grid=grid) for g, t in ((gwh.low, tce.low), (gwh.high, tce.high))]
    row = grid["review"][review]
    zh = row["words_zh"].format(tce=_with_bounds(tce, ".0f"), gwh=_with_bounds(gwh * 100.0, ".0f"))
    en = row["words_en"].format(tce=_with_bounds(tce, ",.0f"), gwh=_with_bounds(gwh, ".2f"))
    if ends[0] != ends[1]:
        labels = [grid["review"][end] for end in ends]
        zh += f"区间两端分别对应：{labels[0]['label_zh']}、{labels[1]['label_zh']}。"
        en += f" The bounds fall under different rules: {labels[0]['label_en']} and {labels[1]['label_en']}."
    counted = coal_equivalent_tce(gwh, grid=grid) * (1.0 - green) + Interval.of(other_tce)
    return EnergyReview(gwh, tce, counted, review, ends[0], ends[1], zh, en)


def _with_bounds(amount: Interval, spec: str) -> str:
    """``492 (246-2,458)``: the likely value, then the bounds where they differ."""
    likely, span = format(amount.likely, spec), format(amount, spec)
    return likely if likely == span else f"{likely} ({span})"
