"""How large a file may be, and what reading it may take: declared in `tables/limits.toml`, raised by the owner."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from geo_cluster import toml
from geo_cluster.errors import Fault, InputError, Place, refuse_if

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT = "GEO_CLUSTER_LIMITS"
"""Variable that names a TOML file with limits of the owner's own."""


class Limits(SimpleNamespace):
    """The limits in force, each a whole number above 0; named as in `tables/limits.toml`."""

    megabytes: int
    unpacked_megabytes: int
    members: int
    ratio: int
    rows: int
    columns: int
    cells: int
    characters: int
    features: int
    vertices: int
    pixels: int
    nesting: int
    memory_megabytes: int
    cpu_seconds: int
    seconds: int
    output_megabytes: int
    open_files: int
    at_once: int
    pairs: int
    crossings: int
    unions: int
    overlay_seconds: int

    def refuse(self, place: Place | str, limit: str, found: float, code: str) -> None:
        """Refuse what is beyond a limit.

        Parameters
        ----------
        place : Place or str
            Where too much was found.
        limit : str
            Which limit, by its key.
        found : float
            How much was found, in the unit of the limit.
        code : str
            Of the fault, whose sentences name `found`, `most` and `limit`.

        Raises
        ------
        InputError
            With the limit, and whom to ask for more.
        """
        most = getattr(self, limit)
        if found > most:
            raise InputError(Fault(code, place, found=found, most=most, limit=limit))


def limits() -> Limits:
    """The limits in force: those of the table, and the owner's in place of them.

    Raises
    ------
    InputError
        The owner's file can't be read, names a limit that there is not, or no whole number above 0.
    """
    return _limits(os.environ.get(ENVIRONMENT, "").strip())


@cache
def _limits(own: str) -> Limits:

    declared = {key: row["value"] for key, row in toml.table("limits").items()}
    raised = toml.read(Path(own).expanduser()) if own else {}
    refuse_if(_faults(raised, declared, own))
    return Limits(**declared | raised)


def _faults(raised: Mapping[str, object], declared: Mapping[str, int], own: str) -> list[Fault]:
    faults = []
    for key, value in raised.items():
        if key not in declared:
            faults.append(Fault("box.no_limit", Place(own, key=key), known=list(declared)))
        elif not isinstance(value, int) or isinstance(value, bool) or value < 1:
            faults.append(Fault("box.odd_limit", Place(own, key=key), value=toml.shown(value)))
    return faults
