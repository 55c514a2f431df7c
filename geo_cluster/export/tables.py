"""Tables as CSV that a spreadsheet opens: UTF-8 with a byte-order mark, nothing that it would run as a formula."""

from __future__ import annotations

import pandas as pd

from geo_cluster.study import Study

RANKING = ["project", "project_name", "site", "site_name", "score", "low", "high", "rank", "chance_first"]
RANKING += ["eligible", "rule", "reason", "reason_en"]
SAMPLE = "示例：项目为虚构，不代表任何企业的计划 / sample: made-up projects, nobody's plan"


def csv_tables(study: Study) -> dict[str, bytes]:
    """File name -> content of every table of a study; the same scenario gives the same bytes."""
    ranking = study.ranking.sort_values(["project", "eligible", "score"], ascending=[True, False, False], kind="stable")
    tables = {
        "ranking.csv": ranking[RANKING],
        "contributions.csv": study.contributions,
        "assignment.csv": study.assignment,
        "unplaced.csv": study.unplaced,
        "pools.csv": study.pools,
        "observations.csv": study.observations,
    }
    if study.scenario.is_sample:
        about_projects = [name for name in tables if name != "observations.csv"]
        tables |= {name: tables[name].assign(notice=SAMPLE) for name in about_projects}
    return {name: as_csv(table) for name, table in tables.items()}


def as_csv(table: pd.DataFrame) -> bytes:
    """One table as CSV bytes; text that a spreadsheet would take for a formula gets a leading apostrophe."""
    text = table.select_dtypes(["object", "string"]).columns
    inert = table.assign(**{column: table[column].map(_inert) for column in text})
    return inert.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
