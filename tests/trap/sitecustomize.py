"""For a server under test: writes down whatever wants to leave this machine, and lets none of it out."""

import ipaddress
import os
import socket
from pathlib import Path


def _is_outside(host):
    try:
        return not ipaddress.ip_address(host).is_loopback and str(host) not in ("0.0.0.0", "::")
    except ValueError:
        return host not in ("", "localhost", None)


def _trap(name, host):
    if _is_outside(host):
        with Path(os.environ["GEO_CLUSTER_TRAP"]).open("a", encoding="utf-8") as log:
            log.write(f"{name} {host}\n")
        raise OSError("the network is a trap")


_look_up, _connect = socket.getaddrinfo, socket.socket.connect


def getaddrinfo(host, *more, **named):
    _trap("look-up", host.decode() if isinstance(host, bytes) else host)
    return _look_up(host, *more, **named)


class Trapped(socket.socket):
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _trap("connection", address[0])
        return super().connect(address)


socket.getaddrinfo, socket.socket = getaddrinfo, Trapped
