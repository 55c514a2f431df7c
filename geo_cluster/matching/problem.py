"""What is to be decided: projects, sites, pooled resources, and the objective.

The model is a generalised assignment problem with pooled resources (Martello & Toth 1990, ch. 7): each
project goes undivided to one site or stays unplaced; the sum of `score + bonus` over placed projects, plus what
partner links earn, is maximised. `bonus` is the price of leaving a project unplaced.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.matching.arguments import as_array, integers, number_faults, numbers, rounded, several, shown
from geo_cluster.matching.openings import AtMost, Opening, cost_of, limit_faults, opening_faults, resolved, widened
from geo_cluster.matching.parts import Parts, parts_faults
from geo_cluster.matching.resource import (
    LEVELS,
    UNPLACED,
    Bools,
    Floats,
    Ints,
    Level,
    Resource,
    amount_faults,
    drawn,
    form_faults,
    is_capacity,
    is_demand,
    is_level,
    is_pool,
    is_split,
    named,
)

LOCKS = Place("", kind="locks")
"""Where locks are refused."""

PROBLEM = Place("", kind="problem")
"""Where what contradicts each other is refused."""

_MOST = 1e100  # what all projects together may come to, so that nothing overflows
_UNIT_SLIP = 5.0  # all demands this many times the largest pool are a unit slip, not large projects
_NAMED = 5  # pools or projects that a sentence names


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
        Score of each project at each site; nan where it may not go.
    resources : sequence of Resource
        What projects use up.
    bonus : float or (P,) array, optional
        What placing a project is worth on top of its score: the price of leaving it out. None puts placing above all
        else: as many as possible are placed, and scores only decide between such plans. With costs as negative scores
        that is minimisation. (What one more project then counts is worked out from the scores, and becomes `bonus`.)
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
    openings : sequence of Opening, optional
        What may be opened at a cost: its sites, and what pools have more with it.
    at_most : sequence of AtMost, optional
        How many sites may get projects, or which openings exclude each other.
    parts : sequence of Parts, optional
        Projects that are parts of one: phases, or shares of one that may be split.
    paid : float
        What openings that are decided already have cost; taken off the objective value.
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
    openings: tuple[Opening, ...] = ()
    at_most: tuple[AtMost, ...] = ()
    parts: tuple[Parts, ...] = ()
    paid: float = 0.0
    supposed: InitVar[bool] = False
    notes: tuple[Fault, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self, supposed: bool) -> None:
        put = object.__setattr__
        put(self, "score", numbers(self.score))
        is_priced = self.bonus is not None
        put(self, "bonus", numbers(self.bonus if is_priced else 0.0))
        put(self, "resources", several(self.resources))
        put(self, "links", tuple(map(_boolean_near, several(self.links))))
        put(self, "projects", tuple(map(str, several(self.projects))))
        put(self, "sites", tuple(map(str, several(self.sites))))
        put(self, "openings", several(self.openings))
        put(self, "at_most", several(self.at_most))
        put(self, "parts", several(self.parts))
        faults = _score_faults(self)
        if faults:  # without a table of scores only what concerns a resource alone can be checked
            put(self, "projects", ())
            refuse_if(faults + _resources_faults(self, shape=None))
        for fault in _name_faults(self):  # numbers serve in what follows
            faults.append(fault)
            put(self, str(fault.place.name), ())
        faults += _frame_faults(self)
        put(self, "locked", _locks(self, faults))
        put(self, "forbidden", _forbids(self, faults))
        put(self, "at_most", resolved(self.at_most, self.shape[1]))
        faults += _value_faults(self, supposed=supposed) + _resources_faults(self, shape=self.shape)
        if wrong := _opening_faults(self, supposed=supposed):  # locks may rest on them
            refuse_if(faults + wrong)
        faults += _lock_faults(self) + parts_faults(self)
        notes = _notes(self)
        refuse_if(faults + [fault for fault, grave in notes if grave and not supposed])
        put(self, "bonus", np.broadcast_to(self.bonus if is_priced else _outweighing(self), self.score.shape[:1]))
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
        rows = np.flatnonzero(self.locked != UNPLACED)
        own = allowed[rows, self.locked[rows]]
        allowed[rows] = False
        allowed[rows, self.locked[rows]] = own
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

    def settled(self, opened: Collection[int]) -> Problem:
        """The problem once it is decided what is opened: pools have more, other sites are closed, the cost is paid.

        Parameters
        ----------
        opened : collection of int
            Numbers of the openings that are opened.

        Returns
        -------
        Problem
            Without openings. How many sites there may be at most stays.
        """
        if not self.openings:
            return self
        score = self.score.copy()
        score[:, [s for o, one in enumerate(self.openings) if o not in opened for s in one.sites]] = np.nan
        return self.suppose(
            score=score,
            resources=widened(self.resources, [self.openings[o] for o in opened]),
            openings=(),
            at_most=tuple(
                replace(one, most=one.most - sum(o in opened for o in one.openings), openings=())
                for one in self.at_most
                if one.sites
            ),
            paid=self.paid + cost_of(self, opened),
        )


def _outweighing(problem: Problem) -> float:
    """A bonus that counts more than all that plans can differ in besides."""
    return 3 * (_most(problem) + cost_of(problem, range(len(problem.openings)))) or 1.0


# ---- refusals --------------------------------------------------------------------------------------------------


def _boolean_near(link: Link) -> Link:
    """The link with its neighbourhood as a table of booleans; what is none stays as it is, to be refused by name."""
    if not isinstance(link, Link) or link.near is None:
        return link
    near = as_array(link.near)
    return replace(link, near=near.astype(bool) if near.dtype.kind in "iuf" and np.isin(near, (0, 1)).all() else near)


def _score_faults(problem: Problem) -> list[Fault]:
    """A table of scores that is none."""
    if faults := number_faults(problem.score, "score"):
        return faults
    if problem.score.ndim != 2 or 0 in problem.score.shape:
        return [Fault("matching.score_shape", "score", shape=str(problem.score.shape))]
    return []


def _frame_faults(problem: Problem) -> list[Fault]:
    """A bonus or a level that can't be used."""
    projects = problem.shape[0]
    faults = number_faults(problem.bonus, "bonus")
    if not faults and problem.bonus.shape not in {(), (projects,)}:
        faults.append(Fault("matching.bonus_shape", "bonus", shape=str(problem.bonus.shape), projects=projects))
    elif not faults and not np.isfinite(problem.bonus).all():
        each = np.broadcast_to(problem.bonus, projects)
        p = int(np.flatnonzero(~np.isfinite(each))[0])
        project = problem.project_name(p)
        faults.append(Fault("matching.bonus_not_finite", "bonus", value=float(each[p]), project=project))
    if not is_level(problem.level):
        faults.append(Fault("matching.unknown_level", "level", value=shown(problem.level), levels=list(LEVELS)))
    return faults


def _name_faults(problem: Problem) -> list[Fault]:
    """Too few or too many names; the place is the field."""
    projects, sites = problem.shape
    wanted = (("projects", problem.projects, projects), ("sites", problem.sites, sites))
    return [
        Fault("matching.name_count", field, names=len(names), count=count)
        for field, names, count in wanted
        if names and len(names) != count
    ]


def _resources_faults(problem: Problem, *, shape: tuple[int, int] | None) -> list[Fault]:
    """Everything wrong with resources; `shape` is None when it isn't known how many projects and sites there are."""
    strange = [each for each in problem.resources if not isinstance(each, Resource)]
    faults = [Fault("matching.not_a_resource", "resources", value=shown(each)) for each in strange]
    resources = [each for each in problem.resources if isinstance(each, Resource)]
    names = [resource.name for resource in resources]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [Fault("matching.resource_twice", Place(name, kind="resource")) for name in twice]
    for resource in resources:
        faults += form_faults(resource, shape)
        faults += _demand_faults(resource, problem) if is_demand(resource, shape) else []
        faults += amount_faults(resource, shape, problem.level)
    return faults


def _demand_faults(resource: Resource, problem: Problem) -> list[Fault]:
    faults = []
    # without capacities it is a count with a minimum; scores may be negative
    counts = resource.capacity.dtype == float and np.isposinf(resource.capacity).all()
    wrong = ~np.isfinite(resource.demand) | ((resource.demand < 0) & ~counts)
    if wrong.ndim == 2 and wrong.shape == problem.score.shape and problem.score.dtype == float:
        wrong &= ~np.isnan(problem.score)
    for p in np.unique(np.nonzero(wrong)[0]):
        bad = resource.demand[p] if resource.demand.ndim == 1 else resource.demand[p][wrong[p]][0]
        values = {"project": problem.project_name(p), "demand": float(bad), "unit": resource.unit_title}
        faults.append(Fault("matching.demand_value", resource.place, **values))
    return faults


def _opening_faults(problem: Problem, *, supposed: bool) -> list[Fault]:
    """What is wrong with openings and limits; of a supposition only what locks contradict."""
    if not (problem.openings or problem.at_most):
        return []
    eligible = ~np.isnan(problem.score)
    if problem.forbidden is not None:
        eligible &= ~problem.forbidden
    found = [] if supposed else opening_faults(problem, _sound(problem), np.asarray(eligible.any(axis=0)))
    return found or limit_faults(problem)


def _with_all_openings(problem: Problem) -> list[Resource]:
    """Sound resources with all that may be opened."""
    return list(widened(_sound(problem), problem.openings))


def _sound(problem: Problem) -> list[Resource]:
    """Resources whose arrays fit the scores and each other."""
    resources = [each for each in problem.resources if isinstance(each, Resource)]
    fit = [each for each in resources if is_demand(each, problem.shape) and is_capacity(each) and is_split(each)]
    return [each for each in fit if is_pool(each, problem.shape)] if is_level(problem.level) else []


def plan_of(problem: Problem, plan: ArrayLike, name: str) -> Ints:
    """A plan as an array of sites, (P,).

    Parameters
    ----------
    problem : Problem
    plan : (P,) array
        Site of each project, -1 where it has none.
    name : str
        What the argument is called.

    Raises
    ------
    InputError
        Where it can't be a plan of the problem.
    """
    site = integers(plan)
    refuse_if(plan_faults(problem, site, name))
    return site.astype(np.intp)


def plan_faults(problem: Problem, site: NDArray[Any], name: str) -> list[Fault]:
    """Why an array can't be a plan of the problem: shape, kind or sites that there aren't.

    Parameters
    ----------
    problem : Problem
    site : array
        What should be (P,) sites, -1 where a project has none.
    name : str
        What it is called in a fault.
    """
    projects, sites = problem.shape
    if site.shape != (projects,):
        return [Fault("matching.plan_shape", name, shape=str(site.shape), projects=projects, last=sites - 1)]
    if site.dtype.kind not in "iu":
        return [Fault("matching.plan_not_integers", name, type=str(site.dtype), projects=projects, last=sites - 1)]
    outside = np.flatnonzero((site < UNPLACED) | (site >= sites))
    places = [Place(name, entry=problem.project_name(p)) for p in outside]
    return [
        Fault("matching.no_such_site", place, site=int(site[p]), last=sites - 1)
        for p, place in zip(outside, places, strict=True)
    ]


def _pairs(argument: Any, name: str, problem: Problem, faults: list[Fault]) -> Ints:
    """(n, 2) pairs of project and site, in range."""
    pairs = as_array(argument)
    if pairs.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        faults.append(_no_pairs(pairs, name, problem.shape))
        return np.empty((0, 2), dtype=np.intp)
    outside = ((pairs < 0) | (pairs >= problem.shape)).any(axis=1)
    projects, sites = problem.shape
    for p, s in pairs[outside].tolist():
        faults.append(Fault("matching.no_such_pair", name, project=p, site=s, projects=projects, sites=sites))
    return pairs[~outside].astype(np.intp)


def _no_pairs(array: NDArray[Any], name: str, shape: tuple[int, int]) -> Fault:
    """Why an array isn't pairs of project and site: names, gaps, fractions, or its shape."""
    if array.dtype.kind in "USO" and not any(isinstance(one, list | tuple) for one in array.flat):
        text = next((one for one in array.flat if isinstance(one, str)), array.flat[0])
        return Fault("matching.pairs_by_name", name, value=shown(str(text)))
    if array.dtype.kind == "f" and array.shape in {shape[:1], (*array.shape[:1], 2)}:
        if np.isnan(array).any():
            return Fault("matching.pairs_unknown", name)
        return Fault("matching.pairs_not_integers", name, type=str(array.dtype))
    if array.dtype == object:
        return Fault("matching.pairs_uneven", name)
    return Fault("matching.pairs_shape", name, shape=str(array.shape))


def _locks(problem: Problem, faults: list[Fault]) -> Ints:
    """(P,) site that each project is locked to, -1 where open."""
    locked, site = problem.locked, np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    if locked is None:
        return site
    if isinstance(locked, Mapping):
        locked = list(locked.items())
    locked = as_array(list(locked) if isinstance(locked, Iterable) else locked)
    if locked.shape == site.shape and locked.dtype.kind in "iu":
        rows = np.flatnonzero(locked != UNPLACED)
        locked = np.column_stack([rows, locked[rows]])
    for p, s in _pairs(locked, "locked", problem, faults):
        if site[p] not in (UNPLACED, s):
            both = {"first": problem.site_name(site[p]), "second": problem.site_name(s)}
            faults.append(Fault("matching.locked_twice", LOCKS, project=problem.project_name(p), **both))
        site[p] = s
    return site


def _forbids(problem: Problem, faults: list[Fault]) -> Bools | None:
    """(P, S) mask of what a person ruled out."""
    if problem.forbidden is None:
        return None
    table = problem.forbidden
    table = as_array(list(table) if isinstance(table, Iterable) and not hasattr(table, "dtype") else table)
    if table.dtype == bool and table.shape == problem.shape:
        return table
    mask = np.zeros(problem.shape, dtype=bool)
    if table.dtype == bool:
        form, wanted = str(table.shape), str(problem.shape)
        faults.append(Fault("matching.forbidden_shape", "forbidden", shape=form, wanted=wanted))
        return mask
    pairs = _pairs(table, "forbidden", problem, faults)
    mask[pairs[:, 0], pairs[:, 1]] = True
    return mask


def _value_faults(problem: Problem, *, supposed: bool) -> list[Fault]:
    """Numbers that can't be what they are said to be: scores and links."""
    faults = []
    if np.isinf(problem.score).any():
        p, s = np.argwhere(np.isinf(problem.score))[0]
        place = Place("score", entry=problem.project_name(p), column=problem.site_name(s))
        faults.append(Fault("matching.score_infinite", place))
    allowed = ~np.isnan(problem.score)
    if not allowed.any() and not supposed:
        faults.append(Fault("matching.nobody_eligible", "score"))
    elif problem.forbidden is not None and not (allowed & ~problem.forbidden).any() and not supposed:
        faults.append(Fault("matching.everything_forbidden", "forbidden"))
    for number, link in enumerate(problem.links):
        faults += _link_faults(link, Place(str(number), kind="link"), problem)
    is_bonus = problem.bonus.dtype == float and problem.bonus.shape in {(), problem.score.shape[:1]}
    if not faults and is_bonus and np.isfinite(problem.bonus).all() and (most := _most(problem)) > _MOST:
        faults.append(Fault("matching.sum_too_large", "score", total=most, most=_MOST))
    return faults


def _most(problem: Problem) -> float:
    """What all projects, at their largest score and with every gain, come to in size."""
    with np.errstate(over="ignore"):
        each = np.nan_to_num(np.abs(problem.score)).max(axis=1) + np.abs(problem.bonus)
        return float(each.sum() + sum(float(link.gain) for link in problem.links))


def _link_faults(link: Link, place: Place, problem: Problem) -> list[Fault]:
    """Partners, gain and neighbourhood of one link."""
    if not isinstance(link, Link):
        return [Fault("matching.not_a_link", place, value=shown(link))]
    faults, (projects, sites) = [], problem.shape
    ends = [link.first, link.second]
    integral = all(isinstance(end, int | np.integer) and not isinstance(end, bool) for end in ends)
    if not integral or not all(0 <= end < projects for end in ends) or link.first == link.second:
        first, second = (str(end) if isinstance(end, int | np.integer) else shown(end) for end in ends)
        faults.append(Fault("matching.link_ends", place, first=first, second=second, last=projects - 1))
    gain = numbers(link.gain)
    if gain.dtype != float or gain.shape or not np.isfinite(gain) or gain <= 0:
        faults.append(Fault("matching.link_gain", place, gain=shown(link.gain)))
    if link.near is None:
        return faults
    near = as_array(link.near)
    if near.shape != (sites, sites):
        faults.append(Fault("matching.link_near_shape", place, shape=str(near.shape), sites=sites))
    elif near.dtype != bool and not (near.dtype.kind in "iuf" and np.isin(near, (0, 1)).all()):
        faults.append(Fault("matching.link_near_not_boolean", place))
    return faults


def _lock_faults(problem: Problem) -> list[Fault]:
    """Locks that contradict eligibility, a prohibition or, together, a capacity."""
    faults, rows = [], np.flatnonzero(problem.locked != UNPLACED)
    for p in rows:
        s = problem.locked[p]
        pair = {"project": problem.project_name(p), "site": problem.site_name(s)}
        if np.isnan(problem.score[p, s]):
            faults.append(Fault("matching.locked_ineligible", LOCKS, **pair))
        elif problem.forbidden is not None and problem.forbidden[p, s]:
            faults.append(Fault("matching.locked_forbidden", LOCKS, **pair))
    for resource in _with_all_openings(problem):
        faults += _overdrawn_by_locks(problem, resource) if not resource.several else []
    return faults


def _overdrawn_by_locks(problem: Problem, resource: Resource) -> list[Fault]:
    """Pools of a resource that locked projects alone overdraw."""
    demand, faults = resource.demand, []
    if demand.ndim == 2:
        demand = demand[np.arange(len(problem.locked)), problem.locked]
    demand = np.where(np.isfinite(demand), demand, 0.0)
    pool, capacity = resource.pool[problem.locked], resource.at(problem.level)
    inside = (problem.locked != UNPLACED) & (pool >= 0)
    used = np.bincount(pool[inside], weights=demand[inside], minlength=len(capacity))
    for k in np.flatnonzero((used > capacity * (1 + 1e-9)) & (capacity >= 0)):
        names = [problem.project_name(p) for p in np.flatnonzero(inside & (pool == k))]
        fault = Fault(
            "matching.locks_overdraw",
            replace(LOCKS, key=resource.title),
            projects=names,
            used=float(used[k]),
            capacity=float(capacity[k]),
            unit=resource.unit_title,
            pool=named(resource, k),
            missing=rounded(used[k] - capacity[k], up=True),
        )
        faults.append(fault)
    return faults


def _notes(problem: Problem) -> list[tuple[Fault, bool]]:
    """What is odd: a pool nobody draws on, a project larger than any pool; with True when it can't be meant."""
    notes = []
    for resource in _with_all_openings(problem):
        place, reached = resource.place, drawn(resource)
        if not reached.any():
            notes.append((Fault("matching.resource_not_drawn", place), True))
            continue
        if not reached.all():
            idle = np.flatnonzero(~reached)
            names, more = [named(resource, k) for k in idle[:_NAMED]], len(idle) - _NAMED
            if more > 0:
                notes.append((Fault("matching.many_pools_not_drawn", place, pools=names, more=more), False))
            else:
                notes.append((Fault("matching.pools_not_drawn", place, pools=names), False))
        notes += _too_large(resource, problem, reached)
    return notes


def _too_large(resource: Resource, problem: Problem, reached: Bools) -> list[tuple[Fault, bool]]:
    """Projects that no pool can hold at the planning level; a slip of units where that holds of all by far."""
    planned = resource.at(problem.level)[reached]
    high = resource.capacity.reshape(len(reached), -1)[reached].max(axis=1)
    together = resource.split and resource.several
    largest, most = (float(each.sum() if together else each.max()) for each in (planned, high))
    least = resource.demand
    if least.ndim == 2:
        elsewhere = np.isnan(problem.score) | (resource.pool < 0 if not resource.several else False)
        least = np.where(elsewhere, np.inf, least)
        least = np.where(np.isfinite(least).any(axis=1), least.min(axis=1), 0)
    bound_to = (resource.pool >= 0) if not resource.several else resource.pool.any(axis=1)
    somewhere_free = (~np.isnan(problem.score) & ~bound_to).any(axis=1)
    notes, eligible = [], ~np.isnan(problem.score).all(axis=1)
    nobody_fits = most > 0 and bool((least[eligible] > _UNIT_SLIP * most).all()) and not somewhere_free.any()
    for p in np.flatnonzero((least > largest) & ~somewhere_free & eligible):
        values = {"project": problem.project_name(p), "demand": float(least[p]), "unit": resource.unit_title}
        if least[p] <= most:
            found = Fault(
                "matching.demand_above_planned",
                resource.place,
                **values,
                largest=largest,
                level=problem.level,
                most=most,
            )
        else:
            found = Fault("matching.demand_above_pools", resource.place, **values, largest=largest)
        notes.append((found, nobody_fits))
    return notes
