"""Report: results -> reports/: tables and figures."""

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

from bench import check, leaderboard, plugins
from bench.formats import files
from bench.render import figures, tables, text
from bench.results import Results, read
from bench.standings import Question

SAMPLE_WARNING = "SAMPLE: synthetic data, made to try the pipeline. Not a result."


@dataclass(frozen=True)
class Settings:
    """What the tables show.

    Attributes:
        headline: the averaging convention of Tables 3 to 6 and of figure 6.
    """

    headline: Literal["batch_mean", "pooled", "image_mean"]


def run(
    source: Path, target: Path, datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int], settings: Settings
) -> str:
    """Write tables and figures; return what was written and what is missing, for a person to read.

    Raises:
        UserError: there are no results, a file is damaged, or the results mix protocols.
    """
    results = read(source, datasets, models, seeds)
    warning = _warning(results)
    tables_folder, figures_folder = target / "tables", target / "figures"
    for folder in (tables_folder, figures_folder):
        shutil.rmtree(folder, ignore_errors=True)
    for table in _tables(results, settings.headline):
        files.write_text(tables_folder / f"{table.name}.md", text.markdown(table, warning))
        files.write_text(tables_folder / f"{table.name}.csv", text.csv(table))
    files.write_csv(target / "summary.csv", results.summary)
    if len(results.summary):
        figure = figures.figure_6(results.summary, settings.headline, results.names, datasets, models)
        _write_figure(figures_folder / "figure6", figure, warning)
    faults = check.findings(results)
    for table in [] if faults or not results.cells else _rankings(results, settings.headline):
        files.write_text(tables_folder / f"{table.name}.md", text.markdown(table, warning))
        files.write_text(tables_folder / f"{table.name}.csv", text.csv(table))
    files.write_text(target / "README.md", _index(results, target, warning, faults))
    return _closing(results, target)


def _tables(results: Results, average: str) -> Iterator[tables.Table]:
    """Yield Tables 1 to 7; those that nothing was run for say so."""
    paper = results.published
    facts = {d: _published_facts(d) for d in results.datasets}
    yield tables.table_1(results.cards, facts, paper["table_1"])
    settings = _flat(results.cells[0]["settings"]) if results.cells else {}
    yield tables.table_2(settings, paper["table_2"])
    yield from tables.segmentation_tables(
        results.summary, average, results.names, results.models, paper["tables_3_4_5"]
    )
    yield tables.table_6(results.summary, average, results.names, paper["table_6"])
    names = {m: results.names[m] for m in results.models}
    yield tables.table_7(results.costs, names, paper["table_7"])


def _rankings(results: Results, average: str) -> list[tables.Table]:
    """Return the leaderboard; results that fail the check are tabulated, never ranked."""
    return leaderboard.leaderboards(results, Question("crack_iou", average), results.datasets, rank_published=False)


def _published_facts(dataset: str) -> dict[str, Any]:
    return asdict(plugins.load("datasets", dataset).CARD)


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _warning(results: Results) -> str:
    """Return what stands above every table: sample data, an unfinished grid."""
    cells = [name for name in results.missing if "/" in name]
    parts = [SAMPLE_WARNING] if results.is_sample else []
    if cells:
        parts.append(f"UNFINISHED: {len(cells)} of {len(cells) + len(results.cells)} cells have not been run.")
    return " ".join(parts)


def _write_figure(path: Path, figure: Figure, warning: str) -> None:
    """Write a figure as PNG (200 dpi) and SVG; the same results give the same bytes."""
    import matplotlib

    if warning:
        figure.suptitle(warning, color="#AA3377", fontsize=10)
    with matplotlib.rc_context({"svg.hashsalt": path.name, "svg.fonttype": "path"}):
        for suffix, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, dpi=200, metadata=metadata)
            with files.whole_file(path.with_suffix(f".{suffix}")) as temporary:
                temporary.write_bytes(buffer.getvalue())


def _index(results: Results, target: Path, warning: str, faults: Sequence[str]) -> str:
    """Return the page that leads to all others, with provenance and missing cells."""
    lines = ["# CrackBench report", ""] + ([f"**{warning}**", ""] if warning else [])
    lines += [f"- [{p.stem}](tables/{p.name})" for p in sorted((target / "tables").glob("*.md"))]
    lines += [f"- [{p.stem}](figures/{p.name})" for p in sorted((target / "figures").glob("*.png"))]
    if results.cells:
        cell = results.cells[0]
        hardware = sorted({c["hardware"].get("gpu", c["hardware"]["processor"]) for c in results.cells})
        lines += ["", "## Provenance", "", f"- protocol {cell['protocol']}: `{json.dumps(_flat(cell['settings']))}`"]
        contents = [f"{dataset} {card['content']}" for dataset, card in results.cards.items()]
        lines += [f"- data: {', '.join(contents)}"]
        lines += [f"- code: {', '.join(sorted({str(c['code']['commit']) for c in results.cells}))}"]
        lines += [f"- hardware: {', '.join(hardware)}"]
    if faults:
        lines += ["", "## Not ranked", "", "These results fail the check, so there is no ranking:", ""]
        lines += [f"- {fault}" for fault in faults]
    if results.missing:
        lines += ["", "## Missing", "", *[f"- {name}" for name in results.missing]]
    return "\n".join(lines) + "\n"


def _closing(results: Results, target: Path) -> str:
    """Return the line that tells where the report is, and what is not in it."""
    missing = f" Missing: {len(results.missing)} ({', '.join(results.missing[:3])}, ...)." if results.missing else ""
    return f"The report is in {target / 'README.md'}: {len(results.cells)} cells.{missing}"
