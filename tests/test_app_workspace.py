"""The screen on the workspace: saved at once, undone, conflicts, restarts, who may do what."""

import gc
import io
import re
import zipfile

import pytest
import tomli_w
from streamlit.testing.v1 import AppTest

from app import cached, signin, workbar
from app.texts import text
from geo_cluster import serving
from geo_cluster import study as pipeline
from geo_cluster.errors import Fault, Place
from geo_cluster.workspace import database, schema
from geo_cluster.workspace.repository import PROJECTS, Work, Workspace
from geo_cluster.workspace.roles import Person
from geo_cluster.world import catalog
from tests.studies import OWN, run
from tests.test_app import APP, CJK, LANGUAGES, _script, opened, says
from tests.test_app_match import ended

LI, WU = Person("li@plan.example", "planner"), Person("wu@plan.example", "planner")


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    """A workspace of its own for each test."""
    monkeypatch.setenv(database.ENVIRONMENT, str(tmp_path / "workspace.sqlite"))
    monkeypatch.setattr(cached.pipeline, "run", _run_once(pipeline.run))
    space = Workspace(cached.kept_in())
    yield space
    space.engine.dispose()


def _run_once(real):
    def once(scenario, *more, **options):
        name = next((key for key in catalog.scenario_names() if catalog.scenario(key) == scenario), None)
        return run(name) if name and not more and not options else real(scenario, *more, **options)

    return once


def reopened(id_, name="match", language="zh"):
    """A page by the address of a work: a reload, a second tab, a new server."""
    page = AppTest.from_function(_script, kwargs={"name": name}, default_timeout=90)
    page.session_state["language"] = language
    page.query_params["work"] = id_
    return page.run()


def set_level(page, level):
    return page.segmented_control(key=f"level-{page.session_state['language']}").set_value(level).run()


def level(page):
    return page.segmented_control(key=f"level-{page.session_state['language']}").value


def press(page, key):
    return page.button(key=key).click().run()


def warnings(page):
    """What the work bar warns of; what is to be thought of a plan is the page's own business."""
    bar = (":material/group:", ":material/save:")
    return [one.value.replace("\\", "") for one in page.warning if one.icon in bar]


def status(page):
    (told,) = [one.proto.body for one in page.get("html") if "gc-kept" in one.proto.body]
    return told


# ---- saved at once ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_change_saves_and_can_be_undone(kept, language):
    page = opened("match", language)
    assert text("work.unsaved", language) in status(page)
    assert kept.works() == []
    assert "work" not in page.query_params
    set_level(page, "cautious")
    assert not page.exception
    (entry,) = kept.works()
    assert page.query_params["work"] == entry.id
    assert kept.open(entry.id).work.scenario.planning_level == "cautious"
    assert [one.note for one in kept.history(entry.id)] == [
        text("match.changed_planning_level", language),
        text("work.began", language),
    ]
    assert level(reopened(entry.id)) == "cautious"
    press(page, "work-undo")
    assert level(page) == "likely"
    assert page.button(key="work-undo").disabled
    press(page, "work-redo")
    assert level(page) == "cautious"
    assert kept.open(entry.id).work.scenario.planning_level == "cautious"
    assert kept.head(entry.id).number == 4


def test_the_same_choice_again_is_no_revision(kept):
    page = set_level(opened("match"), "cautious")
    (entry,) = kept.works()
    page.run()
    set_level(page, "cautious")
    assert kept.head(entry.id).number == 2


def test_a_file_of_ones_own_is_kept(kept, monkeypatch):
    content = OWN.to_csv(index=False).encode()
    page = AppTest.from_function(_attach, kwargs={"content": content}, default_timeout=90).run()
    assert not page.exception
    (entry,) = kept.works()
    assert not entry.is_sample
    assert kept.open(entry.id).work.files == {PROJECTS: content}
    packed = zipfile.ZipFile(io.BytesIO(cached.work_file(kept.open(entry.id).work)))
    assert packed.read(PROJECTS) == content
    assert f'portfolio = "{PROJECTS}"' in packed.read("scenario.toml").decode()


def _attach(content):
    from app import state

    state.attach("mine", **{"projects.csv": content})


def test_a_work_taken_along_runs_again(kept, tmp_path):
    given = Work(catalog.scenario("cautious"), {PROJECTS: OWN.to_csv(index=False).encode()})
    zipfile.ZipFile(io.BytesIO(cached.work_file(given))).extractall(tmp_path)
    assert catalog.scenario(tmp_path / "scenario.toml").id == given.settled(cached.own_files()).id


# ---- plans --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_after_a_restart_the_last_plan_is_shown_without_solving(kept, monkeypatch):
    page = set_level(opened("match"), "cautious")
    next(button for button in page.button if button.label == text("match.run", "zh")).click().run()
    ended(page)
    (entry,) = kept.works()
    worth = {metric.label: metric.value for metric in page.metric}
    assert worth
    cached._study_again.clear()
    cached.jobs.clear()
    monkeypatch.setattr(pipeline, "solve", lambda *_, **__: pytest.fail("it was solved again"))
    again = reopened(entry.id)
    assert not again.exception
    assert {metric.label: metric.value for metric in again.metric} == worth
    assert ":material/history:" not in [one.icon for one in again.warning]
    set_level(again, "hopeful")
    told = text("match.stale", "zh", of="·").split("·")[1]
    assert [told in warning.value for warning in again.warning] == [True]


def test_a_plan_of_the_untouched_scenario_is_kept_with_the_first_change(kept):
    page = opened("match", study=run())
    set_level(page, "cautious")
    (entry,) = kept.works()
    assert kept.last_plan(entry.id).scenario_id == run().scenario.id


@pytest.mark.slow
def test_a_new_name_makes_no_plan_stale(kept):
    page = opened("match", study=run())
    set_level(page, "cautious")
    set_level(page, "likely")
    assert ":material/history:" not in [one.icon for one in page.warning]
    page = AppTest.from_function(_rename, kwargs={"id_": kept.works()[0].id}, default_timeout=90).run()
    assert not page.exception
    assert page.text[0].value == "False 十堰"
    assert kept.works()[0].name.zh == "十堰"


def _rename(id_):
    import streamlit as st

    from app import state

    st.query_params["work"] = id_
    state.rename_work("十堰")
    st.text(f"{state.is_stale()} {state.last_study().scenario.name.zh}")


# ---- two windows, two people --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["theirs", "mine"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_second_window_is_told(kept, language, choice):
    first = set_level(opened("match", language), "cautious")
    (entry,) = kept.works()
    second = reopened(entry.id, language=language)
    set_level(first, "hopeful")
    set_level(second, "likely")
    assert not second.exception
    (told,) = warnings(second)
    assert text("work.window", language) in told
    assert text("match.changed_planning_level", language) in told
    assert language == "zh" or not CJK.search(told)
    assert level(second) == "likely", "the visitor's change is still there"
    assert text("work.not_saved", language) in status(second)
    assert kept.open(entry.id).work.scenario.planning_level == "hopeful"
    press(second, f"work-do-{choice}")
    assert not warnings(second)
    assert kept.open(entry.id).work.scenario.planning_level == "hopeful"
    if choice == "theirs":
        assert level(second) == "hopeful"
        assert len(kept.works()) == 1
    else:
        assert level(second) == "likely"
        copy = kept.open(second.query_params["work"])
        assert copy.id != entry.id
        assert copy.work.scenario.planning_level == "likely"
    set_level(second, "cautious")
    assert not warnings(second)


def test_what_is_newer_is_offered(kept):
    page = set_level(opened("match"), "cautious")
    (entry,) = kept.works()
    kept.save(entry.id, Work(catalog.scenario("rd_first")), seen=2, note="换情景")
    page.run()
    assert "换情景" in next(one.value for one in page.info if "换情景" in one.value)
    press(page, "work-do-newest")
    assert page.session_state["work"].scenario == catalog.scenario("rd_first")


def test_what_can_not_be_saved_stays_on_the_page(kept, monkeypatch):
    page = set_level(opened("match"), "cautious")
    (entry,) = kept.works()
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    cached._kept_in.clear()
    with kept.engine.connect().execution_options(writes=True) as holder, holder.begin():
        set_level(page, "hopeful")
        assert not page.exception
        assert Fault("workspace.locked", "").words("zh").remedy in warnings(page)[0]
        assert level(page) == "hopeful"
    press(page, "work-do-again")
    assert not warnings(page)
    assert kept.open(entry.id).work.scenario.planning_level == "hopeful"


def test_a_work_that_is_not_there_is_told_and_the_page_works(kept):
    page = reopened("nowhere")
    assert not page.exception
    assert Fault("workspace.no_such_work", "").words("zh").what in page.warning[0].value
    set_level(page, "cautious")
    assert not page.exception
    assert not page.warning
    assert len(kept.works()) == 1


def test_a_damaged_work_is_shown_as_one_and_the_others_open(kept):
    sound, spoilt = (kept.create(Work(catalog.scenario()).named(name), note="x") for name in ("甲", "乙"))
    with database.writing(kept.engine) as connection:
        connection.execute(schema.revisions.update().where(schema.revisions.c.work == spoilt.id).values(scenario="{"))
    told = {entry.id: workbar._entry(entry, "zh") for entry in kept.works()}
    assert text("work.damaged", "zh") in told[spoilt.id]
    assert text("work.damaged", "zh") not in told[sound.id]
    page = reopened(spoilt.id)
    assert not page.exception
    assert Fault("workspace.revision_unreadable", "", number=1).words("zh").what in page.warning[0].value


HOSTILE = "</script><b>*x*</b> [a](javascript:1) $x$ :smile: `" + "长" * 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["supply", "score", "match", "data", "brief"])
def test_hostile_names_and_notes_are_text_on_every_page(kept, name):
    saved = kept.create(Work(catalog.scenario()).named(HOSTILE), note=HOSTILE)
    kept.save(saved.id, Work(catalog.scenario("cautious")).named(HOSTILE), seen=1, note=HOSTILE)
    page = reopened(saved.id, name)
    assert not page.exception
    assert not page.error
    for told in [one.proto.body for one in page.get("html")] + [one.help for one in page.button]:
        assert "<b>*x" not in told
        assert ":smile:" not in told


# ---- who may do what ----------------------------------------------------------------------------------------

SECRETS = {
    "auth": {
        "redirect_uri": "http://localhost:8501/oauth2callback",
        "cookie_secret": "geheim" * 6,
        "client_id": "x",
        "client_secret": "geheim",
        "server_metadata_url": "http://127.0.0.1:9/nobody-answers",
    },
    "roles": {"planner": ["li@plan.example", "wu@plan.example"], "admin": ["chiefs"]},
}


CLAIMS = {"iss": "https://login.example", "sub": "42", "provider": "default", "email_verified": True}


@pytest.fixture(autouse=True)
def secrets_file(tmp_path, monkeypatch):
    """Where the tests of this file put `secrets.toml`; none to begin with."""
    file = tmp_path / "secrets.toml"
    monkeypatch.setattr(serving, "secret_files", lambda: (file,))
    return file


def with_sign_in(page, claims=None):
    """The app, started with sign-in, and somebody there with these claims."""
    serving.secret_files()[0].write_text(tomli_w.dumps(SECRETS), encoding="utf-8")
    page.secrets = {"auth": SECRETS["auth"]}
    page.user = {"is_logged_in": True, **claims} if claims else {"is_logged_in": False}
    return page


def signed_in(page, email, **claims):
    return with_sign_in(page, CLAIMS | {"email": email} | claims).run()


def frame(language="zh", id_=None):
    page = AppTest.from_function(_script, kwargs={"name": "match"}, default_timeout=90)
    page.session_state["language"] = language
    if id_:
        page.query_params["work"] = id_
    return page


def test_a_viewer_tries_things_out_and_saves_nothing(kept):
    li = Workspace(kept.engine, LI)
    saved = li.create(Work(catalog.scenario("cautious")), note="new")
    li.share(saved.id, True)
    page = signed_in(frame(id_=saved.id), "guest@elsewhere.example")
    assert not page.exception
    assert level(page) == "cautious"
    assert text("work.read_only", "zh") in status(page)
    assert page.button(key="work-undo").disabled
    set_level(page, "hopeful")
    assert level(page) == "hopeful"
    assert not page.warning
    assert li.head(saved.id).number == 1
    assert text("work.read_only", "zh") in status(page)


def test_a_step_that_the_page_does_not_offer_is_refused_all_the_same(kept):
    li = Workspace(kept.engine, LI)
    saved = li.create(Work(catalog.scenario()), note="new")
    li.save(saved.id, Work(catalog.scenario("cautious")), seen=1, note="cautious")
    li.share(saved.id, True)
    page = AppTest.from_function(_undo, default_timeout=90)
    page.query_params["work"] = saved.id
    signed_in(page, "guest@elsewhere.example")
    assert not page.exception
    assert "may not save works (role viewer)" in page.text[0].value
    assert li.head(saved.id).number == 2


def _undo():
    import streamlit as st

    from app import state

    state.work()
    state.undo()
    st.text(str(state.trouble()))


def test_an_admin_finds_everybodys_works_and_a_planner_only_their_own(kept):
    Workspace(kept.engine, LI).create(Work(catalog.scenario()).named("李的"), note="new")
    for email, sees in (("wu@plan.example", False), ("chief@elsewhere.example", True)):
        page = AppTest.from_function(_everybodys, default_timeout=90)
        signed_in(page, email, groups=["chiefs"] if sees else [])
        assert not page.exception
        assert [one.label for one in page.selectbox if one.label == text("work.others", "zh")] == (
            [text("work.others", "zh")] if sees else []
        )


def _everybodys():
    from app import workbar

    workbar._others()


def test_nobody_sees_another_ones_work(kept):
    li = Workspace(kept.engine, LI)
    saved = li.create(Work(catalog.scenario("cautious")).named("秘密"), note="new")
    page = signed_in(frame(id_=saved.id), "wu@plan.example")
    assert Fault("workspace.no_such_work", "").words("zh").what in page.warning[0].value
    assert not [one for one in says(page) if "秘密" in one]
    li.share(saved.id, True)
    page = signed_in(frame(id_=saved.id), "wu@plan.example")
    assert level(page) == "cautious"
    set_level(page, "hopeful")
    assert li.head(saved.id).author == WU.name


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        ({"email": "Li@plan.example"}, LI),
        ({"email": "li@plan.example", "email_verified": False}, Person("https://login.example|42", "viewer")),
        ({"email": "x@elsewhere.example", "groups": ["chiefs"]}, Person("x@elsewhere.example", "admin")),
        ({"groups": "chiefs"}, Person("https://login.example|42", "viewer")),
    ],
)
def test_roles_come_from_what_the_provider_confirmed(kept, claims, who):
    page = with_sign_in(AppTest.from_function(_who, default_timeout=90), CLAIMS | claims).run()
    assert not page.exception
    assert page.text[0].value == f"{who.name} {who.role}"


def test_a_role_that_is_taken_away_is_gone_at_the_next_step(kept, secrets_file):
    page = signed_in(AppTest.from_function(_who, default_timeout=90), LI.name)
    assert page.text[0].value == f"{LI.name} planner"
    secrets_file.write_text(tomli_w.dumps(SECRETS | {"roles": {"planner": [WU.name]}}), encoding="utf-8")
    assert page.run().text[0].value == f"{LI.name} viewer"


BEGUN = Place("secrets.toml", key="[auth]")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda file: file.unlink(), BEGUN.words),
        (lambda file: file.write_text(""), BEGUN.words),
        (lambda file: file.write_text("[auth\n"), "secrets.toml"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "secrets.toml"),
        (lambda file: (file.unlink(), file.mkdir()), "secrets.toml"),
        (lambda file: file.write_text(tomli_w.dumps({"Auth": SECRETS["auth"]})), "Auth"),
        (
            lambda file: file.write_text(tomli_w.dumps({"auth": SECRETS["auth"] | {"cookie_secret": "neu" * 20}})),
            "auth",
        ),
        (lambda file: file.write_text(tomli_w.dumps({"auth": SECRETS["auth"], "roles": {"boss": ["x"]}})), "boss"),
    ],
    ids=["gone", "empty", "broken", "no text", "a folder", "misspelt", "another", "no role"],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_secrets_that_are_spoilt_or_gone_while_the_app_runs_let_nobody_in(kept, secrets_file, change, named, language):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    page.session_state["language"] = language
    signed_in(page, LI.name)
    assert not page.error
    change(secrets_file)
    page.run()
    assert not page.exception
    (told,) = [one.value for one in page.error]
    assert (named if isinstance(named, str) else named(language)) in told.replace("\\", "")
    assert not page.title
    assert "geheim" not in told
    assert secrets_file.parent.name not in told.replace("\\", "")
    if language == "zh":
        assert not re.search(r"[a-z]{4,} [a-z]{3,} [a-z]{2,}", re.sub(r"（.*?）", "", told)), "is not said in Chinese"


def test_sign_in_that_is_turned_on_while_the_app_runs_lets_nobody_in(kept, secrets_file):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90).run()
    assert page.title
    secrets_file.write_text(tomli_w.dumps(SECRETS), encoding="utf-8")
    page.run()
    assert not page.exception
    assert page.error
    assert not page.title


def test_whoever_signed_out_is_out_in_every_window_and_after_a_restart(kept):
    page = signed_in(AppTest.from_function(_who, default_timeout=90), LI.name, nonce="a")
    assert page.text[0].value == f"{LI.name} planner"
    signin.leave(page.user)
    assert page.run().text[0].value == "nobody"
    again = signed_in(AppTest.from_function(_who, default_timeout=90), LI.name, nonce="b")
    assert again.text[0].value == f"{LI.name} planner", "a new sign-in is another one"


def _who():
    import streamlit as st

    from app import signin

    person = signin.person()
    st.text(f"{person.name} {person.role}" if person else "nobody")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_has_not_signed_in_sees_nothing_but_that(kept, language):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    page.session_state["language"] = language
    with_sign_in(page).run()
    assert not page.exception
    assert [one.value for one in page.title] == [text("signin.title", language)]
    assert [one.label for one in page.button] == [text("signin.go", language)]
    assert [one.key for one in page.segmented_control] == ["language"]
    assert "geheim" not in str(says(page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_provider_that_does_not_answer_is_told_with_its_address(kept, language):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    page.session_state["language"] = language
    with_sign_in(page).run().button(key="signin-").click().run()
    assert not page.exception
    (told,) = [one.value for one in page.error]
    assert "nobody-answers" in told
    assert Fault("app.provider_silent", "", reason="").words(language).remedy in told


# ---- errors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_unexpected_is_a_sentence_with_a_number_and_the_log_has_the_rest(monkeypatch, caplog, language):
    monkeypatch.setattr(cached, "overview", lambda *_: 1 / 0)
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    page.session_state["language"] = language
    page.run()
    assert not page.exception
    (told,) = [one.value for one in page.error]
    assert "ZeroDivisionError" not in told
    (record,) = [one for one in caplog.records if one.name == "geo_cluster.app"]
    number = record.args[0]
    assert text("sorry", language, id=number) == told
    assert record.exc_info


# ---- the file under the app, and files laid out for it ------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_when_the_workspace_vanishes_the_change_stays_on_the_page_and_is_saved_later(kept, tmp_path, language):
    page = set_level(opened("match", language), "cautious")
    (entry,) = kept.works()
    file = tmp_path / "workspace.sqlite"
    file.rename(tmp_path / "away")
    set_level(page, "hopeful")
    assert not page.exception
    assert text("work.not_saved", language) in status(page)
    told = " ".join(warnings(page) + says(page)).replace("\\", "")
    assert all(part in told for part in Fault("workspace.gone", file).words(language)[1:])
    if language == "zh":
        assert "the workspace" not in told
    assert level(page.run()) == "hopeful"
    assert not file.exists()
    (tmp_path / "away").rename(file)
    press(page, "work-do-again")
    assert level(page) == "hopeful"
    assert kept.open(entry.id).work.scenario.planning_level == "hopeful"


@pytest.mark.slow
def test_files_that_were_laid_out_go_with_the_last_visitor(kept):
    content = OWN.to_csv(index=False).encode()
    saved = kept.create(Work(catalog.scenario(), {PROJECTS: content}), note="new")
    place = saved.work.place(cached.own_files())
    first, second = reopened(saved.id), reopened(saved.id)
    assert (place / PROJECTS).read_bytes() == content
    cached.jobs().clear()
    del first
    gc.collect()
    second.run()
    assert not second.exception
    assert (place / PROJECTS).exists()
    del second
    gc.collect()
    assert not place.exists()


@pytest.mark.slow
def test_the_file_of_a_map_stays_as_long_as_it_may_be_shown(kept):
    study = run()
    source = cached.plan_map(study, "zh")
    path = source.file.path
    del source
    gc.collect()
    assert path.exists(), "another visitor may be shown it"
    cached._plan_map.clear()
    gc.collect()
    assert not path.exists()
    assert cached.plan_map(study, "zh").file.path.stat().st_size > 10_000
