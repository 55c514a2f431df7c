"""The tables of a study, each made once when it is asked for: `ranking(study)`, `assignment(study)` and so on.

`ranking`: one row a pair; `contributions`: one row a pair and criterion; `assignment`: one row a placed project;
`unplaced`: who stays out and why; `pools`: what each pool has and gives; `requests`: the numbers to go and ask for.
"""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, PlanningLevel
from geo_cluster.eligibility import Eligibility, Facts
from geo_cluster.many.evidence import evidence_shares as evidence_shares
from geo_cluster.matching.plan import Assignment
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Resource
from geo_cluster.matching.shortages import Shortage, shortages
from geo_cluster.matching.verify import usage
from geo_cluster.matching.years import is_apart, year_of
from geo_cluster.region import Region, pool_name
from geo_cluster.report import best_pairs, over_time, parts
from geo_cluster.scoring.aggregate import competition_rank
from geo_cluster.scoring.criteria import DecisionMatrix
from geo_cluster.scoring.explain import significant
from geo_cluster.scoring.information import Information, of_choosers
from geo_cluster.study import ENDS, Study, once
from geo_cluster.supply.pools import subject_of, zone_of
from geo_cluster.supply.standard_land import DoorChecks, door_checks, interval
from geo_cluster.world import catalog, portfolio, splitting


@once
def ranking(study: Study) -> pd.DataFrame:
    """One row a pair; see `ranking_table`. Of very many pairs the best of each project: see `best_pairs`."""
    if best_pairs.is_short(study):
        return best_pairs.ranking_of_best(study)
    return ranking_table(study.projects, study.sites, study.eligibility, study.decision, study.observations)


@once
def contributions(study: Study) -> pd.DataFrame:
    """One row a pair and criterion; see `contributions_table`.

    `same_everywhere`: whether the criterion rests on one assumption for all sites, and so tells none apart.
    """
    if best_pairs.is_short(study):
        table = best_pairs.contributions_of(study, ranking(study))
    else:
        table = contributions_table(study.projects, study.sites, study.decision)
    return table.assign(same_everywhere=table["criterion"].isin(study.region.same_everywhere))


@once
def assignment(study: Study) -> pd.DataFrame:
    """One row a placed project; see `assignment_table`.

    `share`: how much of its project a row is, where the scenario has parts; `from_year`: when it takes its place;
    `conditions`: on what that depends beyond what is known to be there.
    """
    end = ENDS[study.scenario.planning_level]
    table = assignment_table(study.projects, study.sites, study.facts, ranking(study), study.plan, end)
    table = table.join(_stated(study.projects.loc[table["project"]]).reset_index(drop=True)).join(_at_doors(study))
    placed = np.flatnonzero(study.plan.site >= 0)
    table["from_year"] = over_time.from_years(study)[placed]
    if study.parts:
        table.insert(2, "share", splitting.share_of(study.projects)[placed].round(6))
    told = [over_time.conditions(study)[p] for p in placed]
    table["conditions"] = ["；".join(one.zh for one in each) for each in told]
    table["conditions_en"] = ["; ".join(one.en for one in each) for each in told]
    return table


@once
def doors(study: Study) -> DoorChecks:
    """Every project against the standard-land doors of every site, on the day of the study."""
    return door_checks(study.projects, study.sites, study.day)


def _stated(projects: pd.DataFrame) -> pd.DataFrame:
    """What projects state of investment, tax and jobs, and what that is per mu; nan where unknown."""
    table = pd.DataFrame({key: projects[f"{key}_likely"] for key in portfolio.STATED}, index=projects.index)
    table["power_year"] = projects["power_year"]
    for key, bounds in portfolio.per_mu(projects).items():
        table[[f"{key}_low", f"{key}_likely", f"{key}_high"]] = bounds.round(2)
    return table


def stated_words(projects: pd.DataFrame, language: Language) -> pd.DataFrame:
    """What projects state, as people read it: an interval as low–high, what nobody stated as unknown.

    Parameters
    ----------
    projects : DataFrame
        Checked projects.
    language : {"zh", "en"}

    Returns
    -------
    DataFrame
        Indexed as `projects`, text: `portfolio.STATED`, `power_year`, `portfolio.PER_MU`.
    """
    unknown = catalog.door_verdicts()["unknown"][language]
    amounts = {key: portfolio.amount(projects, key) for key in portfolio.STATED}
    table = pd.DataFrame(
        {key: [interval(one) or unknown for one in bounds] for key, bounds in amounts.items()}, index=projects.index
    )
    table["power_year"] = [unknown if pd.isna(one) else f"{one:d}" for one in projects["power_year"]]
    for key, bounds in portfolio.per_mu(projects).items():
        table[key] = [interval(one) or unknown for one in bounds]
    return table


def _at_doors(study: Study) -> pd.DataFrame:
    """`standard_land` (pass, fail, unknown) of each placed project at its site, and the sentence in both languages."""
    placed = np.flatnonzero(study.plan.site >= 0)
    pairs, found = (placed, np.asarray(study.plan.site)[placed]), doors(study)
    table = pd.DataFrame({"standard_land": found.result_of(*pairs)})
    for language in LANGUAGES:
        table[f"standard_land_{language}"] = found.sentences_of(*pairs, language)
    return table


@once
def unplaced(study: Study) -> pd.DataFrame:
    """One row a project that stays out, why, and from which year it would fit where; see `unplaced_table`."""
    table = unplaced_table(study.problem, study.projects, study.region, study.eligibility, study.plan)
    for at, p in enumerate(np.flatnonzero(study.plan.site == UNPLACED).tolist() if study.parts else ()):
        if waits := parts.lacking(study, p):
            table.loc[at, ["reason", "reason_en"]] = [
                f"{waits.zh}；{table['reason'][at]}",
                f"{waits.en}; {table['reason_en'][at]}",
            ]
    return table.join(over_time.later(study))


@once
def pools(study: Study) -> pd.DataFrame:
    """One row a pool; see `pools_table`."""
    return pools_table(study.resources, study.scenario.planning_level, study.plan)


@once
def requests(study: Study) -> pd.DataFrame:
    """The numbers to go and ask for, the most useful first; see `request_table`."""
    return request_table(study.region, study.eligibility, study.decision)


def ranking_table(
    projects: pd.DataFrame,
    sites: gpd.GeoDataFrame,
    allowed: Eligibility,
    decision: DecisionMatrix,
    known: pd.DataFrame,
) -> pd.DataFrame:
    """One row a pair: score, interval, rank among the eligible, chance of being first, sub-scores, reason if refused.

    `<theme>`, `<theme>_low`, `<theme>_high` are sub-scores from 0 to 100; `reported`, `published`, `derived`, `assumed`
    say what share of the weight rests on numbers known in that way, `<theme>_assumed` the last of them for a theme.
    `remark` says what no rule was held against, as nobody looked into it.

    Parameters
    ----------
    projects : DataFrame
        P checked projects.
    sites : GeoDataFrame
        S sites.
    allowed : Eligibility
    decision : DecisionMatrix
    known : DataFrame
        Observations, each with its basis.
    """
    spread, score = decision.spread(allowed.allowed), decision.score
    rank = np.zeros(score.shape, dtype=int)
    for project in np.flatnonzero(allowed.allowed.any(axis=1)):
        row = allowed.allowed[project]
        rank[project, row] = competition_rank(score[project, row])
    table = _pairs(projects, sites)
    table["score"] = score.ravel().round(4)
    table["low"], table["high"] = spread.low.ravel().round(4), spread.high.ravel().round(4)
    table["rank"] = pd.array(rank.ravel(), dtype="Int64")
    table.loc[table["rank"] == 0, "rank"] = pd.NA
    table["chance_first"] = spread.chance_first.ravel().round(4)
    for theme in catalog.themes():
        parts = decision.sub_score(theme, spread)
        for name, part in zip((theme, f"{theme}_low", f"{theme}_high"), parts, strict=True):
            table[name] = part.ravel().round(2)
        assumed = evidence_shares(sites, known, decision.weights, theme=theme)["assumed"]
        table[f"{theme}_assumed"] = np.tile(assumed, len(projects)).round(4)
    for basis, share in evidence_shares(sites, known, decision.weights).items():
        table[basis] = np.tile(share, len(projects)).round(4)
    table["eligible"] = allowed.allowed.ravel()
    table["rule"] = allowed.rule.ravel()
    table["reason"], table["reason_en"] = allowed.reason["zh"].ravel(), allowed.reason["en"].ravel()
    table["remark"], table["remark_en"] = allowed.remark["zh"].ravel(), allowed.remark["en"].ravel()
    return table


def request_table(region: Region, allowed: Eligibility, decision: DecisionMatrix) -> pd.DataFrame:
    """The numbers to go and ask for: which unknown ones, if known, would most change who wins.

    Expected value of partial perfect information over the draws, each project choosing its best eligible site.

    Parameters
    ----------
    region : Region
    allowed : Eligibility
    decision : DecisionMatrix
        With its draws.

    Returns
    -------
    DataFrame
        The most useful first: `subject`, `subject_zh`, `subject_en`, `attribute`, names, questions in both languages,
        `unit`, the range now assumed, its `basis`; `gain` (score points, summed over projects) and `change` (chance
        that a project's choice changes, mean over projects), each with its standard error; `projects` affected;
        `is_clear`: whether the gain is at least `CLEAR` times its error. Those that aren't come last.
    """
    known, counts = region.observations, np.zeros(len(region.observations), dtype=bool)
    for at in (*region.places.values(), *region.zone_places.values()):
        counts[at[at >= 0]] = True  # others are numbers of sites that are not considered
    arriving = set(zip(region.arrivals["station"], region.arrivals["attribute"], strict=True))
    counts |= np.array([one in arriving for one in zip(known["site_id"], known["attribute"], strict=True)], dtype=bool)
    open_ = counts & (known["high"] > known["low"]) & known["site_id"].isin(region.names)
    rows, parameters = known[open_].reset_index(drop=True), region.draws[:, open_.to_numpy()]
    is_chooser = allowed.allowed.sum(axis=1) > (1 if len(rows) else len(region.sites))
    found: list[tuple[slice | np.ndarray, Information]]
    if allowed.allowed.size <= best_pairs.MOST_PAIRS:
        scores = (score for score, _ in _chosen_from(decision, allowed.allowed, is_chooser))
        found = [(slice(None), one) for one in of_choosers(scores, parameters)]
    else:
        chosen = _chosen_from(decision, allowed.allowed, best_pairs.some_of(is_chooser))
        found = list(best_pairs.informed(chosen, parameters, best_pairs.bearing(region, open_.to_numpy())))
    total = {name: np.zeros(len(rows)) for name in ("gain", "gain_error", "change", "change_error")}
    affected = np.zeros(len(rows), dtype=int)
    for where, one in found:
        total["gain"][where] += one.gain
        total["gain_error"][where] += one.gain_error**2
        total["change"][where] += one.change / len(found)
        total["change_error"][where] += (one.change_error / len(found)) ** 2
        affected[where] += one.gain > 0
    declared, names = catalog.attributes(), region.names
    table = pd.DataFrame({"subject": rows["site_id"]})
    for language in LANGUAGES:
        table[f"subject_{language}"] = [names[one][language] for one in rows["site_id"]]
    table["attribute"] = rows["attribute"]
    for language in LANGUAGES:
        table[f"name_{language}"] = [declared[key].name[language] for key in rows["attribute"]]
        table[f"question_{language}"] = [declared[key].question[language] for key in rows["attribute"]]
        table[f"unit_{language}"] = [declared[key].unit[language] for key in rows["attribute"]]
    table[["low", "likely", "high", "basis"]] = rows[["low", "likely", "high", "basis"]]
    table["gain"], table["gain_error"] = total["gain"].round(3), np.sqrt(total["gain_error"]).round(3)
    table["change"], table["change_error"] = total["change"].round(4), np.sqrt(total["change_error"]).round(4)
    table["projects"] = affected
    table["is_clear"] = (total["gain"] >= CLEAR * np.sqrt(total["gain_error"])) & (total["gain"] > 0)
    useful = table[table["gain"] > 0]
    return useful.sort_values(["is_clear", "gain", "change"], ascending=False, kind="stable", ignore_index=True)


def _chosen_from(
    decision: DecisionMatrix, allowed: np.ndarray, is_chooser: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(N, A) scores of the sites that each project which has a choice may go to, in every draw; places of the sites."""
    for rows, score in decision.scores_by_block(is_chooser):
        for p in np.flatnonzero(is_chooser[rows]):
            yield score[:, p, allowed[rows][p]], np.flatnonzero(allowed[rows][p])


CLEAR = 2.0
"""A gain of so many times its own sampling error is told from none."""


def displayed_requests(requests: pd.DataFrame) -> pd.DataFrame:
    """The same requests for people: numbers in the unit that the question asks for, to four significant digits."""
    shown = [catalog.attributes()[key].display_unit() for key in requests["attribute"]]
    times = np.array([[factor] for factor, _ in shown]).reshape(-1, 1)
    ends = requests[["low", "likely", "high"]].to_numpy(float) * times
    table = requests.copy()
    for name, column in zip(("low", "likely", "high"), ends.T, strict=True):
        table[name] = [significant(end, 4) for end in column]
    return table.assign(**{f"unit_{language}": [unit[language] for _, unit in shown] for language in LANGUAGES})


def _pairs(projects: pd.DataFrame, sites: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "project": np.repeat(projects.index.to_numpy(), len(sites)),
            "project_name": np.repeat(projects["name"].to_numpy(), len(sites)),
            "site": np.tile(sites["id"].to_numpy(), len(projects)),
            "site_name": np.tile(sites["name_zh"].to_numpy(), len(projects)),
        }
    )


def offers_table(region: Region) -> pd.DataFrame:
    """What each site can draw on of each resource: its own, its station's or supply area's, its prefecture's.

    Returns
    -------
    DataFrame
        One row a site and resource that some site has, in the order of the sites: `site` and its names, `prefecture`,
        `resource` (land in mu, floor in m², power in MVA, energy in tce a year), `attribute`; `subject` whose number
        it is, its names,
        distance in `km` (nan where it is assumed) and `sharers` that draw on it too (itself counted); `named`:
        whether a source names the station for the site, or nobody knows which it is; `low`, `likely`, `high`,
        `basis`, sources in both languages, `as_of`; `within`: the zone among the sites whose number includes it, ''
        where there is none.
    """
    sites, known = region.sites, region.observations.set_index(["attribute", "site_id"])
    tables = []
    for resource, kind in catalog.resources().items():
        attribute, subject = kind.attribute, subject_of(kind.attribute, sites)
        if not (subject != "").any():
            continue
        is_fed = kind.subject == "substation"
        at = known.reindex(pd.MultiIndex.from_product([[attribute], subject]))
        table = pd.DataFrame({"site": sites["id"].to_numpy()})
        for language in LANGUAGES:
            table[f"site_{language}"] = sites[f"name_{language}"].to_numpy()
        table["prefecture"] = sites["prefecture_code"].to_numpy()
        table["resource"], table["attribute"], table["subject"] = resource, attribute, subject.to_numpy()
        for language in LANGUAGES:
            table[f"subject_{language}"] = [region.names[one][language] if one else "" for one in subject]
        table["km"] = _measured_km(region) if is_fed else np.nan
        table["sharers"] = subject.map(subject.value_counts()).to_numpy()
        named = [one in text.split(";") for one, text in zip(subject, sites["stations"], strict=True)]
        table["named"] = named if is_fed else True
        table[["low", "likely", "high"]] = at[["low", "likely", "high"]].to_numpy(float) * kind.times
        table["basis"], table["as_of"] = at["basis"].fillna("").to_numpy(), at["as_of"].fillna("").to_numpy()
        source = at["publisher"].fillna("").to_numpy()
        for language in LANGUAGES:
            table[f"source_{language}"] = [catalog.source_in(language, attribute, one) for one in source]
        zones = zone_of(sites) if kind.zone_pool else np.full(len(sites), "", dtype=object)
        table["within"] = np.where(np.isin(zones, sites["id"]), zones, "")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _measured_km(region: Region) -> np.ndarray:
    """(S,): km to the feeding station where somebody said or measured it, else nan."""
    at = region.places["grid_km"]
    return np.where(region.observations["basis"].to_numpy()[at] == "assumed", np.nan, region.offers["grid_km"][:, 1])


def supply_totals(offers: pd.DataFrame) -> pd.DataFrame:
    """Low, likely and high of each resource in all, every pool counted once; `pools`, and how many are `assumed`.

    What a park has is part of its zone's, and not counted again. Bounds are sums of bounds: they hold whatever the
    numbers have to do with each other.
    """
    once = offers[(offers["basis"] != "") & (offers["within"] == "")].drop_duplicates(["resource", "subject"])
    groups = once.groupby("resource")
    totals = groups[["low", "likely", "high"]].sum()
    totals["pools"], totals["assumed"] = groups.size(), groups["basis"].agg(lambda basis: (basis == "assumed").sum())
    return totals.reindex([one for one in catalog.resources() if (offers["resource"] == one).any()]).fillna(0)


def contributions_table(projects: pd.DataFrame, sites: gpd.GeoDataFrame, decision: DecisionMatrix) -> pd.DataFrame:
    """One row a pair and criterion: natural value, value, weight, points; points add up to the score.

    Parameters
    ----------
    projects : DataFrame
        P projects.
    sites : GeoDataFrame
        S sites.
    decision : DecisionMatrix
    """
    pairs = _pairs(projects, sites)
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


def assignment_table(
    projects: pd.DataFrame, sites: gpd.GeoDataFrame, facts: Facts, ranking: pd.DataFrame, plan: Assignment, end: int
) -> pd.DataFrame:
    """One row a placed project: where, how good, its own rank of that site, what it takes at the planned `end`.

    Parameters
    ----------
    projects : DataFrame
        P projects.
    sites : GeoDataFrame
        S sites.
    facts : Facts
    ranking : DataFrame
        As `ranking_table` makes it.
    plan : Assignment
    end : int
        0, 1 or 2: the low, likely or high end of the needs (`study.ENDS`).
    """
    placed = np.flatnonzero(plan.site >= 0)
    at = plan.site[placed]
    pairs = pd.MultiIndex.from_frame(ranking[["project", "site"]])
    wanted = pd.MultiIndex.from_arrays([projects.index[placed], sites["id"].to_numpy()[at]])
    chosen = ranking.iloc[pairs.get_indexer(wanted)].reset_index(drop=True)
    table = chosen[["project", "project_name", "site", "site_name", "score", "low", "high", "rank"]].copy()
    table["prefecture"] = sites["prefecture_zh"].to_numpy()[at]
    table["segment"] = [catalog.segments()[key].name.zh for key in projects["segment"].iloc[placed]]
    for need, amounts in taken(facts, plan, end).items():
        table[need] = amounts.round(3)
    table["station"] = sites["station"].to_numpy()[at]
    table["trip_min"] = facts.offers["trip_min"][at, 1].round(1)
    table[["remark", "remark_en"]] = chosen[["remark", "remark_en"]]
    return table


def taken(facts: Facts, plan: Assignment, end: int) -> dict[str, np.ndarray]:
    """Need -> (n,): what each placed project takes of a resource where it is; no land in a standard factory.

    Parameters
    ----------
    facts : Facts
    plan : Assignment
    end : int
        0, 1 or 2: the low, likely or high end of the needs (`study.ENDS`).
    """
    placed = np.flatnonzero(plan.site >= 0)
    at = plan.site[placed]
    return {
        kind.need: np.where(_offered_instead(resource, facts.sites)[at], 0.0, facts.needs[kind.need][placed, end])
        for resource, kind in catalog.resources().items()
    }


def _offered_instead(resource: str, sites: gpd.GeoDataFrame) -> np.ndarray:
    """(S,) array of bool: whether a site offers another resource in place of this one, as a standard factory does."""
    other = catalog.alternative(resource)
    if not other:
        return np.zeros(len(sites), dtype=bool)
    return (subject_of(catalog.resources()[other].attribute, sites) != "").to_numpy(bool)


def words_of(resource: str, language: Language) -> tuple[str, str]:
    """Name and unit of a resource, with the year by whose end it is meant; shares are named after their segment."""
    kind, offer = catalog.resource_kind(resource), catalog.offer_of(resource)
    if kind and offer:
        year = year_of(resource)
        when = "" if year is None else f"（{year}年底前）" if language == "zh" else f" by the end of {year}"
        if is_apart(resource):
            when += "（新建站不供的园区）" if language == "zh" else " for sites that the new station is not for"
        return offer[language] + when, kind.unit[language]
    return catalog.share_name(resource.partition(":")[2])[language], "个" if language == "zh" else ""


def pool_title(resource: str, language: Language) -> str:
    """What there is of a resource, with its unit, as a heading."""
    offer, unit = words_of(resource, language)
    return f"{offer}（{unit}）" if language == "zh" else f"{offer[:1].upper()}{offer[1:]} ({unit})"


def unplaced_table(
    problem: Problem | None, projects: pd.DataFrame, region: Region, allowed: Eligibility, plan: Assignment
) -> pd.DataFrame:
    """Who stays out, why, and what is missing at the site that suits best.

    Parameters
    ----------
    problem : Problem or None
        None when no project may go anywhere.
    projects : DataFrame
        P projects.
    region : Region
    allowed : Eligibility
    plan : Assignment
    """
    rows, sites = [], region.sites
    for p in np.flatnonzero(plan.site == UNPLACED).tolist():
        best, zh, en = "", *_nowhere(allowed, p)
        if problem is not None and allowed.allowed[p].any():
            s = int(np.nanargmax(problem.score[p]))
            best = sites["id"].iloc[s]
            zh, en = _crowded_out(shortages(problem, plan.site, p, s), sites.iloc[s], region)
        rows.append((projects.index[p], projects["name"].iloc[p], best, zh, en))
    return pd.DataFrame(rows, columns=["project", "project_name", "best_site", "reason", "reason_en"])


def _nowhere(allowed: Eligibility, p: int) -> tuple[str, str]:
    """How many sites each rule refuses."""
    rules, declared = pd.Series(allowed.rules_of(p)).value_counts(), catalog.rules()
    zh = "、".join(f"{declared[str(rule)].name.zh} {n} 处" for rule, n in rules.items() if rule)
    en = ", ".join(f"{declared[str(rule)].name.en} {n}" for rule, n in rules.items() if rule)
    return f"没有可落地的园区：{zh}", f"No eligible site: {en}"


def _crowded_out(lacking: tuple[Shortage, ...], site: pd.Series, region: Region) -> tuple[str, str]:
    """What the best site lacks while everyone else stays."""
    zh, en = [], []
    for one in lacking:
        pool = pool_name(region, one.resource, one.pool)
        word, unit = words_of(one.resource, "zh")
        zh.append(f"{word}（{pool.zh}）还缺 {one.asked:,.1f} {unit}")
        word, unit = words_of(one.resource, "en")
        en.append(f"{one.asked:,.1f} {unit} of {word} short at {pool.en}".replace("  ", " "))
    return (
        f"得分最高的{site['name_zh']}：{'；'.join(zh) or '容量已安排给总分更高的组合'}",
        f"At the best site, {site['name_en']}: {'; '.join(en) or 'its share is worth more to others'}",
    )


def pools_table(resources: tuple[Resource, ...], level: PlanningLevel, plan: Assignment) -> pd.DataFrame:
    """One row a pool: low, likely, high, what was planned with, what is used and left.

    Parameters
    ----------
    resources : tuple of Resource
    level : {"cautious", "likely", "hopeful"}
        Planning level.
    plan : Assignment
    """
    tables = []
    for r in resources:
        table = pd.DataFrame(r.capacity, columns=["low", "likely", "high"])
        table.insert(0, "resource", r.name)
        table.insert(1, "pool", r.pools)
        table["unit"] = r.unit
        table["planned"] = r.at(level)
        table["used"] = usage(r, plan.site)
        table["left"] = table["planned"] - table["used"]
        tables.append(table)
    return pd.concat(tables, ignore_index=True).round(4)
