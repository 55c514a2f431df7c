"""The tables of a study as CSV files, for programs: the same columns in every edition."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import pandas as pd

from geo_cluster.domain import LANGUAGES
from geo_cluster.region import pool_name
from geo_cluster.report import cities, division, openings, over_time, parts
from geo_cluster.report import tables as report_tables
from geo_cluster.report.questions import structural_questions
from geo_cluster.report.tables import displayed_requests
from geo_cluster.study import Study
from geo_cluster.world import rule_life
from geo_cluster.world.spreadsheet import as_csv

SAMPLE = "示例：项目为虚构，不代表任何企业的计划 / sample: made-up projects, nobody's plan"


def csv_tables(study: Study, levels: Sequence[Study] = ()) -> dict[str, bytes]:
    """File name -> content of every table of a study; the same scenario gives the same bytes.

    Parameters
    ----------
    study : Study
    levels : sequence of Study
        It at each planning level (`cities.at_levels`), for `cities.csv`; by default at its own alone.
    """
    ranking = report_tables.ranking(study).sort_values(
        ["project", "eligible", "score"], ascending=[True, False, False], kind="stable"
    )
    tables = {
        "ranking.csv": ranking,
        "contributions.csv": report_tables.contributions(study),
        "assignment.csv": report_tables.assignment(study),
        "unplaced.csv": report_tables.unplaced(study),
        "cities.csv": cities.cities_table(levels or (study,)),
        "division.csv": division.division_table(study),
        "division_cities.csv": division.cities_table(study),
        "division_pairs.csv": division.pairs_table(study),
        "pools.csv": _named(study, report_tables.pools(study)),
        "pool_years.csv": _named(study, over_time.pool_years(study)),
        "standard_land.csv": report_tables.doors(study).table(),
        "observations.csv": study.observations.round(6),
        "data_request.csv": _asked(study),
    }
    if study.scenario.openings:
        tables["openings.csv"] = openings.openings_table(study)
    if study.parts:
        tables["parts.csv"] = parts.parts_table(study)
    if study.scenario.is_sample:
        about_projects = [name for name in tables if name != "observations.csv"]
        tables |= {name: tables[name].assign(notice=SAMPLE) for name in about_projects}
    tables = {name: dated(table, study.day) for name, table in tables.items()}
    tables["rules.csv"] = rule_life.table(study.day)
    return {name: as_csv(table) for name, table in tables.items()}


def marked(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A table of a study to hand over: each row says that it is a sample, and what rule is not in force."""
    return dated(table.assign(notice=SAMPLE) if study.scenario.is_sample else table, study.day)


def dated(table: pd.DataFrame, day: datetime.date) -> pd.DataFrame:
    """A table with a column that says so when some rule is not in force on the day of the study."""
    said = rule_life.notice(day)
    return table.assign(rules_notice=said) if said else table


def _asked(study: Study) -> pd.DataFrame:
    """The numbers to ask for, the most useful first, then what is no number: `topic` and what an answer changes."""
    numbers = displayed_requests(report_tables.requests(study))
    return pd.concat([numbers, structural_questions(study.region)], ignore_index=True)


def _named(study: Study, pools: pd.DataFrame) -> pd.DataFrame:
    """Pools with their names beside their ids."""
    table = pools.copy()
    names = [pool_name(study.region, *key) for key in zip(table["resource"], table["pool"], strict=True)]
    for at, language in enumerate(LANGUAGES):
        table.insert(2 + at, f"pool_{language}", [name[language] for name in names])
    return table
