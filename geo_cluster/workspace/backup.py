"""A workspace's copy in one file, made while others work on it, and the way back.

A backup is a workspace in an SQLite file, whatever the workspace itself lies in: the app opens it as it is.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import stat
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from geo_cluster import scratch
from geo_cluster.domain import Text
from geo_cluster.errors import DataError, Fault, GeoClusterError, InputError, Place, reason_of
from geo_cluster.workspace.address import WORKSPACE, placed, uri
from geo_cluster.workspace.database import connect, make_tables, open_file, reading, writing
from geo_cluster.workspace.refusals import in_words, said_by
from geo_cluster.workspace.schema import (
    blobs,
    comments,
    headings,
    ledger,
    made,
    marks,
    plans,
    revisions,
    saves,
    signed_out,
    works,
)

CONTENT = (blobs, works, revisions, plans, ledger, comments, marks, headings, signed_out)
"""What a workspace holds, each table after those that it points to."""

OWN = (works, ledger, comments)
"""What somebody made: where there is any, nothing is put on top of it."""

PIECE = 1 << 20

Counts = dict[str, int]


def write(engine: Engine, file: Path) -> Counts:
    """Copy a workspace as it is at this moment into a new file, and check the copy.

    Returns
    -------
    dict
        Rows by table.

    Raises
    ------
    InputError
        The file is there already or can't be written; nothing is left of it.
    DataError
        The workspace can't be used, or holds what is not as it was saved: the copy is there, and as damaged.
    """
    file = file.absolute()
    if file.exists() or file.is_symlink():
        raise InputError(Fault("workspace.already_there", file))
    try:
        with placed(file) as part, in_words(engine):
            counts = _from_file(engine, part) if engine.dialect.name == "sqlite" else _from_server(engine, part)
            spoilt = _checked(part)
    except FileExistsError:
        raise InputError(Fault("workspace.already_there", file)) from None
    except OSError as problem:
        raise InputError(Fault("workspace.backup_not_written", file, reason=reason_of(problem))) from None
    _refuse_spoilt(spoilt, file)
    return counts


def restore(file: Path, address: str) -> Counts:
    """Put what a backup holds into a workspace that is new or has no works, all of it or nothing, and check it.

    Returns
    -------
    dict
        Rows by table.

    Raises
    ------
    InputError
        The backup is none or can't be read, or the workspace holds works already.
    DataError
        The workspace can't be used, or the backup holds what is not as it was saved: it is there, and as damaged.
    """
    with scratch.temporary() as folder:
        copy = _copied(file, folder)
        with _named(file):
            source = connect(str(copy), make=False)  # steps the copy up, not the backup
            spoilt = _checked(copy)
        engine = connect(address)
        with in_words(engine):
            counts = _into_file(copy, engine) if engine.dialect.name == "sqlite" else _into_server(source, engine)
        with reading(engine) as connection:
            arrived = {table.name: _count(connection, table) for table in CONTENT if table not in (marks, signed_out)}
    if arrived.items() - counts.items():
        raise DataError(Fault("workspace.backup_incomplete", file))
    _refuse_spoilt(spoilt, file)
    return counts


def _copied(file: Path, folder: Path) -> Path:
    """A backup with the log that may lie beside it, where it can be stepped up."""
    copy = folder / "backup.sqlite"
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise InputError(Fault("workspace.not_a_backup", file))
        for suffix in ("", "-wal"):
            beside = file.with_name(file.name + suffix)
            if beside.is_file():
                shutil.copyfile(beside, f"{copy}{suffix}")
                Path(f"{copy}{suffix}").chmod(0o600)
    except (OSError, ValueError) as problem:
        raise InputError(Fault("workspace.backup_unreadable", file, reason=reason_of(problem))) from None
    return copy


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """What is wrong with the copy of a backup is wrong with the backup."""
    try:
        yield
    except GeoClusterError as refusal:
        found = [Text(zh=fault.words("zh").what, en=fault.words("en").what) for fault in refusal.faults]
        raise InputError([Fault("workspace.backup_unusable", file, found=one) for one in found]) from None
    except sqlite3.Error as problem:
        raise InputError(Fault("workspace.backup_spoilt", file, reason=said_by(problem))) from None


def _from_file(engine: Engine, part: Path) -> Counts:
    with reading(engine) as connection:
        make_tables(part, workspace=connection.scalar(sa.select(made.c.workspace)) or "")
    with closing(open_file(part, has_log=False)) as target:
        return _filled(target, Path(str(engine.url.database)), (*CONTENT, saves))


def _into_file(source: Path, engine: Engine) -> Counts:
    with closing(open_file(Path(str(engine.url.database)))) as target:
        return _filled(target, source, CONTENT)


def _filled(target: sqlite3.Connection, source: Path, tables: tuple[sa.Table, ...]) -> Counts:
    """Copy every row of one file into another, bytes as they are, from one moment, in one transaction."""
    target.execute("ATTACH ? AS origin", [f"{uri(source)}?mode=rw"])
    target.execute("BEGIN IMMEDIATE")
    _refuse_works(sum(target.execute(f"SELECT count(*) FROM main.{one.name}").fetchone()[0] for one in OWN))
    counts = {}
    for table in tables:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        target.execute(f"INSERT OR IGNORE INTO main.{table.name} ({names}) SELECT {names} FROM origin.{table.name}")
        counts[table.name] = target.execute(f"SELECT count(*) FROM origin.{table.name}").fetchone()[0]
    target.execute("COMMIT")
    return counts


def _refuse_works(count: int) -> None:
    if count:
        raise InputError(Fault("workspace.holds_works", WORKSPACE, count=count))


def _from_server(engine: Engine, part: Path) -> Counts:
    alike = engine.execution_options(isolation_level="REPEATABLE READ")  # all tables as they were at one moment
    with reading(alike) as origin:
        make_tables(part, workspace=origin.scalar(sa.select(made.c.workspace)) or "")
        target = connect(str(part), make=False)
        with writing(target) as connection:
            return _carried(origin, connection, (*CONTENT, saves))


def _into_server(source: Engine, engine: Engine) -> Counts:
    with reading(source) as origin, writing(engine) as connection:
        connection.execute(sa.text(f"LOCK TABLE {works.name} IN SHARE ROW EXCLUSIVE MODE"))
        _refuse_works(sum(_count(connection, one) for one in OWN))
        counts = _carried(origin, connection, CONTENT)
        for table, key in ((plans, "id"), (ledger, "seq"), (comments, "seq")):
            sequence = f"pg_get_serial_sequence('{table.name}', '{key}')"
            last = f"(SELECT coalesce(max({key}), 0) + 1 FROM {table.name})"
            connection.execute(sa.text(f"SELECT setval({sequence}, {last})"))
        return counts


def _carried(origin: Connection, target: Connection, tables: tuple[sa.Table, ...]) -> Counts:
    """Copy every row from one database into another, a few at a time."""
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[target.dialect.name]
    counts = {}
    for table in tables:
        counts[table.name] = 0
        try:
            for rows in origin.execute(sa.select(table), execution_options={"yield_per": 50}).partitions():
                target.execute(insert(table).on_conflict_do_nothing(), [dict(row._mapping) for row in rows])
                counts[table.name] += len(rows)
        except (sa.exc.IntegrityError, UnicodeError):
            raise DataError(Fault("workspace.row_not_taken", table.name)) from None
    return counts


def _count(connection: Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _checked(file: Path) -> list[str]:
    """Contents of a file that are not what was saved; a file that is no sound database is refused."""
    with closing(open_file(file, has_log=False)) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            raise DataError(Fault("workspace.backup_damaged", file, reason=found[0]))
        for table in CONTENT:
            connection.execute(f"SELECT {', '.join(table.columns.keys())} FROM {table.name} LIMIT 0")
        rows = connection.execute(f"SELECT sha256, packed FROM {blobs.name}")
        return [sha256 for sha256, packed in rows if _sha256(packed) != sha256]


def _sha256(packed: bytes) -> str:
    """The hash of what is packed, a piece at a time: a small file may be made to unpack to a huge one."""
    content, unpack = hashlib.sha256(), zlib.decompressobj()
    try:
        while not unpack.eof:
            piece = unpack.decompress(packed, PIECE)
            if not (piece or unpack.eof or unpack.unconsumed_tail):  # it is cut off
                return ""
            content.update(piece)
            packed = unpack.unconsumed_tail
    except (zlib.error, TypeError):
        return ""
    return content.hexdigest()


def _refuse_spoilt(spoilt: list[str], file: Path) -> None:
    if spoilt:
        raise DataError([Fault("workspace.spoilt_content", Place(str(file), key=sha256[:12])) for sha256 in spoilt])
