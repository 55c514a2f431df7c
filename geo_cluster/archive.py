"""Files as they leave: names that are safe on every system, and ZIPs that are the same from run to run."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from itertools import accumulate

from geo_cluster.errors import Fault, refuse_if

MOST_BYTES = 120
"""So long may the name of a file be: folders above it have names, too."""

_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)


def file_name(text: str, otherwise: str = "file") -> str:
    """A text as the name of a file that Windows, macOS and Linux take, no folder and no option of a command.

    What no name may have becomes a hyphen, what nobody sees is left out; the ending is kept where the rest is cut.
    `otherwise` is the name when nothing is left.

    >>> file_name("../a: b?.csv"), file_name("con.txt"), file_name("..")
    ('a- b-.csv', '_con.txt', 'file')
    """
    line = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    seen = "".join(one for one in line if unicodedata.category(one) not in ("Cc", "Cf", "Cs"))
    name = re.sub(r'[<>:"/\\|?*]', "-", seen).lstrip(" .-~").rstrip(" .")
    if _RESERVED.match(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > 12:
        stem, ending = name, ""
    room = MOST_BYTES - len(f"{dot}{ending}".encode()) if ending else MOST_BYTES
    cut = stem.encode()[:room].decode(errors="ignore").rstrip(" .")
    return (f"{cut}.{ending}" if ending else cut) or otherwise


def path_faults(paths: Iterable[str]) -> list[Fault]:
    """Which of the paths of files that lie together lead out of their folder, are unsafe somewhere, or clash."""
    faults, taken = [], dict[str, str]()
    folders = set[str]()
    for path in paths:
        parts = path.split("/")
        if any(file_name(part) != part for part in parts):
            faults.append(Fault("world.path_unsafe", repr(path)))
            continue
        key = path.casefold()
        above = set(accumulate(key.split("/")[:-1], lambda folder, name: f"{folder}/{name}"))
        if key in taken or key in folders or above & taken.keys():
            faults.append(Fault("world.path_taken", repr(path)))
        taken[key] = path
        folders |= above
    return faults


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files as one ZIP; the same files give the same bytes.

    Raises
    ------
    InputError
        For names that lead out of the archive or that some system could not unpack.
    """
    refuse_if(path_faults(files))
    return archived(files)


def archived(files: Mapping[str, bytes]) -> bytes:
    """Files as one ZIP whose names are none of a user's: the parts of a workbook, for instance."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            about = zipfile.ZipInfo(name)
            about.create_system, about.external_attr = 3, 0o644 << 16  # as on Unix, wherever it is packed
            archive.writestr(about, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
