from streamlit.testing.v1 import AppTest

from app import cached
from app.texts import text
from geo_cluster.maps import payload
from geo_cluster.world.layers import Layers


def _page():
    import streamlit

    from app.views import explore

    streamlit.set_page_config(layout="wide")
    explore.page()


def test_a_link_brings_its_language_and_the_switch_takes_over():
    page = AppTest.from_function(_page, default_timeout=90)
    page.query_params["language"] = "en"
    page.run()
    assert not page.exception
    assert page.title[0].value == text("explore.title", "en")
    page.segmented_control(key="language").set_value("zh").run()
    assert page.title[0].value == text("explore.title", "zh")


def test_a_language_that_there_is_not_is_no_error():
    page = AppTest.from_function(_page, default_timeout=90)
    page.query_params["language"] = "<script>"
    page.run()
    assert not page.exception
    assert page.title[0].value == text("explore.title", "zh")


def test_the_map_is_made_once_for_all_visitors():
    assert cached.overview_payload(Layers(), "zh") is cached.overview_payload(Layers(), "zh")
    assert "basemaps" not in cached.overview_payload(Layers(), "zh"), "the payload that others use stays as it is"
    assert "matrix" in payload.payload(Layers(), "en")
