"""A process beside this one that makes files of a pack, so that two cores are at work.

It is given the order once, then the name of a format at a time, and gives back the files or what was refused. It is a
plain process and no pool of `multiprocessing`: that would run the app's own script again, and outlive an app that is
killed; this one ends when nobody can ask it any more.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from geo_cluster import scratch
from geo_cluster.errors import GeoClusterError

if TYPE_CHECKING:
    from geo_cluster.export.pack_makers import Order

BEGIN = "from geo_cluster.export import beside; beside.serve()"
TRIES = 20


class Beside:
    """The process, for an order."""

    def __init__(self, process: subprocess.Popen[bytes], order: Order) -> None:
        self._process, self._order = process, order
        self._knows = False

    def make(self, form: str) -> dict[str, bytes]:
        """The files of a format by name.

        Raises
        ------
        InputError, DataError
            What was refused.
        EOFError, OSError, UnpicklingError
            It has ended: nothing is known of this format.
        """
        asks, answers = self._process.stdin, self._process.stdout
        assert asks is not None
        assert answers is not None
        if not self._knows:
            asks.write(_taken_down(self._order))
            self._knows = True
        pickle.dump(form, asks)
        asks.flush()
        kind, found = pickle.load(answers)
        if kind is not None:
            raise kind(found)
        return found


@contextmanager
def beside(order: Order) -> Iterator[Beside]:
    """The process; it is ended with the block that it is used in, and its temporary files with it."""
    with scratch.temporary() as folder:
        settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        settings |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", BEGIN],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | settings,
        )
        try:
            yield Beside(process, order)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):  # what was not sent any more
                    pipe.close() if pipe else None


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
    gc.set_threshold(20_000, 20, 100)  # as in the command line
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from geo_cluster.export.pack_makers import MAKERS

    try:
        order = pickle.load(sys.stdin.buffer)
        while True:
            form = pickle.load(sys.stdin.buffer)
            try:
                answer: tuple[object, object] = (None, MAKERS[form](order))
            except GeoClusterError as refusal:
                answer = (type(refusal), refusal.faults)
            pickle.dump(answer, answers)
            answers.flush()
    except (EOFError, OSError):
        return
