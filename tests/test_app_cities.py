"""The table of cities above the map and the tab of their shares."""

import pytest

from app import cached
from app.texts import text
from geo_cluster import study
from geo_cluster.report import cities
from geo_cluster.scenarios import read_scenario
from tests.studies import run
from tests.test_app import LANGUAGES, no_second_run, opened, says
from tests.test_app_match import at, press
from tests.test_cities import XIANNING, with_xianning

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_screen_says_what_each_city_gets(language):
    page = opened("match", language, study=run())
    assert not page.exception
    (shown,) = [one for one in says(page) if "gc-cities" in one and "<table" in one]
    for job in cached.level_jobs(run()).values():
        assert job.wait(60)
    table = cities.cities_table(cached.levels_of(run()))
    for code in cities.prefectures(run()):
        count = table[(table["prefecture"] == code) & (table["level"] == "likely")]["projects"].item()
        assert f"<b>{count}</b>" in shown


@pytest.mark.slow
def test_a_share_is_set_and_dropped_in_the_tab_and_a_city_of_ones_own_is_there(tmp_path):
    scenario, projects = read_scenario(with_xianning(tmp_path))
    result = study.run(scenario, projects=projects)
    page = at(opened("match", study=result), "cities")
    assert not page.exception
    assert any("咸宁市" in one for one in says(page) if "gc-cities" in one)
    city = next(one for one in page.selectbox if one.key == "share-city-zh")
    assert "咸宁市" in city.options
    press(page, "cities.run")
    assert not page.exception
    (prices,) = [one.value for one in page.dataframe if "loss" in one.value]
    assert "咸宁市" in set(prices["city"])
    assert text("cities.shares", "zh") in says(page)
    assert XIANNING in set(result.sites["prefecture_code"])


def test_a_share_of_a_city_goes_into_the_scenario_and_out_again():
    page = at(opened("match", study=run()), "cities")
    code = next(one for one in page.selectbox if one.key == "share-city-zh").value
    next(one for one in page.number_input if one.key == f"share-least-{code}-0").set_value(2).run(timeout=120)
    press(page, "cities.set")
    (share,) = page.session_state["work"].scenario.shares
    assert (share.prefecture, share.segment, share.least, share.most) == (code, "", 2, None)
    next(one for one in page.number_input if one.key == f"share-least-{code}-2").set_value(0).run(timeout=120)
    press(page, "cities.set")
    assert page.session_state["work"].scenario.shares == ()
