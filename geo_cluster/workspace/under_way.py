"""Projects under way kept safe: every state of every project, with who saved it and when.

Rows are added, never changed.

One ledger a workspace: whoever may sign in looks at it, a planner changes it. Two people can't overwrite each other,
and what was acknowledged is on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.engine import Connection, Engine, Row

from geo_cluster.errors import Conflict, DataError, Fault, Place, Refused, refuse_if
from geo_cluster.policy.ledger import Entry, duplicates
from geo_cluster.workspace.database import reading, writing
from geo_cluster.workspace.roles import LOCAL, Person
from geo_cluster.workspace.schema import ledger
from geo_cluster.workspace.works import NAME_LENGTH, NOTE_LENGTH, plain_text


@dataclass(frozen=True)
class Kept:
    """One project as it was saved.

    Attributes
    ----------
    id : str
    number : int
        Of the revision, from 1.
    entry : Entry or None
        None where it was taken out.
    note, author : str
    at : datetime
        In UTC.
    """

    id: str
    number: int
    entry: Entry | None
    note: str
    author: str
    at: datetime


@dataclass(frozen=True)
class Change:
    """What is to be saved of one project.

    Attributes
    ----------
    id : str
    entry : Entry or None
        None takes it out.
    seen : int
        Number of the revision that the change was made from; 0 for a new project.
    """

    id: str
    entry: Entry | None
    seen: int


class Ledger:
    """What one person can do with the projects under way.

    Parameters
    ----------
    engine : Engine
        From `database.connect`.
    person : Person

    Raises
    ------
    Refused
        By `save`: the person may not change it.
    DataError
        By any method: the database can't be used, or holds what is not as it was saved.
    """

    def __init__(self, engine: Engine, person: Person = LOCAL):
        self.engine = engine
        self.person = replace(person, name=plain_text(person.name, NAME_LENGTH))

    def head(self) -> int:
        """Rises with every change; 0 for an empty ledger."""
        with reading(self.engine) as connection:
            return connection.scalar(select(sa.func.max(ledger.c.seq))) or 0

    def since(self, seq: int) -> tuple[int, list[Kept]]:
        """The newest `seq`, and the newest state of each project that was changed after an earlier one."""
        with reading(self.engine) as connection:
            newest = select(sa.func.max(ledger.c.seq)).where(ledger.c.seq > seq).group_by(ledger.c.project)
            rows = connection.execute(select(ledger).where(ledger.c.seq.in_(newest)).order_by(ledger.c.seq)).all()
        return max((row.seq for row in rows), default=seq), [_kept(row) for row in rows]

    def projects(self, *, at: datetime | None = None) -> dict[str, Kept]:
        """Every project that is in the ledger, now or as of a moment (UTC), by id in the order of first saving."""
        newest = select(sa.func.max(ledger.c.seq), sa.func.min(ledger.c.seq).label("first")).group_by(ledger.c.project)
        if at is not None:
            newest = newest.where(ledger.c.at <= at.astimezone(UTC).replace(tzinfo=None))
        known = newest.add_columns(ledger.c.project).subquery()
        query = select(ledger).join(known, ledger.c.seq == known.c[0]).order_by(known.c.first)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        return {row.project: _kept(row) for row in rows if row.content}

    def history(self, project: str) -> list[Kept]:
        """Every state of a project, the newest first."""
        query = select(ledger).where(ledger.c.project == project).order_by(ledger.c.number.desc())
        with reading(self.engine) as connection:
            return [_kept(row) for row in connection.execute(query)]

    def save(self, changes: Iterable[Change], *, note: str) -> list[Kept]:
        """Save changes of one or many projects, all of them or none.

        Parameters
        ----------
        changes : iterable of Change
        note : str
            What was done.

        Raises
        ------
        Conflict
            Somebody saved one of them since; nothing was overwritten.
        InputError
            Two projects would have one name and one city.
        """
        if not self.person.may("planner"):
            raise Refused(Fault("policy.may_not_save", self.person.name, role=self.person.role))
        wanted, now = list(changes), datetime.now(UTC).replace(tzinfo=None)
        said = plain_text(note, NOTE_LENGTH)
        told = {"note": said, "author": self.person.name, "at": now}
        with writing(self.engine) as connection:
            if connection.dialect.name == "postgresql":  # numbers rise in the order in which rows can be seen
                connection.execute(sa.text(f"LOCK TABLE {ledger.name} IN SHARE ROW EXCLUSIVE MODE"))
            heads = _heads(connection, [one.id for one in wanted])
            _refuse_conflicts(wanted, heads)
            rows = [
                {"project": one.id, "number": one.seen + 1, "content": _content(one.entry), **told} for one in wanted
            ]
            if rows:
                connection.execute(ledger.insert(), rows)
            if any(_renamed(one, heads.get(one.id)) for one in wanted):
                _refuse_duplicates(connection)
        at = now.replace(tzinfo=UTC)
        return [Kept(one.id, one.seen + 1, one.entry, said, self.person.name, at) for one in wanted]


def _heads(connection: Connection, ids: list[str]) -> dict[str, Row]:
    """The newest row of each of some projects."""
    found: dict[str, Row] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        newest = select(sa.func.max(ledger.c.seq)).where(ledger.c.project.in_(some)).group_by(ledger.c.project)
        found |= {row.project: row for row in connection.execute(select(ledger).where(ledger.c.seq.in_(newest)))}
    return found


def _refuse_conflicts(wanted: list[Change], heads: Mapping[str, Row]) -> None:
    """Refuse what was made from another state than the newest."""
    for one in wanted:
        head = heads.get(one.id)
        if (head.number if head else 0) != one.seen:
            theirs = _kept(head) if head else None
            name = theirs.entry.name if theirs and theirs.entry else one.id
            at, author, note = "", "", ""
            if theirs:
                at, author, note = f"{theirs.at:%Y-%m-%d %H:%M:%S}", theirs.author, theirs.note
            raise Conflict(Place(name), author=author, at=at, note=note, number=theirs.number if theirs else 0)


def _renamed(change: Change, head: Row | None) -> bool:
    """Whether a change may make two projects of one name."""
    if change.entry is None:
        return False
    old = _kept(head).entry if head is not None else None
    return old is None or (old.name, old.city) != (change.entry.name, change.entry.city)


def _refuse_duplicates(connection: Connection) -> None:
    newest = select(sa.func.max(ledger.c.seq)).group_by(ledger.c.project)
    rows = connection.execute(select(ledger).where(ledger.c.seq.in_(newest)).order_by(ledger.c.seq)).all()
    entries = {row.project: entry for row in rows if (entry := _kept(row).entry)}
    refuse_if(list(duplicates(entries.items(), lambda id_: Place(entries[id_].name, key=id_))))


def _content(entry: Entry | None) -> str:
    return "" if entry is None else entry.model_dump_json(exclude_defaults=True)


def _kept(row: Row) -> Kept:
    try:
        entry = Entry.model_validate_json(row.content) if row.content else None
    except ValueError:
        raise DataError(Fault("policy.row_unreadable", Place(str(row.project)), number=row.number)) from None
    note = row.note if isinstance(row.note, str) else ""
    author = row.author if isinstance(row.author, str) else ""
    return Kept(row.project, row.number, entry, note, author, (row.at or datetime(1970, 1, 1)).replace(tzinfo=UTC))
