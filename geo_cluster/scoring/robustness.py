"""Robustness: how sure a ranking is, and how little would change it.

SMAA-2 (Lahdelma & Salminen 2001, Operations Research 49: 444-454) asks in how many of the weights and data that can't
be ruled out an alternative takes each rank; Tervonen & Lahdelma 2007 (EJOR 178: 500-513) give the Monte Carlo estimate
and its error. The entropies of choice and ranking are those of the R package smaa (0.3-3; van Valkenhoef & Tervonen
2013, EURO 2013). For the additive model the rest is exact: how far one weight may move, and the smallest change of
weights or of a datum that puts another alternative first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.scoring.aggregate import (
    TIE,
    Aggregation,
    Array,
    as_floats,
    checked,
    competition_rank,
    first_at,
    weighted_sum,
)
from geo_cluster.scoring.values import ValueFunction
from geo_cluster.world import triangular

# Numbers held at once by a step that works on (draws, A, A), and by one that is to stay in a core's cache.
CHUNK = 4_000_000
CACHED = 32_000


@dataclass(frozen=True)
class Smaa:
    """Stochastic multicriteria acceptability of A alternatives over N draws; each part is made when first asked for.

    Parameters
    ----------
    utilities : ndarray, (N, A, C) or (A, C)
    weights : ndarray, (N, C) or (C,)
        Scaled to sum 1.
    """

    utilities: Array
    weights: Array

    @property
    def draws(self) -> int:
        """N, behind every chance; see `acceptability_error` and `wilson`."""
        return max(len(self.utilities) if self.utilities.ndim == 3 else 1, len(np.atleast_2d(self.weights)))

    @cached_property
    def score(self) -> Array:
        """Additive scores, (N, A)."""
        return np.atleast_2d(weighted_sum(self.utilities, self.weights, np.ones(self.utilities.shape[-1], bool))[0])

    @cached_property
    def acceptability(self) -> Array:
        """Chance of rank r + 1, (A, A): alternatives × ranks. Rows sum to 1; ties share the better rank."""
        u, minus = self.utilities, -np.atleast_2d(self.weights)
        # products too small for BLAS to start threads of its own beside ours
        step = max(250_000 // (u.shape[-2] * u.shape[-1]), 8)

        def write(rows: slice, cost: Array) -> None:
            w = minus[rows] if len(minus) > 1 else np.broadcast_to(minus, (len(cost), minus.shape[1]))
            if u.ndim == 3:
                np.einsum("nac,nc->na", u[rows], w, out=cost)
                return
            for first in range(0, len(cost), step):
                np.matmul(w[first : first + step], u.T, out=cost[first : first + step])

        return _rank_shares(write, self.draws, u.shape[-2])

    @cached_property
    def central_weights(self) -> Array:
        """Mean of the weights that put the alternative first, (A, C); nan where none of the draws did."""
        first = _is_first(self.score)
        with np.errstate(invalid="ignore"):
            return first.T @ np.broadcast_to(self.weights, (self.draws, self.weights.shape[-1])) / first.sum(0)[:, None]

    @cached_property
    def confidence(self) -> Array:
        """Chance of being first, over the data, if one holds the central weights, (A,); nan if there are none."""
        return _confidence(self.utilities, self.central_weights)

    @cached_property
    def pairwise(self) -> Array:
        """Chance that the row's alternative beats the column's, (A, A); a tie counts half to each, the diagonal 0.5."""
        return pairwise_wins(self.score)

    @cached_property
    def choice_entropy(self) -> float:
        """How open the first choice is, in bits: 0 when always the same alternative leads, log2(A) when any may.

        Shannon entropy of who leads; those who tie share the draw. Two to this power is the number of alternatives
        that, each as likely as the others, would leave the choice as open.
        """
        first = _is_first(self.score)
        return _bits((first / first.sum(axis=1, keepdims=True)).mean(axis=0))

    @cached_property
    def rank_entropy(self) -> float:
        """How open the whole ranking is, in bits: Shannon entropy over the rankings that occur, 0 to log2(A!).

        It can't exceed log2(N), and near that the draws are too few to tell.
        """
        ranks = competition_rank(self.score).astype(np.min_scalar_type(self.score.shape[1]))
        return _bits(np.unique(ranks, axis=0, return_counts=True)[1] / len(ranks))

    @cached_property
    def acceptability_error(self) -> Array:
        """Standard error of `acceptability`, binomial."""
        return standard_error(self.acceptability, self.draws)

    @cached_property
    def pairwise_error(self) -> Array:
        """Standard error of `pairwise`, binomial."""
        return standard_error(self.pairwise, self.draws)

    def interval(self, *, level: float = 0.95) -> tuple[Array, Array]:
        """Wilson interval of `acceptability`: never outside 0..1, and not of width 0 at a chance of 0 or 1."""
        return wilson(self.acceptability, self.draws, level=level)


def smaa(utilities: ArrayLike, weights: ArrayLike) -> Smaa:
    """SMAA-2 of the additive model over draws of data and weights.

    Parameters
    ----------
    utilities : array-like, (N, A, C) or (A, C)
        Values on each criterion, more is better; draws of them, or one set that is known.
    weights : array-like, (N, C) or (C,)
        Draws of weights (`scoring.weights`), or one set. Draw n of the data meets draw n of the weights, so draws
        from elsewhere, such as published ones, give their result exactly.

    Raises
    ------
    InputError
        If values are unknown or infinite, weights can't be used, or shapes don't agree.
    """
    u, w, _ = checked(utilities, weights)
    refuse_if([_unknown(u)] if np.isnan(u).any() else [])
    return Smaa(u, w)


def rank_acceptability(score: ArrayLike, *, lower_is_better: bool = False) -> Array:
    """Share of draws in which each alternative takes each rank, for scores of any method.

    Parameters
    ----------
    score : array-like, (N, A)
        Such as `Aggregation.score`.
    lower_is_better : bool
        For scores such as VIKOR's.

    Returns
    -------
    ndarray, (A, A)
        Alternatives × ranks. Ties share the better rank.
    """
    faults: list[Fault] = []
    scores = as_floats(score, "score", (2,), faults)
    if not np.isfinite(scores).all():
        faults.append(Fault("scoring.not_finite", first_at("score", ~np.isfinite(scores))))
    refuse_if(faults)
    sign = 1.0 if lower_is_better else -1.0
    return _rank_shares(lambda rows, cost: np.multiply(scores[rows], sign, out=cost), *scores.shape)


def pairwise_wins(score: ArrayLike, *, lower_is_better: bool = False) -> Array:
    """Share of draws (N, A) in which the row's alternative beats the column's, ties half: (A, A)."""
    rank = competition_rank(score, lower_is_better=lower_is_better)
    draws, count = rank.shape
    by_alternative = np.ascontiguousarray(rank.T, dtype=np.min_scalar_type(count))
    wins = np.array([np.count_nonzero(own < by_alternative, axis=1) for own in by_alternative])
    return (1 + (wins - wins.T) / draws) / 2


def standard_error(chance: ArrayLike, draws: int) -> Array:
    """Binomial standard error of a chance estimated from independent draws."""
    p = np.asarray(chance, dtype=np.float64)
    return np.sqrt(p * (1 - p) / draws)


def wilson(chance: ArrayLike, draws: int, *, level: float = 0.95) -> tuple[Array, Array]:
    """Wilson score interval (1927) of a chance estimated from independent draws.

    Parameters
    ----------
    chance : array-like
        Shares of the draws, 0 to 1, of any shape.
    draws : int
        How many there were.
    level : float
        Confidence.

    Returns
    -------
    low, high : ndarray
        Of the shape of `chance`.
    """
    p = np.asarray(chance, dtype=np.float64)
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (p + z2 / (2 * draws)) / (1 + z2 / draws)
    half = np.sqrt(z2 * (p * (1 - p) / draws + z2 / (4 * draws**2))) / (1 + z2 / draws)
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def sample_triangular(low: ArrayLike, likely: ArrayLike, high: ArrayLike, draws: int, *, seed: int) -> Array:
    """Draws (N, …) of numbers known as low, likely, high (any shape): triangular, independent of each other.

    Parameters
    ----------
    low, likely, high : array-like
        Of shapes that can be broadcast.
    draws : int
        N.
    seed : int

    Raises
    ------
    InputError
        Where low <= likely <= high does not hold, or one is not finite.
    """
    a, m, b = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (low, likely, high)))
    bad = ~(np.isfinite(a) & np.isfinite(b) & (a <= m) & (m <= b))
    refuse_if([Fault("scoring.not_between", first_at("likely", bad))] if bad.any() else [])
    uniform = np.random.default_rng(seed).random((draws, *a.shape))
    return triangular.quantiles(uniform, a, m, b)


@dataclass(frozen=True)
class WeightStability:
    """How far each weight may move, others rescaled in proportion, before the leader changes.

    Parameters
    ----------
    leader : int
        Who leads at the stated weights.
    weights : ndarray, (C,)
        The stated weights, scaled to sum 1.
    low, high : ndarray, (C,)
        The leader keeps the lead while the weight is within; 0 and 1 where nothing would change it.
    low_rival, high_rival : ndarray of int, (C,)
        Who takes over below and above; -1 where nobody does.
    """

    leader: int
    weights: Array
    low: Array
    high: Array
    low_rival: NDArray[np.intp]
    high_rival: NDArray[np.intp]


def weight_stability(values: ArrayLike, weights: ArrayLike) -> WeightStability:
    """Weight-stability intervals of the additive model, in closed form.

    When weight j moves to x and the others keep their proportions, the lead of one alternative over another is a
    straight line in x.

    Parameters
    ----------
    values : array-like, (A, C)
    weights : array-like, (C,)
    """
    v, w, leader = _additive(values, weights)
    # what the others are worth together, per unit of their weight; in equal shares if they have none
    rest = 1 - w
    alone = rest <= TIE
    others = np.where(alone, (v.sum(1, keepdims=True) - v) / max(len(w) - 1, 1), (v @ w)[:, None] - v * w)
    others = others / np.where(alone, 1.0, rest)
    ahead_at_0 = others[leader] - others  # (A, C): lead where the weight is 0, and where it is 1
    ahead_at_1 = v[leader] - v
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = ahead_at_0 / (ahead_at_0 - ahead_at_1)
    below = np.where((ahead_at_0 < -TIE) & (ahead_at_1 >= 0), np.clip(crossing, 0, w), 0.0)
    above = np.where((ahead_at_1 < -TIE) & (ahead_at_0 >= 0), np.clip(crossing, w, 1), 1.0)
    below[leader], above[leader] = 0.0, 1.0
    columns = np.arange(len(w))
    low_rival, high_rival = below.argmax(axis=0), above.argmin(axis=0)
    return WeightStability(
        leader,
        w,
        below[low_rival, columns],
        above[high_rival, columns],
        np.where((ahead_at_0 < -TIE).any(axis=0), low_rival, -1),
        np.where((ahead_at_1 < -TIE).any(axis=0), high_rival, -1),
    )


@dataclass(frozen=True)
class WeightChange:
    """Weights nearest to the stated ones at which the rival draws level with the leader.

    Parameters
    ----------
    leader, rival : int
    weights : ndarray, (C,)
        Where they are level; nan if there are none: the leader is better on every criterion.
    distance : float
        From the stated weights, in the norm asked for; inf if there are none.
    norm : {"single", "l1", "l2"}
    criterion : int
        Whose weight moves, for "single"; else -1.
    """

    leader: int
    rival: int
    weights: Array
    distance: float
    norm: str
    criterion: int = -1


def smallest_weight_change(
    values: ArrayLike, weights: ArrayLike, *, rival: int | None = None, norm: str = "single"
) -> WeightChange:
    """Smallest change of weights that puts `rival` level with the leader of the additive model.

    Parameters
    ----------
    values : array-like, (A, C)
    weights : array-like, (C,)
    rival : int, optional
        Default: the second.
    norm : {"single", "l1", "l2"}
        ``single``: one weight moves, by the least, and the others keep their proportions.
        ``l1``: least sum of changes: weight goes from where the rival is worst to where it is best.
        ``l2``: least Euclidean distance.
    """
    v, w, leader = _additive(values, weights)
    second = _rival(v @ w, leader, rival)
    gain = v[second] - v[leader]
    find = {"single": _single, "l1": _least_sum, "l2": _least_square}
    refuse_if([] if norm in find else [Fault("scoring.unknown_option", "norm", value=norm, known=list(find))])
    if gain @ w >= -TIE:
        return WeightChange(leader, second, w, 0.0, norm)
    if gain.max() < 0:
        return WeightChange(leader, second, np.full_like(w, np.nan), float("inf"), norm)
    level, criterion = find[norm](gain, w)
    change = np.abs(level - w)
    distance = {"single": change[criterion], "l1": change.sum(), "l2": np.linalg.norm(change)}[norm]
    return WeightChange(leader, second, level, float(distance), norm, criterion)


def smallest_datum_change(
    values: ArrayLike,
    weights: ArrayLike,
    *,
    rival: int | None = None,
    functions: Sequence[ValueFunction] | None = None,
) -> pd.DataFrame:
    """Single numbers that, if they were different, would put `rival` level with the leader of the additive model.

    Parameters
    ----------
    values : array-like, (A, C)
        In [0, 1].
    weights : array-like, (C,)
    rival : int, optional
        Default: the second.
    functions : sequence of ValueFunction, (C,), optional
        Turn the value needed back into the criterion's unit.

    Returns
    -------
    DataFrame
        Smallest change first; one row per number of the rival that could rise enough, or of the leader that could
        fall enough, within 0..1: `alternative`, `criterion` (places), `value`, `needed`, `change`, and with
        `functions` also `needed_natural`. Empty if no single number would do.
    """
    v, w, leader = _additive(values, weights)
    second = _rival(v @ w, leader, rival)
    lead = (v[leader] - v[second]) @ w
    step = level_steps(np.atleast_1d(lead), w)[0]
    needed = np.concatenate([v[second] + step, v[leader] - step])
    table = pd.DataFrame(
        {
            "alternative": np.repeat([second, leader], len(w)),
            "criterion": np.tile(np.arange(len(w)), 2),
            "value": np.concatenate([v[second], v[leader]]),
            "needed": needed,
        }
    )
    table["change"] = table["needed"] - table["value"]
    table = table[(needed >= -TIE) & (needed <= 1 + TIE)].copy()
    table["needed"] = table["needed"].clip(0, 1)
    if functions is not None:
        table["needed_natural"] = [
            float(functions[criterion].inverse(value))
            for criterion, value in zip(table["criterion"], table["needed"], strict=True)
        ]
    order = table["change"].abs().sort_values(kind="stable").index
    return table.loc[order].reset_index(drop=True)


def level_steps(lead: Array, weights: Array) -> Array:
    """(R, C): by how much one value has to change so that a pair with that lead, (R,), is level; inf without weight."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weights > 0, lead[:, None] / weights, np.inf)


def agreement(rankings: Mapping[str, Aggregation | ArrayLike], *, measure: str = "kendall") -> pd.DataFrame:
    """How far methods agree: rank correlation of each pair.

    Parameters
    ----------
    rankings : mapping of name to Aggregation or ranks (A,)
    measure : {"kendall", "spearman"}
        Kendall's tau-b, or Spearman's rho.

    Returns
    -------
    DataFrame
        Names × names, 1 on the diagonal; nan where a method ties all alternatives.
    """
    if measure not in ("kendall", "spearman"):
        refuse_if([Fault("scoring.unknown_option", "measure", value=measure, known=["kendall", "spearman"])])
    ranks = np.array([r.rank if isinstance(r, Aggregation) else r for r in rankings.values()], dtype=float)
    if measure == "kendall":  # tau-b is the cosine of who is ahead of whom
        order = np.sign(ranks[:, :, None] - ranks[:, None, :]).reshape(len(ranks), -1)
    else:
        order = np.array([_midranks(row) for row in ranks])
    length = np.linalg.norm(order, axis=1)
    with np.errstate(invalid="ignore"):
        table = np.clip(order @ order.T / np.outer(length, length), -1, 1)
    np.fill_diagonal(table, 1.0)
    return pd.DataFrame(table, index=list(rankings), columns=list(rankings))


def _midranks(values: Array) -> Array:
    """Ranks around their mean, ties in the middle of theirs."""
    return (np.sign(values[:, None] - values[None, :])).sum(axis=1) / 2


def _rank_shares(write: Callable[[slice, Array], object], draws: int, count: int) -> Array:
    """Alternatives × ranks, from costs (low is best) that `write` puts into a block of draws (rows, A)."""
    size = max(CACHED // count, 1)
    share = -(-draws // (os.cpu_count() or 1))

    def work(start: int) -> NDArray[np.intp]:
        end = min(start + share, draws)
        block, gaps = np.empty((8 * size, count)), np.empty((size, count - 1))
        counts = np.zeros(count * count, dtype=np.intp)
        for first in range(start, end, len(block)):
            filled = block[: end - first]
            close = np.zeros(len(filled), dtype=bool)
            for at in range(0, len(filled), size):
                rows = slice(at, min(at + size, len(filled)))
                write(slice(first + rows.start, first + rows.stop), filled[rows])
                close[rows] = _places(filled[rows], gaps[: rows.stop - at])
            places = filled.view(np.int64)
            counts += np.bincount((places[~close] if close.any() else places).ravel(), minlength=count * count)
            if close.any():
                write(slice(first, first + len(filled)), filled)
                rank = competition_rank(filled[close], lower_is_better=True)
                np.add.at(counts, (rank - 1) * count + np.arange(count), 1)
        return counts

    with ThreadPoolExecutor() as pool:
        total = np.sum(list(pool.map(work, range(0, draws, share))), axis=0)
    return total.reshape(count, count).T / draws


def _places(cost: Array, gaps: Array) -> NDArray[np.bool_]:
    """Replace costs (rows, A), seen as integers, by rank · A + alternative; True for rows with costs too close.

    The alternative's number is written into the lowest bits of its cost, so that one plain sort orders both, in a
    fraction of the time of an argsort. Too close is what those bits could hide. `gaps` is room to work in.
    """
    count = cost.shape[1]
    bits = max(int(count - 1).bit_length(), 1)
    # all above 0 and within a factor of 3: the hidden number weighs the same in each
    shift = 2 * max(cost.max(), -cost.min()) or 1.0
    cost += shift
    packed = cost.view(np.int64)
    packed &= -(1 << bits)
    packed |= np.arange(count)
    cost.sort(axis=-1)
    np.subtract(cost[:, 1:], cost[:, :-1], out=gaps)
    packed &= (1 << bits) - 1
    packed += np.arange(count) * count
    return gaps.min(axis=1, initial=np.inf) <= shift * 2.0 ** (bits - 50) + TIE * shift


def _is_first(score: Array) -> NDArray[np.bool_]:
    """Who leads in each draw; several where they tie."""
    best = score.max(axis=-1, keepdims=True)
    return score >= best - TIE * np.abs(score).max(axis=-1, keepdims=True)


def _bits(shares: Array) -> float:
    """Shannon entropy of shares that sum to 1."""
    some = shares[shares > 0]
    return float(np.abs(some @ np.log2(some)))


def _confidence(utilities: Array, central: Array) -> Array:
    result = np.full(len(central), np.nan)
    favoured = np.flatnonzero(~np.isnan(central).any(axis=1))
    data = utilities if utilities.ndim == 3 else utilities[None]
    wins = np.zeros(len(favoured))
    rows = max(1, CHUNK // (data.shape[1] * len(favoured)))
    for start in range(0, len(data), rows):
        score = data[start : start + rows] @ central[favoured].T  # (rows, A, favoured)
        best = score.max(axis=1) - TIE * np.abs(score).max(axis=1)
        wins += (score[:, favoured, np.arange(len(favoured))] >= best).sum(axis=0)
    result[favoured] = wins / len(data)
    return result


def _additive(values: ArrayLike, weights: ArrayLike) -> tuple[Array, Array, int]:
    """Values (A, C), weights (C,) and the leader."""
    v, w, _ = checked(values, weights)
    faults = [_unknown(v)] if np.isnan(v).any() else []
    if v.ndim != 2 or w.ndim != 1:
        faults.append(Fault("scoring.draws_not_one_set", "values and weights"))
    if not faults and len(v) < 2:
        faults.append(Fault("scoring.one_alternative", "values"))
    refuse_if(faults)
    return v, w, int(np.argmin(competition_rank(v @ w)))  # ties by place, not by rounding


def _rival(score: Array, leader: int, rival: int | None) -> int:
    if rival is None:
        others = np.delete(np.arange(len(score)), leader)
        return int(others[np.argmin(competition_rank(score[others]))])
    refuse_if([] if 0 <= rival < len(score) and rival != leader else [Fault("scoring.no_rival", "rival", rival=rival)])
    return rival


def _single(gain: Array, weights: Array) -> tuple[Array, int]:
    """Move one weight until gain @ weights = 0."""
    target, (criterion,) = single_changes(gain[None], weights)
    alone, rest = 1 - weights <= TIE, 1 - weights
    scale = (1 - target[0]) / (1.0 if alone[criterion] else rest[criterion])
    level = (np.full_like(weights, 1 / max(len(gain) - 1, 1)) if alone[criterion] else weights) * scale
    level[criterion] = target[0]
    return level, int(criterion)


def single_changes(gain: Array, weights: Array) -> tuple[Array, NDArray[np.intp]]:
    """Of R pairs, which one weight has to move least, and to where, until gain @ weights = 0.

    Parameters
    ----------
    gain : (R, C) array
        What the rival is ahead by on each criterion; on one at least it is not behind.
    weights : (C,) array
        Adds up to 1.

    Returns
    -------
    target : (R,) array
    criterion : (R,) array of int
    """
    rest = 1 - weights
    alone = rest <= TIE
    lead = (gain * weights).sum(axis=1, keepdims=True)
    others = np.where(alone, (gain.sum(axis=1, keepdims=True) - gain) / max(len(weights) - 1, 1), lead - gain * weights)
    others = others / np.where(alone, 1.0, rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        target = others / (others - gain)
    target = np.where((target >= 0) & (target <= 1), target, np.nan)
    away = np.where(np.isnan(target), np.inf, np.abs(target - weights))
    criterion = away.argmin(axis=1)
    return target[np.arange(len(gain)), criterion], criterion


def _least_sum(gain: Array, weights: Array) -> tuple[Array, int]:
    """Move weight to the rival's best criterion, from its worst first, until level."""
    best = int(np.argmax(gain))
    lack = -float(gain @ weights)
    level = weights.copy()
    for criterion in np.argsort(gain):
        per_unit = gain[best] - gain[criterion]
        if lack <= TIE or per_unit <= TIE:
            break
        moved = min(level[criterion], lack / per_unit)
        level[criterion] -= moved
        level[best] += moved
        lack -= moved * per_unit
    return level, -1


def _least_square(gain: Array, weights: Array) -> tuple[Array, int]:
    """Project the weights onto the simplex where gain @ weights >= 0: bisection over the multiplier."""
    low, high = 0.0, 1.0
    while gain @ _project(weights + high * gain) < 0 and high < 1e12:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if gain @ _project(weights + middle * gain) < 0 else (low, middle)
    return _project(weights + high * gain), -1


def _project(point: Array) -> Array:
    """Nearest point of the simplex (Held, Wolfe & Crowder 1974)."""
    descending = -np.sort(-point)
    excess = (np.cumsum(descending) - 1) / np.arange(1, len(point) + 1)
    return np.maximum(point - excess[np.flatnonzero(descending > excess)[-1]], 0.0)


def _unknown(values: Array) -> Fault:
    return Fault("scoring.unknown_value", first_at("values", np.isnan(values)))
