"""Plans side by side, held against counting by hand and against brute force over made-up plans."""

import io
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_cluster import study
from geo_cluster.export.plans_book import SHEETS, plans_book
from geo_cluster.report import comparison, plans, tables
from geo_cluster.report.plans import Plan
from tests import world
from tests.studies import run

CITY = {"A1": "420100", "A2": "420100", "B1": "420200"}
SITES = st.dictionaries(st.sampled_from(["P1", "P2", "P3"]), st.sampled_from([*CITY]))


def made_up(name, site, known=("P1", "P2", "P3")):
    return Plan(name, {one: one.lower() for one in known}, {p: s for p, s in site.items() if p in known}, CITY)


@given(st.lists(SITES, min_size=2, max_size=4))
def test_what_all_plans_share_is_what_no_two_plans_differ_in(sites):
    several = [made_up(str(number), site) for number, site in enumerate(sites)]
    choices = plans.choices_table(several)
    robust = plans.robust_table(choices).set_index("project")
    for project in ("P1", "P2", "P3"):
        at = [site.get(project, "") for site in sites]
        assert robust.loc[project, "same"] == all(a == b for a, b in itertools.combinations(at, 2))
        assert robust.loc[project, "count"] == max(at.count(one) for one in at) == at.count(robust.loc[project, "most"])
    shares = plans.shares_table(several, choices)
    for number, site in enumerate(sites):
        mine = shares[shares["plan"] == str(number)].set_index("prefecture")
        for code in set(mine.index):
            count = sum(CITY[one] == code for one in site.values())
            assert mine.loc[code, "projects"] == count
            assert (
                mine.loc[code, "share"] == pytest.approx(count / len(site)) if site else np.isnan(mine["share"]).all()
            )
    elsewhere = plans.numbers_table(several)["elsewhere"].tolist()
    assert elsewhere == [sum(one.get(p) != sites[0].get(p) for p in ("P1", "P2", "P3")) for one in sites]


def test_a_project_that_a_plan_does_not_know_is_neither_the_same_nor_elsewhere():
    several = [made_up("one", {"P1": "A1"}, known=("P1", "P2")), made_up("two", {"P1": "A1"}, known=("P1",))]
    choices = plans.choices_table(several)
    robust = plans.robust_table(choices).set_index("project")
    assert robust["same"].to_dict() == {"P1": True, "P2": False}
    assert robust["of"].to_dict() == {"P1": 2, "P2": 1}
    assert plans.numbers_table(several)["elsewhere"].tolist() == [0, 0]
    assert choices.loc[~choices["known"], ["project", "plan"]].to_numpy().tolist() == [["P2", "two"]]


def test_plans_of_studies_have_their_scores_and_cities():
    several = [plans.plan_of(run(), "likely"), plans.plan_of(run("cautious"), "cautious")]
    choices = plans.choices_table(several)
    for plan in several:
        mine = choices[(choices["plan"] == plan.name) & (choices["site"] != "")].set_index("project")
        placed = tables.assignment(plan.study).set_index("project")
        assert mine["site"].to_dict() == placed["site"].to_dict()
        assert mine["score"].to_dict() == pytest.approx(placed["score"].to_dict())
    moved = comparison.difference_table(run(), run("cautious"))
    robust = plans.robust_table(choices)
    assert set(robust.loc[~robust["same"], "project"]) == set(moved["project"])
    assert plans.numbers_table(several)["elsewhere"].tolist() == [0, len(moved)]
    shares = plans.shares_table(several, choices)
    for name, part in shares.groupby("plan"):
        assert part["share"].sum() == pytest.approx(1)
        assert part["projects"].sum() == (choices[choices["plan"] == name]["site"] != "").sum()


def test_pools_that_differ_are_those_whose_use_or_room_differs():
    less = {"subject": "X1", "attribute": "available_land_ha", "low": 1, "likely": 2, "high": 3, "source": "电话"}
    before, after = (
        study.run(world.scenario(draws=20, known=known), world.layers(), projects=world.projects(2))
        for known in ([], [less])
    )
    found = plans.pools_difference(before, after).set_index(["resource", "pool"])
    old, new = (tables.pools(one).set_index(["resource", "pool"]) for one in (before, after))
    for key in old.index:
        differs = not np.allclose(
            old.loc[key, ["planned", "used"]].astype(float), new.loc[key, ["planned", "used"]].astype(float)
        )
        assert (key in found.index) == differs
    assert found.loc[("land", "X1"), ["planned_before", "planned_after"]].tolist() == [60, 30]
    assert plans.pools_difference(before, before).empty


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_workbook_has_what_the_tables_have(language):
    several = [plans.plan_of(run(), "A"), plans.plan_of(run("cautious"), "B"), made_up("C", {"P01": "B1"}, ("P01",))]
    names = {key: name[language] for key, name in run().region.names.items()}
    book = pd.read_excel(io.BytesIO(plans_book(several, names, language)), sheet_name=None)
    at = language == "en"
    assert list(book) == [pair[at] for pair in SHEETS.values()]
    numbers, choices, cities, changes = book.values()
    assert numbers.iloc[:, 0].tolist() == ["A", "B", "C"]
    assert len(choices) == len(run().projects)
    placed = tables.assignment(run())
    assert (choices.iloc[:, 2].isin({names[one] for one in placed["site"]})).sum() == len(placed)
    assert cities.iloc[:, 1].sum() == len(placed)
    assert len(changes) == len(comparison.difference_table(run(), run("cautious")))
