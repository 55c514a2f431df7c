import numpy as np
import pandas as pd
import pytest

from geo_cluster.errors import InputError
from geo_cluster.scoring.information import of_choosers, of_parameters, of_triangular, of_values, request_list
from geo_cluster.scoring.robustness import sample_triangular
from geo_cluster.scoring.values import ValueFunction

UNIT = ValueFunction("linear", 0, 1)


class TestByHand:
    """One site's value is known, the other's u is not, and expected to be lower.

    Knowing it: choose it when above 0.5. Gain = E[(u - 0.5)⁺], chance = P(u > 0.5).
    """

    def test_exact_triangular(self):
        # triangular 0, 0, 1: density 2 (1 - u), mean 1/3: E[(u - 0.5)⁺] = 1/24, P(u > 0.5) = 1/4
        result = of_triangular([[0], [0.5]], [[0], [0.5]], [[1], [0.5]], [UNIT], [1])
        assert result.choice == 1
        np.testing.assert_allclose(result.score, [1 / 3, 0.5])
        np.testing.assert_allclose(result.gain, [[1 / 24], [0]])
        np.testing.assert_allclose(result.change, [[1 / 4], [0]])
        assert not result.gain_error.any()

    def test_exact_of_the_leader(self):
        # now the uncertain one leads over 0.25: it is left when below, E[(0.25 - u)⁺] = 0.0260417, P = 7/16
        result = of_triangular([[0], [0.25]], [[0], [0.25]], [[1], [0.25]], [UNIT], [1])
        assert result.choice == 0
        assert result.gain[0, 0] == pytest.approx(0.25 * 7 / 16 - 2 * (0.25**2 / 2 - 0.25**3 / 3))
        assert result.change[0, 0] == pytest.approx(7 / 16)

    def test_sampled_on_even_draws_of_a_uniform(self):
        u = (np.arange(10_000) + 0.5) / 10_000 * 0.9
        values = np.stack([u, np.full_like(u, 0.5)], axis=1)[:, :, None]
        result = of_values(values, [1])
        assert result.gain[0, 0] == pytest.approx(0.4**2 / 2 / 0.9, abs=1e-6)
        assert result.change[0, 0] == pytest.approx(4 / 9, abs=1e-4)
        assert result.gain[1, 0] == 0

    def test_sampled_from_parameters(self):
        rng = np.random.default_rng(1)
        u, noise = rng.random(20_000) * 0.9, rng.normal(0, 0.3, 20_000)
        scores = np.column_stack([u + noise, np.full_like(u, 0.5)])
        result = of_parameters(scores, np.column_stack([u, rng.random(20_000)]))
        assert result.gain[0] == pytest.approx(0.4**2 / 2 / 0.9, abs=4 * result.gain_error[0] + 0.002)
        assert result.change[0] == pytest.approx(4 / 9, abs=0.06)
        # a parameter that drives nothing is worth nothing: noise does not pass for information
        assert result.gain[1] < 0.001


def world(seed=3, sites=5):
    functions = [
        ValueFunction("linear", 10, 0),
        ValueFunction("piecewise", 0, 100, ((0, 0), (30, 0.8), (100, 1))),
        ValueFunction("target", 0, 5, tolerance=0.5),
    ]
    rng = np.random.default_rng(seed)
    low = rng.random((sites, 3)) * [4, 40, 3]
    high = low + rng.random((sites, 3)) * [5, 50, 4]
    likely = low + (high - low) * rng.random((sites, 3))
    likely[0, 0], likely[1, 1] = low[0, 0], high[1, 1]
    low[2, 2] = likely[2, 2] = high[2, 2]
    return low, likely, high, functions, np.array([0.4, 0.3, 0.3])


def drawn(low, likely, high, functions, draws, seed):
    x = sample_triangular(low, likely, high, draws, seed=seed)
    return x, np.stack([function.value(x[..., at]) for at, function in enumerate(functions)], axis=-1)


@pytest.mark.parametrize("seed", range(4))
def test_exact_against_quadrature(seed):
    low, likely, high, functions, weights = world(seed)
    exact = of_triangular(low, likely, high, functions, weights)
    # brute force: the inverse distribution at very many even places
    p = (np.arange(200_000) + 0.5) / 200_000
    score = exact.score
    for a in range(5):
        others = np.delete(score, a).max()
        for c, function in enumerate(functions):
            low_, m, h = low[a, c], likely[a, c], high[a, c]
            if low_ == h:
                assert exact.gain[a, c] == exact.change[a, c] == 0
                continue
            turn = (m - low_) / (h - low_)
            x = np.where(
                p < turn, low_ + np.sqrt(p * (h - low_) * (m - low_)), h - np.sqrt((1 - p) * (h - low_) * (h - m))
            )
            own = score[a] + weights[c] * (function.value(x) - function.value(x).mean())
            assert exact.gain[a, c] == pytest.approx(np.maximum(own, others).mean() - score.max(), abs=1e-7)
            chosen = own > others if a != exact.choice else own < others
            assert exact.change[a, c] == pytest.approx(chosen.mean(), abs=1e-4)


def test_sampled_agrees_with_exact_within_its_stated_error():
    low, likely, high, functions, weights = world()
    exact = of_triangular(low, likely, high, functions, weights)
    matters = exact.gain > 1e-6
    assert matters.sum() >= 2
    off, off_parameters = [], []
    for seed in range(60):
        x, values = drawn(low, likely, high, functions, 1500, seed)
        sampled = of_values(values, weights)
        off.append(((sampled.gain - exact.gain) / np.maximum(sampled.gain_error, 1e-12))[matters])
        binned = of_parameters(values @ weights, x.reshape(1500, -1))
        off_parameters.append(binned.gain.reshape(5, 3)[matters])
    assert np.std(off) == pytest.approx(1, abs=0.2)
    assert abs(np.mean(off)) < 0.25
    np.testing.assert_allclose(np.mean(off_parameters, axis=0), exact.gain[matters], rtol=0.25)


def test_drawn_weights_are_averaged():
    _, values = drawn(*world()[:4], 500, 1)
    weights = np.random.default_rng(1).dirichlet([4, 3, 3], 500)
    one, other = of_values(values, weights), of_values(values, weights.mean(axis=0))
    np.testing.assert_allclose(one.gain, other.gain)


def test_gain_is_never_negative_and_known_numbers_are_worth_nothing():
    _, values = drawn(*world()[:4], 800, 2)
    result = of_values(values, [1, 1, 1])
    assert (result.gain >= 0).all()
    assert result.gain[2, 2] == result.change[2, 2] == result.gain_error[2, 2] == 0


def test_one_site_leaves_nothing_to_choose():
    _, values = drawn(*world()[:4], 100, 2)
    assert not of_values(values[:, :1], [1, 1, 1]).gain.any()
    low, likely, high, functions, weights = world()
    assert not of_triangular(low[:1], likely[:1], high[:1], functions, weights).gain.any()


def test_request_list_puts_the_most_useful_first():
    low, likely, high, functions, weights = world()
    result = of_triangular(low, likely, high, functions, weights)
    rows = pd.DataFrame({"site": np.repeat(list("abcde"), 3), "attribute": ["price", "power", "size"] * 5})
    table = request_list(result, rows)
    assert len(table) == (result.gain > 0).sum()
    assert table["gain"].is_monotonic_decreasing
    a, c = np.unravel_index(result.gain.argmax(), result.gain.shape)
    assert (table.iloc[0]["site"], table.iloc[0]["attribute"]) == ("abcde"[a], ["price", "power", "size"][c])
    with pytest.raises(InputError, match="14 for 15 numbers"):
        request_list(result, rows.iloc[1:])


def test_unusable_input_is_refused():
    low, likely, high, functions, weights = world()
    with pytest.raises(InputError) as refusal:
        of_triangular(low, high, likely, [*functions[:2], ValueFunction("log", 1, 10)], weights)
    assert [fault.where for fault in refusal.value.faults] == ["likely[0, 0]", "functions[2]"]
    with pytest.raises(InputError, match="differ in shape"):
        of_triangular(low, likely, high[:2], functions, weights)
    with pytest.raises(InputError, match="one set, not draws"):
        of_values([[1, 2]], [1, 1])
    with pytest.raises(InputError, match="is unknown"):
        of_values([[[1, np.nan]]], [1, 1])
    with pytest.raises(InputError, match="fewer than 4 each"):
        of_parameters(np.ones((6, 2)), np.ones((6, 1)), blocks=3)
    with pytest.raises(InputError, match="same draws"):
        of_parameters(np.ones((60, 2)), np.ones((50, 1)))


def test_many_choosers_are_answered_as_each_alone():
    rng = np.random.default_rng(5)
    parameters = rng.normal(size=(503, 4))
    scores = [rng.normal(size=(503, a)) + parameters[:, :1] * rng.normal(size=a) for a in (2, 5, 3)]
    for one, given in zip(of_choosers(scores, parameters), scores, strict=True):
        alone = of_parameters(given, parameters)
        for name in ("gain", "gain_error", "change", "score"):
            np.testing.assert_array_equal(getattr(one, name), getattr(alone, name))
    with pytest.raises(InputError, match="have 503 draws, scores 10"):
        list(of_choosers([scores[0], np.ones((10, 2))], parameters))


@pytest.mark.parametrize("seed", range(5))
def test_sites_that_are_behind_in_every_draw_change_nothing(seed):
    rng = np.random.default_rng(seed)
    theta = rng.random((400, 3))
    scores = np.column_stack([theta[:, 0], 0.4 + 0.1 * theta[:, 1], theta[:, 0], rng.random(400)])
    alone = of_parameters(scores, theta)
    behind = scores.min(axis=1, keepdims=True) - 1 - rng.random((400, 2))
    among = of_parameters(np.column_stack([behind[:, :1], scores, behind[:, 1:]]), theta)
    for name in ("gain", "gain_error", "change", "change_error"):
        assert np.allclose(getattr(among, name), getattr(alone, name), rtol=1e-12, atol=0), name
    assert among.choice == alone.choice + 1
    assert (alone.gain[0] > alone.gain[2]) & (alone.change[0] > 0)
