"""Every family, one instance after the other: HiGHS, CP-SAT and ours in the same run, and the curve of ours.

    python benchmarks/matching_suite.py [SECONDS] [--only WORD] [--folder FOLDER]

SECONDS is the limit of each solver, 60 when left out. `--only` keeps what has the word in its name, such as "e 20".
FOLDER holds files of the OR-Library's generalised assignment problems (gap1.txt … gap12.txt, gapa.txt … gape.txt),
which are read as they come; none are shipped. Prints a Markdown table, with the day. Run it on a machine that does
nothing else.
"""

import argparse
import datetime
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matching import with_cp_sat, with_highs
from matching_instances import PRICE, instance

from geo_cluster.matching import Problem, Resource, solve, verify
from geo_cluster.matching.solve import warm
from geo_cluster.matching.verify import objective

OURS = [
    *[("random", 60, 29, seed) for seed in range(950, 958)],
    *[(family, 200, 60, seed) for family in ("random", "region") for seed in (4, 7)],
    *[(family, 1000, 200, 4) for family in ("random", "region")],
]
LITERATURE = [(kind, jobs, agents, 1) for kind in "abcdef" for jobs in (100, 200) for agents in (5, 10, 20)] + [
    ("f", 150, 30, 1),
    ("f", 200, 30, 1),
]
MOMENTS = (1, 2, 5, 10, 20, 60)


def problems(folder: Path | None) -> Iterator[tuple[str, Problem]]:
    for family, projects, sites, seed in OURS + LITERATURE:
        name = f"{family} {projects} × {sites}" if family in ("random", "region") else f"{family} {sites} × {projects}"
        yield f"{name}, seed {seed}", instance(family, projects, sites, seed)
    for path in sorted(folder.glob("gap*.txt")) if folder else ():
        yield from read(path)


def read(path: Path) -> Iterator[tuple[str, Problem]]:
    """Problems of a file of the OR-Library: agents, jobs, costs or profits, what a job takes, capacities."""
    numbers = iter(np.array(path.read_text().split(), dtype=float))
    for number in range(int(next(numbers))):
        agents, jobs = int(next(numbers)), int(next(numbers))
        worth, weight = (np.array([next(numbers) for _ in range(agents * jobs)]).reshape(agents, jobs) for _ in "cw")
        room = np.array([next(numbers) for _ in range(agents)])
        least = path.stem[3:] in set("abcde")  # costs; gap1 … gap12 have profits
        hours = Resource("hours", "h", weight.T, np.arange(agents), room)
        yield f"{path.stem} {number + 1}", Problem((-worth if least else worth).T, [hours], bonus=PRICE * least)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("seconds", nargs="?", type=float, default=60.0)
    asked.add_argument("--only", default="")
    asked.add_argument("--folder", type=Path)
    given = asked.parse_args()
    warm()
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {given.seconds:g} s each\n")
    print("| instance | solver | objective | bound | bound - objective | seconds |\n|---|---|---:|---:|---:|---:|")
    for name, problem in problems(given.folder):
        if given.only not in name:
            continue
        curve: list = []
        for solver in ("HiGHS", "CP-SAT", "ours"):
            begun = time.perf_counter()
            if solver == "ours":
                ours = solve(problem, time_limit_s=given.seconds, progress=curve.append)
                plan, bound = ours.site, ours.bound
            else:
                plan, bound = {"HiGHS": with_highs, "CP-SAT": with_cp_sat}[solver](problem, given.seconds)
            took, value = time.perf_counter() - begun, objective(problem, plan)
            broken = " BROKEN" if verify(problem, plan) else ""
            print(
                f"| {name} | {solver}{broken} | {value:.1f} | {bound:.1f} | {bound - value:.1f} | {took:.1f} |",
                flush=True,
            )
        by = [[each for each in curve if each.elapsed_s <= moment] for moment in MOMENTS]
        seen = [f"{m} s {c[-1].bound - c[-1].objective:.1f}" for m, c in zip(MOMENTS, by, strict=True) if c]
        print(f"| | left over time | {', '.join(seen)} | | | |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    main()
