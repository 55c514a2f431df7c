"""The process that the box is: begun, asked one question, heard as long as it keeps to its limits, and ended."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from geo_cluster.box import wire
from geo_cluster.box.limits import limits
from geo_cluster.errors import MOST, Fault, InputError, fault_of, reason_of

MB = 2**20
LONGEST = 2000
"""A text in a fault of the box is no longer, or it is none of ours."""

LOOK_S = 0.1
"""So often `WAITS` are called."""

KEPT, KEPT_MB = 16, 8
"""So many answers of up to so many MB are kept, for a page asks for the same file again and again."""

WAITS: list[Callable[[], None]] = []
"""Called again and again while an answer is awaited; whatever one raises ends the box: whoever asked may have left."""

BEGIN = (
    "import sys, json; setting = json.loads(sys.stdin.buffer.readline()); sys.path[:] = setting['path'];"
    "from geo_cluster.box.inside import main; main(setting)"
)

GDAL = {
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_PYTHON_DRIVER_PATH": "",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "OGR_SQLITE_PRAGMA": "trusted_schema=OFF",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "PROJ_NETWORK": "OFF",
}
"""No plug-ins, no Python, no network; which drivers there are is decided inside, by the ending of the file."""

_waiting = threading.Condition()
_beginner = ThreadPoolExecutor(1, "geo-cluster-box")
_spare: dict[tuple[int, str, str], Future[subprocess.Popen[bytes]]] = {}
_busy = 0
_kept: OrderedDict[str, bytes | InputError] = OrderedDict()


def ask(question: str, files: Mapping[str, bytes], name: str, **more: Any) -> tuple[Any, dict[str, Any]]:
    """What the box answers; kept as it came for a while, for the same file is asked about more than once."""
    mark = hashlib.sha256(json.dumps([question, name, more, vars(limits())]).encode())
    for file, content in files.items():
        mark.update(file.encode() + b"\0" + hashlib.sha256(content).digest())
    key = mark.hexdigest()
    with _waiting:
        answer = _kept.get(key)
        if answer is not None:
            _kept.move_to_end(key)
    if answer is None:
        try:
            answer = _run(question, files, name, more)
        except _PassingError:
            raise
        except InputError as refusal:
            answer = refusal
        if isinstance(answer, InputError) or len(answer) < KEPT_MB * MB:
            with _waiting:
                _kept[key] = answer
                while len(_kept) > KEPT:
                    _kept.popitem(last=False)
    if isinstance(answer, InputError):
        raise InputError(answer.faults)
    return _opened(answer, name)


class _PassingError(InputError):
    """It took too long, was killed or could not begin: the machine's fault, maybe, and another time not."""


def _opened(content: bytes, name: str) -> tuple[Any, dict[str, Any]]:
    try:
        said, arrays = wire.receive(content)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(broken(name)) from None
    if not isinstance(said, dict):
        raise InputError(broken(name))
    if said.get("faults"):
        raise InputError(_faults(said["faults"], name))
    if "failed" in said:
        raise InputError(_failed(said["failed"], name))
    return said, arrays


def _faults(said: Any, name: str) -> list[Fault]:
    """The faults that the box states, each checked: it may have been taken over by what it read."""
    try:
        return [_checked(code, place, values) for code, place, values in said[:MOST]]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        return [broken(name)]


def _checked(code: Any, place: Any, values: Any) -> Fault:
    """A fault of this room's codes, with short texts and plain numbers, that can be put into words.

    Raises
    ------
    ValueError, TypeError, LookupError
        It is none.
    """
    if not code.startswith("box.") or not isinstance(place.get("row", 0), int):
        raise ValueError
    texts = [one for key, one in place.items() if key != "row"] + [one for one in values.values() if type(one) is str]
    if any(type(one) is not str or len(one) > LONGEST for one in texts):
        raise ValueError
    if any(type(one) not in (str, int, float) for one in values.values()):
        raise TypeError
    return fault_of(code, place, values)


def broken(name: str) -> Fault:
    """The fault of a file that the box did not survive, or after which it talked nonsense."""
    return Fault("box.broken", name)


def _failed(how: object, name: str) -> Fault:
    if how == "memory":
        return Fault("box.takes_memory", name, most=limits().memory_megabytes, limit="memory_megabytes")
    return Fault("box.nested_too_deep", name) if how == "nesting" else broken(name)


def _wait_on() -> None:
    for one in WAITS:
        one()


@contextmanager
def _slot() -> Iterator[None]:
    """Only so many boxes at once, whoever asks."""
    global _busy
    with _waiting:
        while _busy >= limits().at_once:
            _waiting.wait(LOOK_S)
            _wait_on()
        _busy += 1
    try:
        yield
    finally:
        with _waiting:
            _busy -= 1
            _waiting.notify()


def _run(question: str, files: Mapping[str, bytes], name: str, more: Mapping[str, Any]) -> bytes:
    asked = {"name": name, "files": [(ending, len(content)) for ending, content in files.items()], **more}
    with _slot():
        try:
            process, heard = _taken(question), bytearray()
        except OSError as problem:
            raise _PassingError(Fault("box.not_now", name, reason=reason_of(problem))) from None
        talk = [
            threading.Thread(target=_hand_in, args=(process.stdin, [_line(asked), *files.values()])),
            threading.Thread(target=_listen, args=(process.stdout, heard, limits().output_megabytes * MB)),
        ]
        try:
            for one in talk:
                one.start()
            return _answer(process, talk[-1], heard, name)
        finally:
            process.kill()
            process.wait()
            for one in talk:
                one.join()


def _taken(question: str) -> subprocess.Popen[bytes]:
    """A box that is ready, or will be in a moment; another is made ready for whoever asks next.

    All begin in one thread that stays: on Linux they end with the thread that they were begun by.
    """
    key = (os.getpid(), question, json.dumps(vars(limits())))
    with _waiting:
        ready = _spare.pop(key, None)
        for other in [one for one in _spare if one[2] != key[2]]:
            _spare.pop(other).add_done_callback(_end)
        now = _beginner.submit(_begin, question) if ready is None else ready
        _spare[key] = _beginner.submit(_begin, question)
    with suppress(OSError):
        box = now.result()
        if box.poll() is None:
            return box
    return _beginner.submit(_begin, question).result()  # the one that was ready ended while it waited


def _end(box: Future[subprocess.Popen[bytes]]) -> None:
    if not box.exception():
        box.result().kill()
        box.result().wait()


def make_ready() -> None:
    """Have a box of each kind ready for the first file; for a server, whose visitors would wait."""
    now = json.dumps(vars(limits()))
    with _waiting:
        for question in ("lines", "sheet", "shapes"):
            _spare.setdefault((os.getpid(), question, now), _beginner.submit(_begin, question))


def _begin(question: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", BEGIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    if sys.platform == "win32":
        from geo_cluster.box import windows

        windows.confine(process, limits())
    setting = {"question": question, "limits": vars(limits()), "parent": os.getpid()}
    with suppress(OSError):  # it ended at once; whoever takes it sees so
        process.stdin.write(_line(setting | {"path": [one for one in sys.path if Path(one).is_absolute()]}))  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    return process


def _line(content: object) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _answer(process: subprocess.Popen[bytes], listener: threading.Thread, heard: bytearray, name: str) -> bytes:
    """What the process says, as long as it keeps to its limits and somebody waits for it."""
    now = limits()
    until = time.monotonic() + now.seconds
    while listener.is_alive() and time.monotonic() < until:
        listener.join(LOOK_S)
        _wait_on()
    if listener.is_alive():
        raise _PassingError(Fault("box.takes_long", name, most=now.seconds, limit="seconds"))
    now.refuse(name, "output_megabytes", len(heard) / MB, "box.answer_too_large")
    code = process.wait()
    if code == -getattr(signal, "SIGXCPU", 0) != 0:
        raise InputError(Fault("box.takes_processor", name, most=now.cpu_seconds, limit="cpu_seconds"))
    if code:
        raise _PassingError(broken(name))
    return bytes(heard)


def _hand_in(pipe: Any, parts: Sequence[bytes]) -> None:
    with suppress(OSError), pipe:  # it may end before it has heard everything
        for part in parts:
            pipe.write(part)


def _listen(pipe: Any, heard: bytearray, most: int) -> None:
    with suppress(OSError), pipe:
        while len(heard) <= most and (piece := pipe.read1(MB)):
            heard += piece


def _environment() -> dict[str, str]:
    """What the process knows of its surroundings: nothing of ours, and GDAL without what no file needs."""
    kept = {key: os.environ[key] for key in ("SYSTEMROOT", "WINDIR", "PATH", "LD_LIBRARY_PATH") if key in os.environ}
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS"), "1")
    return kept | quiet | GDAL
