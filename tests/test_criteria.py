"""Measures on hand-made settings; the decision matrix adds up and carries uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from geo_cluster.scoring import criteria
from geo_cluster.scoring.criteria import MEASURES, Setting, coverage_ratio, decide
from geo_cluster.world import catalog

P, S = 2, 3


def setting(draws: int = 1, *, spread: float = 0.0, **offers: np.ndarray) -> Setting:
    """Two projects, three sites; `spread` lets the land on offer vary between draws."""
    rng = np.random.default_rng(0)
    wobble = 1 + spread * (rng.random((draws, 1)) - 0.5)
    needs = {"land_mu": [30.0, 60.0], "power_mva": [5.0, 10.0], "energy_tce": [100.0, 200.0]}
    base = {"available_land_ha": [4.0, 8.0, 1.0], "spare_mva": [60.0, 60.0, 20.0], "energy_quota_tce": [1e4] * S}
    base |= {"land_price_10k_yuan_per_mu": [17.0] * S, "trip_min": [20.0, 60.0, 120.0]}
    base |= {"grid_km": [2.0, 21.0, 40.0], "open_constraints": [0.0, 1.0, 5.0]}
    base |= {"supplier_access": [80.0, 10.0, 1.0], "customer_access": [60.0, 10.0, 1.0]}
    base |= {"river_min": [60.0, 30.0, 10.0], "rail_min": [np.nan] * S, "air_min": [40.0, 10.0, 40.0]}
    arrays = {"supplier_share": np.array([[0.5] * S, [1.0] * S]), "customer_share": np.array([[0.5] * S, [0.1] * S])}
    arrays |= {"river_share": np.array([[1.0], [0.5]])}
    arrays |= {"rail_share": np.array([[0.0], [0.0]]), "air_share": np.array([[0.0], [0.5]])}
    arrays |= {"industry_fit": np.array([[1.0, 0.5, 0.0]] * P)}
    arrays |= {"same_segment": np.array([[0.0, 4.0, 8.0]] * P)}
    return Setting(
        {key: np.tile(values, (draws, 1)) for key, values in needs.items()},
        {key: offers.get(key, np.tile(values, (draws, 1)) * wobble) for key, values in base.items()},
        arrays,
    )


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("land_price", [[17, 17, 17]]),
        ("rd_minutes", [[20, 60, 120]]),
        ("grid_km", [[2, 21, 40]]),
        ("freight_minutes", [[60, 30, 10], [50, 20, 25]]),
        ("supplier_access", [[40, 5, 0.5], [80, 10, 1]]),
        ("customer_access", [[30, 5, 0.5], [6, 1, 0.1]]),
        ("industry_fit", [[1, 0.5, 0]] * 2),
        ("same_segment", [[0, 4, 8]] * 2),
        ("open_constraints", [[0, 1, 5]]),
    ],
)
def test_measure(measure, expected):
    assert np.allclose(np.broadcast_to(MEASURES[measure](setting())[0], (P, S)), expected, equal_nan=True)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("land", [[2, 4, 0.5], [1, 2, 0.25]]),
        ("power", [[12, 12, 4], [6, 6, 2]]),
        ("energy", [[100, 100, 100], [50, 50, 50]]),
    ],
)
def test_coverage_ratio(resource, expected):
    assert np.allclose(coverage_ratio(resource, setting())[0], expected)


def test_every_measure_is_tested_above():
    (mark,) = [mark for mark in test_measure.pytestmark if mark.name == "parametrize"]
    assert {measure for measure, _ in mark.args[1]} == set(MEASURES)


def test_values_at_the_ends_of_the_declared_ranges():
    decision = decide(setting(), setting(5), catalog.criteria(), {})
    value = dict(zip(decision.criteria, np.moveaxis(decision.value, 2, 0), strict=True))
    assert value["rd_minutes"][0].tolist() == pytest.approx([1, 0.8, 0.5])
    assert value["grid_km"][0].tolist() == pytest.approx([1, 0.5, 0])
    assert value["open_constraints"][0].tolist() == pytest.approx([1, 0.8, 0])
    assert value["supplier_access"][0, [0, 2]].tolist() == pytest.approx([1, 0])
    assert value["customer_access"][0, [0, 2]].tolist() == pytest.approx([1, 0])


def test_contributions_add_up_and_weights_sum_to_one():
    decision = decide(setting(), setting(5), catalog.criteria(), {"rd_minutes": 50.0})
    assert decision.weight.sum() == pytest.approx(1)
    assert np.allclose(decision.contributions.sum(axis=2), decision.score)
    assert (decision.score >= 0).all()
    assert (decision.score <= 100).all()


def test_scaling_all_weights_changes_nothing_and_weight_zero_is_as_if_absent():
    doubled = {key: 2 * criterion.weight for key, criterion in catalog.criteria().items()}
    base = decide(setting(), setting(5), catalog.criteria(), {})
    assert np.allclose(decide(setting(), setting(5), catalog.criteria(), doubled).score, base.score)
    without = {key: c for key, c in catalog.criteria().items() if key != "grid_km"}
    zero = decide(setting(), setting(5), catalog.criteria(), {"grid_km": 0.0})
    assert np.allclose(zero.score, decide(setting(), setting(5), without, {}).score)


def test_certain_data_give_a_point_uncertain_data_an_interval():
    sure = decide(setting(), setting(50), catalog.criteria(), {})
    low, high = sure.interval()
    assert np.allclose(low, high)
    assert np.allclose(low, sure.score)
    low, high = decide(setting(), setting(200, spread=0.8), catalog.criteria(), {}).interval()
    assert (high - low > 0.1).any()


def test_unknown_stands_in_the_middle_and_widens():
    known = decide(setting(), setting(100), catalog.criteria(), {})
    nan = np.full((1, S), np.nan)
    unknown = decide(setting(spare_mva=nan), setting(100, spare_mva=np.tile(nan, (100, 1))), catalog.criteria(), {})
    share = known.weight[known.criteria.index("power_cover")] * 100
    low, high = unknown.interval()
    assert np.allclose(high - low, 0.9 * share, atol=0.02 * share)
    assert np.allclose(unknown.value[:, :, known.criteria.index("power_cover")], 0.5)


@pytest.mark.parametrize("block", [1, 10**9])
def test_draws_of_a_block_of_projects_are_those_of_all(block, monkeypatch):
    monkeypatch.setattr("geo_cluster.scoring.criteria.BLOCK", block)
    decision = decide(setting(), setting(60, spread=0.6), catalog.criteria(), {})
    eligible = np.array([[True, True, False], [True, True, True]])
    assert len(list(decision.blocks())) == (P if block == 1 else 1)
    each = [decision.scores_of(rows) for rows in decision.blocks()]
    assert np.array_equal(np.concatenate(each, axis=1), decision.draws)
    found = decision.spread(eligible)
    low, high = np.quantile(decision.draws, [0.05, 0.95], axis=0)
    assert np.array_equal(found.low, low)
    assert np.array_equal(found.high, high)
    assert np.array_equal(found.chance_first, decision.chance_first(eligible))
    for theme, (least, most) in found.themes.items():
        draws = decision.draws_of(slice(0, P))[theme]
        assert np.array_equal(np.quantile(draws, [0.05, 0.95], axis=0), [least, most])
        sub, low, high = decision.sub_score(theme, found)
        assert ((low >= 0) & (low <= high) & (high <= 100 + 1e-9)).all()
        assert (sub <= 100 + 1e-9).all()


def test_chance_first_counts_eligible_sites_only_and_ties_share():
    decision = decide(setting(), setting(40, spread=0.5), catalog.criteria(), {})
    everyone = decision.chance_first(np.ones((P, S), dtype=bool))
    assert np.allclose(everyone.sum(axis=1), 1)
    only_last = np.array([[False, False, True]] * P)
    assert np.allclose(decision.chance_first(only_last), only_last)
    nobody = decision.chance_first(np.zeros((P, S), dtype=bool))
    assert (nobody == 0).all()


@pytest.mark.parametrize("draws", [1, 2, 40, 999, 1000])
def test_the_middle_of_the_draws_is_numpys_to_the_last_bit(draws):
    rng = np.random.default_rng(draws)
    for digits in (0, 1, 15):
        score = np.round(rng.random((draws, 7, 5)) * 100, digits)
        assert np.array_equal(criteria._middle(score), np.quantile(score, [0.05, 0.95], axis=0))
    assert criteria._middle(np.empty((draws, 0, 5)))[0].shape == (0, 5)


def test_blocks_of_draws_come_in_order_and_only_where_somebody_is_wanted(monkeypatch):
    decision = decide(setting(), setting(40, spread=0.5), catalog.criteria(), {})
    whole = decision.scores_of(slice(None))
    monkeypatch.setattr(criteria, "BLOCK", 1)
    wanted = np.arange(P) != 1
    found = list(decide(setting(), setting(40, spread=0.5), catalog.criteria(), {}).scores_by_block(wanted))
    assert [rows.start for rows, _ in found] == np.flatnonzero(wanted).tolist()
    for rows, score in found:
        assert np.allclose(score, whole[:, rows], rtol=0, atol=1e-12)
