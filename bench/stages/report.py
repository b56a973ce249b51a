"""Report: results, and if available prepared data and runs -> reports/: tables, figures, model cards, index.html."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from bench import plugins
from bench.errors import UserError, instead_of
from bench.formats import files
from bench.ranking import few_labels
from bench.ranking.refused import refused, without
from bench.ranking.results import external_models
from bench.report import external
from bench.report.context import Values
from bench.report.index import index
from bench.report.parts import PARTS
from bench.report.settings import ReportSettings as ReportSettings  # the stage's section of params.yaml

MANIFEST = "MANIFEST"
"""File that lists the files of a report, so that the next report can remove those it does not write."""

KEPT = "photographs"
"""Folder of the results with figures of source images, shown where the predictions are no longer on disk."""


@dataclass(frozen=True)
class Folders:
    """The folders of a report.

    Attributes:
        results: scores and costs to read.
        reports: where the report is written.
        prepared: prepared datasets, for figures of source images; may be missing.
        runs: runs, for the predictions in these figures; may be missing.
    """

    results: Path
    reports: Path
    prepared: Path = Path("prepared")
    runs: Path = Path("runs")


@dataclass(frozen=True)
class Grid:
    """The declared cells: every combination of dataset id, model id and seed."""

    datasets: Sequence[str]
    models: Sequence[str]
    seeds: Sequence[int]


def run(folders: Folders, grid: Grid, settings: ReportSettings, only: Sequence[str] = ()) -> str:
    """Write the report, or parts of it; return a summary of what was written and what is missing.

    Args:
        folders: where to read and write. Unless ``only`` is given, files of an earlier report are removed if this one
            does not write them.
        grid: the declared cells.
        settings: the section ``report`` of params.yaml.
        only: names of the parts to write; empty for all.

    Raises:
        UserError: there are no results, a file is damaged, the results mix protocols, or a part or a highlighted model
            does not exist.
    """
    _require(only, settings, folders.results)
    values = _read(folders, grid, settings)
    written = _write_parts(values, folders.reports, only or list(PARTS))
    if only:
        unranked = " Not ranked: these results fail the check (run `bench check`)." if values.faults else ""
        return f"Written: {', '.join(sorted(map(str, written))) or 'nothing: there are no results for it'}.{unranked}"
    files.write_text(folders.reports / "README.md", index(values, folders.reports, written, folders.results))
    _remove_earlier(folders.reports, {path.relative_to(folders.reports).as_posix() for path in written})
    return _summary(values, folders.reports)


def _require(only: Sequence[str], settings: ReportSettings, source: Path) -> None:
    """Refuse unknown parts and unknown highlighted models.

    Raises:
        UserError: names the unknown one and the valid ones.
    """
    for name in only:
        if name not in PARTS:
            raise UserError(f"the report has no part {name!r}{instead_of(name, PARTS)}")
    known = [*plugins.names("models"), *external_models(source)]
    for model in settings.highlight:
        if model not in known:
            raise UserError(f"params.yaml: report.highlight: no model {model!r}{instead_of(model, known)}")


def _read(folders: Folders, grid: Grid, settings: ReportSettings) -> Values:
    """Return the results, without the external models that cannot be included."""
    results = external.read_all(folders.results, grid.datasets, grid.models, grid.seeds)
    left_out = refused(results)
    included = without(results, left_out)
    kept, few = folders.results / KEPT, folders.results / few_labels.FOLDER
    return Values(included, settings.headline, folders.prepared, folders.runs, left_out, settings.highlight, kept, few)


def _write_parts(values: Values, target: Path, names: Sequence[str]) -> set[Path]:
    """Write the files of some parts; return their paths."""
    written: set[Path] = set()
    for name in tqdm(names, desc="report", unit="part"):
        for path, content in PARTS[name](values):
            whole = content if isinstance(content, bytes) else content.encode()
            with files.atomic_write(target / path, len(whole)) as temporary:
                temporary.write_bytes(whole)
            written.add(target / path)
    return written


def _remove_earlier(target: Path, written: set[str]) -> None:
    """Remove the files of an earlier report that this one did not write; the user's own files stay."""
    manifest = target / MANIFEST
    earlier = set(manifest.read_text(encoding="utf-8").splitlines()) if manifest.is_file() else set()
    for name in earlier - written:
        if not Path(name).is_absolute() and ".." not in Path(name).parts:
            (target / name).unlink(missing_ok=True)
    files.write_text(manifest, "".join(f"{name}\n" for name in sorted(written)))


def _summary(values: Values, target: Path) -> str:
    """Return where the report is, and what it lacks."""
    missing = values.results.missing
    named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    absent = [str(p) for p in (values.prepared, values.runs) if not p.is_dir()]
    lines = [f"The report is in {target / 'index.html'}: {len(values.trained)} cells."]
    lines += [f"External models: {', '.join(values.external)}."] if values.external else []
    lines += [f"Left out: {model} {why}." for model, why in sorted(values.left_out.items())]
    lines += [f"Missing: {len(missing)} ({named})."] if missing else []
    if values.defects:
        lines += [f"Not ranked: `bench check` has {len(values.defects)} findings. The first: {values.defects[0]}"]
    lines += [f"Without source images: no folder {' and no folder '.join(absent)}."] if absent else []
    return " ".join(lines)
