"""From layers and scenario to what rules and measures look at.

`prepare` does once what no project changes (sites, travel, observations and their draws): a `Region`. `facts_of` and
`settings_of` then add projects, thousands of them or one, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import toml
from geo_cluster.access import roads
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.road_calibration import RoadCalibration, calibrate
from geo_cluster.access.travel_cost import trips
from geo_cluster.domain import Scenario, Text
from geo_cluster.eligibility import Facts, constraints_checked
from geo_cluster.errors import DataError, Fault, InputError, Place, refuse_if
from geo_cluster.reach import Reach, firms, reach_of
from geo_cluster.scoring.criteria import Setting, alike_everywhere
from geo_cluster.supply.serving_station import Feed, area_names, distance_km, feeding_station, supply_area
from geo_cluster.world import catalog, observations, portfolio
from geo_cluster.world.layers import Layers

LAYERS: tuple[str, ...] = ("sites", "substations", "prefectures", "chain", "anchors", "roads")
LAYERS += ("stations", "ports", "airports", "counties", "observations", "demand")
"""Layers that a study reads."""

TIMED = ("airports", "ports", "stations", "sites", "anchors")
"""Layers whose ids the travel table names."""

SAME_PLACE_KM = 20.0
"""A place of one's own may stand so far from the shipped one of the same id; points are off by up to 10 km."""

_ENDS = ("low", "likely", "high")


def offers() -> tuple[str, ...]:
    """Attributes that rules and measures use, by site: those of the resources, then those of criteria."""
    of_resources = (kind.attribute for kind in catalog.resources().values())
    behind = (one.attribute for one in catalog.criteria().values() if one.attribute is not None)
    parts = (attribute for one in catalog.criteria().values() for attribute in one.attributes)
    return tuple(dict.fromkeys([*of_resources, "trip_min", *behind, *parts]))


@dataclass(frozen=True, eq=False)
class Region:
    """What a scenario makes of the layers before any project: S sites, K observations, N draws, G segments.

    Attributes
    ----------
    scenario : Scenario
    layers : Layers
        What it was made of.
    sites : GeoDataFrame
        S sites, with the `station` or supply area that feeds each.
    anchor : Series
        Where R&D is.
    network : RoadNetwork
    calibration : RoadCalibration
        From minutes on the network to minutes door to door.
    trips : DataFrame
        Anchor to each site by road and rail, the better of both, how often one can go, and what it costs.
    observations : DataFrame
        K numbers of sites, stations and prefectures: the user's, the published, the derived, the assumed.
    by_segment : mapping of (G, S or 1) arrays
        Measures that depend on the project's segment, in the order of `catalog.segments()`.
    names : mapping of Text
        Names of sites, stations, supply areas and prefectures by id.
    left_out : mapping of Text
        Criterion -> what its measure leaves out because nobody knows where it is.
    """

    scenario: Scenario
    layers: Layers
    sites: gpd.GeoDataFrame
    anchor: pd.Series
    network: RoadNetwork
    calibration: RoadCalibration
    trips: pd.DataFrame
    observations: pd.DataFrame
    by_segment: Mapping[str, np.ndarray]
    names: Mapping[str, Text]
    left_out: Mapping[str, Text] = field(default_factory=dict)

    @cached_property
    def draws(self) -> np.ndarray:
        """(N, K): draws of every observation."""
        return observations.draw(self.observations, draws=self.scenario.draws, seed=self.scenario.seed)

    @cached_property
    def evidence(self) -> tuple[np.ndarray, np.ndarray]:
        """(S, C) arrays of str: basis and publisher of every number that criteria go by."""
        known = self.observations.set_index(["attribute", "site_id"])
        evidence, source = [], []
        for criterion in catalog.criteria().values():
            if criterion.attribute is None:
                evidence.append(np.full(len(self.sites), criterion.basis, dtype=object))
                source.append(np.full(len(self.sites), "", dtype=object))
                continue
            subject = subject_of(criterion.attribute, self.sites)
            rows = known.reindex(pd.MultiIndex.from_product([[criterion.attribute], subject]))
            evidence.append(rows["basis"].fillna("assumed").to_numpy(object))
            source.append(rows["publisher"].fillna("").to_numpy(object))
        return np.stack(evidence, axis=1), np.stack(source, axis=1)

    @cached_property
    def same_assumption(self) -> dict[str, int]:
        """Criterion -> at how many sites its number is one and the same assumed interval, by the most common one."""
        bounds = self.observations[list(_ENDS)].to_numpy(float)
        assumed = (self.observations["basis"] == "assumed").to_numpy()
        found = {}
        for key, criterion in catalog.criteria().items():
            at = self.places[criterion.attribute] if criterion.attribute else np.array([], dtype=int)
            at = at[at >= 0]
            _, counts = np.unique(bounds[at[assumed[at]]], axis=0, return_counts=True)
            found[key] = int(counts.max(initial=0))
        return found

    @property
    def same_everywhere(self) -> frozenset[str]:
        """Criteria that tell no two sites apart: one assumed interval stands for all of them."""
        return frozenset(key for key, count in self.same_assumption.items() if count == len(self.sites) > 1)

    @cached_property
    def alike(self) -> frozenset[str]:
        """Criteria that are the same at every site for every segment, and so give their weight back."""
        needs = {kind.need: np.ones((3, len(catalog.segments()))) for kind in catalog.resources().values()}
        ends = Setting(needs, {key: bounds.T for key, bounds in self.offers.items()}, self.by_segment)
        return alike_everywhere(ends, catalog.criteria()) | self.same_everywhere

    @property
    def criterion_notes(self) -> dict[str, Text]:
        """What to know beside a criterion: that it rests on one assumption for many sites, and what it leaves out."""
        notes = dict(self.left_out)
        for key, count in self.same_assumption.items():
            if 2 * count <= len(self.sites) or count < 2:
                continue
            zh = "各园区同一假定，不区分园区，权重让给其余指标，有一处核实即恢复"
            en = "the same assumption at every site: it tells none apart and gives its weight back until one is known"
            if key not in self.same_everywhere:
                zh = f"{len(self.sites)} 个园区中有 {count} 个同一假定，彼此不区分"
                en = f"{count} of {len(self.sites)} sites rest on one assumption, which tells none of them apart"
            notes[key] = _joined(zh, en, notes.get(key))
        for key in sorted(self.alike - self.same_everywhere):
            zh = "各园区数值相同，不区分园区，权重让给其余指标，有一处不同即恢复"
            en = "the same number at every site: it tells none apart and gives its weight back until one differs"
            notes[key] = _joined(zh, en, self.left_out.get(key))
        return notes

    @cached_property
    def places(self) -> dict[str, np.ndarray]:
        """Attribute -> (S,): which observation counts for each site; -1 where nobody's could."""
        keys = zip(self.observations["attribute"], self.observations["site_id"], strict=True)
        row = {key: i for i, key in enumerate(keys)}
        return {
            attribute: np.array([row.get((attribute, one), -1) for one in subject_of(attribute, self.sites)])
            for attribute in offers()
        }

    @cached_property
    def offers(self) -> dict[str, np.ndarray]:
        """Attribute -> (S, 3): low, likely, high of what each site has; nan where nobody's number could be it."""
        bounds = self.observations[list(_ENDS)].to_numpy(float)
        return {key: np.where((at >= 0)[:, None], bounds[at], np.nan) for key, at in self.places.items()}


def _joined(zh: str, en: str, more: Text | None) -> Text:
    """A note before another one, where there is one."""
    return Text(zh=f"{zh}；{more.zh}" if more else zh, en=f"{en}; {more.en}" if more else en)


def prepare(
    scenario: Scenario,
    layers: Layers | Mapping[str, pd.DataFrame] | None = None,
    *,
    projects: Iterable[str] = (),
) -> Region:
    """Choose sites, measure travel, complete the observations.

    Parameters
    ----------
    scenario : Scenario
    layers : Layers or mapping of DataFrame, optional
        What to make it of; tables by name stand in place of the scenario's layers. By default the scenario's.
    projects : iterable of str
        Ids of the projects to come, which locked and forbidden pairs may name.

    Raises
    ------
    InputError
        Naming every anchor, site, project or subject of the scenario that there isn't.
    """
    layers = layers if isinstance(layers, Layers) else Layers(scenario.layers, tables=layers)
    world = {name: layers.read(name) for name in LAYERS}
    world["sites"] = with_prefecture(world["sites"])
    refuse_if(name_faults(scenario.model_dump(mode="json"), world, set(projects), where=catalog.SCENARIO))
    sites = world["sites"]
    sites = (sites[sites["id"].isin(scenario.sites)] if scenario.sites else sites).reset_index(drop=True)
    refuse_if(_site_faults(sites) + _moved_faults(world))
    anchor = world["anchors"].loc[world["anchors"]["id"] == scenario.anchor].set_index("id")
    network, calibration = travel_of(world)
    trips = _trips(network, calibration, world, scenario.anchor, sites)
    rough_km = toml.table("travel")["points"]["rough_m"] / 1000
    feed = feeding_station(sites, world["substations"], within_km=rough_km)
    sites = sites.assign(station=feed.station, constraints_checked=constraints_checked(sites))
    found = reach_of(network, calibration, world, sites)
    derived = [_trip_rows(trips), _distance_rows(sites, feed), *_reach_rows(sites, found)]
    return Region(
        scenario=scenario,
        layers=layers,
        sites=sites,
        anchor=anchor.iloc[0],
        network=network,
        calibration=calibration,
        trips=trips,
        observations=_observe(scenario, world, sites, [*derived, _constraint_rows(sites)]),
        by_segment={**_measures(world, sites), **found.by_segment},
        names=_names(world),
        left_out=found.left_out,
    )


def with_prefecture(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Sites with the prefecture of their county (GB/T 2260) where their own `prefecture_code` is empty."""
    county = sites["county_code"] if "county_code" in sites else pd.Series("", sites.index)
    county, own = county.fillna("").astype(str), sites["prefecture_code"].fillna("").astype(str)
    of_county = (county.str[:4] + "00").where(county.str.fullmatch(r"\d{6}").astype(bool), "")
    return sites.assign(prefecture_code=own.where(own != "", of_county))


def _site_faults(sites: gpd.GeoDataFrame) -> list[Fault]:
    """Why sites can't be compared: there are none, or some have no place or no prefecture, whose quota they share."""
    if sites.empty:
        return [Fault("world.no_site", Place("sites", kind="layer"))]
    ids, prefecture = sites["id"].astype(str), sites["prefecture_code"]
    nowhere = (sites.geometry.isna() | sites.geometry.is_empty).to_numpy()
    at = [Place("sites", kind="layer", entry=one) for one in ids]
    faults = [Fault("world.site_without_place", at[row]) for row in np.flatnonzero(nowhere)]
    return faults + [Fault("world.site_without_prefecture", at[row]) for row in np.flatnonzero(prefecture == "")]


def _moved_faults(world: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """Places of one's own with the id of a shipped place far away, whose published times and numbers are not theirs."""
    faults = []
    for name in TIMED:
        own, shipped = world[name].set_index("id"), _shipped_points(name)
        both = [one for one in own.index if one in shipped.index and own.geometry.notna()[one]]
        km = np.diagonal(distance_km(own.geometry[both], shipped[both]))
        for one, apart in zip(both, km, strict=True):
            if apart > SAME_PLACE_KM:
                faults.append(Fault("world.id_of_another_place", Place(name, kind="layer", entry=one), km=float(apart)))
    return faults


@cache
def _shipped_points(name: str) -> gpd.GeoSeries:
    """Points of a shipped layer by id."""
    points = Layers().read(name)
    return points[points.geometry.notna()].set_index("id").geometry


def travel_of(world: Mapping[str, pd.DataFrame]) -> tuple[RoadNetwork, RoadCalibration]:
    """The road network and its calibration on the published times whose places are in the layers.

    Where fewer than three of them are (a country of one's own), minutes on the network count as they are.
    """
    network = roads.from_layer(world["roads"])
    places, table = _places(world), toml.table("travel")
    rows = [row for row in table["road"] if {row["origin"], row["destination"]} <= set(places)]
    if sum(row.get("fit", True) for row in rows) < 3:
        return network, RoadCalibration(0.0, 1.0, 0.0, 0.0, pd.DataFrame(rows))
    return network, calibrate(network, table={**table, "road": rows}, places=places)


def _places(world: Mapping[str, pd.DataFrame]) -> dict[str, tuple[float, float]]:
    """Where the ids are that the travel table names."""
    places: dict[str, tuple[float, float]] = {}
    for name in TIMED:
        points = world[name][world[name].geometry.notna()]
        places |= dict(zip(points["id"], zip(points.geometry.x, points.geometry.y, strict=True), strict=True))
    return places


def _trips(
    network: RoadNetwork,
    calibration: RoadCalibration,
    world: Mapping[str, pd.DataFrame],
    anchor: str,
    sites: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Anchor to each site; by road alone where the railway's stops are not in the layers."""
    places, table = _places(world), toml.table("travel")
    services = [
        service
        for service in table.get("rail", {}).get("service", [])
        if {stop["at"] for stop in service["stop"]} <= set(places)
    ]
    table = {**table, "rail": {**table["rail"], "service": services}}
    return trips(network, calibration, table=table, places=places, origins=[anchor], destinations=sites["id"].tolist())


def facts_of(region: Region, projects: pd.DataFrame) -> Facts:
    """What the rules look at."""
    forbidden = frozenset((pair.project, pair.site) for pair in region.scenario.forbidden)
    return Facts(projects, region.sites, _needs(projects), region.offers, forbidden)


def settings_of(region: Region, facts: Facts) -> tuple[Setting, Setting]:
    """What the measures look at: the likely values, and the draws of all that is uncertain."""
    segment = [list(catalog.segments()).index(key) for key in facts.projects["segment"]]
    fixed = {key: rows[segment] for key, rows in region.by_segment.items()}
    bearable = facts.projects["max_minutes"].to_numpy(float)
    likely = Setting(
        {key: bounds[:, 1:2].T for key, bounds in facts.needs.items()},
        {key: bounds[:, 1:2].T for key, bounds in facts.offers.items()},
        fixed,
        bearable,
    )
    offers = {key: np.where(at >= 0, region.draws[:, at], np.nan) for key, at in region.places.items()}
    needs = {key: _draw_needs(region.scenario, facts.projects, key, bounds) for key, bounds in facts.needs.items()}
    return likely, Setting(needs, offers, fixed, bearable)


def subject_of(attribute: str, sites: gpd.GeoDataFrame) -> pd.Series:
    """Whose number of this attribute counts for each site: its own, its station's, its prefecture's."""
    column = {"site": "id", "substation": "station", "prefecture": "prefecture_code"}
    return sites[column[catalog.attributes()[attribute].subject]]


def supply_areas(world: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`id`, `name_zh`, `name_en` of the supply area of every county with a site, which may be unknown to no source.

    Parameters
    ----------
    world : mapping of DataFrame
        Layers by name: `sites`, `counties`, `prefectures`.
    """
    columns = ["code", "name_zh", "name_en"]
    return area_names(world["sites"], pd.concat([world["counties"][columns], world["prefectures"][columns]]))


def _names(world: Mapping[str, pd.DataFrame]) -> dict[str, Text]:
    """Names of everything that an observation can be about."""
    ids = {"sites": "id", "substations": "id", "prefectures": "code"}
    rows = [world[layer].set_index(key)[["name_zh", "name_en"]] for layer, key in ids.items()]
    rows.append(supply_areas(world).set_index("id"))
    return {one: Text(zh=zh, en=en) for one, zh, en in pd.concat(rows).itertuples()}


def read_scenario(name_or_path: str | Path) -> tuple[Scenario, pd.DataFrame]:
    """Read a scenario and its projects; the faults of the file, of the portfolio and of every name at once."""
    row, where = catalog.scenario_row(name_or_path)
    projects, faults = None, []
    named = row.get("portfolio", "sample")
    try:
        projects = portfolio.read(named) if isinstance(named, str) else None
    except InputError as refusal:
        faults = refusal.faults
    scenario = _scenario(row, where, None if projects is None else set(projects.index), faults)
    assert projects is not None  # no fault means it was read
    return scenario, projects


def read_for_others(name_or_path: str | Path) -> Scenario:
    """Read a scenario for projects that are not its own: what it says of its own by name is left aside."""
    row, where = catalog.scenario_row(name_or_path)
    scenario = _scenario(row, where, None, [])
    return scenario.model_copy(update=dict.fromkeys(("locked", "forbidden", "partners", "present"), ()))


def _scenario(row: Mapping[str, Any], where: str, projects: set[str] | None, more: list[Fault]) -> Scenario:
    """A scenario from its dict; every fault of it, of the names in it, and those found elsewhere, at once."""
    scenario, faults = None, []
    try:
        scenario = catalog.scenario_from(dict(row), where=where)
    except InputError as refusal:
        faults = refusal.faults
    try:
        layers = Layers(row["layers"] if isinstance(row.get("layers"), str) else "")
        world = {name: layers.read(name) for name in ("sites", "substations", "prefectures", "anchors", "counties")}
        world["sites"] = with_prefecture(world["sites"])
    except DataError as damage:
        refuse_if([*faults, *more, *damage.faults] if faults or more else [])
        raise
    refuse_if(faults + more + name_faults(row, world, projects, where=where))
    assert scenario is not None  # no fault means it was read
    return scenario


def name_faults(
    row: Mapping[str, Any], world: Mapping[str, pd.DataFrame], projects: set[str] | None, *, where: Place | str
) -> list[Fault]:
    """Every anchor, site, subject or project that a scenario, as a dict, names and that there isn't.

    Parameters
    ----------
    row : mapping
        The scenario, as its TOML or JSON has it.
    world : mapping of DataFrame
        Layers by name, those of `LAYERS`.
    projects : set of str or None
        Ids of the projects; None where they couldn't be read, and then nothing is said of them.
    where : Place or str
        Where the scenario stands.
    """
    sites = set(world["sites"]["id"])
    picked = _texts(row.get("sites"))
    chosen = (picked & sites) or sites
    subjects = {*sites, *world["substations"]["id"], *world["prefectures"]["code"], *supply_area(world["sites"])}
    named = [("anchor", _texts([row.get("anchor", "future_city")]), set(world["anchors"]["id"]))]
    named.append(("sites", picked, sites))
    named.append(("known.subject", _values(row, "known", "subject"), subjects))
    for key in ("locked", "forbidden", "present"):
        named.append((f"{key}.site", _values(row, key, "site"), chosen))
        if projects is not None:
            named.append((f"{key}.project", _values(row, key, "project"), projects))
    if projects is not None:
        named += [(f"partners.{key}", _values(row, "partners", key), projects) for key in ("first", "second")]
    cities = set(world["sites"].loc[world["sites"]["id"].isin(chosen), "prefecture_code"])
    named.append(("shares.prefecture", _values(row, "shares", "prefecture"), cities))
    named.append(("shares.segment", _values(row, "shares", "segment") - {""}, set(catalog.segments())))
    at = where if isinstance(where, Place) else Place(where)
    return [
        Fault("world.no_such_name", replace(at, key=key), name=toml.shown(name), known=sorted(names))
        for key, used, names in named
        for name in sorted(used - names)
    ]


def _texts(entries: Any) -> set[str]:
    """The texts of a list; what is no list of texts is a fault told elsewhere."""
    return {one for one in entries if isinstance(one, str)} if isinstance(entries, list | tuple) else set()


def _values(row: Mapping[str, Any], key: str, field: str) -> set[str]:
    """What the entries of a list of tables say in one field; what is no list of tables is a fault told elsewhere."""
    entries = row.get(key)
    tables = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list | tuple) else []
    return {str(one[field]) for one in tables if field in one}


def _measures(world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame) -> dict[str, np.ndarray]:
    """(G, S) measures that depend on the segment and on no road."""
    segments = catalog.segments()
    industries = (sites["industries_zh"].fillna("") + sites["catalogue_industries_zh"].fillna("")).tolist()
    fit = [[_fit(text, segment.industries) for text in industries] for segment in segments.values()]
    chain = firms(world)
    same = np.array([chain["segments"].str.split(";").map(lambda parts, key=key: key in parts) for key in segments])
    city = chain["prefecture_code"].to_numpy()[:, None] == sites["prefecture_code"].to_numpy()[None, :]
    return {"industry_fit": np.array(fit), "same_segment": same.astype(float) @ city.astype(float)}


def _fit(industries: str, words: Iterable[str]) -> float:
    """How far lead industries match a segment's words, 0 to 1; nan where nobody says which they are."""
    return min(1.0, sum(word in industries for word in words) / 3) if industries.strip() else np.nan


def _derived(subjects: Any, attribute: str, bounds: np.ndarray, source: Any, **more: Any) -> pd.DataFrame:
    """Observations that are derived here: (n, 3) bounds of n subjects, with the words of where they come from."""
    rows = {"site_id": subjects, "attribute": attribute, **dict(zip(_ENDS, bounds.T, strict=True))}
    about = {"unit": catalog.attributes()[attribute].unit.zh, "basis": "derived", "source": source}
    return pd.DataFrame(rows | about | {"as_of": "2026-11", "source_class": "c", "confidence": "medium"} | more)


def _trip_rows(trips: pd.DataFrame) -> pd.DataFrame:
    """Door to door to each site, by the faster way."""
    sources = catalog.attributes()["trip_min"].sources
    way = {mode: words.zh for mode, words in zip(("road", "rail"), sources, strict=True)}
    bounds = trips[[f"{end}_min" for end in _ENDS]].to_numpy(float)
    return _derived(trips["destination"].to_numpy(), "trip_min", bounds, trips["mode"].map(way).to_numpy())


def _distance_rows(sites: gpd.GeoDataFrame, feed: Feed) -> pd.DataFrame:
    """Distance to the feeding station, where both points are known, give or take what both may be off by."""
    known = ~np.isnan(feed.km)
    km, doubt = feed.km[known], feed.doubt_km[known]
    bounds = np.stack([np.maximum(km - doubt, 0.0), km, km + doubt], axis=1)
    return _derived(sites["id"].to_numpy()[known], "grid_km", bounds, catalog.attributes()["grid_km"].sources[0].zh)


def _reach_rows(sites: gpd.GeoDataFrame, found: Reach) -> list[pd.DataFrame]:
    """Access to suppliers and customers and the ways of freight, where anything has a place."""
    ids, declared, rows = sites["id"].to_numpy(), catalog.attributes(), []
    for attribute, bounds in found.numbers.items():
        known = ~np.isnan(bounds).any(axis=1)
        rows.append(_derived(ids[known], attribute, bounds[known], declared[attribute].sources[0].zh))
    return [one for one in rows if len(one)]


def _constraint_rows(sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """How many constraints each site has: the list's where it was looked into, else at least so many."""
    declared = catalog.attributes()["open_constraints"]
    prior = declared.priors[0]
    listed = np.array([len({*filter(None, text.split(";"))}) for text in sites["constraints"].fillna("")], dtype=float)
    known = (sites["constraints_checked"] == "yes").to_numpy()
    likely, high = np.maximum(listed + 1, prior.likely), np.maximum(listed + 2, prior.high)
    bounds = np.stack([listed, np.where(known, listed, likely), np.where(known, listed, high)], axis=1)
    trust = {"basis": np.where(known, "derived", "assumed"), "confidence": np.where(known, "medium", "low")}
    source = np.where(known, declared.sources[0].zh, prior.reason.zh)
    return _derived(sites["id"].to_numpy(), "open_constraints", bounds, source, **trust)


def _observe(
    scenario: Scenario,
    world: Mapping[str, pd.DataFrame],
    sites: gpd.GeoDataFrame,
    derived: Iterable[pd.DataFrame],
) -> pd.DataFrame:
    """Every number of sites, stations and prefectures: the user's, the published, the derived, the assumed."""
    declared = catalog.attributes()
    stated = observations.known_rows(scenario.known, declared)
    rows = pd.concat([world["observations"].reindex(columns=observations.COLUMNS), *derived, stated], ignore_index=True)
    stations = world["substations"]
    subjects = {
        "site": dict(zip(sites["id"], sites["site_class"], strict=True)),
        "substation": dict.fromkeys(sorted({*sites["station"]} & {*supply_area(sites)}), "unknown_feed")
        | {
            one: f"{kv:.0f}" if status == "operating" else "unconfirmed"
            for one, kv, status in zip(stations["id"], stations["voltage_kv"], stations["status"], strict=True)
            if one in set(sites["station"])
        },
        "prefecture": dict.fromkeys(sorted(set(sites["prefecture_code"])), "*"),
    }
    return observations.complete(rows, subjects, declared)


def _needs(projects: pd.DataFrame) -> dict[str, np.ndarray]:
    """(P, 3) low, likely, high of what each project takes."""
    constants, needs = toml.table("requirements"), {}
    for kind in catalog.resources().values():
        asked = projects[[f"{kind.asked.column}_{end}" for end in _ENDS]].to_numpy(float)
        needs[kind.need] = asked * constants[kind.asked.constant] if kind.asked.constant else asked
    return needs


def _draw_needs(scenario: Scenario, projects: pd.DataFrame, need: str, bounds: np.ndarray) -> np.ndarray:
    """(N, P): draws of one need of every project."""
    rows = pd.DataFrame(bounds, columns=list(_ENDS)).assign(site_id=projects.index, attribute=need)
    return observations.draw(rows, draws=scenario.draws, seed=scenario.seed)
