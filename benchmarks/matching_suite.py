"""Every family, one instance after the other: HiGHS, CP-SAT and ours in the same run, and the curve of ours.

    python benchmarks/matching_suite.py [SECONDS] [--only WORD] [--folder FOLDER]

SECONDS is the limit of each solver, 60 when left out. `--only` keeps what has the word in its name, such as "e 20".
FOLDER holds files of the literature (`matching_files`), which are read as they come; none are shipped. Prints a
Markdown table, with the day. Run it on a machine that does nothing else.
"""

import argparse
import datetime
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from matching import with_cp_sat, with_highs, worth
from matching_files import read
from matching_instances import instance

from geo_cluster.matching import Problem, solve, verify
from geo_cluster.matching.solve import warm

OURS = [
    *[("random", 60, 29, seed) for seed in range(950, 958)],
    *[(family, 200, 60, seed) for family in ("random", "region") for seed in (4, 7)],
    *[(family, 1000, 200, 4) for family in ("random", "region")],
]
LITERATURE = [(kind, jobs, agents, 1) for kind in "abcdef" for jobs in (100, 200) for agents in (5, 10, 20)] + [
    ("f", 150, 30, 1),
    ("f", 200, 30, 1),
    ("h", 150, 30, 1),
    ("h", 200, 30, 1),
    ("h", 500, 100, 1),
    ("m", 200, 200, 1),
    ("m", 400, 400, 1),
]
MOMENTS = (1, 2, 5, 10, 20, 60)


def problems(folder: Path | None) -> Iterator[tuple[str, Problem]]:
    for family, projects, sites, seed in OURS + LITERATURE:
        name = f"{family} {projects} × {sites}" if family in ("random", "region") else f"{family} {sites} × {projects}"
        yield f"{name}, seed {seed}", instance(family, projects, sites, seed)
    if folder:
        yield from read(folder)


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
            took, value = time.perf_counter() - begun, worth(problem, plan)
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
