"""What a job of Windows limits: memory, processor time, no further process, an end with whoever began it.

Source: learn.microsoft.com, SetInformationJobObject, JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
"""

from __future__ import annotations

import ctypes
import subprocess
from typing import Any

from geo_cluster.box.limits import Limits

KILL_ON_CLOSE, PROCESS_MEMORY, PROCESS_TIME, ACTIVE_PROCESSES = 0x2000, 0x100, 0x2, 0x8
EXTENDED_LIMITS = 9
TICKS = 10_000_000
"""Hundreds of nanoseconds in a second."""


class _Basic(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _Extended(ctypes.Structure):
    _fields_ = (
        ("Basic", _Basic),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


def confine(process: subprocess.Popen[bytes], limits: Limits) -> None:
    """Put a process into a job with limits; the job ends with this process, and the process with the job."""
    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.CreateJobObjectW.restype = ctypes.c_void_p
    job = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))
    wanted = _Extended()
    wanted.Basic.LimitFlags = KILL_ON_CLOSE | PROCESS_MEMORY | PROCESS_TIME | ACTIVE_PROCESSES
    wanted.Basic.PerProcessUserTimeLimit = limits.cpu_seconds * TICKS
    wanted.Basic.ActiveProcessLimit = 1
    wanted.ProcessMemoryLimit = limits.memory_megabytes * 2**20
    kernel.SetInformationJobObject(job, EXTENDED_LIMITS, ctypes.byref(wanted), ctypes.sizeof(wanted))
    handle: Any = process._handle  # type: ignore[attr-defined]
    kernel.AssignProcessToJobObject(job, ctypes.c_void_p(int(handle)))
    vars(process)["job"] = job  # open as long as the process is known here
