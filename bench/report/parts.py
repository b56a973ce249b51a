"""The parts of the report: each yields its files as (path relative to reports/, content)."""

import io
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict
from math import isfinite
from textwrap import wrap
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from bench import plugins
from bench.paper import audit
from bench.ranking import leaderboard
from bench.ranking.definitions import AVERAGES
from bench.ranking.standings import Query
from bench.render import html, latex, model_card, score_tables, tables, text
from bench.render.page import Picture
from bench.render.tables import COLUMNS
from bench.report import external, photographs
from bench.report import page as report_page
from bench.report.context import Values
from bench.report.figures import FIGURES, caption

Files = Iterator[tuple[str, str | bytes]]


def all_tables(values: Values) -> Iterator[tables.Table]:
    """Yield Tables 1 to 7, with or without runs, and the table of external models, if there are any."""
    results, paper = values.results, values.results.published
    facts = {d: asdict(plugins.load("datasets", d).CARD) for d in results.datasets}
    yield tables.table_1(results.cards, facts, paper["table_1"])
    yield tables.table_2(flat(values.trained[0]["settings"]) if values.trained else {}, paper["table_2"])
    measured = score_tables.intervals_by_cell(values.headline)
    declared = [m for m in results.models if m not in values.external]
    yield from score_tables.segmentation_tables(
        measured, values.convention, results.names, declared, values.comparable, paper["tables_3_4_5"],
        results.is_sample,
    )  # fmt: skip
    fair = {m: plugins.load("models", m).NAME for m in score_tables.FAIR_ABLATION}
    yield score_tables.table_6(measured, values.convention, fair | results.names, paper["table_6"], results.is_sample)
    yield tables.table_7(results.costs, {m: results.names[m] for m in declared}, paper["table_7"])
    average = values.averaged([c for c in results.cells if c["model"] in values.external])
    of_external = external.table(results, values.headline, average, values.comparable, values.left_out)
    yield from [of_external] if of_external else []


def ranking(values: Values) -> list[tables.Table]:
    """Return the leaderboards, one per protocol; none for results that fail the check."""
    if values.faults or not values.results.cells:
        return []
    query = Query("crack_iou", values.average)
    return leaderboard.leaderboards(values.results, query, values.results.datasets, rank_published=False)


def _table(number: str) -> Callable[[Values], Files]:
    def part(values: Values) -> Files:
        for table in all_tables(values):
            if table.name == number:
                yield from _table_files(table, values)

    return part


def _leaderboard(values: Values) -> Files:
    for table in ranking(values):
        yield from _table_files(table, values)


def _audit(values: Values) -> Files:
    """Yield the audit of the paper: its numbers and the measured costs need neither a warning nor runs."""
    for table in audit.tables(values.results.costs):
        yield from _files(table, "", "")


def _cards(values: Values) -> Files:
    results = values.results
    metric_names = {m: plugins.load("metrics", m).NAME for m in results.summary["metric"].unique()}
    of_cell = dict(list(results.summary.groupby(["dataset", "model", "seed"])))
    for cell in values.trained:
        part = of_cell[(cell["dataset"], cell["model"], cell["seed"])]
        scores = part.pivot(index="metric", columns="average", values="value").reindex(columns=list(AVERAGES))
        scores = scores.rename(index=metric_names, columns=AVERAGES).rename_axis(columns=None).reset_index()
        page = model_card.model_card(cell, results.names, scores, results.cards[cell["dataset"]], values.warning)
        yield f"cards/{cell['dataset']}_{cell['model']}_{cell['seed']}.md", page


def _numbers(values: Values) -> Files:
    """Yield every metric of every cell, and the files of `dvc metrics` and `dvc plots`, without external models."""
    results = values.results
    summary = results.summary[~results.summary["model"].isin(values.external)]
    yield "summary.csv", _csv(summary, values, "%.9g")
    models = values.shown[1]
    shown: dict[str, Any] = {}
    for metric in COLUMNS.values() if models else ():
        for model, (value, _, _) in values.means(metric).items():
            if isfinite(value) and model not in values.external:
                shown.setdefault(model, {})[metric] = round(value, 4)
    ranked = models if not values.faults else []
    for model, rank in zip(ranked, values.ranking.mean_ranks if ranked else (), strict=True):
        if model in shown and isfinite(rank):
            shown[model]["mean_rank"] = round(float(rank), 2)
    bars = [{"model": results.names[m], "crack_iou": v["crack_iou"]} for m, v in shown.items() if "crack_iou" in v]
    yield "plots/crack_iou.csv", _csv(pd.DataFrame(bars, columns=["model", "crack_iou"]), values)
    shown |= {"data": values.data} if values.data else {}
    yield "metrics.json", json.dumps(shown, indent=1, sort_keys=True) + "\n"
    if len(results.history):
        history = results.history  # a model's mean stops with its shortest cell; beyond, it would mix fewer cells
        ends = history.groupby(["model", "dataset", "seed"])["epoch"].max().groupby("model").min()
        history = history[history["epoch"] <= history["model"].map(ends)]
        loss = history.pivot_table(index="epoch", columns="model", values="val_loss")
        loss = loss.reindex(columns=[m for m in results.models if m not in values.external])
        yield "plots/selection_loss.csv", _csv(loss.reset_index(), values, "%.6g")


def _csv(frame: pd.DataFrame, values: Values, digits: str | None = None) -> str:
    """Return a frame as CSV; for synthetic data with the column ``data``."""
    frame = frame.assign(data=values.data) if values.data else frame
    return str(frame.to_csv(index=False, float_format=digits, lineterminator="\n"))


def _page(values: Values) -> Files:
    """Yield the page, and beside it the source images; those of the synthetic sample are embedded in the page."""
    rows, images = photographs.images(values.photographs)
    pictures = [picture for name in FIGURES for picture in _pictures(values, name)]
    addresses = {}
    if values.results.is_sample:
        addresses = {path: photographs.data_uri(path, content) for path, content in images.items()}
    else:
        yield from images.items()
    every = [*ranking(values), *all_tables(values)]
    yield from report_page.render(values, every, audit.tables(values.results.costs), pictures, rows, addresses)


def _pictures(values: Values, name: str) -> Iterator[Picture]:
    """Yield a figure for the page: embedded, unless it shows source images that are not synthetic."""
    for path, content in figure_files(values, name):
        if not path.endswith(".png"):
            continue
        address = path
        if not FIGURES[name].of_photographs:
            address = photographs.data_uri(path, content)
        elif values.results.is_sample:
            address = photographs.data_uri("x.jpg", photographs.as_jpeg(content))
        width, height = struct.unpack(">II", content[16:24])  # bytes of the PNG header
        yield Picture(*caption(values, name), address, width, height)


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    dotted: dict[str, Any] = {}
    for key, value in settings.items():
        dotted |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return dotted


def _table_files(table: tables.Table, values: Values) -> Files:
    return _files(table, values.warning, values.data)


def _files(table: tables.Table, warning: str, data: str) -> Files:
    yield f"tables/{table.name}.md", text.markdown(table, warning)
    yield f"tables/{table.name}.csv", text.csv(table, data)
    yield f"tables/{table.name}.tex", latex.latex(table, warning)
    yield f"tables/{table.name}.html", html.document(table, warning)


def figure_files(values: Values, name: str) -> list[tuple[str, bytes]]:
    """Return a figure as PNG (200 dpi) and SVG, drawn once; empty without data. Equal results give equal bytes."""
    if name not in values.drawn:
        figure = FIGURES[name].draw(values)
        values.drawn[name] = [] if figure is None else _saved(name, figure, values.warning)
    return values.drawn[name]


def _saved(name: str, figure: Figure, warning: str) -> list[tuple[str, bytes]]:
    """Return a figure as PNG and SVG, with the warning in an added strip on top."""
    width, height = figure.get_size_inches()
    lines = wrap(warning, int(20 * width))
    strip = 0.12 * len(lines) + 0.06 if lines else 0.0
    place: dict[str, Any] = {"ha": "center", "va": "top", "color": "#AA3377", "fontsize": 6.5}
    figure.text(0.5, 1 + (strip - 0.04) / height, "\n".join(lines), **place)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # lay out once, not for each format
    folder = "photographs" if FIGURES[name].of_photographs else "figures"
    saved = []
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            buffer, box = io.BytesIO(), Bbox([[0, 0], [width, height + strip]])
            figure.savefig(buffer, format=suffix, dpi=200, metadata=metadata, bbox_inches=box)
            saved.append((f"{folder}/{name}.{suffix}", buffer.getvalue()))
    return saved


def _figure(name: str) -> Callable[[Values], Files]:
    return lambda values: iter(figure_files(values, name))


PARTS: dict[str, Callable[[Values], Files]] = {
    **{name: _table(name) for name in (*(f"table{i}" for i in range(1, 8)), "external")},
    "leaderboard": _leaderboard,
    "audit": _audit,
    **{name: _figure(name) for name in FIGURES},
    "cards": _cards,
    "numbers": _numbers,
    "page": _page,
}
"""Name on the command line -> function that yields its files, in the order they are written."""
