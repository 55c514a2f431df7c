"""Where works are kept: one SQLite file, or PostgreSQL by URL, through the same tables.

Nothing is acknowledged that isn't in the place where the next start will look for it. Each transaction opens the file
anew and sees which workspace it is and whether the last save of this process is in it; a save is looked for once more
after it was written. So a file that was deleted, emptied, moved, replaced or overwritten meanwhile is noticed, and
between transactions everything is in the file itself.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from geo_cluster.errors import DataError, Fault, InputError, Reason, reason_of
from geo_cluster.workspace import schema
from geo_cluster.workspace.address import (
    ENVIRONMENT,
    check_file,
    default_address,
    masked,
    masked_url,
    placed,
    sweep,
    tighten,
    uri,
    url_of,
    which,
)
from geo_cluster.workspace.refusals import in_words, said_by
from geo_cluster.workspace.schema import APPLICATION, made, saves, tables

__all__ = ["ENVIRONMENT", "connect", "default_address", "masked", "reading", "writing"]

BUSY_S = 15.0
"""How long a save waits for another one to end."""

_MAKING = 20260101
"""Number of the lock under which PostgreSQL's tables are made."""

log = logging.getLogger("geo_cluster")


@dataclass
class _Known:
    """What this process knows of a workspace: which it is, and the last save that was acknowledged."""

    workspace: str = ""
    save: str = ""


def connect(address: str = "", *, make: bool = True) -> Engine:
    """Open the workspace at a path or URL, making it where there is none yet and stepping an older one up.

    Parameters
    ----------
    address : str
        Path of an SQLite file, or `postgresql://user:password@host/database`; empty for `default_address()`.
    make : bool
        Whether one that isn't there is made.

    Raises
    ------
    InputError
        The folder is missing or can't be written to, the URL is none, or the workspace is of a later version.
    DataError
        The file is no workspace, or the server can't be reached.
    """
    place = address or default_address()
    url = url_of(place)
    if url.drivername == "sqlite":
        path = Path(str(url.database))
        if path == Path(default_address()):
            with suppress(OSError):  # what is wrong is told by the check that follows
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not check_file(path, must_be=not make):
            _make(path)
        engine = _engine_of(path)
    else:
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    known = _Known()
    engine.update_execution_options(known=known)
    with in_words(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":  # two servers may start at once
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
        known.workspace = _step_up(connection, masked(place), make=make)
    if engine.dialect.name == "sqlite":
        tighten(Path(str(url.database)))
        sweep(Path(str(url.database)).parent)
    return engine


def _engine_of(path: Path) -> Engine:
    """An engine on a file; each transaction opens it anew, so that none works on a file that is there no longer."""
    url = URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, creator=lambda: open_file(path), poolclass=sa.NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def open_file(path: Path, *, has_log: bool = True) -> sqlite3.Connection:
    """Open an SQLite file that is there; acknowledged means on disk, and transactions begin where we say so.

    Raises
    ------
    DataError
        There is none, an empty one, or one of another program.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise DataError(Fault("workspace.gone", path)) from None
    except OSError as problem:
        raise DataError(Fault("workspace.out_of_reach", path, reason=reason_of(problem))) from None
    if not size:
        raise DataError(Fault("workspace.empty_file", path))
    connection = sqlite3.connect(
        f"{uri(path)}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        _refuse_other(connection, path)
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # a spoilt byte: told where it is
        journal = "WAL" if has_log else "DELETE"
        for pragma in (f"journal_mode={journal}", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_other(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file of another program before anything is changed in it."""
    connection.execute("PRAGMA trusted_schema=OFF")
    there = connection.execute("SELECT type, name FROM sqlite_master").fetchall()  # a trigger may share a table's name
    if ("table", made.name) not in there or {kind for kind, _ in there} - {"table", "index"}:
        raise DataError(Fault("workspace.foreign_database", path) if there else Fault("workspace.no_tables", path))


def _make(path: Path) -> None:
    """Make a new workspace; it is whole before it is in its place, so that an empty file is never one of ours."""
    try:
        with placed(path) as part:
            make_tables(part, workspace=secrets.token_hex(16))
    except FileExistsError:  # another server started at once
        pass
    except (OSError, sqlite3.Error, DBAPIError) as problem:
        raise InputError(Fault("workspace.not_made", path, reason=_reason(problem))) from None


def _reason(problem: OSError | sqlite3.Error | DBAPIError) -> Reason:
    if isinstance(problem, OSError):
        return reason_of(problem)
    return Reason("数据库报错", said_by((problem.orig if isinstance(problem, DBAPIError) else None) or problem))


def make_tables(path: Path, *, workspace: str) -> None:
    """Make the tables in an empty file."""
    engine = sa.create_engine(URL.create("sqlite", database=str(path)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION}")
        tables.create_all(connection)
        connection.execute(made.insert().values(version=schema.newest(), workspace=workspace))


def _step_up(connection: Connection, shown: str, *, make: bool) -> str:
    """Bring the tables to what this version knows, in the transaction at hand; which workspace it is."""
    if not sa.inspect(connection).has_table(made.name):  # of PostgreSQL; a file is made with its tables
        if not make:
            raise InputError(Fault("workspace.no_workspace_there", shown))
        tables.create_all(connection)
        connection.execute(made.insert().values(version=schema.newest(), workspace=secrets.token_hex(16)))
    version = connection.scalar(sa.select(made.c.version)) or 0
    _refuse_later(version, shown)
    if version < 1:
        raise DataError(Fault("workspace.no_version", shown))
    if version < schema.newest() and connection.dialect.name == "sqlite":
        _copy_before(Path(shown), version)
    for number, step in enumerate(schema.STEPS[version - 1 :], start=version):
        step.apply(connection)
        connection.execute(made.update().values(version=number + 1))
        log.warning("%s was stepped up from schema %d to %d (%s)", shown, number, number + 1, step.name)
    return connection.scalar(sa.select(made.c.workspace)) or ""


def _refuse_later(version: int, shown: str) -> None:
    if version > schema.newest():
        raise InputError(Fault("workspace.later_version", shown, version=version, known=schema.newest()))


def _copy_before(path: Path, version: int) -> None:
    """Keep a copy of a file beside it before it is stepped up."""
    kept = path.with_name(
        f"{path.stem}.schema-{version}.{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}{path.suffix}"
    )
    try:
        with placed(kept) as part, closing(open_file(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
    except OSError as problem:
        raise DataError(Fault("workspace.no_room_to_step_up", kept, reason=reason_of(problem))) from None
    log.warning("%s: kept as %s before it is stepped up", path, kept.name)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that looks."""
    with in_words(engine), engine.connect() as connection, connection.begin():
        _recognise(connection)
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it, or nothing; it is there when this ends well."""
    token, path = secrets.token_hex(8), Path(str(engine.url.database))
    is_file = engine.dialect.name == "sqlite"
    with in_words(engine):
        file = which(path) if is_file else None
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            known = _recognise(connection)
            yield connection
            connection.execute(saves.insert().values(token=token))
        if is_file:  # a server keeps its tables while it says that they were saved
            if which(path) not in (file, (0, 0)):
                raise DataError(Fault("workspace.replaced", path))
            with engine.connect() as connection, connection.begin():
                _recognise(connection, token)
        known.save = token


def _recognise(connection: Connection, save: str = "") -> _Known:
    """Refuse what isn't the workspace that was opened, or is an older copy of it; what is known of it."""
    known: _Known = connection.get_execution_options()["known"]
    shown = masked_url(connection.engine.url)
    last = sa.exists().where(saves.c.token == (save or known.save))
    row = connection.execute(sa.select(made.c.version, made.c.workspace, last)).one_or_none()
    if row is None or row.workspace != known.workspace:
        raise DataError(Fault("workspace.another_workspace", shown))
    if not save:
        _refuse_later(row.version, shown)
    if (save or known.save) and not row[2]:
        raise DataError(Fault("workspace.older_copy", shown))
    return known
