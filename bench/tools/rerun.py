"""Compare a training of the open track that was repeated with the committed scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.formats import scores
from bench.ranking.bands import band


def compare_rerun(committed: Path, rerun: Path, model: str, datasets: Sequence[str]) -> Iterator[str]:
    """Yield how the trainings of a model of the track compare with its committed scores, a line per dataset and seed.

    Args:
        committed: folder with the scores of each dataset.
        rerun: the same, of the trainings here.
        model: id.
        datasets: ids.
    """
    yield "crack IoU (pooled)   committed, mean of the seeds   band   re-run here"
    for dataset in datasets:
        theirs = list(_crack_iou(scores.read(committed / dataset), model).values())
        low, high = band(theirs)
        for seed, value in _crack_iou(scores.read(rerun / dataset), model).items():
            inside = "inside the band" if low <= value <= high else "OUTSIDE THE BAND"
            mean = float(np.mean(theirs))
            yield f"{dataset} seed {seed}: {mean:.4f}   {low:.4f} to {high:.4f}   {value:.4f}, {inside}"


def _crack_iou(part: scores.Scores, model: str) -> dict[int, float]:
    """Return the pooled crack IoU of each seed."""
    rows = part.images[part.images["model"] == model]
    sums = rows.groupby("seed", as_index=False)[["tp", "fp", "fn"]].sum()
    values = sums["tp"] / (sums["tp"] + sums["fp"] + sums["fn"])
    return {int(seed): float(value) for seed, value in zip(sums["seed"], values, strict=True)}
