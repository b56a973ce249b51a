"""Time the hierarchical bootstrap of the full grid (10 datasets x 10 models, 10,000 resamples) and a plain loop.

Run: OMP_NUM_THREADS=1 python benchmarks/stats_speed.py [--out benchmarks/stats_speed.json]
"""

import statistics
import time
from pathlib import Path

import numpy as np
from _record import parse_out, write

from bench import plugins
from bench.stats.bootstrap import resample

SIZES = {
    "cfd": (24, 24), "crack500": (673, 230), "cracktree200": (41, 41), "deepcrack": (104, 72), "eugen_miller": (11, 4),
    "forest": (24, 24), "gaps": (102, 93), "rissbilder": (764, 160), "sylvie": (37, 36), "volker": (198, 70),
}  # fmt: skip
"""Test items and source images per dataset, about a fifth of the published collection."""


def grid(seeds: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return counts (10, S, N, 4), source image and batch of each image, for every dataset."""
    rng = np.random.default_rng(0)
    data = []
    for items, photographs in SIZES.values():
        crack = rng.integers(500, 12000, items)
        tp = rng.binomial(crack, 0.7, (10, seeds, items))
        fp = rng.poisson(1500, tp.shape)
        counts = np.stack([tp, fp, crack - tp, 448 * 448 - crack - fp], -1).astype(float)
        data.append((counts, rng.integers(0, photographs, items), np.arange(items) // 32))
    return data


def loop_seconds(data: list[tuple[np.ndarray, np.ndarray, np.ndarray]], resamples: int = 20) -> float:
    """Return the seconds of 10,000 resamples of pooled counts drawn one by one, extrapolated from a few."""
    rng, metric = np.random.default_rng(0), plugins.load("metrics", "crack_iou").compute
    start = time.perf_counter()
    for counts, photos, _ in data:
        names = np.unique(photos)
        for _ in range(resamples):
            rows = np.concatenate([np.flatnonzero(photos == p) for p in rng.choice(names, len(names))])
            for model in counts:
                metric(*model[:, rows].sum(1).T).mean()
    return (time.perf_counter() - start) * 10_000 / resamples


def of_levels(sums: np.ndarray) -> np.ndarray:
    """Return the average precision of tp and fp at each threshold, (..., 512), computed as in standings.py."""
    tp, fp = np.split(sums, 2, axis=-1)
    return plugins.load("metrics", "average_precision").compute(tp, fp, tp[..., :1] - tp)


def main(out: Path | None) -> None:
    """Print the median of three runs for each average and number of seeds."""
    runs = []
    metric = plugins.load("metrics", "crack_iou").compute
    print("| seeds | average | 10,000 resamples, s |\n|---|---|---|")
    for seeds in (1, 3, 10):
        data = grid(seeds)
        for average in ("pooled", "image_mean", "batch_mean"):
            times = []
            for _ in range(3 if seeds == 1 else 1):
                start = time.perf_counter()
                for counts, photos, batches in data:
                    resample(metric, counts, photos, batches, average, 10_000, np.random.default_rng(0))
                times.append(time.perf_counter() - start)
            print(f"| {seeds} | {average} | {statistics.median(times):.1f} |", flush=True)
            runs.append({"seeds": seeds, "average": average, "seconds": round(statistics.median(times), 1)})
    for average in ("pooled", "batch_mean"):
        start = time.perf_counter()
        for counts, photos, batches in grid(1):  # 256 levels of two classes; their values do not matter
            levels = np.repeat(counts[..., :2], 256, axis=-1)
            generator = np.random.default_rng(0)
            resample(of_levels, levels, photos, batches, average, 1000, generator, stacked=True)
        seconds = 10 * (time.perf_counter() - start)
        print(f"| 1 | {average}, average precision | {seconds:.0f} |", flush=True)
        runs.append({"seeds": 1, "average": average, "metric": "average_precision", "seconds": round(seconds)})
    loop = loop_seconds(grid(1))
    print(f"| 1 | pooled, one resample at a time | {loop:.0f} |")
    write(out, {"resamples": 10_000, "runs": runs, "one_at_a_time_seconds": round(loop)})


if __name__ == "__main__":
    main(parse_out(__doc__))
