"""推进, the parts for the chain and for other provinces, played without a browser."""

import pytest

from app.texts import text
from geo_cluster.policy import chain, links, partners
from geo_cluster.world.layers import Layers
from tests.studies import run
from tests.test_app import LANGUAGES, no_second_run, opened, says
from tests.test_app_match import press

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]


def part(tab, language="zh", name="chain"):
    """The page at a tab of the part for the chain, or at another part."""
    shown = {f"chain-tabs-{language}": text(f"chain.{tab}", language)} if tab else {}
    page = opened("delivery", language, study=run(), **{"delivery-part": name}, **shown)
    assert not page.exception
    return page


def chosen(page, key):
    return next(one for one in page.selectbox if one.key == key)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_gap_leads_to_a_candidate_and_its_sheet(language):
    page = part("gaps", language)
    chosen(page, f"chain-link-{language}").set_value("processing_head").run(timeout=120)
    told = "\n".join(says(page))
    assert chain.states()["outside"][language] in told
    assert "上海柏楚电子科技股份有限公司" in told
    chosen(page, "chain-who-processing_head").set_value("X53").run(timeout=120)
    press(page, "chain.to_sheet", language)
    assert not page.exception
    assert "X53" in [one.value for one in page.selectbox]
    assert text("chain.paper", language) in [one.proto.label for one in page.get("download_button")]


@pytest.mark.slow
def test_a_gap_of_the_map_leads_to_who_could_come():
    link = list(chain.links())[-1]
    page = opened("delivery", "zh", **{"chain-tabs-zh": text("chain.bom", "zh")})
    page.query_params["part"], page.query_params["link"] = "chain", link
    page.run(timeout=120)
    assert not page.exception
    assert chosen(page, "chain-link-zh").value == link
    assert "link" not in page.query_params, "a later choice stays"


@pytest.mark.slow
def test_every_cell_of_the_matrix_says_its_state():
    matrix = next(one for one in says(part("gaps")) if "gc-gaps" in one)
    table = chain.gaps(Layers())
    assert matrix.count("<td") == len(table)
    for state in chain.states():
        word = text(f"chain.short_{state}", "zh", n="").lstrip("{n}")
        if state != "several":
            assert matrix.count(f">{word}<") == int((table["state"] == state).sum()), state


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_dongfeng_is_asked_on_the_page(language):
    page = part("links", language)
    chosen(page, f"links-kind-{language}").set_value("chain").run(timeout=120)
    chosen(page, f"links-place-chain-{language}").set_value("F77").run(timeout=120)
    found = links.linkage(run().region, links.focus_of(run().region, "F77"))
    assert links.sentence(found, 120)[language] in [one.value for one in page.markdown]
    suppliers, buyers = (one.value for one in page.dataframe)
    assert len(suppliers) == len(found.suppliers)
    assert len(buyers) == len(found.buyers)


@pytest.mark.slow
def test_the_other_tabs_and_the_other_part_open():
    assert text("chain.bom_note", "zh") in says(part("bom"))
    special = part("special")
    assert len(special.dataframe) == 4
    page = part("", name="partners")
    assert [one.label for one in page.metric] == list(partners.provinces())
