"""The tab of the division of labour: what it shows is of the plan, and a cap set there is one of the scenario."""

import pytest

from app.texts import text
from geo_cluster.report import division
from tests.studies import run
from tests.test_app import LANGUAGES, no_second_run, opened, says
from tests.test_app_match import at, press

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tab_says_how_far_cities_do_the_same_and_that_it_is_indicative(language):
    page = at(opened("match", language, study=run()), "division", language)
    assert not page.exception
    assert text("division.indicative", language) in [one.value for one in page.info]
    assert set(division.sentences(run(), language)) <= {one.value for one in page.text}
    heading = text("division.cities", language)
    (table,) = [one.value for one in page.dataframe if "chance_range" in one.value]
    assert heading
    assert table["after"].tolist() == pytest.approx(division.overlaps(run())["after"].tolist(), nan_ok=True)


def test_a_cap_is_set_from_the_table_and_dropped_again():
    page = at(opened("match", study=run()), "division")
    next(one for one in page.number_input if one.key == "cap-most").set_value(0).run(timeout=120)
    press(page, "division.cap_set")
    city, segment = (
        next(one for one in page.selectbox if one.key == f"cap-{key}-zh").value for key in ("city", "segment")
    )
    (share,) = page.session_state["work"].scenario.shares
    assert (share.prefecture, share.segment, share.least, share.most) == (city, segment, 0, 0)
    assert any(str(0) in one and text("division.cap_now", "zh", caps="·").split("·")[0] in one for one in says(page))
    press(page, "division.cap_drop")
    assert page.session_state["work"].scenario.shares == ()


def test_the_weight_is_a_setting_of_the_scenario():
    page = opened("match", study=run())
    next(one for one in page.number_input if one.label == text("match.set_division", "zh")).set_value(3.0).run(
        timeout=120
    )
    assert page.session_state["work"].scenario.division == 3.0
