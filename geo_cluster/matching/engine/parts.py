"""Plans that keep what binds parts of projects: rows of the exact programme, and plans with the parts decided.

Without what binds them parts are projects like all others: that bounds every plan, and where the best such plan keeps
parts it is the best. Else parts are decided (where placed, locked there; else left out) and all others placed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from geo_cluster.errors import InputError
from geo_cluster.matching.engine.milp import Limits
from geo_cluster.matching.engine.model import Model
from geo_cluster.matching.engine.search import Program
from geo_cluster.matching.engine.strategy import best
from geo_cluster.matching.parts import Parts, broken, is_kept
from geo_cluster.matching.plan import Assignment, Progress
from geo_cluster.matching.problem import Problem
from geo_cluster.matching.resource import UNPLACED, Floats, Ints
from geo_cluster.matching.verify import verify

_FREE = 0.4  # share of the time for the plan of projects that nothing binds
_MOST_TRIES = 20  # sites that are tried for parts which have to stand together

Row = tuple[list[int], list[float], float]
"""Columns, their values, and what their sum is at most."""


def best_kept(
    problem: Problem,
    limits: Limits,
    *,
    start: Ints | None = None,
    progress: Callable[[Progress], bool | None] | None = None,
) -> Assignment:
    """A good plan that keeps what binds parts, its bound that of its decided parts alone; the best without parts.

    Parameters
    ----------
    problem : Problem
        Without openings and limits on sites.
    limits : Limits
    start : (P,) int array, optional
        Where it keeps what binds parts, they stay as they are there.
    progress : callable, optional
        As of `solve`.

    Raises
    ------
    InputError
        When minima can't be met together.
    """
    if not problem.parts:
        return best(problem, limits, start=start, progress=progress)
    free = problem.suppose(parts=())
    site = None if start is None else _eligible(problem, start)
    if site is None or not is_kept(problem, site):
        found = best(free, replace(limits, time_limit_s=_FREE * limits.time_limit_s), start=site, progress=progress)
        if is_kept(problem, found.site) and not found.violations:
            return found
        site = found.site
    plans, refusal = [], None
    left = replace(limits, time_limit_s=(1 - _FREE) / 2 * limits.time_limit_s)
    for one in _choices(problem, site):
        try:
            plans.append(best(decided(problem, one), left, start=one, progress=progress))
        except InputError as fault:
            refusal = fault
    if not plans:
        assert refusal is not None
        raise refusal
    return max(plans, key=lambda plan: (not plan.violations, plan.objective))


def decided(problem: Problem, site: Ints) -> Problem:
    """The problem with its parts as they are in a plan: locked where they are, or left out."""
    member = np.zeros(len(site), dtype=bool)
    member[[p for one in problem.parts for p in one.projects]] = True
    score = problem.score.copy()
    score[member & (site == UNPLACED) & (problem.locked == UNPLACED)] = np.nan
    locked = np.where(member & (problem.locked == UNPLACED), site, problem.locked)
    return problem.suppose(parts=(), score=score, locked=locked)


def _eligible(problem: Problem, site: Ints) -> Ints:
    """A plan without those who may not be where they are."""
    rows = np.arange(len(site))
    return np.where((site != UNPLACED) & problem.eligible[rows, np.maximum(site, 0)], site, UNPLACED)


def _choices(problem: Problem, site: Ints) -> Iterator[Ints]:
    """Plans for the parts: without those that break something; and with these at the best site that holds them."""
    kept = site.copy()
    lost = [one for one in problem.parts if any(broken(one, site))]
    for one in lost:
        _shorten(one, kept)
    yield kept
    together = kept.copy()
    for one in sorted(lost, key=lambda one: -_worth(problem, one).max()):
        _gather(problem, one, together)
    if not np.array_equal(together, kept):
        yield together


def _shorten(parts: Parts, site: Ints) -> None:
    """Leave out, in place, the later parts until nothing is broken; all of them where they stand or fall together."""
    for p in reversed(parts.projects):
        if not any(broken(parts, site)):
            return
        site[p] = UNPLACED


def _worth(problem: Problem, parts: Parts) -> Floats:
    """(S,): what all the parts at a site are worth; -inf where one may not go."""
    rows = list(parts.projects)
    value = np.where(problem.eligible[rows], problem.score[rows] + problem.bonus[rows, None], -np.inf)
    return np.asarray(value.sum(axis=0))


def _gather(problem: Problem, parts: Parts, site: Ints) -> None:
    """Put, in place, all the parts on the site where they are worth most and find room beside other parts."""
    rows, worth = list(parts.projects), _worth(problem, parts)
    others = [p for one in problem.parts if one is not parts for p in one.projects]
    alone = problem.suppose(parts=(), resources=tuple(replace(one, minimum=None) for one in problem.resources))
    locked = problem.locked != UNPLACED
    for s in np.argsort(-worth, kind="stable")[:_MOST_TRIES]:
        tried = np.where(locked, problem.locked, UNPLACED)
        tried[others], tried[rows] = site[others], s
        if np.isfinite(worth[s]) and not verify(alone, tried):
            site[rows] = s
            return


# ---- rows of the exact programme ----


def counted(problem: Problem) -> list[tuple[int, int]]:
    """The parts, by number, and sites that need a column which says whether a part is there."""
    return [
        (number, s)
        for number, one in enumerate(problem.parts)
        if one.most_sites is not None and 1 < one.most_sites < len(one.projects)
        for s in np.flatnonzero(problem.eligible[list(one.projects)].any(axis=0)).tolist()
    ]


def part_rows(problem: Problem, task: Program, model: Model, first: int) -> Iterator[Row]:
    """Rows that keep what binds parts.

    Parameters
    ----------
    problem : Problem
    task : Program
        Its columns say where projects go.
    model : Model
        Of the problem, with locked projects taken out.
    first : int
        Where the columns of `counted` begin.
    """
    columns = {number: first + at for at, number in enumerate(counted(problem))}
    for number, one in enumerate(problem.parts):
        for before, after in zip(one.projects, one.projects[1:], strict=False):
            yield from _before(task, model, before, after, is_one=one.most_sites == 1, is_both=one.order == "together")
        used = {s: column for (n, s), column in columns.items() if n == number}
        for p in one.projects if used else ():
            for s, at in _places(task, model, p).items():
                here, constant = at
                yield [*here, used[s]], [1.0] * len(here) + [-1.0], -constant
        if used:
            yield list(used.values()), [1.0] * len(used), float(one.most_sites or 0)


def _places(task: Program, model: Model, p: int) -> dict[int, tuple[list[int], float]]:
    """Of each site that a project may have: its columns there, and 1 where it is locked to it."""
    if model.locked[p] != UNPLACED:
        return {int(model.site[model.locked[p]]): ([], 1.0)}
    found: dict[int, tuple[list[int], float]] = {}
    for column in np.flatnonzero(task.p == p).tolist():
        found.setdefault(int(model.site[task.s[column]]), ([], 0.0))[0].append(column)
    return found


def _before(task: Program, model: Model, before: int, after: int, *, is_one: bool, is_both: bool) -> Iterator[Row]:
    """The later part only with the one before, site by site where they share it; and the other way round for both."""
    first, second = _places(task, model, before), _places(task, model, after)
    groups = [[s] for s in sorted({*first, *second})] if is_one else [sorted({*first, *second})]
    nowhere: tuple[list[int], float] = ([], 0.0)
    for sites in groups:
        sums = [[each.get(s, nowhere) for s in sites] for each in (first, second)]
        (a, fixed_a), (b, fixed_b) = (
            ([column for columns, _ in one for column in columns], sum(constant for _, constant in one)) for one in sums
        )
        yield [*b, *a], [1.0] * len(b) + [-1.0] * len(a), fixed_a - fixed_b
        if is_both:
            yield [*a, *b], [1.0] * len(a) + [-1.0] * len(b), fixed_b - fixed_a


def start_columns(problem: Problem, site: Ints) -> list[bool]:
    """The columns of `counted` in a plan."""
    used = {(n, int(site[p])) for n, one in enumerate(problem.parts) for p in one.projects}
    return [each in used for each in counted(problem)]
