"""Who does what in Hubei now: location quotients, Krugman's index, and segments that are found together.

Indicative: there are few firms, and fewer cities. Every number comes with how many it rests on and what chance would
give.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from geo_cluster.domain import LANGUAGES, Text
from geo_cluster.reach import firms
from geo_cluster.region import firms_by_segment
from geo_cluster.scoring.structure import COUNT, FEW, Structure, by_city, by_pair, of_unknown_segment, quotients
from geo_cluster.world import catalog
from geo_cluster.world.layers import Layers, by_content

DRAWS = 500
"""How often firms are dealt out among cities to see what chance gives."""


def _names(layers: Layers) -> dict[str, Text]:
    table = pd.DataFrame(layers.read("prefectures"))
    return {one.code: Text(zh=one.name_zh, en=one.name_en) for one in table.itertuples()}


def now(layers: Layers) -> Structure:
    """Firms and plants of each prefecture that has any of a known segment, the most first."""
    table = firms_by_segment(layers.read("chain"))
    table = table[(table.sum(axis=1) > 0) & table.index.isin(_names(layers))]
    table = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    amounts = table.to_numpy(float)
    return Structure("now", COUNT, tuple(table.index), amounts, amounts.sum(axis=0))


def quotient_table(layers: Layers) -> pd.DataFrame:
    """Share and location quotient by city and segment; see `scoring.structure.quotients`. Empty cells are left out."""
    table = quotients(now(layers), _names(layers))
    return table[table["value"] > 0].reset_index(drop=True)


def city_table(layers: Layers) -> pd.DataFrame:
    """How specialised each city is; see `scoring.structure.by_city`."""
    return by_city(now(layers), _names(layers), unknown=of_unknown_segment(layers.read("chain")))


@by_content("chain", "prefectures", most=4)
def pair_table(layers: Layers) -> pd.DataFrame:
    """How far each two cities do the same, and by chance; see `scoring.structure.by_pair`."""
    return by_pair(now(layers), _names(layers))


@by_content("chain", "prefectures", most=4)
def relatedness(layers: Layers) -> pd.DataFrame:
    """Segments that are found in the same cities, and how often they would be by chance.

    Proximity (Hidalgo et al. 2007, Science 317: 482-487) by presence: cities with both over cities with the commoner
    one. By chance: the firms keep their segments, and are dealt out among the cities, as many to each.

    Returns
    -------
    DataFrame
        One row a pair of segments with at least two firms each: `first`, `second` and their names, `first_firms`,
        `second_firms`, `both` and `cities` (numbers of cities), `proximity`, `chance_low`, `chance`, `chance_high`
        (5 %, mean, 95 %), `tells` (whether it lies above what chance gives), `few`.
    """
    chain = pd.DataFrame(firms(layers.read("chain")))
    known = chain[chain["prefecture_code"].fillna("") != ""]
    keys = list(catalog.segments())
    parts = known["segments"].fillna("").str.split(";")
    member = np.array([[key in said for key in keys] for said in parts], dtype=bool).reshape(-1, len(keys))
    member, city = member[member.any(axis=1)], known["prefecture_code"].to_numpy()[member.any(axis=1)]
    codes, where = np.unique(city, return_inverse=True)
    dealt, generator = np.empty((DRAWS, len(keys), len(keys))), np.random.default_rng(0)
    for draw in range(DRAWS):
        dealt[draw] = proximity(member, generator.permutation(where), len(codes))
    found, (low, high) = proximity(member, where, len(codes)), np.percentile(dealt, [5, 95], axis=0)
    count, both = member.sum(axis=0), _present(member, where, len(codes))
    rows = []
    for a, b in combinations(range(len(keys)), 2):
        if min(count[a], count[b]) < 2:
            continue
        names = {f"{end}_{language}": catalog.segments()[keys[at]].name[language]
                 for end, at in (("first", a), ("second", b)) for language in LANGUAGES}  # fmt: skip
        row = {"first": keys[a], "second": keys[b], **names, "first_firms": count[a], "second_firms": count[b]}
        row |= {"both": int((both[:, a] & both[:, b]).sum()), "cities": len(codes), "proximity": found[a, b]}
        row |= {"chance_low": low[a, b], "chance": dealt[:, a, b].mean(), "chance_high": high[a, b]}
        rows.append(row | {"tells": found[a, b] > high[a, b], "few": min(count[a], count[b]) < FEW})
    order = ["proximity", "first_firms", "second_firms"]
    return pd.DataFrame(rows).sort_values(order, ascending=False, kind="stable", ignore_index=True)


def _present(member: np.ndarray, where: np.ndarray, cities: int) -> np.ndarray:
    """(C, G): whether a city has a segment."""
    there = np.zeros((cities, member.shape[1]), dtype=bool)
    np.logical_or.at(there, where, member)
    return there


def proximity(member: np.ndarray, where: np.ndarray, cities: int) -> np.ndarray:
    """(G, G): cities with both segments over cities with the commoner one; 0 where there is none.

    Parameters
    ----------
    member : (F, G) bool array
        Which segments each firm is in.
    where : (F,) int array
        City of each firm.
    cities : int
    """
    there = _present(member, where, cities).astype(float)
    both, each = there.T @ there, there.sum(axis=0)
    most = np.maximum(each[:, None], each[None, :])
    return np.divide(both, most, out=np.zeros_like(both), where=most > 0)
