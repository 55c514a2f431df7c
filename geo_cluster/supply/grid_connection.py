"""How a project can be connected to the grid: at which voltage, to which substations, at what cost of line.

Tables are parsed TOML (`geo_cluster/tables/grid.toml`), so that a planner can replace any number in them.
Power is apparent power in MVA unless a name says MW.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.supply.interval import Interval
from geo_cluster.supply.substations import feeding_levels, substation_faults

Table = Mapping[str, Any]
Quantity = Interval | float | Sequence[float]


@dataclass(frozen=True)
class Option:
    """One way to connect a project.

    Parameters
    ----------
    voltage_kv : float
        Voltage of the line.
    substations : tuple of str
        Where it ends: one name, two independent ones for a dual supply, none when no layer was given.
    distance_km : tuple of float
        As the crow flies, one for each substation.
    line_km, cost_wan_yuan : Interval or None
        Length of line to build and its cost in 10,000 yuan, all circuits together; None without a layer.
    why : str
        The rows of the rule table that made this option.
    """

    voltage_kv: float
    substations: tuple[str, ...]
    distance_km: tuple[float, ...]
    line_km: Interval | None
    cost_wan_yuan: Interval | None
    why: str


@dataclass(frozen=True)
class Connection:
    """How a project can be connected: `options` in order of cost, `refusals` for what is missing."""

    power_mva: Interval
    dual_supply: bool
    voltages_kv: tuple[float, ...]
    options: tuple[Option, ...]
    refusals: tuple[tuple[str, dict[str, Any]], ...]
    standard: str

    @property
    def best(self) -> Option | None:
        """The cheapest option, or None."""
        return self.options[0] if self.options else None


def voltages(power_mva: Quantity, *, grid: Table, has_35_kv: bool = True) -> tuple[float, ...]:
    """Voltage levels whose capacity range meets the project's, lowest first.

    Parameters
    ----------
    power_mva : number, (low, high), (low, likely, high) or Interval
        Total capacity of the project's transformers. A level counts when its range holds the likely value.
    grid : mapping
        Parsed `grid.toml`.
    has_35_kv : bool
        False where the local network has no 35 kV level: 10 kV then reaches further, 35 kV is left out.

    Returns
    -------
    tuple of float
        kV; the lowest of the table when none counts.

    Raises
    ------
    InputError
        For power that is not positive.
    """
    power = Interval.of(power_mva)
    if not power.low > 0:
        raise InputError(Fault("supply.power_not_positive", "power_mva", value=f"{power:g}"))
    levels = []
    for row in grid["voltage"]:
        if row["kv"] == 35 and not has_35_kv:
            continue
        top = row["max_mva"] if has_35_kv else row.get("max_mva_without_35_kv", row["max_mva"])
        if row["min_mva"] <= power.likely <= top:
            levels.append(float(row["kv"]))
    return tuple(levels) or (float(grid["voltage"][0]["kv"]),)


def needs_dual_supply(segment: str, *, grid: Table) -> bool:
    """Tell whether the rule table asks for two independent substations for this segment."""
    return any(row["segment"] == segment for row in grid["dual_supply"])


def connection(
    power_mva: Quantity,
    *,
    grid: Table,
    power_mw: float | None = None,
    dual_supply: bool = False,
    has_35_kv: bool = True,
    site: gpd.GeoSeries | None = None,
    substations: gpd.GeoDataFrame | None = None,
) -> Connection:
    """Voltage levels and substations that can serve a project, with line cost.

    Parameters
    ----------
    power_mva : number, (low, high), (low, likely, high) or Interval
        Total capacity of the project's transformers.
    grid : mapping
        Parsed `grid.toml`: capacity range, reach and line cost of each voltage.
    power_mw : float, optional
        Active power, when known: checked against the power factor range of the table.
    dual_supply : bool
        Two lines from two independent substations: different names, and different `upstream` where known.
    has_35_kv : bool
        Whether the local network has a 35 kV level.
    site : GeoSeries of one geometry, optional
        With `substations`, adds who can serve the site. Distances run from the nearest point of the geometry.
    substations : GeoDataFrame, optional
        Columns `name`, `voltage_kv` (all levels it feeds at, such as ``"110/35/10"``), optionally `upstream`.

    Returns
    -------
    Connection
        `options` sorted by likely cost. Without substations, one option a voltage and no distances.

    Raises
    ------
    InputError
        For power that is not positive, a power factor outside the table's range, or a faulty layer.
    """
    power = Interval.of(power_mva)
    if power_mw is not None:
        refuse_if(_power_factor_faults(power_mw, power.likely, grid))
    levels = voltages(power, grid=grid, has_35_kv=has_35_kv)
    rows = {float(row["kv"]): row for row in grid["voltage"]}
    standard = f"{grid['standard']['source']} ({grid['standard']['as_of']})"
    if site is None or substations is None:
        options = tuple(Option(kv, (), (), None, None, _capacity_rule(rows[kv])) for kv in levels)
        return Connection(power, dual_supply, levels, options, (), standard)

    refuse_if(substation_faults(substations))
    stations, origin = _in_metres(substations, site)
    km = stations.distance(origin).to_numpy() / 1000.0
    detour = Interval.of(grid["route"]["detour"])
    options_found: list[Option] = []
    refusals: list[tuple[str, dict[str, Any]]] = []
    for kv in levels:
        row = rows[kv]
        feeds = np.array([kv in feeding_levels(text) for text in substations["voltage_kv"]], dtype=bool)
        near = np.flatnonzero(feeds & (km <= row["reach_km"]))
        chosen = _cheapest(near[np.argsort(km[near], kind="stable")], substations, dual_supply)
        if not chosen:
            code = "no_second_substation" if dual_supply and near.size else "no_substation_in_reach"
            nearest = float(km[feeds].min()) if feeds.any() else float("nan")
            refusals.append((code, {"voltage_kv": kv, "reach_km": row["reach_km"], "nearest_km": nearest}))
            continue
        line_km = detour * float(km[list(chosen)].sum())
        cost = line_km * Interval.of(row["line_wan_yuan_per_km"])
        names = tuple(str(substations["name"].iloc[i]) for i in chosen)
        options_found.append(Option(kv, names, tuple(float(km[i]) for i in chosen), line_km, cost, _capacity_rule(row)))
    options_found.sort(key=lambda option: option.cost_wan_yuan.likely if option.cost_wan_yuan else 0.0)
    return Connection(power, dual_supply, levels, tuple(options_found), tuple(refusals), standard)


def _capacity_rule(row: Table) -> str:
    return f"{row['kv']:g} kV: {row['min_mva']:g}-{row['max_mva']:g} MVA, reach {row['reach_km']:g} km ({row['as_of']})"


def _cheapest(near: NDArray[np.intp], stations: pd.DataFrame, dual: bool) -> tuple[int, ...]:
    """Nearest station, or the nearest two that do not hang on the same upstream station."""
    if not dual:
        return tuple(near[:1].tolist())
    upstream = stations["upstream"] if "upstream" in stations else pd.Series([None] * len(stations))
    for k, second in enumerate(near):
        for first in near[:k]:
            a, b = upstream.iloc[first], upstream.iloc[second]
            if pd.isna(a) or pd.isna(b) or a != b:
                return int(first), int(second)
    return ()


def _in_metres(stations: gpd.GeoDataFrame, site: gpd.GeoSeries) -> tuple[gpd.GeoSeries, Any]:
    faults = [
        Fault("supply.no_crs_but_degrees", name)
        for name, layer in (("site", site), ("substations", stations))
        if layer.crs is None
    ]
    refuse_if(faults)
    middle = site.to_crs(4490).union_all().centroid
    # azimuthal equidistant about the site: distances from it are true at any range
    local = f"+proj=aeqd +lat_0={middle.y:.6f} +lon_0={middle.x:.6f} +ellps=GRS80 +units=m"
    return stations.geometry.to_crs(local), site.to_crs(local).union_all()


def _power_factor_faults(mw: float, mva: float, grid: Table) -> list[Fault]:
    rule = grid["power_factor"]
    factor = mw / mva if mva else float("nan")
    if rule["low"] <= factor <= rule["high"]:
        return []
    about = {"mw": mw, "mva": mva, "factor": factor, "low": rule["low"], "high": rule["high"]}
    return [Fault("supply.power_factor_unlikely", "power_mw", **about)]
