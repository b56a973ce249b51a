"""How small a difference of two models can be found, with how many datasets and seeds, from the spread of results."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import special

from bench.errors import UserError
from bench.ranking.results import Results
from bench.ranking.standings import Query, by_protocol, compute_standings, covered
from bench.ranking.verdict import ALPHA, FEW_DATASETS
from bench.render.tables import Table

POWER = 0.8
"""Probability to find the difference. **Source:** Cohen 1988, section 2.4: the conventional value."""
SEEDS = (1, 3, 5, 10)
DATASETS = (1, 3, 6, 10, 20, 50)
WILCOXON = 3 / np.pi
"""Efficiency of Wilcoxon's test relative to Student's t if differences are normal. **Source:** Lehmann 1975, 2.4."""


@dataclass(frozen=True)
class Spread:
    """Variances of the difference of two models on a dataset, medians over pairs of models.

    Attributes:
        images: due to the choice of source images for testing. seeds: due to the seed, of one seed of each model.
        datasets: between datasets, the two others taken away.
    """

    images: float
    seeds: float
    datasets: float


def spread(results: Results, query: Query) -> Spread:
    """Return the spread of the largest group of models of one protocol that all cover the same datasets.

    Raises:
        UserError: there are fewer than two datasets, models or seeds.
    """
    models = max(by_protocol(results).values(), key=len, default=[])
    datasets = [d for d in results.datasets if all(d in covered(results, m) for m in models)]
    chosen = results.summary[
        (results.summary["metric"] == query.metric) & (results.summary["average"] == query.average)
        & results.summary["dataset"].isin(datasets) & results.summary["model"].isin(models)
    ]  # fmt: skip
    of_seeds = chosen.groupby(["dataset", "model"])["value"]
    count = int(of_seeds.size().min()) if len(chosen) else 0
    if min(len(datasets), len(models), count) < 2:
        raise UserError(
            f"the spread needs two datasets, models and seeds, and these results have {len(datasets)}, {len(models)} "
            f"and {count}: train more cells."
        )
    standings = compute_standings(results, query, datasets, models)
    seeds = of_seeds.var(ddof=1).unstack("model").loc[datasets, models].to_numpy()
    parts = [
        _pair(standings.values, standings.draws, seeds, count, i, j) for i, j in combinations(range(len(models)), 2)
    ]
    return Spread(*(float(value) for value in np.nanmedian(np.maximum(parts, 0), axis=0)))


def _pair(values: np.ndarray, draws: np.ndarray, seeds: np.ndarray, count: int, i: int, j: int) -> list[float]:
    """Return the variances of one pair: images, seeds, datasets; those estimated by subtraction can be negative."""
    of_seeds = seeds[:, i] + seeds[:, j]
    # drawn seeds vary as the mean of ``count`` of them does, less the bootstrap's factor of (count - 1) / count
    of_images = (draws[..., i] - draws[..., j]).var(0) - of_seeds * (count - 1) / count**2
    between = (values[:, i] - values[:, j]).var(ddof=1)
    return [of_images.mean(), of_seeds.mean(), between - of_images.mean() - of_seeds.mean() / count]


def detectable(found: Spread, datasets: int, seeds: int, over_datasets: bool) -> float:
    """Return the smallest difference that is found with probability ``POWER``; NaN if none can be.

    Args:
        found: the spread.
        datasets: number of independent datasets.
        seeds: number of seeds of each model.
        over_datasets: whether the claim is about new datasets (Wilcoxon), or about new source images of these.

    >>> round(detectable(Spread(0.01, 0.0, 0.0), 1, 1, over_datasets=False), 3)
    0.28
    """
    variance = found.images + found.seeds / seeds
    if not over_datasets:
        return float(-(special.ndtri(ALPHA / 2) + special.ndtri(1 - POWER)) * np.sqrt(variance / datasets))
    if datasets < FEW_DATASETS:
        return float("nan")
    factor = -(special.stdtrit(datasets - 1, ALPHA / 2) + special.stdtrit(datasets - 1, 1 - POWER))
    return float(factor * np.sqrt((variance + found.datasets) / datasets / WILCOXON))


def power_tables(results: Results, query: Query, wished: float) -> list[Table]:
    """Return the detectable differences by number of datasets and seeds, and what a wished difference needs."""
    found = spread(results, query)
    name = query.module().NAME
    kinds = {"new source images of these datasets": False, "new datasets": True}
    tables = []
    for claim, over in kinds.items():
        rows = [[d, *(detectable(found, d, s, over) for s in SEEDS)] for d in DATASETS if d >= FEW_DATASETS or not over]
        heads = ["Datasets", *(f"{s} seed{'s' * (s > 1)}" for s in SEEDS)]
        caption = f"Difference in {name} to a named rival that is found with probability {POWER:g}; claim: {claim}."
        notes = [_needs(found, wished, over)]
        digits = dict.fromkeys(heads[1:], 4)
        tables.append(Table("power_datasets" if over else "power_images", caption, _frame(rows, heads), digits, notes))
    deviations = ", ".join(f"{n} {np.sqrt(getattr(found, n)):.4f}" for n in ("images", "seeds", "datasets"))
    about = f"Standard deviations of a difference on one dataset, medians over pairs of models: {deviations}."
    last = tables[-1]
    tables[-1] = Table(last.name, last.caption, last.frame, last.digits, [*last.notes, about])
    return tables


def _frame(rows: Sequence[Sequence[float]], heads: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(heads))


def _needs(found: Spread, wished: float, over_datasets: bool, most: int = 1000) -> str:
    """Return how many datasets the wished difference needs with each number of seeds."""
    needed = []
    for seeds in SEEDS:
        number = next((d for d in range(1, most) if detectable(found, d, seeds, over_datasets) <= wished), None)
        needed.append(f"{number or f'over {most}'} with {seeds}")
    return f"A difference of {wished:g} needs this many datasets, by seeds of each model: {', '.join(needed)}."
