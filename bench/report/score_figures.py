"""The figures of scores under other conventions, and with few training images."""

from matplotlib.figure import Figure

from bench.ranking.convention_tables import mean_scores
from bench.ranking.conventions import CONVENTIONS
from bench.render import convention_figure, few_labels_figure
from bench.report.context import Values


def conventions(values: Values) -> Figure | None:
    """Return the shown models under published conventions; None without a model that has all shown datasets."""
    scores, models = mean_scores(values.results, *values.shown)
    if not models:
        return None
    labels = [values.results.names[m] for m in models]
    scores = scores.dropna(axis=1, how="all")  # not recorded in older score files
    names = [CONVENTIONS[str(c)].name for c in scores]
    return convention_figure.by_convention(scores.to_numpy(float), names, models, labels, values.looks)


def few_labels(values: Values) -> Figure | None:
    """Return the scores by number of training images; None without such results."""
    few = values.few_labels
    if few is None:
        return None
    counts = ["all" if count is None else str(count) for count in few.counts]
    labels = [values.results.names[m] for m in few.models]
    return few_labels_figure.by_training_images(few.values, few.low, few.high, counts, few.models, labels, values.looks)
