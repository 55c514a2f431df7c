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

RUNS = 20


def memory_mb():
    told = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return int(re.search(r"Anonymous:\s+(\d+)", told)[1]) / 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="as Linux counts memory")
def test_memory_does_not_grow_from_run_to_run():
    """After twenty runs there is hardly more than after fifteen: one study kept would be tens of MB."""
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
    assert statistics.median(curve[-5:]) - statistics.median(curve[-10:-5]) < 2, curve
