"""The compiled kernels of all searches: made ready once a process, beside whatever else goes on."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_making: threading.Thread | None = None
_ready = threading.Event()


def make() -> None:
    """Load what was compiled, half a second, or compile it, ten seconds and more, and keep it on disk."""
    from geo_cluster.matching.engine import anneal, branch, cuts, knapsack, located

    for each in (knapsack, cuts, anneal, branch, located):
        each.warm()
    _ready.set()


def ready(within_s: float = 0.0) -> bool:
    """Whether they are; the first who asks has them made, beside, and waits no longer than that."""
    global _making
    with _lock:
        if _making is None and not _ready.is_set():
            _making = threading.Thread(target=make, name="kernels", daemon=True)
            _making.start()
    return _ready.wait(within_s)
