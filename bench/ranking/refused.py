"""Which external models do not fit the results beside them, and the results without these."""

from collections.abc import Mapping
from dataclasses import replace

from bench.ranking.results import ENTERED, EXTERNAL, Results


def refused(results: Results) -> dict[str, str]:
    """Return the external models whose scores do not fit these results, so that none takes them: id -> reason."""
    reasons = {}
    for cell in (c for c in results.cells if c.get("trained") in (EXTERNAL, ENTERED) and results.track_version):
        if (version := cell.get("track_version", 1)) != results.track_version:
            reasons[cell["model"]] = (
                f"was entered into version {version} of the open track, these are results of version "
                f"{results.track_version}; run `bench enter` again"
            )
    batches = {c.get("evaluation_batch") for c in results.cells if c.get("trained") != EXTERNAL} - {None}
    for cell in (c for c in results.cells if c.get("trained") == EXTERNAL):
        model, dataset = cell["model"], cell["dataset"]
        if cell["data"] != results.cards[dataset]["content"]:
            reasons[model] = f"was scored on a different version of {dataset}; run `bench score` again"
        elif len({c["protocol"] for c in results.cells if c["model"] == model}) > 1:
            reasons[model] = "declares several protocols; run `bench score` again for all its datasets"
        elif batches and cell.get("evaluation_batch") not in batches | {None}:
            size = cell["evaluation_batch"]
            reasons[model] = f"was scored in batches of {size} images, unlike the runs; run `bench score` again"
    return reasons


def without(results: Results, models: Mapping[str, str]) -> Results:
    """Return the results without the given models."""
    frames = {k: getattr(results, k) for k in ("summary", "images", "curves", "classes")}
    frames = {k: frame[~frame["model"].isin(list(models))].reset_index(drop=True) for k, frame in frames.items()}
    cells = [c for c in results.cells if c["model"] not in models]
    histograms = results.histograms[~results.images["model"].isin(list(models)).to_numpy()]
    left = [m for m in results.models if m not in models]
    return replace(results, models=left, cells=cells, histograms=histograms, **frames)
