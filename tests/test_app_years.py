"""The Match page: what arrives in later years, row by row, and dual supply as a switch."""

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import session
from app.texts import text
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog
from geo_cluster.world.coordinates import MU_PER_HA
from tests.test_app import CJK, LANGUAGES, no_second_run, opened, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]
QUOTA = {"attribute": "energy_quota_tce", "subject": "420700", "low": 100.0, "likely": 200.0, "high": 300.0}
QUOTA |= {"year": 2028, "source": "市发改委 2026-11"}
LAND = {"attribute": "available_land_ha", "subject": "E01", "low": 30.0, "likely": 45.0, "high": 60.0}
LAND |= {"year_low": 2027, "year": 2028, "year_high": 2030, "basis": "published", "source": "土地储备计划"}


def _typed(rows, then):
    """The page after rows were typed into the table by names, as a planner chooses them; then something else."""
    import streamlit

    from app import cached, state
    from app.views.match import edit, page, years

    streamlit.set_page_config(layout="wide")
    if "drawn" in streamlit.session_state and "added" not in streamlit.session_state:
        subjects = cached.arriving(state.scenario())
        names = years._labels(subjects)
        added = [{key: names.get(key, {}).get(cell, cell) for key, cell in row.items()} for row in rows]
        streamlit.session_state["added"] = added
        now = years._rows(state.work().scenario.arrivals, subjects)
        edit.keep(lambda: years._take(edit.applied(now, {"added_rows": added}), subjects))()
        if then:
            getattr(state, then)()
    page.draw()
    streamlit.session_state["drawn"] = True


def typed(monkeypatch, *rows, language="zh", then=""):
    """The page with rows typed in, and what the browser holds of them."""
    page = AppTest.from_function(_typed, kwargs={"rows": rows, "then": then}, default_timeout=90)
    page.session_state["language"] = language
    real = session.edits

    def edits(key):
        added = st.session_state["added"] if "added" in st.session_state else None  # noqa: SIM401
        return {"added_rows": added} if key == "arrivals-0" and added else real(key)

    monkeypatch.setattr(session, "edits", edits)
    return page.run().run()


def arrivals(page):
    return [one.model_dump() for one in page.session_state["work"].scenario.arrivals]


def told(page):
    """The faults of the page as it lists them."""
    return [one.proto.body for one in page.get("html") if 'role="alert"' in one.proto.body]


@pytest.mark.slow
def test_rows_are_kept_in_the_work_s_units_and_undone(monkeypatch):
    page = typed(monkeypatch, LAND, QUOTA)
    assert not page.exception
    land, quota = arrivals(page)
    for end in ("low", "likely", "high"):
        assert land[end] == pytest.approx(LAND[end] / MU_PER_HA)
    assert {key: land[key] for key in LAND if key not in ("low", "likely", "high")} == {
        key: LAND[key] for key in LAND if key not in ("low", "likely", "high")
    }
    assert quota == QUOTA | {"basis": "reported", "year_low": None, "year_high": None}
    assert text("years.title", "zh", n=2, dual=text("years.dual_condition", "zh")) in says(page)
    assert told(page) == []
    assert arrivals(typed(monkeypatch, LAND, QUOTA, then="undo")) == []


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_faults_are_told_at_their_row_and_the_other_rows_count(monkeypatch, language):
    lacking = {"attribute": "spare_mva", "basis": "reported"}
    wrong = [QUOTA | {"low": 500.0}, QUOTA | {"subject": "E01"}, QUOTA | {"year": 2001}, QUOTA | {"year_high": 2027}]
    page = typed(monkeypatch, lacking, QUOTA, *wrong, {"basis": "reported"}, language=language)
    assert [one["subject"] for one in arrivals(page)] == ["420700"]
    assert not page.exception
    (list_,) = told(page)
    rows = list_.split("<li>")[1:]
    assert len(rows) == 1 + len(wrong)
    for row, number in zip(rows, (1, 3, 4, 5, 6), strict=True):
        assert (f"第 {number} 行" if language == "zh" else f"row {number},") in row.replace(":", ",")
    for key in ("subject", "low", "likely", "high", "year", "source"):
        assert text(f"years.{key}", language) in rows[0], "what it lacks, at once"
    assert text("years.subject", language) in rows[2]
    assert text("years.year", language) in rows[3]
    if language == "en":
        assert not CJK.search(list_)
    title = text("years.title", language, n=1, dual=text("years.dual_condition", language))
    assert title + text("years.not_counted", language, n=5) in says(page)


def work(*entries, **changes):
    row = catalog.scenario().model_dump() | {"arrivals": list(entries)} | changes
    return Work(catalog.scenario_from(row))


@pytest.mark.slow
def test_the_table_says_what_the_work_says_and_stays_the_same_table():
    kept = LAND | {end: LAND[end] / MU_PER_HA for end in ("low", "likely", "high")}
    page = opened("match", work=work(kept, QUOTA))
    for _ in range(2):
        number = page.session_state["kept-arrivals"].number
        assert number == 0, "another table would forget what was typed"
        page.run()
    rows = page.session_state["kept-arrivals"].rows
    assert rows[["low", "likely", "high"]].to_numpy().tolist() == [[30, 45, 60], [100, 200, 300]]
    assert rows["subject"].str.contains("E01|420700").all()
    assert rows["year"].tolist() == [2028, 2028]
    assert rows["year_low"].tolist() == [2027, pd.NA]


@pytest.mark.slow
def test_what_the_day_has_overtaken_is_told_and_the_table_is_there_to_mend_it():
    page = opened("match", work=work(QUOTA, day="2029-01-01"))
    assert not page.exception
    (list_,) = told(page)
    assert "2028" in list_
    assert [one["year"] for one in arrivals(page)] == [2028], "nothing is dropped before somebody changes it"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_dual_supply_is_a_switch(language):
    page = opened("match", language)
    switch = page.toggle(key="dual-supply")
    assert not switch.value
    page = switch.set_value(True).run()
    assert not page.exception
    assert page.session_state["work"].scenario.dual_supply == "required"
    assert text("years.title", language, n=0, dual=text("years.dual_required", language)) in says(page)
    page.toggle(key="dual-supply").set_value(False).run()
    assert page.session_state["work"].scenario.id == catalog.scenario().id
