"""A workspace's copy, made while others save, and the way back."""

import os
import random
import signal
import sqlite3
import sys
import threading
import zlib
from contextlib import closing

import pytest
import sqlalchemy as sa

from geo_cluster import cli
from geo_cluster.errors import Conflict, DataError, InputError
from geo_cluster.workspace import backup, database, schema, sessions
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.workspace.roles import Person
from geo_cluster.world import catalog
from tests.databases import address, postgres  # noqa: F401  (fixtures)
from tests.refusals import refusal_of
from tests.studies import run as shipped
from tests.test_database import EXPECTED, as_of_0_1_0, told_of

LI = Person("li@plan.example", "planner")


def work(draws=1000, **files):
    return Work(catalog.scenario().model_copy(update={"draws": draws}), files)


def filled(address):  # noqa: F811
    """A workspace with all that there can be in one."""
    engine = database.connect(address)
    space = Workspace(engine)
    kept = space.create(work(10, **{"a.bin": bytes(range(256)) * 99, "长 名/b.csv": b""}), note="=2+5 长")
    kept = space.save(kept.id, work(20), seen=1, note="b")
    kept = space.undo(kept.id, seen=2)
    space.keep_plan(kept.id, 3, shipped())
    other = Workspace(engine, LI)
    gone = other.create(work(30).named("🏭"), note="c")
    other.share(gone.id, True)
    other.delete(gone.id)
    space.mark("first-steps")
    sessions.end(address, "a sign-in that has ended")
    return engine


def everything(address):  # noqa: F811
    """Every row of a workspace, as the program reads it."""
    engine = database.connect(address, make=False)
    with database.reading(engine) as connection:
        tables = [*backup.CONTENT]
        rows = {table.name: sorted(map(tuple, connection.execute(sa.select(table)))) for table in tables}
    engine.dispose()
    return rows


def ended(monkeypatch, capsys, *arguments):
    """Run the command line: its exit code, what it said and what it complained of."""
    monkeypatch.setattr(sys, "argv", ["geo-cluster", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return end.value.code or 0, told.out, told.err


# ---- there and back -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_what_was_backed_up_comes_back(address, to, tmp_path, request):  # noqa: F811
    engine, file = filled(address), tmp_path / "copy.sqlite"
    counts = backup.write(engine, file)
    assert counts["geo_cluster_works"] == 2
    assert counts["geo_cluster_revisions"] == 4
    target = str(tmp_path / "back.sqlite") if to == "sqlite" else request.getfixturevalue("other_database")
    assert {**backup.restore(file, target)}.items() <= counts.items()
    assert everything(target) == everything(str(file)) == everything(address)
    space = Workspace(database.connect(target))
    (id_,) = [one.id for one in space.works()]
    assert space.open(id_) == Workspace(engine).open(id_)
    assert space.last_plan(id_).plan.site.tolist() == shipped().plan.site.tolist()
    space.keep_plan(id_, 3, shipped())  # the numbers of plans go on where they were
    assert space.save(id_, work(40), seen=3, note="on").revision.number == 4
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"copy.sqlite", "workspace.sqlite", "back.sqlite"}, "nothing else is left"
    engine.dispose()
    space.engine.dispose()


@pytest.fixture
def other_database(postgres):  # noqa: F811
    """A second place on the server."""
    engine = sa.create_engine(postgres.set(drivername="postgresql+psycopg"))
    name = f"restored_{random.randrange(10**9)}"
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    engine.dispose()
    return postgres.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)


def test_a_backup_is_a_workspace_that_the_app_opens(tmp_path):
    engine, file = filled(str(tmp_path / "a.sqlite")), tmp_path / "copy.sqlite"
    backup.write(engine, file)
    space = Workspace(database.connect(str(file)))
    assert [one.id for one in space.works()] == [one.id for one in Workspace(engine).works()]


@pytest.mark.slow
def test_a_backup_while_others_save_is_of_one_moment(address, tmp_path):  # noqa: F811
    """Four people save as fast as they can; each copy holds whole works, and each a stretch without a hole."""
    engine = database.connect(address)
    space, stop, broken = Workspace(engine), threading.Event(), []
    ids = [space.create(work(10, **{"a.bin": os.urandom(20_000)}), note="1").id for _ in range(4)]

    def save(id_):
        mine, number = Workspace(engine), 1
        try:
            while not stop.is_set():
                mine.save(id_, work(10, **{"a.bin": os.urandom(20_000)}), seen=number, note=str(number + 1))
                number += 1
        except (DataError, Conflict) as problem:
            broken.append(problem)

    threads = [threading.Thread(target=save, args=[id_]) for id_ in ids]
    for thread in threads:
        thread.start()
    try:
        before = [space.head(id_).number for id_ in ids]
        copies = [tmp_path / f"copy-{number}.sqlite" for number in range(3)]
        for copy in copies:
            backup.write(engine, copy)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert broken == []
    for copy in copies:
        held = Workspace(database.connect(str(copy)))
        now = [held.head(id_).number for id_ in ids]
        assert all(one >= two for one, two in zip(now, before, strict=True))
        for id_, number in zip(ids, now, strict=True):
            assert [one.number for one in held.history(id_, limit=10**6)] == list(range(number, 0, -1))
            assert held.open(id_).revision.note == str(number)
        before = now
    engine.dispose()


def test_a_backup_of_0_1_0_comes_back(tmp_path):
    file = tmp_path / "old.sqlite"
    as_of_0_1_0(str(file))
    before = file.read_bytes()
    backup.restore(file, str(tmp_path / "new.sqlite"))
    assert told_of(str(tmp_path / "new.sqlite")) == EXPECTED
    assert file.read_bytes() == before, "the backup stays as it was"


# ---- what can't be done -------------------------------------------------------------------------------------


def test_a_workspace_with_works_is_never_overwritten(address, tmp_path):  # noqa: F811
    engine, file = filled(address), tmp_path / "copy.sqlite"
    backup.write(engine, file)
    before = everything(address)
    with refusal_of("workspace.holds_works", error=InputError, count=2):
        backup.restore(file, address)
    assert everything(address) == before
    engine.dispose()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.write_bytes(b""), "is empty"),
        (lambda file: file.write_bytes(b"x" * 9999), "not a database"),
        (lambda file: os.truncate(file, 8192), "malformed"),
        (lambda file: file.unlink(), "No such file"),
        (lambda file: _in(file, "UPDATE geo_cluster_schema SET version = 9"), "a later version"),
        (lambda file: _in(file, "DROP TABLE geo_cluster_schema"), "another program"),
        (lambda file: _in(file, "DROP TABLE geo_cluster_plans"), "no such table"),
        (lambda file: (file.unlink(), file.mkdir()), "is no file"),
    ],
)
def test_what_is_no_backup_is_told_and_makes_no_workspace(spoil, why, tmp_path, monkeypatch, capsys):
    file, target = tmp_path / "copy.sqlite", tmp_path / "new.sqlite"
    backup.write(filled(str(tmp_path / "a.sqlite")), file)
    spoil(file)
    code, _, complaint = ended(monkeypatch, capsys, "restore", file, "--workspace", target)
    assert code == 2
    assert why in complaint
    assert str(file) in complaint
    assert not target.exists() or Workspace(database.connect(str(target))).works(deleted=True) == []


def _in(file, statement):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement)
        connection.commit()


def test_a_content_that_was_damaged_before_is_named_and_the_rest_is_copied(address, tmp_path):  # noqa: F811
    engine, file = filled(address), tmp_path / "copy.sqlite"
    with database.writing(engine) as connection:
        one = connection.scalars(sa.select(schema.blobs.c.sha256)).first()
        packed = zlib.compress(b"something else")
        connection.execute(schema.blobs.update().where(schema.blobs.c.sha256 == one).values(packed=packed))
    with refusal_of("workspace.spoilt_content", error=DataError) as refusal:
        backup.write(engine, file)
    assert [fault.place.key for fault in refusal.value.faults] == [one[:12]]
    assert everything(str(file)) == everything(address)
    engine.dispose()


def test_spoilt_bytes_are_copied_as_they_are(tmp_path):
    file, copy = tmp_path / "a.sqlite", tmp_path / "copy.sqlite"
    engine = filled(str(file))
    with database.writing(engine) as connection:
        connection.exec_driver_sql("UPDATE geo_cluster_revisions SET note = CAST(x'ff' AS TEXT), at = 'yesterday'")
    backup.write(engine, copy)
    backup.restore(copy, str(tmp_path / "back.sqlite"))
    found = []
    for one in (file, copy, tmp_path / "back.sqlite"):
        with closing(sqlite3.connect(one)) as connection:
            connection.text_factory = bytes
            found.append(connection.execute("SELECT * FROM geo_cluster_revisions").fetchall())
    assert found[0] == found[1] == found[2]


def test_a_backup_never_takes_another_files_place(tmp_path, monkeypatch, capsys):
    workspace, file = tmp_path / "a.sqlite", tmp_path / "copy.sqlite"
    filled(str(workspace))
    before = workspace.read_bytes()
    file.write_text("mine")
    for there, why in (
        (file, "is there already"),
        (workspace, "is there already"),
        (tmp_path, "is there already"),
        (tmp_path / "no" / "copy.sqlite", "No such file or directory"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        code, _, complaint = ended(monkeypatch, capsys, "backup", there, "--workspace", workspace)
        assert code == 2
        assert why in complaint
    assert file.read_text() == "mine"
    assert workspace.read_bytes() == before
    code, _, complaint = ended(monkeypatch, capsys, "backup", tmp_path / "b", "--workspace", tmp_path / "typo")
    assert (code, "there is no such workspace" in complaint) == (2, True)
    assert {path.name for path in tmp_path.iterdir()} == {"a.sqlite", "copy.sqlite"}


def test_the_command_line_backs_up_and_restores(tmp_path, monkeypatch, capsys):
    filled(str(tmp_path / "a.sqlite"))
    for arguments in (
        ("backup", tmp_path / "copy.sqlite", "--workspace", tmp_path / "a.sqlite"),
        ("restore", tmp_path / "copy.sqlite", "--workspace", tmp_path / "b.sqlite"),
    ):
        code, told, _ = ended(monkeypatch, capsys, *arguments)
        assert code == 0
        assert told.startswith("2 works, 4 revisions, 1 plans, 2 blobs → ")
    code, _, complaint = ended(
        monkeypatch, capsys, "restore", tmp_path / "copy.sqlite", "--workspace", tmp_path / "b.sqlite"
    )
    assert code == 2
    assert "holds 2 works already" in complaint


def test_no_room_for_a_backup_leaves_none(tmp_path, monkeypatch):
    engine, file = filled(str(tmp_path / "a.sqlite")), tmp_path / "copy.sqlite"

    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(backup, "_filled", full)
    with refusal_of("workspace.disk_full", error=DataError):
        backup.write(engine, file)
    assert [path.name for path in tmp_path.iterdir()] == ["a.sqlite"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no fork, no SIGKILL")
def test_killed_in_a_backup_or_a_restore_nothing_is_half(tmp_path):
    engine, copy = filled(str(tmp_path / "a.sqlite")), tmp_path / "copy.sqlite"
    backup.write(engine, copy)
    expected = everything(str(copy))
    for moment in ("INSERT", "COMMIT", "ended"):
        file, target = tmp_path / f"copy-{moment}.sqlite", tmp_path / f"back-{moment}.sqlite"
        _killed(moment, lambda file=file: backup.write(engine, file))
        assert not file.exists()
        _killed(moment, lambda target=target: backup.restore(copy, str(target)))
        back = everything(str(target))
        assert back == expected if moment == "ended" else not any(back.values())
        if moment != "ended":
            backup.restore(copy, str(target))
            assert everything(str(target)) == expected
    assert everything(str(tmp_path / "a.sqlite")) == expected
    begun = list(tmp_path.glob(".*.part*"))
    assert begun, "what was killed was under way"
    for part in begun:
        os.utime(part, (0, 0))
    database.connect(str(tmp_path / "a.sqlite"))
    assert list(tmp_path.glob(".*")) == [], "what nobody writes any more is swept up"


def _killed(moment, do):
    """Do something in a process that is killed right before such a statement, or before it says that it ended."""
    child = os.fork()
    if child == 0:
        try:
            real = backup.open_file

            def opened(*given, **more):
                connection = real(*given, **more)
                connection.set_trace_callback(
                    lambda told: os.kill(os.getpid(), signal.SIGKILL) if told.startswith(moment) else None
                )
                return connection

            backup.open_file = opened
            backup._refuse_spoilt = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            backup.placed = _late(backup.placed)
            do()
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def _late(placed):
    """`placed`, killed when the file is whole and not yet in its place."""
    from contextlib import contextmanager

    @contextmanager
    def late(path):
        with placed(path) as part:
            yield part
            os.kill(os.getpid(), signal.SIGKILL)

    return late
