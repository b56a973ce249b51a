"""Map a function over items in parallel, one process per core."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

import cv2
from tqdm import tqdm

from bench import machine

Item = TypeVar("Item")
Result = TypeVar("Result")

FEW = 200
"""Number of items that are done faster than processes start."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item], desc: str, few: int = FEW) -> list[Result]:
    """Return ``function`` of each item, in order.

    Args:
        function: a top-level function; arguments and results must be picklable.
        items: its arguments.
        desc: label of the progress bar.
        few: up to this many items are processed without starting processes.
    """
    cores = machine.cores()
    if cores == 1 or len(items) <= few:
        return [function(item) for item in tqdm(items, desc=desc)]
    with _one_thread(), ProcessPoolExecutor(cores, get_context("spawn"), _start) as pool:
        work = pool.map(function, items, chunksize=max(1, min(16, len(items) // (8 * cores))))
        return list(tqdm(work, total=len(items), desc=desc))


def _start() -> None:
    """Prevent OpenCV from starting threads in the worker processes."""
    cv2.setNumThreads(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit processes started within this context to one thread each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
