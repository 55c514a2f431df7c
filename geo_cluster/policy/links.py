"""Suppliers and buyers within reach of a site, a firm or a plant that uses lasers （整零对接）.

Who can supply or use what is declared in `tables/reach.toml`: a reading of the chain by segment, not orders. Minutes
are by road, door to door, by the product's own network and calibration, with what both points may be off by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.access.travel import matrix
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, Place
from geo_cluster.policy.chain import FIRMS
from geo_cluster.region import Region, off_by
from geo_cluster.supply.serving_station import doubt_km
from geo_cluster.world import catalog

COLUMNS: tuple[str, ...] = ("id", "name_zh", "name_en", "kind", "stage", "segments", "basis", "low", "likely", "high")
COLUMNS += ("rough", "city_zh", "city_en", "what_zh", "publisher", "as_of", "confidence")
"""Columns of the tables of a `Linkage`."""

BASES: dict[str, Text] = {
    "segment": Text(zh="产品相符", en="fits in the chain"),
    "stage": Text(zh="细分环节未写明", en="its segment is not stated"),
    "source": Text(zh="来源写明用途", en="a source states the use"),
    "inferred": Text(zh="据行业推断用途", en="use inferred from the industry"),
}
"""What a link rests on."""


@dataclass(frozen=True, eq=False)
class Focus:
    """A place whose partners are looked for.

    Attributes
    ----------
    id, name : str, Text
    kind : {"site", "firm", "user"}
    stage : str
        Of the chain; '' of a user.
    segments : tuple of str
        Those of its products; empty where nobody states them.
    uses, industry : tuple of str, str
        Classes of laser use, and the industry, of a user.
    point : GeoDataFrame
        Its one point with `coord_uncertainty_m`.
    """

    id: str
    name: Text
    kind: str
    stage: str
    segments: tuple[str, ...]
    uses: tuple[str, ...]
    industry: str
    point: gpd.GeoDataFrame


@dataclass(frozen=True, eq=False)
class Linkage:
    """Who can supply a place and who can buy there, the nearest first; nan minutes where a point is unknown.

    Buyers of a site or a firm can use what it makes. Those of a user are the plants with the same uses, its own among
    them: to whom a supplier that settles there could sell.
    """

    focus: Focus
    suppliers: pd.DataFrame
    buyers: pd.DataFrame


def focus_of(region: Region, named: str, *, segment: str = "") -> Focus:
    """A site, a firm of the chain or a user of lasers, by id.

    Parameters
    ----------
    region : Region
    named : str
        Id in the layers `sites`, `chain` or `demand`.
    segment : str
        What a plant at a site would make; '' for anything.

    Raises
    ------
    InputError
        Nothing has that id; there is no such segment; or its place is unknown.
    """
    known, place = catalog.segments(), Place(named, kind="place")
    if segment and segment not in known:
        raise InputError(Fault("policy.no_segment", Place(segment, kind="segment"), known=list(known)))
    for layer in ("sites", "chain", "demand"):
        table = region.layers.read(layer)
        found = table[table["id"] == named]
        if len(found):
            point = found.reset_index(drop=True)
            if not np.isfinite(doubt_km(point)[0]):
                raise InputError(Fault("policy.place_unknown", place, name=str(point["name_zh"][0])))
            return _focus(region, layer, point, segment)
    example = [str(region.layers.read(layer)["id"].iloc[0]) for layer in ("sites", "chain", "demand")]
    raise InputError(Fault("policy.no_focus", place, known=example))


def _focus(region: Region, layer: str, point: gpd.GeoDataFrame, segment: str) -> Focus:
    row = point.iloc[0]
    english = row.get("name_en")
    name = Text(zh=row["name_zh"], en=english if isinstance(english, str) and english else row["name_zh"])
    segments, stage = tuple([segment] if segment else []), catalog.segments()[segment].stage if segment else ""
    if layer == "sites":
        return Focus(row["id"], name, "site", stage, segments, (), "", point)
    demand = _demand(region)
    users = point if layer == "demand" else demand[demand["chain_id"] == row["id"]]
    if len(users):
        uses = dict.fromkeys(one for said in users["laser_use"].fillna("") for one in said.split(";") if one)
        return Focus(row["id"], name, "user", "", (), tuple(uses), "；".join(users["industry_zh"].fillna("")), point)
    own = tuple(one for one in str(row["segments"] or "").split(";") if one in catalog.segments())
    return Focus(row["id"], name, "firm", str(row["stage"]), own, (), "", point)


def _demand(region: Region) -> gpd.GeoDataFrame:
    """Users of lasers; a layer of somebody's own may not say which firm of the chain one belongs to."""
    table = region.layers.read("demand")
    return table.assign(chain_id=table.get("chain_id", ""))


def linkage(region: Region, focus: Focus) -> Linkage:
    """Suppliers and buyers of a place, with minutes by road.

    Parameters
    ----------
    region : Region
    focus : Focus
    """
    table, (up, down) = toml.table("reach"), _stages(focus)
    chain, demand = region.layers.read("chain"), _demand(region)
    firms = chain[chain["kind"].isin(FIRMS) & (chain["id"] != focus.id)]
    suppliers, makers = _at_stages(firms, up), _at_stages(firms, down)
    if focus.kind == "user":
        suppliers, makers = _for_user(focus, firms, table), firms.iloc[:0]
    users = demand[(demand["row_kind"] == "plant") & (demand["id"] != focus.id)]
    users = users[np.array([_can_use(row, focus, table) for row in users.to_dict("records")], dtype=bool)]
    users = users.assign(kind="user", stage="", segments="", basis=users["use_basis"], what_zh=users["laser_use_zh"])
    buyers = pd.concat([one for one in (users, makers) if len(one)] or [makers], ignore_index=True)
    return Linkage(focus, _timed(region, focus, suppliers), _timed(region, focus, buyers))


def _stages(focus: Focus) -> tuple[set[str], set[str]]:
    """Stages that a place buys of and sells to; of all stages where nothing is said of it."""
    table = toml.table("reach")["stages"]
    own: list[str] = [catalog.segments()[one].stage for one in focus.segments] or [focus.stage]
    rows = [table[one] for one in own if one in table] or list(table.values())
    up, down = ({one for row in rows for one in row[side]} for side in ("suppliers", "customers"))
    return up, down


def _at_stages(firms: gpd.GeoDataFrame, stages: set[str]) -> gpd.GeoDataFrame:
    """Firms of some stages, and whether a segment of theirs is stated."""
    found = firms[firms["stage"].isin(stages)]
    basis = found["segments"].fillna("").map(lambda said: "segment" if said else "stage")
    return found.assign(basis=basis, what_zh=found["products_zh"])


def _for_user(focus: Focus, firms: gpd.GeoDataFrame, table: dict[str, Any]) -> gpd.GeoDataFrame:
    """Makers of what a user uses: by segment; of machines and lasers also those whose segment nobody states."""
    wanted = {
        key
        for key in catalog.segments()
        if set(table["uses"].get(key, ())) & set(focus.uses)
        or any(word in focus.industry for word in table["industries"].get(key, ()))
    }
    fits = firms["segments"].fillna("").map(lambda said: bool(wanted & set(said.split(";")))).astype(bool)
    perhaps = (firms["segments"].fillna("") == "") & firms["stage"].isin(["lasers", "equipment"])
    found = firms[fits | perhaps]
    return found.assign(basis=fits[fits | perhaps].map({True: "segment", False: "stage"}), what_zh=found["products_zh"])


def _can_use(row: dict[str, Any], focus: Focus, table: dict[str, Any]) -> bool:
    """Whether a plant has a use of the focus, or can use what its segments make; any where no segment is named."""
    uses, industry = set(str(row["laser_use"] or "").split(";")), str(row["industry_zh"] or "")
    if focus.kind == "user":
        return bool(uses & set(focus.uses))
    return not focus.segments or any(
        uses & set(table["uses"].get(key, ())) or any(word in industry for word in table["industries"].get(key, ()))
        for key in focus.segments
    )


def _timed(region: Region, focus: Focus, found: gpd.GeoDataFrame) -> pd.DataFrame:
    """The rows with minutes by road from the place, the nearest first."""
    if found.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    travel = toml.table("travel")["points"]
    off = doubt_km(found)
    there = np.isfinite(off)
    bounds = np.full((len(found), 3), np.nan)
    if there.any():
        drive = matrix(region.network, focus.point.geometry, found.geometry[there]).minutes[0]
        both = np.hypot(off[there], doubt_km(focus.point)[0]) / travel["km_per_min"]
        bounds[there] = off_by(np.stack(region.calibration.minutes(drive), axis=1), both)
    names = region.layers.read("prefectures").set_index("code")
    city = found["prefecture_code"].fillna("")
    english = found["name_en"] if "name_en" in found else pd.Series("", index=found.index)
    table = found.assign(
        name_en=english.fillna("").where(english.fillna("") != "", found["name_zh"]),
        **dict(zip(("low", "likely", "high"), bounds.round(1).T, strict=True)),
        rough=there & (np.maximum(off, doubt_km(focus.point)[0]) > travel["rough_m"] / 1000),
        city_zh=city.map(names["name_zh"]).fillna(""),
        city_en=city.map(names["name_en"]).fillna(""),
    )
    known = pd.DataFrame(table).reindex(columns=list(COLUMNS))
    return known.sort_values(["likely", "low", "id"], kind="stable", na_position="last", ignore_index=True)


def within(table: pd.DataFrame, minutes: float) -> pd.Series:
    """Whether each row is within so many minutes: `yes`, `maybe` (the interval only begins there), `no`, `unknown`."""
    near = np.where(table["likely"] <= minutes, "yes", np.where(table["low"] <= minutes, "maybe", "no"))
    return pd.Series(np.where(table["likely"].isna(), "unknown", near), index=table.index, dtype=object)


def counts(table: pd.DataFrame, minutes: float) -> dict[str, int]:
    """How many rows are within so many minutes, may be, are not, and have no known place."""
    found = within(table, minutes).value_counts()
    return {key: int(found.get(key, 0)) for key in ("yes", "maybe", "no", "unknown")}


def sentence(found: Linkage, minutes: float) -> Text:
    """Who is within so many minutes, in a sentence: suppliers, buyers, the nearest supplier."""
    suppliers, buyers = (counts(table, minutes) for table in (found.suppliers, found.buyers))
    zh = f"{found.focus.name.zh}公路 {minutes:g} 分钟内：供应商 {_told(suppliers, 'zh')}，买家 {_told(buyers, 'zh')}。"
    en = f"Within {minutes:g} minutes by road of {found.focus.name.en}: suppliers {_told(suppliers, 'en')}; "
    en += f"buyers {_told(buyers, 'en')}."
    placed = found.suppliers.dropna(subset="likely")
    if len(placed):
        one = placed.iloc[0]
        likely, span = f"{one['likely']:.0f}", f"{one['low']:.0f}–{one['high']:.0f}"
        zh += f"最近的供应商是{one['name_zh']}（{one['city_zh']}），约 {likely} 分钟（{span}）。"
        en += f" The nearest supplier is {one['name_en']} ({one['city_en']}), about {likely} minutes ({span})."
    return Text(zh=zh, en=en)


def _told(count: dict[str, int], language: str) -> str:
    if language == "zh":
        zh = f"{count['yes']} 家"
        zh += f"，另可能 {count['maybe']} 家" if count["maybe"] else ""
        return zh + (f"（{count['unknown']} 家位置未知，未计）" if count["unknown"] else "")
    en = f"{count['yes']}" + (f", perhaps {count['maybe']} more" if count["maybe"] else "")
    return en + (f" ({count['unknown']} without a known place not counted)" if count["unknown"] else "")


def reach_minutes() -> tuple[int, ...]:
    """Times that are offered as within reach, the shortest first."""
    return tuple(toml.table("chain")["reach"]["minutes"])
