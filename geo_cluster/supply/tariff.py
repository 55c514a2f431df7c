"""What electricity costs: two-part tariff by voltage, time of use, load factor (`tables/tariffs.toml`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.supply.interval import Interval
from geo_cluster.world.rule_life import VALID, Found, found_on

Table = Mapping[str, Any]
Quantity = Interval | float | Sequence[float]

WAN_YUAN_PER_GWH = 100.0
"""1 GWh at 1 yuan per kWh costs 100 times 10,000 yuan."""

HOURS_PER_YEAR = 8760.0

PERIODS = ("sharp", "peak", "flat", "valley")
"""Time-of-use periods: 尖峰， 高峰， 平段， 低谷."""


@dataclass(frozen=True)
class Bill:
    """A year of electricity.

    Parameters
    ----------
    annual_gwh : Interval
        Energy bought.
    energy_wan_yuan, basic_wan_yuan, annual_wan_yuan : Interval
        Energy charge, demand or capacity charge, and their sum, in 10,000 yuan a year.
    price_yuan_kwh : Interval
        Average price, everything included; its low end belongs to the high end of the load factor.
    voltage_kv : float
    tariff : str
        Ids of the notices that it goes by, with their lives and publishers.
    remarks : tuple of Text
        What has to be said of it: notices that are not in force on the day, whom it is for, what is left out.
    savings_wan_yuan : dict of float to Interval
        What each higher voltage of the same scheme would save a year, before the cost of the connection.
    """

    annual_gwh: Interval
    energy_wan_yuan: Interval
    basic_wan_yuan: Interval
    annual_wan_yuan: Interval
    price_yuan_kwh: Interval
    voltage_kv: float
    tariff: str
    remarks: tuple[Text, ...]
    savings_wan_yuan: dict[float, Interval]


def tariff_on(tariffs: Table, on: dt.date | None = None) -> Table:
    """Prices for a day.

    In a month whose notice is in the table they are that notice's as published. In any other month the network prices
    of the period (`network`) are added to the purchase price and system charge of the nearest notice.

    Parameters
    ----------
    tariffs : mapping
        Parsed `tariffs.toml`.
    on : date, optional
        A day; today when left out.

    Returns
    -------
    mapping
        One notice: `id`, `title_zh`, `title_en`, `note_zh`, `note_en`, `publisher`, `parts`, `rate`, `periods`,
        `hours_per_month`, and `found`: each rule that it is made of, with its state on the day.

    Raises
    ------
    InputError
        For notices without dates or with lives that overlap, see `rule_life.versions`.
    """
    day = on or dt.date.today()
    month = found_on("purchase_price", day, table=tariffs)
    notice = month.row
    if "network" not in tariffs:  # a table of notices alone, each with its own hours
        return {**notice, "found": (month,)}
    network, hours = (found_on(topic, day, table=tariffs) for topic in ("network_price", "time_of_use"))
    about = {"periods": hours.row, "found": (network, month, hours)}
    if month.state in VALID:  # a notice names the hours that it was made with
        return {**notice, **about, "found": (network, month)}
    named = {f"title_{lang}": f"{network.life.title[lang]} + {notice[f'title_{lang}']}" for lang in ("zh", "en")}
    notes = {f"note_{lang}": network.row[f"note_{lang}"] for lang in ("zh", "en")}
    prices = _composed(network.row, notice, hours.row["times"])
    one = {"id": f"{network.row['id']}+{notice['id']}", "hours_per_month": notice["hours_per_month"]}
    publisher = "；".join(dict.fromkeys((network.life.publisher, month.life.publisher)))
    return {**one, **named, **notes, "publisher": publisher, **prices, **about}


def _composed(network: Table, notice: Table, times: Mapping[str, float]) -> dict[str, Any]:
    """Parts and rates of a month without notice: prices of the period, purchase and system charge of another month."""
    loss, surcharges = network.get("line_loss"), network["surcharges"]
    parts = {**notice["parts"], "surcharges": surcharges}
    if loss is not None:
        parts["losses"] = parts["purchase"] * loss / (1 - loss)
    base = parts["purchase"] + parts["losses"]
    rates = []
    for rate in network["rate"]:
        energy = sum(parts.values()) + rate["network"]
        floated = {period: energy + base * (times[period] - 1) for period in PERIODS}
        rates.append({**rate, "energy": energy, **floated})
    return {"parts": parts, "rate": rates}


def remarks_on(tariffs: Table, on: dt.date | None = None) -> tuple[Text, ...]:
    """What has to be said of a bill of a day: notices not in force, whom time of use is for, what is left out.

    Parameters
    ----------
    tariffs : mapping
        Parsed `tariffs.toml`.
    on : date, optional
        A day; today when left out.
    """
    day = on or dt.date.today()
    notice = tariff_on(tariffs, day)
    said = [Text(zh=one.words("zh"), en=one.words("en")) for one in notice["found"] if one.words("zh")]
    if "market" in tariffs:
        market = found_on("market", day, table=tariffs)
        if market.use == "applied":
            said.append(Text(zh=market.row["words_zh"], en=market.row["words_en"]))
    if notice.get("note_zh"):
        said.append(Text(zh=notice["note_zh"], en=notice["note_en"]))
    return tuple(said)


def power_factor_adjustment(power_factor: float, *, tariffs: Table, on: dt.date | None = None) -> float:
    """Change of the bill by power factor (力调电费), as a share: below 0 is a discount. No bill here contains it.

    Parameters
    ----------
    power_factor : float
        Monthly mean, above 0 and at most 1.
    tariffs : mapping
        Parsed `tariffs.toml`: `power_factor`.
    on : date, optional
        A day; today when left out.

    Raises
    ------
    InputError
        For a power factor outside (0, 1].

    Examples
    --------
    >>> from geo_cluster import toml
    >>> [round(power_factor_adjustment(one, tariffs=toml.table("tariffs")), 4) for one in (0.95, 0.90, 0.85, 0.69)]
    [-0.0075, 0.0, 0.025, 0.11]
    """
    if not 0 < power_factor <= 1:
        raise InputError(Fault("supply.load_factor_no_share", "power_factor", values=[power_factor]))
    rule = found_on("power_factor", on or dt.date.today(), table=tariffs).row
    cents = round(100 * power_factor)
    standard = round(100 * rule["standard"])
    if cents >= standard:
        return 0.0 - min(rule["gain_most"], rule["gain_per_cent"] * (cents - standard))
    upper = standard
    for step in rule["loss"]:
        lowest = round(100 * step["to"])
        if cents >= lowest:
            return float(step["start"] + step["per_cent"] * (upper - cents))
        upper = lowest
    return 0.0


def period_hours(tariff: Table) -> NDArray[np.intp]:
    """Period of each hour of the day in each month.

    Parameters
    ----------
    tariff : mapping
        One notice.

    Returns
    -------
    (12, 24) ndarray of int
        Positions in `PERIODS`.
    """
    rule = tariff["periods"]
    hours = np.full((12, 24), -1, dtype=np.intp)
    for month in range(1, 13):
        summer = "summer_" if month in rule["summer_months"] else ""
        for code, name in enumerate(PERIODS):
            for start, end in rule.get(summer + name, rule[name]):
                hours[month - 1, start:end] = code
    return hours


def period_shares(tariff: Table, profile: ArrayLike | None = None) -> NDArray[np.float64]:
    """Share of a year's energy in each of `PERIODS`.

    Parameters
    ----------
    tariff : mapping
        One notice.
    profile : array_like of 24 or (12, 24), optional
        Load of each hour of the day, any unit; flat when left out.

    Returns
    -------
    (4,) ndarray
        Adds up to 1.

    Raises
    ------
    InputError
        For hours that are negative or missing, or no load at all.
    """
    load = np.ones((12, 24)) if profile is None else np.broadcast_to(np.asarray(profile, dtype=float), (12, 24))
    if not np.isfinite(load).all() or (load < 0).any() or load.sum() <= 0:
        raise InputError(Fault("supply.profile_unusable", "profile"))
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[:, None]
    weight = load * days
    return np.bincount(period_hours(tariff).ravel(), weights=weight.ravel(), minlength=4) / weight.sum()


def price_yuan_kwh(
    load_factor: ArrayLike,
    *,
    tariff: Table,
    voltage_kv: float,
    scheme: str = "two_part",
    profile: ArrayLike | None = None,
    transformer_loading: float | None = None,
) -> NDArray[np.float64]:
    """Average price of a kWh, demand or capacity charge included.

    Parameters
    ----------
    load_factor : array_like
        Mean load over peak load, above 0 and at most 1. Any shape.
    tariff : mapping
        One notice of `tariffs.toml`.
    voltage_kv : float
        Level of connection.
    scheme : {"two_part", "single"}
        Two-part from 315 kVA; single below.
    profile : array_like, optional
        Load of each hour, see `period_shares`: prices each period of the day at its own rate. Left out, the
        notice's price without time of use.
    transformer_loading : float, optional
        Peak load in kW per kVA of transformers: charges by capacity (kVA) instead of by demand (kW).

    Returns
    -------
    ndarray
        Yuan a kWh, shaped like `load_factor`.

    Raises
    ------
    InputError
        For a load factor outside (0, 1], a voltage without rate, a loading outside (0, 1.5].

    Notes
    -----
    Power factor adjustment (力调电费) is left out.
    """
    factor = np.asarray(load_factor, dtype=float)
    if not ((factor > 0) & (factor <= 1)).all():
        raise InputError(Fault("supply.load_factor_no_share", "load_factor", values=np.ravel(factor).tolist()))
    energy, hourly = _charges(tariff, voltage_kv, scheme, profile, transformer_loading)
    return np.asarray(energy + hourly / factor)


def _charges(
    tariff: Table, voltage_kv: float, scheme: str, profile: ArrayLike | None, transformer_loading: float | None
) -> tuple[float, float]:
    """Energy price in yuan/kWh, and basic charge in yuan for each kW of peak load and hour."""
    found = [row for row in tariff["rate"] if row["scheme"] == scheme and row["voltage_kv"] == voltage_kv]
    faults = []
    if not found:
        known = [f"{row['voltage_kv']:g} kV {row['scheme']}" for row in tariff["rate"]]
        asked = {"kv": float(voltage_kv), "scheme": scheme, "notice": tariff["id"]}
        faults.append(Fault("supply.no_rate", "voltage_kv", **asked, known=known))
    if transformer_loading is not None and not 0 < transformer_loading <= 1.5:
        faults.append(Fault("supply.loading_unusable", "transformer_loading", value=float(transformer_loading)))
    refuse_if(faults)
    rate = found[0]
    energy = rate["energy"] if profile is None else period_shares(tariff, profile) @ [rate[p] for p in PERIODS]
    monthly = (
        rate.get("demand", 0.0) if transformer_loading is None else rate.get("capacity", 0.0) / transformer_loading
    )
    return float(energy), monthly / tariff["hours_per_month"]


def bill(
    annual_gwh: Quantity,
    *,
    voltage_kv: float,
    tariffs: Table,
    load_factor: Quantity = (0.35, 0.5, 0.65),
    on: dt.date | None = None,
    scheme: str = "two_part",
    profile: ArrayLike | None = None,
    transformer_loading: float | None = None,
) -> Bill:
    """Yearly cost of electricity as an interval, and what a higher voltage would save.

    Parameters
    ----------
    annual_gwh : number, (low, high), (low, likely, high) or Interval
        Energy a year.
    voltage_kv : float
        Level of connection, 10, 35, 110 or 220 (0.4 for the single-part scheme).
    tariffs : mapping
        Parsed `tariffs.toml`.
    load_factor : number or interval
        Mean load over peak load.
    on : date, optional
        Day whose notices apply, see `tariff_on`; today when left out.
    scheme, profile, transformer_loading
        See `price_yuan_kwh`.

    Returns
    -------
    Bill

    Raises
    ------
    InputError
        For a load factor outside (0, 1], a voltage without rate, notices without dates.
    """
    tariff = tariff_on(tariffs, on)
    gwh, factor = Interval.of(annual_gwh), Interval.of(load_factor)
    if gwh.low < 0:
        raise InputError(Fault("supply.energy_negative", "annual_gwh", value=f"{gwh:g}"))

    def price(kv: float) -> Interval:
        """The low price goes with the high load factor."""
        high, likely, low = price_yuan_kwh(
            [factor.low, factor.likely, factor.high],
            tariff=tariff,
            voltage_kv=kv,
            scheme=scheme,
            profile=profile,
            transformer_loading=transformer_loading,
        ).tolist()
        return Interval(low, likely, high)

    ends = (np.array([[one.low, one.likely, one.high]]) for one in (gwh, factor))
    options: dict[str, Any] = {"scheme": scheme, "profile": profile, "transformer_loading": transformer_loading}
    found = costs(*ends, tariff=tariff, voltage_kv=voltage_kv, **options)
    energy, basic, here = (Interval(*part[0].tolist()) for part in found)
    higher = [float(r["voltage_kv"]) for r in tariff["rate"] if r["scheme"] == scheme and r["voltage_kv"] > voltage_kv]
    savings = {kv: gwh * (_difference(here, price(kv)) * WAN_YUAN_PER_GWH) for kv in higher}
    said = remarks_on(tariffs, on)
    return Bill(gwh, energy, basic, energy + basic, here, float(voltage_kv), label_of(tariff), said, savings)


class Costs(NamedTuple):
    """What plants pay for a year of electricity, (P, 3) low, likely, high; see `Bill`."""

    energy_wan_yuan: NDArray[np.float64]
    basic_wan_yuan: NDArray[np.float64]
    price_yuan_kwh: NDArray[np.float64]


def costs(
    annual_gwh: NDArray[np.float64],
    load_factor: NDArray[np.float64],
    *,
    tariff: Table,
    voltage_kv: float,
    scheme: str = "two_part",
    profile: ArrayLike | None = None,
    transformer_loading: float | None = None,
) -> Costs:
    """What P plants of one voltage pay for a year of electricity.

    Parameters
    ----------
    annual_gwh, load_factor : (P, 3) arrays
        Low, likely and high.
    tariff, voltage_kv, scheme, profile, transformer_loading
        See `price_yuan_kwh`.
    """
    more: dict[str, Any] = {"scheme": scheme, "profile": profile, "transformer_loading": transformer_loading}
    price = price_yuan_kwh(load_factor[:, ::-1], tariff=tariff, voltage_kv=voltage_kv, **more)
    energy, _ = _charges(tariff, voltage_kv, scheme, profile, transformer_loading)
    paid = annual_gwh * (energy * WAN_YUAN_PER_GWH)
    return Costs(paid, annual_gwh * ((price - energy) * WAN_YUAN_PER_GWH), price)


def label_of(tariff: Table) -> str:
    """The notices that prices of a day are made of, in short."""
    return " + ".join(map(_label, tariff["found"][:2]))


def _label(found: Found) -> str:
    """A notice in short, for a cell of a table."""
    life = found.life
    life_span = f"{life.valid_from or '?'}/{life.valid_to or '…'}"
    mark = "" if found.state in VALID else "; 仅作参考 / indication only"
    return f"{found.row['id']} ({life_span}; {life.publisher}{mark})"


def _difference(a: Interval, b: Interval) -> Interval:
    """Difference of two prices at the same load factor, so bound is taken from bound, not crosswise."""
    low, likely, high = sorted((a.low - b.low, a.likely - b.likely, a.high - b.high))
    return Interval(low, likely, high)


def bills(annual_gwh: Quantity, *, tariffs: Table, scheme: str = "two_part", **options: Any) -> list[Bill]:
    """One `bill` for each voltage of a scheme, lowest first; further options as there.

    Parameters
    ----------
    annual_gwh : number or interval
        Energy a year, GWh.
    tariffs : mapping
        Parsed `tariffs.toml`.
    scheme : str
        As in `price_yuan_kwh`.
    **options
        `load_factor`, `on`, `profile`, `transformer_loading`: see `bill`.
    """
    rates = tariff_on(tariffs, options.get("on"))["rate"]
    levels = sorted(float(row["voltage_kv"]) for row in rates if row["scheme"] == scheme)
    return [bill(annual_gwh, voltage_kv=kv, tariffs=tariffs, scheme=scheme, **options) for kv in levels]


def load_factor(annual_gwh: Quantity, power_mva: Quantity, *, power_factor: float) -> Interval:
    """Mean load over peak load of a plant whose transformers are used in full at the peak.

    Parameters
    ----------
    annual_gwh, power_mva : number or interval
        Energy a year, and capacity of its transformers.
    power_factor : float
        MW for each MVA.

    Returns
    -------
    Interval
        Low energy goes with low capacity and high with high: both are the same plant's.

    Raises
    ------
    InputError
        Where so much energy does not pass through so much capacity in a year, or either is not above 0.
    """
    gwh, mva = Interval.of(annual_gwh), Interval.of(power_mva)
    faults = [
        Fault("supply.not_above_zero", name, value=f"{value:g}")
        for name, value in (("annual_gwh", gwh), ("power_mva", mva))
        if not value.low > 0
    ]
    refuse_if(faults)
    pairs = ((gwh.low, mva.low), (gwh.likely, mva.likely), (gwh.high, mva.high))
    factors = [1000.0 * energy / (HOURS_PER_YEAR * power * power_factor) for energy, power in pairs]
    if max(factors) > 1:
        most = HOURS_PER_YEAR * mva.high * power_factor / 1000.0
        about = {"gwh": f"{gwh:g}", "mva": f"{mva:g}", "most": most}
        raise InputError(Fault("supply.energy_beyond_capacity", "annual_gwh", **about))
    return Interval(*sorted(factors))
