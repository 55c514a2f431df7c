"""Reach: gravity by hand and by brute force, no cliff, soft and hard limits, weights given back and returned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_cluster import study
from geo_cluster.access.gravity import decay, gravity
from geo_cluster.eligibility import judge
from geo_cluster.intake import site_choice
from geo_cluster.region import facts_of, prepare, settings_of
from geo_cluster.report.spread import leading_cause, spread, spread_table
from geo_cluster.scoring.criteria import MEASURES, drawn_values, value_function
from geo_cluster.scoring.spread import spread_shares
from geo_cluster.world import catalog
from tests import world
from tests.studies import run

SURE = {"half_min": 60.0, "off_min": (np.zeros(1), np.zeros(3))}


def test_hansen_worked_out_by_hand():
    """Three firms of mass 1, 1 and 2 at 0, 60 and 120 minutes, half with every hour: 1 + 1/2 + 2/4."""
    found = gravity(np.array([[0.0, 60.0, 120.0]]), np.array([1.0, 1.0, 2.0]), **SURE)
    assert found.tolist() == [[2.0, 2.0, 2.0]]
    assert decay(np.inf, 60.0) == 0
    assert (
        gravity(np.empty((2, 0)), np.empty(0), half_min=60.0, off_min=(np.zeros(2), np.empty(0))).tolist()
        == [[0] * 3] * 2
    )


def test_there_is_no_cliff_at_an_hour():
    """26 firms a minute inside and a minute outside an hour count nearly the same."""
    there = {"half_min": 60.0, "off_min": (np.zeros(1), np.zeros(26))}
    inside, outside = (gravity(np.full((1, 26), at), np.ones(26), **there) for at in (59, 61))
    assert 0 < inside[0, 1] - outside[0, 1] < 0.03 * inside[0, 1]


@given(
    st.lists(st.tuples(st.floats(0, 500), st.floats(0, 5), st.floats(0, 40)), min_size=1, max_size=6),
    st.floats(0, 30),
    st.floats(1, 60),
)
def test_nearer_or_more_never_counts_less_and_the_interval_holds_the_likely(points, off, nearer):
    minutes, mass, doubt = (np.array(one) for one in zip(*points, strict=True))
    there = {"half_min": 60.0, "off_min": (np.array([off]), doubt)}
    low, likely, high = gravity(minutes[None], mass, **there)[0]
    assert 0 <= low <= likely + 1e-12
    assert likely <= high + 1e-12
    assert likely == pytest.approx(sum(m * 0.5 ** (t / 60) for t, m, _ in points)), "brute force"
    assert gravity(np.maximum(minutes - nearer, 0)[None], mass, **there)[0, 1] >= likely - 1e-12
    assert gravity(minutes[None], mass + 1, **there)[0, 1] >= likely


def test_a_doubt_of_the_use_widens_and_moves_nothing():
    there = {"half_min": 60.0, "off_min": (np.zeros(1), np.zeros(1))}
    found = gravity(np.array([[60.0]]), np.array([0.5]), doubt=np.array([0.5]), **there)
    assert found[0].tolist() == [0, 0.25, 0.5]


# ---- whom a segment buys of and sells to ----------------------------------------------------------------------------


def access(layers, segment: str, **changes) -> pd.DataFrame:
    region = prepare(world.scenario(draws=20, **changes), layers)
    likely, _ = settings_of(region, facts_of(region, world.projects(1, segment=segment)))
    names = ("supplier_access", "customer_access", "freight_minutes")
    return pd.DataFrame(
        {key: np.broadcast_to(MEASURES[key](likely)[0], (1, 2))[0] for key in names}, index=["X1", "X2"]
    )


def demand(**changes) -> dict:
    layers = world.layers()
    layers["demand"] = layers["demand"].assign(**changes)
    return layers


def test_customers_are_those_who_can_use_what_the_segment_makes():
    truck = 0.5 ** (26 / 120)  # D1 is 20 minutes by car from X1
    assert access(world.layers(), "cutting_welding").loc["X1", "customer_access"] == pytest.approx(truck, abs=1e-6)
    assert access(world.layers(), "cutting_welding").loc["X2", "customer_access"] == pytest.approx(1, abs=1e-6)
    assert access(world.layers(), "cleaning")["customer_access"].tolist() == [0, 0], "D1 welds"
    assert access(world.layers(), "laser_chip").loc["X1", "customer_access"] == pytest.approx(
        0.5 ** (13 / 120), abs=1e-6
    )


def test_an_inferred_use_counts_half_and_a_total_not_at_all():
    stated, inferred = (access(demand(use_basis=one), "cutting_welding") for one in ("source", "inferred"))
    assert inferred["customer_access"].tolist() == pytest.approx((stated["customer_access"] / 2).tolist())
    assert access(demand(row_kind="aggregate"), "cutting_welding")["customer_access"].tolist() == [0, 0]


def test_freight_goes_by_the_modes_of_the_segment():
    air, heavy = access(world.layers(), "fiber_laser"), access(world.layers(), "cutting_welding")
    assert air["freight_minutes"].tolist() == pytest.approx([0, 26], abs=1e-6), "the cargo airport stands at X1"
    assert heavy["freight_minutes"].tolist() == pytest.approx([26, 0], abs=1e-6), (
        "no freight yard: all by the port at X2"
    )
    layers = world.layers()
    layers["stations"] = layers["stations"].assign(kind="rail;freight")  # at A
    assert access(layers, "cutting_welding")["freight_minutes"].tolist() == pytest.approx(
        [0.6 * 26 + 0.4 * 13, 0.4 * 39]
    )


def test_a_number_that_is_known_replaces_the_access_that_is_derived():
    said = [{"subject": "X1", "attribute": "customer_access", "low": 9, "likely": 9, "high": 9, "source": "电话"}]
    before, after = access(world.layers(), "cutting_welding"), access(world.layers(), "cutting_welding", known=said)
    assert after.loc["X1", "customer_access"] > before.loc["X1", "customer_access"]
    assert after.loc["X2"].tolist() == before.loc["X2"].tolist()


# ---- what a project bears -------------------------------------------------------------------------------------------


def judged(**given: str):
    region = prepare(world.scenario(draws=20), world.layers())
    return judge(facts_of(region, world.projects(1, **given)))


def test_only_a_limit_that_the_project_states_excludes_and_says_so():
    assert judged().allowed.all()
    told = judged(max_minutes="20")
    assert told.rule[0].tolist() == ["", "too_far"]
    assert "留空即不排除" in told.reason["zh"][0, 1]
    assert "left empty" in told.reason["en"][0, 1]


def test_beyond_what_is_bearable_the_value_halves_with_every_hour_and_never_jumps():
    criterion = catalog.criteria()["rd_minutes"]
    plain, soft = value_function(criterion), value_function(criterion, 90.0)
    at = np.arange(0.0, 400.0, 1.0)
    value = soft.value(at)
    assert np.allclose(value[at <= 90], plain.value(at[at <= 90]))
    assert (np.diff(value) <= 1e-12).all()
    assert np.abs(np.diff(value)).max() < 0.02, "no cliff"
    assert soft.value(150.0) == pytest.approx(plain.value(150.0) / 2)
    assert soft.value(210.0) == pytest.approx(plain.value(210.0) / 4)
    assert soft.value(200.0) > 0
    assert value_function(criterion, 400.0) == plain


def test_each_project_decays_from_its_own_limit_in_draws_as_in_likely_values():
    region = prepare(world.scenario(draws=20), world.layers())
    projects = pd.concat([world.projects(1), world.projects(1)], ignore_index=True).set_axis(["P01", "P02"])
    facts = facts_of(region, projects.assign(max_minutes=[400.0, 15.0]))
    _, drawn = settings_of(region, facts)
    criterion = catalog.criteria()["rd_minutes"]
    value = drawn_values(drawn, criterion, 0)
    assert value.shape == (20, 2, 2)
    minutes = drawn.offers["trip_min"]
    assert np.allclose(value[:, 0], value_function(criterion).value(minutes))
    assert np.allclose(value[:, 1], value_function(criterion, 15.0).value(minutes))
    assert np.array_equal(drawn_values(drawn.only(slice(1, 2)), criterion, 0), value[:, 1:])


# ---- weights given back -------------------------------------------------------------------------------------------


def ran(**changes) -> study.Study:
    return study.run(world.scenario(draws=20, **changes), world.layers(), projects=world.projects(1))


def test_a_criterion_that_is_alike_gives_its_weight_back_until_one_number_differs():
    before = ran()
    at = list(catalog.criteria()).index("land_price")
    assert before.decision.weight[at] == 0
    assert before.decision.stated[at] > 0
    assert before.decision.weight.sum() == pytest.approx(1)
    after = ran(known=[world.price_known()])
    assert after.decision.weight[at] > 0
    assert "权重让给其余指标" in before.region.criterion_notes["land_price"].zh
    assert "land_price" not in after.region.alike
    same = ran(known=[world.price_known(), world.price_known("X2")])
    assert same.decision.weight[at] == 0, "known, and the same everywhere"


def test_the_others_keep_their_proportions_and_one_project_is_weighed_as_all_are():
    result = ran()
    kept = [i for i, key in enumerate(catalog.criteria()) if key not in result.region.alike]
    ratio = result.decision.weight[kept] / result.decision.stated[kept]
    assert np.allclose(ratio, ratio[0])
    weighed = site_choice.weigh(next(site_choice.choices(result.region, result.projects)), {})
    assert np.array_equal(weighed.weight, result.decision.weight)
    assert np.array_equal(weighed.stated, result.decision.stated)
    assert np.allclose(weighed.score, result.decision.score[0])


def test_where_only_criteria_that_are_alike_have_a_weight_they_keep_it():
    wanted = dict.fromkeys(catalog.criteria(), 0.0) | {"land_price": 3.0}
    decision = ran(weights=wanted).decision
    assert decision.weight.tolist() == decision.stated.tolist()


def test_weights_of_criteria_that_are_no_more_count_for_those_that_took_them_over():
    said = world.scenario(weights={"testing_minutes": 8, "supplier_count": 3})
    assert said.weights == {"rd_minutes": 8, "supplier_access": 3}
    assert world.scenario(weights={"testing_minutes": 8, "rd_minutes": 20}).weights == {"rd_minutes": 20}


# ---- what makes the difference ------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.floats(0, 50), min_size=3, max_size=3), min_size=2, max_size=8))
def test_shares_of_the_spread_sum_to_one(points):
    shares = spread_shares(points)
    score = np.sum(points, axis=1)
    assert shares.sum() == pytest.approx(1 if np.var(score) * len(score) > 1e-12 else 0, abs=1e-6)


def test_shares_are_covariance_over_variance_and_constant_columns_make_none():
    points = np.array([[0.0, 4.0, 1.0], [3.0, 4.0, 2.0], [9.0, 4.0, 0.0]])
    score = points.sum(axis=1)
    by_hand = [np.cov(column, score)[0, 1] / np.var(score, ddof=1) for column in points.T]
    assert spread_shares(points).tolist() == pytest.approx(by_hand)
    assert spread_shares(points)[1] == 0
    assert spread_shares(points[:1]).tolist() == [0, 0, 0]


def test_a_single_cause_above_the_limit_is_named():
    criteria, notes = catalog.criteria(), {}
    equal = np.full(len(criteria), 1 / len(criteria))
    one = np.zeros(len(criteria))
    one[0] = 1.0
    first = next(iter(criteria.values())).name.zh
    assert f"100% 来自“{first}”一项" in leading_cause(spread_table(one, equal, equal, notes)).zh
    assert "没有任何一项超过 45%" in leading_cause(spread_table(equal, equal, equal, notes)).zh
    assert "相同" in leading_cause(spread_table(0 * one, equal, equal, notes)).zh


@pytest.mark.slow
def test_the_default_study_names_no_single_cause_above_the_limit_and_shiyan_is_in_play():
    result = run()
    table = spread(result)
    assert table["share"].sum() == pytest.approx(1, abs=1e-3)
    assert table["share"].max() <= 0.45 or table.iloc[0]["name_zh"] in leading_cause(table).zh
    shiyan = (result.sites["prefecture_code"] == "420300").to_numpy()
    assert (result.eligibility.rule != "too_far").all()
    assert result.eligibility.allowed[:, shiyan].mean() > 0.8
