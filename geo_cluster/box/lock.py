"""Locks a process in: no network, no file but the libraries', no other program, limits on everything.

Linux: limits of resources, an empty network (namespaces), Landlock for files, seccomp for all calls but the few that a
reader makes. Each holds without the others; where a kernel lacks one, those that it has stay. macOS: limits of
resources. On Windows the parent puts the process into a job (`geo_cluster.box.windows`). What drivers and paths may be
is decided by the readers, on every system.

Sources: man 2 setrlimit, unshare, seccomp; man 7 landlock; linux/audit.h, linux/filter.h, linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import Any

from geo_cluster.box.limits import Limits

LINUX = sys.platform == "linux"
MB = 2**20
_libc: Any = ctypes.CDLL(None, use_errno=True) if LINUX else None

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SIGKILL = 9
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000


def end_with(parent: int) -> None:
    """Have this process killed when the one that began it ends."""
    if not LINUX:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
        return
    _libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we said so
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def leave_network() -> None:
    """Leave for a network without anybody in it, as a user without rights; before the first thread begins."""
    if LINUX and _libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC):
        _libc.unshare(CLONE_NEWNET | CLONE_NEWIPC)  # where users can't make users, an administrator still can


def close(limits: Limits) -> list[str]:
    """Close the door behind this process: it has its standard input and output, and libraries to read.

    Returns
    -------
    list of str
        What is closed: `limits`, `landlock`, `seccomp`.
    """
    closed = _limit(limits)
    if LINUX:
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        closed += ["landlock"] * _landlock() + ["seccomp"] * _seccomp()
    return closed


def _limit(limits: Limits) -> list[str]:
    if sys.platform == "win32":
        return []
    import resource

    memory, cpu = limits.memory_megabytes * MB, limits.cpu_seconds
    wanted = {
        "RLIMIT_CPU": (cpu, cpu + 1),
        "RLIMIT_DATA": (memory, memory),  # what is written to; Linux counts mapped memory too
        "RLIMIT_AS": (memory + 2048 * MB, memory + 2048 * MB),  # libraries take addresses that they never use
        "RLIMIT_FSIZE": (0, 0),
        "RLIMIT_NOFILE": (limits.open_files, limits.open_files),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_MEMLOCK": (0, 0),
        "RLIMIT_MSGQUEUE": (0, 0),
    }
    for name, values in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), values)
        except (AttributeError, OSError, ValueError):  # not every system has every limit
            continue
    return ["limits"]


# ---- files: Landlock ----------------------------------------------------------------------------------------

READ_FILE, READ_DIR = 1 << 2, 1 << 3
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights to files that a version of Landlock knows; what isn't granted below is denied."""
_TCP, _SCOPES = 0b11, 0b11


def libraries() -> list[Path]:
    """What the process reads besides its file: Python's own folders, this package, encodings of the C library."""
    paths = sysconfig.get_paths()
    folders = {Path(paths[key]) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {Path(one) for one in sys.path if Path(one).name in ("site-packages", "dist-packages")}
    encodings = [one for pattern in ("lib*/gconv", "lib*/*/gconv") for one in Path("/usr").glob(pattern)]
    return [*sorted(folders), Path(__file__).parents[1], *encodings, Path("/dev/urandom"), Path("/dev/null")]


def _landlock() -> bool:
    version = _libc.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    handled = struct.pack("QQQ", _RIGHTS[min(version, 5)], _TCP * (version >= 4), _SCOPES * (version >= 6))
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _libc.syscall(CREATE_RULESET, handled[:size], size, 0)
    if rules < 0:
        return False
    for path in libraries():
        try:
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rights = READ_FILE | READ_DIR if path.is_dir() else READ_FILE
        _libc.syscall(ADD_RULE, rules, 1, struct.pack("=Qi", rights, file), 0)
        os.close(file)
    held = _libc.syscall(RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return bool(held)


# ---- what may be called: seccomp ------------------------------------------------------------------------------

# the only system calls that a reader makes, by kind of processor: x86_64, aarch64 (-1 where it has none), with those
# of other versions of the C library; none of them changes a file, or reaches another process
_ALLOWED = {
    "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "lseek": (8, 62), "write": (1, 64), "writev": (20, 66),
    "close": (3, 57), "stat": (4, -1), "lstat": (6, -1), "fstat": (5, 80), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, -1), "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, -1),
    "readlinkat": (267, 78), "getcwd": (79, 17), "getdents64": (217, 61), "poll": (7, -1), "ppoll": (271, 73),
    "brk": (12, 214), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216),
    "madvise": (28, 233), "futex": (202, 98), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "time": (201, -1), "gettimeofday": (96, 169), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "restart_syscall": (219, 128), "getrusage": (98, 165),
    "sysinfo": (99, 179), "uname": (63, 160), "getrandom": (318, 278), "getpid": (39, 172), "gettid": (186, 178),
    "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
_COMMANDS = {"fcntl": ((72, 25), (1, 2, 3)), "ioctl": ((16, 29), (0x5401, 0x802C542A, 0x5450, 0x5451))}
"""Allowed for what the second argument is: F_GETFD, F_SETFD, F_GETFL; TCGETS, TCGETS2, FIONCLEX, FIOCLEX."""
_OPENING = {"open": (2, -1, 1), "openat": (257, 56, 2)}
"""Ways to open a file, and which argument says how: never to write."""
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC if sys.platform != "win32" else 0
_NEWER = 435
"""From here on (`clone3`) calls are answered as if the kernel were older: libraries then take the older way."""
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _EACCES, _ENOSYS = 1, 13, 38


def _seccomp() -> bool:
    if platform.machine() not in _MACHINES or struct.calcsize("P") != 8:
        return False
    column, machine = _MACHINES[platform.machine()]
    program = _program(column, machine)
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    return bool(_libc.prctl(PR_SET_SECCOMP, 2, head, 0, 0) == 0)


def _program(column: int, machine: int) -> list[tuple[int, int, int, int]]:
    """The filter as steps of (code, jump if true, jump if false, value)."""
    allow = (_RETURN, 0, 0, _ALLOW)
    fail = {error: (_RETURN, 0, 0, _ERRNO | error) for error in (_EPERM, _EACCES, _ENOSYS)}
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]  # another way to call on x86_64 (x32)
    for numbers in _ALLOWED.values():
        if numbers[column] >= 0:
            steps += [(_EQUAL, 0, 1, numbers[column]), allow]
    for numbers, commands in _COMMANDS.values():
        looks = [step for command in commands for step in ((_EQUAL, 0, 1, command), allow)]
        steps += [(_EQUAL, 0, 2 + len(looks), numbers[column]), (_LOAD, 0, 0, 16 + 8), *looks, fail[_EPERM]]
    for opening in _OPENING.values():
        number, argument = opening[column], opening[2]
        if number >= 0:
            steps += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16 + 8 * argument)]
            steps += [(_ANY_BIT, 0, 1, _TO_WRITE), fail[_EACCES], allow]
    return [*steps, (_AT_LEAST, 0, 1, _NEWER), fail[_ENOSYS], fail[_EPERM]]
