"""Runs in the background: one for all visitors of a scenario, as many at once as there are cores, the others queue."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from app.background import StoppedError, Task
from geo_cluster.domain import Scenario
from geo_cluster.matching.plan import Progress
from geo_cluster.study import Study

KEPT, KEPT_BYTES = 8, 1 << 29
"""How many runs that have ended are kept at most, and how large their draws may be together; the last is always."""


BEFORE_A_PLAN = ("region", "eligibility", "scoring", "matching")
"""Steps that need not begin once a run is stopped: no plan comes before the last of them."""


@dataclass(eq=False)
class Job(Task):
    """One run of a scenario; stopped, it ends at the next news with the plan in hand, before that with nothing.

    Attributes
    ----------
    state : {"queued", "running", "done", "failed"}
    step : str
        What the pipeline is at.
    news : list of Progress
        Worth and bound of the plan in hand as they came.
    study : Study
        Once done.
    """

    scenario: Scenario
    state: Literal["queued", "running", "done", "failed"] = "queued"
    step: str = ""
    news: list[Progress] = field(default_factory=list)
    study: Study | None = None


class Jobs:
    """The runs of this server by scenario id.

    Parameters
    ----------
    run : callable
        `geo_cluster.study.run`.
    at_once : int
        How many run at the same time.
    """

    def __init__(self, run: Callable[..., Study], *, at_once: int | None = None):
        self._run, self._jobs = run, dict[str, Job]()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(at_once or os.cpu_count() or 1)

    def find(self, scenario: Scenario) -> Job | None:
        """The run of a scenario, if there is one."""
        return self._jobs.get(scenario.id)

    def start(self, scenario: Scenario, run: Callable[..., Study] | None = None) -> Job:
        """Run a scenario; the run that there is already when it is under way or has ended well.

        Parameters
        ----------
        scenario : Scenario
        run : callable, optional
            Another function than that of all.
        """
        with self._lock:
            job = self._jobs.get(scenario.id)
            if job and job.state != "failed" and not (job.ended and job.stopped):
                return job
            job = Job(scenario)
            self._jobs.pop(scenario.id, None)
            self._jobs[scenario.id] = job
            self._forget()
        threading.Thread(
            target=self._work, args=[job, run or self._run], daemon=True, name=f"run-{scenario.id}"
        ).start()
        return job

    def _forget(self) -> None:
        """Let the oldest of those go that are too many, or too much."""
        left = KEPT_BYTES
        for number, (key, job) in enumerate((k, one) for k, one in reversed(list(self._jobs.items())) if one.ended):
            left -= job.study.decision.nbytes if job.study else 0
            if number and (number >= KEPT or left < 0):
                del self._jobs[key]

    def ahead(self, job: Job) -> int:
        """How many runs are under way or queued before this one."""
        with self._lock:
            jobs = [one for one in self._jobs.values() if not one.ended]
        return jobs.index(job) if job in jobs else 0

    def clear(self) -> None:
        """Forget what has ended."""
        with self._lock:
            self._jobs = {key: job for key, job in self._jobs.items() if not job.ended}

    def _work(self, job: Job, run: Callable[..., Study]) -> None:
        def step(name: str) -> None:
            if job.stopped and name in BEFORE_A_PLAN:
                raise StoppedError  # it has no plan yet
            job.step = name

        def news(progress: Progress) -> bool:
            if progress.is_new:
                job.news.append(progress)
            return not job.stopped

        with self._slots:
            job.state, job.began = "running", time.monotonic()
            with job.under_way("a run"):
                try:
                    job.study = run(job.scenario, on_step=step, progress=news)
                finally:
                    job.state = "done" if job.study else "failed"
            _give_back()


def _give_back() -> None:
    """Let the system have what a run no longer needs; glibc would keep it for each of the threads that ran."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
