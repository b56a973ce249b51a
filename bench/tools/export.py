"""Export a trained run as an ONNX file that others can run, with a model card for the Hugging Face hub."""

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench import plugins
from bench.errors import UserError, os_error_line
from bench.formats import files, predictions, prepared, run
from bench.ranking.class_scores import crack_note, pooled_scores
from bench.ranking.definitions import by_average
from bench.ranking.protocol_name import with_name
from bench.ranking.results import SAMPLE_WARNING
from bench.ranking.summary import summarise
from bench.render.model_card import model_card
from bench.stages.evaluate import score, score_classes
from bench.tools.load_network import STATED, load, load_run

TOLERANCE = 1e-4
"""Largest difference of a probability between the run and the file: float32 sums in another order stay below it."""

CHECKED = 4
"""Test images on which the file is compared with the run."""

SCORES = ("crack_iou", "dice", "precision", "recall")
"""Metrics in the header of the card, pooled over the test images."""

BATCH = 32
"""Images of the batch means in the card, as in params.yaml."""


@dataclass(frozen=True)
class Exported:
    """A run that is exported: its folder, record, dataset, and the scores of its cell."""

    folder: Path
    record: dict[str, Any]
    data: prepared.Prepared
    summary: pd.DataFrame


def export(folder: Path, target: Path, data_folder: Path) -> str:
    """Write the ONNX file and README.md beside it; return what was checked.

    Args:
        folder: of a finished run.
        target: the ONNX file: images normalised as ImageNet's, float32 (B, 3, S, S), S the side of the training images
            and B any number -> logits, (B, C, S, S).
        data_folder: the prepared dataset of the run, whose test images the file is checked with.

    Raises:
        UserError: the run or the data cannot be read or do not belong together, a library is not installed, README.md
            beside the file is of another model, or the file differs from the run by more than ``TOLERANCE``.
    """
    _require(target)
    exported = _read(folder, data_folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".export-", dir=target.parent) as temporary:
        written = Path(temporary) / target.name
        try:
            _write_onnx(exported, written)
        except OSError as error:
            raise UserError(os_error_line(error, target)) from error
        difference = _difference(exported, written)
        written.replace(target)
    files.write_text(target.with_name("README.md"), _card(exported, target.name))
    return (
        f"{target} gives the probabilities of {folder} to {difference:.1e} on {_checked(exported)} test images of "
        f"{exported.record['dataset']}; its card is {target.with_name('README.md')}."
    )


def _require(target: Path) -> None:
    """Refuse a file name or a folder that cannot be written to without harm."""
    if target.suffix.lower() != ".onnx":
        raise UserError(f"--onnx {target}: give a file name that ends in .onnx.")
    card = target.with_name("README.md")
    if card.exists() and not target.exists():
        raise UserError(f"{card} is there already: write {target.name} into a folder of its own.")


def _read(folder: Path, data_folder: Path) -> Exported:
    """Return a run with its data and scores."""
    if not (folder / "run.json").is_file():
        raise UserError(f"{folder} is no finished run: give its folder, runs/<dataset>/<model>/<seed>.")
    record, _ = run.read(folder)
    if not (data_folder / "card.json").is_file():
        raise UserError(f"{data_folder} is not prepared: the file is checked on its images; give --prepared FOLDER.")
    data = prepared.read(data_folder)
    if data.card["content"] != record["data"]:
        raise UserError(f"{data_folder} has other images than those of {folder}: give the data that it was trained on.")
    tables, _ = score(data, partial(predictions.read_one, folder / "probabilities"), BATCH)
    cell = {key: record[key] for key in ("dataset", "model", "seed")}
    summary = summarise(*(tables[name].assign(**cell) for name in ("images", "curves", "batches")))
    return Exported(folder, record, data, summary)


def _write_onnx(exported: Exported, path: Path) -> None:
    """Write the network with its weights, for any number of images."""
    try:
        import onnxscript  # noqa: F401 (torch needs it)
        import torch
    except ImportError as error:
        raise UserError(f"{error.name} is missing: `pip install '.[train,onnx]'` in the clone of CrackBench.") from None
    network, side = load_run(exported.folder)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch about itself
        program = torch.onnx.export(
            network, (torch.zeros(2, 3, side, side),), dynamo=True, dynamic_shapes=({0: batch},),
            input_names=["image"], output_names=["logits"], verbose=False,
        )  # fmt: skip
    assert program is not None
    program.model.metadata_props.update(_facts(exported.record))
    program.save(path)


def _facts(record: dict[str, Any]) -> dict[str, str]:
    """Return what the file says about itself."""
    keys = ("dataset", "model", "seed", "protocol", "data", "program")
    return {STATED: "logits"} | {f"crackbench_{key}": str(record[key]) for key in keys if key in record}


def _checked(exported: Exported) -> int:
    return min(CHECKED, len(exported.data.split("test")))


def _difference(exported: Exported, path: Path) -> float:
    """Return the largest difference of a probability between the run and the file on test images.

    Raises:
        UserError: it is above ``TOLERANCE``.
    """
    rows = exported.data.split("test")[: _checked(exported)]
    images = np.asarray(exported.data.images[rows])
    probs: list[npt.NDArray[np.float32]] = [
        load(source, device="cpu")[0].many(images) for source in (exported.folder, path)
    ]
    difference = float(np.abs(probs[0] - probs[1]).max())
    if not difference <= TOLERANCE:
        raise UserError(
            f"the ONNX file of {exported.folder} differs from the run by {difference:.2g}, more than {TOLERANCE:g}: "
            "nothing was written; another version of torch or onnxscript may export it rightly."
        )
    return difference


def _card(exported: Exported, name: str) -> str:
    """Return the model card: the header that the Hugging Face hub reads, the card of the run, and how to use it."""
    from huggingface_hub import EvalResult, ModelCardData

    record, card = exported.record, exported.data.card
    dataset = plugins.title("datasets", record["dataset"])
    names = {record["dataset"]: dataset, record["model"]: record["model_name"]}
    pooled = exported.summary[exported.summary["average"] == "pooled"].set_index("metric")["value"]
    results = [
        EvalResult(
            task_type="image-segmentation", task_name="Crack segmentation", dataset_type=record["dataset"],
            dataset_name=dataset, dataset_split="test", metric_type=metric,
            metric_value=round(float(pooled[metric]), 6),
            metric_name=f"{plugins.title('metrics', metric)}, pooled",
        )
        for metric in SCORES
        if np.isfinite(pooled[metric])
    ]  # fmt: skip
    header = ModelCardData(
        library_name="onnx", pipeline_tag="image-segmentation", tags=["crack-segmentation", "crackbench"],
        model_name=f"{record['model_name']} on {dataset}", eval_results=results or None,
    )  # fmt: skip
    warning = SAMPLE_WARNING if card["origin"]["source"] == "sample" else ""
    kept, classes = exported.folder / predictions.CLASSES, None
    if kept.is_dir():
        classes = pooled_scores(score_classes(exported.data, partial(predictions.read_one, kept), BATCH), card)
    record = record | {"protocol": with_name(record["protocol"])}
    body = model_card(record, names, by_average(exported.summary), card, warning, classes, crack_note(dataset, card))
    return f"---\n{header.to_yaml()}\n---\n\n{body}\n{_use(exported, name)}"


def _use(exported: Exported, name: str) -> str:
    """Return how to run the file."""
    side, classes = exported.data.images.shape[1], exported.record.get("classes", 1)
    probability = "1 / (1 + np.exp(-logits[:, 0]))"
    if classes > 1:
        probability = "1 / (1 + np.exp(logits[:, 0] - logits[:, 1:].max(1)))  # class 0 is background"
    return f"""## Use

`bench predict {name} --images photos` writes masks, overlays and crack sizes. Without CrackBench:

```python
import numpy as np
import onnxruntime

images = np.zeros((1, {side}, {side}, 3), np.uint8)  # RGB, any number of images
scaled = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
session = onnxruntime.InferenceSession("{name}")
(logits,) = session.run(None, {{"image": scaled.transpose(0, 3, 1, 2).astype(np.float32)}})
crack_probability = {probability}
```

The licence of the images, above, may limit what the weights may be used for.
"""
