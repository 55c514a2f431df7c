import os
import random
import signal
import sys
import threading
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo_cluster import study
from geo_cluster.domain import Text
from geo_cluster.errors import Conflict, DataError, InputError, Reason, Refused
from geo_cluster.report import tables
from geo_cluster.workspace import database, headings, schema
from geo_cluster.workspace.repository import NEEDS, NOT_YOURS, PROJECTS, Work, Workspace
from geo_cluster.workspace.roles import Person, check_rules, check_sign_in, role_of
from geo_cluster.world import catalog
from tests.databases import address, postgres  # noqa: F401  (fixtures)
from tests.refusals import refusal_of
from tests.studies import OWN
from tests.studies import run as shipped

LI = Person("li@plan.example", "planner")
WU = Person("wu@plan.example", "planner")
CHEF = Person("chef@plan.example", "admin")
GUEST = Person("guest@plan.example", "viewer")
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE geo_cluster_works; --",
    "=2+5",
    "🏭" * 50,
    "长" * 200,
)
HOSTILE += ('"quotes" \\ *bold* [a](b) $x$ :smile:', "\x00nul\x1b[31m", "\ud800half")
MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def engine(address):  # noqa: F811
    engine = database.connect(address)
    yield engine
    engine.dispose()


def work(draws=1000, **files):
    return Work(catalog.scenario().model_copy(update={"draws": draws}), files)


def level(kept):
    return kept.work.scenario.draws


# ---- what is saved comes back -------------------------------------------------------------------------------

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
paths = st.from_regex(r"\A[a-z一-龥 ]{1,8}(/[a-z一-龥]{1,8}){0,2}\.[a-z]{1,4}\Z")


@pytest.mark.slow
@MANY
@given(name=names, note=st.text(max_size=600), files=st.dictionaries(paths, st.binary(max_size=3000), max_size=4))
def test_what_was_saved_comes_back(engine, name, note, files):
    scenario = catalog.scenario().model_copy(update={"name": Text(zh=name, en=name)})
    given_work = Work(scenario, files)
    space = Workspace(engine)
    kept = space.create(given_work, note=note)
    again = space.open(kept.id)
    assert again.work == given_work
    assert again == kept
    assert again.work.scenario.id == scenario.id


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_and_notes_are_only_text(engine, name):
    space = Workspace(engine, Person(name, "planner"))
    kept = space.create(work().named(name), note=name)
    (entry,) = space.works()
    assert entry.name.zh == space.open(kept.id).work.scenario.name.zh
    assert entry.name.zh == kept.work.scenario.name.zh
    assert len(entry.name.zh) <= 200
    assert space.history(kept.id)[0].note == kept.revision.note
    readable = name.encode("utf-8", "ignore").decode() == name and name.isprintable()
    assert (entry.name.zh == name) == readable
    space.delete(kept.id)
    assert space.works() == []


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../b", "C:\\x", "a\\b", "", "a//b", "x\n"])
def test_a_path_that_leads_out_of_a_work_is_refused(path):
    with refusal_of("workspace.no_path_in_work", error=InputError):
        Work(catalog.scenario(), {path: b""})


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_a_work_needs_a_name(name):
    with refusal_of("workspace.no_name", error=InputError):
        work().named(name)


def test_files_are_stored_once_and_checked(engine):
    space, content = Workspace(engine), b"a,b\n" * 50_000
    kept = space.create(work(**{"a.csv": content, "b.csv": content}), note="")
    for draws in range(100, 110):
        kept = space.save(kept.id, work(draws, **{"a.csv": content}), seen=kept.revision.number, note="")
    with database.writing(engine) as connection:
        (packed,) = connection.scalars(sa.select(schema.blobs.c.packed)).all()
        assert len(packed) < len(content) / 20
        connection.execute(schema.blobs.update().values(packed=packed[:-9]))
    with refusal_of("workspace.content_changed", error=DataError) as refusal:
        space.open(kept.id)
    assert [fault.place.name for fault in refusal.value.faults] == ["a.csv"]


def spoil(engine, id_, **values):
    """Write into the newest revision of a work what this program never would."""
    told = ", ".join(f'"{column}" = {value}' for column, value in values.items())
    with database.writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE geo_cluster_revisions SET {told} WHERE work = '{id_}'")


SPOILT = [
    {"scenario": "'{bad'"},
    {"scenario": "'null'"},
    {"scenario": """'{"foo": 1}'"""},
    {"scenario": """'{"name": 3, "portfolio": "sample"}'"""},
    {"files": "'{bad'"},
    {"scenario": f"'{'[' * 100_000}'"},
    {"files": f"'{'[' * 100_000}'"},
    {"files": "'3'"},
    {"kind": "'odd'"},
]
SPOILT_BYTES = [
    {"scenario": "CAST(x'7b22ff' AS TEXT)"},
    {"scenario": "replace(scenario, '2', CAST(x'ff' AS TEXT))"},
    {"note": "CAST(x'ff' AS TEXT)"},
    {"author": "CAST(x'ff' AS TEXT)"},
    {"at": "'yesterday'"},
    {"at": "x'00'"},
    {"note": "x'ff00'"},
    {"author": "x'ff00'"},
    {"kind": "x'ff00'"},
    {"scenario": "x'ff00'"},
    {"files": "x'ff00'"},
]


@pytest.mark.parametrize("values", SPOILT)
def test_one_damaged_work_does_not_hide_the_others(engine, values):
    _one_damaged(engine, values)


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize("values", SPOILT_BYTES)
def test_one_work_with_spoilt_bytes_does_not_hide_the_others(engine, values):
    _one_damaged(engine, values)


def _one_damaged(engine, values):
    space = Workspace(engine)
    sound, spoilt = space.create(work(), note="a"), space.create(work(), note="b")
    spoil(engine, spoilt.id, **values)
    entries = {one.id: one for one in space.works()}
    assert set(entries) == {sound.id, spoilt.id}
    assert not entries[sound.id].is_damaged
    is_content = {"scenario", "files"} & set(values)
    assert entries[spoilt.id].is_damaged == bool(is_content)
    assert space.open(sound.id) == sound
    assert len(space.history(spoilt.id)) == 1
    with pytest.raises(Conflict):
        space.save(spoilt.id, work(20), seen=9, note="of another one")
    if is_content:
        with pytest.raises(DataError) as told:
            space.open(spoilt.id)
        assert "rd_minutes" not in str(told.value), "the text of the scenario is nobody's business"
        space.save(spoilt.id, work(20), seen=1, note="mended")
        assert level(space.open(spoilt.id)) == 20
    space.delete(spoilt.id)
    assert [one.id for one in space.works(deleted=True)] == [spoilt.id]


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "told",
    ["owner = x'ff00', shared = 1", "owner = 7.5, shared = 1", "id = x'ff00'", "id = ''", "deleted_by = x'ff'"],
)
def test_a_work_of_no_texts_does_not_hide_the_others(engine, told):
    space = Workspace(engine)
    sound, spoilt = space.create(work(), note="a"), space.create(work(), note="b")
    new = told.removeprefix("id = ") if told.startswith("id") else f"'{spoilt.id}'"
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.exec_driver_sql(f"UPDATE geo_cluster_works SET {told} WHERE id = '{spoilt.id}'")
        connection.exec_driver_sql(f"UPDATE geo_cluster_revisions SET work = {new} WHERE work = '{spoilt.id}'")
    entries = space.works()
    assert sound.id in [one.id for one in entries]
    assert len(entries) == 2
    assert all(isinstance(text, str) for one in entries for text in (one.id, one.owner, one.name.zh))
    assert space.open(sound.id) == sound
    if not told.startswith("id"):
        assert isinstance(space.open(spoilt.id).owner, str)


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize("packed", ["'text'", "7", "1000000000000", "2.5", "x''"])
def test_a_content_that_is_no_bytes_is_refused(engine, packed):
    space = Workspace(engine)
    kept = space.create(work(**{"a.csv": b"a,b"}), note="a")
    with database.writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE geo_cluster_blobs SET packed = {packed}")
    with refusal_of("workspace.content_changed", error=DataError) as refusal:
        space.open(kept.id)
    assert [fault.place.name for fault in refusal.value.faults] == ["a.csv"]


def test_a_content_is_not_unpacked_without_limit(engine, tmp_path, monkeypatch):
    space, bomb = Workspace(engine), bytes(2**26)
    kept = space.create(work(**{"a.csv": bomb, "b.csv": b"b"}), note="a")
    mine = tmp_path / "limits.toml"
    mine.write_text("unpacked_megabytes = 8")
    monkeypatch.setenv("GEO_CLUSTER_LIMITS", str(mine))
    tracemalloc.start()
    with refusal_of("workspace.unpacks_too_large", error=DataError, most=8):
        space.open(kept.id)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**25
    with pytest.raises(InputError, match="has 64 MB, more than the 8 that are read at once"):
        space.create(work(**{"a.csv": bomb}), note="a")
    halves = {"a.csv": bytes(5 * 2**20), "b.csv": b"b" * (5 * 2**20)}
    with pytest.raises(InputError, match="has 10 MB, more than the 8 that are read at once"):
        space.create(work(**halves), note="one may be small, and all together large")
    assert [one.id for one in space.works()] == [kept.id]


@pytest.mark.parametrize("values", [{"tip": 9}, {"tip": 3, "origin": 2}, {"before": 7}])
def test_a_history_that_can_not_be_followed_is_told(engine, values):
    space = Workspace(engine)
    kept = space.create(work(), note="a")
    kept = space.save(kept.id, work(20), seen=1, note="b")
    spoil(engine, kept.id, **values)
    with pytest.raises((DataError, Refused)):
        space.open(kept.id)


def test_there_is_no_revision_before_the_first(engine):
    space = Workspace(engine)
    kept = space.create(work(), note="a")
    for number in (0, -1, 2):
        with refusal_of("workspace.no_revision", error=Refused, number=number):
            space.open(kept.id, number)


# ---- history ------------------------------------------------------------------------------------------------

steps = st.lists(st.sampled_from(["save", "save", "undo", "redo", "back"]), max_size=25)


@pytest.mark.slow
@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@MANY
@given(steps=steps, pick=st.randoms(use_true_random=False))
def test_undo_and_redo_are_those_of_a_list(engine, steps, pick):
    _walk(Workspace(engine), steps, pick)


@pytest.mark.slow
def test_undo_and_redo_are_those_of_a_list_in_one_long_walk(engine):
    pick = random.Random(3)
    _walk(Workspace(engine), pick.choices(["save", "save", "undo", "undo", "redo", "back"], k=80), pick)


def _walk(space, steps, pick):
    """Walk through a history and through a plain list side by side."""
    kept = space.create(work(10), note="n10")
    line, at, told = [(10, "n10")], 0, [10]
    for step, draws in zip(steps, range(11, 999), strict=False):
        seen = kept.revision.number
        if step == "save":
            kept = space.save(kept.id, work(draws), seen=seen, note=f"n{draws}")
            line, at = [*line[: at + 1], (draws, f"n{draws}")], at + 1
        elif step == "back":
            number = pick.randint(1, len(told))
            kept = space.back(kept.id, number, seen=seen, note=f"b{draws}")
            line, at = [*line[: at + 1], (told[number - 1], f"b{draws}")], at + 1
        elif (step == "undo" and at == 0) or (step == "redo" and at == len(line) - 1):
            with refusal_of(f"workspace.nothing_to_{step}", error=Refused):
                getattr(space, step)(kept.id, seen=seen)
            continue
        else:
            kept = getattr(space, step)(kept.id, seen=seen)
            at += 1 if step == "redo" else -1
        told.append(line[at][0])
        assert level(kept) == line[at][0]
        assert kept.undoes == (line[at][1] if at else None)
        assert kept.redoes == (line[at + 1][1] if at + 1 < len(line) else None)
    assert space.open(kept.id) == kept
    history = space.history(kept.id)
    assert [one.number for one in history] == list(range(len(told), 0, -1))
    assert [level(space.open(kept.id, number + 1)) for number in range(len(told))] == told, "history is never lost"


def test_a_rename_is_a_revision(engine):
    space = Workspace(engine)
    kept = space.create(work(), note="new")
    kept = space.rename(kept.id, "十堰方案", seen=1, note="renamed")
    assert space.works()[0].name == Text(zh="十堰方案", en="十堰方案")
    assert space.undo(kept.id, seen=2).work.scenario.name == catalog.scenario().name


def test_the_list_tells_what_is_sample_and_the_last_changed_first(engine):
    space = Workspace(engine)
    first, second = space.create(work(), note="a"), space.create(work(**{PROJECTS: b"x"}), note="b")
    assert [(one.id, one.is_sample) for one in space.works()] == [(second.id, False), (first.id, True)]
    space.save(first.id, work(50), seen=1, note="c")
    assert [(one.id, one.revision.note) for one in space.works()] == [(first.id, "c"), (second.id, "b")]
    assert [one.id for one in space.works(limit=1)] == [first.id]


# ---- two people ---------------------------------------------------------------------------------------------


def test_the_second_is_told_and_nothing_is_overwritten(engine):
    li, wu = Workspace(engine, LI), Workspace(engine, WU)
    kept = li.create(work(10), note="new")
    li.share(kept.id, True)
    wu.save(kept.id, work(20), seen=1, note="改口径")
    for attempt in (
        lambda: li.save(kept.id, work(30), seen=1, note="mine"),
        lambda: li.undo(kept.id, seen=1),
        lambda: li.back(kept.id, 1, seen=1, note="back"),
        lambda: li.rename(kept.id, "x", seen=1, note="renamed"),
        lambda: li.save(kept.id, work(30), seen=3, note="from the future"),
    ):
        with pytest.raises(Conflict) as told:
            attempt()
        assert (told.value.author, told.value.note, told.value.number) == (WU.name, "改口径", 2)
        assert WU.name in str(told.value)
        assert "save yours as a copy" in str(told.value)
    assert level(li.open(kept.id)) == 20
    mine = li.create(work(30).named("mine"), note="copy")
    assert [level(li.open(one)) for one in (mine.id, kept.id)] == [30, 20]


def test_many_savers_at_once_lose_nothing(engine):
    kept = Workspace(engine).create(work(10), note="new")
    won, lost = [], []

    def save(number):
        space = Workspace(engine, Person(f"p{number}", "admin"))
        for attempt in range(5):
            seen = space.head(kept.id).number
            try:
                space.save(kept.id, work(100 + number), seen=seen, note=f"{number}/{attempt}")
                won.append((seen + 1, 100 + number))
            except Conflict:
                lost.append(number)

    Workspace(engine).share(kept.id, True)
    threads = [threading.Thread(target=save, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) + len(lost) == 30
    assert sorted(number for number, _ in won) == list(range(2, len(won) + 2)), "each number was given once"
    space = Workspace(engine)
    assert all(level(space.open(kept.id, number)) == draws for number, draws in won)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no fork, no SIGKILL")
def test_killed_in_the_middle_of_a_save_nothing_is_lost_and_nothing_is_half(address):  # noqa: F811
    """A writer killed at any moment: what it acknowledged is there, and each revision is whole."""
    engine = database.connect(address)
    kept = Workspace(engine).create(work(10, **{"a.bin": bytes(10)}), note="10")
    engine.dispose()
    chance, acknowledged = random.Random(1), 1
    for _ in range(25):
        said, say = os.pipe()
        child = os.fork()
        if child == 0:
            _write_until_killed(address, kept.id, say)
        os.close(say)
        for _ in range(chance.randint(2, 4)):  # it has begun, and saved once to three times
            acknowledged = int.from_bytes(os.read(said, 4), "big")
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while told := os.read(said, 4):
            acknowledged = int.from_bytes(told, "big")
        os.close(said)
        engine = database.connect(address)
        space = Workspace(engine)
        newest = space.open(kept.id)  # opening checks the hash of each file
        engine.dispose()
        assert newest.revision.number >= acknowledged
        assert newest.work.files["a.bin"][:4] == newest.revision.number.to_bytes(4, "big") or level(newest) == 10
        assert newest.revision.note == str(level(newest))
    assert acknowledged > 0, "the writers hardly wrote"
    space = Workspace(database.connect(address))
    assert [one.number for one in space.history(kept.id, limit=10**6)][::-1] == list(
        range(1, space.head(kept.id).number + 1)
    )
    for number in range(1, acknowledged + 1):
        space.open(kept.id, number)
    space.engine.dispose()


def _write_until_killed(address, id_, say):  # noqa: F811
    try:
        space = Workspace(database.connect(address))
        number = space.head(id_).number
        os.write(say, number.to_bytes(4, "big"))
        while True:
            number += 1
            content = number.to_bytes(4, "big") + random.Random(number).randbytes(100_000)
            given_work = work(10 + number, **{"a.bin": content})
            space.save(id_, given_work, seen=number - 1, note=str(10 + number))
            os.write(say, number.to_bytes(4, "big"))
    finally:
        os._exit(1)


# ---- who may do what ----------------------------------------------------------------------------------------


def test_a_person_sees_own_and_shared_works_only(engine):
    li, wu = Workspace(engine, LI), Workspace(engine, WU)
    kept = li.create(work(), note="new")
    li.keep_plan(kept.id, 1, shipped())
    assert wu.works() == wu.plans() == []
    chef = Workspace(engine, CHEF)
    attempts = [
        lambda space: space.open(kept.id),
        lambda space: space.open(kept.id, 1),
        lambda space: space.history(kept.id),
        lambda space: space.head(kept.id),
        lambda space: space.copy(kept.id, name="x", note="x"),
        lambda space: space.save(kept.id, work(), seen=1, note="x"),
        lambda space: space.undo(kept.id, seen=1),
        lambda space: space.last_plan(kept.id),
        lambda space: space.plan(kept.id, li.plans()[0].id),
        lambda space: space.keep_plan(kept.id, 1, shipped()),
    ]
    for attempt in attempts:
        for space in (wu, chef, Workspace(engine, GUEST)):
            with pytest.raises(Refused) as told:
                attempt(space)
            assert LI.name not in str(told.value)
    for attempt in (lambda: wu.share(kept.id, True), lambda: wu.delete(kept.id), lambda: wu.restore(kept.id)):
        with refusal_of(*NOT_YOURS.values(), error=Refused):
            attempt()
    li.share(kept.id, True)
    assert [one.id for one in wu.works()] == [kept.id]
    assert wu.open(kept.id).work == kept.work
    assert [one.work for one in wu.plans()] == [kept.id]
    wu.save(kept.id, work(20), seen=1, note="x")
    li.share(kept.id, False)
    with pytest.raises(Refused):
        wu.save(kept.id, work(30), seen=2, note="x")


def test_a_viewer_saves_nothing(engine):
    kept = Workspace(engine, LI).create(work(), note="new")
    Workspace(engine, LI).share(kept.id, True)
    space = Workspace(engine, GUEST)
    assert space.open(kept.id).work == kept.work
    assert [one.note for one in space.history(kept.id)] == ["new"]
    for attempt in (
        lambda: space.create(work(), note="x"),
        lambda: space.copy(kept.id, name="x", note="x"),
        lambda: space.save(kept.id, work(), seen=1, note="x"),
        lambda: space.rename(kept.id, "x", seen=1, note="x"),
        lambda: space.undo(kept.id, seen=1),
        lambda: space.redo(kept.id, seen=1),
        lambda: space.back(kept.id, 1, seen=1, note="x"),
        lambda: space.keep_plan(kept.id, 1, shipped()),
        lambda: space.share(kept.id, False),
        lambda: space.delete(kept.id),
        lambda: space.restore(kept.id),
        lambda: space.works(everybody=True),
    ):
        with refusal_of(*(code for _, code in NEEDS.values()), error=Refused, role="viewer"):
            attempt()
    assert space.head(kept.id).number == 1


def test_an_admin_looks_after_all_works_and_a_deleted_one_comes_back(engine):
    li, chef = Workspace(engine, LI), Workspace(engine, CHEF)
    kept = li.create(work(), note="new")
    assert chef.works() == []
    assert [one.id for one in chef.works(everybody=True)] == [kept.id]
    chef.delete(kept.id)
    assert li.works() == []
    assert [one.id for one in li.works(deleted=True)] == [kept.id]
    for attempt in (lambda: li.open(kept.id), lambda: li.save(kept.id, work(), seen=1, note="x")):
        with refusal_of("workspace.deleted", error=Refused, person=CHEF.name):
            attempt()
    li.restore(kept.id)
    assert li.open(kept.id).work == kept.work
    li.delete(kept.id)
    chef.restore(kept.id)
    chef.share(kept.id, True)
    assert chef.open(kept.id).work == kept.work
    with refusal_of("workspace.may_not_list", error=Refused, role="planner"):
        li.works(everybody=True)


RULES = {"planner": ["*@plan.example", "siting"], "admin": ["Wu@plan.example", "chiefs"]}


@pytest.mark.parametrize(
    ("email", "groups", "role"),
    [
        ("li@plan.example", [], "planner"),
        ("LI@PLAN.EXAMPLE", [], "planner"),
        ("wu@plan.example", [], "admin"),
        ("x@elsewhere.example", ["siting"], "planner"),
        ("x@elsewhere.example", ["siting", "Chiefs"], "admin"),
        ("x@elsewhere.example", ["*@plan.example", "wu@plan.example"], "viewer"),
        ("x@evil.example@plan.example.evil", [], "viewer"),
        ("x@notplan.example", [], "viewer"),
        ("siting", [], "viewer"),
        ("", [], "viewer"),
    ],
)
def test_roles_are_given_by_address_domain_and_group(email, groups, role):
    assert role_of(email, groups, RULES) == role


def test_faults_of_the_rules_are_told_at_once():
    with pytest.raises(InputError) as told:
        check_rules({"boss": ["x"], "admin": "wu@plan.example"})
    assert [(fault.code, fault.place.key) for fault in told.value.faults] == [
        ("workspace.unknown_role", "boss"),
        ("workspace.role_no_list", "admin"),
    ]
    assert check_rules(RULES) == RULES
    with refusal_of("workspace.roles_no_section", error=InputError):
        check_rules(["wu@plan.example"])


SIGN_IN = {"redirect_uri": "http://localhost:{port}/oauth2callback", "cookie_secret": "k" * 32}
OKTA = {"client_id": "a", "client_secret": "b", "server_metadata_url": "https://login.example/openid"}


@pytest.mark.parametrize("auth", [SIGN_IN | OKTA | {"client_kwargs": {"prompt": "login"}}, SIGN_IN | {"okta": OKTA}])
def test_settings_of_signing_in_that_will_do(auth):
    assert list(check_sign_in(auth)) == (["okta"] if "okta" in auth else [""])


@pytest.mark.parametrize(
    ("auth", "places"),
    [
        ("geheim", ["[auth]"]),
        ({}, ["redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url"]),
        (SIGN_IN | OKTA | {"redirect_uri": "https://siting.example/"}, ["redirect_uri"]),
        (SIGN_IN | OKTA | {"cookie_secret": "kurz"}, ["cookie_secret"]),
        (SIGN_IN | OKTA | {"server_metadata_url": "geheim"}, ["server_metadata_url"]),
        (SIGN_IN | OKTA | {"client_secret": 12345}, ["client_secret"]),
        (SIGN_IN | {"my_okta": OKTA, "gitlab": {"client_id": "a", "client_secret": "geheim"}},
         ["[auth.my_okta]", "server_metadata_url"]),
    ],
)  # fmt: skip
def test_faults_of_signing_in_are_told_at_once_and_tell_no_value(auth, places):
    with pytest.raises(InputError) as told:
        check_sign_in(auth)
    assert [fault.place.key or fault.place.sheet for fault in told.value.faults] == places
    for value in ("geheim", "kurz", "12345"):
        assert value not in str(told.value)


# ---- plans --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_a_plan_is_shown_again_without_solving(engine, tmp_path, monkeypatch, own):
    files = {PROJECTS: OWN.to_csv(index=False).encode()} if own else {}
    space, given_work = Workspace(engine, LI), Work(catalog.scenario("cautious"), files)
    kept = space.create(given_work, note="new")
    assert space.last_plan(kept.id) is None
    result = study.run(given_work.settled(tmp_path / "first")) if own else shipped("cautious")
    space.keep_plan(kept.id, 1, result)
    space.save(kept.id, work(20), seen=1, note="moved on")
    monkeypatch.setattr(study, "solve", lambda *_, **__: pytest.fail("it was solved again"))
    plan = space.last_plan(kept.id)
    assert (plan.author, plan.scenario_id, plan.work) == (LI.name, result.scenario.id, given_work)
    again = plan.study(tmp_path / "elsewhere")
    assert again.summary() == result.summary()
    assert again.seconds == result.seconds
    assert again.version == result.version == study.PROGRAM
    assert replace(plan, version="0.0.9").study(tmp_path / "elsewhere").version == "0.0.9"
    assert tables.assignment(again).equals(tables.assignment(result))
    assert tables.unplaced(again).equals(tables.unplaced(result))
    assert tables.pools(again).equals(tables.pools(result))


def test_plans_of_any_age_are_listed_and_read(engine):
    space = Workspace(engine, LI)
    first, second = (space.create(Work(catalog.scenario(name)), note=name) for name in ("default", "cautious"))
    space.keep_plan(first.id, 1, shipped())
    space.keep_plan(second.id, 1, shipped("cautious"))
    space.keep_plan(first.id, 1, shipped())  # run again: the same settings are one line
    placed = tables.assignment(shipped())
    listed = space.plans()
    assert [(one.work, one.note, one.level) for one in listed] == [
        (first.id, "default", "likely"),
        (second.id, "cautious", "cautious"),
    ]
    assert (listed[0].placed, listed[0].of) == (len(placed), len(shipped().projects))
    old = space.plan(first.id, listed[0].id)
    assert old.placed == dict(zip(placed["project"], placed["site"], strict=True))
    assert old.plan.site.tolist() == shipped().plan.site.tolist()
    with refusal_of("workspace.no_plan", error=Refused):
        space.plan(first.id, listed[1].id)
    space.delete(first.id)
    assert [one.work for one in space.plans()] == [second.id]


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"site": [1e400]}', f'{{"site": [1{"0" * 30}]}}', '{"site": [0], "pools": 3}', "null", "{}", ""],
)
def test_a_plan_that_can_not_be_read_is_told(engine, content):
    space = Workspace(engine)
    kept = space.create(Work(catalog.scenario()), note="new")
    row = {"work": kept.id, "number": 1, "scenario_id": "", "author": "", "at": kept.revision.at.replace(tzinfo=None)}
    with database.writing(engine) as connection:
        connection.execute(schema.plans.insert().values(content=content, **row))
    with refusal_of("workspace.plan_unreadable", error=DataError):
        space.last_plan(kept.id)
    assert space.plans() == []


@pytest.mark.slow
@pytest.mark.parametrize("change", ["hashes", "site", "scenario_id"])
def test_a_plan_of_other_data_is_not_shown(engine, tmp_path, change):
    space = Workspace(engine)
    kept = space.create(Work(catalog.scenario()), note="new")
    space.keep_plan(kept.id, 1, shipped())
    plan = space.last_plan(kept.id)
    site = np.where(plan.plan.site >= 0, (plan.plan.site + 1) % 29, -1)
    other = {"hashes": {}, "site": replace(plan.plan, site=site), "scenario_id": "0" * 12}
    spoilt = replace(plan, **{{"site": "plan"}.get(change, change): other[change]})
    assert spoilt.study(tmp_path) is None
    assert plan.study(tmp_path) is not None


@pytest.mark.slow
def test_a_given_plan_is_checked_anew():
    result = shipped()
    site = result.plan.site.copy()
    placed = np.flatnonzero(site >= 0)
    site[placed] = site[placed[0]]
    crowded = study.run(result.scenario, plan=replace(result.plan, site=site))
    assert {one.kind for one in crowded.violations} >= {"capacity", "objective"}
    for wrong in (site[:-1], np.full_like(site, 99), np.full_like(site, -2)):
        with pytest.raises(InputError, match="is not one of 30 projects and 33 sites"):
            study.run(result.scenario, plan=replace(result.plan, site=wrong))
    with pytest.raises(InputError, match="is not one of 30 projects and 33 sites"):
        study.run(result.scenario, plan=replace(result.plan, pools={"power": site[:3]}))


def test_what_was_seen_stays_seen(engine):
    li, wu = Workspace(engine, LI), Workspace(engine, WU)
    assert not li.is_marked("steps")
    li.mark("steps")
    li.mark("steps")
    assert li.is_marked("steps")
    assert not wu.is_marked("steps")


def test_matched_headings_are_kept_for_every_work_until_they_are_forgotten(engine):
    li, wu = Workspace(engine, LI), Workspace(engine, WU)
    names, mapping = ["名称", "赛道", "规模"], {"赛道": "segment", "规模": "land_mu@公顷"}
    headings.remember(li, "projects", names, {"赛道": "notes"})
    headings.remember(li, "projects", names, mapping)
    assert headings.matched(Workspace(engine, LI), "projects", names[::-1]) == mapping
    assert headings.matched(li, "parcels", names) == headings.matched(wu, "projects", names) == {}
    assert headings.matched(li, "projects", names[:2]) == {}
    with database.writing(engine) as connection:
        connection.execute(schema.headings.update().values(mapping="[1"))
    assert headings.matched(li, "projects", names) == {}
    headings.remember(li, "projects", names, mapping)
    headings.forget(li, "projects", names)
    assert headings.matched(li, "projects", names) == {}


# ---- the database -------------------------------------------------------------------------------------------


def test_opened_again_all_is_there(address):  # noqa: F811
    engine = database.connect(address)
    kept = Workspace(engine).create(work(**{"a.csv": b"1"}), note="new")
    engine.dispose()
    engine = database.connect(address)
    assert Workspace(engine).open(kept.id) == kept
    engine.dispose()


def test_a_workspace_of_a_later_version_is_refused(address):  # noqa: F811
    engine = database.connect(address)
    with database.writing(engine) as connection:
        connection.execute(schema.made.update().values(version=schema.newest() + 1))
    engine.dispose()
    with refusal_of("workspace.later_version", error=InputError):
        database.connect(address)


def test_sqlite_promises_durability(tmp_path):
    engine = database.connect(str(tmp_path / "a.sqlite"))
    with engine.connect() as connection:
        said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        said += [connection.exec_driver_sql("PRAGMA foreign_keys").scalar()]
        said += [connection.exec_driver_sql("PRAGMA busy_timeout").scalar()]
    assert said == ["wal", 2, 1, 15_000]
    engine.dispose()


def test_what_is_no_workspace_is_refused_in_words(tmp_path, monkeypatch):
    text, other = tmp_path / "notes.txt", tmp_path / "other.gpkg"
    text.write_text("not a database, " * 100)
    foreign = sa.create_engine(f"sqlite:///{other}")
    with foreign.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE gpkg_contents (a)")
    foreign.dispose()
    for place, code in (
        (tmp_path, "workspace.not_a_file"),
        (tmp_path / "missing" / "a.sqlite", "workspace.no_folder"),
        (text, "workspace.not_a_database"),
        (other, "workspace.foreign_database"),
        ("mysql://u:p@h/d", "workspace.unknown_database"),
        ("postgresql://u:p@h:port/d", "workspace.not_a_url"),
    ):
        with refusal_of(code) as told:
            database.connect(str(place))
        assert "u:p@h" not in str(told.value)
    assert text.read_text().startswith("not a database"), "it was left alone"
    real = database.Path.open

    def denied(path, mode="r", *given, **more):
        if "x" in mode:
            raise PermissionError(13, "denied")
        return real(path, mode, *given, **more)

    monkeypatch.setattr(database.Path, "open", denied)
    with refusal_of("workspace.not_writable", error=InputError, reason=Reason("没有权限", "denied")):
        database.connect(str(tmp_path / "a.sqlite"))


def test_a_file_that_may_only_be_read_is_read_and_told(tmp_path):
    engine = database.connect(str(tmp_path / "a.sqlite"))
    kept = Workspace(engine).create(work(), note="a")
    sa.event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA query_only=ON"))
    assert Workspace(engine).open(kept.id) == kept
    with refusal_of("workspace.read_only", error=DataError):
        Workspace(engine).save(kept.id, work(20), seen=1, note="b")
    engine.dispose()


def test_the_default_is_a_file_of_the_users(tmp_path, monkeypatch):
    monkeypatch.delenv(database.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    place = database.default_address()
    assert place.startswith(str(tmp_path))
    database.connect().dispose()
    assert database.masked(place) == place
    monkeypatch.setenv(database.ENVIRONMENT, str(tmp_path / "b.sqlite"))
    assert database.default_address() == str(tmp_path / "b.sqlite")
    assert database.masked(f"sqlite:///{tmp_path}/b.sqlite") == str(tmp_path / "b.sqlite")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://planner:geheim@127.0.0.1:1/plans",
        "postgres://planner@127.0.0.1:1/plans?password=geheim",
        "postgresql+psycopg://planner:geheim@127.0.0.1:1/plans?sslmode=disable",
    ],
)
def test_a_password_is_never_shown(url, caplog):
    assert "geheim" not in database.masked(url)
    assert "127.0.0.1:1/plans" in database.masked(url)
    with refusal_of("workspace.connection_refused", error=DataError) as told:
        database.connect(url)
    shown = f"{told.value!r} {told.value} {told.value.__cause__} {caplog.text}"
    assert "geheim" not in shown
    assert told.value.__suppress_context__


def test_a_busy_file_is_told_and_nothing_is_half(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    engine = database.connect(str(tmp_path / "a.sqlite"))
    space = Workspace(engine)
    kept = space.create(work(), note="new")
    with engine.connect().execution_options(writes=True) as holder, holder.begin():
        with refusal_of("workspace.locked", error=DataError):
            space.save(kept.id, work(20), seen=1, note="x")
        assert space.open(kept.id).revision.number == 1, "readers don't wait"
    assert space.save(kept.id, work(20), seen=1, note="x").revision.number == 2
    engine.dispose()
