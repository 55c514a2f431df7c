"""The app ends at once when it is told to, whatever runs and whoever is there, and leaves no file behind."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE_S = 3.0
"""How long what is done at the end may take."""


@contextmanager
def at_once() -> Iterator[None]:
    """Run the server, and end with it: runs, scripts and native code under way are not waited for."""
    for name in ("SIGTERM", "SIGHUP"):  # until the server listens to them by itself, or as it never does
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)
    code = 1
    try:
        yield
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        _end(code)


def _stop(number: int, _: FrameType | None) -> None:
    if number == signal.SIGTERM:
        sys.exit(128 + number)
    signal.raise_signal(signal.SIGTERM)


def _end(code: int) -> None:
    """Take away what is temporary, then go without waiting for any thread."""
    last = threading.Timer(PATIENCE_S, os._exit, [code])
    last.daemon = True
    last.start()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    atexit._run_exitfuncs()
    os._exit(code)
