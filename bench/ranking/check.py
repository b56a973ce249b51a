"""Check results: complete, of one protocol, internally consistent, and consistent with a printed report."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import UserError
from bench.formats import files, scores
from bench.ranking.protocol_name import with_name
from bench.ranking.refused import refused
from bench.ranking.results import ENTERED, EXTERNAL, Results
from bench.ranking.states import failures, skipped

SUMMARY = ["dataset", "model", "seed", "metric", "average", "value"]

WITHIN = {
    "pred_hit_2px": "pred", "pred_hit_5px": "pred", "boundary_pred": "pred", "skeleton_pred": "pred",
    "true_hit_2px": "true", "true_hit_5px": "true", "boundary_true": "true", "skeleton_true": "true",
    "skeleton_pred_hit": "skeleton_pred", "centreline_pred_hit_4px": "skeleton_pred",
    "skeleton_true_hit": "skeleton_true", "centreline_true_hit_4px": "skeleton_true",
    "boundary_both": "boundary_pred", "thin_pred": "pred", "thin_true": "true", "thin_matched": "thin_pred",
    "thin_pred_hit_4px": "thin_pred", "thin_true_hit_4px": "thin_true",
} | {f"tp_{how}": "pred" for how in scores.MOVEMENTS}  # fmt: skip
"""Column of images.csv -> column that it cannot exceed; "pred" is tp + fp, "true" is tp + fn."""

FRACTIONS = ["best_f1", "aiu", "average_precision", "expected_calibration_error"]
"""Columns of images.csv with values from 0 to 1."""


def findings(results: Results, printed: Path | None = None) -> list[str]:
    """Return the failures, one sentence each; an empty list if the results pass.

    Args:
        results: read with ``mixed=True``, so that mixed protocols are a finding.
        printed: summary.csv of a report, if it exists; its numbers must agree with the counts.
    """
    failures = [*_missing(results), *_records(results), *_items(results), *_counts(results), *_curves(results)]
    failures += _baselines(results)
    return failures + (_printed(results, printed) if printed and printed.is_file() else [])


def notes(results: Results, printed: Path | None = None) -> list[str]:
    """Return warnings that are no failures: unmeasured costs, uncommitted code, external models, synthetic data.

    Args:
        results: as read.
        printed: summary.csv of a report; None if there is no report to check.
    """
    warnings = [f"{name} is missing." for name in results.missing if "/" not in name] + cost_notes(results)
    warnings += [f"{printed} is missing: no printed number was checked."] if printed and not printed.is_file() else []
    committed = [c for c in results.cells if "code" in c and c["code"].get("commit") is not None]
    commits = sorted({c["code"]["commit"] for c in committed})
    if len(commits) > 1:
        warnings.append(f"The cells come from {len(commits)} commits: {', '.join(c[:12] for c in commits)}.")
    if dirty := sum(bool(c["code"].get("dirty")) for c in committed):
        warnings.append(f"{dirty} cells were trained with uncommitted changes.")
    if external := sorted({c["model"] for c in results.cells if c.get("trained") == EXTERNAL}):
        warnings.append(
            f"External models, whose protocol is as declared by whoever scored them: {', '.join(external)}."
        )
    warnings += [*failures(results, declared=False), *skipped(results)]
    return [*warnings, "The data are synthetic."] if results.is_sample else warnings


def cost_notes(results: Results) -> list[str]:
    """Return warnings about costs that do not belong to the scored runs or do not compare with each other."""
    warnings = [
        f"The cost of {model} is for {cost['encoder']} at {cost['image_size']} px, unlike its runs: measure it again."
        for model, cost in results.costs.items()
        if not is_cost_of_runs(results, model)
    ]
    machines = sorted({f"{c['device']} ({c['threads']} threads)" for c in results.costs.values()})
    mixed = f"The latencies were measured on {len(machines)} machines and do not compare: {', '.join(machines)}."
    drifted = [results.names[m] for m, cost in results.costs.items() if cost.get("drifted")]
    unsteady = f"The machine was not steady while the latency of {', '.join(drifted)} was measured: measure it again."
    return warnings + ([mixed] if len(machines) > 1 else []) + ([unsteady] if drifted else [])


def is_cost_of_runs(results: Results, model: str) -> bool:
    """Return whether a model's cost was measured with the encoder and image size of its cells, if they record them."""
    cost = results.costs[model]
    settings = [c["settings"] for c in results.cells if c["model"] == model]
    encoders = {s.get("train", {}).get("encoder") for s in settings} - {None}
    sizes = {s.get("prepare", {}).get("image_size") for s in settings} - {None}
    return encoders <= {cost["encoder"]} and sizes <= {cost["image_size"]}


def require(results: Results) -> None:
    """Raise an error unless the results pass the check.

    Raises:
        UserError: the check fails; the message names the first findings.
    """
    failures = findings(results)
    if failures:
        more = f" and {len(failures) - 5} more" if len(failures) > 5 else ""
        hint = (
            " Train what is missing (`dvc repro`), or shorten datasets, models and seeds in params.yaml; "
            "`bench leaderboard --partial` shows the finished cells."
        )
        raise UserError(
            f"these results cannot be ranked: {' '.join(failures[:5])}{more} Run `bench check` for all findings."
            + (hint if any("/" in name for name in results.missing) else "")
        )


def _missing(results: Results) -> Iterator[str]:
    """Yield the missing cells; for a dataset without any cell, only their number."""
    present = {cell["dataset"] for cell in results.cells}
    missing = Counter(name.partition("/")[0] for name in results.missing if "/" in name)
    yield from (f"{dataset}: all {n} cells are missing." for dataset, n in missing.items() if dataset not in present)
    lacking = [name for name in results.missing if name.partition("/")[0] in present and name not in results.failed]
    yield from (f"{name} is missing." for name in lacking)
    yield from failures(results, declared=True)


def _records(results: Results) -> Iterator[str]:
    """Yield faults of the cells' records: duplicates, protocol, data, program, environment."""
    names = Counter(_name(c) for c in results.cells)
    yield from (f"{name} is present {count} times." for name, count in names.items() if count > 1)
    own = [c for c in results.cells if c.get("trained") != EXTERNAL]
    protocols = Counter(c["protocol"] for c in own)
    if len(protocols) > 1:
        shown = ", ".join(f"{with_name(p)}: {n} cells" for p, n in protocols.most_common())
        yield f"The cells follow {len(protocols)} protocols: {shown}."
    yield from (f"{model} {why}." for model, why in sorted(refused(results).items()))
    batches = Counter(c["evaluation_batch"] for c in own if "evaluation_batch" in c)
    if len(batches) > 1:
        shown = ", ".join(f"{size} ({n} cells)" for size, n in batches.most_common())
        yield f"The cells were evaluated in batches of {shown} images: evaluate all with the same evaluate.batch."
    for cell in results.cells:
        if cell.get("trained") != EXTERNAL and not _has_same_data(cell, results.cards[cell["dataset"]]):
            yield f"{_name(cell)} was trained on a different version of {cell['dataset']}: run this cell again."
        if not cell.get("versions") or not cell.get("hardware"):
            yield f"{_name(cell)} does not record its environment."
    for model in results.models:
        programs = sorted({c.get("program", "") for c in own if c["model"] == model})
        if len(programs) > 1:
            yield f"{model} was trained with {len(programs)} versions of the program: {', '.join(programs)}."


def _has_same_data(cell: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    """Return whether a cell was trained on the data of a card: equal pixels or, of an entry, equal source files."""
    if cell["data"] == card["content"]:
        return True
    return cell.get("trained") == ENTERED and cell.get("files") == card["origin"].get("sha256") is not None


def _baselines(results: Results) -> list[str]:
    """Return the findings of detectors without training: their own, and data that are not those of the models."""
    if results.baselines is None:
        return []
    content = {d: card["content"] for d, card in results.cards.items()}
    other = sorted({c["dataset"] for c in results.baselines.cells if c["data"] != content.get(c["dataset"], c["data"])})
    differ = [f"The baselines were scored on a different version of {d}: run `bench baselines` again." for d in other]
    return differ + findings(results.baselines)


def _items(results: Results) -> Iterator[str]:
    """Yield faults of the rows: items that are duplicate or missing, or whose true mask differs between models."""
    images = results.images
    if not len(images):
        return
    duplicates = images[images.duplicated([*scores.CELL, "item"])]
    yield from (f"{r.dataset}/{r.model}/{r.seed} holds {r.item} twice." for r in duplicates.head(5).itertuples())
    sizes = images.groupby(scores.CELL, as_index=False).size()
    expected = sizes["dataset"].map(
        {d: card.get("test_images", card["counts"]["test"]) for d, card in results.cards.items()}
    )
    for r, count in zip(sizes.itertuples(), expected, strict=True):
        if r.size != count:
            yield f"{r.dataset}/{r.model}/{r.seed} has {r.size} images, but its dataset has {count} test images."
    truth = images.assign(true=images["tp"] + images["fn"], pixels=_pixels(images))
    distinct = truth.groupby(["dataset", "item"])[
        ["true", "pixels", "skeleton_true", "boundary_true", "photo", "batch"]
    ].nunique()
    for dataset, item in distinct[(distinct > 1).any(axis=1)].index[:5]:
        yield f"{dataset}: the true mask, source image or batch of {item} is not the same for all models."


def _pixels(images: pd.DataFrame) -> "pd.Series[int]":
    """Return the number of pixels of each image, ignored ones included."""
    return images[[*scores.COUNTS, "ignored"]].sum(axis=1)


def _counts(results: Results) -> Iterator[str]:
    """Yield impossible counts: pixels that do not add up, parts above the whole, fractions outside 0 to 1."""
    images = results.images
    if not len(images):
        return
    names = images["dataset"] + "/" + images["model"] + "/" + images["seed"].astype(str) + ", " + images["item"]
    sides = images["dataset"].map({d: c["settings"]["image_size"] for d, c in results.cards.items()})
    geometry = {d: c["settings"].get("geometry", "squeeze") for d, c in results.cards.items()}
    squeezed = images["dataset"].map(geometry) == "squeeze"
    whole = images.assign(pred=images["tp"] + images["fp"], true=images["tp"] + images["fn"])
    faults = {
        "tp + fp + fn + tn is not the number of pixels": (images[[*scores.COUNTS, "ignored"]].sum(axis=1) != sides**2)
        & squeezed,
        "a count is negative": (images[[*scores.COUNTS, *WITHIN]] < 0).any(axis=1),
    }
    faults |= {f"{part} is more than {total}": whole[part] > whole[total] for part, total in WITHIN.items()}
    faults |= {f"{c} is not within 0 to 1": (images[c] < 0) | (images[c] > 1 + 1e-9) for c in FRACTIONS}
    for fault, is_faulty in faults.items():
        yield from (f"{name}: {fault}." for name in names[is_faulty].head(5))


def _curves(results: Results) -> Iterator[str]:
    """Yield cells whose counts by threshold or histograms disagree with the counts of their images."""
    if not len(results.images):
        return
    half = results.curves[results.curves["threshold"] == 128].set_index(scores.CELL)[["tp", "fp", "fn"]].sort_index()
    sums = results.images.groupby(scores.CELL)[["tp", "fp", "fn"]].sum()
    wrong = sums.index[(half.reindex(sums.index) != sums).any(axis=1)]
    yield from (f"{'/'.join(map(str, cell))}: the curve at p = 0.5 is not the sum of its images." for cell in wrong)
    counted = results.histograms.sum(axis=(1, 2)) > 0
    rows, histograms = results.images[counted], results.histograms[counted]
    true, crack = rows["tp"] + rows["fn"], histograms[:, 0].sum(axis=1)
    differs = (crack != true) | (histograms[:, 0, 128:].sum(axis=1) != rows["tp"])
    differs |= histograms[:, 1, 128:].sum(axis=1) != rows["fp"]
    for r in rows[differs].head(5).itertuples():
        yield f"{r.dataset}/{r.model}/{r.seed}, {r.item}: the histogram does not reproduce tp, fp and fn."
    sizes = results.curves.groupby(scores.CELL)["threshold"].nunique()
    yield from (f"{'/'.join(map(str, cell))}: the curve lacks thresholds." for cell in sizes.index[sizes != 256])


def _printed(results: Results, path: Path) -> list[str]:
    """Return the numbers of summary.csv that disagree with the counts."""
    printed = files.read_csv(path, SUMMARY, text=SUMMARY[:2] + SUMMARY[3:5])
    models = {c["model"] for c in results.cells if c.get("trained") != EXTERNAL}
    ours = results.summary[results.summary["model"].isin(models)]
    both = printed.merge(ours, on=SUMMARY[:5], how="outer", suffixes=("_printed", ""), indicator=True)
    values = both[["value_printed", "value"]].astype(float)
    same = np.isclose(values["value_printed"], values["value"], rtol=1e-7, atol=1e-9, equal_nan=True)
    wrong: pd.DataFrame = both[~same | (both["_merge"] != "both")]
    return [
        f"{path}: {r.metric}, {r.average}, of {r.dataset}/{r.model}/{r.seed} is {r.value_printed:.6g}, "
        f"but the counts give {r.value:.6g}: run `bench report` again."
        for r in wrong.head(5).itertuples()
    ]  # fmt: skip


def _name(cell: dict[str, object]) -> str:
    return f"{cell['dataset']}/{cell['model']}/{cell['seed']}"
