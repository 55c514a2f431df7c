"""The ten best of 2,500 sites for each of up to 100,000 projects, on 20 criteria, with contributions, streamed.

Run: ``uv run --group cluster python benchmarks/scoring_screen.py [--scheduler tcp://HOST:8786] [--projects N …]``

No peer does this; the yardstick is the obvious numpy: all values of a project as a table, one product, one argsort.
"""

import argparse
import os
import resource
import time

import numpy as np

from geo_cluster.scoring.screen import OfClass, OfMargin, OfSite, screen

SITES, SEGMENTS, ORIGINS, TOP = 2_500, 12, 40, 10


def nation(projects: int) -> list[OfSite | OfClass | OfMargin]:
    """20 criteria: 8 of the site, 7 of class and site, 5 of what is offered over what is needed (2 of them required)."""
    rng = np.random.default_rng(0)
    segment, origin = rng.integers(0, SEGMENTS, projects), rng.integers(0, ORIGINS, projects)
    return [
        *(OfSite(rng.random(SITES)) for _ in range(8)),
        *(OfClass(rng.random((SEGMENTS, SITES)), segment) for _ in range(4)),
        *(OfClass(rng.random((ORIGINS, SITES)), origin) for _ in range(3)),
        *(OfMargin(rng.gamma(2, 20, SITES), rng.gamma(2, 5, projects) + 0.1, required=at < 2) for at in range(5)),
    ]


def obvious(criteria: list[OfSite | OfClass | OfMargin], weights: np.ndarray, projects: int) -> np.ndarray:
    best = np.empty((projects, TOP), dtype=int)
    for project in range(projects):
        columns = []
        eligible = np.ones(SITES, dtype=bool)
        for criterion in criteria:
            match criterion:
                case OfSite():
                    columns.append(criterion.values)
                case OfClass():
                    columns.append(criterion.values[criterion.class_of[project]])
                case _:
                    ratio = criterion.offer / criterion.need[project]
                    columns.append(np.clip((ratio - criterion.worst) / (criterion.best - criterion.worst), 0, 1))
                    if criterion.required:
                        eligible &= ratio >= criterion.worst
        score = np.where(eligible, np.column_stack(columns) @ weights, -np.inf)
        order = np.argsort(-score, kind="stable")[:TOP]
        best[project] = np.where(np.isfinite(score[order]), order, -1)
    return best


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scheduler")
    parser.add_argument("--projects", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    weights = np.random.default_rng(1).dirichlet(np.ones(20))
    where = options.scheduler or f"{os.cpu_count()} threads"
    print(f"top {TOP} of {SITES} sites, 20 criteria, {where}")
    for projects in options.projects:
        criteria = nation(projects)
        for name, w in (("shared weights", weights), ("own weights", np.tile(weights, (projects, 1)))):
            start = time.perf_counter()
            first, total = None, 0
            for best in screen(criteria, w, top=TOP, scheduler=options.scheduler):
                first = best if first is None else first
                total += len(best.project)
            seconds = time.perf_counter() - start
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"{projects:7d} projects, {name:14s}  {seconds:7.2f} s  {total / seconds:8.0f} projects/s  {memory:.2f} GB"
            )
    few = 300
    start = time.perf_counter()
    expected = obvious(criteria, weights, few)
    seconds = time.perf_counter() - start
    found = np.concatenate([best.site for best in screen([*criteria], weights, top=TOP, block=few)][:1])
    print(
        f"obvious numpy, {few} projects: {few / seconds:8.0f} projects/s; same sites: {np.array_equal(found, expected)}"
    )
