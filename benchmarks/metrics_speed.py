"""Time all metrics of one 448x448 image: this suite's single pass against one function per metric, as scripts do it.

Run: OMP_NUM_THREADS=1 python benchmarks/metrics_speed.py [--out benchmarks/metrics_speed.json]
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from _record import asked, write
from scipy import ndimage
from skimage.morphology import skeletonize

from bench.metrics.counting import count_image

SIDE, REPEATS = 448, 7


def image(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return levels and truth of a branching crack, 4 % of the area, with a blurred, noisy prediction."""
    rng = np.random.default_rng(seed)
    true = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(3):
        points = np.cumsum(rng.normal(0, 22, (30, 2)), 0) + rng.uniform(100, 348, 2)
        cv2.polylines(true, [points.astype(np.int32)], False, 1, 4)
    prob = 0.9 * cv2.GaussianBlur(true.astype(np.float32), (0, 0), 2) + rng.normal(0.05, 0.04, true.shape)
    return np.clip(256 * prob, 0, 255).astype(np.uint8), true > 0


def naive(levels: np.ndarray, true: np.ndarray) -> list[float]:
    """Return the same metrics, each computed on its own from masks and probabilities."""
    pred, prob = levels >= 128, (levels + 0.5) / 256

    def counts(mask: np.ndarray) -> tuple[int, int, int, int]:
        return (mask & true).sum(), (mask & ~true).sum(), (~mask & true).sum(), (~mask & ~true).sum()

    def f1(precision: float, recall: float) -> float:
        return 2 * precision * recall / (precision + recall)

    def per_threshold(metric: Callable[..., float]) -> list[float]:
        return [metric(*counts(levels >= t)) for t in range(256)]

    simple: list[Callable[..., float]] = [
        lambda tp, fp, fn, tn: tp / (tp + fp + fn),
        lambda tp, fp, fn, tn: (tp / (tp + fp + fn) + tn / (tn + fp + fn)) / 2,
        lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn),
        lambda tp, fp, fn, tn: tp / (tp + fp),
        lambda tp, fp, fn, tn: tp / (tp + fn),
        lambda tp, fp, fn, tn: tn / (tn + fp),
        lambda tp, fp, fn, tn: (tp + tn) / true.size,
    ]
    found = [float(metric(*counts(pred))) for metric in simple]
    for tolerance in (2, 5):
        precision = (ndimage.distance_transform_edt(~true)[pred] <= tolerance).mean()
        recall = (ndimage.distance_transform_edt(~pred)[true] <= tolerance).mean()
        found += [precision, recall, f1(precision, recall)]
    found.append(max(per_threshold(simple[2])))
    found.append(float(np.mean(per_threshold(simple[0])[1:])))
    recalls = per_threshold(simple[4])
    precisions = per_threshold(lambda tp, fp, fn, tn: tp / max(tp + fp, 1))
    found.append(float(-np.diff([*recalls, 0.0]) @ np.array(precisions)))
    found.append(f1(true[skeletonize(pred)].mean(), pred[skeletonize(true)].mean()))
    line_pred, line_true = skeletonize(pred), skeletonize(true)
    near_true, near_pred = (ndimage.distance_transform_edt(~line) <= 4 for line in (line_true, line_pred))
    hit = (line_true & near_pred).sum()
    found.append(hit / (line_true.sum() + (line_pred & ~near_true).sum()))
    width = round(0.02 * np.hypot(*true.shape))
    rims = [m & ~ndimage.binary_erosion(m, np.ones((3, 3)), iterations=width) for m in (pred, true)]
    found.append((rims[0] & rims[1]).sum() / (rims[0] | rims[1]).sum())
    bins = (15 * prob).astype(int)
    gaps = [abs(prob[bins == b].sum() - true[bins == b].sum()) for b in range(15)]
    return [*map(float, found), float(sum(gaps) / true.size)]


def median_ms(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the median time of several runs, ms, after one to warm up."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main(out: Path | None) -> None:
    """Print both times and their ratio."""
    found = []
    cv2.setNumThreads(1)
    print(f"| image {SIDE}x{SIDE} | one pass, ms | one function per metric, ms | ratio |\n|---|---|---|---|")
    for seed in range(3):
        levels, true = image(seed)
        ours, theirs = median_ms(lambda: count_image(levels, true)), median_ms(lambda: naive(levels, true), 3)  # noqa: B023
        found.append(
            {"crack": round(float(true.mean()), 4), "one_pass_ms": round(ours, 1), "naive_ms": round(theirs, 1)}
        )
        print(f"| {true.mean():.1%} crack | {ours:.1f} | {theirs:.0f} | {theirs / ours:.0f} |")
    write(out, {"image_size": SIDE, "repeats": REPEATS, "images": found})


if __name__ == "__main__":
    main(asked(__doc__))
