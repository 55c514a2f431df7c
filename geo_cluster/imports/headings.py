"""Headings as people write them, brought under the keys of `tables/imports.toml`; and which kind a table is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults, Place
from geo_cluster.imports.checked import KINDS, Checked, ImportContext, Kind
from geo_cluster.world import portfolio
from geo_cluster.world.sheets.calls import Calls
from geo_cluster.world.sheets.columns import Understood, understand
from geo_cluster.world.sheets.table import Table
from geo_cluster.world.sheets.words import head

EXAMPLE = "示例行，导入时略过 / example row, left out at import"
"""Marks the row of a template that is never accepted."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a file by the keys of its kind, with the faults and notes found so far.

    Attributes
    ----------
    context : ImportContext
    table : DataFrame
        As it came, text by heading; the index is the row in the file.
    text : DataFrame
        Text by key, in the columns' own units and one way of writing; '' where the file has no such column. The example
        row of a template is left out.
    headings : mapping
        Key -> the heading that stands for it; only keys that the file has.
    faults : Faults
        Checkers add to them.
    notes : list of Text
        Checkers add to them.
    understood : Understood
        How the table was read.
    """

    context: ImportContext
    table: pd.DataFrame
    text: pd.DataFrame
    headings: Mapping[str, str]
    faults: Faults
    notes: list[Text]
    understood: Understood

    def at(self, row: int = 0, key: str = "") -> Place:
        """A row and column of the file; a column that it hasn't is called by its Chinese name."""
        heading = self.headings.get(key) or (columns_of(self.context.kind)[key]["zh"] if key else "")
        return self.understood.table.place(int(row), heading)

    @property
    def halted(self) -> bool:
        """Whether the headings are wrong, so that the cells can't be told."""
        return any(not fault.row for fault in self.faults)

    def checked(self, **found: Any) -> Checked:
        """What was found, as `Checked`; `found` are its further fields. A cell has one fault, the first."""
        of, seen = self.context, self.understood.doubted
        own = len(list(self.understood.faults))
        faults = [
            fault
            for k, fault in enumerate(self.faults)
            if k < own or not fault.row or (fault.row, fault.column) not in seen
        ]
        about = {
            "changed": self.understood.changed,
            "meant": self.understood.meant(),
            "sheets": self.understood.table.sheets,
            "parts": self.understood.table.parts,
        }
        return Checked(of.kind, of.name, of.sha256, self.table, tuple(faults), tuple(self.notes), **about, **found)


def columns_of(kind: Kind) -> dict[str, dict[str, Any]]:
    """The declared columns of a kind by key; projects have one for each resource too."""
    return portfolio.declared() if kind == "projects" else toml.table("imports")[kind]["columns"]


def calls_of(kind: Kind) -> Calls:
    """What the columns of a kind are called."""
    return portfolio.calls() if kind == "projects" else _calls(kind)


@cache
def _calls(kind: Kind) -> Calls:
    return Calls(columns_of(kind))


def key_of(kind: Kind, heading: object) -> str:
    """Which column of a kind a heading means; '' if none.

    >>> key_of("parcels", "面积(亩)")
    'area'
    """
    return calls_of(kind).of(heading).key


def is_known(heading: str) -> bool:
    """Whether a text is a heading of any kind of table."""
    return any(key_of(kind, heading) for kind in KINDS)


def frame_of(table: Table | pd.DataFrame) -> pd.DataFrame:
    """The rows of a table."""
    return table.frame if isinstance(table, Table) else table


def recognise(
    table: Table | pd.DataFrame, context: ImportContext, *, elsewhere: Iterable[str] = (), without: Iterable[str] = ()
) -> Rows:
    """Bring a table under the keys of its kind; see `Rows`.

    Parameters
    ----------
    table : Table or DataFrame
    context : ImportContext
    elsewhere : iterable of str
        Further headings that the checker reads itself.
    without : iterable of str
        Required columns that it can do without.
    """
    held = table if isinstance(table, Table) else Table(pd.DataFrame(table), context.name)
    found = understand(held, calls_of(context.kind), mapping=context.mapping, elsewhere=elsewhere)
    example = (found.text == EXAMPLE).any(axis=1)
    if example.any():
        gone = set(found.text.index[example])
        kept = Faults(fault for fault in found.faults if fault.row not in gone)
        changed = found.changed[~found.changed["row"].isin(gone)]
        found = replace(found, text=found.text[~example], extra=found.extra[~example], faults=kept, changed=changed)
    rows = Rows(context, held.frame, found.text, found.headings, Faults(found.faults), list(found.notes), found)
    _check_columns(rows, set(without))
    if example.any():
        rows.notes.append(Text(zh="模板的示例行不会导入。", en="The example row of the template is left out."))
    return rows


def _check_columns(rows: Rows, without: Collection[str]) -> None:
    """Faults of columns that are missing, and of too many rows."""
    kind = rows.context.kind
    for key, column in columns_of(kind).items():
        if column.get("required") and key not in rows.headings and key not in without:
            rows.faults.append(Fault("imports.no_column", rows.at(0, key), zh_name=column["zh"], en_name=column["en"]))
    most = toml.table("imports")[kind]["most_rows"]
    if len(rows.table) > most:
        rows.faults.append(Fault("imports.too_many_rows", rows.context.name, rows=len(rows.table), most=most))


def kind_of(headings: Iterable[object]) -> str:
    """Which kind of table has such headings: one of `KINDS`, `rules` (exclusion rules), '' if none.

    The kind whose required columns are there and that most of the headings are of; of two the one that needs more.
    """
    said = [str(heading) for heading in headings if str(heading).strip() and not str(heading).startswith("#")]
    if {"name", "layer", "bufferm"} <= {head(heading) for heading in said}:
        return "rules"
    best, most = "", 0.0
    for kind in KINDS:
        calls, columns = calls_of(kind), columns_of(kind)
        found = {call.key: call.rank for call in map(calls.of, said) if call.key}
        required = [key for key, column in columns.items() if column.get("required")]
        has = sum(key in found for key in required)
        own = sum(rank == 0 for rank in found.values())
        share = len(found) / max(len(said), 1) + own / 20 + len(found) / 100
        share += (has / len(required) if required else 0.5) + len(required) / 100 * (has == len(required))
        if found and share > most:
            best, most = kind, share
    return best
