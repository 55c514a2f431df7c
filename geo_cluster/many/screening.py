"""Many projects at once: every site's score, who is first how often, and what other methods say, as arrays.

P projects, S sites, C criteria, N draws. A block of projects is worked out in arrays; what leaves it is of a project or
of a pair of project and site that is asked for, so memory does not grow with the number of projects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from geo_cluster import eligibility
from geo_cluster.domain import BASES, LANGUAGES
from geo_cluster.eligibility import Facts, Ruled
from geo_cluster.many import kernels, methods
from geo_cluster.many.ground import Ground
from geo_cluster.region import facts_of, settings_of
from geo_cluster.scoring.criteria import Setting, known_values
from geo_cluster.world import catalog

MOST_CELLS = 6_000_000
"""Numbers (projects × sites × criteria) of a block."""

MIDDLE = np.array([0.05, 0.95])
"""Ends of the middle 90 % of the draws."""


@dataclass(frozen=True, eq=False)
class Block:
    """What was found of P projects; see `screen`.

    Attributes
    ----------
    projects : DataFrame
        The checked projects.
    ruled : Ruled
        Who may go where.
    likely : Setting
        Likely values.
    value : (P, S, C) array
        Likely values on the value functions; 0.5 where unknown.
    score : (P, S) array
        0 to 100.
    themes : (P, S, T) array
        Sub-score of each theme.
    order : (P, S) int array
        Sites that a project may go to, best first, then the others.
    chances : (P, S, 2) array
        Of being first, and among the first three; nan where a project may not go. Sites that tie are all first; where
        weights are certain they share the chance.
    entropy : (P, 2) array
        Of the first place and of the ranking, bits.
    by_method : (P, M) int array
        Site that each of `methods.METHODS` puts first; -1 where there is none.
    agreement : (P,) array
    pairs : (E, 2) int array
        Project and site of the pairs that are asked for, best first for each project.
    rank : (E,) array
        Rank among the sites that a project may go to; 0 where it may not.
    middle : (E, T + 1, 2) array
        Low and high of each theme's points and of the score.
    """

    projects: pd.DataFrame
    ruled: Ruled
    likely: Setting
    value: np.ndarray
    score: np.ndarray
    themes: np.ndarray
    order: np.ndarray
    chances: np.ndarray
    entropy: np.ndarray
    by_method: np.ndarray
    agreement: np.ndarray
    pairs: np.ndarray
    rank: np.ndarray
    middle: np.ndarray

    def told(self, ground: Ground) -> dict[str, np.ndarray]:
        """Columns of the pairs: points of each theme with their ends, what is assumed, who may not go there and why."""
        project, site = self.pairs.T
        table, share = {}, ground.shares
        for t, theme in enumerate(ground.themes):
            total = max(ground.weight[ground.theme_of == t].sum(), 1e-12)
            table[theme] = self.themes[project, site, t].round(2)
            for end, name in enumerate(("low", "high")):
                table[f"{theme}_{name}"] = (self.middle[:, t, end] / total).round(2)
            table[f"{theme}_assumed"] = share[f"{theme}_assumed"][site].round(4)
        table |= {basis: share[basis][site].round(4) for basis in BASES}
        table |= {"eligible": self.ruled.allowed[project, site], "rule": self.ruled.rule(project, site)}
        table["reason"], table["reason_en"] = (self.ruled.reason(project, site, one) for one in LANGUAGES)
        table["remark"], table["remark_en"] = (self.ruled.remark(project, site, one) for one in LANGUAGES)
        return table

    @property
    def counts(self) -> np.ndarray:
        """(P,): to how many sites each project may go."""
        return self.ruled.allowed.sum(axis=1)


class Asked(NamedTuple):
    """What is asked for.

    Attributes
    ----------
    top : int
        Best sites of each project; 0 for all sites, also those where it may not go.
    also : mapping of int
        Beside them, by project: one site, by its place.
    compared : bool
        Whether other methods are asked, too.
    """

    top: int = 0
    also: Mapping[str, int] = MappingProxyType({})
    compared: bool = True


def screen(
    ground: Ground,
    projects: pd.DataFrame,
    asked: Asked = Asked(),  # noqa: B008 - a tuple
    whole: Callable[[Facts], Facts] = lambda facts: facts,
) -> Iterator[tuple[np.ndarray, Block]]:
    """Work projects out block by block, those of one class together.

    Parameters
    ----------
    ground : Ground
    projects : DataFrame
        Checked projects (`portfolio.check`).
    asked : Asked
    whole : callable
        From what a rule looks at to what is scored, where these differ (`parts.as_wholes`).

    Yields
    ------
    (array, Block)
        Places of the block's projects in `projects`, and what was found of them.
    """
    bears = projects["max_minutes"].to_numpy(float)
    segment = projects["segment"].to_numpy(str)
    sorted_ = np.lexsort((bears, segment))
    size = max(MOST_CELLS // (len(ground.region.sites) * len(ground.criteria)), 1)
    for start in range(0, len(projects), size):
        at = sorted_[start : start + size]
        yield at, _block(ground, projects.iloc[at], asked, whole)


def _block(ground: Ground, projects: pd.DataFrame, asked: Asked, whole: Callable[[Facts], Facts]) -> Block:
    facts = facts_of(ground.region, projects)
    ruled = eligibility.ruled(facts)
    likely, drawn = settings_of(ground.region, whole(facts))
    criteria = catalog.criteria()
    known = known_values(likely, criteria)
    value = np.where(np.isnan(known), 0.5, known)
    points = 100 * value * ground.weight
    score = points.sum(axis=2)
    themes = _themes(ground, points)
    best_first = np.argsort(-score, axis=1, kind="stable")
    far = ~np.take_along_axis(ruled.allowed, best_first, axis=1)
    order = np.take_along_axis(best_first, np.argsort(far, axis=1, kind="stable"), axis=1)
    counts = ruled.allowed.sum(axis=1)
    here, ends = _flat(order, counts)
    pairs = _asked(ruled.allowed, score, asked.top, [asked.also.get(one, -1) for one in projects.index])
    first, middle = _draws(ground, drawn, projects, here, ends, pairs)
    chances = np.full((*score.shape, 2), np.nan)
    chances[np.repeat(np.arange(len(projects)), counts), here] = first[0]
    rank = np.zeros(score.shape, dtype=int)
    project, site = np.nonzero(ruled.allowed)
    rank[project, site] = kernels.ranks(score[project, site], site, ends)
    by_method, agreement = np.full((len(projects), len(methods.METHODS)), -1), np.full(len(projects), np.nan)
    if asked.compared:
        by_method, agreement = methods.compared(value, ground.weight / ground.weight.sum(), site, ends)
    pair_rank = rank[pairs[:, 0], pairs[:, 1]]
    return Block(
        projects, ruled, likely, value, score, themes, order, chances, first[1], by_method, agreement, pairs,
        pair_rank, middle,
    )  # fmt: skip


def _flat(order: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first few of each row, one after the other, and where those of each begin and end."""
    return order[np.arange(order.shape[1]) < counts[:, None]], np.concatenate([[0], np.cumsum(counts)])


def _themes(ground: Ground, points: np.ndarray) -> np.ndarray:
    """(P, S, T): sub-score of each theme, 0 to 100."""
    found = []
    for t in range(len(ground.themes)):
        mine = ground.theme_of == t
        found.append(points[:, :, mine].sum(axis=2) / max(ground.weight[mine].sum(), 1e-12))
    return np.stack(found, axis=2)


def _asked(allowed: np.ndarray, score: np.ndarray, top: int, also: Sequence[int]) -> np.ndarray:
    """(E, 2): pairs that are asked for, in the order in which they are written."""
    order = np.lexsort((-score.round(4), ~allowed), axis=1)
    kept = np.ones(order.shape, dtype=bool)
    if top:
        kept = np.take_along_axis(allowed, order, axis=1)
        kept[:, top:] = False
        kept |= order == np.array(also)[:, None]
    project, column = np.nonzero(kept)
    return np.column_stack([project, order[project, column]])


def _draws(
    ground: Ground, drawn: Setting, projects: pd.DataFrame, here: np.ndarray, ends: np.ndarray, pairs: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """What the draws say: chances (E, 2) of sites that a project may go to, entropies (P, 2), middles of pairs."""
    which, layers, most = _layers(ground, drawn)
    need = _taken(ground, drawn)
    weight, points, theme = ground.moved
    of_pair = np.searchsorted(pairs[:, 0], np.arange(len(projects) + 1))
    chances, entropy = np.empty((len(here), 2)), np.empty((len(projects), 2))
    middle = np.empty((len(pairs), len(ground.themes) + 1, 2))
    for start, stop, key in _classes(ground, projects):
        found = ground.of_class(key, drawn.only(slice(start, start + 1)))
        rows = slice(start, stop)
        mine, asked = ends[start : stop + 1], of_pair[start : stop + 1]
        some, pair = slice(mine[0], mine[-1]), slice(asked[0], asked[-1])
        first, top3, best, choice, ranking = kernels.chances(
            found.base, layers, most, which[rows], need[rows], weight, here[some], mine - mine[0]
        )
        chances[some] = np.column_stack([best if ground.certain else first, top3])
        entropy[rows] = np.column_stack([choice, ranking])
        sites, at = np.unique(pairs[pair, 1], return_inverse=True)
        middle[pair] = kernels.spans(
            found.tables(sites), np.full((len(ground.themes), len(sites), 2), np.nan), layers, which[rows],
            need[rows], points, theme, sites, at, asked - asked[0], MIDDLE,
        )  # fmt: skip
    return (chances, entropy), middle


def _classes(ground: Ground, projects: pd.DataFrame) -> Iterator[tuple[int, int, tuple[object, ...]]]:
    """Runs of projects of one class: where each begins and ends, and its key."""
    bears, segment = projects["max_minutes"].to_numpy(float), projects["segment"].to_numpy(str)
    changes = (segment[1:] != segment[:-1]) | (bears[1:] != bears[:-1]) | bool(ground.apart)
    bounds = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(projects)]])
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        own = (str(projects.index[start]),) if ground.apart else ()
        yield start, stop, (str(segment[start]), float(bears[start]), *own)


def _layers(ground: Ground, drawn: Setting) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(P, K) which layer counts for each project, the (X, S, N) layers, and the (X, S) most of each."""
    which: list[np.ndarray] = []
    wanted: list[tuple[int, int]] = []
    for k, cover in enumerate(ground.covers):
        attribute = catalog.resources()[cover.resource].attribute
        years, at = np.unique(ground.years(attribute, drawn.begins[attribute]), return_inverse=True)
        which.append(len(wanted) + at.ravel())
        wanted += [(k, int(year)) for year in years]
    place, layers, most = ground.layers(wanted)
    return np.ascontiguousarray(place[np.column_stack(which)]), layers, most


def _taken(ground: Ground, drawn: Setting) -> np.ndarray:
    """(P, K, N): logarithms of what projects take."""
    found = [ground.taken(one, drawn.needs[catalog.resources()[one.resource].need].T) for one in ground.covers]
    return np.ascontiguousarray(np.stack(found, axis=1))
