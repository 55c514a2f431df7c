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
from geo_cluster.box.limits import REMEDY, limits
from geo_cluster.errors import Fault, InputError, Place

MB = 2**20
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
        told, arrays = wire.receive(content)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(broken(name)) from None
    if not isinstance(told, dict):
        raise InputError(broken(name))
    if told.get("faults"):
        raise InputError(_faults(told["faults"], name))
    if "failed" in told:
        raise InputError(_failed(str(told["failed"]), str(told.get("reason", "")), name))
    return told, arrays


def _faults(told: Any, name: str) -> list[Fault]:
    try:
        return [_checked(Fault(str(code), Place(**place), **values)) for code, place, values in told]
    except (ValueError, TypeError, KeyError, OSError):
        return [broken(name)]


def _checked(fault: Fault) -> Fault:
    """A fault that can be put into words: the box may have been taken over by what it read."""
    for language in ("zh", "en"):
        fault.words(language)
    if any(not isinstance(one, str | int | float) for one in (*vars(fault.place).values(), *fault.values.values())):
        raise TypeError
    return fault


def broken(name: str) -> Fault:
    """What is told of a file that the box did not survive, or after which it talked nonsense."""
    return Fault(name, "brings down what reads it", "save it again in the program it was made with")


def _failed(how: str, reason: str, name: str) -> Fault:
    now = limits()
    if how == "memory":
        what = f"takes more than {now.memory_megabytes:,} MB of memory to read"
        return Fault(name, what, REMEDY.format(key="memory_megabytes"))
    if how == "nesting":
        return Fault(name, "is nested too deeply", "save it again in the program it was made with")
    return Fault(name, f"can't be read ({reason})", "check that it opens where it was made, and save it again")


def _wait_on() -> None:
    for one in WAITS:
        one()


@contextmanager
def _turn() -> Iterator[None]:
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
    with _turn():
        try:
            process, told = _taken(question), bytearray()
        except OSError as problem:
            what = f"can't be read now ({problem.strerror})"
            raise _PassingError(Fault(name, what, "try again in a moment")) from None
        talk = [
            threading.Thread(target=_say, args=(process.stdin, [_line(asked), *files.values()])),
            threading.Thread(target=_listen, args=(process.stdout, told, limits().output_megabytes * MB)),
        ]
        try:
            for one in talk:
                one.start()
            return _heard(process, talk[-1], told, name)
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
    with suppress(OSError):  # it ended at once; whoever takes it hears so
        process.stdin.write(_line(setting | {"path": [one for one in sys.path if Path(one).is_absolute()]}))  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    return process


def _line(told: object) -> bytes:
    return json.dumps(told).encode() + b"\n"


def _heard(process: subprocess.Popen[bytes], listener: threading.Thread, told: bytearray, name: str) -> bytes:
    """What the process says, as long as it keeps to its limits and somebody waits for it."""
    now = limits()
    until = time.monotonic() + now.seconds
    while listener.is_alive() and time.monotonic() < until:
        listener.join(LOOK_S)
        _wait_on()
    if listener.is_alive():
        raise _PassingError(Fault(name, f"takes more than {now.seconds:,} s to read", REMEDY.format(key="seconds")))
    now.refuse(name, "output_megabytes", len(told) / MB, "gives {} MB")
    code = process.wait()
    if code == -getattr(signal, "SIGXCPU", 0) != 0:
        what = f"takes more than {now.cpu_seconds:,} s of processor time to read"
        raise InputError(Fault(name, what, REMEDY.format(key="cpu_seconds")))
    if code:
        raise _PassingError(broken(name))
    return bytes(told)


def _say(pipe: Any, parts: Sequence[bytes]) -> None:
    with suppress(OSError), pipe:  # it may end before it has heard everything
        for part in parts:
            pipe.write(part)


def _listen(pipe: Any, told: bytearray, most: int) -> None:
    with suppress(OSError), pipe:
        while len(told) <= most and (piece := pipe.read1(MB)):
            told += piece


def _environment() -> dict[str, str]:
    """What the process knows of its surroundings: nothing of ours, and GDAL without what no file needs."""
    kept = {key: os.environ[key] for key in ("SYSTEMROOT", "WINDIR", "PATH", "LD_LIBRARY_PATH") if key in os.environ}
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS"), "1")
    return kept | quiet | GDAL
