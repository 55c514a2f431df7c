"""Explanation: where a score comes from, in parts that add up and in one plain sentence.

The parts are those of the additive model: each criterion's weight times its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """What each criterion adds to the lead of one alternative over another, (C,); the sum is the lead.

    Parameters
    ----------
    values : array-like, (A, C)
        In [0, 1], more is better.
    weights : array-like, (C,)
        On any scale.
    first, second : int
        Positions of the two.
    """
    v, w, _ = checked(values, weights)
    return (v[first] - v[second]) * w


def round_parts(parts: ArrayLike, digits: int) -> Array:
    """Round so that the rounded parts, along the last axis, add up to the rounded total (largest remainders).

    >>> round_parts([1 / 3, 1 / 3, 1 / 3], 2).tolist()
    [0.34, 0.33, 0.33]
    """
    scaled = np.asarray(parts, dtype=np.float64) * 10**digits
    rounded = np.floor(scaled)
    missing = np.round(scaled.sum(axis=-1)) - rounded.sum(axis=-1)
    order = np.argsort(rounded - scaled, axis=-1, kind="stable")
    place = np.argsort(order, axis=-1, kind="stable")
    return (rounded + (place < missing[..., None])) / 10**digits + 0.0


def significant(value: float, digits: int = 3, *, up: bool | None = None) -> float:
    """A number with no more digits than people can trust.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits.
    up : bool, optional
        Round up or down, where only that side will do; to the nearest when left out.

    >>> significant(1316.4), significant(0.123456, 2), significant(1321.0, up=True), significant(0.129, 2, up=False)
    (1320.0, 0.12, 1330.0, 0.12)
    """
    nearest = float(f"{value:.{digits}g}")
    if up is None or abs(nearest - value) <= 1e-9 * abs(value) or (nearest > value) == up:
        return nearest
    step = 10.0 ** (np.floor(np.log10(abs(value))) + 1 - digits)
    return float(f"{nearest + (step if up else -step):.{digits}g}")


CLOSE = 0.1
"""Two sites whose chances of being first differ by less than this can't be told apart."""


@dataclass(frozen=True)
class SwitchingValue:
    """The number that would turn a comparison, in its own unit.

    Parameters
    ----------
    criterion : str
        What would have to be different, as it is to be read.
    needed : float
    unit : str
    above : bool
        True: from `needed` upwards; False: from `needed` downwards.
    whose : str
        Whose number it is, where it isn't the alternative's own: the zone's that it lies in, its station's.
    """

    criterion: str
    needed: float
    unit: str
    above: bool = True
    whose: str = ""


@dataclass(frozen=True)
class Certainty:
    """How sure it is that one alternative leads another, and what would change it.

    Parameters
    ----------
    chance : float, optional
        That the first beats the second, 0..1.
    firsts : (float, float), optional
        That each of them is first of all, 0..1.
    weight : SwitchingValue, optional
        The weight, as a share, that would put the other first.
    datum : SwitchingValue, optional
        The number that would put the other first.
    """

    chance: float | None = None
    firsts: tuple[float, float] | None = None
    weight: SwitchingValue | None = None
    datum: SwitchingValue | None = None


@dataclass(frozen=True)
class Style:
    """How a sentence is written.

    Parameters
    ----------
    language : {"en", "zh"}
    most : int
        How many criteria to name on each side; the rest is summed up, so that the numbers read add up to the lead.
    digits : int
        Decimals of a score.
    unit : str
        What a score is counted in, as it follows the number.
    """

    language: str = "en"
    most: int = 3
    digits: int = 3
    unit: str = ""


def pair_sentence(
    names: tuple[str, str],
    criteria: Sequence[str],
    lead: ArrayLike,
    scores: tuple[float, float],
    *,
    certainty: Certainty = Certainty(),
    style: Style = Style(),
) -> str:
    """One plain sentence: who leads whom, by how much, by what, how sure that is, and what would change it.

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
    certainty : Certainty
    style : Style

    Raises
    ------
    InputError
        On a language there is not, or a lead of another shape.
    """
    parts = np.asarray(lead, dtype=np.float64)
    faults = []
    if style.language not in PHRASES:
        faults.append(Fault("scoring.unknown_option", "language", value=style.language, known=sorted(PHRASES)))
    if parts.shape != (len(criteria),):
        faults.append(Fault("scoring.odd_shape", "lead", shape=str(parts.shape), criteria=len(criteria)))
    refuse_if(faults)
    (said,) = pair_sentences([names], criteria, parts[None], np.array([scores]), certainty=[certainty], style=style)
    return said


def pair_sentences(
    names: Sequence[tuple[str, str]],
    criteria: Sequence[str],
    lead: Array,
    scores: Array,
    *,
    certainty: Sequence[Certainty],
    style: Style = Style(),
) -> list[str]:
    """Sentences on R pairs; see `pair_sentence`.

    Parameters
    ----------
    names : sequence of (str, str), R
        The leader and the other of each.
    criteria : sequence of str, C
    lead : (R, C) array
        Parts of each lead.
    scores : (R, 2) array
        Of the two.
    certainty : sequence of Certainty, R
    style : Style
    """
    phrases, digits = PHRASES[style.language], style.digits
    shown = [(round(one, digits), round(other, digits)) for one, other in scores.tolist()]
    totals = [one - other for one, other in shown]  # what is read above is what is read here
    found = []
    for (first, second), both, total, parts, sure in zip(
        names, shown, totals, _parts(criteria, lead, np.array(totals), style), certainty, strict=True
    ):
        values = {
            "first": first,
            "second": second,
            "lead": f"{abs(total):.{digits}f}{style.unit}",
            "first_score": f"{both[0]:.{digits}f}",
            "second_score": f"{both[1]:.{digits}f}",
        }
        head = "lead" if round(total, digits) > 0 else "level" if round(total, digits) == 0 else "behind"
        clauses: list[Clause] = [(head, {}), *_first_of_all(sure), *parts, *_changes(sure, phrases)]
        text = phrases["clause"].join(phrases[key].format(**values, **more) for key, more in clauses)
        found.append(text + phrases["stop"])
    return found


Clause = tuple[str, dict[str, str]]
"""Key of a phrase and what it names besides the two alternatives and their scores."""


def _first_of_all(certainty: Certainty) -> Iterator[Clause]:
    """How often each of the two is first of all."""
    if certainty.firsts is not None:
        one, other = certainty.firsts
        key = "close" if abs(one - other) < CLOSE else "firsts"
        yield key, {"one": f"{100 * one:.0f}", "other": f"{100 * other:.0f}"}


def _parts(criteria: Sequence[str], lead: Array, totals: Array, style: Style) -> list[list[Clause]]:
    """Of each pair what the first is better on, what it is worse on, and all else, rounded so as to add up."""
    phrases, digits, most = PHRASES[style.language], style.digits, min(style.most, len(criteria))
    rows, order = np.arange(len(lead))[:, None], np.argsort(-np.abs(lead), axis=1, kind="stable")
    ordered = lead[rows, order]
    named, amounts = [], []
    for sign in (1, -1):
        chosen = np.argsort(sign * ordered <= 0, axis=1, kind="stable")[:, :most]
        amount = ordered[rows, chosen]
        amounts.append(np.where(sign * amount > 0, amount, 0.0))
        named.append(order[rows, chosen])
    every = np.concatenate(amounts, axis=1)
    rounded = round_parts(np.column_stack([every, totals - every.sum(axis=1)]), digits)
    found: list[list[Clause]] = []
    for at, amount in zip(np.concatenate(named, axis=1).tolist(), rounded.tolist(), strict=True):
        clauses: list[Clause] = []
        for key, sign, begin in (("ahead", 1, 0), ("behind_on", -1, most)):
            listed = [
                phrases["part"].format(name=criteria[at[k]], amount=f"{amount[k]:+.{digits}f}")
                for k in range(begin, begin + most)
                if sign * amount[k] > 0
            ]
            if listed:
                clauses.append((key, {"parts": phrases["comma"].join(listed)}))
        if amount[-1]:
            clauses.append(("rest", {"amount": f"{amount[-1]:+.{digits}f}"}))
        found.append(clauses)
    return found


def _changes(certainty: Certainty, phrases: Mapping[str, str]) -> Iterator[Clause]:
    """How often the first beats the second, and which weight or number would put the second first."""
    if certainty.chance is not None:
        yield "chance", {"chance": f"{100 * certainty.chance:.0f}"}
    for key, one in (("weight", certainty.weight), ("datum", certainty.datum)):
        if one is not None:
            bound = phrases["above" if one.above else "below"]
            needed = f"{significant(one.needed, up=one.above):,.12g}"
            if key == "weight":
                tenths = 1000 * one.needed
                needed = f"{(np.ceil(tenths - 1e-9) if one.above else np.floor(tenths + 1e-9)) / 10:.1f}"
            unit = one.unit if one.unit == "%" and phrases is PHRASES["zh"] else f" {one.unit}".rstrip()
            said = {"criterion": one.criterion, "bound": bound, "needed": needed + unit, "whose": one.whose}
            yield (f"{key}_of" if one.whose else key), said


def changes_in_words(second: str, certainty: Certainty, language: str) -> list[str]:
    """Each change that would put the second of a pair first, as a clause of its own.

    Parameters
    ----------
    second : str
        Its name.
    certainty : Certainty
        Of which `weight` and `datum` are told.
    language : {"en", "zh"}
    """
    phrases, only = PHRASES[language], Certainty(weight=certainty.weight, datum=certainty.datum)
    return [phrases[key].format(second=second, **more) for key, more in _changes(only, phrases)]


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
        "datum": "{second} would win if its {criterion} were {bound} {needed}",
        "datum_of": "{second} would win if the {criterion} of {whose} were {bound} {needed}",
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
        "firsts": "居首概率 {one}% 对 {other}%",
        "close": "两者难分：居首概率 {one}% 对 {other}%",
        "chance": "在不能排除的情形中，胜过{second}的占 {chance}%",
        "weight": "若{criterion}的权重{bound} {needed}，则{second}领先",
        "datum": "若{second}的{criterion}{bound} {needed}，则{second}胜出",
        "datum_of": "若{whose}的{criterion}{bound} {needed}，则{second}胜出",
        "above": "高于",
        "below": "低于",
        "part": "{name}（{amount}）",
        "comma": "、",
        "clause": "；",
        "stop": "。",
    },
}
