"""Screening at scale: the best sites of each of very many projects, streamed.

A score of every project on every site on every criterion would not fit in memory, and need not: a criterion depends on
the site alone, or on the project's class and the site, or on what the site offers for what the project needs. Each
block of projects is scored from tables of the first two kinds, plus a few passes for the third; only its best sites
are kept and explained. Blocks run on all cores, or on a Dask cluster, and come back in order.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo_cluster.errors import Fault, Place, refuse_if
from geo_cluster.scoring.aggregate import Array, as_weights

Single = NDArray[np.float32]

# Sites beyond `top` that are kept by the fast single-precision score, so that the exact one decides at the cut.
SPARE = 6


@dataclass(frozen=True)
class OfSite:
    """A criterion that depends on the site alone.

    Parameters
    ----------
    values : ndarray, (S,)
        In [0, 1].
    """

    values: NDArray[Any]


@dataclass(frozen=True)
class OfClass:
    """A criterion that depends on the site and on a class of the project, such as its segment or where it starts.

    Parameters
    ----------
    values : ndarray, (K, S)
        In [0, 1], for each class and site.
    class_of : ndarray of int, (P,)
        Class of each project.
    """

    values: NDArray[Any]
    class_of: NDArray[Any]


@dataclass(frozen=True)
class OfMargin:
    """A criterion that depends on what the site offers over what the project needs: ``offer / need``.

    Parameters
    ----------
    offer : ndarray, (S,)
        0 or more, such as net hectares.
    need : ndarray, (P,)
        Above 0, in the same unit.
    worst, best : float
        Ratios worth 0 and 1; straight between.
    required : bool
        Whether a site that offers less than ``worst`` times the need is no site for the project.
    """

    offer: NDArray[Any]
    need: NDArray[Any]
    worst: float = 1.0
    best: float = 2.0
    required: bool = False


CriterionValues = OfSite | OfClass | OfMargin


@dataclass(frozen=True)
class Best:
    """The best sites of a block of projects, the best first.

    Parameters
    ----------
    project : ndarray of int, (B,)
        Places of the projects.
    site : ndarray of int, (B, top)
        Places of their best sites; -1 where fewer are eligible.
    score : ndarray, (B, top)
        nan where there is no site.
    contributions : ndarray, (B, top, C)
        Weight times value; they add up to the score.
    """

    project: NDArray[np.intp]
    site: NDArray[np.intp]
    score: Array
    contributions: Array


def screen(
    criteria: Sequence[CriterionValues],
    weights: ArrayLike,
    *,
    projects: int | None = None,
    top: int = 10,
    block: int = 256,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[Best]:
    """Find the best sites of each project by additive score.

    Parameters
    ----------
    criteria : sequence of OfSite, OfClass or OfMargin, (C,)
    weights : array-like, (C,) or (P, C)
        Of all projects, or of each.
    projects : int, optional
        P; needed only if nothing in `criteria` and `weights` says it.
    top : int
        Sites kept per project.
    block : int
        Projects scored at once by one worker: block × sites × 12 bytes of memory.
    workers : int, optional
        Threads on this machine; default one per core. Ignored with a `scheduler`.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://10.0.0.1:8786"``; its workers need this package. Same result.

    Yields
    ------
    Best
        Blocks in the order of the projects.

    Raises
    ------
    InputError
        With every fault, before any block is scored.
    """
    problem = _Problem.of(criteria, weights, projects, top)
    blocks = [np.arange(start, min(start + block, problem.projects)) for start in range(0, problem.projects, block)]
    return _on_cluster(problem, blocks, scheduler) if scheduler else _on_threads(problem, blocks, workers)


@dataclass(frozen=True)
class _Problem:
    """What every worker needs: site by site values in rows, and which of them each project draws on."""

    weights: Array  # (1 or P, C)
    rows: Array  # (R, S): one row per site criterion, one per class of each class criterion
    row_of: NDArray[np.intp]  # (P or 1, F): rows that a project draws on, one per fixed criterion
    fixed: NDArray[np.intp]  # (F,): places of the site and class criteria
    margins: dict[int, OfMargin]  # by place
    summed: tuple[tuple[Single, NDArray[np.intp]], ...]  # weighted tables and (P or 1,) rows, if weights are shared
    projects: int
    top: int

    @classmethod
    def of(cls, criteria: Sequence[CriterionValues], weights: ArrayLike, projects: int | None, top: int) -> _Problem:
        faults: list[Fault] = []
        weight = np.atleast_2d(as_weights(weights, "weights", len(criteria), faults))
        counts = {"weights": len(weight)} if np.ndim(weights) == 2 else {}
        for at, criterion in enumerate(criteria):
            faults += _faults(f"criteria[{at}]", criterion)
            if isinstance(criterion, OfClass | OfMargin):
                per_project = criterion.class_of if isinstance(criterion, OfClass) else criterion.need
                counts[f"criteria[{at}]"] = len(per_project)
        sites = {f"criteria[{at}]": _sites(criterion) for at, criterion in enumerate(criteria)}
        total = next(iter(counts.values()), projects)
        if total is None:
            faults.append(Fault("scoring.projects_unsaid", "projects"))
        faults += [
            Fault("scoring.projects_differ", where, count=count, found=total)
            for where, count in counts.items()
            if count != total
        ]
        first = next(iter(sites.values()), 0)
        faults += [
            Fault("scoring.sites_differ", where, count=count, found=first)
            for where, count in sites.items()
            if count != first
        ]
        if top < 1:
            faults.append(Fault("scoring.top_below_one", "top", top=top))
        refuse_if(faults)
        by_place = {at: criterion for at, criterion in enumerate(criteria) if not isinstance(criterion, OfMargin)}
        fixed = list(by_place)
        tables = [np.atleast_2d(np.asarray(criterion.values, dtype=np.float64)) for criterion in by_place.values()]
        starts = np.cumsum([0, *map(len, tables)])
        classes = [
            np.asarray(criterion.class_of) if isinstance(criterion, OfClass) else np.zeros(1, dtype=np.intp)
            for criterion in by_place.values()
        ]
        row_of = (
            np.stack(np.broadcast_arrays(*classes), axis=-1) + starts[:-1] if fixed else np.zeros((1, 0), dtype=np.intp)
        )
        rows = np.concatenate(tables) if fixed else np.zeros((0, _sites(criteria[0])))
        return cls(
            weight,
            rows,
            row_of.astype(np.intp),
            np.array(fixed, dtype=np.intp),
            {at: criterion for at, criterion in enumerate(criteria) if isinstance(criterion, OfMargin)},
            _summed(tables, classes, weight[0, fixed]) if len(weight) == 1 else (),
            int(total or 0),
            min(top, rows.shape[1]),
        )


def _best(problem: _Problem, project: NDArray[np.intp]) -> Best:
    """Score one block of projects and keep the best sites of each."""
    everyone = np.zeros(len(project), dtype=np.intp)
    weight = problem.weights[project if len(problem.weights) > 1 else everyone]
    row = problem.row_of[project if len(problem.row_of) > 1 else everyone]
    score = _fixed_score(problem, project, weight, row)
    part = np.empty_like(score)
    for at, margin in problem.margins.items():
        slope, start = _line(margin, project)
        np.multiply(slope[:, None], np.asarray(margin.offer, dtype=np.float32), out=part)
        part += start
        if margin.required:
            np.copyto(score, -np.inf, where=part < -1e-6)
        np.clip(part, 0.0, 1.0, out=part)
        part *= weight[:, [at]].astype(np.float32)
        score += part
    keep = min(problem.top + SPARE, score.shape[1])
    site = np.argpartition(score, score.shape[1] - keep, axis=1)[:, -keep:]
    return _explained(problem, project, site, weight, row)


def _fixed_score(problem: _Problem, project: NDArray[np.intp], weight: Array, row: NDArray[np.intp]) -> Single:
    """Score (B, S) from the criteria that are tables."""
    if problem.summed:
        total = np.zeros((len(project), problem.rows.shape[1]), dtype=np.float32)
        for table, class_of in problem.summed:
            total += table[class_of[project]] if len(class_of) > 1 else table[class_of]
        return total
    # weights of their own: one matrix product, with a project's weight at each row it draws on
    spread = np.zeros((len(project), len(problem.rows)), dtype=np.float32)
    np.put_along_axis(spread, row, weight[:, problem.fixed].astype(np.float32), axis=1)
    return spread @ problem.rows.astype(np.float32)


def _summed(
    tables: list[Array], classes: list[NDArray[np.intp]], weights: Array
) -> tuple[tuple[Single, NDArray[np.intp]], ...]:
    """Criteria of one and the same class, weighted and added up into one table."""
    sums: list[tuple[Single, NDArray[np.intp]]] = []
    for table, class_of, weight in zip(tables, classes, weights, strict=True):
        weighted = (table * weight).astype(np.float32)
        for at, (total, known) in enumerate(sums):
            if np.array_equal(known, class_of) and len(total) == len(table):
                sums[at] = (total + weighted, known)
                break
        else:
            sums.append((weighted, np.asarray(class_of)))
    return tuple(sums)


def _explained(
    problem: _Problem, project: NDArray[np.intp], site: NDArray[np.intp], weight: Array, row: NDArray[np.intp]
) -> Best:
    """Exact contributions of the sites kept; their sum is the score that decides the order."""
    parts = np.empty((*site.shape, weight.shape[1]))
    parts[..., problem.fixed] = problem.rows[row[:, None, :], site[..., None]]
    eligible = np.ones(site.shape, dtype=bool)
    for at, margin in problem.margins.items():
        ratio = np.asarray(margin.offer, dtype=np.float64)[site] / np.asarray(margin.need)[project][:, None]
        parts[..., at] = np.clip((ratio - margin.worst) / (margin.best - margin.worst), 0.0, 1.0)
        eligible &= (ratio >= margin.worst) | (not margin.required)
    parts *= weight[:, None, :]
    score = parts.sum(axis=-1)
    # ties by place, so that the answer does not depend on how the work was cut up
    order = np.lexsort((site, -score, ~eligible), axis=1)[:, : problem.top]
    site, score, eligible = (np.take_along_axis(array, order, axis=1) for array in (site, score, eligible))
    parts = np.take_along_axis(parts, order[..., None], axis=1)
    parts[~eligible] = np.nan
    return Best(project, np.where(eligible, site, -1), np.where(eligible, score, np.nan), parts)


def _line(margin: OfMargin, project: NDArray[np.intp]) -> tuple[Single, np.float32]:
    """Value before clipping = slope · offer + start."""
    span = margin.best - margin.worst
    slope = (1 / (np.asarray(margin.need)[project] * span)).astype(np.float32)
    return slope, np.float32(-margin.worst / span)


def _on_threads(problem: _Problem, blocks: list[NDArray[np.intp]], workers: int | None) -> Iterator[Best]:
    count = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        yield from _in_order(lambda project: pool.submit(_best, problem, project), blocks, 2 * count)


def _on_cluster(problem: _Problem, blocks: list[NDArray[np.intp]], scheduler: str) -> Iterator[Best]:
    from distributed import Client  # optional: the dependency group `cluster`

    with ExitStack() as stack:
        client = stack.enter_context(Client(scheduler))
        shared = client.scatter(problem, broadcast=True)
        ahead = 4 * max(sum(client.nthreads().values()), 1)
        yield from _in_order(lambda project: client.submit(_best, shared, project, pure=False), blocks, ahead)


def _in_order(submit: Callable[[NDArray[np.intp]], Any], blocks: list[NDArray[np.intp]], ahead: int) -> Iterator[Best]:
    """Results in order, never more than `ahead` of them under way or waiting: memory stays bounded."""
    waiting: deque[Any] = deque()
    for project in blocks:
        waiting.append(submit(project))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _sites(criterion: CriterionValues) -> int:
    return np.shape(criterion.offer if isinstance(criterion, OfMargin) else criterion.values)[-1]


def _faults(where: str, criterion: CriterionValues) -> list[Fault]:
    if isinstance(criterion, OfMargin):
        need, offer = np.asarray(criterion.need, dtype=np.float64), np.asarray(criterion.offer, dtype=np.float64)
        checks = [
            ("need", (np.isfinite(need) & (need > 0)).all(), "scoring.need_not_positive"),
            ("offer", (np.isfinite(offer) & (offer >= 0)).all(), "scoring.offer_unknown"),
            ("worst, best", criterion.worst < criterion.best, "scoring.ends_not_rising"),
        ]
        return [Fault(code, Place(where, key=key)) for key, is_right, code in checks if not is_right]
    values = np.asarray(criterion.values, dtype=np.float64)
    faults = []
    if not ((values >= 0) & (values <= 1)).all():
        faults.append(Fault("scoring.values_outside", Place(where, key="values")))
    if isinstance(criterion, OfClass):
        known = np.asarray(criterion.class_of)
        if not ((known >= 0) & (known < len(values))).all():
            faults.append(Fault("scoring.unknown_class", Place(where, key="class_of"), last=len(values) - 1))
    return faults
