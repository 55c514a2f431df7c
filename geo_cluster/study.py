"""The whole pipeline in one screenful: `run(scenario) -> Study`.

layers -> observations -> access and supply -> eligibility -> decision matrix -> ranking -> matching -> verify
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import catalog, eligibility, layers, observations, portfolio
from geo_cluster.access.network import RoadNetwork
from geo_cluster.access.travel import Matrix, matrix
from geo_cluster.coordinates import MU_PER_HA
from geo_cluster.domain import PlanningLevel, Scenario
from geo_cluster.eligibility import Eligibility, Facts
from geo_cluster.errors import Fault, refuse_if
from geo_cluster.matching.problem import Problem, Resource
from geo_cluster.matching.solve import Assignment, solve
from geo_cluster.matching.verify import Violation, usage, verify
from geo_cluster.scoring.aggregate import competition_rank
from geo_cluster.scoring.criteria import DecisionMatrix, Setting, decide
from geo_cluster.supply.pools import feeding_station

LAYERS = ("sites", "substations", "prefectures", "chain", "anchors", "roads", "ports", "airports", "observations")
"""Layers that a study reads."""

SUPPLIER_MINUTES = 60.0
CARGO_AIRPORTS = ("EHU", "WUH")
DRIVE_FACTORS = (0.9, 1.0, 1.25)
"""Low, likely and high of a drive as multiples of the road graph's minutes: the graph knows no road class."""

LIKELY = slice(1, 2)
ENDS: Mapping[PlanningLevel, int] = {"hopeful": 0, "likely": 1, "cautious": 2}
"""Which end of a need (low, likely, high) each planning level plans with."""

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that a run found; tables are in the scenario's order of projects and sites.

    Attributes
    ----------
    projects, sites : DataFrame, GeoDataFrame
        P projects with needs, S sites with the station that feeds them.
    observations : DataFrame
        Every number used of sites, substations and prefectures, with basis and source.
    eligibility : Eligibility
        Who may go where, and why not.
    decision : DecisionMatrix
        Natural units, values, contributions, draws.
    ranking, contributions : DataFrame
        One row a pair; one row a pair and criterion.
    problem, plan : Problem, Assignment
        What was matched, and the plan with its bound.
    assignment, unplaced, pools : DataFrame
        The plan by project, who stays out and why, and what each pool has and gives.
    violations : tuple
        What the independent check found; empty when the plan holds.
    seconds : dict
        Where the time went.
    inputs : dict
        SHA-256 of each layer and of the portfolio.
    """

    scenario: Scenario
    projects: pd.DataFrame
    sites: gpd.GeoDataFrame
    anchor: pd.Series
    observations: pd.DataFrame
    eligibility: Eligibility
    decision: DecisionMatrix
    ranking: pd.DataFrame
    contributions: pd.DataFrame
    problem: Problem
    plan: Assignment
    assignment: pd.DataFrame
    unplaced: pd.DataFrame
    pools: pd.DataFrame
    violations: tuple[Violation, ...]
    seconds: dict[str, float]
    inputs: dict[str, str]

    def summary(self) -> dict:
        """What `study.json` says: versions, scenario id, counts, proof, violations, input hashes."""
        return {
            "scenario_id": self.scenario.id,
            "scenario": self.scenario.name.zh,
            "sample": self.scenario.is_sample,
            "versions": {name: importlib.metadata.version(name) for name in ("geo-cluster", "numpy", "highspy")},
            "projects": len(self.projects),
            "sites": len(self.sites),
            "eligible_pairs": int(self.eligibility.allowed.sum()),
            "placed": len(self.assignment),
            "unplaced": len(self.unplaced),
            "objective": round(self.plan.objective, 6),
            "bound": round(self.plan.bound, 6),
            "gap": round(self.plan.gap, 9),
            "status": self.plan.status,
            "violations": [str(violation) for violation in self.violations],
            "inputs": self.inputs,
        }


def read_layers() -> dict[str, pd.DataFrame]:
    """The registered layers that a study reads."""
    return {name: layers.read(name) for name in LAYERS}


def run(
    scenario: Scenario,
    given: Mapping[str, pd.DataFrame] | None = None,
    *,
    projects: pd.DataFrame | None = None,
    say: Say = lambda _: None,
) -> Study:
    """Run the whole pipeline.

    Parameters
    ----------
    scenario : Scenario
        What to study.
    given : mapping of layers, optional
        Layers to use instead of the registered ones (see `LAYERS`).
    projects : DataFrame, optional
        Checked projects (`portfolio.check`) to use instead of the scenario's portfolio.
    say : callable
        Told the name of each step as it begins.

    Raises
    ------
    InputError, DataError
        With every fault of the scenario, the portfolio or a layer.
    """
    clock = _Clock(say)
    clock("layers")
    world = dict(given) if given is not None else read_layers()
    projects = portfolio.read(scenario.portfolio) if projects is None else projects
    sites, anchor = _chosen(scenario, world, projects)
    clock("access")
    network = RoadNetwork.from_layer(world["roads"])
    drive = matrix(network, anchor, sites.geometry).minutes[0]
    fixed = _fixed(network, world, sites, projects)
    clock("supply")
    feed = feeding_station(sites, world["substations"])
    sites = sites.assign(station=feed.station)
    known = _observe(scenario, world, sites, drive)
    facts = Facts(projects, sites, _needs(projects), _offers(known, sites), _pairs(scenario))
    clock("eligibility")
    allowed = eligibility.judge(facts)
    clock("scoring")
    settings = _settings(scenario, facts, known, {**fixed, "grid_km": feed.km[None, :]})
    decision = decide(*settings, catalog.criteria(), scenario.weights)
    ranking = _ranking(projects, sites, allowed, decision)
    clock("matching")
    problem = _problem(scenario, facts, allowed, decision.score)
    plan = solve(problem, time_limit_s=scenario.time_limit_s, mip_gap=scenario.mip_gap, seed=scenario.seed)
    clock("verify")
    violations = verify(problem, plan)
    pools = _pools(problem, plan)
    return Study(
        scenario=scenario,
        projects=projects,
        sites=sites,
        anchor=world["anchors"].set_index("id").loc[scenario.anchor],
        observations=known,
        eligibility=allowed,
        decision=decision,
        ranking=ranking,
        contributions=_contributions(projects, sites, decision),
        problem=problem,
        plan=plan,
        assignment=_assignment(projects, sites, facts, ranking, plan),
        unplaced=_unplaced(problem, projects, sites, allowed, plan),
        pools=pools,
        violations=violations,
        seconds=clock.stop(),
        inputs=_inputs(scenario, projects, given is None),
    )


class _Clock:
    """Tells each step as it begins and keeps how long it took."""

    def __init__(self, say: Say):
        self.say, self.step, self.began = say, "", time.perf_counter()
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        if self.step:
            self.seconds[self.step] = now - self.began
        self.step, self.began = step, now
        if step:
            self.say(step)

    def stop(self) -> dict[str, float]:
        self("")
        return self.seconds


def _chosen(
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


def _fixed(
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
    reached: Matrix = matrix(network, sites, points)
    return reached.minutes


def _observe(
    scenario: Scenario, world: Mapping[str, pd.DataFrame], sites: gpd.GeoDataFrame, drive: np.ndarray
) -> pd.DataFrame:
    """Every number of sites, stations and prefectures: the user's, the published, the derived, the assumed."""
    declared = catalog.attributes()
    derived = pd.DataFrame(
        {
            "site_id": sites["id"],
            "attribute": "drive_min",
            **{end: drive * factor for end, factor in zip(("low", "likely", "high"), DRIVE_FACTORS, strict=True)},
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
    needs = {need: projects[[f"{need}_{end}" for end in ("low", "likely", "high")]] for need in portfolio.NEEDS}
    arrays = {need: table.to_numpy(float) for need, table in needs.items()}
    arrays["energy_tce"] = arrays.pop("energy_gwh") * catalog.table("requirements")["tce_per_gwh"]
    return arrays


def _subject(attribute: str, sites: gpd.GeoDataFrame) -> pd.Series:
    """Whose number of this attribute counts for each site: its own, its station's, its prefecture's."""
    column = {"site": "id", "substation": "station", "prefecture": "prefecture_code"}
    return sites[column[catalog.attributes()[attribute].subject]]


USED = ("available_land_ha", "spare_mva", "energy_quota_tce", "land_price_10k_yuan_per_mu", "drive_min")


def _offers(known: pd.DataFrame, sites: gpd.GeoDataFrame) -> dict[str, np.ndarray]:
    """(S, 3) low, likely, high of what each site has; nan where there is nobody whose number it could be."""
    bounds = known.set_index(["attribute", "site_id"])[["low", "likely", "high"]]
    return {key: bounds.loc[key].reindex(_subject(key, sites)).to_numpy(float) for key in USED}


def _settings(
    scenario: Scenario, facts: Facts, known: pd.DataFrame, fixed: dict[str, np.ndarray]
) -> tuple[Setting, Setting]:
    """The likely values and the draws of all that is uncertain."""
    likely = Setting(
        {key: bounds[:, LIKELY].T for key, bounds in facts.needs.items()},
        {key: bounds[:, LIKELY].T for key, bounds in facts.offers.items()},
        fixed,
    )
    drawn = observations.draw(known, draws=scenario.draws, seed=scenario.seed)
    column = {key: i for i, key in enumerate(zip(known["attribute"], known["site_id"], strict=True))}
    offers = {}
    for key in USED:
        place = np.array([column.get((key, subject), -1) for subject in _subject(key, facts.sites)])
        offers[key] = np.where(place >= 0, drawn[:, place], np.nan)
    needs = {}
    for key, bounds in facts.needs.items():
        rows = pd.DataFrame(bounds, columns=["low", "likely", "high"]).assign(
            site_id=facts.projects.index, attribute=key
        )
        needs[key] = observations.draw(rows, draws=scenario.draws, seed=scenario.seed)
    return likely, Setting(needs, offers, fixed)


def _pairs(scenario: Scenario) -> frozenset[tuple[str, str]]:
    return frozenset((pair.project, pair.site) for pair in scenario.forbidden)


def _ranking(
    projects: pd.DataFrame, sites: gpd.GeoDataFrame, allowed: Eligibility, decision: DecisionMatrix
) -> pd.DataFrame:
    """One row a pair: score, its interval, rank among the eligible, chance of being first, reason if refused."""
    low, high = decision.interval()
    rank = np.zeros(decision.score.shape, dtype=int)
    for project, row in enumerate(allowed.allowed):
        rank[project, row] = competition_rank(decision.score[project, row])
    table = _frame(projects, sites)
    table["score"] = decision.score.ravel().round(4)
    table["low"], table["high"] = low.ravel().round(4), high.ravel().round(4)
    table["rank"] = pd.array(rank.ravel(), dtype="Int64")
    table.loc[table["rank"] == 0, "rank"] = pd.NA
    table["chance_first"] = decision.chance_first(allowed.allowed).ravel().round(4)
    table["eligible"] = allowed.allowed.ravel()
    table["rule"] = allowed.rule.ravel()
    table["reason"], table["reason_en"] = allowed.reason["zh"].ravel(), allowed.reason["en"].ravel()
    return table


def _frame(projects: pd.DataFrame, sites: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "project": np.repeat(projects.index.to_numpy(), len(sites)),
            "project_name": np.repeat(projects["name"].to_numpy(), len(sites)),
            "site": np.tile(sites["id"].to_numpy(), len(projects)),
            "site_name": np.tile(sites["name_zh"].to_numpy(), len(projects)),
        }
    )


def _contributions(projects: pd.DataFrame, sites: gpd.GeoDataFrame, decision: DecisionMatrix) -> pd.DataFrame:
    """One row a pair and criterion: natural value, value, weight, points; points add up to the score."""
    pairs = _frame(projects, sites)
    count = len(decision.criteria)
    table = pairs.loc[pairs.index.repeat(count)].reset_index(drop=True)
    declared = catalog.criteria()
    table["criterion"] = list(decision.criteria) * len(pairs)
    table["criterion_name"] = [declared[key].name.zh for key in decision.criteria] * len(pairs)
    table["natural"] = decision.natural.reshape(-1).round(4)
    table["unit"] = [declared[key].unit.zh for key in decision.criteria] * len(pairs)
    table["value"] = decision.value.reshape(-1).round(6)
    table["weight"] = np.tile(decision.weight, len(pairs)).round(6)
    table["points"] = decision.contributions.reshape(-1).round(6)
    return table


def _problem(scenario: Scenario, facts: Facts, allowed: Eligibility, score: np.ndarray) -> Problem:
    """Projects to sites under pooled land, substation MVA and prefecture energy, at the planning level."""
    sites, end = facts.sites, ENDS[scenario.planning_level]

    def pooled(name: str, unit: str, need: str, attribute: str, *, times: float = 1.0) -> Resource:
        subject = _subject(attribute, sites)
        names = [one for one in dict.fromkeys(subject) if one]
        pool = np.array([names.index(one) if one else -1 for one in subject])
        first = {one: int(np.flatnonzero(subject == one)[0]) for one in names}
        capacity = facts.offers[attribute][[first[one] for one in names]] * times
        return Resource(name, unit, facts.needs[need][:, end], pool, capacity, pools=tuple(names))

    resources = (
        pooled("land", "mu", "land_mu", "available_land_ha", times=MU_PER_HA),
        pooled("power", "MVA", "power_mva", "spare_mva"),
        pooled("energy", "tce", "energy_tce", "energy_quota_tce"),
    )
    ids, projects = sites["id"].tolist(), facts.projects.index.tolist()
    locked = {projects.index(pair.project): ids.index(pair.site) for pair in scenario.locked}
    return Problem(
        np.where(allowed.allowed, score, np.nan),
        resources,
        bonus=scenario.placing_bonus,
        locked=locked,
        level=scenario.planning_level,
        projects=tuple(projects),
        sites=tuple(ids),
    )


def _assignment(
    projects: pd.DataFrame, sites: gpd.GeoDataFrame, facts: Facts, ranking: pd.DataFrame, plan: Assignment
) -> pd.DataFrame:
    placed = np.flatnonzero(plan.site >= 0)
    at = plan.site[placed]
    chosen = ranking.iloc[placed * len(sites) + at].reset_index(drop=True)
    table = chosen[["project", "project_name", "site", "site_name", "score", "low", "high", "rank"]].copy()
    table["prefecture"] = sites["prefecture_zh"].to_numpy()[at]
    table["segment"] = [catalog.segments()[key].name.zh for key in projects["segment"].iloc[placed]]
    for need in ("land_mu", "power_mva", "energy_tce"):
        table[need] = facts.needs[need][placed, 1].round(3)
    table["station"] = sites["station"].to_numpy()[at]
    table["drive_min"] = facts.offers["drive_min"][at, 1].round(1)
    return table


def _unplaced(
    problem: Problem, projects: pd.DataFrame, sites: gpd.GeoDataFrame, allowed: Eligibility, plan: Assignment
) -> pd.DataFrame:
    """Who stays out, why, and what is missing at the site that suits best."""
    left = {r.name: r.at(problem.level) - usage(r, plan.site) for r in problem.resources}
    words = {"land": "用地", "power": "容量", "energy": "能耗指标"}
    rows = []
    for p in np.flatnonzero(plan.site < 0):
        name = projects["name"].iloc[p]
        if not allowed.allowed[p].any():
            rules = pd.Series(allowed.rule[p]).value_counts()
            told = "、".join(f"{catalog.exclusions()[rule].name.zh} {n} 处" for rule, n in rules.items())
            english = ", ".join(f"{catalog.exclusions()[rule].name.en} {n}" for rule, n in rules.items())
            rows.append((projects.index[p], name, "", f"没有可去的园区：{told}", f"No eligible site: {english}"))
            continue
        s = int(np.nanargmax(problem.score[p]))
        missing = []
        for r in problem.resources:
            k, need = r.pool[s], r.demand[p]
            if k >= 0 and need > left[r.name][k] + 1e-9:
                missing.append((words[r.name], r.name, need - left[r.name][k], r.unit, r.pool_name(k)))
        site = sites["name_zh"].iloc[s]
        zh = ";".join(f"{word}({pool})还差 {gap:,.1f} {unit}" for word, _, gap, unit, pool in missing)
        en = "; ".join(f"{gap:,.1f} {unit} of {word} short at {pool}" for _, word, gap, unit, pool in missing)
        best = f"得分最高的{site}", f"At the best site, {sites['name_en'].iloc[s]}"
        none = "容量让给了总分更高的组合", "its share is worth more to others"
        told, english = f"{best[0]}:{zh or none[0]}", f"{best[1]}: {en or none[1]}"
        rows.append((projects.index[p], name, sites["id"].iloc[s], told, english))
    return pd.DataFrame(rows, columns=["project", "project_name", "best_site", "reason", "reason_en"])


def _pools(problem: Problem, plan: Assignment) -> pd.DataFrame:
    """One row a pool: low, likely, high, what was planned with, what is used and left."""
    tables = []
    for r in problem.resources:
        table = pd.DataFrame(r.capacity, columns=["low", "likely", "high"])
        table.insert(0, "resource", r.name)
        table.insert(1, "pool", r.pools)
        table["unit"] = r.unit
        table["planned"] = r.at(problem.level)
        table["used"] = usage(r, plan.site)
        table["left"] = table["planned"] - table["used"]
        tables.append(table)
    return pd.concat(tables, ignore_index=True).round(4)


def _inputs(scenario: Scenario, projects: pd.DataFrame, registered: bool) -> dict[str, str]:
    """Hashes of what went in: layers by the registry, the portfolio by its content."""
    content = projects.to_csv(lineterminator="\n").encode()
    hashes = {"portfolio": hashlib.sha256(content).hexdigest()}
    if registered:
        hashes |= {name: catalog.layers()[name].sha256 for name in LAYERS}
    return hashes
