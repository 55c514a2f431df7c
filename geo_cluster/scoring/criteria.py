"""The measures behind the criteria: one pure function each, natural units in, natural units out.

A measure looks at a `Setting` and returns an array that broadcasts to (N, P, S): draws, projects, sites. With the
likely values N is 1. A criterion names its measure in `tables/criteria.toml`; a new one is a row there and a
function here, or the coverage ratio of a resource.
"""

from __future__ import annotations

import functools
import math
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from geo_cluster.domain import Criterion
from geo_cluster.scoring.values import ValueFunction
from geo_cluster.world import catalog

MODES = ("river", "rail", "air")
"""Ways that goods leave, beside the road to customers, which is access to them."""

DECAY_KNOTS = 4
"""A value that decays runs straight between so many points for each half."""


class Later(NamedTuple):
    """What arrives: `at` (S,) which sites it is for, `amount` (N,) how much, `year` (N,) from which year on.

    `zone` (S,) says which parks lie in the zone that it is for.
    """

    at: np.ndarray
    amount: np.ndarray
    year: np.ndarray
    zone: np.ndarray | bool = False


@dataclass(frozen=True)
class Setting:
    """What the measures look at.

    Attributes
    ----------
    needs : mapping of (N, P) arrays
        What projects take, by `need` of the resource: `land_mu`, `power_mva`, `energy_tce`.
    offers : mapping of (N, S) arrays
        What sites (with their substation and prefecture) have: `available_land_ha`, `spare_mva`,
        `energy_quota_tce`, `land_price_10k_yuan_per_mu`, `trip_min`, `grid_km`, `open_constraints`,
        `supplier_access`, `customer_access`, and `river_min`, `rail_min`, `air_min` of freight.
    fixed : mapping of (P or 1, S or 1) arrays
        What is not drawn: `same_segment`, `supplier_share`, `customer_share` and, by mode of freight, `river_share` and
        so on; the likely `industry_fit`.
    bearable : (P,) array, optional
        Minutes to R&D that each project bears; beyond them the value of the trip decays. Without it, it never does.
    later : mapping of tuple of Later
        By attribute: what is not there yet.
    parks : mapping of (own, zone)
        By attribute that parks share with their zone: (N, S) what each site has itself, and what its zone has (nan for
        none); `offers` has the less of both.
    begins : mapping of (P,) arrays
        By attribute: the year from which each project needs it.
    by_segment : mapping of (N, G, S) arrays
        Draws of what depends on a project's segment and the site: `industry_fit`. These go before `fixed`.
    segment : (P,) int array
        Which segment each project is of, for `by_segment`.
    """

    needs: Mapping[str, np.ndarray]
    offers: Mapping[str, np.ndarray]
    fixed: Mapping[str, np.ndarray]
    bearable: np.ndarray | None = None
    later: Mapping[str, tuple[Later, ...]] = field(default_factory=dict)
    parks: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    begins: Mapping[str, np.ndarray] = field(default_factory=dict)
    by_segment: Mapping[str, np.ndarray] = field(default_factory=dict)
    segment: np.ndarray = field(default_factory=lambda: np.array([], dtype=int))

    def of_segment(self, key: str) -> np.ndarray:
        """(N or 1, P or 1, S): a measure that depends on a project's segment, drawn where it is."""
        return self.by_segment[key][:, self.segment] if key in self.by_segment else self.fixed[key][None]

    def only(self, projects: slice) -> Setting:
        """The same setting for some of the projects."""
        fixed = {key: array if len(array) == 1 else array[projects] for key, array in self.fixed.items()}
        begins = {key: array[projects] for key, array in self.begins.items()}
        needs = {key: array[:, projects] for key, array in self.needs.items()}
        bearable = None if self.bearable is None else self.bearable[projects]
        segment = self.segment[projects]
        return replace(self, needs=needs, fixed=fixed, bearable=bearable, begins=begins, segment=segment)


def coverage_ratio(resource: str, setting: Setting) -> np.ndarray:
    """What there is of a resource when the project begins over what it needs, times; see `tables/resources.toml`.

    Where a site offers another resource in place of it (a standard factory: floor for land), that one counts.
    """
    kind = catalog.resources()[resource]
    offer, need = offer_then(kind.attribute, setting), setting.needs[kind.need]
    ratio = offer * kind.times / need[:, :, None]
    other = catalog.alternative(resource)
    if not other or catalog.resources()[other].attribute not in setting.offers:
        return ratio
    return np.where(np.isnan(offer), coverage_ratio(other, setting), ratio)


def offer_then(attribute: str, setting: Setting) -> np.ndarray:
    """(N, P or 1, S): what there is when each project begins; a park has the less of its own and its zone's."""
    if attribute not in setting.later:
        return setting.offers[attribute][:, None, :]
    own, zone = own_and_zone(attribute, setting)
    return np.where(np.isnan(own), np.nan, np.fmin(own, zone))


def own_and_zone(attribute: str, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """(N, P or 1, S) each: what a site has itself when each project begins, and what its zone has, nan for none."""
    own = setting.offers[attribute][:, None, :]
    zone = np.full_like(own, np.nan)
    if attribute in setting.parks:
        own, zone = (part[:, None, :] for part in setting.parks[attribute])
    for one in setting.later.get(attribute, ()):
        there = one.year[:, None] <= setting.begins[attribute][None, :]
        more = (one.amount[:, None] * there)[:, :, None]
        own, zone = own + more * one.at, zone + more * one.zone
    return own, zone


def land_price(setting: Setting) -> np.ndarray:
    """Price of industrial land, 10,000 yuan a mu."""
    return setting.offers["land_price_10k_yuan_per_mu"][:, None, :]


def rd_minutes(setting: Setting) -> np.ndarray:
    """Door-to-door trip from the R&D anchor by the faster way, minutes."""
    return setting.offers["trip_min"][:, None, :]


def grid_km(setting: Setting) -> np.ndarray:
    """Straight line to the substation that feeds the site, km."""
    return setting.offers["grid_km"][:, None, :]


def freight_minutes(setting: Setting) -> np.ndarray:
    """Truck minutes to the gates by which goods leave, weighted by the segment's shares of modes."""
    minutes = np.zeros((1, 1, 1))
    for mode in MODES:
        share, there = setting.fixed[f"{mode}_share"][None], setting.offers[f"{mode}_min"][:, None, :]
        minutes = minutes + np.where(share == 0, 0.0, share * there)  # unknown only where goods go that way
    return minutes


def supplier_access(setting: Setting) -> np.ndarray:
    """Firms upstream of the segment, each counting less the longer it takes."""
    return setting.offers["supplier_access"][:, None, :] * setting.fixed["supplier_share"][None]


def customer_access(setting: Setting) -> np.ndarray:
    """Those who can use what the segment makes, each counting less the longer a truck takes."""
    return setting.offers["customer_access"][:, None, :] * setting.fixed["customer_share"][None]


def industry_fit(setting: Setting) -> np.ndarray:
    """How far the zone's lead industries match the segment, 0 to 1."""
    return setting.of_segment("industry_fit")


def same_segment(setting: Setting) -> np.ndarray:
    """Firms of the same segment already in the prefecture."""
    return setting.fixed["same_segment"][None]


def open_constraints(setting: Setting) -> np.ndarray:
    """Constraints that have to be checked before building."""
    return setting.offers["open_constraints"][:, None, :]


MEASURES: dict[str, Callable[[Setting], np.ndarray]] = {
    function.__name__: function
    for function in (
        land_price,
        rd_minutes,
        grid_km,
        freight_minutes,
        supplier_access,
        customer_access,
        industry_fit,
        same_segment,
        open_constraints,
    )
}
"""Every measure by name; criteria of a resource have its `coverage_ratio` instead."""


def measure(criterion: Criterion, setting: Setting) -> np.ndarray:
    """A criterion in natural units, broadcastable to (N, P, S)."""
    return coverage_ratio(criterion.resource, setting) if criterion.resource else MEASURES[criterion.measure](setting)


@dataclass(frozen=True)
class DecisionMatrix:
    """Project × site × criterion.

    Attributes
    ----------
    criteria : tuple of str
        Names of the C columns.
    likely : Setting
        Likely values of needs and offers.
    weight : (C,) array
        Weights in force, which sum to 1.
    stated : (C,) array
        Weights as stated, which sum to 1; they differ where a criterion that is alike at every site gave its weight
        back.
    drawn : Setting
        The N draws of needs and offers; what they score is worked out a block of projects at a time.
    declared : mapping of Criterion
        What the columns are.
    """

    criteria: tuple[str, ...]
    likely: Setting
    weight: np.ndarray
    stated: np.ndarray
    drawn: Setting
    declared: Mapping[str, Criterion]

    @property
    def shape(self) -> tuple[int, int]:
        """P projects, S sites."""
        return next(iter(self.likely.needs.values())).shape[1], next(iter(self.likely.offers.values())).shape[1]

    @cached_property
    def natural(self) -> np.ndarray:
        """(P, S, C): likely values in natural units; of many pairs ask `natural_of`."""
        return self.natural_of(slice(None))

    @cached_property
    def value(self) -> np.ndarray:
        """(P, S, C): the same on the value functions, 0 to 1.

        What is unknown (nan in `natural`) stands at 0.5 here and anywhere from 0 to 1 in the draws: it widens the
        score, it doesn't lower it.
        """
        return self.value_of(slice(None))

    def natural_of(self, rows: slice) -> np.ndarray:
        """(p, S, C): `natural` of some projects."""
        return natural_values(self.likely.only(rows), self.declared)

    def value_of(self, rows: slice) -> np.ndarray:
        """(p, S, C): `value` of some projects."""
        return _known(known_values(self.likely.only(rows), self.declared), np.array([0.5]))

    def parts(self) -> Iterator[slice]:
        """Rows of projects, so many at a time that their likely values take little room."""
        step = max(1, BLOCK // max(self.shape[1] * len(self.criteria), 1))
        return (slice(first, min(first + step, self.shape[0])) for first in range(0, self.shape[0], step))

    @property
    def weights(self) -> dict[str, float]:
        """Weight in force of each criterion."""
        return dict(zip(self.criteria, self.weight, strict=True))

    @property
    def contributions(self) -> np.ndarray:
        """(P, S, C): points that each criterion contributes; they add up to the score exactly."""
        return 100 * self.value * self.weight

    @cached_property
    def score(self) -> np.ndarray:
        """(P, S): score at the likely values, 0 to 100."""
        found = np.empty(self.shape)
        for rows in self.parts():
            found[rows] = (100 * self.value_of(rows) * self.weight).sum(axis=2)
        return found

    @property
    def draws(self) -> np.ndarray:
        """(N, P, S): score of each draw, 0 to 100; of many projects better a block at a time."""
        return self.scores_of(slice(None))

    @property
    def nbytes(self) -> int:
        """Bytes that the matrix keeps."""
        kept = [*self._whole.values()] if self._is_small else []
        pairs = (3 if self._is_small else 1) * self.score.nbytes
        return pairs + sum(array.nbytes for array in (*self.drawn.needs.values(), *kept))

    def blocks(self) -> Iterator[slice]:
        """Rows of projects, so many at a time that their draws take little room."""
        projects, sites = self.shape
        step = max(1, BLOCK // (self._count * max(sites, 1)))
        return (slice(first, min(first + step, projects)) for first in range(0, projects, step))

    def draws_of(self, rows: slice) -> Mapping[str, np.ndarray]:
        """Theme -> (N, p, S): points that its criteria contribute in each draw; the themes add up to the score.

        Parameters
        ----------
        rows : slice
            Projects, one of `blocks`.
        """
        if self._is_small:
            return {name: draws[:, rows] for name, draws in self._whole.items()}
        return self._drawn_of(rows)

    def scores_of(self, rows: slice) -> np.ndarray:
        """(N, p, S): score of each draw of some projects, 0 to 100."""
        return _sum(self.draws_of(rows))

    def scores_by_block(self, wanted: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks with a project that is wanted and their `scores_of`, in order; the next are worked out meanwhile.

        Parameters
        ----------
        wanted : (P,) array of bool
        """
        waiting: deque[tuple[slice, Future[np.ndarray]]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for rows in (rows for rows in self.blocks() if wanted[rows].any()):
                waiting.append((rows, pool.submit(self.scores_of, rows)))
                if len(waiting) > (os.cpu_count() or 1):
                    first, job = waiting.popleft()
                    yield first, job.result()
            yield from ((rows, job.result()) for rows, job in waiting)

    def spread(self, eligible: np.ndarray) -> Spread:
        """How far scores and sub-scores reach over the draws, and who is first how often, in one pass.

        Parameters
        ----------
        eligible : (P, S) array of bool
        """
        shape = self.shape
        themes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        themes |= {one.theme: (np.zeros(shape), np.zeros(shape)) for one in self.declared.values()}
        found = Spread(np.zeros(shape), np.zeros(shape), np.zeros(shape), themes)

        def fill(rows: slice) -> None:
            draws = self.draws_of(rows)
            score = _sum(draws)
            found.low[rows], found.high[rows] = _middle(score)
            found.chance_first[rows] = _chance_first(score, eligible[rows])
            for name, (low, high) in themes.items():
                low[rows], high[rows] = _middle(draws[name])

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(fill, self.blocks()))
        return found

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """(P, S) low and high: the middle 90 % of the draws."""
        return _middle(self.draws)

    def sub_score(self, theme: str, spread: Spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P, S) sub-score of a theme at the likely values, 0 to 100, and its low and high.

        Parameters
        ----------
        theme : str
        spread : Spread
            Of this matrix.
        """
        mine = np.array([self.declared[key].theme == theme for key in self.criteria])
        total = max(self.weight[mine].sum(), 1e-12)
        low, high = spread.themes[theme]
        return self.contributions[:, :, mine].sum(axis=2) / total, low / total, high / total

    def chance_first(self, eligible: np.ndarray) -> np.ndarray:
        """(P, S): in what share of the draws each site is the best of the eligible ones; ties share."""
        return _chance_first(self.draws, eligible)

    @property
    def _count(self) -> int:
        return next(iter(self.drawn.offers.values())).shape[0]

    @property
    def _is_small(self) -> bool:
        return self._count * self.shape[0] * self.shape[1] <= BLOCK

    @cached_property
    def _whole(self) -> Mapping[str, np.ndarray]:
        """Of few projects: the draws of all of them, kept."""
        return self._drawn_of(slice(None))

    @cached_property
    def _same_for_all(self) -> Mapping[int, np.ndarray]:
        """Column -> (N, 1, S) values of criteria that are the same for every project."""
        some = self.drawn.only(slice(0, 2))
        values = {c: drawn_values(some, one, c) for c, one in enumerate(self.declared.values()) if self.weight[c] > 0}
        return {c: value for c, value in values.items() if value.shape[1] == 1} if self.shape[0] > 1 else {}

    def _drawn_of(self, rows: slice) -> dict[str, np.ndarray]:
        drawn = self.drawn.only(rows)
        shape = (self._count, len(range(self.shape[0])[rows]), self.shape[1])
        themes: dict[str, np.ndarray] = {}
        themes |= {criterion.theme: np.zeros(shape) for criterion in self.declared.values()}
        for c, criterion in enumerate(self.declared.values()):
            if self.weight[c] > 0:
                same = self._same_for_all.get(c)
                value = drawn_values(drawn, criterion, c) if same is None else same
                themes[criterion.theme] += 100 * self.weight[c] * value
        return themes


class Spread(NamedTuple):
    """What draws of a decision matrix tell: (P, S) arrays.

    `low`, `high`: the middle 90 % of the scores; `chance_first`: in what share of the draws a site is the best of the
    eligible ones, ties share; `themes`: theme -> low and high of the points that it contributes.
    """

    low: np.ndarray
    high: np.ndarray
    chance_first: np.ndarray
    themes: Mapping[str, tuple[np.ndarray, np.ndarray]]


BLOCK = 2_000_000
"""Draws × projects × sites that are looked at together: 16 MB a theme."""


def _sum(themes: Mapping[str, np.ndarray]) -> np.ndarray:
    """(N, p, S): the score, from the points of each theme."""
    return functools.reduce(np.add, themes.values())


def _middle(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(p, S) low and high of the middle 90 % of the draws, as `np.quantile` has them, in a third of its time."""
    count = len(draws)
    ordered = np.ascontiguousarray(draws.reshape(count, math.prod(draws.shape[1:])).T)
    ordered.sort(axis=1)
    at = (count - 1) * np.array([0.05, 0.95])
    below = at.astype(int)
    share, first, second = at - below, ordered[:, below], ordered[:, np.minimum(below + 1, count - 1)]
    step = second - first
    found = np.where(share < 0.5, first + step * share, second - step * (1 - share))
    low, high = found.T.reshape(2, *draws.shape[1:])
    return low, high


def _chance_first(score: np.ndarray, eligible: np.ndarray) -> np.ndarray:
    """(p, S): share of the draws in which each site is the best of the eligible ones."""
    score = np.where(eligible, score, -np.inf)
    best = (score == score.max(axis=2, keepdims=True)) & eligible
    return (best / np.maximum(best.sum(axis=2, keepdims=True), 1)).mean(axis=0)


def decide(
    likely: Setting,
    drawn: Setting,
    criteria: Mapping[str, Criterion],
    weights: Mapping[str, float],
    alike: Collection[str] = (),
) -> DecisionMatrix:
    """Build the decision matrix: measures, value functions on declared ranges, weighted sum.

    Parameters
    ----------
    likely, drawn : Setting
        The likely values (N = 1) and the draws.
    criteria : mapping of Criterion
        Columns.
    weights : mapping
        Weights by criterion that replace the declared ones.
    alike : collection of str
        Criteria that tell no two sites apart, which give their weight back (`alike_everywhere`).
    """
    weight, stated = weights_of(criteria, weights, alike), weights_of(criteria, weights)
    return DecisionMatrix(tuple(criteria), likely, weight, stated, drawn, criteria)


def weights_of(
    criteria: Mapping[str, Criterion], weights: Mapping[str, float], alike: Collection[str] = ()
) -> np.ndarray:
    """(C,): the declared weights, replaced where `weights` says so, without those given back, scaled to sum 1.

    Parameters
    ----------
    criteria : mapping of Criterion
    weights : mapping
        Weights by criterion that replace the declared ones.
    alike : collection of str
        Criteria whose weight the others share in proportion; where no other has any, all keep theirs.
    """
    raw = np.array([weights.get(key, criterion.weight) for key, criterion in criteria.items()], dtype=float)
    kept = np.where([key in alike for key in criteria], 0.0, raw)
    return kept / kept.sum() if kept.any() else raw / raw.sum()


def alike_everywhere(ends: Setting, criteria: Mapping[str, Criterion]) -> frozenset[str]:
    """Criteria that are one and the same number, or one and the same interval, at every site for every project.

    Parameters
    ----------
    ends : Setting
        Three "draws" of what sites have, low, likely and high, and any needs; a single site is not compared.
    criteria : mapping of Criterion
    """
    if next(iter(ends.offers.values())).shape[1] < 2:
        return frozenset()
    measured = {key: measure(criterion, ends) for key, criterion in criteria.items()}
    return frozenset(
        key for key, found in measured.items() if np.array_equal(found, found[..., :1] + 0 * found, equal_nan=True)
    )


def natural_values(setting: Setting, criteria: Mapping[str, Criterion]) -> np.ndarray:
    """(P, S, C): what the measures give at the likely values, in natural units."""
    shape = (next(iter(setting.needs.values())).shape[1], next(iter(setting.offers.values())).shape[1])
    measured = [measure(criterion, setting)[0] for criterion in criteria.values()]
    return np.stack([np.broadcast_to(one, shape) for one in measured], axis=2)


def known_values(setting: Setting, criteria: Mapping[str, Criterion]) -> np.ndarray:
    """(P, S, C): values, 0 to 1, at the likely values; nan where unknown."""
    shape = (next(iter(setting.needs.values())).shape[1], next(iter(setting.offers.values())).shape[1])
    found = [valued(criterion, measure(criterion, setting), setting.bearable)[0] for criterion in criteria.values()]
    return np.stack([np.broadcast_to(one, shape) for one in found], axis=2)


def drawn_values(drawn: Setting, criterion: Criterion, column: int) -> np.ndarray:
    """Values, 0 to 1, of one criterion in every draw, broadcastable to (N, P, S); what is unknown lies anywhere.

    Parameters
    ----------
    drawn : Setting
        N draws of needs (N, P) and offers (N, S).
    criterion : Criterion
    column : int
        Number of the criterion; seeds what is unknown.
    """
    count = next(iter(drawn.offers.values())).shape[0]
    return _known(valued(criterion, measure(criterion, drawn), drawn.bearable), anywhere(column, count))


def anywhere(column: int, draws: int) -> np.ndarray:
    """(N,): where a value lies in each draw of which nothing is known, 0 to 1; `column` is the criterion's number."""
    return (np.random.default_rng(column).permutation(draws) + 0.5) / draws


def valued(criterion: Criterion, natural: np.ndarray, bearable: np.ndarray | None) -> np.ndarray:
    """Values of natural ones, by what each project bears where that matters; nan where unknown.

    Parameters
    ----------
    criterion : Criterion
    natural : (N, P or 1, S) array
    bearable : (P,) array or None
        As in `Setting`.
    """
    if criterion.halves_every is None or bearable is None:
        return value_function(criterion).value(natural)
    limits, which = np.unique(bearable, return_inverse=True)
    functions = [value_function(criterion, limit) for limit in limits]
    if natural.shape[1] == 1:
        return np.concatenate([one.value(natural) for one in functions], axis=1)[:, which.ravel()]
    return np.stack([functions[at].value(natural[:, p]) for p, at in enumerate(which.ravel())], axis=1)


def _known(value: np.ndarray, instead: np.ndarray) -> np.ndarray:
    """Put `instead`, one number a draw, where a value is unknown."""
    return np.where(np.isnan(value), instead.reshape(-1, *(1,) * (value.ndim - 1)), value)


def value_function(criterion: Criterion, bearable: float = np.inf) -> ValueFunction:
    """The declared value function of a criterion; beyond what a project bears it decays, where it is declared to.

    Parameters
    ----------
    criterion : Criterion
    bearable : float
        Natural value up to which the function counts as declared; beyond it the value halves with every
        `halves_every` more, in straight lines of a quarter of that.
    """
    key = (repr(criterion.value), criterion.worst, criterion.best, criterion.halves_every, float(bearable))
    if key not in _functions:
        while len(_functions) >= _MOST_FUNCTIONS:
            _functions.pop(next(iter(_functions)), None)
        _functions[key] = _value_function(criterion, float(bearable))
    return _functions[key]


_functions: dict[tuple[object, ...], ValueFunction] = {}
_MOST_FUNCTIONS = 4096


def _value_function(criterion: Criterion, bearable: float) -> ValueFunction:
    plain = ValueFunction.from_dict({**criterion.value, "worst": criterion.worst, "best": criterion.best})
    every = criterion.halves_every
    if every is None or not bearable < criterion.worst:
        return plain
    further = np.arange(bearable, criterion.worst, every / DECAY_KNOTS)
    at = np.unique([*(plain.knots or ()), *further, criterion.worst, criterion.best])[::-1]
    at = at[at >= criterion.best]
    value = plain.value(at) * 0.5 ** (np.maximum(at - bearable, 0.0) / every)
    points = tuple(zip(at.tolist(), value.tolist(), strict=True))
    return ValueFunction("piecewise", criterion.worst, criterion.best, points)
