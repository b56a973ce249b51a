"""Show what cutting tiles at native scale gives over squeezing whole images, as the paper does, on the same pixels.

Run: python benchmarks/geometry.py DATA TILES RUNS RESULTS [--out benchmarks/geometry.json]
DATA has the downloads, TILES the datasets prepared with `prepare.geometry: tiles`, RUNS <dataset>/<model>/<seed>,
trained with `squeeze` and the same splits, RESULTS the scores of trainings on the tiles.

squeezed: the network sees each test image resized to its square; its probabilities are enlarged to the image's own
size and compared with the true mask of that size. tiles: mean over the seeds in RESULTS. Both are the pooled crack IoU
of the same pixels.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from _command import Command
from _record import write
from tqdm import tqdm

from bench import plugins
from bench.data.dataset import pairs_of
from bench.data.images import read_image
from bench.formats import prepared
from bench.formats.prepared import IGNORED
from bench.tools.load_network import load
from bench.tools.tiling import squeezed

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(cls=Command, help=__doc__)
@click.argument("data", type=FOLDER)
@click.argument("tiles", type=FOLDER)
@click.argument("runs", type=FOLDER)
@click.argument("results", type=FOLDER)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
def main(data, tiles, runs, results, out):
    """Compare on every dataset that has runs."""
    places = sorted(path.parent for path in runs.glob("*/*/*/run.json"))
    rows = [compare(data, tiles, place, results) for place in tqdm(places, unit="run")]
    table = pd.DataFrame(rows)
    mean = table[["tiles", "squeezed"]].mean().round(4).to_dict()
    write(out, {"geometry": rows, "mean": mean})
    click.echo(f"{table.to_string(index=False)}\n{mean}")


def compare(data, tiles, place, results):
    """Return the scores of one run."""
    dataset, model, seed = place.parts[-3:]
    cut = prepared.read(tiles / dataset)
    items = cut.items[cut.items["split"] == "test"]
    predictor, _ = load(place, None, None, "cpu", 0)
    counted = np.zeros(3, int)
    for pair in pairs_of(plugins.load("datasets", dataset), data / dataset):
        places = items[items["image"] == pair.item]
        if places.empty:
            continue
        prob = squeezed(predictor.many, read_image(pair.image), predictor.side)
        true = np.full(prob.shape, IGNORED, np.uint8)
        for index, top, left in zip(places.index, places["top"], places["left"], strict=True):
            part = true[top : top + cut.masks.shape[1], left : left + cut.masks.shape[2]]
            known = cut.masks[index][: part.shape[0], : part.shape[1]]
            part[known != IGNORED] = known[known != IGNORED]
        counted += counts(prob, true)
    committed = pd.read_csv(results / "scores" / dataset / "images.csv")
    seeds = committed[committed["model"] == model].groupby("seed")[["tp", "fp", "fn"]].sum()
    return {
        "dataset": dataset, "model": model, "seed": int(seed),
        "tiles": round(float((seeds["tp"] / seeds.sum(axis=1)).mean()), 4),
        "squeezed": round(float(counted[0] / counted.sum()), 4),
    }  # fmt: skip


def counts(prob, true):
    """Return tp, fp, fn of the known pixels."""
    crack, known = true == 1, true != IGNORED
    pred = prob >= 0.5
    return np.array([(pred & crack).sum(), (pred & ~crack & known).sum(), (~pred & crack).sum()])


if __name__ == "__main__":
    main()
