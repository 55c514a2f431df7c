"""What policy pays as it is declared (`tables/support.toml`): rules with their lives, and readings of open texts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Declared, Text
from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.world.layers import Layers
from geo_cluster.world.rule_life import Found, found_on, versions

Table = Mapping[str, Any]

Payer = Literal["province", "place", "unknown"]
PAYERS: Mapping[Payer, Text] = {
    "province": Text(zh="省级", en="Province"),
    "place": Text(zh="企业所在地", en="The firm's place"),
    "unknown": Text(zh="未写由谁出", en="Not said who pays"),
}

LIFE_OF_TARGETS = 2026
"""Last year of the policy's own targets; its text states no end."""


class Reading(Declared):
    """A text that can be read in several ways."""

    name: Text
    rules: tuple[str, ...]
    """Rules that it decides on."""
    default: str
    """Option that is taken where nobody chose."""
    options: dict[str, Text]


@cache
def readings() -> dict[str, Reading]:
    """Every open reading by name."""
    return {name: Reading.model_validate(row) for name, row in toml.table("support")["readings"].items()}


def chosen(choices: Mapping[str, str] | None = None) -> dict[str, str]:
    """The option of every reading: as chosen, else the default.

    Raises
    ------
    InputError
        For readings or options that there are not.

    Examples
    --------
    >>> chosen({"cap": "each_side"})["cap"], chosen()["cap"]
    ('each_side', 'together')
    """
    known, faults = readings(), []
    for name, option in (choices or {}).items():
        if name not in known:
            faults.append(Fault("policy.no_reading", name, known=list(known)))
        elif option not in known[name].options:
            faults.append(Fault("policy.no_option", name, got=option, known=list(known[name].options)))
    refuse_if(faults)
    return {name: one.default for name, one in known.items()} | dict(choices or {})


@dataclass(frozen=True)
class Rule:
    """What one rule pays, in its versions.

    Attributes
    ----------
    id : str
    found : Found
        The version for the day.
    table : mapping
        The parsed table.
    """

    id: str
    found: Found
    table: Table

    @property
    def row(self) -> Table:
        """As it stands in the table."""
        return self.found.row

    @property
    def clause(self) -> str:
        """Number of the policy's clause; '' for a rule of another document."""
        return str(self.row.get("clause", ""))

    def of_year(self, year: int) -> Found:
        """The version for a year: the one of its last day, when the year's revenue is known."""
        return found_on("support", datetime.date(year, 12, 31), table=self.table, key=(self.id,))

    def first_year(self) -> int:
        """First year whose amounts it pays; 0 where it is not known since when it holds."""
        start = self.found.life.valid_from
        return start.year if start else 0

    def pays_in(self, year: int, taken: Mapping[str, str]) -> bool:
        """Whether it pays for a year under the readings taken; a rule of unknown life is an indication, and counts."""
        found = self.of_year(year)
        has_ended = taken["life"] == "to_2026" and found.life.valid_to is None and year > LIFE_OF_TARGETS
        return found.use != "left_out" and not has_ended


def rules(on: datetime.date, table: Table | None = None) -> dict[str, Rule]:
    """Every rule by id, each in the version for a day.

    Parameters
    ----------
    on : date
    table : mapping, optional
        Parsed `support.toml`; the shipped one when left out.

    Raises
    ------
    InputError
        For rules without dates, or two versions in force at once.
    """
    parsed = toml.table("support") if table is None else table
    keys = versions("support", parsed)
    return {key[0]: Rule(key[0], found_on("support", on, table=parsed, key=key), parsed) for key in keys}


def not_found(layers: Layers) -> pd.DataFrame:
    """Rules that were looked for and not found, which have to be asked for; unknown is not zero.

    Returns
    -------
    DataFrame
        Rows of the layer `rules` of kind `support` with state `not_found`: `id`, `place_zh`, `name_zh`, `text_zh`,
        `source`, `publisher`, `as_of`, and `of`: ids of our rules that depend on them.
    """
    of: dict[str, list[str]] = {}
    for row in toml.table("support")["rule"]:
        for one in row["asks"]:
            of.setdefault(one, []).append(row["id"])
    known = layers.read("rules")
    rows = known[(known["kind"] == "support") & (known["status"] == "not_found")]
    columns = ["id", "place_zh", "name_zh", "text_zh", "source", "publisher", "as_of"]
    return rows[columns].assign(of=[", ".join(of.get(one, ())) for one in rows["id"]]).reset_index(drop=True)


def known_option(text: str) -> tuple[str, str]:
    """`name=option` as somebody wrote it on a command line.

    Raises
    ------
    InputError
        There is no `=` in it.
    """
    name, equals, option = text.partition("=")
    refuse_if([] if equals else [Fault("policy.odd_reading", Place("--reading"), got=text, known=list(readings()))])
    return name.strip(), option.strip()
