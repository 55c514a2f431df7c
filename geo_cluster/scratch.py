"""Temporary files of this process: in one folder that nobody else may read, gone when the process ends.

The folder is this process's as long as a lock on a file in it is held; the system lets go of the lock when the process
ends, however it ends. So whoever starts next knows what a killed one left, and takes it away.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geo_cluster.errors import DataError, Fault, Place, reason_of

PREFIX = "geo-cluster-"
LOCK = ".lock"

_guard = threading.RLock()
_own: dict[int, tuple[Path, int]] = {}
"""The folder of this process with the open lock, by process number: a child that was forked makes its own."""


def folder() -> Path:
    """The folder of this process, made when it is first asked for.

    Raises
    ------
    DataError
        There is no room for temporary files, or no right to write them.
    """
    with _guard:
        if os.getpid() not in _own:
            with _refusing():
                _sweep()
                _own.clear()  # what a parent had stays the parent's
                _own[os.getpid()] = _made()
            atexit.register(remove)
        return _own[os.getpid()][0]


def _made() -> tuple[Path, int]:
    """A new folder and its open lock; one that is swept away before it is locked is made again."""
    while True:
        place = Path(tempfile.mkdtemp(prefix=PREFIX))
        held = os.open(place / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        with suppress(OSError):
            _lock(held)
            if (place / LOCK).exists():
                return place, held
        os.close(held)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        place = Place("", kind="scratch")
        raise DataError(Fault("world.scratch_not_written", place, reason=reason_of(problem))) from None


@contextmanager
def temporary() -> Iterator[Path]:
    """A folder in it that is gone afterwards."""
    parent = folder()
    with _refusing():
        place = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def remove() -> None:
    """Take this process's folder away with all that is in it."""
    with _guard:
        place, held = _own.pop(os.getpid(), (None, -1))
        if place is not None:
            os.close(held)
            shutil.rmtree(place, ignore_errors=True)


def write(path: Path, content: bytes) -> None:
    """Write a file, for its owner alone: all of it, or a refusal and nothing.

    Raises
    ------
    DataError
        The disk is full, or the like.
    """
    part = path.with_name(f".{secrets.token_hex(6)}.part")
    with _refusing():
        try:
            for parent in reversed([one for one in path.parents if not one.exists()]):
                parent.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


class Held:
    """A file or folder that is there as long as somebody holds on to this object."""

    def __init__(self, path: Path):
        self.path = path
        weakref.finalize(self, _let_go, path).atexit = False


_held: weakref.WeakValueDictionary[Path, Held] = weakref.WeakValueDictionary()


def hold(path: Path) -> Held:
    """Hold on to a file or folder; it goes when the last one lets go."""
    with _guard:
        held = _held.get(path)
        if held is None:
            held = _held[path] = Held(path)
        return held


def _let_go(path: Path) -> None:
    with _guard:
        if path in _held:  # somebody took hold of it again meanwhile
            return
        with suppress(OSError):
            path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    """Take away what processes left that were killed."""
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if hasattr(os, "getuid") and place.lstat().st_uid != os.getuid():
                continue
            held = os.open(place / LOCK, os.O_RDWR)
            try:
                _lock(held)
            finally:
                os.close(held)
            shutil.rmtree(place, ignore_errors=True)


def _lock(held: int) -> None:
    """Lock an open file for this process, or raise OSError if another one holds it."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(held, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
