"""Our `solve` and its peers on one problem, one after another, in one run.

    python benchmarks/matching.py FAMILY PROJECTS SITES SEED SECONDS [--alone]

Prints a line a solver (objective value, bound, gap, seconds; ratio of our gap to the peer's), and our curve of value
and bound over time. Every plan, the peers' too, is recomputed with `verify`. `--alone` leaves the peers out.
"""

import resource
import sys
import time
import warnings

import numpy as np
from matching_instances import instance
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geo_cluster.matching import Problem, solve, verify
from geo_cluster.matching.verify import objective, score_of


def rows_of(problem: Problem) -> tuple:
    """The plain model: every eligible pair a column, every project and pool a row, and what each row is at least.

    Where bonuses outweigh everything, everyone is placed and they are left out: no price drowns the rest. What may be
    opened has columns too, a cost, and a row for each pair (where sites are opened one by one, or counted).
    """
    project, site = np.nonzero(problem.eligible)
    everyone = places_everyone(problem)
    value = problem.score[project, site] + (0.0 if everyone else problem.bonus[project])
    rows, columns, values, top = (
        [project],
        [np.arange(len(project))],
        [np.ones(len(project))],
        [np.ones(problem.shape[0])],
    )
    first = problem.shape[0]
    for each in problem.resources:
        pool = each.pool[site]
        demand = each.demand[project] if each.demand.ndim == 1 else each.demand[project, site]
        rows.append(pool + first)
        columns.append(np.arange(len(project)))
        values.append(demand)
        top.append(each.capacity)
        first += len(each.capacity)
    pairs, sites = len(project), problem.shape[1]
    if problem.openings or problem.at_most:
        cost = np.zeros(sites)
        for each in problem.openings:
            (s,) = each.sites
            cost[s] = each.cost
        rows += [np.arange(pairs) + first] * 2
        columns += [np.arange(pairs), pairs + site]
        values += [np.ones(pairs), -np.ones(pairs)]
        top.append(np.zeros(pairs))
        value, first = np.append(value, -cost), first + pairs
        for limit in problem.at_most:
            rows.append(np.full(len(limit.sites), first))
            columns.append(pairs + np.array(limit.sites))
            values.append(np.ones(len(limit.sites)))
            top.append([limit.most])
            first += 1
        for each in problem.resources:  # the same pools, as much as is opened
            rows.append(each.pool + problem.shape[0])
            columns.append(pairs + np.arange(sites))
            values.append(-each.capacity[each.pool])
            top[1] = np.zeros(len(each.capacity))
    matrix = sparse.csc_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(first, len(value))
    )
    low = np.full(first, -np.inf)
    low[: problem.shape[0]] = 1.0 if everyone else -np.inf
    return matrix, value, low, np.concatenate(top), project, site


def places_everyone(problem: Problem) -> bool:
    """Whether bonuses outweigh all that plans can differ in; the families of which that holds place everyone."""
    most = np.abs(np.nan_to_num(problem.score)).max(axis=1).sum() + sum(each.cost for each in problem.openings)
    return bool(problem.bonus.min() > most)


def worth(problem: Problem, plan: np.ndarray) -> float:
    """Objective value of a plan, with what it needs opened."""
    return objective(problem, plan, opened(problem, plan))


def opened(problem: Problem, plan: np.ndarray) -> tuple[int, ...]:
    """Openings without which a plan can't be."""
    return tuple(o for o, each in enumerate(problem.openings) if np.isin(each.sites, plan).any())


def plan_of(problem: Problem, project: np.ndarray, site: np.ndarray, x: np.ndarray) -> np.ndarray:
    plan = np.full(problem.shape[0], -1)
    chosen = x[: len(project)] > 0.5
    plan[project[chosen]] = site[chosen]
    return plan


def with_highs(problem: Problem, seconds: float) -> tuple[np.ndarray, float]:
    matrix, value, low, top, project, site = rows_of(problem)
    found = milp(
        -value,
        integrality=np.ones(len(value)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, low, top),
        options={"time_limit": seconds, "mip_rel_gap": 0},
    )
    x = np.zeros(len(value)) if found.x is None else found.x
    bound = np.inf if found.mip_dual_bound is None else -found.mip_dual_bound
    return plan_of(problem, project, site, x), bound + left_out(problem)


def left_out(problem: Problem) -> float:
    """Bonuses that the rows leave out."""
    return float(problem.bonus.sum()) if places_everyone(problem) else 0.0


def with_cp_sat(problem: Problem, seconds: float) -> tuple[np.ndarray, float]:
    from ortools.sat.python import cp_model

    matrix, value, low, top, project, site = rows_of(problem)
    model, by_row = cp_model.CpModel(), matrix.tocsr()
    x = [model.new_bool_var("") for _ in value]
    for row in range(by_row.shape[0]):
        at = slice(by_row.indptr[row], by_row.indptr[row + 1])
        whole = np.rint(by_row.data[at] * 100).astype(int)
        if len(whole):
            terms = [int(a) * x[j] for a, j in zip(whole, by_row.indices[at], strict=True)]
            model.add(sum(terms) <= int(np.floor(top[row] * 100 + 1e-6)))
            if np.isfinite(low[row]):
                model.add(sum(terms) >= int(low[row] * 100))
    model.maximize(sum(round(w * 10) * each for w, each in zip(value, x, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, 2
    solver.solve(model)
    try:
        values = np.array([solver.value(each) for each in x])
    except (RuntimeError, IndexError):
        values = np.zeros(len(x))
    return plan_of(problem, project, site, values), solver.best_objective_bound / 10 + left_out(problem)


def main() -> None:
    family, projects, sites, seed, seconds = sys.argv[1:6]
    problem = instance(family, int(projects), int(sites), int(seed))
    limit, gaps, curve = float(seconds), {}, []
    peers = [] if "--alone" in sys.argv else [("HiGHS", with_highs), ("CP-SAT", with_cp_sat)]
    for name, peer in [*peers, ("ours", None)]:
        begun = time.perf_counter()
        if peer:
            plan, bound = peer(problem, limit)
        else:
            ours = solve(problem, time_limit_s=limit, progress=curve.append)
            plan, bound = ours.site, ours.bound
        took = time.perf_counter() - begun
        value = worth(problem, plan)
        gaps[name] = (bound - value) / max(abs(score_of(problem, plan, opened(problem, plan))), 1e-9)
        broken = f"  BROKEN {len(verify(problem, plan))}" if verify(problem, plan) else ""
        print(
            f"{family} {projects}x{sites} seed {seed}  {name:7}",
            f"{value:12.1f} {bound:12.1f} {gaps[name]:9.4%} {took:6.1f} s{broken}",
            flush=True,
        )
    for name in gaps:
        if name != "ours":
            print(f"  our gap / {name}'s: {gaps['ours'] / max(gaps[name], 1e-12):.2f}")
    for moment in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 200, 300):
        so_far = [each for each in curve if each.elapsed_s <= moment]
        if so_far and moment <= max(limit, 0.5):
            print(f"  {moment:5g} s {so_far[-1].objective:12.1f} {so_far[-1].bound:12.1f} {so_far[-1].gap:9.4%}")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    main()
