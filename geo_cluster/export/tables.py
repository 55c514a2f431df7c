"""Tables as CSV that a spreadsheet opens: UTF-8 with a byte-order mark, nothing that it would run as a formula."""

from __future__ import annotations

import pandas as pd

from geo_cluster.study import Study

SAMPLE = "示例：项目为虚构，不代表任何企业的计划 / sample: made-up projects, nobody's plan"


def csv_tables(study: Study) -> dict[str, bytes]:
    """File name -> content of every table of a study; the same scenario gives the same bytes."""
    ranking = study.ranking.sort_values(["project", "eligible", "score"], ascending=[True, False, False], kind="stable")
    tables = {
        "ranking.csv": ranking,
        "contributions.csv": study.contributions,
        "assignment.csv": study.assignment,
        "unplaced.csv": study.unplaced,
        "pools.csv": study.pools,
        "observations.csv": study.observations,
        "data_request.csv": study.requests,
    }
    if study.scenario.is_sample:
        about_projects = [name for name in tables if name != "observations.csv"]
        tables |= {name: tables[name].assign(notice=SAMPLE) for name in about_projects}
    return {name: as_csv(table) for name, table in tables.items()}


def as_csv(table: pd.DataFrame, *, heading: bool = True) -> bytes:
    """One table as CSV bytes, or, without `heading`, rows to add to it.

    Text that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    text = table.select_dtypes(["object", "string"]).columns
    inert = table.assign(**{column: table[column].map(_inert) for column in text})
    text_of = inert.to_csv(index=False, header=heading, lineterminator="\r\n")
    return text_of.encode("utf-8-sig" if heading else "utf-8")


def _inert(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
