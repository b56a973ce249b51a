"""Enter a model into the open track: train only its cells and set them beside the committed results."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from bench.data.seen import Seen, stated_seen
from bench.errors import UserError
from bench.formats import entry as entry_format
from bench.formats import failure, files, predictions, prepared, scores
from bench.ranking.compare import compare
from bench.ranking.leaderboard import leaderboards
from bench.ranking.results import ENTERED, EXTERNAL, read
from bench.ranking.standings import Query
from bench.render import text
from bench.settings import load_params, section, seed_list
from bench.stages import download, evaluate, prepare, report, train
from bench.tools import predict, profile, score
from bench.tools.entry_facts import entry_facts
from bench.tools.read_predictions import read_predictions
from bench.tools.rerun import compare_rerun
from bench.tools.track import VERSION, require_same_version
from bench.training.device import pick_device
from bench.training.provenance import device_name, program
from bench.training.settings import Device

PROBE_SECONDS = 3.0
VALIDATION_SHARE = 1.4
"""Cost of a cell over that of its training steps alone: validation, and the prediction of the test items."""


@dataclass(frozen=True)
class Entry:
    """What is entered, where.

    Attributes:
        track: folder with the committed results of the open track and its params.yaml.
        work: folder for the data and the trainings; an earlier one is continued.
        model: id of a model, or the name under which a file or a folder of predictions is entered.
        source: an .onnx or .pt2 file, a folder of predictions <dataset>/<item>.png, or None: the model is trained.
        datasets: ids; a part of the track's.
        seeds: a part of the track's.
        given: archive or folder to take the data from instead of the network.
        output: what a file returns, "logits" or "probabilities"; None: found by a probe.
        output_name: name of a file's output that is the map; None: it has one only.
        device: where to compute, one of `bench.training.settings.Device`.
        seen: what is stated of the model's training besides the track's images; None: as earlier scores state.
    """

    track: Path
    work: Path
    model: str
    source: Path | None
    datasets: Sequence[str]
    seeds: Sequence[int]
    given: Path | None = None
    output: str | None = None
    output_name: str | None = None
    device: Device = "auto"
    seen: Seen | None = None

    @property
    def is_rerun(self) -> bool:
        """Whether the model is in the track already, so that its committed scores are checked."""
        return self.model in load_params(self.track / "params.yaml")["models"]

    @property
    def scores(self) -> Path:
        """Folder of the scores of this entry."""
        return self.work / "rerun" / self.model if self.is_rerun else self.track / EXTERNAL / self.model


def enter(entry: Entry) -> Iterator[str]:
    """Yield messages while the entry is made; the last ones are the leaderboard and the verdict.

    Raises:
        UserError: the data cannot be had or differ from the track's, earlier scores have another version, or the model
            cannot be trained or scored.
    """
    params = load_params(entry.track / "params.yaml")
    require_same_version(entry.scores)
    _require_part(entry.datasets, params["datasets"], "dataset")
    _require_part(entry.seeds, params["seeds"], "seed")
    fetch(entry, params)
    for dataset in entry.datasets:
        yield from require_same_data(entry, dataset)
    if entry.source is None:
        yield from train_cells(entry, params)
    else:
        score_source(entry, entry.source, params)
    yield from _conclude(entry, params)


def _require_part(chosen: Sequence[Any], of: Sequence[Any], kind: str) -> None:
    for value in chosen:
        if value not in of:
            raise UserError(f"the open track has no {kind} {value}: choose from {', '.join(map(str, of))}.")


def fetch(entry: Entry, params: dict[str, Any]) -> None:
    """Download and prepare the datasets that are not prepared yet, with the track's splits."""
    settings = section(params, "prepare", prepare.PrepareSettings)
    todo = [d for d in entry.datasets if not (entry.work / "prepared" / d / "card.json").is_file()]
    if not todo:
        return
    downloads = section(params, "download", download.DownloadSettings)
    kept = sorted({*todo, *(p.name for p in (entry.work / "downloads").glob("*") if p.is_dir())})
    failures = download.run(entry.work / "downloads", kept, entry.work / "archives", downloads, entry.given)
    if failures:
        hint = "without network, give a folder or zip with the files by --from" if entry.given is None else ""
        raise UserError("\n".join([*failures, hint]).strip())
    shutil.copytree(entry.track / "splits", entry.work / "splits", dirs_exist_ok=True)
    for dataset in todo:
        source, target = entry.work / "downloads" / dataset, entry.work / "prepared" / dataset
        prepare.run(source, target, dataset, settings, entry.work / "splits")


def require_same_data(entry: Entry, dataset: str) -> Iterator[str]:
    """Yield a note if pixels differ from the track's in their last bits.

    A JPEG decodes to other last bits on another platform, so the source files decide, by their checksums.

    Raises:
        UserError: the source files, the settings of the preparation or the split differ from the track's.
    """
    card = prepared.read(entry.work / "prepared" / dataset, verify_arrays=False).card
    committed = scores.read(entry.track / "scores" / dataset).card
    mine, theirs = ({**c, "files": c["origin"].get("sha256", c["content"])} for c in (card, committed))
    for key, name in (("files", "source files"), ("settings", "settings of the preparation"), ("counts", "split")):
        if mine[key] != theirs[key]:
            raise UserError(
                f"{entry.work / 'prepared' / dataset}: the {name} differ from the open track's ({mine[key]} instead of "
                f"{theirs[key]}): delete {entry.work} and enter again."
            )
    if card["content"] != committed["content"]:
        yield f"note: the pixels of {dataset} differ from the committed ones in their last bits: another image decoder."


def train_cells(entry: Entry, params: dict[str, Any]) -> Iterator[str]:
    """Train and evaluate the cells that are not done yet; announce the cost first."""
    settings = section(params, "train", train.TrainSettings)
    settings = replace(settings, workers=None, threads=None, checkpoint_minutes=2, device=entry.device)
    todo = [(d, s) for s in entry.seeds for d in entry.datasets if not _is_done(entry, d, s)]
    if todo:
        trainings = "1 training" if len(todo) == 1 else f"{len(todo)} trainings"
        yield f"{trainings} of {entry.model}, {_estimate(entry, todo[0][0], settings, len(todo))}."
    for number, (dataset, seed) in enumerate(todo, 1):
        print(f"training {number} of {len(todo)}: {dataset}/{entry.model}/{seed}", file=sys.stderr)
        try:
            with failure.recorded_failure(_run(entry, dataset, seed)):
                train.run(entry.work / "prepared" / dataset, _run(entry, dataset, seed), entry.model, seed, settings)
        except UserError as error:  # the other cells are trained all the same
            yield f"failed: {dataset}/{entry.model}/{seed}: {error}"
    _evaluate_cells(entry, params)


def _evaluate_cells(entry: Entry, params: dict[str, Any]) -> None:
    """Evaluate the cells that are done; those that failed are listed with the scores of their dataset.

    Raises:
        UserError: none is done.
    """
    grouping = section(params, "evaluate", evaluate.EvaluateSettings)
    done = [d for d in entry.datasets if any(_is_done(entry, d, seed) for seed in seed_list(params))]
    if not done:
        raise UserError(f"no cell of {entry.model} could be trained: correct what is said above and enter it again.")
    for dataset in done:
        runs = {seed: _run(entry, dataset, seed) for seed in seed_list(params)}
        seeds = [s for s, run in runs.items() if _is_done(entry, dataset, s) or failure.read(run)]
        target = entry.scores / dataset
        stated = stated_seen(entry.seen, prepared.read(entry.work / "prepared" / dataset), target)
        evaluate.run(
            entry.work / "prepared" / dataset, entry.work / "runs" / dataset, target, dataset, [entry.model], seeds,
            grouping,
        )  # fmt: skip
        part = scores.read(target)
        facts = {"trained": ENTERED, "files": part.card["origin"].get("sha256"), "track_version": VERSION}
        scores.write(target, replace(part, cells=[cell | facts | stated for cell in part.cells]))


def _run(entry: Entry, dataset: str, seed: int) -> Path:
    return entry.work / "runs" / dataset / entry.model / str(seed)


def _is_done(entry: Entry, dataset: str, seed: int) -> bool:
    """Return whether a cell was trained by the present program; a model that was edited is trained again."""
    record = _run(entry, dataset, seed) / "run.json"
    return record.is_file() and files.read_json(record)["program"] == program(entry.model)


def _estimate(entry: Entry, dataset: str, settings: train.TrainSettings, cells: int) -> str:
    """Return how long the trainings will take here, in words, by trying a few steps."""
    data, device = prepared.read(entry.work / "prepared" / dataset), pick_device(settings.device)
    train.configure(settings, 0)
    probe = replace(settings, weights=None, epochs=10**6)
    rate = profile.images_per_s(
        profile.steps(data, entry.model, probe, device, repeat_one=False), PROBE_SECONDS, device
    )
    items = settings.epochs * (settings.epoch_items or len(data.split("train")))
    minutes = VALIDATION_SHARE * cells * items / rate / 60
    where = f"{torch.get_num_threads()} CPU threads" if device.type == "cpu" else device_name(device)
    return f"about {max(1, round(minutes))} min at {rate:.1f} images/s on {where}"


def score_source(entry: Entry, source: Path, params: dict[str, Any]) -> None:
    """Score a network in a file, or a folder of predictions, as seed 0."""
    settings = section(params, "train", train.TrainSettings)
    batch = section(params, "evaluate", evaluate.EvaluateSettings).batch
    for dataset in entry.datasets:
        data, folder = entry.work / "prepared" / dataset, source / dataset
        if source.is_file():
            folder = entry.work / "predictions" / entry.model / dataset
            predict.on_dataset(predict.Network(source, entry.output, entry.output_name, entry.device), data, folder)
        _keep_maps(entry, folder, data)
        score.score_folder(folder, data, entry.track, entry.model, 0, settings, batch, seen=entry.seen)


def _keep_maps(entry: Entry, folder: Path, source: Path) -> None:
    """Keep the predictions where those of a training are, so that the report's figures show them."""
    for item, levels in read_predictions(folder, prepared.read(source)).items():
        predictions.write_one(_run(entry, source.name, 0) / "probabilities", item, levels)


def _conclude(entry: Entry, params: dict[str, Any]) -> Iterator[str]:
    """Write the report and yield the leaderboard and the verdict, on the datasets that were entered."""
    names = [d for d in entry.datasets if (entry.scores / d).is_dir()]
    if entry.is_rerun:
        yield from compare_rerun(entry.track / "scores", entry.scores, entry.model, names)
        return
    trained = ENTERED if entry.source is None else EXTERNAL
    facts = entry_facts(entry.model, trained, entry.seeds, entry.track / "params.yaml", entry.source)
    entry_format.write(entry.scores, facts)
    results = read(entry.track, names, params["models"], seed_list(params), [entry.model])
    query = Query("crack_iou", params["report"]["headline"], 10_000, 0)
    yield text.together(leaderboards(results, query, names, rank_published=False), "text", "", "")
    yield compare(results, query, entry.model, None, rope=0.01).verdict
    settings = section(params, "report", report.ReportSettings)
    folders = report.Folders(entry.track, entry.work / "report", entry.work / "prepared", entry.work / "runs")
    yield report.run(folders, report.Grid(names, params["models"], seed_list(params)), settings)
    yield f"The scores to submit are in {entry.scores}; check them by `bench check {entry.scores}`."
