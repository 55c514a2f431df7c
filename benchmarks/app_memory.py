"""Does the app's memory grow from run to run, and do files stay behind? (Linux)

    python benchmarks/app_memory.py [RUNS] [VISITORS]

Some visitors take turns: each changes a setting or the projects of a work of its own, runs it, looks at the plan on
the map, beside the last one, and what explains it; every tenth takes the files of the brief. All runs differ.
RUNS are 60 unless told; the README's figure is of 200.
"""

import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from app import cached
from geo_cluster import scratch
from geo_cluster.report import explanation, tables
from geo_cluster.workspace.repository import PROJECTS, Work
from geo_cluster.world import catalog
from geo_cluster.world.catalog import PORTFOLIOS


def memory_mb() -> float:
    """Memory of this process that is its own alone (anonymous)."""
    told = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"Anonymous:\s+(\d+)", told).group(1)) / 1024


def files_mb() -> tuple[int, float]:
    """Temporary files and how large they are together."""
    there = [path for path in Path(tempfile.gettempdir()).rglob("*") if path.is_file()]
    return len(there), sum(path.stat().st_size for path in there) / 2**20


@dataclass
class Visitor:
    """What a session holds: the last two studies, and files that were laid out for it."""

    number: int
    studies: list = field(default_factory=list)
    held: list = field(default_factory=list)

    def run(self, turn: int) -> None:
        """Change, run, look."""
        content = (PORTFOLIOS / "sample.csv").read_bytes()
        files = {PROJECTS: content + b"\n" * self.number} if turn % 2 else {}
        scenario = catalog.scenario().model_copy(update={"seed": turn})
        settled, held = cached.settled(Work(scenario, files))
        study = cached.study_of(settled)
        self.held = [*self.held[-3:], held]
        maps = [cached.plan_map(study, "zh")]
        if self.studies:
            before = dict(tables.assignment(self.studies[-1]).set_index("project")["site"])
            maps.append(cached.compared_map(study, "zh", before))
        cached.asked(explanation.feasibility_table, study)
        if turn % 10 == 0:
            cached.packed(cached.study_files(study, "zh"), f"{study.key}-zh")
        self.studies = [*self.studies[-1:], study]
        self.held.append(maps)


def main() -> None:
    runs, visitors = map(int, sys.argv[1:3] + ["60", "4"][len(sys.argv) - 1 :])
    tempfile.tempdir = tempfile.mkdtemp()
    people = [Visitor(number) for number in range(visitors)]
    began, curve = time.monotonic(), []
    for turn in range(1, runs + 1):
        people[turn % visitors].run(turn)
        curve.append(memory_mb())
        if turn in (1, 10) or turn % 20 == 0:
            count, size = files_mb()
            seconds = (time.monotonic() - began) / turn
            print(
                f"run {turn:4}: {curve[-1]:6.0f} MB, {count} files of {size:.0f} MB, {seconds:.2f} s a run", flush=True
            )
    if runs >= 10:
        print(f"after {runs} runs {curve[-1] / curve[9]:.2f} times of what it was after the first ten")
    scratch.remove()
    left = [path for path in Path(tempfile.gettempdir()).rglob("*") if path.is_file()]
    print(f"temporary files left at the end: {len(left)}")


if __name__ == "__main__":
    main()
