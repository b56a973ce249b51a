"""Time `bench check`, reading the results and the leaderboard on 300 cells: 10 datasets x 10 models x 3 seeds.

Run: OMP_NUM_THREADS=1 python benchmarks/check_speed.py [--out benchmarks/check_speed.json]
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from _record import parse_out, write

from bench.formats import scores
from bench.paper import published
from bench.ranking import check
from bench.ranking.leaderboard import leaderboards
from bench.ranking.results import read
from bench.ranking.standings import Query

SIZES = {
    "cfd": (24, 24), "crack500": (673, 230), "cracktree200": (41, 41), "deepcrack": (104, 72), "eugen_miller": (11, 4),
    "forest": (24, 24), "gaps": (102, 93), "rissbilder": (764, 160), "sylvie": (37, 36), "volker": (198, 70),
}  # fmt: skip
"""Test items and source images per dataset, about a fifth of the published collection."""

MODELS = sorted(published("table_7")["model"])
SEEDS = [0, 1, 2]
SIDE = 448


def write_scores(folder: Path) -> None:
    """Write synthetic but consistent score files."""
    for dataset, (items, photographs) in SIZES.items():
        rng = np.random.default_rng(items)
        crack, photo = rng.integers(500, 12000, items), rng.integers(0, photographs, items)
        images, curves, cells, histograms = [], [], [], []
        for model in MODELS:
            for seed in SEEDS:
                cell = {"dataset": dataset, "model": model, "seed": seed}
                tp, fp = rng.binomial(crack, 0.7), rng.poisson(1500, items)
                columns = dict.fromkeys(scores.IMAGES, 0.5) | cell
                columns |= {"item": [f"i{i:04d}" for i in range(items)], "photo": [f"p{p}" for p in photo]}
                columns |= {"batch": np.arange(items) // 32, "tp": tp, "fp": fp, "fn": crack - tp}
                columns |= {
                    "tn": SIDE**2 - crack - fp,
                    "ignored": 0,
                    "skeleton_true": crack // 4,
                    "boundary_true": crack,
                }
                columns |= dict.fromkeys(("pred_hit_2px", "true_hit_2px", "pred_hit_5px", "true_hit_5px"), tp)
                columns |= {
                    name: tp // 4 for name in scores.IMAGES if name.startswith(("skeleton_pred", "centreline_"))
                }
                columns |= {"skeleton_true_hit": tp // 4, "boundary_pred": tp + fp, "boundary_both": tp}
                images.append(pd.DataFrame(columns))
                levels = np.zeros((items, 2, 256), np.uint32)  # two levels only, consistent with the counts
                levels[:, 0, 200], levels[:, 0, 10] = tp, crack - tp
                levels[:, 1, 200], levels[:, 1, 10] = fp, SIDE**2 - crack - fp
                histograms.append(levels)
                curve = dict.fromkeys(["tp", "fp", "fn"], 0) | cell | {"threshold": range(256), "f1_mean": 0.5}
                pooled = pd.DataFrame(curve)
                pooled[["tp", "fp", "fn"]] += [tp.sum(), fp.sum(), (crack - tp).sum()]
                curves.append(pooled)
                record = {"protocol": "p", "data": "d", "program": model, "versions": {"x": 1}, "hardware": {"x": 1}}
                record["settings"] = {}
                cells.append(cell | record | {"code": {"commit": "c", "dirty": False}, "model_name": model})
        card = {"dataset": dataset, "content": "d", "counts": {"test": items}, "settings": {"image_size": SIDE}}
        card["origin"] = {"source": "collection"}
        history = pd.DataFrame(columns=scores.HISTORY)
        tables = pd.concat(images), pd.concat(curves), history
        written = scores.Scores(*tables, cells, card, [], histograms=np.concatenate(histograms))
        scores.write(folder / "scores" / dataset, written)


def median_s(run: Callable[[], object]) -> float:
    """Return the median seconds of three runs."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(out: Path | None) -> None:
    """Print the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scores(folder)
        results = read(folder, list(SIZES), MODELS, SEEDS)
        assert not check.findings(results), check.findings(results)[:3]
        query = Query("crack_iou", "batch_mean")
        print("| 300 cells | s |\n|---|---|")
        seconds = {
            "read and summarise": median_s(lambda: read(folder, list(SIZES), MODELS, SEEDS)),
            "check": median_s(lambda: check.findings(results)),
            "leaderboard": median_s(lambda: leaderboards(results, query, list(SIZES), False)),
        }
        for step, value in seconds.items():
            print(f"| {step} | {value:.2f} |")
        write(out, {"cells": len(results.cells), "seconds": {step: round(value, 2) for step, value in seconds.items()}})


if __name__ == "__main__":
    main(parse_out(__doc__))
