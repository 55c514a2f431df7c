"""The ledger as tables for people: what goes out as xlsx, and comes back as it went."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import pandas as pd

from geo_cluster.domain import Language
from geo_cluster.policy.columns import columns, titles
from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.lights import DEFAULT, colours, light
from geo_cluster.policy.lists import Listed
from geo_cluster.policy.places import Places
from geo_cluster.policy.stages import point_kinds, stages

YES = {"zh": ("否", "是"), "en": ("no", "yes")}
LIGHT = {"zh": ("亮灯", "亮灯依据"), "en": ("light", "why")}
LIST_HEADINGS = {
    "zh": ("项目名称", "市州", "企业", "当前阶段", "应到日期", "情况", "责任单位", "责任人"),
    "en": ("project", "city", "firm", "stage", "due", "what is the matter", "unit in charge", "owner"),
}


def cell(entry: Entry, key: str, places: Places, language: Language) -> str | float:
    """What a field of a project says in a table for people.

    Parameters
    ----------
    entry : Entry
    key : str
        Of a column of the ledger.
    places : Places
    language : {"zh", "en"}
    """
    which, _, stage = key.partition(".")
    if stage:
        return str(getattr(entry, which).get(stage, ""))
    if key == "city":
        return places.city_name(entry.city, language)
    if key == "site":
        return places.site_name(entry.site, language)
    if key == "stage":
        return stages()[entry.at][language] if entry.at else entry.stage
    if key == "counts":
        return YES[language][entry.counts]
    value = getattr(entry, key)
    return "" if value is None else value


def ledger_frame(projects: Mapping[str, Entry], places: Places, language: Language) -> pd.DataFrame:
    """Every project with every column of the ledger, one row each.

    Parameters
    ----------
    projects : mapping of Entry
    places : Places
    language : {"zh", "en"}
    """
    names = titles("ledger", language)
    rows = [[id_, *(cell(one, key, places, language) for key in names if key != "id")] for id_, one in projects.items()]
    return pd.DataFrame(rows, columns=list(names.values()))


def lit_frame(
    projects: Mapping[str, Entry], places: Places, language: Language, *, day: datetime.date, rule: str = DEFAULT
) -> pd.DataFrame:
    """As `ledger_frame`, with the light of each project and why.

    Parameters
    ----------
    projects : mapping of Entry
    places : Places
    language : {"zh", "en"}
    day : date
    rule : str
    """
    found = [light(one, day, rule) for one in projects.values()]
    colour, why = LIGHT[language]
    words = {key: one[language] for key, one in colours().items()}
    table = ledger_frame(projects, places, language)
    return table.assign(**{colour: [words[one.colour] for one in found], why: [one.why[language] for one in found]})


def points_frame(projects: Mapping[str, Entry], language: Language) -> pd.DataFrame:
    """Every blocked point, one row each; the project by its id."""
    names, kinds = titles("points", language), point_kinds()
    rows = [
        [
            id_ if key == "project" else kinds[point.kind][language] if key == "kind" else getattr(point, key)
            for key in names
        ]
        for id_, one in projects.items()
        for point in one.points
    ]
    return pd.DataFrame(rows, columns=list(names.values()))


def list_frame(listed: list[Listed], places: Places, language: Language) -> pd.DataFrame:
    """One of the three lists as a table.

    Parameters
    ----------
    listed : list of Listed
    places : Places
    language : {"zh", "en"}
    """
    rows = [
        (
            one.entry.name,
            places.city_name(one.entry.city, language),
            one.entry.firm,
            stages()[one.entry.at][language] if one.entry.at else "",
            one.since,
            one.why[language],
            one.entry.unit,
            one.entry.owner,
        )
        for one in listed
    ]
    return pd.DataFrame(rows, columns=list(LIST_HEADINGS[language]))


def template_rows(kind: str) -> list[str]:
    """The example row of a kind's template, which is labelled 示例."""
    return [str(one.get("example", "")) for one in columns(kind).values()]
