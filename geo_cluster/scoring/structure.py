"""What each city has of each segment, and the tables of who does what: by city and segment, by city, by pair.

C cities, G segments (`catalog.segments()`). Indicative where there are few firms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.scoring import specialisation
from geo_cluster.world import catalog

FEW = 5
"""Below so many firms a number says little."""

INDICATIVE = Text(
    zh="仅供参考（样本少）：企业只计已查到所在市和细分环节的，不是普查。",
    en="Indicative only (few firms): those whose city and segment were found, not a census.",
)
"""What stands beside every table of this module."""

COUNT, OUTPUT = "count", "output_100m_yuan"

Names = Mapping[str, Text]


@dataclass(frozen=True, eq=False)
class Structure:
    """What each city has of each segment.

    Attributes
    ----------
    when : str
        What is counted: what is there now, what a plan adds, or both.
    measure : str
        `count` (firms and projects) or `output_100m_yuan` (of a plan's projects; that of firms is not known).
    cities : tuple of str
        Codes of C prefectures.
    amounts : (C, G) array
        By city and segment.
    reference : (G,) array
        What all there is has, also outside these cities.
    number : (C, G) array, optional
        How many firms and projects the amounts are of, where they are no counts themselves.
    """

    when: str
    measure: str
    cities: tuple[str, ...]
    amounts: np.ndarray
    reference: np.ndarray
    number: np.ndarray | None = None

    @property
    def counted(self) -> np.ndarray:
        """(C, G): firms and projects behind the amounts."""
        return self.amounts if self.number is None else self.number


def _named(column: str, codes: list[str], names: Names) -> dict[str, Any]:
    """A code with its names in both languages."""
    return {column: codes} | {f"{column}_{language}": [names[one][language] for one in codes] for language in LANGUAGES}


def _noted(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{f"note_{language}": INDICATIVE[language] for language in LANGUAGES})


def quotients(one: Structure, names: Names) -> pd.DataFrame:
    """One row a city and segment: `value` of the city's `total`, `share` and `lq` with their 90 % intervals, `few`.

    Parameters
    ----------
    one : Structure
    names : mapping of Text
        Of the cities.
    """
    segments, count = catalog.segments(), len(one.cities)
    value, total = one.amounts, one.amounts.sum(axis=1, keepdims=True)
    whole = np.broadcast_to(specialisation.shares(one.reference), value.shape)
    low, high = specialisation.wilson(value, total)
    if one.measure != COUNT:
        low, high = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    over = np.where(whole > 0, whole, np.nan)
    codes = np.repeat(one.cities, len(segments)).tolist()
    table = pd.DataFrame({"when": one.when, "measure": one.measure} | _named("prefecture", codes, names))
    kinds = {key: segment.name for key, segment in segments.items()}
    for name, column in _named("segment", list(segments) * count, kinds).items():
        table[name] = column
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
    return _noted(table.assign(few=one.counted.ravel() < FEW))


def by_city(one: Structure, names: Names, *, unknown: pd.Series | None = None) -> pd.DataFrame:
    """One row a city: `total`, `segments`, `herfindahl`, `specialisation`, `hoover`, `segment_unknown`, `few`.

    Parameters
    ----------
    one : Structure
    names : mapping of Text
        Of the cities.
    unknown : Series, optional
        City -> firms whose segment nobody stated, which are counted nowhere.
    """
    table = pd.DataFrame({"when": one.when, "measure": one.measure} | _named("prefecture", list(one.cities), names))
    hidden = 0 if unknown is None else unknown.reindex(list(one.cities)).fillna(0).astype(int).to_numpy()
    table = table.assign(
        total=one.amounts.sum(axis=1),
        segments=(one.amounts > 0).sum(axis=1),
        herfindahl=specialisation.herfindahl(one.amounts),
        specialisation=specialisation.specialisation(one.amounts, one.reference),
        hoover=specialisation.hoover(one.amounts, one.reference),
        segment_unknown=hidden,
        few=one.counted.sum(axis=1) < FEW,
    )
    return _noted(table.round(dict.fromkeys(("total", "herfindahl", "specialisation", "hoover"), 4)))


_PAIR = ("when", "measure", "first", "second", "first_zh", "second_zh", "first_en", "second_en")
_NUMBERS = ("first_total", "second_total", "krugman", "overlap", "chance_low", "chance", "chance_high")


def by_pair(one: Structure, names: Names) -> pd.DataFrame:
    """One row a pair of cities: `krugman`, `overlap`, `chance_low`, `chance`, `chance_high`, `few`.

    Chance is the overlap of two cities of these sizes whose firms are dealt out at random: 5 %, mean, 95 %.

    Parameters
    ----------
    one : Structure
    names : mapping of Text
        Of the cities.
    """
    rows = [_pair(one, names, a, b) for a, b in combinations(range(len(one.cities)), 2)]
    table = pd.DataFrame(rows, columns=[*_PAIR, *_NUMBERS, "few"])
    return _noted(table.round(dict.fromkeys(_NUMBERS, 4)))


def _pair(one: Structure, names: Names, a: int, b: int) -> dict[str, Any]:
    """A pair of cities, by their positions."""
    index = float(specialisation.krugman(one.amounts[[a, b]])[0, 1])
    chance = specialisation.ByChance(np.nan, np.nan, np.nan)
    if one.measure == COUNT:
        chance = specialisation.overlap_by_chance(one.amounts[a], one.amounts[b])
    row: dict[str, Any] = {"when": one.when, "measure": one.measure, "first": one.cities[a], "second": one.cities[b]}
    for end, at in (("first", a), ("second", b)):
        row |= {f"{end}_{language}": names[one.cities[at]][language] for language in LANGUAGES}
        row[f"{end}_total"] = one.amounts[at].sum()
    few = bool(one.counted[[a, b]].sum(axis=1).min() < FEW)
    row |= {"krugman": index, "overlap": float(specialisation.overlap(index)), "few": few}
    return row | {"chance_low": chance.low, "chance": chance.mean, "chance_high": chance.high}


def of_unknown_segment(chain: pd.DataFrame) -> pd.Series:
    """Prefecture -> firms and plants there that no segment is stated of."""
    firms, keys = chain[chain["kind"].isin(["firm", "plant"])], set(catalog.segments())
    known = firms["segments"].fillna("").map(lambda parts: bool(keys & set(parts.split(";")))).astype(bool)
    return firms[~known]["prefecture_code"].value_counts()
