"""The verdict on one project as a card: which site, how sure, what speaks for and against it, what would turn it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geo_cluster.domain import LANGUAGES, Language, Text
from geo_cluster.intake.site_choice import Weighed, thresholds
from geo_cluster.scoring.explain import CLOSE, Certainty, SwitchingValue, changes_in_words, significant
from geo_cluster.scoring.robustness import smallest_weight_change
from geo_cluster.world import catalog

MOST_FOR, MOST_AGAINST = 3, 2
SURE, LIKELY = 0.8, 0.6
"""Chances of being first from which a choice is called sure, and likely."""
TOLD = 0.05
"""Points below which a difference isn't told: it would read as 0.0."""

Grade = Literal["sure", "likely", "open", "close", "behind"]


@dataclass(frozen=True)
class Reason:
    """One criterion that speaks for a site or against it.

    Attributes
    ----------
    criterion : str
    points : float
        For: points more than the mean of the sites there are (of one site: than nothing). Against: points less than
        the best of them has (less than all there are to have, where no site has more).
    place : int
        Rank of the site on this criterion among the sites, 1 is the best.
    is_shared : bool
        Other sites have that rank too.
    evidence : str
        How the site's number is known (`domain.BASES`).
    words : Text
        The same as a sentence.
    """

    criterion: str
    points: float
    place: int
    is_shared: bool
    evidence: str
    words: Text


@dataclass(frozen=True)
class Side:
    """A site on the card: score at the likely values, nine of ten draws of it, their mean, its chance to be first."""

    site: str
    score: float
    low: float
    high: float
    mean: float
    chance: float


@dataclass(frozen=True)
class Card:
    """What to read of a verdict first.

    Attributes
    ----------
    first : Side
    second : Side, optional
        None where only one site is eligible.
    grade : {"sure", "likely", "open", "close", "behind"}
        How sure it is: a chance to be first from 80 %, from 60 %, less; close where the runner-up is first as often,
        behind where it is first more often.
    how_sure : Text
        The same in a sentence, and why a lead and a chance don't match where they don't.
    pros, cons : tuple of Reason
        At most three and two.
    turns : tuple of Text
        What would put the second first, each by itself: a weight, a number.
    """

    first: Side
    second: Side | None
    grade: Grade
    how_sure: Text
    pros: tuple[Reason, ...]
    cons: tuple[Reason, ...]
    turns: tuple[Text, ...]


def card(weighed: Weighed) -> Card | None:
    """The card of a choice; None where no site is eligible."""
    order = [int(place) for place in weighed.order]
    if not order:
        return None
    first = side(weighed, order[0])
    second = side(weighed, order[1]) if len(order) > 1 else None
    pros, cons = reasons(weighed, order[0])
    turns = tuple(_turns(weighed)) if second else ()
    grade = _grade(first, second)
    return Card(first, second, grade, _how_sure(weighed, first, second, grade), pros, cons, turns)


def side(weighed: Weighed, place: int) -> Side:
    """One site by its place in `weighed.choice.sites`."""
    low, high = weighed.interval[:, place]
    mean = float((weighed.choice.utilities[:, place] @ weighed.weight).mean() * 100)
    chance = float(weighed.acceptability[place, 0])
    return Side(weighed.choice.sites[place], float(weighed.score[place]), float(low), float(high), mean, chance)


def _grade(first: Side, second: Side | None) -> Grade:
    if second is not None and abs(first.chance - second.chance) < CLOSE:
        return "close"
    if second is not None and second.chance > first.chance:
        return "behind"
    return "sure" if first.chance >= SURE else "likely" if first.chance >= LIKELY else "open"


def reasons(weighed: Weighed, place: int) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What speaks for a site and what against it, the weightiest first.

    Unknown numbers speak for nobody, and a place in the worse half is nothing to praise.
    """
    points, known = weighed.points, ~np.isnan(weighed.choice.natural[place])
    others = np.delete(points, place, axis=0)
    ahead = points[place] - points.mean(axis=0) if len(others) else points[place]
    better = (others > points[place] + 1e-9).sum(axis=0) < (len(others) + 1) / 2
    pros = [at for at in np.argsort(-ahead, kind="stable") if ahead[at] >= TOLD and known[at] and better[at]][:MOST_FOR]
    behind = points.max(axis=0) - points[place]
    if not (behind[known] >= TOLD).any():
        behind = 100 * weighed.weight - points[place]
    cons = [at for at in np.argsort(-behind, kind="stable") if behind[at] >= TOLD and known[at]][:MOST_AGAINST]
    return (
        tuple(_reason(weighed, place, at, float(ahead[at]), "for") for at in pros),
        tuple(_reason(weighed, place, at, float(behind[at]), "against") for at in cons),
    )


def _reason(weighed: Weighed, place: int, at: int, points: float, which: Literal["for", "against"]) -> Reason:
    value = weighed.choice.value[:, at]
    rank = 1 + int((value > value[place] + 1e-9).sum())
    is_shared = int((np.abs(value - value[place]) <= 1e-9).sum()) > 1
    key = list(catalog.criteria())[at]
    words = {
        language: _words(weighed, (place, at), points, (which, rank, is_shared), language) for language in LANGUAGES
    }
    return Reason(key, points, rank, is_shared, str(weighed.choice.evidence[place, at]), Text(**words))


def _words(
    weighed: Weighed, cell: tuple[int, int], points: float, told: tuple[str, int, bool], language: Language
) -> str:
    """A reason as people say it: the number, where it stands among the sites, and what that makes in points."""
    (place, at), (which, rank, is_shared), phrases = cell, told, PHRASES[language]
    criterion, count = list(catalog.criteria().values())[at], len(weighed.choice.sites)
    best = int(weighed.choice.value[:, at].argmax())
    values = {
        "name": criterion.name[language],
        "amount": amount(weighed, place, at, language),
        "points": f"{points:.1f}",
        "count": count,
        "rank": rank,
        "best": weighed.name(best, language),
        "best_amount": amount(weighed, best, at, language),
    }
    if which == "for":
        key = (
            "alone"
            if count == 1
            else ("tied" if rank == 1 else "tied_at")
            if is_shared
            else "top"
            if rank == 1
            else "at"
        )
    else:
        key = "short" if rank == 1 else "less"
    return phrases[key].format(**values)


def amount(weighed: Weighed, place: int, at: int, language: Language) -> str:
    """A criterion's number at a site in three digits with its unit; '' where unknown.

    Parameters
    ----------
    weighed : Weighed
    place, at : int
        Of the site, of the criterion.
    language : {"zh", "en"}
    """
    natural, criterion = weighed.choice.natural[place, at], list(catalog.criteria().values())[at]
    return "" if np.isnan(natural) else criterion.amount(f"{significant(float(natural)):,.12g}", language)


def _how_sure(weighed: Weighed, first: Side, second: Side | None, grade: Grade) -> Text:
    """How sure it is and, where a lead says other than the chances, why."""
    said = {}
    for language in LANGUAGES:
        phrases, names = PHRASES[language], weighed.choice.names
        if second is None:
            said[language] = phrases["only"].format(first=names[first.site][language])
            continue
        values = {
            "second": names[second.site][language],
            "one": f"{100 * first.chance:.0f}",
            "other": f"{100 * second.chance:.0f}",
            "lead": f"{abs(round(first.score, 1) - round(second.score, 1)):.1f}",
        }
        parts = [phrases[grade], *(phrases[key] for key in _doubts(first, second))]
        likeliest = int(weighed.acceptability[:, 0].argmax())
        values |= {"likeliest": weighed.name(likeliest, language)}
        values |= {"most": f"{100 * weighed.acceptability[likeliest, 0]:.0f}"}
        if weighed.acceptability[likeliest, 0] >= max(first.chance, second.chance) + CLOSE:
            parts.insert(1, phrases["likeliest"])
        lead = first.mean - second.mean
        values |= {"mean_lead": f"{abs(lead):.1f}", "low": f"{max(first.low, second.low):.0f}"}
        values["high"] = f"{min(first.high, second.high):.0f}"
        said[language] = phrases["join"].join(parts).format(**values) + phrases["stop"]
    return Text(**said)


def _doubts(first: Side, second: Side) -> Sequence[str]:
    """Keys of what keeps a lead from being sure: intervals that overlap, unknowns that eat the lead up."""
    if first.chance >= SURE:
        return ()
    lead, mean = first.score - second.score, first.mean - second.mean
    overlap = ("overlap",) if second.high > first.low and first.high > second.low else ()
    if mean <= -TOLD:
        return (*overlap, "turned")
    return (*overlap, "eaten") if mean < 0.75 * lead else overlap


def turning(weighed: Weighed) -> dict[Language, Certainty]:
    """The weight and the number that would put the second first, by language; None where there is none."""
    criteria, choice = catalog.criteria(), weighed.choice
    pair = [int(place) for place in weighed.order[:2]]
    number = thresholds(weighed, rivals=1).iloc[0]
    change = smallest_weight_change(choice.value[pair], weighed.weight)
    found: dict[Language, Certainty] = {}
    for language in LANGUAGES:
        datum = weight = None
        if number["datum"]:
            declared = criteria.get(number["datum"]) or catalog.attributes()[number["datum"]]
            whose = choice.names[number["subject"]][language] if number["subject"] else ""
            unit = str(number[f"unit_{language}"])
            datum = SwitchingValue(declared.name[language], number["needed"], unit, bool(number["above"]), whose)
        if change.criterion >= 0:
            needed = float(change.weights[change.criterion])
            name = list(criteria.values())[change.criterion].name[language]
            weight = SwitchingValue(name, needed, "%", above=needed > weighed.weight[change.criterion])
        found[language] = Certainty(weight=weight, datum=datum)
    return found


def _turns(weighed: Weighed) -> list[Text]:
    """What would put the second first, in both languages."""
    found, said, second = turning(weighed), {}, int(weighed.order[1])
    for language in LANGUAGES:
        name = weighed.name(second, language)
        said[language] = changes_in_words(name, found[language], language)
        said[language] = said[language] or [PHRASES[language]["no_turn"].format(second=name)]
    return [Text(zh=zh, en=en) for zh, en in zip(said["zh"], said["en"], strict=True)]


PHRASES: dict[Language, dict[str, str]] = {
    "zh": {
        "top": "{name} {amount}，{count} 个可落地园区中最好，比平均多 {points} 分",
        "tied": "{name} {amount}，{count} 个可落地园区中并列最好，比平均多 {points} 分",
        "at": "{name} {amount}，{count} 个可落地园区中第 {rank}，比平均多 {points} 分",
        "tied_at": "{name} {amount}，{count} 个可落地园区中并列第 {rank}，比平均多 {points} 分",
        "alone": "{name} {amount}，得 {points} 分",
        "less": "{name} {amount}，少得 {points} 分；{best}为 {best_amount}",
        "short": "{name} {amount}，离该项满分差 {points} 分",
        "only": "只有{first}可落地，无从比较。",
        "sure": "把握大：居首概率 {one}%，次选{second} {other}%",
        "likely": "较有把握：居首概率 {one}%，次选{second} {other}%",
        "open": "把握不大：居首概率 {one}%，次选{second} {other}%",
        "behind": "按最可能值居首，但次选{second}居首的机会更大：{other}% 对 {one}%",
        "close": "两者难分：居首概率 {one}% 对{second} {other}%",
        "overlap": "两者九成区间在 {low}–{high} 分重叠",
        "eaten": "按最可能值领先 {lead} 分，计入未知数的可能取值后平均只领先 {mean_lead} 分",
        "turned": "按最可能值领先 {lead} 分，计入未知数的可能取值后平均反而落后 {mean_lead} 分",
        "likeliest": "居首机会最大的是{likeliest}（{most}%）",
        "no_turn": "任何单个数、单个权重的变化都不足以让{second}领先",
        "join": "；",
        "stop": "。",
    },
    "en": {
        "top": "{name} {amount}: best of {count} eligible sites, {points} points above their mean",
        "tied": "{name} {amount}: among the best of {count} eligible sites, {points} points above their mean",
        "at": "{name} {amount}: rank {rank} of {count} eligible sites, {points} points above their mean",
        "tied_at": "{name} {amount}: shared rank {rank} of {count} eligible sites, {points} points above their mean",
        "alone": "{name} {amount}: {points} points",
        "less": "{name} {amount}: {points} points less than {best}, which has {best_amount}",
        "short": "{name} {amount}: {points} points short of full marks",
        "only": "Only {first} is eligible; there is nothing to compare.",
        "sure": "Sure: first of all in {one} %, {second} in {other} %",
        "likely": "Likely: first of all in {one} %, {second} in {other} %",
        "open": "Not sure: first of all in {one} %, {second} in {other} %",
        "behind": "First at the likely numbers, yet {second} is first of all more often: {other} % to {one} %",
        "close": "Too close to call: first of all in {one} %, {second} in {other} %",
        "overlap": "nine in ten draws of both overlap at {low}–{high}",
        "eaten": "it leads by {lead} at the likely numbers, but by {mean_lead} on average over unknowns",
        "turned": "it leads by {lead} at the likely numbers, but is {mean_lead} behind on average over unknowns",
        "likeliest": "most often first is {likeliest}, in {most} %",
        "no_turn": "No change of a single number or a single weight would put {second} first",
        "join": "; ",
        "stop": ".",
    },
}
