"""The tables of a study that are handed over, and the list to telephone with."""

from __future__ import annotations

import pandas as pd

from geo_cluster.domain import LANGUAGES, Language
from geo_cluster.report import tables as report_tables
from geo_cluster.report.tables import told_requests
from geo_cluster.study import Study
from geo_cluster.world import catalog
from geo_cluster.world.spreadsheet import as_csv

SAMPLE = "示例：项目为虚构，不代表任何企业的计划 / sample: made-up projects, nobody's plan"

HEADINGS = {
    "rank": ("序号", "No."),
    "subject": ("对象", "Subject"),
    "name": ("要问的数", "Number"),
    "question": ("问题", "Question"),
    "whom": ("问谁", "Whom to ask"),
    "low": ("现下限", "Low now"),
    "likely": ("现最可能", "Likely now"),
    "high": ("现上限", "High now"),
    "unit": ("单位", "Unit"),
    "gain": ("增益（分）", "Gain (points)"),
    "change": ("改变选择概率", "Chance of another choice"),
    "answer": ("答复", "Answer"),
    "source": ("答复人", "Who said so"),
    "as_of": ("时点", "As of"),
}
"""Columns of the list to telephone with, in Chinese and English."""


def csv_tables(study: Study) -> dict[str, bytes]:
    """File name -> content of every table of a study; the same scenario gives the same bytes."""
    ranking = report_tables.ranking(study).sort_values(
        ["project", "eligible", "score"], ascending=[True, False, False], kind="stable"
    )
    tables = {
        "ranking.csv": ranking,
        "contributions.csv": report_tables.contributions(study),
        "assignment.csv": report_tables.assignment(study),
        "unplaced.csv": report_tables.unplaced(study),
        "pools.csv": _named(study),
        "observations.csv": study.observations.round(6),
        "data_request.csv": told_requests(report_tables.requests(study)),
    }
    if study.scenario.is_sample:
        about_projects = [name for name in tables if name != "observations.csv"]
        tables |= {name: tables[name].assign(notice=SAMPLE) for name in about_projects}
    return {name: as_csv(table) for name, table in tables.items()}


def _named(study: Study) -> pd.DataFrame:
    """The pools with their names beside their ids."""
    names, table = study.region.names, report_tables.pools(study).copy()
    for at, language in enumerate(LANGUAGES):
        table.insert(2 + at, f"pool_{language}", [names[pool][language] for pool in table["pool"]])
    return table


def phone_list(requests: pd.DataFrame, language: Language) -> pd.DataFrame:
    """The data request list as somebody has it beside the telephone: whom to ask what, and what it is worth.

    Parameters
    ----------
    requests : DataFrame
        `Study.requests`.
    language : {"zh", "en"}
        Of headings and words.
    """
    declared, requests = catalog.attributes(), told_requests(requests)
    table = pd.DataFrame(
        {
            "rank": range(1, len(requests) + 1),
            "subject": requests[f"subject_{language}"],
            "name": requests[f"name_{language}"],
            "question": requests[f"question_{language}"],
            "whom": [declared[key].whom[language] for key in requests["attribute"]],
            **{end: requests[end] for end in ("low", "likely", "high")},
            "unit": requests[f"unit_{language}"],
            "gain": requests["gain"],
            "change": requests["change"],
            "answer": "",
            "source": "",
            "as_of": "",
        }
    )
    return table.rename(columns={key: HEADINGS[key][language == "en"] for key in table})
