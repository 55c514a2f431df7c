"""Every sentence with a number is carried out: the input is changed as it says, the study run again, and compared.

`CLAIMS` says what each kind of sentence is about and which function carries it out; a table, rule, question, phrase or
text of the screen that isn't in it fails `test_every_kind_of_claim_is_declared`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from app.texts import TEXTS
from geo_cluster import eligibility, region, study, toml
from geo_cluster.domain import Arrival, KnownBetter, Pair, Scenario, Share
from geo_cluster.intake import site_choice
from geo_cluster.intake.verdict_card import PHRASES as CARD
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.shortages import shortages
from geo_cluster.matching.verify import usage, verify
from geo_cluster.report import cities, comparison, explanation, over_time, questions, tables, what_if
from geo_cluster.scoring.criteria import value_function, weights_of
from geo_cluster.scoring.explain import PHRASES, significant
from geo_cluster.study import Study
from geo_cluster.supply.pools import subject_of
from geo_cluster.world import catalog, portfolio
from geo_cluster.world.layers import Layers

SITES = ("E01", "E02", "E01F", "E04", "H01", "H02", "H04", "S01")
SOURCE = "试算"
LAYERS = Layers("")


@pytest.fixture(scope="module", autouse=True)
def measured_once():
    """Roads, trips and reach of the same sites are the same in every study: measured once, to save time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, of in (("travel_of", None), ("_trips", 4), ("reach_of", 3)):
            patch.setattr(region, name, _kept(getattr(region, name), of))
        patch.setattr(explanation, "LIMIT_S", 60.0)  # a busy machine proves the same, later
        patch.setattr(explanation, "TOTAL_S", 600.0)
        yield


def _kept(function: Callable[..., Any], of: int | None) -> Callable[..., Any]:
    """Work out once for the sites in an argument."""
    found: dict[tuple[str, ...], Any] = {}

    def again(*given: Any) -> Any:
        key = () if of is None else tuple(given[of]["id"])
        if key not in found:
            found[key] = function(*given)
        return found[key]

    return again


def known(subject: str, attribute: str, *ends: float) -> KnownBetter:
    low, likely, high = ends * 3 if len(ends) == 1 else ends
    row = {"subject": subject, "attribute": attribute, "low": low, "likely": likely, "high": high}
    return KnownBetter.model_validate(row | {"source": SOURCE})


def instead(entries: tuple[KnownBetter, ...], *others: KnownBetter) -> tuple[KnownBetter, ...]:
    names = {(one.subject, one.attribute) for one in others}
    return (*(one for one in entries if (one.subject, one.attribute) not in names), *others)


class Case(NamedTuple):
    """A study that is small enough to be run again for every row."""

    result: Study

    @property
    def scenario(self) -> Scenario:
        return self.result.scenario

    def again(self, projects: pd.DataFrame | None = None, **changes: Any) -> Study:
        given = self.result.projects if projects is None else projects
        return study.run(self.scenario.model_copy(update=changes), LAYERS, projects=given)

    def locks(self, *without: str, **also: str) -> tuple[Pair, ...]:
        """Everybody where they are, some at another site."""
        pairs = [pair for pair in comparison.plan_locks(self.result) if pair.project not in {*without, *also}]
        return (*pairs, *(Pair(project=project, site=site) for project, site in also.items()))


LAND = (known("E01", "available_land_ha", 6, 12, 20), known("H04", "available_land_ha", 3, 5, 9))
LAND += (known("H01", "available_land_ha", 1, 3, 6), known("E04", "available_land_ha", 1, 2, 5))
LAND += (known("E02", "available_land_ha", 2, 4, 8), known("S01", "available_land_ha", 1, 2, 3))
POWER = (known("A420703", "spare_mva", 8, 14, 25), known("420700", "energy_quota_tce", 3000, 6000, 9000))
SMALL = tuple(one.model_copy(update={"high": one.likely}) for one in LAND)
DAY = "2026-12-01"


def case(count: int = 12, first: int = 0, **changes: Any) -> Case:
    row = {"name": {"zh": "断言", "en": "claims"}, "sites": SITES, "draws": 50, "day": DAY, "time_limit_s": 60.0}
    row |= {"known": [one.model_dump() for one in (*LAND, *POWER)]}
    projects = portfolio.read("sample").iloc[first : first + count]
    return Case(study.run(catalog.scenario_from(row | changes), LAYERS, projects=projects))


def arrivals() -> list[dict]:
    row = {"source": SOURCE, "low": 5.0, "likely": 10.0, "high": 15.0}
    return [
        row | {"subject": "E01", "attribute": "available_land_ha", "year": 2029},
        row | {"subject": "A420703", "attribute": "spare_mva", "year": 2030},
    ]


def seeded(seed: int) -> Case:
    """Sites, land, power, locks and a cap by chance."""
    random = np.random.default_rng(seed)
    sites = sorted(random.choice(SITES, 6, replace=False).tolist())
    land = [known(one, "available_land_ha", *np.sort(random.uniform(1, 12, 3))) for one in sites if one != "E01F"]
    shares = (
        [{"prefecture": "420200", "most": int(random.integers(1, 4))}] if set(sites) & {"H01", "H02", "H04"} else []
    )
    return case(9, 3 * seed, sites=sites, known=[one.model_dump() for one in land], shares=shares)


CASES: dict[str, Callable[[], Case]] = {
    "likely": lambda: case(locked=[{"project": "P02", "site": "E01"}, {"project": "P07", "site": "S01"}]),
    "cautious": lambda: case(8, planning_level="cautious"),
    "hopeful": lambda: case(16, planning_level="hopeful", known=[one.model_dump() for one in (*SMALL, *POWER)]),
    "years": lambda: case(arrivals=arrivals()),
    "factories": lambda: case(10, sites=["E01", "E01F", "E02", "H02"], known=[LAND[0].model_dump()]),
    "cap": lambda: case(shares=[{"prefecture": "420700", "most": 4}]),
    "by chance": lambda: seeded(1),
}
run_case = functools.cache(lambda name: CASES[name]())


# ---- the plan explained ----


def ways_in(one: Case) -> int:
    """What is to be found, and kept by a lock, places the project at the loss that is told."""
    count = 0
    for project in tables.unplaced(one.result)["project"]:
        for option in explanation.placement_options_of(one.result, project, most=2 if one.scenario.locked else 1):
            said = explanation.option_row(one.result, option)
            after = one.again(**what_if.option_settings(one.result, option, source=SOURCE))
            at = tables.assignment(after).set_index("project")["site"]
            assert at[project] == said["site"]
            assert not after.violations
            assert after.plan.objective - one.result.plan.objective == pytest.approx(said["gain"], abs=1e-3)
            assert all(f"{short.asked:,.1f}" in said["way"] for short in option.more)
            site = one.result.plan.site.copy()
            site[option.project] = option.site
            for move in option.moves:
                site[move.project] = move.after
            assert comparison.with_plan(after, site).plan.objective == pytest.approx(after.plan.objective, abs=1e-3)
            count += 1
    return count


def pool_worth(one: Case) -> int:
    """So much more in the pool, and the plan gains so many points, at the weights in force."""
    table = explanation.pool_values_table(one.result)
    for row in table.itertuples():
        wider = what_if.more_scenario(one.result, {(row.resource, row.pool): row.step}, source=SOURCE)
        gain = one.again(known=wider.known, weights=wider.weights).plan.objective - one.result.plan.objective
        assert gain == pytest.approx(row.gain, abs=1e-3)
        assert gain > explanation.WORTH_TELLING
    return len(table)


def why_here(one: Case) -> int:
    """Forced to its favourite, the plan loses so much; with what is lacking, and kept for it, all others stay."""
    result, ids = one.result, one.result.sites["id"].tolist()
    table = explanation.why_here_table(result)
    for row in table.itertuples():
        p, s = result.projects.index.get_loc(row.project), ids.index(row.favourite)
        others = tuple(pair for pair in one.scenario.locked if pair.project != row.project)
        if np.isfinite(row.loss):
            forced = one.again(locked=(*others, Pair(project=row.project, site=row.favourite)))
            assert result.plan.objective - forced.plan.objective == pytest.approx(row.loss, abs=1e-3)
        lacking = shortages(result.problem, result.plan.site, p, s)
        wider = what_if.more_scenario(result, what_if.most_of(lacking), source=SOURCE)
        kept = one.again(locked=one.locks(**{row.project: row.favourite}), known=wider.known, shares=wider.shares)
        assert not kept.violations
        assert all(f"{short.asked:,.1f}" in row.why for short in lacking)
        assert ("留给该项目" in row.why) == bool(lacking)
    return len(table)


def site_importance(one: Case) -> int:
    """Without the site, the plan is worth so much less."""
    table = explanation.importance_table(one.result)
    for row in table.itertuples():
        locked = tuple(pair for pair in one.scenario.locked if pair.site != row.site)
        banned = tuple(Pair(project=project, site=row.site) for project in one.result.projects.index)
        after = one.again(locked=locked, forbidden=(*one.scenario.forbidden, *banned))
        assert one.result.plan.objective - after.plan.objective == pytest.approx(row.loss, abs=1e-3)
    if len(table) and len(one.result.sites) > 3:  # the same where it isn't among the sites, at the weights in force
        left = tuple(site for site in one.result.sites["id"] if site != table["site"].iloc[0])
        locked = tuple(pair for pair in one.scenario.locked if pair.site in left)
        weights = dict.fromkeys(one.result.region.alike, 0.0)
        without = one.again(sites=left, locked=locked, weights=weights)
        assert one.result.plan.objective - without.plan.objective == pytest.approx(table["loss"].iloc[0], abs=1e-3)
    return len(table)


def city_prices(one: Case) -> int:
    """With a share that says so, the plan is worth so much less."""
    table = cities.city_prices(one.result)
    table = table[table["loss_high"].notna() & (table["least"] > 0)].iloc[::3]
    others = tuple(share for share in one.scenario.shares if share.segment)
    best = one.again(shares=others).plan.objective
    for row in table.itertuples():
        after = one.again(shares=(*others, Share(prefecture=row.prefecture, least=row.least)))
        assert row.loss_low - 1e-3 <= best - after.plan.objective <= row.loss_high + 1e-3
    return len(table)


def lock_price(one: Case) -> int:
    """Without the lock, the plan is worth so much more."""
    table = explanation.lock_table(one.result)
    for row in table.itertuples():
        after = one.again(locked=tuple(pair for pair in one.scenario.locked if pair.project != row.project))
        assert after.plan.objective - one.result.plan.objective == pytest.approx(row.loss, abs=1e-3)
    return len(table)


def other_plans(one: Case) -> int:
    """Each alternative and point of a front keeps the rules and is worth what is told; so many in each prefecture."""
    result = one.result
    plans = comparison.other_plans(result, count=2)
    hours, codes = explanation.commuting_hours(result), result.sites["prefecture_code"].to_numpy()
    for other in plans:
        there = comparison.with_plan(result, other.site)
        assert not there.violations
        assert there.plan.objective == pytest.approx(other.objective, abs=1e-3)
        assert np.mean(other.site != result.plan.site) == pytest.approx(other.elsewhere)
        placed = np.flatnonzero(other.site != UNPLACED)
        if other.kind == "commuting":
            assert hours[placed, other.site[placed]].sum() == pytest.approx(other.value, abs=0.01)
    balance = [other for other in plans if other.kind == "balance" and other.proven and other.value]
    for other in balance[:1]:
        shares = {share.prefecture: share.model_dump() for share in one.scenario.shares}
        least = [shares.get(code, {"prefecture": code}) | {"least": int(other.value)} for code in dict.fromkeys(codes)]
        again = catalog.scenario_from(one.scenario.model_dump(mode="json") | {"shares": least}).shares
        assert one.again(shares=again).plan.objective == pytest.approx(other.objective, abs=1e-3)
    return len(plans)


def waiting(one: Case) -> int:
    """Whoever waits for a pool lacks nothing there once it is as much larger as it lacks; where none does, all fit."""
    result, table = one.result, explanation.gauge_table(one.result)
    found = explanation.waiting_for(result)
    for row in table[table["waiting"] > 0].itertuples():
        lacking = found[row.resource, row.pool]
        assert len(lacking) == row.waiting
        more = {(row.resource, row.pool): max(lacking.values())}
        wider = explanation.problem_with_more(result, more)
        for p in lacking:
            best = [
                s for s in np.flatnonzero(result.problem.eligible[p]) if _waits_for(result.problem, result, p, s, row)
            ]
            assert best
            assert not all(_waits_for(wider, result, p, s, row) for s in best)
    at = result.plan.site
    allowed, scores = result.eligibility.allowed, result.decision.score  # whatever is locked
    better = [
        [a and (at[p] < 0 or s > scores[p, at[p]]) for a, s in zip(allowed[p], scores[p], strict=True)]
        for p in range(len(at))
    ]
    away = sum(map(any, better))
    assert explanation.away_from_best(result) == away
    return int((table["waiting"] > 0).sum())


def _waits_for(problem: Any, result: Study, p: int, s: int, row: Any) -> bool:
    lacking = what_if.most_of(shortages(problem, result.plan.site, p, int(s)))
    return lacking.get((row.resource, row.pool), 0.0) > 1e-6


def unplaced(one: Case) -> int:
    """With what the best site lacks, and kept for it, a project gets in and all others stay; from a later year too."""
    result, ids, count = one.result, one.result.sites["id"].tolist(), 0
    for row in tables.unplaced(result).to_dict("records"):
        p = result.projects.index.get_loc(row["project"])
        if row["best_site"]:
            lacking = shortages(result.problem, result.plan.site, p, ids.index(row["best_site"]))
            assert all(f"{short.asked:,.1f}" in row["reason"] for short in lacking)
            wider = what_if.more_scenario(result, what_if.most_of(lacking), source=SOURCE)
            locked = one.locks(**{row["project"]: row["best_site"]})
            assert not one.again(locked=locked, known=wider.known, shares=wider.shares).violations
            count += 1
        if row["later_site"]:
            projects = result.projects.copy()
            projects.loc[row["project"], ["year", "power_year"]] = row["later_year"]
            after = one.again(projects, locked=one.locks(**{row["project"]: row["later_site"]}))
            assert not after.violations
            count += 1
    return count


def conditions(one: Case) -> int:
    """A plan that needs what arrives is over without it."""
    told = [text for each in over_time.conditions(one.result) for text in each if text is not over_time.DUAL]
    if told:
        without = one.again(arrivals=()).problem
        assert verify(without, one.result.plan.site)
    return len(told)


# ---- chances: every draw carried out ----


def by_draw() -> Case:
    """Twelve draws, and only what is drawn of a known number or a need."""
    weights = {"industry_fit": 0.0, "quota_cover": 0.0}
    sites, projects = ("H01", "H02", "H04", "E04", "S01"), portfolio.read("sample").iloc[:8]
    row = {"name": {"zh": "抽样", "en": "draws"}, "sites": sites, "draws": 12, "day": DAY, "weights": weights}
    row |= {"known": [one.model_dump() for one in LAND if one.subject in sites]}
    first = study.run(catalog.scenario_from(row), LAYERS, projects=projects)
    assert first.region.arrivals.empty
    return Case(
        study.run(
            catalog.scenario_from(row | {"weights": weights | dict.fromkeys(first.region.alike, 0.0)}),
            LAYERS,
            projects=projects,
        )
    )


def drawn(one: Case, n: int) -> Study:
    """The study in which every number and need is known to be what was drawn."""
    result, projects, stated = one.result, one.result.projects.copy(), catalog.attributes()
    numbers = zip(result.observations["site_id"], result.observations["attribute"], result.region.draws[n], strict=True)
    for kind in catalog.resources().values():
        times = toml.table("requirements")[kind.asked.constant] if kind.asked.constant else 1.0
        for end in ("low", "likely", "high"):
            projects[f"{kind.asked.column}_{end}"] = result.drawn.needs[kind.need][n] / times
    return one.again(projects, known=tuple(known(*key, float(value)) for *key, value in numbers if key[1] in stated))


def chances(one: Case) -> int:
    """How often the plan is feasible, what runs short, what first and by how much; how often each site is first."""
    result, over, first, wins = one.result, [], [], np.zeros(one.result.eligibility.allowed.shape)
    for n in range(one.scenario.draws):
        there = drawn(one, n)
        short = {}
        for resource in there.resources:
            room = resource.at("likely")
            beyond = usage(resource, result.plan.site) - room
            short |= {(resource.name, resource.pools[k]): (beyond[k], beyond[k] / room[k]) for k in range(len(room))}
        over.append({key: amount for key, (amount, _) in short.items() if amount > 1e-6})
        first.append(max(over[-1], key=lambda key: short[key][1], default=None))
        score = np.where(result.eligibility.allowed, there.decision.score, -np.inf)
        wins += score == score.max(axis=1, keepdims=True)
    table = explanation.feasibility_table(result)
    assert table["breaks"].iloc[0] == pytest.approx(np.mean([bool(each) for each in over]), abs=1e-4)
    for row in table.iloc[1:].itertuples():
        key = row.resource, row.pool
        assert row.breaks == pytest.approx(np.mean([key in each for each in over]), abs=1e-4)
        assert row.first == pytest.approx(np.mean([each == key for each in first]), abs=1e-4)
        assert row.over == pytest.approx(np.mean([each[key] for each in over if key in each]), abs=1e-3)
    ranking = tables.ranking(result)
    assert ranking["chance_first"].to_numpy() == pytest.approx(wins.ravel() / one.scenario.draws, abs=1e-4)
    return len(table) + int((ranking["chance_first"] > 0).sum())


def requests(one: Case) -> int:
    """Known at each of eight values in turn, choosing anew gains what is told, give or take its error."""
    scenario = {"draws": 600, "known": tuple(_wide(one))}
    asked = Case(one.again(**scenario))
    table = tables.requests(asked.result)
    mine = [row for row in table[table["is_clear"]].itertuples() if (row.subject, row.attribute) in _keys(asked)][:2]
    before = _best_of(asked.result)
    for row in mine:
        at = (np.arange(8) + 0.5) / 8
        column = list(zip(asked.result.observations["site_id"], asked.result.observations["attribute"], strict=True))
        values = np.quantile(asked.result.region.draws[:, column.index((row.subject, row.attribute))], at)
        after = [asked.again(known=instead(asked.scenario.known, known(row.subject, row.attribute, v))) for v in values]
        gain = np.mean([_best_of(each) for each in after]) - before
        assert gain == pytest.approx(row.gain, abs=3 * row.gain_error + 0.15 * row.gain)
    assert (table["gain"] >= tables.CLEAR * table["gain_error"] - 2e-3)[table["is_clear"]].all()
    assert table["is_clear"].is_monotonic_decreasing, "what isn't clear comes last"
    return len(mine)


def _wide(one: Case) -> Iterator[KnownBetter]:
    """Land that may be little or much, so that asking pays."""
    for entry in one.scenario.known:
        wide = entry.attribute == "available_land_ha"
        yield entry.model_copy(update={"low": 0.5 * entry.low, "high": 3 * entry.high} if wide else {})


def _keys(one: Case) -> set[tuple[str, str]]:
    return {(entry.subject, entry.attribute) for entry in one.scenario.known}


def _best_of(result: Study) -> float:
    """Mean score of the site that each project would choose, summed over projects."""
    mean = np.where(result.eligibility.allowed, result.decision.draws.mean(axis=0), -np.inf).max(axis=1)
    return float(mean[np.isfinite(mean)].sum())


# ---- one project's choice ----


def _weighed(one: Case, scenario: Scenario | None = None) -> Iterator[site_choice.Weighed]:
    projects = one.result.projects
    there = one.result.region if scenario is None else region.prepare(scenario, LAYERS, projects=projects.index)
    for choice in site_choice.choices(there, projects.iloc[::3]):
        yield site_choice.weigh(choice, one.scenario.weights)


def switching(one: Case) -> int:
    """With this one number as it is printed the site is ahead of the first."""
    count = 0
    for number, weighed in enumerate(_weighed(one)):
        for row in site_choice.thresholds(weighed, rivals=2).to_dict("records") if weighed.choice.sites else ():
            if row["datum"]:
                first, value = weighed.choice.sites[weighed.order[0]], significant(row["needed"], up=row["above"])
                score = _with_datum(one, number, weighed, row, value)
                assert score[row["site"]] >= score[first] - 1e-9, row
                count += 1
    return count


def _with_datum(one: Case, number: int, weighed: Any, row: dict, value: float) -> dict[str, float]:
    """Score of each site with one number changed: entered where it can be, else put in place of the measure's."""
    kinds = {kind.attribute: kind for kind in catalog.resources().values()}
    criteria, site = catalog.criteria(), row["site"]
    attribute = row["datum"] if row["datum"] in kinds else criteria[row["datum"]].attribute
    if attribute is None:
        choice, c = weighed.choice, list(criteria).index(row["datum"])
        changed = choice.value.copy()
        changed[choice.sites.index(site), c] = value_function(criteria[row["datum"]], choice.bearable).value(value)
        return dict(zip(choice.sites, 100 * changed @ weighed.weight, strict=True))
    if row["datum"] in kinds:
        stated = value / kinds[attribute].times
    else:
        place, c = weighed.choice.sites.index(site), list(criteria).index(row["datum"])
        at = one.result.sites["id"].tolist().index(site)
        stated = value * one.result.region.offers[attribute][at, 1] / weighed.choice.natural[place, c]
    entry = known(row["subject"] or _subject(one, attribute, site), attribute, stated)
    scenario = one.scenario.model_copy(update={"known": instead(one.scenario.known, entry)})
    after = list(_weighed(one, scenario))[number]
    return dict(zip(after.choice.sites, after.score, strict=True))


def _subject(one: Case, attribute: str, site: str) -> str:
    at = one.result.sites["id"].tolist().index(site)
    return str(subject_of(attribute, one.result.sites).iloc[at])


def weights(one: Case) -> int:
    """With the weight as it is printed, the others in proportion, the other leads; within the interval nobody does."""
    count, names = 0, {criterion.name.zh: key for key, criterion in catalog.criteria().items()}
    for weighed in _weighed(one):
        if len(weighed.choice.sites) < 2:
            continue
        first = weighed.choice.sites[weighed.order[0]]
        said = re.search(r"若([^；]*?)的权重(高于|低于) ([\d.]+)%", site_choice.verdict(weighed)["sentence_zh"])
        if said:
            score = _at_weight(weighed, names[said[1]], float(said[3]) / 100)
            assert score[weighed.order[1]] >= score[weighed.order[0]] - 1e-9
            count += 1
        for row in site_choice.weight_intervals(weighed).itertuples():
            for end, rival, outside in ((row.low, row.low_site, -1e-6), (row.high, row.high_site, 1e-6)):
                if rival:
                    inside = _at_weight(weighed, row.criterion, end - outside)
                    assert weighed.choice.sites[int(np.argmax(inside))] == first
                    beyond = _at_weight(weighed, row.criterion, end + outside)
                    assert weighed.choice.sites[int(np.argmax(beyond))] == rival
                    count += 1
    return count


def _at_weight(weighed: Any, criterion: str, share: float) -> np.ndarray:
    """Scores with one weight at a share and the others in proportion."""
    criteria = catalog.criteria()
    mine = np.array([key == criterion for key in criteria])
    rest = np.where(mine, 0.0, weighed.weight)
    given = dict(zip(criteria, np.where(mine, share, rest / rest.sum() * (1 - share)).tolist(), strict=True))
    return 100 * weighed.choice.value @ weights_of(criteria, given)


# ---- refusals and questions ----


def refusals(one: Case) -> int:
    """So much as is said to be needed at least, and the rule refuses no more."""
    result, count, seen = one.result, 0, set()
    subjects, zones = (
        subject_of,
        dict(zip(result.sites["id"], site_choice.zone_of(result.sites), strict=True)),
    )
    for p, s in np.argwhere(~result.eligibility.allowed).tolist():
        rule, site, project = result.eligibility.rule[p, s], result.sites["id"].iloc[s], result.projects.index[p]
        kind = next((kind for kind in catalog.resources().values() if kind.short.rule == rule), None)
        if (rule, site) in seen or not (kind or rule in ("too_far", "forbidden")):
            continue
        seen.add((rule, site))
        scenario, projects, said = one.scenario, result.projects.iloc[[p]].copy(), result.eligibility.reason["zh"][p, s]
        if kind:
            least = float(re.search(r"至少需要\S+ ([\d,.]+)", said)[1].replace(",", "")) / kind.times
            own = subjects(kind.attribute, result.sites).iloc[s]
            entries = [
                known(one_, kind.attribute, least) for one_ in (own, zones[site] if kind.zone_pool else "") if one_
            ]
            scenario = scenario.model_copy(update={"known": instead(scenario.known, *entries)})
        elif rule == "too_far":
            projects["max_minutes"] = float(re.search(r"锚点 (\d+)–", said)[1])
        else:
            scenario = scenario.model_copy(update={"forbidden": ()})
        facts = region.facts_of(region.prepare(scenario, LAYERS, projects=result.projects.index), projects)
        assert eligibility.judge(facts).rule[0, s] != rule, (project, site, said)
        count += 1
    return count


def asked(one: Case) -> int:
    """What is said to be assumed meanwhile is; answered, it changes as is said."""
    result = one.result
    table = questions.structural_questions(result.region)
    there = {
        (name, pool): bounds
        for name, limit in ((one.resource.name, one.resource) for one in over_time.resources(result))
        for pool, bounds in zip(limit.pools, limit.capacity, strict=True)
    }
    for row in table.to_dict("records"):
        numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", row["changes_zh"].replace(",", ""))]
        if row["topic"] in ("feed", "quota"):
            resource = {"feed": "power", "quota": "energy"}[row["topic"]]
            assert numbers[:3] == pytest.approx(there[resource, row["subject"]], abs=0.5)
        if row["topic"] == "quota":  # no limit binds any more
            free = one.again(known=instead(one.scenario.known, known(row["subject"], row["attribute"], 1e9)))
            assert not [key for key in explanation.waiting_for(free) if key == ("energy", row["subject"])]
        if row["topic"] == "energised":
            arrival = {"subject": row["subject"], "attribute": "spare_mva", "year": 2026, "source": SOURCE}
            entry = Arrival.model_validate(arrival | dict(zip(("low", "likely", "high"), numbers[-3:], strict=True)))
            now = one.again(arrivals=(*one.scenario.arrivals, entry)).region.arrivals
            at = now[now["station"] == row["subject"]].iloc[0]
            assert at["year_likely"] == 2026
            assert result.region.names[at["subject"]].zh in row["changes_zh"]
        if row["topic"] == "dual":
            assert (
                eligibility.known_feeds(result.sites)[result.sites["id"].tolist().index(row["subject"])] == numbers[0]
            )
    return len(table)


# ---- what there is, and who carries it out ----

Check = Callable[[Case], int]

BY_CASE: dict[str, Check] = {
    check.__name__: check
    for check in (
        ways_in,
        pool_worth,
        why_here,
        site_importance,
        city_prices,
        lock_price,
        other_plans,
        waiting,
        unplaced,
    )
} | {check.__name__: check for check in (conditions, switching, weights, refusals, asked)}

CLAIMS: dict[str, dict[str, Check | None]] = {
    "tables": {
        "ways_in": ways_in,
        "pool_worth": pool_worth,
        "why_here": why_here,
        "site_importance": site_importance,
        "city_prices": city_prices,
        "alternatives": other_plans,
        "trade_off": other_plans,
        "holds": chances,
    },
    "rules": {
        **dict.fromkeys(("land_short", "floor_short", "power_short", "quota_short", "too_far", "forbidden"), refusals),
        **dict.fromkeys(("site_ruled_out", "process_restricted", "factory_unfit"), None),  # no number, no remedy
        "single_feed": asked,
    },
    "questions": dict.fromkeys(("feed", "energised", "dual", "quota"), asked),
    "phrases": {
        "weight": weights,
        "datum": switching,
        "datum_of": switching,
        "firsts": chances,
        "close": chances,
        "chance": chances,
    },
    "card": dict.fromkeys(  # tests/test_verdict_card.py carries each out
        ("sure", "likely", "open", "behind", "close", "overlap", "eaten", "turned", "likeliest", "no_turn"), None
    ),
    "texts": {
        "match.what_if_text": pool_worth,
        "match.changed_text": pool_worth,
        "match.give_up": other_plans,
        "match.binding_one": waiting,
        "match.breaks_first": chances,
        "match.feasible_text": chances,
        "match.seldom": chances,
        "match.stability_cost": None,  # tests/test_matching_stable.py: blocking pairs and what a stable plan costs
        "match.stability_none": None,
        "match.other_commuting": other_plans,
        "match.other_division": other_plans,
        "match.other_balance": other_plans,
        "match.other_alternative": other_plans,
        "match.only_commuting": other_plans,
        "match.only_division": other_plans,
        "match.only_balance": other_plans,
        "match.none_binding_away": waiting,
        "match.kept": None,  # says what was entered
        "score.at_least": switching,
        "score.at_most": switching,
        "score.cell": None,  # a value and its points
        "score.first_in": chances,
        "score.hardly": chances,
        "score.value_range": None,
    },
}
"""Kind of sentence -> its keys -> what carries it out; None where it promises nothing, and why."""

PROMISES = {"gain", "loss", "cost", "needed", "chance", "value", "share", "pool"}
"""What a text of the screen is filled in with when it says what would be."""


def declared() -> dict[str, set[str]]:
    """What there is of each kind."""
    phrases = {key for key, text in PHRASES["zh"].items() if re.search("{(needed|one|chance)}", text)}
    said = {
        key
        for key, (zh, _) in TEXTS.items()
        if key.startswith(("match.", "score."))
        and (PROMISES & set(re.findall(r"{(\w+)", zh)) or key == "match.none_binding_away")
    }
    return {
        "tables": set(explanation.TABLES),
        "rules": set(eligibility.rules()),
        "questions": set(toml.table("questions")),
        "phrases": phrases,
        "card": {key for key, text in CARD["zh"].items() if re.search("{(one|lead|low|most|second)}", text)},
        "texts": said,
    }


def test_every_kind_of_claim_is_declared():
    for kind, keys in declared().items():
        assert set(CLAIMS[kind]) == keys, kind
    used = {check.__name__ for keys in CLAIMS.values() for check in keys.values() if check}
    assert used <= {*BY_CASE, "chances", "requests"}


FEWER = {"cautious": ("ways_in", "pool_worth", "why_here", "site_importance", "unplaced", "refusals")}
FEWER |= {"hopeful": ("ways_in", "pool_worth", "site_importance", "unplaced", "waiting")}
FEWER |= {"years": ("ways_in", "pool_worth", "why_here", "unplaced", "conditions", "switching")}
FEWER |= {"factories": ("ways_in", "pool_worth", "why_here", "unplaced", "switching", "refusals")}
FEWER |= {"cap": ("ways_in", "pool_worth", "why_here", "other_plans", "unplaced", "waiting")}
FEWER |= {"by chance": ("ways_in", "pool_worth", "why_here", "waiting", "switching")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "claim"), [(name, claim) for name in CASES for claim in FEWER.get(name, BY_CASE)], ids=str
)
def test_a_claim_comes_true_when_it_is_carried_out(name, claim):
    BY_CASE[claim](run_case(name))


@pytest.mark.slow
def test_chances_are_shares_of_draws_that_were_carried_out():
    assert chances(by_draw()) > 10


@pytest.mark.slow
def test_knowing_a_number_gains_what_was_told():
    assert requests(run_case("likely")) == 2
