"""Compare cells at once, each with one thread of the CPU, with one cell on all of its cores.

Images per second of the bare training step, with the settings of the open track: one process on all cores, then as many
processes as there are cores, with one thread each, at the same time.

Usage: python benchmarks/threads.py --models unet,deeplabv3 --out benchmarks/threads.json
"""

import json
import multiprocessing
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import click
import torch
from _command import Command

from bench import plugins
from bench.formats import files
from bench.machine import cores
from bench.settings import load_params, section
from bench.tools.memory import _batch
from bench.tools.profile import images_per_s
from bench.training import loop
from bench.training.device import keep_freed_memory
from bench.training.loss import binary_loss
from bench.training.provenance import describe_hardware, versions
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[1]
CPU = torch.device("cpu")


def speed(model, side, settings, seconds):
    """Return the images per second of the training step of a model in this process."""
    keep_freed_memory()
    torch.set_num_threads(settings.threads)
    network = plugins.build_network(model, 3, 1, side, settings.encoder, None).to(memory_format=torch.channels_last)
    state, batch = loop.start(network, settings, CPU), _batch(settings.batch, side)
    batch.images.fill_(0.5)
    batch.masks.zero_()

    def steps():
        while True:
            loop.step(state, batch, lambda logits, masks: binary_loss(logits, masks, settings.loss), settings, CPU)
            yield settings.batch

    return images_per_s(steps(), seconds, CPU)


@click.command(cls=Command, help=__doc__.splitlines()[0])
@click.option("--models", default="unet,deeplabv3,fpn,pspnet,segformer", show_default=True)
@click.option("--seconds", default=8.0, show_default=True, help="Duration of each measurement.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the results to this JSON file.")
def main(models, seconds, repeats, out):
    params = load_params(ROOT / "results" / "open" / "params.yaml")
    side, settings = params["prepare"]["image_size"], section(params, "train", TrainSettings)
    rows, count, context = [], cores(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context) as pool:
        for model in models.split(","):
            one, together = [], []
            for _ in range(repeats):  # in turn, so that a drift of the machine affects both
                one.append(pool.submit(speed, model, side, replace(settings, threads=count), seconds).result())
                alone = replace(settings, threads=1)
                runs = [pool.submit(speed, model, side, alone, seconds) for _ in range(count)]
                together.append(sum(run.result() for run in runs))
            row = {
                "model": model,
                "one_cell_images_per_s": statistics.median(one),
                "cells_at_once_images_per_s": statistics.median(together),
            }
            row["ratio"] = statistics.median(b / a for a, b in zip(one, together, strict=True))
            rows.append({k: v if k == "model" else round(v, 3 if k == "ratio" else 1) for k, v in row.items()})
            click.echo(json.dumps(rows[-1]))
    setting = {"encoder": settings.encoder, "image_size": side, "batch": settings.batch, "repeats": repeats}
    facts = {"rows": rows, "setting": setting, "hardware": describe_hardware(CPU), "versions": versions()}
    if out:
        files.write_json(out, facts)


if __name__ == "__main__":
    main()
