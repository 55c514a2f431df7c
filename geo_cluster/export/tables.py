"""Tables as CSV that a spreadsheet opens: UTF-8 with a byte-order mark, nothing that it would run as a formula."""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter

from geo_cluster import catalog
from geo_cluster.domain import LANGUAGES, Language
from geo_cluster.results import told_requests
from geo_cluster.study import Study

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
    ranking = study.ranking.sort_values(["project", "eligible", "score"], ascending=[True, False, False], kind="stable")
    tables = {
        "ranking.csv": ranking,
        "contributions.csv": study.contributions,
        "assignment.csv": study.assignment,
        "unplaced.csv": study.unplaced,
        "pools.csv": _named(study),
        "observations.csv": study.observations.round(6),
        "data_request.csv": told_requests(study.requests),
    }
    if study.scenario.is_sample:
        about_projects = [name for name in tables if name != "observations.csv"]
        tables |= {name: tables[name].assign(notice=SAMPLE) for name in about_projects}
    return {name: as_csv(table) for name, table in tables.items()}


def _named(study: Study) -> pd.DataFrame:
    """The pools with their names beside their ids."""
    names, table = study.region.names, study.pools.copy()
    for at, language in enumerate(LANGUAGES):
        table.insert(2 + at, f"pool_{language}", [names[pool][language] for pool in table["pool"]])
    return table


def as_csv(table: pd.DataFrame, *, heading: bool = True) -> bytes:
    """One table as CSV bytes, or, without `heading`, rows to add to it.

    Text that a spreadsheet would take for a formula gets a leading apostrophe.
    """
    text = table.select_dtypes(["object", "string"]).columns
    safe = table.assign(**{column: _inert(table[column]) for column in text})
    text_of = safe.to_csv(index=False, header=heading, lineterminator="\r\n")
    return text_of.encode("utf-8-sig" if heading else "utf-8")


def as_xlsx(sheets: Mapping[str, pd.DataFrame], *, formats: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Tables as one spreadsheet, a sheet each, headings kept in sight and ready to filter; text stays text.

    `formats` says how the numbers of a column are shown, by its heading.
    """
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        for name, table in sheets.items():
            text = table.select_dtypes(["object", "string"]).columns
            table.assign(**{column: _inert(table[column]) for column in text}).to_excel(
                writer, sheet_name=name, index=False, freeze_panes=(1, 0)
            )
            page = writer.sheets[name]
            page.auto_filter.ref = page.dimensions
            for number, column in enumerate(table, start=1):
                widest = max([len(str(column)), *(len(str(cell)) for cell in table[column])])
                letter = get_column_letter(number)
                page.column_dimensions[letter].width = min(max(2 + 1.4 * widest, 8), 60)
                for (cell,) in page[f"{letter}2:{letter}{page.max_row}"] if column in formats and len(table) else ():
                    cell.number_format = formats[column]
    return file.getvalue()


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


def _inert(column: pd.Series) -> pd.Series:
    """The column with an apostrophe before what a spreadsheet would take for a formula."""
    codes, cells = pd.factorize(column)
    risky = [isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in cells]
    if not any(risky):
        return column
    return column.where(~np.append(risky, False)[codes], "'" + column.astype(str))
