"""The best plan, or a good one with a true bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import highspy
import numpy as np
from scipy import sparse

from geo_cluster.matching.problem import UNPLACED, Floats, Ints, Problem
from geo_cluster.matching.verify import Violation, objective, verify


@dataclass(frozen=True)
class Progress:
    """News while solving: seconds since the start, worth of the plan in hand, and the bound."""

    elapsed_s: float
    objective: float
    bound: float


@dataclass(frozen=True, eq=False)
class Assignment:
    """A plan and how good it is.

    Attributes
    ----------
    site : (P,) int array
        Site of each project, -1 when it stays unplaced.
    objective : float
        Sum of score and bonus of placed projects and of what links earn.
    bound : float
        No plan is worth more.
    gap : float
        `(bound - objective) / |objective|`.
    status : {"optimal", "feasible"}
        `optimal` only when proven at the gap that was asked for.
    violations : tuple of Violation
        What `verify` found; empty.
    """

    site: Ints
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "feasible"]
    violations: tuple[Violation, ...] = ()


def solve(
    problem: Problem,
    *,
    time_limit_s: float = 60.0,
    mip_gap: float = 0.0,
    seed: int = 0,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Assignment:
    """The plan of greatest worth.

    Parameters
    ----------
    problem : Problem
        What is to be decided.
    time_limit_s : float
        When to stop with the plan in hand.
    mip_gap : float
        Relative gap at which a plan counts as proven.
    seed : int
        Same seed, same plan.
    progress : callable, optional
        Told of each improvement; returning False stops with the plan in hand.
    """
    started = time.monotonic()
    eligible = problem.eligible
    project, at = np.nonzero(eligible)
    worth = problem.score[project, at] + problem.bonus[project]
    rows, columns, values, upper = (
        [project],
        [np.arange(len(project))],
        [np.ones(len(project))],
        [np.ones(problem.shape[0])],
    )
    first = problem.shape[0]
    for resource in problem.resources:
        pool = resource.pool[at]
        demand = resource.demand[project] if resource.demand.ndim == 1 else resource.demand[project, at]
        used = (pool >= 0) & (demand > 0)
        rows.append(pool[used] + first)
        columns.append(np.flatnonzero(used))
        values.append(demand[used])
        upper.append(resource.at(problem.level))
        first += len(resource.capacity)
    matrix = sparse.csc_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(first, len(project))
    )
    top = np.nan_to_num(np.concatenate(upper), nan=np.inf)
    low = np.full(first, -np.inf)
    held = np.flatnonzero(problem.locked != UNPLACED)
    low[held] = 1.0
    chosen, bound = _mip(matrix, worth, low, top, time_limit_s, mip_gap, seed)
    site = np.full(problem.shape[0], UNPLACED, dtype=np.intp)
    site[project[chosen]] = at[chosen]
    value = objective(problem, site)
    bound = max(bound, value)
    gap = (bound - value) / max(abs(value), 1e-9)
    proven = gap <= max(mip_gap, 1e-9)
    if progress:
        progress(Progress(time.monotonic() - started, value, bound))
    plan = Assignment(site, value, bound, gap, "optimal" if proven else "feasible")
    return Assignment(site, value, bound, gap, plan.status, verify(problem, plan))


def _mip(
    matrix: sparse.csc_array, worth: Floats, low: Floats, top: Floats, time_limit_s: float, mip_gap: float, seed: int
) -> tuple[Ints, float]:
    """Columns chosen by HiGHS, and its bound."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = worth, np.zeros(len(worth)), np.ones(len(worth))
    lp.row_lower_, lp.row_upper_ = low, top
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(worth)
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("time_limit", time_limit_s),
        ("mip_rel_gap", mip_gap),
        ("mip_abs_gap", 1e-6),
        ("random_seed", seed),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    solver.run()
    solution = np.asarray(solver.getSolution().col_value)
    chosen = np.flatnonzero(solution > 0.5) if solution.size else np.empty(0, dtype=np.intp)
    return chosen, float(solver.getInfo().mip_dual_bound)
