"""The README of a report: progress, published leaderboard, links to all tables and figures, provenance."""

import json
import os
import re
from pathlib import Path

import pandas as pd

from bench import plugins
from bench.ranking.protocol_name import with_name
from bench.ranking.results import Results
from bench.render.markdown import code, escape, prose
from bench.render.tables import COLUMNS, Table
from bench.report.context import Values
from bench.report.rank import rank

HEADINGS = {"miou": "Crack IoU", "dice": "Dice", "recall": "Recall", "precision": "Precision"}

FIRST_TABLES = ("leaderboard_", "published", "table7", "audit_")
"""Tables that have sections of their own."""


def index(values: Values, target: Path, written: set[Path], source: Path) -> str:
    """Return the README.

    Args:
        values: the results.
        target: folder of the report, with the files already written.
        written: paths of these files.
        source: folder of the results, whose experiments are linked.
    """
    names = sorted(path.relative_to(target).as_posix() for path in written)
    tables = {Path(n).stem: f"- {_link(target, n)}" for n in names if n.startswith("tables/") and n.endswith(".md")}
    complexity, audit = ([t for n, t in tables.items() if n.startswith(f)] for f in FIRST_TABLES[2:])
    lines = ["# CrackBench report", ""] + ([f"**{values.warning}**", ""] if values.warning else [])
    lines += ["[The page](index.html): leaderboard, curves and source images."] if "index.html" in names else []
    for heading, name in (("Leaderboard", "leaderboard_"), ("Leaderboard as published", "published")):
        boards = [n for n in names if n.startswith(f"tables/{name}") and n.endswith(".md")]
        lines += _section(heading, [(target / n).read_text(encoding="utf-8").rstrip("\n") for n in boards])
    lines += _section("Model complexity", complexity)
    lines += _section("Audit of the paper", audit)
    lines += _section("Experiments", _experiments(source, target))
    lines += _section("Other tables", [t for n, t in tables.items() if not n.startswith(FIRST_TABLES)])
    lines += _section("Figures and model cards", _figures(names))
    lines += _section("Provenance", _provenance(values))
    lines += _section("Not ranked: findings of `bench check`", [f"- {prose(defect)}" for defect in values.defects])
    return "\n".join(lines) + "\n"


def published_leaderboard(results: Results) -> Table | None:
    """Return the paper's means, best mean rank by crack IoU first; None for synthetic data.

    They are over the declared datasets, or over all that the paper has if none of them is declared.
    """
    printed = results.published["tables_3_4_5"]
    every = list(dict.fromkeys(printed["dataset"]))
    datasets = [d for d in results.datasets if d in every] or every
    if results.is_sample:
        return None
    printed = printed[printed["dataset"].isin(datasets)]
    means = printed.groupby("model")[list(COLUMNS)].mean()
    iou = printed.pivot(index="dataset", columns="model", values="miou")[list(means.index)]
    frame = means.rename(columns=HEADINGS).reset_index(names="Model")
    frame["Model"] = [results.names.get(m) or plugins.load("models", m).NAME for m in means.index]
    frame["Mean rank"] = rank(iou.to_numpy(float)).mean_ranks
    frame = frame.sort_values("Mean rank", kind="stable", ignore_index=True)
    frame.insert(0, "Place", frame["Mean rank"].rank(method="min").astype(int))
    digits = dict.fromkeys(HEADINGS.values(), 4) | {"Mean rank": 2}
    over = ", ".join(results.names.get(d) or plugins.load("datasets", d).CARD.name for d in datasets)
    caption = f"Scores printed in Tables 3 to 5 of the paper, mean over {over}, ordered by mean rank by crack IoU."
    order = ["Place", "Model", "Mean rank", *HEADINGS.values()]
    notes = ["Not measured by this suite: the paper's own numbers. Its column mIoU is the IoU of the crack class."]
    return Table("published", caption, pd.DataFrame(frame[order]), digits, notes)


def _section(heading: str, lines: list[str]) -> list[str]:
    """Return a section; nothing without lines."""
    return ["", f"## {heading}", "", *lines] if lines else []


def _link(target: Path, name: str) -> str:
    """Return a link to a table, with its caption as text."""
    lines = (target / name).read_text(encoding="utf-8").splitlines()
    caption = next(line for line in lines if line and not line.startswith("**"))
    brackets = re.sub(r"(?<!\\)([\[\]])", r"\\\1", caption.rstrip("."))  # within a link's text
    return f"[{brackets}]({name})"


def _figures(names: list[str]) -> list[str]:
    """Return links to the figures and the model cards."""
    links = [f"- [{Path(n).stem}]({n})" for n in names if n.endswith(".png") and n.count("/") == 1]
    return links + (["- [model cards](cards/)"] if any(n.startswith("cards/") for n in names) else [])


def _experiments(source: Path, target: Path) -> list[str]:
    """Return links to the experiments kept with the results."""
    pages = sorted((source / "experiments").glob("*/README.md"))
    return [f"- [{page.parent.name}]({Path(os.path.relpath(page, target)).as_posix()})" for page in pages]


def _provenance(values: Values) -> list[str]:
    """Return protocol, data, code and hardware of the runs; nothing without runs."""
    if not values.trained:
        return []
    cell = values.trained[0]
    hardware = sorted({c["hardware"].get("gpu", c["hardware"].get("processor", "?")) for c in values.trained})
    contents = [f"{dataset} {card['content']}" for dataset, card in values.results.cards.items()]
    return [
        f"- protocol {escape(with_name(cell['protocol']))}: {code(json.dumps(cell['settings'], sort_keys=True))}",
        f"- data: {escape(', '.join(contents))}",
        f"- code: {escape(', '.join(sorted({str(c['code']['commit']) for c in values.trained})))}",
        f"- hardware: {escape(', '.join(map(str, hardware)))}",
    ]
