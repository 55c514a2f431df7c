"""选址: a link brings everything along; what can't be read changes nothing; a project is added once."""

import base64
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.views.score import link
from geo_cluster.errors import InputError
from geo_cluster.world import catalog
from tests.test_app import _script, opened, says
from tests.test_app_score import at, projects_of, verdict


def sent(page):
    """The page in another session, by its address."""
    other = AppTest.from_function(_script, kwargs={"name": "score"}, default_timeout=90)
    for key, values in page.query_params.items():
        other.query_params[key] = values
    return other.run()


def wrapped(content):
    return base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


# ---- the text of a link -------------------------------------------------------------------------------------

typed = st.dictionaries(
    st.sampled_from([one for one in link.fields() if one not in ("segment", "output_100m_yuan")]),
    st.text(min_size=1, max_size=40),
)
weights = st.dictionaries(st.sampled_from(list(catalog.criteria())), st.floats(0, 100))
trials = st.sampled_from(link.METHODS).flatmap(
    lambda way: st.tuples(st.just(way), st.dictionaries(st.text(max_size=30), st.sampled_from(link.SCALES[way])))
)


@settings(max_examples=40, deadline=None)
@given(fields=typed, weights=weights, sites=st.lists(st.text(min_size=1, max_size=8), max_size=4), trial=trials)
def test_a_link_says_again_what_was_set(fields, weights, sites, trial):
    case = {"fields": fields, "weights": weights, "sites": sites, "trial": list(trial), "part": "compare"}
    text = link.packed(case)
    assert link.unpacked(text) == {key: value for key, value in case.items() if value}
    assert text.isascii() and not set(text) & set("+/=?&# ")


def test_an_empty_form_needs_no_link():
    assert link.packed({"fields": {}, "sites": None, "ground": "abc"}) == ""


def test_a_form_full_of_words_and_own_weights_fits_into_an_address():
    fields = dict.fromkeys(link.fields(), "25-35") | {"segment": "fiber_laser", "name": "某某激光产业园二期项目" * 5}
    text = link.packed({"fields": fields, "weights": dict.fromkeys(catalog.criteria(), 12.5), "sites": ["H01"] * 4})
    assert len(text) < 700


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'"name"',
        b'{"colour": "red"}',
        b'{"fields": {"colour": "red"}}',
        b'{"fields": {"name": 7}}',
        b'{"fields": {"segment": "x"}}',
        b'{"fields": {"output_100m_yuan": "NaN"}}',
        b'{"fields": {"output_100m_yuan": "1e9"}}',
        b'{"weights": {"rd_minutes": -1}}',
        b'{"weights": {"rd_minutes": Infinity}}',
        b'{"weights": {"rd_minutes": true}}',
        b'{"weights": 3}',
        b'{"sites": "H01"}',
        b'{"trial": ["dice", {}]}',
        b'{"trial": ["ahp", {"themes-land-energy": 100}]}',
        b'{"trial": "ahp"}',
        json.dumps({"fields": {"name": "x" * 501}}).encode(),
        json.dumps({"fields": {"name": "x" * 500_000}}).encode(),
    ],
)
def test_what_no_page_wrote_is_refused(content):
    with pytest.raises(InputError, match="case"):
        link.unpacked(wrapped(content))


def test_a_link_that_was_cut_is_refused():
    text = link.packed({"fields": {"name": "甲", "land_mu": "25-35"}, "part": "compare"})
    for end in range(len(text) - 1):
        with pytest.raises(InputError):
            link.unpacked(text[:end])
    with pytest.raises(InputError):
        link.unpacked("x" * (link.MOST + 1))


# ---- two sessions -------------------------------------------------------------------------------------------


def test_a_colleague_sees_the_same_by_the_link():
    page = opened("score")
    page.number_input(key="intake-output").set_value(12.0)
    page.text_input(key="intake-name").set_value("甲")
    page.text_input(key="intake-jobs").set_value("300")
    page.text_input(key="intake-land_mu").set_value("约30亩").run()
    at(page, "compare")
    page.multiselect(key="score-sites").set_value(page.multiselect(key="score-sites").value[:2]).run()
    other = sent(page)
    assert not other.exception and not other.error and not other.warning
    assert verdict(other) == verdict(page)
    assert other.number_input(key="intake-output").value == 12.0
    assert other.text_input(key="intake-land_mu").value == "约30亩"
    assert other.text_input(key="intake-jobs").value == "300"
    assert other.multiselect(key="score-sites").value == page.multiselect(key="score-sites").value
    assert other.query_params["case"] == page.query_params["case"]


@pytest.mark.slow
def test_weights_that_were_tried_and_weights_that_were_kept_come_with_the_link():
    page = at(opened("score"), "weights")
    name = catalog.criteria()["freight_minutes"].name.zh
    slider = next(one for one in page.slider if one.label.startswith(name))
    slider.set_value(50.0).run()
    other = sent(page)
    assert next(one for one in other.slider if one.label.startswith(name)).value == 50.0
    assert not other.button(key="weights-keep").disabled
    page.button(key="weights-keep").click().run()
    kept = page.session_state["work"].scenario.weights
    del page.query_params["work"]  # who sees another work, or none
    other = sent(page)
    assert verdict(other) == verdict(page)
    assert any("链接带来的权重" in one for one in says(other))
    assert other.session_state["work"].scenario.weights == {}
    other.button(key="link-keep").click().run()
    assert other.session_state["work"].scenario.weights == kept
    assert verdict(other) == verdict(page)


def test_a_bad_link_is_refused_in_words_and_the_page_goes_on():
    page = AppTest.from_function(_script, kwargs={"name": "score"}, default_timeout=90)
    page.query_params["case"] = "eJx_cut"
    page.run()
    assert not page.exception
    assert "链接不完整" in page.error[0].value
    assert "领先" in verdict(page)


def test_a_link_with_a_field_that_cannot_be_read_says_so_and_estimates():
    page = AppTest.from_function(_script, kwargs={"name": "score"}, default_timeout=90)
    page.query_params["case"] = link.packed({"fields": {"land_mu": "若干"}})
    page.run()
    assert "若干" in page.error[0].value
    assert verdict(page) == verdict(opened("score"))
    assert any("全部按估算" in one for one in says(page))


# ---- what can't be read, and the way into the portfolio -----------------------------------------------------


def test_what_cannot_be_read_leaves_the_answer_of_before():
    page = opened("score")
    page.text_input(key="intake-land_mu").set_value("约30亩").run()
    before = verdict(page)
    assert not page.error
    page.text_input(key="intake-land_mu").set_value("若干").run()
    (refused,) = page.error
    assert "若干" in refused.value and "第 2 行" not in refused.value
    assert verdict(page) == before
    assert any("上一次的结果" in one for one in says(page))
    page.text_input(key="intake-land_mu").set_value("30").run()
    assert not page.error


def test_a_project_is_added_once_and_names_the_work():
    page = opened("score")
    page.text_input(key="intake-name").set_value("甲项目").run()
    page.session_state["intake-into"] = True
    page.button(key="intake-add").click().run()
    assert page.session_state["intake-into"] is False
    assert page.button(key="intake-add").disabled
    assert projects_of(page)["名称"].tolist() == ["甲项目"]
    assert page.session_state["work"].scenario.name.zh == "甲项目"
    page.number_input(key="intake-output").set_value(9.0).run()
    assert not page.button(key="intake-add").disabled


def test_pairs_say_that_nothing_was_judged_and_light_nothing():
    page = at(opened("score"), "weights")
    page.segmented_control(key="score-way").set_value("ahp").run()
    assert any("还没有判断" in one.value for one in page.info)
    assert page.button(key="weights-keep").disabled
    page.select_slider[0].set_value(9).run()
    assert not page.info
    assert not page.button(key="weights-keep").disabled
