"""Each rule refuses what it says, with the number that a planner needs; nothing else does."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from geo_cluster import eligibility
from geo_cluster.eligibility import Facts, judge
from tests import world


def facts(**changes: object) -> Facts:
    """One project and the two sites of the tiny country; everything fits."""
    sites = world.layers()["sites"]
    needs = {"land_mu": [[20, 30, 40]], "power_mva": [[5, 10, 20]], "energy_tce": [[100, 200, 300]]}
    offers = {"available_land_ha": [[1, 4, 12]] * 2, "spare_mva": [[15, 60, 160]] * 2}
    offers |= {"energy_quota_tce": [[1e4, 3e4, 8e4]] * 2, "trip_min": [[9, 10, 12], [27, 30, 38]]}
    arrays = {key: np.array(bounds, dtype=float) for key, bounds in (needs | offers).items()}
    parts = {"needs": {key: arrays[key] for key in needs}, "offers": {key: arrays[key] for key in offers}}
    given = {"projects": world.projects(1), "sites": sites, **parts, "forbidden": frozenset()} | changes
    return Facts(**given)


def with_bounds(part: str, key: str, bounds: list) -> Facts:
    base = facts()
    return facts(**{part: {**getattr(base, part), key: np.array(bounds, dtype=float)}})


def test_everything_fits():
    found = judge(facts())
    assert found.allowed.all()
    assert (found.reason["zh"] == "").all()


@pytest.mark.parametrize(
    ("part", "key", "bounds", "rule", "numbers"),
    [
        ("needs", "land_mu", [[181, 200, 300]], "land_short", ("181", "15–180")),
        ("needs", "power_mva", [[161, 170, 180]], "power_short", ("161", "15–160")),
        ("needs", "energy_tce", [[80_001, 9e4, 1e5]], "quota_short", ("80,001", "10,000–80,000")),
    ],
)
def test_a_quantity_refuses_only_what_cannot_be_ruled_in(part, key, bounds, rule, numbers):
    found = judge(with_bounds(part, key, bounds))
    assert (found.rule == rule).all()
    for language in ("zh", "en"):
        assert all(number in found.reason[language][0, 0] for number in numbers)
    at_the_edge = [[bounds[0][0] - 1, *bounds[0][1:]]]  # the least need is just what the site may have at most
    assert judge(with_bounds(part, key, at_the_edge)).allowed.all()


def test_too_far_even_on_the_shortest_drive():
    near_only = facts(projects=world.projects(1, max_minutes="26"))
    found = judge(near_only)
    assert found.allowed.tolist() == [[True, False]]
    assert found.reason["zh"][0, 1] == "距研发锚点 27–38 分钟，项目写明最长 26 分钟；留空即不排除"
    assert judge(facts(projects=world.projects(1, max_minutes="27"))).allowed.all()


def test_ruled_out_by_constraint_or_by_grade():
    sites = world.layers()["sites"].assign(constraints=["lake;not_manufacturing", ""], fit_grade=["B", "X"])
    sites["fit_note_zh"] = ["", "梁子湖生态保护"]
    found = judge(facts(sites=sites))
    assert (found.rule == "site_ruled_out").all()
    assert "规划非制造" in found.reason["zh"][0, 0]
    assert "梁子湖生态保护" in found.reason["zh"][0, 1]


def test_hazardous_processes_stay_out_of_the_water_source_area_others_may_come():
    sites = world.layers()["sites"].assign(constraints=["water_source", "lake"])
    powder = judge(facts(sites=sites, projects=world.projects(1, segment="additive_powder")))
    assert powder.rule.tolist() == [["process_restricted", ""]]
    assert "增材制造粉末" in powder.reason["zh"][0, 0]
    assert judge(facts(sites=sites)).allowed.all()


def test_forbidden_pair():
    found = judge(facts(forbidden=frozenset({("P01", "X2")})))
    assert found.rule.tolist() == [["", "forbidden"]]


def test_unknown_offers_refuse_nobody():
    unknown = np.full((2, 3), np.nan)
    base = facts()
    assert judge(facts(offers=dict.fromkeys(base.offers, unknown))).allowed.all()


def test_the_first_rule_in_the_declared_order_gives_the_reason():
    sites = world.layers()["sites"].assign(constraints="not_manufacturing")
    crowded = with_bounds("needs", "land_mu", [[181, 200, 300]])
    found = judge(facts(sites=sites, needs=crowded.needs))
    assert set(found.rule.ravel()) == {"site_ruled_out"}
    assert next(iter(eligibility.RULES)) == "site_ruled_out"


def test_it_travels_with_all_that_it_says():
    found = judge(facts())
    there = pickle.loads(pickle.dumps(found))
    assert (there.allowed == found.allowed).all()
    assert (there.rule == found.rule).all()
    for language in ("zh", "en"):
        assert (there.reason[language] == found.reason[language]).all()
        assert (there.remark[language] == found.remark[language]).all()
