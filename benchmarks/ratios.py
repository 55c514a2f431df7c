"""How fast this checkout is, as ratios within one run: to peers, to plain numpy, to a fixed piece of work.

    python benchmarks/ratios.py [--peers] [--keep] [--check]

Each row does the same work twice, ours and a yardstick's, and prints how many times as long the yardstick takes. Times
are processor time of this process and its children, the least of several: what else runs on the machine hardly counts.
`last` is the ratio in the last release (`results/release.json`), `of last` ours as a share of that: below 1 is slower.
`--peers` adds the packages of the group `bench`; `--keep` writes `results/<commit>.json`, with day, machine and load;
`--check` ends with 1 where a ratio is under half of that of the last release.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"
RELEASE = RESULTS / "release.json"
LEAST = 0.5
"""A row is too slow whose ratio is less than so much of the last release's."""


TIMES = 20
WORK = f"fixed work x {TIMES}"


class Row(NamedTuple):
    """One measurement: seconds of ours, of the yardstick for as much of the same, and how many times as long."""

    name: str
    yardstick: str
    ours_s: float
    theirs_s: float

    @property
    def ratio(self) -> float:
        """Above 1 ours is faster."""
        return self.theirs_s / self.ours_s


def cpu_s() -> float:
    """Processor time of this process and of children that ended, seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def least(what: Callable[[], object], repeats: int) -> float:
    """Least seconds of several calls; one before, to warm up, where there are several."""
    if repeats > 1:
        what()
    seconds = []
    for _ in range(repeats):
        began = cpu_s()
        what()
        seconds.append(cpu_s() - began)
    return min(seconds)


def fixed_work() -> None:
    """Quantiles, a group-by and a loop, a tenth of a second: what a study is made of, without a line of ours."""
    rng = np.random.default_rng(0)
    np.quantile(rng.random((1000, 3000)), [0.05, 0.95], axis=0)
    table = pd.DataFrame({"key": rng.integers(0, 500, 100_000).astype(str), "value": rng.random(100_000)})
    table.groupby("key")["value"].mean().to_csv()
    total: dict[int, int] = {}
    for number in range(300_000):
        total[number % 97] = total.get(number % 97, 0) + number


def scoring(with_peers: bool) -> list[Row]:
    """Weighted sums with all ranks, TOPSIS, and the ten best of 2,500 sites."""
    from scoring_screen import TOP, nation, obvious

    from geo_cluster.scoring.aggregate import aggregate
    from geo_cluster.scoring.robustness import smaa
    from geo_cluster.scoring.screen import screen
    from geo_cluster.scoring.weights import sample_uniform

    values, weights = np.random.default_rng(0).random((200, 12)), sample_uniform(12, 10_000, seed=0)
    ours = least(lambda: [smaa(values, weights).acceptability for _ in range(3)], 3)
    plain = least(lambda: [np.argsort(weights @ values.T, axis=1) for _ in range(3)], 3)
    rows = [Row("rank acceptability, 10,000 draws x 200 sites", "product and argsort", ours, plain)]
    many, few, one = nation(5_000), nation(300), np.random.default_rng(1).dirichlet(np.ones(20))
    ours = least(lambda: list(screen(many, one, top=TOP)), 3)
    plain = least(lambda: obvious(few, one, 300), 2) * 5_000 / 300
    rows.append(Row("ten best of 2,500 sites, 5,000 projects", "numpy, one by one", ours, plain))
    if with_peers:
        from pymcdm.methods import TOPSIS
        from pymcdm.normalizations import vector_normalization

        types, method = np.ones(12), TOPSIS(vector_normalization)
        ours = least(lambda: [aggregate(values, weights, ["max"] * 12, method="topsis") for _ in range(5)], 3) / 5
        peer = least(lambda: [method(values, weight, types) for weight in weights[:500]], 2) * 20
        rows.append(Row("TOPSIS, 10,000 draws x 200 sites", "pymcdm", ours, peer))
    return rows


def matching(with_peers: bool) -> list[Row]:
    """Plans to proof, by ours and by HiGHS on the plain model."""
    from matching import with_cp_sat, with_highs
    from matching_instances import instance

    from geo_cluster.matching import solve
    from geo_cluster.matching.solve import warm

    warm()
    problem, name = instance("region", 60, 29, 3), "plan of 60 x 29, proven"  # well within the limit
    ours = least(lambda: solve(problem, time_limit_s=60), 2)
    rows = [Row(name, "HiGHS, plain model", ours, least(lambda: with_highs(problem, 60), 1))]
    if with_peers:
        rows.append(Row(name, "CP-SAT", ours, least(lambda: with_cp_sat(problem, 60), 1)))
    return rows


def product(work_s: float) -> list[Row]:
    """What a user runs, against a fixed piece of work: the study, its files, the command line."""
    from geo_cluster import study
    from geo_cluster.export.csv_tables import csv_tables
    from geo_cluster.world import catalog, portfolio

    scenario, sample = catalog.scenario(), portfolio.read("sample")
    many = pd.concat([sample.set_axis([f"{name}-{at}" for name in sample.index]) for at in range(7)])
    many.attrs = sample.attrs
    found = study.run(scenario.model_copy(update={"time_limit_s": 2.0}), projects=many)
    ours = least(lambda: study.run(scenario, projects=many, plan=found.plan), 2)
    rows = [Row(f"study of {len(many)} projects, plan at hand, no files", WORK, ours, work_s)]
    fresh = [replace(found) for _ in range(3)]  # a study keeps its tables; a copy has none
    rows.append(Row(f"tables of {len(many)} projects", WORK, least(lambda: csv_tables(fresh.pop()), 2), work_s))
    command = [sys.executable, "-m", "geo_cluster.cli"]
    bare = least(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), 3)
    shown = least(lambda: subprocess.run([*command, "--help"], check=True, capture_output=True), 3)
    rows.append(Row("geo-cluster --help", WORK, shown, work_s))
    refused = least(lambda: subprocess.run([*command, "study", "none.toml"], check=False, capture_output=True), 3)
    rows.append(Row("a scenario refused", WORK, refused, work_s))
    with tempfile.TemporaryDirectory() as folder:
        whole = [*command, "study", "--out", folder]
        rows.append(Row("default study, files to files", WORK, least(lambda: _quietly(whole), 1) - bare, work_s))
    return rows


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def too_slow(rows: Iterable[Row], release: Mapping[str, float]) -> list[str]:
    """What has less than `LEAST` of the last release's ratio, in words; rows that it didn't have are new."""
    return [
        f"{row.name} ({row.yardstick}): {row.ratio:.2f} times, {release[key_of(row)]:.2f} in the last release"
        for row in rows
        if row.ratio < LEAST * release.get(key_of(row), 0.0)
    ]


def key_of(row: Row) -> str:
    """By what a row is found again in the results of another commit."""
    return f"{row.name} | {row.yardstick}"


def as_json(rows: Iterable[Row]) -> str:
    """What is kept of a run: commit, machine, rows."""
    describe = ["git", "describe", "--always", "--dirty", "--exclude", "*"]  # a changed checkout isn't its commit
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    machine = {"python": platform.python_version(), "processor": processor(), "cores": os.cpu_count()}
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    found = {
        key_of(row): {
            "ours_s": round(row.ours_s, 5),
            "theirs_s": round(row.theirs_s, 5),
            "ratio": float(f"{row.ratio:.4g}"),
        }
        for row in rows
    }
    kept = {"commit": commit, "day": datetime.date.today().isoformat(), "machine": machine, "load": load, "rows": found}
    return json.dumps(kept, indent=1) + "\n"


def processor() -> str:
    """Its name where the system tells (Linux), else its kind."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def read(path: Path) -> dict[str, float]:
    """Ratio of each row of a run that was kept; empty where none was."""
    if not path.is_file():
        return {}
    return {key: row["ratio"] for key, row in json.loads(path.read_text(encoding="utf-8"))["rows"].items()}


def table(rows: Iterable[Row], release: Mapping[str, float]) -> str:
    """The rows for people, each beside the last release."""
    lines = [f"{'':<46} {'yardstick':<20} {'ours s':>8} {'theirs s':>9} {'times':>8} {'last':>8} {'of last':>8}"]
    for row in rows:
        before = release.get(key_of(row))
        last = f"{before:8.2f} {row.ratio / before:8.2f}" if before else f"{'-':>8} {'new':>8}"
        lines.append(
            f"{row.name:<46} {row.yardstick:<20} {row.ours_s:8.3f} {row.theirs_s:9.3f} {row.ratio:8.2f} {last}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, keep, check."""
    parser = argparse.ArgumentParser()
    for flag in ("--peers", "--keep", "--check"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    work_s = TIMES * least(fixed_work, 5)
    rows = [*scoring(options.peers), *matching(options.peers), *product(work_s)]
    release, kept = read(RELEASE), json.loads(as_json(rows))
    machine = kept["machine"]
    print(
        f"{kept['day']}, commit {kept['commit']}, {machine['processor']}, {machine['cores']} cores, "
        f"Python {machine['python']}, load {kept['load']}"
    )
    print(table(rows, release))
    if options.keep:
        path = RESULTS / f"{kept['commit']}.json"
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"kept as {path.relative_to(RESULTS.parents[1])}")
    slow = too_slow(rows, release) if options.check else []
    for one in slow:
        print(f"half as fast: {one}", file=sys.stderr)
    sys.exit(bool(slow))


if __name__ == "__main__":
    main()
