"""Facility location and k-median: what to open where each site has a capacity of its own, by prices and by exchange.

`Ground` is what `facilities` works on; `layout` says whether a problem is of that kind.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from geo_cluster.matching.engine import facilities
from geo_cluster.matching.engine.bound import Grid
from geo_cluster.matching.engine.facilities import Desk, Ground
from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.engine.steps import common_step
from geo_cluster.matching.openings import Opening
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints

_MOST_PAIRS = 4_000_000  # of projects and options
_STEPS, _MOST_STEPS = 25, 1_500  # of prices, at a time and in all; single source 100 × 500
_TRIES = 4_000  # of other units to open or close; the same
_CELLS = 4_000  # of what may be closed


class Switches(NamedTuple):
    """What may be closed.

    Attributes
    ----------
    sites : list of lists of int
        The sites of each.
    cost : (N,) array
        What it costs to open it.
    must : (N,) bool array
        Which are open in every plan.
    limits : list of (N,) bool array and int
        Of some of them no more than so many are open.
    """

    sites: list[list[int]]
    cost: Floats
    must: Bools
    limits: list[tuple[Bools, int]]


@dataclass(frozen=True, eq=False)
class Found:
    """What is known of a problem: the best plan and bound, in values of the model less costs.

    Attributes
    ----------
    option : (P,) int array
    bound : float
    forced : (P, S) array
        No plan with project p at option s is worth more.
    """

    option: Ints
    bound: float
    forced: Floats


def layout(problem: Problem, model: Model, switches: Switches) -> Ints | None:
    """The unit of each option, (S,), numbered as switches, what is always open last; None where it is another kind."""
    options, count = len(model.site), len(switches.sites)
    if problem.parts or not all(_adds_to_its_own(problem, one) for one in problem.openings):
        return None
    if not model.plain or model.value.size > _MOST_PAIRS or len(np.unique(model.site)) < options:
        return None
    if len(model.draws) > 1 or any(np.bincount(draw.pool[draw.pool >= 0]).max(initial=0) > 1 for draw in model.draws):
        return None
    unit = np.full(options, count)
    for number, sites in enumerate(switches.sites):
        here = np.isin(model.site, sites)
        if (unit[here] < count).any() or not here.any():
            return None
        unit[here] = number
    if any((member & other).any() for i, (member, _) in enumerate(switches.limits) for other, _ in switches.limits[:i]):
        return None
    return unit


class Location:
    """The search for what to open.

    Parameters
    ----------
    model : Model
        With capacities as they are with everything open.
    switches : Switches
    unit : (S,) int array
        As of `layout`.
    halt : (1,) bool array
        Set it to end early.
    """

    def __init__(self, model: Model, switches: Switches, unit: Ints, halt: Bools) -> None:
        self.model, self.switches, self.unit, self.rows = model, switches, unit, model.open
        self.ground = self._ground()
        finite = np.isfinite(self.ground.value)
        worth = np.where(finite, self.ground.value, self.ground.value.min(where=finite, initial=0.0))
        few = min(3, worth.shape[1])
        first = np.partition(worth, -few, axis=1)[:, -few]  # what a usual project is worth at its third choice
        self.desk: Desk = facilities.desk(self.ground, first, halt)

    def _ground(self) -> Ground:
        model, (sites, cost, must, limits) = self.model, self.switches
        value = np.ascontiguousarray(model.value[self.rows])
        options = value.shape[1]
        demand, capacity = np.zeros_like(value), np.full(options, np.inf)
        weight, room = np.zeros_like(value, dtype=np.int64), np.zeros(options, dtype=np.int64)
        for draw in model.draws:
            demand[:], bound = draw.demand[self.rows].reshape(len(self.rows), -1), draw.pool >= 0
            demand[:, ~bound] = 0.0
            capacity[bound] = draw.capacity[draw.pool[bound]]
            grid = Grid(replace(draw, capacity=np.where(np.isfinite(draw.capacity), draw.capacity, 1.0)))
            limited = np.flatnonzero(np.isfinite(capacity))
            weight[:, limited] = grid.weights(demand[:, limited], draw.pool[limited])
            room[limited] = grid.room[draw.pool[limited]]
        finite = value[np.isfinite(value)]
        penalty = 2 * float(np.ptp(finite)) + float(cost.max(initial=0.0)) + 1.0
        limit = np.full(len(sites) + 1, -1)
        for number, (member, _) in enumerate(limits):
            limit[:-1][member] = number
        cover, spare = self._cover(demand, capacity, len(sites) + 1)
        return Ground(
            value,
            demand,
            capacity,
            np.ascontiguousarray(weight.T),
            room,
            np.where(model.must[self.rows], -penalty, 0.0),
            self.unit.astype(np.int64),
            np.append(cost, 0.0),
            np.append(must, True),
            limit.astype(np.int64),
            np.array([most for _, most in limits], dtype=np.int64),
            cover,
            np.array([spare], dtype=np.int64),
        )

    def _cover(self, demand: Floats, capacity: Floats, units: int) -> tuple[Ints, int]:
        """What each unit holds, in cells of what all hold beyond what is needed; -1 where that is not known."""
        own = len(self.model.draws) == 1 and self.model.draws[0].demand.ndim == 1 and np.isfinite(capacity).all()
        if not own or not self.model.must[self.rows].all() or self.switches.limits:
            return np.zeros(units, np.int64), -1
        spare = capacity.sum() - demand.max(axis=1).sum()
        cell = max(spare, 1e-9) / _CELLS
        held = np.bincount(self.unit, capacity, units)
        return np.floor(held / cell * (1 - 1e-9)).astype(np.int64), _CELLS if spare >= 0 else -1

    @property
    def plan(self) -> Ints | None:
        """(P,): the best plan so far; None where nobody who must be placed is left out in it."""
        kept, out = self.desk.kept, self.ground.out
        if not np.isfinite(self.desk.worth[0]) or ((kept < 0) & (out < 0)).any():
            return None
        option = np.full(len(self.model.value), UNPLACED, dtype=np.intp)
        option[self.rows] = kept
        return option

    @property
    def bound(self) -> float:
        """No plan is worth more, less what openings cost; rounded to what plans can be worth."""
        bound = float(self.desk.state[0])
        amounts = np.concatenate([self.ground.value[np.isfinite(self.ground.value)], self.ground.cost])
        grain = common_step(amounts, rounding=4e-16 * float(np.abs(amounts).max(initial=0.0)))
        if grain:
            bound = float(np.floor(bound / grain + 1e-6)) * grain
        return self.model.base + bound

    def search(self, tick: Callable[[], bool]) -> None:
        """Prices, then exchanges.

        Parameters
        ----------
        tick : callable
            Asked now and then; False to stop.
        """
        with ThreadPoolExecutor(1) as worker:

            def go(work: Any, *arguments: Any) -> Any:
                job = worker.submit(work, self.ground, self.desk, *arguments)
                while not wait([job], timeout=0.05).done:
                    self.desk.halt[0] |= not tick()
                return job.result()

            is_done = False
            for _ in range(_MOST_STEPS // _STEPS):
                is_done = is_done or self.desk.halt[0] or go(facilities.descend, _STEPS)
            if not self.desk.halt[0]:
                go(facilities.exchange, np.argsort(-self.desk.earned, kind="stable"), _TRIES)

    def forced(self) -> Floats:
        """(P, S): what no plan with each project at each option is worth more than; -inf where it can't be."""
        found = np.full(self.model.value.shape, -np.inf)
        part = np.full(self.ground.value.shape, -np.inf)
        facilities.force(self.ground, self.desk, part)
        found[self.rows] = part + self.model.base
        return found


def _adds_to_its_own(problem: Problem, opening: Opening) -> bool:
    """Whether an opening adds only to pools that no other sites draw on."""
    known = {resource.name: resource for resource in problem.resources}
    others = np.setdiff1d(np.arange(problem.shape[1]), opening.sites)
    return all(
        not known[name].several and not np.isin(known[name].pool[others], list(amounts)).any()
        for name, amounts in opening.adds.items()
    )


def as_if_all(model: Model) -> Model:
    """The model in which everyone who can go somewhere must be placed, with values shifted to near zero."""
    rows, shift = model.open, np.zeros(len(model.value))
    shift[rows] = model.value[rows].max(axis=1)
    must = np.zeros(len(model.value), dtype=bool)
    must[rows] = True
    return replace(model, value=model.value - shift[:, None], base=model.base + float(shift.sum()), must=must)


def warm() -> None:
    """Compile the search and keep it on disk."""
    draw = Draw(np.ones(2), np.arange(2), np.ones(2), np.zeros(2))
    none = np.full(2, UNPLACED)
    model = Model(np.eye(2), (draw,), (), np.arange(2), np.arange(2)[:, None], none, 0.0, np.zeros(2, dtype=bool))
    switches = Switches([[0], [1]], np.ones(2), np.zeros(2, dtype=bool), [])
    one = Location(model, switches, np.arange(2), np.zeros(1, dtype=bool))
    one.search(lambda: True)
    one.forced()
