"""What arrives when: stations that are not known to be in service, from their date, for the sites that they feed."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geo_cluster.supply.serving_station import OWN_KV, SERVING_KV, feeds_of
from geo_cluster.supply.substations import end_of

COLUMNS = ["subject", "attribute", "low", "likely", "high", "year_low", "year_likely", "year_high"]
COLUMNS += ["basis", "source", "publisher", "station", "sites"]
"""Columns of what arrives; `subject` is the pool, `station` the station that brings it or '', `sites` those that it is
for, joined by `;`, or '' for all that draw on the pool."""

_ENDS = ("low", "likely", "high")


def pools_of_stations(sites: pd.DataFrame, substations: pd.DataFrame) -> dict[str, str]:
    """Station -> the pool that it adds to: that of the sites that it is said to feed, of several the one with most.

    Parameters
    ----------
    sites : DataFrame
        With `id`, `stations` and `station`, the pool that each draws on.
    substations : DataFrame
        With `id` and, where known, `feeds_sites`.
    """
    pool_of, found = dict(zip(sites["id"], sites["station"], strict=True)), {}
    for station, named in feeds_of(sites, substations).items():
        pools = Counter(pool_of[site] for site in named if site in pool_of)
        if pools:
            found[station] = pools.most_common(1)[0][0]
    return found


def station_years(
    sites: pd.DataFrame, substations: pd.DataFrame, *, day: datetime.date, table: Mapping[str, Any]
) -> pd.DataFrame:
    """The stations that are not known to be in service, the pool that each adds to, and when.

    Parameters
    ----------
    sites : DataFrame
        With `id`, `stations` and `station`, the pool that each draws on.
    substations : DataFrame
        With `id`, `kind`, `voltage_kv`, `status`; `planned_from` and `feeds_sites` where known.
    day : date
        The day of the study.
    table : mapping
        `tables/arrivals.toml`.

    Returns
    -------
    DataFrame
        `station`, `subject` (the pool), `year_low`, `year_likely`, `year_high`. Stations without a planned date bring
        nothing; those of one's own come when their planner says.
    """
    rows, slip = [], [int(table["slip_months"][end]) for end in _ENDS]
    pools = pools_of_stations(sites, substations)
    for one in substations.to_dict("records"):
        planned, pool = str(one.get("planned_from") or "").strip(), pools.get(one["id"], one["id"])
        own = one.get("source_class") == "user"
        low_kv, high_kv = OWN_KV if own else SERVING_KV
        feeds = one["kind"] == "substation" and low_kv <= one["voltage_kv"] <= high_kv
        if feeds and one["status"] != "operating" and pool != one["id"] and planned[:4].isdigit():
            begins = max(end_of(planned).date(), day)
            rows.append((one["id"], pool, *(_year_after(begins, 0 if own else months) for months in slip)))
    return pd.DataFrame(rows, columns=["station", "subject", *(f"year_{end}" for end in _ENDS)])


def _year_after(day: datetime.date, months: int) -> int:
    """The year of the day so many months later."""
    return (day.year * 12 + day.month - 1 + months) // 12
