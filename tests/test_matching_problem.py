"""What is refused before any solver starts, what is only noted, and rules spelt as resources."""

import numpy as np
import pytest

from geo_cluster.errors import InputError
from geo_cluster.matching import Link, Problem, Resource, budget, keep, phase, quota, segment_cap, solve, verify

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
        ({"bonus": 1e308}, r"score: scores, bonus and gains add up to as much as inf → Use a smaller unit"),
        ({"links": [Link(0, 1, 1e101)]}, r"score: scores, bonus and gains add up to as much as 1.0e\+101"),
        ({"score": np.full((3, 2), np.datetime64("2027-01-01"))}, r"score: .*is .*2027.*, not a number"),
        ({"score": [[1, 2], [3]]}, r"score: has rows of different lengths → Give rows of equal length"),
        ({"score": [["about 9", 1], [1, 1], [1, 1]]}, r"score: \[0, 0\] is 'about 9', not a number"),
        ({"score": np.full((3, 2), 1j)}, r"score: \[0, 0\] is 1j, not a number"),
        ({"bonus": "much"}, r"bonus: is 'much', not a number"),
        ({"bonus": [1, [2], 3]}, r"bonus: has rows of different lengths"),
        ({"resources": [land(demand=["about 30", 1, 2])]}, r"'land': demand\[0\] is 'about 30', not a number"),
        ({"resources": [land(capacity=["x", 2])]}, r"'land': capacity\[0\] is 'x'"),
        ({"resources": [land(capacity=np.zeros(0))]}, r"capacity has the shape \(0,\) → .* at least one pool"),
        ({"resources": [land(pool=["a", "b"])]}, r"pool has 'a', not the number of a pool → .* names go into pools="),
        ({"resources": [land(pool=[[0], [0, 1]])]}, r"'land': pool has \[0\], not the number of a pool"),
        ({"resources": [land(minimum=["x", 0])]}, r"'land': minimum\[0\] is 'x'"),
        ({"resources": [{"name": "land"}]}, r"resources: .* is no Resource"),
        ({"resources": [quota("city", ["a", "b"], projects=3)]}, r"'city': pool has 'a', not the number of a pool"),
        ({"resources": [quota("city", [0.5, 1], projects=3, maximum=[1, 1])]}, r"pool names pools outside -1 … 1"),
        ({"locked": {"P07": 0}}, r"locked: has 'P07': projects and sites are told by number → Give their positions"),
        (
            {"locked": np.array([np.nan, 1, np.nan])},
            r"locked: has nan → Give whole numbers; -1 where a project is open",
        ),
        ({"locked": [(0, 1), (2,)]}, r"locked: has entries that aren't pairs"),
        ({"forbidden": [(0,), (1, 2)]}, r"forbidden: has entries that aren't pairs"),
        ({"forbidden": np.ones((2, 2), dtype=bool)}, r"forbidden: has the shape \(2, 2\) → Give a table \(3, 2\)"),
        ({"forbidden": np.ones((3, 2), dtype=bool)}, r"forbidden: rules out every site at which a project is eligible"),
        ({"links": [Link(0.5, 1, 1.0)]}, r"link 0: joins projects 0.5 and 1 → Name two different projects by number"),
        ({"links": [Link("a", 1, 1.0)]}, r"link 0: joins projects 'a' and 1"),
        ({"links": [Link(0, 1, "x")]}, r"link 0: gains x"),
        ({"links": [Link(0, 1, 1.0, np.full((2, 2), np.nan))]}, r"link 0: near isn't true or false"),
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


def test_faults_of_every_kind_come_together():
    """Shapes, texts, values, locks, what is far too large and what nobody draws on: one refusal."""
    resources = [
        land(demand=[1, 2]),
        land(name="power", demand=["about 30", 1, 2], capacity=[-1, 4]),
        land(name="energy", demand=[90, 2, 2]),
        land(name="water", pool=[-1, -1]),
        land(name="rail", demand=[3, 3, 3]),
    ]
    links = [Link(0, 0, 1.0)]
    with pytest.raises(InputError) as caught:
        Problem(SCORE, resources, bonus=np.nan, locked={1: 0, 2: 1, 0: 0}, links=links, projects=["P1"])
    told = "\n".join(map(str, caught.value.faults))
    for words in (
        "projects: 1 names for 3",
        "bonus: is nan",
        "'land': demand has the shape (2,)",
        "'power': demand[0] is 'about 30'",
        "'power': pool 0 has a negative capacity",
        "'energy': project 0 demands 90 mu",
        "'water': no site draws on any of its pools",
        "locked, rail: the locks of project 0, project 1 take 6",
        "link 0: joins projects 0 and 0",
    ):
        assert words in told
    with pytest.raises(InputError) as caught:
        Problem([["x", 1.0]], [land(demand=["y"], capacity=[-2, 4])])
    assert len(caught.value.faults) == 3


def test_a_supposition_may_leave_nowhere_to_go():
    problem = Problem(SCORE, [land()])
    nothing = problem.suppose(score=np.full((3, 2), np.nan), resources=[land(capacity=[0.1, 0.1])])
    assert solve(nothing).site.tolist() == [-1, -1, -1]
    with pytest.raises(InputError, match="no project is eligible"):
        problem.but(score=np.full((3, 2), np.nan))
    with pytest.raises(InputError, match="has a negative capacity"):
        problem.suppose(resources=[land(capacity=[-1, 4])])


def test_what_is_odd_but_possible_is_noted():
    with pytest.warns(UserWarning, match="no site draws on pool 2"):
        problem = Problem(SCORE, [land(capacity=[2, 4, 9])])
    assert "Assign a site" in problem.notes[0].remedy
    with pytest.warns(UserWarning, match=r"project 0 demands 6 mu; the largest pool has 4 .* stays unplaced"):
        problem = Problem(SCORE, [land(demand=[6, 2, 2])])
    assert solve(problem).site[0] == -1
    intervals = land(demand=[5, 2, 2], capacity=[[2, 2, 4], [4, 4, 9]])
    with pytest.warns(UserWarning, match=r"project 0 demands 5 mu; the largest pool has 4 \(likely\), 9 at best"):
        Problem(SCORE, [intervals])


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


@pytest.mark.parametrize(
    ("site", "price", "told"),
    [
        ([0, 1], 1.0, r"site: has the shape \(2,\)"),
        ([0, 1, 7], 1.0, r"site: project 2 is at 7: there is no such site"),
        ([0, 1, 0.5], 1.0, r"site: isn't whole numbers"),
        ([0, 1, 1], np.nan, r"price: is nan"),
        ([0, 1, 1], "dear", r"price: is 'dear'"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(site, price, told):
    with pytest.raises(InputError, match=told):
        keep(Problem(SCORE, []), site, price=price)


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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"delay": [1, 2, 3]}, r"delay: has the shape \(3,\) → .* 2 numbers, or a table 3 × 2"),
        ({"delay": np.nan}, r"delay: isn't finite"),
        ({"delay": "long"}, r"delay: is 'long', not a number"),
        ({"earliest": [2027]}, r"earliest: has the shape \(1,\)"),
        ({"earliest": [2027, np.nan, 2027]}, r"earliest: has years that aren't known"),
        ({"arrives": {"land": [["soon", 1], [1, 2]]}}, r"arrives 'land': \[0, 0\] is 'soon'"),
        ({"arrives": {"land": [[1, 2]]}}, r"arrives 'land': has the shape \(1, 2\)"),
        ({"years": ["now", "then"]}, r"years: are"),
    ],
)
def test_phases_that_do_not_fit_are_refused(given, told):
    with pytest.raises(InputError, match=told):
        phase(Problem(SCORE, [land()]), **({"years": [2027, 2029], "arrives": {}} | given))


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
    for split, told in ((False, "8 + 8 MVA, each whole, of 10 MVA of A and 5 MVA of B"), (True, "8 + 8 MVA of 10")):
        power = Resource("power", "MVA", [8.0, 8.0, 1.0], reach, [10.0, 5.0], split=split, pools=("A", "B"))
        problem = Problem(np.full((3, 2), 5.0), power, locked={0: 0, 1: 0, 2: 1})
        with pytest.raises(InputError, match="locked, power: the locks of project 0, project 1 take") as refusal:
            solve(problem)
        assert told in str(refusal.value)
        assert "project 2" not in str(refusal.value)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_lock_that_no_pool_holds_is_told_of_the_resource_that_lacks():
    """Land is there; it is power that isn't, though with neither pool open no option is left at all."""
    power = Resource("power", "MVA", [12.0, 1.0, 1.0], np.ones((2, 2), dtype=bool), [10.0, 5.0], pools=("A", "B"))
    with pytest.raises(InputError) as refusal:
        solve(Problem(np.full((3, 2), 5.0), [land(), power], locked={0: 0, 1: 1}))
    (fault,) = refusal.value.faults
    assert (fault.where, fault.what) == (
        "locked, power",
        "the locks of project 0 take 12 MVA, each whole, of 10 MVA of A and 5 MVA of B",
    )


def test_very_many_locks_on_several_pools_are_placed_or_refused_in_few_words():
    reach, count = np.array([[True, True], [False, True]]), 1500
    for room in (0.6 * count, 0.4 * count):
        power = Resource("power", "MVA", np.ones(count), reach, [room, room], pools=("A", "B"))
        problem = Problem(np.ones((count, 2)), power, locked=dict.fromkeys(range(count), 0))
        if room > count / 2:
            assert verify(problem, solve(problem, time_limit_s=5).site) == ()
            continue
        with pytest.raises(InputError, match=r"project 4 and 1196 more take 1201 MVA, each whole, of 600 MVA of A"):
            solve(problem)


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
    with pytest.raises(InputError, match="can't reach its minimum of 2000 mu") as refusal:
        solve(Problem(SCORE[:, :1], [land(demand=demand, pool=[0], capacity=[9000], minimum=[2000])]))
    had = float(str(refusal.value).partition("Lower it to ")[2].split(",")[0])
    assert 0 <= sum(demand) - had < 0.01
    solve(Problem(SCORE[:, :1], [land(demand=demand, pool=[0], capacity=[9000], minimum=[had])]))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"resources": 5}, "resources: 5 is no Resource"),
        ({"links": (0, 1, 3.0)}, "link 0: 0 is no Link"),
        ({"links": "P01"}, "link 0: 'P01' is no Link"),
    ],
)
def test_what_is_no_list_of_rules_is_refused_by_name(given, told):
    with pytest.raises(InputError) as refusal:
        Problem(SCORE, **{"resources": [land()], **given})
    assert told in str(refusal.value)


def test_nothing_given_is_nothing_and_one_is_one():
    link = Link(0, 2, 3.0)
    assert Problem(SCORE, None, links=link, projects=None).links == (link,)
    with pytest.raises(InputError, match="price: is None"):
        keep(Problem(SCORE, [land()]), [0, 0, 1], price=None)
    with pytest.raises(InputError, match=r"years: are \[nan\]"):
        phase(Problem(SCORE, [land()]), [np.nan], {})


ODD = [
    None, "x", "", b"b", 1, 1.5, -1, np.nan, np.inf, True, [], [None], ["a"], [[1], [1, 2]], {}, {"a": 1}, {1: 2},
    object(), np.array([]), np.zeros((2, 2)), np.array(["2027-01-01"], dtype="M8[D]"), 1 + 2j, [1, 2, 3], range(3),
    10**400, 2**62,
]  # fmt: skip
RULES = {
    quota: {
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
    ("given", "told"),
    [
        (lambda: budget([1, 2, 3], 4, sites="two"), r"sites: is 'two' → Give one whole number, 1 or more"),
        (lambda: quota("q", [0, 1], projects=-1), r"projects: is -1"),
        (lambda: phase(Problem(SCORE, [land()]), [2026], [[1], [1]]), r"arrives: isn't a mapping"),
        (lambda: keep(Problem(SCORE, [land()]), [0, 0, -1], price=10**400), r"price: is 10{20,}…"),
        (lambda: Problem(SCORE, [land(split="no")]), r"'land': split is 'no' → Say True or False"),
    ],
)
def test_odd_counts_and_words_are_refused_by_name(given, told):
    with pytest.raises(InputError, match=told):
        given()
