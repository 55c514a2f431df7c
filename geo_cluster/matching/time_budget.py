"""Time that many re-solves share, so that explaining a plan ends when it was said to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from geo_cluster.errors import Fault, InputError, refuse_if
from geo_cluster.matching.arguments import amount_faults
from geo_cluster.matching.engine.presolve import presolve
from geo_cluster.matching.plan import Assignment, Progress
from geo_cluster.matching.problem import PROBLEM, Problem
from geo_cluster.matching.resource import UNPLACED
from geo_cluster.matching.solve import solve
from geo_cluster.matching.verify import objective, score_of

_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)
_NEAR_GAP = 1e-3  # where staying is worth most and nothing can be proven, that is soon reached and rarely bettered
_USEFUL_S = 1.0  # a re-solve of less than this tells little: rather fewer of them, the first ones first


@contextlib.contextmanager
def stopped_by(stop: threading.Event) -> Iterator[None]:
    """Within, in this thread, every budget that is handed no event of its own ends early once this one is set."""
    token = _STOP.set(stop)
    try:
        yield
    finally:
        _STOP.reset(token)


class TimeBudget:
    """Seconds for each re-solve, and for all of them together.

    Parameters
    ----------
    each_s : float
        Most for one.
    total_s : float
        For all, from now on.
    stop : Event, optional
        Set it, from another thread or a signal handler, to end early; by default that of `stopped_by`.

    Attributes
    ----------
    missed : bool
        Whether something was asked for when nothing was left.

    Raises
    ------
    InputError
        On seconds that are no number of zero or more.
    """

    def __init__(self, each_s: float, total_s: float = np.inf, *, stop: threading.Event | None = None):
        refuse_if(amount_faults(time_limit_s=each_s, total_s=total_s), InputError)
        self.each_s, self.until = each_s, time.monotonic() + total_s
        self.stop = stop or _STOP.get() or threading.Event()
        self.missed = False

    @classmethod
    def of(cls, limit: float | TimeBudget) -> TimeBudget:
        """Itself, or so many seconds for each and no end to all."""
        return limit if isinstance(limit, TimeBudget) else cls(limit)

    @property
    def left_s(self) -> float:
        """What is left for all."""
        return 0.0 if self.stop.is_set() else max(self.until - time.monotonic(), 0.0)

    def part(self, share: float) -> TimeBudget:
        """A share, 0 … 1, of what is left."""
        return TimeBudget(self.each_s, self.left_s * share, stop=self.stop)

    def solve(
        self,
        problem: Problem,
        *,
        start: ArrayLike | None = None,
        waiting: int = 1,
        near: Assignment | None = None,
    ) -> Assignment | None:
        """The plan found in the time of one of `waiting` re-solves; None when nothing is left or it was stopped.

        Parameters
        ----------
        problem : Problem
        start : (P,) int array, optional
            A plan to begin with.
        waiting : int
            How many re-solves share the time that is left.
        near : Assignment, optional
            The plan that is asked about. Where that isn't proven the best, any other arrangement may be better, for
            reasons that have nothing to do with what is asked: then as many as can stay where it has them.

        Raises
        ------
        InputError
            As `solve`; also where minima can't be met because nobody can go anywhere.
        """
        left = self.left_s
        plan = None
        if left > 0:
            limit = min(self.each_s, left, max(left / max(waiting, 1), _USEFUL_S))
            if near is None or near.is_best:
                plan = solve(problem, time_limit_s=limit, start=start, progress=self._goes_on)
            else:
                held, gap = _held(problem, near), max(near.gap, _NEAR_GAP)
                found = solve(held, time_limit_s=limit, mip_gap=gap, start=start, progress=self._goes_on)
                plan = _unheld(problem, found)
            if plan.violations and not np.isfinite(presolve(problem).value).any():
                raise InputError(Fault("matching.nobody_open", PROBLEM))
        if plan is None or (self.stop.is_set() and plan.status != "optimal"):
            self.missed = True
            return None
        return plan

    def _goes_on(self, _: Progress) -> bool:
        return not self.stop.is_set()


def _held(problem: Problem, plan: Assignment) -> Problem:
    """The problem in which staying where a plan has one is worth more than any other place."""
    (p,) = np.nonzero(plan.site != UNPLACED)
    score, s = problem.score.copy(), plan.site[p]
    score[p, s] += 1.0 + 2.0 * float(np.nanmax(np.abs(problem.score), initial=0.0))
    return problem.suppose(score=score)


def _unheld(problem: Problem, plan: Assignment) -> Assignment:
    """A plan of that problem as one of the problem itself; nothing is proven of it."""
    score = score_of(problem, plan.site, plan.opened)
    value = objective(problem, plan.site, plan.opened)
    return replace(plan, objective=value, score=score, bound=np.inf, gap=np.inf, status="feasible", ended="given")
