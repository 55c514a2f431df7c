"""The Match page: phases and split projects are asked for, taken out, and shown with the plan."""

import pytest

from app.texts import text
from geo_cluster import study
from geo_cluster.workspace.repository import Work
from geo_cluster.world import catalog
from tests.test_app import no_second_run, opened, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]


@pytest.mark.slow
def test_phases_and_a_split_are_asked_for_and_taken_out():
    page = opened("match")
    page.multiselect("parts-projects-False").set_value(["P01", "P02"]).run()
    page.checkbox("parts-one-site").check().run()
    page.button("parts-add").click().run()
    page.selectbox("parts-rule").set_value("split").run()
    assert "P01" not in "".join(page.multiselect("parts-projects-True").options)
    page.multiselect("parts-projects-True").set_value(["P03"]).run()
    page.number_input("parts-into").set_value(3).run()
    page.button("parts-add").click().run()
    assert not page.exception
    phases, split = page.session_state["work"].scenario.parts
    assert (phases.projects, phases.rule, phases.one_site) == (("P01", "P02"), "in_order", True)
    assert (split.projects, split.rule, split.into) == (("P03",), "split", 3)
    assert text("parts.title", "zh", n=2) in says(page)
    page.button("parts-add").click().run()  # nobody is chosen: refused in words, and nothing changes
    assert not page.exception
    assert len(page.session_state["work"].scenario.parts) == 2
    page.button("parts-drop-0").click().run()
    assert [one.rule for one in page.session_state["work"].scenario.parts] == ["split"]


@pytest.mark.slow
def test_a_split_project_shows_with_the_plan_and_can_be_decided_on():
    scenario = catalog.scenario().model_copy(update={"draws": 50, "sites": ("E01", "H01", "H04")})
    row = scenario.model_dump(mode="json") | {"parts": [{"projects": ["P01"], "rule": "split"}]}
    scenario = catalog.scenario_from(row)
    result = study.run(scenario)
    page = opened("match", work=Work(scenario), study=result)
    assert not page.exception
    shown = next(one.value for one in page.dataframe if text("parts.sites", "zh") in one.value)
    assert shown[text("parts.projects", "zh")].tolist() == ["P01"]
    assert text("match.other_projects", "zh", of="") not in says(page)
    placed = next(one.value for one in page.metric if one.label == text("match.placed", "zh"))
    assert placed.endswith(f"/ {len(result.projects) - 1}")
    worth = next(one for one in page.button if one.label == text("parts.worth", "zh"))
    worth.click().run()
    assert not page.exception
    assert any(text("parts.cost", "zh") in one.value for one in page.dataframe)
