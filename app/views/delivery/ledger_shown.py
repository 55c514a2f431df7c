"""What the part `ledger` shows: a state of the ledger on a day, with its lights."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from geo_cluster.policy.ledger import Entry
from geo_cluster.policy.lit import Lit
from geo_cluster.policy.places import Places
from geo_cluster.workspace.under_way import Kept


@dataclass(frozen=True, eq=False)
class Shown:
    """What the part shows: a state of the ledger on a day.

    Attributes
    ----------
    seq : int
    kept : mapping of Kept
    day : date
    rule : str
    lit : Lit
    places : Places
    """

    seq: int
    kept: Mapping[str, Kept]
    day: datetime.date
    rule: str
    lit: Lit
    places: Places

    @property
    def projects(self) -> dict[str, Entry]:
        """Every project by id."""
        return {id_: one.entry for id_, one in self.kept.items() if one.entry is not None}
