"""Time the hierarchical bootstrap of the full grid: 10 datasets x 10 models, 10,000 resamples, against a plain loop.

Run: OMP_NUM_THREADS=1 python benchmarks/stats_speed.py
"""

import statistics
import time

import numpy as np

from bench import plugins
from bench.stats.bootstrap import resample

SIZES = {
    "cfd": (24, 24), "crack500": (673, 230), "cracktree200": (41, 41), "deepcrack": (104, 72), "eugen_miller": (11, 4),
    "forest": (24, 24), "gaps": (102, 93), "rissbilder": (764, 160), "sylvie": (37, 36), "volker": (198, 70),
}  # fmt: skip
"""Test items and their photographs, about a fifth of the published collection."""


def grid(seeds: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return counts (10, S, N, 4), photograph and batch of each image, for every dataset."""
    rng = np.random.default_rng(0)
    found = []
    for items, photographs in SIZES.values():
        crack = rng.integers(500, 12000, items)
        tp = rng.binomial(crack, 0.7, (10, seeds, items))
        fp = rng.poisson(1500, tp.shape)
        counts = np.stack([tp, fp, crack - tp, 448 * 448 - crack - fp], -1).astype(float)
        found.append((counts, rng.integers(0, photographs, items), np.arange(items) // 32))
    return found


def loop_seconds(data: list[tuple[np.ndarray, np.ndarray, np.ndarray]], resamples: int = 20) -> float:
    """Return the seconds that 10,000 resamples of pooled counts would take drawn one by one, from a few of them."""
    rng, metric = np.random.default_rng(0), plugins.load("metrics", "crack_iou").compute
    start = time.perf_counter()
    for counts, photos, _ in data:
        names = np.unique(photos)
        for _ in range(resamples):
            rows = np.concatenate([np.flatnonzero(photos == p) for p in rng.choice(names, len(names))])
            for model in counts:
                metric(*model[:, rows].sum(1).T).mean()
    return (time.perf_counter() - start) * 10_000 / resamples


def main() -> None:
    """Print the median of three runs for each average and number of seeds."""
    metric = plugins.load("metrics", "crack_iou").compute
    print("| seeds | average | 10,000 resamples, s |\n|---|---|---|")
    for seeds in (1, 3, 10):
        data = grid(seeds)
        for how in ("pooled", "image_mean", "batch_mean"):
            times = []
            for _ in range(3 if seeds == 1 else 1):
                start = time.perf_counter()
                for counts, photos, batches in data:
                    resample(metric, counts, photos, batches, how, 10_000, np.random.default_rng(0))
                times.append(time.perf_counter() - start)
            print(f"| {seeds} | {how} | {statistics.median(times):.1f} |", flush=True)
    print(f"| 1 | pooled, one resample at a time | {loop_seconds(grid(1)):.0f} |")


if __name__ == "__main__":
    main()
