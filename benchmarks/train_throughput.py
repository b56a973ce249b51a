"""Training throughput: a plain script, this suite, and the bare step, side by side in one process tree.

(a) plain: what a user would write: float32, DataLoader with 4 workers that decode JPEGs, albumentations with Normalize
    and ToTensorV2, loss.item() and metrics on the CPU in every step.
(b) ours: the suite's feed and step, as `bench train` runs them.
(c) step: the suite's step alone, on a batch that already lies on the device.
Beside them, what a checkpoint costs (optimiser's state and best epoch's weights inside), and, if asked for, what
train.compile brings and from how many images on, and what train.deterministic costs on a GPU.

Usage: python benchmarks/train_throughput.py --models unet,pspnet --image-size 448 --batch 32 --out benchmarks/NAME.json
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import pandas as pd
import torch

from bench import plugins
from bench.datasets._sample import draw
from bench.doctor import images_per_s, steps
from bench.formats import files, prepared
from bench.learning.augment import build_augmentation
from bench.learning.settings import AugmentSettings, Settings
from bench.settings import load_params, section
from bench.stages import _fit, train
from bench.stages._device import describe_hardware, pick_device, versions
from bench.stages._feed import IMAGENET_MEAN, IMAGENET_STD, count_workers, train_batches

ROOT = Path(__file__).parents[1]


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


def plain_steps(folder: Path, model: str, settings: Settings, size: int, device: torch.device) -> Iterator[int]:
    """Train as a plain script does; yield the images of each step."""
    network = plugins.load("models", model).build(3, 1, size, settings.encoder, None).to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    bce = torch.nn.BCEWithLogitsLoss()
    loader = torch.utils.data.DataLoader(
        JpegPairs(folder, settings.augment), batch_size=settings.batch, shuffle=True, num_workers=4, drop_last=True
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


def make_data(folder: Path, count: int, size: int) -> prepared.Prepared:
    """Write ``count`` synthetic pairs as JPEGs and as a prepared dataset."""
    pairs = [draw("cfd", i, 0, size) for i in range(count)]
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for i, (image, mask) in enumerate(pairs):
        cv2.imwrite(str(folder / "images" / f"{i:04}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "masks" / f"{i:04}.jpg"), mask)
    items = pd.DataFrame({"item": [f"{i:04}" for i in range(count)], "split": "train"})
    items["file"] = items["photo"] = items["item"]
    card = {"dataset": "cfd", "classes": 1, "settings": {"image_size": size}, "origin": {"source": "sample"}}
    prepared.write(folder / "prepared", items, card, ((i, (m > 127).astype(np.uint8), (size, size)) for i, m in pairs))
    return prepared.read(folder / "prepared")


def checkpoint(data: prepared.Prepared, model: str, settings: Settings, device: torch.device, folder: Path):
    """Return the seconds and the MiB of a checkpoint after the first step."""
    network = train.build_network(data, model, settings, device)
    state = _fit.start(network, settings, device)
    batch = next(train_batches(data, replace(settings, workers=0), 0, (1, 0), device))
    _fit.step(state, batch, train.build_loss(data, settings, device), settings, device)
    state.keep_best()
    began = time.perf_counter()
    state.save(folder, {})
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return {"checkpoint_s": round(seconds, 2), "checkpoint_mb": round(size / 2**20, 1)}


def variant(data: prepared.Prepared, model: str, settings: Settings, device: torch.device, seconds: float, n: int):
    """Return the seconds until the second step is done, and the median speed of the step from there on."""
    train.configure(settings, 0)
    work = steps(data, model, settings, device, repeat_one=True)
    began = time.perf_counter()
    next(work), next(work)
    return time.perf_counter() - began, statistics.median(images_per_s(work, seconds, device) for _ in range(n))


@click.command()
@click.option("--models", default="unet", help="Names, separated by commas.")
@click.option("--encoder", default="resnet50")
@click.option("--image-size", default=448)
@click.option("--batch", default=32)
@click.option("--images", default=128, help="Synthetic pairs to train on.")
@click.option("--seconds", default=10.0, help="Time of each measurement.")
@click.option("--repeats", default=3, help="Measurements of each; the median is reported.")
@click.option("--device", default="auto")
@click.option("--augment-on", default="workers", type=click.Choice(["workers", "device"]))
@click.option("--compile", "with_compile", is_flag=True, help="Measure train.compile too.")
@click.option("--deterministic", "with_deterministic", is_flag=True, help="Measure train.deterministic too.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures here as JSON.")
def main(
    models,
    encoder,
    image_size,
    batch,
    images,
    seconds,
    repeats,
    device,
    augment_on,
    with_compile,
    with_deterministic,
    out,
):
    params = load_params(ROOT / "params.yaml")
    params["train"] |= {"encoder": encoder, "weights": None, "batch": batch, "augment_on": augment_on, "epochs": 10**6}
    settings = section(params, "train", Settings)
    place = pick_device(device)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        data = make_data(Path(name), images, image_size)
        for model in models.split(","):
            train.configure(settings, 0)
            found = {"plain": [], "ours": [], "step": []}
            for _ in range(repeats):  # in turn, so that a drift of the machine hits all three
                for kind, work in (
                    ("plain", plain_steps(Path(name), model, settings, image_size, place)),
                    ("ours", steps(data, model, settings, place, repeat_one=False)),
                    ("step", steps(data, model, settings, place, repeat_one=True)),
                ):
                    found[kind].append(images_per_s(work, seconds, place))
                    work.close()
            medians = {kind: statistics.median(values) for kind, values in found.items()}
            row = {"model": model} | {f"{k}_images_per_s": round(v, 2) for k, v in medians.items()}
            row |= {"ours_over_plain": round(medians["ours"] / medians["plain"], 3)}
            row |= {"ours_over_step": round(medians["ours"] / medians["step"], 3)}
            row |= checkpoint(data, model, settings, place, Path(name) / "checkpoints" / model)
            if with_compile:
                took, speed = variant(data, model, replace(settings, compile=True), place, seconds, repeats)
                gain = 1 / medians["step"] - 1 / speed  # seconds per image
                row |= {"compiled_over_step": round(speed / medians["step"], 3), "compile_s": round(took, 1)}
                row |= {"compile_pays_after_images": round(took / gain) if gain > 0 else None}
            if with_deterministic:
                _, speed = variant(data, model, replace(settings, deterministic=True), place, seconds, repeats)
                row |= {"deterministic_over_step": round(speed / medians["step"], 3)}
            rows.append(row)
            click.echo(json.dumps(row))
    setting = {"encoder": encoder, "image_size": image_size, "batch": batch, "images": images, "seconds": seconds}
    setting |= {"augment_on": augment_on, "repeats": repeats, "workers": count_workers(settings, place)}
    facts = {"rows": rows, "setting": setting, "hardware": describe_hardware(place), "versions": versions()}
    if out:
        files.write_json(out, facts)


if __name__ == "__main__":
    main()
