"""The plan as a briefing sheet, to print or to send: a self-contained HTML file, all data escaped, no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.export.csv_tables import SAMPLE
from geo_cluster.export.outline import conclusion
from geo_cluster.export.render import render
from geo_cluster.export.sketch import sketch
from geo_cluster.export.told import WORDS, about, open_questions, owed
from geo_cluster.matching.plan import Assignment
from geo_cluster.region import pool_name
from geo_cluster.report import cities, division, explanation, tables
from geo_cluster.report.tables import displayed_requests, words_of
from geo_cluster.study import Study
from geo_cluster.world import catalog, rule_life

SHORT = 16
"""Characters of a number or an interval that stay on one line."""
REQUESTS = 8
"""So many numbers to ask for are on the page; the rest is in `data_request.csv`."""


class Table(NamedTuple):
    """A table of text; one without rows says `none` instead, if it says anything."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    none: str = ""


def sheet(study: Study, *, levels: Sequence[Study] = (), language: Language = "zh") -> str:
    """The briefing sheet of a study as HTML: conclusion, headline numbers, cities, plan, pools, what to verify.

    Parameters
    ----------
    study : Study
    levels : sequence of Study
        It at each planning level (`cities.at_levels`); by default at its own alone.
    language : {"zh", "en"}
    """
    heading, by_city = _by_city(levels or (study,), WORDS[language], language)
    words = WORDS[language] | {"by_city": heading}
    headline, sentence, seldom = facts(study, language)
    return render(
        "sheet.html",
        language={"zh": "zh-CN", "en": "en"}[language],
        colon="：" if language == "zh" else ": ",
        words=words,
        name=study.scenario.name[language],
        about=about(study, language),
        notice=SAMPLE if study.scenario.is_sample else "",
        rules=[one[language] for one in rule_life.warnings(study.day)],
        conclusion=conclusion(study, language),
        headline=headline,
        sentence=sentence,
        seldom=seldom,
        sketch=sketch(study, language),
        tables={
            "by_city": by_city,
            "plan": _plan(study, words, language),
            "unplaced": _unplaced(study, words, language),
            "standard_land": _standard_land(study, words, language),
            "pools": _pools(study, words, language),
            "division": _division(study, words, language),
            "asked": _asked(study, words, language),
        },
        short=SHORT,
        owed=owed(study, language),
    )


def facts(study: Study, language: Language) -> tuple[dict[str, str], str, bool]:
    """Headline numbers by the keys of `WORDS`, how surely it is feasible in a sentence, and whether that is seldom."""
    words, plan, count = WORDS[language], study.plan, len(study.violations)
    share, sentence = _feasible_share(study, words, language)
    assumed = float((study.observations["basis"] == "assumed").mean())
    is_settled = plan.status == "optimal" or study.most_placed <= study.counts[0]
    most = "" if is_settled else words["at_most"].format(most=study.most_placed)
    headline = {
        "placed": f"{study.counts[0]} / {study.counts[1]}{most}",
        "objective": f"{plan.objective:,.1f}",
        "proof": _proof(plan, words),
        "feasible_share": "—" if share is None else f"{share:.0%}",
        "check": words["violations"].format(n=count) if count else words["no_violation"],
        "assumed": f"{assumed:.0%}",
    }
    return headline, sentence, share is not None and share < explanation.SELDOM


def _proof(plan: Assignment, words: dict[str, str]) -> str:
    """How good the plan is, and whether time cut the search."""
    if plan.status == "optimal":
        return words["optimal"]
    return words["clock" if plan.ended == "clock" else "feasible"].format(gap=plan.gap)


def _feasible_share(study: Study, words: dict[str, str], language: Language) -> tuple[float | None, str]:
    """In what share of the draws the plan is feasible, and the sentence that says which pool gives way first."""
    table = explanation.feasibility_table(study)
    if table.empty:
        return None, ""
    broken, pools = float(table["breaks"].iloc[0]), table.iloc[1:]
    sentence = words["feasible_in"].format(share=1 - broken, draws=study.scenario.draws)
    if len(pools) and broken:
        first = pools.iloc[0]
        name = pool_name(study.region, first["resource"], first["pool"])[language]
        pool = f"{name} · {words_of(first['resource'], language)[0]}"
        sentence += words["breaks_first"].format(pool=pool, share=first["first"] / broken)
    return 1 - broken, sentence


def _plan(study: Study, words: dict[str, str], language: Language) -> Table:
    names, segments, kinds = study.region.names, catalog.segments(), catalog.resources().values()
    headings = [words[key] for key in ("project", "segment", "site", "score")]
    headings += [*(kind.title(language) for kind in kinds), words["drive"], words["from_year"], words["conditions"]]
    rows = [
        (
            f"{row.project_name} ({row.project})",
            segments[study.projects.loc[row.project, "segment"]].name[language],
            names[row.site][language],
            f"{row.score:.1f} ({row.low:.0f}–{row.high:.0f})",
            *(f"{getattr(row, kind.need):,.{kind.digits}f}" for kind in kinds),
            f"{row.trip_min:.0f}",
            str(row.from_year),
            row.conditions_en if language == "en" else row.conditions,
        )
        for row in tables.assignment(study).sort_values(["site", "project"]).itertuples()
    ]
    return Table(headings, rows)


def _unplaced(study: Study, words: dict[str, str], language: Language) -> Table:
    reason = "reason_en" if language == "en" else "reason"
    later = "later_en" if language == "en" else "later"
    stop = "; " if language == "en" else "；"
    rows = [
        (f"{row['project_name']} ({row['project']})", stop.join(filter(None, (row[reason], row[later]))))
        for row in tables.unplaced(study).to_dict("records")
    ]
    return Table([words["project"], words["reason"]], rows, words["none"])


def _standard_land(study: Study, words: dict[str, str], language: Language) -> Table:
    known = tables.doors(study)
    sites = {site for site, is_known in zip(known.sites, known.known, strict=True) if is_known}
    verdicts, table = catalog.door_verdicts(), tables.assignment(study)
    rows = [
        (
            f"{row['project_name']} ({row['project']})",
            study.region.names[row["site"]][language],
            verdicts[row["standard_land"]][language],
            row[f"standard_land_{language}"],
        )
        for row in table[table["site"].isin(sites)].sort_values(["site", "project"]).to_dict("records")
    ]
    return Table([words[key] for key in ("project", "site", "verdict", "reason")], rows, words["no_door"])


def _pools(study: Study, words: dict[str, str], language: Language) -> Table:
    used: pd.DataFrame = tables.pools(study)[tables.pools(study)["used"] > 0]
    rows = [
        (
            pool_name(study.region, row.resource, row.pool)[language],
            tables.pool_title(row.resource, language),
            f"{row.used:,.0f}",
            f"{row.planned:,.0f}",
            f"{row.low:,.0f}–{row.high:,.0f}",
        )
        for row in used.sort_values(["resource", "used"], ascending=[True, False]).itertuples()
    ]
    return Table([words[key] for key in ("pool", "unit", "used", "planned", "interval")], rows)


def _by_city(levels: Sequence[Study], words: dict[str, str], language: Language) -> tuple[str, Table]:
    """What each city gets, the planning levels side by side: heading and table."""
    table = cities.cities_table(levels)
    names = table.drop_duplicates("prefecture").set_index("prefecture")[f"prefecture_{language}"]
    rows = [
        (name, *(cities.side_by_side(table, key, code, missing="") for key in cities.AMOUNTS))
        for code, name in names.items()
    ]
    headings = [words["city"], *(one[language] for one in cities.AMOUNTS.values())]
    return cities.heading(levels, language), Table(headings, rows)


def _division(study: Study, words: dict[str, str], language: Language) -> Table:
    def number(value: float) -> str:
        return words["not_comparable"] if np.isnan(value) else f"{value:.2f}"

    rows = [
        (
            f"{row[f'first_{language}']}–{row[f'second_{language}']}",
            number(row["before"]),
            number(row["after"]),
            number(row["chance"])
            + ("" if np.isnan(row["chance"]) else f" ({row['chance_low']:.2f}–{row['chance_high']:.2f})"),
            f"{row['first_total']:.0f} / {row['second_total']:.0f}",
        )
        for row in division.overlaps(study).to_dict("records")
    ]
    headings = [words[key] for key in ("cities", "overlap_before", "overlap_after", "by_chance", "firms_now")]
    return Table(headings, rows, words["no_cities"])


def _clear(study: Study) -> pd.DataFrame:
    asked: pd.DataFrame = tables.requests(study)
    return asked[asked["is_clear"]]


def _asked(study: Study, words: dict[str, str], language: Language) -> Table:
    declared = catalog.attributes()
    rows = [
        (
            row[f"subject_{language}"],
            row[f"question_{language}"],
            f"{row['low']:,.12g}–{row['high']:,.12g} {row[f'unit_{language}']}",
            declared[row["attribute"]].whom[language],
        )
        for row in displayed_requests(_clear(study).head(REQUESTS)).to_dict("records")
    ]
    rows += [
        tuple(one[f"{key}_{language}"] for key in ("subject", "question", "changes", "whom"))
        for one in open_questions(study).to_dict("records")
    ]
    return Table([words[key] for key in ("subject", "question", "range", "whom")], rows)
