"""What the pools of a site lack for one more project."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from geo_cluster.matching.engine.milp import Linear, maximise
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Floats, Ints, Resource
from geo_cluster.matching.verify import usage


@dataclass(frozen=True)
class Shortage:
    """What a pool lacks for one more project.

    Attributes
    ----------
    resource, pool, unit : str
    amount : float
        In `unit`.
    index : int
        Number of the pool: names may be given twice.
    """

    resource: str
    pool: str
    amount: float
    unit: str
    index: int = -1

    @property
    def asked(self) -> float:
        """The amount to ask for: rounded up to a tenth of the unit, as less would not do."""
        return float(np.ceil(10 * self.amount - 1e-9) / 10)


def shortages(problem: Problem, site: Ints, project: int, at: int) -> tuple[Shortage, ...]:
    """What the pools of one site lack for one more project, while everyone else stays at its site.

    Where sites may draw on several pools, others may change pools to make room; what is lacking is the least there is.

    Parameters
    ----------
    problem : Problem
    site : (P,) int array
        The plan.
    project, at : int
        Who is to come, and to which site.
    """
    after = np.array(site)
    after[project] = at
    lacking = []
    for resource in problem.resources:
        capacity = resource.at(problem.level)
        if resource.several:
            over = _least_over(resource, after, capacity, at)
        else:
            over = np.where(np.arange(len(capacity)) == resource.pool[at], usage(resource, after) - capacity, 0.0)
        need = resource.demand[project] if resource.demand.ndim == 1 else resource.demand[project, at]
        lacking += [
            Shortage(resource.name, resource.pool_name(k), float(over[k]), resource.unit, int(k))
            for k in np.flatnonzero(over > 1e-9 * np.maximum(float(need), np.where(np.isfinite(capacity), capacity, 0)))
        ]
    return tuple(lacking)


def _least_over(resource: Resource, site: Ints, capacity: Floats, at: int) -> Floats:
    """(K,): how much larger the pools that one site may draw on have to be, in sum the least, for a plan to fit."""
    placed = np.flatnonzero(site != UNPLACED)
    row, pool = np.nonzero(resource.pool[site[placed]])
    here = np.flatnonzero(resource.pool[at])
    if not here.size:
        return np.zeros(len(capacity))
    demand = resource.demand[placed] if resource.demand.ndim == 1 else resource.demand[placed, site[placed]]
    unit = float(demand.max()) / 1e3 or 1.0  # tolerances of solvers are absolute
    demand, capacity = demand / unit, capacity / unit
    draws, more = np.arange(len(row)), len(row) + np.arange(len(here))
    # projects that draw somewhere, each undivided; then pools, less what they are larger by
    entries = np.concatenate([np.ones(len(row)), demand[row], -np.ones(len(here))])
    rows = np.concatenate([row, len(placed) + pool, len(placed) + here])
    columns = np.concatenate([draws, draws, more])
    matrix = sparse.csc_array((entries, (rows, columns)), shape=(len(placed) + len(capacity), len(row) + len(here)))
    one = resource.pool[site[placed]].any(axis=1).astype(float)
    enlarges = np.arange(len(row) + len(here)) >= len(row)
    task = Linear(
        np.where(enlarges, -1.0, 0.0),
        matrix,
        np.concatenate([one, np.full(len(capacity), -np.inf)]),
        np.concatenate([one, capacity]),
        upper=np.where(enlarges, np.inf, 1.0),
        integer=~enlarges & (not resource.split),
    )
    found = maximise(task)
    over = np.zeros(len(capacity))
    if found.x is not None:
        over[here] = found.x[len(row) :]
    return np.where(over > 1e-6 * np.maximum(1.0, np.where(np.isfinite(capacity), capacity, 1.0)), over * unit, 0.0)
