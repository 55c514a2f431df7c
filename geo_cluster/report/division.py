"""Division of labour among cities （错位竞争）: who does what before and after the plan, and who does the same.

Before: firms and plants of the layer `chain`, by the prefecture they are in, also those without a point; one that is
in two segments counts in each. Plan: its placed projects. After: both. Indicative only: there are few firms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Language, Text
from geo_cluster.matching.resource import UNPLACED, Ints
from geo_cluster.region import firms_by_segment
from geo_cluster.scoring import specialisation
from geo_cluster.study import Study, once
from geo_cluster.world import catalog

FEW = 5
"""Below so many firms a number says little."""

INDICATIVE = Text(
    zh="仅供参考（样本少）：企业只计已查到所在市和细分环节的，不是普查。",
    en="Indicative only (few firms): those whose city and segment were found, not a census.",
)
"""What stands beside every table of this module."""

COUNT, OUTPUT = "count", "output_100m_yuan"
BEFORE, PLAN, AFTER = "before", "plan", "after"

WHEN: Mapping[str, Text] = {
    BEFORE: Text(zh="现状", en="now"),
    PLAN: Text(zh="方案新增", en="the plan alone"),
    AFTER: Text(zh="方案后", en="with the plan"),
}
"""What is counted: firms that are there, projects of the plan, or both."""


@dataclass(frozen=True, eq=False)
class Structure:
    """What each city has of each segment.

    Attributes
    ----------
    when : str
        A key of `WHEN`.
    measure : str
        `count` (firms and projects) or `output_100m_yuan` (of the plan's projects; that of firms is not known).
    cities : tuple of str
        Codes of C prefectures.
    amounts : (C, G) array
        By city and segment, in the order of `catalog.segments()`.
    reference : (G,) array
        What the whole layer has, with the plan where it counts.
    """

    when: str
    measure: str
    cities: tuple[str, ...]
    amounts: np.ndarray
    reference: np.ndarray


def cities(study: Study) -> tuple[str, ...]:
    """Prefectures with sites, in the order of the sites, then that of the R&D anchor, to compare with."""
    named = [*study.sites["prefecture_code"], study.anchor.get("prefecture_code", "")]
    return tuple(dict.fromkeys(code for code in named if code in study.region.names))


def placed(study: Study, site: Ints, weight: np.ndarray | None = None) -> pd.DataFrame:
    """Projects of a plan by prefecture and segment: prefectures × G.

    Parameters
    ----------
    study : Study
    site : (P,) int array
        Site of each project, -1 for none.
    weight : (P,) array, optional
        What each project counts; one when left out.
    """
    at = np.flatnonzero(site != UNPLACED)
    value = np.ones(len(site)) if weight is None else weight
    rows = pd.DataFrame(
        {
            "city": study.sites["prefecture_code"].to_numpy()[site[at]],
            "segment": study.projects["segment"].to_numpy()[at],
            "value": value[at],
        }
    )
    table = rows.pivot_table(index="city", columns="segment", values="value", aggfunc="sum", fill_value=0.0)
    return table.reindex(columns=list(catalog.segments()), fill_value=0.0)


def structure(study: Study, when: str, *, measure: str = COUNT, site: Ints | None = None) -> Structure:
    """What each city has of each segment.

    Parameters
    ----------
    study : Study
    when : str
        A key of `WHEN`.
    measure : {"count", "output_100m_yuan"}
        Output is known of projects only, so that it goes with `plan` alone.
    site : (P,) int array, optional
        Another plan than the study's.
    """
    columns = list(catalog.segments())
    total = pd.DataFrame(columns=columns, dtype=float)
    if when != PLAN:
        total = total.add(firms_by_segment(study.layers.read("chain")), fill_value=0.0)
    if when != BEFORE:
        weight = study.projects[OUTPUT].to_numpy(float) if measure == OUTPUT else None
        total = total.add(placed(study, study.plan.site if site is None else site, weight), fill_value=0.0)
    total = total[columns]
    named = cities(study)
    amounts = total.reindex(list(named)).fillna(0.0).to_numpy(float)
    return Structure(when, measure, named, amounts, total.sum(axis=0).to_numpy(float))


@once
def structures(study: Study) -> tuple[Structure, ...]:
    """Before, the plan by count and by output, and after."""
    return (
        structure(study, BEFORE),
        structure(study, PLAN),
        structure(study, PLAN, measure=OUTPUT),
        structure(study, AFTER),
    )


@once
def division_table(study: Study) -> pd.DataFrame:
    """One row a city and segment, before and after.

    Returns
    -------
    DataFrame
        `when`, `measure`, `prefecture` and its names, `segment` and its names; `value` of the city's `total`; `share`
        with its 90 % interval (Wilson; counts only), `lq` with its interval, that of the share over the share of the
        whole layer; `few`: fewer than `FEW` of them, so that the quotient says little; `note_zh`, `note_en`.
    """
    return pd.concat([_quotients(study, one) for one in structures(study)], ignore_index=True)


def _quotients(study: Study, one: Structure) -> pd.DataFrame:
    segments, count = catalog.segments(), len(one.cities)
    value, total = one.amounts, one.amounts.sum(axis=1, keepdims=True)
    whole = np.broadcast_to(specialisation.shares(one.reference), value.shape)
    low, high = specialisation.wilson(value, total)
    if one.measure != COUNT:
        low, high = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    over = np.where(whole > 0, whole, np.nan)
    table = pd.DataFrame({"when": one.when, "measure": one.measure, "prefecture": np.repeat(one.cities, len(segments))})
    for language in LANGUAGES:
        table[f"prefecture_{language}"] = [study.region.names[code][language] for code in table["prefecture"]]
    table["segment"] = list(segments) * count
    for language in LANGUAGES:
        table[f"segment_{language}"] = [segments[key].name[language] for key in table["segment"]]
    columns = {
        "value": value,
        "total": np.broadcast_to(total, value.shape),
        "share": specialisation.shares(value),
        "share_low": low,
        "share_high": high,
        "lq": specialisation.location_quotient(value, one.reference),
        "lq_low": low / over,
        "lq_high": high / over,
    }
    for name, column in columns.items():
        table[name] = column.ravel().round(4)
    number = table["value"] if one.measure == COUNT else structure(study, one.when).amounts.ravel()
    return _noted(table.assign(few=np.asarray(number) < FEW))


def _noted(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{f"note_{language}": INDICATIVE[language] for language in LANGUAGES})


@once
def cities_table(study: Study) -> pd.DataFrame:
    """One row a city, before and after.

    Returns
    -------
    DataFrame
        `when`, `measure`, `prefecture` and its names, `total`, `segments` (how many it has), `herfindahl` of their
        shares, `specialisation` (Krugman's index against all others, 0 … 2), `hoover` (against all, 0 … 1),
        `segment_unknown` (firms there whose segment nobody stated: not counted), `few`, `note_zh`, `note_en`.
    """
    unknown = _unknown(study.layers.read("chain"))
    table = pd.concat([_specialised(study, one, unknown) for one in structures(study)], ignore_index=True)
    return _noted(table.round(dict.fromkeys(("total", "herfindahl", "specialisation", "hoover"), 4)))


def _specialised(study: Study, one: Structure, unknown: pd.Series) -> pd.DataFrame:
    names, hidden = study.region.names, unknown.reindex(list(one.cities)).fillna(0).astype(int).to_numpy()
    table = pd.DataFrame({"when": one.when, "measure": one.measure, "prefecture": one.cities})
    for language in LANGUAGES:
        table[f"prefecture_{language}"] = [names[code][language] for code in one.cities]
    return table.assign(
        total=one.amounts.sum(axis=1),
        segments=(one.amounts > 0).sum(axis=1),
        herfindahl=specialisation.herfindahl(one.amounts),
        specialisation=specialisation.specialisation(one.amounts, one.reference),
        hoover=specialisation.hoover(one.amounts, one.reference),
        segment_unknown=0 if one.when == PLAN else hidden,
        few=structure(study, one.when).amounts.sum(axis=1) < FEW,
    )


def _unknown(chain: pd.DataFrame) -> pd.Series:
    """Firms and plants of each prefecture that no segment is stated of."""
    firms, keys = chain[chain["kind"].isin(["firm", "plant"])], set(catalog.segments())
    known = firms["segments"].fillna("").map(lambda parts: bool(keys & set(parts.split(";")))).astype(bool)
    return firms[~known]["prefecture_code"].value_counts()


@once
def pairs_table(study: Study) -> pd.DataFrame:
    """One row a pair of cities, before and after.

    Returns
    -------
    DataFrame
        `when`, `measure`, `first`, `second` and their names, `first_total`, `second_total`, `krugman` (0 the same … 2
        nothing in common), `overlap` (1 - krugman / 2), `chance_low`, `chance`, `chance_high` (the overlap of two
        cities of these sizes whose firms are dealt out at random: 5 %, mean, 95 %; counts only), `few`, notes.
    """
    rows = [_pair(study, one, a, b) for one in structures(study) for a, b in combinations(range(len(one.cities)), 2)]
    columns = ["when", "measure", "first", "second", "first_zh", "second_zh", "first_en", "second_en"]
    numbers = ["first_total", "second_total", "krugman", "overlap", "chance_low", "chance", "chance_high"]
    table = pd.DataFrame(rows, columns=[*columns, *numbers, "few"])
    return _noted(table.round(dict.fromkeys(numbers, 4)))


def _pair(study: Study, one: Structure, a: int, b: int) -> dict[str, Any]:
    """A pair of cities, by their positions."""
    index = float(specialisation.krugman(one.amounts[[a, b]])[0, 1])
    number = structure(study, one.when).amounts[[a, b]].sum(axis=1)
    chance = specialisation.ByChance(np.nan, np.nan, np.nan)
    if one.measure == COUNT:
        chance = specialisation.overlap_by_chance(one.amounts[a], one.amounts[b])
    row: dict[str, Any] = {"when": one.when, "measure": one.measure, "first": one.cities[a], "second": one.cities[b]}
    for end, at in (("first", a), ("second", b)):
        name = study.region.names[one.cities[at]]
        row |= {f"{end}_{language}": name[language] for language in LANGUAGES}
        row[f"{end}_total"] = one.amounts[at].sum()
    row |= {"krugman": index, "overlap": float(specialisation.overlap(index)), "few": bool(number.min() < FEW)}
    return row | {"chance_low": chance.low, "chance": chance.mean, "chance_high": chance.high}


def mean_overlap(study: Study, site: Ints | None = None, *, when: str = AFTER) -> float:
    """Overlap of the cities with sites, mean over their pairs; nan with fewer than two that have anything.

    Parameters
    ----------
    study : Study
    site : (P,) int array, optional
        Another plan than the study's.
    when : str
        A key of `WHEN`.
    """
    one = structure(study, when, site=site)
    own = np.isin(one.cities, study.sites["prefecture_code"].unique()) & (one.amounts.sum(axis=1) > 0)
    index = specialisation.krugman(one.amounts[own])
    apart = index[np.triu_indices(len(index), 1)]
    return float(specialisation.overlap(apart).mean()) if len(apart) else np.nan


def sentences(study: Study, language: Language) -> list[str]:
    """Each pair of cities with sites in a sentence: how far they do the same now and with the plan, and by chance.

    Pairs of which one has no firm or project of a known segment are left out.

    Parameters
    ----------
    study : Study
    language : {"zh", "en"}
    """
    table, own = pairs_table(study), set(study.sites["prefecture_code"])
    table = table[table["first"].isin(own) & table["second"].isin(own) & (table["measure"] == COUNT)]
    said = []
    for _, rows in table.groupby(["first", "second"], sort=False):
        by = rows.set_index("when")
        before, after = by.loc[BEFORE], by.loc[AFTER]
        if np.isnan(after["overlap"]):
            continue
        first, second = (after[f"{end}_{language}"] for end in ("first", "second"))
        now, then = (_overlap_words(row, language) for row in (before, after))
        if language == "zh":
            text = f"{first}与{second}结构重合度：现状{now}，方案后{then}"
            text += f"；同样多的企业和项目随机分到两市，平均为 {after['chance']:.2f}"
            said.append(f"{text}（90% 在 {after['chance_low']:.2f}–{after['chance_high']:.2f} 之间）。")
        else:
            text = f"{first} and {second} overlap: {now} now, {then} with the plan"
            text += f"; as many firms and projects dealt out at random overlap {after['chance']:.2f} on average"
            said.append(f"{text} (90 % within {after['chance_low']:.2f}–{after['chance_high']:.2f}).")
    return said


def overlaps(study: Study) -> pd.DataFrame:
    """One row a pair of cities for people: `first`, `second`, overlap `before`, `after`, what it is by chance, `few`.

    By count; `plan` and `plan_output` are of the plan alone, by projects and by their output.
    """
    table = pairs_table(study)
    keys = ["first", "second"]
    wide = table[(table["when"] == AFTER) & (table["measure"] == COUNT)].rename(columns={"overlap": AFTER})
    for name, when, measure in ((BEFORE, BEFORE, COUNT), (PLAN, PLAN, COUNT), ("plan_output", PLAN, OUTPUT)):
        part = table[(table["when"] == when) & (table["measure"] == measure)]
        wide = wide.merge(part[[*keys, "overlap"]].rename(columns={"overlap": name}), on=keys, how="left")
    few = table[(table["when"] == BEFORE)][[*keys, "few"]].rename(columns={"few": "few_before"})
    return wide.merge(few, on=keys, how="left").reset_index(drop=True)


_NOTHING = Text(zh="无从比较（有一市没有已知细分环节的企业）", en="not comparable (one has no firm of a known segment)")


def _overlap_words(row: pd.Series, language: Language) -> str:
    """An overlap, or that there is nothing to compare."""
    if np.isnan(row["overlap"]):
        return _NOTHING[language]
    return f" {row['overlap']:.2f}" if language == "zh" else f"{row['overlap']:.2f}"
