"""The Match page: what may be opened at a cost, row by row; limits; and what the plan opens."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import session
from app.texts import text
from geo_cluster import study
from geo_cluster.report import openings
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog
from geo_cluster.world.coordinates import MU_PER_HA
from tests.test_app import CJK, LANGUAGES, no_second_run, opened, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]
PARK = {"name": "新开园区（示例）", "points": 20.0, "sites": "E01", "source": "示例"}
LAND = {"name": "扩区（示例）", "points": 5.0, "attribute": "available_land_ha", "subject": "E01"}
LAND |= {"low": 30.0, "likely": 45.0, "high": 60.0, "source": "示例"}


def _typed(rows):
    """The page after rows were typed into the table by names, as a planner chooses them."""
    import streamlit

    from app import cached, state
    from app.views.match import edit, openings, page

    streamlit.set_page_config(layout="wide")
    if "drawn" in streamlit.session_state and "added" not in streamlit.session_state:
        subjects = cached.openable(state.scenario())
        names = openings._labels(subjects)
        added = [{key: names.get(key, {}).get(cell, cell) for key, cell in row.items()} for row in rows]
        streamlit.session_state["added"] = added
        now = openings._rows(state.work().scenario.openings, subjects)
        edit.keep(lambda: openings._take(edit.applied(now, {"added_rows": added}), subjects))()
    page.draw()
    streamlit.session_state["drawn"] = True


def typed(monkeypatch, *rows, language="zh"):
    """The page with rows typed in, and what the browser holds of them."""
    page = AppTest.from_function(_typed, kwargs={"rows": rows}, default_timeout=90)
    page.session_state["language"] = language
    real = session.edits

    def edits(key):
        added = st.session_state["added"] if "added" in st.session_state else None  # noqa: SIM401
        return {"added_rows": added} if key == "openings-0" and added else real(key)

    monkeypatch.setattr(session, "edits", edits)
    return page.run().run()


def told(page):
    """The faults of the page as it lists them."""
    return [one.proto.body for one in page.get("html") if 'role="alert"' in one.proto.body]


@pytest.mark.slow
def test_rows_are_kept_in_the_work_s_units(monkeypatch):
    page = typed(monkeypatch, PARK, LAND)
    assert not page.exception
    park, land = (one.model_dump() for one in page.session_state["work"].scenario.openings)
    assert {key: park[key] for key in PARK} == PARK | {"sites": ("E01",)}
    for end in ("low", "likely", "high"):
        assert land[end] == pytest.approx(LAND[end] / MU_PER_HA)
    assert text("openings.title", "zh", n=2) in says(page)
    assert told(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_that_cannot_count_are_named(monkeypatch, language):
    bad = [{"name": "x"}, {"name": "y", "source": "z"}, LAND | {"subject": "420700"}]
    page = typed(monkeypatch, PARK, *bad, language=language)
    assert not page.exception
    assert len(page.session_state["work"].scenario.openings) == 1
    (body,) = told(page)
    assert body.count("<li>") == 3
    if language == "en":
        assert not CJK.search(body.replace(LAND["name"], ""))
    title = text("openings.title", language, n=1) + text("openings.not_counted", language, n=3)
    assert title in says(page)


@pytest.mark.slow
def test_one_of_two_sites_and_at_most_so_many():
    page = opened("match")
    page.multiselect("either-0").set_value(["E01"]).run()
    assert page.multiselect("either-0").value == ["E01"]  # begun: no limit yet
    assert page.session_state["work"].scenario.either == ()
    page.multiselect("either-0").set_value(["E01", "E03"]).run()
    page.number_input("at_most_sites").set_value(5).run()
    assert not page.exception
    scenario = page.session_state["work"].scenario
    assert ([one.names for one in scenario.either], scenario.at_most_sites) == ([("E01", "E03")], 5)


@pytest.mark.slow
def test_every_group_is_edited_and_keeps_how_many():
    groups = [{"names": ["E01", "E03"]}, {"names": ["H01", "H02", "H04"], "most": 2}]
    scenario = catalog.scenario_from(catalog.scenario().model_dump(mode="json") | {"either": groups})
    page = opened("match", work=Work(scenario))
    assert [page.multiselect(f"either-{n}").value for n in range(3)] == [["E01", "E03"], ["H01", "H02", "H04"], []]
    page.multiselect("either-1").set_value(["H01", "H02", "H04", "E02"]).run()
    page.multiselect("either-0").set_value(["E01"]).run()  # one alone is no group
    page.multiselect("either-1").set_value(["E01", "E03"]).run()
    assert not page.exception
    said = page.session_state["work"].scenario.either
    assert [(one.names, one.most) for one in said] == [(("H01", "H02", "H04", "E02"), 2), (("E01", "E03"), 1)]


@pytest.mark.slow
def test_the_plan_says_what_it_opens():
    scenario = catalog.scenario().model_copy(update={"draws": 50, "sites": ("E01", "H01", "H04")})
    row = scenario.model_dump(mode="json") | {"openings": [PARK | {"sites": ["E01"]}], "at_most_sites": 2}
    scenario = catalog.scenario_from(row)
    result = study.run(scenario)
    page = opened("match", work=Work(scenario), study=result)
    assert not page.exception
    shown = next(one.value for one in page.dataframe if text("openings.opened", "zh") in one.value)
    assert shown[text("openings.name", "zh")].tolist() == [PARK["name"]]
    assert shown[text("openings.opened", "zh")].tolist() == [openings.OPENED[result.plan.opened == (0,)]["zh"]]
    next(one for one in page.button if one.label == text("openings.worth", "zh")).click().run()
    assert not page.exception
    assert any(text("openings.break_even", "zh") in one.value for one in page.dataframe)
