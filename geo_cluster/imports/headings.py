"""Headings as people write them, brought under the keys of `tables/imports.toml`; and which kind a table is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault, Faults, Place
from geo_cluster.imports.cells import plain
from geo_cluster.imports.checked import KINDS, Checked, ImportContext, Kind
from geo_cluster.world import catalog, portfolio

EXAMPLE = "示例行，导入时略过 / example row, left out at import"
"""Marks the row of a template that is never accepted."""

VERBATIM = ("name", "notes", "source", "outline")
"""Columns whose text stays as it was written."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a file by the keys of its kind, with the faults and notes found so far.

    Attributes
    ----------
    context : ImportContext
    table : DataFrame
        As it came, text by heading; the index is the row in the file.
    text : DataFrame
        Text by key; '' where the file has no such column. The example row of a template is left out.
    headings : mapping
        Key -> the heading that stands for it; only keys that the file has.
    faults : Faults
        Checkers add to them.
    notes : list of Text
        Checkers add to them.
    """

    context: ImportContext
    table: pd.DataFrame
    text: pd.DataFrame
    headings: Mapping[str, str]
    faults: Faults
    notes: list[Text]

    def at(self, row: int = 0, key: str = "") -> Place:
        """A row and column of the file; a column that it hasn't is called by its Chinese name."""
        heading = self.headings.get(key) or (columns_of(self.context.kind)[key]["zh"] if key else "")
        return Place(self.context.name, row=int(row), column=heading)

    def checked(self, **found: Any) -> Checked:
        """What was found, as `Checked`; `found` are its further fields."""
        of = self.context
        return Checked(of.kind, of.name, of.sha256, self.table, tuple(self.faults), tuple(self.notes), **found)


def columns_of(kind: Kind) -> dict[str, dict[str, Any]]:
    """The declared columns of a kind by key; projects have one for each resource too."""
    declared = toml.table("imports")[kind]
    if kind != "projects":
        return declared["columns"]
    asked = {
        one.column: {**one.heading.model_dump(), "example": one.example, "help": declared["resource_help"]}
        for one in (resource.asked for resource in catalog.resources().values())
    }
    columns = declared["columns"] | asked
    earlier = portfolio.former().items()
    return {
        key: {
            **columns[key],
            "aliases": [*columns[key].get("aliases", ()), *(heading for heading, meant in earlier if meant == key)],
        }
        for key in portfolio.columns()
    }


def recognise(table: pd.DataFrame, context: ImportContext) -> Rows:
    """Bring a table under the keys of its kind; see `Rows`.

    A heading may be a key, a name in either language, an alias, or both names with a slash between.
    """
    columns, keys = columns_of(context.kind), _keys(context.kind)
    meant = {heading: _key_of(heading, keys) for heading in dict.fromkeys(table.columns)}
    unused = [str(heading) for heading in table.columns if not meant[heading]]
    headings = {key: heading for heading, key in reversed(meant.items()) if key}
    text = pd.DataFrame("", index=table.index, columns=list(columns), dtype=object)
    for key, heading in headings.items():
        first = table.loc[:, heading]
        text[key] = (first if isinstance(first, pd.Series) else first.iloc[:, 0]).to_numpy()
        if key not in VERBATIM:
            text[key] = text[key].map(plain)
    example = (text == EXAMPLE).any(axis=1)
    rows = Rows(context, table, text[~example], headings, Faults(), [])
    _check_headings(rows, [(heading, meant[heading]) for heading in table.columns])
    if unused:
        rows.notes.append(Text(zh=f"未用到的列：{'、'.join(unused)}。", en=f"Columns not used: {', '.join(unused)}."))
    if example.any():
        rows.notes.append(Text(zh="模板的示例行不会导入。", en="The example row of the template is left out."))
    return rows


def _check_headings(rows: Rows, meant: list[tuple[Any, str]]) -> None:
    """Faults of columns that stand twice or are missing, and of too many rows."""
    name, kind = rows.context.name, rows.context.kind
    seen: set[str] = set()
    for heading, key in meant:
        if key in seen:
            column = columns_of(kind)[key]
            place = Place(name, column=str(heading))
            rows.faults.append(Fault("imports.second_column", place, column=Text(zh=column["zh"], en=column["en"])))
        elif key:
            seen.add(key)
    for key, column in columns_of(kind).items():
        if column.get("required") and key not in seen:
            rows.faults.append(Fault("imports.no_column", rows.at(0, key), zh_name=column["zh"], en_name=column["en"]))
    most = toml.table("imports")[kind]["most_rows"]
    if len(rows.table) > most:
        rows.faults.append(Fault("imports.too_many_rows", name, rows=len(rows.table), most=most))


def _head(text: object) -> str:
    return plain(text).lower().replace(" ", "").replace("_", "")


def _calls(key: str, column: Mapping[str, Any]) -> set[str]:
    """Everything a column may be called: its key, names and aliases."""
    return {_head(call) for call in (key, column["zh"], column["en"], *column.get("aliases", ()))}


def _keys(kind: Kind) -> dict[str, str]:
    """Key by everything that a column of a kind may be called."""
    return {call: key for key, column in reversed(columns_of(kind).items()) for call in _calls(key, column)}


def _key_of(heading: object, keys: Mapping[str, str]) -> str:
    """The key that a heading means: as it stands, else by either side of a slash, else without its bracket."""
    entire = plain(heading)
    for part in (entire, *entire.split(" / "), entire.split("(")[0]):
        if _head(part) in keys:
            return keys[_head(part)]
    return ""


def key_of(kind: Kind, heading: object) -> str:
    """Which column of a kind a heading means; '' if none.

    >>> key_of("parcels", "面积(亩)")
    'area'
    """
    return _key_of(heading, _keys(kind))


def kind_of(headings: Iterable[object]) -> str:
    """Which kind of table has such headings: one of `KINDS`, `rules` (exclusion rules), '' if none."""
    heads = [_head(heading) for heading in headings]
    if {"name", "layer", "bufferm"} <= set(heads):
        return "rules"
    halves = {_head(part) for heading in heads for part in heading.split("/")}
    best, most = "", 1.0
    for kind in KINDS:
        columns = columns_of(kind)
        hits = len(set().union(*(_calls(key, column) for key, column in columns.items())) & halves)
        required = [column for column in columns.values() if column.get("required")]
        has = sum(bool((_calls("", column) - {""}) & halves) for column in required)
        share = hits / len(halves) + hits / 100 + has / max(len(required), 1)
        if share > most or (kind == "observations" and share >= most):
            best, most = kind, share
    return best
