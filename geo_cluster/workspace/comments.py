"""Comments on sites, firms, projects, plans and places on the map: who said what, when, and whether it is settled.

Rows are added, never changed. Whoever may sign in reads those on sites, firms and places; those on a work's projects
and plans are read by whoever may open the work. A planner writes them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.engine import Row

from geo_cluster.errors import Fault, InputError, Refused
from geo_cluster.workspace.database import reading, writing
from geo_cluster.workspace.repository import LONG_AGO, Workspace
from geo_cluster.workspace.schema import comments, works
from geo_cluster.workspace.works import plain_text

Status = Literal["open", "settled"]
KINDS = ("site", "firm", "project", "plan", "place")
"""What a comment can be on."""
LENGTH = 2_000
"""Characters of a comment at most."""
NAMED = 200
"""Characters of a subject's name that are kept."""


@dataclass(frozen=True)
class Subject:
    """What a comment is on.

    Attributes
    ----------
    kind : {"site", "firm", "project", "plan", "place"}
    id : str
        Of the site, firm, project or scenario; `longitude,latitude` (degrees) of a place.
    name : str
        What it is called, as it was when the comment was made.
    work : str
        The work that a project or plan belongs to, '' for none.
    """

    kind: str
    id: str
    name: str = ""
    work: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: {self.kind!r}")

    @property
    def point(self) -> tuple[float, float] | None:
        """Longitude and latitude of a place, degrees; None of anything else."""
        if self.kind != "place":
            return None
        longitude, _, latitude = self.id.partition(",")
        return float(longitude), float(latitude)


@dataclass(frozen=True)
class Said:
    """One contribution: its words ('' where only the status changed), the status from then on, who and when (UTC)."""

    text: str
    status: Status
    author: str
    at: datetime


@dataclass(frozen=True)
class Thread:
    """A comment and what was answered.

    Attributes
    ----------
    id : str
    subject : Subject
    said : tuple of Said
        From the first to the last; never empty.
    """

    id: str
    subject: Subject
    said: tuple[Said, ...]

    @property
    def status(self) -> Status:
        """The last one said."""
        return self.said[-1].status


def threads(space: Workspace, *, about: Subject | None = None, status: Status | None = None) -> list[Thread]:
    """The comments that the person may read, the last one said first.

    Parameters
    ----------
    space : Workspace
    about : Subject, optional
        Only those on it; its name does not matter.
    status : {"open", "settled"}, optional
        Only those that are.
    """
    mine = sa.or_(works.c.owner == space.person.name, works.c.shared)
    open_to_me = select(works.c.id).where(mine, works.c.deleted_at.is_(None))
    query = select(comments).where(sa.or_(comments.c.work == "", comments.c.work.in_(open_to_me)))
    if about is not None:
        query = query.where(
            comments.c.kind == about.kind, comments.c.subject == about.id, comments.c.work == about.work
        )
    with reading(space.engine) as connection:
        rows = connection.execute(query.order_by(comments.c.seq)).all()
    found: dict[str, list[Row]] = {}
    for row in rows:
        found[row.thread] = [*found.pop(row.thread, []), row]  # the last one said stands last
    kept = [_thread(rows) for rows in reversed(found.values())]
    return [one for one in kept if status in (None, one.status)]


def comment(space: Workspace, subject: Subject, text: str) -> Thread:
    """Begin a thread.

    Parameters
    ----------
    space : Workspace
    subject : Subject
    text : str
        Of one or several lines.

    Raises
    ------
    InputError
        Nothing is said, or too much.
    Refused
        The person may not comment.
    """
    return _add(space, secrets.token_hex(8), subject, text, "open")


def answer(space: Workspace, thread: Thread, text: str = "", *, status: Status | None = None) -> Thread:
    """Add to a thread: an answer, another status, or both.

    Parameters
    ----------
    space : Workspace
    thread : Thread
    text : str
        May be '' where the status changes.
    status : {"open", "settled"}, optional
        As it was, by default.

    Raises
    ------
    InputError
        Nothing is said and nothing changes, or too much is said.
    Refused
        The person may not comment, or may not read the thread any more.
    """
    if status is not None and status not in get_args(Status):
        raise ValueError(f"status: {status!r}")
    now = [one for one in threads(space, about=thread.subject) if one.id == thread.id]
    if not now:
        raise Refused(Fault("workspace.comment_gone", thread.subject.name))
    may_be_silent = status not in (None, now[0].status)
    return _add(space, thread.id, thread.subject, text, status or now[0].status, may_be_silent=may_be_silent)


def _add(
    space: Workspace, thread: str, subject: Subject, text: str, status: Status, *, may_be_silent: bool = False
) -> Thread:
    if not space.person.may("planner"):
        raise Refused(Fault("workspace.may_not_comment", space.person.name, role=space.person.role))
    said = "\n".join(plain_text(line, len(line)) for line in text.strip().splitlines())
    if not said and not may_be_silent:
        raise InputError(Fault("workspace.comment_empty", subject.name))
    if len(said) > LENGTH:
        raise InputError(Fault("workspace.comment_long", subject.name, count=len(said), limit=LENGTH))
    row = {"thread": thread, "kind": subject.kind, "subject": subject.id, "work": subject.work, "status": status}
    row |= {"name": plain_text(subject.name, NAMED), "text": said, "author": space.person.name}
    with writing(space.engine) as connection:
        connection.execute(comments.insert().values(row | {"at": datetime.now(UTC).replace(tzinfo=None)}))
        query = select(comments).where(comments.c.thread == thread).order_by(comments.c.seq)
        return _thread(list(connection.execute(query).all()))


def _thread(rows: list[Row]) -> Thread:
    first = rows[0]
    subject = Subject(first.kind, first.subject, first.name, first.work)
    return Thread(first.thread, subject, tuple(_said(row) for row in rows))


def _said(row: Row) -> Said:
    return Said(row.text, row.status, row.author, (row.at or LONG_AGO).replace(tzinfo=UTC))
