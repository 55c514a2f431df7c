"""Information: which unknown number, if known, would most change who wins.

The expected value of partial perfect information (Raiffa & Schlaifer 1961) of a number: how much the score of the
chosen alternative would rise, on average, if that number were known before choosing. The data request list is these,
largest first.

- `of_triangular`: exact, for the additive model on piecewise linear value functions of numbers known as low, likely,
  high.
- `of_values`: for the additive model over draws. What knowing one value does to the expected scores is known in closed
  form, so there is no inner loop; only the average over the draws of that one value has a sampling error.
- `of_parameters`: for anything that gives scores, such as a parameter behind several criteria: the single-loop
  estimate of Strong & Oakley 2013 (Medical Decision Making 33: 755-766), which averages scores over draws with alike
  parameter values. Parameters may hang together: what one tells about others counts.

The first two take numbers as independent of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.scoring.aggregate import TIE, Array, as_floats, as_weights, checked, first_at
from geo_cluster.scoring.values import ValueFunction

# Two-point Gauss-Legendre nodes on [0, 1]: exact for cubics.
NODES = (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3))


@dataclass(frozen=True)
class Information:
    """What knowing each number would be worth.

    Parameters
    ----------
    gain : ndarray, (A, C) or (K,)
        Expected rise of the chosen alternative's score, in points of the score.
    gain_error : ndarray
        Its standard error; 0 if exact.
    change : ndarray
        Chance that knowing the number changes the choice.
    change_error : ndarray
        Its standard error; 0 if exact.
    choice : int
        Who would be chosen now: the highest expected score.
    score : ndarray, (A,)
        Expected scores now.
    """

    gain: Array
    gain_error: Array
    change: Array
    change_error: Array
    choice: int
    score: Array


def of_values(values: ArrayLike, weights: ArrayLike) -> Information:
    """Worth of knowing each value of each alternative, additive model, values independent of each other.

    Parameters
    ----------
    values : array-like, (N, A, C)
        Draws of values, more is better. A number that is known does not vary and is worth 0.
    weights : array-like, (C,) or (N, C)
        Draws are averaged: it is the data that would be asked for.

    Returns
    -------
    Information
        (A, C).
    """
    v, w, _ = checked(values, weights)
    faults = [] if v.ndim == 3 else [Fault("scoring.one_set_not_draws", "values")]
    if np.isnan(v).any():
        faults.append(Fault("scoring.draw_unknown", first_at("values", np.isnan(v))))
    refuse_if(faults)
    weight = w.mean(axis=0) if w.ndim == 2 else w
    mean = v.mean(axis=0)
    score = mean @ weight
    choice, sign, gap = _choice(score)
    moved = (v - mean) * (sign[:, None] * weight)
    excess = np.maximum(moved - gap[:, None], 0.0)
    gain, change = excess.mean(axis=0), (excess > 0).mean(axis=0)
    # the error of the mean and of the gap, estimated from the same draws, is part of the gain's
    total = v @ weight
    ahead = total[:, [choice]] - total
    ahead[:, choice] = total[:, choice] - total[:, _second(score, choice)]
    moved += ahead[:, :, None]
    excess -= change * moved
    root = np.sqrt(len(v))
    return Information(gain, excess.std(axis=0) / root, change, np.sqrt(change * (1 - change)) / root, choice, score)


def of_triangular(
    low: ArrayLike, likely: ArrayLike, high: ArrayLike, functions: Sequence[ValueFunction], weights: ArrayLike
) -> Information:
    """Exact worth of knowing each number of each alternative, additive model, numbers independent and triangular.

    Parameters
    ----------
    low, likely, high : array-like, (A, C)
        In natural units.
    functions : sequence of ValueFunction, (C,)
        Piecewise linear: of kind linear, piecewise or target.
    weights : array-like, (C,)

    Returns
    -------
    Information
        (A, C), errors 0.
    """
    faults: list[Fault] = []
    a, m, b = (as_floats(x, name, (2,), faults) for x, name in ((low, "low"), (likely, "likely"), (high, "high")))
    w = as_weights(weights, "weights", len(functions), faults)
    if w.ndim == 2:
        faults.append(Fault("scoring.weights_are_draws", "weights"))
    if not a.shape == m.shape == b.shape or a.shape[-1] != len(functions):
        faults.append(Fault("scoring.shapes_differ", "low, likely, high"))
    elif not (bad := np.isfinite(a) & np.isfinite(b) & (a <= m) & (m <= b)).all():
        faults.append(Fault("scoring.not_between", first_at("likely", ~bad)))
    faults += [
        Fault("scoring.not_piecewise", f"functions[{at}]", kind=function.kind)
        for at, function in enumerate(functions)
        if function.knots is None
    ]
    refuse_if(faults)
    cells = [_Cells.of(a[:, c], m[:, c], b[:, c], function) for c, function in enumerate(functions)]
    mean = np.stack([cell.mean() for cell in cells], axis=-1)
    score = mean @ w
    choice, sign, gap = _choice(score)
    gains = [cell.excess(sign * w[c], sign * w[c] * mean[:, c] + gap) for c, cell in enumerate(cells)]
    gain, change = (np.stack(column, axis=-1) for column in zip(*gains, strict=True))
    return Information(gain, np.zeros_like(gain), change, np.zeros_like(gain), choice, score)


def of_parameters(scores: ArrayLike, parameters: ArrayLike, *, blocks: int | None = None) -> Information:
    """Worth of knowing each parameter, from draws of parameters and the scores they led to.

    Draws are sorted by a parameter and cut into blocks, within which it is as good as known. Who is best in a block is
    decided on half of its draws and valued on the other half, both ways round: without that, noise would pass for
    information. What is left of the error is that a block is not a point: a slight understatement. A gain and error
    of 0 mean that no block would choose another.

    Parameters
    ----------
    scores : array-like, (N, A)
        More is better.
    parameters : array-like, (N, K)
    blocks : int, optional
        Default: the cube root of N.

    Returns
    -------
    Information
        (K,).
    """
    (one,) = of_choosers([scores], parameters, blocks=blocks)
    return one


def of_choosers(
    scores: Iterable[ArrayLike], parameters: ArrayLike, *, blocks: int | None = None
) -> Iterator[Information]:
    """`of_parameters` for several choosers under the same draws, which are sorted once for all.

    Parameters
    ----------
    scores : iterable of array-like, (N, A)
        Of each chooser; A may differ.
    parameters, blocks
        As for `of_parameters`.

    Yields
    ------
    Information
        (K,), in the order of `scores`.
    """
    faults: list[Fault] = []
    theta = _finite(parameters, "parameters", faults)
    members: sparse.csr_array | None = None
    for score in scores:
        s = _finite(score, "scores", faults)
        count = round(len(s) ** (1 / 3)) if blocks is None else blocks
        if len(s) != len(theta):
            faults.append(Fault("scoring.other_draws", "parameters", found=len(theta), scores=len(s)))
        elif count < 1 or len(s) < 4 * count:
            faults.append(Fault("scoring.too_many_blocks", "blocks", blocks=count, draws=len(s)))
        refuse_if(faults)
        members = _halves(theta, count) if members is None else members
        yield _information(s, members, count)


def _finite(argument: ArrayLike, name: str, faults: list[Fault]) -> Array:
    array = as_floats(argument, name, (2,), faults)
    if not np.isfinite(array).all():
        faults.append(Fault("scoring.not_finite", first_at(name, ~np.isfinite(array))))
    return array


def _halves(theta: Array, count: int) -> sparse.csr_array:
    """(K · count · 2, N): times scores, their mean in each half of each block of the draws sorted by each parameter."""
    draws, number = theta.shape
    half = draws // count // 2
    order = np.argsort(theta, axis=0, kind="stable")
    # unequal remainders are left out at random places of the order, not at an end
    kept = order[np.linspace(0, draws - 1, 2 * count * half).round().astype(np.intp)].T
    member = kept.reshape(number, count, half, 2).swapaxes(2, 3)
    starts = np.arange(0, member.size + 1, half)
    return sparse.csr_array((np.full(member.size, 1.0 / half), member.ravel(), starts), (len(starts) - 1, draws))


def in_reach(scores: Array) -> NDArray[np.bool_]:
    """(A,): of scores (N, A), who may be chosen once some number is known; nobody else counts in `of_choosers`."""
    first = int(np.argmax(scores.mean(axis=0)))
    return _may_lead(scores - scores[:, [first]], len(scores) // round(len(scores) ** (1 / 3)) // 2)


def _may_lead(lead: Array, half: int) -> NDArray[np.bool_]:
    """(A,): who is ahead on average in their best `half` of the draws; all others are behind in any half of a block."""
    found = np.asarray((lead >= 0).any(axis=0))
    best = np.partition(lead[:, found], len(lead) - half, axis=0)[len(lead) - half :]
    found[found] = best.mean(axis=0) >= -TIE
    return found


def _information(s: Array, members: sparse.csr_array, count: int) -> Information:
    """What knowing each parameter is worth to who has these scores, (N, A)."""
    mean = s.mean(axis=0)
    first = int(np.argmax(mean))
    lead = s - s[:, [first]]
    is_near = _may_lead(lead, members.indptr[1])
    lead, choice = lead[:, is_near], int(is_near[:first].sum())
    halves = (members @ lead).reshape(-1, count, 2, lead.shape[1])
    best = halves.argmax(axis=-1)
    other = best[..., ::-1, None]  # each half is valued by the choice of the other one
    gain = np.take_along_axis(halves, other, axis=-1)[..., 0].mean(axis=(1, 2))
    moved = np.flatnonzero((best != choice).any(axis=(1, 2)))  # by all others nothing is gained, in no block
    at = (moved[:, None] * 2 * count + np.arange(2 * count)).ravel()
    squares = (members[at] @ lead**2).reshape(halves[moved].shape)
    spread = np.zeros(len(gain))
    spread[moved] = np.take_along_axis(squares, other[moved], axis=-1)[..., 0].mean(axis=(1, 2)) - gain[moved] ** 2
    spread = np.sqrt(np.maximum(spread, 0.0))
    used = len(s) // count // 2 * 2 * count
    change = (best != choice).mean(axis=(1, 2))
    error = np.sqrt(change * (1 - change) / count)
    return Information(np.maximum(gain, 0.0), spread / np.sqrt(used), change, error, first, mean)


def request_list(information: Information, rows: pd.DataFrame) -> pd.DataFrame:
    """The numbers to go and ask for, the most useful first.

    Parameters
    ----------
    information : Information
    rows : DataFrame
        One row per number, in the order of ``information.gain.ravel()``: whatever a reader needs, such as site,
        attribute, question, unit and the range now assumed.

    Returns
    -------
    DataFrame
        Those of `rows` that are worth anything, with `gain`, `gain_error`, `change`, `change_error`.
    """
    if len(rows) != information.gain.size:
        refuse_if([Fault("scoring.not_one_row_each", "rows", rows=len(rows), numbers=information.gain.size)])
    columns = {name: getattr(information, name).ravel() for name in ("gain", "gain_error", "change", "change_error")}
    table = rows.assign(**columns)
    return table[table["gain"] > 0].sort_values(["gain", "change"], ascending=False, kind="stable")


@dataclass(frozen=True)
class _Cells:
    """One criterion of A alternatives: between sorted knots, both value and density are straight lines.

    `knots` and `values` are (A, L); low, likely, high are (A, 1).
    """

    knots: Array
    values: Array
    low: Array
    likely: Array
    high: Array

    @classmethod
    def of(cls, low: Array, likely: Array, high: Array, function: ValueFunction) -> _Cells:
        inner = np.clip(np.asarray(function.knots), low[:, None], high[:, None])
        knots = np.sort(np.column_stack([low, likely, high, inner]), axis=1)
        return cls(knots, function.value(knots), low[:, None], likely[:, None], high[:, None])

    def density(self, x: Array) -> Array:
        width = self.high - self.low
        rise, fall = width * (self.likely - self.low), width * (self.high - self.likely)
        rising = np.divide(x - self.low, rise, out=np.zeros_like(x), where=rise > 0)
        falling = np.divide(self.high - x, fall, out=np.zeros_like(x), where=fall > 0)
        return 2 * np.where(x < self.likely, rising, falling)

    def mean(self) -> Array:
        start, end = self.knots[:, :-1], self.knots[:, 1:]
        at_start, rise = self.values[:, :-1], np.diff(self.values, axis=1)
        total = sum(
            (at_start + node * rise) * self.density(start + node * (end - start)) * (end - start) / 2 for node in NODES
        )
        known = self.low[:, 0] == self.high[:, 0]
        return np.where(known, self.values[:, 0], np.sum(total, axis=1))

    def excess(self, slope: Array, needed: Array) -> tuple[Array, Array]:
        """E[(slope·value - needed)⁺] and the chance that it is above 0, (A,) each."""
        g = slope[:, None] * self.values - needed[:, None]
        before, after = g[:, :-1], g[:, 1:]
        start, end = self.knots[:, :-1], self.knots[:, 1:]
        step = after - before
        crossing = np.divide(-before, step, out=np.zeros_like(step), where=step != 0)
        p = np.where(before > 0, 0.0, np.where(after > 0, crossing, 1.0))
        q = np.where(after > 0, 1.0, np.where(before > 0, crossing, 1.0))
        gain, chance = np.zeros_like(p), np.zeros_like(p)
        for node in NODES:
            at = p + node * (q - p)
            mass = self.density(start + at * (end - start)) * (end - start) * (q - p) / 2
            gain += (before + at * step) * mass
            chance += mass
        known = self.low[:, 0] == self.high[:, 0]
        return np.where(known, 0.0, gain.sum(axis=1)), np.where(known, 0.0, chance.sum(axis=1))


def _choice(score: Array) -> tuple[int, Array, Array]:
    """The choice; and for each alternative, in which direction its score must move, and how far, to change it."""
    choice = int(np.argmax(score))
    sign = np.where(np.arange(len(score)) == choice, -1.0, 1.0)
    gap = score[choice] - score
    # alone, nothing could change the choice
    gap[choice] = score[choice] - score[_second(score, choice)] if len(score) > 1 else np.finfo(np.float64).max / 2
    return choice, sign, np.maximum(gap, TIE)


def _second(score: Array, choice: int) -> int:
    return int(np.argmax(np.where(np.arange(len(score)) == choice, -np.inf, score)))
