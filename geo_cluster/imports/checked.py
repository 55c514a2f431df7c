"""What a checker is handed besides the rows of a file, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from geo_cluster.domain import KnownBetter, Text
from geo_cluster.errors import A_SHEET, Fault, row_of
from geo_cluster.region import Region
from geo_cluster.supply.land import Exclusion

Kind = Literal["observations", "parcels", "substations", "projects"]
KINDS: tuple[Kind, ...] = ("observations", "parcels", "substations", "projects")


@dataclass(frozen=True, eq=False)
class ImportContext:
    """What is known of a file besides its rows.

    Attributes
    ----------
    kind : str
        What it is checked as, one of `KINDS`.
    name, sha256 : str
        Of the file.
    region : Region
        What holds now: whose numbers there are, and what they are.
    source : str
        Who says so, where a row doesn't.
    crs : str
        What the coordinates are in, where the file doesn't say it: an EPSG code, `gcj02` or `bd09`.
    rules : tuple of Exclusion
        For parcels, in the order in which ground is charged.
    rules_crs : str
        What the layers of the rules are in, where it was chosen; as `crs`.
    belongs : mapping
        For parcels: site by what the column `site` says ('' where it says nothing), for names that no site has.
    mapping : mapping
        Heading -> key of our column, as chosen by hand; `-` for one that isn't to be used.
    """

    kind: Kind
    name: str
    sha256: str
    region: Region
    source: str = ""
    crs: str = ""
    rules: tuple[Exclusion, ...] = ()
    rules_crs: str = ""
    belongs: Mapping[str, str] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Checked:
    """A file that was read and checked: what it says, what is wrong, and what would be accepted of it.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    name, sha256 : str
        Of the file.
    table : DataFrame
        The rows as they came, as text; the index is the row in the file.
    faults : tuple of Fault
        Everything wrong; while there is any, nothing may be accepted.
    notes : tuple of Text
        What was converted, guessed or left out.
    preview : DataFrame
        What would be accepted, one row a number, station, site or project.
    known : tuple of KnownBetter
        Numbers for the scenario.
    files : mapping of bytes
        The rows to keep, by file name.
    source : str
        Who said so.
    extra : mapping
        Of parcels: `land` (a GeoDataFrame of net land), `sites` (sums), `gross` (the parcels), `belongs` (which went
        to which site).
    changed : DataFrame
        `row`, `column`, `written`, `understood`: cells that were read otherwise than they stand there.
    meant : DataFrame
        One row a heading: `heading`, `key` ('' for a further column), `how` (as of `calls.Call.rank`), three samples,
        the `unit` that it says.
    sheets, parts : tuple of str
        Sheets of the file that have rows, and those that were read.
    """

    kind: Kind
    name: str
    sha256: str
    table: pd.DataFrame
    faults: tuple[Fault, ...] = ()
    notes: tuple[Text, ...] = ()
    preview: pd.DataFrame = field(default_factory=pd.DataFrame)
    known: tuple[KnownBetter, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    changed: pd.DataFrame = field(default_factory=pd.DataFrame)
    meant: pd.DataFrame = field(default_factory=pd.DataFrame)
    sheets: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def row_name(self, row: int) -> str:
        """A row as people call it; with the sheet where several are read."""
        return f"{self.parts[row // A_SHEET]} {row_of(row)}" if len(self.parts) > 1 else str(row_of(row))

    @property
    def is_ready(self) -> bool:
        """Whether there is something to accept and nothing wrong."""
        return not self.faults and len(self.preview) > 0


def fault_table(faults: tuple[Fault, ...]) -> pd.DataFrame:
    """Faults with the row (0 for the whole file) and the column heading that each concerns, in English."""
    names = ["row", "column", "where", "what", "remedy"]
    return pd.DataFrame([[getattr(fault, name) for name in names] for fault in faults], columns=names)
