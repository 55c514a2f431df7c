"""What no project changes, worked out once: drawn weights, tables of a class of projects, shares of evidence.

Projects of one segment that bear the same trip are of one class: all criteria but the coverage ratios have the same
draws for them. A coverage ratio depends on two things only, what a site has when a project begins and what the project
needs; its logarithm is a difference, so what sites have is a layer that projects share.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from geo_cluster.domain import Criterion
from geo_cluster.many import kernels
from geo_cluster.many.evidence import evidence_shares
from geo_cluster.region import Region
from geo_cluster.scoring.criteria import Setting, anywhere, drawn_values, offer_then, weights_of
from geo_cluster.scoring.weights import sample_around
from geo_cluster.world import catalog

CONCENTRATION = 200.0
"""How closely weights are drawn around the stated ones (Dirichlet): a weight of 0.16 mostly stays within 0.11-0.21."""

MOST_BYTES = 200_000_000
"""Tables that are kept; the least lately used go first."""

MOST_A_SITE = 200_000
"""Of many sites so many bytes for each: layers, a segment and a class have to be there at once."""


class Cover(NamedTuple):
    """A coverage ratio whose value is a logarithm: of a criterion, by a resource or the one that is taken instead."""

    column: int
    criterion: Criterion
    resource: str
    instead: bool


class Class(NamedTuple):
    """What is drawn of one class of projects; see `kernels.chances` and `kernels.spans`.

    Attributes
    ----------
    base : (S, N) array
        Score, but for what depends on what a project needs.
    points : (T, S, N) array
        Points of each theme; of a class, those that all of its segment share.
    own : tuple of (theme, (S, N) array)
        Points that it has beside them.
    """

    base: np.ndarray
    points: np.ndarray
    own: tuple[tuple[int, np.ndarray], ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of what is its own; of a segment, the points too."""
        return self.base.nbytes + (sum(one.nbytes for _, one in self.own) if self.own else self.points.nbytes)

    def tables(self, sites: np.ndarray) -> np.ndarray:
        """(T, A, N): points of each theme at some sites."""
        found = self.points[:, sites]
        for theme, points in self.own:
            found[theme] += points[sites]
        return found


class Ground:
    """What every project of a region shares; see `ground_of`.

    Attributes
    ----------
    weight : (C,) array
        Weights in force, which sum to 1.
    around : (N, C) array
        Weights drawn around them, or these.
    certain : bool
        Whether they are these.
    covers : tuple of Cover
        What needs change, K in all.
    apart : tuple of int
        Criteria of a resource whose value is no logarithm: each project has tables of its own.
    """

    def __init__(self, region: Region, *, certain: bool = False) -> None:
        """Share what projects of a region share; `certain` weights are not drawn."""
        self.region, self.criteria = region, list(catalog.criteria().values())
        self.weight = weights_of(catalog.criteria(), region.scenario.weights, region.alike)
        seed, draws = region.scenario.seed, region.scenario.draws
        self.certain, self.around = certain, np.tile(self.weight, (draws, 1))
        if not certain:
            around = sample_around(self.weight, draws, concentration=CONCENTRATION, seed=seed)
            self.around = around / around.sum(axis=1, keepdims=True)
        self.themes = list(catalog.themes())
        self.covers = tuple(self._covers())
        logs = {one.column for one in self.covers}
        self.apart = tuple(c for c, one in enumerate(self.criteria) if one.resource and c not in logs)
        nothing = np.empty((0, len(region.sites), draws))
        self._layers: tuple[dict[tuple[int, int], int], np.ndarray, np.ndarray] = {}, nothing, nothing[:, :, 0]
        self._kept: dict[Hashable, Any] = {}
        self._bytes = 0

    def _covers(self) -> list[Cover]:
        found = []
        for c, one in enumerate(self.criteria):
            if one.resource and one.value.get("kind") == "log":
                found.append(Cover(c, one, one.resource, False))
                other = catalog.alternative(one.resource)
                if other and catalog.resources()[other].attribute in self.region.drawn[0]:
                    found.append(Cover(c, one, other, True))
        return found

    @cached_property
    def theme_of(self) -> np.ndarray:
        """(C,): theme of each criterion, by its place in `themes`."""
        return np.array([self.themes.index(one.theme) for one in self.criteria])

    @cached_property
    def moved(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the covers: drawn weights (K, N), points (K,) and theme (K,)."""
        column = np.array([one.column for one in self.covers], dtype=int)
        return np.ascontiguousarray(self.around[:, column].T), 100 * self.weight[column], self.theme_of[column]

    @cached_property
    def shares(self) -> dict[str, np.ndarray]:
        """(S,) shares of the weight by how numbers are known, and `<theme>_assumed` of a theme alone."""
        return self._shares(None) | {f"{theme}_assumed": self._shares(theme)["assumed"] for theme in self.themes}

    def _shares(self, theme: str | None) -> dict[str, np.ndarray]:
        weights = dict(zip(catalog.criteria(), self.weight, strict=True))
        return evidence_shares(self.region.sites, self.region.observations, weights, theme=theme)

    def years(self, attribute: str, begins: np.ndarray) -> np.ndarray:
        """From which year on there is as much of an attribute as when projects begin; 0 where nothing arrives."""
        later = self.region.drawn[1].get(attribute, ())
        return np.minimum(begins, max((int(one.year.max()) for one in later), default=0))

    def layers(self, wanted: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where each layer that is wanted stands among the layers (X, S, N), and the most of each in any draw (X, S).

        A layer is the logarithm of what sites have for a project that begins in a year, in parts of the range; minus
        infinity where the site offers another resource in its place, or nobody's number could be it.

        Parameters
        ----------
        wanted : list of (int, int)
            Cover, by its place in `covers`, and year.
        """
        known, found, most = self._layers
        if more := [one for one in wanted if one not in known]:
            known = {one: at for at, one in enumerate([*known, *more])}
            found = np.concatenate([found, np.stack([self._layer(self.covers[k], year) for k, year in more])])
            most = found.max(axis=2)
            self._layers = known, found, most
        return np.array([known[one] for one in wanted]), found, most

    def _layer(self, cover: Cover, year: int) -> np.ndarray:
        first, one = catalog.resources()[cover.criterion.resource or ""], cover.criterion
        kind = catalog.resources()[cover.resource]
        offer = self._offer(kind.attribute, year) * kind.times
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log(offer / one.worst) / np.log(one.best / one.worst)
        missing = np.isnan(offer)
        if cover.instead:  # of a site that has the first, that one counts
            missing |= ~np.isnan(self._offer(first.attribute, year))
        return np.where(missing, -np.inf, found).T

    def _offer(self, attribute: str, year: int) -> np.ndarray:
        offers, later, parks = self.region.drawn
        setting = Setting({}, offers, {}, later=later, parks=parks, begins={attribute: np.array([year])})
        return offer_then(attribute, setting)[:, 0, :]

    def taken(self, cover: Cover, need: np.ndarray) -> np.ndarray:
        """Logarithm of what is needed, in the parts that `layer` is in."""
        return np.log(need) / np.log(cover.criterion.best / cover.criterion.worst)

    def of_class(self, key: Hashable, one: Setting) -> Class:
        """Tables of a class of projects.

        Parameters
        ----------
        key : hashable
            What tells the class from others: its segment comes first.
        one : Setting
            Draws of one project of it.
        """
        segment = key[0] if isinstance(key, tuple) else key
        moved = {one.column for one in self.covers}
        halving = [c for c, it in enumerate(self.criteria) if it.halves_every is not None or c in self.apart]
        fixed = [c for c in range(len(self.criteria)) if c not in moved and c not in halving]
        plain = self._once(("segment", segment), lambda: self._plain(one, fixed))
        if not halving:
            return plain
        return self._once(("class", key), lambda: self._on(plain, one, halving))

    def _plain(self, one: Setting, columns: list[int]) -> Class:
        """The draws of some criteria, and of the covers of which nobody knows what there is."""
        shape = (len(self.region.sites), len(self.around))
        base, points = np.zeros(shape), np.zeros((len(self.themes), *shape))
        values = ((c, drawn_values(one, self.criteria[c], c)[:, 0, :].T) for c in columns if self.weight[c] > 0)
        for c, value in (*values, *self._unknown):
            value = np.ascontiguousarray(np.broadcast_to(value, shape))
            kernels.add(base, points[self.theme_of[c]], value, self.drawn_weight[c], 100 * self.weight[c])
        return Class(base, points)

    def _on(self, plain: Class, one: Setting, columns: list[int]) -> Class:
        """A class of a segment: the draws of some more criteria."""
        base, own = plain.base, []
        for c in columns:
            if self.weight[c] > 0:
                value = np.ascontiguousarray(drawn_values(one, self.criteria[c], c)[:, 0, :].T)
                base = base + value * self.around[:, c]
                own.append((int(self.theme_of[c]), value * (100 * self.weight[c])))
        return Class(base, plain.points, tuple(own))

    @cached_property
    def drawn_weight(self) -> np.ndarray:
        """(C, N): the weights that are drawn, a criterion in a row."""
        return np.ascontiguousarray(self.around.T)

    @cached_property
    def _unknown(self) -> list[tuple[int, np.ndarray]]:
        """(S, N) each: where nobody knows what there is of a cover, any value; 0 elsewhere; left out where all is."""
        found = []
        for column in dict.fromkeys(cover.column for cover in self.covers):
            mine = [one for one in self.covers if one.column == column]
            there = [self._offer(catalog.resources()[one.resource].attribute, 0) for one in mine]
            unknown = np.all([np.isnan(one) for one in there], axis=0)
            if unknown.any():
                found.append((column, np.where(unknown, anywhere(column, len(self.around))[:, None], 0.0).T))
        return found

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under a key, made where it isn't there."""
        if key not in self._kept:
            made = make()
            self._kept[key] = made
            self._bytes += _bytes(made)
            most = max(MOST_BYTES, MOST_A_SITE * len(self.region.sites))
            while len(self._kept) > 2 and self._bytes > most:
                self._bytes -= _bytes(self._kept.pop(next(iter(self._kept))))
            return made
        self._kept[key] = self._kept.pop(key)
        return self._kept[key]


def _bytes(kept: Any) -> int:
    return kept.nbytes if isinstance(kept, Class) else sum(one.nbytes for one in kept)


_grounds: WeakKeyDictionary[Region, Ground] = WeakKeyDictionary()


def ground_of(region: Region) -> Ground:
    """What projects of a region share, made once."""
    if region not in _grounds:
        _grounds[region] = Ground(region)
    return _grounds[region]
