"""From layers and scenario to what rules and measures look at.

`prepare` does once what no project changes (sites, travel, observations and their draws): a `Region`. `facts_of` and
`settings_of` then add projects, thousands of them or one, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import catalog, observations, portfolio
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix
from geo_cluster.domain import Scenario, Text
from geo_cluster.eligibility import Facts
from geo_cluster.errors import Fault, refuse_if
from geo_cluster.scoring.criteria import Setting
from geo_cluster.supply.pools import feeding_station

LAYERS = ("sites", "substations", "prefectures", "chain", "anchors", "roads", "ports", "airports", "observations")
"""Layers that a study reads."""

OFFERS = ("available_land_ha", "spare_mva", "energy_quota_tce", "land_price_10k_yuan_per_mu", "drive_min")
"""Attributes that rules and measures use, by site."""

SUPPLIER_MINUTES = 60.0
CARGO_AIRPORTS = ("EHU", "WUH")
DRIVE_FACTORS = (0.9, 1.0, 1.25)
"""Low, likely and high of a drive as multiples of the road graph's minutes: the graph knows no road class."""

_ENDS = ("low", "likely", "high")


@dataclass(frozen=True, eq=False)
class Region:
    """What a scenario makes of the layers before any project: S sites, K observations, N draws, G segments.

    Attributes
    ----------
    scenario : Scenario
    sites : GeoDataFrame
        S sites, with the `station` that feeds each.
    anchor : Series
        Where R&D is.
    network : RoadNetwork
    observations : DataFrame
        K numbers of sites, stations and prefectures: the user's, the published, the derived, the assumed.
    by_site : mapping of (S,) arrays
        Measures that neither draw nor project change.
    by_segment : mapping of (G, S) arrays
        Measures that depend on the project's segment, in the order of `catalog.segments()`.
    names : mapping of Text
        Names of sites, stations and prefectures by id.
    """

    scenario: Scenario
    sites: gpd.GeoDataFrame
    anchor: pd.Series
    network: RoadNetwork
    observations: pd.DataFrame
    by_site: Mapping[str, np.ndarray]
    by_segment: Mapping[str, np.ndarray]
    names: Mapping[str, Text]

    @cached_property
    def draws(self) -> np.ndarray:
        """(N, K): draws of every observation."""
        return observations.draw(self.observations, draws=self.scenario.draws, seed=self.scenario.seed)

    @cached_property
    def places(self) -> dict[str, np.ndarray]:
        """Attribute -> (S,): which observation counts for each site; -1 where nobody's could."""
        keys = zip(self.observations["attribute"], self.observations["site_id"], strict=True)
        row = {key: i for i, key in enumerate(keys)}
        return {
            attribute: np.array([row.get((attribute, one), -1) for one in subject_of(attribute, self.sites)])
            for attribute in OFFERS
        }

    @cached_property
    def offers(self) -> dict[str, np.ndarray]:
        """Attribute -> (S, 3): low, likely, high of what each site has; nan where nobody's number could be it."""
        bounds = self.observations[list(_ENDS)].to_numpy(float)
        return {key: np.where((at >= 0)[:, None], bounds[at], np.nan) for key, at in self.places.items()}


def prepare(scenario: Scenario, world: Mapping[str, pd.DataFrame], *, projects: Iterable[str] = ()) -> Region:
    """Choose sites, measure travel, complete the observations.

    Parameters
    ----------
    scenario : Scenario
    world : mapping
        The layers named in `LAYERS`.
    projects : iterable of str
        Ids of the projects to come, which locked and forbidden pairs may name.

    Raises
    ------
    InputError
        Naming every anchor, site, project or subject of the scenario that there isn't.
    """
    sites, anchor = _chosen(scenario, world, set(projects))
    network = RoadNetwork.from_layer(world["roads"])
    drive = matrix(network, anchor.geometry, sites.geometry).minutes[0]
    feed = feeding_station(sites, world["substations"])
    sites = sites.assign(station=feed.station)
    by_site, by_segment = _measures(network, world, sites)
    return Region(
        scenario=scenario,
        sites=sites,
        anchor=anchor.iloc[0],
        network=network,
        observations=_observe(scenario, world, sites, drive),
        by_site=by_site | {"grid_km": feed.km},
        by_segment=by_segment,
        names=_names(world),
    )


def facts_of(region: Region, projects: pd.DataFrame) -> Facts:
    """What the rules look at."""
    forbidden = frozenset((pair.project, pair.site) for pair in region.scenario.forbidden)
    return Facts(projects, region.sites, _needs(projects), region.offers, forbidden)


def settings_of(region: Region, facts: Facts) -> tuple[Setting, Setting]:
    """What the measures look at: the likely values, and the draws of all that is uncertain."""
    segment = [list(catalog.segments()).index(key) for key in facts.projects["segment"]]
    fixed = {key: row[None, :] for key, row in region.by_site.items()}
    fixed |= {key: rows[segment] for key, rows in region.by_segment.items()}
    likely = Setting(
        {key: bounds[:, 1:2].T for key, bounds in facts.needs.items()},
        {key: bounds[:, 1:2].T for key, bounds in facts.offers.items()},
        fixed,
    )
    offers = {key: np.where(at >= 0, region.draws[:, at], np.nan) for key, at in region.places.items()}
    needs = {key: _draw_needs(region.scenario, facts.projects, key, bounds) for key, bounds in facts.needs.items()}
    return likely, Setting(needs, offers, fixed)


def subject_of(attribute: str, sites: gpd.GeoDataFrame) -> pd.Series:
    """Whose number of this attribute counts for each site: its own, its station's, its prefecture's."""
    column = {"site": "id", "substation": "station", "prefecture": "prefecture_code"}
    return sites[column[catalog.attributes()[attribute].subject]]


def _names(world: Mapping[str, pd.DataFrame]) -> dict[str, Text]:
    """Names of everything that an observation can be about."""
    ids = {"sites": "id", "substations": "id", "prefectures": "code"}
    rows = [world[layer].set_index(key)[["name_zh", "name_en"]] for layer, key in ids.items()]
    return {one: Text(zh=zh, en=en) for one, zh, en in pd.concat(rows).itertuples()}


def _unknown(where: str, used: set[str], names: set[str]) -> list[Fault]:
    remedy = f"use one of {', '.join(sorted(names))}"
    return [Fault(f"scenario, {where}", f"there is no {name!r}", remedy) for name in sorted(used - names)]


def _chosen(
    scenario: Scenario, world: Mapping[str, pd.DataFrame], projects: set[str]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The sites that the scenario considers, and its anchor."""
    sites, anchors = world["sites"], world["anchors"]
    pairs = [*scenario.locked, *scenario.forbidden]
    subjects = {*sites["id"], *world["substations"]["id"], *world["prefectures"]["code"]}
    refuse_if(
        _unknown("anchor", {scenario.anchor}, set(anchors["id"]))
        + _unknown("sites", set(scenario.sites), set(sites["id"]))
        + _unknown("locked/forbidden, site", {pair.site for pair in pairs}, set(scenario.sites or sites["id"]))
        + _unknown("locked/forbidden, project", {pair.project for pair in pairs}, projects)
        + _unknown("known, subject", {one.subject for one in scenario.known}, subjects)
    )
    chosen = sites[sites["id"].isin(scenario.sites)] if scenario.sites else sites
    return chosen.reset_index(drop=True), anchors[anchors["id"] == scenario.anchor].set_index("id")


def _measures(
    network: RoadNetwork, world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(S,) measures of sites, and (G, S) measures that depend on the segment."""
    chain, airports = world["chain"], world["airports"]
    chain = chain[chain.geometry.notna()]
    firms = chain[chain["kind"].isin(["firm", "plant"])]
    targets = {
        "testing": chain[chain["kind"].isin(["platform", "lab"])],
        "supplier": firms[~firms["stage"].isin(["applications", "support"])],
        "port": world["ports"],
        "air": airports[airports["iata"].isin(CARGO_AIRPORTS)],
    }
    minutes = {key: _minutes(network, sites.geometry, points.geometry) for key, points in targets.items()}
    nearest = {key: near.min(axis=1, initial=np.inf) for key, near in minutes.items()}
    nearest = {key: np.where(np.isfinite(near), near, np.nan) for key, near in nearest.items()}
    segments = catalog.segments()
    industries = (sites["industries_zh"] + sites["catalogue_industries_zh"]).tolist()
    fit = [[min(1.0, sum(word in text for word in s.industries) / 3) for text in industries] for s in segments.values()]
    same = np.array([firms["segments"].str.split(";").map(lambda parts, key=key: key in parts) for key in segments])
    city = firms["prefecture_code"].to_numpy()[:, None] == sites["prefecture_code"].to_numpy()[None, :]
    constraints = [len([word for word in text.split(";") if word]) for text in sites["constraints"]]
    by_site = {
        "testing_minutes": nearest["testing"],
        "supplier_count": (minutes["supplier"] <= SUPPLIER_MINUTES).sum(axis=1).astype(float),
        "open_constraints": np.array(constraints, dtype=float),
    }
    by_segment = {
        "freight_minutes": np.array([nearest[segment.freight] for segment in segments.values()]),
        "industry_fit": np.array(fit),
        "same_segment": same.astype(float) @ city.astype(float),
    }
    return by_site, by_segment


def _minutes(network: RoadNetwork, sites: gpd.GeoSeries, points: gpd.GeoSeries) -> np.ndarray:
    if points.empty:
        return np.empty((len(sites), 0))
    return matrix(network, sites, points).minutes


def _observe(
    scenario: Scenario, world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame, drive: np.ndarray
) -> pd.DataFrame:
    """Every number of sites, stations and prefectures: the user's, the published, the derived, the assumed."""
    declared = catalog.attributes()
    derived = pd.DataFrame(
        {
            "site_id": sites["id"],
            "attribute": "drive_min",
            **{end: drive * factor for end, factor in zip(_ENDS, DRIVE_FACTORS, strict=True)},
            "unit": "min",
            "basis": "derived",
            "source": f"内嵌路网最短路 × {DRIVE_FACTORS[0]}/{DRIVE_FACTORS[1]}/{DRIVE_FACTORS[2]}",
            "as_of": "",
        }
    )
    stated = observations.known_rows(scenario.known, declared)
    rows = pd.concat([world["observations"][observations.COLUMNS], derived, stated], ignore_index=True)
    stations = world["substations"]
    subjects = {
        "site": dict(zip(sites["id"], sites["site_class"], strict=True)),
        "substation": {
            one: f"{kv:.0f}"
            for one, kv in zip(stations["id"], stations["voltage_kv"], strict=True)
            if one in set(sites["station"])
        },
        "prefecture": dict.fromkeys(sorted(set(sites["prefecture_code"])), "*"),
    }
    return observations.complete(rows, subjects, declared)


def _needs(projects: pd.DataFrame) -> dict[str, np.ndarray]:
    """(P, 3) low, likely, high of what each project takes."""
    needs = {need: projects[[f"{need}_{end}" for end in _ENDS]] for need in portfolio.NEEDS}
    arrays = {need: table.to_numpy(float) for need, table in needs.items()}
    arrays["energy_tce"] = arrays.pop("energy_gwh") * catalog.table("requirements")["tce_per_gwh"]
    return arrays


def _draw_needs(scenario: Scenario, projects: pd.DataFrame, need: str, bounds: np.ndarray) -> np.ndarray:
    """(N, P): draws of one need of every project."""
    rows = pd.DataFrame(bounds, columns=list(_ENDS)).assign(site_id=projects.index, attribute=need)
    return observations.draw(rows, draws=scenario.draws, seed=scenario.seed)
