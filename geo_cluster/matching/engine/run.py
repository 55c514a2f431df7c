"""The state of a solve: the plan in hand, the bound, and when to stop."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait

import numpy as np

from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.plan import Assignment, Ended, Progress, relative_gap
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Floats, Ints
from geo_cluster.matching.verify import objective, verify

_SILENCE_S = 0.5  # whoever wants to stop is asked at least so often


class Run:
    """The plan in hand, the bound, and when to stop.

    Parameters
    ----------
    problem : Problem
    time_limit_s : float
        From now on.
    mip_gap : float
        Relative gap at which a plan counts as proven.
    progress : callable, optional
        Called with each improvement, and with none now and then; returning False stops.
    """

    def __init__(
        self, problem: Problem, time_limit_s: float, mip_gap: float, progress: Callable[[Progress], bool | None] | None
    ) -> None:
        self.started = time.monotonic()
        self.problem, self.until, self.mip_gap, self.progress = problem, self.started + time_limit_s, mip_gap, progress
        self.model, self.unit, self.cut = presolve(problem).rescaled()
        self.stop, self.lock, self.halt = threading.Event(), threading.Lock(), np.zeros(1, dtype=bool)
        finite = self.model.value[np.isfinite(self.model.value)]
        gains = [link.gain for link in self.model.links]
        self.grain = _grain(np.concatenate([finite, gains])) if finite.size < 10**6 else None
        tops = self.model.value.max(axis=1, initial=-np.inf)
        self.bound = self.model.base + float(np.maximum(tops[np.isfinite(tops)], 0).sum()) + sum(gains)
        self.penalty = 1.0 + 2 * (abs(self.bound) + float(np.abs(finite).max(initial=0.0)))
        self.option = np.full(len(self.model.value), UNPLACED, dtype=np.intp)
        self.objective, self.short = self.model.objective(self.option), self.model.short(self.option)
        self.reported: tuple[float, float] | None = None
        self.reported_at = 0.0

    def beside(self) -> Run:
        """Another state of the same search: what it finds counts where it is taken over."""
        other = copy.copy(self)
        other.stop, other.lock, other.halt = threading.Event(), threading.Lock(), np.zeros(1, dtype=bool)
        return other

    def take(self, other: Run) -> None:
        """Take over what another state has found."""
        self.offer(other.option)
        self.lower(other.bound)

    def left_s(self) -> float:
        """Seconds that are left."""
        return max(self.until - time.monotonic(), 0.0)

    def offer(self, option: Ints) -> None:
        """Take a plan when it is better than the one in hand."""
        option = np.where(self.model.locked == UNPLACED, option, UNPLACED)
        value, short = self.model.objective(option), self.model.short(option)
        with self.lock:
            gain = value - self.objective if short == self.short else self.short - short
            better = gain > (1e-9 * max(1.0, abs(self.objective)) if short == self.short else 0.0)
            if better and self.model.fits(option):
                self.option, self.objective, self.short = option, value, short

    def offer_sites(self, site: Ints) -> None:
        """Take a plan of sites, each project at its first option there; who has none is left out."""
        here = (self.model.site[None, :] == site[:, None]) & np.isfinite(self.model.value)
        self.offer(np.where(here.any(axis=1), here.argmax(axis=1), UNPLACED))

    def lower(self, bound: float) -> None:
        """Take a bound when it is lower; rounded to what objective values can be."""
        if self.grain:
            steps = np.floor((bound - self.model.base) / self.grain + 1e-6)
            bound = min(bound, self.model.base + float(steps) * self.grain)
        with self.lock:
            self.bound = min(self.bound, bound)

    def missing(self) -> float:
        """How much better a plan could be, in the problem's own numbers."""
        more = self.unit * (self.bound - self.objective)
        if self.cut:
            value = self.model.value
            least = float(value[np.isfinite(value)].min())
            most = min(len(self.model.open), int((self.bound - self.model.base) / least + 1e-6))
            more += self.cut * (most - np.count_nonzero(self.option != UNPLACED))
        return max(more, 0.0)

    @property
    def earned(self) -> float:
        """Objective value of the plan in hand, in the problem's own numbers."""
        return self.unit * self.objective + self.cut * np.count_nonzero(self.option != UNPLACED)

    @property
    def proven(self) -> bool:
        """Whether the plan in hand is optimal at the gap asked for."""
        slack = self.unit * max(1e-9 * max(1.0, abs(self.objective)), 1e-6 if self.grain else 1e-7)
        gap = self.mip_gap * (1 + 1e-9) * abs(self.earned)  # a bound that was set this far above is rounded
        return self.short <= 0 and self.missing() <= max(gap, slack)

    def tick(self) -> bool:
        """Report what is new, and now and then that nothing is; True when it is time to stop."""
        elapsed, now = time.monotonic() - self.started, (self.objective, self.bound)
        if self.progress and (self.reported != now or elapsed > self.reported_at + _SILENCE_S):
            news = Progress(elapsed, self.earned, self.earned + self.missing(), is_new=self.reported != now)
            self.reported, self.reported_at = now, elapsed
            if self.progress(news) is False:
                self.stop.set()
        if self.proven or self.left_s() <= 0:
            self.stop.set()
        self.halt[0] = self.stop.is_set()
        return self.stop.is_set()

    def wait(self, jobs: list[Future[Ints]]) -> None:
        """Wait for jobs, reporting meanwhile; their plans count in order when all are there, unless one is proven."""
        open_jobs = set(jobs)
        while open_jobs:
            done, open_jobs = wait(open_jobs, timeout=0.05, return_when=FIRST_COMPLETED)
            for job in done:
                if self.model.objective(job.result()) >= self.bound - 1e-9 * abs(self.bound):
                    self.offer(job.result())
            self.tick()
        for job in jobs:
            self.offer(job.result())

    def assignment(self) -> Assignment:
        """The plan in hand, verified."""
        self.tick()
        model = self.model
        option = np.where(model.locked != UNPLACED, model.locked, self.option)
        placed = np.flatnonzero(option != UNPLACED)
        site = np.full(len(option), UNPLACED, dtype=np.intp)
        site[placed] = model.site[option[placed]]
        pools = {}
        for r, resource in enumerate(self.problem.resources):
            if resource.several and not resource.split:
                pools[resource.name] = np.full(len(option), UNPLACED, dtype=np.intp)
                pools[resource.name][placed] = model.pools[option[placed], r]
        value = objective(self.problem, site)
        bound = value if self.proven and self.mip_gap == 0 else value + self.missing()
        gap = relative_gap(value, bound)
        if self.proven:
            plan = Assignment(site, value, bound, gap, "optimal", pools=pools, ended="proof")
        else:
            ended: Ended = "clock" if self.left_s() <= 0 else "asked"
            plan = Assignment(site, value, bound, gap, "feasible", pools=pools, ended=ended)
        return Assignment(**{**vars(plan), "violations": verify(self.problem, plan)})


def _grain(values: Floats) -> float | None:
    """The largest of 1, 0.5, 0.1 … of which every value is a multiple."""
    for grain in (1.0, 0.5, 0.1, 0.05, 0.01):
        if np.allclose(values / grain, np.rint(values / grain), rtol=0, atol=1e-7):
            return grain
    return None
