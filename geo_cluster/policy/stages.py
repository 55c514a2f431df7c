"""Stages of a project under way, as declared or as the owner's own, and days that may be a year or a month."""

from __future__ import annotations

import calendar
import datetime
import os
from functools import cache
from pathlib import Path
from typing import Any

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, Place, refuse_if
from geo_cluster.world.sheets.words import plain

ENVIRONMENT = "GEO_CLUSTER_STAGES"
"""Variable that names a TOML file with the owner's own stages, of the form of `tables/stages.toml`."""

ROLES = ("signed", "start", "production")
"""What the rules ask of stages: which one is the signing, the start, the production."""


def declared() -> dict[str, Any]:
    """The table in force: the owner's `stage` and `roles` in place of ours.

    Raises
    ------
    InputError
        The owner's file can't be read or its stages can't be used.
    """
    return _declared(os.environ.get(ENVIRONMENT, "").strip())


@cache
def _declared(own: str) -> dict[str, Any]:
    table = toml.table("stages")
    if not own:
        return table
    said = toml.read(Path(own).expanduser())
    refuse_if(_faults(said, own), InputError)
    return table | {key: said[key] for key in ("stage", "roles")}


def _faults(said: dict[str, Any], own: str) -> list[Fault]:
    """What is wrong with a table of one's own stages."""
    rows = said.get("stage")
    if not isinstance(rows, list) or len(rows) < 2:
        return [Fault("policy.stages_too_few", Place(own, key="stage"))]
    keys = [row.get("key") if isinstance(row, dict) else None for row in rows]
    faults = []
    for number, (row, key) in enumerate(zip(rows, keys, strict=True)):
        name = row.get("name") if isinstance(row, dict) else None
        named = isinstance(name, dict) and all(isinstance(name.get(one), str) and name[one] for one in ("zh", "en"))
        if not (isinstance(key, str) and key.isidentifier() and named) or keys.count(key) > 1:
            faults.append(Fault("policy.stage_odd", Place(own, key=f"stage.{number}")))
    roles = said.get("roles")
    known, said = [str(one) for one in keys], roles if isinstance(roles, dict) else {}
    odd = [role for role in ROLES if said.get(role) not in keys]
    return faults + [Fault("policy.stage_role", Place(own, key=f"roles.{role}"), known=known) for role in odd]


def stages() -> dict[str, Text]:
    """Key -> name of every stage, in order."""
    return {row["key"]: Text(**row["name"]) for row in declared()["stage"]}


def means() -> dict[str, Text]:
    """Key -> what the stage means, where the table says it."""
    return {row["key"]: Text(**row["means"]) for row in declared()["stage"] if "means" in row}


def role(name: str) -> str:
    """The stage that is the signing, the start or the production."""
    return str(declared()["roles"][name])


def stage_of(text: str) -> str:
    """The stage that a word means, by its key or a name in either language; '' for none.

    >>> stage_of("投产"), stage_of("In production"), stage_of("竣工")
    ('production', 'production', '')
    """
    said = plain(text).lower()
    return next((key for key, name in stages().items() if said in (key, name.zh, name.en.lower())), "")


def point_kinds() -> dict[str, Text]:
    """Key -> name of every kind of blocked point."""
    return {row["key"]: Text(**row["name"]) for row in toml.table("stages")["point"]}


def is_ceremony(text: str) -> bool:
    """Whether a text speaks of a ceremony.

    >>> is_ceremony("二季度重大项目集中开工"), is_ceremony("进场施工")
    (True, False)
    """
    return any(word in text for word in toml.table("stages")["ceremonies"]["words"])


@cache
def span(day: str) -> tuple[datetime.date, datetime.date]:
    """First and last day of a year, a month or a day.

    >>> span("2026-02")
    (datetime.date(2026, 2, 1), datetime.date(2026, 2, 28))

    Raises
    ------
    ValueError
        It is none.
    """
    parts = [int(one) for one in day.split("-")]
    if len(parts) == 3:
        whole = datetime.date(parts[0], parts[1], parts[2])
        return whole, whole
    if len(parts) == 2:
        last = calendar.monthrange(parts[0], parts[1])[1]
        return datetime.date(parts[0], parts[1], 1), datetime.date(parts[0], parts[1], last)
    return datetime.date(parts[0], 1, 1), datetime.date(parts[0], 12, 31)


def months_between(earlier: datetime.date, later: datetime.date) -> int:
    """Whole months from one day to another; below 0 when it is before it.

    >>> months_between(datetime.date(2026, 1, 31), datetime.date(2026, 2, 28))
    0
    """
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)


def after_months(day: datetime.date, months: float) -> datetime.date:
    """The day so many months on, a month being a twelfth of a year."""
    return day + datetime.timedelta(days=round(months * 365.25 / 12))
