"""Compare the training throughput of a plain script, this suite, and the bare training step.

(a) plain: a typical user script: float32, DataLoader with 4 workers that decode JPEGs, albumentations with Normalize
    and ToTensorV2, loss.item() and metrics on the CPU in every step.
(b) ours: the suite's data loader and step, as in `bench train`.
(c) step: the suite's step alone, on a batch that is already on the device.
On a CPU (b) alternates with each of the others step by step, so that a drift of the machine affects both and ratios
compare neighbours in time; on a GPU one follows the other. (a) runs in its own process, because the suite configures
its process for training.

Also measured: an epoch of a small set (by default of CFD's size) and the shares of the bare steps and the validation;
the rest is data loading, start of the loader and work between epochs. The cost of a checkpoint (with optimiser state
and best weights). With options: the speed-up by train.compile and the number of images from which it pays, and the cost
of train.deterministic.

Usage: python benchmarks/train_throughput.py --models unet,pspnet --image-size 448 --batch 32 --out benchmarks/NAME.json
"""

import json
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import pandas as pd
import torch
from _command import Command
from tqdm import tqdm

from bench import plugins
from bench.formats import files, prepared
from bench.sample.generate import draw
from bench.settings import load_params, section
from bench.stages import train
from bench.tools.profile import WARM_UP_STEPS, images_per_s
from bench.training import loop, saver
from bench.training.augment import build_augmentation
from bench.training.device import pick_device
from bench.training.loader import IMAGENET_MEAN, IMAGENET_STD, count_workers, train_batches
from bench.training.provenance import describe_hardware, versions
from bench.training.settings import AugmentSettings, TrainSettings

ROOT = Path(__file__).parents[1]
MIN_TURNS = 9
"""Minimum number of measured steps on a CPU, however long one takes."""


class JpegPairs(torch.utils.data.Dataset):
    """Pairs on disk, decoded and augmented at each access."""

    def __init__(self, folder: Path, settings: AugmentSettings) -> None:
        import albumentations as A
        from albumentations.pytorch import ToTensorV2

        self.paths = sorted((folder / "images").glob("*.jpg"))
        reference = build_augmentation(settings)
        self.transform = A.Compose([*reference, A.Normalize(IMAGENET_MEAN, IMAGENET_STD), ToTensorV2()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        path = self.paths[i]
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        mask = (cv2.imread(str(path.parents[1] / "masks" / path.name), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)
        result = self.transform(image=image, mask=mask)
        return result["image"], result["mask"]


def plain_steps(case: "Case") -> Iterator[int]:
    """Train like a plain script; yield the number of images of each step."""
    settings, device = case.settings, case.device
    network = plugins.load("models", case.model).build(3, 1, case.size, settings.encoder, None).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    bce = torch.nn.BCEWithLogitsLoss()
    loader = torch.utils.data.DataLoader(
        JpegPairs(case.folder, settings.augment), batch_size=settings.batch, shuffle=True, num_workers=4, drop_last=True
    )
    total = 0.0
    while True:
        for images, masks in loader:
            images, masks = images.to(device), masks.to(device).float()[:, None]
            optimizer.zero_grad()
            logits = network(images)
            prob = torch.sigmoid(logits)
            dice = 1 - (2 * (prob * masks).sum() + 1e-5) / (prob.sum() + masks.sum() + 1e-5)
            loss = bce(logits, masks) + dice
            loss.backward()
            optimizer.step()
            total += loss.item()
            pred, true = (prob > 0.5).cpu().numpy(), masks.cpu().numpy() > 0
            total += (pred & true).sum() / max((pred | true).sum(), 1)
            yield len(images)


def make_data(folder: Path, count: int, size: int) -> None:
    """Write ``count`` synthetic pairs as JPEGs and as a prepared dataset."""
    pairs = [draw("cfd", i, 0, size) for i in range(count)]
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for i, (image, mask) in enumerate(pairs):
        cv2.imwrite(str(folder / "images" / f"{i:04}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "masks" / f"{i:04}.jpg"), mask)
    items = pd.DataFrame({"item": [f"{i:04}" for i in range(count)]})
    items["split"] = ["train" if i < 0.8 * count else "test" for i in range(count)]
    items["file"] = items["photo"] = items["item"]
    card = {"dataset": "cfd", "classes": 1, "settings": {"image_size": size}, "origin": {"source": "sample"}}
    prepared.write(folder / "prepared", items, card, ((i, (m > 127).astype(np.uint8), (size, size)) for i, m in pairs))


@dataclass(frozen=True)
class Case:
    """A benchmark case: model, data, device and duration.

    Attributes:
        folder: output of ``make_data``.
        model: name of the architecture.
        settings: the section ``train`` of params.yaml.
        size: side of the images, px.
        device: device to train on.
        seconds: duration of each measurement.
    """

    folder: Path
    model: str
    settings: TrainSettings
    size: int
    device: torch.device
    seconds: float

    @property
    def data(self) -> prepared.Prepared:
        """The prepared pairs."""
        return prepared.read(self.folder / "prepared")


def plain_in_process(case: Case) -> Iterator[int]:
    """Run ``plain_steps`` in its own process, because the suite configures this one for its training."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("forkserver").Process(target=serve_plain, args=(case, child))
    process.start()
    child.close()  # otherwise the end of the process would go unnoticed
    try:
        while True:
            parent.send(True)
            yield parent.recv()
    finally:
        parent.send(False)
        process.join()


def serve_plain(case: Case, pipe: Connection) -> None:
    """Run one step of ``plain_steps`` per request."""
    multiprocessing.set_start_method("fork", force=True)  # for the loader's workers, as in a user's script
    work = plain_steps(case)
    while pipe.recv():
        pipe.send(next(work))


def our_steps(case: Case, *kinds: tuple[TrainSettings, bool]) -> list[Iterator[int]]:
    """Return the suite's steps of each kind; they share a network, whose memory layout can cost some percent.

    Args:
        case: the model, data and device.
        kinds: settings, and whether to repeat one batch on the device; a compiled network is a separate one.
    """
    train.configure(case.settings, 0)
    criterion, states = train.build_loss(case.data, case.settings, case.device), {}
    for compiled in {settings.compile for settings, _ in kinds}:
        network = train.build_network(case.data, case.model, replace(case.settings, compile=compiled), case.device)
        states[compiled] = loop.start(network, case.settings, case.device)
    batches = train_batches(case.data, case.settings, 0, (1, 0), case.device)
    first = next(batches)

    def steps(settings: TrainSettings, repeat_one: bool) -> Iterator[int]:
        while True:
            train.configure(settings, 0)
            batch = first if repeat_one else next(batches)
            loop.step(states[settings.compile], batch, criterion, settings, case.device)
            yield len(batch.rows)

    return [steps(*kind) for kind in kinds]


def alternate(case: Case, *works: Iterator[int]) -> list[list[float]]:
    """Return the images per second of each work in each of its turns, which are one step long."""
    measured, began = [[] for _ in works], time.perf_counter()
    while len(measured[-1]) < WARM_UP_STEPS + MIN_TURNS or time.perf_counter() - began < len(works) * case.seconds:
        for work, speeds in zip(works, measured, strict=True):
            before = time.perf_counter()
            speeds.append(next(work) / (time.perf_counter() - before))
    return [speeds[WARM_UP_STEPS:] for speeds in measured]


def compare_step(case: Case) -> dict[str, float]:
    """Return the images per second of (b) and (c), and their ratio."""
    ours, step = alternate(case, *our_steps(case, (case.settings, False), (case.settings, True)))
    figures = {
        "ours_images_per_s": round(statistics.median(ours), 2),
        "step_images_per_s": round(statistics.median(step), 2),
    }
    return figures | {"ours_over_step": round(ratio(ours, step), 3)}


def compare_plain(case: Case) -> dict[str, float]:
    """Return the images per second of (a), and the ratio of (b) to it."""
    with closing(plain_in_process(case)) as plain_work:
        ours, plain = alternate(case, *our_steps(case, (case.settings, False)), plain_work)
    return {"plain_images_per_s": round(statistics.median(plain), 2), "ours_over_plain": round(ratio(ours, plain), 3)}


def changed_step(case: Case, **changed: bool) -> float:
    """Return the speed of the step with changed settings relative to the unchanged step."""
    return ratio(*alternate(case, *our_steps(case, (replace(case.settings, **changed), True), (case.settings, True))))


def in_turn(case: Case, deterministic: bool) -> dict[str, Any]:
    """Return the images per second of (b), (c) and (a) and their ratios, each measured once, for a GPU.

    Turns of one step would let the loader's workers fill their queues during those of the others.
    """
    ours_work, step_work, deterministic_work = our_steps(
        case, (case.settings, False), (case.settings, True), (replace(case.settings, deterministic=True), True)
    )
    ours, step = (images_per_s(work, case.seconds, case.device) for work in (ours_work, step_work))
    with closing(plain_in_process(case)) as plain_work:
        plain = images_per_s(plain_work, case.seconds, case.device)
    figures = {"ours_images_per_s": round(ours, 1), "step_images_per_s": round(step, 1)}
    figures |= {"ours_over_step": round(ours / step, 3), "plain_images_per_s": round(plain, 1)}
    figures |= {"ours_over_plain": round(ours / plain, 3)}
    if deterministic:
        try:
            speed = images_per_s(deterministic_work, case.seconds, case.device)
            figures |= {"deterministic_over_step": round(speed / step, 3)}
        except RuntimeError as error:  # an operation without a deterministic implementation
            figures |= {"deterministic_over_step": None, "why": str(error).partition(".")[0]}
    return figures


def ratio(speeds: Sequence[float], others: Sequence[float]) -> float:
    """Return the median ratio of neighbours in time."""
    return statistics.median(a / b for a, b in zip(speeds, others, strict=True))


def training_s(case: Case, epochs: int, compiled: bool = False) -> float:
    """Return the seconds of a training without checkpoints: steps, validation, work between epochs."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(case.folder / "inductor" / case.model)  # an empty cache
    saver.WORTH_SAVING_S = math.inf
    settings = replace(case.settings, epochs=epochs, compile=compiled)
    train.configure(settings, 0)
    network = train.build_network(case.data, case.model, settings, case.device)
    criterion = train.build_loss(case.data, settings, case.device)
    began = time.perf_counter()
    loop.fit(network, case.data, criterion, 0, settings, case.device, case.folder / "training", {})
    return time.perf_counter() - began


def epoch(case: Case, step_images_per_s: float) -> dict[str, float]:
    """Return the seconds of an epoch, except the first, and the shares of the bare steps and the validation.

    The speed of the bare steps was measured some minutes earlier: on a CPU whose speed drifts, their share can exceed
    100.
    """
    steps_s, spans, validate = len(case.data.split("train")) / step_images_per_s, [], loop.validation_loss

    def timed(*arguments: Any) -> torch.Tensor:
        began = time.perf_counter()
        sums = validate(*arguments)
        sums.tolist()  # waits for the device, as the loop does next
        spans.append((began, time.perf_counter()))
        return sums

    loop.validation_loss = timed
    training_s(case, 2 + round(case.seconds / steps_s))
    begins, ends = np.array(spans).T
    epoch_s, validation_s = float(np.median(np.diff(ends))), float(np.median((ends - begins)[1:]))
    shares = {"steps_pct_of_epoch": steps_s, "validation_pct_of_epoch": validation_s}
    return {"epoch_s": round(epoch_s, 3)} | {name: round(100 * part / epoch_s, 1) for name, part in shares.items()}


def checkpoint(case: Case) -> dict[str, float]:
    """Return the seconds and MiB of a checkpoint after the first step."""
    train.configure(case.settings, 0)
    data, settings, device = case.data, case.settings, case.device
    network = train.build_network(data, case.model, settings, device)
    state = loop.start(network, settings, device)
    batch = next(train_batches(data, replace(settings, workers=0), 0, (1, 0), device))
    loop.step(state, batch, train.build_loss(data, settings, device), settings, device)
    state.keep_best()
    folder = case.folder / "checkpoints" / case.model
    began = time.perf_counter()
    state.save(folder, {})
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return {"checkpoint_s": round(seconds, 2), "checkpoint_mb": round(size / 2**20, 1)}


def row(case: Case, brief: bool, compiled: bool, deterministic: bool, pool: ProcessPoolExecutor) -> dict[str, Any]:
    """Return the results of one model."""

    def alone(work: Callable[..., Any], *arguments: Any, **options: bool) -> Any:
        return pool.submit(work, case, *arguments, **options).result()

    on_gpu = case.device.type == "cuda"
    result = {"model": case.model}
    result |= alone(in_turn, deterministic) if on_gpu else alone(compare_step) | alone(compare_plain)
    step_images_per_s = result["step_images_per_s"]
    if not brief:
        result |= alone(epoch, step_images_per_s) | alone(checkpoint)
    if compiled:
        cost_s = alone(training_s, 1, compiled=True) - alone(training_s, 1)
        gain = alone(changed_step, compile=True)
        saved_s = (1 - 1 / gain) / step_images_per_s  # per image
        result |= {"compiled_over_step": round(gain, 3), "compile_s": round(cost_s, 1)}
        result |= {"compile_pays_after_images": round(cost_s / saved_s) if saved_s > 0 else None}
    if deterministic and not on_gpu:
        result |= {"deterministic_over_step": round(alone(changed_step, deterministic=True), 3)}
    return result


@click.command(cls=Command)
@click.option("--models", default="unet", help="Names, separated by commas.")
@click.option("--encoder", default="resnet50")
@click.option("--image-size", default=448)
@click.option("--batch", default=32)
@click.option("--images", default=118, help="Synthetic pairs; a fifth is for validation. CFD has 118.")
@click.option("--seconds", default=30.0, help="Duration of each measurement.")
@click.option("--device", default="auto")
@click.option("--augment-on", default="workers", type=click.Choice(["workers", "device"]))
@click.option("--brief", is_flag=True, help="Leave out the epoch and the checkpoint.")
@click.option("--compile", "compiled", is_flag=True, help="Also measure train.compile.")
@click.option("--deterministic", is_flag=True, help="Also measure train.deterministic.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the results to this JSON file.")
def main(models, encoder, image_size, batch, images, seconds, device, augment_on, brief, compiled, deterministic, out):
    if 0.8 * images < batch:  # the plain script's loader drops a batch that is not full
        raise click.UsageError(
            f"four fifths of --images {images} are fewer than a batch of {batch}: raise --images or lower --batch."
        )
    names = models.split(",")
    for name in names:
        plugins.load("models", name)
    params = load_params(ROOT / "params.yaml")
    params["train"] |= {"encoder": encoder, "weights": None, "batch": batch, "augment_on": augment_on, "epochs": 10**6}
    settings = section(params, "train", TrainSettings)
    place = pick_device(device)
    setting = {"encoder": encoder, "image_size": image_size, "batch": batch, "images": images, "seconds": seconds}
    setting |= {"augment_on": augment_on, "workers": count_workers(settings, place)}
    facts = {"rows": [], "setting": setting, "hardware": describe_hardware(place), "versions": versions()}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.stages.train", "segmentation_models_pytorch", "albumentations"])
    clean = {"mp_context": context, "max_tasks_per_child": 1}
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, **clean) as pool:
        make_data(Path(folder), images, image_size)
        for model in tqdm(names, desc="throughput", unit="model"):
            case = Case(Path(folder), model, settings, image_size, place, seconds)
            facts["rows"].append(row(case, brief, compiled, deterministic, pool))
            tqdm.write(json.dumps(facts["rows"][-1]))
            if out:
                files.write_json(out, facts)


if __name__ == "__main__":
    main()
