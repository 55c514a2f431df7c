"""Works kept safe: every version of a scenario with its files, and the plans that were run on it.

A `Work` is everything that a person can change; a study depends on nothing else but the shipped data. A
`Workspace` keeps works as revisions that are added and never changed, so that two people can't overwrite each
other, everything can be undone, and whatever was acknowledged is on disk. What a person may do is decided here.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import numpy as np
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, Row

from geo_cluster.box.limits import limits
from geo_cluster.domain import Text
from geo_cluster.errors import Conflict, DataError, Fault, InputError, Place, Refused, refuse_if
from geo_cluster.report import tables
from geo_cluster.study import Study
from geo_cluster.workspace.database import reading, writing
from geo_cluster.workspace.kept_plans import SPOILT, list_plan, read_plan
from geo_cluster.workspace.roles import LOCAL, Person, Role
from geo_cluster.workspace.schema import blobs, marks, plans, revisions, works
from geo_cluster.workspace.works import (
    LAYERS,
    NAME_LENGTH,
    NOTE_LENGTH,
    PROJECTS,
    KeptPlan,
    Kind,
    ListedPlan,
    ListedWork,
    Revision,
    Saved,
    Work,
    plain_text,
)
from geo_cluster.world import catalog

NEEDS: dict[str, tuple[Role, str]] = {
    "list": ("admin", "workspace.may_not_list"),
    "save": ("planner", "workspace.may_not_save"),
    "save_plans": ("planner", "workspace.may_not_save_plans"),
    "share": ("planner", "workspace.may_not_share"),
    "delete": ("planner", "workspace.may_not_delete"),
    "restore": ("planner", "workspace.may_not_restore"),
}
"""The role that an action takes, and what somebody without it is answered."""

NOT_YOURS = {
    "share": "workspace.not_yours_to_share",
    "delete": "workspace.not_yours_to_delete",
    "restore": "workspace.not_yours_to_restore",
}
NOTHING_TO = {"undo": "workspace.nothing_to_undo", "redo": "workspace.nothing_to_redo"}

LONG_AGO = datetime(1970, 1, 1)
"""When a revision was saved whose time can't be read."""

__all__ = ["LAYERS", "PROJECTS", "KeptPlan", "ListedPlan", "ListedWork", "Revision", "Saved", "Work", "Workspace"]


class Workspace:
    """What one person can do with the works that are kept.

    A viewer looks; a planner saves own and shared works; an admin also lists, shares, deletes and restores
    anybody's. Nobody opens a work of another person that isn't shared.

    Parameters
    ----------
    engine : Engine
        From `database.connect`.
    person : Person

    Raises
    ------
    Refused
        By any method: the person may not do that, or there is no such work for them.
    DataError
        By any method: the database can't be used; nothing was saved.
    """

    def __init__(self, engine: Engine, person: Person = LOCAL):
        self.engine = engine
        self.person = replace(person, name=plain_text(person.name, NAME_LENGTH))

    def works(self, *, everybody: bool = False, deleted: bool = False, limit: int = 200) -> list[ListedWork]:
        """The person's own works and shared ones, or everybody's (for an admin); the last changed first.

        Parameters
        ----------
        everybody : bool
            Those of others too, shared or not; for an admin.
        deleted : bool
            Those that were put away, instead of the others.
        limit : int
            Most of them.
        """
        newest = select(revisions.c.work, sa.func.max(revisions.c.number)).group_by(revisions.c.work)
        query = select(works, revisions).join(revisions)
        query = query.where(sa.tuple_(revisions.c.work, revisions.c.number).in_(newest))
        query = query.where(works.c.deleted_at.is_not(None) if deleted else works.c.deleted_at.is_(None))
        if everybody:
            self._need("list")
        elif deleted:
            query = query.where(works.c.owner == self.person.name)
        else:
            query = query.where(sa.or_(works.c.owner == self.person.name, works.c.shared))
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(revisions.c.at.desc(), works.c.id).limit(limit)).all()
        return [_entry(row) for row in rows]

    def create(self, work: Work, *, note: str) -> Saved:
        """Keep a new work, the person's own."""
        self._need("save")
        id_ = secrets.token_hex(6)
        with writing(self.engine) as connection:
            connection.execute(works.insert().values(id=id_, owner=self.person.name, shared=False))
            revision = self._add(connection, id_, work, number=1, kind="new", note=note)
        return Saved(id_, work, revision, self.person.name, False, undoes=None, redoes=None)

    def copy(self, id_: str, *, name: str, note: str) -> Saved:
        """Keep a copy of a work under another name, the person's own.

        Parameters
        ----------
        id_ : str
        name : str
            Of the copy.
        note : str
            What was done, for the history.
        """
        return self.create(self.open(id_).work.named(name), note=note)

    def open(self, id_: str, number: int | None = None) -> Saved:
        """A work as it is now, or as it was at a revision."""
        with reading(self.engine) as connection:
            kept = self._find(connection, id_)
            row = self._head(connection, id_) if number is None else self._row(connection, id_, number)
            undoes, redoes = self._around(connection, id_, row)
            work = _work(connection, row)
        return Saved(id_, work, _revision(row), _text(kept.owner, NAME_LENGTH), kept.shared, undoes, redoes)

    def head(self, id_: str) -> Revision:
        """The newest revision of a work, without its content."""
        with reading(self.engine) as connection:
            self._find(connection, id_)
            return _revision(self._head(connection, id_))

    def history(self, id_: str, *, limit: int = 100) -> list[Revision]:
        """The revisions of a work, the newest first."""
        query = select(revisions).where(revisions.c.work == id_).order_by(revisions.c.number.desc()).limit(limit)
        with reading(self.engine) as connection:
            self._find(connection, id_)
            return [_revision(row) for row in connection.execute(query)]

    def save(self, id_: str, work: Work, *, seen: int, note: str) -> Saved:
        """Save a work as a new revision.

        Parameters
        ----------
        id_ : str
        work : Work
            As it is to be.
        seen : int
            Number of the revision that the change was made from.
        note : str
            What was done.

        Raises
        ------
        Conflict
            Somebody saved another revision since; nothing was overwritten.
        """
        with writing(self.engine) as connection:
            kept, head = self._to_save(connection, id_, seen)
            revision = self._add(connection, id_, work, number=seen + 1, kind="save", note=note, before=head.origin)
        return Saved(id_, work, revision, kept.owner, kept.shared, undoes=revision.note, redoes=None)

    def rename(self, id_: str, name: str, *, seen: int, note: str) -> Saved:
        """Give a work another name, as a new revision.

        Parameters
        ----------
        id_ : str
        name : str
            In both languages.
        seen : int
            Number of the revision that the change was made from.
        note : str
            What was done.

        Raises
        ------
        Conflict
            Somebody saved another revision since; nothing was overwritten.
        """
        return self.save(id_, self.open(id_).work.named(name), seen=seen, note=note)

    def back(self, id_: str, number: int, *, seen: int, note: str) -> Saved:
        """Go back to how the work was at a revision, as a new revision.

        Parameters
        ----------
        id_ : str
        number : int
            Of the revision to go back to.
        seen : int
            Number of the revision that the change was made from.
        note : str
            What was done.

        Raises
        ------
        Conflict
            Somebody saved another revision since; nothing was overwritten.
        """
        return self.save(id_, self.open(id_, number).work, seen=seen, note=note)

    def undo(self, id_: str, *, seen: int) -> Saved:
        """Take the last change back, as a new revision: the history stays."""
        return self._move(id_, seen, "undo")

    def redo(self, id_: str, *, seen: int) -> Saved:
        """Do again what was undone last, as a new revision."""
        return self._move(id_, seen, "redo")

    def share(self, id_: str, shared: bool) -> None:
        """Let others see a work, or no longer."""
        self._set(id_, "share", shared=shared)

    def delete(self, id_: str) -> None:
        """Put a work away; `restore` brings it back."""
        self._set(id_, "delete", deleted_at=_now(), deleted_by=self.person.name)

    def restore(self, id_: str) -> None:
        """Bring a deleted work back."""
        self._set(id_, "restore", deleted_at=None, deleted_by=None)

    def keep_plan(self, id_: str, number: int, study: Study) -> None:
        """Keep the plan of a study that was run on a revision of a work.

        Parameters
        ----------
        id_ : str
        number : int
            Of the revision that was run.
        study : Study
        """
        self._need("save_plans")
        plan = study.plan
        content = {
            "site": np.asarray(plan.site).tolist(),
            "pools": {name: np.asarray(pool).tolist() for name, pool in plan.pools.items()},
            "objective": plan.objective,
            "bound": plan.bound,
            "gap": plan.gap,
            "score": plan.score,
            "most_placed": plan.most_placed,
            "opened": list(plan.opened),
            "status": plan.status,
            "ended": plan.ended,
            "placed": dict(zip(tables.assignment(study)["project"], tables.assignment(study)["site"], strict=True)),
            "hashes": study.hashes,
            "violations": [str(violation) for violation in study.violations],
            "seconds": study.seconds,
            "version": study.version,
        }
        row = {"work": id_, "number": number, "scenario_id": study.scenario.id, "author": self.person.name}
        with writing(self.engine) as connection:
            self._find(connection, id_)
            self._row(connection, id_, number)
            connection.execute(plans.insert().values(**row, content=json.dumps(content), at=_now()))

    def last_plan(self, id_: str) -> KeptPlan | None:
        """The plan of a work that was run last; None where none was."""
        query = select(plans).where(plans.c.work == id_).order_by(plans.c.id.desc()).limit(1)
        with reading(self.engine) as connection:
            self._find(connection, id_)
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            work = _work(connection, self._row(connection, id_, row.number))
        return read_plan(row, work)

    def plans(self, *, limit: int = 60) -> list[ListedPlan]:
        """Plans of the person's own works and of shared ones, the last run first; of equal settings the last one.

        Parameters
        ----------
        limit : int
            Most of them.
        """
        newest = select(sa.func.max(plans.c.id)).group_by(plans.c.work, plans.c.scenario_id)
        query = select(plans, revisions.c.note, revisions.c.scenario).select_from(plans.join(revisions).join(works))
        query = query.where(plans.c.id.in_(newest), works.c.deleted_at.is_(None))
        query = query.where(sa.or_(works.c.owner == self.person.name, works.c.shared))
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(plans.c.id.desc()).limit(limit)).all()
        return [one for row in rows if (one := list_plan(row)) is not None]

    def plan(self, id_: str, number: int) -> KeptPlan:
        """One plan of a work.

        Parameters
        ----------
        id_ : str
            Of the work.
        number : int
            Of the plan, as the list has it.
        """
        with reading(self.engine) as connection:
            self._find(connection, id_)
            query = select(plans).where(plans.c.work == id_, plans.c.id == number)
            row = connection.execute(query).one_or_none()
            if row is None:
                raise Refused(Fault("workspace.no_plan", _place(id_)))
            work = _work(connection, self._row(connection, id_, row.number))
        return read_plan(row, work)

    def mark(self, mark: str) -> None:
        """Remember that the person has seen something."""
        row = {"person": self.person.name, "mark": mark}
        with writing(self.engine) as connection:
            connection.execute(_insert(connection, marks).values(row).on_conflict_do_nothing())

    def is_marked(self, mark: str) -> bool:
        """Whether the person has seen something."""
        query = select(marks).where(marks.c.person == self.person.name, marks.c.mark == mark)
        with reading(self.engine) as connection:
            return connection.execute(query).first() is not None

    def _need(self, action: str) -> None:
        role, code = NEEDS[action]
        if not self.person.may(role):
            raise Refused(Fault(code, self.person.name, role=self.person.role))

    def _find(self, connection: Connection, id_: str, *, for_update: bool = False) -> Row:
        """A work that the person may look at; what they may not see is not there for them."""
        query = select(works).where(works.c.id == id_)
        row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
        if row is None or not (row.shared or row.owner == self.person.name):
            raise Refused(Fault("workspace.no_such_work", _place(id_)))
        if row.deleted_at is not None:
            raise Refused(Fault("workspace.deleted", _place(id_), person=_text(row.deleted_by, NAME_LENGTH)))
        return row

    def _set(self, id_: str, action: Literal["share", "delete", "restore"], **values: Any) -> None:
        """Owners look after their own works, admins after anybody's."""
        self._need(action)
        with writing(self.engine) as connection:
            owner = connection.scalar(select(works.c.owner).where(works.c.id == id_))
            if owner != self.person.name and not (owner and self.person.may("admin")):
                raise Refused(Fault(NOT_YOURS[action], _place(id_)))
            connection.execute(works.update().where(works.c.id == id_).values(**values))

    def _to_save(self, connection: Connection, id_: str, seen: int) -> tuple[Row, Row]:
        """The work, held until the transaction ends, and its newest revision, which must be the one seen."""
        self._need("save")
        kept = self._find(connection, id_, for_update=True)
        head = self._head(connection, id_)
        if head.number != seen:
            theirs = _revision(head)
            at = f"{theirs.at:%Y-%m-%d %H:%M:%S}"
            raise Conflict(_place(id_), author=theirs.author, at=at, note=theirs.note, number=theirs.number)
        return kept, head

    def _move(self, id_: str, seen: int, kind: Literal["undo", "redo"]) -> Saved:
        with writing(self.engine) as connection:
            kept, head = self._to_save(connection, id_, seen)
            undone, redone = self._neighbours(connection, id_, head)
            target = undone if kind == "undo" else redone
            if target is None:
                raise Refused(Fault(NOTHING_TO[kind], _place(id_)))
            changed = self._row(connection, id_, head.origin) if kind == "undo" else target
            more = {"kind": kind, "note": _text(changed.note, NOTE_LENGTH), "origin": target.number, "tip": head.tip}
            work = _work(connection, target)
            revision = self._add(connection, id_, work, number=seen + 1, **more)
            undoes, redoes = self._around(connection, id_, self._head(connection, id_))
        return Saved(id_, work, revision, kept.owner, kept.shared, undoes, redoes)

    def _neighbours(self, connection: Connection, id_: str, row: Row) -> tuple[Row | None, Row | None]:
        """The contents before and after that of a revision, on the line that ends at its tip."""
        origin = self._row(connection, id_, row.origin)
        before = self._row(connection, id_, origin.before) if origin.before else None
        if row.tip == row.origin:
            return before, None
        query = select(revisions.c.number, revisions.c.before).where(revisions.c.work == id_)
        parents = {row.number: row.before for row in connection.execute(query)}
        after = row.tip
        while parents.get(after) != row.origin:
            after = parents.pop(after, None)
            if after is None:  # the line breaks off, or leads back to where it came from
                raise DataError(Fault("workspace.history_broken", _place(id_)))
        return before, self._row(connection, id_, after)

    def _around(self, connection: Connection, id_: str, row: Row) -> tuple[str | None, str | None]:
        """What undo and redo would undo and redo."""
        before, after = self._neighbours(connection, id_, row)
        undone = self._row(connection, id_, row.origin) if before is not None else None
        undoes, redoes = (None if one is None else _text(one.note, NOTE_LENGTH) for one in (undone, after))
        return undoes, redoes

    def _head(self, connection: Connection, id_: str) -> Row:
        query = select(revisions).where(revisions.c.work == id_).order_by(revisions.c.number.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise DataError(Fault("workspace.without_revisions", _place(id_)))
        return row

    def _row(self, connection: Connection, id_: str, number: int) -> Row:
        query = select(revisions).where(revisions.c.work == id_, revisions.c.number == number)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise Refused(Fault("workspace.no_revision", _place(id_), number=number))
        return row

    def _add(self, connection: Connection, id_: str, work: Work, *, number: int, note: str, **more: Any) -> Revision:
        """Add a revision, with those of its files that aren't there yet."""
        hashes = {path: hashlib.sha256(content).hexdigest() for path, content in work.files.items()}
        wanted = {hashes[path]: path for path in work.files}
        megabytes = sum(len(work.files[path]) for path in wanted.values()) / 2**20
        # or it could not be opened again
        limits().refuse(work.scenario.name.zh, "unpacked_megabytes", megabytes, "box.too_large")
        there = set(connection.scalars(select(blobs.c.sha256).where(blobs.c.sha256.in_(wanted))))
        for sha256 in sorted(wanted.keys() - there):  # sorted: two savers take locks in the same order
            packed = zlib.compress(work.files[wanted[sha256]])
            insert = _insert(connection, blobs).values(sha256=sha256, packed=packed)
            connection.execute(insert.on_conflict_do_nothing())
        row: dict[str, Any] = {
            "work": id_,
            "number": number,
            "origin": number,
            "before": None,
            "tip": number,
            "scenario": work.scenario.model_dump_json(),
            "files": json.dumps(hashes),
            "note": plain_text(note, NOTE_LENGTH),
            "author": self.person.name,
            "at": _now(),
        }
        connection.execute(revisions.insert().values(row | more))
        return Revision(number, more["kind"], row["note"], row["author"], row["at"].replace(tzinfo=UTC))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _insert(connection: Connection, table: sa.Table) -> Any:
    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name](table)


def _place(id_: str) -> Place:
    return Place(repr(id_), kind="work")


def _text(value: object, length: int) -> str:
    """A text that is kept, as it may be shown; empty where something else is in its place."""
    return plain_text(value, length) if isinstance(value, str) else ""


def _revision(row: Row) -> Revision:
    number = row.number if isinstance(row.number, int) else 0
    kind: Kind = row.kind if row.kind in get_args(Kind) else "save"
    note, author = _text(row.note, NOTE_LENGTH), _text(row.author, NAME_LENGTH)
    return Revision(number, kind, note, author, (row.at or LONG_AGO).replace(tzinfo=UTC))


def _entry(row: Row) -> ListedWork:
    """A line of the list; one that can't be read must not take the others with it."""
    id_ = row.id if isinstance(row.id, str) else repr(row.id)
    more = (_text(row.owner, NAME_LENGTH), row.shared, _revision(row))
    try:
        scenario, files = json.loads(row.scenario), json.loads(row.files)
        name, is_sample = Text.model_validate(scenario["name"]), scenario["portfolio"] == "sample"
        return ListedWork(id_, name, is_sample and PROJECTS not in files, *more)
    except SPOILT:
        made_up = _text(id_, NAME_LENGTH) or "?"
        return ListedWork(id_, Text(zh=made_up, en=made_up), False, *more, is_damaged=True)


def _work(connection: Connection, row: Row) -> Work:
    """A revision's content; a file that isn't what was saved is refused."""
    try:
        hashes: dict[str, str] = {str(path): str(sha256) for path, sha256 in json.loads(row.files).items()}
        saved = dict(json.loads(row.scenario))
    except SPOILT:
        raise DataError(Fault("workspace.revision_unreadable", _place(row.work), number=row.number)) from None
    contents = _contents(connection, row.work, set(hashes.values()))
    spoilt = sorted(path for path, sha256 in hashes.items() if sha256 not in contents)
    refuse_if([Fault("workspace.content_changed", path) for path in spoilt], DataError)
    try:
        scenario = catalog.scenario_from(saved, where=f"work {row.work!r}")
        return Work(scenario, {path: contents[sha256] for path, sha256 in hashes.items()})
    except InputError as refusal:
        raise DataError(refusal.faults) from None  # it was checked when it was saved


def _contents(connection: Connection, id_: str, wanted: set[str]) -> dict[str, bytes]:
    """The files that are what was saved, by their hash; a small one may be made to unpack to more than memory holds."""
    contents: dict[str, bytes] = {}
    most = limits().unpacked_megabytes
    room = most * 2**20
    for sha256, packed in connection.execute(select(blobs).where(blobs.c.sha256.in_(wanted))):
        try:
            content = zlib.decompressobj().decompress(packed, room + 1)
        except zlib.error:
            continue
        if len(content) > room:
            raise DataError(Fault("workspace.unpacks_too_large", _place(id_), most=most))
        if hashlib.sha256(content).hexdigest() == sha256:
            contents[sha256] = content
            room -= len(content)
    return contents
