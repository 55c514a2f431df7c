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

REMEDY = f"split the file, or have the limit `{{key}}` raised ({ENVIRONMENT})"


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

    def refuse(self, where: Place | str, key: str, found: float, what: str) -> None:
        """Refuse `found` when it is beyond the limit `key`; `what` says what there is too much of, with a place for it.

        Raises
        ------
        InputError
            With the limit, and whom to ask for more.
        """
        most = getattr(self, key)
        if found > most:
            told = f"{what.format(f'{found:,.0f}')}, more than the {most:,} that are read at once"
            raise InputError(Fault(where, told, REMEDY.format(key=key)))


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
            faults.append(Fault(f"{own}, {key}", "is no limit", f"use one of {', '.join(declared)}"))
        elif not isinstance(value, int) or isinstance(value, bool) or value < 1:
            faults.append(Fault(f"{own}, {key}", f"{value!r} is no whole number above 0", "write e.g. 500000"))
    return faults
