"""All checks of a scenario together: `validate(region, projects)`, its tables and what they say in plain words."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import LANGUAGES, Language, Text
from geo_cluster.region import Region
from geo_cluster.study import Study
from geo_cluster.validation import assumptions, decisions, needs, printed, sentences, tornado, travel
from geo_cluster.world import spreadsheet

OnStep = Callable[[str], None]
WORKBOOK = "validation.xlsx"


@dataclass(frozen=True, eq=False)
class Validation:
    """What the checks of a scenario found.

    Attributes
    ----------
    scenario : Text
        Its name.
    scenario_id : str
    day : date
        The day of the study.
    projects : int
        How many there are.
    tables : mapping of DataFrame
        By the names of `[tables]` in `tables/validation.toml`; `plan` is empty where no plan was given.
    """

    scenario: Text
    scenario_id: str
    day: datetime.date
    projects: int
    tables: Mapping[str, pd.DataFrame]

    def sentences(self, language: Language) -> dict[str, list[str]]:
        """Name of a table -> what it says, and where the model is wrong, in plain words."""
        return sentences.sentences(self.tables, self.projects, language)


def validate(
    region: Region, projects: pd.DataFrame, *, study: Study | None = None, on_step: OnStep = lambda _: None
) -> Validation:
    """Hold the model against what it was not made from, and say what its first places rest on.

    Parameters
    ----------
    region : Region
    projects : DataFrame
        Checked projects.
    study : Study, optional
        Of the same scenario, for what its plan rests on.
    on_step : callable
        Called with the name of each check as it begins.
    """
    checks: dict[str, Callable[[], pd.DataFrame]] = {
        "travel": lambda: travel.residuals(region),
        "decisions": lambda: decisions.ranks(region),
        "needs": lambda: needs.beside_references(region.layers),
        "printed": printed.examples,
        "assumptions": lambda: assumptions.first_places(region, projects),
        "plan": lambda: assumptions.plan(study) if study else pd.DataFrame(columns=assumptions.PLAN),
        "tornado": lambda: tornado.moves(region, projects),
    }
    tables: dict[str, pd.DataFrame] = {}
    for name, check in checks.items():
        on_step(name)
        tables[name] = check()
        if name == "travel":
            tables["travel_summary"] = travel.summary(tables[name])
    scenario = region.scenario
    ordered = {name: tables[name] for name in toml.table("validation")["tables"]}
    return Validation(scenario.name, scenario.id, scenario.date, len(projects), ordered)


def as_read(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """A table as people read it: one language, headings and words in it.

    Parameters
    ----------
    table : DataFrame
        One of `Validation.tables`.
    language : {"zh", "en"}
    """
    found, known = sentences.in_language(table, language), sentences.named(language)
    yes = {"zh": {True: "是", False: "否"}, "en": {True: "yes", False: "no"}}[language]
    for column in found:
        if column in known or found[column].dtype == bool:
            to = known.get(column, yes)
            found[column] = [to.get(cell, cell) for cell in found[column]]
    headings = toml.table("validation")["columns"]
    return found.rename(columns={key: one[language] for key, one in headings.items()})


def titles(language: Language) -> dict[str, str]:
    """What each table is called."""
    return {name: one[language] for name, one in toml.table("validation")["tables"].items()}


def as_json(found: Validation) -> str:
    """Everything as JSON: scenario, day, sentences in both languages, the tables as rows; what is unknown is null."""
    tables = {name: json.loads(table.to_json(orient="records")) for name, table in found.tables.items()}
    about = {"scenario": found.scenario.zh, "scenario_id": found.scenario_id, "day": found.day.isoformat()}
    said = {language: found.sentences(language) for language in LANGUAGES}
    return json.dumps(
        about | {"projects": found.projects, "sentences": said, "tables": tables}, ensure_ascii=False, indent=1
    )


def write(made: Mapping[str, bytes], folder: Path) -> None:
    """Write files by name into a folder."""
    for name, content in made.items():
        (folder / name).write_bytes(content)


def files(found: Validation, language: Language) -> dict[str, bytes]:
    """Every table as CSV under its keys, and all of them as one workbook in a language.

    Parameters
    ----------
    found : Validation
    language : {"zh", "en"}
        Of the workbook.
    """
    names, said = titles(language), found.sentences(language)
    rows = [(names[name], one) for name, several in said.items() for one in several]
    summary = pd.DataFrame(
        rows, columns=[{"zh": "内容", "en": "Check"}[language], {"zh": "结论", "en": "Result"}[language]]
    )
    sheets = {{"zh": "结论", "en": "Summary"}[language]: summary}
    sheets |= {names[name]: as_read(table, language) for name, table in found.tables.items()}
    tables = {f"{name}.csv": spreadsheet.as_csv(table) for name, table in found.tables.items()}
    return tables | {WORKBOOK: spreadsheet.as_xlsx(sheets)}
