"""The parts of the report: each yields its files as (path relative to reports/, content)."""

import io
import json
import struct
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from textwrap import wrap
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from bench.paper import audit
from bench.ranking import abroad_tables
from bench.ranking.class_scores import crack_notes
from bench.ranking.class_scores import of_cell as of_cell_by_class
from bench.ranking.definitions import by_average
from bench.ranking.protocol_name import with_name
from bench.render import html, latex, model_card, tables, text
from bench.render.csv_cells import csv_text
from bench.render.page import Picture
from bench.render.tables import COLUMNS
from bench.report import page as report_page
from bench.report import photographs
from bench.report.context import Values
from bench.report.figures import CAPTION, FIGURES, caption, kept
from bench.report.report_tables import (
    all_tables,
    convention_tables,
    errata_tables,
    few_labels_tables,
    published,
    ranking,
    transfer_tables,
)

Files = Iterator[tuple[str, str | bytes]]


def _once(of: Callable[[Values], Iterable[tables.Table]], values: Values) -> list[tables.Table]:
    """Return the tables that a function makes, made once for all parts."""
    if of.__name__ not in values.made:
        values.made[of.__name__] = list(of(values))
    return values.made[of.__name__]


def _tables(of: Callable[[Values], Iterable[tables.Table]]) -> Callable[[Values], Files]:
    def part(values: Values) -> Files:
        for table in _once(of, values):
            yield from _table_files(table, values)

    return part


def _table(number: str) -> Callable[[Values], Files]:
    def part(values: Values) -> Files:
        for table in _once(all_tables, values):
            if table.name == number:
                yield from _table_files(table, values)

    return part


def _leaderboard(values: Values) -> Files:
    for table in [*_once(ranking, values), *_once(published, values)]:
        yield from _table_files(table, values)


def _transfer_tables(values: Values) -> Files:
    """Yield these tables, and training by test dataset of each model."""
    found = values.abroad
    of_models = [abroad_tables.train_by_test(found, values.results.names, m) for m in found.models] if found else []
    for table in [*_once(transfer_tables, values), *of_models]:
        yield from _table_files(table, values)


def _audit(values: Values) -> Files:
    """Yield the audit of the paper: its numbers and the measured costs need neither a warning nor runs."""
    for table in audit.tables(values.results.costs):
        yield from _files(table, "", "")


def _cards(values: Values) -> Files:
    results = values.results
    of_cell = dict(list(results.summary.groupby(["dataset", "model", "seed"])))
    for cell in values.trained:
        scores = by_average(of_cell[(cell["dataset"], cell["model"], cell["seed"])])
        data, classes = results.cards[cell["dataset"]], of_cell_by_class(results, cell)
        notes = crack_notes(results, [cell["dataset"]])
        shown = cell | {"protocol": with_name(cell["protocol"])}
        page = model_card.model_card(shown, results.names, scores, data, values.warning, classes, notes)
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
    return csv_text(frame, digits)


def _page(values: Values) -> Files:
    """Yield the page, and beside it the source images; those of the synthetic sample are embedded in the page."""
    rows, images = photographs.images(values.photographs)
    pictures = [picture for name in FIGURES for picture in _pictures(values, name)]
    addresses = {}
    if values.results.is_sample:
        addresses = {path: photographs.data_uri(path, content) for path, content in images.items()}
    else:
        yield from images.items()
    shown = (ranking, convention_tables, transfer_tables, few_labels_tables, errata_tables, all_tables)
    tables_shown = [table for of in shown for table in _once(of, values)]
    of_paper = audit.tables(values.results.costs)
    yield from report_page.render(values, _once(published, values), tables_shown, of_paper, pictures, rows, addresses)


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
        values.drawn[name] = _drawn(values, name)
    return values.drawn[name]


def _drawn(values: Values, name: str) -> list[tuple[str, bytes]]:
    """Return a figure as drawn now, or as drawn before if the predictions that it shows are gone."""
    if (drawn_before := kept(values, name)) is not None:
        return [(f"photographs/{name}.png", drawn_before.read_bytes())]
    figure = FIGURES[name].draw(values)
    return [] if figure is None else _saved(name, figure, values)


def _saved(name: str, figure: Figure, values: Values) -> list[tuple[str, bytes]]:
    """Return a figure as PNG and SVG, with the warning in an added strip on top."""
    warning = values.warning
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
        described = {CAPTION: caption(values, name)[1]} if FIGURES[name].of_photographs else {}
        for suffix, metadata in (("png", {"Software": None} | described), ("svg", {"Date": None})):
            buffer, box = io.BytesIO(), Bbox([[0, 0], [width, height + strip]])
            figure.savefig(buffer, format=suffix, dpi=200, metadata=metadata, bbox_inches=box)
            saved.append((f"{folder}/{name}.{suffix}", buffer.getvalue()))
    return saved


def _figure(name: str) -> Callable[[Values], Files]:
    return lambda values: iter(figure_files(values, name))


PARTS: dict[str, Callable[[Values], Files]] = {
    **{name: _table(name) for name in (*(f"table{i}" for i in range(1, 8)), "scores", "classes", "external", "seen")},
    "leaderboard": _leaderboard,
    "convention_tables": _tables(convention_tables),
    "errata": _tables(errata_tables),
    "few_labels_tables": _tables(few_labels_tables),
    "transfer_tables": _transfer_tables,
    "audit": _audit,
    **{name: _figure(name) for name in FIGURES},
    "cards": _cards,
    "numbers": _numbers,
    "page": _page,
}
"""Name on the command line -> function that yields its files, in the order they are written."""
