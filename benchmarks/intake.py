"""`geo-cluster score` end to end: projects a second and memory by size, beside one project after the other.

Run: ``uv run python benchmarks/intake.py [--projects 1000 10000] [--scenario own.toml] [--scheduler tcp://HOST:8786]``

Every figure is of a process of its own, from files to files. `cpu` is that of the process and of all that it started,
so that a busy machine does not change it much; memory is the sum of the largest that each of them took. The yardstick
is what intake did before: a `Choice` of each project, weighed, with its verdict and its ranking (no files, no needs).
100,000 projects, some two minutes, are asked for with `--projects 100000`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from geo_cluster.world import catalog, portfolio, spreadsheet


def projects(count: int) -> pd.DataFrame:
    """Made-up projects of every segment, which state some of what they may state; nobody's plans."""
    rng, segments = np.random.default_rng(0), list(catalog.segments().values())
    output = rng.lognormal(1.3, 0.9, count).clip(0.3, 80).round(1)
    land = (output * rng.uniform(8, 18, count)).astype(int) + 1
    stated = {
        "year": (0.6, rng.integers(2027, 2033, count)),
        "land_mu": (0.4, [f"{one}-{int(one * 1.3) + 1}" for one in land]),
        "power_mva": (0.2, (output * rng.uniform(0.2, 0.6, count) + 0.1).round(2)),
        "max_minutes": (0.2, rng.integers(40, 240, count)),
        "investment_100m_yuan": (0.5, (output * rng.uniform(0.3, 1.2, count)).round(2)),
        "tax_100m_yuan": (0.3, (output * rng.uniform(0.02, 0.08, count)).round(3)),
    }
    rows = pd.DataFrame({"id": [f"P{n:06d}" for n in range(count)], "name": [f"示例 {n}" for n in range(count)]})
    rows["segment"] = [segments[one].name.zh for one in rng.integers(0, len(segments), count)]
    rows["output_100m_yuan"] = output.astype(str)
    for key, (share, values) in stated.items():
        rows[key] = [str(value) if says else "" for value, says in zip(values, rng.random(count) < share, strict=True)]
    return rows.rename(columns=portfolio.columns())


def whole(name: str, *more: str) -> dict[str, float]:
    """Seconds, CPU seconds and GB of one run of the command."""
    with tempfile.TemporaryDirectory() as out:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "geo_cluster.cli", "score", name, "--out", out, *more]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        most = 0.0
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(0.5)
        assert process.returncode == 0, command
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        size = sum(path.stat().st_size for path in Path(out).iterdir()) / 1e6
        return {"seconds": time.perf_counter() - start, "cpu": cpu, "memory_mb": most / 1e6, "files_mb": size}


def _memory(pid: int) -> float:
    """Bytes in memory of a process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_memory(int(one)) for one in below)


def one_by_one(name: str, count: int) -> float:
    """CPU seconds a project, one after the other."""
    from geo_cluster.intake import site_choice
    from geo_cluster.region import prepare
    from geo_cluster.scenarios import read_for_others

    region, rows = prepare(read_for_others("default")), portfolio.read(name).head(count)
    start = time.process_time()
    for choice in site_choice.choices(region, rows):
        weighed = site_choice.weigh(choice, {})
        site_choice.verdict(weighed)
        if choice.sites:
            site_choice.ranking(weighed)
    return (time.process_time() - start) / count


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--projects", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--scheduler", default="")
    parser.add_argument("--scenario", default="default", help="such as one with 2,500 sites of its own")
    parser.add_argument("--top", default="10")
    parser.add_argument("--format", default="csv")
    options = parser.parse_args()
    more = ["--scenario", options.scenario, "--top", options.top, "--format", options.format]
    more += ["--scheduler", options.scheduler] if options.scheduler else []
    with tempfile.TemporaryDirectory() as folder:
        for count in options.projects:
            path = Path(folder, f"{count}.csv")
            path.write_bytes(spreadsheet.as_csv(projects(count)))
            found = whole(str(path), *more)
            print(json.dumps({"projects": count, **{key: round(value, 1) for key, value in found.items()}}))
            print(
                f"{count:7d} projects {found['seconds']:8.1f} s {count / found['seconds']:8.0f} a second, "
                f"{1000 * found['cpu'] / count:6.2f} ms of CPU each, {found['memory_mb']:6.0f} MB"
            )
        each = one_by_one(str(Path(folder, f"{options.projects[0]}.csv")), 60)
        print(f"one after the other {1000 * each:6.2f} ms of CPU each (choice, verdict and ranking alone)")
