from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from geo_cluster.errors import InputError
from geo_cluster.scoring.aggregate import aggregate, competition_rank
from geo_cluster.scoring.robustness import (
    agreement,
    pairwise_wins,
    rank_acceptability,
    sample_triangular,
    smaa,
    smallest_datum_change,
    smallest_weight_change,
    standard_error,
    weight_stability,
    wilson,
)
from geo_cluster.scoring.values import ValueFunction
from geo_cluster.scoring.weights import sample_uniform

nan = np.nan
pace = settings(max_examples=40, deadline=None)
share = st.integers(0, 20).map(lambda x: x / 20)
values = st.integers(2, 6).flatmap(lambda a: arrays(float, (a, 3), elements=share))
weights = arrays(float, 3, elements=st.integers(1, 20).map(float))


class TestSmaa:
    # two extremes and a compromise: first at w > 0.6, w < 0.4 and in between, for the weight w of the first criterion
    corners = np.array([[1, 0], [0, 1], [0.6, 0.6]])
    grid = (np.arange(1000) + 0.5) / 1000
    evenly = np.column_stack([grid, 1 - grid])

    def test_acceptability_and_central_weights_by_hand(self):
        result = smaa(self.corners, self.evenly)
        np.testing.assert_allclose(result.acceptability, [[0.4, 0.1, 0.5], [0.4, 0.1, 0.5], [0.2, 0.8, 0.0]])
        np.testing.assert_allclose(result.central_weights, [[0.8, 0.2], [0.2, 0.8], [0.5, 0.5]])
        np.testing.assert_allclose(result.pairwise, [[0.5, 0.5, 0.4], [0.5, 0.5, 0.4], [0.6, 0.6, 0.5]])
        np.testing.assert_allclose(result.confidence, [1, 1, 1])
        assert result.draws == 1000

    def test_never_first_has_no_central_weights(self):
        result = smaa([[1, 1], [0.9, 0.2]], self.evenly)
        assert np.isnan(result.central_weights[1]).all()
        assert np.isnan(result.confidence[1])
        assert result.acceptability[1].tolist() == [0, 1]

    def test_ties_share_the_better_rank(self):
        result = smaa([[0.5, 0.5], [0.5, 0.5], [0.1, 0.1]], self.evenly)
        assert result.acceptability.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
        assert result.pairwise[0].tolist() == [0.5, 0.5, 1]

    def test_confidence_is_over_the_data(self):
        # the first is worth 1 or 0 on its only criterion, the second always 0.5: as sure as a coin
        utilities = np.array([[[1, 0], [0.5, 0.5]], [[0, 0], [0.5, 0.5]]])
        result = smaa(np.tile(utilities, (500, 1, 1)), [1, 0])
        assert result.acceptability.tolist() == [[0.5, 0.5], [0.5, 0.5]]
        assert result.confidence.tolist() == [0.5, 0.5]

    @pace
    @given(seed=st.integers(0, 10_000), alternatives=st.integers(1, 7), criteria=st.integers(1, 4))
    def test_brute_force(self, seed, alternatives, criteria):
        rng = np.random.default_rng(seed)
        utilities = rng.integers(0, 5, (60, alternatives, criteria)) / 4  # coarse: ties happen
        w = rng.dirichlet(np.ones(criteria), 60)
        result = smaa(utilities, w)
        score = np.einsum("nac,nc->na", utilities, w)
        rank = 1 + (score[:, None, :] > score[:, :, None] + 1e-12).sum(axis=2)
        for a in range(alternatives):
            for r in range(alternatives):
                assert result.acceptability[a, r] == pytest.approx((rank[:, a] == r + 1).mean())
            for b in range(alternatives):
                half = (abs(score[:, a] - score[:, b]) <= 1e-12).mean() / 2
                assert result.pairwise[a, b] == pytest.approx((score[:, a] > score[:, b] + 1e-12).mean() + half)
            if (rank[:, a] == 1).any():
                central = w[rank[:, a] == 1].mean(axis=0)
                np.testing.assert_allclose(result.central_weights[a], central)
                own = utilities @ central
                assert result.confidence[a] == pytest.approx((own[:, a] >= own.max(axis=1) - 1e-12).mean())

    def test_refuses_unknown_values(self):
        with pytest.raises(InputError, match="draw unknown values"):
            smaa([[nan, 1], [0, 1]], [1, 1])
        with pytest.raises(InputError, match="4 draws, values 2"):
            smaa(np.ones((2, 3, 2)), np.ones((4, 2)))

    @pytest.mark.slow
    def test_errors_cover_what_they_say(self):
        result = [smaa(self.corners, sample_uniform(2, 400, seed=seed)) for seed in range(200)]
        first = np.array([r.acceptability[2, 0] for r in result])
        assert first.std() == pytest.approx(np.mean([r.acceptability_error[2, 0] for r in result]), rel=0.15)
        inside = [r.interval()[0][2, 0] <= 0.2 <= r.interval()[1][2, 0] for r in result]
        assert np.mean(inside) == pytest.approx(0.95, abs=0.04)


def test_wilson_by_hand():
    # Wilson 1927; 8 of 10 at 95 %: 0.490 to 0.943
    low, high = wilson(0.8, 10)
    assert (round(float(low), 3), round(float(high), 3)) == (0.490, 0.943)
    low, high = wilson([0, 1], 100)
    assert low[0] == 0
    assert high[0] > 0.03
    assert high[1] == 1
    assert low[1] < 0.97
    assert standard_error(0.5, 100) == 0.05


@pytest.mark.slow
@pace
@given(score=arrays(float, (30, 7), elements=st.integers(-4, 4).map(lambda x: x / 3)), lower=st.booleans())
def test_rank_acceptability_with_many_ties(score, lower):
    rank = competition_rank(score, lower_is_better=lower)
    expected = [[(rank[:, a] == r + 1).mean() for r in range(7)] for a in range(7)]
    np.testing.assert_allclose(rank_acceptability(score, lower_is_better=lower), expected)


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1, 1e9])
@pytest.mark.parametrize("alternatives", [1, 2, 64, 65, 500])
def test_rank_acceptability_without_ties(scale, alternatives):
    score = np.random.default_rng(2).normal(size=(300, alternatives)) * scale
    order = np.argsort(-score, axis=1)
    expected = np.zeros((alternatives, alternatives))
    np.add.at(expected, (order, np.arange(alternatives)), 1 / 300)
    np.testing.assert_allclose(rank_acceptability(score), expected, atol=1e-12)


def test_entropies_by_hand():
    """Three criteria, alternatives that each are best on one: the weights alone decide."""
    values = np.eye(3)
    sure = smaa(values, np.tile([0.5, 0.3, 0.2], (8, 1)))
    assert (sure.choice_entropy, sure.rank_entropy) == (0, 0)
    weights = [[0.5, 0.3, 0.2], [0.5, 0.2, 0.3], [0.5, 0.2, 0.3], [0.2, 0.5, 0.3]]
    mixed = smaa(values, weights)
    # first: 0 in three of four; rankings: one twice, two once
    assert mixed.choice_entropy == pytest.approx(-(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)))
    assert mixed.rank_entropy == pytest.approx(1.5)
    level = smaa(values, [[1 / 3, 1 / 3, 1 / 3]])
    assert level.choice_entropy == pytest.approx(np.log2(3))
    assert level.rank_entropy == 0


def test_entropies_lie_between_sure_and_any():
    rng = np.random.default_rng(2)
    open_ = smaa(rng.random((500, 4, 3)), sample_uniform(3, 500, seed=1))
    assert 1.9 < open_.choice_entropy <= 2
    assert 4.3 < open_.rank_entropy <= np.log2(24)


def test_rank_acceptability_of_all_zeros_and_of_nothing():
    assert rank_acceptability(np.zeros((5, 2))).tolist() == [[1, 0], [1, 0]]
    for bad in (np.zeros((0, 2)), [[nan, 1]], [1, 2]):
        with pytest.raises(InputError):
            rank_acceptability(bad)


def test_pairwise_wins_of_a_method_where_low_is_best():
    assert pairwise_wins([[1, 2], [1, 2], [3, 2], [2, 2]], lower_is_better=True)[0, 1] == 0.625


def test_triangular_draws():
    draws = sample_triangular([0, 5, 2], [0, 5, 3], [1, 5, 6], 40_000, seed=1)
    np.testing.assert_allclose(draws.mean(axis=0), [1 / 3, 5, 11 / 3], atol=0.02)
    np.testing.assert_allclose(draws[:, 2].var(), (4 + 9 + 36 - 6 - 12 - 18) / 18, rtol=0.03)
    assert (draws[:, 1] == 5).all()
    assert ((draws >= [0, 5, 2]) & (draws <= [1, 5, 6])).all()
    np.testing.assert_array_equal(draws, sample_triangular([0, 5, 2], [0, 5, 3], [1, 5, 6], 40_000, seed=1))
    with pytest.raises(InputError, match=r"likely\[1\]"):
        sample_triangular([0, 2], [1, 1], [2, 3], 5, seed=1)


def leads(values, weights, leader):
    score = values @ weights
    return score[leader] >= score.max() - 1e-9


@pace
@given(values=values, weights=weights)
def test_stability_intervals_against_a_fine_grid(values, weights):
    result = weight_stability(values, weights)
    w = weights / weights.sum()
    for j in range(3):
        for x in np.linspace(0, 1, 41):
            moved = w * (1 - x) / (1 - w[j])
            moved[j] = x
            if result.low[j] + 1e-6 <= x <= result.high[j] - 1e-6:
                assert leads(values, moved, result.leader)
            elif x < result.low[j] - 1e-6 or x > result.high[j] + 1e-6:
                assert not leads(values, moved, result.leader)
                rival = result.low_rival[j] if x < w[j] else result.high_rival[j]
                assert values[rival] @ moved > values[result.leader] @ moved


def test_stability_by_hand():
    # 0.6 w + 0.5 (1 - w) against 0.2 w + 0.8 (1 - w): level at w = 3/7
    result = weight_stability([[0.6, 0.5], [0.2, 0.8]], [1, 1])
    assert result.leader == 0
    np.testing.assert_allclose(result.low, [3 / 7, 0])
    np.testing.assert_allclose(result.high, [1, 4 / 7])
    assert result.low_rival.tolist() == [1, -1]
    assert result.high_rival.tolist() == [-1, 1]


def test_stability_of_a_weight_of_1():
    result = weight_stability([[1, 0, 0], [0.5, 1, 1]], [1, 0, 0])
    np.testing.assert_allclose(result.low[0], 2 / 3)  # others in equal shares
    assert result.high[0] == 1


@pace
@given(values=values, weights=weights)
def test_smallest_weight_changes(values, weights):
    w = weights / weights.sum()
    found = {norm: smallest_weight_change(values, weights, norm=norm) for norm in ("single", "l1", "l2")}
    leader, rival = found["l1"].leader, found["l1"].rival
    gain = values[rival] - values[leader]
    if gain.max() < 0:
        assert all(np.isinf(change.distance) for change in found.values())
        return
    for change in found.values():
        assert change.weights.sum() == pytest.approx(1)
        assert (change.weights >= 0).all()
        assert gain @ change.weights == pytest.approx(max(gain @ w, 0), abs=1e-7)
    # l1 against linear programming: w' = w + up - down
    lp = linprog(
        np.ones(6),
        A_ub=np.vstack([-np.concatenate([gain, -gain]), np.hstack([-np.eye(3), np.eye(3)])]),
        b_ub=np.concatenate([[gain @ w], w]),
        A_eq=[[1, 1, 1, -1, -1, -1]],
        b_eq=[0],
    )
    assert found["l1"].distance == pytest.approx(lp.fun, abs=1e-7)
    # l2 is no longer than any other way there
    assert found["l2"].distance <= np.linalg.norm(found["l1"].weights - w) + 1e-7
    assert found["l2"].distance <= np.linalg.norm(found["single"].weights - w) + 1e-7
    # no single weight gets there by less
    for j, less in product(range(3), found["single"].distance * np.linspace(-0.999, 0.999, 11)):
        if 0 <= w[j] + less <= 1:
            moved = w * (1 - w[j] - less) / (1 - w[j])
            moved[j] = w[j] + less
            assert gain @ moved <= 1e-9


def test_smallest_weight_change_of_a_named_rival():
    values = [[0.9, 0.5], [0.8, 0.5], [0.1, 0.9]]
    # the second is better on nothing, and level on one: all weight must go there
    np.testing.assert_allclose(smallest_weight_change(values, [1, 1], norm="l1").weights, [0, 1], atol=1e-12)
    change = smallest_weight_change(values, [1, 1], rival=2)
    # 0.9 w + 0.5 (1 - w) = 0.1 w + 0.9 (1 - w) at w = 1/3
    assert change.distance == pytest.approx(1 / 6)
    with pytest.raises(InputError, match="rival"):
        smallest_weight_change(values, [1, 1], rival=0)
    with pytest.raises(InputError, match="l3"):
        smallest_weight_change(values, [1, 1], norm="l3")


@pace
@given(values=values, weights=weights)
def test_a_changed_datum_makes_them_level(values, weights):
    w = weights / weights.sum()
    table = smallest_datum_change(values, weights)
    assert table["change"].abs().is_monotonic_increasing
    pair = smallest_weight_change(values, weights)
    leader, rival = pair.leader, pair.rival
    assert set(table["alternative"]) <= {leader, rival}
    for row in table.itertuples():
        changed = values.copy()
        changed[row.alternative, row.criterion] = row.needed
        assert changed[leader] @ w == pytest.approx(changed[rival] @ w, abs=1e-9)


def test_the_datum_in_its_own_unit():
    functions = [ValueFunction("linear", 0, 100), ValueFunction("linear", 60, 0)]
    natural = np.array([[70, 30], [40, 20]])
    values = np.column_stack([function.value(natural[:, at]) for at, function in enumerate(functions)])
    table = smallest_datum_change(values, [1, 1], functions=functions)
    first = table.iloc[0]
    # 0.70 + 0.5 against 0.40 + 2/3: the second needs 0.1333 more, 53.3 instead of 40
    assert (first["alternative"], first["criterion"]) == (1, 0)
    assert first["needed_natural"] == pytest.approx(53.3333, abs=1e-3)


def test_no_single_datum_may_be_enough():
    assert len(smallest_datum_change([[1, 1, 1], [0, 0, 0]], [1, 1, 1])) == 0
    # all of the lead comes from the first criterion: either number would do
    assert len(smallest_datum_change([[1, 0.5, 0.5], [0.25, 0.5, 0.5]], [8, 1, 1])) == 2


def test_one_alternative_has_no_rival():
    for question in (weight_stability, smallest_weight_change, smallest_datum_change):
        with pytest.raises(InputError, match="one alternative"):
            question([[1, 2]], [1, 1])
        with pytest.raises(InputError, match="unknown"):
            question([[1, nan], [1, 2]], [1, 1])
        with pytest.raises(InputError, match="draws"):
            question(np.ones((3, 2, 2)), [1, 1])


def test_agreement():
    values = np.random.default_rng(1).uniform(1, 2, (8, 3))
    rankings = {method: aggregate(values, [1, 1, 1], method=method) for method in ("topsis", "vikor")}
    rankings |= {"backwards": 9 - rankings["topsis"].rank, "tied": np.ones(8)}
    for measure in ("kendall", "spearman"):
        table = agreement(rankings, measure=measure)
        assert table.loc["topsis", "backwards"] == pytest.approx(-1)
        assert table.loc["vikor", "topsis"] == table.loc["topsis", "vikor"] > 0
        assert np.isnan(table.loc["tied", "vikor"])
        assert (np.diag(table) == 1).all()
    # Kendall 1938 by hand: 1 of 3 pairs the other way round
    assert agreement({"a": [1, 2, 3], "b": [1, 3, 2]}).loc["a", "b"] == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="pearson"):
        agreement(rankings, measure="pearson")
