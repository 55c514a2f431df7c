"""What is to be decided: projects, sites, pooled resources, and what a plan is worth.

One concept carries nearly every rule of a plan. A `Resource` has pools; a site draws on pools; the draws on
a pool stay between its minimum and its capacity. Land, megavolt-amperes and energy quota are resources, and
so are a budget, a cap on one segment per city, or the least number of projects a prefecture must get: the
constructors at the end of this file (`quota`, `segment_cap`, `budget`) only spell them.

The model is a generalised assignment problem with pooled resources (Martello & Toth 1990, ch. 7): each
project goes whole to one site or stays unplaced; the sum of `score + bonus` over placed projects, plus what
partner links earn, is maximised. `bonus` is the price of leaving a project unplaced.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, refuse_if

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Level = Literal["cautious", "likely", "hopeful"]

LEVELS: tuple[Level, ...] = ("cautious", "likely", "hopeful")
UNPLACED = -1
_UNIT_SLIP = 5.0  # a demand this many times the largest pool is a unit slip, not a large project


@dataclass(frozen=True, eq=False)
class Resource:
    """Something that projects use up, in pools that sites share.

    Parameters
    ----------
    name, unit : str
        What it is and what it is counted in, for people.
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
        Names of the pools, for people.
    """

    name: str
    unit: str
    demand: Floats
    pool: NDArray[Any]
    capacity: Floats
    minimum: Floats | None = None
    split: bool = False
    pools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "demand", np.asarray(self.demand, dtype=float))
        object.__setattr__(self, "capacity", np.asarray(self.capacity, dtype=float))
        pool = np.asarray(self.pool)
        object.__setattr__(self, "pool", pool if pool.dtype == bool else _whole(pool))
        if self.minimum is not None:
            object.__setattr__(self, "minimum", np.asarray(self.minimum, dtype=float))
        object.__setattr__(self, "pools", tuple(map(str, self.pools)))

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


@dataclass(frozen=True, eq=False)
class Link:
    """Two projects that gain from being on the same or on neighbouring sites.

    Parameters
    ----------
    first, second : int
        The projects.
    gain : float
        What the plan earns when both are placed close; positive.
    near : (S, S) bool array, optional
        `near[s, t]`: first at s and second at t count as close. The same site only, when left out.
    """

    first: int
    second: int
    gain: float
    near: Bools | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """Projects to sites under shared capacities. All faults of the arrays are refused at once.

    Parameters
    ----------
    score : (P, S) array
        Worth of each project at each site; nan where it may not go.
    resources : sequence of Resource
        What projects use up.
    bonus : float or (P,) array
        What placing a project is worth on top of its score: the price of leaving it out.
    locked : mapping, pairs or (P,) int array, optional
        Decided already: `{project: site}`, `[(project, site), …]` or the site of each project, -1 where open.
    forbidden : pairs or (P, S) bool array, optional
        Ruled out by a person.
    links : sequence of Link
        Partners that gain from being close.
    level : {"likely", "cautious", "hopeful"}
        The end of the capacity intervals to plan with.
    projects, sites : sequence of str, optional
        Names, for people.

    Attributes
    ----------
    notes : tuple of Fault
        What is odd but can be planned with (a pool nobody draws on, a project that fits nowhere). Also warned of.

    Raises
    ------
    InputError
        With every fault found: shapes, NaN demand, negative capacity, minimum above maximum, contradictory locks …
    """

    score: Floats
    resources: tuple[Resource, ...]
    bonus: Any = 0.0
    locked: Any = None
    forbidden: Any = None
    links: tuple[Link, ...] = ()
    level: Level = "likely"
    projects: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    notes: tuple[Fault, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "score", np.asarray(self.score, dtype=float))
        put(self, "resources", (self.resources,) if isinstance(self.resources, Resource) else tuple(self.resources))
        put(self, "links", tuple(self.links))
        put(self, "projects", tuple(map(str, self.projects)))
        put(self, "sites", tuple(map(str, self.sites)))
        refuse_if(_shape_faults(self))
        put(self, "bonus", np.broadcast_to(np.asarray(self.bonus, dtype=float), self.score.shape[:1]))
        faults: list[Fault] = []
        put(self, "locked", _locks(self, faults))
        put(self, "forbidden", _forbids(self, faults))
        faults += _value_faults(self)
        refuse_if(faults)
        refuse_if(_lock_faults(self))
        notes = _notes(self)
        refuse_if([fault for fault, grave in notes if grave])
        put(self, "notes", tuple(fault for fault, _ in notes))
        for fault in self.notes:
            warnings.warn(str(fault), UserWarning, stacklevel=3)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of projects and of sites."""
        return self.score.shape[0], self.score.shape[1]

    @property
    def eligible(self) -> Bools:
        """(P, S): where each project may go by itself; capacities are another matter."""
        allowed = ~np.isnan(self.score)
        if self.forbidden is not None:
            allowed &= ~self.forbidden
        held = np.flatnonzero(self.locked != UNPLACED)
        row = allowed[held, self.locked[held]]
        allowed[held] = False
        allowed[held, self.locked[held]] = row
        return allowed

    def project_name(self, p: SupportsIndex) -> str:
        """Name of project `p`, or its number."""
        return self.projects[p] if self.projects else f"project {p}"

    def site_name(self, s: SupportsIndex) -> str:
        """Name of site `s`, or its number."""
        return self.sites[s] if self.sites else f"site {s}"

    def but(self, **changes: Any) -> Problem:
        """The same problem with some fields changed; what was noted already isn't warned of again."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return replace(self, **changes)


# ---- refusals --------------------------------------------------------------------------------------------------


def _whole(pool: NDArray[Any]) -> NDArray[Any]:
    """As integers when they are whole numbers; otherwise as they are, to be refused by name."""
    with np.errstate(invalid="ignore"):
        rounded = np.asarray(pool, dtype=float)
        return pool.astype(np.intp) if np.all(rounded == np.floor(rounded)) and np.all(np.isfinite(rounded)) else pool


def _shape_faults(problem: Problem) -> list[Fault]:
    """Shapes that don't fit each other."""
    faults = []
    if problem.score.ndim != 2 or 0 in problem.score.shape:
        what = f"has the shape {problem.score.shape}"
        return [Fault("score", what, "Give one row a project and one column a site, at least one of each.")]
    projects, sites = problem.score.shape
    if np.ndim(problem.bonus) and np.shape(problem.bonus) != (projects,):
        faults.append(Fault("bonus", f"has the shape {np.shape(problem.bonus)}", f"Give one number or {projects}."))
    if problem.level not in LEVELS:
        faults.append(Fault("level", f"is {problem.level!r}", f"Choose one of {', '.join(LEVELS)}."))
    for names, wanted, where in ((problem.projects, projects, "projects"), (problem.sites, sites, "sites")):
        if names and len(names) != wanted:
            faults.append(Fault(where, f"{len(names)} names for {wanted}", "Give one name each, or none."))
    for resource in problem.resources:
        where = f"resource {resource.name!r}"
        if resource.demand.shape not in {(projects,), (projects, sites)}:
            what = f"demand has the shape {resource.demand.shape}"
            faults.append(Fault(where, what, f"Give ({projects},) or ({projects}, {sites})."))
        if resource.capacity.ndim not in (1, 2) or (resource.capacity.ndim == 2 and resource.capacity.shape[1] != 3):
            what = f"capacity has the shape {resource.capacity.shape}"
            faults.append(Fault(where, what, "Give one number a pool, or three: low, likely, high."))
        pools = len(resource.capacity) if resource.capacity.ndim else 0
        if resource.pool.shape != (sites, pools) if resource.several else resource.pool.shape != (sites,):
            what = f"pool has the shape {resource.pool.shape}"
            remedy = f"Give the pool of each of the {sites} sites, or a table sites × pools of true and false."
            faults.append(Fault(where, what, remedy))
        elif not resource.several and (
            resource.pool.dtype.kind not in "iu" or resource.pool.min() < -1 or resource.pool.max() >= pools
        ):
            what = f"pool names pools outside -1 … {pools - 1}"
            faults.append(Fault(where, what, "Number pools from 0; -1 for a site that draws on none."))
        elif resource.several and resource.pool.dtype != bool:
            faults.append(Fault(where, "pool by site and pool isn't true or false", "Give a table of booleans."))
        if resource.minimum is not None and resource.minimum.shape != (pools,):
            what = f"minimum has the shape {resource.minimum.shape}"
            faults.append(Fault(where, what, f"Give one number for each of the {pools} pools."))
        if resource.pools and len(resource.pools) != pools:
            faults.append(Fault(where, f"{len(resource.pools)} names for {pools} pools", "Give one each, or none."))
    return faults


def _pairs(value: ArrayLike, where: str, problem: Problem, faults: list[Fault]) -> Ints:
    """(n, 2) pairs of project and site, in range."""
    pairs = np.asarray(value)
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        faults.append(Fault(where, f"has the shape {pairs.shape}", "Give pairs of project and site numbers."))
        return np.empty((0, 2), dtype=np.intp)
    outside = ((pairs < 0) | (pairs >= problem.shape)).any(axis=1)
    for p, s in pairs[outside]:
        what = f"project {p}, site {s}: there is no such pair among {problem.shape[0]} × {problem.shape[1]}"
        faults.append(Fault(where, what, "Number projects and sites from 0."))
    return pairs[~outside].astype(np.intp)


def _locks(problem: Problem, faults: list[Fault]) -> Ints:
    """(P,) site that each project is locked to, -1 where open."""
    given, site = problem.locked, np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    if given is None:
        return site
    if isinstance(given, Mapping):
        given = list(given.items())
    given = np.asarray(list(given) if isinstance(given, Iterable) else given)
    if given.shape == site.shape and given.dtype.kind in "iu":
        held = np.flatnonzero(given != UNPLACED)
        given = np.column_stack([held, given[held]])
    for p, s in _pairs(given, "locked", problem, faults):
        if site[p] not in (UNPLACED, s):
            names = f"{problem.site_name(site[p])} and {problem.site_name(s)}"
            what = f"{problem.project_name(p)} is locked to both {names}"
            faults.append(Fault("locked", what, "Keep one of the two locks."))
        site[p] = s
    return site


def _forbids(problem: Problem, faults: list[Fault]) -> Bools | None:
    """(P, S) mask of what a person ruled out."""
    if problem.forbidden is None:
        return None
    given = np.asarray(problem.forbidden if hasattr(problem.forbidden, "dtype") else list(problem.forbidden))
    if given.dtype == bool and given.shape == problem.shape:
        return given
    mask = np.zeros(problem.shape, dtype=bool)
    pairs = _pairs(given, "forbidden", problem, faults)
    mask[pairs[:, 0], pairs[:, 1]] = True
    return mask


def _value_faults(problem: Problem) -> list[Fault]:
    """Numbers that can't be what they are said to be."""
    faults = []
    if np.isinf(problem.score).any():
        p, s = np.argwhere(np.isinf(problem.score))[0]
        where = f"score of {problem.project_name(p)} at {problem.site_name(s)}"
        faults.append(Fault(where, "is infinite", "Write nan for 'not eligible', a number otherwise."))
    if np.isnan(problem.score).all():
        remedy = "Loosen an exclusion, or check that scores were computed: nan means 'not eligible'."
        faults.append(Fault("score", "no project is eligible at any site", remedy))
    if not np.isfinite(problem.bonus).all():
        p = int(np.flatnonzero(~np.isfinite(problem.bonus))[0])
        what = f"is {problem.bonus[p]} for {problem.project_name(p)}"
        faults.append(Fault("bonus", what, "Give a finite price of leaving it out."))
    names = [resource.name for resource in problem.resources]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [Fault(f"resource {name!r}", "is given twice", "Give each resource its own name.") for name in twice]
    for resource in problem.resources:
        faults += _resource_faults(resource, problem)
    for number, link in enumerate(problem.links):
        where, projects, sites = f"link {number}", *problem.shape
        if not (0 <= link.first < projects and 0 <= link.second < projects and link.first != link.second):
            what = f"joins projects {link.first} and {link.second}"
            faults.append(Fault(where, what, f"Name two different projects, 0 … {projects - 1}."))
        if not (np.isfinite(link.gain) and link.gain > 0):
            faults.append(Fault(where, f"gains {link.gain}", "Give a positive number, or leave the link out."))
        if link.near is not None and np.shape(link.near) != (sites, sites):
            faults.append(Fault(where, f"near has the shape {np.shape(link.near)}", f"Give ({sites}, {sites})."))
    return faults


def _resource_faults(resource: Resource, problem: Problem) -> list[Fault]:
    """Demands, capacities and minima of one resource."""
    faults, where = [], f"resource {resource.name!r}"
    counts = np.isposinf(
        resource.capacity
    ).all()  # without capacities it is a count with a minimum; worth may be negative
    wrong = ~np.isfinite(resource.demand) | ((resource.demand < 0) & ~counts)
    if wrong.ndim == 2:
        wrong &= ~np.isnan(problem.score)
    for p in np.unique(np.nonzero(wrong)[0]):
        bad = resource.demand[p] if resource.demand.ndim == 1 else resource.demand[p][wrong[p]][0]
        what = f"{problem.project_name(p)} demands {bad} {resource.unit}"
        faults.append(Fault(where, what, "Give a number of zero or more; an estimate is better than none."))
    drawn, capacity = _drawn(resource), resource.at(problem.level)
    for k in np.flatnonzero((resource.capacity.reshape(len(capacity), -1) < 0).any(axis=1)):
        what = f"{resource.pool_name(k)} has a negative capacity, {resource.capacity[k]} {resource.unit}"
        remedy = "Give zero when nothing is left; an overdrawn pool is to be relieved first."
        faults.append(Fault(where, what, remedy))
    for k in np.flatnonzero(np.isnan(resource.capacity.reshape(len(capacity), -1)).any(axis=1) & drawn):
        what = f"capacity of {resource.pool_name(k)} is not known (nan)"
        faults.append(Fault(where, what, "Give an estimate, or inf when it doesn't bind."))
    if resource.capacity.ndim == 2:
        for k in np.flatnonzero((np.diff(resource.capacity, axis=1) < 0).any(axis=1)):
            what = f"{resource.pool_name(k)}: low, likely, high are {resource.capacity[k]}"
            faults.append(Fault(where, what, "Give them in rising order."))
    if resource.minimum is not None:
        for k in np.flatnonzero(~np.isfinite(resource.minimum) | (resource.minimum < 0)):
            what = f"minimum of {resource.pool_name(k)} is {resource.minimum[k]}"
            faults.append(Fault(where, what, "Give a number of zero or more."))
        for k in np.flatnonzero((resource.minimum > capacity) & (capacity >= 0)):
            what = f"{resource.pool_name(k)}: minimum {resource.minimum[k]:g} above maximum {capacity[k]:g}"
            remedy = f"Lower the minimum or raise the maximum, in {resource.unit}."
            faults.append(Fault(where, what, remedy))
        for k in np.flatnonzero((resource.minimum > 0) & ~drawn):
            what = f"{resource.pool_name(k)} has a minimum, but no site draws on it"
            faults.append(Fault(where, what, "Give a site to the pool, or drop the minimum."))
    return faults


def _lock_faults(problem: Problem) -> list[Fault]:
    """Locks that contradict eligibility, a prohibition or, together, a capacity."""
    faults, held = [], np.flatnonzero(problem.locked != UNPLACED)
    for p in held:
        s, names = problem.locked[p], f"{problem.project_name(p)} is locked to {problem.site_name(problem.locked[p])}"
        if np.isnan(problem.score[p, s]):
            remedy = "Unlock it, or lift the exclusion that rules the pair out."
            faults.append(Fault("locked", f"{names}, where it isn't eligible", remedy))
        elif problem.forbidden is not None and problem.forbidden[p, s]:
            faults.append(Fault("locked", f"{names} and forbidden there", "Drop the lock or the prohibition."))
    for resource in problem.resources:
        if resource.several:
            continue
        demand = (
            resource.demand
            if resource.demand.ndim == 1
            else resource.demand[np.arange(len(problem.locked)), problem.locked]
        )
        pool, capacity = resource.pool[problem.locked], resource.at(problem.level)
        inside = (problem.locked != UNPLACED) & (pool >= 0)
        used = np.bincount(pool[inside], weights=demand[inside], minlength=len(capacity))
        for k in np.flatnonzero(used > capacity * (1 + 1e-9) + 1e-9):
            names = ", ".join(problem.project_name(p) for p in np.flatnonzero(inside & (pool == k)))
            have = f"{capacity[k]:g} {resource.unit} of {resource.pool_name(k)}"
            what = f"the locks of {names} take {used[k]:g} of the {have}"
            remedy = f"Unlock one of them, or find {used[k] - capacity[k]:g} {resource.unit} more."
            faults.append(Fault(f"locked, {resource.name}", what, remedy))
    return faults


def _drawn(resource: Resource) -> Bools:
    """(K,): does any site draw on the pool?"""
    if resource.several:
        return np.asarray(resource.pool.any(axis=0))
    drawn = np.zeros(len(resource.capacity), dtype=bool)
    drawn[resource.pool[resource.pool >= 0]] = True
    return drawn


def _notes(problem: Problem) -> list[tuple[Fault, bool]]:
    """What is odd: a pool nobody draws on, a project larger than any pool; with True when it can't be meant."""
    notes = []
    for resource in problem.resources:
        where, drawn = f"resource {resource.name!r}", _drawn(resource)
        if not drawn.any():
            what = "no site draws on any of its pools"
            notes.append((Fault(where, what, "Say which pool each site draws on, or leave the resource out."), True))
            continue
        if not drawn.all():
            names = ", ".join(resource.pool_name(k) for k in np.flatnonzero(~drawn)[:5])
            more = f" and {(~drawn).sum() - 5} more" if (~drawn).sum() > 5 else ""
            what = f"no site draws on {names}{more}"
            notes.append((Fault(where, what, "Assign a site to the pool, or drop the pool."), False))
        largest = float(resource.capacity.reshape(len(drawn), -1)[drawn].max())
        if resource.split and resource.several:
            largest = float(resource.capacity.reshape(len(drawn), -1)[drawn].max(axis=1).sum())
        least = resource.demand
        if least.ndim == 2:
            least = np.where(
                np.isnan(problem.score) | (resource.pool < 0 if not resource.several else False), np.inf, least
            )
            least = np.where(np.isfinite(least).any(axis=1), least.min(axis=1), 0)
        bound_to = (resource.pool >= 0) if not resource.several else resource.pool.any(axis=1)
        somewhere_free = (~np.isnan(problem.score) & ~bound_to).any(axis=1)
        for p in np.flatnonzero((least > largest) & ~somewhere_free & ~np.isnan(problem.score).all(axis=1)):
            what = f"{problem.project_name(p)} demands {least[p]:g} {resource.unit}; the largest pool has {largest:g}"
            remedy = "Check the unit, split the project, or enlarge a pool; as it is the project stays unplaced."
            notes.append((Fault(where, what, remedy), largest > 0 and least[p] > _UNIT_SLIP * largest))
    return notes


# ---- rules that are resources ----------------------------------------------------------------------------------


def quota(
    name: str,
    group: ArrayLike,
    *,
    projects: int,
    maximum: ArrayLike | None = None,
    minimum: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    groups: Sequence[str] = (),
) -> Resource:
    """How many projects (or how much of `weight`) each group of sites must and may get.

    Parameters
    ----------
    name : str
        What the rule is called.
    group : (S,) int array
        Group (prefecture, city) of each site, -1 for none.
    projects : int
        Number of projects.
    maximum, minimum : (K,) array, optional
        Bounds of each group; no bound when left out.
    weight : (P,) array, optional
        What each project counts for; one when left out.
    groups : sequence of str
        Names of the groups.
    """
    group = np.asarray(group, dtype=np.intp)
    bounds = maximum if minimum is None else minimum
    count = int(group.max()) + 1 if bounds is None else np.asarray(bounds).size
    demand = np.ones(projects) if weight is None else np.asarray(weight, dtype=float)
    capacity = np.full(count, np.inf) if maximum is None else np.asarray(maximum, dtype=float)
    least = None if minimum is None else np.asarray(minimum, dtype=float)
    return Resource(name, "projects" if weight is None else "", demand, group, capacity, least, pools=tuple(groups))


def segment_cap(
    name: str, member: ArrayLike, city: ArrayLike, cap: ArrayLike, *, cities: Sequence[str] = ()
) -> Resource:
    """At most `cap` projects of one segment in each city.

    Parameters
    ----------
    name : str
        The segment.
    member : (P,) bool array
        Which projects belong to it.
    city : (S,) int array
        City of each site.
    cap : (K,) array
        Most projects of the segment in each city.
    cities : sequence of str
        Names of the cities.
    """
    return Resource(
        name, "projects", np.asarray(member, dtype=float), np.asarray(city), np.asarray(cap), pools=tuple(cities)
    )


def budget(cost: ArrayLike, limit: float, *, sites: int, name: str = "budget", unit: str = "M yuan") -> Resource:
    """One purse: `cost`, (P,) or (P, S), summed over placed projects stays within `limit`."""
    return Resource(
        name, unit, np.asarray(cost, dtype=float), np.zeros(sites, dtype=np.intp), np.array([limit]), pools=(name,)
    )


def keep(problem: Problem, site: ArrayLike, *, price: float) -> Problem:
    """The problem with a price on leaving the present plan: another site costs `price`, and so does no site.

    Parameters
    ----------
    problem : Problem
        What is to be decided.
    site : (P,) int array
        The present plan, -1 where a project has no place yet.
    price : float
        What moving one project costs, in units of score.
    """
    present = np.asarray(site, dtype=np.intp)
    stays = np.zeros(problem.shape)
    placed = np.flatnonzero(present != UNPLACED)
    stays[placed, present[placed]] = price
    return problem.but(score=problem.score + stays)


def phase(
    problem: Problem,
    years: Sequence[int],
    arrives: Mapping[str, ArrayLike],
    *,
    earliest: ArrayLike | None = None,
    delay: ArrayLike | float = 0.0,
) -> Problem:
    """The problem over years: site s in the t-th year is site `s + S * t` of the phased problem.

    Parameters
    ----------
    problem : Problem
        Without phases. Locked projects are there from the first year they may.
    years : sequence of int
        The years, rising.
    arrives : mapping of resource name to (K, T) array
        Capacity of each pool in each year, when it grows (a substation that arrives later): what started in a year
        draws on it from then on. Resources not named are the same in all years.
    earliest : (P,) int array, optional
        First year in which each project can start.
    delay : float or (T,) or (P, T) array
        Score lost by starting in each year; a number is the loss a year after the first.

    Raises
    ------
    InputError
        On years that don't rise, names that are no resource, or capacities of another shape.
    """
    projects, sites = problem.shape
    count = len(years)
    faults = []
    if not count or (np.diff(years) <= 0).any():
        faults.append(Fault("years", f"are {list(years)}", "Give each year once, in rising order."))
    known = {resource.name: resource for resource in problem.resources}
    for name, capacity in arrives.items():
        if name not in known:
            faults.append(Fault(f"arrives {name!r}", "there is no such resource", f"Name one of {', '.join(known)}."))
        elif np.shape(capacity) != (len(known[name].capacity), count):
            what = f"has the shape {np.shape(capacity)}"
            faults.append(Fault(f"arrives {name!r}", what, f"Give {len(known[name].capacity)} pools × {count} years."))
    refuse_if(faults)
    lost = np.asarray(delay, dtype=float)
    lost = lost * (np.asarray(years) - years[0]) if lost.ndim == 0 else lost
    score = problem.score[:, None, :] - np.broadcast_to(lost, (projects, count))[:, :, None]
    opens = np.zeros(projects, dtype=np.intp)
    if earliest is not None:
        early = np.asarray(earliest)[:, None] > np.asarray(years)[None, :]
        score = np.where(early[:, :, None], np.nan, score)
        opens = np.minimum(early.sum(axis=1), count - 1)
    resources = []
    start = np.repeat(np.arange(count), sites)
    for resource in problem.resources:
        pool = np.concatenate([resource.pool] * count)
        demand = resource.demand if resource.demand.ndim == 1 else np.tile(resource.demand, (1, count))
        wide = replace(resource, pool=pool, demand=demand)
        if resource.name not in arrives:
            resources.append(wide)
            continue
        capacity = np.asarray(arrives[resource.name], dtype=float)
        for t, year in enumerate(years):
            begun = start <= t
            drawn = np.where(begun[:, None], pool, False) if resource.several else np.where(begun, pool, UNPLACED)
            resources.append(replace(wide, name=f"{resource.name} {year}", pool=drawn, capacity=capacity[:, t]))
    return Problem(
        score.reshape(projects, count * sites),
        tuple(resources),
        bonus=problem.bonus,
        locked=np.where(problem.locked == UNPLACED, UNPLACED, problem.locked + sites * opens),
        forbidden=None if problem.forbidden is None else np.tile(problem.forbidden, (1, count)),
        links=tuple(
            replace(link, near=np.tile(np.eye(sites, dtype=bool) if link.near is None else link.near, (count, count)))
            for link in problem.links
        ),
        level=problem.level,
        projects=problem.projects,
        sites=[f"{problem.site_name(s)} {year}" for year in years for s in range(sites)],  # type: ignore[arg-type]
    )
