"""What may be opened at a cost, and how many sites or openings there may be at most.

A park, a transformer or a line is an `Opening`: with it, its sites stand open and pools have more. `AtMost` spells "at
most k sites" (all of them), "this site or that one" and "this opening or that one" (one of two).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, Place
from geo_cluster.matching.arguments import numbers, several, shown
from geo_cluster.matching.resource import UNPLACED, Bools, Resource, drawn

Posed = Any
"""A `Problem`, which stands above this file."""


@dataclass(frozen=True, eq=False)
class Opening:
    """Something that may be opened, once, at a cost.

    Parameters
    ----------
    name : str
    cost : float
        What it takes off the objective value; zero or more.
    sites : sequence of int, optional
        Sites that nobody can go to without it. No site is in two openings.
    adds : mapping of resource name to mapping of pool to amount, optional
        What pools have more with it, in the resource's unit: one number, or low, likely and high.
    """

    name: str
    cost: float
    sites: tuple[int, ...] = ()
    adds: Mapping[str, Mapping[int, ArrayLike]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sites", several(self.sites))

    @property
    def place(self) -> Place:
        """Where its faults are."""
        return Place(str(self.name), kind="opening")


@dataclass(frozen=True, eq=False)
class AtMost:
    """No more than `most` of some sites get projects, or of some openings are opened.

    Parameters
    ----------
    most : int
        One or more.
    sites : sequence of int, optional
        The sites that are counted; all of them when neither sites nor openings are named.
    openings : sequence of int, optional
        The openings that are counted with them, by number.
    """

    most: int
    sites: tuple[int, ...] = ()
    openings: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "sites", several(self.sites))
        object.__setattr__(self, "openings", several(self.openings))


def resolved(limits: Iterable[Any], sites: int) -> tuple[Any, ...]:
    """Limits with their sites written out, so that sites that are added to a problem later don't count."""
    return tuple(
        replace(one, sites=tuple(range(sites)))
        if isinstance(one, AtMost) and not one.sites and not one.openings
        else one
        for one in limits
    )


def cost_of(problem: Posed, opened: Iterable[int]) -> float:
    """What openings cost together."""
    return float(sum(problem.openings[o].cost for o in opened))


def widened(resources: Iterable[Resource], openings: Iterable[Opening]) -> tuple[Resource, ...]:
    """Resources with what openings add to their pools."""
    found = []
    for resource in resources:
        capacity = resource.capacity.copy()
        for one in openings:
            for k, amount in one.adds.get(resource.name, {}).items():
                more = np.asarray(amount, dtype=float)
                if capacity.ndim == 1 and more.ndim:
                    capacity = np.column_stack([capacity] * 3)
                capacity[k] += more
        found.append(
            resource
            if np.array_equal(capacity, resource.capacity, equal_nan=True)
            else replace(resource, capacity=capacity)
        )
    return tuple(found)


# ---- refusals --------------------------------------------------------------------------------------------------


def opening_faults(problem: Posed, resources: Sequence[Resource], eligible: Bools) -> list[Fault]:
    """Everything wrong with openings.

    Parameters
    ----------
    problem : Problem
    resources : sequence of Resource
        Those whose arrays have the right form.
    eligible : (S,) bool array
        Sites to which some project may go.
    """
    faults = [
        Fault("matching.not_an_opening", "openings", value=shown(one))
        for one in problem.openings
        if not isinstance(one, Opening)
    ]
    openings = [one for one in problem.openings if isinstance(one, Opening)]
    names = [one.name for one in openings]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    faults += [Fault("matching.opening_twice", Place(name, kind="opening")) for name in twice]
    owner: dict[int, Opening] = {}
    for one in openings:
        cost = numbers(one.cost)
        if cost.dtype != float or cost.shape or not np.isfinite(cost) or cost < 0:
            faults.append(Fault("matching.opening_cost", one.place, value=shown(one.cost)))
        wrong = _numbers_outside(one.sites, problem.shape[1])
        faults += [Fault("matching.no_such_site", one.place, site=shown(s), last=problem.shape[1] - 1) for s in wrong]
        for s in [] if wrong else one.sites:
            if s in owner and owner[s] is not one:
                both = {"other": str(owner[s].name), "site": problem.site_name(s)}
                faults.append(Fault("matching.site_in_two_openings", one.place, **both))
            owner[s] = one
        brought = _added_faults(one, resources, [each.name for each in problem.resources if isinstance(each, Resource)])
        faults += brought
        if not wrong and not brought and not _is_of_use(one, resources, eligible):
            faults.append(Fault("matching.opening_for_nobody", one.place))
    return faults


def _numbers_outside(those: Sequence[Any], count: int) -> list[Any]:
    """What isn't one of so many numbers."""
    return [
        one for one in those if not isinstance(one, int | np.integer) or isinstance(one, bool) or not 0 <= one < count
    ]


def _added_faults(opening: Opening, sound: Sequence[Resource], names: list[str]) -> list[Fault]:
    """What an opening can't add: to no resource or pool that there is, or no amount above zero."""
    if not isinstance(opening.adds, Mapping) or not all(isinstance(one, Mapping) for one in opening.adds.values()):
        return [Fault("matching.opening_adds", opening.place, value=shown(opening.adds))]
    faults, known = [], {each.name: each for each in sound}
    for name, amounts in opening.adds.items():
        if name not in names:
            faults.append(Fault("matching.opening_no_resource", opening.place, resource=str(name), names=names))
        for k, amount in amounts.items() if name in known else ():
            resource, pools = known[name], len(known[name].capacity)
            if _numbers_outside([k], pools):
                pool = {"pool": shown(k), "last": pools - 1}
                faults.append(Fault("matching.opening_no_pool", opening.place, resource=resource.title, **pool))
            elif not _is_amount(numbers(amount)):
                said = {"value": shown(amount)}
                faults.append(Fault("matching.opening_amount", opening.place, resource=resource.title, **said))
    return faults


def _is_amount(amount: Any) -> bool:
    """One number above zero, or low, likely and high."""
    if amount.dtype != float or amount.shape not in {(), (3,)} or not np.isfinite(amount).all():
        return False
    return bool((amount >= 0).all() and amount.max() > 0 and (np.diff(np.atleast_1d(amount)) >= 0).all())


def _is_of_use(opening: Opening, resources: Sequence[Resource], eligible: Bools) -> bool:
    """Whether somebody may go to one of its sites, or draw on a pool that has more with it."""
    if any(eligible[s] for s in opening.sites):
        return True
    for resource in resources:
        at = resource.pool[eligible]
        reached = drawn(replace(resource, pool=at))
        if any(reached[k] for k in opening.adds.get(resource.name, ())):
            return True
    return False


def limit_faults(problem: Posed) -> list[Fault]:
    """Everything wrong with how many there may be at most, once openings are sound."""
    faults, sites = [], problem.shape[1]
    for number, one in enumerate(problem.at_most):
        place = Place(str(number + 1), kind="at_most")
        if not isinstance(one, AtMost):
            faults.append(Fault("matching.not_a_limit", place, value=shown(one)))
            continue
        wrong = _numbers_outside(one.sites, sites)
        faults += [Fault("matching.no_such_site", place, site=shown(s), last=sites - 1) for s in wrong]
        missing = _numbers_outside(one.openings, len(problem.openings))
        faults += [
            Fault("matching.no_such_opening", place, value=shown(o), count=len(problem.openings)) for o in missing
        ]
        count = len(set(one.sites)) + len(set(one.openings)) if not wrong and not missing else 0
        if not isinstance(one.most, int | np.integer) or isinstance(one.most, bool) or one.most < 1:
            faults.append(Fault("matching.at_most_none", place, value=shown(one.most)))
        elif count and count < 2 and sites > 1:
            faults.append(Fault("matching.at_most_of_one", place))
        elif count and one.most > count:
            faults.append(Fault("matching.at_most_above", place, most=int(one.most), count=count))
        elif count:
            faults += _locked_beyond(problem, one, place)
    return faults


def _locked_beyond(problem: Posed, limit: AtMost, place: Place) -> list[Fault]:
    """Locks that need more sites and openings than there may be."""
    used = set(problem.locked[problem.locked != UNPLACED].tolist())
    sites = sorted(used & set(limit.sites))
    needed = [o for o in dict.fromkeys(limit.openings) if used & set(problem.openings[o].sites)]
    if len(sites) + len(needed) <= limit.most:
        return []
    names = [*map(problem.site_name, sites), *(problem.openings[o].name for o in needed)]
    return [Fault("matching.locks_beyond_limit", place, most=int(limit.most), names=names)]
