"""What is refused before any solver starts, what is only noted, and rules spelt as resources."""

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, budget, keep, phase, quota, segment_cap, solve, verify

SCORE = np.array([[9.0, 5.0], [8.0, np.nan], [4.0, 7.0]])


def land(**changes):
    given = {"demand": [2, 2, 2], "pool": [0, 1], "capacity": [2, 4]} | changes
    return Resource("land", "mu", **given)


def test_a_small_plan_is_proven():
    problem = Problem(SCORE, [land()], bonus=1.0)
    plan = solve(problem)
    assert plan.site.tolist() == [1, 0, 1]
    assert plan.objective == pytest.approx(5 + 8 + 7 + 3)
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert verify(problem, plan) == ()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"resources": [land(demand=[2, np.nan, 2])]}, r"'land': project 1 demands nan mu → Give a number"),
        ({"resources": [land(demand=[2, -1, 2])]}, r"project 1 demands -1"),
        ({"resources": [land(demand=[2, 90, 2])]}, r"project 1 demands 90 mu; the largest pool has 4 → Check the unit"),
        ({"resources": [land(capacity=[-2, 4])]}, r"pool 0 has a negative capacity"),
        ({"resources": [land(capacity=[np.nan, 4])]}, r"capacity of pool 0 is not known"),
        ({"resources": [land(capacity=[2])]}, r"pool names pools outside -1 … 0"),
        ({"resources": [land(pool=[-1, -1])]}, r"no site draws on any of its pools"),
        ({"resources": [land(pool=[0, 1, 1])]}, r"pool has the shape \(3,\)"),
        ({"resources": [land(minimum=[3, 0])]}, r"pool 0: minimum 3 above maximum 2 → Lower the minimum or raise"),
        ({"resources": [land(pool=[0, 0], minimum=[0, 3])]}, r"pool 1 has a minimum, but no site draws on it"),
        ({"resources": [land(), land()]}, r"'land': is given twice"),
        ({"resources": [land(capacity=[[3, 2, 1], [4, 4, 4]])]}, r"pool 0: low, likely, high are"),
        ({"score": np.full((3, 2), np.nan)}, r"no project is eligible at any site"),
        ({"score": np.full((3, 2), np.inf)}, r"score of project 0 at site 0: is infinite"),
        ({"score": np.zeros(3)}, r"score: has the shape \(3,\)"),
        ({"bonus": [1, 2]}, r"bonus: has the shape \(2,\)"),
        ({"bonus": np.nan}, r"bonus: is nan"),
        ({"level": "hopeless"}, r"level: is 'hopeless'"),
        ({"locked": [(0, 0), (0, 1)]}, r"project 0 is locked to both site 0 and site 1"),
        ({"locked": {1: 1}}, r"project 1 is locked to site 1, where it isn't eligible"),
        ({"locked": {0: 0}, "forbidden": [(0, 0)]}, r"locked to site 0 and forbidden there"),
        ({"locked": {0: 0, 1: 0}}, r"locks of project 0, project 1 take 4 of the 2 mu of pool 0 → Unlock one"),
        ({"locked": {7: 0}}, r"project 7, site 0: there is no such pair"),
        ({"forbidden": [(0, 5)]}, r"project 0, site 5: there is no such pair"),
        ({"links": [Link(0, 0, 1.0)]}, r"link 0: joins projects 0 and 0"),
        ({"links": [Link(0, 1, -1.0)]}, r"link 0: gains -1.0"),
        ({"projects": ["P01"]}, r"projects: 1 names for 3"),
    ],
)
def test_each_fault_is_named_with_its_remedy(given, told):
    with pytest.raises(InputError, match=told):
        Problem(**({"score": SCORE, "resources": [land()]} | given))


def test_all_faults_come_at_once():
    with pytest.raises(InputError) as caught:
        Problem(SCORE, [land(demand=[np.nan, 2, 2], capacity=[-2, 4], minimum=[0, 5])], locked=[(0, 0), (0, 1)])
    assert len(caught.value.faults) == 4
    assert all(fault.remedy for fault in caught.value.faults)


def test_what_is_odd_but_possible_is_noted():
    with pytest.warns(UserWarning, match="no site draws on pool 2"):
        problem = Problem(SCORE, [land(capacity=[2, 4, 9])])
    assert "Assign a site" in problem.notes[0].remedy
    with pytest.warns(UserWarning, match=r"project 0 demands 6 mu; the largest pool has 4 .* stays unplaced"):
        problem = Problem(SCORE, [land(demand=[6, 2, 2])])
    assert solve(problem).site[0] == -1


@pytest.mark.parametrize("locked", [{0: 1}, [(0, 1)], np.array([[0, 1]]), np.array([1, -1, -1])])
def test_locks_can_be_written_in_any_way(locked):
    problem = Problem(SCORE, [land()], locked=locked)
    assert problem.locked.tolist() == [1, -1, -1]
    assert solve(problem).site[0] == 1


def test_the_planning_level_chooses_the_end_of_the_interval():
    intervals = land(capacity=[[0, 2, 2], [0, 2, 6]])
    placed = {
        level: (solve(Problem(SCORE, [intervals], level=level)).site >= 0).sum()
        for level in ("cautious", "likely", "hopeful")
    }
    assert placed == {"cautious": 0, "likely": 2, "hopeful": 3}


def test_a_quota_bounds_each_group():
    problem = Problem(SCORE, [quota("city", [0, 1], projects=3, minimum=[0, 2], maximum=[3, 3])])
    assert solve(problem).site.tolist() == [1, 0, 1]
    problem = Problem(SCORE, [quota("city", [0, 1], projects=3, maximum=[1, 1])])
    assert sorted(solve(problem).site.tolist()) == [-1, 0, 1]


def test_a_segment_cap_counts_only_its_segment():
    problem = Problem(SCORE, [segment_cap("lasers", [True, True, False], [0, 0], [1])])
    assert solve(problem).site.tolist() == [0, -1, 1]


def test_a_budget_is_one_purse():
    problem = Problem(SCORE, [budget([[5.0, 1], [5, 5], [5, 5]], 6, sites=2)])
    assert solve(problem).site.tolist() == [1, 0, -1]


def test_the_present_plan_is_kept_unless_moving_pays():
    present = [1, -1, 0]
    assert solve(keep(Problem(SCORE, []), present, price=5.0)).site.tolist() == [1, 0, 0]
    assert solve(keep(Problem(SCORE, []), present, price=1.0)).site.tolist() == [0, 0, 1]


def test_a_site_may_draw_whole_on_one_of_several_pools_or_split():
    reach = [[True, True], [False, False]]
    power = Resource("power", "MVA", [3, 3, 3], reach, [4.0, 5.0])
    whole = Problem(np.array([[9.0, 1], [9, 1], [9, 1]]), [power])
    plan = solve(whole)
    assert (plan.site == 0).sum() == 2
    assert sorted(plan.pools["power"][plan.site == 0].tolist()) == [0, 1]
    split = whole.but(resources=[Resource("power", "MVA", [3, 3, 3], reach, [4.0, 5.0], split=True)])
    assert (solve(split).site == 0).sum() == 3
    assert [each.kind for each in verify(whole, [0, 0, 0])] == ["capacity"]


def test_a_substation_that_arrives_later_lets_the_second_project_in_later():
    power = Resource("power", "MVA", [5, 5], [0], [5])
    problem = Problem([[10.0], [9.0]], [power], sites=["E03"])
    phased = phase(problem, [2027, 2029], {"power": [[5, 10]]}, delay=1.0)
    plan = solve(phased)
    assert [phased.site_name(s) for s in plan.site] == ["E03 2027", "E03 2029"]
    assert plan.objective == pytest.approx(10 + 9 - 2)
    late = phase(problem, [2027, 2029], {"power": [[5, 10]]}, delay=1.0, earliest=[2028, 2026])
    assert [late.site_name(s) for s in solve(late).site] == ["E03 2029", "E03 2027"]
    with pytest.raises(InputError, match="there is no such resource"):
        phase(problem, [2027, 2029], {"water": [[5, 10]]})


def test_partners_meet_when_it_pays():
    near = np.array([[False, True], [True, False]])
    apart = Problem(np.array([[9.0, 5.0], [8.0, 7.0]]), [])
    assert solve(apart).site.tolist() == [0, 0]
    linked = apart.but(links=[Link(0, 1, gain=3.0, near=near)])
    plan = solve(linked)
    assert plan.site.tolist() == [0, 1]
    assert plan.objective == pytest.approx(9 + 7 + 3)
