"""What projects use up, in pools that sites share.

One concept carries nearly every rule of a plan. A `Resource` has pools; a site draws on pools; the draws on a pool stay
between its minimum and its capacity. Land, megavolt-amperes and energy quota are resources, and so are a budget, a cap
on one segment per city, or the least number of projects a prefecture must get: `rules` only spells them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from geo_cluster.errors import Bilingual, Fault, Place
from geo_cluster.matching.arguments import integers, number_faults, numbers, several, shown

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Level = Literal["cautious", "likely", "hopeful"]

LEVELS: tuple[Level, ...] = ("cautious", "likely", "hopeful")
UNPLACED = -1


@dataclass(frozen=True)
class Titles:
    """What people call a resource, its unit and its pools, each in both languages."""

    name: Bilingual
    unit: Bilingual
    pools: tuple[Bilingual, ...]


@dataclass(frozen=True, eq=False)
class Resource:
    """Something that projects use up, in pools that sites share.

    Parameters
    ----------
    name, unit : str
        What it is and what it is counted in.
    demand : (P,) or (P, S) array
        What each project takes (at each site), in `unit`; not negative where a capacity is finite.
    pool : (S,) int array or (S, K) bool array
        The pool that each site draws on, -1 for none; or which pools each site may draw on, when there
        are several (a park with two substations).
    capacity : (K,) or (K, 3) array
        What each pool has; three columns are low, likely and high.
    minimum : (K,) array, optional
        What must at least be drawn from each pool.
    split : bool
        When a site may draw on several pools: may one project be split between them?
    pools : sequence of str, optional
        Names of the pools.
    titles : Titles, optional
        What all these are called in sentences; by default as they are.
    """

    name: str
    unit: str
    demand: Floats
    pool: NDArray[Any]
    capacity: Floats
    minimum: Floats | None = None
    split: bool = False
    pools: tuple[str, ...] = ()
    titles: Titles | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "demand", numbers(self.demand))
        object.__setattr__(self, "capacity", numbers(self.capacity))
        object.__setattr__(self, "pool", integers(self.pool))
        if self.minimum is not None:
            object.__setattr__(self, "minimum", numbers(self.minimum))
        object.__setattr__(self, "pools", tuple(map(str, several(self.pools))))

    @property
    def place(self) -> Place:
        """Where its faults are."""
        return Place(self.title, kind="resource")

    @property
    def title(self) -> str | Bilingual:
        """What it is called in sentences."""
        return self.titles.name if self.titles else self.name

    @property
    def unit_title(self) -> str | Bilingual:
        """What its unit is called in sentences."""
        return self.titles.unit if self.titles else self.unit

    def pool_title(self, k: SupportsIndex) -> str | Bilingual:
        """What pool `k` is called in sentences."""
        return self.titles.pools[k] if self.titles else self.pool_name(k)

    @property
    def several(self) -> bool:
        """Whether a site may draw on several pools."""
        return self.pool.ndim == 2

    def at(self, level: Level) -> Floats:
        """Capacity of each pool at a planning level, (K,): low, likely or high of what is known."""
        return self.capacity if self.capacity.ndim == 1 else self.capacity[:, LEVELS.index(level)]

    def pool_name(self, k: SupportsIndex) -> str:
        """Name of pool `k`, or its number."""
        return self.pools[k] if self.pools else f"pool {k}"


# ---- refusals --------------------------------------------------------------------------------------------------


def form_faults(resource: Resource, shape: tuple[int, int] | None) -> list[Fault]:
    """Shapes and kinds of one resource's arrays.

    Parameters
    ----------
    resource : Resource
    shape : (P, S), optional
        Number of projects and sites, where that is known.
    """
    faults, place = [], resource.place
    for part in ("demand", "capacity", "minimum"):
        if getattr(resource, part) is not None:
            faults += number_faults(getattr(resource, part), place, part)
    if not is_split(resource):
        faults.append(Fault("matching.split_unclear", place, value=shown(resource.split)))
    if resource.demand.dtype == float and not is_demand(resource, shape):
        form = str(resource.demand.shape)
        if shape is None:
            faults.append(Fault("matching.demand_form", place, shape=form))
        else:
            faults.append(Fault("matching.demand_shape", place, shape=form, projects=shape[0], sites=shape[1]))
    if not is_capacity(resource):
        if resource.capacity.dtype == float:
            faults.append(Fault("matching.capacity_shape", place, shape=str(resource.capacity.shape)))
        return faults
    pools = len(resource.capacity)
    if not is_pool(resource, shape):
        faults.append(_pool_fault(resource, shape))
    if resource.minimum is not None and resource.minimum.dtype == float and resource.minimum.shape != (pools,):
        faults.append(Fault("matching.minimum_shape", place, shape=str(resource.minimum.shape), pools=pools))
    if resource.pools and len(resource.pools) != pools:
        faults.append(Fault("matching.pool_names", place, names=len(resource.pools), pools=pools))
    return faults


def _pool_fault(resource: Resource, shape: tuple[int, int] | None) -> Fault:
    """Why `pool` doesn't say which pool each site draws on."""
    pool, pools = resource.pool, len(resource.capacity)
    sites = len(pool) if shape is None and pool.ndim else 0 if shape is None else shape[1]
    if pool.dtype.kind not in "biuf":
        return Fault("matching.pool_not_a_number", resource.place, value=shown(next(iter(pool.flat), None)))
    if pool.shape != (sites, pools) if resource.several else pool.shape != (sites,):
        return Fault("matching.pool_shape", resource.place, shape=str(pool.shape), sites=sites)
    if resource.several:
        return Fault("matching.pool_not_boolean", resource.place)
    return Fault("matching.pool_outside", resource.place, last=pools - 1)


def is_demand(resource: Resource, shape: tuple[int, int] | None) -> bool:
    """Whether demand is one number a project, or one a pair."""
    demand = resource.demand
    if demand.dtype != float:
        return False
    return demand.ndim in (1, 2) if shape is None else demand.shape in {shape[:1], shape}


def is_capacity(resource: Resource) -> bool:
    """Whether capacity is one number a pool, or three."""
    capacity = resource.capacity
    form = capacity.ndim == 1 or (capacity.ndim == 2 and capacity.shape[1] == 3)
    return bool(capacity.dtype == float and form and len(capacity))


def is_split(resource: Resource) -> bool:
    """Whether `split` is true or false."""
    return isinstance(resource.split, bool | np.bool_)


def is_pool(resource: Resource, shape: tuple[int, int] | None) -> bool:
    """Whether `pool` is a table of booleans or numbers of pools that there are."""
    pool, pools = resource.pool, len(resource.capacity)
    if shape is not None and pool.shape[:1] != shape[1:]:
        return False
    if resource.several:
        return bool(pool.dtype == bool and pool.shape[1] == pools)
    return bool(pool.ndim == 1 and pool.dtype.kind in "iu" and ((pool >= UNPLACED) & (pool < pools)).all())


def is_level(level: Any) -> bool:
    """Whether it is a planning level."""
    return isinstance(level, str) and level in LEVELS


def amount_faults(resource: Resource, shape: tuple[int, int] | None, level: Any) -> list[Fault]:
    """Capacities and minima that can't be meant, as far as the arrays have the right form.

    Parameters
    ----------
    resource : Resource
    shape : (P, S), optional
        Number of projects and sites, where that is known.
    level : {"cautious", "likely", "hopeful"}
        Planning level; minima are checked where it is one of these.
    """
    if not is_capacity(resource):
        return []
    reached = drawn(resource) if is_pool(resource, shape) else np.ones(len(resource.capacity), dtype=bool)
    faults, least = _capacity_faults(resource, reached), resource.minimum
    if least is not None and least.dtype == float and least.shape == reached.shape and is_level(level):
        faults += _minimum_faults(resource, least, resource.at(level), reached)
    return faults


def _capacity_faults(resource: Resource, reached: Bools) -> list[Fault]:
    place, unit, table = resource.place, resource.unit_title, resource.capacity.reshape(len(reached), -1)
    with np.errstate(invalid="ignore"):  # inf less inf
        falls = (np.diff(table, axis=1) < 0).any(axis=1)
    pools = [{"pool": named(resource, k), "capacity": table[k].tolist()} for k in range(len(table))]
    faults = [
        Fault("matching.capacity_negative", place, unit=unit, **pools[k])
        for k in np.flatnonzero((table < 0).any(axis=1))
    ]
    faults += [
        Fault("matching.capacity_unknown", place, pool=named(resource, k))
        for k in np.flatnonzero(np.isnan(table).any(axis=1) & reached)
    ]
    return faults + [Fault("matching.capacity_falling", place, **pools[k]) for k in np.flatnonzero(falls)]


def _minimum_faults(resource: Resource, minimum: Floats, capacity: Floats, reached: Bools) -> list[Fault]:
    place, unit, pools = resource.place, resource.unit_title, [named(resource, k) for k in range(len(minimum))]
    faults = [
        Fault("matching.minimum_value", place, pool=pools[k], minimum=float(minimum[k]))
        for k in np.flatnonzero(~np.isfinite(minimum) | (minimum < 0))
    ]
    for k in np.flatnonzero((minimum > capacity) & (capacity >= 0)):
        bounds = {"minimum": float(minimum[k]), "maximum": float(capacity[k])}
        faults += [Fault("matching.minimum_above_maximum", place, pool=pools[k], unit=unit, **bounds)]
    return faults + [
        Fault("matching.minimum_without_site", place, pool=pools[k]) for k in np.flatnonzero((minimum > 0) & ~reached)
    ]


def named(resource: Resource, k: SupportsIndex) -> str | Bilingual:
    """What pool `k` is called in sentences, also where there are fewer names than pools."""
    return resource.pool_title(k) if len(resource.pools) in (0, len(resource.capacity)) else f"pool {k}"


def drawn(resource: Resource) -> Bools:
    """(K,): whether any site draws on the pool."""
    if resource.several:
        return np.asarray(resource.pool.any(axis=0))
    found = np.zeros(len(resource.capacity), dtype=bool)
    found[resource.pool[resource.pool >= 0]] = True
    return found
