"""Laser clusters of the provinces that clause 16 names for cooperation, and who ties them to Hubei （省际协作）.

A target never stands beside an actual value in one column; figures of different scopes are not added.
"""

from __future__ import annotations

import pandas as pd

from geo_cluster import toml
from geo_cluster.policy.chain import candidates, short_names
from geo_cluster.world.layers import Layers


def provinces() -> tuple[str, ...]:
    """The provinces that clause 16 names."""
    return tuple(toml.table("chain")["partners"]["provinces"])


def clusters(layers: Layers, *, everywhere: bool = False) -> pd.DataFrame:
    """Clusters with their scale, by province in the clause's order, the newest statement of a place first.

    Parameters
    ----------
    layers : Layers
    everywhere : bool
        Those of other provinces, too; Hubei's own are left out all the same.

    Returns
    -------
    DataFrame
        Columns of the layer `clusters`, and `actual`, `target` (100 M yuan; what was expected for the year counts as a
        target), `hubei` (ids of firms of Hubei among its leading firms).
    """
    table = pd.DataFrame(layers.read("clusters")).drop(columns="geometry", errors="ignore")
    table = table.assign(publisher=table.get("publisher", ""))
    order = list(provinces())
    table = table[
        table["province_zh"].isin(order) | (everywhere & ~table["province_zh"].isin([*order, "湖北", "全国"]))
    ]
    scale, kind, calls = table["scale_100m_yuan"].astype(float), table["scale_kind"], short_names(layers)
    named = [
        sorted({one for call, one in calls.items() if len(call) > 2 and call in said})
        for said in table["leading_firms_zh"].fillna("")
    ]
    first = table["province_zh"].map(lambda one: order.index(one) if one in order else len(order))
    table = table.assign(actual=scale.where(kind == "actual"), target=scale.where(kind.isin(["target", "expected"])))
    table = table.assign(hubei=named, _first=first, _year=pd.to_numeric(table["year"], errors="coerce"))
    table = table.sort_values(["_first", "province_zh", "_year"], ascending=[True, True, False], kind="stable")
    return table.drop(columns=["_first", "_year"]).reset_index(drop=True)


def by_province(layers: Layers) -> pd.DataFrame:
    """One row a province of the clause: `clusters`, `firms` (candidates), `fills` (a gap: how many), `tied` (ids)."""
    known, away = clusters(layers), candidates(layers)
    rows = []
    for province in provinces():
        own = away[away["province_zh"] == province]
        tied = own.loc[own["foothold"] != "none", "id"].tolist()
        count = int((known["province_zh"] == province).sum())
        rows.append((province, count, len(own), int((own["gap_basis"] != "none").sum()), tied))
    return pd.DataFrame(rows, columns=["province", "clusters", "firms", "fills", "tied"])


def footholds(layers: Layers, *, everywhere: bool = True) -> pd.DataFrame:
    """Candidates with a foothold or a tie in Hubei, those with a foothold first.

    Parameters
    ----------
    layers : Layers
    everywhere : bool
        Those of other provinces than clause 16 names, too.
    """
    table = candidates(layers)
    table = table[table["foothold"] != "none"]
    if not everywhere:
        table = table[table["province_zh"].isin(provinces())]
    return table.sort_values("foothold", key=lambda one: one != "yes", kind="stable")


def moved_out(layers: Layers) -> pd.DataFrame:
    """Plants outside Hubei whose announcements name a firm of Hubei, with its id: `hubei`."""
    table, calls = pd.DataFrame(layers.read("reference_projects")), short_names(layers)
    away = table[~table["province_zh"].isin(["湖北"]) & table["province_zh"].notna()]
    named = [
        next((one for call, one in calls.items() if len(call) > 2 and call in name), "") for name in away["name_zh"]
    ]
    return away.assign(hubei=named).loc[lambda rows: rows["hubei"] != ""].reset_index(drop=True)
