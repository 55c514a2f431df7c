"""How an answer comes out of the box: one line of JSON, then the bytes of the arrays that it names.

Nothing in it can run, and nothing of it is believed: kinds, counts and lengths are checked while it is unpacked.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

KINDS = ("uint8", "int32", "int64", "float32", "float64", "bool", "datetime64[ms]")
"""Kinds of arrays that may come out."""


def send(out: BinaryIO, said: Any, arrays: dict[str, Any] | None = None) -> None:
    """Write an answer: what can be said in JSON, and arrays by name."""
    arrays = arrays or {}
    heads = [(name, array.dtype.name, array.shape) for name, array in arrays.items()]
    out.write(json.dumps({"said": said, "arrays": heads}, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    for array in arrays.values():
        out.write(array.tobytes())
    out.flush()


def receive(content: bytes) -> tuple[Any, dict[str, Any]]:
    """Read an answer again.

    Raises
    ------
    ValueError
        It is none, or cut off.
    """
    line, _, rest = content.partition(b"\n")
    head = json.loads(line.decode("utf-8", "replace"))
    if not isinstance(head, dict) or not isinstance(head.get("arrays"), list):
        msg = "no answer"
        raise ValueError(msg)
    return head.get("said"), _arrays(head["arrays"], memoryview(rest))


def _arrays(heads: list[Any], rest: memoryview) -> dict[str, Any]:
    if not heads:
        return {}
    import numpy as np  # tables come without arrays, and without numpy

    arrays, at = {}, 0
    for name, kind, shape in heads:
        if kind not in KINDS or not all(isinstance(one, int) and one >= 0 for one in shape):
            msg = "an array of no known kind"
            raise ValueError(msg)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        size = count * np.dtype(kind).itemsize
        arrays[str(name)] = np.frombuffer(rest[at : at + size], dtype=kind, count=count).reshape(shape).copy()
        at += size
    return arrays
