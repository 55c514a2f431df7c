"""The tables that works are kept in, and the steps that bring older ones up to them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, Table
from sqlalchemy import Text as Words
from sqlalchemy.engine import Connection

APPLICATION = 0x47454F43
"""Mark in the head of our SQLite files ("GEOC"), by which other programs can tell what they are."""

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
ledger = Table(
    "geo_cluster_ledger",
    tables,
    Column("seq", Integer, primary_key=True, autoincrement=True, comment="rises with each row, whoever writes"),
    Column("project", sa.String(40), nullable=False),
    Column("number", Integer, nullable=False, comment="of the revision of this project, from 1"),
    Column("content", Words, nullable=False, comment="JSON: the project as of now; '' where it was taken out"),
    Column("note", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("at", Moment, nullable=False, comment="UTC"),
    sa.UniqueConstraint("project", "number", name="uq_geo_cluster_ledger_project"),
    comment="projects under way; rows are added, never changed",
)
comments = Table(
    "geo_cluster_comments",
    tables,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("thread", sa.String(16), nullable=False, index=True),
    Column("kind", sa.String(8), nullable=False, comment="site, firm, project, plan or place"),
    Column("subject", sa.String(80), nullable=False, comment="its id; longitude,latitude of a place"),
    Column("work", sa.String(32), nullable=False, comment="of a project or plan; '' for none"),
    Column("name", Words, nullable=False, comment="what it was called"),
    Column("text", Words, nullable=False, comment="'' where only the status changed"),
    Column("status", sa.String(8), nullable=False),
    Column("author", Words, nullable=False),
    Column("at", Moment, nullable=False, comment="UTC"),
    comment="comments and their answers; rows are added, never changed",
)
marks = Table(
    "geo_cluster_marks",
    tables,
    Column("person", Words, primary_key=True),
    Column("mark", sa.String(64), primary_key=True),
    comment="what a person has seen and need not see again",
)
headings = Table(
    "geo_cluster_headings",
    tables,
    Column("person", Words, primary_key=True),
    Column("kind", sa.String(16), primary_key=True, comment="of table: projects, parcels, ..."),
    Column("headings", sa.String(64), primary_key=True, comment="SHA-256 of the set of headings"),
    Column("mapping", Words, nullable=False, comment="JSON: heading -> our column, as matched by hand"),
    Column("at", Moment, nullable=False, comment="UTC"),
    comment="how a person matched the headings of tables, for the next table with the same ones",
)
signed_out = Table(
    "geo_cluster_signed_out",
    tables,
    Column("login", sa.String(64), primary_key=True, comment="hash of the claims"),
    Column("at", Moment, nullable=False, comment="UTC"),
    comment="sign-ins that have ended, so that a copied cookie is worth nothing",
)


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


def _headings(connection: Connection) -> None:
    """From 2 to 3: how headings of tables were matched by hand."""
    moment = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP"}[connection.dialect.name]
    columns = "person TEXT NOT NULL, kind VARCHAR(16) NOT NULL, headings VARCHAR(64) NOT NULL, mapping TEXT NOT NULL"
    keys = f"{columns}, at {moment} NOT NULL, PRIMARY KEY (person, kind, headings)"
    connection.exec_driver_sql(f"CREATE TABLE geo_cluster_headings ({keys})")


def _ledger(connection: Connection) -> None:
    """From 3 to 4: projects under way."""
    moment = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP"}[connection.dialect.name]
    serial = {"sqlite": "INTEGER", "postgresql": "SERIAL"}[connection.dialect.name]
    columns = f"seq {serial} NOT NULL, project VARCHAR(40) NOT NULL, number INTEGER NOT NULL, content TEXT NOT NULL"
    columns += f", note TEXT NOT NULL, author TEXT NOT NULL, at {moment} NOT NULL, PRIMARY KEY (seq)"
    columns += ", CONSTRAINT uq_geo_cluster_ledger_project UNIQUE (project, number)"
    connection.exec_driver_sql(f"CREATE TABLE geo_cluster_ledger ({columns})")


def _comments(connection: Connection) -> None:
    """From 4 to 5: comments."""
    moment = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP"}[connection.dialect.name]
    serial = {"sqlite": "INTEGER", "postgresql": "SERIAL"}[connection.dialect.name]
    columns = f"seq {serial} NOT NULL, thread VARCHAR(16) NOT NULL, kind VARCHAR(8) NOT NULL"
    columns += ", subject VARCHAR(80) NOT NULL, work VARCHAR(32) NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL"
    columns += f", status VARCHAR(8) NOT NULL, author TEXT NOT NULL, at {moment} NOT NULL, PRIMARY KEY (seq)"
    connection.exec_driver_sql(f"CREATE TABLE geo_cluster_comments ({columns})")
    index = "CREATE INDEX ix_geo_cluster_comments_thread ON geo_cluster_comments (thread)"
    connection.exec_driver_sql(index)


class Step(NamedTuple):
    """What brings a workspace to the next version of its tables.

    Attributes
    ----------
    name : str
        What is new, for the log.
    apply : callable
        Changes the tables through a connection. It spells them out in full, for those above move on.
    """

    name: str
    apply: Callable[[Connection], None]


STEPS: tuple[Step, ...] = (
    Step("which workspace it is, saves, ended sign-ins", _name_and_count),
    Step("headings matched by hand", _headings),
    Step("projects under way", _ledger),
    Step("comments", _comments),
)
"""The first leads from version 1 (0.1.0) to 2, and so on; a step that was released is never changed."""


def newest() -> int:
    """Version of the tables above; an older workspace is stepped up to it, one of a later version is refused."""
    return len(STEPS) + 1
