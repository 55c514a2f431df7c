import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo_cluster.errors import InputError
from geo_cluster.scoring.aggregate import METHODS, aggregate, competition_rank, preference_degree

nan, inf = np.nan, np.inf
pace = settings(max_examples=40, deadline=None)
every_method = pytest.mark.parametrize("method", sorted(METHODS))
# OWA gives its weights to places, not to criteria
by_criterion = pytest.mark.parametrize("method", sorted(set(METHODS) - {"owa"}))
# whose score can't fall when one's own value rises, whatever that does to the scale
monotone = pytest.mark.parametrize("method", ["weighted_sum", "weighted_product", "promethee", "owa"])

values = st.integers(2, 6).flatmap(lambda a: arrays(float, (a, 3), elements=st.integers(1, 50).map(float)))
weights = arrays(float, 3, elements=st.integers(1, 20).map(float))
OBJECTIVES = ["max", "min", "max"]


def better(result):
    """Scores with more as better."""
    return -result.score if result.lower_is_better else result.score


@every_method
@pace
@given(values=values, weights=weights, factor=st.sampled_from([1e-6, 0.3, 7, 1e9]))
def test_scaling_all_weights_changes_nothing(method, values, weights, factor):
    one = aggregate(values, weights, OBJECTIVES, method=method)
    other = aggregate(values, weights * factor, OBJECTIVES, method=method)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@every_method
@pace
@given(values=values, weights=weights, random=st.randoms(use_true_random=False))
def test_permuting_sites_permutes_results(method, values, weights, random):
    order = random.sample(range(len(values)), len(values))
    one = aggregate(values, weights, OBJECTIVES, method=method)
    other = aggregate(values[order], weights, OBJECTIVES, method=method)
    np.testing.assert_allclose(one.score[order], other.score, rtol=1e-9, atol=1e-9)
    if method != "vikor":  # Q divides by spans that may be rounding
        np.testing.assert_array_equal(one.rank[order], other.rank)


@by_criterion
@pace
@given(values=values, weights=weights)
def test_permuting_criteria_changes_nothing(method, values, weights):
    order = [2, 0, 1]
    one = aggregate(values, weights, OBJECTIVES, method=method)
    other = aggregate(values[:, order], weights[order], [OBJECTIVES[at] for at in order], method=method)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-9, atol=1e-9)


@by_criterion
@pace
@given(values=values, weights=weights, objective=st.sampled_from(["max", "min"]), data=st.data())
def test_a_criterion_of_weight_0_might_as_well_not_be_there(method, values, weights, objective, data):
    extra = data.draw(arrays(float, len(values), elements=st.integers(1, 50).map(float)))
    one = aggregate(values, weights, OBJECTIVES, method=method)
    other = aggregate(np.column_stack([values, extra]), [*weights, 0], [*OBJECTIVES, objective], method=method)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-9, atol=1e-9)


@monotone
@pace
@given(values=values, weights=weights, data=st.data())
def test_a_better_value_never_lowers_a_score(method, values, weights, data):
    site, criterion = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, 2))
    improved = values.copy()
    improved[site, criterion] *= 0.5 if OBJECTIVES[criterion] == "min" else 1.5
    before = better(aggregate(values, weights, OBJECTIVES, method=method))[site]
    after = better(aggregate(improved, weights, OBJECTIVES, method=method))[site]
    assert after >= before - 1e-9


@every_method
@pace
@given(values=values, weights=weights)
def test_who_is_better_everywhere_ranks_no_worse(method, values, weights):
    dominant = np.where(np.array(OBJECTIVES) == "max", values.max(axis=0), values.min(axis=0))
    if method == "owa":
        # OWA compares a value on one criterion with those on others: only common scales make sense
        dominant, objectives = values.max(axis=0), ["max"] * 3
    else:
        objectives = OBJECTIVES
    result = aggregate(np.vstack([values, dominant]), weights, objectives, method=method)
    assert better(result)[-1] >= better(result).max() - 1e-9


@pace
@given(values=values, weights=weights, extra=arrays(float, 3, elements=st.integers(1, 50).map(float)))
@pytest.mark.parametrize("method", ["weighted_sum", "weighted_product", "owa"])
def test_adding_a_site_changes_nobody_elses_score(method, values, weights, extra):
    one = aggregate(values, weights, OBJECTIVES, method=method)
    other = aggregate(np.vstack([values, extra]), weights, OBJECTIVES, method=method)
    np.testing.assert_allclose(other.score[:-1], one.score, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("weighted_sum", {"normalisation": "minmax"}),
        ("topsis", {"normalisation": "minmax"}),
        ("vikor", {}),
        ("promethee", {}),
    ],
)
@pace
@given(values=values, weights=weights, factor=st.sampled_from([0.01, 3, 2000]), shift=st.sampled_from([-40, 0, 1000]))
def test_an_affine_change_of_unit_changes_nothing(method, options, values, weights, factor, shift):
    one = aggregate(values, weights, OBJECTIVES, method=method, **options)
    other = aggregate(values * [factor, 1, 1] + [shift, 0, 0], weights, OBJECTIVES, method=method, **options)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["weighted_sum", "topsis", "copras", "edas"])
@pace
@given(values=values, weights=weights, factor=st.sampled_from([0.01, 3, 2000]))
def test_a_change_of_scale_changes_nothing(method, values, weights, factor):
    options = {"normalisation": "max"} if method == "weighted_sum" else {}
    one = aggregate(values, weights, OBJECTIVES, method=method, **options)
    other = aggregate(values * [factor, 1, 1], weights, OBJECTIVES, method=method, **options)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-9, atol=1e-9)


@every_method
@pytest.mark.parametrize("objective", ["max", "min"])
def test_max_and_min_each_by_themselves(method, objective):
    one_criterion = np.array([[3.0], [1], [2], [2]])
    result = aggregate(one_criterion, [1], [objective], method=method)
    assert result.rank.tolist() == ([1, 4, 2, 2] if objective == "max" else [4, 1, 2, 2])


@by_criterion
@pace
@given(values=values, weights=weights)
def test_draws_are_the_single_results_stacked(method, values, weights):
    draws_of_weights = np.stack([weights, weights[::-1], [1, 2, 0]])
    draws_of_values = np.stack([values, values[::-1], values * 2])
    single = [aggregate(values, w, OBJECTIVES, method=method) for w in draws_of_weights]
    stacked = aggregate(values, draws_of_weights, OBJECTIVES, method=method)
    assert stacked.score.shape == (3, len(values))
    np.testing.assert_allclose(stacked.score, [r.score for r in single], rtol=1e-9, atol=1e-9)
    both = aggregate(draws_of_values, draws_of_weights, OBJECTIVES, method=method)
    for at in range(3):
        alone = aggregate(draws_of_values[at], draws_of_weights[at], OBJECTIVES, method=method)
        np.testing.assert_allclose(both.score[at], alone.score, rtol=1e-9, atol=1e-9)
    data = aggregate(draws_of_values, weights, OBJECTIVES, method=method)
    np.testing.assert_allclose(
        data.score[0], aggregate(values, weights, OBJECTIVES, method=method).score, rtol=1e-9, atol=1e-9
    )


def test_owa_draws():
    values = np.random.default_rng(1).random((2, 4, 3))
    weights = np.array([[1, 2, 3], [3, 0, 1.0]])
    for options in ({}, {"order_weights": [3, 2, 1]}):
        both = aggregate(values, weights, method="owa", **options)
        one_matrix = aggregate(values[0], weights, method="owa", **options)
        for at in range(2):
            alone = aggregate(values[at], weights[at], method="owa", **options).score
            np.testing.assert_allclose(both.score[at], alone)
            np.testing.assert_allclose(
                one_matrix.score[at], aggregate(values[0], weights[at], method="owa", **options).score
            )


def test_owa_is_max_mean_and_min():
    values = [[0.2, 0.9, 0.4], [0.5, 0.5, 0.5]]
    np.testing.assert_allclose(aggregate(values, [1, 0, 0], method="owa").score, [0.9, 0.5])
    np.testing.assert_allclose(aggregate(values, [0, 0, 1], method="owa").score, [0.2, 0.5])
    np.testing.assert_allclose(aggregate(values, [1, 1, 1], method="owa").score, [0.5, 0.5])
    # even order weights leave the importances alone
    importance = [3, 2, 1]
    np.testing.assert_allclose(
        aggregate(values, importance, method="owa", order_weights=[1, 1, 1]).score,
        aggregate(values, importance, method="weighted_sum").score,
    )


def test_preference_functions_by_hand():
    d = [-1, 0, 1, 2, 3, 4]
    np.testing.assert_allclose(preference_degree("usual", d), [0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(preference_degree("u-shape", d, q=2), [0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(preference_degree("v-shape", d, p=2), [0, 0, 0.5, 1, 1, 1])
    np.testing.assert_allclose(preference_degree("level", d, q=1, p=3), [0, 0, 0, 0.5, 0.5, 1])
    np.testing.assert_allclose(preference_degree("linear", d, q=1, p=3), [0, 0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(preference_degree("gaussian", [-2, 0, 2], s=2), [0, 0, 1 - np.exp(-0.5)])


@pace
@given(values=values, weights=weights)
def test_promethee_flows_sum_to_0(values, weights):
    assert aggregate(values, weights, OBJECTIVES, method="promethee").score.sum() == pytest.approx(0, abs=1e-9)


@every_method
def test_one_alternative_is_first(method):
    result = aggregate([[2.0, 3, 1]], [1, 2, 3], OBJECTIVES, method=method)
    assert np.isfinite(result.score).all()
    assert result.rank.tolist() == [1]


@every_method
def test_equal_columns_tell_nothing_apart(method):
    result = aggregate([[2.0, 3, 1]] * 3, [1, 2, 3], OBJECTIVES, method=method)
    assert np.isfinite(result.score).all()
    assert result.rank.tolist() == [1, 1, 1]


@by_criterion
@pace
@given(values=values, weights=weights)
def test_a_constant_column_does_not_change_the_order(method, values, weights):
    one = aggregate(values, weights, OBJECTIVES, method=method)
    other = aggregate(
        np.column_stack([values, np.full(len(values), 7)]), [*weights, 5], [*OBJECTIVES, "max"], method=method
    )
    apart = np.subtract.outer(one.score, one.score) > 1e-9
    assert (np.subtract.outer(other.score, other.score)[apart] > -1e-9).all()


@every_method
def test_10_000_criteria(method):
    values = np.random.default_rng(1).uniform(1, 2, (5, 10_000))
    result = aggregate(values, np.ones(10_000), method=method)
    assert np.isfinite(result.score).all()


@every_method
def test_a_column_of_zeros(method):
    values = [[1.0, 0], [2, 0]]
    if method == "edas":
        with pytest.raises(InputError, match="above 0 on average"):
            aggregate(values, [1, 1], method=method)
    else:
        assert np.isfinite(aggregate(values, [1, 1], method=method).score).all()


def test_weighted_product_of_zero():
    assert aggregate([[0.0, 4], [1, 1]], [1, 1], method="weighted_product").score.tolist() == [0, 1]
    assert aggregate([[0.0, 4], [1, 1]], [0, 1], method="weighted_product").score == pytest.approx([4, 1])
    with pytest.raises(InputError, match="above 0"):
        aggregate([[0.0, 4], [1, 1]], [1, 1], ["min", "max"], method="weighted_product")


def test_huge_and_tiny_numbers_do_not_overflow():
    values = np.array([[1e200, 1e-200], [3e200, 1e-200], [2e200, 3e-200]])
    np.testing.assert_allclose(aggregate(values, [1, 1]).score, aggregate(values / [1e200, 1e-200], [1, 1]).score)
    np.testing.assert_allclose(
        aggregate([[1.0, 2], [2, 1]], [1.7e308, 1.7e308]).score, aggregate([[1.0, 2], [2, 1]], [1, 1]).score
    )


class TestUnknown:
    values = np.array([[0.9, nan, 0.5], [0.2, 0.4, 0.6], [nan, nan, nan]])
    weights = np.array([0.5, 0.3, 0.2])

    def test_widens_the_additive_score(self):
        result = aggregate(self.values, self.weights, method="weighted_sum")
        np.testing.assert_allclose(result.low, [0.55, 0.34, 0])
        np.testing.assert_allclose(result.high, [0.85, 0.34, 1])
        np.testing.assert_allclose(result.score, [0.70, 0.34, 0.5])

    def test_bounds_hold_whatever_it_turns_out_to_be(self):
        bounds = aggregate(self.values, self.weights, ["max", "min", "max"], method="weighted_sum")
        rng = np.random.default_rng(0)
        for _ in range(200):
            filled = np.where(np.isnan(self.values), rng.integers(0, 2, (3, 3)), self.values)
            score = aggregate(filled, self.weights, ["max", "min", "max"], method="weighted_sum").score
            assert (score >= bounds.low - 1e-12).all()
            assert (score <= bounds.high + 1e-12).all()

    def test_a_weight_of_0_does_not_widen(self):
        result = aggregate(self.values[:2], [1, 0, 1], method="weighted_sum")
        np.testing.assert_array_equal(result.low, result.high)

    def test_without_it_the_bounds_are_the_score(self):
        result = aggregate([[0.1, 0.2]], [1, 1], method="weighted_sum")
        assert result.low == result.high == result.score

    @pytest.mark.parametrize("method", sorted(set(METHODS) - {"weighted_sum"}))
    def test_is_refused_by_relative_methods(self, method):
        with pytest.raises(InputError, match=r"values\[0, 1\].*draw unknown values"):
            aggregate(self.values, self.weights, method=method)

    def test_is_refused_where_the_range_is_not_declared(self):
        with pytest.raises(InputError, match=r"within 0\.\.1"):
            aggregate([[30, nan], [2, 1]], [1, 1], method="weighted_sum")


def test_ranks_share_ties_and_forgive_rounding():
    assert competition_rank([0.3, 0.1 + 0.2, 0.5, 0.1]).tolist() == [2, 2, 1, 4]
    assert competition_rank([[3, 1, 2], [1, 1, 1]], lower_is_better=True).tolist() == [[3, 1, 2], [1, 1, 1]]
    assert competition_rank([1e-9, 2e-9]).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (([[1, 2], [3, 4]], [0, 0]), ["weights"]),
        (([[1, 2], [3, 4]], [1, -1]), ["weights[1]"]),
        (([[1, 2], [3, 4]], [1, nan]), ["weights[1]"]),
        (([[1, inf], [3, 4]], [1, 1, 1], ["max", "most"]), ["weights", "values[0, 1]", "objectives[1]"]),
        (([[1, 2], [3]], [1, 1]), ["values"]),
        (([1, 2], [1, 1]), ["values"]),
        ((np.ones((2, 3, 2)), np.ones((4, 2))), ["weights"]),
        (([[1, 2]], [1, 1], ["max"]), ["objectives"]),
        ((np.ones((0, 2)), [1, 1]), ["values"]),
        (([["a", 2]], [1, 1]), ["values"]),
    ],
)
def test_unusable_input_is_refused_with_all_faults(arguments, places):
    with pytest.raises(InputError) as refusal:
        aggregate(*arguments)
    assert [fault.where for fault in refusal.value.faults] == places


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "electre"}, "electre"),
        ({"method": "topsis", "normalisation": "zscore"}, "zscore"),
        ({"method": "vikor", "v": 2}, "outside 0..1"),
        ({"method": "promethee", "preference": "linear"}, "0 <= q < p"),
        ({"method": "promethee", "preference": ["usual", "v-shape"]}, "p above 0"),
        ({"method": "promethee", "preference": ["usual"]}, "1 for 2 criteria"),
        ({"method": "promethee", "preference": "gauss"}, "gauss"),
        ({"method": "promethee", "preference": "gaussian"}, "s above 0"),
        ({"method": "owa", "order_weights": [1, 2, 3]}, "3 for 2 criteria"),
    ],
)
def test_unusable_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        aggregate([[1, 2], [3, 4]], [1, 1], **options)


@pytest.mark.parametrize("method", ["copras", "edas"])
def test_negative_values_are_outside_some_methods(method):
    with pytest.raises(InputError, match=method):
        aggregate([[-1, 2], [-3, 4]], [1, 1], method=method)
