"""The figures of the report: name -> title, what it shows, and how it is drawn from the results."""

from collections.abc import Callable

from matplotlib.figure import Figure

from bench.ranking import check
from bench.ranking.standings import covered
from bench.render import curve_figures, figures, rank_figures
from bench.report import photographs
from bench.report.context import Values, iou_by_width


def _figure6(values: Values) -> Figure | None:
    return figures.figure_6(values.headline, values.results.names, *values.ran) if values.ran[1] else None


def _width(values: Values) -> Figure | None:
    datasets, models = values.ran
    models = [m for m in models if set(datasets) <= set(covered(values.results, m))]  # the same images for each
    if not models:
        return None
    images = values.results.images[values.results.images["dataset"].isin(datasets)]
    return figures.by_width(iou_by_width(images, models), values.results.names, models)


def _pareto(values: Values) -> Figure | None:
    means = values.means("crack_iou") if values.ran[1] else {}
    costs = {m: c for m, c in values.results.costs.items() if check.is_cost_of_runs(values.results, m)}
    if not set(means) & set(costs):
        return None
    label = f"Crack IoU ({values.convention}), mean of {len(values.ran[0])} datasets"
    return rank_figures.pareto(means, costs, values.results.names, label)


def _ranks(values: Values) -> Figure | None:
    datasets, models = ([values.results.names[i] for i in ids] for ids in values.ran)
    if values.faults or len(models) < 2:
        return None
    ranked = values.ranking
    return rank_figures.rank_map(ranked.ranks, ranked.mean_ranks, datasets, models)


def _difference(values: Values) -> Figure | None:
    datasets, models = values.ran
    if values.faults or len(models) < 3 or len(datasets) < 2:
        return None
    note = f"Crack IoU ({values.convention}) over {len(datasets)} datasets; "
    note += "bars join what Nemenyi's test (0.05) cannot tell apart."
    ranked, labels = values.ranking, [values.results.names[m] for m in models]
    return rank_figures.critical_difference(ranked.mean_ranks, ranked.difference, ranked.cliques, labels, note)


def _precision_recall(values: Values) -> Figure | None:
    if not values.ran[1]:
        return None
    return curve_figures.precision_recall(values.results.curves, values.results.names, *values.ran)


def _training(values: Values) -> Figure | None:
    if not len(values.results.history):
        return None
    return curve_figures.training(values.results.history, values.results.names, *values.ran)


OF_PHOTOGRAPHS = {
    "figure4": photographs.figure_4,
    "figure5": photographs.figure_5,
    "figure7": photographs.figure_7,
    "figure8": photographs.figure_8,
}

Drawn = Callable[[Values], Figure | None]


def _of_photographs(name: str) -> Drawn:
    return lambda values: OF_PHOTOGRAPHS[name](values.photographs)


FIGURES: dict[str, tuple[tuple[str, str], Drawn]] = {
    "figure6": (
        (
            "Figure 6.",
            "Crack IoU, Dice and recall ({average}) of every model on every dataset; lines are 95 % intervals.",
        ),
        _figure6,
    ),
    "critical_difference": (
        (
            "Critical difference.",
            "Mean ranks by crack IoU ({average}); a bar joins models that Nemenyi's test cannot tell apart.",
        ),
        _difference,
    ),
    "ranks": (
        (
            "Ranks.",
            "Rank of every model on every dataset by crack IoU ({average}); 1 is best; in brackets the mean rank.",
        ),
        _ranks,
    ),
    "pareto": (
        (
            "Accuracy against cost.",
            "Crack IoU ({average}), mean over datasets; the line joins models that none beats in both score and cost.",
        ),
        _pareto,
    ),
    "iou_by_width": (
        (
            "Crack width.",
            "Pooled crack IoU of the test images by the mean width of their crack (area over length of the skeleton).",
        ),
        _width,
    ),
    "precision_recall": (
        ("Precision and recall.", "Over all thresholds, pooled per dataset; dot: p = 0.5; grey lines: equal F1."),
        _precision_recall,
    ),
    "training": (
        ("Training.", "Loss by epoch on the split that chooses the checkpoint; faint: on the training split."),
        _training,
    ),
    "figure4": (
        (
            "Figure 4.",
            "A row per transform of the training augmentation: the augmented images above, their masks below.",
        ),
        _of_photographs("figure4"),
    ),
    "figure5": (
        (
            "Figure 5.",
            "The test image with {first}'s median IoU of each dataset that it was run on. Boxes: connected pieces of "
            "crack that {first} finds and the model of the panel misses by more than 2 px.",
        ),
        _of_photographs("figure5"),
    ),
    "figure7": (
        ("Figure 7.", "RFEM's gates from coarse to fine over the photograph, the prediction and the truth."),
        _of_photographs("figure7"),
    ),
    "figure8": (
        (
            "Figure 8.",
            "The test image with the lowest IoU of each dataset: found, missed, false alarm, and which measure of "
            "difficulty is the most unusual among the dataset's test images.",
        ),
        _of_photographs("figure8"),
    ),
}
"""Name on the command line -> (title, text), drawing; of the text, ``caption`` fills in what stands in braces."""


def caption(values: Values, name: str) -> tuple[str, str]:
    """Return the title and the text of a figure that was drawn."""
    title, text = FIGURES[name][0]
    compared = photographs.compared(values.photographs)
    first = values.results.names[compared[0]] if compared else ""
    return title, text.format(average=values.convention, first=first)
