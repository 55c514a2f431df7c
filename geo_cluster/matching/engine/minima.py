"""Minima that can't be met, and what can be had instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import SupportsIndex

import numpy as np

from geo_cluster.errors import Fault
from geo_cluster.matching.arguments import rounded
from geo_cluster.matching.engine.milp import Limits
from geo_cluster.matching.engine.run import Run
from geo_cluster.matching.engine.search import program
from geo_cluster.matching.problem import PROBLEM, Problem
from geo_cluster.matching.resource import UNPLACED, Floats, Ints, Resource


def out_of_reach(problem: Problem) -> list[Fault]:
    """Minima beyond what all projects together could draw, each pool's and those of a resource together."""
    faults = []
    for resource in problem.resources:
        if resource.minimum is None or not (resource.minimum > 0).any():
            continue
        demand = np.where(
            problem.eligible, resource.demand if resource.demand.ndim == 2 else resource.demand[:, None], 0
        )
        wanted = np.flatnonzero(resource.minimum > 0)
        reach = resource.pool[:, wanted] if resource.several else resource.pool[:, None] == wanted
        most = [float(demand[:, at].max(axis=1, initial=0.0).sum()) for at in reach.T]
        for k, had in zip(wanted, most, strict=True):
            if had < resource.minimum[k] * (1 - 1e-7):
                faults.append(
                    Fault(
                        "matching.minimum_out_of_reach",
                        resource.place,
                        **_lacking(resource, k, float(resource.minimum[k]), had),
                    )
                )
        asked = float(resource.minimum[wanted].sum())
        had = float(demand[:, reach.any(axis=1)].max(axis=1, initial=0.0).sum())
        if not faults and had < asked * (1 - 1e-7):
            sums = {"minimum": asked, "most": had, "reach": rounded(had), "unit": resource.unit_title}
            faults.append(Fault("matching.minima_out_of_reach", resource.place, **sums))
    return faults


def impossible(run: Run) -> list[Fault]:
    """Minima that can't be met together: what each could have at the least shortfall of all."""
    faults = []
    for resource, load in _loads(run, _nearest(run)[0]):
        assert resource.minimum is not None
        for k in np.flatnonzero(load < resource.minimum * (1 - 1e-7)):
            values = _lacking(resource, k, float(resource.minimum[k]), float(load[k]))
            faults.append(Fault("matching.minimum_impossible", resource.place, **values))
    return faults or [Fault("matching.contradiction", PROBLEM)]


def reached(problem: Problem, *, time_limit_s: float) -> tuple[dict[str, Floats], bool]:
    """What each minimum has where as little as can be is missing of all together, in one unit.

    Parameters
    ----------
    problem : Problem
        With minima that are counted in one unit, such as numbers of projects.
    time_limit_s : float
        When to stop with the plan that is nearest so far.

    Returns
    -------
    dict
        Name of each resource with minima -> (K,) what its pools have.
    bool
        Whether it is proven that no less can be missing.
    """
    run = Run(problem, time_limit_s, 0.0, None)
    option, proven = _nearest(run, alike=True)
    return {resource.name: load for resource, load in _loads(run, option)}, proven


def _nearest(run: Run, *, alike: bool = False) -> tuple[Ints, bool]:
    """(P,): options of a plan that misses as little of the minima as can be, and whether that is proven.

    Shares of each minimum are counted, or, where they are `alike`, what is missing itself.
    """
    model = run.model
    p, s = np.nonzero(np.isfinite(model.value))
    option: Ints | None = None
    proven = True
    if len(p):
        rest = np.full(len(model.value), UNPLACED)
        task = program(model, p, s, rest, penalty=run.penalty, alike=alike)
        option, outcome = task.solve(limits=Limits(time_limit_s=max(run.left_s(), 1.0)))
        proven = outcome.finished
    return np.where(model.locked != UNPLACED, model.locked, run.option if option is None else option), proven


def _loads(run: Run, option: Ints) -> Iterator[tuple[Resource, Floats]]:
    """Each resource with minima, and what a plan draws from its pools."""
    model, placed = run.model, np.flatnonzero(option != UNPLACED)
    for r, resource in enumerate(run.problem.resources):
        if resource.minimum is None:
            continue
        pool, demand = model.pools[option[placed], r], resource.demand
        drawn = demand[placed] if demand.ndim == 1 else demand[placed, model.site[option[placed]]]
        load = np.bincount(pool[pool >= 0], weights=drawn[pool >= 0], minlength=len(resource.minimum))
        yield resource, load.astype(float)


def _lacking(resource: Resource, k: SupportsIndex, least: float, had: float) -> dict[str, object]:
    """What a minimum asks of a pool, and what can be had."""
    return {
        "pool": resource.pool_title(k),
        "minimum": least,
        "unit": resource.unit_title,
        "reach": rounded(had),
    }
