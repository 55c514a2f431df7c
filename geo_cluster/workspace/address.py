"""Where a workspace may lie: a path or URL as a person gives it, and files that nobody else may read.

An address may hold a password: whoever shows one shows `masked(address)`.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from geo_cluster.domain import Text
from geo_cluster.errors import Fault, InputError, Place, reason_of

ENVIRONMENT = "GEO_CLUSTER_WORKSPACE"
"""Variable that names the workspace; where it is empty, a file in the user's data folder is taken."""

WORKSPACE = Place("", kind="workspace")
"""Where a fault is that must not repeat an address."""

ABANDONED_S = 3600.0
"""A file that was begun so long ago and is not in its place yet has no writer any more."""

PART = ".geo-cluster-"
"""How the names of files begin that are not in their place yet."""

_DEVICE = Text(zh="设备", en="a device")
_KINDS = {
    stat.S_ISDIR: Text(zh="文件夹", en="a folder"),
    stat.S_ISCHR: _DEVICE,
    stat.S_ISBLK: _DEVICE,
    stat.S_ISFIFO: Text(zh="管道", en="a pipe"),
    stat.S_ISSOCK: Text(zh="套接字", en="a socket"),
}

log = logging.getLogger("geo_cluster")


def default_address() -> str:
    """The workspace that the environment names, else a file in the user's data folder."""
    named = os.environ.get(ENVIRONMENT, "").strip()
    if named:
        return named
    folders = {"win32": os.environ.get("LOCALAPPDATA", ""), "darwin": str(Path("~/Library/Application Support"))}
    usual = folders.get(sys.platform) or os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return str(_home(usual) / "geo_cluster" / "workspace.sqlite")


def masked(address: str) -> str:
    """An address as it may be shown: without password, and without the options that may hold one.

    >>> masked("postgresql://li:secret@db.example/plans?sslmode=require")
    'postgresql+psycopg://li:***@db.example/plans'
    """
    return masked_url(url_of(address))


def masked_url(url: URL) -> str:
    """The same of an address that was read."""
    return url.database or "" if url.drivername == "sqlite" else url.set(query={}).render_as_string(hide_password=True)


def url_of(address: str) -> URL:
    """An address as a URL; a path is an SQLite file. Faults don't repeat what may be secret.

    Raises
    ------
    InputError
        It names no file and no PostgreSQL database.
    """
    if "\0" in address or not address.strip():
        raise InputError(Fault("workspace.no_address", WORKSPACE))
    if "://" not in address:
        return URL.create("sqlite", database=str(_path(address)))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise InputError(Fault("workspace.not_a_url", WORKSPACE)) from None
    backend = {"postgres": "postgresql"}.get(url.drivername.split("+")[0], url.drivername.split("+")[0])
    if backend == "sqlite":
        if url.host or url.query or not url.database:
            raise InputError(Fault("workspace.odd_sqlite_url", WORKSPACE))
        return URL.create("sqlite", database=str(_path(url.database)))
    if backend != "postgresql":
        raise InputError(Fault("workspace.unknown_database", WORKSPACE, kind=backend))
    return url.set(drivername="postgresql+psycopg")


def _path(address: str) -> Path:
    """A path as typed, made absolute; one that would mean something else here than where it was written is refused."""
    if sys.platform != "win32" and re.match(r"[A-Za-z]:[\\/]|\\\\", address):
        raise InputError(Fault("workspace.windows_path", address))
    if re.match(r"(file|sqlite|postgres|postgresql):|:memory:", address):
        raise InputError(Fault("workspace.not_a_path", address))
    return _home(address).absolute()


def _home(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(Fault("workspace.no_home", path, who=path.split("/")[0])) from None


def check_file(path: Path, *, must_be: bool = False) -> bool:
    """Refuse a path where no workspace can be; whether there is a file.

    The file isn't opened: closing it would take away the locks of whoever in this process works on it.

    Raises
    ------
    InputError
        It is a folder, a device or the like, its folder is missing, or one may not write there.
    """
    try:
        there = _kind(path)
        if there is None and not path.parent.is_dir():
            raise InputError(Fault("workspace.no_folder", path.parent))
        if there is None and must_be:
            raise InputError(Fault("workspace.no_workspace", path))
        if there and not os.access(path, os.R_OK | os.W_OK):
            raise InputError(Fault("workspace.no_right", path))
        with _beside(path) as probe, probe.open("xb"):  # SQLite writes its log beside the file
            pass
    except OSError as problem:
        raise InputError(Fault("workspace.not_writable", path, reason=reason_of(problem))) from None
    return bool(there)


def _kind(path: Path) -> os.stat_result | None:
    """What is at a path, None if nothing; what is no file is refused."""
    try:
        there = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise InputError(Fault("workspace.dangling_link", path)) from None
        return None
    for is_kind, kind in _KINDS.items():
        if is_kind(there.st_mode):
            raise InputError(Fault("workspace.not_a_file", path, kind=kind))
    return there


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name for a file beside another, which is gone afterwards."""
    name = path.with_name(f"{PART}{secrets.token_hex(6)}.part")
    try:
        yield name
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                name.with_name(name.name + suffix).unlink()


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """An empty file to fill, nobody else's to read; it takes its place at `path` once it is complete, or never.

    Raises
    ------
    FileExistsError
        Somebody else was first; theirs stays.
    OSError
        It can't be written, or put there.
    """
    sweep(path.parent)
    with _beside(path) as part:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        part.chmod(0o600)  # whatever the umask says
        yield part
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links; where two begin at once there, the second doesn't notice
            if path.exists():
                raise FileExistsError(path) from None
            part.rename(path)
        _sync(path.parent)


def sweep(folder: Path) -> None:
    """Take away files that were begun in a folder by a process that was killed."""
    for part in folder.glob(f"{PART}*.part*"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED_S:
                part.unlink()


def _sync(folder: Path) -> None:
    """Have the folder's list on disk, where a system knows such a thing."""
    with suppress(OSError):
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def which(path: Path) -> tuple[int, int]:
    """Which file is at a path, whatever its name; none has zeros."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def uri(path: Path) -> str:
    """A path as SQLite's URI, whatever its characters."""
    plain = quote(os.fsencode(path.as_posix()))
    return f"file://{plain}" if plain.startswith("/") else f"file:///{plain}"


def tighten(path: Path) -> None:
    """Leave a workspace's files to their owner, and say so."""
    if sys.platform == "win32":
        return
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            mode = stat.S_IMODE(file.stat().st_mode)
            if mode & 0o077:
                try:
                    file.chmod(0o600)
                    log.warning("%s was open to others (mode %o); it is yours alone now", file, mode)
                except OSError:
                    _warn_open(file, mode)


@cache
def _warn_open(file: Path, mode: int) -> None:
    log.warning("%s is open to others (mode %o), and is not ours to close", file, mode)
