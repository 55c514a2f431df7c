"""How the app is served: where it listens, by which names people open it, and whose word on visitors it takes."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from geo_cluster import toml
from geo_cluster.errors import Fault, InputError, reason_of, refuse_if
from geo_cluster.workspace.roles import AUTH_SECTION, check_secrets

HERE = ("localhost", "127.0.0.1", "::1")
"""Names of this machine to itself: always served, and proxies there always believed."""
ANYWHERE = ("0.0.0.0", "::")
"""Addresses that stand for every one that the machine has."""
NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*", re.IGNORECASE)


class Serving(BaseModel):
    """How the app is served; made by `checked`.

    Attributes
    ----------
    port : int
    address : str
        To listen on.
    headless : bool
        No browser is opened.
    hosts : tuple of str
        Names that people open the app by, without port; a request by another name is refused.
    prefix : str
        Path below which the app lies, e.g. `/siting`; empty for the root.
    proxies : tuple of str
        Addresses or networks of proxies whose word on visitors (`X-Forwarded-…`) is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = 8501
    address: str = "localhost"
    headless: bool = False
    hosts: tuple[str, ...] = HERE
    prefix: str = ""
    proxies: tuple[str, ...] = HERE[1:]

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the app."""
        host = "localhost" if self.address in ANYWHERE else self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{self.prefix}"


class Doors(NamedTuple):
    """Who is let in: `[auth]`, None where nobody has to sign in, and the rules of `[roles]`."""

    auth: Mapping[str, object] | None
    rules: Mapping[str, list[str]]


def secret_files() -> tuple[Path, ...]:
    """Where `secrets.toml` may lie: in the home, and where the app was started, which goes before."""
    return tuple(folder / ".streamlit" / "secrets.toml" for folder in (Path.home(), Path.cwd()))


def doors(files: tuple[Path, ...]) -> Doors:
    """What `secrets.toml` says now, read whenever it is asked for: a role that is taken away is gone.

    Raises
    ------
    InputError
        It can't be read or has faults, every one of them; nobody is to be let in then.
    """
    contents = []
    for file in files:
        try:
            contents.append((str(file), file.read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            raise InputError(Fault("workspace.secrets_unreadable", file, reason=reason_of(problem))) from None
    return _doors(tuple(contents))


@lru_cache(maxsize=4)
def _doors(contents: tuple[tuple[str, bytes], ...]) -> Doors:
    secrets: dict[str, object] = {}
    for name, content in contents:
        secrets |= toml.parse(content, name)
    return Doors(*check_secrets(secrets))


def checked(
    doors: Doors,
    *,
    port: int,
    address: str,
    headless: bool,
    hosts: list[str],
    prefix: str,
    proxies: list[str],
) -> Serving:
    """How the app is to be served, or every fault at once; the address that people sign in by is a name of it too.

    Parameters
    ----------
    doors : Doors
        Addresses that the app may be called by.
    port : int
    address : str
        That it listens at.
    headless : bool
        Without opening a browser.
    hosts : list of str
        Names that it answers to.
    prefix : str
        Path in front of every page, behind a proxy.
    proxies : list of str
        Addresses of proxies, or networks of them.
    """
    names, faults = [*HERE], []
    for host in hosts:
        if NAME.fullmatch(_plain(host)) or _is_address(host):
            names.append(_plain(host))
        else:
            faults.append(Fault("workspace.odd_host", f"--host {host}"))
    prefix = prefix.rstrip("/")
    if prefix and not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", prefix):
        faults.append(Fault("workspace.odd_prefix", f"--prefix {prefix}"))
    if doors.auth is not None:
        back = urlsplit(str(doors.auth["redirect_uri"]).replace("{port}", str(port)))
        names.append(_plain(back.hostname or ""))
        if back.path != f"{prefix}/oauth2callback":
            below = back.path.removesuffix("/oauth2callback") or "/"
            place = replace(AUTH_SECTION, key="redirect_uri")
            faults.append(Fault("workspace.redirect_elsewhere", place, below=below, prefix=prefix or "/"))
    faults += [Fault("workspace.odd_proxy", f"--proxy {proxy}") for proxy in proxies if not _is_network(proxy)]
    if address not in ANYWHERE:
        names.append(_plain(address))
    elif not set(names) - set(HERE):
        faults.append(Fault("workspace.no_host_known", "--address", address=address))
    refuse_if(faults)
    return Serving(
        port=port,
        address=address,
        headless=headless,
        hosts=tuple(dict.fromkeys(names)),
        prefix=prefix,
        proxies=(*HERE[1:], *proxies),
    )


def start(settings: Serving, environment: Mapping[str, str]) -> int:
    """Become the server, so that whoever stops this process stops it; on Windows wait for it and give its exit code.

    Parameters
    ----------
    settings : Serving
    environment : mapping
        Variables of its own, such as the workspace: an address isn't for `ps` to see.

    Raises
    ------
    InputError
        The app isn't installed.
    """
    if importlib.util.find_spec("app") is None:  # found, not imported: the core knows nothing of the screen
        raise InputError(Fault("cli.no_app", "app"))
    command = [sys.executable, "-m", "app.serve", settings.model_dump_json()]
    surroundings = os.environ | environment
    if sys.platform != "win32":
        os.execve(command[0], command, surroundings)
    return subprocess.call(command, env=surroundings)


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_network(proxy: str) -> bool:
    try:
        ipaddress.ip_network(proxy)
    except ValueError:
        return False
    return True
