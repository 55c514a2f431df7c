"""What is asked of a plan, in the background: each question once for all visitors, told as it goes, to be stopped."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from app.background import Task
from geo_cluster.matching.time_budget import stopped_by

KEPT = 64
"""Answers kept at most."""

Work = Callable[[Callable[[str], None]], Any]
"""Works an answer out; calls what it is given with the name of each step."""


@dataclass(eq=False, kw_only=True)
class Question(Task):
    """One question; stopped, it ends with what is known by then.

    Attributes
    ----------
    step : str
        What it is at.
    answer
        Once ended; None where it was refused.
    """

    step: str = ""
    answer: Any = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask it to stop: no solving again begins, one under way ends."""
        super().stop()
        self._stop.set()


class Questions:
    """The questions asked on this server, by key.

    Parameters
    ----------
    at_once : int
        How many are worked on at the same time; the cores by default.
    """

    def __init__(self, *, at_once: int | None = None):
        self._asked = dict[Hashable, Question]()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(at_once or os.cpu_count() or 1)

    def find(self, key: Hashable) -> Question | None:
        """The question of this key, if it was asked."""
        return self._asked.get(key)

    def begin(self, key: Hashable, work: Work) -> Question:
        """Ask, or join whoever did; what was stopped or refused is asked again.

        Parameters
        ----------
        key : hashable
        work : callable
        """
        with self._lock:
            there = self._asked.get(key)
            if there is not None and not (there.ended and (there.stopped or there.refusal)):
                return there
            task = Question()
            self._asked.pop(key, None)
            self._asked[key] = task
            for old in [one for one, asked in self._asked.items() if asked.ended][: -KEPT or None]:
                del self._asked[old]
        threading.Thread(target=self._work, args=[task, work], daemon=True, name="question").start()
        return task

    def clear(self) -> None:
        """Forget what has ended."""
        with self._lock:
            self._asked = {key: task for key, task in self._asked.items() if not task.ended}

    def _work(self, task: Question, work: Work) -> None:
        def step(name: str) -> None:
            task.step = name

        with self._slots:
            task.began = time.monotonic()
            with task.under_way("a question"), stopped_by(task._stop):
                task.answer = work(step)
