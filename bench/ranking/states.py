"""The state of what has no score: failed, skipped by an entry, or missing; never a zero."""

from collections import Counter

from bench.ranking.results import ENTERED, EXTERNAL, Results


def state(results: Results, dataset: str, model: str) -> str:
    """Return the state of a model's cells on a dataset that have no score: "failed", "skipped" or "missing".

    Skipped: the dataset was not entered, as `bench enter --datasets` and `bench score` allow.
    """
    if any(name.startswith(f"{dataset}/{model}/") for name in results.failed):
        return "failed"
    return "skipped" if results.trained(model) in (ENTERED, EXTERNAL) else "missing"


def failures(results: Results, declared: bool | None = None) -> list[str]:
    """Return a sentence for each cell that failed, with the reason.

    Args:
        results: as read.
        declared: only declared cells, which a ranking needs, or only those of entries; None: all.
    """
    chosen = {name: why for name, why in results.failed.items() if declared in (None, name in results.missing)}
    return [f"{name} failed: {why.rstrip('.')}." for name, why in chosen.items()]


def failed_count(results: Results) -> Counter[str]:
    """Return the number of failed cells of each model."""
    return Counter(name.split("/")[1] for name in results.failed)


def skipped(results: Results) -> list[str]:
    """Return a sentence for each entry that leaves out datasets of these results."""
    sentences = []
    for model in (m for m in results.models if results.trained(m) in (ENTERED, EXTERNAL)):
        entered = {c["dataset"] for c in results.cells if c["model"] == model}
        left = [results.names[d] for d in results.datasets if d not in entered]
        left = [] if any(name.split("/")[1] == model for name in results.failed) else left
        sentences += [f"{results.names[model]} was not entered on {', '.join(left)}: skipped."] if left else []
    return sentences
