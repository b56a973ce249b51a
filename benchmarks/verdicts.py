"""Measure how often `bench compare` claims a difference that is none, misses one, and how often its intervals hold.

Run: python benchmarks/verdicts.py [--out benchmarks/verdicts.json]

Each trial draws, on every dataset, the crack areas of its source images and the counts of models. Recall and precision
of an image vary with the image, for all models alike, and with model and image. "before": the percentile interval of
the difference from the best other model, as earlier versions drew it. "no difference": all models are equal; "power":
the first model's recall and precision are higher, by about 0.05 IoU. The last table is not simulated: of each model of
the open track, any two of its trainings are compared as if they were two models with one seed each.
"""

from itertools import combinations, product
from pathlib import Path

import numpy as np
from _record import parse_out, write

from bench.metrics.ratios import iou
from bench.ranking.of_params import read_declared
from bench.ranking.standings import Query, Standings, compute_standings
from bench.ranking.verdict import decide, differences
from bench.settings import load_params
from bench.stats.bootstrap import interval
from bench.stats.ranks import ranks
from bench.stats.simultaneous import simultaneous

TRACK = Path(__file__).parents[1] / "results" / "open"
TRIALS, RESAMPLES = 400, 500
PHOTOGRAPHS = 24
"""Source images per dataset, the median of the open datasets; the coverage is also simulated with fewer and more."""
ADVANTAGE = 0.30
"""Logits by which the first model is better where the power is simulated."""
AREA = 5000.0
SPREAD, WIDE_SPREAD = 0.8, 1.6
"""Standard deviations of the logarithm of the crack area of an image: with the second, few images hold most crack."""
NAMES = ["gaps", "volker", "rissbilder", "eugen_miller", "crack500", "deepcrack", "cracktree200", "cfd", "uav75"]
NAMES += ["ceramic"]
"""Ids of datasets without common source images; only their number matters."""


def counts(rng: np.random.Generator, models: int, images: int, advantage: float, spread: float) -> np.ndarray:
    """Return tp, fp and fn of each model and image, (M, N, 3)."""
    crack = AREA * rng.lognormal(0, spread, images)
    logits = 0.6 + rng.normal(0, 0.8, (2, 1, images)) + rng.normal(0, 0.5, (2, models, images))
    logits[:, 0] += advantage
    recall, precision = 1 / (1 + np.exp(-logits))
    tp = recall * crack
    return np.stack([tp, tp * (1 - precision) / precision, crack - tp], -1)


def standings(
    rng: np.random.Generator, datasets: int, models: int, images: int, advantage: float = 0.0, spread: float = SPREAD
) -> Standings:
    """Return the standings of simulated models."""
    values, draws = [], []
    for _ in range(datasets):
        table = counts(rng, models, images, advantage, spread)
        weights = rng.multinomial(images, np.full(images, 1 / images), RESAMPLES)
        sums = (weights @ table.transpose(1, 0, 2).reshape(images, -1)).reshape(RESAMPLES, models, 3)
        draws.append(iou(*np.moveaxis(sums, -1, 0)))
        values.append(iou(*table.sum(1).T))
    ids = [f"m{i}" for i in range(models)]
    return Standings(
        "simulated", NAMES[:datasets], ids, np.array(values), np.stack(draws, 1), True, np.full(datasets, images)
    )


def claims(found: Standings) -> tuple[bool, bool]:
    """Return whether a difference of the first model from the best other one is claimed: before, and now."""
    others = found.models[1:]
    mean_ranks = ranks(found.values).mean(0)
    rival = min(others, key=lambda m: mean_ranks[found.models.index(m)])
    low, high = interval(differences(found, "m0", [rival])[1].mean(1)[:, 0])
    return not low <= 0 <= high, decide(found, "m0", rival, others).claim in ("ahead", "behind")


def level_and_power() -> dict[str, dict[str, float]]:
    """Return the shares of trials with a claim, by number of datasets and models."""
    rows = {}
    for datasets, models in product((1, 3, 5, 8, 10), (2, 5, 10)):
        rng = np.random.default_rng([datasets, models])
        none = np.array([claims(standings(rng, datasets, models, PHOTOGRAPHS)) for _ in range(TRIALS)])
        some = np.array([claims(standings(rng, datasets, models, PHOTOGRAPHS, ADVANTAGE)) for _ in range(TRIALS // 2)])
        rows[f"{datasets} datasets, {models} models"] = {
            "no difference, before": round(float(none[:, 0].mean()), 3),
            "no difference, now": round(float(none[:, 1].mean()), 3),
            "power, before": round(float(some[:, 0].mean()), 3),
            "power, now": round(float(some[:, 1].mean()), 3),
        }
    return rows


def coverage() -> dict[str, dict[str, float]]:
    """Return the share of trials whose interval of one dataset's difference holds the truth, by source images."""
    rows = {}
    for images, spread in product((3, 5, 8, 12, 24, 50), (SPREAD, WIDE_SPREAD)):
        rng = np.random.default_rng([images, int(10 * spread)])
        held = []
        for _ in range(2 * TRIALS):
            values, draws = differences(standings(rng, 1, 2, images, 0.0, spread), "m0", ["m1"])  # the truth is 0
            before = [float(end[0]) for end in interval(draws[:, 0])]
            now = [float(end[0]) for end in simultaneous(values, draws, [images])]
            held.append([low <= 0 <= high for low, high in (before, now)])
        label = f"{images} source images" + (", few with most of the crack" if spread == WIDE_SPREAD else "")
        rows[label] = dict(zip(("before", "now"), np.mean(held, 0).round(3).tolist(), strict=True))
    return rows


def same_model() -> dict[str, dict[str, int]]:
    """Return how many pairs of trainings of one model, which differ in the seed only, are told apart."""
    params = load_params(TRACK / "params.yaml")
    query = Query("crack_iou", "pooled", 2000)
    of_seed = []
    for seed in params["seeds"]:
        results, _ = read_declared(params | {"seeds": [seed]}, TRACK)
        of_seed.append(compute_standings(results, query, results.datasets, results.models))
    together, alone = [], []
    for a, b in combinations(of_seed, 2):  # the same source images are drawn for both
        values, draws, images = a.values - b.values, a.draws - b.draws, a.source_images
        for m in range(len(a.models)):
            together.append(apart(values[:, [m]], draws[..., [m]], images))
            alone += [apart(values[[d], m : m + 1], draws[:, [d], m : m + 1], images[[d]]) for d in range(len(images))]
    found = {f"on {len(a.datasets)} datasets": together, "on one dataset": alone}
    return {label: {"pairs": len(told), "told apart": sum(told)} for label, told in found.items()}


def apart(values: np.ndarray, draws: np.ndarray, images: np.ndarray) -> bool:
    """Return whether the interval of a difference excludes 0."""
    low, high = simultaneous(values, draws, images)
    return bool(low[0] > 0 or high[0] < 0)


def main(out: Path | None) -> None:
    """Print all tables."""
    results = {
        "share_of_trials_with_a_claim": level_and_power(),
        "coverage_of_a_95_percent_interval": coverage(),
        "two_trainings_of_one_model_told_apart": same_model(),
    }
    for name, rows in results.items():
        print(name)
        for label, row in rows.items():
            print(f"  {label}: {row}")
    write(out, results | {"trials": TRIALS})


if __name__ == "__main__":
    main(parse_out(__doc__))
