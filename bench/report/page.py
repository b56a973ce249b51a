"""The page's part of the report: results -> the data of index.html, and the figures beside it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.ranking import check, standings
from bench.ranking.definitions import AVERAGES
from bench.render import style
from bench.render.curve_figures import frames_by_cell, ratios
from bench.render.page import Picture, page
from bench.render.tables import COLUMNS, Table
from bench.report.context import CURVE_RESAMPLES, PAGE_RESAMPLES, RESAMPLES, Values
from bench.stats.bootstrap import interval

EVERY = 4
"""Every how many thresholds a curve on the page has a point; 128 is one of them."""

EPOCHS = 120
"""Most points of a training curve on the page."""

PUBLISHED = "published"


def render(
    values: Values, tables: Sequence[Table], audit: Sequence[Table], pictures: Sequence[Picture],
    images: Mapping[str, list[dict[str, Any]]], addresses: Mapping[str, str],
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """Yield index.html.

    Args:
        values: the results.
        tables: to print.
        audit: those of the audit of the paper.
        pictures: the figures that there are.
        images: "<dataset>/<model>" -> worst and best images; empty without photographs.
        addresses: address of an image, where it is not the path that ``images`` names.
    """
    yield (
        "index.html",
        page(
            _data(values, images) | {"addresses": addresses},
            values.warning,
            tables,
            audit,
            _facts(values),
            values.faults,
            standings.shared_note(values.results, values.results.datasets),
            pictures,
        ),
    )


def _data(values: Values, images: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return what page.js reads."""
    results = values.results
    printed = results.published["tables_3_4_5"]
    known = set(results.summary["metric"])
    metrics = {m: plugins.load("metrics", m) for m in plugins.names("metrics") if m in known}
    groups = standings.by_protocol(results).items()
    protocols: list[dict[str, Any]] = [
        {"id": p, "name": p, "models": models, "ranked": not values.faults} for p, models in groups
    ]
    if not results.is_sample:
        of_paper = sorted(set(printed["model"]))
        protocols.append({"id": PUBLISHED, "name": "published (paper)", "models": of_paper, "ranked": True})
    models = list(dict.fromkeys([*results.models, *([] if results.is_sample else printed["model"])]))
    order = sorted(metrics, key=lambda m: (m not in COLUMNS.values(), m))
    return {
        "models": [_model(values, m) for m in models],
        "datasets": [{"id": d, "name": results.names[d]} for d in results.datasets],
        "metrics": [{"id": m, "name": metrics[m].NAME, "higher": metrics[m].HIGHER_IS_BETTER} for m in order],
        "protocols": protocols,
        "values": _values(values, models, protocols) | ({} if results.is_sample else _printed(values, models)),
        "cells": _cells(values, images),
        "chosen": {"metric": "crack_iou", "average": values.average},
        "batch": results.batch,
    }


def _model(values: Values, model: str) -> dict[str, Any]:
    cost = values.results.costs.get(model, {})
    name = values.results.names.get(model) or plugins.load("models", model).NAME
    found = {"id": model, "name": name, "colour": style.colour(model)}
    numbers = {
        "params": cost.get("parameters", 0) / 1e6,
        "gmacs": cost.get("gmacs"),
        "latency": cost.get("latency_ms_p50"),
    }
    return found | (numbers if cost else {})


def _values(values: Values, models: Sequence[str], protocols: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return every metric under every average; with intervals for the headline average."""
    found: dict[str, Any] = {}
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
            found[f"{protocol['id']}|{metric}|{average}"] = table
    return found


def _overall(values: Values, metric: str, average: str, models: Sequence[str]) -> list[list[float | None] | None]:
    """Return the interval of the mean over all datasets that have results, of each model that has them all."""
    datasets, ran = values.ran
    found: list[list[float | None] | None] = []
    for model in models:
        if model not in ran or not set(datasets) <= set(standings.covered(values.results, model)):
            found.append(None)
            continue
        draws = np.mean([values.draws(d, model, metric, average) for d in datasets], axis=0)
        low, high = interval(draws[:, None])
        found.append(_numbers([low[0], high[0]]))
    return found


def _printed(values: Values, models: Sequence[str]) -> dict[str, Any]:
    """Return the paper's numbers, as a protocol of their own."""
    printed = values.results.published["tables_3_4_5"]
    found = {}
    for column, metric in COLUMNS.items():
        grid = printed.pivot(index="model", columns="dataset", values=column)
        grid = grid.reindex(index=list(models), columns=values.results.datasets)
        found[f"{PUBLISHED}|{metric}|printed"] = {"v": _numbers(grid.to_numpy(float))}
    return found


def _cells(values: Values, images: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return curves, scores and record of each dataset and model; of several seeds, curves pooled, records listed."""
    results = values.results
    if not results.cells:
        return {}
    curves = frames_by_cell(results.curves.groupby(["dataset", "model", "threshold"])[["tp", "fp", "fn"]].sum())
    history = frames_by_cell(results.history.groupby(["dataset", "model", "epoch"])[["train_loss", "val_loss"]].mean())
    scores = results.summary.groupby(["dataset", "model", "metric", "average"])["value"].mean(skipna=False)
    found: dict[str, Any] = {}
    for cell in results.cells:
        key = (cell["dataset"], cell["model"])
        if (name := "/".join(key)) in found:
            found[name]["record"] += _record(cell)
            continue
        found[name] = {
            "pr": _pr(curves[key]),
            "history": _history(history[key]) if key in history else [],
            "scores": _scores(scores.loc[key]),
            "images": images.get(name, []),
            "record": _record(cell),
        }
    return found


def _pr(counts: pd.DataFrame) -> list[list[float]]:
    """Return threshold (as a probability), precision and recall; where nothing is predicted there is no point."""
    precision, recall = ratios(counts)
    points = zip(counts.index, precision, recall, strict=True)
    return [[t / 256, round(p, 4), round(r, 4)] for t, p, r in points if t % EVERY == 0 and np.isfinite([p, r]).all()]


def _history(rows: pd.DataFrame) -> list[list[float]]:
    step = -(-len(rows) // EPOCHS)
    return [
        [int(e), round(a, 4), round(b, 4)] for e, a, b in rows.iloc[::step].itertuples() if np.isfinite([a, b]).all()
    ]


def _scores(values: "pd.Series[float]") -> list[dict[str, Any]]:
    table = values.unstack("average").reindex(columns=list(AVERAGES))
    rows = ((plugins.load("metrics", str(m)).NAME, row) for m, row in zip(table.index, table.to_numpy(), strict=True))
    return [{"name": name} | dict(zip(AVERAGES, _numbers(row), strict=True)) for name, row in rows]


def _record(cell: Mapping[str, Any]) -> list[list[str]]:
    """Return what is known of a run, for a person to read."""
    code, hardware = cell.get("code", {}), cell.get("hardware", {})
    commit = f"{code.get('commit') or 'not known'}{' with uncommitted changes' if code.get('dirty') else ''}"
    epochs = f"{cell.get('epochs', '?')}, checkpoint of epoch {cell.get('best_epoch', '?')}; {cell.get('stopped', '')}"
    pairs = [("Seed", cell["seed"]), ("Protocol", cell["protocol"]), ("Data hash", cell["data"])]
    if cell.get("trained") == "external":
        pairs += [("Trained", "elsewhere, the protocol as declared; scored from its predictions")]
        return [[key, str(value)] for key, value in pairs]
    pairs += [("Code", commit)]
    pairs += [("Program hash", cell.get("program", "not known")), ("Epochs", epochs)]
    pairs += [("Training", f"{cell.get('seconds', '?')} s, {cell.get('images_per_s', '?')} images/s")]
    pairs += [("Hardware", ", ".join(f"{k} {v}" for k, v in sorted(hardware.items())))]
    pairs += [("Versions", ", ".join(f"{k} {v}" for k, v in sorted(cell.get("versions", {}).items())))]
    return [[key, str(value)] for key, value in pairs]


def _facts(values: Values) -> list[str]:
    """Return the provenance that cells share."""
    results = values.results
    facts = [
        f"{len(values.own)} cells; {len(results.missing)} things missing"
        + (
            f": {', '.join(results.missing[:12])}{', ...' if len(results.missing) > 12 else ''}."
            if results.missing
            else "."
        )
    ]
    for protocol in sorted({c["protocol"] for c in results.cells}):
        settings = next(c["settings"] for c in results.cells if c["protocol"] == protocol)
        facts.append(f"Protocol {protocol}: {json.dumps(settings, sort_keys=True)}")
    facts += [f"Data {results.names[d]}: content hash {card['content']}." for d, card in results.cards.items()]
    commits = sorted({str(c["code"]["commit"]) for c in values.own if "code" in c})
    hardware = sorted({str(c["hardware"].get("gpu", c["hardware"].get("processor"))) for c in values.own})
    facts += [f"{results.names[m]}: predictions scored by `bench score`." for m in values.elsewhere]
    facts += [f"Left out: {model} {why}." for model, why in sorted(values.left_out.items())]
    facts += [f"Code: {', '.join(commits)}."] if commits else []
    facts += [f"Hardware: {', '.join(hardware)}."] if hardware else []
    return facts + check.cost_notes(results)


def _numbers(values: Any) -> Any:
    """Return nested numbers with seven digits after the point, None for nan."""
    if isinstance(values, list | np.ndarray):
        return [_numbers(v) for v in values]
    return None if not np.isfinite(values) else round(float(values), 7)
