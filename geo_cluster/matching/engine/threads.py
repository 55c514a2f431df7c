"""Linear algebra on one thread while a plan is sought: its matrices are small, and threads wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import scipy.linalg  # noqa: F401 - so that its library is there to be limited
from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_solves, _limit = [0], ExitStack()  # solves side by side share one limit; whoever ends last lifts it
_libraries = cache(ThreadpoolController)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit the linear algebra of the whole process to one thread."""
    with _lock:
        if not _solves[0]:
            _limit.enter_context(_libraries().limit(limits=1, user_api="blas"))
        _solves[0] += 1
    try:
        yield
    finally:
        with _lock:
            _solves[0] -= 1
            if not _solves[0]:
                _limit.close()
