"""Spread work over the processor's cores, in processes of their own."""

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
"""Items that are done sooner than processes have started."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item], desc: str, few: int = FEW) -> list[Result]:
    """Return ``function`` of each item, in order.

    Args:
        function: of a module's top level; what it takes and returns is sent between processes.
        items: what to do.
        desc: shown beside the progress.
        few: up to so many items are done in this process.
    """
    cores = machine.cores()
    if cores == 1 or len(items) <= few:
        return [function(item) for item in tqdm(items, desc=desc)]
    with _one_thread(), ProcessPoolExecutor(cores, get_context("spawn"), _start) as pool:
        work = pool.map(function, items, chunksize=max(1, min(16, len(items) // (8 * cores))))
        return list(tqdm(work, total=len(items), desc=desc))


def _start() -> None:
    """Keep OpenCV from starting threads beside the processes."""
    cv2.setNumThreads(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let the processes that are started within compute in one thread each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
