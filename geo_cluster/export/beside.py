"""A process beside this one that makes files of a pack, so that two cores are at work.

It is given the order once, then the name of a format at a time, and gives back the files or what was refused.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from geo_cluster.errors import DataError, InputError

if TYPE_CHECKING:
    from geo_cluster.export.pack_makers import Order

BEGIN = "from geo_cluster.export import beside; beside.serve()"
TRIES = 20
REFUSALS = {"InputError": InputError, "DataError": DataError}


class Beside:
    """The process; it ends with the block that it is used in."""

    def __init__(self, order: Order) -> None:
        self._order = _taken_down(order)

    def __enter__(self) -> Beside:
        quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", BEGIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | quiet,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def hand_over(self) -> None:
        """Give it the order.

        Raises
        ------
        OSError
            It has ended.
        """
        self._say(self._order)

    def make(self, form: str) -> dict[str, bytes]:
        """The files of a format by name.

        Raises
        ------
        InputError, DataError
            What was refused.
        EOFError, OSError
            It has ended: nothing is known of this format.
        """
        self._say(pickle.dumps(form))
        assert self._process.stdout is not None
        kind, found = pickle.load(self._process.stdout)
        if kind in REFUSALS:
            raise REFUSALS[kind](found)
        return found

    def _say(self, thing: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(thing)
        self._process.stdin.flush()


def _taken_down(order: Order) -> bytes:
    """An order as bytes; another visitor may be asking the same study, whose answers are kept with it."""
    for _ in range(TRIES):
        try:
            return pickle.dumps(order)
        except RuntimeError:  # it kept one more just now
            time.sleep(0.05)
    return pickle.dumps(order)


def serve() -> None:
    """Make what is asked for until nobody asks any more; what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from geo_cluster.export.pack_makers import MAKERS

    order = pickle.load(sys.stdin.buffer)
    while True:
        try:
            form = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: tuple[str, object] = ("", MAKERS[form](order))
        except (InputError, DataError) as refusal:
            answer = (type(refusal).__name__, refusal.faults)
        pickle.dump(answer, answers)
        answers.flush()
