"""Where batches are worked out: in this process, in one for each core, or on a Dask cluster; always in order.

What is the same for every batch is handed over once. No more batches are under way than there are hands for, so memory
stays bounded, and whoever stops has what came before.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, TypeVar

from geo_cluster import cluster, scratch
from geo_cluster.errors import Fault, InputError, reason_of

Made = TypeVar("Made")
Work = Callable[[Any, Any], Made]
"""What makes something of what all batches share and of one batch; a function of a module, as it has to travel."""

ALONE = 3
"""So few batches are done before other processes would have begun."""


def in_order(
    work: Work[Made], shared: object, pieces: Sequence[object], *, scheduler: str = "", workers: int = 0
) -> Iterator[Made]:
    """Results of `work(shared, piece)` in the order of the pieces.

    Parameters
    ----------
    work : callable
    shared : object
        Handed to each process once.
    pieces : sequence
        Batches.
    scheduler : str
        Address of a Dask cluster (`tcp://host:8786`); this machine, when empty.
    workers : int
        Processes on this machine; by default one a core, or none where there is little to do.

    Raises
    ------
    InputError
        There is no such cluster, or it went away; a process was killed.
    """
    if scheduler:
        return _on_cluster(work, shared, pieces, scheduler)
    workers = workers or (1 if len(pieces) <= ALONE else cores())
    if workers == 1:
        return (work(shared, piece) for piece in pieces)
    return _in_processes(work, shared, pieces, workers)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_shared: list[Any] = []
"""What all batches share, in a process that does some of them."""


def _begin(file: str) -> None:
    """Begin a process: it ends when its parent says so, and its numbers take one core.

    What all batches share comes as a file: through the pipe that starts a process, one that died early would block us.
    """
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    threadpool_limits(1)
    _shared[:] = [pickle.loads(Path(file).read_bytes())]


def _follow_parent() -> None:
    """End with the parent, however it ends."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _one(work: Work[Made], piece: object) -> Made:
    return work(_shared[0], piece)


def _in_processes(work: Work[Made], shared: object, pieces: Sequence[object], workers: int) -> Iterator[Made]:
    with scratch.temporary() as folder:
        file = folder / "shared"
        file.write_bytes(pickle.dumps(shared, pickle.HIGHEST_PROTOCOL))
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(str(file),))
        try:
            yield from _followed(lambda piece: pool.submit(_one, work, piece), pieces, workers + 1)
        except BrokenProcessPool:
            raise InputError(Fault("intake.process_killed", "geo-cluster score")) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _on_cluster(work: Work[Made], shared: object, pieces: Sequence[object], scheduler: str) -> Iterator[Made]:
    try:
        from distributed import Client
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        client = Client(scheduler, timeout=10)
    except ImportError:
        raise InputError(Fault("intake.no_dask", "--scheduler")) from None
    except (OSError, ValueError) as problem:
        fault = Fault("intake.no_scheduler", "--scheduler", address=scheduler, reason=reason_of(problem))
        raise InputError(fault) from None
    with ExitStack() as stack:
        stack.callback(client.close, timeout=5)
        try:
            sent = cluster.Sent(client, shared)
            hands = 2 * max(sum(client.nthreads().values()), 1)
            yield from _followed(lambda piece: sent.submit(work, piece), pieces, hands)
        except (CommClosedError, CancelledError, KilledWorker, cluster.NoWorkerError, OSError) as problem:
            fault = Fault("intake.scheduler_gone", "--scheduler", address=scheduler, reason=type(problem).__name__)
            raise InputError(fault) from None


def _followed(submit: Callable[[object], Any], pieces: Sequence[object], ahead: int) -> Iterator[Any]:
    """Results in order, never more than `ahead` of them under way or waiting."""
    waiting: deque[Any] = deque()
    for piece in pieces:
        waiting.append(submit(piece))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
