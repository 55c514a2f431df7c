"""Sign-ins that have ended: kept in the workspace, so that a copied cookie is worth nothing, after a restart too.

Only a hash of what the identity provider said is kept, and no longer than its cookie could be used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from geo_cluster.workspace.database import connect, reading, writing
from geo_cluster.workspace.schema import signed_out

KEPT = timedelta(days=40)
"""Longer than a cookie lives: 30 days, and a day of grace."""


def login_of(claims: Mapping[str, object]) -> str:
    """Names one sign-in: no two have the same claims, since each has a `nonce` and a time of its own."""
    own = {key: value for key, value in claims.items() if key not in ("origin", "is_logged_in", "tokens")}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=8)
def _kept_in(workspace: str) -> Engine:
    """The workspace at an address, without what no cookie can use any more; opened once."""
    engine = connect(workspace)
    with writing(engine) as connection:
        connection.execute(signed_out.delete().where(signed_out.c.at < _now() - KEPT))
    return engine


def end(workspace: str, login: str) -> None:
    """From now on nobody is signed in by this; it is on disk when this returns."""
    engine = _kept_in(workspace)
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[engine.dialect.name]
    with writing(engine) as connection:
        connection.execute(insert(signed_out).values(login=login, at=_now()).on_conflict_do_nothing())


def has_ended(workspace: str, login: str) -> bool:
    """Whether somebody has signed out of it."""
    with reading(_kept_in(workspace)) as connection:
        return connection.execute(select(signed_out.c.login).where(signed_out.c.login == login)).first() is not None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
