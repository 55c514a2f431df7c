"""The compiled kernels of all searches: made ready once a process, beside whatever else goes on."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_making: threading.Thread | None = None
_ready, _located = threading.Event(), threading.Event()


def make() -> None:
    """Load what was compiled, half a second, or compile it, ten seconds and more, and keep it on disk."""
    from geo_cluster.matching.engine import anneal, branch, cuts, knapsack, located

    for each in (knapsack, cuts, anneal, branch):
        each.warm()
    _ready.set()
    located.warm()
    _located.set()


def ready(within_s: float = 0.0, *, located: bool = False) -> bool:
    """Whether they are, or those of facility location too, made last; the first who asks has them made, beside."""
    global _making
    with _lock:
        if _making is None and not _ready.is_set():
            _making = threading.Thread(target=make, name="kernels", daemon=True)
            _making.start()
    return (_located if located else _ready).wait(within_s)
