"""The Match page: what is typed is kept, what is clicked is decided, what is shown belongs to the plan."""

import datetime
import threading
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import Mock, patch

import pandas as pd
import pytest

from app import cached, state
from app.jobs import KEPT, KEPT_BYTES, Jobs
from app.questions import Questions
from app.texts import short, text
from app.views.match import asking, edit, plan, pools
from app.views.match.page import TABS
from geo_cluster import study
from geo_cluster.domain import Pair
from geo_cluster.errors import DataError, Fault, InputError, Place
from geo_cluster.matching.plan import Progress
from geo_cluster.matching.time_budget import TimeBudget
from geo_cluster.report import best_pairs, comparison, explanation, plans, tables
from geo_cluster.report.comparison import Other
from geo_cluster.workspace import database
from geo_cluster.workspace.repository import PROJECTS, Work
from geo_cluster.world import catalog, portfolio, rule_life
from tests.studies import run
from tests.test_app import LANGUAGES, no_second_run, opened, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]
FRONTS = ("commuting", "balance")


def warned(page):
    """What the page warns of, but for a plan that holds in few draws: the sample's does."""
    return [one.value for one in page.warning if one.icon != ":material/casino:"]


def press(page, key, language="zh"):
    next(button for button in page.button if button.label == text(key, language)).click().run(timeout=120)
    assert not page.exception


def ended(page):
    """The page once its run has ended."""
    job = page.session_state["kept-run"] if "kept-run" in page.session_state else None  # noqa: SIM401
    if job:
        assert job.wait(60)
        page.run()
    assert not page.exception
    return page


def at(page, tab, language="zh"):
    page.session_state[f"match-{language}"] = text(f"match.{tab}", language)
    return page.run(timeout=120)


def own(*rows):
    table = pd.DataFrame(rows, columns=["segment", "output_100m_yuan"])
    table = table.reindex(columns=list(portfolio.columns()), fill_value="")
    return Work(catalog.scenario(), {PROJECTS: portfolio.write_text(table)})


def plan_editor(page):
    return next(table.proto for table in page.dataframe if "keep" in table.value.columns)


def plan_editor_rows(page):
    return next(table.value for table in page.dataframe if "keep" in table.value.columns)


def shown(page, heading):
    return next(table.value for table in page.dataframe if heading in table.value.columns)


@pytest.mark.slow
def test_a_run_shows_its_own_results():
    page = opened("match")
    assert text("match.first", "zh") in [info.value for info in page.info]
    assert not page.metric
    press(page, "match.run")
    ended(page)
    result = run()
    told = {metric.label: metric.value for metric in page.metric}
    assert told[text("match.placed", "zh")] == f"{len(tables.assignment(result))} / {len(result.projects)}"
    assert told[text("match.objective", "zh")] == f"{result.plan.objective:,.1f}"
    assert told[text("match.check", "zh")] == text("match.check_ok", "zh")
    assert not warned(page)
    assert any("示例" in one for one in says(page))
    plan = shown(page, "keep")
    placed = plan[plan["at"] != ""]
    assert (
        dict(zip(placed["id"], placed["at"], strict=True))
        == tables.assignment(result).set_index("project")["site"].to_dict()
    )


@pytest.mark.slow
def test_a_reload_finds_the_run_again():
    press(opened("match"), "match.run")
    assert cached.jobs().find(catalog.scenario()).wait(60)
    assert opened("match").metric, "another session of the same scenario sees its run"


def test_a_result_shows_in_the_pass_in_which_it_is_taken():
    page = opened("match")
    assert page.expander[0].proto.expanded, "nothing to look at but the projects"
    press(page, "match.run")
    ended(page)
    assert page.metric
    assert not page.expander[0].proto.expanded, "the results would be below the fold"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_during_a_run_nobody_is_told_to_run(language):
    go = threading.Event()

    def slow(scenario, on_step, progress):
        assert go.wait(60)
        return run("cautious")

    work = Work(catalog.scenario("cautious"))
    with patch.object(cached, "jobs", return_value=Jobs(slow)):
        page = opened("match", language, study=run(), work=work)
        assert warned(page)
        press(page, "match.run", language)
        assert not warned(page)
        told = text("match.meanwhile", language, of=run().scenario.name[language])
        assert told in [one.value for one in page.info]
        assert text("match.stop", language) in [one.label for one in page.button]
        assert page.metric[0].value == f"{len(tables.assignment(run()))} / {len(run().projects)}", (
            "what was there stays"
        )
        go.set()
        ended(page)
    assert page.metric[0].value == f"{len(tables.assignment(run('cautious')))} / {len(run('cautious').projects)}"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_headline_says_how_often_the_plan_holds(language):
    page = opened("match", language, study=run())
    table = explanation.feasibility_table(run())
    held = next(one for one in page.metric if one.label == text("match.feasible_share", language))
    assert held.value == f"{1 - table['breaks'].iloc[0]:.0%}"
    assert run().region.names[table["pool"].iloc[1]][language] in held.help


@pytest.mark.slow
def test_no_hash_is_shown_to_a_planner():
    before, after = run(), run("cautious")
    page = opened("match", study=after, study_before=before)
    told = "\n".join([*says(at(page, "changes")), *(one.value for one in page.text)])
    assert before.scenario.id not in told
    assert after.scenario.id not in told
    assert before.scenario.name.zh in told


@pytest.mark.parametrize(
    ("language", "unit"), [("zh", ("亩", "MVA", "吨标准煤/年")), ("en", ("mu", "MVA", "tce a year"))]
)
def test_each_shortfall_has_its_unit(language, unit):
    table = shown(at(opened("match", language, study=run()), "robustness", language), "over")
    assert len(table)
    assert all(one.endswith(unit) for one in table["over"])


@pytest.mark.slow
def test_who_would_be_pushed_out_is_named():
    result = run("cautious")
    page = at(opened("match", "en", study=result), "robustness", "en")
    heading = text("match.displaced", "en")
    names = set(result.projects["name"])
    assert set(", ".join(shown(page, heading)[heading]).split(", ")) <= names


def test_pools_that_have_nothing_are_among_the_gauges():
    table = explanation.gauge_table(run("cautious"))
    empty = table[(table["planned"] == 0) & (table["waiting"] > 0)]
    assert len(empty)
    assert set(empty.index) <= set(range(pools.FULLEST)), "what has nothing left is full"


@pytest.mark.slow
def test_a_front_of_one_point_is_a_sentence_and_no_plan_is_listed_twice():
    result = run("cautious")
    plan = result.plan

    def other(kind, value):
        return Other(kind, value, plan.site, plan.objective, plan.bound, 0.0, True)

    plans = (other("best", 0), other("commuting", 1668.0), other("commuting", 1668.2), other("balance", 1))
    assert comparison.distinct(plans) == plans[:1]
    page = opened("match", study=result)
    with patch.object(comparison, "other_plans", return_value=plans, __name__="other_plans"):
        press(at(page, "others"), "match.others_run")
    assert not page.exception
    told = [one.value for one in page.text]
    for kind, value in (("commuting", 1668.0), ("balance", 1)):
        assert text(f"match.only_{kind}", "zh", value=value, objective=plan.objective) in told
    assert len(shown(page, "objective")) == 1


def test_a_front_that_time_ended_before_is_not_said_to_be_all_there_is():
    result = run("cautious")
    plan = result.plan
    plans = tuple(Other(kind, 0.0, plan.site, plan.objective, plan.bound, 0.0, True, False) for kind in FRONTS)
    page = opened("match", study=result)
    with patch.object(comparison, "other_plans", return_value=plans, __name__="other_plans"):
        press(at(page, "others"), "match.others_run")
    assert [one.value for one in page.caption].count(text("match.not_complete", "zh")) == len(FRONTS)
    only = [text(f"match.only_{kind}", "zh", value=0, objective=plan.objective) for kind in FRONTS]
    assert not {one.value for one in page.text} & set(only)


@pytest.mark.parametrize("tab", ["plan", "ranking"])
def test_of_very_many_pairs_it_is_said_that_the_best_are_listed(tab, monkeypatch):
    monkeypatch.setattr(best_pairs, "MOST_PAIRS", 100)
    result = replace(run())
    page = at(opened("match", study=result), tab)
    assert not page.exception
    assert best_pairs.note(result, "zh") in [one.value for one in page.caption]


def test_decisions_are_kept_when_the_language_changes():
    """In the other language it is another widget: words of the old one are no change of it."""
    first = tables.assignment(run()).iloc[0]
    pair = Pair(project=first["project"], site=first["site"])
    page = opened("match", study=run(), work=Work(catalog.scenario().model_copy(update={"locked": (pair,)})))
    at(page, "plan")
    for language in ("en", "zh"):
        page.segmented_control(key="language").set_value(language).run()
        assert not page.exception
        assert [one.key for one in page.multiselect if "decisions" in one.key] == [f"decisions-{language}"]
        assert page.multiselect(key=f"decisions-{language}").value == [f"locked·{pair.project}·{pair.site}"]
        assert page.session_state["work"].scenario.locked == (pair,)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "is_seldom"), [("hopeful", True), ("cautious", False)])
def test_a_plan_that_seldom_holds_is_warned_of(level, is_seldom):
    planned = catalog.scenario().model_copy(update={"planning_level": level, "draws": 200})
    page = opened("match", study=study.run(planned))
    held = next(metric.value for metric in page.metric if metric.label == text("match.feasible_share", "zh"))
    assert (float(held.rstrip("%")) < 50) == is_seldom
    (told,) = [one.value for one in page.warning if one.icon == ":material/casino:"] or [""]
    assert (f"方案可行概率只有 {held}" in told) == is_seldom
    assert (told == "") != is_seldom


@pytest.mark.slow
def test_changed_settings_make_the_results_stale():
    page = opened("match", study=run())
    assert not warned(page)
    page.segmented_control(key="level-zh").set_value("hopeful").run()
    assert warned(page) == [text("match.stale", "zh", of=run().scenario.name.zh)]
    assert page.metric[0].value == f"{len(tables.assignment(run()))} / {len(run().projects)}"
    page.segmented_control(key="level-zh").set_value("likely").run()
    assert not warned(page)
    page.selectbox(key="scenario-zh").set_value("cautious").run()
    assert warned(page)
    press(page, "match.run")
    ended(page)
    assert not warned(page)
    assert page.session_state["study"].scenario.id == catalog.scenario("cautious").id
    assert page.session_state["study_before"] is run()


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plan_of_other_projects_is_to_look_at_only(language):
    study, other = run(), own(("fiber_laser", "3"), ("laser_chip", "4"))
    page = opened("match", language, study=study, work=other)
    told = text("match.other_projects", language, of=study.scenario.name[language])
    assert warned(page) == [told]
    assert plan_editor(page).disabled
    press(page, "match.run", language)
    assert not warned(ended(page))
    assert not plan_editor(page).disabled


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens(tab, language):
    page = at(opened("match", language, study=run("cautious"), study_before=run()), tab, language)
    assert not page.exception
    assert not page.error


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_stays_out_is_told_why(language):
    result = run("cautious")
    assert len(tables.unplaced(result))
    page = at(opened("match", language, study=result), "unplaced", language)
    reasons = tables.unplaced(result)["reason" if language == "zh" else "reason_en"].tolist()
    assert shown(page, text("col.reason", language))[text("col.reason", language)].tolist() == reasons


@pytest.mark.slow
def test_the_difference_names_everyone_who_moved():
    before, after = run(), run("cautious")
    page = at(opened("match", study=after, study_before=before), "changes")
    old, new = (tables.assignment(one).set_index("project")["site"].to_dict() for one in (before, after))
    moved = [one for one in after.projects.index if old.get(one) != new.get(one)]
    assert len(shown(page, "change")) == len(moved) > 0


@pytest.mark.slow
def test_plans_of_any_age_stand_side_by_side(tmp_path, monkeypatch):
    desk = state.Workspace(database.connect(str(tmp_path / "w.sqlite")))
    kept = desk.create(Work(catalog.scenario("rd_first")).named("去年的"), note="new")
    desk.keep_plan(kept.id, 1, run("rd_first"))
    monkeypatch.setattr(state, "desk", lambda: desk)
    monkeypatch.setattr(cached, "study_again", lambda plan: None)  # its data is other now
    page = at(opened("match", study=run("cautious"), study_before=run()), "compare")
    picked = page.multiselect(key="plans-chosen-zh")
    assert picked.value == ["now", "before"]
    several = [plans.plan_of(run("cautious"), "甲"), plans.plan_of(run(), "乙")]
    same = int(plans.robust_table(plans.choices_table(several))["same"].sum())
    assert any(one.startswith(f"**{same} / {len(run().projects)}**") for one in says(page))
    assert shown(page, "change")["project_name"].tolist() == (
        comparison.difference_table(run("cautious"), run())["project_name"].tolist()
    )
    (old,) = [one for one in picked.options if "去年的" in one]
    page.multiselect(key="plans-chosen-zh").select(old).run(timeout=120)
    assert not page.exception
    third = next(one for one in says(page) if 'class="gc-plans"' in one)
    placed = tables.assignment(run("rd_first"))["site"].map(lambda one: short(run().region.names[one].zh))
    assert all(third.count(name) >= count for name, count in placed.value_counts().items())
    assert any("只比较去向" in one.value for one in page.info)


# ---- the portfolio ------------------------------------------------------------------------------------------


def test_edits_are_rows_changed_taken_out_and_added():
    rows = pd.DataFrame({"a": ["1", "2", "3"], "b": ["x", "y", "z"]})
    edits = {"edited_rows": {0: {"b": "neu"}}, "deleted_rows": [1], "added_rows": [{"a": "4"}]}
    after = edit.applied(rows, edits).fillna("")
    assert after.to_numpy().tolist() == [["1", "neu"], ["3", "z"], ["4", ""]]
    assert rows["b"].tolist() == ["x", "y", "z"]
    assert edit.applied(rows, {}).equals(rows)


def test_faults_are_told_by_row_and_the_table_stays():
    page = opened("match", work=own(("fiber_laser", "5"), ("fiber_laser", "about <b>5")))
    assert not page.exception
    (told,) = [one for one in says(page) if 'gc-faults" role' in one]
    assert " 3 " in told, "the row of the sheet"
    assert "about &lt;b&gt;5" in told
    assert "about <b>5" in page.dataframe[0].value["output_100m_yuan"].tolist()
    press(page, "match.run")
    ended(page)
    assert page.error, "it can't be run yet"
    assert page.session_state["work"].files[PROJECTS], "and nothing is lost"


def test_a_changed_sample_says_so_and_an_own_portfolio_does_not():
    sample = portfolio.read_text(portfolio.path_of("sample").read_bytes())
    sample.loc[0, ["name", "notes", "output_100m_yuan"]] = ["真项目", "", "7"]
    changed = Work(catalog.scenario(), {PROJECTS: portfolio.write_text(sample)})
    assert "（示例，已改动）" in opened("match", work=changed).expander[0].label
    assert "示例" not in opened("match", work=own(("fiber_laser", "5"))).expander[0].label


@pytest.mark.slow
def test_two_thousand_projects_can_be_shown():
    page = opened("match", work=own(*[("fiber_laser", f"{n % 9 + 1}") for n in range(2000)]))
    assert not page.exception
    assert len(page.dataframe[0].value) == 2000
    assert page.dataframe[0].value["id"].is_unique


def test_ids_are_given_once_and_kept():
    table = portfolio.read_text("编号,细分环节,年产值(亿元)\nP02,光纤激光器,5\n,光纤激光器,6\n,光纤激光器,7\n".encode())
    written = portfolio.read_text(portfolio.write_text(table))
    assert written["id"].is_unique
    assert written["id"].iloc[0] == "P02"
    assert written.equals(portfolio.read_text(portfolio.write_text(written)))


# ---- decisions ----------------------------------------------------------------------------------------------

ROWS = pd.DataFrame({"id": ["P01", "P02", "P03"], "at": ["E01", "H01", ""]})
IDS = {"葛店": "E01", "黄石港": "H01"}


@pytest.mark.parametrize(
    ("cells", "locked", "forbidden"),
    [
        ({0: {"keep": True}}, [("P01", "E01")], []),
        ({0: {"ban": True}}, [], [("P01", "E01")]),
        ({1: {"send": "葛店"}}, [("P02", "E01")], []),
        ({2: {"keep": True, "ban": True}}, [], []),
        ({2: {"send": "葛店"}}, [("P03", "E01")], []),
        ({0: {"keep": True}, 1: {"ban": True}}, [("P01", "E01")], [("P02", "H01")]),
    ],
)
def test_a_click_is_a_decision(cells, locked, forbidden):
    after = plan.decided(catalog.scenario(), ROWS, {"edited_rows": cells}, IDS)
    assert [(one["project"], one["site"]) for one in after["locked"]] == locked
    assert [(one["project"], one["site"]) for one in after["forbidden"]] == forbidden


def test_of_two_contradicting_clicks_the_newer_stays():
    scenario = catalog.scenario().model_dump() | {"locked": [{"project": "P01", "site": "E01"}]}
    edits = {"edited_rows": {0: {"keep": True, "ban": True}}}
    after = plan.decided(catalog.scenario_from(scenario), ROWS, edits, IDS)
    assert after["locked"] == []
    assert after["forbidden"] == [{"project": "P01", "site": "E01"}]
    unticked = plan.decided(catalog.scenario_from(scenario), ROWS, {"edited_rows": {0: {"keep": False}}}, IDS)
    assert unticked == {"locked": [], "forbidden": []}


@pytest.mark.slow
def test_a_project_is_sent_where_it_may_go_with_the_score_it_has_there():
    page = at(opened("match", study=run()), "plan")
    first = plan_editor_rows(page).iloc[0]
    choice = next(one for one in page.selectbox if one.key.startswith("send-to-"))
    ranking = tables.ranking(run())
    mine = ranking[(ranking["project"] == first["id"]) & ranking["eligible"] & (ranking["site"] != first["at"])]
    assert len(choice.options) == len(mine)
    best = mine.sort_values("rank").iloc[0]
    name = run().region.names[best["site"]].zh
    assert choice.options[0].startswith(f"{name} · {best['score']:.1f} 分 · 第 {best['rank']} · ")
    choice.set_value(best["site"]).run()
    press(page, "match.send_go")
    assert page.session_state["work"].scenario.locked == (Pair(project=first["id"], site=best["site"]),)


def test_a_refused_upload_is_seen_at_once_and_nothing_else_is_run():
    refusal = InputError([Fault("world.no_weight", Place("mine.csv"))])
    page = opened("match", **{"kept-projects-refused": (refusal, "mine.csv", b"")})
    assert any("mine.csv" in one.value for one in page.error)
    button = page.button(key="match-run-button")
    assert button.disabled
    press(page, "match.without")
    assert not page.button(key="match-run-button").disabled
    assert not page.error


def test_equal_pools_are_one_row_and_nothing_is_lost():
    row = {"low": 20.0, "planned": 80.0, "high": 250.0, "basis": "assumed", "unit": "MVA", "basis_label": "假定"}
    rows = [row | {"label": f"站{n}", "used": 0.0} for n in range(20)]
    rows += [row | {"label": "用着", "used": 5.0}, row | {"label": "别样", "used": 0.0, "high": 260.0}]
    assert pools.folded(pd.DataFrame(rows))["label"].tolist() == ["用着", "别样", "20 处 · 20–80–250 MVA · 假定"]
    assert pools.folded(pd.DataFrame(rows[-2:]))["label"].tolist() == ["用着", "别样"]


# ---- runs ---------------------------------------------------------------------------------------------------


def test_visitors_of_one_scenario_share_a_run_and_others_wait():
    go, begun = threading.Event(), []

    def slow(scenario, on_step, progress):
        begun.append(scenario.id)
        assert go.wait(20)
        return run()

    jobs = Jobs(slow, at_once=1)
    one = jobs.start(catalog.scenario())
    assert jobs.start(catalog.scenario()) is one
    other = jobs.start(catalog.scenario("cautious"))
    assert other.state == "queued"
    assert jobs.ahead(other) == 1
    go.set()
    assert one.wait(20)
    assert other.wait(20)
    assert begun == [catalog.scenario().id, catalog.scenario("cautious").id]
    assert one.study is run()


@pytest.mark.slow
def test_a_stopped_run_keeps_its_plan_and_can_be_run_again():
    told = []
    begun = threading.Event()

    def endless(scenario, on_step, progress):
        begun.set()
        while progress(Progress(1.0, 2.0, 3.0, 0.5)) is not False:
            told.append(1)
        return run()

    jobs = Jobs(endless)
    job = jobs.start(catalog.scenario())
    assert begun.wait(20)
    job.stop()
    assert job.wait(20)
    assert job.study is run()
    again = jobs.start(catalog.scenario())
    assert again is not job
    again.stop()
    assert again.wait(20)


@pytest.mark.slow
def test_a_run_stopped_before_there_is_a_plan_ends_at_the_next_step():
    begun, go = threading.Event(), threading.Event()

    def long(scenario, on_step, progress):
        on_step("scoring")
        begun.set()
        assert go.wait(20)
        on_step("scoring")
        raise AssertionError("a step began after the stop")

    jobs = Jobs(long)
    with patch.object(cached, "jobs", return_value=jobs):
        page = opened("match")
        press(page, "match.run")
        assert begun.wait(20)
        press(page, "match.stop")
        go.set()
        ended(page)
    assert text("match.stopped", "zh") in [one.value for one in page.info]
    assert not page.error


@pytest.mark.parametrize(("each", "kept"), [(1, KEPT), (KEPT_BYTES // 3, 3), (KEPT_BYTES, 1), (9 * KEPT_BYTES, 1)])
def test_of_runs_that_have_ended_only_as_many_are_kept_as_there_is_room_for(each, kept):
    jobs = Jobs(lambda scenario, on_step, progress: Mock(decision=Mock(nbytes=each)))
    asked = [catalog.scenario().model_copy(update={"seed": seed}) for seed in range(KEPT + 3)]
    for scenario in asked:
        assert jobs.start(scenario).wait(20)
    jobs.start(asked[-1].model_copy(update={"seed": 99})).wait(20)
    there = [scenario for scenario in asked if jobs.find(scenario)]
    assert there == asked[-kept:]


def test_a_run_that_breaks_tells_no_traceback():
    def broken(scenario, on_step, progress):
        raise ZeroDivisionError("secret")

    job = Jobs(broken).start(catalog.scenario())
    assert job.wait(20)
    assert job.state == "failed"
    assert "secret" not in str(job.refusal)


@pytest.mark.parametrize("error", [InputError, DataError])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_shown_as_sentences(error, language):
    faults = [Fault("world.no_weight", Place("a.csv", row=row)) for row in (3, 4)]
    page = opened("match", language)
    with patch.object(cached.pipeline, "run", side_effect=error(faults)):
        press(page, "match.run", language)
        ended(page)
    (told,) = [one.value for one in page.error]
    assert told.startswith(text("error", language))
    assert all(str(fault.words(language)) in told for fault in faults)
    assert "Traceback" not in told
    assert text("footer", language) in "\n".join(says(page)), "the rest of the page is there"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_out_of_a_rules_life_is_said_on_the_page(language):
    page = opened("match", language)
    assert not [one for one in page.warning if "2024-01-01" in one.value]
    page.date_input(key="day").set_value(datetime.date(2024, 1, 1)).run()
    (said,) = [one.value for one in page.warning if "2024-01-01" in one.value]
    assert rule_life.topics()["support"].name[language] in said
    page.date_input(key="day").set_value(None).run()
    assert not [one for one in page.warning if "2024-01-01" in one.value]


# ---- long questions -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_long_question_tells_how_far_it_is_and_can_be_left_and_come_back_to(monkeypatch):
    monkeypatch.setattr(asking, "SOON_S", 0.05)
    go, told = threading.Event(), []

    def other_plans(study, count, within, *, on_step):
        on_step("division")
        told.append(count)
        assert go.wait(60)
        return (Other("best", 0, study.plan.site, study.plan.objective, study.plan.bound, 0.0, True),)

    with patch.object(comparison, "other_plans", other_plans):
        page = at(opened("match", study=run("cautious")), "others")
        press(page, "match.others_run")
        assert any(text("asking.division", "zh") in one.proto.text for one in page.get("progress"))
        assert text("match.stop", "zh") in [one.label for one in page.button]
        other = at(opened("match", study=run("cautious")), "others")  # after a reload, or of somebody else
        assert any(text("asking.division", "zh") in one.proto.text for one in other.get("progress"))
        go.set()
        assert all(task.wait(60) for task in cached.long_questions()._asked.values())
        assert len(shown(other.run(), "objective")) == 1
    assert told == [3], "it was worked out once"


def test_a_stopped_question_ends_its_solving_and_can_be_asked_again():
    begun, done = threading.Event(), []

    def work(step):
        clock = TimeBudget(5.0, 60.0)
        begun.set()
        while clock.left_s:
            begun.wait(0.001)
        done.append(1)
        return len(done)

    asked = Questions()
    task = asked.begin("key", work)
    assert begun.wait(20)
    assert asked.begin("key", work) is task
    task.stop()
    assert task.wait(20)
    assert (task.answer, task.refusal) == (1, None)
    assert asked.begin("key", lambda step: 7).wait(20)
    assert asked.find("key").answer == 7


def test_a_question_that_breaks_tells_no_traceback():
    asked = Questions()
    assert asked.begin("key", lambda step: 1 / 0).wait(20)
    assert "division" not in str(asked.find("key").refusal)


@pytest.mark.slow
def test_nothing_is_computed_twice_on_one_page():
    result = replace(run("cautious"))  # which remembers nothing yet
    counted = {"feasible_share": explanation, "gauge_table": explanation, "blocking_pairs": comparison}
    counted |= {"match_stably": comparison}
    calls = {}

    def counting(where, name):
        real = getattr(where, name)

        def counts(*args, **options):
            calls[name] = calls.get(name, 0) + 1
            return real(*args, **options)

        counts.__name__ = name
        return patch.object(where, name, counts)

    cached._asked.clear()
    with ExitStack() as stack:
        for name, where in counted.items():
            stack.enter_context(counting(where, name))
        page = opened("match", study=result)
        for tab in TABS:
            at(page, tab)
    assert calls == dict.fromkeys(counted, 1)


def test_who_is_locked_to_its_ninth_best_site_is_away_from_its_best():
    ranking = tables.ranking(run())
    project = tables.assignment(run())["project"].iloc[0]
    ninth = ranking[(ranking["project"] == project) & (ranking["rank"] == 9)]["site"].iloc[0]
    pair = Pair(project=project, site=ninth)
    result = study.run(catalog.scenario().model_copy(update={"locked": (pair,), "draws": 20}))
    placed = tables.assignment(result)
    assert explanation.away_from_best(result) == (placed["rank"] > 1).sum() + len(tables.unplaced(result)) > 1
