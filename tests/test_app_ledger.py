"""The part 项目台账 of the page 推进: what it shows, who may change it, and the way from a plan into the ledger."""

import pytest

from app import cached, state
from app.texts import text
from app.views.match import to_ledger
from geo_cluster.policy.ledger import PROMISED, Entry, promised_settings
from geo_cluster.report import tables
from geo_cluster.study import ENDS
from geo_cluster.workspace import database
from geo_cluster.workspace.roles import Person
from geo_cluster.workspace.under_way import Change, Ledger
from geo_cluster.world import catalog
from tests.ledgers import sample
from tests.studies import run
from tests.test_app import no_second_run, opened, says

pytestmark = pytest.mark.usefixtures(no_second_run.__name__)
__all__ = ["no_second_run"]


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """A ledger of its own for the page."""
    file = str(tmp_path / "w.sqlite")
    monkeypatch.setenv(database.ENVIRONMENT, file)
    return Ledger(database.connect(file))


def put(ledger, projects):
    ledger.save([Change(id_, one, 0) for id_, one in projects.items()], note="n")


@pytest.mark.slow
def test_of_thousands_a_page_is_sent_and_the_rest_is_looked_through_here(ledger):
    put(ledger, {f"p{n}": Entry(name=f"示例 {n}", city="420200" if n % 2 else "420700") for n in range(5000)})
    page = opened("delivery")
    assert not page.exception
    assert len(page.dataframe[0].value) == 50
    assert page.metric[0].value == "5000"
    page.text_input(key="ledger-search").set_value("示例 499").run()
    assert len(page.dataframe[0].value) == 11, "499 and 4990 to 4999"
    page.multiselect(key="ledger-cities-zh").set_value(["420700"]).run()
    assert len(page.dataframe[0].value) == 5


def test_a_viewer_looks_and_has_nothing_to_save_with(ledger, monkeypatch):
    put(ledger, sample(1))
    monkeypatch.setattr(state, "person", lambda: Person("guest@plan.example", "viewer"))
    page = opened("delivery")
    assert len(page.dataframe[0].value) == len(sample(1))
    assert text("ledger.may_not", "zh") in says(page)
    assert "ledger-new" not in {one.key for one in page.button}


@pytest.mark.slow
def test_promises_count_in_the_scenario_while_the_switch_is_on(ledger):
    put(ledger, sample(1))
    page = opened("delivery")
    page.toggle(key="ledger-promises").set_value(True).run()
    promised = page.session_state["work"].scenario.promised
    assert [one.site for one in promised] == ["H01", "E01"]
    ledger.save([Change("a2", sample(1)["a2"].model_copy(update={"land_mu": 55.0}), 1)], note="n")
    page.run()
    assert text("ledger.promises_old", "zh") in says(page)
    page.button(key="ledger-promises-renew").click().run()
    assert page.session_state["work"].scenario.promised[1].amounts["land"] == 55.0
    page.toggle(key="ledger-promises").set_value(False).run()
    assert page.session_state["work"].scenario.id == catalog.scenario().id


def test_a_project_of_a_plan_goes_into_the_ledger_with_its_site_and_what_it_is_promised():
    study = run("default")
    plan = tables.assignment(study)
    project, site = plan[["project", "site"]].iloc[0]
    entry = to_ledger._entry(study, project, site)
    at, end = study.projects.index.get_loc(project), ENDS[study.scenario.planning_level]
    assert (entry.site, entry.at) == (site, "talks")
    for name, column in PROMISED.items():
        need = study.facts.needs[catalog.resources()[name].need][at, end]
        assert getattr(entry, column) == pytest.approx(need, abs=0.01)
    assert entry.name.startswith("示例"), "a made-up project stays labelled"
    assert study.scenario.id in entry.source
    assert promised_settings([entry], but=study.projects["name"]) == [], "the plan at hand places it itself"
    (promise,) = promised_settings([entry])
    assert promise["amounts"]["land"] == entry.land_mu


def test_the_page_knows_of_what_another_process_saved(ledger):
    put(ledger, {"a": Entry(name="示例 甲")})
    seq, kept = cached.ledger_now()
    ledger.save([Change("a", None, 1), Change("b", Entry(name="示例 乙"), 0)], note="n")
    later, now = cached.ledger_now()
    assert (list(kept), list(now)) == (["a"], ["b"])
    assert later > seq
