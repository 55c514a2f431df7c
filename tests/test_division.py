"""Division of labour: textbook indices, tiny plans by brute force, tables before and after."""

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from geo_cluster import study
from geo_cluster.export import sheet
from geo_cluster.export.csv_tables import csv_tables
from geo_cluster.matching import Problem, Resource, solve, verify
from geo_cluster.matching import division as matching
from geo_cluster.matching.division import division_front, division_of, side_by_side
from geo_cluster.matching.verify import objective
from geo_cluster.report import division, explanation
from geo_cluster.scoring import specialisation
from geo_cluster.world import catalog
from tests import studies, world
from tests.refusals import refusal_of, refused

amounts = arrays(float, st.tuples(st.integers(2, 5), st.integers(1, 6)), elements=st.integers(0, 9))


# ---- indices ------------------------------------------------------------------------------------------------


def test_a_location_quotient_by_hand():
    """6 of a city's 20 jobs are in steel, 10 of the country's 100: 30 % over 10 %."""
    city, country = [[6, 14]], [10, 90]
    assert specialisation.location_quotient(city, country).tolist() == [[pytest.approx(3.0), pytest.approx(0.7 / 0.9)]]


def test_krugmans_index_by_hand():
    """Half cars, half textiles against a quarter, a quarter and half steel: 0.25 + 0.25 + 0.5."""
    index = specialisation.krugman([[2, 2, 0], [1, 1, 2]])
    assert index.tolist() == [[0, 1], [1, 0]]
    assert specialisation.overlap(index)[0, 1] == 0.5


def test_against_the_rest_and_the_whole_by_hand():
    """City of 2 and 2 in a country of 2 and 6: the rest is all in the second."""
    assert specialisation.specialisation([[2, 2]], [2, 6]).tolist() == [pytest.approx(1.0)]
    assert specialisation.hoover([[2, 2]], [2, 6]).tolist() == [pytest.approx(0.25)]
    assert specialisation.herfindahl([[2, 2], [4, 0]]).tolist() == [0.5, 1.0]


@given(amounts)
@settings(max_examples=60, deadline=None)
def test_what_holds_of_every_index(table):
    index = specialisation.krugman(table)
    known = table.sum(axis=1) > 0
    assert np.isnan(index[~known]).all()
    index, some = index[known][:, known], table[known]
    assert (index >= 0).all()
    assert (index <= 2 + 1e-9).all()
    assert index == pytest.approx(index.T)
    assert np.diag(index) == pytest.approx(0)
    assert specialisation.krugman(3 * some) == pytest.approx(index), "the size of a city doesn't count"
    lesser = np.minimum(specialisation.shares(some)[:, None], specialisation.shares(some)[None]).sum(axis=2)
    assert specialisation.overlap(index) == pytest.approx(lesser)
    quotient, whole = specialisation.location_quotient(some), specialisation.shares(some.sum(axis=0))
    if len(some):
        assert np.nansum(quotient * whole, axis=1) == pytest.approx(1), "weighted by the country's shares they are 1"


def test_alike_is_nothing_apart_and_nothing_in_common_is_two():
    assert specialisation.krugman([[1, 2, 3], [2, 4, 6], [0, 0, 1], [5, 0, 0]])[0, 1] == pytest.approx(0)
    assert specialisation.krugman([[0, 0, 1], [5, 0, 0]])[0, 1] == pytest.approx(2)


@pytest.mark.parametrize(("count", "total"), [(0, 3), (1, 4), (3, 3), (10, 49)])
def test_the_interval_of_a_share_is_that_of_a_peer(count, total):
    low, high = specialisation.wilson(count, total)
    peer = binomtest(count, total).proportion_ci(0.9, method="wilson")
    assert (low, high) == (pytest.approx(peer.low), pytest.approx(peer.high))


def test_overlap_by_chance_by_hand():
    """Two and two of two segments dealt out in twos: one of each in 4 of 6 deals, which is all in common; else none."""
    found = specialisation.overlap_by_chance([2, 0], [0, 2], draws=20_000)
    assert found.mean == pytest.approx(2 / 3, abs=0.02)
    assert specialisation.overlap_by_chance([1, 0], [0, 1]) == (0, 0, 0)
    assert np.isnan(specialisation.overlap_by_chance([1, 0], [0, 0])).all()


# ---- as an aim ----------------------------------------------------------------------------------------------


def tiny(seed, projects=6, cities=2):
    """Six projects of three segments, a site in each of two cities, room for four in each; a few firms are there."""
    rng = np.random.default_rng(seed)
    score = np.round(rng.uniform(40, 80, (projects, cities)), 1)
    room = Resource("land", "mu", np.ones(projects), np.arange(cities), np.full(cities, projects // cities + 1))
    kind = np.arange(projects) // 2
    firms = rng.integers(0, 3, (projects, cities))
    problem = Problem(score, [room], bonus=50.0)
    return problem, division_of(problem, kind, np.arange(cities), firms[kind])


def plans_of(problem):
    """Every plan that keeps the rules."""
    sites = range(-1, problem.shape[1])
    every = (np.array(site) for site in itertools.product(sites, repeat=problem.shape[0]))
    return [site for site in every if not verify(problem, site)]


def counted(division_, site):
    """Pairs apart, one by one."""
    together = sum(division_.there[p, division_.region[s]] for p, s in enumerate(site) if s >= 0)
    for a, b in itertools.combinations(range(len(site)), 2):
        both = site[a] >= 0 and site[b] >= 0 and division_.kind[a] == division_.kind[b] >= 0
        together += both and division_.region[site[a]] == division_.region[site[b]]
    return division_.pairs - together


def true_overlap(division_, site):
    """What two cities have in common: firms and projects."""
    table = np.zeros((2, division_.kind.max() + 1))
    for kind in range(table.shape[1]):
        table[:, kind] = division_.there[np.flatnonzero(division_.kind == kind)[0]]
    for p, s in enumerate(site):
        if s >= 0:
            table[division_.region[s], division_.kind[p]] += 1
    return specialisation.overlap(specialisation.krugman(table))[0, 1]


def test_pairs_apart_are_those_that_are_counted_one_by_one():
    problem, aim = tiny(0)
    for site in plans_of(problem)[::7]:
        assert aim.apart(site) == counted(aim, site)


@pytest.mark.parametrize("price", [0.5, 5.0])
def test_with_a_price_on_pairs_the_plan_is_the_best_of_all_plans(price):
    for seed in range(3):
        problem, aim = tiny(seed)
        found = solve(side_by_side(problem, aim, price=price))
        best = max(objective(problem, site) + price * (aim.pairs - counted(aim, site)) for site in plans_of(problem))
        assert found.status == "optimal"
        assert found.objective == pytest.approx(best)


@pytest.mark.slow
def test_every_point_is_the_best_with_as_few_pairs_apart_and_the_corners_are_all_there():
    several = 0
    for seed in range(8):
        problem, aim = tiny(seed)
        listed = [(counted(aim, site), objective(problem, site)) for site in plans_of(problem)]
        front = division_front(problem, solve(problem), aim, points=50)
        several += len(front) > 2
        for point in front:
            best = max(worth for apart, worth in listed if apart <= point.other)
            assert point.plan.status == "optimal"
            assert (point.plan.objective, point.plan.bound) == (pytest.approx(best), pytest.approx(best, abs=1e-4))
            assert aim.apart(point.plan.site) == point.other
        for price in np.geomspace(0.01, np.ptp(problem.score, axis=1).max() + 1, 25):
            value = max(worth - price * apart for apart, worth in listed)
            assert max(one.plan.objective - price * one.other for one in front) == pytest.approx(value, abs=1e-6)
    assert several > 3


@pytest.mark.slow
def test_krugmans_overlap_falls_with_the_pairs_apart():
    """The index isn't what is solved for; here it falls nearly always, mostly to about the least of all full plans."""
    fell, rose, least = 0, 0, 0
    for seed in range(30):
        problem, aim = tiny(seed)
        front = division_front(problem, solve(problem), aim, points=20)
        first, last = (true_overlap(aim, point.plan.site) for point in (front[0], front[-1]))
        full = min(true_overlap(aim, site) for site in plans_of(problem) if (site >= 0).all())
        fell, rose, least = fell + (last < first - 1e-9), rose + (last > first + 1e-9), least + (last < full + 0.1)
    assert fell >= 25
    assert rose == 0
    assert least >= 25


def test_without_a_price_or_with_nobody_of_a_kind_nothing_changes():
    problem, aim = tiny(1)
    assert side_by_side(problem, aim, price=0.0) is problem
    alone = division_of(problem, np.arange(6), [0, 1], np.zeros((6, 2)))
    best = solve(problem)
    (point,) = division_front(problem, best, alone)
    assert (point.other, point.plan) == (0, best)


@pytest.mark.parametrize(
    ("given", "place", "code"),
    [
        ({"kind": [0, 1]}, "kind", "division_numbers"),
        ({"kind": [0.5] * 6}, "kind", "division_numbers"),
        ({"region": [-1, 0]}, "region", "division_numbers"),
        ({"there": np.zeros((6, 1))}, "there", "pair_shape"),
        ({"there": -np.ones((6, 2))}, "there", "division_there"),
        ({"there": np.full((6, 2), np.nan)}, "there", "division_there"),
    ],
)
def test_what_cannot_be_is_refused(given, place, code):
    problem, _ = tiny(0)
    right = {"kind": [0] * 6, "region": [0, 1], "there": np.zeros((6, 2))}
    assert (f"matching.{code}", place) in refused(lambda: division_of(problem, **(right | given)))


def test_a_price_that_is_none_and_pairs_beyond_number_are_refused(monkeypatch):
    problem, aim = tiny(0)
    with refusal_of("matching.price_not_finite"):
        side_by_side(problem, aim, price=np.inf)
    monkeypatch.setattr(matching, "MOST_COUPLES", 2)
    with refusal_of("matching.too_many_couples", count=3, most=2):
        side_by_side(problem, aim, price=1.0)


# ---- in a study ---------------------------------------------------------------------------------------------

EAST, WEST = world.PREFECTURE, "420200"


def two_cities(**changes):
    """The tiny country with X2 in another prefecture; two fibre laser firms in the east, a lidar firm in the west."""
    layers = world.layers()
    layers["sites"].loc[1, ["prefecture_code", "prefecture_zh"]] = [WEST, "黄石市"]
    codes = {"code": [EAST, WEST], "name_zh": ["鄂州市", "黄石市"], "name_en": ["Ezhou", "Huangshi"]}
    layers["prefectures"] = pd.DataFrame(codes)
    rows = [("fiber_laser", EAST), ("fiber_laser;cleaning", EAST), ("lidar", WEST), ("", WEST)]
    chain = [
        {"id": f"F{n}", "kind": "firm", "stage": "lasers", "segments": segments, "prefecture_code": code, "at": world.A}
        for n, (segments, code) in enumerate(rows)
    ]
    layers["chain"] = world.points(chain)
    known = [
        {"subject": one, "attribute": "available_land_ha", "low": 20, "likely": 20, "high": 20, "source": "试算"}
        for one in ("X1", "X2")
    ]
    known.append({"subject": "G1", "attribute": "spare_mva", "low": 500, "likely": 500, "high": 500, "source": "试算"})
    return study.run(world.scenario(known=known, **changes), layers, projects=projects())


def projects():
    table = [world.projects(1, segment=one) for one in ("fiber_laser", "lidar", "lidar")]
    found = pd.concat(table)
    found.index = pd.Index(["P1", "P2", "P3"], name=table[0].index.name)
    return found


def test_before_and_after_by_hand():
    result = two_cities(locked=[{"project": one, "site": "X2"} for one in ("P1", "P2")])
    table = division.division_table(result).set_index(["when", "measure", "prefecture", "segment"])
    assert table.loc[("before", "count", EAST, "fiber_laser"), ["value", "total"]].tolist() == [2, 3]
    assert table.loc[("before", "count", EAST, "fiber_laser"), "lq"] == pytest.approx((2 / 3) / (2 / 4), abs=1e-4)
    assert table.loc[("before", "count", WEST, "lidar"), "lq"] == pytest.approx(4.0)
    assert table.loc[("after", "count", WEST, "fiber_laser"), "value"] == 1
    assert table["few"].all()
    pairs = division.pairs_table(result).set_index(["when", "measure"])
    assert pairs.loc[("before", "count"), "krugman"].item() == 2
    after = specialisation.krugman([[2, 1, 0 + (result.plan.site[2] == 0)], [1, 0, 2 + (result.plan.site[2] == 1)]])
    assert pairs.loc[("after", "count"), "krugman"].item() == pytest.approx(after[0, 1], abs=1e-4)
    assert division.mean_overlap(result) == pytest.approx(1 - after[0, 1] / 2)
    cities = division.cities_table(result).set_index(["when", "measure", "prefecture"])
    assert cities.loc[("before", "count", WEST), "segment_unknown"] == 1


def test_a_weight_brings_those_of_a_kind_together_and_the_overlap_falls():
    apart = two_cities()
    together = two_cities(division=50.0)
    assert together.violations == ()
    place = dict(zip(together.projects.index, together.plan.site, strict=True))
    assert place["P1"] == 0, "where the fibre lasers are"
    assert place["P2"] == place["P3"] == 1, "where lidars are"
    assert division.mean_overlap(together) == 0
    assert division.mean_overlap(together) <= division.mean_overlap(apart)


def test_a_scenario_without_a_weight_is_the_scenario_that_it_was():
    plain = world.scenario()
    assert "division" not in plain.model_dump_json(exclude_defaults=True)
    assert world.scenario(division=0.0).id == plain.id
    assert world.scenario(division=2.0).id != plain.id


def test_a_weight_that_is_none_is_refused():
    for wrong in (-1, "much", float("nan")):
        assert refused(lambda wrong=wrong: world.scenario(division=wrong))


def test_a_cap_on_a_segment_keeps_it_out_of_a_city():
    result = two_cities(shares=[{"prefecture": WEST, "segment": "lidar", "most": 0}])
    assert {result.sites["id"].iloc[s] for s in result.plan.site[1:]} == {"X1"}


def test_firms_without_a_point_count_where_they_are():
    result, keys = studies.run(), set(catalog.segments())
    chain = result.layers.read("chain")
    seen = Counter()
    for row in chain[chain["kind"].isin(["firm", "plant"])].itertuples():
        seen.update((row.prefecture_code, one) for one in row.segments.split(";") if one in keys)
    table = division.division_table(result)
    now = table[(table["when"] == "before") & (table["value"] > 0)]
    found = dict(zip(zip(now["prefecture"], now["segment"], strict=True), now["value"], strict=True))
    assert found == {key: count for key, count in seen.items() if key[0] in division.cities(result)}
    assert chain.geometry.isna().any()


def test_the_default_plan_and_what_it_does_to_the_division_of_labour():
    result = studies.run()
    table = division.pairs_table(result)
    known = table.dropna(subset=["krugman"])
    assert known["krugman"].between(0, 2).all()
    assert known["overlap"].to_numpy() == pytest.approx(1 - known["krugman"] / 2, abs=1e-4)
    assert set(table["when"]) == {"before", "plan", "after"}
    assert "420100" in set(table["second"]), "Wuhan is there to compare with"
    for language in ("zh", "en"):
        assert len(division.sentences(result, language)) >= 1
    assert division.INDICATIVE.zh in csv_tables(result)["division_pairs.csv"].decode()
    assert "仅供参考" in sheet.sheet(result)


def test_with_one_city_there_is_nothing_to_compare():
    one = study.run(world.scenario(), world.layers(), projects=world.projects(2))
    assert division.sentences(one, "zh") == []
    assert division.pairs_table(one).empty
    assert np.isnan(division.mean_overlap(one))
    assert len(division.division_table(one))


@pytest.mark.slow
def test_the_front_of_a_study_names_the_true_overlap_of_each_point():
    result = two_cities()
    table = explanation.front_table(result)
    rows = table[table["against"] == "pairs_apart"]
    assert len(rows)
    assert rows["value"].is_monotonic_decreasing
    assert rows["overlap"].between(0, 1).all()
    assert (table["worth"] <= result.plan.objective + 0.01).all()
