"""What every piece of work in the background has: whether it ended, was stopped or refused, and since when it runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from geo_cluster.errors import Fault, GeoClusterError, Place


class StoppedError(Exception):
    """Ends a piece of work that was stopped."""


@dataclass(eq=False, kw_only=True)
class Task:
    """A piece of work in the background.

    Attributes
    ----------
    refusal : GeoClusterError
        Once failed; None when it was stopped.
    stopped : bool
        Whether a visitor stopped it.
    began : float
        When it was asked for, or began, by `time.monotonic`.
    """

    refusal: GeoClusterError | None = None
    stopped: bool = False
    began: float = field(default_factory=time.monotonic)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._ended.is_set()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was asked for, or began."""
        return time.monotonic() - self.began

    def stop(self) -> None:
        """Ask it to stop; it does so where it next looks up."""
        self.stopped = True

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; whether it came."""
        return self._ended.wait(timeout_s)

    def look_up(self) -> None:
        """End it here, where it was stopped; see `under_way`."""
        if self.stopped:
            raise StoppedError

    @contextmanager
    def under_way(self, what: str) -> Iterator[None]:
        """Around the work itself: keeps what is refused, and ends the task however it ends.

        Parameters
        ----------
        what : str
            What it is, for the log.
        """
        try:
            yield
        except StoppedError:
            pass
        except GeoClusterError as refusal:
            self.refusal = refusal
        except Exception:
            self.refusal = _crashed(what)
        finally:
            self._ended.set()


def _crashed(what: str) -> GeoClusterError:
    """The refusal for a fault of ours, the one being handled; the log has how it came about."""
    logging.getLogger(__name__).exception("%s failed", what)
    return GeoClusterError(Fault("app.run_failed", Place("", kind="run")))
