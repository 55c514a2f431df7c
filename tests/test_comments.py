"""Comments: kept in order, read by those who may, never lost, carried by backups."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from geo_cluster.errors import InputError, Refused
from geo_cluster.workspace import backup, comments, schema
from geo_cluster.workspace.comments import Subject, answer, comment, threads
from geo_cluster.workspace.database import connect
from geo_cluster.workspace.repository import Work, Workspace
from geo_cluster.workspace.roles import Person
from geo_cluster.world import catalog
from tests.refusals import refusal_of

SITE = Subject("site", "H01", "H01 大冶湖")
WU, LI, LEADER = Person("wu", "planner"), Person("li", "planner"), Person("chen", "viewer")


@pytest.fixture
def engine(tmp_path):
    return connect(str(tmp_path / "w.sqlite"))


def test_a_comment_is_answered_settled_and_opened_again(engine):
    wu, li = Workspace(engine, WU), Workspace(engine, LI)
    first = comment(wu, SITE, " 红线要再核。\n谁去？ ")
    assert first.said[0].text == "红线要再核。\n谁去？" and first.status == "open"
    answer(li, first, "已核，不占。", status="settled")
    (now,) = threads(Workspace(engine, LEADER), about=Subject("site", "H01"))
    assert [(one.author, one.text, one.status) for one in now.said] == [
        ("wu", "红线要再核。\n谁去？", "open"),
        ("li", "已核，不占。", "settled"),
    ]
    assert threads(wu, status="open") == [] and threads(wu, status="settled") == [now]
    assert answer(wu, now, status="open").status == "open"
    assert threads(wu, about=Subject("site", "H02")) == []


def test_what_says_nothing_or_too_much_is_refused_and_nothing_is_written(engine):
    space = Workspace(engine, WU)
    kept = comment(space, SITE, "好")
    with refusal_of("workspace.comment_empty", error=InputError):
        comment(space, SITE, " \n ")
    with refusal_of("workspace.comment_long", error=InputError):
        comment(space, SITE, "长" * (comments.LENGTH + 1))
    with refusal_of("workspace.comment_empty", error=InputError):
        answer(space, kept, status="open")  # as it was
    with refusal_of("workspace.may_not_comment", error=Refused):
        comment(Workspace(engine, LEADER), SITE, "看看")
    assert threads(space) == [kept]


def test_comments_on_a_work_are_read_by_those_who_may_open_it(engine):
    wu, li = Workspace(engine, WU), Workspace(engine, LI)
    kept = wu.create(Work(catalog.scenario()), note="新")
    thread = comment(wu, Subject("project", "P01", "P01 示例", work=kept.id), "先问电")
    assert threads(li) == [] and [one.id for one in threads(wu)] == [thread.id]
    with refusal_of("workspace.comment_gone", error=Refused):
        answer(li, thread, "我也看看")
    wu.share(kept.id, True)
    assert answer(li, thread, "已问").said[-1].author == "li"
    wu.delete(kept.id)
    assert threads(wu) == threads(li) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["say", "answer", "settle", "open"])), max_size=12))
def test_threads_are_those_of_a_list(tmp_path_factory, moves):
    """Any moves, held against lists kept by hand."""
    space, kept, order = Workspace(connect(str(tmp_path_factory.mktemp("c") / "w.sqlite")), WU), {}, []
    for number, (which, move) in enumerate(moves):
        if move == "say" or not order:
            thread = comment(space, SITE, str(number))
            kept[thread.id] = [(str(number), "open")]
        else:
            name = order[which % len(order)]
            (thread,) = (one for one in threads(space) if one.id == name)
            status = {"answer": None, "settle": "settled", "open": "open"}[move]
            answer(space, thread, str(number), status=status)
            kept[name].append((str(number), status or kept[name][-1][1]))
        order = [one for one in order if one != thread.id] + [thread.id]
    assert [one.id for one in threads(space)] == order[::-1]
    assert {one.id: [(said.text, said.status) for said in one.said] for one in threads(space)} == kept


def test_a_backup_has_the_comments(engine, tmp_path):
    kept = comment(Workspace(engine, WU), Subject("place", "114.40500,30.49300", "这里"), "离河太近")
    assert kept.subject.point == (114.405, 30.493)
    copy = tmp_path / "copy.sqlite"
    backup.write(engine, copy)
    assert threads(Workspace(connect(str(copy)), WU)) == [kept]


def test_a_spoilt_time_hides_no_comment(engine):
    space = Workspace(engine, WU)
    comment(space, SITE, "一")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE geo_cluster_comments SET at = 'once'")
        assert connection.execute(select(schema.comments.c.at)).scalar() is None
    assert threads(space)[0].said[0].at.year == 1970
