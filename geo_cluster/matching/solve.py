"""The best plan, or a good one with a true bound.

How: `engine.presolve` takes out what is decided and drops what can't happen; `bound` prices the pools; `search` places
greedily at those prices, `anneal` goes on from there; `cuts` describe the pools exactly; what all that leaves open
goes to HiGHS as one exact programme. `engine.strategy` decides what is tried when. Usual portfolios are proven that way
in about a second. Where something may be opened, prices and HiGHS say what, and the same search who goes where
(`engine.openings`, `engine.located`); the same programme settles which parts of projects are placed (`engine.parts`).
"""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from geo_cluster.errors import refuse_if
from geo_cluster.matching.arguments import amount_faults, integer_faults
from geo_cluster.matching.plan import Assignment, Progress
from geo_cluster.matching.problem import Problem, plan_of


def solve(
    problem: Problem,
    *,
    time_limit_s: float = 60.0,
    mip_gap: float = 0.0,
    seed: int = 0,
    start: ArrayLike | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Assignment:
    """The plan of the highest objective value.

    Parameters
    ----------
    problem : Problem
        What is to be decided.
    time_limit_s : float
        When to stop with the plan in hand. Ctrl-C does the same.
    mip_gap : float
        Gap (see `Assignment`) at which a plan counts as proven.
    seed : int
        Same seed, same plan, when the problem is solved to proof; a time limit may cut the same search elsewhere.
    start : (P,) int array, optional
        A plan to begin with, where it keeps the rules.
    progress : callable, optional
        Called with each improvement, and with none now and then, in the caller's thread; returning False stops with the
        plan in hand.

    Returns
    -------
    Assignment

    Raises
    ------
    InputError
        When the minima can't be met together: with the most that can be had of each. On a limit, gap or seed that is
        none, and on a start of another shape or with sites that there aren't.
    """
    from geo_cluster.matching.engine.milp import Limits  # slow to import: not for those who only look at a plan
    from geo_cluster.matching.engine.minima import out_of_reach
    from geo_cluster.matching.engine.strategy import best
    from geo_cluster.matching.engine.threads import one_blas_thread

    refuse_if(amount_faults(time_limit_s=time_limit_s, mip_gap=mip_gap) + integer_faults(seed=seed, least=0))
    before = None if start is None else plan_of(problem, start, "start")
    refuse_if(out_of_reach(problem))
    limits = Limits(time_limit_s=time_limit_s, mip_gap=mip_gap, seed=seed)
    find = best
    if problem.openings or problem.at_most or problem.parts:
        from geo_cluster.matching.engine.openings import best_opened as find  # compiled, slow to import
    with one_blas_thread():
        return find(problem, limits, start=before, progress=progress)


def warm() -> None:
    """Compile what `solve` needs and keep it on disk: else the first solve on a machine does, beside simpler means."""
    from geo_cluster.matching.engine import kernels

    kernels.make()
