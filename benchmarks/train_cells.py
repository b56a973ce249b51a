"""Train many small cells at once on one GPU, in processes that import and start CUDA once, without DVC.

A small training leaves a large GPU idle between its kernels, so that a dozen share it with little loss. Cells whose run
is finished are skipped; each error is printed and the others continue.

Usage: python benchmarks/train_cells.py --processes 14 prepared runs
"""

import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

import click
from _command import Command

from bench.settings import load_params, section, seed_list
from bench.training.settings import TrainSettings

Cell = tuple[str, str, int]
COSTLY = ("deeplabv3", "manet", "unetplusplus", "upernet")
"""Trained first, so that no process ends long after the others."""


def start_process() -> None:
    """Load what a training needs."""
    import cv2
    import torch

    from bench.stages import train  # noqa: F401

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    torch.backends.cudnn.benchmark_limit = 1  # trying all algorithms takes longer than a short training gains
    torch.zeros(1, device="cuda" if torch.cuda.is_available() else "cpu")


def train_cell(prepared: Path, runs: Path, cell: Cell, settings: TrainSettings) -> float:
    """Train one cell unless it is done and return the seconds it took."""
    from bench.stages import train

    dataset, model, seed = cell
    target = runs / dataset / model / str(seed)
    began = time.perf_counter()
    if not (target / "run.json").is_file():
        train.run(prepared / dataset, target, model, seed, settings)
    return time.perf_counter() - began


def train_all(
    jobs: Sequence[tuple[Path, Path, Cell, TrainSettings]], processes: int, limit_s: float
) -> dict[str, float]:
    """Train cells in ``processes`` and return the seconds of each; no cell is begun after ``limit_s``."""
    began, seconds = time.monotonic(), {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, start_process) as pool:
        futures: dict[Future[float], str] = {
            pool.submit(train_cell, *job): f"{job[1].name}/{'/'.join(map(str, job[2]))}" for job in jobs
        }
        for future in as_completed(futures):
            try:
                seconds[futures[future]] = round(future.result(), 2)
            except Exception as error:  # one cell's failure must not end the others
                print(f"{futures[future]}: {type(error).__name__}: {error}", file=sys.stderr)
            if time.monotonic() - began > limit_s:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    return seconds


@click.command(cls=Command)
@click.argument("prepared", type=click.Path(path_type=Path, exists=True))
@click.argument("runs", type=click.Path(path_type=Path))
@click.option("--params", default="params.yaml", type=click.Path(path_type=Path), help="Datasets, models and settings.")
@click.option("--processes", default=14, show_default=True, type=click.IntRange(1), help="Cells at a time.")
@click.option("--limit-s", default=1e9, type=float, help="Begin no cell after this time, seconds.")
def main(prepared: Path, runs: Path, params: Path, processes: int, limit_s: float) -> None:
    """Train the cells of params.yaml on one GPU."""
    values = load_params(params)
    settings = section(values, "train", TrainSettings)
    models = sorted(values["models"], key=lambda model: model not in COSTLY)
    cells = [(dataset, model, seed) for seed in seed_list(values) for model in models for dataset in values["datasets"]]
    began = time.monotonic()
    done = train_all([(prepared, runs, cell, settings) for cell in cells], processes, limit_s)
    print(f"{len(done)} of {len(cells)} cells in {time.monotonic() - began:.0f} s, {processes} at a time")


if __name__ == "__main__":
    main()
