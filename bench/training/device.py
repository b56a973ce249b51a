"""Choose the device to compute on, and manage its memory, its random numbers and its clock."""

import ctypes
import resource
import sys
from functools import cache

import torch
from torch import Tensor

from bench.errors import UserError

EXPERIMENTAL = {"mps": "an Apple GPU", "xpu": "an Intel GPU"}
"""Devices that torch offers and that this suite was never tried on; used only where a setting names them."""


def pick_device(name: str) -> torch.device:
    """Return the device that a setting names: "cpu", "cuda", "mps", "xpu", or "auto" for CUDA if available.

    A line on stderr says where "auto" leaves an experimental device idle, and where one is used.

    Raises:
        UserError: the setting names a device that torch does not find.
    """
    found = accelerator()
    if name not in ("auto", "cpu", found):
        there = f"it finds {found!r}" if found else "it finds no accelerator"
        raise UserError(
            f"device is {name!r}, but torch finds no {name.upper()} device ({there}): set device to 'auto' or 'cpu'."
        )
    if name == "auto" and found in EXPERIMENTAL:
        _say(
            f"device auto: on the CPU; {EXPERIMENTAL[found]} is there, but experimental: name it ({found!r}) to use it."
        )
    elif name in EXPERIMENTAL:
        _say(
            f"device {name} is experimental, not tried: float32 only, repeats may differ in the last bits, "
            "operators that it lacks run on the CPU."
        )
    if name == "auto":
        return torch.device("cuda" if found == "cuda" else "cpu")
    return torch.device(name)


def accelerator() -> str:
    """Return the kind of accelerator that torch finds on this machine, such as "cuda"; "" without one."""
    found = torch.accelerator.current_accelerator(check_available=True)
    return found.type if found else ""


@cache
def _say(line: str) -> None:
    """Print a line on stderr, once in a process."""
    print(line, file=sys.stderr)


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all that it was given; a CPU has."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def exact_device(device: torch.device) -> torch.device:
    """Return where float64 sums are kept: on the device, or on the CPU for those that lack float64."""
    return torch.device("cpu") if device.type in EXPERIMENTAL else device


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of torch's random numbers, by the kind of device: of the CPU, and of an accelerator if used."""
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state()
    return states


def restore_random_state(states: dict[str, Tensor], device: torch.device) -> None:
    """Set the state of torch's random numbers; that of an accelerator is left as it is if it was not recorded."""
    torch.set_rng_state(states["cpu"])
    if device.type != "cpu" and device.type in states:
        torch.get_device_module(device).set_rng_state(states[device.type])


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory so far, MiB: of the GPU allocator, or of this process.

    torch counts no peak on Apple GPUs, which share the memory of the process.
    """
    if device.type in ("cuda", "xpu"):
        return round(torch.accelerator.max_memory_allocated() / 2**20, 1)
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
