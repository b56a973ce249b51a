"""The page of the report: results -> the data of index.html."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.ranking import check, standings
from bench.ranking.class_scores import crack_notes
from bench.ranking.definitions import AVERAGES
from bench.ranking.protocol_name import with_name
from bench.ranking.results import EXTERNAL
from bench.render.curve_figures import frames_by_cell, is_binary, ratios
from bench.render.page import Picture, page
from bench.render.style import Look, looks
from bench.render.tables import COLUMNS, Table
from bench.report.context import CURVE_RESAMPLES, PAGE_RESAMPLES, RESAMPLES, Values
from bench.stats.bootstrap import interval

THRESHOLD_STEP = 4
"""Thresholds between two points of a curve on the page; divides 128, so that p = 0.5 is a point."""

EPOCHS = 120
"""Maximum number of points of a training curve on the page."""

PUBLISHED = "published"


def render(
    values: Values, published: Sequence[Table], tables: Sequence[Table], audit: Sequence[Table],
    pictures: Sequence[Picture], images: Mapping[str, list[dict[str, Any]]], addresses: Mapping[str, str],
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Yield index.html.

    Args:
        values: the results.
        published: tables of published scores.
        tables: tables to show.
        audit: tables of the audit of the paper.
        pictures: the figures.
        images: "<dataset>/<model>" -> worst and best images; empty without source images.
        addresses: path of an image in ``images`` -> its address, if it differs from the path.
    """
    yield (
        "index.html",
        page(
            _data(values, images) | {"addresses": addresses},
            values.warning,
            published,
            tables,
            audit,
            _facts(values),
            values.obstacles,
            [*standings.caveats(values.results, values.results.datasets, values.results.models), *values.crack_notes],
            pictures,
        ),
    )


def _data(values: Values, images: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the data that page.js reads."""
    results = values.results
    printed = results.published["tables_3_4_5"]
    printed = printed[printed["dataset"].isin([] if results.is_sample else results.datasets)]
    known = set(results.summary["metric"]) | (set() if results.is_sample else set(COLUMNS.values()))
    metrics = {m: plugins.load("metrics", m) for m in plugins.names("metrics") if m in known}
    groups = standings.by_protocol(results).items()
    protocols: list[dict[str, Any]] = [
        {"id": p, "name": with_name(p), "models": models, "ranked": not values.faults} for p, models in groups
    ]
    if len(printed):
        of_paper = sorted(set(printed["model"]))
        protocols.append({"id": PUBLISHED, "name": "published (paper)", "models": of_paper, "ranked": True})
    models = list(dict.fromkeys([*results.models, *printed["model"]]))
    order = sorted(metrics, key=lambda m: (m not in COLUMNS.values(), m))
    return {
        "models": [_model(values, model, look) for model, look in looks(models).items()],
        "datasets": [{"id": d, "name": results.names[d]} for d in results.datasets],
        "metrics": [{"id": m, "name": metrics[m].NAME, "higher": metrics[m].HIGHER_IS_BETTER} for m in order],
        "protocols": protocols,
        "values": _values(values, models, protocols) | (_printed(values, models) if len(printed) else {}),
        "cells": _cells(values, images),
        "chosen": {"metric": "crack_iou", "average": values.average},
        "batch": results.batch,
        "crack": {d: note for d in results.datasets for note in crack_notes(results, [d])},
    }


def _model(values: Values, model: str, look: Look) -> dict[str, Any]:
    """Return id, name, colour and cost of a model."""
    cost = values.results.costs.get(model, {})
    name = values.results.names.get(model) or plugins.load("models", model).NAME
    entry = {"id": model, "name": name, "colour": look.colour}
    numbers = {
        "params": cost.get("parameters", 0) / 1e6,
        "gmacs": cost.get("gmacs"),
        "latency": cost.get("latency_ms_p50"),
        "relative": _numbers(cost.get("relative_latency", np.nan)),  # to ResNet-18, timed in the same minute
        "drifted": cost.get("drifted", False),
    }
    return entry | (numbers if cost else {})


def _values(values: Values, models: Sequence[str], protocols: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return every metric under every average, with intervals for the headline average."""
    tables: dict[str, Any] = {}
    datasets = values.results.datasets
    metrics = {m: plugins.load("metrics", m) for m in values.results.summary["metric"].unique()}
    for (metric, average), part in values.results.summary.groupby(["metric", "average"]):
        table: dict[str, Any] = {}
        frame = part.groupby(["dataset", "model"])["value"].mean(skipna=False).unstack("dataset")
        if average == values.average:
            resamples = CURVE_RESAMPLES if metrics[str(metric)].INPUT.over == "curve" else PAGE_RESAMPLES
            resamples = RESAMPLES if metric in COLUMNS.values() else resamples
            intervals = values.with_interval(str(metric), str(average), resamples).set_index(["dataset", "model"])
            for key, column in (("lo", "low"), ("hi", "high")):
                grid = intervals[column].unstack("dataset").reindex(index=list(models), columns=datasets)
                table[key] = _numbers(grid.to_numpy(float))
            table["all"] = _overall(values, str(metric), str(average), models)
        table["v"] = _numbers(frame.reindex(index=list(models), columns=datasets).to_numpy(float))
        for protocol in [p for p in protocols if p["id"] != PUBLISHED]:
            tables[f"{protocol['id']}|{metric}|{average}"] = table
    return tables


def _overall(values: Values, metric: str, average: str, models: Sequence[str]) -> list[list[float | None] | None]:
    """Return the interval of each model's mean over the shown datasets; None for a model that lacks one."""
    datasets, shown = values.shown
    ends: list[list[float | None] | None] = []
    for model in models:
        if model not in shown or not set(datasets) <= set(standings.covered(values.results, model)):
            ends.append(None)
            continue
        draws = np.mean([values.draws(d, model, metric, average) for d in datasets], axis=0)
        low, high = interval(draws[:, None])
        ends.append(_numbers([low[0], high[0]]))
    return ends


def _printed(values: Values, models: Sequence[str]) -> dict[str, Any]:
    """Return the paper's numbers, as a separate protocol."""
    printed = values.results.published["tables_3_4_5"]
    tables = {}
    for column, metric in COLUMNS.items():
        grid = printed.pivot(index="model", columns="dataset", values=column)
        grid = grid.reindex(index=list(models), columns=values.results.datasets)
        tables[f"{PUBLISHED}|{metric}|printed"] = {"v": _numbers(grid.to_numpy(float))}
    return tables


def _cells(values: Values, images: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return curves, scores and records of each dataset and model; several seeds share pooled curves."""
    results = values.results
    if not results.cells:
        return {}
    curves = frames_by_cell(results.curves.groupby(["dataset", "model", "threshold"])[["tp", "fp", "fn"]].sum())
    history = frames_by_cell(results.history.groupby(["dataset", "model", "epoch"])[["train_loss", "val_loss"]].mean())
    scores = results.summary.groupby(["dataset", "model", "metric", "average"])["value"].mean(skipna=False)
    cells: dict[str, Any] = {}
    for cell in results.cells:
        key = (cell["dataset"], cell["model"])
        if (name := "/".join(key)) in cells:
            cells[name]["record"] += _record(cell)
            continue
        cells[name] = {
            "pr": _pr(curves[key]),
            "history": _history(history[key]) if key in history else [],
            "scores": _scores(scores.loc[key]),
            "images": images.get(name, []),
            "record": _record(cell),
        }
    return cells


def _pr(counts: pd.DataFrame) -> list[list[float]]:
    """Return threshold (as a probability), precision and recall; points with an undefined value are dropped."""
    counts = counts.loc[[128]] if is_binary(counts) else counts
    precision, recall = ratios(counts)
    points = list(zip(counts.index, precision, recall, strict=True))[::THRESHOLD_STEP]
    return [[t / 256, round(p, 4), round(r, 4)] for t, p, r in points if np.isfinite([p, r]).all()]


def _history(rows: pd.DataFrame) -> list[list[float]]:
    """Return epoch, training loss and selection loss, at most ``EPOCHS`` points."""
    step = -(-len(rows) // EPOCHS)
    return [
        [int(e), round(a, 4), round(b, 4)] for e, a, b in rows.iloc[::step].itertuples() if np.isfinite([a, b]).all()
    ]


def _scores(values: "pd.Series[float]") -> list[dict[str, Any]]:
    """Return each metric of a cell under every average."""
    table = values.unstack("average").reindex(columns=list(AVERAGES))
    rows = ((plugins.load("metrics", str(m)).NAME, row) for m, row in zip(table.index, table.to_numpy(), strict=True))
    return [{"name": name} | dict(zip(AVERAGES, _numbers(row), strict=True)) for name, row in rows]


def _record(cell: Mapping[str, Any]) -> list[list[str]]:
    """Return the provenance of a run as label and text."""
    code, hardware = cell.get("code", {}), cell.get("hardware", {})
    commit = f"{code.get('commit') or 'unknown'}{' with uncommitted changes' if code.get('dirty') else ''}"
    epochs = f"{cell.get('epochs', '?')}, checkpoint of epoch {cell.get('best_epoch', '?')}; {cell.get('stopped', '')}"
    pairs = [("Seed", cell["seed"]), ("Protocol", with_name(cell["protocol"])), ("Data hash", cell["data"])]
    if cell.get("trained") == EXTERNAL:
        pairs += [("Trained", "externally, protocol as declared; scored from its predictions")]
        return [[key, str(value)] for key, value in pairs]
    pairs += [("Code", commit)]
    pairs += [("Program hash", cell.get("program", "unknown")), ("Epochs", epochs)]
    pairs += [("Training", f"{cell.get('seconds', '?')} s, {cell.get('images_per_s', '?')} images/s")]
    pairs += [("Hardware", ", ".join(f"{k} {v}" for k, v in sorted(hardware.items())))]
    pairs += [("Versions", ", ".join(f"{k} {v}" for k, v in sorted(cell.get("versions", {}).items())))]
    return [[key, str(value)] for key, value in pairs]


def _facts(values: Values) -> list[str]:
    """Return the provenance shared by the cells."""
    results = values.results
    facts = [values.progress or f"Training results: all {len(values.trained)} cells."]
    for protocol in sorted({c["protocol"] for c in results.cells}):
        settings = next(c["settings"] for c in results.cells if c["protocol"] == protocol)
        facts.append(f"Protocol {with_name(protocol)}: {json.dumps(settings, sort_keys=True)}")
    facts += [f"Data {results.names[d]}: content hash {card['content']}." for d, card in results.cards.items()]
    commits = sorted({str(c["code"]["commit"]) for c in values.trained if "code" in c})
    hardware = sorted({str(c["hardware"].get("gpu", c["hardware"].get("processor"))) for c in values.trained})
    facts += [f"{results.names[m]}: predictions scored by `bench score`." for m in values.external]
    facts += [f"Left out: {model} {why}." for model, why in sorted(values.left_out.items())]
    facts += [f"Code: {', '.join(commits)}."] if commits else []
    facts += [f"Hardware: {', '.join(hardware)}."] if hardware else []
    return facts + check.cost_notes(results)


def _numbers(values: Any) -> Any:
    """Return nested numbers rounded to seven decimals, None for NaN."""
    if isinstance(values, list | np.ndarray):
        return [_numbers(v) for v in values]
    return None if not np.isfinite(values) else round(float(values), 7)
