"""Where works are kept, when somebody lays hands on it while the app runs, and how older ones are stepped up."""

import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import zlib
from contextlib import closing

import pytest
import sqlalchemy as sa

from geo_cluster import cli
from geo_cluster.errors import DataError, Fault, InputError, Reason
from geo_cluster.workspace import address as workspace_address
from geo_cluster.workspace import database, refusals, schema
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.world import catalog
from tests.databases import address, postgres  # noqa: F401  (fixtures)
from tests.refusals import refusal_of

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")


def work(draws=1000, **files):
    return Work(catalog.scenario().model_copy(update={"draws": draws}), files)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "workspace.sqlite"


@pytest.fixture
def space(file):
    """A workspace in a folder of its own."""
    file.parent.mkdir()
    return Workspace(database.connect(str(file)))


# ---- hands on the file --------------------------------------------------------------------------------------


def _delete(file, older):
    file.unlink()


def _empty(file, older):
    os.truncate(file, 0)


def _halve(file, older):
    os.truncate(file, file.stat().st_size // 2 // 4096 * 4096)


def _cut(file, older):
    os.truncate(file, 50)


def _move_folder(file, older):
    file.parent.rename(file.parent.with_name("elsewhere"))


def _new_folder(file, older):
    _move_folder(file, older)
    file.parent.mkdir()


def _put_older(file, older):
    shutil.copy(older, file.with_name("copy"))
    file.with_name("copy").replace(file)


def _write_older_over_it(file, older):
    file.write_bytes(older.read_bytes())


def _put_another(file, older):
    file.unlink()
    Workspace(database.connect(str(file))).create(work(), note="other")


def _link_another(file, older):
    other = file.with_name("other.sqlite")
    database.connect(str(other))
    file.unlink()
    file.symlink_to(other)


def _foreign(file, older):
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE gpkg_contents (a)")


def _text(file, older):
    file.write_bytes(b"not a database, " * 4096)


def _drop(file, older):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE geo_cluster_blobs")
        connection.execute("DROP TABLE geo_cluster_schema")


def _trigger(file, older):
    with closing(sqlite3.connect(file)) as connection:
        what = "AFTER INSERT ON geo_cluster_revisions BEGIN DELETE FROM geo_cluster_revisions; END"
        connection.execute(f"CREATE TRIGGER gone {what}")


def _trigger_named_like_a_table(file, older):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE geo_cluster_marks")
        what = "AFTER INSERT ON geo_cluster_works BEGIN UPDATE geo_cluster_works SET owner = 'mallory'; END"
        connection.execute(f"CREATE TRIGGER geo_cluster_marks {what}")
        connection.execute("CREATE TABLE geo_cluster_marks (person TEXT, mark TEXT, PRIMARY KEY (person, mark))")
        connection.commit()


def _folder(file, older):
    file.unlink()
    file.mkdir()


HAPPENINGS = {
    _delete: ("workspace.gone",),
    _empty: ("workspace.empty_file",),
    _halve: ("workspace.corrupt_database",),
    _cut: ("workspace.not_a_database", "workspace.corrupt_database", "workspace.disk_failed"),
    _move_folder: ("workspace.gone",),
    _new_folder: ("workspace.gone",),
    _put_older: ("workspace.older_copy",),
    _write_older_over_it: ("workspace.older_copy",),
    _put_another: ("workspace.another_workspace",),
    _foreign: ("workspace.foreign_database",),
    _text: ("workspace.not_a_database",),
    _drop: ("workspace.foreign_database",),
    _trigger: ("workspace.foreign_database",),
    _trigger_named_like_a_table: ("workspace.foreign_database",),
    _folder: ("workspace.not_opened",),
}
if sys.platform != "win32":
    HAPPENINGS[_link_another] = ("workspace.another_workspace",)


@pytest.mark.slow
@pytest.mark.parametrize("happens", HAPPENINGS, ids=lambda one: one.__name__.strip("_"))
def test_what_happens_to_the_file_is_told_before_a_save_is_acknowledged(space, file, tmp_path, happens):
    """Acknowledged means: whoever starts the app again finds it. Put back, all goes on as before."""
    kept = space.create(work(10, **{"a.bin": os.urandom(60_000)}), note="a")
    older = tmp_path / "older.sqlite"
    shutil.copy(file, older)
    kept = space.save(kept.id, work(20), seen=1, note="b")
    whole = tmp_path / "whole"
    shutil.copytree(file.parent, whole)
    happens(file, older)
    left = file.read_bytes() if file.is_file() else None
    for attempt in (
        lambda: space.save(kept.id, work(30), seen=2, note="c"),
        lambda: space.create(work(30), note="c"),
        lambda: space.open(kept.id),
        space.works,
        lambda: space.mark("x"),
        lambda: space.undo(kept.id, seen=2),
    ):
        with refusal_of(*HAPPENINGS[happens]):
            attempt()
    assert (file.read_bytes() if file.is_file() else None) == left, "it is left as it was found"
    shutil.rmtree(file.parent, ignore_errors=True)
    shutil.copytree(whole, file.parent)
    assert space.save(kept.id, work(30), seen=2, note="c").revision.number == 3
    assert Workspace(database.connect(str(file))).open(kept.id).work.scenario.draws == 30


@POSIX
@pytest.mark.parametrize("happens", [_delete, _move_folder, _put_older, _put_another], ids=lambda one: one.__name__)
def test_what_happens_in_the_midst_of_a_save_is_told(space, file, tmp_path, happens):
    kept = space.create(work(10), note="a")
    older = tmp_path / "older.sqlite"
    shutil.copy(file, older)

    def late(connection, *_):
        if not done:
            done.append(happens(file, older))

    done = []
    sa.event.listen(space.engine, "commit", late)
    with refusal_of("workspace.gone", "workspace.replaced", "workspace.disk_failed", error=DataError):
        space.save(kept.id, work(20), seen=1, note="b")
    assert done


def test_moved_away_and_back_nothing_is_lost(space, file):
    kept = space.create(work(10), note="a")
    away = file.with_name("away")
    file.rename(away)
    with refusal_of("workspace.gone", error=DataError):
        space.save(kept.id, work(20), seen=1, note="b")
    assert not file.exists(), "a new one is not made under the app"
    away.rename(file)
    assert space.save(kept.id, work(20), seen=1, note="b").revision.number == 2


def test_a_whole_copy_in_its_place_is_the_workspace(space, file):
    """A disk was exchanged, a backup of this moment put back: nothing is missing, so nothing is refused."""
    kept = space.create(work(10), note="a")
    _put_older(file, file)
    assert space.save(kept.id, work(20), seen=1, note="b").revision.number == 2
    assert Workspace(database.connect(str(file))).head(kept.id).number == 2


def test_between_saves_all_is_in_the_file_itself(space, file):
    """No log lies beside it that could be lost, or left beside another file."""
    kept = space.create(work(10), note="a")
    space.open(kept.id)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@POSIX
def test_a_server_that_was_killed_leaves_a_log_that_is_read(space, file):
    kept = space.create(work(10), note="a")
    child = os.fork()
    if child == 0:
        with database.reading(space.engine):
            space.save(kept.id, work(20), seen=1, note="b")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert file.with_name(file.name + "-wal").stat().st_size > 0
    assert space.open(kept.id).work.scenario.draws == 20


def test_a_full_disk_is_told_and_nothing_is_half(space, file):
    kept = space.create(work(10), note="a")
    sa.event.listen(
        space.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=30").fetchall()
    )
    with refusal_of("workspace.disk_full", error=DataError):
        space.save(kept.id, work(20, **{"a.bin": os.urandom(300_000)}), seen=1, note="b")
    assert space.open(kept.id) == kept
    assert space.save(kept.id, work(20), seen=1, note="b").revision.number == 2


# ---- hands on the server ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
def test_what_happens_to_the_database_is_told(address):  # noqa: F811
    engine = database.connect(address)
    space = Workspace(engine)
    kept = space.create(work(10), note="a")
    everything = ", ".join(table.name for table in schema.tables.sorted_tables)

    def refuses(code):
        for attempt in (lambda: space.save(kept.id, work(20), seen=1, note="b"), lambda: space.open(kept.id)):
            with refusal_of(code, error=DataError):
                attempt()

    with engine.begin() as connection:
        connection.execute(schema.saves.delete())
    refuses("workspace.older_copy")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {everything}")
    refuses("workspace.tables_gone")
    other = database.connect(address)
    refuses("workspace.another_workspace")
    other.dispose()
    engine.dispose()


# ---- an empty file, and one that is no workspace ------------------------------------------------------------


def test_an_empty_file_is_never_taken_for_a_new_workspace(tmp_path):
    """Ours are whole before they are in their place; an empty file was cut off, or is somebody else's."""
    file = tmp_path / "a.sqlite"
    file.touch()
    with refusal_of("workspace.empty_file", error=DataError):
        database.connect(str(file))
    assert file.stat().st_size == 0
    file.unlink()
    database.connect(str(file))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION,)


def test_a_new_workspace_that_can_not_be_made_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspace_address.os, "link", full)
    monkeypatch.setattr(workspace_address.Path, "rename", full)
    with refusal_of("workspace.not_made", reason=Reason("磁盘已满", "No space left on device")):
        database.connect(str(tmp_path / "a.sqlite"))
    assert list(tmp_path.iterdir()) == []


def test_two_servers_that_start_at_once_share_one_new_workspace(tmp_path):
    engines, file = [], tmp_path / "a.sqlite"
    threads = [threading.Thread(target=lambda: engines.append(database.connect(str(file)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [Workspace(engine).create(work(), note="a").id for engine in engines]
    assert len(kept) == 4
    assert {one.id for one in Workspace(engines[0]).works()} == set(kept)


# ---- who may read it ----------------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_only_the_owner_reads_a_workspace(tmp_path, umask, caplog, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(database.ENVIRONMENT, raising=False)
    (tmp_path / "data").mkdir()
    before = os.umask(umask & 0o077)
    try:
        engine = database.connect()
        os.umask(umask)
        file = tmp_path / "data" / "geo_cluster" / "workspace.sqlite"
        with database.writing(engine):
            modes = {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()}
        assert modes == {file.name: 0o600, f"{file.name}-wal": 0o600, f"{file.name}-shm": 0o600}
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert not caplog.records
        file.chmod(0o664)
        database.connect()
        assert file.stat().st_mode & 0o777 == 0o600
        assert "was open to others (mode 664)" in caplog.text
    finally:
        os.umask(before)


# ---- addresses ----------------------------------------------------------------------------------------------


def _addresses(folder):
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "nowhere").symlink_to(folder / "missing" / "x")
    os.mkfifo(folder / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "socket"))
    listening.close()
    (folder / "plain").write_text("x" * 5000)
    return {
        "~nobody-of-this-name/x": "no_home",
        "~": "not_a_file",
        " ": "no_address",
        f"{folder}/a\0b": "no_address",
        f"{folder}/{'x' * 300}": "not_writable",
        f"{folder}/{'长' * 90}": "not_writable",
        f"{'/x' * 3000}": "not_writable",
        "/dev/null": "not_a_file",
        "/dev/full": "not_a_file",
        f"{folder}/pipe": "not_a_file",
        f"{folder}/socket": "not_a_file",
        f"{folder}/loop": "not_writable",
        f"{folder}/loop/x": "not_writable",
        f"{folder}/nowhere": "dangling_link",
        f"{folder}/plain": "not_a_database",
        f"{folder}/plain/x": "not_writable",
        f"file:{folder}/x": "not_a_path",
        f"file://{folder}/x": "unknown_database",
        f"sqlite:///{folder}/x?mode=memory": "odd_sqlite_url",
        f"sqlite://host/{folder}/x": "odd_sqlite_url",
        "sqlite://": "odd_sqlite_url",
        "sqlite:x": "not_a_path",
        ":memory:": "not_a_path",
        "sqlite:///:memory:": "not_a_path",
        r"C:\plans\x.sqlite": "windows_path",
        r"\\server\plans\x.sqlite": "windows_path",
        "postgresql:plans": "not_a_path",
        "postgresql://%zz:99999/x": "unknown_host odd_option not_a_url",
        "postgresql://127.0.0.1:1/x?no_such_option=1": "odd_option",
        "postgresql://127.0.0.1:1/x?connect_timeout=never": "connection_refused odd_option",
        "postgresql://127.0.0.1:1/x": "connection_refused",
        "postgresql://127.0.0.1:99999/x": "odd_option not_a_url",
        "http://127.0.0.1/x": "unknown_database",
        "://": "not_a_url",
    }


@POSIX
def test_an_address_that_is_none_is_told_in_words(tmp_path, capfd):
    before = {path.name for path in tmp_path.iterdir()}
    for given, codes in _addresses(tmp_path).items():
        with refusal_of(*(f"workspace.{code}" for code in codes.split())):
            database.connect(given)
    assert {path.name for path in tmp_path.iterdir()} - before == {"loop", "nowhere", "pipe", "socket", "plain"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('connection failed: FATAL:  password authentication failed for user "li"', "wrong_password"),
        ('connection failed: FATAL:  role "li" does not exist', "wrong_password"),
        ('connection failed: FATAL:  database "plans" does not exist', "no_such_database"),
        ('connection to server at "10.0.0.1", port 5432 failed: Connection refused', "connection_refused"),
        ("failed to resolve host 'db.example': [Errno -2] Name or service not known", "unknown_host"),
        ("connection timeout expired", "no_answer"),
        ("FATAL:  sorry, too many clients already", "too_many_connections"),
        ("server closed the connection unexpectedly", "connection_lost"),
        ('invalid connection option "x"', "odd_option"),
        ("database disk image is malformed", "corrupt_database"),
        ("something new", "unusable"),
    ],
)
def test_what_a_driver_says_without_a_number_has_a_code(said, code):
    assert refusals.code_of(Exception(said)) == f"workspace.{code}"


@pytest.mark.parametrize(
    "codes", [refusals.SQLITE, refusals.POSTGRESQL, refusals.PHRASES], ids=["sqlite", "pg", "said"]
)
def test_what_a_driver_refuses_can_be_read_in_chinese(codes):
    for code in codes.values():
        words = Fault(code, "workspace", reason="connection failed").words("zh")
        assert "failed" not in words.what + words.remedy


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("change", "code"),
    [({"database": "absent"}, "no_such_database"), ({"username": "nobody-here"}, "wrong_password")],
)
def test_a_server_that_refuses_to_let_in(address, change, code):  # noqa: F811
    url = sa.make_url(address).set(**change).render_as_string(hide_password=False)
    with refusal_of(f"workspace.{code}", error=DataError):
        database.connect(url)


@POSIX
@pytest.mark.parametrize("command", [["app", "--headless"], ["backup", "b.sqlite"]])
def test_the_command_line_ends_with_words(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for given in ("~nobody-of-this-name/x", "/dev/null", "a\udcffb/x", "file:x", "sqlite:///x?y=z"):
        monkeypatch.setattr(sys, "argv", ["geo-cluster", *command, "--workspace", given])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 2
        assert capsys.readouterr().err.startswith("✗ ")


@POSIX
def test_odd_names_are_names(tmp_path):
    for name in ("a?mode=ro", "a#b", "a%20b", "[x]*", "空 格", "a'b", "a\udcffb"):
        file = tmp_path / name
        kept = Workspace(database.connect(str(file))).create(work(), note="a")
        assert Workspace(database.connect(str(file))).head(kept.id).number == 1
        assert file.stat().st_size > 0
    assert len(list(tmp_path.iterdir())) == 7


# ---- steps up -----------------------------------------------------------------------------------------------

SCHEMA_1 = """
CREATE TABLE geo_cluster_schema (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE geo_cluster_blobs (sha256 VARCHAR(64) NOT NULL, packed {bytes} NOT NULL, PRIMARY KEY (sha256));
CREATE TABLE geo_cluster_works (id VARCHAR(32) NOT NULL, owner TEXT NOT NULL, shared BOOLEAN NOT NULL,
    deleted_at {moment}, deleted_by TEXT, PRIMARY KEY (id));
CREATE TABLE geo_cluster_revisions (work VARCHAR(32) NOT NULL, number INTEGER NOT NULL, kind VARCHAR(8) NOT NULL,
    origin INTEGER NOT NULL, before INTEGER, tip INTEGER NOT NULL, scenario TEXT NOT NULL, files TEXT NOT NULL,
    note TEXT NOT NULL, author TEXT NOT NULL, at {moment} NOT NULL, PRIMARY KEY (work, number),
    FOREIGN KEY(work) REFERENCES geo_cluster_works (id));
CREATE TABLE geo_cluster_plans (id {serial} NOT NULL, work VARCHAR(32) NOT NULL, number INTEGER NOT NULL,
    scenario_id VARCHAR(12) NOT NULL, content TEXT NOT NULL, author TEXT NOT NULL, at {moment} NOT NULL,
    PRIMARY KEY (id), FOREIGN KEY(work, number) REFERENCES geo_cluster_revisions (work, number));
CREATE INDEX ix_geo_cluster_plans_work ON geo_cluster_plans (work);
CREATE TABLE geo_cluster_marks (person TEXT NOT NULL, mark VARCHAR(64) NOT NULL, PRIMARY KEY (person, mark));
INSERT INTO geo_cluster_schema VALUES (1);
"""
"""The tables as 0.1.0 made them; never to be changed."""

WORDS = {
    "sqlite": {"bytes": "BLOB", "moment": "DATETIME", "serial": "INTEGER"},
    "postgresql": {"bytes": "BYTEA", "moment": "TIMESTAMP WITHOUT TIME ZONE", "serial": "SERIAL"},
}


def as_of_0_1_0(address):  # noqa: F811
    """A workspace as 0.1.0 left it, with a work of two revisions: the scenarios saved."""
    if "://" in address:
        engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    else:
        engine = sa.create_engine(f"sqlite:///{address}")
    content = b"x,y\n"
    sha256 = hashlib.sha256(content).hexdigest()
    scenarios = [catalog.scenario(name).model_dump_json() for name in ("default", "cautious")]
    add = "INSERT INTO geo_cluster_revisions VALUES "
    add += "('w', :n, :kind, :n, :before, :n, :scenario, :files, 'n', 'local', :at)"
    with engine.begin() as connection:
        for statement in SCHEMA_1.format(**WORDS[engine.dialect.name]).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        packed = {"sha256": sha256, "packed": zlib.compress(content)}
        connection.execute(sa.text("INSERT INTO geo_cluster_blobs VALUES (:sha256, :packed)"), packed)
        connection.execute(sa.text("INSERT INTO geo_cluster_works VALUES ('w', 'local', false, NULL, NULL)"))
        for number, scenario in enumerate(scenarios, start=1):
            row = {"n": number, "kind": "new" if number == 1 else "save", "before": number - 1 or None}
            row |= {"scenario": scenario, "files": json.dumps({"a.csv": sha256}), "at": "2026-11-01 08:00:00.000000"}
            connection.execute(sa.text(add), row)
        connection.execute(sa.text("INSERT INTO geo_cluster_marks VALUES ('local', 'first-steps')"))
    engine.dispose()


def told_of(address):  # noqa: F811
    """What a workspace holds of the work of 0.1.0."""
    engine = database.connect(address)
    space = Workspace(engine)
    notes = [(one.number, one.kind, one.note) for one in space.history("w")]
    works = [space.open("w", number).work for number in (1, 2)]
    marked = space.is_marked("first-steps")
    engine.dispose()
    return notes, works, marked


EXPECTED = (
    [(2, "save", "n"), (1, "new", "n")],
    [Work(catalog.scenario(name), {"a.csv": b"x,y\n"}) for name in ("default", "cautious")],
    True,
)


def test_a_workspace_of_0_1_0_is_stepped_up_and_keeps_everything(address, tmp_path):  # noqa: F811
    as_of_0_1_0(address)
    assert told_of(address) == EXPECTED
    engine = database.connect(address)
    with database.reading(engine) as connection:
        assert connection.scalar(sa.select(schema.made.c.version)) == schema.newest()
        assert len(connection.scalar(sa.select(schema.made.c.workspace))) == 32
    kept = Workspace(engine).save("w", work(20), seen=2, note="b")
    assert Workspace(engine).undo("w", seen=3).work == EXPECTED[1][1]
    assert kept.revision.number == 3
    engine.dispose()
    copies = sorted(tmp_path.glob("workspace.schema-1.*.sqlite"))
    assert len(copies) == ("://" not in address)
    if copies:
        assert copies[0].stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
        with closing(sqlite3.connect(copies[0])) as connection:
            assert connection.execute("SELECT version FROM geo_cluster_schema").fetchone() == (1,)
        assert told_of(str(copies[0])) == EXPECTED, "the copy can be gone on with"


def test_a_new_workspace_is_made_as_a_stepped_up_one_is(tmp_path):
    def tables(file):
        with closing(sqlite3.connect(file)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            marked = connection.execute("PRAGMA application_id").fetchone()
            return marked, {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in sorted(names)}

    new, old = tmp_path / "new.sqlite", tmp_path / "old.sqlite"
    database.connect(str(new))
    as_of_0_1_0(str(old))
    database.connect(str(old))
    assert tables(new) == tables(old)


def test_an_interrupted_step_leaves_the_old_one(address, monkeypatch):  # noqa: F811
    as_of_0_1_0(address)
    (first, *others) = schema.STEPS

    def interrupted(connection):
        first.apply(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(schema, "STEPS", (schema.Step("interrupted", interrupted), *others))
        with pytest.raises(KeyboardInterrupt):
            database.connect(address)
    if "://" not in address:
        with closing(sqlite3.connect(address)) as connection:
            assert connection.execute("SELECT * FROM geo_cluster_schema").fetchall() == [(1,)]
    assert told_of(address) == EXPECTED


def test_there_is_no_step_without_room_for_a_copy(tmp_path, monkeypatch):
    file = tmp_path / "workspace.sqlite"
    as_of_0_1_0(str(file))
    before = file.read_bytes()

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(database, "placed", full)
    with refusal_of("workspace.no_room_to_step_up", error=DataError):
        database.connect(str(file))
    assert file.read_bytes()[100:] == before[100:], "but for the head, which says how it is written to"


def test_two_servers_that_start_at_once_step_up_once(address):  # noqa: F811
    as_of_0_1_0(address)
    engines = []
    threads = [threading.Thread(target=lambda: engines.append(database.connect(address))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engines) == 3
    for engine in engines:
        assert Workspace(engine).head("w").number == 2
        engine.dispose()
    assert told_of(address) == EXPECTED


def test_steps_are_applied_in_order_to_an_older_workspace(address, monkeypatch):  # noqa: F811
    """Two steps that are yet to come: all of what 0.1.0 saved is there, and what they add."""

    def add(connection):
        connection.exec_driver_sql("CREATE TABLE geo_cluster_later (note VARCHAR(9) NOT NULL)")

    def fill(connection):
        connection.exec_driver_sql("INSERT INTO geo_cluster_later VALUES ('kept')")

    as_of_0_1_0(address)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, schema.Step("a table", add), schema.Step("a row", fill)))
    assert told_of(address) == EXPECTED
    engine = database.connect(address)
    with database.reading(engine) as connection:
        assert connection.scalar(sa.select(schema.made.c.version)) == schema.newest() == 7
        assert connection.exec_driver_sql("SELECT note FROM geo_cluster_later").all() == [("kept",)]
    engine.dispose()
    monkeypatch.undo()
    with refusal_of("workspace.later_version", error=InputError, version=7, known=5):
        database.connect(address)


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_that_never_was_is_refused(address, version):  # noqa: F811
    engine = database.connect(address)
    with database.writing(engine) as connection:
        connection.execute(schema.made.update().values(version=version))
    engine.dispose()
    with refusal_of("workspace.no_version", error=DataError):
        database.connect(address)


@POSIX
def test_a_server_killed_while_it_steps_up_leaves_a_workspace(tmp_path):
    file = tmp_path / "workspace.sqlite"
    as_of_0_1_0(str(file))
    for moment in ("_copy_before", "_name_and_count", "after"):
        child = os.fork()
        if child == 0:
            try:
                _killed_at(str(file), moment)
            finally:
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, moment
    assert told_of(str(file)) == EXPECTED


def _killed_at(file, moment):
    real_copy, (first, *others) = database._copy_before, schema.STEPS

    def copy(*given):
        real_copy(*given)
        if moment == "_copy_before":
            os.kill(os.getpid(), signal.SIGKILL)

    def step(connection):
        first.apply(connection)
        if moment == "_name_and_count":
            os.kill(os.getpid(), signal.SIGKILL)

    database._copy_before, schema.STEPS = copy, (schema.Step("killed", step), *others)
    database.connect(file)
    os.kill(os.getpid(), signal.SIGKILL)
