"""The figures of the report: name -> title, caption and drawing function."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from bench.ranking import check
from bench.ranking.standings import covered
from bench.render import abroad_figures, curve_figures, figures, rank_figures
from bench.report import photograph_figures, score_figures
from bench.report.context import Values
from bench.report.photographs import Photographs
from bench.report.width import iou_by_width
from bench.stats.bootstrap import interval

Draw = Callable[[Values], Figure | None]


def _figure_6(values: Values) -> Figure | None:
    return (
        figures.figure_6(values.headline, values.results.names, *values.shown, values.looks)
        if values.shown[1]
        else None
    )


def _iou_by_width(values: Values) -> Figure | None:
    datasets, models = values.shown
    models = [m for m in models if set(datasets) <= set(covered(values.results, m))]  # the same images for each
    if not models:
        return None
    images = values.results.images[values.results.images["dataset"].isin(datasets)]
    return figures.by_width(iou_by_width(images, models), values.results.names, models, values.looks)


def _pareto(values: Values) -> Figure | None:
    means = values.means("crack_iou") if values.shown[1] else {}
    costs = {m: c for m, c in values.results.costs.items() if check.is_cost_of_runs(values.results, m)}
    if not set(means) & set(costs):
        return None
    label = f"Crack IoU ({values.convention}), mean of {len(values.shown[0])} datasets"
    return rank_figures.pareto(means, costs, values.results.names, label, values.looks)


def _ranks(values: Values) -> Figure | None:
    datasets, models = ([values.results.names[i] for i in ids] for ids in values.shown)
    if values.faults or len(models) < 2:
        return None
    ranked = values.ranking
    return rank_figures.rank_map(ranked.ranks, ranked.mean_ranks, datasets, models)


def _critical_difference(values: Values) -> Figure | None:
    datasets, models = values.shown
    if values.faults or len(models) < 3 or len(datasets) < 2:
        return None
    note = f"Crack IoU ({values.convention}) over {len(datasets)} datasets; bars join models that do not differ "
    note += "significantly (Nemenyi test, 0.05)."
    ranked, labels = values.ranking, [values.results.names[m] for m in models]
    return rank_figures.critical_difference(ranked.mean_ranks, ranked.difference, ranked.cliques, labels, note)


def _precision_recall(values: Values) -> Figure | None:
    if not values.shown[1]:
        return None
    results = values.results
    return curve_figures.precision_recall(results.curves, results.names, *values.shown, values.looks)


def _transfer(values: Values) -> Figure | None:
    found = values.abroad
    if found is None:
        return None
    labels = [values.results.names[d] for d in found.datasets]
    return abroad_figures.heat_map(found.values.mean(0), labels, found.left_out)


def _home_and_abroad(values: Values) -> Figure | None:
    found = values.abroad
    if found is None:
        return None
    labels = [values.results.names[m] for m in found.models]
    low, high = (np.asarray(ends) for ends in interval(found.draws))
    return abroad_figures.home_and_abroad(found.home, found.abroad, low, high, found.models, labels, values.looks)


def _training(values: Values) -> Figure | None:
    if not len(values.results.history):
        return None
    return curve_figures.training(values.results.history, values.results.names, *values.shown, values.looks)


def _with_photographs(draw: Callable[[Photographs], Figure | None]) -> Draw:
    return lambda values: draw(values.photographs)


@dataclass(frozen=True)
class FigurePart:
    """A figure of the report.

    Attributes:
        title: such as "Figure 6.".
        text: caption; ``caption`` fills in {average}, how values are averaged, and {first}, Figure 5's first model.
        draw: function that draws the figure, or returns None if its data are missing.
        of_photographs: whether it shows source images, which are never put inside the page, except synthetic ones.
    """

    title: str
    text: str
    draw: Draw
    of_photographs: bool = False


FIGURES = {
    "figure6": FigurePart(
        "Figure 6.",
        "Crack IoU, Dice and recall ({average}) of every model on every dataset, with 95 % confidence intervals. "
        "A cross marks a missing cell.",
        _figure_6,
    ),
    "critical_difference": FigurePart(
        "Critical difference.",
        "Mean ranks by crack IoU ({average}); 1 is best. A bar joins models that do not differ significantly in "
        "Nemenyi's test at 0.05.",
        _critical_difference,
    ),
    "ranks": FigurePart(
        "Ranks.",
        "Rank of every model on every dataset by crack IoU ({average}); 1 is best. Mean ranks in parentheses.",
        _ranks,
    ),
    "pareto": FigurePart(
        "Accuracy against cost.",
        "Crack IoU ({average}), mean over the datasets, with 95 % confidence intervals. The line is the Pareto front: "
        "no other model has both a higher score and a lower cost.",
        _pareto,
    ),
    "iou_by_width": FigurePart(
        "Crack width.",
        "Pooled crack IoU of the test images, grouped by mean crack width (crack area divided by skeleton length), "
        "with 95 % confidence intervals.",
        _iou_by_width,
    ),
    "precision_recall": FigurePart(
        "Precision and recall.",
        "Precision against recall at all thresholds, pooled per dataset. Dots: p = 0.5. Grey lines: constant F1.",
        _precision_recall,
    ),
    "conventions": FigurePart(
        "One model, many scores.",
        "Mean over the datasets of each model under published conventions of scoring, from the same predictions. Where "
        "two lines cross, the order of two models depends on the convention.",
        score_figures.conventions,
    ),
    "transfer": FigurePart(
        "Train on one, test on another.",
        "Pooled crack IoU by training and test dataset, mean over models and the seeds of the table. A star: test "
        "images that share a source image with the training set are left out.",
        _transfer,
    ),
    "home_and_abroad": FigurePart(
        "At home and abroad.",
        "Pooled crack IoU of each model on the datasets it was trained on, and on the others, mean over datasets and "
        "the seeds of the table, with 95 % confidence intervals.",
        _home_and_abroad,
    ),
    "few_labels": FigurePart(
        "Few labels.",
        "Pooled crack IoU by number of labelled training images per dataset, mean over datasets and seeds, with 95 % "
        "confidence intervals. The axis is not to scale.",
        score_figures.few_labels,
    ),
    "training": FigurePart(
        "Training.",
        "Loss per epoch on the split that selects the checkpoint; faint lines: on the training split.",
        _training,
    ),
    "figure4": FigurePart(
        "Figure 4.",
        "Training augmentation, one transform per pair of rows: augmented images above, their masks below.",
        _with_photographs(photograph_figures.figure_4),
        True,
    ),
    "figure5": FigurePart(
        "Figure 5.",
        "Predictions on the test image with {first}'s median IoU, for each dataset with results of {first}. Boxes "
        "mark connected pieces of crack that {first} detects and the model of the panel misses by more than 2 px.",
        _with_photographs(photograph_figures.figure_5),
        True,
    ),
    "figure7": FigurePart(
        "Figure 7.",
        "RFEM's gates, from coarse to fine, over the source image, with the prediction and the ground truth.",
        _with_photographs(photograph_figures.figure_7),
        True,
    ),
    "figure8": FigurePart(
        "Figure 8.",
        "The test image with the lowest IoU of each dataset, of the first model and of every one entered: true "
        "positives, false negatives and false positives, and the measure of difficulty that is most extreme compared "
        "with the dataset's other test images.",
        _with_photographs(photograph_figures.figure_8),
        True,
    ),
}
"""Name on the command line -> figure."""

CAPTION = "Description"
"""Key of the caption in the PNG of a figure of source images."""


def kept(values: Values, name: str) -> Path | None:
    """Return the PNG of a figure of source images drawn before; None if predictions are on disk, or it is missing."""
    path = values.kept / f"{name}.png"
    return path if FIGURES[name].of_photographs and not values.photographs.data and path.is_file() else None


def caption(values: Values, name: str) -> tuple[str, str]:
    """Return the title and the completed caption of a figure."""
    compared = photograph_figures.compared(values.photographs)
    first = values.results.names[compared[0]] if compared else ""
    figure = FIGURES[name]
    if (drawn_before := kept(values, name)) is not None:
        with Image.open(drawn_before) as picture:
            return figure.title, str(picture.info[CAPTION])
    return figure.title, " ".join([figure.text.format(average=values.convention, first=first), *values.crack_notes])
