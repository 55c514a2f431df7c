"""Every project with its light, and the lists: what a page of the ledger is cut from."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.lights import light
from geo_cluster.policy.lists import Listed, the_three

FIRST = ("red", "yellow", "none", "green", "done")
"""In this order projects stand."""


@dataclass(frozen=True, eq=False)
class Lit:
    """A ledger on a day.

    Attributes
    ----------
    table : DataFrame
        By id: `name`, `firm`, `city`, `site`, `stage`, `colour`, `why_zh`, `why_en`, `points`, `late`, `plan`, `done`,
        `unit`, `owner`.
    projects : mapping of Entry
    day : date
    rule : str
    """

    table: pd.DataFrame
    projects: Mapping[str, Entry]
    day: datetime.date
    rule: str

    @cached_property
    def three(self) -> dict[str, list[Listed]]:
        """The three lists by name, worked out when they are first asked for."""
        return the_three(self.projects, self.day, self.rule)


def lit(projects: Mapping[str, Entry], day: datetime.date, rule: str) -> Lit:
    """Lights of every project on a day, by a rule; what needs to be seen to stands first.

    Parameters
    ----------
    projects : mapping of Entry
    day : date
    rule : str
        A key of `lights.rules()`.
    """
    rows = []
    for one in projects.values():
        found = light(one, day, rule)
        late = sum(point.is_late(day) for point in one.points)
        about = (one.name, one.firm, one.city, one.site, one.at, found.colour, found.why.zh, found.why.en)
        money = one.investment_100m_yuan, one.invested_100m_yuan
        rows.append((*about, len(one.open_points), late, *money, one.unit, one.owner))
    names = ["name", "firm", "city", "site", "stage", "colour", "why_zh", "why_en", "points", "late", "plan", "done"]
    table = pd.DataFrame(
        rows, columns=[*names, "unit", "owner"], index=pd.Index(list(projects), name="id", dtype=object)
    )
    table = table.sort_values("colour", key=lambda one: one.map(FIRST.index), kind="stable")
    return Lit(table, projects, day, rule)


def picked(
    table: pd.DataFrame,
    *,
    text: str = "",
    cities: Collection[str] = (),
    stages: Collection[str] = (),
    colours: Collection[str] = (),
    blocked: bool = False,
) -> pd.DataFrame:
    """The rows of `Lit.table` that are asked for.

    Parameters
    ----------
    table : DataFrame
    text : str
        Stands in the name, the firm, the unit or the owner.
    cities, stages, colours : collection of str
        Any of them; empty for all.
    blocked : bool
        Only those with open blocked points.
    """
    keep = pd.Series(True, index=table.index)
    for column, wanted in (("city", cities), ("stage", stages), ("colour", colours)):
        if wanted:
            keep &= table[column].isin(wanted)
    if blocked:
        keep &= table["points"] > 0
    if text.strip():
        said = text.strip().lower()
        found = pd.Series(False, index=table.index)
        for column in ("name", "firm", "unit", "owner"):
            found |= table[column].str.lower().str.contains(said, regex=False)
        keep &= found
    return table[keep]
