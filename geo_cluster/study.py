"""The whole pipeline in one screenful: `run(scenario) -> Study`.

layers -> observations -> access and supply -> eligibility -> decision matrix -> matching -> verify
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, NamedTuple, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster import eligibility, openings, parts, shares
from geo_cluster.domain import LANGUAGES, Pair, PlanningLevel, ProjectParts, ResourceKind, Scenario
from geo_cluster.eligibility import Eligibility, Facts
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.matching.division import Division, division_of, side_by_side
from geo_cluster.matching.openings import widened
from geo_cluster.matching.plan import Assignment, Progress, Violation
from geo_cluster.matching.problem import Link, Problem
from geo_cluster.matching.resource import UNPLACED, Resource, Titles
from geo_cluster.matching.rules import keep
from geo_cluster.matching.solve import solve
from geo_cluster.matching.verify import verify
from geo_cluster.matching.years import Arriving, apart, base_name, by_year, can_bind, is_apart, year_violations
from geo_cluster.region import (
    LAYERS,
    Region,
    arrives_at,
    begins,
    facts_of,
    likely_setting,
    pool_name,
    prepare,
    settings_of,
    unused,
)
from geo_cluster.scoring.criteria import DecisionMatrix, Setting, decide
from geo_cluster.supply.pools import subject_of, zone_of
from geo_cluster.world import catalog, portfolio, rule_life, splitting
from geo_cluster.world.layers import Layers

ENDS: Mapping[PlanningLevel, int] = {"hopeful": 0, "likely": 1, "cautious": 2}
"""Which end of a need (low, likely, high) each planning level plans with."""

PROGRAM = importlib.metadata.version("geo-cluster")
"""Version of this program."""

OnStep = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that a run found, in the scenario's order of projects and sites; `report.tables` makes tables of it.

    Attributes
    ----------
    region : Region
        What the scenario made of the layers: sites with their stations, observations, trips, network, draws.
    projects : DataFrame
        P projects with their needs; of one that may be split each share is one (`world.splitting`).
    facts : Facts
        Needs and offers as (P, 3) and (S, 3) arrays: low, likely, high.
    drawn : Setting
        Draws of the needs and of the offers.
    eligibility : Eligibility
        Who may go where, and why not.
    decision : DecisionMatrix
        Natural units, values, contributions, draws.
    resources : tuple of Resource
        The pools that projects share, one a row of `catalog.resources()`: land, floor, power, energy; and `land:park`,
        what parks inside zones have beside what they share with their zone; with what arrives while projects begin.
        The problem has those of earlier years too (`matching.years`).
    problem, plan : Problem, Assignment
        What was matched (None when no project may go anywhere), and the plan with its bound. What the plan opens is
        open in the problem and in the resources, and paid for; what it doesn't open is closed.
    posed : Problem, optional
        The problem with its openings still to be decided; None where the scenario has none.
    violations : tuple
        What the independent check found; empty when the plan holds.
    seconds : dict
        Where the time went.
    hashes : dict
        SHA-256 of each layer and of the portfolio.
    day : date
        The day of the study: the scenario's, or else the day on which the plan was made.
    version : str
        Of the program that made the plan; '' where a plan was kept without it.
    memo : dict
        What was worked out of this study already, by name; see `once`.
    """

    scenario: Scenario
    region: Region
    projects: pd.DataFrame
    facts: Facts
    drawn: Setting
    eligibility: Eligibility
    decision: DecisionMatrix
    resources: tuple[Resource, ...]
    problem: Problem | None
    posed: Problem | None
    plan: Assignment
    violations: tuple[Violation, ...]
    seconds: dict[str, float]
    hashes: dict[str, str]
    day: datetime.date
    version: str = PROGRAM
    memo: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """S sites, with the station that feeds each."""
        return self.region.sites

    @property
    def anchor(self) -> pd.Series:
        """Where R&D is."""
        return self.region.anchor

    @property
    def layers(self) -> Layers:
        """What the study was made of; maps and exports read the same."""
        return self.region.layers

    @cached_property
    def key(self) -> str:
        """Names the study by content: scenario, projects, every layer, the plan with its bound, and its day.

        24 hex digits, the same for the same study in every process; a stopped run and one that went to its end differ.
        """
        parts = [self.scenario.id, self.hashes["portfolio"], self.layers.key, self.plan.sha256, str(self.day)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]

    @property
    def observations(self) -> pd.DataFrame:
        """Every number used of sites, substations and prefectures, with basis and source."""
        return self.region.observations

    @property
    def doubts(self) -> list[Fault]:
        """What of the projects can hardly be meant, and numbers of the scenario that nothing goes by."""
        return portfolio.warnings(self.projects) + unused(self.region)

    @property
    def parts(self) -> tuple[ProjectParts, ...]:
        """What binds phases, and who may be split: by the scenario, then by the table of projects."""
        return parts.declared(self.scenario, self.projects)

    @property
    def counts(self) -> tuple[int, int]:
        """How many projects are placed, and how many there are; one that is split is one."""
        share = splitting.share_of(self.projects)
        return round(share[self.plan.site != UNPLACED].sum()), round(share.sum())

    @property
    def most_placed(self) -> int:
        """No better plan places more projects, as `counts` counts them."""
        is_settled = self.plan.most_placed == (self.plan.site != UNPLACED).sum()
        return self.counts[0] if is_settled else min(self.plan.most_placed, self.counts[1])

    def summary(self) -> dict:
        """What `study.json` says: versions, scenario id, counts, proof, doubts, rules on its day, input hashes."""
        return {
            "scenario_id": self.scenario.id,
            "scenario": self.scenario.name.zh,
            "sample": self.scenario.is_sample,
            "versions": {"geo-cluster": self.version}
            | {name: importlib.metadata.version(name) for name in ("numpy", "highspy")},
            "projects": self.counts[1],
            "sites": len(self.sites),
            "eligible_pairs": int(self.eligibility.allowed.sum()),
            "placed": self.counts[0],
            "unplaced": self.counts[1] - self.counts[0],
            "objective": round(self.plan.objective, 6),
            "bound": round(self.plan.bound, 6),
            "gap": round(self.plan.gap, 9),
            "score": round(self.plan.score, 6),
            "most_placed": self.most_placed,
            "status": self.plan.status,
            "ended": self.plan.ended,
            "violations": [str(violation) for violation in self.violations],
            "to_check": [{lang: str(odd.words(lang)) for lang in LANGUAGES} for odd in self.doubts],
            "day": self.day.isoformat(),
            "rules_notice": rule_life.notice(self.day),
            "rules": rule_life.table(self.day).to_dict("records"),
            "inputs": self.hashes,
            **({"promised": self.region.promises.to_dict("records")} if self.scenario.promised else {}),
        }


def once(function: Callable[[Study], Result]) -> Callable[[Study], Result]:
    """Make a function of a study work it out once and keep the answer with the study."""

    @wraps(function)
    def kept(study: Study) -> Result:
        name = f"{function.__module__}.{function.__qualname__}"
        if name not in study.memo:
            study.memo[name] = function(study)
        return study.memo[name]

    return kept


def run(
    scenario: Scenario,
    layers: Layers | Mapping[str, pd.DataFrame] | None = None,
    *,
    projects: pd.DataFrame | None = None,
    plan: Assignment | None = None,
    on_step: OnStep = lambda _: None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Study:
    """Run the whole pipeline.

    Parameters
    ----------
    scenario : Scenario
        What to study.
    layers : Layers or mapping of DataFrame, optional
        What to make it of; tables by name (see `region.LAYERS`) stand in place of the scenario's layers. By default
        the scenario's.
    projects : DataFrame, optional
        Checked projects (`portfolio.check`) to use instead of the scenario's portfolio.
    plan : Assignment, optional
        A plan of this scenario that is there already: it isn't solved again, but checked anew.
    on_step : callable
        Called with the name of each step as it begins.
    progress : callable, optional
        Called with each better plan or bound while matching; returning False stops with the plan in hand.

    Raises
    ------
    InputError, DataError
        With every fault of the scenario, the portfolio or a layer.
    """
    clock = _Clock(on_step)
    clock("layers")
    layers = layers if isinstance(layers, Layers) else Layers(scenario.layers, tables=layers)
    if scenario.layers_sha256 and layers.folder == scenario.layers:  # refreshed since the scenario was read: another id
        scenario = scenario.model_copy(update={"layers_sha256": layers.sha256})
    projects = portfolio.read(scenario.portfolio) if projects is None else projects
    refuse_if([] if len(projects) else [Fault("world.no_project", Place(scenario.portfolio))])
    refuse_if([] if scenario.is_sample else portfolio.past_faults(projects, scenario.date))  # the sample grows old
    clock("region")
    region = prepare(scenario, layers, projects={*projects.index} | splitting.share_ids(projects))
    named, projects = projects, parts.split(scenario, projects)
    facts = facts_of(region, projects)
    clock("eligibility")
    allowed = eligibility.judge(facts)
    clock("scoring")
    likely, drawn = settings_of(region, parts.as_wholes(facts))
    decision = decide(likely, drawn, catalog.criteria(), scenario.weights, region.alike)
    score = decision.score
    clock("matching")
    found = _matched(region, facts, allowed, score, plan=plan, progress=progress, on_step=clock)
    return Study(
        scenario=scenario,
        region=region,
        projects=projects,
        facts=facts,
        drawn=parts.as_shares(drawn, projects),
        eligibility=allowed,
        decision=decision,
        seconds=clock.stop(),
        hashes=hashes(named, layers),
        day=scenario.date,
        **found,
    )


def at_level(
    study: Study,
    level: PlanningLevel,
    *,
    time_limit_s: float | None = None,
    on_step: OnStep = lambda _: None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Study:
    """The study at another planning level: matched anew, by the same sites, scores and draws.

    Parameters
    ----------
    study : Study
    level : {"cautious", "likely", "hopeful"}
    time_limit_s : float, optional
        Instead of the scenario's.
    on_step, progress : callable
        As of `run`.
    """
    if level == study.scenario.planning_level:
        return study
    scenario = study.scenario.model_copy(update={"planning_level": level})
    region = replace(study.region, scenario=scenario)
    clock = _Clock(on_step)
    clock("matching")
    limit = None if time_limit_s is None else min(time_limit_s, scenario.time_limit_s)
    found = _matched(
        region,
        study.facts,
        study.eligibility,
        study.decision.score,
        progress=progress,
        on_step=clock,
        time_limit_s=limit,
    )
    return replace(study, scenario=scenario, region=region, seconds=clock.stop(), **found)


def _matched(
    region: Region,
    facts: Facts,
    allowed: Eligibility,
    score: np.ndarray,
    *,
    plan: Assignment | None = None,
    time_limit_s: float | None = None,
    progress: Callable[[Progress], bool | None] | None,
    on_step: OnStep,
) -> dict[str, Any]:
    """Resources, problem, plan and violations of a study: what is matched at the planning level, and how it was."""
    scenario, (projects, sites) = region.scenario, score.shape
    limited = limits(region, facts)
    resources, problem = _posed(region, facts, allowed, score, limited)
    if plan is None:
        plan = _solve(region, problem, projects, progress, time_limit_s or scenario.time_limit_s)
    _refuse_misfit(plan, projects, sites)
    on_step("verify")
    violations = verify(problem, plan) if problem else ()
    violations += tuple(_year_violations(region, facts, with_opened(region, limited, plan), plan))
    posed = problem if problem and problem.openings else None
    if posed:
        resources = widened(resources, [posed.openings[o] for o in plan.opened])
        problem = posed.settled(plan.opened)
    return {"resources": resources, "problem": problem, "posed": posed, "plan": plan, "violations": violations}


def _posed(
    region: Region, facts: Facts, allowed: Eligibility, score: np.ndarray, limited: tuple[Limit, ...]
) -> tuple[tuple[Resource, ...], Problem | None]:
    """Resources as they are in the end, and the problem with those of earlier years."""
    resources, steps = over_years(region, limited)
    problem = _problem(region, facts, allowed, score, resources)
    if problem and steps:
        problem = problem.suppose(resources=(*problem.resources, *steps))
    if problem and (region.scenario.openings or region.scenario.at_most_sites or region.scenario.either):
        problem = problem.but(
            openings=openings.openings(
                region.scenario, problem.resources, problem.sites, last=horizon(region, facts.projects)[-1]
            ),
            at_most=openings.limits(region.scenario, problem.sites),
        )
    if problem and parts.declared(region.scenario, facts.projects):
        problem = problem.but(parts=parts.parts(region.scenario, facts.projects))
    return resources, problem


def problem_with(study: Study, scenario: Scenario) -> Problem | None:
    """The problem of the same sites and projects under another scenario: scores, pools and rules anew, no draws.

    Parameters
    ----------
    study : Study
    scenario : Scenario
        Differs from the study's in numbers that are known of pools, pairs and shares; all else stays.
    """
    known = study.observations.copy()
    row = {key: at for at, key in enumerate(zip(known["site_id"], known["attribute"], strict=True))}
    for one in scenario.known:
        if at := [row[key] for key in [(one.subject, one.attribute)] if key in row]:
            known.loc[at, ["low", "likely", "high", "basis"]] = one.low, one.likely, one.high, one.basis
    region = replace(study.region, scenario=scenario, observations=known)
    facts = facts_of(region, study.projects)
    likely = likely_setting(region, parts.as_wholes(facts))
    score = decide(likely, likely, catalog.criteria(), scenario.weights, region.alike).score
    return _posed(region, facts, eligibility.judge(facts), score, limits(region, facts))[1]


class _Clock:
    """Calls `on_step` as each step begins and keeps how long it took."""

    def __init__(self, on_step: OnStep):
        self.on_step, self.step, self.began = on_step, "", time.perf_counter()
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str) -> None:
        now = time.perf_counter()
        if self.step:
            self.seconds[self.step] = now - self.began
        self.step, self.began = step, now
        if step:
            self.on_step(step)

    def stop(self) -> dict[str, float]:
        self("")
        return self.seconds


class Limit(NamedTuple):
    """A resource without what arrives, what arrives to its pools, and (P,) from which year each project draws on it."""

    resource: Resource
    arriving: tuple[Arriving, ...]
    begins: np.ndarray


def limits(region: Region, facts: Facts) -> tuple[Limit, ...]:
    """Every resource over the years, then those of sites that some arrivals to their pool are not for.

    Parameters
    ----------
    region : Region
    facts : Facts
    """
    found, others = [], []
    for resource in base_resources(region, facts):
        arriving = _arriving_at(region, resource)
        start = begins(region, facts.projects, resource.name)
        found.append(Limit(resource, arriving, start))
        if left := apart(resource, arriving):
            others.append(Limit(*left, start))
    return (*found, *others)


def _arriving_at(region: Region, resource: Resource) -> tuple[Arriving, ...]:
    """What the pools of a resource have more from a year on, in its unit: each that which is said to arrive for it."""
    kind, found = catalog.known_kind(resource.name), []
    for at, row in region.arrivals.iterrows():
        if row["attribute"] == kind.attribute and row["subject"] in resource.pools:
            amount = row[["low", "likely", "high"]].to_numpy(float) * kind.times
            year = row[["year_low", "year_likely", "year_high"]].to_numpy(int)
            sites = arrives_at(region, at) if row["sites"] else None
            found.append(Arriving(resource.pools.index(row["subject"]), amount, year, sites, at))
    return tuple(found)


def over_years(region: Region, found: tuple[Limit, ...]) -> tuple[tuple[Resource, ...], tuple[Resource, ...]]:
    """Every resource as it is in the end, and the limits of years and sites beside; see `matching.years`.

    Parameters
    ----------
    region : Region
    found : tuple of Limit
    """
    level, first = region.scenario.planning_level, region.scenario.date.year
    whole = {one.resource.name: one for one in found}

    def binds(one: Limit) -> bool:
        if not is_apart(one.resource.name):
            return True
        all_of_it, last = whole[base_name(one.resource.name)].arriving, int(one.begins.max(initial=first))
        return can_bind(one.resource, all_of_it, level=level, last=last)

    each = [
        by_year(*one, level=level, first=first, opening=openings.from_years(region.scenario, one.resource))
        for one in found
        if binds(one)
    ]
    last = tuple(one for one, *_ in each if not is_apart(one.name))
    return last, tuple(one for several in each for one in several if one not in last)


def with_opened(region: Region, found: tuple[Limit, ...], plan: Assignment) -> tuple[Limit, ...]:
    """Limits with what the plan opens: in the resource what counts from the first year on, else among what arrives.

    Parameters
    ----------
    region : Region
    found : tuple of Limit
    plan : Assignment
    """
    if not plan.opened:
        return found
    ids = region.sites["id"].tolist()
    at_once = openings.openings(region.scenario, [one.resource for one in found], ids, last=0)
    opened = [at_once[o] for o in plan.opened]
    named = [one.name for one in opened]
    return tuple(
        one._replace(
            resource=widened([one.resource], opened)[0],
            arriving=(*one.arriving, *openings.arriving(region.scenario, one.resource, named)),
        )
        for one in found
    )


def horizon(region: Region, projects: pd.DataFrame) -> range:
    """Years of the study: from its day to the last in which a project begins or something may arrive."""
    first = region.scenario.date.year
    last = [int(begins(region, projects, name).max(initial=first)) for name in catalog.resources()]
    return range(first, max([*last, *region.arrivals["year_high"]], default=first) + 1)


def _year_violations(region: Region, facts: Facts, found: tuple[Limit, ...], plan: Assignment) -> Iterator[Violation]:
    """What each year of the horizon lacks, by itself; nothing to look at where nothing arrives."""
    years, level = horizon(region, facts.projects), region.scenario.planning_level
    for one in found:
        if one.arriving or is_apart(one.resource.name):
            site = np.asarray(plan.site)
            yield from year_violations(one.resource, one.arriving, one.begins, site, level=level, years=years)


def base_resources(region: Region, facts: Facts) -> tuple[Resource, ...]:
    """What there is of each resource at its sites, stations or prefectures, with what projects take of it.

    Parameters
    ----------
    region : Region
    facts : Facts
    """
    sites, end = facts.sites, ENDS[region.scenario.planning_level]
    zones = zone_of(sites)

    def pooled(name: str, kind: ResourceKind, subject: np.ndarray) -> Resource:
        names = [one for one in dict.fromkeys(subject) if one]
        pool = np.array([names.index(one) if one else -1 for one in subject])
        capacity = region.bounds_of(kind.attribute, names) * kind.times
        offer = catalog.offer_of(name) or kind.offer
        titles = Titles(offer, kind.unit, tuple(pool_name(region, name, one) for one in names))
        demand = facts.needs[kind.need][:, end]
        return Resource(name, kind.symbol, demand, pool, capacity, pools=tuple(names), titles=titles)

    resources = []
    for name, kind in catalog.resources().items():
        own = subject_of(kind.attribute, sites).to_numpy(object)
        inside = (zones != "") & (own != "") & kind.zone_pool
        resources.append(pooled(name, kind, np.where(inside, zones, own)))
        resources.append(pooled(f"{name}{catalog.PARK}", kind, np.where(inside, own, "")))
    return tuple(resource for resource in resources if resource.pools)


def _problem(
    region: Region, facts: Facts, allowed: Eligibility, score: np.ndarray, resources: tuple[Resource, ...]
) -> Problem | None:
    """Projects to sites at the planning level; None when no project may go anywhere, which is an answer too."""
    scenario = region.scenario
    ids, projects = facts.sites["id"].tolist(), facts.projects.index.tolist()
    share = splitting.share_of(facts.projects)

    def rows(pairs: tuple[Pair, ...]) -> Iterator[tuple[int, int]]:
        return ((row, ids.index(one.site)) for one in pairs for row in splitting.rows_of(facts.projects, one.project))

    locked = dict(rows(scenario.locked))
    if not allowed.allowed.any() and not locked:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what is odd shows in the tables: who is unplaced, and why
        problem = Problem(
            np.where(allowed.allowed, score, np.nan),
            (*resources, *shares.rules(region, facts)),
            bonus=scenario.placing_bonus,
            locked=locked,
            links=_links(scenario, facts),
            level=scenario.planning_level,
            projects=tuple(projects),
            sites=tuple(ids),
        )
        present = np.full(len(projects), UNPLACED)
        for row, site in rows(scenario.present):
            present[row] = site
        problem = keep(problem, present, price=scenario.moving_price) if scenario.moving_price else problem
        if splitting.SHARE in facts.projects:  # a share counts as much as it is
            problem = problem.suppose(score=problem.score * share[:, None], bonus=problem.bonus * share)
        return side_by_side(problem, division_aim(region, facts, problem), price=scenario.division)


def division_aim(region: Region, facts: Facts, problem: Problem) -> Division:
    """Segments of the projects, prefectures of the sites, and the firms of each project's segment in each of them.

    Parameters
    ----------
    region : Region
    facts : Facts
        Projects and sites.
    problem : Problem
        Of the same projects and sites.
    """
    prefecture, codes = pd.factorize(facts.sites["prefecture_code"])
    first = [int(np.flatnonzero(prefecture == at)[0]) for at in range(len(codes))]
    segment = np.array([list(catalog.segments()).index(key) for key in facts.projects["segment"]])
    is_further = splitting.whole_of(facts.projects).duplicated().to_numpy()
    kind = np.where(is_further, UNPLACED, segment)  # one that is split counts where its first share is
    return division_of(problem, kind, prefecture, region.by_segment["same_segment"][segment][:, first])


def _links(scenario: Scenario, facts: Facts) -> tuple[Link, ...]:
    """Partners and what being close earns them."""
    share, code = splitting.share_of(facts.projects), facts.sites["prefecture_code"].to_numpy()
    near = {"site": None, "prefecture": code[:, None] == code[None, :]}
    return tuple(
        Link(first, second, one.gain * share[first] * share[second], near[one.close])
        for one in scenario.partners
        for first in splitting.rows_of(facts.projects, one.first)
        for second in splitting.rows_of(facts.projects, one.second)
    )


def _solve(
    region: Region,
    problem: Problem | None,
    projects: int,
    progress: Callable[[Progress], bool | None] | None,
    time_limit_s: float,
) -> Assignment:
    scenario = region.scenario
    if problem is None:
        return Assignment(np.full(projects, UNPLACED), 0.0, 0.0, 0.0, "optimal", ended="proof")
    try:
        return solve(
            problem, time_limit_s=time_limit_s, mip_gap=scenario.mip_gap, seed=scenario.seed, progress=progress
        )
    except InputError as refusal:
        raise InputError(shares.told(region, problem, refusal.faults)) from None


def _refuse_misfit(plan: Assignment, projects: int, sites: int) -> None:
    """Refuse a plan of other projects or sites; whether it keeps the rules is for `verify`."""
    site = np.asarray(plan.site)
    shapes = {np.shape(one) for one in (site, *plan.pools.values())}
    if shapes != {(projects,)} or ((site < UNPLACED) | (site >= sites)).any():
        raise InputError(Fault("world.plan_of_another", Place("", kind="plan"), projects=projects, sites=sites))


def hashes(projects: pd.DataFrame, layers: Layers) -> dict[str, str]:
    """SHA-256 of what goes into a study: of the portfolio's content, and of each layer that a study reads."""
    content = projects.to_csv(lineterminator="\n").encode()
    return {"portfolio": hashlib.sha256(content).hexdigest(), **layers.hashes(LAYERS)}
