"""The state of a solve: the plan in hand, the bound, and when to stop."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from geo_cluster.matching.engine.alike import merged
from geo_cluster.matching.engine.bound import price_pools, price_relaxed
from geo_cluster.matching.engine.milp import Limits
from geo_cluster.matching.engine.model import Rescaled
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.engine.search import filled, improve
from geo_cluster.matching.plan import Assignment, Ended, Progress, relative_gap
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Ints
from geo_cluster.matching.verify import objective, score_of, verify

_LAST_S = 0.5  # most that choosing pools anew may take when time is over
_SMALL_COLUMNS = 20_000  # up to which the linear programme of how many can be placed is solved at once
_SILENCE_S = 0.5  # whoever wants to stop is asked at least so often
_LOOSE = 1e-5  # a gap above which several plans are likely to be proven: region 100 × 30 and 120 × 40 at 0.003 and 0.01


class Standing(NamedTuple):
    """A plan: its options, what its minima lack, its value in the model, how many are placed, and its scores."""

    option: Ints
    short: float
    value: float
    placed: int
    score: float


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
        self.stop, self.lock, self.halt = threading.Event(), threading.Lock(), np.zeros(1, dtype=bool)
        self.above: Run | None = None
        self.is_settled, self.pending = False, np.inf
        self.merged, self.is_cancelled, self.is_counted = merged(presolve(problem)), False, False
        self.most_open = len(self.merged.model.open)
        self.option = np.full(len(self.merged.model.value), UNPLACED, dtype=np.intp)
        self.ceiling = np.inf
        self._search_in(self.merged.model.rescaled())
        self.reported: tuple[float, float] | None = None
        self.reported_at = 0.0

    def beside(self) -> Run:
        """Another state of the same search, which ends with it: what it finds counts where it is taken over."""
        other = copy.copy(self)
        other.stop, other.lock, other.halt = threading.Event(), threading.Lock(), np.zeros(1, dtype=bool)
        other.above, other.progress = self, None
        return other

    def apart(self) -> Run:
        """Where a job beside others keeps what it finds, where a loose gap lets it settle the search.

        Else a plan and a bound that two jobs found would end the search, and which plan that is would depend on how
        fast each of them was.
        """
        return self.beside() if self.mip_gap > _LOOSE else self

    def take(self, other: Run) -> None:
        """Take over what another state has found."""
        if other is not self:
            self.offer(other.option)
            self.lower(other.bound)

    def _search_in(self, rescaled: Rescaled) -> None:
        """Search in a model from here on, from the plan in hand."""
        self.model, self.unit, self.cut, self.grain = rescaled
        finite = self.model.value[np.isfinite(self.model.value)]
        tops = self.model.value.max(axis=1, initial=-np.inf)
        gains = sum(link.gain for link in self.model.links)
        self.bound = self.model.base + float(np.maximum(tops[np.isfinite(tops)], 0).sum()) + gains
        self.penalty = 1.0 + 2 * (abs(self.bound) + float(np.abs(finite).max(initial=0.0)))
        self.objective, self.short = self.model.objective(self.option), self.model.short(self.option)
        self.plan = self._standing(self.option)

    def take_whole(self) -> bool:
        """Go on with bonuses as they are, where without their common part it isn't settled how many can be placed."""
        if self.proven or not self.cut or self.is_cancelled or self.left_s() <= 0:
            return False
        self.ceiling = min(self.ceiling, self.earned + self.missing())
        self.option = self.plan.option
        self._search_in(self.merged.model.rescaled(whole=True))
        self.stop.clear()
        self.halt[0] = self.is_settled = False
        return True

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left_s() <= 0

    def left_s(self) -> float:
        """Seconds that are left."""
        return max(self.until - time.monotonic(), 0.0)

    def offer(self, option: Ints) -> None:
        """Take a plan when it is better than the one in hand; whoever fits as it is goes there first."""
        if self.is_settled:
            return
        option = filled(self.model, np.where(self.model.locked == UNPLACED, option, UNPLACED), least=-self.cut)
        new = self._standing(option)
        with self.lock:
            old = self.plan
            is_better = _is_better(new.value - self.objective, new, self.short)
            counts = _is_better(new.value - old.value + self.cut * (new.placed - old.placed), new, old.short)
            if (is_better or counts) and self.model.fits(option):
                if is_better:
                    self.option, self.objective, self.short = option, new.value, new.short
                if counts:
                    self.plan = new
        self._settle()

    def _standing(self, option: Ints) -> Standing:
        score, placed = score_of(self.problem, self.sites(option)), int(np.count_nonzero(option != UNPLACED))
        return Standing(option, self.model.short(option), self.model.objective(option), placed, score)

    def sites(self, option: Ints) -> Ints:
        """The site of each project, locked ones too."""
        option = np.where(self.model.locked != UNPLACED, self.model.locked, self.merged.original(option))
        return np.where(option == UNPLACED, UNPLACED, self.merged.site[option])

    def offer_sites(self, site: Ints) -> None:
        """Take a plan of sites, each project at its first option there; who has none is left out."""
        here = self.merged.site[None, :] == site[:, None]
        here &= np.isfinite(self.model.value)[:, self.merged.kind]
        self.offer(np.where(here.any(axis=1), self.merged.kind[here.argmax(axis=1)], UNPLACED))

    def lower(self, bound: float) -> None:
        """Take a bound when it is lower; rounded to what objective values can be."""
        if self.grain:
            steps = np.floor((bound - self.model.base) / self.grain + 1e-6)
            bound = min(bound, self.model.base + float(steps) * self.grain)
        with self.lock:
            self.bound = min(self.bound, bound)
        self._settle()

    def lower_later(self, bound: float) -> None:
        """Take a bound that a job beside others found: at a loose gap once no other is under way (`catch_up`)."""
        if self.mip_gap > _LOOSE:
            with self.lock:
                self.pending = min(self.pending, bound)
        else:
            self.lower(bound)

    def catch_up(self) -> None:
        """Take the bounds that were kept for later."""
        if self.pending < self.bound:
            self.lower(self.pending)

    def _settle(self) -> None:
        """At a loose gap the first plan that is proven stays, whatever comes in while others end."""
        if self.mip_gap > _LOOSE and not self.is_settled and self.proven:
            self.is_settled = True
            self.stop.set()
            self.halt[0] = True

    @property
    def missing_here(self) -> float:
        """How much better a plan that places as many could be, in the problem's own numbers."""
        return self.unit * max(self.bound - self.plan.value, 0.0)

    @property
    def more(self) -> int:
        """How many projects more than the plan in hand a better one could place, as far as that is known."""
        value, placed = self.model.value, self.plan.placed
        least = float(value.min(where=np.isfinite(value), initial=np.inf))
        if 0 < least < np.inf:
            self.most_open = min(self.most_open, int((self.bound - self.model.base) / least + 1e-6))
        is_late = self.missing_here <= self.unit * self.allowed or 2 * time.monotonic() > self.started + self.until
        if self.cut and placed < self.most_open and not self.is_counted and is_late:
            self.is_counted = True
            count = replace(self.model, value=np.where(np.isfinite(value), 1.0, value), base=0.0, links=())
            is_small = np.count_nonzero(np.isfinite(value)) <= _SMALL_COLUMNS
            bound = price_relaxed(count.relaxed()) if is_small else price_pools(count.relaxed(), stop=self.is_over)
            self.most_open = min(self.most_open, int(bound.value + 1e-6))
        return max(self.most_open - placed, 0)

    def missing(self) -> float:
        """How much better a plan could be, in the problem's own numbers."""
        missing = self.missing_here + (self.unit * self.cut * self.more if self.cut else 0.0)
        return max(min(missing, self.ceiling - self.earned), 0.0)

    @property
    def earned(self) -> float:
        """Objective value of the plan in hand, in the problem's own numbers."""
        return self.unit * (self.plan.value + self.cut * self.plan.placed)

    @property
    def allowed(self) -> float:
        """What may be missing of a plan that counts as proven, in handy numbers."""
        slack = max(1e-9 * max(1.0, abs(self.objective)), 1e-6 if self.grain else 1e-7)
        score = min(abs(self.plan.score), abs(self.plan.score + self.missing_here))  # of any plan that is better yet
        gap = self.mip_gap * (1 + 1e-9) * score  # a bound that was set this far above is rounded
        return max(gap / self.unit, slack)

    @property
    def share(self) -> float:
        """What may be missing as a share of the objective value that HiGHS sees: never more than is allowed."""
        return min(self.mip_gap, self.allowed / max(abs(self.objective - self.model.base), 1e-9))

    @property
    def proven(self) -> bool:
        """Whether the plan in hand is optimal at the gap asked for."""
        return self.plan.short <= 0 and self.missing() <= self.unit * self.allowed

    def tick(self) -> bool:
        """Report what is new, and now and then that nothing is; True when it is time to stop."""
        elapsed, now = time.monotonic() - self.started, (self.earned, self.bound)
        if self.progress and (self.reported != now or elapsed > self.reported_at + _SILENCE_S):
            missing, gap = self.missing(), relative_gap(self.missing_here, self.plan.score)
            news = Progress(elapsed, self.earned, self.earned + missing, gap, is_new=self.reported != now)
            self.reported, self.reported_at = now, elapsed
            if self.progress(news) is False:
                self.is_cancelled = True
                self.stop.set()
        if self.proven or self.left_s() <= 0 or (self.above is not None and self.above.tick()):
            self.stop.set()
        self.halt[0] = self.stop.is_set()
        return self.stop.is_set()

    def wait(self, jobs: Sequence[Future[Ints]], states: Sequence[Run] = ()) -> None:
        """Wait for jobs, reporting meanwhile; their plans count in order, whichever ends first.

        Parameters
        ----------
        jobs : sequence of Future
        states : sequence of Run
            Where each keeps what it finds (`apart`); here, by default.
        """
        states = states or [self] * len(jobs)
        for job, state in zip(jobs, states, strict=True):
            while not wait([job], timeout=0.05).done:
                for one in {self, *states}:
                    one.tick()
            self.take(state)
            self.offer(job.result())
            self.tick()
        self.catch_up()

    def _place_who_fits(self) -> None:
        """Place whoever fits while all others stay at their sites; on other pools, where there is a choice."""
        model, option = self.model, self.plan.option
        ways = np.isfinite(model.value)
        ways &= (option == UNPLACED)[:, None] | (model.site == model.site[option][:, None])
        if ways.any() and len(np.unique(model.site)) < len(model.site) and self.missing() > 0:
            limits, freed = Limits(time_limit_s=_LAST_S, light=True), np.flatnonzero(ways.any(axis=1))
            p, s = np.nonzero(ways)
            option = improve(model, option, freed, (p, s), penalty=self.penalty, limits=limits, stop=threading.Event())
        self.offer(option)

    def assignment(self) -> Assignment:
        """The plan in hand, verified."""
        self.is_settled = False  # whoever fits as it is goes there all the same
        self._place_who_fits()
        self.tick()
        model, site = self.model, self.sites(self.plan.option)
        option = np.where(model.locked != UNPLACED, model.locked, self.plan.option)
        placed = np.flatnonzero(option != UNPLACED)
        pools = {}
        for r, resource in enumerate(self.problem.resources):
            if resource.several and not resource.split:
                pools[resource.name] = np.full(len(option), UNPLACED, dtype=np.intp)
                pools[resource.name][placed] = model.pools[option[placed], r]
        value = objective(self.problem, site)
        bound = value if self.proven and self.mip_gap == 0 else value + self.missing()
        ended: Ended = "proof" if self.proven else "clock" if self.is_over() else "asked"
        plan = Assignment(
            site,
            value,
            bound,
            relative_gap(self.missing_here if self.cut else bound - value, self.plan.score),
            "optimal" if self.proven else "feasible",
            pools=pools,
            score=self.plan.score,
            most_placed=len(placed) + self.more,
            ended=ended,
        )
        return Assignment(**{**vars(plan), "violations": verify(self.problem, plan)})


def _is_better(gain: float, plan: Standing, short: float) -> bool:
    """Whether a plan is better than another: less of its minima is short, or as much and it is worth more."""
    return plan.short < short if plan.short != short else gain > 1e-9 * max(1.0, abs(plan.value))
