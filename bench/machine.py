"""What this process may use of the machine: cores and memory."""

import os
from pathlib import Path

import psutil

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit of memory stands, bytes or "max". **Source:** Linux, cgroup v2 and v1."""


def cores() -> int:
    """Return the number of cores that this process may run on; all of the machine's where the system cannot say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Return the machine's memory, or the container's limit if that is less."""
    found = [int(psutil.virtual_memory().total)]
    for path in LIMITS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:  # no such cgroup here
            continue
        found += [int(text)] if text.isdecimal() else []
    return min(found)
