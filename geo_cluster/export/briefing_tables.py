"""The tables that a briefing takes its numbers and rows from, one function each, in the language of the edition.

Numbers stay numbers, unrounded; names are in the language. Nothing is worked out here that the study's own tables
(`report`) don't say: rows are chosen, put together by city and named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.export import screened
from geo_cluster.export.told import open_questions, owed
from geo_cluster.matching.alternatives import Alternative
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.policy.offers import offers
from geo_cluster.region import pool_name
from geo_cluster.report import cities as by_city
from geo_cluster.report import explanation, tables
from geo_cluster.report.division import cities
from geo_cluster.report.tables import displayed_requests, words_of
from geo_cluster.study import Study, once
from geo_cluster.world import catalog, rule_life
from geo_cluster.world.layers import words as vocabulary

TIGHT = 0.9
"""A pool used to this share is told as tight."""
LIKELY = 0.5
"""A first place with more than this chance is told as sure."""

EACH_S, LEVELS_S, PRICES_S, OTHERS_S = 3.0, 5.0, 6.0, 5.0
"""Seconds for one solve; for planning levels, prices and other plans, where these weren't worked out before."""
MORE = (1, 3, 6)
"""Prices of so many projects more than in the plan are told, and of the most that can be."""

Table = Callable[[Study, Language], pd.DataFrame]


def run(study: Study, _: Language) -> pd.DataFrame:
    """The plan in one row: `objective`, `status`, `gap`, `violations`, `feasible`, `assumed`, `draws`."""
    drawn = explanation.feasibility_table(study)
    row = {
        "objective": study.plan.objective,
        "status": study.plan.status,
        "gap": study.plan.gap,
        "violations": len(study.violations),
        "feasible": np.nan if drawn.empty else 1 - float(drawn["breaks"].iloc[0]),
        "assumed": float((study.observations["basis"] == "assumed").mean()),
        "draws": study.scenario.draws,
    }
    return pd.DataFrame([row])


def projects(study: Study, language: Language) -> pd.DataFrame:
    """Every project: `project_name`, `segment`, `output`."""
    segments = catalog.segments()
    return pd.DataFrame(
        {
            "project_name": study.projects["name"].to_numpy(),
            "segment": [segments[key].name[language] for key in study.projects["segment"]],
            "output": study.projects["output_100m_yuan"].to_numpy(float),
        }
    )


def plan(study: Study, language: Language) -> pd.DataFrame:
    """The placed projects by site: names, `city`, `from_year`, score, what they take, what they state."""
    found = tables.assignment(study).sort_values(["site", "project"], kind="stable")
    segments, sites = catalog.segments(), study.sites.set_index("id")
    own = study.projects.loc[found["project"]]
    return pd.DataFrame(
        {
            "project": found["project"],
            "project_name": found["project_name"],
            "segment": [segments[key].name[language] for key in own["segment"]],
            "site": [study.region.names[one][language] for one in found["site"]],
            "city": [study.region.names[one][language] for one in sites.loc[found["site"], "prefecture_code"]],
            "from_year": found["from_year"].to_numpy(),
            "score": found["score"].to_numpy(float),
            "score_band": [f"{a:.1f} ({b:.0f}–{c:.0f})" for a, b, c in found[["score", "low", "high"]].to_numpy(float)],
            "rank": found["rank"].to_numpy(),
            "land_mu": found["land_mu"].to_numpy(float),
            "power_mva": found["power_mva"].to_numpy(float),
            "output": own["output_100m_yuan"].to_numpy(float),
            "investment": found["investment_100m_yuan"].to_numpy(float),
            "jobs": found["jobs"].to_numpy(float),
        }
    )


def plan_by_city(study: Study, language: Language) -> pd.DataFrame:
    """What each city of the sites gets, also one without: `projects`, `output`, `land_mu`, `power_mva`, `jobs`."""
    names = [study.region.names[code][language] for code in dict.fromkeys(study.sites["prefecture_code"])]
    of = plan(study, language)
    sums = of.groupby("city")[["output", "land_mu", "power_mva", "jobs"]].sum().reindex(names, fill_value=0.0)
    counts = of["city"].value_counts().reindex(names, fill_value=0)
    return sums.assign(projects=counts).rename_axis("city").reset_index()


def years(study: Study, language: Language) -> pd.DataFrame:
    """How many projects begin in each year in each city, none in some: a city has one colour in all charts."""
    of = plan(study, language)
    names = [study.region.names[code][language] for code in dict.fromkeys(study.sites["prefecture_code"])]
    count = of.groupby(["from_year", "city"]).size()
    rows = [(year, city, int(count.get((year, city), 0))) for year in sorted(set(of["from_year"])) for city in names]
    return pd.DataFrame(rows, columns=["year", "city", "projects"])


def sites_used(study: Study, language: Language) -> pd.DataFrame:
    """Sites of the plan with their number of projects, the most first."""
    return plan(study, language)["site"].value_counts().rename("projects").rename_axis("site").reset_index()


def chain(study: Study, language: Language) -> pd.DataFrame:
    """Entities by `stage` and `city`, the cities of the sites and the anchor's."""
    known, stages = study.layers.read("chain"), vocabulary("stage")
    count = known.groupby(["stage", "prefecture_code"]).size()
    rows = [
        (of[language], study.region.names[city][language], int(count.get((key, city), 0)))
        for key, of in stages.items()
        for city in cities(study)
    ]
    return pd.DataFrame(rows, columns=["stage", "city", "count"])


def chain_by_city(study: Study, language: Language) -> pd.DataFrame:
    """Entities by `city`."""
    return chain(study, language).groupby("city", sort=False)["count"].sum().reset_index()


def gaps(study: Study, language: Language) -> pd.DataFrame:
    """For each city the segments of which no entity is on record: `lacking`, and their number, `segments`."""
    known = study.layers.read("chain")
    each = known.assign(segment=known["segments"].fillna("").str.split(";")).explode("segment")
    seen = set(zip(each["prefecture_code"], each["segment"], strict=True))
    stop = "、" if language == "zh" else ", "
    rows = []
    for city in cities(study):
        none = [of.name[language] for key, of in catalog.segments().items() if (city, key) not in seen]
        rows.append((study.region.names[city][language], stop.join(none), len(none)))
    return pd.DataFrame(rows, columns=["city", "lacking", "segments"])


def supply(study: Study, language: Language) -> pd.DataFrame:
    """What the sites of each city have of each resource, every pool counted once, and what the plan takes there."""
    offers = tables.offers_table(study.region)
    offers = offers[offers["basis"] != ""]
    once = offers[offers["within"] == ""].drop_duplicates(["resource", "subject"])
    sums = once.groupby(["resource", "prefecture"])[["low", "likely", "high"]].sum()
    found, prefecture = tables.assignment(study), study.sites.set_index("id")["prefecture_code"]
    rows = []
    for city in dict.fromkeys(study.sites["prefecture_code"]):
        for resource, kind in catalog.resources().items():
            if (resource, city) in sums.index:
                takes = found["site"].isin(offers.loc[offers["resource"] == resource, "site"])  # no floor at a zone
                used = float(found.loc[takes & (found["site"].map(prefecture) == city), kind.need].sum())
                word, unit = words_of(resource, language)
                bounds = sums.loc[(resource, city)].tolist()
                rows.append((study.region.names[city][language], resource, word, unit, *bounds, used))
    columns = ["city", "resource", "what", "unit", "low", "likely", "high", "used"]
    return pd.DataFrame(rows, columns=columns)


def best(study: Study, language: Language) -> pd.DataFrame:
    """Each project's three best sites, the `chance` of the first to be the first, whether that `is_sure`."""
    found = tables.ranking(study)
    rows = []
    for _, group in found[found["eligible"]].groupby("project", sort=False):
        of = group.sort_values("score", ascending=False, kind="stable").head(3)
        names = [study.region.names[one][language] for one in of["site"]] + ["—"] * 3
        chance = float(of["chance_first"].iloc[0])
        rows.append((of["project_name"].iloc[0], *names[:3], chance, chance > LIKELY))
    return pd.DataFrame(rows, columns=["project_name", "first", "second", "third", "chance", "is_sure"])


def unplaced(study: Study, language: Language) -> pd.DataFrame:
    """Who stays out, and why."""
    of, suffix = tables.unplaced(study), "_en" if language == "en" else ""
    return pd.DataFrame({"project_name": of["project_name"], "reason": of[f"reason{suffix}"]})


def pools_used(study: Study, language: Language) -> pd.DataFrame:
    """The pools that the plan draws on, the tightest first."""
    of = explanation.gauge_table(study)
    if of.empty:
        return pd.DataFrame(columns=["pool", "is_tight"])
    of = of[of["used"] > 0].sort_values("share", ascending=False, kind="stable")
    bounds = of[["low", "high"]].to_numpy(float)
    return of.assign(
        pool=of[f"pool_{language}"],
        resource=[words_of(one, language)[0] for one in of["resource"]],
        unit=[words_of(one, language)[1] for one in of["resource"]],
        interval=[f"{low:,.0f}–{high:,.0f}" for low, high in bounds],
        is_tight=of["share"] >= TIGHT,
    ).reset_index(drop=True)


def breaks(study: Study, language: Language) -> pd.DataFrame:
    """Pools that run short in some draws, the first to do so first: `breaks`, `breaks_first` (chances), mean `over`."""
    of = explanation.feasibility_table(study).iloc[1:]
    if of.empty:
        return pd.DataFrame(columns=["pool_name", "breaks_first"])
    names = [pool_name(study.region, r, p)[language] for r, p in zip(of["resource"], of["pool"], strict=True)]
    kinds = [words_of(one, language)[0] for one in of["resource"]]
    return of.assign(pool_name=names, resource=kinds).rename(columns={"first": "breaks_first"})


@once
def _alternatives(study: Study) -> tuple[Alternative, ...]:
    return explanation.alternatives_of(study, clock=TimeBudget(EACH_S, OTHERS_S))


def behind(study: Study) -> dict[str, pd.DataFrame]:
    """What a briefing tells of beyond the study's own files, by the names that these tables have in `explanation`."""
    if study.problem is None:
        return {}
    return {
        "city_prices": by_city.city_prices(study, clock=TimeBudget(EACH_S, PRICES_S)),
        "alternatives": explanation.alternatives_table(study, found=_alternatives(study)),
        "holds": explanation.feasibility_table(study),
    }


def others(study: Study, language: Language) -> pd.DataFrame:
    """Plans nearly as good that differ the most: `objective`, `loss_share`, `moved` (share), `by_city`."""
    label = {"zh": "备选方案{n}", "en": "Alternative {n}"}[language]
    codes, rows = study.sites["prefecture_code"].to_numpy(), []
    for number, one in enumerate(_alternatives(study), 1):
        count = pd.Series(codes[one.site[one.site != UNPLACED]]).value_counts()
        named = [f"{study.region.names[code][language]} {n}" for code, n in count.items()]
        loss = 1 - one.objective / study.plan.objective
        rows.append((label.format(n=number), " · ".join(named), one.objective, loss, one.distance))
    return pd.DataFrame(rows, columns=["name", "by_city", "objective", "loss_share", "moved"])


def others_cities(study: Study, language: Language) -> pd.DataFrame:
    """How many `projects` each `city` has in this plan and in the others (`name`)."""
    codes, rows = study.sites["prefecture_code"].to_numpy(), []
    this = {"zh": "本方案", "en": "This plan"}[language]
    found = _alternatives(study)
    plans = [study.plan.site, *(one.site for one in found)] if found else []
    for name, site in zip([this, *others(study, language)["name"]], plans, strict=False):
        at = codes[site[site != UNPLACED]]
        rows += [(name, study.region.names[code][language], int((at == code).sum())) for code in dict.fromkeys(codes)]
    return pd.DataFrame(rows, columns=["name", "city", "projects"])


@once
def levels_of(study: Study) -> tuple[Study, ...]:
    """The study at each planning level, within the time that a briefing has."""
    return by_city.at_levels(study, clock=TimeBudget(EACH_S, LEVELS_S))


def keep_levels(study: Study, levels: Sequence[Study]) -> None:
    """Tell of these planning levels of a study, where they were solved already, rather than solve them again."""
    if levels:
        study.memo[levels_of.__module__ + "." + levels_of.__qualname__] = tuple(levels)


def levels(study: Study, language: Language) -> pd.DataFrame:
    """What each city gets at the planning levels side by side, and in `said` which these are."""
    found = levels_of(study)
    table = by_city.cities_table(found)
    names = table.drop_duplicates("prefecture").set_index("prefecture")[f"prefecture_{language}"]
    rows = [
        (name, *(by_city.side_by_side(table, key, code, missing="") for key in by_city.AMOUNTS))
        for code, name in names.items()
    ]
    columns = ["city", "projects_levels", "output_levels", "land_levels", "power_levels"]
    return pd.DataFrame(rows, columns=columns).assign(said=by_city.heading(found, language))


def prices(study: Study, language: Language) -> pd.DataFrame:
    """What a city's having more projects than in the plan takes from the objective; points that were worked out."""
    of = by_city.city_prices(study, clock=TimeBudget(EACH_S, PRICES_S))
    rows = []
    for _, own in of.groupby("prefecture", sort=False):
        least = {own["in_plan"].iloc[0] + more for more in MORE} | {own["least"].max()}
        for row in own[own["least"].isin(least) & (own["least"] > own["in_plan"])].to_dict("records"):
            shares = [f"{row[end]:.2%}" for end in ("share_low", "share_high")]
            share = shares[1] if row["proven"] else f"≥ {shares[0]}" if np.isnan(row["loss_high"]) else "–".join(shares)
            more = row["least"] - row["in_plan"]
            said = (row[f"prefecture_{language}"], row["in_plan"], row["least"], by_city.loss_words(row), share)
            rows.append((*said, row[f"status_{language}"], more))
    columns = ["city", "in_plan", "at_least", "lost", "lost_share", "state", "more"]
    return pd.DataFrame(rows, columns=columns)


def money(study: Study, language: Language) -> pd.DataFrame:
    """Clauses in force that offer something to a placed project: `offer`, the most of one item, how many it is for."""
    segments, found = catalog.segments(), tables.assignment(study)
    stages = pd.Series([segments[key].stage for key in study.projects.loc[found["project"], "segment"]], dtype=object)
    rows: dict[str, list[object]] = {}
    for stage, count in stages.value_counts().items():
        for one in offers(str(stage), on=study.day):
            row = one.rule.row
            most = float(row.get("most_10k_yuan", np.nan))
            about = [one.rule.clause, row["name"][language], most, 0, row.get("number", "")]
            kept = rows.setdefault(row["id"], about)
            kept[3] = int(str(kept[3])) + int(count)
    columns = ["clause", "offer", "most_10k_yuan", "who", "number"]
    return pd.DataFrame(list(rows.values()), columns=columns)


def asked(study: Study, language: Language) -> pd.DataFrame:
    """Numbers to ask for, the most useful first; those whose gain can't be told from none are left out."""
    known = tables.requests(study)
    of, declared = displayed_requests(known[known["is_clear"]]), catalog.attributes()
    return pd.DataFrame(
        {
            "subject": of[f"subject_{language}"],
            "name": of[f"name_{language}"],
            "question": of[f"question_{language}"],
            "interval": [
                f"{low:,.12g}–{high:,.12g} {unit}"
                for low, high, unit in zip(of["low"], of["high"], of[f"unit_{language}"], strict=True)
            ],
            "whom": [declared[key].whom[language] for key in of["attribute"]],
            "gain": of["gain"],
        }
    )


def questions(study: Study, language: Language) -> pd.DataFrame:
    """What is no number and has to be settled, about sites of the plan."""
    of = open_questions(study)
    return pd.DataFrame({key: of[f"{key}_{language}"].to_numpy() for key in ("subject", "question", "whom", "changes")})


def sources(study: Study, language: Language) -> pd.DataFrame:
    """Whom the layers are owed to, and what is not in force on the day."""
    said = [*owed(study, language), *(one[language] for one in rule_life.warnings(study.day))]
    return pd.DataFrame({"source": said})


TABLES: dict[str, Table] = {
    "run": run,
    "projects": projects,
    "plan": plan,
    "cities": plan_by_city,
    "years": years,
    "sites_used": sites_used,
    "chain": chain,
    "chain_cities": chain_by_city,
    "gaps": gaps,
    "supply": supply,
    "supply_land": lambda study, language: supply(study, language).query("resource == 'land'"),
    "supply_power": lambda study, language: supply(study, language).query("resource == 'power'"),
    "screened": screened.summary,
    "screened_regions": screened.regions,
    "best": best,
    "unplaced": unplaced,
    "pools_used": pools_used,
    "breaks": breaks,
    "levels": levels,
    "prices": prices,
    "others": others,
    "others_cities": others_cities,
    "money": money,
    "asked": asked,
    "questions": questions,
    "sources": sources,
}


def kept_table(study: Study, name: str, language: Language) -> pd.DataFrame:
    """The table of this `name` of a `study` in a `language`, made once and kept with it: not to be changed."""
    key = f"{__name__}.{name}.{language}"
    if key not in study.memo:
        study.memo[key] = TABLES[name](study, language)
    return study.memo[key]
