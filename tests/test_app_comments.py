"""Comments in the app: listed in 推进, answered and settled there, seen on a sheet, asked about in 布局."""

import pytest

from app import state
from app.texts import text
from geo_cluster.workspace import database
from geo_cluster.workspace.comments import Subject, comment, threads
from geo_cluster.workspace.repository import Workspace
from geo_cluster.workspace.roles import LOCAL, Person
from tests.studies import run
from tests.test_app import no_second_run, opened, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]

SITE = Subject("site", "H01", "H01 <b>黄石</b>")


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace of its own for the page, and what another person can do with it."""
    file = str(tmp_path / "w.sqlite")
    monkeypatch.setenv(database.ENVIRONMENT, file)
    return Workspace(database.connect(file), Person("李明", "planner"))


def part(language="zh"):
    page = opened("delivery", language, **{"delivery-part": "comments"})
    assert not page.exception
    assert not page.error
    return page


def test_the_list_is_answered_and_settled(space):
    one = comment(space, SITE, "红线要再核。\n<script>")
    comment(space, Subject("place", "114.40500,30.49300", "114.40500,30.49300"), "离河太近")
    page = part()
    told = "\n".join(says(page))
    assert "H01 &lt;b&gt;黄石&lt;/b&gt;" in told and "红线要再核。<br>&lt;script&gt;" in told and "离河太近" in told
    page.text_input(key=f"answer-{one.id}-text").set_value("已核，不占。")
    page.button(key=f"answer-{one.id}-turn").click().run()
    assert not page.exception
    (done,) = threads(space, status="settled")
    assert (done.id, done.said[-1].text, done.said[-1].author) == (one.id, "已核，不占。", LOCAL.name)
    assert "红线要再核" not in "\n".join(says(page))
    page.toggle(key="comment-settled").set_value(True).run()
    assert text("comments.nobody", "zh") in "\n".join(says(page))


@pytest.mark.parametrize(("typed", "is_read"), [("114.405，30.493", True), ("30.493, 114.405", False), ("这里", False)])
def test_a_place_is_read_or_said_to_be_none(space, typed, is_read):
    page = part()
    page.text_input(key="comment-place").set_value(typed).run()
    assert not page.exception
    assert bool(page.error) != is_read


def test_a_viewer_reads_and_has_nothing_to_write_with(space, monkeypatch):
    one = comment(space, SITE, "看")
    monkeypatch.setattr(state, "person", lambda: Person("guest@plan.example", "viewer"))
    page = part("en")
    assert "看" in "\n".join(says(page))
    assert f"answer-{one.id}-say" not in {button.key for button in page.button}


def test_the_plan_and_its_projects_can_be_commented(space):
    page = opened("match", study=run())
    assert not page.exception
    about = page.selectbox(key="match-comment-about-zh")
    assert about.options[0] == text("comments.whole_plan", "zh") and len(about.options) == 1 + len(run().projects)
