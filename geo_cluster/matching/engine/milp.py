"""The one place that talks to HiGHS (Huangfu & Hall 2018)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from geo_cluster.matching.resource import Bools, Floats, Ints

_LIGHT: dict[str, Any] = {
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_allow_restart": False,
    "mip_detect_symmetry": False,
    "mip_pscost_minreliable": 1,
}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What HiGHS found: `x` is None when it has no plan, `infeasible` when there can be none."""

    x: Floats | None
    bound: float
    finished: bool
    infeasible: bool


class _Quiet(highspy.Highs):
    """HiGHS without the banner that its constructor prints."""

    def enableCallbacks(self) -> None:  # noqa: N802 - highspy's name
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


@dataclass(frozen=True, eq=False)
class Linear:
    """Maximise `cost @ x` with `low <= matrix @ x <= top`, `0 <= x <= upper`, x integer where `integer`."""

    cost: Floats
    matrix: sparse.csc_array
    low: Floats
    top: Floats
    upper: Floats | float
    integer: Bools | bool


@dataclass(frozen=True)
class Limits:
    """How long HiGHS may search, and how.

    Attributes
    ----------
    time_limit_s : float
    nodes : int, optional
        Most nodes of the search tree: a limit that is the same on each machine.
    mip_gap : float
        Relative gap at which to stop.
    seed : int
    light : bool
        Skip what doesn't pay on a problem that takes milliseconds.
    """

    time_limit_s: float = np.inf
    nodes: int | None = None
    mip_gap: float = 0.0
    seed: int = 0
    light: bool = False


class Relaxation:
    """The linear relaxation of a programme, solved again after rows were added."""

    def __init__(self, task: Linear) -> None:
        self.solver = _Quiet()
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "presolve": "off"}
        for option, value in options.items():
            self.solver.setOptionValue(option, value)
        self.solver.passModel(_linear(task))

    def add(self, columns: Ints, values: Floats, top: float) -> None:
        """The row `values @ x[columns] <= top`."""
        self.solver.addRow(-np.inf, top, len(columns), columns.astype(np.int32), values)

    def solve(self) -> tuple[Floats, Floats] | None:
        """The solution and the dual price of each row; None when there is none."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        found = self.solver.getSolution()
        return np.asarray(found.col_value), np.asarray(found.row_dual)


def _linear(task: Linear) -> highspy.HighsLp:
    count, matrix = len(task.cost), task.matrix
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_ = task.cost, np.zeros(count)
    lp.col_upper_ = np.broadcast_to(np.asarray(task.upper, dtype=float), count).copy()
    lp.row_lower_, lp.row_upper_ = task.low, task.top
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    return lp


def maximise(
    task: Linear,
    limits: Limits = Limits(),
    *,
    start: Floats | None = None,
    stop: threading.Event | None = None,
    on_improvement: Callable[[Floats | None, float], None] | None = None,
) -> Outcome:
    """Solve a mixed-integer programme with HiGHS.

    Parameters
    ----------
    task : Linear
    limits : Limits
    start : array, optional
        A solution to begin with.
    stop : Event, optional
        Set it from another thread to end early.
    on_improvement : callable, optional
        Called with `(x or None, bound)` as they improve.
    """
    lp = _linear(task)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(each)] for each in np.broadcast_to(task.integer, len(task.cost))]
    solver = _Quiet()
    for option, value in _options(limits).items():
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    if start is not None:
        before = highspy.HighsSolution()
        before.col_value = start.tolist()
        solver.setSolution(before)
    _subscribe(solver, stop, on_improvement)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    infeasible = status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
    if infeasible:
        return Outcome(None, -np.inf, True, True)
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.asarray(solver.getSolution().col_value) if found else None
    best = info.mip_dual_bound if np.any(task.integer) else info.objective_function_value
    bound = best if np.isfinite(best) else np.inf
    optimal = status == highspy.HighsModelStatus.kOptimal
    value, gap = bound if x is None else float(task.cost @ x), limits.mip_gap
    # when presolve leaves nothing to solve, HiGHS 1.16 hands the start back as the optimum
    if optimal and start is not None and value < bound - gap * abs(bound) - 1e-6 - 1e-9 * abs(bound):
        return maximise(task, limits, stop=stop, on_improvement=on_improvement)
    return Outcome(x, float(bound), optimal, False)


def _options(limits: Limits) -> dict[str, Any]:
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": limits.seed,
        "mip_rel_gap": limits.mip_gap,
        "mip_abs_gap": 1e-7,
        "mip_feasibility_tolerance": 1e-7,
    }
    if np.isfinite(limits.time_limit_s):
        options["time_limit"] = max(limits.time_limit_s, 0.0)
    if limits.light:
        options |= _LIGHT
    if limits.nodes is not None:
        options["mip_max_nodes"] = limits.nodes
    return options


def _subscribe(
    solver: _Quiet, stop: threading.Event | None, on_improvement: Callable[[Floats | None, float], None] | None
) -> None:
    """Have HiGHS ask whether to stop, and report better bounds and solutions."""
    if stop is not None or on_improvement is not None:
        seen = np.inf

        def watch(event: Any) -> None:
            nonlocal seen
            if stop is not None and stop.is_set():
                event.interrupt()
            bound = event.data_out.mip_dual_bound
            if on_improvement is not None and bound < seen:
                seen = bound
                on_improvement(None, bound)

        solver.cbMipInterrupt.subscribe(watch)
    if on_improvement is not None:
        solver.cbMipImprovingSolution.subscribe(
            lambda event: on_improvement(np.array(event.data_out.mip_solution), event.data_out.mip_dual_bound)
        )
