"""Projects under way kept safe: history, roles, conflicts, a killed server, backups, and what it was a week ago."""

import datetime
import os
import random
import signal
import sys
import threading
import time

import pytest
import sqlalchemy as sa

from geo_cluster.errors import Conflict, DataError, InputError, Refused
from geo_cluster.policy.ledger import Entry
from geo_cluster.workspace import backup, database, schema
from geo_cluster.workspace.roles import Person
from geo_cluster.workspace.under_way import Change, Ledger
from tests.databases import address, postgres  # noqa: F401  (fixtures)
from tests.ledgers import sample
from tests.refusals import refusal_of

LI, WU = Person("li@plan.example", "planner"), Person("wu@plan.example", "planner")


@pytest.fixture
def engine(address):  # noqa: F811
    engine = database.connect(address)
    yield engine
    engine.dispose()


def entry(name="示例 甲", **said):
    return Entry(name=name, **said)


def put(ledger, projects, *, seen=0, note="n"):
    return ledger.save([Change(id_, one, seen) for id_, one in projects.items()], note=note)


def test_every_state_is_kept_with_who_and_when(engine):
    li, wu = Ledger(engine, LI), Ledger(engine, WU)
    put(li, sample(1), note="一")
    first = li.projects()
    assert {id_: one.entry for id_, one in first.items()} == sample(1)
    assert list(first) == list(sample(1)), "in the order of first saving"
    wu.save([Change("a1", sample(2)["a1"], 1)], note="二")
    assert [(one.number, one.author, one.note) for one in li.history("a1")] == [(2, WU.name, "二"), (1, LI.name, "一")]
    assert [one.entry for one in li.history("a1")] == [sample(2)["a1"], sample(1)["a1"]]
    wu.save([Change("a1", None, 2)], note="out")
    assert "a1" not in li.projects()
    li.save([Change("a1", sample(1)["a1"], 3)], note="back")
    assert li.projects()["a1"].number == 4
    assert list(li.projects()) == list(sample(1))


def test_nobody_overwrites_what_another_saved_and_many_are_saved_or_none(engine):
    li, wu = Ledger(engine, LI), Ledger(engine, WU)
    put(li, {"a": entry(), "b": entry("乙")})
    wu.save([Change("a", entry(firm="wu"), 1)], note="wu was here")
    with pytest.raises(Conflict) as conflict:
        li.save([Change("b", entry("乙", firm="li"), 1), Change("a", entry(firm="li"), 1)], note="n")
    assert (conflict.value.author, conflict.value.note, conflict.value.number) == (WU.name, "wu was here", 2)
    assert {id_: one.entry.firm for id_, one in li.projects().items()} == {"a": "wu", "b": ""}
    with pytest.raises(Conflict):
        li.save([Change("a", entry("丙"), 0)], note="a new one with an id that is taken")


def test_two_at_once_on_one_project_are_one_and_a_conflict(engine):
    put(Ledger(engine), {"a": entry()})
    ends = []

    def save(n):
        try:
            Ledger(engine).save([Change("a", entry(firm=str(n)), 1)], note="n")
            ends.append("saved")
        except Conflict:
            ends.append("conflict")

    threads = [threading.Thread(target=save, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["conflict"] * 5 + ["saved"]


def test_a_viewer_looks_and_does_not_save(engine):
    put(Ledger(engine), {"a": entry()})
    guest = Ledger(engine, Person("guest@plan.example", "viewer"))
    assert list(guest.projects()) == ["a"]
    with refusal_of("policy.may_not_save", error=Refused):
        put(guest, {"b": entry("乙")})


def test_a_second_project_of_one_name_and_city_is_refused_and_nothing_is_kept(engine):
    ledger = Ledger(engine)
    put(ledger, {"a": entry(city="420200")})
    with refusal_of("policy.same_project", error=InputError):
        put(ledger, {"b": entry(" 示例甲 ", city="420200"), "c": entry("丙")})
    assert list(ledger.projects()) == ["a"]
    put(ledger, {"b": entry(city="420700")})
    with refusal_of("policy.same_project", error=InputError):
        ledger.save([Change("b", entry(city="420200"), 1)], note="n")


def test_what_it_was_at_a_moment_and_what_is_new_since(engine):
    ledger = Ledger(engine)
    put(ledger, sample(1))
    with database.writing(engine) as connection:
        connection.execute(schema.ledger.update().values(at=datetime.datetime(2026, 11, 22, 8)))
    seq, everything = ledger.since(0)
    assert len(everything) == len(sample(1))
    ledger.save([Change("a1", sample(2)["a1"], 1), Change("a8", sample(2)["a8"], 0)], note="n")
    later, fresh = ledger.since(seq)
    assert {one.id: one.entry for one in fresh} == {"a1": sample(2)["a1"], "a8": sample(2)["a8"]}
    assert ledger.head() == later > seq
    assert ledger.since(later) == (later, [])
    monday = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
    assert {id_: one.entry for id_, one in ledger.projects(at=monday).items()} == sample(1)
    assert ledger.projects(at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)) == {}


def test_a_row_that_is_not_what_was_saved_is_told(engine):
    ledger = Ledger(engine)
    put(ledger, {"a": entry()})
    with database.writing(engine) as connection:
        connection.execute(schema.ledger.update().values(content="{bad"))
    with refusal_of("policy.row_unreadable", error=DataError):
        ledger.projects()


@pytest.mark.slow
@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_a_backup_carries_the_ledger(address, to, tmp_path, request):  # noqa: F811
    engine, file = database.connect(address), tmp_path / "copy.sqlite"
    put(Ledger(engine, LI), sample(1))
    counts = backup.write(engine, file)
    assert counts[schema.ledger.name] == len(sample(1))
    target = str(tmp_path / "back.sqlite") if to == "sqlite" else request.getfixturevalue("other")
    backup.restore(file, target)
    back = Ledger(database.connect(target), LI)
    assert back.projects() == Ledger(engine).projects()
    put(back, {"z": entry("further")})  # its numbers go on where they were
    assert back.head() > Ledger(engine).head()
    with refusal_of("workspace.holds_works", error=InputError):
        backup.restore(file, target)
    engine.dispose()
    back.engine.dispose()


@pytest.fixture
def other(postgres):  # noqa: F811
    """A second place on the server."""
    engine = sa.create_engine(postgres.set(drivername="postgresql+psycopg"))
    name = f"ledger_{random.randrange(10**9)}"
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(name))
    engine.dispose()
    return postgres.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no fork, no SIGKILL")
def test_a_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path):
    """Each time a process saves one change after the other, tells each, and is killed somewhere in the midst."""
    ledger, chance = Ledger(database.connect(str(tmp_path / "w.sqlite"))), random.Random(26)  # opens the file each time
    saved = 0
    for turn in range(100):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                for number in range(1000):
                    ledger.save([Change(f"p{turn}", entry(f"{turn}", notes=str(number)), number)], note=str(number))
                    os.write(write, b".")
            finally:
                os._exit(1)
        os.close(write)
        told = b"".join(os.read(read, 1) for _ in range(chance.randrange(4)))  # it is under way
        time.sleep(0.01 * chance.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(read, "rb") as rest:
            told += rest.read()
        history = ledger.history(f"p{turn}")
        assert [one.number for one in history] == list(range(len(history), 0, -1)), "no number is missing or twice"
        assert all(one.entry.notes == str(one.number - 1) for one in history), "nothing is half"
        assert len(history) - len(told) in (0, 1), "what was acknowledged is there, and at most the one under way"
        saved += len(told)
    assert saved > 100, "there was something to lose"
    assert len(ledger.projects()) <= 100
