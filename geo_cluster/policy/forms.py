"""Tables that people fill in for the policy: their columns are declared, files go through the one reader of tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.errors import Fault, Faults, Place, refuse_if
from geo_cluster.world import spreadsheet
from geo_cluster.world.sheets import columns as columns_
from geo_cluster.world.sheets import table
from geo_cluster.world.sheets.calls import Calls
from geo_cluster.world.sheets.columns import Understood

RANGE = re.compile(r"^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)%?(?:\s*[-~～至到]\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)%?)?$")
"""A number or a range, which may be below 0: `30`, `25-35`, `-5~10`, `20%`."""


@dataclass(frozen=True)
class Form:
    """One kind of table.

    Attributes
    ----------
    table : str
        Table of `geo_cluster/tables` whose `[columns]` declare it.
    file : str
        Its name among the files of a work.
    """

    table: str
    file: str

    @property
    def columns(self) -> dict[str, dict[str, Any]]:
        """How each column is called and read."""
        return toml.table(self.table)["columns"]

    def understood(self, content: bytes, name: str) -> Understood:
        """A file as people write it under our columns."""
        calls = _calls(self.table)
        return columns_.understand(table.read(content, name, lambda head: bool(calls.of(head).key)), calls)

    def typed(self, rows: pd.DataFrame, where: Place | str = "") -> Understood:
        """A table under our keys or headings, as an editor has it; its first row is row 2, as below headings.

        Parameters
        ----------
        rows : DataFrame
        where : Place or str
            What faults are put down to; the file's name when left out.
        """
        frame = rows.reset_index(drop=True)
        frame.index += 2
        frame = frame.astype(object).where(frame.notna(), "").astype(str).replace(r"\.0$", "", regex=True)
        return columns_.understand(table.Table(frame, where or self.file), _calls(self.table))

    def text(self, found: Understood) -> tuple[pd.DataFrame, Faults]:
        """The cells of rows that say something, and the faults so far.

        Raises
        ------
        InputError
            A heading can't be read, or a column that is required is not there.
        """
        faults = Faults(found.faults)
        required = [key for key, column in self.columns.items() if column.get("required")]
        missing = [key for key in required if key not in found.headings]
        faults += [Fault("world.column_required", found.table.place(0, self.columns[key]["zh"])) for key in missing]
        refuse_if(faults if missing else [])
        text = found.text.apply(lambda column: column.str.strip())
        return text[(text.drop(columns="source") != "").any(axis=1)], faults

    def place(self, found: Understood, row: int, key: str) -> Place:
        """Where a cell of the table that was `found` is: its `row`, and the `key` of its column."""
        return found.table.place(int(row), found.headings.get(key, self.columns[key]["zh"]))

    def kept(self, found: Understood) -> bytes:
        """An understood table as the file that a work keeps."""
        text = found.text[(found.text != "").any(axis=1)]
        return spreadsheet.as_csv(text.rename(columns={key: column["zh"] for key, column in self.columns.items()}))

    def template(self, language: Language) -> bytes:
        """A file with the headings and one row that is labelled 示例."""
        row = {key: str(column.get("example", "")) for key, column in self.columns.items()} | {"source": "示例"}
        names = {key: column[language] for key, column in self.columns.items()}
        return spreadsheet.as_csv(pd.DataFrame([row]).rename(columns=names))


@cache
def _calls(name: str) -> Calls:
    return Calls(toml.table(name)["columns"])


MONEY = Form("support", "policy_money.csv")
"""What policy money is worked out from."""
ACTUALS = Form("targets", "policy_targets.csv")
"""Actual values of the policy's targets."""
