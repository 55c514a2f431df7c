"""Projects at intake, one or thousands: where each would go, how sure that is, and why; nothing is matched.

Only segment and output are required. Weights are uncertain too: they are drawn around the stated ones, so that the
chance of a rank covers both what we don't know of the sites and what people don't agree on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import catalog, eligibility, inputs, portfolio, results
from geo_cluster.domain import LANGUAGES, Language
from geo_cluster.eligibility import Eligibility, Facts
from geo_cluster.errors import Fault, InputError
from geo_cluster.inputs import Region
from geo_cluster.scoring.aggregate import aggregate
from geo_cluster.scoring.criteria import DecisionMatrix, Setting, decide, drawn_values, value_function
from geo_cluster.scoring.explain import Turn, compare, pair_sentence
from geo_cluster.scoring.robustness import agreement, smaa, smallest_datum_change, smallest_weight_change
from geo_cluster.scoring.weights import sample_around
from geo_cluster.supply.energy import quota, voltages
from geo_cluster.supply.tariff import bill

METHODS = ("weighted_sum", "weighted_product", "topsis", "vikor", "promethee", "edas")
"""Methods whose agreement is shown; the score itself is the weighted sum."""

CONCENTRATION = 200.0
"""How closely weights are drawn around the stated ones (Dirichlet): a weight of 0.16 mostly stays within 0.11-0.21."""

NEED_UNITS = {
    "land_mu": {"datum_unit_zh": "亩", "datum_unit_en": "mu"},
    "power_mva": {"datum_unit_zh": "MVA", "datum_unit_en": "MVA"},
    "energy_tce": {"datum_unit_zh": "吨标煤/年", "datum_unit_en": "tce a year"},
}
"""Units in which the amount that would turn a choice is told."""

BATCH = 100
"""Projects appraised at once; bounds memory, changes nothing else."""


@dataclass(frozen=True)
class Appraisal:
    """What intake says of a batch of projects.

    Attributes
    ----------
    scores : DataFrame
        One row a project and site, best first: the ranking's columns, and `chance_first`, `chance_top3` over data and
        weights with `chance_error`.
    verdicts : DataFrame
        One row a project: first and second choice, a sentence in each language, the smallest change of one weight and
        of one number that puts the second first, what each method would choose, their mean Kendall tau.
    needs : DataFrame
        One row a project: what it was taken to need and whether that was given or estimated; voltage, review and bill.
    """

    scores: pd.DataFrame
    verdicts: pd.DataFrame
    needs: pd.DataFrame


def appraise(region: Region, projects: pd.DataFrame) -> Appraisal:
    """Appraise checked projects (`portfolio.check`) in a region; see `Appraisal`."""
    parts = list(batches(region, projects))
    return Appraisal(*(pd.concat([getattr(part, name) for part in parts]) for name in ("scores", "verdicts", "needs")))


def batches(region: Region, projects: pd.DataFrame, *, scheduler: str = "") -> Iterator[Appraisal]:
    """Appraise many projects a batch at a time, in order, so that thousands fit into memory.

    Parameters
    ----------
    scheduler : str
        Address of a Dask cluster (`tcp://host:8786`) that does the batches; this process, when empty. The answers are
        the same.
    """
    pieces = [projects.iloc[start : start + BATCH] for start in range(0, len(projects), BATCH)]
    if not scheduler:
        yield from (_batch(region, piece) for piece in pieces)
        return
    try:
        from distributed import Client

        client = Client(scheduler, timeout=10)
    except ImportError:
        fault = Fault("--scheduler", "needs dask and distributed", "install them: pip install distributed")
        raise InputError(fault) from None
    except (OSError, ValueError) as problem:
        remedy = "give the address that `dask scheduler` printed, e.g. tcp://host:8786"
        raise InputError(Fault("--scheduler", f"{scheduler!r} can't be reached ({problem})", remedy)) from None
    with client:
        there = client.scatter(region, broadcast=True)
        for future in [client.submit(_batch, there, piece, pure=False) for piece in pieces]:
            yield future.result()


def appraise_one(region: Region, project: Mapping[str, Any]) -> dict[str, Any]:
    """Appraise one project given as a mapping with the keys of `portfolio.COLUMNS`; plain data, ready for JSON.

    Raises
    ------
    InputError
        With every fault of the project.
    """
    checked = portfolio.check(pd.DataFrame([{key: str(value) for key, value in project.items()}]), where="project")
    found = appraise(region, checked)
    plain = {name: getattr(found, name).astype(object) for name in ("scores", "verdicts", "needs")}
    rows = {name: table.where(table.notna(), None).to_dict("records") for name, table in plain.items()}
    return {"verdict": rows["verdicts"][0], "needs": rows["needs"][0], "scores": rows["scores"]}


def requests(region: Region, projects: pd.DataFrame) -> pd.DataFrame:
    """The numbers to go and ask for, were these checked projects to choose today; see `results.request_table`."""
    facts = inputs.facts_of(region, projects)
    decision = decide(*inputs.settings_of(region, facts), catalog.criteria(), region.scenario.weights)
    return results.request_table(region, eligibility.judge(facts), decision)


def _batch(region: Region, projects: pd.DataFrame) -> Appraisal:
    facts = inputs.facts_of(region, projects)
    allowed = eligibility.judge(facts)
    likely, drawn = inputs.settings_of(region, facts)
    criteria, weights = catalog.criteria(), region.scenario.weights
    decision = decide(likely, drawn, criteria, weights)
    ranking = results.ranking_table(projects, region.sites, allowed, decision, region.observations)
    chances = np.full((len(projects), len(region.sites), 2), np.nan)
    verdicts = []
    around = sample_around(
        decision.weight, region.scenario.draws, concentration=CONCENTRATION, seed=region.scenario.seed
    )
    for p in range(len(projects)):
        sites = np.flatnonzero(allowed.allowed[p])
        if len(sites) > 1:
            found = smaa(_utilities(drawn, p, sites), around)
            chances[p, sites, 0] = found.acceptability[:, 0]
            chances[p, sites, 1] = found.acceptability[:, :3].sum(axis=1)
        elif len(sites):
            chances[p, sites] = 1.0
        verdicts.append(_verdict(region, facts, allowed, decision, p, sites, chances[p, :, 0]))
    ranking["chance_first"] = chances[:, :, 0].ravel().round(4)
    ranking.insert(ranking.columns.get_loc("chance_first") + 1, "chance_top3", chances[:, :, 1].ravel().round(4))
    error = np.sqrt(chances[:, :, 0] * (1 - chances[:, :, 0]) / region.scenario.draws)
    ranking.insert(ranking.columns.get_loc("chance_top3") + 1, "chance_error", error.ravel().round(4))
    order = ["project", "eligible", "score"]
    scores = ranking.sort_values(order, ascending=[True, False, False], kind="stable", ignore_index=True)
    needs = projects.drop(columns="notes").round(4).reset_index(names="project")
    return Appraisal(scores, pd.DataFrame(verdicts), needs.join(_energy(projects)))


def _energy(projects: pd.DataFrame) -> pd.DataFrame:
    """How each project is connected, which energy review it triggers, and what its electricity costs a year."""
    grid, tariffs, segments = catalog.table("grid"), catalog.table("tariffs"), catalog.segments()
    rows = []
    for project in projects.itertuples():
        power = (project.power_mva_low, project.power_mva_likely, project.power_mva_high)
        gwh = (project.energy_gwh_low, project.energy_gwh_likely, project.energy_gwh_high)
        levels, review = voltages(power, grid=grid), quota(gwh, grid=grid)
        cost = bill(gwh, voltage_kv=max(levels[0], 10.0), tariffs=tariffs)
        rows.append(
            {
                "voltage_kv": "/".join(f"{kv:g}" for kv in levels),
                "dual_supply": segments[project.segment].dual_supply,
                "energy_tce_low": review.tce.low,
                "energy_tce_likely": review.tce.likely,
                "energy_tce_high": review.tce.high,
                "review": review.review,
                "review_zh": review.words_zh,
                "review_en": review.words_en,
                "bill_10k_yuan_low": cost.annual_wan_yuan.low,
                "bill_10k_yuan_likely": cost.annual_wan_yuan.likely,
                "bill_10k_yuan_high": cost.annual_wan_yuan.high,
                "price_yuan_kwh": cost.price_yuan_kwh.likely,
                "tariff": cost.tariff,
                **_support(segments[project.segment].stage, project.output_100m_yuan),
            }
        )
    return pd.DataFrame(rows).round(4)


def _support(stage: str, output_100m_yuan: float) -> dict[str, str | float]:
    """What the policy lets a project draw at most: the clause's own words, the highest revenue step only."""
    rows = [
        row
        for row in catalog.table("policy")["support"]
        if stage in row["stages"] and output_100m_yuan >= row.get("output_from", 0)
    ]
    by_clause = {row["clause"]: row for row in sorted(rows, key=lambda row: row["most_10k_yuan"])}
    told = {
        "zh": "；".join(f"第{clause}条 {row['name']['zh']}" for clause, row in sorted(by_clause.items())),
        "en": "; ".join(f"clause {clause}: {row['name']['en']}" for clause, row in sorted(by_clause.items())),
    }
    most = sum(row["most_10k_yuan"] for row in by_clause.values())
    return {"support_most_10k_yuan": most, "support_zh": told["zh"], "support_en": told["en"]}


def _utilities(drawn: Setting, project: int, sites: np.ndarray) -> np.ndarray:
    """(N, A, C): values of one project at its eligible sites in every draw."""
    one = drawn.only(slice(project, project + 1))
    count, everywhere = next(iter(drawn.offers.values())).shape
    values = [drawn_values(one, criterion, c) for c, criterion in enumerate(catalog.criteria().values())]
    return np.stack([np.broadcast_to(v, (count, 1, everywhere))[:, 0, sites] for v in values], axis=2)


def _verdict(
    region: Region,
    facts: Facts,
    allowed: Eligibility,
    decision: DecisionMatrix,
    p: int,
    sites: np.ndarray,
    chance: np.ndarray,
) -> dict[str, Any]:
    """First and second choice of one project and what would have to be different."""
    project = allowed.projects[p]
    if not len(sites):
        counts = pd.Series(allowed.rule[p]).value_counts()
        told = {
            language: "；".join(f"{catalog.exclusions()[str(rule)].name[language]} {n}" for rule, n in counts.items())
            for language in LANGUAGES
        }
        return {
            "project": project,
            "sentence_zh": f"没有可去的园区：{told['zh']}。",
            "sentence_en": f"No eligible site: {told['en']}.",
        }
    values, weight = decision.value[p, sites], decision.weight
    order = np.argsort(-decision.score[p, sites], kind="stable")
    first = region.sites["id"].iloc[sites[order[0]]]
    if len(sites) == 1:
        name = {language: region.names[first][language] for language in LANGUAGES}
        sentences = {"sentence_zh": f"只有{name['zh']}可去。", "sentence_en": f"Only {name['en']} is eligible."}
        return {"project": project, "first": first, **sentences}
    second = region.sites["id"].iloc[sites[order[1]]]
    change = smallest_weight_change(values, weight, rival=int(order[1]))
    functions = [value_function(criterion) for criterion in catalog.criteria().values()]
    turns = smallest_datum_change(values, weight, rival=int(order[1]), functions=functions)
    turns = turns[turns["alternative"] == order[1]].head(1)
    choices = {method: _choice(values, weight, method) for method in METHODS}
    agree = agreement({method: ranks for method, (ranks, _) in choices.items()})
    row = {
        "project": project,
        "first": first,
        "second": second,
        "chance_first": round(float(chance[sites[order[0]]]), 4),
        "weight_criterion": decision.criteria[change.criterion] if change.criterion >= 0 else "",
        "weight_change": round(change.distance, 4) if np.isfinite(change.distance) else None,
        **_datum(facts, decision, p, turns),
        "agreement": round(float(agree.to_numpy()[np.triu_indices(len(METHODS), 1)].mean()), 4),
    }
    row |= {f"by_{method}": region.sites["id"].iloc[sites[best]] for method, (_, best) in choices.items()}
    for language in LANGUAGES:
        row[f"sentence_{language}"] = _sentence(region, decision, p, sites[order[:2]], row, language)
    return row


def _datum(facts: Facts, decision: DecisionMatrix, p: int, turns: pd.DataFrame) -> dict[str, str | float | None]:
    """The one number of the second choice that would put it first: an attribute in its own unit where there is one."""
    if turns.empty:
        return {"datum": "", "datum_needed": None, "datum_unit_zh": "", "datum_unit_en": ""}
    criterion = catalog.criteria()[decision.criteria[int(turns["criterion"].iloc[0])]]
    needed = float(turns["needed_natural"].iloc[0])
    if criterion.need and criterion.attribute:
        unit = NEED_UNITS[criterion.need]
        least, likely, _ = facts.needs[criterion.need][p]
        needed = max(needed * likely, least)  # with less than it needs at least, the project may not go there at all
        return {"datum": criterion.attribute, "datum_needed": round(needed, 1), **unit}
    units = {f"datum_unit_{language}": criterion.unit[language] for language in LANGUAGES}
    return {"datum": decision.criteria[int(turns["criterion"].iloc[0])], "datum_needed": round(needed, 2), **units}


def _choice(values: np.ndarray, weight: np.ndarray, method: str) -> tuple[np.ndarray, int]:
    """Ranks and first choice by one method; values of 0 are lifted a little where a method multiplies."""
    ranks = aggregate(np.maximum(values, 1e-6), weight, method=method).rank
    return ranks, int(np.argmin(ranks))


def _sentence(
    region: Region, decision: DecisionMatrix, p: int, pair: np.ndarray, row: Mapping[str, Any], language: Language
) -> str:
    """Why the first leads the second, and what would change it."""
    criteria = catalog.criteria()
    names = [region.names[region.sites["id"].iloc[site]][language] for site in pair]
    lead = 100 * compare(decision.value[p, pair], decision.weight, 0, 1)
    turn = None
    if row["datum"]:
        declared = criteria.get(row["datum"])
        name = (declared or catalog.attributes()[row["datum"]]).name[language]
        more_is_better = declared is None or declared.best > declared.worst
        turn = Turn(name, row["datum_needed"], row[f"datum_unit_{language}"], above=more_is_better)
    return pair_sentence(
        (names[0], names[1]),
        [criterion.name[language] for criterion in criteria.values()],
        lead,
        (decision.score[p, pair[0]], decision.score[p, pair[1]]),
        language=language,
        digits=1,
        weight_change=row["weight_change"],
        turn=turn,
    )
