"""Report: results (and prepared, runs, where they are) -> reports/: tables, figures, model cards, index.html."""

import json
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from bench.errors import UserError, instead_of
from bench.formats import files
from bench.ranking.results import refused, without
from bench.report import external
from bench.report.context import Values
from bench.report.parts import PARTS
from bench.report.settings import ReportSettings as ReportSettings  # the stage's section of params.yaml

MANIFEST = "MANIFEST"
"""Names of the files of a report, for the next one to remove what it does not write."""


def run(
    source: Path,
    target: Path,
    datasets: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int],
    settings: ReportSettings,
    prepared: Path = Path("prepared"),
    runs: Path = Path("runs"),
    only: Sequence[str] = (),
) -> str:
    """Write the report, or some of its parts; return what was written and what is missing, for a person to read.

    Args:
        source: the results.
        target: where to; files of an earlier report that this one does not have are removed, unless ``only`` is given.
        datasets: declared ones, by id.
        models: likewise.
        seeds: likewise.
        settings: the section ``report`` of params.yaml.
        prepared: the prepared datasets, for what shows photographs; may be absent.
        runs: likewise.
        only: names of parts; none: all.

    Raises:
        UserError: there are no results, a file is damaged, the results mix protocols, or a part does not exist.
    """
    _require(only)
    results = external.read_all(source, datasets, models, seeds)
    left_out = refused(results)
    values = Values(without(results, left_out), settings.headline, prepared, runs, left_out)
    written: set[Path] = set()
    for name in tqdm(only or PARTS, desc="report", unit="part"):
        for path, content in PARTS[name](values):
            with files.atomic_write(target / path) as temporary:
                temporary.write_bytes(content if isinstance(content, bytes) else content.encode())
            written.add(target / path)
    if only:
        why = "these results fail the check (`bench check`)" if values.faults else "nothing was run for it"
        return f"Written: {', '.join(sorted(str(p) for p in written)) or f'nothing, as {why}'}."
    files.write_text(target / "README.md", _index(values, target, written))
    _remove_earlier(target, {path.relative_to(target).as_posix() for path in written})
    return _closing(values, target)


def _require(only: Sequence[str]) -> None:
    """Refuse parts that do not exist."""
    for name in only:
        if name not in PARTS:
            raise UserError(f"the report has no part {name!r}{instead_of(name, PARTS)}")


def _remove_earlier(target: Path, written: set[str]) -> None:
    """Remove what an earlier report wrote and this one did not; files of a person's own stay."""
    manifest = target / MANIFEST
    earlier = set(manifest.read_text(encoding="utf-8").splitlines()) if manifest.is_file() else set()
    for name in earlier - written:
        if not Path(name).is_absolute() and ".." not in Path(name).parts:
            (target / name).unlink(missing_ok=True)
    files.write_text(manifest, "".join(f"{name}\n" for name in sorted(written)))


def _index(values: Values, target: Path, written: set[Path]) -> str:
    """Return the page that leads to all others, with provenance and missing cells."""
    results = values.results
    names = sorted(p.relative_to(target).as_posix() for p in written)
    lines = ["# CrackBench report", ""] + ([f"**{values.warning}**", ""] if values.warning else [])
    lines += ["- [the page](index.html): leaderboard, curves, images"] if "index.html" in names else []
    lines += [f"- [{Path(n).stem}]({n})" for n in names if n.startswith("tables/") and n.endswith(".md")]
    lines += [f"- [{Path(n).stem}]({n})" for n in names if n.endswith(".png") and n.count("/") == 1]
    lines += ["- [model cards](cards/)"] if any(n.startswith("cards/") for n in names) else []
    if values.own:
        cell = values.own[0]
        hardware = sorted({c["hardware"].get("gpu", c["hardware"].get("processor", "?")) for c in values.own})
        contents = [f"{dataset} {card['content']}" for dataset, card in results.cards.items()]
        settings = json.dumps(cell["settings"], sort_keys=True)
        lines += ["", "## Provenance", "", f"- protocol {cell['protocol']}: `{settings}`"]
        lines += [f"- data: {', '.join(contents)}"]
        lines += [f"- code: {', '.join(sorted({str(c['code']['commit']) for c in values.own}))}"]
        lines += [f"- hardware: {', '.join(hardware)}"]
    if values.faults:
        lines += ["", "## Not ranked", "", "These results fail the check, so there is no ranking:", ""]
        lines += [f"- {fault}" for fault in values.faults]
    if results.missing:
        lines += ["", "## Missing", "", *[f"- {name}" for name in results.missing]]
    return "\n".join(lines) + "\n"


def _closing(values: Values, target: Path) -> str:
    """Return the line that tells where the report is, and what is not in it."""
    missing = values.results.missing
    named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    other = [fault for fault in values.faults if not fault.endswith("is missing.")]
    absent = [str(p) for p in (values.prepared, values.runs) if not p.is_dir()]
    lines = [f"The report is in {target / 'index.html'}: {len(values.own)} cells."]
    lines += [f"From elsewhere: {', '.join(values.elsewhere)}."] if values.elsewhere else []
    lines += [f"Left out: {model} {why}." for model, why in sorted(values.left_out.items())]
    lines += [f"Missing: {len(missing)} ({named})."] if missing else []
    lines += [f"Not ranked, as {len(other)} things fail the check: {other[0]}"] if other else []
    lines += [f"Without photographs, for want of {' and '.join(absent)}."] if absent else []
    return " ".join(lines)
