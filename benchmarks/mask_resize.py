"""Measure what squeezing a mask does to its cracks: the true mask against itself squeezed and enlarged again.

Run: python benchmarks/mask_resize.py DATA [--sizes 448,256] [--out benchmarks/mask_resize.json]
DATA has <dataset>/images and masks, as `bench download DATA` writes them under the protocol `open`.

pieces: connected pieces (8 neighbours) after, divided by before. area: share of crack after, divided by before.
cl_dice, iou: mean over the masks with crack, after enlarging by the nearest pixel: what a perfect network could reach.
"""

from pathlib import Path
from statistics import fmean

import click
import cv2
import numpy as np
from _command import Command
from _record import write
from skimage.morphology import skeletonize
from tqdm import tqdm

from bench import plugins
from bench.data.dataset import pairs_of
from bench.data.images import read_mask
from bench.data.resize import resize
from bench.formats.prepared import IGNORED

HOW = ("nearest", "any")


@click.command(cls=Command, help=__doc__)
@click.argument("data", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--sizes", default="448,256", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
def main(data, sizes, out):
    """Measure every dataset in a folder."""
    names = sorted(path.name for path in data.iterdir() if path.name in plugins.names("datasets"))
    rows = [row for name in names for size in map(int, sizes.split(",")) for row in of_dataset(data, name, size)]
    write(out, {"effect": rows, "threshold": 127})


def of_dataset(data, name, size):
    """Return a row for each way to squeeze the masks of a dataset."""
    plugin = plugins.load("datasets", name)
    rows = {how: [] for how in HOW}
    for pair in tqdm(pairs_of(plugin, data / name), desc=f"{name} {size}"):
        true = read_mask(pair.mask, plugin.CARD.classes, plugin.CARD.coded)
        is_grey = plugin.CARD.classes == 1 and not plugin.CARD.coded
        true = (true > 127 if is_grey else (true > 0) & (true != IGNORED)).astype(np.uint8)
        if true.any():
            for how in HOW:
                rows[how].append(effect(true, size, how))
    return [
        {"dataset": name, "size": size, "how": how, "masks": len(found)}
        | {key: round(ratio(found, key), 4) for key in ("pieces", "area")}
        | {key: round(fmean(row[key] for row in found), 4) for key in ("cl_dice", "iou")}
        for how, found in rows.items()
    ]


def ratio(found, key):
    """Return the sum over all masks after squeezing, divided by the sum before."""
    return sum(row[key][1] for row in found) / sum(row[key][0] for row in found)


def effect(true, size, how):
    """Return pieces and area (share of pixels) before and after squeezing a mask, clDice and IoU after enlarging it."""
    image = np.zeros((*true.shape, 3), np.uint8)
    squeezed = resize(image, true, size, how)[1]
    back = cv2.resize(squeezed, true.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    counts = count_both(back > 0, true > 0)
    return {
        "pieces": [cv2.connectedComponents(mask, connectivity=8)[0] - 1 for mask in (true, squeezed)],
        "area": [float(mask.mean()) for mask in (true, squeezed)],
    } | counts


def count_both(pred, true):
    """Return clDice and crack IoU of two masks."""
    lines = [skeletonize(mask) for mask in (pred, true)]
    counts = lines[0].sum(), (lines[0] & true).sum(), lines[1].sum(), (lines[1] & pred).sum()
    cl_dice = plugins.load("metrics", "cl_dice").compute(*np.array(counts, float))
    return {"cl_dice": float(cl_dice), "iou": float((pred & true).sum() / (pred | true).sum())}


if __name__ == "__main__":
    main()
