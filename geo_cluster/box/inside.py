"""What runs in the box: import what is needed, lock oneself in, read the one file, answer, end."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from typing import Any

from geo_cluster.box import lock, wire
from geo_cluster.box.limits import Limits
from geo_cluster.errors import InputError, Place

NEEDS = {
    "lines": ("encodings.gb18030", "encodings.big5", "encodings.utf_16_le", "encodings.utf_16_be", "encodings.utf_16",
              "encodings.utf_32", "geo_cluster.box.tables"),
    "sheet": ("python_calamine", "geo_cluster.box.tables"),
    "shapes": ("encodings.gb18030", "pyogrio.raw", "geo_cluster.box.shapes"),
    "columnar": ("pyarrow.parquet", "geo_cluster.box.columnar"),
    "raster": ("rasterio.io", "geo_cluster.box.rasters"),
}  # fmt: skip
"""Modules that answer each question, imported before the door closes; the last one has a function of its name."""

BROKEN = {
    "lines": "box.broken_table",
    "sheet": "box.broken_book",
    "shapes": "box.broken_shapes",
    "columnar": "box.broken_shapes",
    "raster": "box.broken_raster",
}
"""What is wrong when a library gives up without a reason that has a code of its own."""

ABSENT = ("pandas", "geopandas", "pyarrow", "pyproj", "matplotlib", "lxml", "PIL", "defusedxml")
"""Libraries that the readers would import for what isn't asked of them here: a second of work, and more to attack."""


_OWN = re.compile(r"['\"]?/(?:vsi|opt/)[^\s,;]*,?\s*|;\s*It might help to specify.*", re.DOTALL)
"""What a library says that means nothing to a reader: names of its own, and what a programmer might do."""


def main(setting: dict[str, Any]) -> None:
    """Get ready, lock the door, wait for one question, answer it and end.

    Parameters
    ----------
    setting : dict
        `question` (one of `NEEDS`), `limits`, `parent` (whose child this is). On the standard input follow a line of
        JSON with `name` (what the file is called), `files` (endings and lengths) and what the question needs besides,
        and the files themselves.
    """
    lock.end_with(setting["parent"])
    lock.leave_network()
    absent = [one for one in ABSENT if not (one == "pyarrow" and setting["question"] == "columnar")]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # importing one is an ImportError now
    reader = [importlib.import_module(name) for name in NEEDS[setting["question"]]][-1]
    limits = Limits(**setting["limits"])
    lock.close(limits)
    asked = json.loads(sys.stdin.buffer.readline())
    out = sys.stdout.buffer
    try:
        files = {ending: sys.stdin.buffer.read(length) for ending, length in asked["files"]}
        wire.send(out, *getattr(reader, setting["question"])(files, asked, limits))
    except InputError as refusal:
        wire.send(out, {"faults": [(one.code, vars(one.place), one.values) for one in refusal.faults]})
    except MemoryError:  # no room to put it into words
        wire.send(out, {"failed": "memory"})
    except RecursionError:
        wire.send(out, {"failed": "nesting"})
    except Exception as problem:
        lines = _OWN.sub("", str(problem)).strip().splitlines()
        reason = (lines[0] if lines else type(problem).__name__)[:300]
        wire.send(out, {"faults": [(BROKEN[setting["question"]], vars(Place(asked["name"])), {"reason": reason})]})
    os._exit(0)  # nothing of the file gets to run at the end
