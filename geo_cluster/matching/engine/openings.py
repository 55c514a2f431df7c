"""What to open, as one exact programme for HiGHS; who then goes where is the usual search.

What may be closed is a `switch`: an opening, or a site that a limit counts. Their columns say "closed": nobody goes
there then, pools lack what it adds, and its cost is saved. The programme says which are closed, and bounds every plan;
with that decided the problem is one without openings (Holmberg, Rönnqvist & Yuan 1999 have the rows). What binds parts
of projects is in the same programme, and decided likewise (`engine.parts`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
from scipy import sparse

from geo_cluster.errors import Fault, InputError
from geo_cluster.matching.engine.milp import Limits, Linear, Outcome, maximise
from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.engine.parts import best_kept, counted, part_rows, start_columns
from geo_cluster.matching.engine.presolve import draws_of, presolve
from geo_cluster.matching.engine.search import Program, program
from geo_cluster.matching.engine.strategy import best
from geo_cluster.matching.openings import widened
from geo_cluster.matching.plan import Assignment, Progress, relative_gap
from geo_cluster.matching.problem import PROBLEM, Problem
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints
from geo_cluster.matching.verify import objective, score_of, verify

_FIRST, _LOCAL = 0.2, 0.3  # shares of the time for the plan with everything open, and until the exact programme begins
_LEAST_S = 0.5  # that placing the projects anew may take when time is over
_SMALL_COLUMNS = 2_000  # up to which the exact programme begins at once
_HANDY = 1e3  # the largest value that HiGHS sees
_SILENCE_S = 0.5  # whoever wants to stop is asked at least so often


def best_opened(
    problem: Problem,
    limits: Limits,
    *,
    start: Ints | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Assignment:
    """The best plan of a problem with openings, limits or parts that time allows, verified.

    Parameters
    ----------
    problem : Problem
    limits : Limits
        Time, gap and seed.
    start : (P,) int array, optional
        A plan to begin with, where it keeps the rules.
    progress : callable, optional
        As of `solve`.

    Raises
    ------
    InputError
        When minima can't be met together, or not within the limits.
    """
    search = _Search(problem, limits, progress)
    try:
        search.begin(start)
        search.look_around()
        search.prove()
    except KeyboardInterrupt:
        search.progress = None
    return search.assignment()


class _Search:
    """The plan in hand, the bound, and what is known of each choice of switches."""

    def __init__(self, problem: Problem, limits: Limits, progress: Callable[[Progress], bool | None] | None) -> None:
        self.problem, self.limits, self.progress = problem, limits, progress
        self.started = time.monotonic()
        self.until = self.started + limits.time_limit_s
        self.stop, self.is_new, self.reported_at = threading.Event(), False, self.started
        self.counted = sorted({s for one in problem.at_most for s in one.sites})
        self.sites = [list(one.sites) for one in problem.openings] + [[s] for s in self.counted]
        self.cost = np.array([*[float(one.cost) for one in problem.openings], *[0.0] * len(self.counted)])
        locked = set(problem.locked[problem.locked != UNPLACED].tolist())
        self.must = np.array([bool(locked & set(sites)) for sites in self.sites], dtype=bool)
        self.limits_on = [
            (
                np.array(
                    [o in one.openings for o in range(len(problem.openings))] + [s in one.sites for s in self.counted]
                ),
                one.most,
            )
            for one in problem.at_most
        ]
        self.plan: Assignment | None = None
        self.plan_open = self.must.copy()
        self.bound, self.proven, self.tried = np.inf, False, dict[bytes, float]()

    # ---- time and news ----

    def left_s(self) -> float:
        return max(self.until - time.monotonic(), 0.0)

    def tick(self, _: Progress | None = None) -> bool:
        """Report; False when it is to stop."""
        now = time.monotonic()
        if self.progress is not None and self.plan is not None and (self.is_new or now > self.reported_at + _SILENCE_S):
            value, bound = self.plan.objective, max(self.bound, self.plan.objective)
            gap = relative_gap(bound - value, self.plan.score)
            if self.progress(Progress(now - self.started, value, bound, gap, self.is_new)) is False:
                self.stop.set()
            self.is_new, self.reported_at = False, now
        return not (self.stop.is_set() or self.left_s() <= 0)

    # ---- with the switches decided ----

    def keeps(self, open_: Bools) -> bool:
        """Whether no more are open than there may be, and all that locks need."""
        return bool(open_[self.must].all()) and all(open_[member].sum() <= most for member, most in self.limits_on)

    def take(self, open_: Bools, limit_s: float, start: Ints | None = None) -> float:
        """Objective value of the best plan that is found with these open; it is kept when it is the best so far."""
        openings = len(self.problem.openings)
        opened = np.flatnonzero(open_[:openings]).tolist()
        shut = [s for s, is_open in zip(self.counted, open_[openings:], strict=True) if not is_open]
        limits = replace(self.limits, time_limit_s=max(limit_s, 0.01), mip_gap=0.0)
        try:
            fixed = self.problem.settled(opened)
            score = fixed.score.copy()
            score[:, shut] = np.nan
            found = best_kept(fixed.suppose(score=score, at_most=()), limits, start=start, progress=self.tick)
        except InputError:
            return -np.inf
        if found.violations:
            return -np.inf
        opened = self._needed(found, opened)
        value = objective(self.problem, found.site, opened)
        if self.plan is None or value > self.plan.objective + 1e-9 * max(1.0, abs(value)):
            score_ = score_of(self.problem, found.site, opened)
            self.plan = replace(found, objective=value, score=score_, opened=tuple(opened))
            self.plan_open, self.is_new = open_.copy(), True
        return value

    def _needed(self, plan: Assignment, opened: list[int]) -> list[int]:
        """Openings without which the plan doesn't stand, the dearest closed first."""
        for o in sorted(opened, key=lambda o: -self.problem.openings[o].cost):
            without = [each for each in opened if each != o]
            broken = {one.kind for one in verify(self.problem, replace(plan, opened=tuple(without)))}
            if not broken & {"capacity", "opening"}:
                opened = without
        return opened

    def begin(self, start: Ints | None) -> None:
        """With everything open: what no plan is worth more than, and a first choice of what to open."""
        all_open = np.ones(len(self.sites), dtype=bool)
        everything = self.problem.settled(range(len(self.problem.openings))).suppose(at_most=(), parts=())
        everything = everything.suppose(paid=self.problem.paid + float(self.cost[self.must].sum()))
        limits = replace(self.limits, time_limit_s=_FIRST * self.limits.time_limit_s)
        found = best(everything, limits, start=start, progress=self.tick)
        self.bound = found.bound
        site = found.site if start is None else start
        for plan in (site, found.site):
            worth = self._worth(plan)
            open_ = (worth > 0) | self.must | (np.array([not sites for sites in self.sites], dtype=bool))
            for member, most in self.limits_on:
                order = np.flatnonzero(member & open_)
                order = order[np.lexsort((-worth[order], ~self.must[order]))]
                open_[order[most:]] = False
            if self.keeps(open_):
                self.take(open_, _FIRST * self.left_s(), plan)
        if self.keeps(all_open) is False and self.plan is None and self.keeps(self.must):
            self.take(self.must, _FIRST * self.left_s())

    def _worth(self, site: Ints) -> Floats:
        """What projects at the sites of each switch are worth."""
        placed = np.flatnonzero(site != UNPLACED)
        value = np.nan_to_num(self.problem.score[placed, site[placed]]) + self.problem.bonus[placed]
        at = np.bincount(site[placed], value - min(value.min(initial=0.0), 0.0) + 1.0, self.problem.shape[1])
        return np.array([at[sites].sum() for sites in self.sites])

    def look_around(self) -> None:
        """Close one, open one or change one for another while it gets better; nothing where HiGHS is quick."""
        if self.plan is None or np.count_nonzero(self.problem.eligible) <= _SMALL_COLUMNS:
            return
        end, each_s = self.started + _LOCAL * self.limits.time_limit_s, 0.02 * self.limits.time_limit_s
        is_better = True
        while is_better:
            is_better, here, value = False, self.plan_open.copy(), self.plan.objective
            for open_ in self._neighbours(here):
                if time.monotonic() > end or not self.tick():
                    return
                key = open_.tobytes()
                if key not in self.tried:
                    self.tried[key] = self.take(open_, each_s, self.plan.site)
                if self.plan.objective > value:
                    is_better = True
                    break

    def _neighbours(self, here: Bools) -> list[Bools]:
        """One closed, one opened, one changed for another of the same limit."""
        found = [here ^ (np.arange(len(here)) == j) for j in np.flatnonzero(here & ~self.must)]
        for i in np.flatnonzero(~here):
            wider = here ^ (np.arange(len(here)) == i)
            found.append(wider)
            for member, _ in self.limits_on:
                if member[i]:
                    found += [wider ^ (np.arange(len(here)) == j) for j in np.flatnonzero(here & member & ~self.must)]
        return [one for one in found if self.keeps(one)]

    # ---- the exact programme ----

    def prove(self) -> None:
        """What to open and which parts to place, by HiGHS; then who goes where with that."""
        if self._reached(self.bound, 0.0):
            self.proven = True
            return
        full = self.problem.suppose(
            openings=(), at_most=(), resources=widened(self.problem.resources, self.problem.openings)
        )
        model = presolve(full, whole=True)
        total = float(self.cost.sum())
        if self.plan is not None:
            model = model.tightened(self.plan.objective)
        p, s = np.nonzero(np.isfinite(model.value))
        task = program(model, p, s, np.full(len(model.value), UNPLACED))
        unit = max(float(np.abs(task.cost).max(initial=0.0)), float(self.cost.max(initial=0.0))) / _HANDY or 1.0
        wide = self._with_switches(task, model, self._added(full, model), unit)
        outcome = self._run(wide, task, model, unit, total)
        if outcome.infeasible:
            if self.plan is None:
                code = "matching.parts_impossible" if self.problem.parts else "matching.minima_beyond_limits"
                raise InputError(Fault(code, PROBLEM))
            self.bound, self.proven = self.plan.objective, True
            return
        ceiling = outcome.bound * unit + model.base - total
        if outcome.x is not None:
            open_ = outcome.x[len(task.cost) :][: len(self.sites)] < 0.5
            option = task.plan(outcome.x)
            option = np.where(model.locked != UNPLACED, model.locked, option)
            self.take(open_, max(self.left_s(), _LEAST_S), np.where(option == UNPLACED, UNPLACED, model.site[option]))
        self.bound = min(self.bound, ceiling)
        self.proven = outcome.finished and self._reached(ceiling, unit * (1e-6 + 1e-9 * abs(outcome.bound)))

    def _reached(self, ceiling: float, rounding: float) -> bool:
        """Whether the plan in hand is worth as much as any can be, at the gap asked for."""
        if self.plan is None:
            return False
        return self.plan.objective >= ceiling - self.limits.mip_gap * abs(self.plan.score) - rounding

    def _added(self, full: Problem, model: Model) -> list[list[Floats]]:
        """For each opening: what each pool of each draw has more with it."""
        at = model.site, model.pools
        most = [draw.capacity for draw in draws_of(full, *at)[0]]
        found = []
        for one in self.problem.openings:
            others = [each for each in self.problem.openings if each is not one]
            less = draws_of(full, *at, resources=widened(self.problem.resources, others))[0]
            found.append(
                [
                    np.where(np.isfinite(a), a - np.where(np.isfinite(b.capacity), b.capacity, 0.0), 0.0)
                    for a, b in zip(most, less, strict=True)
                ]
            )
        return found

    def _with_switches(self, task: Program, model: Model, added: list[list[Floats]], unit: float) -> Linear:
        """The programme with a column for each switch that says it is closed."""
        count, switches, rows = len(task.cost), len(self.sites), _Rows()
        option_site = model.site[task.s]
        for j, sites in enumerate(self.sites):
            here = np.isin(option_site, sites)
            rows.add_each(np.flatnonzero(here), task.p[here], count + j)
            options = np.isin(model.site, sites)
            for draw in model.draws if here.any() else ():
                for k in np.unique(draw.pool[options & (draw.pool >= 0)]):
                    if np.isfinite(draw.capacity[k]) and options[draw.pool == k].all():
                        columns, amount, room = _drawn(task, draw, int(k))
                        rows.add(np.append(columns, count + j), np.append(amount, room), room)
        for d, draw in enumerate(model.draws):
            for k in np.flatnonzero([any(each[d][k] > 0 for each in added) for k in range(len(draw.capacity))]):
                columns, amount, room = _drawn(task, draw, int(k))
                more = np.array([each[d][k] for each in added])
                if draw.capacity[k] - more.sum() >= room and room < draw.capacity[k]:
                    continue  # never needed
                by = np.flatnonzero(more > 0)
                most = float(draw.capacity[k])
                if len(by) == 1 and most > room:  # the same with the slack taken off
                    more, most = np.maximum(more - (most - room), 0.0), room
                rows.add(np.append(columns, count + by), np.append(amount, more[by]), most)
        for member, most in self.limits_on:
            closed = count + np.flatnonzero(member)
            rows.add(closed, -np.ones(len(closed)), float(most - len(closed)))
        for columns_, values, most in part_rows(self.problem, task, model, count + switches):
            rows.add(np.array(columns_, dtype=np.intp), np.array(values), most)
        there = len(counted(self.problem))
        width = count + switches + there
        matrix, top = rows.matrix(width)
        wide = sparse.csc_array(task.matrix)
        wide.resize((task.matrix.shape[0], width))
        return Linear(
            np.concatenate([task.cost, self.cost, np.zeros(there)]) / unit,
            sparse.csc_array(sparse.vstack([wide, matrix])),
            np.concatenate([task.low, np.full(len(top), -np.inf)]),
            np.concatenate([task.top, top]),
            np.concatenate([task.upper, np.where(self.must, 0.0, 1.0), np.ones(there)]),
            np.concatenate([task.integer, np.ones(switches, dtype=bool), np.zeros(there, dtype=bool)]),
        )

    def _run(self, wide: Linear, task: Program, model: Model, unit: float, total: float) -> Outcome:
        """HiGHS, in a thread of its own so that it can be stopped."""
        start = None
        if self.plan is not None and not model.links and not model.minima:
            at = np.append(model.site, UNPLACED)[: len(model.site)][task.s] == self.plan.site[task.p]
            chosen = np.zeros(len(task.p), dtype=bool)
            _, first = np.unique(np.where(at, task.p, -1), return_index=True)
            chosen[first] = at[first]
            opened = [o not in self.plan.opened for o in range(len(self.problem.openings))]
            used = set(self.plan.site.tolist())
            closed = [*opened, *[s not in used for s in self.counted], *start_columns(self.problem, self.plan.site)]
            start = np.concatenate([chosen, np.zeros(len(task.cost) - len(task.p)), closed]).astype(float)

        def improved(_: Floats | None, bound: float) -> None:
            if np.isfinite(bound):
                self.bound = min(self.bound, bound * unit + model.base - total)

        size = abs((self.plan.objective if self.plan else 0.0) - model.base + total) or 1.0
        share = self.limits.mip_gap * abs(self.plan.score if self.plan else 0.0) / size
        limits = Limits(time_limit_s=self.left_s(), mip_gap=share, seed=self.limits.seed)
        with ThreadPoolExecutor(1) as worker:
            job = worker.submit(maximise, wide, limits, start=start, stop=self.stop, on_improvement=improved)
            try:
                while not wait([job], timeout=0.05).done:
                    self.tick()
            except KeyboardInterrupt:
                self.stop.set()
                self.progress = None
            return job.result()

    def assignment(self) -> Assignment:
        """The plan in hand, verified; nobody placed where there is none."""
        if self.plan is None:
            openings = tuple(np.flatnonzero(self.must[: len(self.problem.openings)]).tolist())
            site = self.problem.locked.copy()
            value = objective(self.problem, site, openings)
            plan = Assignment(site, value, max(self.bound, value), np.inf, "feasible", opened=openings, ended="clock")
            return replace(plan, violations=verify(self.problem, plan))
        plan, is_exact = self.plan, self.proven and self.limits.mip_gap == 0
        bound = plan.objective if is_exact else max(self.bound, plan.objective)
        placed = int(np.count_nonzero(plan.site != UNPLACED))
        can_go = int(np.count_nonzero(self.problem.eligible.any(axis=1)))
        plan = replace(
            plan,
            bound=bound,
            gap=relative_gap(bound - plan.objective, plan.score),
            status="optimal" if self.proven else "feasible",
            most_placed=placed if self.proven else can_go,
            ended="proof" if self.proven else "asked" if self.left_s() > 0 else "clock",
        )
        self.is_new = True
        self.plan = plan
        self.tick()
        return replace(plan, violations=verify(self.problem, plan))


class _Rows:
    """Rows `values @ x[columns] <= top` that are gathered."""

    def __init__(self) -> None:
        self.rows: list[Ints] = []
        self.columns: list[Ints] = []
        self.values: list[Floats] = []
        self.top: list[float] = []

    def add(self, columns: Ints, values: Floats, top: float) -> None:
        """A row, scaled so that its largest value is 1."""
        times = float(np.abs(values).max(initial=0.0)) or 1.0
        self._put(np.full(len(columns), len(self.top)), columns, values / times)
        self.top.append(top / times)

    def add_each(self, columns: Ints, project: Ints, closed: int) -> None:
        """A row for each project: it is at one of its columns at most, and at none where `closed` is 1."""
        names, row = np.unique(project, return_inverse=True)
        first, count = len(self.top), len(names)
        self._put(row.ravel() + first, columns, np.ones(len(columns)))
        self._put(np.arange(count) + first, np.full(count, closed), np.ones(count))
        self.top += [1.0] * count

    def _put(self, rows: Ints, columns: Ints, values: Floats) -> None:
        self.rows.append(rows)
        self.columns.append(columns)
        self.values.append(values)

    def matrix(self, width: int) -> tuple[sparse.csc_array, Floats]:
        """The rows over so many columns, and what they are at most."""
        shape = (len(self.top), width)
        if not self.top:
            return sparse.csc_array(shape), np.zeros(0)
        at = np.concatenate(self.rows), np.concatenate(self.columns)
        return sparse.csc_array(sparse.coo_array((np.concatenate(self.values), at), shape=shape)), np.array(self.top)


def _drawn(task: Program, draw: Draw, k: int) -> tuple[Ints, Floats, float]:
    """Columns that draw on a pool, what each takes, and the most they may take together."""
    columns = np.flatnonzero(draw.pool[task.s] == k)
    amount = draw.of(task.p[columns], task.s[columns])
    most = np.zeros(task.projects)
    np.maximum.at(most, task.p[columns], amount)
    return columns, amount, float(min(draw.capacity[k], most.sum()))
