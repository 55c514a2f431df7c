"""All tiles of a screening, on this machine or a Dask cluster, to files that are the same byte for byte.

A tile that is done lies in a hidden folder of the output until all are; whoever stops, or is stopped, goes on from
there. The answer's files appear at the end, whole, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo_cluster import cluster
from geo_cluster.errors import Fault, InputError, Place, reason_of, refuse_if
from geo_cluster.suitability import exclusions, surfaces
from geo_cluster.suitability.grid import TILE, Grid, Window
from geo_cluster.suitability.screen import Screen
from geo_cluster.suitability.surfaces import CODE, SCORE
from geo_cluster.world import spreadsheet
from geo_cluster.world.layers import Layers

TABLE, ABOUT = "exclusions.csv", "screening.json"
BYTES_A_CELL = 16
"""Room that a run takes on the disk while it makes its files, at most."""

FORM = 2
"""Of what a run leaves on its way; one of another form is not gone on with."""

OnTile = Callable[[int, int], object]
"""Called with how many tiles are done, of how many."""


@dataclass(frozen=True, eq=False)
class Answer:
    """A finished screening.

    Parameters
    ----------
    folder : Path
    grid : Grid
    cells : int
        Of the area.
    free, unknown : int
        Cells that no rule takes; cells of which one can't say.
    exclusions : DataFrame
        As in `exclusions.table`.
    """

    folder: Path
    grid: Grid
    cells: int
    free: int
    unknown: int
    exclusions: pd.DataFrame

    @property
    def score(self) -> Path:
        """The score surface: likely, low, high, in points."""
        return self.folder / SCORE

    @property
    def code(self) -> Path:
        """Which rule takes each cell."""
        return self.folder / CODE

    @property
    def free_pct(self) -> float:
        """Share of the area that is free, percent."""
        return 100.0 * self.free / max(self.cells, 1)


def run(
    screen: Screen,
    out: Path,
    *,
    scheduler: str = "",
    tile: int = TILE,
    workers: int | None = None,
    on_tile: OnTile = lambda _done, _of: None,
) -> Answer:
    """Screen all of the grid.

    Parameters
    ----------
    screen : Screen
    out : Path
        Folder for the files; tiles that an earlier run of the same spec finished there are kept.
    scheduler : str
        Address of a Dask cluster (`tcp://host:8786`), whose workers see the same files; this machine when empty.
    tile : int
        Cells along the side of a tile; no answer depends on it.
    workers : int, optional
        Threads on this machine; one a core by default.
    on_tile : callable
        What it raises stops the run, as Ctrl-C does: tiles that are done stay.

    Returns
    -------
    Answer

    Raises
    ------
    InputError
        A source can't be used, the disk is full, the cluster can't be reached or a worker died; what is finished stays
        for the next run, and no file of the answer is there.
    """
    _check_room(screen, out)
    with _named(out):
        work = _work_folder(screen, out, tile)
        windows = list(screen.grid.tiles(tile))
        todo = [one for one in windows if not _mark(work, one).exists()]
        done = len(windows) - len(todo)
        on_tile(done, len(windows))
        with ExitStack() as stack:
            found = _on_cluster(screen, todo, scheduler, stack) if scheduler else _here(screen, todo, workers, stack)
            for window, answer in found:
                refuse_if(answer if isinstance(answer, list) else [])
                _keep(work, screen.grid, window, answer)
                done += 1
                on_tile(done, len(windows))
        answer = _assembled(screen, work, windows, out)
        shutil.rmtree(work)
        return answer


@contextmanager
def _named(out: Path) -> Iterator[None]:
    """What the system refuses, as a fault."""
    try:
        yield
    except OSError as problem:
        raise InputError(Fault("suitability.not_written", out, reason=reason_of(problem))) from None


def key_of(screen: Screen, tile: int) -> str:
    """Names a run by its spec, its tiles, and the files and layers as they are now."""
    parts: list[Any] = [FORM, screen.spec.model_dump_json(), tile]
    for row in screen.spec.sources.values():
        if row.file:
            path = screen.spec.path(row)
            files = sorted(path.rglob("*")) if path.is_dir() else [path]
            parts += [(str(one), one.stat().st_size, one.stat().st_mtime_ns) for one in files if one.is_file()]
    parts.append(Layers(screen.spec.layers).key)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _work_folder(screen: Screen, out: Path, tile: int) -> Path:
    """Where finished tiles are kept; those of another run go."""
    work = out / f".tiles-{key_of(screen, tile)}"
    for old in out.glob(".tiles-*"):
        if old != work:
            shutil.rmtree(old)
    work.mkdir(parents=True, exist_ok=True)
    return work


def _check_room(screen: Screen, out: Path) -> None:
    """Refuse a run that the disk can't hold."""
    there = next(one for one in (out, *out.absolute().parents) if one.exists())
    needs, room = screen.grid.rows * screen.grid.columns * BYTES_A_CELL, shutil.disk_usage(there).free
    for one in out.glob(".tiles-*/*"):
        held = one.stat()  # a file that tiles are put into has holes: its size is no measure
        room += getattr(held, "st_blocks", held.st_size // 512) * 512
    if room < needs:
        raise InputError(Fault("suitability.no_room", out, needs=needs / 1e9, room=room / 1e9))


def _tile(screen: Screen, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray, int] | list[Fault]:
    """Code, scores, counts and cells of a tile; or the faults, which a cluster would lose in an exception."""
    try:
        part = screen.part(window)
    except InputError as refusal:
        return refusal.faults
    return part.stack.code, part.bands(screen.weight), part.stack.counts, part.stack.cells


def _here(screen: Screen, todo: list[Window], workers: int | None, stack: ExitStack) -> Iterator[tuple[Window, Any]]:
    count = workers or os.cpu_count() or 1
    pool = ThreadPoolExecutor(count)
    stack.callback(pool.shutdown, wait=True, cancel_futures=True)
    return _in_turn(lambda one: pool.submit(_tile, screen, one), todo, count + 1)


def _on_cluster(screen: Screen, todo: list[Window], scheduler: str, stack: ExitStack) -> Iterator[tuple[Window, Any]]:
    try:
        from distributed import CancelledError, Client, KilledWorker
        from distributed.comm import CommClosedError

        client = stack.enter_context(Client(scheduler, timeout=10))
    except ImportError:
        raise InputError(Fault("intake.no_dask", "--scheduler")) from None
    except (OSError, ValueError) as problem:
        fault = Fault("intake.no_scheduler", "--scheduler", address=scheduler, reason=reason_of(problem))
        raise InputError(fault) from None
    ahead = 2 * max(sum(client.nthreads().values()), 1)
    try:
        sent = cluster.Sent(client, screen)
        yield from _in_turn(lambda one: sent.submit(_tile, one), todo, ahead)
    except (KilledWorker, CancelledError, CommClosedError, TimeoutError, cluster.NoWorkerError):
        raise InputError(Fault("suitability.worker_died", "--scheduler", address=scheduler)) from None


def _in_turn(submit: Callable[[Window], Any], todo: list[Window], ahead: int) -> Iterator[tuple[Window, Any]]:
    """Answers in order, never more than `ahead` under way or waiting: memory stays bounded."""
    waiting: deque[tuple[Window, Any]] = deque()
    for window in todo:
        waiting.append((window, submit(window)))
        if len(waiting) >= ahead:
            first, found = waiting.popleft()
            yield first, found.result()
    while waiting:
        first, found = waiting.popleft()
        yield first, found.result()


def _mark(work: Path, window: Window) -> Path:
    """The file that says that a tile is done: its counts."""
    return work / f"{window}.json"


def _keep(work: Path, grid: Grid, window: Window, answer: tuple[np.ndarray, np.ndarray, np.ndarray, int]) -> None:
    code, scores, counts, cells = answer
    surfaces.write_tile(work, CODE, grid, window, code[None])
    surfaces.write_tile(work, SCORE, grid, window, scores)
    free, unknown = int((code == exclusions.FREE).sum()), int((code == exclusions.UNKNOWN).sum())
    said = {"counts": counts.tolist(), "cells": cells, "free": free, "unknown": unknown}
    part = work / f".{secrets.token_hex(4)}"
    part.write_text(json.dumps(said), encoding="utf-8")
    part.replace(_mark(work, window))


def _assembled(screen: Screen, work: Path, windows: list[Window], out: Path) -> Answer:
    """The answer's files, made beside their places and put there at the end."""
    told = [json.loads(_mark(work, one).read_text(encoding="utf-8")) for one in windows]
    rules = len(screen.spec.exclusions)
    counts = np.sum([np.reshape(one["counts"], (rules, 3)) for one in told], axis=0).astype(np.int64)
    cells, free, unknown = (sum(one[key] for one in told) for key in ("cells", "free", "unknown"))
    refuse_if([Fault("suitability.no_area", Place("grid", key="area"))] if not cells else [])
    turned = exclusions.turned_round(screen.spec, screen.sources, counts, cells)
    refuse_if(
        [
            Fault("suitability.turned_round", Place("exclusions", key=key), share=exclusions.TURNED_ROUND)
            for key in turned
        ]
    )
    taken = exclusions.table(screen.spec, counts, cells, screen.grid.cell_ha)
    about = {"grid": vars(screen.grid), "cells": cells, "free": free, "unknown": unknown}
    about |= {"spec": screen.spec.model_dump(mode="json"), "sources": surfaces.owed(screen.spec)}
    for name in (SCORE, CODE):
        surfaces.assemble(screen, work, name)
    (work / TABLE).write_bytes(spreadsheet.as_csv(taken))
    (work / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    for name in (SCORE, CODE, TABLE, ABOUT):
        (work / name).replace(out / name)
    return Answer(out, screen.grid, cells, free, unknown, taken)


def opened(folder: Path) -> Answer:
    """A finished screening of an earlier day.

    Raises
    ------
    InputError
        There is none.
    """
    if not (folder / ABOUT).is_file():
        raise InputError(Fault("suitability.no_screening", folder))
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    taken = spreadsheet.bared(pd.read_csv(folder / TABLE, encoding="utf-8-sig"))
    return Answer(folder, Grid(**about["grid"]), about["cells"], about["free"], about["unknown"], taken)
