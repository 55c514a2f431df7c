"""From layers and scenario to what the rules and measures look at: facts as intervals, settings as draws."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import catalog, observations, portfolio
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import matrix
from geo_cluster.domain import Scenario
from geo_cluster.eligibility import Facts
from geo_cluster.errors import Fault, refuse_if
from geo_cluster.scoring.criteria import Setting

LAYERS = ("sites", "substations", "prefectures", "chain", "anchors", "roads", "ports", "airports", "observations")
"""Layers that a study reads."""

OFFERS = ("available_land_ha", "spare_mva", "energy_quota_tce", "land_price_10k_yuan_per_mu", "drive_min")
"""Attributes that rules and measures use, by site."""

SUPPLIER_MINUTES = 60.0
CARGO_AIRPORTS = ("EHU", "WUH")
DRIVE_FACTORS = (0.9, 1.0, 1.25)
"""Low, likely and high of a drive as multiples of the road graph's minutes: the graph knows no road class."""

_ENDS = ("low", "likely", "high")


def chosen(
    scenario: Scenario, world: Mapping[str, pd.DataFrame], projects: pd.DataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries]:
    """The sites that the scenario considers and its anchor; every unknown name is a fault."""
    sites, anchors = world["sites"], world["anchors"]
    subjects = {*sites["id"], *world["substations"]["id"], *world["prefectures"]["code"]}
    pairs = [*scenario.locked, *scenario.forbidden]
    wanted = [
        ("anchor", {scenario.anchor}, set(anchors["id"])),
        ("sites", set(scenario.sites), set(sites["id"])),
        ("locked/forbidden, site", {pair.site for pair in pairs}, set(scenario.sites or sites["id"])),
        ("locked/forbidden, project", {pair.project for pair in pairs}, set(projects.index)),
        ("known, subject", {one.subject for one in scenario.known}, subjects),
    ]
    refuse_if(
        [
            Fault(f"scenario, {where}", f"there is no {name!r}", f"use one of {', '.join(sorted(names))}")
            for where, used, names in wanted
            for name in sorted(used - names)
        ]
    )
    chosen = sites[sites["id"].isin(scenario.sites)] if scenario.sites else sites
    return chosen.reset_index(drop=True), anchors.loc[anchors["id"] == scenario.anchor].geometry


def fixed_measures(
    network: RoadNetwork, world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame, projects: pd.DataFrame
) -> dict[str, np.ndarray]:
    """What the measures need and no draw changes: (1, S) or (P, S) arrays."""
    chain, airports = world["chain"], world["airports"]
    chain = chain[chain.geometry.notna()]
    gates = {"port": world["ports"], "air": airports[airports["iata"].isin(CARGO_AIRPORTS)]}
    targets = {
        "testing": chain[chain["kind"].isin(["platform", "lab"])],
        "supplier": chain[chain["kind"].isin(["firm", "plant"]) & ~chain["stage"].isin(["applications", "support"])],
        **gates,
    }
    minutes = {key: _minutes(network, sites.geometry, points.geometry) for key, points in targets.items()}
    nearest = {key: near.min(axis=1, initial=np.inf) for key, near in minutes.items()}
    nearest = {key: np.where(np.isfinite(near), near, np.nan) for key, near in nearest.items()}
    segments = [catalog.segments()[key] for key in projects["segment"]]
    industries = (sites["industries_zh"] + sites["catalogue_industries_zh"]).tolist()
    fit = [[min(1.0, sum(word in text for word in s.industries) / 3) for text in industries] for s in segments]
    constraints = [len([word for word in text.split(";") if word]) for text in sites["constraints"]]
    return {
        "testing_minutes": nearest["testing"][None, :],
        "supplier_count": (minutes["supplier"] <= SUPPLIER_MINUTES).sum(axis=1)[None, :].astype(float),
        "freight_minutes": np.array([nearest[segment.freight] for segment in segments]),
        "industry_fit": np.array(fit),
        "open_constraints": np.array(constraints, dtype=float)[None, :],
    }


def _minutes(network: RoadNetwork, sites: gpd.GeoSeries, points: gpd.GeoSeries) -> np.ndarray:
    if points.empty:
        return np.empty((len(sites), 0))
    return matrix(network, sites, points).minutes


def observe(
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


def needs_of(projects: pd.DataFrame) -> dict[str, np.ndarray]:
    """(P, 3) low, likely, high of what each project takes."""
    needs = {need: projects[[f"{need}_{end}" for end in _ENDS]] for need in portfolio.NEEDS}
    arrays = {need: table.to_numpy(float) for need, table in needs.items()}
    arrays["energy_tce"] = arrays.pop("energy_gwh") * catalog.table("requirements")["tce_per_gwh"]
    return arrays


def subject_of(attribute: str, sites: gpd.GeoDataFrame) -> pd.Series:
    """Whose number of this attribute counts for each site: its own, its station's, its prefecture's."""
    column = {"site": "id", "substation": "station", "prefecture": "prefecture_code"}
    return sites[column[catalog.attributes()[attribute].subject]]


def offers_of(known: pd.DataFrame, sites: gpd.GeoDataFrame) -> dict[str, np.ndarray]:
    """(S, 3) low, likely, high of what each site has; nan where there is nobody whose number it could be."""
    bounds = known.set_index(["attribute", "site_id"])[["low", "likely", "high"]]
    wanted = {key: pd.MultiIndex.from_product([[key], subject_of(key, sites)]) for key in OFFERS}
    return {key: bounds.reindex(index).to_numpy(float) for key, index in wanted.items()}


def settings(
    scenario: Scenario, facts: Facts, known: pd.DataFrame, fixed: dict[str, np.ndarray]
) -> tuple[Setting, Setting]:
    """The likely values and the draws of all that is uncertain."""
    likely = Setting(
        {key: bounds[:, 1:2].T for key, bounds in facts.needs.items()},
        {key: bounds[:, 1:2].T for key, bounds in facts.offers.items()},
        fixed,
    )
    drawn = observations.draw(known, draws=scenario.draws, seed=scenario.seed)
    column = {key: i for i, key in enumerate(zip(known["attribute"], known["site_id"], strict=True))}
    offers = {}
    for key in OFFERS:
        place = np.array([column.get((key, subject), -1) for subject in subject_of(key, facts.sites)])
        offers[key] = np.where(place >= 0, drawn[:, place], np.nan)
    needs = {}
    for key, bounds in facts.needs.items():
        rows = pd.DataFrame(bounds, columns=["low", "likely", "high"]).assign(
            site_id=facts.projects.index, attribute=key
        )
        needs[key] = observations.draw(rows, draws=scenario.draws, seed=scenario.seed)
    return likely, Setting(needs, offers, fixed)
