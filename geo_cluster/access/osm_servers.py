"""Asking OpenStreetMap's servers through osmnx: patiently, and never for ever.

A server that refuses, is slow, breaks off or answers something else is asked again, then the refusal says what it did.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlparse

from geo_cluster.errors import DataError, Fault

USER_AGENT = "geo-cluster (industrial site planning; uses OSMnx)"
KNOCK_S, KNOCK_PAUSE_S = 10.0, 3.0
"""How long a server may take to answer at all, and how long to wait before trying one that didn't again.

A busy server is worth a minute; one that isn't there, or that a firewall hides, is named within a minute in all.
"""
LONGEST_PAUSE_S = 300.0

Progress: TypeAlias = Callable[[str, float], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Servers:
    """Whom to ask, and how patiently.

    Attributes
    ----------
    overpass_url, nominatim_url : str
        Servers. An Overpass server on this machine is not asked for a free slot first.
    timeout_s : float
        How long a server may be silent.
    attempts : int
        How often to ask before giving up.
    pause_s : float
        How long to wait after a refusal; it doubles each time, or is what the server asks for.
    """

    overpass_url: str = "https://overpass-api.de/api"
    nominatim_url: str = "https://nominatim.openstreetmap.org/"
    timeout_s: float = 180.0
    attempts: int = 4
    pause_s: float = 15.0

    def faults(self) -> list[Fault]:
        """List the numbers that can't be used."""
        faults = []
        if not self.timeout_s > 0:
            faults.append(Fault("access.timeout_not_positive", "timeout_s", value=float(self.timeout_s)))
        if self.attempts < 1:
            faults.append(Fault("access.no_attempts", "attempts", value=self.attempts))
        if self.pause_s < 0:
            faults.append(Fault("access.pause_negative", "pause_s", value=float(self.pause_s)))
        return faults


PUBLIC = Servers()
"""The servers of the OpenStreetMap community."""


class Refusal(Exception):  # noqa: N818  (a signal between osmnx's hook and the one who asks)
    """A server answered, or didn't, in a way that another try may mend."""

    def __init__(self, fault: Fault, wait_s: float | None = None):
        super().__init__(str(fault))
        self.fault, self.wait_s = fault, wait_s


@dataclass
class Session:
    """What the person is shown, and what the servers answered.

    Attributes
    ----------
    servers : Servers
    progress : callable of (str, float)
        Shown what is going on, and the share done.
    as_of : list of str
        Dates that Overpass gives of its data.
    subject, share : str, float
        What is asked for now, and the share done.
    """

    servers: Servers
    progress: Progress
    as_of: list[str] = field(default_factory=list)
    subject: str = ""
    share: float = 0.0
    _reached: set[str] = field(default_factory=set)
    _attempt: int = 1

    def report(self, text: str) -> None:
        """Show what is going on."""
        self.progress(f"{self.subject}: {text}" if self.subject else text, self.share)

    def ask(self, url: str, question: Callable[[], T]) -> T:
        """Ask a server, again after a refusal, waiting longer each time.

        Parameters
        ----------
        url : str
            The server, of `Servers`.
        question : callable
            Asks it through osmnx; what was answered before is not asked again.

        Returns
        -------
        object
            The answer.

        Raises
        ------
        DataError
            What the server did at the last try.
        """
        from requests.exceptions import RequestException

        pause, host = self.servers.pause_s, str(urlparse(url).netloc)
        for attempt in range(1, self.servers.attempts + 1):
            self._attempt = attempt
            try:
                self._knock(url, host)
                return question()
            except Refusal as signal:
                refusal = signal
            except RequestException as error:
                reason = type(error).__name__
                refusal = Refusal(Fault("access.server_silent", host, reason=reason, attempt=attempt))
            if attempt < self.servers.attempts:
                wait = pause if refusal.wait_s is None else refusal.wait_s
                self.report(f"{host} {refusal.fault.what}; asking again in {wait:.0f} s")
                time.sleep(min(wait, LONGEST_PAUSE_S))
                pause *= 2
        raise DataError(refusal.fault) from refusal

    def inspect(self, answer: Any) -> None:
        """Look at an answer before osmnx does: it would sleep 55 s on a refusal, for ever, and take half an answer.

        Parameters
        ----------
        answer : requests.Response

        Raises
        ------
        Refusal
            For an answer that can't be used.
        """
        address = urlparse(answer.url)
        if address.path.endswith("/status"):
            return
        host, attempt = str(address.netloc), self._attempt
        if answer.status_code in (429, 502, 503, 504):
            wait = answer.headers.get("Retry-After", "")
            about = {"status": answer.status_code, "reason": str(answer.reason), "attempt": attempt}
            raise Refusal(Fault("access.server_busy", host, **about), float(wait) if wait.isdigit() else None)
        content = answer.content  # read here, so that a broken connection shows here
        try:
            found = json.loads(content)
        except ValueError:
            about = {"status": answer.status_code, "bytes": len(content), "attempt": attempt}
            if content.lstrip()[:1] == b"<":
                raise Refusal(Fault("access.server_shows_a_page", host, **about)) from None
            raise Refusal(Fault("access.server_breaks_off", host, **about)) from None
        if isinstance(found, dict):
            if "remark" in found:
                remark = str(found["remark"])
                raise Refusal(Fault("access.server_gives_up", host, remark=remark, attempt=attempt))
            self.as_of.append(str(found.get("osm3s", {}).get("timestamp_osm_base", "")))
            self.report(f"{len(content) / 1e6:.2f} MB, {len(found.get('elements', [])):,} elements")

    def _knock(self, url: str, host: str) -> None:
        """See once whether a server is there; for one that isn't, osmnx would wait minutes and say nothing."""
        import requests

        if host in self._reached:
            return
        self.report(f"trying {host}")
        try:
            requests.head(url, timeout=KNOCK_S, headers={"User-Agent": USER_AGENT})
        except requests.ReadTimeout:  # it is there and thinks
            pass
        except requests.RequestException as error:
            reason, pause = type(error).__name__, min(KNOCK_PAUSE_S, self.servers.pause_s)
            fault = Fault("access.server_not_there", host, reason=reason, attempt=self._attempt)
            raise Refusal(fault, pause) from None
        self._reached.add(host)


@contextmanager
def lent_osmnx(session: Session, answers: Path) -> Iterator[Any]:
    """Lend osmnx, which has one set of settings for a whole process, with ours; give it back as it was.

    Parameters
    ----------
    session : Session
    answers : Path
        Folder in which answers are kept for a second try.

    Yields
    ------
    module
        osmnx.
    """
    import osmnx as ox

    servers = session.servers
    local = urlparse(servers.overpass_url).hostname in ("127.0.0.1", "localhost", "::1")
    ours = {
        "overpass_url": servers.overpass_url,
        "nominatim_url": servers.nominatim_url,
        "overpass_rate_limit": not local,
        "requests_timeout": servers.timeout_s,
        "requests_kwargs": {"hooks": {"response": lambda answer, **_: session.inspect(answer)}},
        "use_cache": True,
        "cache_folder": answers,
        "cache_only_mode": False,
        "http_user_agent": USER_AGENT,
        "http_referer": USER_AGENT,
        "http_accept_language": "zh,en",
        "doh_url_template": None,
    }
    before = {key: getattr(ox.settings, key) for key in ours}
    resolve = socket.getaddrinfo  # osmnx replaces it to hold on to one server
    try:
        for key, value in ours.items():
            setattr(ox.settings, key, value)
        yield ox
    finally:
        socket.getaddrinfo = resolve
        for key, value in before.items():
            setattr(ox.settings, key, value)
