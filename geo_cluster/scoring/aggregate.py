"""Aggregation: from values on many criteria to one score, each method as its paper defines it.

Every method takes values or draws of values, and weights or draws of weights, and works on whole arrays. With
``method="weighted_sum"`` on the values of `scoring.values` a site's score depends on no other site; all other methods
are relative: their scores compare the sites of one call and mean nothing outside it.

=================  ========  ==========================================================================
method             best is   source
=================  ========  ==========================================================================
weighted_sum       high      Fishburn 1967; Keeney & Raiffa 1976
weighted_product   high      Bridgman 1922; Miller & Starr 1969
topsis             high      Hwang & Yoon 1981
vikor              low       Opricovic & Tzeng 2004, EJOR 156: 445-455
promethee          high      Brans & Vincke 1985, Management Science 31: 647-656 (II: net flow)
owa                high      Yager 1988, IEEE Trans. SMC 18: 183-190
copras             high      Zavadskas, Kaklauskas & Sarka 1994
edas               high      Keshavarz Ghorabaee et al. 2015, Informatica 26: 435-451
=================  ========  ==========================================================================

Unknown (nan): the weighted sum of values in [0, 1] widens to an interval, `low … high`. A relative method moves every
site's score when one number moves, so it refuses nan and asks for draws instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, refuse_if

Array = NDArray[np.float64]
Scored = tuple[Array, dict[str, NDArray[Any]]]

# Scores closer than this (relative to the largest) are one score: rounding must not break a tie.
TIE = 1e-12


@dataclass(frozen=True)
class Aggregation:
    """Scores of A alternatives, once or for each of N draws.

    Parameters
    ----------
    method : str
        How they were made.
    score : ndarray, (A,) or (N, A)
        As the paper defines it; where values were unknown, the middle of `low … high`.
    lower_is_better : bool
        True for VIKOR only.
    low, high : ndarray, like `score`
        Bounds over all that the unknown values could be; equal to `score` when nothing is unknown.
    parts : dict of str to ndarray
        Intermediate results that the paper names, such as VIKOR's S and R.
    """

    method: str
    score: Array
    lower_is_better: bool = False
    low: Array = field(kw_only=True)
    high: Array = field(kw_only=True)
    parts: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @cached_property
    def rank(self) -> NDArray[np.intp]:
        """Rank of each alternative, like `score`: 1 = best, ties share the better rank (1, 2, 2, 4)."""
        return competition_rank(self.score, lower_is_better=self.lower_is_better)


def aggregate(
    values: ArrayLike,
    weights: ArrayLike,
    objectives: Sequence[str] | None = None,
    *,
    method: str = "topsis",
    **options: Any,
) -> Aggregation:
    """Score alternatives on several criteria.

    Parameters
    ----------
    values : array-like, (A, C) or (N, A, C)
        Alternatives × criteria, natural units or values; or N draws of it.
    weights : array-like, (C,) or (N, C)
        Non-negative, any scale; or N draws. `method="owa"` without `order_weights` reads them as Yager's order
        weights, for the largest value first.
    objectives : sequence of {"max", "min"}, optional
        Whether more or less of a criterion is better; default all ``"max"``.
    method : str
        One of `METHODS`; see the head of this module.
    **options
        `normalisation` (weighted_sum, weighted_product, topsis, owa), `v` (vikor), `preference`, `q`, `p`, `s`
        (promethee), `order_weights` (owa): see the function of that name.

    Returns
    -------
    Aggregation
        Scores (A,), or (N, A) if values or weights are draws.

    Raises
    ------
    InputError
        With every fault: shapes that don't agree, weights negative or all zero, infinite values, unknown values
        where the method can't bound them, values outside a method's domain.
    """
    if method not in METHODS:
        refuse_if([Fault("scoring.unknown_option", "method", value=method, known=sorted(METHODS))])
    score, parts = METHODS[method](*checked(values, weights, objectives), **options)
    low, high = parts.pop("low", score), parts.pop("high", score)
    return Aggregation(method, score, method == "vikor", low=low, high=high, parts=parts)


def competition_rank(score: ArrayLike, *, lower_is_better: bool = False) -> NDArray[np.intp]:
    """Rank along the last axis: 1 = best, ties share the better rank (1, 2, 2, 4).

    Scores that differ by less than rounding (`TIE` of the largest) are tied.

    >>> competition_rank([70, 90, 70, 40]).tolist()
    [2, 1, 2, 4]
    """
    score = np.asarray(score, dtype=np.float64)
    cost = score if lower_is_better else -score
    order = np.argsort(cost, axis=-1, kind="stable")
    ascending = np.take_along_axis(cost, order, axis=-1)
    tolerance = TIE * np.maximum(np.abs(ascending).max(axis=-1, keepdims=True), TIE)
    new = np.diff(ascending, axis=-1, prepend=-np.inf) > tolerance
    place = np.maximum.accumulate(np.where(new, np.arange(1, score.shape[-1] + 1), 1), axis=-1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, place, axis=-1)
    return rank


def checked(
    values: ArrayLike, weights: ArrayLike, objectives: Sequence[str] | None = None
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Values as floats, weights that sum to 1, and which criteria are maximised; or InputError with every fault.

    Parameters
    ----------
    values : array-like, (A, C) or (N, A, C)
    weights : array-like, (C,) or (N, C)
        On any scale.
    objectives : sequence of {"max", "min"}, optional
        Default all ``"max"``.
    """
    faults: list[Fault] = []
    v = as_floats(values, "values", (2, 3), faults)
    w = as_weights(weights, "weights", v.shape[-1], faults)
    if np.isinf(v).any():
        faults.append(Fault("scoring.infinite", first_at("values", np.isinf(v))))
    if v.ndim == 3 and w.ndim == 2 and len(v) != len(w):
        faults.append(Fault("scoring.draws_differ", "weights", weights=len(w), values=len(v)))
    named = ["max"] * v.shape[-1] if objectives is None else list(objectives)
    if len(named) != v.shape[-1]:
        faults.append(Fault("scoring.not_one_each", "objectives", count=len(named), criteria=v.shape[-1]))
    faults += [
        Fault("scoring.unknown_option", f"objectives[{at}]", value=str(objective), known=["max", "min"])
        for at, objective in enumerate(named)
        if objective not in ("max", "min")
    ]
    refuse_if(faults)
    return v, w, np.array([name == "max" for name in named])


def as_floats(array: ArrayLike, name: str, dimensions: tuple[int, ...], faults: list[Fault]) -> Array:
    """`array` as floats of one of the numbers of `dimensions`; what is wrong goes to `faults`.

    Parameters
    ----------
    array : array-like
    name : str
        What it is called in a fault.
    dimensions : tuple of int
        Numbers of dimensions that it may have.
    faults : list of Fault
        Gets what is wrong; an empty array is returned then.
    """
    try:
        result = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        faults.append(Fault("scoring.not_numbers", name, reason=str(error)))
        return np.zeros((0,) * dimensions[0])
    if result.ndim not in dimensions:
        faults.append(Fault("scoring.odd_dimensions", name, found=result.ndim, expected=list(dimensions)))
        return np.zeros((0,) * dimensions[0])
    if 0 in result.shape:
        faults.append(Fault("scoring.no_content", name, shape=str(result.shape)))
    return result


def as_weights(weights: ArrayLike, name: str, count: int, faults: list[Fault]) -> Array:
    """Weights (C,) or (N, C) scaled to sum 1; what is wrong goes to `faults`.

    Parameters
    ----------
    weights : array-like, (C,) or (N, C)
        Non-negative, on any scale.
    name : str
        What they are called in a fault.
    count : int
        C, or 0 where any number will do.
    faults : list of Fault
        Gets what is wrong.
    """
    w = as_floats(weights, name, (1, 2), faults)
    if 0 in w.shape:
        return w
    if count and w.shape[-1] != count:
        faults.append(Fault("scoring.not_one_each", name, count=w.shape[-1], criteria=count))
    with np.errstate(over="ignore", invalid="ignore"):
        total = w @ np.ones(w.shape[-1])
    if np.isfinite(total).all() and np.min(w) >= 0 and np.min(total) > np.finfo(np.float64).tiny:
        return w / total[..., None]
    if not np.isfinite(w).all():
        faults.append(Fault("scoring.weight_not_finite", first_at(name, ~np.isfinite(w))))
    elif (w < 0).any():
        faults.append(Fault("scoring.weight_negative", first_at(name, w < 0)))
    elif not w.any(axis=-1).all():
        faults.append(Fault("scoring.weights_zero", name))
    else:
        w = w / w.max(axis=-1, keepdims=True)  # so huge that their sum overflows, or so tiny that it vanishes
        w = w / w.sum(axis=-1, keepdims=True)
    return w


def first_at(name: str, wrong: NDArray[np.bool_]) -> str:
    """Name and index of the first True."""
    return f"{name}[{', '.join(map(str, np.argwhere(wrong)[0]))}]"


def normalise(values: Array, maximise: NDArray[np.bool_], how: str) -> Array:
    """Bring criteria to a common scale; `min` criteria become "more is better" unless `how` is "vector" or "sum".

    Parameters
    ----------
    values : ndarray, (…, A, C)
    maximise : ndarray of bool, (C,)
    how : {"none", "minmax", "max", "sum", "vector"}
        ``minmax``: 0 at the worst alternative, 1 at the best; a constant criterion is 1 for all.
        ``max``: x / max, or min / x for `min`; needs values above 0.
        ``sum``, ``vector``: divided by the column's sum or Euclidean norm, `min` criteria negated.
        ``none``: as they are, `min` criteria as 1 - x.
    """
    if how == "none":
        return values if maximise.all() else np.where(maximise, values, 1.0 - values)
    if how == "minmax":
        low, high = values.min(axis=-2, keepdims=True), values.max(axis=-2, keepdims=True)
        span = high - low
        raised = np.where(maximise, values - low, high - values)
        return np.divide(raised, span, out=np.ones_like(values), where=np.broadcast_to(span > 0, values.shape))
    if how == "max":
        _refuse_unless(values > 0, "max", "scoring.needs_positive")
        low, high = values.min(axis=-2, keepdims=True), values.max(axis=-2, keepdims=True)
        return np.where(maximise, values / high, low / values)
    if how not in ("sum", "vector"):
        known = ["none", "minmax", "max", "sum", "vector"]
        refuse_if([Fault("scoring.unknown_option", "normalisation", value=how, known=known)])
    size = np.abs(values).sum(-2, keepdims=True) if how == "sum" else _norm(values)
    return np.where(maximise, values, -values) / np.where(size > 0, size, 1.0)


def weighted_sum(values: Array, weights: Array, maximise: NDArray[np.bool_], *, normalisation: str = "none") -> Scored:
    """Σ w·x, with `min` criteria as 1 - x; nan widens the score to an interval, for values in [0, 1].

    By default `values` are taken as they are: give values of `scoring.values`, or ask for a `normalisation` of
    natural units, which makes the score relative to the alternatives at hand (and refuses nan).

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    normalisation : str
        As `normalise` has it; ``none`` takes values as they are.
    """
    unknown = np.isnan(values)
    if normalisation != "none" or not unknown.any():
        _refuse_unless(~unknown, normalisation, "scoring.needs_known")
        return _dot(normalise(values, maximise, normalisation), weights), {}
    _refuse_unless(unknown | ((values >= 0) & (values <= 1)), "weighted_sum", "scoring.needs_unit")
    known = np.where(unknown, 0.0, normalise(values, maximise, "none"))
    low = _dot(known, weights)
    width = _dot(unknown.astype(np.float64), weights)
    return low + width / 2, {"low": low, "high": low + width}


def weighted_product(
    values: Array, weights: Array, maximise: NDArray[np.bool_], *, normalisation: str = "none"
) -> Scored:
    """Π x^w, with `min` criteria as x^-w. Values must be above 0 (0 is allowed, and fatal, on a `max` criterion).

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    normalisation : str
        As `normalise` has it; ``none`` takes values as they are.
    """
    if normalisation == "none":
        good = np.where(maximise, values >= 0, values > 0)
        _refuse_unless(good, "weighted_product", "scoring.needs_positive_but_max")
        with np.errstate(divide="ignore"):
            logs = np.log(values)
        logs = np.where(maximise, logs, -logs)
    else:
        _refuse_unless(~np.isnan(values), "weighted_product", "scoring.needs_known")
        scaled = normalise(values, maximise, normalisation)
        _refuse_unless(scaled >= 0, "weighted_product", "scoring.needs_scaled")
        with np.errstate(divide="ignore"):
            logs = np.log(scaled)
    # 0 ** 0 is 1: a criterion without weight is no criterion, so its -inf must not meet that 0
    zero = np.isneginf(logs)
    product = np.exp(_dot(np.where(zero, 0.0, logs), weights))
    if zero.any():
        product = np.where(_dot(zero.astype(np.float64), weights) > 0, 0.0, product)
    return product, {}


def topsis(values: Array, weights: Array, maximise: NDArray[np.bool_], *, normalisation: str = "vector") -> Scored:
    """Relative closeness to the ideal, d⁻ / (d⁺ + d⁻); 1 where all alternatives are alike.

    The ideal does not depend on (non-negative) weights, so all draws of weights are one matrix product of squared
    weights with squared distances.

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    normalisation : str
        As `normalise` has it; ``none`` takes values as they are.
    """
    _refuse_unless(~np.isnan(values), "topsis", "scoring.needs_known")
    scaled = normalise(values, maximise, normalisation)
    to_ideal = np.square(scaled.max(axis=-2, keepdims=True) - scaled)
    to_anti = np.square(scaled - scaled.min(axis=-2, keepdims=True))
    squared = np.square(weights)
    score = _closeness(to_ideal, to_anti, squared)
    alike = (squared * (to_ideal + to_anti).max(axis=-2)).sum(axis=-1) == 0
    return (np.where(alike[..., None], 1.0, score) if alike.any() else score), {}


def vikor(values: Array, weights: Array, maximise: NDArray[np.bool_], *, v: float = 0.5) -> Scored:
    """Q of VIKOR (low is best), from group utility S and individual regret R; `v` weighs S against R.

    `parts` holds ``S``, ``R`` and ``compromise``: True for the alternatives of the paper's compromise solution
    (acceptable advantage DQ = 1/(A-1), acceptable stability in S or R).

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    v : float
        Weight of S against R, 0 to 1.
    """
    refuse_if([] if 0 <= v <= 1 else [Fault("scoring.outside_unit", "v", value=v)])
    _refuse_unless(~np.isnan(values), "vikor", "scoring.needs_known")
    best, worst = _best_worst(values, maximise)
    span = best - worst
    regret = np.divide(best - values, span, out=np.zeros_like(values), where=np.broadcast_to(span != 0, values.shape))
    group = _dot(regret, weights)
    individual = np.zeros_like(group)
    for criterion in range(values.shape[-1]):  # (N, A) at a time: (N, A, C) would not fit for many draws
        np.maximum(individual, regret[..., criterion] * weights[..., criterion, None], out=individual)
    score = v * _minmax(group) + (1 - v) * _minmax(individual)
    return score, {"S": group, "R": individual, "compromise": _compromise(score, group, individual)}


def promethee(
    values: Array,
    weights: Array,
    maximise: NDArray[np.bool_],
    *,
    preference: str | Sequence[str] = "usual",
    q: ArrayLike = 0.0,
    p: ArrayLike = 0.0,
    s: ArrayLike = 0.0,
) -> Scored:
    """Net flow of PROMETHEE II, from the flows of each criterion; `parts` holds the flows ``plus`` and ``minus``.

    Flows are means over the other alternatives, as since Brans & Mareschal 2005; the first papers print their sums,
    A - 1 times as much.

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    preference : str or one per criterion
        Of the paper's six generalised criteria: ``usual`` (I), ``u-shape`` (II), ``v-shape`` (III), ``level`` (IV),
        ``linear`` (V), ``gaussian`` (VI).
    q, p, s : float or (C,)
        Thresholds of indifference (II, IV, V) and preference (III, IV, V), and the Gaussian's σ (VI), in the
        criterion's unit.
    """
    _refuse_unless(~np.isnan(values), "promethee", "scoring.needs_known")
    count = values.shape[-1]
    kinds = [preference] * count if isinstance(preference, str) else list(preference)
    thresholds = _thresholds(kinds, q, p, s, count)
    plus, minus = np.empty_like(values), np.empty_like(values)
    sign = np.where(maximise, 1.0, -1.0)
    for criterion in range(count):
        column = sign[criterion] * values[..., criterion]
        for draw in np.ndindex(column.shape[:-1]):  # pairs of one criterion and draw at a time: A² numbers in memory
            difference = column[draw][:, None] - column[draw]
            preferred = preference_degree(kinds[criterion], difference, *thresholds[:, criterion])
            plus[(*draw, slice(None), criterion)] = preferred.sum(axis=1)
            minus[(*draw, slice(None), criterion)] = preferred.sum(axis=0)
    others = max(values.shape[-2] - 1, 1)
    leaving, entering = _dot(plus, weights) / others, _dot(minus, weights) / others
    return leaving - entering, {"plus": leaving, "minus": entering}


def owa(
    values: Array,
    weights: Array,
    maximise: NDArray[np.bool_],
    *,
    order_weights: ArrayLike | None = None,
    normalisation: str = "none",
) -> Scored:
    """Ordered weighted average: weights go to places (largest value first), not to criteria.

    With `order_weights`, (C,), `weights` are importances of criteria that travel with their values, as in GIS-OWA:
    v = w·u / Σ w·u (Malczewski 2006, Int. J. Applied Earth Observation 8: 270-277).

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    order_weights : array-like, (C,), optional
        Of places, the largest value's first; without them `weights` are that.
    normalisation : str
        As `normalise` has it; ``none`` takes values as they are.
    """
    _refuse_unless(~np.isnan(values), "owa", "scoring.needs_known")
    scaled = normalise(values, maximise, normalisation)
    order = np.argsort(-scaled, axis=-1, kind="stable")
    ordered = np.take_along_axis(scaled, order, axis=-1)
    if order_weights is None:
        return _dot(ordered, weights), {}
    faults: list[Fault] = []
    places = as_weights(order_weights, "order_weights", values.shape[-1], faults)
    refuse_if(faults)
    if weights.ndim == 2 and scaled.ndim == 2:
        order, ordered = np.broadcast_to(order, (len(weights), *order.shape)), ordered[None]
    travelling = np.take_along_axis(np.broadcast_to(weights[..., None, :], order.shape), order, axis=-1)
    travelling = travelling * (places if places.ndim == 1 else places[:, None, :])
    total = travelling.sum(axis=-1)
    _refuse_unless(total > 0, "owa", "scoring.needs_weighted_places")
    return (travelling * ordered).sum(axis=-1) / total, {}


def copras(values: Array, weights: Array, maximise: NDArray[np.bool_]) -> Scored:
    """Relative significance Q = S⁺ + Σ S⁻ / (S⁻ Σ 1/S⁻); `parts`: ``S_plus``, ``S_minus``, ``utility_percent``.

    ``utility_percent`` is the paper's utility degree N = 100 Q / max Q.

    Needs values of 0 or more, and at least one `min` criterion above 0 for each alternative if there are any.

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    """
    _refuse_unless(values >= 0, "copras", "scoring.needs_zero_or_more")
    scaled = normalise(values, np.ones_like(maximise), "sum")
    plus, minus = _dot(np.where(maximise, scaled, 0.0), weights), _dot(np.where(maximise, 0.0, scaled), weights)
    score = plus
    if (minus > 0).any():
        _refuse_unless(minus > 0, "copras", "scoring.needs_positive_min")
        score = plus + minus.sum(-1, keepdims=True) / (minus * (1 / minus).sum(-1, keepdims=True))
    largest = score.max(axis=-1, keepdims=True)
    percent = 100 * np.divide(score, largest, out=np.ones_like(score), where=largest > 0)
    return score, {"S_plus": plus, "S_minus": minus, "utility_percent": percent}


def edas(values: Array, weights: Array, maximise: NDArray[np.bool_]) -> Scored:
    """Appraisal score from distances above and below the average solution, which must be above 0.

    Parameters
    ----------
    values, weights, maximise
        As `aggregate` hands them over.
    """
    _refuse_unless(~np.isnan(values), "edas", "scoring.needs_known")
    average = values.mean(axis=-2, keepdims=True)
    _refuse_unless(average > 0, "edas", "scoring.needs_positive_mean")
    distance = np.where(maximise, values - average, average - values) / average
    above, below = _dot(np.maximum(distance, 0), weights), _dot(np.maximum(-distance, 0), weights)
    good, bad = _of_largest(above), 1 - _of_largest(below)
    return (good + bad) / 2, {"SP": above, "SN": below, "NSP": good, "NSN": bad}


METHODS: dict[str, Callable[..., Scored]] = {
    "weighted_sum": weighted_sum,
    "weighted_product": weighted_product,
    "topsis": topsis,
    "vikor": vikor,
    "promethee": promethee,
    "owa": owa,
    "copras": copras,
    "edas": edas,
}

PREFERENCES = ("usual", "u-shape", "v-shape", "level", "linear", "gaussian")


def preference_degree(kind: str, advantage: ArrayLike, q: float = 0.0, p: float = 0.0, s: float = 0.0) -> Array:
    """P(d), 0..1, of the six generalised criteria of Brans & Vincke 1985, for an advantage d (negative: 0).

    Parameters
    ----------
    kind : str
        One of `PREFERENCES`.
    advantage : array-like
        d, of any shape.
    q, p, s : float
        Thresholds of indifference and preference, and the Gaussian's σ, in the unit of d.
    """
    d = np.asarray(advantage, dtype=np.float64)
    match kind:
        case "usual":
            return (d > 0).astype(np.float64)
        case "u-shape":
            return (d > q).astype(np.float64)
        case "v-shape":
            return np.clip(d / p, 0.0, 1.0)
        case "level":
            return ((d > q).astype(np.float64) + (d > p)) / 2
        case "linear":
            return np.clip((d - q) / (p - q), 0.0, 1.0)
        case _:
            return -np.expm1(-np.square(np.maximum(d, 0.0) / s) / 2)


def _dot(values: Array, weights: Array) -> Array:
    """Σ over criteria of (…, A, C) with (C,) or (N, C): (A,) or (N, A)."""
    if values.ndim == 2 and weights.ndim == 2:
        return weights @ values.T
    if values.ndim == 3 and weights.ndim == 2:
        return np.matmul(values, weights[:, :, None])[..., 0]
    return values @ weights


def _closeness(to_ideal: Array, to_anti: Array, squared: Array) -> Array:
    """√near / (√far + √near) of squared distances (…, A, C) and squared weights (…, C); nan where both are 0.

    As 1 / (1 + √(far / near)): one root less.
    """
    if to_ideal.ndim == 3 or squared.ndim == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 / (1 + np.sqrt(_dot(to_ideal, squared) / _dot(to_anti, squared))))
    draws, count = len(squared), len(to_ideal)
    score = np.empty((draws, count))
    # blocks that stay in a core's cache, and too small for BLAS to start threads of its own
    size = max(250_000 // to_ideal.size, 8)
    share = -(-draws // (os.cpu_count() or 1))

    def work(start: int) -> None:
        end = min(start + share, draws)
        buffer = np.empty((size, count))
        with np.errstate(divide="ignore", invalid="ignore"):
            for first in range(start, end, size):
                rows = slice(first, min(first + size, end))
                part, far = score[rows], buffer[: rows.stop - first]
                np.matmul(squared[rows], to_anti.T, out=part)
                np.divide(np.matmul(squared[rows], to_ideal.T, out=far), part, out=part)
                np.sqrt(part, out=part)
                part += 1
                np.reciprocal(part, out=part)

    with ThreadPoolExecutor() as pool:
        list(pool.map(work, range(0, draws, share)))
    return score


def _norm(values: Array) -> Array:
    """Euclidean norm of each column, safe from over- and underflow of the squares."""
    largest = np.abs(values).max(axis=-2, keepdims=True)
    scale = np.where(largest > 0, largest, 1.0)
    return scale * np.sqrt(np.square(values / scale).sum(axis=-2, keepdims=True))


def _best_worst(values: Array, maximise: NDArray[np.bool_]) -> tuple[Array, Array]:
    low, high = values.min(axis=-2, keepdims=True), values.max(axis=-2, keepdims=True)
    return np.where(maximise, high, low), np.where(maximise, low, high)


def _minmax(measure: Array) -> Array:
    """(x - min) / (max - min) along alternatives; 0 where they are all alike."""
    low = measure.min(axis=-1, keepdims=True)
    span = measure.max(axis=-1, keepdims=True) - low
    # a span of rounding errors is no span
    real = span > TIE * np.maximum(np.abs(low), TIE)
    return np.divide(measure - low, span, out=np.zeros_like(measure), where=np.broadcast_to(real, measure.shape))


def _of_largest(measure: Array) -> Array:
    """X / max along alternatives; 0 where the largest is 0."""
    largest = measure.max(axis=-1, keepdims=True)
    return np.divide(measure, largest, out=np.zeros_like(measure), where=np.broadcast_to(largest > 0, measure.shape))


def _compromise(score: Array, group: Array, individual: Array) -> NDArray[np.bool_]:
    """Opricovic & Tzeng's compromise solution: the leader alone, leader and second, or all within DQ of the leader."""
    if score.shape[-1] == 1:
        return np.ones(score.shape, dtype=bool)
    order = np.argsort(score, axis=-1, kind="stable")
    first, second = order[..., :1], order[..., 1:2]
    best = np.take_along_axis(score, first, axis=-1)
    step = 1 / (score.shape[-1] - 1)
    advantage = np.take_along_axis(score, second, axis=-1) - best >= step
    stable = np.zeros_like(advantage)
    for measure in (group, individual):
        stable |= np.take_along_axis(measure, first, axis=-1) <= measure.min(axis=-1, keepdims=True)
    places = np.arange(score.shape[-1])
    alone = advantage & stable & (places == first)
    pair = advantage & ~stable & ((places == first) | (places == second))
    return alone | pair | (~advantage & (score - best < step))


def _thresholds(kinds: list[str], q: ArrayLike, p: ArrayLike, s: ArrayLike, count: int) -> Array:
    """(3, C): q, p and s of each criterion."""
    thresholds = np.stack([np.broadcast_to(np.asarray(one, dtype=np.float64), (count,)) for one in (q, p, s)])
    faults = []
    if len(kinds) != count:
        faults.append(Fault("scoring.not_one_each", "preference", count=len(kinds), criteria=count))
    for at, (kind, indifferent, preferred, sigma) in enumerate(zip(kinds, *thresholds, strict=False)):
        where = f"preference[{at}]"
        if kind not in PREFERENCES:
            faults.append(Fault("scoring.unknown_option", where, value=str(kind), known=list(PREFERENCES)))
        elif kind == "v-shape" and not preferred > 0:
            faults.append(Fault("scoring.odd_p", where, p=float(preferred)))
        elif kind in ("level", "linear") and not 0 <= indifferent < preferred:
            faults.append(Fault("scoring.odd_q_and_p", where, kind=kind, q=float(indifferent), p=float(preferred)))
        elif kind == "gaussian" and not sigma > 0:
            faults.append(Fault("scoring.odd_s", where, s=float(sigma)))
    refuse_if(faults)
    return thresholds


def _refuse_unless(good: NDArray[np.bool_], method: str, code: str) -> None:
    """Refuse a method whose domain some values leave."""
    if not good.all():
        bad = ~good
        refuse_if([Fault(code, first_at("values", bad), method=method, wrong=int(bad.sum()), count=bad.size)])
