"""What to open, as one exact programme for HiGHS; who then goes where is the usual search.

What may be closed is a `switch`: an opening, or a site that a limit counts. The programme says which are closed, and
bounds every plan; with that decided the problem is one without openings. Where each site has a capacity of its own,
prices and exchanges come first (`located`), and leave HiGHS fewer pairs. What binds parts of projects is in the same
programme, and decided likewise (`engine.parts`).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from geo_cluster.errors import Fault, InputError
from geo_cluster.matching.engine import kernels
from geo_cluster.matching.engine.bound import price_pools
from geo_cluster.matching.engine.located import Location, Switches, as_if_all, layout
from geo_cluster.matching.engine.milp import Limits, Linear, Outcome, maximise
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.engine.parts import best_kept, start_columns
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.engine.run import Run
from geo_cluster.matching.engine.search import Neighbourhoods, Program, program
from geo_cluster.matching.engine.strategy import Annealing, best
from geo_cluster.matching.engine.switched import added, with_switches
from geo_cluster.matching.openings import widened
from geo_cluster.matching.plan import Assignment, Progress, relative_gap
from geo_cluster.matching.problem import PROBLEM, Problem
from geo_cluster.matching.resource import UNPLACED, Bools, Floats, Ints
from geo_cluster.matching.verify import objective, score_of, verify

_FIRST, _LOCAL = 0.2, 0.3  # shares of the time for the plan with everything open, and until the exact programme begins
_LEAST_S = 0.5  # that placing the projects anew may take when time is over
_SMALL_COLUMNS = 2_000  # up to which the exact programme begins at once
_HANDY = 1e3  # the largest value that HiGHS sees
_WORKERS, _RUNS = 2, 3  # annealing runs beside each other, and rounds of them; 100 × 500
_KERNEL_PAIRS, _KERNEL_NODES = (2.5, 4.0, 7.0), 200  # of each project that HiGHS looks at first, in so many nodes
_WIDER, _PROOF_PAIRS = 1.5, 5_000  # so many times as many next; pairs, for each kernel before, up to which all are
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
        if not search.locate(start):
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
        sites = [list(one.sites) for one in problem.openings] + [[s] for s in self.counted]
        locked = set(problem.locked[problem.locked != UNPLACED].tolist())
        self.switches = Switches(
            sites,
            np.array([*[float(one.cost) for one in problem.openings], *[0.0] * len(self.counted)]),
            np.array([bool(locked & set(each)) for each in sites], dtype=bool),
            [
                (
                    np.array(
                        [o in one.openings for o in range(len(problem.openings))]
                        + [s in one.sites for s in self.counted],
                        dtype=bool,
                    ),
                    one.most,
                )
                for one in problem.at_most
            ],
        )
        self.plan: Assignment | None = None
        self.plan_open = self.switches.must.copy()
        self.bound, self.proven, self.tried = np.inf, False, dict[bytes, float]()
        self.full = problem.suppose(openings=(), at_most=(), resources=widened(problem.resources, problem.openings))
        self.model = presolve(self.full, whole=True)
        self.added = added(problem, self.full, self.model)
        self.forced: Floats | None = None

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
        return bool(open_[self.switches.must].all()) and all(
            open_[member].sum() <= most for member, most in self.switches.limits
        )

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
        all_open = np.ones(len(self.switches.sites), dtype=bool)
        everything = self.problem.settled(range(len(self.problem.openings))).suppose(at_most=(), parts=())
        everything = everything.suppose(paid=self.problem.paid + float(self.switches.cost[self.switches.must].sum()))
        limits = replace(self.limits, time_limit_s=_FIRST * self.limits.time_limit_s)
        found = best(everything, limits, start=start, progress=self.tick)
        self.bound = found.bound
        site = found.site if start is None else start
        for plan in (site, found.site):
            worth = self._worth(plan)
            open_ = (
                (worth > 0) | self.switches.must | (np.array([not sites for sites in self.switches.sites], dtype=bool))
            )
            for member, most in self.switches.limits:
                order = np.flatnonzero(member & open_)
                order = order[np.lexsort((-worth[order], ~self.switches.must[order]))]
                open_[order[most:]] = False
            if self.keeps(open_):
                self.take(open_, _FIRST * self.left_s(), plan)
        if self.keeps(all_open) is False and self.plan is None and self.keeps(self.switches.must):
            self.take(self.switches.must, _FIRST * self.left_s())

    def _worth(self, site: Ints) -> Floats:
        """What projects at the sites of each switch are worth."""
        placed = np.flatnonzero(site != UNPLACED)
        value = np.nan_to_num(self.problem.score[placed, site[placed]]) + self.problem.bonus[placed]
        at = np.bincount(site[placed], value - min(value.min(initial=0.0), 0.0) + 1.0, self.problem.shape[1])
        return np.array([at[sites].sum() for sites in self.switches.sites])

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
        found = [here ^ (np.arange(len(here)) == j) for j in np.flatnonzero(here & ~self.switches.must)]
        for i in np.flatnonzero(~here):
            wider = here ^ (np.arange(len(here)) == i)
            found.append(wider)
            for member, _ in self.switches.limits:
                if member[i]:
                    found += [
                        wider ^ (np.arange(len(here)) == j) for j in np.flatnonzero(here & member & ~self.switches.must)
                    ]
        return [one for one in found if self.keeps(one)]

    # ---- where each site has a capacity of its own ----

    def locate(self, start: Ints | None) -> bool:
        """Facility location: prices, exchanges and kernels; False where the problem is of another kind, or small."""
        unit = layout(self.problem, self.model, self.switches)
        if unit is None or np.count_nonzero(np.isfinite(self.model.value)) <= _SMALL_COLUMNS:
            return False
        if not kernels.ready(self.left_s() / 2, located=True):
            return False
        if start is not None:
            self.accept(start)
        for model in (as_if_all(self.model), self.model):
            location = Location(model, self.switches, unit, np.zeros(1, dtype=bool))
            location.search(self.tick)
            if location.plan is not None:
                self.accept(self.model.site[location.plan], location.plan == UNPLACED)
            if model is self.model or self._all_must():
                self.lower(location.bound)
                self.forced = location.forced()
                break
        self._reassign()
        self._kernels()
        return True

    def _all_must(self) -> bool:
        """Whether every plan that is as good as the one in hand places everyone who can go somewhere."""
        if self.plan is None:
            return False
        return bool(self.model.tightened(self.plan.objective).must[self.model.open].all())

    def lower(self, bound: float) -> None:
        """Take a bound where it is lower; what is proven then."""
        self.bound = min(self.bound, bound)
        if self.plan is not None:
            self.proven = self._reached(self.bound, 1e-9 * max(1.0, abs(self.plan.objective)))

    def accept(self, site: Ints, without: Bools | None = None) -> bool:
        """Take a plan where it keeps the rules and is the best so far, with what it needs opened."""
        site = np.where(self.problem.locked != UNPLACED, self.problem.locked, site)
        if without is not None:
            site = np.where(without & (self.problem.locked == UNPLACED), UNPLACED, site)
        used = set(site[site != UNPLACED].tolist())
        count = len(self.problem.openings)
        open_ = np.array([bool(used & set(sites)) for sites in self.switches.sites], dtype=bool) | self.switches.must
        opened = np.flatnonzero(open_[:count]).tolist()
        value = objective(self.problem, site, opened)
        if self.plan is not None and value <= self.plan.objective + 1e-9 * max(1.0, abs(value)):
            return False
        score = score_of(self.problem, site, opened)
        plan = Assignment(site, value, np.inf, np.inf, "feasible", score=score, opened=tuple(opened))
        if verify(self.problem, replace(plan, bound=max(value, self.bound))):
            return False
        self.plan, self.plan_open, self.is_new = plan, open_, True
        self.lower(self.bound)
        return True

    def _reassign(self) -> None:
        """Annealing over who goes where with what is open."""
        if self.plan is None or self.proven or not self.tick():
            return
        fixed = self.problem.settled(self.plan.opened)
        score = fixed.score.copy()
        shut = ~self.plan_open[len(self.problem.openings) :]
        score[:, np.array(self.counted, dtype=np.intp)[shut]] = np.nan
        run = Run(fixed.suppose(score=score, at_most=()), self.left_s(), 0.0, self.tick)
        run.offer_sites(self.plan.site)
        first = price_pools(run.model.softened(), stop=run.tick)
        annealing = Annealing(run, first, Neighbourhoods(run.model, first, seed=self.limits.seed), self.limits.seed)
        with ThreadPoolExecutor(_WORKERS) as workers:
            for _ in range(_RUNS):
                run.wait(annealing.submit(run, workers, _WORKERS))
        self.accept(run.sites(run.plan.option))

    def _kernels(self) -> None:
        """HiGHS among the pairs that prices favour, wider and wider, until what is left open is little enough."""
        if self.forced is None:
            return
        for number in range(sys.maxsize):
            left = self._left()
            again, at = divmod(number, len(_KERNEL_PAIRS))
            count = int(_KERNEL_PAIRS[at] * _WIDER**again * len(self.model.open))
            if self.proven or not self.tick() or count >= left.sum() or left.sum() <= number * _PROOF_PAIRS:
                return
            least = -np.partition(-self.forced, count, axis=None)[count]
            keep = left & (self.forced >= least)
            if self.plan is not None:
                placed = self.model.open[self.plan.site[self.model.open] != UNPLACED]
                keep[placed] |= self.model.site[None, :] == self.plan.site[placed][:, None]
            before = self.plan
            self._exact(keep, nodes=_KERNEL_NODES * 2**again)
            if self.plan is not before:
                self._reassign()

    def _left(self) -> Bools:
        """(P, S): the pairs that may be in a better plan."""
        left = np.isfinite(self.model.value)
        if self.forced is not None and self.plan is not None:
            left &= self.forced >= self.plan.objective - 1e-6 * max(1.0, abs(self.plan.objective))
        return left

    # ---- the exact programme ----

    def prove(self) -> None:
        """What to open and which parts to place, by HiGHS; then who goes where with that."""
        self.proven = self.proven or self._reached(self.bound, 0.0)
        if self.proven or (self.forced is not None and not self.tick()):
            return
        before = self.plan
        outcome, ceiling, slack = self._exact(self._left())
        if outcome.infeasible:
            if self.plan is None:
                code = "matching.parts_impossible" if self.problem.parts else "matching.minima_beyond_limits"
                raise InputError(Fault(code, PROBLEM))
            self.bound, self.proven = self.plan.objective, True
            return
        self.bound = min(self.bound, ceiling := self._of_all(ceiling))
        self.proven = (self.proven or outcome.finished) and self._reached(ceiling, slack)
        if outcome.finished and not self.proven and self.plan is not before:
            self.prove()  # the gap was a share of what a plan then in hand scored

    def _reached(self, ceiling: float, rounding: float) -> bool:
        """Whether the plan in hand is worth as much as any can be, at the gap asked for."""
        if self.plan is None:
            return False
        return self.plan.objective >= ceiling - self.limits.mip_gap * abs(self.plan.score) - rounding

    def _of_all(self, bound: float) -> float:
        """The bound of the pairs that were left as one of all: the others are worth no more than the plan in hand."""
        return bound if self.forced is None or self.plan is None else max(bound, self.plan.objective)

    def _exact(self, keep: Bools, *, nodes: int | None = None) -> tuple[Outcome, float, float]:
        """The programme among some pairs: the outcome, what no plan among them exceeds, and what is no difference."""
        model, total = self.model, float(self.switches.cost.sum())
        if self.plan is not None:
            model = model.tightened(self.plan.objective)
        p, s = np.nonzero(keep)
        task = program(model, p, s, np.full(len(model.value), UNPLACED))
        unit = (
            max(float(np.abs(task.cost).max(initial=0.0)), float(self.switches.cost.max(initial=0.0))) / _HANDY or 1.0
        )
        wide = with_switches(self.problem, (task, model), self.switches, self.added, unit)
        outcome = self._run(wide, task, model, unit, total, nodes)
        if outcome.x is not None:
            option = task.plan(outcome.x)
            option = np.where(model.locked != UNPLACED, model.locked, option)
            site = np.where(option == UNPLACED, UNPLACED, model.site[option])
            if self.forced is None:
                self.take(
                    outcome.x[len(task.cost) :][: len(self.switches.sites)] < 0.5, max(self.left_s(), _LEAST_S), site
                )
            else:
                self.accept(site)
        return outcome, outcome.bound * unit + model.base - total, unit * (1e-6 + 1e-9 * abs(outcome.bound))

    def _run(self, wide: Linear, task: Program, model: Model, unit: float, total: float, nodes: int | None) -> Outcome:
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
            if np.isfinite(bound) and nodes is None:
                self.bound = min(self.bound, self._of_all(bound * unit + model.base - total))

        size = abs((self.plan.objective if self.plan else 0.0) - model.base + total) or 1.0
        share = self.limits.mip_gap * abs(self.plan.score if self.plan else 0.0) / size
        limits = Limits(time_limit_s=self.left_s(), mip_gap=share, seed=self.limits.seed, nodes=nodes)
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
            openings = tuple(np.flatnonzero(self.switches.must[: len(self.problem.openings)]).tolist())
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
