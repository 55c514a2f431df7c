from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_cluster.errors import InputError
from geo_cluster.scoring.weights import (
    ahp,
    critic,
    direct,
    entropy,
    hierarchical,
    mix,
    rank_order_centroid,
    sample_around,
    sample_ordered,
    sample_uniform,
    swing,
)

nan = np.nan
pace = settings(max_examples=40, deadline=None)
positive = st.floats(0.1, 10)


def consistent(weights):
    return np.divide.outer(weights, weights)


@pace
@given(st.lists(positive, min_size=1, max_size=8))
@pytest.mark.parametrize("method", ["eigenvector", "geometric_mean"])
def test_ahp_finds_the_weights_behind_consistent_judgements(method, raw):
    weights = np.array(raw) / np.sum(raw)
    result = ahp(consistent(weights), method=method)
    np.testing.assert_allclose(result.weights, weights, rtol=1e-6)
    assert result.consistency_ratio == pytest.approx(0, abs=1e-6)


@pace
@given(st.lists(positive, min_size=3, max_size=7), st.randoms(use_true_random=False))
@pytest.mark.parametrize("method", ["eigenvector", "geometric_mean"])
def test_ahp_finds_them_from_the_fewest_judgements_that_connect(method, raw, random):
    weights = np.array(raw) / np.sum(raw)
    matrix = np.full((len(raw), len(raw)), nan)
    np.fill_diagonal(matrix, 1)
    for at in range(1, len(raw)):  # a random spanning tree
        other = random.randrange(at)
        matrix[at, other] = weights[at] / weights[other]
    result = ahp(matrix, method=method)
    np.testing.assert_allclose(result.weights, weights, rtol=1e-5)
    np.testing.assert_allclose(result.completed, consistent(weights), rtol=1e-4)
    assert result.consistency_ratio == 0


def test_completion_has_the_smallest_eigenvalue_by_brute_force():
    matrix = np.array(
        [[1, 3, 7, nan, 2], [nan, 1, 4, 1 / 5, nan], [nan, nan, 1, 2, 1 / 3], [nan, nan, nan, 1, 6], [nan] * 5]
    )
    matrix[4, 4] = 1
    result = ahp(matrix)
    a, b = result.completed[0, 3], result.completed[1, 4]
    steps = np.exp(np.linspace(-0.4, 0.4, 17))
    found = []
    for x, y in product(a * steps, b * steps):
        trial = result.completed.copy()
        trial[0, 3], trial[3, 0], trial[1, 4], trial[4, 1] = x, 1 / x, y, 1 / y
        found.append(np.linalg.eigvals(trial).real.max())
    assert result.eigenvalue <= min(found) + 1e-9
    # and it is not just where the search started
    start = ahp(matrix, method="geometric_mean")
    assert result.eigenvalue < start.eigenvalue - 1e-6


def test_consistency_ratio_by_hand():
    # λmax of [[1, a, b], [1/a, 1, c], …] is 1 + t + 1/t with t³ = b / (a·c)
    matrix = [[1, 2, 1 / 2], [1 / 2, 1, 4], [2, 1 / 4, 1]]
    t = (0.5 / 8) ** (1 / 3)
    index = (1 + t + 1 / t - 3) / 2
    assert ahp(matrix).consistency_index == pytest.approx(index)
    assert ahp(matrix).consistency_ratio == pytest.approx(index / 0.58)
    assert ahp(matrix, random_index="alonso-lamata").consistency_ratio == pytest.approx(index / 0.5245)


def test_consistency_ratio_above_the_table():
    rng = np.random.default_rng(5)
    weights = rng.dirichlet(np.ones(20))
    result = ahp(consistent(weights) ** 1.0, random_index="saaty")
    assert result.consistency_ratio == pytest.approx(0, abs=1e-9)
    wild = np.triu(rng.choice([1 / 9, 1 / 3, 1, 3, 9], (20, 20)), 1)
    wild = wild + np.divide(1, wild.T, out=np.zeros((20, 20)), where=wild.T > 0) + np.eye(20)
    assert 0.7 < ahp(wild).consistency_ratio < 1.6  # random judgements: about 1, by definition


def test_typed_reciprocals_are_taken_as_meant():
    exact = ahp([[1, 3, 8], [1 / 3, 1, 7], [1 / 8, 1 / 7, 1]])
    typed = ahp([[1, 3, 8], [0.33, 1, 7], [0.13, 0.14, 1]])
    half = ahp([[1, 3, 8], [nan, 1, nan], [nan, 1 / 7, 1]])
    np.testing.assert_array_equal(typed.weights, exact.weights)
    np.testing.assert_allclose(half.weights, exact.weights)


def test_groups():
    one, other = [[1, 2], [1 / 2, 1]], [[1, 8], [1 / 8, 1]]
    np.testing.assert_allclose(ahp([one, other]).weights, [0.8, 0.2])
    np.testing.assert_allclose(ahp([one, other], group="priorities").weights, [0.8, 0.2])
    np.testing.assert_allclose(ahp([one, other], importance=[1, 0]).weights, [2 / 3, 1 / 3])
    # who did not judge a pair has no say in it
    silent = [[1, nan], [nan, 1]]
    np.testing.assert_allclose(ahp([one, silent]).weights, [2 / 3, 1 / 3])


def test_a_group_of_priorities_reports_its_least_consistent_member():
    sure = [[1, 2, 4], [1 / 2, 1, 2], [1 / 4, 1 / 2, 1]]
    torn = [[1, 3, 1 / 3], [1 / 3, 1, 3], [3, 1 / 3, 1]]
    assert ahp([sure, torn], group="priorities").consistency_ratio == pytest.approx(ahp(torn).consistency_ratio)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2, 3], [1, 1, 2]], "one row and column per criterion"),
        ([[1, 2], [2, 1]], "make the two agree"),
        ([[1, -2], [-0.5, 1]], "not above 0"),
        ([[1, np.inf], [nan, 1]], "not above 0 and finite"),
        ([[2, 3], [1 / 3, 1]], "diagonal"),
        ([[1, nan, nan], [nan, 1, 2], [nan, nan, 1]], r"groups \[0\]; \[1, 2\]"),
        ([[1, "much"], [nan, 1]], "numbers"),
    ],
)
def test_unusable_judgements_are_refused(matrix, message):
    with pytest.raises(InputError, match=message):
        ahp(matrix)


def test_all_contradictions_are_named_at_once():
    with pytest.raises(InputError) as refusal:
        ahp([[1, 2, 3], [2, 1, 5], [3, 5, 1]])
    assert [fault.where for fault in refusal.value.faults] == ["matrix[0, 1]", "matrix[0, 2]", "matrix[1, 2]"]


def test_direct_and_swing():
    np.testing.assert_allclose(direct([30, 10]), [0.75, 0.25])
    np.testing.assert_allclose(swing([100, 60, 40]), [0.5, 0.3, 0.2])
    with pytest.raises(InputError, match="100"):
        swing([90, 60])
    for bad in ([0, 0], [1, -1], [1, nan], []):
        with pytest.raises(InputError):
            direct(bad)


def test_rank_order_centroid_is_the_centroid_and_ties_share():
    draws = sample_ordered([1, 2, 3, 4], 40_000, seed=1)
    np.testing.assert_allclose(rank_order_centroid([1, 2, 3, 4]), draws.mean(axis=0), atol=0.004)
    np.testing.assert_allclose(rank_order_centroid([2, 1, 2]), [7 / 36, 11 / 18, 7 / 36])
    np.testing.assert_allclose(rank_order_centroid([5, 5, 5]), [1 / 3] * 3)


@pace
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_rank_order_centroid_sums_to_1(ranks):
    assert rank_order_centroid(ranks).sum() == pytest.approx(1)


def test_entropy_of_nothing_to_tell_apart():
    np.testing.assert_allclose(entropy([[1, 5, 0], [3, 5, 0]]), [1, 0, 0])
    with pytest.raises(InputError, match="tells the alternatives apart"):
        entropy([[1, 5], [1, 5]])
    with pytest.raises(InputError, match="two alternatives"):
        entropy([[1, 5]])
    with pytest.raises(InputError, match="0 or more"):
        entropy([[1, -5], [2, 1]])
    with pytest.raises(InputError, match="known"):
        entropy([[1, nan], [2, 1]])


def test_critic_direction_and_constants():
    values = np.array([[1, 9, 4.0], [2, 7, 4], [3, 8, 4], [4, 1, 4]])
    weights = critic(values)
    assert weights[2] == 0
    # a criterion turned round is the same criterion
    turned = values * [1, -1, 1]
    np.testing.assert_allclose(critic(turned, ["max", "min", "max"]), weights)
    np.testing.assert_allclose(critic([[1, 4], [2, 4]]), [1, 0])
    for same in ([[1, 5], [1, 5]], [[1, 2], [2, 4], [3, 6]]):
        with pytest.raises(InputError, match="tells the alternatives apart"):
            critic(same)


@pace
@given(st.floats(0.1, 100), st.floats(-50, 50))
def test_critic_does_not_mind_units(factor, shift):
    values = np.array([[1, 9], [2, 7], [3, 8], [4, 1.0]])
    np.testing.assert_allclose(critic(values * [factor, 1] + [shift, 0]), critic(values), rtol=1e-6)


def test_mix():
    np.testing.assert_allclose(mix([3, 1], [1, 1], expert_share=1), [0.75, 0.25])
    np.testing.assert_allclose(mix([3, 1], [1, 1], expert_share=0.5), [0.625, 0.375])
    np.testing.assert_allclose(mix([9, 1], [1, 1], product=True), [0.75, 0.25])
    with pytest.raises(InputError, match="veto"):
        mix([1, 0], [0, 1], product=True)
    with pytest.raises(InputError, match="expert_share"):
        mix([1, 0], [0, 1], expert_share=2)


def test_hierarchical():
    weights = hierarchical(
        {"land": 3, "power": 1, "policy": 0}, {"land": {"ha": 2, "price": 1}, "power": {"mva": 5}, "policy": {"aid": 0}}
    )
    assert weights == pytest.approx({"ha": 0.5, "price": 0.25, "mva": 0.25, "aid": 0})
    with pytest.raises(InputError) as refusal:
        hierarchical({"land": 1, "air": 1}, {"land": {"ha": 1, "x": 1}, "power": {"x": 1}})
    assert sorted(fault.where for fault in refusal.value.faults) == ["criterion x", "theme air", "theme power"]
    with pytest.raises(InputError, match="criteria of theme land"):
        hierarchical({"land": 1}, {"land": {"ha": 0}})


@pytest.mark.parametrize(
    "draws",
    [
        sample_uniform(4, 20_000, seed=3),
        sample_around([4, 3, 2, 1], 20_000, seed=3),
        sample_ordered([1, 2, 2, 3], 20_000, seed=3),
    ],
)
def test_samples_are_weights(draws):
    assert draws.shape == (20_000, 4)
    assert (draws >= 0).all()
    np.testing.assert_allclose(draws.sum(axis=1), 1)


def test_samples_follow_what_was_said():
    np.testing.assert_allclose(sample_uniform(4, 40_000, seed=1).mean(axis=0), [0.25] * 4, atol=0.005)
    around = sample_around([0.2, 0.8, 0], 40_000, concentration=50, seed=1)
    np.testing.assert_allclose(around.mean(axis=0), [0.2, 0.8, 0], atol=0.002)
    assert around[:, 0].std() == pytest.approx(np.sqrt(0.2 * 0.8 / 51), rel=0.03)
    ordered = sample_ordered([2, 1, 2], 40_000, seed=1)
    assert (ordered[:, 1] >= ordered[:, [0, 2]].max(axis=1)).all()
    assert (ordered[:, 0] > ordered[:, 2]).mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(sample_uniform(3, 5, seed=7), sample_uniform(3, 5, seed=7))
    assert (sample_uniform(3, 5, seed=7) != sample_uniform(3, 5, seed=8)).any()


def test_the_odd_judgement_is_the_one_that_was_spoilt():
    """A consistent matrix with one judgement made three times too large."""
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    matrix = weights[:, None] / weights
    matrix[1, 3] *= 3
    matrix[3, 1] = 1 / matrix[1, 3]
    row, column, implied = ahp(matrix).odd_judgement
    assert (row, column) == (1, 3)
    assert implied == pytest.approx(4.2, abs=1.6)
    assert implied < matrix[1, 3]
