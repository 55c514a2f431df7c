"""The sheet of a site or firm as a page, played without a browser: its address says whose."""

import pytest
from streamlit.testing.v1 import AppTest

from app.texts import text
from geo_cluster.export.place_sheet import place_sheet
from tests.studies import run
from tests.test_app import LANGUAGES, _script, no_second_run, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]


def opened(named, language="zh", **session):
    page = AppTest.from_function(_script, kwargs={"name": "sheet"}, default_timeout=90)
    page.query_params["language"] = language
    if named:
        page.query_params["id"] = named
    for key, value in session.items():
        page.session_state[key] = value
    return page.run()


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("named", ["E01", "F01"])
def test_the_page_says_what_the_outline_says(named, language):
    page = opened(named, language, study=run())
    assert not page.exception
    assert not page.error
    made, told = place_sheet(run().region, named, language=language, study=run()), "\n".join(says(page))
    shown = [one.value for one in page.subheader]
    assert shown == [made.title, *(one.title for one in made.parts if one.key != "about")]
    assert ("gc-sample" in told) == bool(made.sample)
    for cell in (
        cell for one in made.parts for block in one.blocks for row in getattr(block, "texts", ()) for cell in row
    ):
        assert cell.replace("&", "&amp;").replace("'", "&#x27;").replace('"', "&quot;") in told
    files = [one.proto.label for one in page.get("download_button")]
    assert files == [text("sheet.docx", language), text("sheet.pdf", language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_that_names_nobody_says_what_to_do(language):
    page = opened("ZZ", language)
    assert not page.exception
    assert "H01" in page.error[0].value
    assert not page.get("download_button")
    assert page.selectbox[-1].value is None
    page = opened("", language)
    assert [one.value for one in page.info] == [text("sheet.none", language)]


@pytest.mark.slow
def test_choosing_another_goes_there_and_the_address_with_it():
    page = opened("H01")
    page.selectbox[-1].set_value("F10").run(timeout=90)
    assert not page.exception
    assert page.query_params["id"] in ("F10", ["F10"])
    assert any("F10" in one for one in says(page))
    page.segmented_control(key="language").set_value("en").run(timeout=90)
    assert page.query_params["language"] in ("en", ["en"])
    assert page.subheader[0].value == place_sheet(run().region, "F10", language="en").title
