"""The parts of the report: each yields its files, path below reports/ and content."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from bench import audit, leaderboard, plugins
from bench.definitions import AVERAGES
from bench.render import curve_figures, figures, html, latex, model_card, rank_figures, score_tables, tables, text
from bench.render.score_tables import TITLES
from bench.render.tables import COLUMNS
from bench.stages import _report_page, _report_photographs
from bench.stages._report_values import Values, iou_by_width
from bench.standings import Question

Files = Iterator[tuple[str, str | bytes]]


def all_tables(values: Values) -> Iterator[tables.Table]:
    """Yield Tables 1 to 7; those that nothing was run for say so."""
    results, paper = values.results, values.results.published
    facts = {d: asdict(plugins.load("datasets", d).CARD) for d in results.datasets}
    yield tables.table_1(results.cards, facts, paper["table_1"])
    yield tables.table_2(flat(results.cells[0]["settings"]) if results.cells else {}, paper["table_2"])
    measured = score_tables.by_cell(values.headline)
    yield from score_tables.segmentation_tables(
        measured, values.average, results.names, results.models, paper["tables_3_4_5"]
    )
    yield score_tables.table_6(measured, values.average, results.names, paper["table_6"])
    yield tables.table_7(results.costs, {m: results.names[m] for m in results.models}, paper["table_7"])


def ranking(values: Values) -> list[tables.Table]:
    """Return the leaderboard; results that fail the check are tabulated, never ranked."""
    if values.faults or not values.results.cells:
        return []
    question = Question("crack_iou", values.average)
    return leaderboard.leaderboards(values.results, question, values.results.datasets, rank_published=False)


def _table(number: str) -> Callable[[Values], Files]:
    def part(values: Values) -> Files:
        for table in all_tables(values):
            if table.name == number:
                yield from _table_files(table, values.warning)

    return part


def _leaderboard(values: Values) -> Files:
    for table in ranking(values):
        yield from _table_files(table, values.warning)


def _audit(values: Values) -> Files:
    for table in audit.tables(values.results.costs):
        yield from _table_files(table, "")


def _figure6(values: Values) -> Files:
    datasets, models = values.ran
    if models:
        yield from _figure_files(
            "figure6", figures.figure_6(values.headline, values.results.names, datasets, models), values
        )


def _width(values: Values) -> Files:
    _, models = values.ran
    if models:
        frame = iou_by_width(values.results.images, models)
        yield from _figure_files("iou_by_width", figures.by_width(frame, values.results.names, models), values)


def _pareto(values: Values) -> Files:
    means = values.means("crack_iou") if values.ran[1] else {}
    if set(means) & set(values.results.costs):
        label = f"Crack IoU, mean of {len(values.ran[0])} datasets"
        yield from _figure_files(
            "pareto", rank_figures.pareto(means, values.results.costs, values.results.names, label), values
        )


def _ranks(values: Values) -> Files:
    datasets, models = values.ran
    if len(models) < 2:
        return
    names, ranked = values.results.names, values.ranking
    labels = [names[m] for m in models]
    figure = rank_figures.rank_map(ranked.values, ranked.ranks, ranked.mean_ranks, [names[d] for d in datasets], labels)
    yield from _figure_files("ranks", figure, values)


def _difference(values: Values) -> Files:
    datasets, models = values.ran
    ranked = values.ranking if len(models) > 1 else None
    if ranked and not values.faults and ranked.difference == ranked.difference:
        note = f"Crack IoU over {len(datasets)} datasets; bars join what Nemenyi's test (0.05) cannot tell apart."
        labels = [values.results.names[m] for m in models]
        figure = rank_figures.critical_difference(ranked.mean_ranks, ranked.difference, ranked.cliques, labels, note)
        yield from _figure_files("critical_difference", figure, values)


def _precision_recall(values: Values) -> Files:
    if values.ran[1]:
        figure = curve_figures.precision_recall(values.results.curves, values.results.names, *values.ran)
        yield from _figure_files("precision_recall", figure, values)


def _training(values: Values) -> Files:
    if len(values.results.history):
        figure = curve_figures.training(values.results.history, values.results.names, *values.ran)
        yield from _figure_files("training", figure, values)


def _cards(values: Values) -> Files:
    results = values.results
    metric_names = {m: plugins.load("metrics", m).NAME for m in results.summary["metric"].unique()}
    of_cell = dict(list(results.summary.groupby(["dataset", "model", "seed"])))
    for cell in results.cells:
        part = of_cell[(cell["dataset"], cell["model"], cell["seed"])]
        scores = part.pivot(index="metric", columns="average", values="value").reindex(columns=list(AVERAGES))
        scores = scores.rename(index=metric_names, columns=AVERAGES).rename_axis(columns=None).reset_index()
        page = model_card.model_card(cell, results.names, scores, results.cards[cell["dataset"]], values.warning)
        yield f"cards/{cell['dataset']}_{cell['model']}_{cell['seed']}.md", page


def _numbers(values: Values) -> Files:
    """Yield what `dvc metrics` and `dvc plots` show, and every metric of every cell."""
    results = values.results
    yield "summary.csv", results.summary.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    datasets, models = values.ran
    shown: dict[str, Any] = {}
    for metric in COLUMNS.values() if models else ():
        for model, (value, _, _) in values.means(metric).items():
            shown.setdefault(model, {})[metric] = round(value, 4)
    for model, rank in zip(models, values.ranking.mean_ranks if models else (), strict=True):
        if model in shown and rank == rank:
            shown[model]["mean_rank"] = round(float(rank), 2)
    yield "metrics.json", json.dumps(shown, indent=1, sort_keys=True) + "\n"
    bars = [{"model": results.names[m], "crack_iou": v["crack_iou"]} for m, v in shown.items()]
    yield (
        "plots/crack_iou.csv",
        pd.DataFrame(bars, columns=["model", "crack_iou"]).to_csv(index=False, lineterminator="\n"),
    )
    if len(results.history):
        loss = results.history.pivot_table(index="epoch", columns="model", values="val_loss").reindex(
            columns=results.models
        )
        yield "plots/selection_loss.csv", loss.to_csv(float_format="%.6g", lineterminator="\n")


def _page(values: Values) -> Files:
    yield from _report_page.page(values, [*all_tables(values)], ranking(values), audit.tables(values.results.costs))


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _table_files(table: tables.Table, warning: str) -> Files:
    yield f"tables/{table.name}.md", text.markdown(table, warning)
    yield f"tables/{table.name}.csv", text.csv(table)
    yield f"tables/{table.name}.tex", latex.latex(table, warning)
    yield f"tables/{table.name}.html", html.document(table, warning)


def _figure_files(name: str, figure: Figure, values: Values, folder: str = "figures") -> Files:
    """Yield a figure as PNG (200 dpi) and SVG; the same results give the same bytes."""
    if values.warning:
        figure.suptitle(values.warning, color="#AA3377", fontsize=7, wrap=True)
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, dpi=200, metadata=metadata)
            yield f"{folder}/{name}.{suffix}", buffer.getvalue()


PARTS: dict[str, Callable[[Values], Files]] = {
    **{f"table{i}": _table(f"table{i}") for i in range(1, 8)},
    "leaderboard": _leaderboard, "audit": _audit, "figure6": _figure6, "iou_by_width": _width, "pareto": _pareto,
    "ranks": _ranks, "critical_difference": _difference, "precision_recall": _precision_recall,
    "training": _training, "cards": _cards, "numbers": _numbers, "page": _page,
}  # fmt: skip
"""Name on the command line -> what it yields, in the order they are written."""
