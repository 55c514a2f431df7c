"""What a database refuses, as faults with codes; nothing secret of its address, and nothing of a cell, is in them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DBAPIError

from geo_cluster.errors import DataError, Fault
from geo_cluster.workspace.address import masked_url

SQLITE = {
    "SQLITE_BUSY": "workspace.locked",
    "SQLITE_LOCKED": "workspace.locked",
    "SQLITE_READONLY": "workspace.read_only",
    "SQLITE_PERM": "workspace.read_only",
    "SQLITE_CANTOPEN": "workspace.not_opened",
    "SQLITE_NOTADB": "workspace.not_a_database",
    "SQLITE_CORRUPT": "workspace.corrupt_database",
    "SQLITE_FULL": "workspace.disk_full",
    "SQLITE_IOERR": "workspace.disk_failed",
}
"""Codes by the beginning of SQLite's own name of an error (sqlite.org/rescode.html)."""

POSTGRESQL = {
    "28P01": "workspace.wrong_password",
    "28000": "workspace.wrong_password",
    "3D000": "workspace.no_such_database",
    "42501": "workspace.no_privilege",
    "42P01": "workspace.tables_gone",
    "3F000": "workspace.tables_gone",
    "25006": "workspace.read_only",
    "53100": "workspace.disk_full",
    "53300": "workspace.too_many_connections",
    "55P03": "workspace.locked",
    "40P01": "workspace.locked",
    "57P01": "workspace.connection_lost",
    "57P02": "workspace.connection_lost",
    "57P03": "workspace.connection_lost",
    "58030": "workspace.disk_failed",
    "XX001": "workspace.corrupt_database",
}
"""Codes by SQLSTATE (postgresql.org/docs, appendix A)."""

PHRASES = {
    "password authentication failed|no password supplied|role .* does not exist": "workspace.wrong_password",
    "database .* does not exist": "workspace.no_such_database",
    "invalid .*(option|value|port)|unrecognized": "workspace.odd_option",
    "could not translate host name|failed to resolve host|Name or service not known": "workspace.unknown_host",
    "Connection refused": "workspace.connection_refused",
    "timeout|timed out": "workspace.no_answer",
    "too many (clients|connections)|remaining connection slots": "workspace.too_many_connections",
    "server closed the connection|connection is lost|the connection is closed": "workspace.connection_lost",
    "relation .* does not exist|no such table": "workspace.tables_gone",
    "is locked": "workspace.locked",
    "readonly|read-only": "workspace.read_only",
    "unable to open": "workspace.not_opened",
    "not a database": "workspace.not_a_database",
    "malformed": "workspace.corrupt_database",
    "is full": "workspace.disk_full",
    "disk I/O": "workspace.disk_failed",
}
"""Codes by what is said where no number comes with it: before there is a connection libpq has words only."""


@contextmanager
def in_words(engine: Engine) -> Iterator[None]:
    """Turn what a database refuses into a fault.

    Raises
    ------
    DataError
        With a code for what is wrong. A row that breaks a rule of its table stays `IntegrityError`.
    """
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except (DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as problem:
        cause = (problem.orig if isinstance(problem, DBAPIError) else None) or problem
        raise DataError(
            Fault(code_of(cause), masked_url(engine.url), reason=_without_secrets(engine.url, said_by(cause)))
        ) from None


def code_of(problem: BaseException) -> str:
    """The code of what a driver refuses, by its number where it has one, else by what it says."""
    name, state = str(getattr(problem, "sqlite_errorname", "")), str(getattr(problem, "sqlstate", ""))
    known = next((code for beginning, code in SQLITE.items() if name.startswith(beginning)), POSTGRESQL.get(state))
    if known:
        return known
    return next((code for said, code in PHRASES.items() if re.search(said, str(problem))), "workspace.unusable")


def said_by(problem: BaseException) -> str:
    """The first line of what a driver says; SQLite would add what is in the cell."""
    lines = str(problem).strip().splitlines()
    return (lines[0] if lines else type(problem).__name__).partition(" with text ")[0]


def _without_secrets(url: URL, text: str) -> str:
    for secret in (url.password or "", *(str(value) for key, value in url.query.items() if "pass" in key)):
        text = text.replace(str(secret), "***") if secret else text
    return text
