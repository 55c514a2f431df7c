"""What is refused before any solver starts, what is only noted, and rules spelt as resources."""

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, budget, group_limits, keep, phase, segment_cap, solve, verify
from tests.refusals import faults_of, refused

SCORE = np.array([[9.0, 5.0], [8.0, np.nan], [4.0, 7.0]])


def land(**changes):
    given = {"name": "land", "unit": "mu", "demand": [2, 2, 2], "pool": [0, 1], "capacity": [2, 4]} | changes
    return Resource(**given)


def test_a_small_plan_is_proven():
    problem = Problem(SCORE, [land()], bonus=1.0)
    plan = solve(problem)
    assert plan.site.tolist() == [1, 0, 1]
    assert plan.objective == pytest.approx(5 + 8 + 7 + 3)
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert verify(problem, plan) == ()


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"resources": [land(demand=[2, np.nan, 2])]}, "resource land", "demand_value"),
        ({"resources": [land(demand=[2, -1, 2])]}, "resource land", "demand_value"),
        ({"resources": [land(demand=[90, 95, 90])]}, "resource land", "demand_above_pools"),
        ({"resources": [land(capacity=[-2, 4])]}, "resource land", "capacity_negative"),
        ({"resources": [land(capacity=[np.nan, 4])]}, "resource land", "capacity_unknown"),
        ({"resources": [land(capacity=[2])]}, "resource land", "pool_outside"),
        ({"resources": [land(pool=[-1, -1])]}, "resource land", "resource_not_drawn"),
        ({"resources": [land(pool=[0, 1, 1])]}, "resource land", "pool_shape"),
        ({"resources": [land(minimum=[3, 0])]}, "resource land", "minimum_above_maximum"),
        ({"resources": [land(pool=[0, 0], minimum=[0, 3])]}, "resource land", "minimum_without_site"),
        ({"resources": [land(), land()]}, "resource land", "resource_twice"),
        ({"resources": [land(capacity=[[3, 2, 1], [4, 4, 4]])]}, "resource land", "capacity_falling"),
        ({"score": np.full((3, 2), np.nan)}, "score", "nobody_eligible"),
        ({"score": np.full((3, 2), np.inf)}, "score, project 0, column site 0", "score_infinite"),
        ({"score": np.zeros(3)}, "score", "score_shape"),
        ({"bonus": [1, 2]}, "bonus", "bonus_shape"),
        ({"bonus": np.nan}, "bonus", "bonus_not_finite"),
        ({"level": "hopeless"}, "level", "unknown_level"),
        ({"locked": [(0, 0), (0, 1)]}, "locked", "locked_twice"),
        ({"locked": {1: 1}}, "locked", "locked_ineligible"),
        ({"locked": {0: 0}, "forbidden": [(0, 0)]}, "locked", "locked_forbidden"),
        ({"locked": {0: 0, 1: 0}}, "locked, land", "locks_overdraw"),
        ({"locked": {7: 0}}, "locked", "no_such_pair"),
        ({"forbidden": [(0, 5)]}, "forbidden", "no_such_pair"),
        ({"links": [Link(0, 0, 1.0)]}, "link 0", "link_ends"),
        ({"links": [Link(0, 1, -1.0)]}, "link 0", "link_gain"),
        ({"projects": ["P01"]}, "projects", "name_count"),
        ({"bonus": 1e308}, "score", "sum_too_large"),
        ({"links": [Link(0, 1, 1e101)]}, "score", "sum_too_large"),
        ({"score": np.full((3, 2), np.datetime64("2027-01-01"))}, "score", "not_a_number_at"),
        ({"score": [[1, 2], [3]]}, "score", "uneven_rows"),
        ({"score": [["about 9", 1], [1, 1], [1, 1]]}, "score", "not_a_number_at"),
        ({"score": np.full((3, 2), 1j)}, "score", "not_a_number_at"),
        ({"bonus": "much"}, "bonus", "not_a_number"),
        ({"bonus": [1, [2], 3]}, "bonus", "uneven_rows"),
        ({"resources": [land(demand=["about 30", 1, 2])]}, "resource land, demand", "not_a_number_at"),
        ({"resources": [land(capacity=["x", 2])]}, "resource land, capacity", "not_a_number_at"),
        ({"resources": [land(capacity=np.zeros(0))]}, "resource land", "capacity_shape"),
        ({"resources": [land(pool=["a", "b"])]}, "resource land", "pool_not_a_number"),
        ({"resources": [land(pool=[[0], [0, 1]])]}, "resource land", "pool_not_a_number"),
        ({"resources": [land(minimum=["x", 0])]}, "resource land, minimum", "not_a_number_at"),
        ({"resources": [{"name": "land"}]}, "resources", "not_a_resource"),
        ({"resources": [group_limits("city", ["a", "b"], projects=3)]}, "resource city", "pool_not_a_number"),
        ({"resources": [group_limits("city", [0.5, 1], projects=3, maximum=[1, 1])]}, "resource city", "pool_outside"),
        ({"locked": {"P07": 0}}, "locked", "pairs_by_name"),
        (
            {"locked": np.array([np.nan, 1, np.nan])},
            "locked",
            "pairs_unknown",
        ),
        ({"locked": [(0, 1), (2,)]}, "locked", "pairs_uneven"),
        ({"forbidden": [(0,), (1, 2)]}, "forbidden", "pairs_uneven"),
        ({"forbidden": np.ones((2, 2), dtype=bool)}, "forbidden", "forbidden_shape"),
        ({"forbidden": np.ones((3, 2), dtype=bool)}, "forbidden", "everything_forbidden"),
        ({"links": [Link(0.5, 1, 1.0)]}, "link 0", "link_ends"),
        ({"links": [Link("a", 1, 1.0)]}, "link 0", "link_ends"),
        ({"links": [Link(0, 1, "x")]}, "link 0", "link_gain"),
        ({"links": [Link(0, 1, 1.0, np.full((2, 2), np.nan))]}, "link 0", "link_near_not_boolean"),
    ],
)
def test_each_fault_is_named_with_its_remedy(given, place, code):
    assert (f"matching.{code}", place) in refused(lambda: Problem(**({"score": SCORE, "resources": [land()]} | given)))


def test_all_faults_come_at_once():
    with pytest.raises(InputError) as caught:
        Problem(SCORE, [land(demand=[np.nan, 2, 2], capacity=[-2, 4], minimum=[0, 5])], locked=[(0, 0), (0, 1)])
    assert len(caught.value.faults) == 4
    assert all(fault.remedy for fault in caught.value.faults)


def test_faults_of_every_kind_come_together():
    """Shapes, texts, values, locks, what is far too large and what nobody draws on: one refusal."""
    resources = [
        land(demand=[1, 2]),
        land(name="power", demand=["about 30", 1, 2], capacity=[-1, 4]),
        land(name="energy", demand=[90, 95, 90]),
        land(name="water", pool=[-1, -1]),
        land(name="rail", demand=[3, 3, 3]),
    ]
    links = [Link(0, 0, 1.0)]
    with pytest.raises(InputError) as caught:
        Problem(SCORE, resources, bonus=np.nan, locked={1: 0, 2: 1, 0: 0}, links=links, projects=["P1"])
    assert {(fault.where, fault.code.removeprefix("matching.")) for fault in caught.value.faults} >= {
        ("projects", "name_count"),
        ("bonus", "bonus_not_finite"),
        ("resource land", "demand_shape"),
        ("resource power, demand", "not_a_number_at"),
        ("resource power", "capacity_negative"),
        ("resource energy", "demand_above_pools"),
        ("resource water", "resource_not_drawn"),
        ("locked, rail", "locks_overdraw"),
        ("link 0", "link_ends"),
    }
    with pytest.raises(InputError) as caught:
        Problem([["x", 1.0]], [land(demand=["y"], capacity=[-2, 4])])
    assert len(caught.value.faults) == 3


def test_a_supposition_may_leave_nowhere_to_go():
    problem = Problem(SCORE, [land()])
    nothing = problem.suppose(score=np.full((3, 2), np.nan), resources=[land(capacity=[0.1, 0.1])])
    assert solve(nothing).site.tolist() == [-1, -1, -1]
    nobody, overdrawn = np.full((3, 2), np.nan), [land(capacity=[-1, 4])]
    assert ("matching.nobody_eligible", "score") in refused(lambda: problem.but(score=nobody))
    assert ("matching.capacity_negative", "resource land") in refused(lambda: problem.suppose(resources=overdrawn))


def test_what_is_odd_but_possible_is_noted():
    intervals = land(demand=[5, 2, 2], capacity=[[2, 2, 4], [4, 4, 9]])
    for resource, code, values in (
        (land(capacity=[2, 4, 9]), "pools_not_drawn", {"pools": ["pool 2"]}),
        (land(demand=[6, 2, 2]), "demand_above_pools", {"project": "project 0", "demand": 6.0, "largest": 4.0}),
        (intervals, "demand_above_planned", {"level": "likely", "largest": 4.0, "most": 9.0}),
    ):
        with pytest.warns(UserWarning, match="resource land: "):
            problem = Problem(SCORE, [resource])
        (note,) = problem.notes
        assert note.code == f"matching.{code}"
        assert note.values.items() >= values.items()
        assert solve(problem).site[0] == -1 or code == "pools_not_drawn"


@pytest.mark.parametrize("locked", [{0: 1}, [(0, 1)], np.array([[0, 1]]), np.array([1, -1, -1])])
def test_locks_can_be_written_in_any_way(locked):
    problem = Problem(SCORE, [land()], locked=locked)
    assert problem.locked.tolist() == [1, -1, -1]
    assert solve(problem).site[0] == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_planning_level_chooses_the_end_of_the_interval():
    intervals = land(capacity=[[0, 2, 2], [0, 2, 6]])
    placed = {
        level: (solve(Problem(SCORE, [intervals], level=level)).site >= 0).sum()
        for level in ("cautious", "likely", "hopeful")
    }
    assert placed == {"cautious": 0, "likely": 2, "hopeful": 3}


def test_limits_bound_each_group():
    problem = Problem(SCORE, [group_limits("city", [0, 1], projects=3, minimum=[0, 2], maximum=[3, 3])])
    assert solve(problem).site.tolist() == [1, 0, 1]
    problem = Problem(SCORE, [group_limits("city", [0, 1], projects=3, maximum=[1, 1])])
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


@pytest.mark.parametrize(
    ("site", "price", "place", "code"),
    [
        ([0, 1], 1.0, "site", "plan_shape"),
        ([0, 1, 7], 1.0, "site, project 2", "no_such_site"),
        ([0, 1, 0.5], 1.0, "site", "plan_not_integers"),
        ([0, 1, 1], np.nan, "price", "not_an_amount"),
        ([0, 1, 1], "dear", "price", "not_an_amount"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(site, price, place, code):
    assert (f"matching.{code}", place) in refused(lambda: keep(Problem(SCORE, []), site, price=price))


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
    no_water = [("matching.no_such_resource", "arrives, water")]
    assert refused(lambda: phase(problem, [2027, 2029], {"water": [[5, 10]]})) == no_water


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"delay": [1, 2, 3]}, "delay", "delay_shape"),
        ({"delay": np.nan}, "delay", "delay_not_finite"),
        ({"delay": "long"}, "delay", "not_a_number"),
        ({"earliest": [2027]}, "earliest", "earliest_shape"),
        ({"earliest": [2027, np.nan, 2027]}, "earliest", "earliest_unknown"),
        ({"arrives": {"land": [["soon", 1], [1, 2]]}}, "arrives, land", "not_a_number_at"),
        ({"arrives": {"land": [[1, 2]]}}, "arrives, land", "arrives_shape"),
        ({"years": ["now", "then"]}, "years", "years"),
    ],
)
def test_phases_that_do_not_fit_are_refused(given, place, code):
    assert (f"matching.{code}", place) in refused(
        lambda: phase(Problem(SCORE, [land()]), **({"years": [2027, 2029], "arrives": {}} | given))
    )


def test_partners_meet_when_it_pays():
    near = np.array([[False, True], [True, False]])
    apart = Problem(np.array([[9.0, 5.0], [8.0, 7.0]]), [])
    assert solve(apart).site.tolist() == [0, 0]
    linked = apart.but(links=[Link(0, 1, gain=3.0, near=near)])
    plan = solve(linked)
    assert plan.site.tolist() == [0, 1]
    assert plan.objective == pytest.approx(9 + 7 + 3)


def test_locks_that_several_pools_cannot_hold_are_named_with_their_resource_and_without_bystanders():
    """Two of 8 MVA behind 10 and 5: together 16 of 15, each whole at most one; whoever draws elsewhere isn't named."""
    reach = np.array([[True, True], [False, False]])
    for split, code in ((False, "locks_exceed_pools_undivided"), (True, "locks_exceed_pools")):
        power = Resource("power", "MVA", [8.0, 8.0, 1.0], reach, [10.0, 5.0], split=split, pools=("A", "B"))
        problem = Problem(np.full((3, 2), 5.0), power, locked={0: 0, 1: 0, 2: 1})
        (fault,) = faults_of(lambda problem=problem: solve(problem))
        assert (fault.where, fault.code) == ("locked, power", f"matching.{code}")
        assert fault.values == {
            "projects": ["project 0", "project 1"],
            "demand": "8 + 8",
            "unit": "MVA",
            "capacity": "10 + 5",
            "pools": ["A", "B"],
        }


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_lock_that_no_pool_holds_is_told_of_the_resource_that_lacks():
    """Land is there; it is power that isn't, though with neither pool open no option is left at all."""
    power = Resource("power", "MVA", [12.0, 1.0, 1.0], np.ones((2, 2), dtype=bool), [10.0, 5.0], pools=("A", "B"))
    (fault,) = faults_of(lambda: solve(Problem(np.full((3, 2), 5.0), [land(), power], locked={0: 0, 1: 1})))
    assert (fault.where, fault.code) == ("locked, power", "matching.locks_exceed_pools_undivided")
    assert (fault.values["projects"], fault.values["demand"]) == (["project 0"], "12")


@pytest.mark.slow
def test_very_many_locks_on_several_pools_are_placed_or_refused_in_few_words():
    reach, count = np.array([[True, True], [False, True]]), 1500
    for room in (0.6 * count, 0.4 * count):
        power = Resource("power", "MVA", np.ones(count), reach, [room, room], pools=("A", "B"))
        problem = Problem(np.ones((count, 2)), power, locked=dict.fromkeys(range(count), 0))
        if room > count / 2:
            assert verify(problem, solve(problem, time_limit_s=5).site) == ()
            continue
        (fault,) = faults_of(lambda problem=problem: solve(problem))
        assert fault.code == "matching.locks_exceed_pools_undivided"
        assert fault.values["projects"] == [*(f"project {p}" for p in range(5)), "…"]
        assert (fault.values["demand"], fault.values["capacity"]) == ("1201", "600 + 600")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_locks_stand_beside_a_pool_of_nobody_that_has_no_known_capacity():
    reach = np.array([[True, False], [False, False]])
    power = Resource("power", "MVA", [8.0, 8.0, 1.0], reach, [10.0, np.nan])
    assert solve(Problem(np.full((3, 2), 5.0), power, locked={0: 0})).objective == 15


def test_a_neighbourhood_may_be_given_as_lists():
    problem = Problem(SCORE, [land()], links=[Link(0, 2, 3.0, [[1, 0], [0, 1]])])
    assert solve(problem).objective == solve(Problem(SCORE, [land()], links=[Link(0, 2, 3.0)])).objective


def test_the_minimum_that_a_refusal_names_can_be_had():
    """Rounded down: whoever follows the remedy isn't refused again."""
    demand = [411.8559, 411.8559, 411.856]
    too_much = [land(demand=demand, pool=[0], capacity=[9000], minimum=[2000])]
    (fault,) = faults_of(lambda: solve(Problem(SCORE[:, :1], too_much)))
    assert fault.code == "matching.minimum_out_of_reach"
    had = float(fault.values["reach"])
    assert 0 <= sum(demand) - had < 0.01
    solve(Problem(SCORE[:, :1], [land(demand=demand, pool=[0], capacity=[9000], minimum=[had])]))


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"resources": 5}, "resources", "not_a_resource"),
        ({"links": (0, 1, 3.0)}, "link 0", "not_a_link"),
        ({"links": "P01"}, "link 0", "not_a_link"),
    ],
)
def test_what_is_no_list_of_rules_is_refused_by_name(given, place, code):
    assert (f"matching.{code}", place) in refused(lambda: Problem(SCORE, **{"resources": [land()], **given}))


def test_nothing_given_is_nothing_and_one_is_one():
    link = Link(0, 2, 3.0)
    assert Problem(SCORE, None, links=link, projects=None).links == (link,)
    problem = Problem(SCORE, [land()])
    assert refused(lambda: keep(problem, [0, 0, 1], price=None)) == [("matching.not_an_amount", "price")]
    assert refused(lambda: phase(problem, [np.nan], {})) == [("matching.years", "years")]


ODD = [
    None, "x", "", b"b", 1, 1.5, -1, np.nan, np.inf, True, [], [None], ["a"], [[1], [1, 2]], {}, {"a": 1}, {1: 2},
    object(), np.array([]), np.zeros((2, 2)), np.array(["2027-01-01"], dtype="M8[D]"), 1 + 2j, [1, 2, 3], range(3),
    10**400, 2**62,
]  # fmt: skip
RULES = {
    group_limits: {
        "name": "q",
        "group": [0, 1],
        "projects": 3,
        "maximum": [2, 2],
        "minimum": [0, 0],
        "weight": [1, 1, 1],
        "groups": ("a", "b"),
    },
    segment_cap: {
        "name": "s",
        "member": [True, False, True],
        "city": [0, 1],
        "cap": [1, 1],
        "cities": ("a", "b"),
    },
    budget: {"cost": [1, 2, 3], "limit": 4, "sites": 2, "name": "b", "unit": "u"},
    Resource: {
        "name": "land",
        "unit": "mu",
        "demand": [2, 2, 2],
        "pool": [0, 1],
        "capacity": [2, 4],
        "minimum": [0, 0],
        "split": False,
        "pools": ("a", "b"),
    },
    keep: {"problem": Problem(SCORE, [land()]), "site": [0, 0, -1], "price": 1.0},
    phase: {
        "problem": Problem(SCORE, [land()]),
        "years": [2026, 2027],
        "arrives": {"land": [[1, 2], [1, 2]]},
        "earliest": [2026, 2026, 2027],
        "delay": 1.0,
    },
    Link: {"first": 0, "second": 1, "gain": 1.0, "near": None},
    Problem: {
        "bonus": 1,
        "locked": None,
        "forbidden": None,
        "links": (),
        "level": "likely",
        "projects": (),
        "sites": (),
    },
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "part"), [(make, part) for make, parts in RULES.items() for part in parts if part != "problem"]
)
def test_whatever_is_given_is_taken_or_refused_in_words(make, part):
    wanted = {"price", "years", "arrives", "sites", "projects", "gain", "level", "pool", "capacity", "demand", "limit"}
    refused = 0
    for odd in ODD:
        try:
            made = make(
                **({"score": SCORE, "resources": [land()]} if make is Problem else {}), **RULES[make] | {part: odd}
            )
            match made:
                case Resource():
                    Problem(SCORE, [made])
                case Link():
                    Problem(SCORE, [land()], links=[made])
        except InputError as refusal:
            refused += 1
            assert all(fault.what and fault.remedy and len(str(fault)) < 1000 for fault in refusal.faults)
    assert refused > 0 or part not in wanted


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        (lambda: budget([1, 2, 3], 4, sites="two"), "sites", "not_a_count"),
        (lambda: group_limits("q", [0, 1], projects=-1), "projects", "not_a_count"),
        (lambda: phase(Problem(SCORE, [land()]), [2026], [[1], [1]]), "arrives", "arrives_not_mapping"),
        (lambda: keep(Problem(SCORE, [land()]), [0, 0, -1], price=10**400), "price", "not_an_amount"),
        (lambda: Problem(SCORE, [land(split="no")]), "resource land", "split_unclear"),
    ],
)
def test_odd_counts_and_words_are_refused_by_name(given, place, code):
    assert (f"matching.{code}", place) in refused(given)
