"""How large something becomes, known before it is unpacked or read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from typing import IO

from geo_cluster.box.limits import Limits
from geo_cluster.errors import Fault, InputError

MB = 2**20
CHUNK = MB
SMALL_MB = 10
"""Below this nothing is too large unpacked, however well it was packed."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def archive(content: bytes, name: str, limits: Limits) -> zipfile.ZipFile:
    """Open a ZIP whose members, unpacked size and ratio are within the limits, and that no password guards."""
    try:
        packed = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError):
        raise InputError(Fault("box.damaged_archive", name)) from None
    members = packed.infolist()
    limits.refuse(name, "members", len(members), "box.too_many_files")
    unpacked = sum(one.file_size for one in members)
    limits.refuse(name, "unpacked_megabytes", unpacked / MB, "box.unpacks_too_large")
    if unpacked > SMALL_MB * MB:
        limits.refuse(name, "ratio", unpacked / len(content), "box.packed_too_well")
    if any(one.flag_bits & 1 for one in members):
        raise InputError(Fault("box.password", name))
    return packed


def counted(file: IO[bytes], marks: Iterable[bytes]) -> list[int]:
    """How often each mark stands in a file that is read from here to its end, a piece at a time."""
    marks = list(marks)
    counts, tail = [0] * len(marks), b""
    longest = max(map(len, marks)) - 1
    while piece := file.read(CHUNK):
        seen = tail + piece
        for k, mark in enumerate(marks):
            counts[k] += seen.count(mark) - tail.count(mark)
        tail = seen[-longest:] if longest else b""
    return counts


def depth(text: bytes, opening: bytes, closing: bytes, enough: int) -> int:
    """How deep brackets are nested; within double quotes they don't count where that would make it more than enough."""
    deepest = _depth(text, opening, closing)
    return deepest if deepest <= enough else _depth(_STRING.sub(b"", text), opening, closing)


def _depth(text: bytes, opening: bytes, closing: bytes) -> int:
    import numpy as np

    steps = np.zeros(256, dtype=np.int8)
    steps[list(opening)], steps[list(closing)] = 1, -1
    level = deepest = 0
    for start in range(0, len(text), CHUNK):
        levels = np.cumsum(steps[np.frombuffer(text, np.uint8, min(CHUNK, len(text) - start), start)], dtype=np.int32)
        deepest, level = max(deepest, level + int(levels.max())), level + int(levels[-1])
    return deepest
