"""What every task of a Dask cluster needs, sent once; and tasks that outlive the worker that had it.

A cluster keeps no more copies of what was sent than it needs just now (its active memory manager), so the only one may
go with a worker. It is sent anew then, and what waited for it is asked again.
"""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

PATIENCE_S = 10.0
"""After so long without an answer a cluster is asked whether it still has workers."""


class NoWorkerError(Exception):
    """No worker is left."""


class Sent:
    """Something that all workers have.

    It travels as bytes: one worker after the other would import what an object is made of, and all wait for the last.

    Parameters
    ----------
    client : distributed.Client
    content : object
        What is sent; it is kept here, to be sent anew.
    """

    def __init__(self, client: Any, content: object) -> None:
        mark = secrets.token_bytes(8)  # files that an object has open are those of now, not of the last time
        self.client, self._content = client, pickle.dumps((mark, content), pickle.HIGHEST_PROTOCOL)
        self.there = client.scatter(self._content, broadcast=True)

    def submit(self, work: Callable[[Any, Any], Any], piece: object) -> Task:
        """Begin `work(content, piece)` on some worker."""
        return Task(self, work, piece, self.there, self.client.submit(_do, work, self.there, piece, pure=False))

    def anew(self, lost: object) -> None:
        """Send it again, unless that was done since."""
        if self.there is lost:
            if not self.client.nthreads():
                raise NoWorkerError
            self.there = self.client.scatter(self._content, broadcast=True)


def _do(work: Callable[[Any, Any], Any], content: bytes, piece: object) -> Any:
    return work(_opened(content), piece)


@lru_cache(maxsize=1)
def _opened(content: bytes) -> Any:
    """What was sent, opened once by each worker."""
    return pickle.loads(content)[1]


@dataclass
class Task:
    """A piece of work on a cluster; a scheduler whose last worker died would have us wait for ever."""

    sent: Sent
    work: Callable[[Any, Any], Any]
    piece: object
    needs: object
    future: Any

    def result(self) -> Any:
        """The answer, once it is there.

        Raises
        ------
        NoWorkerError
            There is nobody to work it out.
        """
        while True:
            try:
                return self.future.result(timeout=PATIENCE_S)
            except TimeoutError:
                if not self.sent.client.nthreads():
                    raise NoWorkerError from None
            except CancelledError:  # lost with a worker, or with the scheduler: then this is refused too
                self.sent.anew(self.needs)
                again = self.sent.submit(self.work, self.piece)
                self.needs, self.future = again.needs, again.future
