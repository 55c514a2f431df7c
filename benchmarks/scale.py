"""Time and memory of a study against its size, from files to files, and the part that grows fastest.

    python benchmarks/scale.py [--projects 100 300 1000 3000] [--sites 2500] [--gap 0.01] [--limit 300]

Each size runs in a process of its own on made-up projects at the shipped sites, or at made-up ones: the portfolio is
written as a CSV, read, studied, and every file written. Seconds are processor time; memory is the most the process
held. The last line names the part that grows fastest between the two largest sizes, as a power of the number of
projects. The README's curve goes on to 10,000, which takes another minute and a half and 3.8 GB.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from own_sites import write_sites

TOTAL_OUTPUT = 400.0
"""Output of all projects together, 100 M yuan: about what the shipped sites have room for."""


def write_projects(count: int, folder: Path) -> Path:
    """A scenario with `count` made-up projects in a folder."""
    from geo_cluster.world import catalog

    rng, segments = np.random.default_rng(1), [one.name.zh for one in catalog.segments().values()]
    with (folder / "mine.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["编号", "名称", "细分环节", "年产值(亿元)", "投产年份", "用地(亩)"])
        for number in range(count):
            output = round(float(rng.lognormal(np.log(TOTAL_OUTPUT / count), 0.7)), 3)
            land = max(0.1, round(output * float(rng.uniform(5, 12)), 1)) if rng.random() < 0.3 else ""
            rows.writerow(
                [f"Q{number:05d}", f"示例{number}", rng.choice(segments), output, rng.integers(2028, 2032), land]
            )
    return folder / "s.toml"


def one(count: int, sites: int, gap: float, limit: float) -> dict[str, float]:
    """Processor seconds of each part of a study of `count` projects, and its memory in MB.

    Parameters
    ----------
    count : int
    sites : int
        So many made-up sites; 0 for the shipped ones.
    gap, limit : float
        `mip_gap` and `time_limit_s` of the scenario.
    """
    from geo_cluster import study
    from geo_cluster.export import bundle, csv_tables, geopackage
    from geo_cluster.maps import page, payload
    from geo_cluster.report import tables
    from geo_cluster.scenarios import read_scenario

    seconds: dict[str, float] = {}
    began, wall = time.process_time(), time.perf_counter()

    def done(part: str) -> None:
        nonlocal began
        now = time.process_time()
        seconds[part] = seconds.get(part, 0.0) + now - began
        began = now

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_projects(count, folder)
        lines = ['name = { zh = "大", en = "big" }', f'portfolio = "{folder}/mine.csv"']
        lines += [f"mip_gap = {gap}", f"time_limit_s = {limit}"]
        if sites:
            lines.append(f'layers = "{write_sites(sites, folder / "own")}"')
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        began = time.process_time()
        scenario, projects = read_scenario(path)
        done("reading")
        steps: list[str] = []

        def on_step(step: str) -> None:
            if steps:
                done(steps[-1])
            steps.append(step)

        result = study.run(scenario, projects=projects, on_step=on_step)
        done(steps[-1])
        tables.ranking(result)
        done("ranking")
        tables.requests(result)
        done("requests")
        csv_tables.csv_tables(result)
        done("csv")
        geopackage.write_geopackage(result, folder / "layers.gpkg")
        done("gpkg")
        page.standalone(payload.payload(result, "zh"))
        done("map")
        bundle.scenario_toml(result.scenario)
    return seconds | {
        "all": sum(seconds.values()),
        "wall": time.perf_counter() - wall,
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "gap_pct": 100 * result.plan.gap,
        "placed": result.counts[0],
    }


def steepest(found: dict[int, dict[str, float]]) -> tuple[str, float]:
    """The part that grows fastest between the two largest sizes, of those that take a twentieth of all; its power."""
    small, large = sorted(found)[-2:]
    power = {
        part: math.log(found[large][part] / max(found[small][part], 0.01)) / math.log(large / small)
        for part in found[large]
        if part not in ("all", "wall", "gap_pct", "placed", "MB") and found[large][part] > 0.05 * found[large]["all"]
    }
    name = max(power, key=power.__getitem__)
    return name, power[name]


def main() -> None:
    """Print a column a size, a row a part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--projects", type=int, nargs="+", default=[100, 300, 1_000, 3_000])
    parser.add_argument("--sites", type=int, default=0, help="so many made-up ones in place of the shipped")
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--limit", type=float, default=600.0, help="most seconds of matching")
    parser.add_argument("--one", type=int, default=0, help="this size only, as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.sites, options.gap, options.limit)))
        return
    found: dict[int, dict[str, float]] = {}
    for count in options.projects:
        same = ["--sites", str(options.sites), "--gap", str(options.gap), "--limit", str(options.limit)]
        command = [sys.executable, __file__, "--one", str(count), *same]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[count] = json.loads(done.stdout.splitlines()[-1])
        print(f"{count:>8} projects: {found[count]['all']:8.1f} s, {found[count]['MB']:8.0f} MB", flush=True)
    print(f"{'':>12} " + " ".join(f"{count:>9}" for count in found))
    for part in next(iter(found.values())):
        print(f"{part:>12} " + " ".join(f"{row[part]:9.2f}" for row in found.values()))
    if len(found) > 1:
        name, power = steepest(found)
        print(f"grows fastest: {name}, with the power {power:.2f} of the number of projects")


if __name__ == "__main__":
    main()
