"""Cores and memory available to this process."""

import os
from pathlib import Path

import psutil

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Files with a container's memory limit, in bytes or "max". **Source:** Linux, cgroup v2 and v1."""


def cores() -> int:
    """Return the number of cores available to this process; all cores where the system does not report an affinity."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Return the machine's memory, or the container's limit if that is lower."""
    limits = [int(psutil.virtual_memory().total)]
    for path in LIMITS:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:  # not in such a cgroup
            continue
        limits += [int(text)] if text.isdecimal() else []
    return min(limits)
