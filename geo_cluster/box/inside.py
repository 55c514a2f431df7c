"""What runs in the box: import what is needed, lock oneself in, read the one file, answer, end."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from geo_cluster.box import lock, wire
from geo_cluster.box.limits import Limits
from geo_cluster.errors import InputError

NEEDS = {
    "lines": ("encodings.gb18030", "encodings.utf_16", "geo_cluster.box.tables"),
    "sheet": ("openpyxl.worksheet._reader", "openpyxl.reader.excel", "geo_cluster.box.tables"),
    "shapes": ("numpy", "shapely", "pyogrio.raw", "encodings.gb18030", "geo_cluster.box.shapes"),
    "outlines": ("numpy", "shapely", "geo_cluster.box.shapes"),
}
"""Modules of each question, imported before the door closes."""

ABSENT = ("pandas", "geopandas", "pyarrow", "matplotlib", "lxml", "PIL", "defusedxml")
"""Libraries that the readers would import for what isn't asked of them here: a second of work, and more to attack."""


def main(asked: dict[str, Any]) -> None:
    """Answer one question and end.

    Parameters
    ----------
    asked : dict
        `question` (one of `NEEDS`), `name` (what the file is called), `files` (endings and lengths of what follows on
        the standard input), `parent` (whose child this is), `limits`, and what the question needs besides.
    """
    lock.end_with(asked["parent"])
    lock.leave_network()
    sys.modules.update(dict.fromkeys(ABSENT))  # type: ignore[arg-type]  # importing one is an ImportError now
    reader = [importlib.import_module(name) for name in NEEDS[asked["question"]]][-1]
    limits = Limits(**asked["limits"])
    lock.close(limits)
    out = sys.stdout.buffer
    try:
        files = {ending: sys.stdin.buffer.read(length) for ending, length in asked["files"]}
        wire.send(out, *getattr(reader, asked["question"])(files, asked, limits))
    except InputError as refusal:
        wire.send(out, {"faults": [[one.where, one.what, one.remedy] for one in refusal.faults]})
    except MemoryError:
        wire.send(out, {"failed": "memory"})
    except RecursionError:
        wire.send(out, {"failed": "nesting"})
    except Exception as problem:
        lines = str(problem).splitlines()
        wire.send(out, {"failed": "unreadable", "reason": (lines[0] if lines else type(problem).__name__)[:300]})
    os._exit(0)  # nothing of the file gets to run at the end
