"""Land and energy as sub-scores with their parts, the share that rests on assumptions, and refusals in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geo_cluster.domain import BASES
from geo_cluster.errors import Fault, refuse_if
from geo_cluster.supply.interval import Interval

REFUSALS = {
    "land_in_one_piece": (
        "需要{need}亩连片用地；最大连片为{have}亩。",
        "needs {need} mu in one piece; the largest is {have}",
    ),
    "land_total": ("需要{need}亩用地；可供{have}亩。", "needs {need} mu of land; {have} is available"),
    "hall": (
        "最大厂房需{need}米的矩形；可容最大矩形为{have}米。",
        "needs a hall of {need} m; the largest rectangle is {have} m",
    ),
    "power": ("需要{need} MVA；变电站富余{have} MVA。", "needs {need} MVA; the substations spare {have}"),
    "voltage": (
        "需{need} kV接入；{reach}公里内无该电压等级变电站。",
        "needs a {need} kV connection; no such substation within {reach} km",
    ),
    "second_supply": (
        "需要两座独立变电站双电源；{reach}公里内仅有一座。",
        "needs two independent substations; only one within {reach} km",
    ),
    "quota": ("年需{need}吨标准煤；用能指标余{have}吨。", "needs {need} tce a year; {have} tce of quota is left"),
    "floor_price": (
        "报价{have}元/平方米，低于最低价{need}元/平方米。",
        "offers {have} yuan/m2, below the floor of {need}",
    ),
}
"""Sentences of each refusal code, Chinese and English."""


@dataclass(frozen=True)
class Refusal:
    """A hard rule that a project breaks at a site, by how much.

    Parameters
    ----------
    code : str
        Key of `REFUSALS`.
    params : dict
        Numbers of the sentence, as printed.
    certain : bool
        Whether the rule is broken even at the best bound; else only at the likely value.
    """

    code: str
    params: dict[str, str]
    certain: bool

    @property
    def zh(self) -> str:
        """The sentence in Chinese."""
        return REFUSALS[self.code][0].format(**self.params)

    @property
    def en(self) -> str:
        """The sentence in English."""
        return REFUSALS[self.code][1].format(**self.params)


def shortage(
    code: str, need: Interval | float | Sequence[float], have: Interval | float | Sequence[float], *, spec: str = ".0f"
) -> Refusal | None:
    """Refusal where the likely need is above the likely supply; None where it fits.

    Parameters
    ----------
    code : str
        ``land_in_one_piece``, ``land_total``, ``power`` or ``quota``.
    need, have : number or interval
        In the unit of the sentence.
    spec : str
        Format of the numbers.

    Examples
    --------
    >>> shortage("land_in_one_piece", 35, (21, 24, 28)).en
    'needs 35 mu in one piece; the largest is 21-28'
    """
    need, have = Interval.of(need), Interval.of(have)
    if need.likely <= have.likely:
        return None
    return Refusal(code, {"need": format(need, spec), "have": format(have, spec)}, certain=need.low > have.high)


def hall_refusal(hall: tuple[float, float], rectangle: tuple[float, float]) -> Refusal:
    """Refusal of a hall (two sides, m) that does not fit, against the largest rectangle (two sides, m)."""
    sides = [" × ".join(format(side, ".0f") for side in sorted(pair)) for pair in (hall, rectangle)]
    return Refusal("hall", {"need": sides[0], "have": sides[1]}, certain=True)


@dataclass(frozen=True)
class Part:
    """One criterion of a sub-score, valued on a declared range.

    Parameters
    ----------
    name : str
    value : Interval
        In natural units.
    worst, best : float
        Values that score 0 and 1; `worst` may be the larger one.
    weight : float
    basis : {"reported", "published", "derived", "assumed"}
    """

    name: str
    value: Interval
    worst: float
    best: float
    weight: float
    basis: str

    @property
    def score(self) -> Interval:
        """Value on the range, 0 to 1."""
        ends = np.clip(
            (np.array([self.value.low, self.value.likely, self.value.high]) - self.worst) / (self.best - self.worst),
            0,
            1,
        )
        return Interval(float(ends.min()), float(ends[1]), float(ends.max()))


@dataclass(frozen=True)
class SubScore:
    """Weighted mean of parts, 0 to 1, with what each adds and the share of weight on each basis."""

    score: Interval
    contributions: dict[str, float]
    evidence: dict[str, float]


def subscore(parts: Iterable[Part]) -> SubScore:
    """Combine the parts of a land or energy sub-score.

    Raises
    ------
    InputError
        For no parts, weights that are negative or all zero, a range without width, an unknown basis: all at once.
    """
    parts = tuple(parts)
    faults = [] if parts else [Fault("parts", "is empty", "give at least one part")]
    for part in parts:
        if part.best == part.worst:
            faults.append(Fault(part.name, "worst and best are the same", "give a range with two ends"))
        if not part.weight >= 0:
            faults.append(Fault(part.name, f"weight is {part.weight}", "give a weight of 0 or more"))
    if parts and not sum(part.weight for part in parts) > 0:
        faults.append(Fault("parts", "all weights are 0", "give at least one weight above 0"))
    refuse_if(faults)
    shares = evidence([part.basis for part in parts], weights=[part.weight for part in parts])
    total = sum(part.weight for part in parts)
    score = Interval(0.0, 0.0, 0.0)
    for part in parts:
        score = score + part.score * (part.weight / total)
    return SubScore(score, {part.name: part.score.likely * part.weight / total for part in parts}, shares)


def evidence(bases: Sequence[str], *, weights: Sequence[float] | None = None) -> dict[str, float]:
    """Share of what was used that is reported, published, derived, assumed; adds up to 1.

    Parameters
    ----------
    bases : sequence of str
        Basis of each number used.
    weights : sequence of float, optional
        Weight of each; equal when left out.
    """
    refuse_if(
        [
            Fault("basis", f"{basis!r} is not known", f"use one of {', '.join(BASES)}")
            for basis in bases
            if basis not in BASES
        ]
    )
    weight: Any = np.ones(len(bases)) if weights is None else np.asarray(weights, dtype=float)
    total = weight.sum()
    return {basis: float(weight[np.array(bases) == basis].sum() / total) if total else 0.0 for basis in BASES}
