"""What the runs in the background keep."""

import gc
import re
import statistics
import sys
from pathlib import Path

import pytest

from app.jobs import Jobs
from geo_cluster import study
from tests import world

RUNS = 30


def memory_mb():
    told = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return int(re.search(r"Anonymous:\s+(\d+)", told)[1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="as Linux counts memory")
def test_memory_does_not_grow_from_run_to_run():
    """In the last ten runs there is hardly more than in the ten before; each study kept would be some 4 MB."""
    layers, projects = world.layers(), world.projects()
    runs = Jobs(lambda scenario, **told: study.run(scenario, layers, projects=projects, **told), at_once=2)
    curve = []
    for number in range(RUNS):
        job = runs.start(world.scenario(seed=number, draws=4_000))
        while not job.wait(1.0):
            pass
        assert job.study is not None, job.refusal
        gc.collect()
        curve.append(memory_mb())
    assert statistics.median(curve[-10:]) - statistics.median(curve[-20:-10]) < 2, curve
