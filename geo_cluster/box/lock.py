"""Locks a process in: no network, no file but the libraries', no other program, limits on everything.

Linux: limits of resources, an empty network (namespaces), Landlock for files, seccomp for whatever else a reader never
needs. Each holds without the others; where a kernel lacks one, those that it has stay. macOS: limits of resources. On
Windows the parent puts the process into a job (`geo_cluster.box.windows`). What drivers and paths may be is decided by
the readers, on every system.

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
        What holds: `limits`, `landlock`, `seccomp`.
    """
    holds = _limit(limits)
    if LINUX:
        _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        holds += ["landlock"] * _landlock() + ["seccomp"] * _seccomp()
    return holds


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


# ---- everything else: seccomp -------------------------------------------------------------------------------

# system calls that no reader makes, by kind of processor: x86_64, aarch64 (-1 where it has none)
_DENIED = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206),
    "sendmsg": (46, 211), "sendmmsg": (307, 269), "bind": (49, 200), "listen": (50, 201), "socketpair": (53, 199),
    "clone": (56, 220), "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "prlimit64": (302, 261), "setrlimit": (160, 164), "unshare": (272, 97),
    "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "chroot": (161, 51), "pivot_root": (155, 41),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "mount_setattr": (442, 442),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279), "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "mq_open": (240, 180),
    "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47), "rename": (82, -1), "renameat": (264, 38),
    "renameat2": (316, 276), "mkdir": (83, -1), "mkdirat": (258, 34), "rmdir": (84, -1), "creat": (85, -1),
    "link": (86, -1), "linkat": (265, 37), "unlink": (87, -1), "unlinkat": (263, 35), "symlink": (88, -1),
    "symlinkat": (266, 36), "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, -1),
    "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54), "mknod": (133, -1), "mknodat": (259, 33),
    "utime": (132, -1), "utimes": (235, -1), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setuid": (105, 146), "setgid": (106, 144), "reboot": (169, 142), "swapon": (167, 224),
}  # fmt: skip
_MISSING = {"clone3": (435, 435), "openat2": (437, 437)}
"""Answered as if the kernel were older, so that libraries take the older way, which is looked at."""
_OPENING = {"open": (2, -1, 1), "openat": (257, 56, 2)}
"""Ways to open a file, and which argument says how: never to write."""
_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC if sys.platform != "win32" else 0
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
    fail = {error: (_RETURN, 0, 0, _ERRNO | error) for error in (_EPERM, _EACCES, _ENOSYS)}
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]  # another way to call on x86_64 (x32)
    for table, error in ((_DENIED, _EPERM), (_MISSING, _ENOSYS)):
        for numbers in table.values():
            if numbers[column] >= 0:
                steps += [(_EQUAL, 0, 1, numbers[column]), fail[error]]
    for opening in _OPENING.values():
        number, argument = opening[column], opening[2]
        if number >= 0:
            steps += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16 + 8 * argument)]
            steps += [(_ANY_BIT, 0, 1, _TO_WRITE), fail[_EACCES], (_RETURN, 0, 0, _ALLOW)]
    return [*steps, (_RETURN, 0, 0, _ALLOW)]
