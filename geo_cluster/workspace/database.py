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
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, Table, event
from sqlalchemy import Text as Words
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from geo_cluster.errors import DataError, Fault, InputError
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

__all__ = ["ENVIRONMENT", "SCHEMA", "connect", "default_address", "masked", "reading", "writing"]

SCHEMA = 2
"""Version of the tables below; an older workspace is stepped up, one made by a later version is refused."""

APPLICATION = 0x47454F43
"""Mark in the head of our SQLite files ("GEOC"), by which other programs can tell what they are."""

BUSY_S = 15.0
"""How long a save waits for another one to end."""

_MAKING = 20260101
"""Number of the lock under which PostgreSQL's tables are made."""

_LATER = "update geo-cluster, or choose another workspace"
_LOST = "nothing was saved; put the right one back, or start the app again to go on with what is there"

log = logging.getLogger("geo_cluster")

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


class Packed(sa.TypeDecorator):
    """Bytes; none where what is kept is a text or a number, so that it is refused like any other spoilt content."""

    impl = sa.LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Any, coltype: object) -> Any:  # noqa: ARG002
        """SQLAlchemy's own reader would make as many zeros of a number."""
        return lambda value: bytes(value) if isinstance(value, bytes | memoryview) else b""


made = Table(
    "geo_cluster_schema",
    tables,
    Column("version", Integer, primary_key=True),
    Column("workspace", sa.String(32), nullable=False, server_default="", comment="which workspace this is"),
)
saves = Table(
    "geo_cluster_saves",
    tables,
    Column("token", sa.String(32), primary_key=True),
    comment="one for each transaction that wrote: a copy that lacks one is an older one",
)

blobs = Table(
    "geo_cluster_blobs",
    tables,
    Column("sha256", sa.String(64), primary_key=True),
    Column("packed", Packed, nullable=False),
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
signed_out = Table(
    "geo_cluster_signed_out",
    tables,
    Column("login", sa.String(64), primary_key=True, comment="hash of the claims"),
    Column("at", Moment, nullable=False, comment="UTC"),
    comment="sign-ins that have ended, so that a copied cookie is worth nothing",
)


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
    with told(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
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
        raise DataError(Fault(str(path), "the workspace is gone: deleted, moved or renamed", _LOST)) from None
    except OSError as problem:
        raise DataError(Fault(str(path), f"the workspace can't be used ({problem.strerror})", _LOST)) from None
    if not size:
        remedy = "put a copy of it back; if it never was one, delete the file"
        raise DataError(Fault(str(path), "is empty, and no workspace", remedy))
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
        what = "is another program's database" if there else "has no tables, and is no workspace"
        raise DataError(Fault(str(path), what, "choose another file with --workspace FILE, or put a copy of it back"))


def _make(path: Path) -> None:
    """Make a new workspace; it is whole before it is in its place, so that an empty file is never one of ours."""
    try:
        with placed(path) as part:
            make_tables(part, workspace=secrets.token_hex(16))
    except FileExistsError:  # another server started at once
        pass
    except (OSError, sqlite3.Error, DBAPIError) as problem:
        reason = getattr(problem, "strerror", None) or str(getattr(problem, "orig", problem))
        raise InputError(
            Fault(str(path), f"can't be written to ({reason})", "free space, or choose another file")
        ) from None


def make_tables(path: Path, *, workspace: str) -> None:
    """Make the tables in an empty file."""
    engine = sa.create_engine(URL.create("sqlite", database=str(path)), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION}")
        tables.create_all(connection)
        connection.execute(made.insert().values(version=SCHEMA, workspace=workspace))


def _step_up(connection: Connection, shown: str, *, make: bool) -> str:
    """Bring the tables to what this version knows, in the transaction at hand; which workspace it is."""
    if not sa.inspect(connection).has_table(made.name):  # of PostgreSQL; a file is made with its tables
        if not make:
            raise InputError(Fault(shown, "holds no workspace", "check the address"))
        tables.create_all(connection)
        connection.execute(made.insert().values(version=SCHEMA, workspace=secrets.token_hex(16)))
    version = connection.scalar(sa.select(made.c.version)) or 0
    _refuse_later(version, shown)
    if version < SCHEMA and connection.dialect.name == "sqlite":
        _copy_before(Path(shown), version)
    for number in range(version, SCHEMA):
        STEPS[number](connection)
        connection.execute(made.update().values(version=number + 1))
        log.warning("%s was stepped up from schema %d to %d", shown, number, number + 1)
    return connection.scalar(sa.select(made.c.workspace)) or ""


def _refuse_later(version: int, shown: str) -> None:
    if version > SCHEMA:
        what = f"was made by a later version (its tables are of version {version}, this program knows {SCHEMA})"
        raise InputError(Fault(shown, what, _LATER))


def _name_and_count(connection: Connection) -> None:
    """From 1 (version 0.1.0) to 2: which workspace it is, a token for each save, sign-ins that have ended."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION}")
    added = "ALTER TABLE geo_cluster_schema ADD COLUMN workspace VARCHAR(32) DEFAULT '' NOT NULL"
    connection.exec_driver_sql(added)
    connection.execute(sa.text("UPDATE geo_cluster_schema SET workspace = :name"), {"name": secrets.token_hex(16)})
    connection.exec_driver_sql("CREATE TABLE geo_cluster_saves (token VARCHAR(32) NOT NULL, PRIMARY KEY (token))")
    moment = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP"}[connection.dialect.name]
    columns = f"login VARCHAR(64) NOT NULL, at {moment} NOT NULL, PRIMARY KEY (login)"
    connection.exec_driver_sql(f"CREATE TABLE geo_cluster_signed_out ({columns})")


STEPS: dict[int, Callable[[Connection], None]] = {1: _name_and_count}
"""What brings a workspace of a version to the next one; each says its tables in full, for those above move on."""


def _copy_before(path: Path, version: int) -> None:
    """Keep a copy of a file beside it before it is stepped up."""
    kept = path.with_name(
        f"{path.stem}.schema-{version}.{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}{path.suffix}"
    )
    try:
        with placed(kept) as part, closing(open_file(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
    except OSError as problem:
        remedy = "free space beside it and start again; the workspace is as it was"
        raise DataError(Fault(str(kept), f"could not be written ({problem.strerror})", remedy)) from None
    log.warning("%s: kept as %s before it is stepped up", path, kept.name)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that looks."""
    with told(engine), engine.connect() as connection, connection.begin():
        _recognise(connection)
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it, or nothing; it is there when this ends well."""
    token, path = secrets.token_hex(8), Path(str(engine.url.database))
    is_file = engine.dialect.name == "sqlite"
    with told(engine):
        file = which(path) if is_file else None
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            known = _recognise(connection)
            yield connection
            connection.execute(saves.insert().values(token=token))
        if is_file:  # a server keeps its tables while it says that they were saved
            if which(path) not in (file, (0, 0)):
                raise DataError(Fault(str(path), "the workspace was replaced while it was written to", _LOST))
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
        raise DataError(Fault(shown, "is another workspace than the one that was opened", _LOST))
    if not save:
        _refuse_later(row.version, shown)
    if (save or known.save) and not row[2]:
        raise DataError(Fault(shown, "is an older copy of the workspace: what was saved last is not in it", _LOST))
    return known


@contextmanager
def told(engine: Engine) -> Iterator[None]:
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
        elif "no such table" in reason or "does not exist" in reason:
            remedy = "its tables are gone; put a copy of it back"
        elif "not a database" in reason or "malformed" in reason:
            remedy = "choose another file with --workspace FILE, or put a copy of it back"
        elif "readonly" in reason or "unable to open" in reason:
            remedy = "nothing was saved; get the right to write to the file and its folder"
        elif "full" in reason:
            remedy = "free space on the disk and try again"
        first = reason.splitlines()[0] if reason else type(problem).__name__
        first = first.partition(" with text ")[0]  # SQLite would tell what is in the cell
        where = masked_url(engine.url)
        raise DataError(Fault(where, f"the workspace can't be used ({_without(engine.url, first)})", remedy)) from None


def _without(url: URL, text: str) -> str:
    """A text without what is secret in a URL."""
    secrets = [url.password or "", *(str(value) for key, value in url.query.items() if "pass" in key)]
    for secret in secrets:
        text = text.replace(str(secret), "***") if secret else text
    return text
