"""Compiled kernels: a solve doesn't need them, and who may not write finds what the installer compiled."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from geo_cluster.matching import Problem, Resource, solve
from geo_cluster.matching.engine import kernels
from geo_cluster.matching.engine.threads import one_blas_thread


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    score = np.where(rng.random((20, 10)) < 0.7, rng.random((20, 10)).round(2) * 100, np.nan)
    land = Resource("land", "mu", rng.integers(5, 30, 20), np.arange(10), rng.integers(20, 50, 10))
    power = Resource("power", "MVA", rng.integers(1, 9, 20), np.arange(10) // 3, [20.0, 25.0, 18.0, 6.0])
    return Problem(score, [land, power], bonus=50.0)


def wait_for(results):
    """A stand-in for `kernels.ready` with these answers, the last again and again."""

    def ready(within_s=0.0):
        time.sleep(within_s)
        return results.pop(0) if len(results) > 1 else results[0]

    return ready


def test_without_kernels_the_plan_is_proven_and_the_limit_holds(problem, monkeypatch):
    usual = solve(problem, time_limit_s=60)
    monkeypatch.setattr(kernels, "ready", wait_for([False]))
    begun = time.monotonic()
    found = solve(problem, time_limit_s=2)
    assert time.monotonic() - begun < 3
    assert (found.status, found.objective, found.violations) == ("optimal", usual.objective, ())


def test_kernels_that_come_in_time_give_the_plan_of_every_later_solve(problem, monkeypatch):
    usual = solve(problem, time_limit_s=60)
    monkeypatch.setattr(kernels, "ready", wait_for([False, False, False, True]))
    assert solve(problem, time_limit_s=60).sha256 == usual.sha256


@pytest.mark.slow
@pytest.mark.parametrize("told", [False, True], ids=["nowhere to write", "NUMBA_CACHE_DIR"])
def test_what_was_compiled_at_install_serves_whoever_may_not_write(told, tmp_path):
    (tmp_path / "kernel.py").write_text(
        textwrap.dedent("""
        from geo_cluster.matching.engine.compiled import compiled
        @compiled
        def double(x):
            return 2 * x
        """)
    )
    run = "import kernel; kernel.double(2); print(sum(kernel.double.stats.cache_hits.values()))"
    locked = """
    from numba.core import caching
    def refuse(self):
        raise PermissionError(13, "read-only")
    caching._CacheLocator.ensure_cache_path = refuse
    """
    hits = []
    for before in ("", textwrap.dedent(locked) if not told else ""):
        # no folder can be made in /dev/null, whoever we are
        paths = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent}", "HOME": "/dev/null"}
        if told and hits:
            paths["NUMBA_CACHE_DIR"] = "/dev/null/none"
        done = subprocess.run(
            [sys.executable, "-c", f"{before}\n{run}"],
            env=paths,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        hits.append(int(done.stdout))
    assert hits == [0, 1]


def test_linear_algebra_has_its_threads_back_after_the_last_of_two_solves():
    def threads():
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    before = threads()
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(threads()) == {1}
    second.__exit__(None, None, None)
    assert threads() == before


@pytest.mark.parametrize(("limit", "answer", "ended"), [(60, None, "proof"), (0, None, "clock"), (60, False, "asked")])
def test_a_plan_says_why_its_search_ended(problem, limit, answer, ended):
    assert solve(problem, time_limit_s=limit, progress=lambda _: answer).ended == ended
