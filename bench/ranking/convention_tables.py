"""A model under every published convention, those that give a target, and how the order of models changes."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from bench.errors import UserError
from bench.ranking.conventions import CONVENTIONS, HEADLINE, by_convention
from bench.ranking.definitions import definitions
from bench.ranking.results import Results
from bench.ranking.standings import by_protocol, covered
from bench.render.tables import Table

NOTES = [
    "At p >= 0.5 unless a threshold is named. Each row computes what the named script or paper does, from the same "
    "predictions; -: not defined, or not recorded in these score files (`dvc repro evaluate` evaluates again).",
    "At 256 px: both masks are resized; the network saw the images as prepared.",
    f"Tau: Kendall's tau of the order of the models with that by {CONVENTIONS[HEADLINE].name}; 1: the same order. "
    "First and tau: of the models that have the score.",
]


def conventions(results: Results, model: str, dataset: str, target: str | None) -> list[Table]:
    """Return a model under every convention, the places of all models under each, and every metric and average.

    Args:
        results: as read.
        model: id.
        dataset: id.
        target: a printed score; conventions that give it when rounded to its digits are marked. None: no column.

    Raises:
        UserError: the model has no scores on the dataset, or the target is no share.
    """
    every = definitions(results, model, dataset)
    wanted = _share(target)
    models = next(group for group in by_protocol(results).values() if model in group)
    images = results.images[results.images["dataset"] == dataset]
    scores = by_convention(replace(results, images=images))
    scores = scores[scores["model"].isin(models)].set_index("model")
    scores = scores.loc[[m for m in models if m in scores.index], list(CONVENTIONS)]
    frame = _rows(scores, results, model)
    caption = f"{results.names[model]} on {results.names[dataset]} under published conventions, mean over seeds."
    if wanted is not None:
        gives = [_gives(float(value), wanted) for value in scores.loc[model].to_numpy(float)]
        frame["Gives target"] = np.where(gives, "yes", "")
        found = list(frame.loc[gives, "Convention"])
        caption += f" {target} is given by: {'; '.join(found) or 'none of them'}."
    first = Table(f"conventions_{dataset}_{model}", caption, frame, {"Score": 4, "Tau": 2}, NOTES, blank="-")
    return [first, *([_places(scores, results, dataset)] if len(scores) > 1 else []), every]


def all_conventions(results: Results, datasets: Sequence[str], models: Sequence[str]) -> Table | None:
    """Return the mean over datasets of each model under every convention; None without a model that has them all."""
    scores, complete = mean_scores(results, datasets, models)
    if not complete:
        return None
    frame = pd.DataFrame({"Convention": [c.name for c in CONVENTIONS.values()]})
    frame["As in"] = [c.script for c in CONVENTIONS.values()]
    for model in complete:
        frame[results.names[model]] = scores.loc[model].to_numpy()
    frame["First"] = _first(scores, results)
    frame["Tau"] = _taus(scores)
    digits = dict.fromkeys([results.names[m] for m in complete], 3) | {"Tau": 2}
    caption = f"Models under published conventions, mean over {len(datasets)} datasets and the seeds."
    return Table("conventions", caption, frame, digits, NOTES, blank="-")


def mean_scores(results: Results, datasets: Sequence[str], models: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the mean over datasets by model (rows) and convention, and the models with scores on all datasets."""
    complete = [m for m in models if datasets and set(datasets) <= set(covered(results, m))]
    scores = by_convention(results)
    scores = scores[scores["dataset"].isin(datasets) & scores["model"].isin(complete)]
    means = scores.groupby("model")[list(CONVENTIONS)].mean(skipna=False)
    return means.reindex(complete), complete


def _rows(scores: pd.DataFrame, results: Results, model: str) -> pd.DataFrame:
    """Return a row per convention of one model."""
    places = _all_places(scores)
    return pd.DataFrame(
        {
            "Convention": [c.name for c in CONVENTIONS.values()], "As in": [c.script for c in CONVENTIONS.values()],
            "Score": scores.loc[model].to_numpy(),
            "Place": list(map(_as_text, places.loc[model].to_numpy(float))),
            "First": _first(scores, results), "Tau": _taus(scores),
        }
    )  # fmt: skip


def _places(scores: pd.DataFrame, results: Results, dataset: str) -> Table:
    """Return the place of every model under every convention."""
    frame = _all_places(scores).T.map(_as_text).rename(columns=results.names)
    frame.insert(0, "Convention", [c.name for c in CONVENTIONS.values()])
    caption = f"Places of the models on {results.names[dataset]} under each convention."
    return Table(f"places_{dataset}", caption, frame.reset_index(drop=True))


def _all_places(scores: pd.DataFrame) -> pd.DataFrame:
    """Return places, 1 is best, equal scores share a place; NaN where a score is undefined."""
    return scores.rank(ascending=False, method="min")


def _as_text(place: float) -> str:
    return "-" if np.isnan(place) else f"{place:.0f}"


def _first(scores: pd.DataFrame, results: Results) -> list[str]:
    """Return the name of the best model under each convention."""
    best = [str(scores[c].idxmax()) if scores[c].notna().any() else "" for c in CONVENTIONS]
    return [results.names[m] if m else "-" for m in best]


def _taus(scores: pd.DataFrame) -> list[float]:
    """Return Kendall's tau of each convention with the headline; NaN with fewer than two models that have both."""
    both = [scores.loc[scores[[HEADLINE, c]].notna().all(axis=1)] for c in CONVENTIONS]
    return [
        float(kendalltau(part[HEADLINE], part[c]).statistic) if len(part) > 1 else float("nan")
        for c, part in zip(CONVENTIONS, both, strict=True)
    ]


def _share(target: str | None) -> Decimal | None:
    """Return a target as a number.

    Raises:
        UserError: it is not a number from 0 to 1, or has no decimals, so that it would be any score that rounds to it.
    """
    if target is None:
        return None
    try:
        number = Decimal(target)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= 1 or int(number.as_tuple().exponent) >= 0:
        raise UserError(f"--target is {target!r}: give a score from 0 to 1 with the decimals as printed, such as 0.78.")
    return number


def _gives(score: float, target: Decimal) -> bool:
    """Return whether a score is the target when rounded to its digits.

    >>> [_gives(score, Decimal("0.78")) for score in (0.7751, 0.7849, 0.7851)]
    [True, True, False]
    """
    half = Decimal(1).scaleb(int(target.as_tuple().exponent)) / 2
    return bool(np.isfinite(score)) and abs(Decimal(float(score)) - target) <= half
