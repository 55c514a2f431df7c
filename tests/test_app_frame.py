"""The frame of the app: the page a browser gets first, the bar, the way in for newcomers."""

import re
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from app import cached, look, page_scripts
from app.first_hour import MARK
from app.texts import text
from app.web import entry
from geo_cluster import toml
from geo_cluster.domain import Language
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.world import catalog
from tests.test_app import APP, opened, says

LANGUAGES = get_args(Language)


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    """A workspace of its own for each test."""
    monkeypatch.setenv(database.ENVIRONMENT, str(tmp_path / "workspace.sqlite"))
    space = Workspace(cached.kept_in())
    yield space
    space.engine.dispose()


def asked(path, query=b"", method="GET", headers=()):
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": list(headers)}
    return entry.answer(scope, "/gc")


def frame(**session):
    page = AppTest.from_file(str(APP / "main.py"), default_timeout=90)
    for key, value in session.items():
        page.session_state[key] = value
    return page.run()


# ---- the page a browser gets first --------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_has_its_style_language_and_name_before_any_text(language):
    page = asked("/gc/score", f"language={language}".encode()).body.decode()
    assert page.index("<style>") < page.index('<div id="root">')
    assert look.sheet() in page
    assert f'lang="{page_scripts.LANG[language]}"' in page
    assert f"<title>{text('app', language)}</title>" in page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert set(scripts) <= set(page_scripts.every()), "a browser is told to run no other"


@pytest.mark.parametrize(
    "path",
    [
        "/gc",
        "/score",
        "/gc/score/",
        "/gc//evil",
        "/gc/favicon.png",
        "/gc/static/js/x.js",
        "/gc/_stcore/health",
        "/gc/score/_stcore/health",
        "/gc/oauth2callback",
    ],
)
def test_all_else_is_streamlit_s(path):
    assert asked(path) is None
    assert asked("/gc/score", method="POST") is None


def test_a_browser_that_can_unpack_gets_it_packed():
    answer = asked("/gc/", headers=[(b"accept-encoding", b"br, gzip")])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < len(asked("/gc/").body) / 2


# ---- one palette --------------------------------------------------------------------------------------------


def test_colours_of_css_are_those_of_the_table_and_every_page_s_file_is_loaded():
    sheet, page = look.sheet(), toml.table("style")["page"]
    assert {name: re.search(rf"--gc-{name}: (#\w+)", sheet)[1] for name in look.NAMES} == {
        name: page[colour] for name, colour in look.NAMES.items()
    }
    for file in look.ASSETS.glob("*.css"):
        assert file.read_text(encoding="utf-8").strip().splitlines()[-1] in sheet, file
    own = (look.ASSETS / "page.css").read_text(encoding="utf-8")
    assert not [colour for colour in page.values() if colour in own], "a colour of the table is written as a variable"
    files = "".join(file.read_text(encoding="utf-8") for file in look.ASSETS.glob("*.css"))
    used, known = set(re.findall(r"var\((--gc-[\w-]+)\)", files)), set(re.findall(r"(--gc-[\w-]+):", sheet))
    assert used <= known


# ---- the bar ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_address_names_the_language():
    page = frame(language="en")
    assert page.query_params["language"] == "en"
    page.segmented_control(key="language").set_value("zh").run()
    assert page.query_params["language"] == "zh"
    assert "language" not in frame().query_params


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_of_a_page_can_be_copied(language):
    told = "".join(one.proto.body for one in opened("supply", language).get("html"))
    assert "gc-link" in told
    assert text("share.copy", language) in told


# ---- the first hour -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_newcomer_is_offered_three_ways_in_and_a_sample_of_each(language):
    page = opened("explore", language)
    labels = [one.label for one in page.button]
    for way in ("look", "one", "many"):
        assert text(f"hour.{way}", language) in "".join(says(page))
        assert text(f"hour.{way}_go", language) in labels
        assert text(f"hour.{way}_sample", language) in labels
    assert not [one for one in opened("supply").button if (one.key or "").startswith("hour-")], "on the map only"


@pytest.mark.parametrize(
    "key", ["hour-close", "hour-look_go", "hour-look_sample", "hour-one_sample", "hour-many_sample"]
)
def test_it_goes_away_once_used_and_stays_away(kept, key):
    page = opened("explore")
    page.button(key=key).click().run()
    assert not page.exception
    assert kept.is_marked(MARK)
    assert not [one for one in opened("explore").button if (one.key or "").startswith("hour-")]


def test_who_has_a_work_needs_no_way_in(kept):
    page = opened("explore", saved=kept.create(Work(catalog.scenario()), note="x"))
    assert not [one for one in page.button if (one.key or "").startswith("hour-")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "told"), [("hour-one_sample", "hour.sample_project"), ("hour-many_sample", "score.sample_note")]
)
def test_a_sample_is_there_at_one_press(key, told):
    page = frame().button(key=key).click().run()
    assert not page.exception
    assert page.title[0].value == text("score.title", "zh")
    assert any(text(told, "zh") in one for one in [*says(page), *(field.value for field in page.text_input)])
