"""TOML files, ours and other people's: read whole or refused with their place."""

from __future__ import annotations

import hashlib
import re
import reprlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from geo_cluster.errors import DataError, Fault, GeoClusterError, InputError

PACKAGE = Path(__file__).parent


TABLES = PACKAGE / "tables"


TOML_MB = 2
"""No scenario, registry or table of settings is larger."""


TOML_DEPTH = 20
"""None has tables in tables, or a key of so many parts: reading a dotted key takes the square of its length."""


SHOWN = 80
"""Of what was given, so many characters are told at most."""


_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\[^\n])*+"?|'[^'\n]*+'?)"""


_PIECES = re.compile(
    rf"""
    \"{{3}}(?:[^"\\]++|\\.|"(?!""))*+"{{0,5}}  # texts of several lines
    | \'{{3}}(?:[^']++|'(?!''))*+'{{0,5}}
    | \#[^\n]*+
    | (?P<deep>{_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{TOML_DEPTH},}}+)
    | {_PART}
    """,
    re.VERBOSE | re.DOTALL,
)
"""What a TOML file is made of, as far as it takes to tell a dotted key from dots in a text or a remark."""


_short = reprlib.Repr()
_short.maxstring = _short.maxother = SHOWN


def read(path: Path, *, error: type[GeoClusterError] = InputError) -> dict[str, Any]:
    """Read one TOML file; what can't be read or parsed is refused with its place."""
    return parse(content_of(path, error=error), str(path), error=error)


def content_of(path: Path, *, error: type[GeoClusterError] = InputError) -> bytes:
    """The bytes of a file of settings; what can't be read, or is too large for one, is refused with its place."""
    try:
        if path.exists() and not path.is_file():  # reading from a device or a pipe may never end
            raise error(Fault(str(path), "is no file", "check the path"))
        if path.stat().st_size > TOML_MB * 2**20:
            raise error(Fault(str(path), f"has more than {TOML_MB} MB", "give a file of settings"))
        return path.read_bytes()
    except FileNotFoundError:
        raise error(Fault(str(path), "no such file", "check the path")) from None
    except (OSError, ValueError) as problem:
        raise error(_unreadable(problem, cut(str(path)))) from None


def parse(content: bytes, where: str, *, error: type[GeoClusterError] = InputError) -> dict[str, Any]:
    """The content of a TOML file; what can't be parsed is refused with its place."""
    try:
        text = content.decode("utf-8-sig")
        if any(piece.lastgroup for piece in _PIECES.finditer(text)):
            raise RecursionError
        told = tomllib.loads(text)
        _check_values(told)
    except UnicodeDecodeError:
        raise error(Fault(where, "is not UTF-8 text", "save it as UTF-8")) from None
    except tomllib.TOMLDecodeError as problem:
        raise error(Fault(where, f"is not valid TOML ({cut(str(problem))})", "mend the line named")) from None
    except RecursionError:
        raise error(Fault(where, "is nested too deeply", "mend it, or make it again")) from None
    except ValueError:  # Python reads no number of thousands of digits
        raise error(Fault(where, "holds a whole number that is too large", "correct the value")) from None
    return told


def _check_values(told: dict[str, Any]) -> None:
    """Refuse what would be too deep to show or to check, and whole numbers beyond those of TOML."""
    level: list[Any] = [told]
    for _ in range(TOML_DEPTH + 1):
        if any(isinstance(one, int) and not -(2**63) <= one < 2**63 for one in level):
            raise ValueError
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [one for values in inner for one in values]
    if level:
        raise RecursionError


def cut(text: str) -> str:
    """A text that isn't ours, short enough to be told: its beginning and its end."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 + 1 :]}"


def shown(value: object) -> str:
    """What was given, short enough to be told."""
    return cut(_short.repr(value))


def is_file(path: Path) -> bool:
    """Whether there is such a file; what no file can be called is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def file_at(path: Path, where: str) -> Path:
    """A path that somebody wrote, whether or not a file is there; what no file can be called is refused."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as problem:
        raise InputError(_unreadable(problem, where)) from None
    return path


def sha256_of(path: Path, *, error: type[GeoClusterError] = InputError) -> str:
    """The hash of a file, a piece at a time."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise error(_unreadable(problem, str(path))) from None


def _unreadable(problem: OSError | ValueError, where: str) -> Fault:
    reason = getattr(problem, "strerror", None) or str(problem)
    return Fault(where, f"can't be read ({reason})", "check the path and its rights")


@cache
def table(name: str) -> dict[str, Any]:
    """One declared table as it stands, e.g. `table("requirements")`."""
    return read(TABLES / f"{name}.toml", error=DataError)
