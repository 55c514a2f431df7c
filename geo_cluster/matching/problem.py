"""What is to be decided: projects, sites, pooled resources, and what a plan is worth.

One concept carries nearly every rule of a plan. A `Resource` has pools; a site draws on pools; the draws on
a pool stay between its minimum and its capacity. Land, megavolt-amperes and energy quota are resources, and
so are a budget, a cap on one segment per city, or the least number of projects a prefecture must get: `rules`
only spells them.

The model is a generalised assignment problem with pooled resources (Martello & Toth 1990, ch. 7): each
project goes whole to one site or stays unplaced; the sum of `score + bonus` over placed projects, plus what
partner links earn, is maximised. `bonus` is the price of leaving a project unplaced.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, refuse_if
from geo_cluster.matching.arguments import as_given, number_faults, numbers, rounded, several, whole_numbers

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Level = Literal["cautious", "likely", "hopeful"]

LEVELS: tuple[Level, ...] = ("cautious", "likely", "hopeful")
UNPLACED = -1
_MOST = 1e100  # what all projects together may come to, so that nothing overflows
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
        object.__setattr__(self, "demand", numbers(self.demand))
        object.__setattr__(self, "capacity", numbers(self.capacity))
        object.__setattr__(self, "pool", whole_numbers(self.pool))
        if self.minimum is not None:
            object.__setattr__(self, "minimum", numbers(self.minimum))
        object.__setattr__(self, "pools", tuple(map(str, several(self.pools))))

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
    supposed : bool
        A problem that was checked already, under a supposition (a pool without anything, a site that drops out):
        what can't be meant in a table, a unit slip or nowhere to go, is then no fault.

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
    supposed: InitVar[bool] = False
    notes: tuple[Fault, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self, supposed: bool) -> None:
        put = object.__setattr__
        put(self, "score", numbers(self.score))
        put(self, "bonus", numbers(self.bonus))
        put(self, "resources", several(self.resources))
        put(self, "links", tuple(map(_link_given, several(self.links))))
        put(self, "projects", tuple(map(str, several(self.projects))))
        put(self, "sites", tuple(map(str, several(self.sites))))
        faults = _score_faults(self)
        if faults:  # without a table of scores only what concerns a resource alone can be told
            put(self, "projects", ())
            refuse_if(faults + _resources_faults(self, shape=None))
        for fault in _name_faults(self):  # numbers serve in what follows
            faults.append(fault)
            put(self, fault.where, ())
        faults += _frame_faults(self)
        put(self, "locked", _locks(self, faults))
        put(self, "forbidden", _forbids(self, faults))
        faults += _value_faults(self, supposed=supposed) + _resources_faults(self, shape=self.shape)
        faults += _lock_faults(self)
        notes = _notes(self)
        refuse_if(faults + [fault for fault, grave in notes if grave and not supposed])
        put(self, "bonus", np.broadcast_to(self.bonus, self.score.shape[:1]))
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

    def suppose(self, **changes: Any) -> Problem:
        """Like `but`, for a supposition of the program's own: what would be a slip in a table is taken as it is."""
        return self.but(**changes, supposed=True)


# ---- refusals --------------------------------------------------------------------------------------------------


def _link_given(link: Link) -> Link:
    """The link with its neighbourhood as a table of booleans; what is none stays as it is, to be refused by name."""
    if not isinstance(link, Link) or link.near is None:
        return link
    near = as_given(link.near)
    return replace(link, near=near.astype(bool) if near.dtype.kind in "iuf" and np.isin(near, (0, 1)).all() else near)


def _score_faults(problem: Problem) -> list[Fault]:
    """A table of scores that is none."""
    if faults := number_faults(problem.score, "score"):
        return faults
    if problem.score.ndim != 2 or 0 in problem.score.shape:
        what = f"has the shape {problem.score.shape}"
        return [Fault("score", what, "Give one row a project and one column a site, at least one of each.")]
    return []


def _frame_faults(problem: Problem) -> list[Fault]:
    """A bonus or a level that can't be used."""
    projects = problem.shape[0]
    faults = number_faults(problem.bonus, "bonus")
    if not faults and problem.bonus.shape not in {(), (projects,)}:
        faults.append(Fault("bonus", f"has the shape {problem.bonus.shape}", f"Give one number or {projects}."))
    elif not faults and not np.isfinite(problem.bonus).all():
        each = np.broadcast_to(problem.bonus, projects)
        p = int(np.flatnonzero(~np.isfinite(each))[0])
        what = f"is {each[p]} for {problem.project_name(p)}"
        faults.append(Fault("bonus", what, "Give a finite price of leaving it out."))
    if not _is_level(problem.level):
        faults.append(Fault("level", f"is {problem.level!r}", f"Choose one of {', '.join(LEVELS)}."))
    return faults


def _is_level(level: Any) -> bool:
    return isinstance(level, str) and level in LEVELS


def _name_faults(problem: Problem) -> list[Fault]:
    """Too few or too many names; `where` is the field."""
    (projects, sites), remedy = problem.shape, "Give one name each, or none."
    wanted = (("projects", problem.projects, projects), ("sites", problem.sites, sites))
    return [
        Fault(field, f"{len(names)} names for {count}", remedy)
        for field, names, count in wanted
        if names and len(names) != count
    ]


def _resources_faults(problem: Problem, *, shape: tuple[int, int] | None) -> list[Fault]:
    """Everything wrong with resources; `shape` is None when it isn't known how many projects and sites there are."""
    strange = [each for each in problem.resources if not isinstance(each, Resource)]
    faults = [Fault("resources", f"{each!r} is no Resource", "Give Resource(name, unit, …).") for each in strange]
    resources = [each for each in problem.resources if isinstance(each, Resource)]
    names = [resource.name for resource in resources]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [Fault(f"resource {name!r}", "is given twice", "Give each resource its own name.") for name in twice]
    for resource in resources:
        faults += _form_faults(resource, shape) + _resource_faults(resource, problem, shape)
    return faults


def _form_faults(resource: Resource, shape: tuple[int, int] | None) -> list[Fault]:
    """Shapes and kinds of one resource's arrays."""
    faults, where = [], f"resource {resource.name!r}"
    for part in ("demand", "capacity", "minimum"):
        if getattr(resource, part) is not None:
            faults += number_faults(getattr(resource, part), where, part)
    if not _is_split(resource):
        faults.append(Fault(where, f"split is {resource.split!r}", "Say True or False."))
    if resource.demand.dtype == float and not _fits(resource.demand, shape):
        what = f"demand has the shape {resource.demand.shape}"
        wanted = "one number a project, or a table projects × sites" if shape is None else f"({shape[0]},) or {shape}"
        faults.append(Fault(where, what, f"Give {wanted}."))
    if resource.capacity.dtype == float and not _is_capacity(resource):
        what = f"capacity has the shape {resource.capacity.shape}"
        faults.append(Fault(where, what, "Give one number a pool, or three: low, likely, high; at least one pool."))
    if not _is_capacity(resource):
        return faults
    pools = len(resource.capacity)
    if not _is_pool(resource, shape):
        faults.append(_pool_fault(resource, shape))
    if resource.minimum is not None and resource.minimum.dtype == float and resource.minimum.shape != (pools,):
        what = f"minimum has the shape {resource.minimum.shape}"
        faults.append(Fault(where, what, f"Give one number for each of the {pools} pools."))
    if resource.pools and len(resource.pools) != pools:
        faults.append(Fault(where, f"{len(resource.pools)} names for {pools} pools", "Give one each, or none."))
    return faults


def _pool_fault(resource: Resource, shape: tuple[int, int] | None) -> Fault:
    """Why `pool` doesn't say which pool each site draws on."""
    where, pool, pools = f"resource {resource.name!r}", resource.pool, len(resource.capacity)
    sites = len(pool) if shape is None and pool.ndim else 0 if shape is None else shape[1]
    if pool.dtype.kind not in "biuf":
        bad = next(iter(pool.flat), None)
        told = bad.item() if isinstance(bad, np.generic) else bad
        return Fault(
            where, f"pool has {told!r}, not the number of a pool", "Number pools from 0; names go into pools=."
        )
    if pool.shape != (sites, pools) if resource.several else pool.shape != (sites,):
        remedy = f"Give the pool of each of the {sites} sites, or a table sites × pools of true and false."
        return Fault(where, f"pool has the shape {pool.shape}", remedy)
    if resource.several:
        return Fault(where, "pool by site and pool isn't true or false", "Give a table of booleans.")
    what = f"pool names pools outside -1 … {pools - 1}"
    return Fault(where, what, "Number pools from 0; -1 for a site that draws on none.")


def _fits(demand: NDArray[Any], shape: tuple[int, int] | None) -> bool:
    """Whether demand is one number a project, or one a pair."""
    if demand.dtype != float:
        return False
    return demand.ndim in (1, 2) if shape is None else demand.shape in {shape[:1], shape}


def _is_capacity(resource: Resource) -> bool:
    capacity = resource.capacity
    form = capacity.ndim == 1 or (capacity.ndim == 2 and capacity.shape[1] == 3)
    return bool(capacity.dtype == float and form and len(capacity))


def _is_split(resource: Resource) -> bool:
    return isinstance(resource.split, bool | np.bool_)


def _is_pool(resource: Resource, shape: tuple[int, int] | None) -> bool:
    """Whether `pool` is a table of booleans or numbers of pools that there are."""
    pool, pools = resource.pool, len(resource.capacity)
    if shape is not None and pool.shape[:1] != shape[1:]:
        return False
    if resource.several:
        return bool(pool.dtype == bool and pool.shape[1] == pools)
    return bool(pool.ndim == 1 and pool.dtype.kind in "iu" and ((pool >= UNPLACED) & (pool < pools)).all())


def _sound(problem: Problem) -> list[Resource]:
    """Resources whose arrays fit the scores and each other."""
    resources = [each for each in problem.resources if isinstance(each, Resource)]
    fit = [each for each in resources if _fits(each.demand, problem.shape) and _is_capacity(each) and _is_split(each)]
    return [each for each in fit if _is_pool(each, problem.shape)] if _is_level(problem.level) else []


def plan_of(problem: Problem, given: ArrayLike, where: str) -> Ints:
    """A plan as it was given, (P,); refused by name where it can't be one of the problem."""
    site = whole_numbers(given)
    refuse_if(plan_faults(problem, site, where))
    return site.astype(np.intp)


def plan_faults(problem: Problem, site: NDArray[Any], where: str) -> list[Fault]:
    """Why an array can't be a plan of the problem: shape, kind or sites that there aren't."""
    projects, sites = problem.shape
    remedy = f"Give the site of each of the {projects} projects, 0 … {sites - 1}, -1 where it has none."
    if site.shape != (projects,):
        return [Fault(where, f"has the shape {site.shape}", remedy)]
    if site.dtype.kind not in "iu":
        return [Fault(where, f"isn't whole numbers ({site.dtype})", remedy)]
    outside = np.flatnonzero((site < UNPLACED) | (site >= sites))
    return [Fault(where, f"{problem.project_name(p)} is at {site[p]}: there is no such site", remedy) for p in outside]


def _pairs(value: Any, where: str, problem: Problem, faults: list[Fault]) -> Ints:
    """(n, 2) pairs of project and site, in range."""
    pairs = as_given(value)
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        faults.append(_no_pairs(pairs, where, problem.shape))
        return np.empty((0, 2), dtype=np.intp)
    outside = ((pairs < 0) | (pairs >= problem.shape)).any(axis=1)
    for p, s in pairs[outside]:
        what = f"project {p}, site {s}: there is no such pair among {problem.shape[0]} × {problem.shape[1]}"
        faults.append(Fault(where, what, "Number projects and sites from 0."))
    return pairs[~outside].astype(np.intp)


def _no_pairs(given: NDArray[Any], where: str, shape: tuple[int, int]) -> Fault:
    """Why an array isn't pairs of project and site: names, gaps, fractions, or its shape."""
    if given.dtype.kind in "USO" and not any(isinstance(one, list | tuple) for one in given.flat):
        named = next((one for one in given.flat if isinstance(one, str)), given.flat[0])
        what = f"has {str(named)!r}: projects and sites are told by number"
        return Fault(where, what, "Give their positions in the table of scores, counted from 0.")
    if given.dtype.kind == "f" and given.shape in {shape[:1], (*given.shape[:1], 2)}:
        what = "has nan" if np.isnan(given).any() else f"isn't whole numbers ({given.dtype})"
        return Fault(where, what, "Give whole numbers; -1 where a project is open.")
    if given.dtype == object:
        return Fault(where, "has entries that aren't pairs", "Give pairs of project and site numbers.")
    return Fault(where, f"has the shape {given.shape}", "Give pairs of project and site numbers.")


def _locks(problem: Problem, faults: list[Fault]) -> Ints:
    """(P,) site that each project is locked to, -1 where open."""
    given, site = problem.locked, np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    if given is None:
        return site
    if isinstance(given, Mapping):
        given = list(given.items())
    given = as_given(list(given) if isinstance(given, Iterable) else given)
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
    given = problem.forbidden
    given = as_given(list(given) if isinstance(given, Iterable) and not hasattr(given, "dtype") else given)
    if given.dtype == bool and given.shape == problem.shape:
        return given
    mask = np.zeros(problem.shape, dtype=bool)
    if given.dtype == bool:
        what, remedy = f"has the shape {given.shape}", f"Give a table {problem.shape} of true and false, or pairs."
        faults.append(Fault("forbidden", what, remedy))
        return mask
    pairs = _pairs(given, "forbidden", problem, faults)
    mask[pairs[:, 0], pairs[:, 1]] = True
    return mask


def _value_faults(problem: Problem, *, supposed: bool) -> list[Fault]:
    """Numbers that can't be what they are said to be: scores and links."""
    faults = []
    if np.isinf(problem.score).any():
        p, s = np.argwhere(np.isinf(problem.score))[0]
        where = f"score of {problem.project_name(p)} at {problem.site_name(s)}"
        faults.append(Fault(where, "is infinite", "Write nan for 'not eligible', a number otherwise."))
    allowed = ~np.isnan(problem.score)
    if not allowed.any() and not supposed:
        remedy = "Loosen an exclusion, or check that scores were computed: nan means 'not eligible'."
        faults.append(Fault("score", "no project is eligible at any site", remedy))
    elif problem.forbidden is not None and not (allowed & ~problem.forbidden).any() and not supposed:
        what = "rules out every site at which a project is eligible"
        faults.append(Fault("forbidden", what, "Lift some: true means 'may not go there'."))
    for number, link in enumerate(problem.links):
        faults += _link_faults(link, f"link {number}", problem)
    is_bonus = problem.bonus.dtype == float and problem.bonus.shape in {(), problem.score.shape[:1]}
    if not faults and is_bonus and np.isfinite(problem.bonus).all() and (most := _most(problem)) > _MOST:
        what = f"scores, bonus and gains add up to as much as {most:.1e}"
        faults.append(Fault("score", what, f"Use a smaller unit, so that they stay below {_MOST:.0e}."))
    return faults


def _most(problem: Problem) -> float:
    """What all projects, at their largest score and with every gain, come to in size."""
    with np.errstate(over="ignore"):
        each = np.nan_to_num(np.abs(problem.score)).max(axis=1) + np.abs(problem.bonus)
        return float(each.sum() + sum(float(link.gain) for link in problem.links))


def _link_faults(link: Link, where: str, problem: Problem) -> list[Fault]:
    """Partners, gain and neighbourhood of one link."""
    if not isinstance(link, Link):
        return [Fault(where, f"{link!r} is no Link", "Give Link(first, second, gain).")]
    faults, (projects, sites) = [], problem.shape
    ends = [link.first, link.second]
    whole = all(isinstance(end, int | np.integer) and not isinstance(end, bool) for end in ends)
    if not whole or not all(0 <= end < projects for end in ends) or link.first == link.second:
        told = " and ".join(str(end) if isinstance(end, int | np.integer) else repr(end) for end in ends)
        what, remedy = f"joins projects {told}", f"Name two different projects by number, 0 … {projects - 1}."
        faults.append(Fault(where, what, remedy))
    gain = numbers(link.gain)
    if gain.dtype != float or gain.shape or not np.isfinite(gain) or gain <= 0:
        faults.append(Fault(where, f"gains {link.gain}", "Give a positive number, or leave the link out."))
    if link.near is None:
        return faults
    near = as_given(link.near)
    if near.shape != (sites, sites):
        faults.append(Fault(where, f"near has the shape {near.shape}", f"Give ({sites}, {sites})."))
    elif near.dtype != bool and not (near.dtype.kind in "iuf" and np.isin(near, (0, 1)).all()):
        faults.append(Fault(where, "near isn't true or false", "Give a table of booleans."))
    return faults


def _resource_faults(resource: Resource, problem: Problem, shape: tuple[int, int] | None) -> list[Fault]:
    """Values of one resource that can't be meant, as far as its arrays have the right form."""
    faults = _demand_faults(resource, problem) if _fits(resource.demand, shape) else []
    if not _is_capacity(resource):
        return faults
    drawn = _drawn(resource) if _is_pool(resource, shape) else np.ones(len(resource.capacity), dtype=bool)
    faults += _capacity_faults(resource, drawn)
    least = resource.minimum
    if least is not None and least.dtype == float and least.shape == drawn.shape and _is_level(problem.level):
        faults += _minimum_faults(resource, least, resource.at(problem.level), drawn)
    return faults


def _demand_faults(resource: Resource, problem: Problem) -> list[Fault]:
    faults, where = [], f"resource {resource.name!r}"
    # without capacities it is a count with a minimum; worth may be negative
    counts = resource.capacity.dtype == float and np.isposinf(resource.capacity).all()
    wrong = ~np.isfinite(resource.demand) | ((resource.demand < 0) & ~counts)
    if wrong.ndim == 2 and wrong.shape == problem.score.shape and problem.score.dtype == float:
        wrong &= ~np.isnan(problem.score)
    for p in np.unique(np.nonzero(wrong)[0]):
        bad = resource.demand[p] if resource.demand.ndim == 1 else resource.demand[p][wrong[p]][0]
        what = f"{problem.project_name(p)} demands {bad} {resource.unit}"
        faults.append(Fault(where, what, "Give a number of zero or more; an estimate is better than none."))
    return faults


def _capacity_faults(resource: Resource, drawn: Bools) -> list[Fault]:
    faults, where = [], f"resource {resource.name!r}"
    table = resource.capacity.reshape(len(drawn), -1)
    for k in np.flatnonzero((table < 0).any(axis=1)):
        what = f"{_pool_named(resource, k)} has a negative capacity, {resource.capacity[k]} {resource.unit}"
        remedy = "Give zero when nothing is left; an overdrawn pool is to be relieved first."
        faults.append(Fault(where, what, remedy))
    for k in np.flatnonzero(np.isnan(table).any(axis=1) & drawn):
        what = f"capacity of {_pool_named(resource, k)} is not known (nan)"
        faults.append(Fault(where, what, "Give an estimate, or inf when it doesn't bind."))
    with np.errstate(invalid="ignore"):  # inf less inf
        falls = (np.diff(table, axis=1) < 0).any(axis=1)
    for k in np.flatnonzero(falls):
        what = f"{_pool_named(resource, k)}: low, likely, high are {resource.capacity[k]}"
        faults.append(Fault(where, what, "Give them in rising order."))
    return faults


def _minimum_faults(resource: Resource, minimum: Floats, capacity: Floats, drawn: Bools) -> list[Fault]:
    faults, where = [], f"resource {resource.name!r}"
    for k in np.flatnonzero(~np.isfinite(minimum) | (minimum < 0)):
        what = f"minimum of {_pool_named(resource, k)} is {minimum[k]}"
        faults.append(Fault(where, what, "Give a number of zero or more."))
    for k in np.flatnonzero((minimum > capacity) & (capacity >= 0)):
        what = f"{_pool_named(resource, k)}: minimum {minimum[k]:g} above maximum {capacity[k]:g}"
        remedy = f"Lower the minimum or raise the maximum, in {resource.unit}."
        faults.append(Fault(where, what, remedy))
    for k in np.flatnonzero((minimum > 0) & ~drawn):
        what = f"{_pool_named(resource, k)} has a minimum, but no site draws on it"
        faults.append(Fault(where, what, "Give a site to the pool, or drop the minimum."))
    return faults


def _pool_named(resource: Resource, k: SupportsIndex) -> str:
    """Name of pool `k`, also where there are fewer names than pools."""
    return resource.pool_name(k) if len(resource.pools) in (0, len(resource.capacity)) else f"pool {k}"


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
    for resource in _sound(problem):
        if resource.several:
            continue
        demand = (
            resource.demand
            if resource.demand.ndim == 1
            else resource.demand[np.arange(len(problem.locked)), problem.locked]
        )
        demand = np.where(np.isfinite(demand), demand, 0.0)
        pool, capacity = resource.pool[problem.locked], resource.at(problem.level)
        inside = (problem.locked != UNPLACED) & (pool >= 0)
        used = np.bincount(pool[inside], weights=demand[inside], minlength=len(capacity))
        for k in np.flatnonzero((used > capacity * (1 + 1e-9) + 1e-9) & (capacity >= 0)):
            names = ", ".join(problem.project_name(p) for p in np.flatnonzero(inside & (pool == k)))
            have = f"{capacity[k]:g} {resource.unit} of {_pool_named(resource, k)}"
            what = f"the locks of {names} take {used[k]:g} of the {have}"
            remedy = f"Unlock one of them, or find {rounded(used[k] - capacity[k], up=True)} {resource.unit} more."
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
    for resource in _sound(problem):
        where, drawn = f"resource {resource.name!r}", _drawn(resource)
        if not drawn.any():
            what = "no site draws on any of its pools"
            notes.append((Fault(where, what, "Say which pool each site draws on, or leave the resource out."), True))
            continue
        if not drawn.all():
            names = ", ".join(_pool_named(resource, k) for k in np.flatnonzero(~drawn)[:5])
            more = f" and {(~drawn).sum() - 5} more" if (~drawn).sum() > 5 else ""
            what = f"no site draws on {names}{more}"
            notes.append((Fault(where, what, "Assign a site to the pool, or drop the pool."), False))
        notes += _too_large(resource, problem, drawn)
    return notes


def _too_large(resource: Resource, problem: Problem, drawn: Bools) -> list[tuple[Fault, bool]]:
    """Projects that no pool can hold at the planning level; a slip of units where none could by far."""
    planned = resource.at(problem.level)[drawn]
    high = resource.capacity.reshape(len(drawn), -1)[drawn].max(axis=1)
    together = resource.split and resource.several
    largest, most = (float(each.sum() if together else each.max()) for each in (planned, high))
    least = resource.demand
    if least.ndim == 2:
        elsewhere = np.isnan(problem.score) | (resource.pool < 0 if not resource.several else False)
        least = np.where(elsewhere, np.inf, least)
        least = np.where(np.isfinite(least).any(axis=1), least.min(axis=1), 0)
    bound_to = (resource.pool >= 0) if not resource.several else resource.pool.any(axis=1)
    somewhere_free = (~np.isnan(problem.score) & ~bound_to).any(axis=1)
    notes = []
    for p in np.flatnonzero((least > largest) & ~somewhere_free & ~np.isnan(problem.score).all(axis=1)):
        what = f"{problem.project_name(p)} demands {least[p]:g} {resource.unit}; the largest pool has {largest:g}"
        remedy = "Check the unit, split the project, or enlarge a pool; as it is the project stays unplaced."
        if least[p] <= most:
            what = f"{what} ({problem.level}), {most:g} at best"
            remedy = "Plan with a more hopeful level, or enlarge a pool; as it is the project stays unplaced."
        notes.append((Fault(f"resource {resource.name!r}", what, remedy), most > 0 and least[p] > _UNIT_SLIP * most))
    return notes
