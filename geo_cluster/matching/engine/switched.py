"""The exact programme of what to open: a column for each switch that says it is closed.

Nobody goes to a closed site, pools lack what it adds, and its cost is saved (Holmberg, Rönnqvist & Yuan 1999 have the
rows).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from geo_cluster.matching.engine.located import Switches
from geo_cluster.matching.engine.milp import Linear
from geo_cluster.matching.engine.model import Draw, Model
from geo_cluster.matching.engine.parts import counted, part_rows
from geo_cluster.matching.engine.presolve import draws_of
from geo_cluster.matching.engine.search import Program
from geo_cluster.matching.openings import widened
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import Floats, Ints


def added(problem: Problem, full: Problem, model: Model) -> list[list[Floats]]:
    """For each opening of a problem: what each pool of each draw has more with it.

    Parameters
    ----------
    problem : Problem
    full : Problem
        With all openings opened.
    model : Model
        Of that.
    """
    at = model.site, model.pools
    most = [draw.capacity for draw in draws_of(full, *at)[0]]
    found = []
    for one in problem.openings:
        others = [each for each in problem.openings if each is not one]
        less = draws_of(full, *at, resources=widened(problem.resources, others))[0]
        found.append(
            [
                np.where(np.isfinite(a), a - np.where(np.isfinite(b.capacity), b.capacity, 0.0), 0.0)
                for a, b in zip(most, less, strict=True)
            ]
        )
    return found


def with_switches(
    problem: Problem, open_: tuple[Program, Model], switches: Switches, more_with: list[list[Floats]], unit: float
) -> Linear:
    """The programme with a column for each switch, and what binds parts of projects.

    Parameters
    ----------
    problem : Problem
    open_ : Program and Model
        With everything open.
    switches : Switches
    more_with : list of lists of arrays
        As of `added`.
    unit : float
        Of values.
    """
    task, model = open_
    count, number, rows = len(task.cost), len(switches.sites), _Rows()
    option_site = model.site[task.s]
    for j, sites in enumerate(switches.sites):
        here = np.isin(option_site, sites)
        rows.add_each(np.flatnonzero(here), task.p[here], count + j)
        options = np.isin(model.site, sites)
        for draw in model.draws if here.any() else ():
            for k in np.unique(draw.pool[options & (draw.pool >= 0)]):
                if np.isfinite(draw.capacity[k]) and options[draw.pool == k].all():
                    columns, amount, room = _drawn(task, draw, int(k))
                    rows.add(np.append(columns, count + j), np.append(amount, room), room)
    for d, draw in enumerate(model.draws):
        for k in np.flatnonzero([any(each[d][k] > 0 for each in more_with) for k in range(len(draw.capacity))]):
            columns, amount, room = _drawn(task, draw, int(k))
            more = np.array([each[d][k] for each in more_with])
            if draw.capacity[k] - more.sum() >= room and room < draw.capacity[k]:
                continue  # never needed
            by = np.flatnonzero(more > 0)
            most = float(draw.capacity[k])
            if len(by) == 1 and most > room:  # the same with the slack taken off
                more, most = np.maximum(more - (most - room), 0.0), room
            rows.add(np.append(columns, count + by), np.append(amount, more[by]), most)
    for member, most in switches.limits:
        closed = count + np.flatnonzero(member)
        rows.add(closed, -np.ones(len(closed)), float(most - len(closed)))
    for bound_columns, values, top_ in part_rows(problem, task, model, count + number):
        rows.add(np.array(bound_columns, dtype=np.intp), np.array(values), top_)
    there = len(counted(problem))
    width = count + number + there
    matrix, top = rows.matrix(width)
    wide = sparse.csc_array(task.matrix)
    wide.resize((task.matrix.shape[0], width))
    return Linear(
        np.concatenate([task.cost, switches.cost, np.zeros(there)]) / unit,
        sparse.csc_array(sparse.vstack([wide, matrix])),
        np.concatenate([task.low, np.full(len(top), -np.inf)]),
        np.concatenate([task.top, top]),
        np.concatenate([task.upper, np.where(switches.must, 0.0, 1.0), np.ones(there)]),
        np.concatenate([task.integer, np.ones(number, dtype=bool), np.zeros(there, dtype=bool)]),
    )


class _Rows:
    """Rows `values @ x[columns] <= top` that are gathered."""

    def __init__(self) -> None:
        self.rows: list[Ints] = []
        self.columns: list[Ints] = []
        self.values: list[Floats] = []
        self.top: list[float] = []

    def add(self, columns: Ints, values: Floats, top: float) -> None:
        """A row, scaled so that its largest value is 1."""
        times = float(np.abs(values).max(initial=0.0)) or 1.0
        self._put(np.full(len(columns), len(self.top)), columns, values / times)
        self.top.append(top / times)

    def add_each(self, columns: Ints, project: Ints, closed: int) -> None:
        """A row for each project: it is at one of its columns at most, and at none where `closed` is 1."""
        names, row = np.unique(project, return_inverse=True)
        first, count = len(self.top), len(names)
        self._put(row.ravel() + first, columns, np.ones(len(columns)))
        self._put(np.arange(count) + first, np.full(count, closed), np.ones(count))
        self.top += [1.0] * count

    def _put(self, rows: Ints, columns: Ints, values: Floats) -> None:
        self.rows.append(rows)
        self.columns.append(columns)
        self.values.append(values)

    def matrix(self, width: int) -> tuple[sparse.csc_array, Floats]:
        """The rows over so many columns, and what they are at most."""
        shape = (len(self.top), width)
        if not self.top:
            return sparse.csc_array(shape), np.zeros(0)
        at = np.concatenate(self.rows), np.concatenate(self.columns)
        return sparse.csc_array(sparse.coo_array((np.concatenate(self.values), at), shape=shape)), np.array(self.top)


def _drawn(task: Program, draw: Draw, k: int) -> tuple[Ints, Floats, float]:
    """Columns that draw on a pool, what each takes, and the most they may take together."""
    columns = np.flatnonzero(draw.pool[task.s] == k)
    amount = draw.of(task.p[columns], task.s[columns])
    most = np.zeros(task.projects)
    np.maximum.at(most, task.p[columns], amount)
    return columns, amount, float(min(draw.capacity[k], most.sum()))
