"""Choose the device to compute on, and manage its memory."""

import ctypes
import resource
import sys

import torch

from bench.errors import UserError


def pick_device(name: str) -> torch.device:
    """Return the device of a setting: "cpu", "cuda", or "auto" for CUDA where there is one.

    Raises:
        UserError: CUDA is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device is 'cuda', but torch finds no CUDA device: set device to 'auto' or 'cpu'.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory used so far, MiB: of the GPU's allocator, or of this process."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    unit_bytes = 1 if sys.platform == "darwin" else 2**10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 2**20, 1)


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for its next step to use.

    By default the GNU C library gives large blocks, such as each step's gradients, back to the system, which clears
    them page by page for the next step, which can take half of the time. With another library this does nothing.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # another C library, another system
        return
    mallopt(-4, 0)  # M_MMAP_MAX: no block of its own from the system
    mallopt(-1, -1)  # M_TRIM_THRESHOLD: none back
