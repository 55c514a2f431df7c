"""What is alike as one with a count, where that is exact: pools that hold so many of any, sites of one kind."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_MOST_PAIRS = 10_000_000  # of project and pool that are looked at


class Merged(NamedTuple):
    """A model with one option for all of a kind.

    Attributes
    ----------
    model : Model
    kind : (S,) int array
        Option of the model that each option of the original has become.
    slots : list of int arrays
        For each option of the model the original options of its kind, each as often as it has places.
    site : (S,) int array
        The site of each original option.
    """

    model: Model
    kind: Ints
    slots: list[Ints]
    site: Ints

    def original(self, option: Ints) -> Ints:
        """A plan in options of the original."""
        if len(self.slots) == len(self.kind):
            return option
        found = option.copy()
        for one in np.unique(option[option != UNPLACED]):
            rows = np.flatnonzero(option == one)
            found[rows] = self.slots[one][: len(rows)]
        return found


def merged(model: Model) -> Merged:
    """The same problem with pools in whole steps, in places where that is exact, and options that don't differ as one.

    Pools of one option each that hold so many projects, whoever they are, are places: options of the same values and
    shared pools then differ in nothing, and one with all their places stands for them.
    """
    draws = tuple(_in_places(draw.in_whole_steps(), model.value) for draw in model.draws)
    model = replace(model, draws=draws)
    options = model.value.shape[1]
    alone = Merged(model, np.arange(options), [np.array([s]) for s in range(options)], model.site)
    own = [d for d, draw in enumerate(draws) if draw.is_own and draw.is_count]
    if not model.plain or len(own) != 1 or any(draw.demand.ndim == 2 for draw in draws):
        return alone
    if len(np.unique(model.site)) < options or (model.locked != UNPLACED).any():
        return alone
    places = np.where(draws[own[0]].pool >= 0, draws[own[0]].capacity[draws[own[0]].pool], np.inf)
    kinds: dict[tuple[bytes, ...], list[int]] = {}
    columns = np.ascontiguousarray(model.value.T)
    others = np.column_stack([draw.pool for d, draw in enumerate(draws) if d != own[0]] or [np.zeros(options, np.intp)])
    for s in range(options):
        apart = b"" if np.isfinite(places[s]) else bytes(str(s), "ascii")
        kinds.setdefault((columns[s].tobytes(), others[s].tobytes(), apart), []).append(s)
    if len(kinds) == options:
        return alone
    groups = [np.array(group) for group in kinds.values()]
    first, kind = np.array([group[0] for group in groups]), np.zeros(options, dtype=np.intp)
    for number, group in enumerate(groups):
        kind[group] = number
    slots = [np.repeat(g, np.where(np.isfinite(places[g]), places[g], 1).astype(np.intp)) for g in groups]
    together = [draw if d != own[0] else _together(draw, groups) for d, draw in enumerate(draws)]
    few = tuple(draw if d == own[0] else replace(draw, pool=draw.pool[first]) for d, draw in enumerate(together))
    small = replace(model, value=model.value[:, first], draws=few, site=model.site[first], pools=model.pools[first])
    return Merged(small, kind, slots, model.site)


def _together(draw: Draw, groups: list[Ints]) -> Draw:
    """Pools of one option each as one for each group of options."""
    bound = np.array([draw.pool[group[0]] >= 0 for group in groups])
    room = np.array([draw.capacity[draw.pool[g]].sum() for g, has in zip(groups, bound, strict=True) if has])
    return Draw(draw.demand, np.where(bound, np.cumsum(bound) - 1, UNPLACED), room, np.zeros(len(room)))


def _in_places(draw: Draw, value: Floats) -> Draw:
    """The draw with a demand of one each, where each pool holds so many of those who might come, whoever they are."""
    if draw.demand.ndim == 2 or (draw.minimum > 0).any() or len(value) * len(draw.capacity) > _MOST_PAIRS:
        return draw
    order = np.argsort(draw.demand)
    might, places = _might(draw, value)[order], np.zeros(len(draw.capacity))
    for k, room in enumerate(draw.capacity):
        demand = draw.demand[order][might[:, k]]
        count = int(np.searchsorted(np.cumsum(demand), room, side="right"))
        if (demand <= 0).any() or demand[len(demand) - count :].sum() > room:
            return draw
        places[k] = count
    return Draw(np.ones(len(draw.demand)), draw.pool, places, np.zeros(len(places)))


def _might(draw: Draw, value: Floats) -> Bools:
    """(P, K): who might draw on which pool."""
    might = np.zeros((len(value), len(draw.capacity)), dtype=bool)
    for s, k in enumerate(draw.pool):
        if k >= 0:
            might[:, k] |= np.isfinite(value[:, s])
    return might
