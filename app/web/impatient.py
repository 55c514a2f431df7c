"""HTTP that doesn't wait for ever: a request that never becomes whole is ended, and so is an answer nobody takes.

uvicorn closes connections that are idle between requests. One that sends half a request, or a byte now and then, it
would keep, and with some hundreds of them nobody else gets in.
"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class Impatient(H11Protocol):
    """A connection on which a request has to arrive in time, or steadily."""

    wait_s = 10.0
    """For a request to be there, head and body."""
    rate = 16_000
    """Bytes that have come earn time: one second for so many."""
    unread_s = 60.0
    """For somebody to take a part of the answer that waits for them."""
    most, most_each = 1000, 200
    """Connections at once, of all and of one address; one more is closed at once."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks that stand for many visitors."""
    most_head = 64 * 1024
    """Bytes that a head may have."""

    _since = _moved = 0.0
    _got = _waits = 0
    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to look at the clock."""
        super().connection_made(transport)
        if len(self.connections) > self.most or self._are_too_many():
            transport.abort()
            return
        self._since = self._moved = self.loop.time()
        self._set_alarm()

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        if self._is_complete():  # what comes now is another request, or it is one that comes too early
            self._since, self._got = self.loop.time(), 0
        self._got += len(data)
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Give the next request its own time."""
        self._since, self._got = self.loop.time(), 0
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._silence()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Look no more: websockets are asked now and then whether they are there."""
        self._silence()
        super().handle_websocket_upgrade(event)

    def _are_too_many(self) -> bool:
        clients = [getattr(one, "client", None) for one in self.connections]
        if self.client is None or sum(1 for one in clients if one and one[0] == self.client[0]) <= self.most_each:
            return False
        here = ipaddress.ip_address(self.client[0])
        return not any(here in ipaddress.ip_network(proxy) for proxy in self.proxies)

    def _is_complete(self) -> bool:
        return self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)

    def _set_alarm(self) -> None:
        self._alarm = self.loop.call_later(self.wait_s / 5, self._look)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _look(self) -> None:
        now, waits = self.loop.time(), self.transport.get_write_buffer_size()
        if not waits or waits < self._waits:
            self._moved = now
        self._waits = waits
        if waits or self.flow.read_paused:  # an answer is on its way, or it is we who are slow
            self._since = now
        late = not self._is_complete() and now > self._since + self.wait_s + self._got / self.rate
        if late or now > self._moved + self.unread_s:
            self.transport.abort()
        else:
            self._set_alarm()
