"""Compare a training of the open track that was repeated with the committed scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t as student_t

from bench.formats import scores


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


def band(committed: Sequence[float]) -> tuple[float, float]:
    """Return where the score of one more training of a cell must lie: the 95 % prediction interval, at least +-0.02.

    A single committed seed says nothing of the spread, so its band is +-0.02.

    >>> [round(x, 3) for x in band([0.50, 0.51, 0.52])]
    [0.46, 0.56]
    """
    mean, count = float(np.mean(committed)), len(committed)
    spread = 0.0
    if count > 1:
        spread = float(np.std(committed, ddof=1)) * float(student_t.ppf(0.975, count - 1)) * (1 + 1 / count) ** 0.5
    return max(0.0, mean - max(spread, 0.02)), min(1.0, mean + max(spread, 0.02))


def _crack_iou(part: scores.Scores, model: str) -> dict[int, float]:
    """Return the pooled crack IoU of each seed."""
    rows = part.images[part.images["model"] == model]
    sums = rows.groupby("seed", as_index=False)[["tp", "fp", "fn"]].sum()
    values = sums["tp"] / (sums["tp"] + sums["fp"] + sums["fn"])
    return {int(seed): float(value) for seed, value in zip(sums["seed"], values, strict=True)}
