"""Division of labour among cities （错位竞争）: who does what before and after the plan, and who does the same.

Before: firms and plants of the layer `chain`, by the prefecture they are in, also those without a point; one that is
in two segments counts in each. Plan: its placed projects. After: both. Indicative only: there are few firms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from geo_cluster.domain import Language, Text
from geo_cluster.matching.resource import UNPLACED, Ints
from geo_cluster.region import firms_by_segment
from geo_cluster.scoring import specialisation
from geo_cluster.scoring.structure import COUNT as COUNT
from geo_cluster.scoring.structure import FEW as FEW
from geo_cluster.scoring.structure import INDICATIVE as INDICATIVE
from geo_cluster.scoring.structure import OUTPUT, Names, Structure, by_city, by_pair, of_unknown_segment, quotients
from geo_cluster.study import Study, once
from geo_cluster.world import catalog

BEFORE, PLAN, AFTER = "before", "plan", "after"

WHEN: Mapping[str, Text] = {
    BEFORE: Text(zh="现状", en="now"),
    PLAN: Text(zh="方案新增", en="the plan alone"),
    AFTER: Text(zh="方案后", en="with the plan"),
}
"""What is counted: firms that are there, projects of the plan, or both."""


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
    number = None if measure == COUNT else structure(study, when, site=site).amounts
    return Structure(when, measure, named, amounts, total.sum(axis=0).to_numpy(float), number)


@once
def structures(study: Study) -> tuple[Structure, ...]:
    """Before, the plan by count and by output, and after."""
    return (
        structure(study, BEFORE),
        structure(study, PLAN),
        structure(study, PLAN, measure=OUTPUT),
        structure(study, AFTER),
    )


def _each(study: Study, table: Callable[[Structure, Names], pd.DataFrame]) -> pd.DataFrame:
    """A table of each of `structures`, one below the other."""
    return pd.concat([table(one, study.region.names) for one in structures(study)], ignore_index=True)


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
    return _each(study, quotients)


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
    unknown = of_unknown_segment(study.layers.read("chain"))
    return _each(study, lambda one, names: by_city(one, names, unknown=None if one.when == PLAN else unknown))


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
    return _each(study, by_pair)


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
