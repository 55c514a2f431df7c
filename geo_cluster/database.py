"""Where a workspace lies: one SQLite file, or PostgreSQL by URL, through the same tables.

An address may hold a password: whoever shows one shows `masked(address)`.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, LargeBinary, MetaData, Table, event
from sqlalchemy import Text as Words
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from geo_cluster.errors import DataError, Fault, InputError

SCHEMA = 1
"""Version of the tables below; a workspace made by a later version is refused, not guessed at."""

ENVIRONMENT = "GEO_CLUSTER_WORKSPACE"
"""Variable that names the workspace; where it is empty, a file in the user's data folder is taken."""

BUSY_S = 15.0
"""How long a save waits for another one to end."""

_MAKING = 20260101
"""Number of the lock under which PostgreSQL's tables are made."""

tables = MetaData()


class Moment(sa.TypeDecorator):
    """A time in UTC; None where what is kept is none, so that one spoilt row doesn't hide the others."""

    impl = sa.DateTime
    cache_ok = True

    def result_processor(self, dialect: Any, coltype: object) -> Any:
        """SQLAlchemy's own reader, without what it raises."""
        read = super().result_processor(dialect, coltype)

        def moment(value: Any) -> Any:
            try:
                return read(value) if read else value
            except (ValueError, TypeError):
                return None

        return moment


made = Table("geo_cluster_schema", tables, Column("version", Integer, primary_key=True))

blobs = Table(
    "geo_cluster_blobs",
    tables,
    Column("sha256", sa.String(64), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
    comment="contents of files, compressed, each once",
)
works = Table(
    "geo_cluster_works",
    tables,
    Column("id", sa.String(32), primary_key=True),
    Column("owner", Words, nullable=False),
    Column("shared", sa.Boolean, nullable=False),
    Column("deleted_at", Moment),
    Column("deleted_by", Words),
)
revisions = Table(
    "geo_cluster_revisions",
    tables,
    Column("work", sa.String(32), ForeignKey("geo_cluster_works.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", sa.String(8), nullable=False),
    Column("origin", Integer, nullable=False, comment="number of the revision whose content this is; itself if new"),
    Column("before", Integer, comment="origin of what a new content was made from; none for the first"),
    Column("tip", Integer, nullable=False, comment="where redo leads: the newest content of this line"),
    Column("scenario", Words, nullable=False, comment="JSON"),
    Column("files", Words, nullable=False, comment="JSON: path -> SHA-256 of the content"),
    Column("note", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("at", Moment, nullable=False, comment="UTC"),
    comment="what works were and are; rows are added, never changed",
)
plans = Table(
    "geo_cluster_plans",
    tables,
    Column("id", Integer, primary_key=True),
    Column("work", sa.String(32), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("scenario_id", sa.String(12), nullable=False),
    Column("content", Words, nullable=False, comment="JSON: site of each project, bound, hashes of what went in"),
    Column("author", Words, nullable=False),
    Column("at", Moment, nullable=False, comment="UTC"),
    ForeignKeyConstraint(["work", "number"], ["geo_cluster_revisions.work", "geo_cluster_revisions.number"]),
)
marks = Table(
    "geo_cluster_marks",
    tables,
    Column("person", Words, primary_key=True),
    Column("mark", sa.String(64), primary_key=True),
    comment="what a person has seen and need not see again",
)


def default_address() -> str:
    """The workspace that the environment names, else a file in the user's data folder."""
    named = os.environ.get(ENVIRONMENT, "").strip()
    if named:
        return named
    folders = {"win32": os.environ.get("LOCALAPPDATA", ""), "darwin": str(Path("~/Library/Application Support"))}
    usual = folders.get(sys.platform) or os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return str(Path(usual).expanduser() / "geo_cluster" / "workspace.sqlite")


def masked(address: str) -> str:
    """An address as it may be shown: without password, and without the options that may hold one."""
    url = _url(address)
    return url.database or "" if url.drivername == "sqlite" else url.set(query={}).render_as_string(hide_password=True)


def connect(address: str = "") -> Engine:
    """Open the workspace at a path or URL, making its tables where there are none yet.

    Parameters
    ----------
    address : str
        Path of an SQLite file, or `postgresql://user:password@host/database`; empty for `default_address()`.

    Raises
    ------
    InputError
        The folder is missing or can't be written to, the URL is none, or the workspace is of a later version.
    DataError
        The file is no workspace, or the server can't be reached.
    """
    url = _url(address or default_address())
    if url.drivername == "sqlite":
        if not address and not os.environ.get(ENVIRONMENT):
            with suppress(OSError):  # what is wrong is told by the check that follows
                Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        _check_file(Path(str(url.database)))
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_S})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    else:
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    shown = masked(address or default_address())
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # two servers may start at once
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING)))
        _make_tables(connection, shown)
    return engine


def _make_tables(connection: Connection, shown: str) -> None:
    there = set(sa.inspect(connection).get_table_names())
    if made.name not in there:
        if there and connection.dialect.name == "sqlite":
            remedy = "choose another file with --workspace FILE"
            raise InputError(Fault(shown, "is another program's database", remedy))
        tables.create_all(connection)
        connection.execute(made.insert().values(version=SCHEMA))
    version = connection.scalar(sa.select(made.c.version)) or 0
    if version > SCHEMA:
        what = f"was made by a later version (its tables are of version {version}, this program knows {SCHEMA})"
        raise InputError(Fault(shown, what, "update geo-cluster, or choose another workspace"))


def _url(address: str) -> URL:
    """An address as a URL; a path is an SQLite file. What is wrong is told without repeating the address."""
    if "://" not in address:
        return URL.create("sqlite", database=str(Path(address).expanduser().absolute()))
    remedy = "give a file, or postgresql://user:password@host:5432/database (special characters as %40 and the like)"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise InputError(Fault("workspace", "the address is no URL", remedy)) from None
    backend = {"postgres": "postgresql"}.get(url.drivername.split("+")[0], url.drivername.split("+")[0])
    if backend == "sqlite" and url.database:
        return _url(url.database)
    if backend != "postgresql":
        raise InputError(Fault("workspace", f"{backend!r} is no kind of database known here", remedy))
    return url.set(drivername="postgresql+psycopg")


def _check_file(path: Path) -> None:
    remedy = "choose a file in a folder that you may write to, with --workspace FILE"
    if path.is_dir():
        raise InputError(Fault(str(path), "is a folder, not a file", remedy))
    if not path.parent.is_dir():
        raise InputError(Fault(str(path.parent), "no such folder", f"make it, or {remedy}"))
    try:
        with path.open("ab"):  # makes an empty file, which SQLite takes as a new database
            pass
        beside = path.with_name(f".{path.name}.{os.getpid()}")  # SQLite writes its log beside the file
        beside.touch()
        beside.unlink()
    except OSError as problem:
        raise InputError(Fault(str(path), f"can't be written to ({problem.strerror})", remedy)) from None


def _set_up(connection: Any, _: object) -> None:
    """Acknowledged means on disk; and transactions begin where we say so, not where the driver guesses."""
    connection.isolation_level = None
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # a spoilt byte is told where it is
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that looks."""
    with _told(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it, or nothing."""
    with _told(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    """What a database refuses, in words, without its address."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except (DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as problem:
        reason = str(problem.orig if isinstance(problem, DBAPIError) else problem).strip()
        remedy = "nothing was saved; look after the database and try again"
        if "locked" in reason:
            remedy = "another program holds it; try again in a moment"
        elif "not a database" in reason or "malformed" in reason:
            remedy = "choose another file with --workspace FILE, or put a copy of it back"
        elif "readonly" in reason:
            remedy = "nothing was saved; get the right to write to the file and its folder"
        elif "full" in reason:
            remedy = "free space on the disk and try again"
        first = reason.splitlines()[0] if reason else type(problem).__name__
        first = first.partition(" with text ")[0]  # SQLite would tell what is in the cell
        where = masked(engine.url.render_as_string(hide_password=False))
        raise DataError(Fault(where, f"the workspace can't be used ({_without(engine.url, first)})", remedy)) from None


def _without(url: URL, text: str) -> str:
    """A text without what is secret in a URL."""
    secrets = [url.password or "", *(str(value) for key, value in url.query.items() if "pass" in key)]
    for secret in secrets:
        text = text.replace(str(secret), "***") if secret else text
    return text
