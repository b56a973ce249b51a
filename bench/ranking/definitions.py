"""One model under every metric and average: a gap between papers is often only a different definition."""

from inspect import cleandoc

import numpy as np
import pandas as pd

from bench import plugins
from bench.errors import UserError, instead_of
from bench.ranking.class_scores import crack_notes
from bench.ranking.results import Results
from bench.render.tables import Table

AVERAGES = {"pooled": "Pooled", "image_mean": "Mean of images", "batch_mean": "Mean of batches"}


def by_average(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of one cell as a table: metric (display name), then a column per average; NaN where undefined.

    Args:
        summary: rows of ``Results.summary`` of the cell.
    """
    names = {metric: plugins.load("metrics", metric).NAME for metric in summary["metric"].unique()}
    table = summary.pivot(index="metric", columns="average", values="value").reindex(columns=list(AVERAGES))
    return table.rename(index=names, columns=AVERAGES).rename_axis(columns=None).reset_index()


def definitions(results: Results, model: str, dataset: str) -> Table:
    """Return every metric of a model on a dataset under every average, the mean over seeds.

    Raises:
        UserError: the model has no scores on the dataset.
    """
    part = results.summary[(results.summary["dataset"] == dataset) & (results.summary["model"] == model)]
    if part.empty:
        on = results.summary.loc[results.summary["model"] == model, "dataset"].unique()
        if not len(on):
            raise UserError(f"no scores of {model}{instead_of(model, results.summary['model'].unique())}")
        raise UserError(f"no scores of {model} on {dataset}{instead_of(dataset, on)}")
    values = part.groupby(["metric", "average"])["value"].mean(skipna=False)
    images = results.images[(results.images["dataset"] == dataset) & (results.images["model"] == model)]
    undefined = int((images["tp"] + images["fn"] == 0).sum())
    rows = []
    reasons: dict[str, list[str]] = {}
    for name in part["metric"].unique():
        averages = {title: float(values.get((name, average), np.nan)) for average, title in AVERAGES.items()}
        spread = float(np.ptp([v for v in averages.values() if not np.isnan(v)] or [np.nan]))
        metric = plugins.load("metrics", name)
        rows.append({"Metric": metric.NAME, "Id": name} | averages | {"Spread": spread})
        for average, reason in metric.INPUT.undefined.items():
            reasons.setdefault(reason, []).append(f"{name} {AVERAGES[average].lower()}")
    notes = [
        "Spread: highest minus lowest average of one metric, for the same predictions. -: not defined.",
        *(f"No {', '.join(names)}: {reason}." for reason, names in reasons.items()),
        f"{undefined} of {len(images)} image scores have no true crack; means skip the values that are undefined.",
    ]
    notes += crack_notes(results, [dataset])
    caption = f"{results.names[model]} on {results.names[dataset]} under every definition, mean over seeds."
    digits = dict.fromkeys([*AVERAGES.values(), "Spread"], 4)
    return Table(f"definitions_{dataset}_{model}", caption, pd.DataFrame(rows), digits, notes, blank="-")


def explanation(name: str) -> str:
    """Return the documentation of a metric: formula, source, direction, inputs and averages.

    Raises:
        UserError: the metric does not exist.
    """
    metric = plugins.load("metrics", name)
    inputs = metric.INPUT
    file = "curves.csv (256 thresholds)" if inputs.over == "curve" else "images.csv"
    lines = [f"{metric.NAME} ({name})", "", cleandoc(str(metric.__doc__)), "", cleandoc(metric.compute.__doc__), ""]
    lines += [f"{'Higher' if metric.HIGHER_IS_BETTER else 'Lower'} is better."]
    lines += [f"Computed from: {', '.join(inputs.columns)} of {file}. {inputs.about}".rstrip()]
    lines += [f"Averages: {', '.join(inputs.averages)}."]
    lines += [f"No {average}: {reason}." for average, reason in inputs.undefined.items()]
    return "\n".join(lines)
