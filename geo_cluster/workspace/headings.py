"""What headings of tables mean to a person, matched by hand once and kept for every table with the same headings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.engine import Connection

from geo_cluster.workspace.database import reading, writing
from geo_cluster.workspace.repository import SPOILT, Workspace
from geo_cluster.workspace.schema import headings as kept


def matched(space: Workspace, kind: str, headings: Iterable[str]) -> dict[str, str]:
    """How a table with these headings was matched by hand before: key by heading; empty if never.

    Parameters
    ----------
    space : Workspace
    kind : str
        What the table holds.
    headings : iterable of str
        In any order.
    """
    with reading(space.engine) as connection:
        said = connection.scalar(select(kept.c.mapping).where(_of(space, kind, headings)))
    try:
        found = json.loads(said) if said else {}
        return {str(heading): str(key) for heading, key in found.items()}
    except SPOILT:
        return {}


def remember(space: Workspace, kind: str, headings: Iterable[str], mapping: Mapping[str, str]) -> None:
    """Keep how a table with these headings was matched, in place of what was kept for them.

    Parameters
    ----------
    space : Workspace
    kind : str
    headings : iterable of str
    mapping : mapping of str
        Heading -> key, as in `imports.tables.TableChoice`.
    """
    row: dict[str, Any] = {"person": space.person.name, "kind": kind, "headings": _mark(names := list(headings))}
    row |= {"mapping": json.dumps(dict(mapping), ensure_ascii=False), "at": datetime.now(UTC).replace(tzinfo=None)}
    with writing(space.engine) as connection:
        _forget(connection, space, kind, names)
        connection.execute(kept.insert().values(row))


def forget(space: Workspace, kind: str, headings: Iterable[str]) -> None:
    """Keep nothing any more for tables with these headings.

    Parameters
    ----------
    space : Workspace
    kind : str
    headings : iterable of str
        As in `remember`.
    """
    with writing(space.engine) as connection:
        _forget(connection, space, kind, headings)


def _forget(connection: Connection, space: Workspace, kind: str, headings: Iterable[str]) -> None:
    connection.execute(kept.delete().where(_of(space, kind, headings)))


def _of(space: Workspace, kind: str, headings: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.and_(kept.c.person == space.person.name, kept.c.kind == kind, kept.c.headings == _mark(headings))


def _mark(headings: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(headings))).encode()).hexdigest()
