"""Files that can't be read here: what each is, and how to save it so that it can; `tables/foreign.toml`."""

from __future__ import annotations

from pathlib import PurePosixPath

from geo_cluster import toml
from geo_cluster.domain import Text
from geo_cluster.errors import Fault


def foreign_fault(content: bytes, name: str) -> Fault | None:
    """The fault of a file of such a kind, by how it begins or else by its ending; None for any other."""
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    rows = toml.table("foreign").values()
    begins = (row for row in rows if any(content.startswith(bytes.fromhex(mark)) for mark in row.get("begins", ())))
    ends = (row for row in rows if ending in row.get("endings", ()))
    found = next(begins, None) or next(ends, None)
    if found is None:
        return None
    return Fault("box.foreign", name, kind=Text(**found["is"]), how=Text(**found["how"]))
