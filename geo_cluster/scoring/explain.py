"""Explanation: where a score comes from, in parts that add up and in one plain sentence.

The parts are those of the additive model: each criterion's weight times its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.scoring.aggregate import Array, checked


@dataclass(frozen=True)
class Contributions:
    """What each criterion adds to the score of each alternative, or to its lead over something.

    Parameters
    ----------
    parts : ndarray, (A, C)
        Weight times value, or times the difference in value.
    base : float
        What the parts are counted from: 0, or the score of the baseline.
    score : ndarray, (A,)
        ``base + parts.sum(axis=-1)``, the additive score.
    """

    parts: Array
    base: float
    score: Array


def contributions(values: ArrayLike, weights: ArrayLike, *, baseline: ArrayLike | None = None) -> Contributions:
    """What each criterion adds to an additive score.

    Parameters
    ----------
    values : array-like, (A, C)
        In [0, 1], more is better. nan (unknown) makes that part and its score nan: unknown is not 0.
    weights : array-like, (C,)
    baseline : array-like, (C,), optional
        Values to count from, such as the mean of all sites or those of the runner-up; default all 0.
    """
    v, w, _ = checked(values, weights)
    refuse_if([] if v.ndim == 2 and w.ndim == 1 else [Fault("scoring.draws_not_one_set", "values and weights")])
    origin = np.zeros_like(w) if baseline is None else np.asarray(baseline, dtype=np.float64)
    refuse_if(
        []
        if origin.shape == w.shape
        else [Fault("scoring.odd_shape", "baseline", shape=str(origin.shape), criteria=len(w))]
    )
    parts, base = (v - origin) * w, float(np.sum(origin * w))
    return Contributions(parts, base, base + parts.sum(axis=-1))


def compare(values: ArrayLike, weights: ArrayLike, first: int, second: int) -> Array:
    """What each criterion adds to the lead of `first` over `second`, (C,); the sum is the lead."""
    v, w, _ = checked(values, weights)
    return (v[first] - v[second]) * w


def round_parts(parts: ArrayLike, digits: int) -> Array:
    """Round so that the rounded parts add up to the rounded total (largest remainders)."""
    scaled = np.asarray(parts, dtype=np.float64) * 10**digits
    rounded = np.floor(scaled)
    missing = int(np.round(scaled.sum()) - rounded.sum())
    rounded[np.argsort(rounded - scaled, kind="stable")[:missing]] += 1
    return rounded / 10**digits + 0.0


def significant(value: float, digits: int = 3) -> float:
    """A number with no more digits than people can trust."""
    return float(f"{value:.{digits}g}")


CLOSE = 0.1
"""Two sites whose chances of being first differ by less than this can't be told apart."""


@dataclass(frozen=True)
class Turn:
    """The number that would turn a comparison, in its own unit, for `pair_sentence`.

    Parameters
    ----------
    criterion : str
        What would have to be different, as it is to be read.
    needed : float
    unit : str
    above : bool
        True: from `needed` upwards; False: from `needed` downwards.
    """

    criterion: str
    needed: float
    unit: str
    above: bool = True


def pair_sentence(
    names: tuple[str, str],
    criteria: Sequence[str],
    lead: ArrayLike,
    scores: tuple[float, float],
    *,
    language: str = "en",
    most: int = 3,
    digits: int = 3,
    unit: str = "",
    chance: float | None = None,
    firsts: tuple[float, float] | None = None,
    weight: Turn | None = None,
    turn: Turn | None = None,
) -> str:
    """One plain sentence: who leads whom, by how much, by what, and what would change it.

    Parameters
    ----------
    names : (str, str)
        The leader and the other.
    criteria : sequence of str, (C,)
        Names as they are to be read in that language.
    lead : array-like, (C,)
        As `compare` returns it: parts of the lead.
    scores : (float, float)
        Of the two.
    language : {"en", "zh"}
    most : int
        How many criteria to name on each side; the rest is summed up, so that the numbers read add up to the lead.
    digits : int
        Decimals of a score.
    unit : str
        What a score is counted in, as it follows the number.
    chance : float, optional
        That the first beats the second, 0..1.
    firsts : (float, float), optional
        That each of them is first of all, 0..1.
    weight : Turn, optional
        The weight, as a share, that would put the other first.
    turn : Turn, optional
        The number that would put the other first.
    """
    parts = np.asarray(lead, dtype=np.float64)
    faults = []
    if language not in PHRASES:
        faults.append(Fault("scoring.unknown_option", "language", value=language, known=sorted(PHRASES)))
    if parts.shape != (len(criteria),):
        faults.append(Fault("scoring.odd_shape", "lead", shape=str(parts.shape), criteria=len(criteria)))
    refuse_if(faults)
    say = PHRASES[language]
    order = np.argsort(-np.abs(parts), kind="stable")
    named = [at for at in order if parts[at] > 0][:most] + [at for at in order if parts[at] < 0][:most]
    total = round(scores[0], digits) - round(scores[1], digits)  # what is read above is what is read here
    rest = total - parts[named].sum()
    rounded = round_parts([*parts[named], rest], digits)
    pieces = [(criteria[at], amount) for at, amount in zip(named, rounded, strict=False) if amount]

    def listed(wanted: list[tuple[str, float]]) -> str:
        return say["comma"].join(
            say["part"].format(name=name, amount=f"{amount:+.{digits}f}") for name, amount in wanted
        )

    ahead, behind = [p for p in pieces if p[1] > 0], [p for p in pieces if p[1] < 0]
    head = "lead" if round(total, digits) > 0 else "level" if round(total, digits) == 0 else "behind"
    values = {
        "first": names[0],
        "second": names[1],
        "lead": f"{abs(total):.{digits}f}{unit}",
        "first_score": f"{scores[0]:.{digits}f}",
        "second_score": f"{scores[1]:.{digits}f}",
    }
    clauses = [say[head].format(**values)]
    if firsts is not None:
        key = "close" if abs(firsts[0] - firsts[1]) < CLOSE else "firsts"
        clauses.append(say[key].format(one=f"{100 * firsts[0]:.0f}", other=f"{100 * firsts[1]:.0f}", **values))
    if ahead:
        clauses.append(say["ahead"].format(parts=listed(ahead), **values))
    if behind:
        clauses.append(say["behind_on"].format(parts=listed(behind), **values))
    if rounded[-1]:
        clauses.append(say["rest"].format(amount=f"{rounded[-1]:+.{digits}f}"))
    if chance is not None:
        clauses.append(say["chance"].format(chance=f"{100 * chance:.0f}", **values))
    if weight is not None:
        bound = say["above" if weight.above else "below"]
        needed = f"{100 * weight.needed:.1f} %"
        clauses.append(say["weight"].format(criterion=weight.criterion, bound=bound, needed=needed, **values))
    if turn is not None:
        bound = say["above" if turn.above else "below"]
        needed = f"{significant(turn.needed):,.12g}"
        clauses.append(
            say["turn"].format(criterion=turn.criterion, bound=bound, needed=needed, unit=turn.unit, **values)
        )
    return say["clause"].join(clauses) + say["stop"]


PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "lead": "{first} ({first_score}) leads {second} ({second_score}) by {lead}",
        "level": "{first} ({first_score}) and {second} ({second_score}) are level",
        "behind": "{first} ({first_score}) is behind {second} ({second_score}) by {lead}",
        "ahead": "better on {parts}",
        "behind_on": "worse on {parts}",
        "rest": "all else {amount}",
        "firsts": "it is first of all in {one} % of what can't be ruled out, {second} in {other} %",
        "close": "too close to call: it is first of all in {one} % of what can't be ruled out, {second} in {other} %",
        "chance": "it beats {second} in {chance} % of what can't be ruled out",
        "weight": "{second} would lead if the weight of {criterion} were {bound} {needed}",
        "turn": "{second} would win if its {criterion} were {bound} {needed} {unit}",
        "above": "above",
        "below": "below",
        "part": "{name} ({amount})",
        "comma": ", ",
        "clause": "; ",
        "stop": ".",
    },
    "zh": {
        "lead": "{first}（{first_score}）领先{second}（{second_score}）{lead}",
        "level": "{first}（{first_score}）与{second}（{second_score}）持平",
        "behind": "{first}（{first_score}）落后{second}（{second_score}）{lead}",
        "ahead": "优于对方的是{parts}",
        "behind_on": "不及对方的是{parts}",
        "rest": "其余合计{amount}",
        "firsts": "居首概率 {one} % 对 {other} %",
        "close": "两者难分：居首概率 {one} % 对 {other} %",
        "chance": "在不能排除的情形中有 {chance} % 胜过{second}",
        "weight": "若{criterion}的权重{bound} {needed}，则{second}领先",
        "turn": "若{second}的{criterion}{bound} {needed} {unit}，则{second}胜出",
        "above": "高于",
        "below": "低于",
        "part": "{name}（{amount}）",
        "comma": "、",
        "clause": "；",
        "stop": "。",
    },
}
