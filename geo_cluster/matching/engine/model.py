"""The problem as the solver sees it: what is decided is taken out, what can't happen is struck, rows are counted.

`compile_model` turns every rule into three things: a table of values (project × option), draws on single
pools, and links. An *option* is a site, or a site through one of the pools it may draw on.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from geo_cluster.errors import Fault, InputError
from geo_cluster.matching.problem import UNPLACED, Bools, Floats, Ints, Link, Problem, Resource

_MOST_OPTIONS = 64  # ways of choosing pools at one site, when several resources offer several
_MOST_SUBSETS = 4096  # groups of pools whose capacity binds together, when projects may be split
_NAMED, _FEW = 5, 30  # locks that a refusal names; and of which those are left out that aren't needed for it
_MOST_TRIES = 20_000  # ways of choosing pools for locked projects that are tried before the solver has to find out
_HANDY = 1.0, 1e9  # greatest values that need no other unit


@dataclass(frozen=True, eq=False)
class Draw:
    """One resource on which each option draws from at most one pool.

    Attributes
    ----------
    demand : (P,) or (P, S) array
    pool : (S,) int array, -1 for none
    capacity, minimum : (K,) array
    """

    demand: Floats
    pool: Ints
    capacity: Floats
    minimum: Floats

    def of(self, p: Ints, s: Ints) -> Floats:
        """Demand of projects `p` at options `s`."""
        return self.demand[p] if self.demand.ndim == 1 else self.demand[p, s]

    def load(self, p: Ints, s: Ints) -> Floats:
        """(K,): what placing projects `p` at options `s` draws from each pool."""
        pool = self.pool[s]
        return np.bincount(pool[pool >= 0], weights=self.of(p, s)[pool >= 0], minlength=len(self.capacity)).astype(
            float
        )


@dataclass(frozen=True, eq=False)
class Model:
    """What is left to decide.

    Attributes
    ----------
    value : (P, S) array
        Worth of each project at each option; -inf where it can't go (locked projects go nowhere: they are done).
    draws : tuple of Draw
        With what locked projects take already taken off.
    links : tuple of Link
        Between projects that are both open, `near` between options.
    site, pools : (S,) and (S, R) int arrays
        The site of each option, and the pool it draws on of each resource of the problem.
    held : (P,) int array
        Option of each locked project, -1 where open.
    base : float
        What the locked projects are worth.
    must : (P,) bool array
        Projects that every plan worth having places: their row is an equation.
    """

    value: Floats
    draws: tuple[Draw, ...]
    links: tuple[Link, ...]
    site: Ints
    pools: Ints
    held: Ints
    base: float
    must: Bools

    @property
    def open(self) -> Ints:
        """Projects that can still go somewhere."""
        return np.flatnonzero(np.isfinite(self.value).any(axis=1))

    @property
    def minima(self) -> bool:
        """Whether some pool must be drawn on."""
        return any((draw.minimum > 0).any() for draw in self.draws)

    @property
    def plain(self) -> bool:
        """Only values and capacities: a generalised assignment problem with pooled resources."""
        return not self.links and not self.minima and not self.must.any()

    def worth(self, option: Ints) -> float:
        """Worth of a plan, given as the option of each project."""
        placed = np.flatnonzero((option != UNPLACED) & (self.held == UNPLACED))
        earned = sum(link.gain for link in self.links if near(link, option))
        return float(self.base + self.value[placed, option[placed]].sum() + earned)

    def short(self, option: Ints) -> float:
        """What minima lack, as the sum of shares of each minimum; a locked project without a place lacks one."""
        placed = np.flatnonzero((option != UNPLACED) & (self.held == UNPLACED))
        lack = float((self.must & (option == UNPLACED)).sum())
        for draw in self.draws:
            least = np.flatnonzero(draw.minimum > 0)
            if len(least):
                share = 1 - draw.load(placed, option[placed])[least] / draw.minimum[least]
                lack += float(share[share > 1e-7].sum())
        return lack

    def fits(self, option: Ints) -> bool:
        """Whether no pool is over its capacity."""
        return all(
            bool((load <= draw.capacity + 1e-7 * np.maximum(1.0, draw.capacity)).all())
            for load, draw in zip(self.loads(option), self.draws, strict=True)
        )

    def relaxed(self) -> Model:
        """Without minima, and with half of each link's gain granted to each partner: worth at least as much."""
        if not self.links and not self.minima:
            return self
        value = self.value.copy()
        for link in self.links:
            value[[link.first, link.second]] += link.gain / 2
        draws = []
        for draw in self.draws:
            bound = np.append(np.isfinite(draw.capacity), False)[draw.pool]
            pool, room = np.where(bound, draw.pool, UNPLACED), np.where(np.isfinite(draw.capacity), draw.capacity, 0.0)
            draws.append(Draw(draw.demand, pool, room, np.zeros_like(room)))
        return replace(self, value=value, draws=tuple(draws), links=())

    def softened(self) -> Model:
        """The same with overwhelming bonuses cut down, so that prices see the differences between options."""
        finite = np.isfinite(self.value)
        rows = finite.any(axis=1)
        worst = np.where(finite, self.value, np.inf).min(axis=1)
        spread = float((self.value[rows].max(axis=1) - worst[rows]).max(initial=0.0))
        surplus = np.where(rows, np.maximum(worst - 3 * spread - 1.0, 0.0), 0.0)
        if surplus.max(initial=0.0) < 20 * spread:
            return self
        return replace(self, value=self.value - surplus[:, None])

    def rescaled(self) -> tuple[Model, float, float]:
        """The same in handy numbers: tolerances of solvers are made for values around a hundred.

        Returns
        -------
        Model, unit, cut
            A plan that places n open projects is worth `unit * worth + cut * n` in the problem's own numbers. The cut
            is the part of an overwhelming bonus that decides nothing: one more project placed is still worth more than
            all that plans can differ in besides, and without it that difference drowns in rounding.
        """
        finite = np.isfinite(self.value)
        if not finite.any():
            return self, 1.0, 0.0
        least = float(self.value[finite].min())
        tops = self.value.max(axis=1)
        rest = float((tops[np.isfinite(tops)] - least).sum()) + sum(link.gain for link in self.links)
        most = max(float(np.abs(self.value[finite]).max()), *[link.gain for link in self.links], 0.0)
        cut = least - 2 * rest if rest > 0 and least > 4 * rest else 0.0
        most -= cut
        unit = 1.0 if _HANDY[0] <= most <= _HANDY[1] or most == 0 else float(10.0 ** np.floor(np.log10(most) - 2))
        cut = unit * float(np.floor(cut / unit))
        if unit == 1.0 and not cut:
            return self, 1.0, 0.0
        links = tuple(replace(link, gain=link.gain / unit) for link in self.links)
        return replace(self, value=(self.value - cut) / unit, links=links, base=self.base / unit), unit, cut

    def tightened(self, plan: float) -> Model:
        """With projects that no plan worth more than `plan` leaves out marked, their values shifted to near zero."""
        rows = self.open
        best = self.value[rows].max(axis=1)
        total = self.base + float(best.sum()) + sum(link.gain for link in self.links)
        certain = rows[(total - best < plan - 1e-6 * max(1.0, abs(plan))) & (best > 0)]
        if len(certain) < len(rows):
            return self
        must = self.must.copy()
        must[certain] = True
        shift = np.zeros(len(self.value))
        shift[certain] = self.value[certain].max(axis=1)
        return replace(self, value=self.value - shift[:, None], base=self.base + float(shift.sum()), must=must)

    def loads(self, option: Ints) -> list[Floats]:
        """What a plan draws from each pool of each draw."""
        placed = np.flatnonzero((option != UNPLACED) & (self.held == UNPLACED))
        return [draw.load(placed, option[placed]) for draw in self.draws]

    def stacked(self) -> tuple[Floats, Ints, Floats]:
        """All draws as arrays, their pools in one row.

        Returns
        -------
        room : (K + 1,) array, the last without limit
        pool : (D, S) int array
        demand : (D, P, S) array, or (D, P, 1) where none depends on the option
        """
        wide = any(draw.demand.ndim == 2 for draw in self.draws)
        projects, options = self.value.shape
        demand = np.zeros((len(self.draws), projects, options if wide else 1))
        pool = np.zeros((len(self.draws), options), dtype=np.intp)
        last, first = sum(len(draw.capacity) for draw in self.draws), 0
        for d, draw in enumerate(self.draws):
            demand[d] = draw.demand if draw.demand.ndim == 2 else draw.demand[:, None]
            pool[d] = np.where(draw.pool >= 0, draw.pool + first, last)
            first += len(draw.capacity)
        return np.concatenate([*[draw.capacity for draw in self.draws], [np.inf]]), pool, demand

    def reduced(self, prices: list[Floats]) -> Floats:
        """(P, S): value less what its draws cost at given prices of the pools."""
        left = self.value.copy()
        for draw, price in zip(self.draws, prices, strict=True):
            each = np.append(price, 0.0)[draw.pool]
            left -= draw.demand[:, None] * each if draw.demand.ndim == 1 else draw.demand * each
        return left

    def matrix(self, p: Ints, s: Ints) -> sparse.csc_array:
        """Rows (projects, then the pools of each draw) of the columns 'project p at option s'."""
        rows, columns, values = [p], [np.arange(len(p))], [np.ones(len(p))]
        first = len(self.value)
        for draw in self.draws:
            pool, demand = draw.pool[s], draw.of(p, s)
            used = np.flatnonzero((pool >= 0) & (demand != 0))
            rows.append(pool[used] + first)
            columns.append(used)
            values.append(demand[used])
            first += len(draw.capacity)
        return sparse.csc_array(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(first, len(p))
        )


def near(link: Link, option: Ints) -> bool:
    """Whether a plan puts the two partners of a link close to each other."""
    a, b = option[link.first], option[link.second]
    return bool(a != UNPLACED and b != UNPLACED and (a == b if link.near is None else link.near[a, b]))


def compile_model(problem: Problem) -> Model:
    """The model of a problem.

    Raises
    ------
    InputError
        When locked projects can't stand together on pools that they may choose.
    """
    site, pools = _options(problem)
    value = np.where(problem.eligible, problem.score + problem.bonus[:, None], -np.inf)[:, site]
    draws: list[Draw] = []
    owners: list[Resource] = []  # whose each draw is
    for r, resource in enumerate(problem.resources):
        demand = resource.demand if resource.demand.ndim == 1 else np.nan_to_num(resource.demand[:, site])
        capacity = resource.at(problem.level)
        minimum = np.zeros(len(capacity)) if resource.minimum is None else resource.minimum
        if resource.several and resource.split:
            draws += _shared(demand, resource.pool[site], capacity, resource)
        else:
            draws.append(Draw(demand, pools[:, r], capacity, minimum))
        owners += [resource] * (len(draws) - len(owners))
    for draw in draws:
        value[_above(draw)] = -np.inf
    everywhere = site[:, None] == site[None, :] if any(link.near is None for link in problem.links) else None
    links = tuple(
        replace(link, near=everywhere if link.near is None else np.asarray(link.near, dtype=bool)[np.ix_(site, site)])
        for link in problem.links
    )
    held, must = _place_locked(problem, site, value, draws, owners)
    rows = np.flatnonzero(held != UNPLACED)
    base = float((problem.score[rows, problem.locked[rows]] + problem.bonus[rows]).sum())
    draws = [
        replace(
            draw,
            capacity=np.maximum(draw.capacity - load, 0.0),
            minimum=np.where(draw.minimum > 0, np.maximum(draw.minimum - load, 0.0), 0.0),
        )
        for draw in draws
        for load in [draw.load(rows, held[rows])]
    ]
    value[rows] = -np.inf
    links, earned = _settle(links, held, value)
    for draw in draws:
        value[_above(draw)] = -np.inf
    if not links and not any((draw.minimum > 0).any() for draw in draws):
        value[(value < 0) & ~must[:, None]] = -np.inf
    draws = [slim for draw in draws if (slim := _binding(draw, value)) is not None]
    model = Model(value, tuple(draws), links, site, pools, held, base + earned, must)
    if model.plain:
        _strike_dominated(model)
    return model


def _above(draw: Draw) -> Bools:
    """(P, S): the project alone takes more than the pool has."""
    room = np.append(draw.capacity + 1e-9 * np.maximum(1, draw.capacity), np.inf)[draw.pool]
    return np.asarray((draw.demand[:, None] if draw.demand.ndim == 1 else draw.demand) > room)


def _options(problem: Problem) -> tuple[Ints, Ints]:
    """Sites, as often as there are ways to draw on the pools on offer; and those pools, one column a resource."""
    site = np.arange(problem.shape[1])
    pools = np.full((len(site), 0), UNPLACED)
    for resource in problem.resources:
        if not resource.several or resource.split:
            column = np.full(len(site), UNPLACED) if resource.several else resource.pool[site]
            pools = np.column_stack([pools, column])
            continue
        at = [np.flatnonzero(row) if row.any() else np.array([UNPLACED]) for row in resource.pool[site]]
        again = np.repeat(np.arange(len(site)), [len(choice) for choice in at])
        site, pools = site[again], np.column_stack([pools[again], np.concatenate(at)])
    ways = np.bincount(site)
    if ways.max() > _MOST_OPTIONS:
        s = int(ways.argmax())
        what = f"there are {ways[s]} ways to choose pools"
        raise InputError(Fault(problem.site_name(s), what, "Let fewer resources offer several pools there."))
    return site, pools.astype(np.intp)


def _shared(demand: Floats, reach: Bools, capacity: Floats, resource: Resource) -> list[Draw]:
    """Draws that hold exactly when the demand of all sites can be split over the pools they reach.

    By Hall's condition (max-flow min-cut): for each set of pools, the sites that reach no other pool
    take no more than the set has. Unions of the sites' own sets are enough.
    """
    own = {frozenset(np.flatnonzero(row).tolist()) for row in reach if row.any()}
    sets = set(own)
    fresh = set(own)
    while fresh:
        fresh = {a | b for a in fresh for b in own if a & b} - sets
        sets |= fresh
        if len(sets) > _MOST_SUBSETS:
            what = f"more than {_MOST_SUBSETS} groups of pools bind together"
            raise InputError(
                Fault(f"resource {resource.name!r}", what, "Let sites reach fewer pools, or set split=False.")
            )
    if resource.minimum is not None and (resource.minimum > 0).any():
        what = "has a minimum on pools that sites split their demand over"
        raise InputError(Fault(f"resource {resource.name!r}", what, "Set the minimum with a quota on sites instead."))
    # sets without a common site share a draw
    taken, pool = np.zeros((len(sets), len(reach)), dtype=bool), np.full((len(sets), len(reach)), UNPLACED)
    rooms: list[list[float]] = []
    for pools in sorted(sets, key=lambda each: (len(each), sorted(each))):
        chosen = np.zeros(len(capacity), dtype=bool)
        chosen[list(pools)] = True
        inside = reach.any(axis=1) & ~(reach & ~chosen).any(axis=1)
        row = int((taken[:, inside].any(axis=1)).argmin())
        if row == len(rooms):
            rooms.append([])
        taken[row] |= inside
        pool[row, inside] = len(rooms[row])
        rooms[row].append(float(capacity[chosen].sum()))
    return [Draw(demand, pool[r], np.array(room), np.zeros(len(room))) for r, room in enumerate(rooms)]


def _place_locked(
    problem: Problem, site: Ints, value: Floats, draws: list[Draw], owners: list[Resource]
) -> tuple[Ints, Bools]:
    """The option of each locked project that has but one, -1 elsewhere; and who must still choose between pools.

    A depth-first search makes sure that all locked projects fit together, unless it takes too long: then that is for
    the solver to find out.
    """
    held = np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    locked = np.flatnonzero(problem.locked != UNPLACED)
    ways = {int(p): np.flatnonzero((site == problem.locked[p]) & np.isfinite(value[p])) for p in locked}
    free = [int(p) for p in locked if len(ways[int(p)]) != 1]
    for p in locked:
        if len(ways[int(p)]) == 1:
            held[p] = ways[int(p)][0]

    if not _hold_together(held, free, ways, draws):
        raise InputError(_lock_conflicts(problem, site, draws, owners))
    return held, np.isin(np.arange(len(held)), free)


def _hold_together(held: Ints, free: list[int], ways: dict[int, Ints], draws: list[Draw]) -> bool:
    """Whether those who may still choose find pools beside those who are held; True where that takes too long."""
    if not _may_hold(free, ways, draws):
        return False
    at, tried, depth = held.copy(), [0] * len(free), 0

    def fits() -> bool:  # a pool without a known capacity is one that nobody draws on
        rows = np.flatnonzero(at != UNPLACED)
        return not any((d.load(rows, at[rows]) > d.capacity * (1 + 1e-9) + 1e-9).any() for d in draws)

    if not fits():
        return False
    for _ in range(_MOST_TRIES):
        if depth == len(free):
            return True
        p = free[depth]
        if tried[depth] < len(ways[p]):
            at[p] = ways[p][tried[depth]]
            tried[depth] += 1
            depth += fits()
        elif depth == 0:
            return False
        else:
            at[p], tried[depth] = UNPLACED, 0
            depth -= 1
    return True


def _lock_conflicts(problem: Problem, site: Ints, draws: list[Draw], owners: list[Resource]) -> list[Fault]:
    """Which resources alone don't hold what is locked, and locks that already conflict: of a few, those needed."""
    faults: list[Fault] = []
    locked, nobody = np.flatnonzero(problem.locked != UNPLACED).tolist(), np.full(problem.shape[0], UNPLACED)
    for resource, draw in zip(owners, draws, strict=True):
        where, ways = f"locked, {resource.name}", {}
        for p in locked:  # of the options that draw on the same pool, one
            options = np.flatnonzero(site == problem.locked[p])
            ways[p] = options[np.unique(draw.pool[options], return_index=True)[1]]

        def hold(some: list[int], ways: dict[int, Ints] = ways, draw: Draw = draw) -> bool:
            return _hold_together(nobody, some, ways, [draw])

        if any(fault.where == where for fault in faults) or hold(locked):
            continue
        some = locked[: bisect.bisect_left(range(len(locked)), True, key=lambda n: not hold(locked[: n + 1])) + 1]
        for p in some.copy() if len(some) <= _FEW else ():  # whoever isn't needed for the conflict
            rest = [q for q in some if q != p]
            some = rest if not hold(rest) else some
        faults.append(Fault(where, _too_much(problem, resource, some), "Unlock one of them, or enlarge a pool."))
    if not faults:
        what = f"{_named(problem, locked)} can't stand together where they are locked: their pools don't hold them"
        faults.append(Fault("locked", what, "Unlock one of them, or enlarge a pool."))
    return faults


def _too_much(problem: Problem, resource: Resource, locked: list[int]) -> str:
    """What locked projects take of a resource, and what there is of it where they are locked."""
    at = problem.locked[locked]
    pools = np.flatnonzero(resource.pool[at].any(axis=0)) if resource.several else np.unique(resource.pool[at])
    demand = resource.demand[locked] if resource.demand.ndim == 1 else resource.demand[locked, at]
    takes = " + ".join(f"{one:g}" for one in demand) if len(locked) <= _NAMED else f"{demand.sum():g}"
    whole = "" if resource.split or not resource.several else ", each whole,"
    have = " and ".join(f"{resource.at(problem.level)[k]:g} {resource.unit} of {resource.pool_name(k)}" for k in pools)
    return f"the locks of {_named(problem, locked)} take {takes} {resource.unit}{whole} of {have}"


def _named(problem: Problem, projects: list[int]) -> str:
    names = ", ".join(problem.project_name(p) for p in projects[:_NAMED])
    return names + (f" and {len(projects) - _NAMED} more" if len(projects) > _NAMED else "")


def _may_hold(rows: list[int], ways: dict[int, Ints], draws: list[Draw]) -> bool:
    """Whether the pools that projects may choose among hold them all, were they to share."""
    for draw in draws:
        bound = [p for p in rows if (draw.pool[ways[p]] >= 0).all()]
        pools = np.unique(np.concatenate([draw.pool[ways[p]] for p in bound])) if bound else np.zeros(0, dtype=np.intp)
        least = sum(float(draw.of(np.full(len(ways[p]), p), ways[p]).min(initial=np.inf)) for p in bound)
        if bound and least > draw.capacity[pools].sum() * (1 + 1e-9) + 1e-9:
            return False
    return True


def _settle(links: tuple[Link, ...], held: Ints, value: Floats) -> tuple[tuple[Link, ...], float]:
    """Links of locked projects become worth of their partner's options, or are earned already."""
    open_links, earned = [], 0.0
    for link in links:
        a, b = held[link.first], held[link.second]
        assert link.near is not None
        if a != UNPLACED and b != UNPLACED:
            earned += link.gain * bool(link.near[a, b])
        elif a != UNPLACED:
            value[link.second] += link.gain * link.near[a]
        elif b != UNPLACED:
            value[link.first] += link.gain * link.near[:, b]
        else:
            open_links.append(link)
    return tuple(open_links), earned


def _binding(draw: Draw, value: Floats) -> Draw | None:
    """The draw without pools that can't bind (all who might come fit), or None."""
    count = len(draw.capacity)
    if draw.demand.ndim == 1:
        most = np.zeros(count)
        order = np.argsort(draw.pool, kind="stable")
        order = order[draw.pool[order] >= 0]
        if len(order):
            starts = np.flatnonzero(np.diff(draw.pool[order], prepend=-1))
            might = np.logical_or.reduceat(np.isfinite(value[:, order]), starts, axis=1)
            most[draw.pool[order][starts]] = draw.demand @ might
    else:
        most = np.zeros(count)
        for k in range(count):
            at = draw.pool == k
            most[k] = np.where(np.isfinite(value[:, at]), draw.demand[:, at], 0).max(axis=1, initial=0).sum()
    capacity = np.where(np.isnan(draw.capacity), np.inf, draw.capacity)
    binds = (most > capacity + 1e-9 * np.minimum(capacity, 1e9)) | (draw.minimum > 0)
    if not binds.any():
        return None
    renumber = np.append(np.where(binds, np.cumsum(binds) - 1, UNPLACED), UNPLACED)
    return Draw(draw.demand, renumber[draw.pool], draw.capacity[binds], draw.minimum[binds])


def _strike_dominated(model: Model) -> None:
    """Strike, in place, a project's options that another beats in value while drawing on the same pools."""
    if any(draw.demand.ndim == 2 for draw in model.draws):
        return
    drawn = np.column_stack([draw.pool for draw in model.draws]) if model.draws else np.zeros((len(model.site), 1))
    _, group = np.unique(drawn, axis=0, return_inverse=True)
    for g in np.flatnonzero(np.bincount(group.ravel()) > 1):
        at = np.flatnonzero(group.ravel() == g)
        best = model.value[:, at].argmax(axis=1)
        keep = model.value[np.arange(len(best)), at[best]].copy()
        model.value[:, at] = -np.inf
        model.value[np.arange(len(best)), at[best]] = keep
