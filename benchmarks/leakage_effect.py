"""Measure the effect of leakage and thick masks: train one model under both splits and both mask thresholds.

On a GPU:
    python benchmarks/leakage_effect.py NAME --archive crack_segmentation_dataset.zip
On a CPU, part of it:
    python benchmarks/leakage_effect.py leakage_effect --archive ... --datasets rissbilder --encoder resnet18 \
        --image-size 128 --batch 4 --epochs 12 --lr 1e-3 --seeds 0,1
Only the table, from the stored counts, without training: python benchmarks/leakage_effect.py NAME

Each condition has its own workspace, so that an interrupted experiment resumes. All other settings stay as in
params.yaml, including the choice of the checkpoint on the test split: one thing is changed at a time.
Counts, provenance and table are written to results/experiments/NAME/.
"""

from itertools import product
from pathlib import Path

import click
import numpy as np
import pandas as pd

from bench.formats import files, scores
from bench.render import text
from bench.render.tables import Table
from bench.tools.workspace import create_workspace, dvc

ROOT = Path(__file__).parents[1]
CONDITION = ["split", "threshold", "split_seed"]
COUNTS = ["tp", "fp", "fn"]
RESAMPLES = 4000
CAPTION = "Crack IoU (pooled) of the same model, trained and tested under four conditions."
ROWS = {
    "random, > 0": {("random", 0): 1},
    "random, > 127": {("random", 127): 1},
    "grouped, > 0": {("grouped", 0): 1},
    "grouped, > 127": {("grouped", 127): 1},
    "leakage at > 0": {("random", 0): 1, ("grouped", 0): -1},
    "leakage at > 127": {("random", 127): 1, ("grouped", 127): -1},
    "thick masks, random": {("random", 0): 1, ("random", 127): -1},
    "thick masks, grouped": {("grouped", 0): 1, ("grouped", 127): -1},
}
"""Row of the table -> sign of each condition in the sum."""
NOTES = [
    "random: by item, as in the paper. grouped: no source image on both sides.",
    "> 0: every non-zero pixel of a mask is crack, as in the authors' loader. > 127: the true area.",
    "leakage: random minus grouped. thick masks: > 0 minus > 127, on the same test images.",
    "95 % interval: bootstrap over the source images of each test split, the same draws for both thresholds; mean over "
    "the seeds of the split. Variation between trainings is included only as far as the seeds show it.",
    "by seed: the value under each seed of the split, in order.",
]


@click.command()
@click.argument("name")
@click.option(
    "--archive",
    type=click.Path(exists=True, resolve_path=True),
    help="Archive of the collection, or an unpacked folder.",
)
@click.option("--datasets", default="crack500,deepcrack,eugen_miller,rissbilder,sylvie,volker")
@click.option("--model", default="unet")
@click.option("--encoder", default="resnet50")
@click.option("--image-size", default=448)
@click.option("--batch", default=32)
@click.option("--epochs", default=100)
@click.option("--lr", default=1e-4)
@click.option("--seeds", default="0,1,2,3,4", help="Seeds of the split, separated by commas.")
@click.option(
    "--workspaces",
    default="experiments",
    type=click.Path(path_type=Path),
    help="Folder of the workspaces; kept between calls.",
)
def main(name, archive, datasets, model, encoder, image_size, batch, epochs, lr, seeds, workspaces):
    target = ROOT / "results" / "experiments" / name
    if archive is not None:
        images, cells = [], []
        for seed, split, threshold in product(map(int, seeds.split(",")), ("random", "grouped"), (0, 127)):
            folder = workspaces / f"{split}-{threshold}-{seed}"
            settings = {
                "datasets": datasets.split(","),
                "models": [model],
                "download": {"source": archive},
                "prepare": {"image_size": image_size, "split": split, "mask_threshold": threshold, "seed": seed},
                "train": {"encoder": encoder, "weights": None, "batch": batch, "epochs": epochs, "lr": lr},
            }
            create_workspace(ROOT, folder, settings)
            dvc(folder, "repro", "evaluate")
            for dataset in datasets.split(","):
                read = scores.read(folder / "results" / "scores" / dataset)
                images.append(read.images.assign(split=split, threshold=threshold, split_seed=seed))
                counts = {"counts": read.card["counts"], "origin": read.card["origin"]["archive"]}
                cells += [{**cell, **counts} for cell in read.cells]
        frame = pd.concat(images)[["dataset", "model", *CONDITION, "item", "photo", *COUNTS, "tn"]]
        files.write_csv(target / "images.csv", frame)
        files.write_json(target / "cells.json", cells)
    frame = files.read_csv(target / "images.csv", CONDITION, ["dataset", "model", "split", "item", "photo"])
    page = text.markdown(table(frame)) + "\n" + provenance(files.read_json(target / "cells.json"))
    files.write_text(target / "README.md", page)
    files.write_text(target / "table.csv", text.csv(table(frame)))
    click.echo(page)


def table(frame: pd.DataFrame) -> Table:
    """Return ``ROWS`` for each dataset, with intervals, from counts per test image."""
    rows = []
    for dataset, part in frame.groupby("dataset"):
        values = {key: iou(group, [key[0] == "grouped", key[2]]) for key, group in part.groupby(CONDITION)}
        seeds = sorted(part["split_seed"].unique())
        for label, terms in ROWS.items():
            draws = np.mean([sum(sign * values[*key, s] for key, sign in terms.items()) for s in seeds], axis=0)
            each = [sum(sign * values[*key, s][0] for key, sign in terms.items()) for s in seeds]
            low, high = np.quantile(draws[1:], [0.025, 0.975])
            shown = {"Dataset": dataset, "Condition": label, "Crack IoU": draws[0]}
            shown |= {"95 % interval": f"{low:.3f} to {high:.3f}", "by seed": ", ".join(f"{v:.3f}" for v in each)}
            rows.append(shown)
    return Table("leakage_effect", CAPTION, pd.DataFrame(rows), {"Crack IoU": 4}, NOTES)


def iou(group: pd.DataFrame, seed: list[int]) -> np.ndarray:
    """Return the pooled IoU as measured, followed by that of each bootstrap sample of the source images."""
    sums = group.groupby("photo")[COUNTS].sum().to_numpy(float)
    weights = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)
    drawn = np.concatenate([np.ones((1, len(sums))), weights]) @ sums
    return drawn[:, 0] / drawn.sum(1)


def provenance(cells: list[dict]) -> str:
    """Return the settings, data, code and hardware of the runs, and their total time."""
    first = cells[0]
    train, counts = first["settings"]["train"], {tuple(sorted(cell["counts"].items())) for cell in cells}
    lines = [
        f"- {len(cells)} trainings of {first['model_name']}, seed {first['seed']}, {train['encoder']} from scratch, "
        f"{first['settings']['prepare']['image_size']} px, {train['epochs']} epochs, "
        f"batches of {train['batch']}, lr {train['lr']:g}",
        f"- items: {'; '.join(', '.join(f'{n} {k}' for k, n in c) for c in sorted(counts))}; "
        f"from {', '.join(sorted({cell['origin'] for cell in cells}))}",
        f"- code: {', '.join(sorted({str(cell['code']['commit']) for cell in cells}))}, "
        f"changed since: {'yes' if any(cell['code']['dirty'] for cell in cells) else 'no'}",
        f"- hardware: {', '.join(sorted({str(cell['hardware']) for cell in cells}))}",
        f"- seconds of training, together: {sum(cell['seconds'] for cell in cells):.0f}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
