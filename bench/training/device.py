"""Choose the device to compute on, and manage its memory."""

import ctypes
import resource
import sys

import torch

from bench.errors import UserError


def pick_device(name: str) -> torch.device:
    """Return the device that a setting names: "cpu", "cuda", or "auto" for CUDA if available.

    Raises:
        UserError: the setting is "cuda" and no CUDA device is available.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is 'cuda', but torch finds no CUDA device: set device to 'auto' or 'cpu'.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory so far, MiB: of the GPU allocator, or of this process."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    unit_bytes = 1 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 2**20, 1)


def keep_freed_memory() -> None:
    """Keep freed memory in this process, so that the next training step reuses it.

    By default the GNU C library returns large blocks, such as the gradients of each step, to the system, which zeroes
    them page by page for the next step; this can take half of the time. With another C library this does nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # another C library or operating system
        return
    mallopt(-4, 0)  # M_MMAP_MAX: never allocate a block with mmap
    mallopt(-1, -1)  # M_TRIM_THRESHOLD: never return memory
