"""Train the same model under both splits and both mask thresholds: what leakage and thick masks do to the score.

Usage, on a GPU:
    python benchmarks/leakage_effect.py results/experiments/leakage --archive crack_segmentation_dataset.zip
On a CPU, something of it:
    python benchmarks/leakage_effect.py OUT --archive ... --datasets deepcrack,sylvie --encoder resnet18 \
        --image-size 128 --batch 8 --epochs 8 --lr 1e-3

Each condition is a workspace of its own, so that whatever was trained before an interruption is used again. All else,
the choice of the checkpoint on the test split included, stays as in params.yaml: one thing is changed at a time.
"""

from itertools import product
from pathlib import Path

import click
import pandas as pd
from bench.stages._results import read

from bench.demo import create_workspace, dvc
from bench.formats import files
from bench.render import text
from bench.render.tables import Table

ROOT = Path(__file__).parents[1]
CAPTION = "Crack IoU of the same models, trained and tested under four conditions."
NOTES = [
    "random: as in the paper, by item. grouped: no photograph on both sides.",
    "> 0: every non-zero pixel of a mask is crack, as in the authors' loader. > 127: the true area.",
    "leak: random minus grouped at the same threshold. The test images of the two splits differ, so that part of a "
    "difference is chance: repeat with several seeds of the split before reading much into one number.",
]


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--archive", required=True, type=click.Path(exists=True, resolve_path=True), help="Or an unpacked folder."
)
@click.option("--datasets", default="crack500,deepcrack,eugen_miller,rissbilder,sylvie,volker")
@click.option("--models", default="unet")
@click.option("--encoder", default="resnet50")
@click.option("--image-size", default=448)
@click.option("--batch", default=32)
@click.option("--epochs", default=100)
@click.option("--lr", default=1e-4)
@click.option("--seed", default="0", help="Seeds of the split, separated by commas.")
@click.option("--workspaces", default="experiments", type=click.Path(path_type=Path), help="Kept between calls.")
def main(target, archive, datasets, models, encoder, image_size, batch, epochs, lr, seed, workspaces):
    names, networks, rows = datasets.split(","), models.split(","), []
    for number, split, threshold in product(map(int, seed.split(",")), ("random", "grouped"), (0, 127)):
        folder = workspaces / f"{split}-{threshold}-{number}"
        settings = {
            "datasets": names,
            "models": networks,
            "download": {"source": archive},
            "prepare": {"image_size": image_size, "split": split, "mask_threshold": threshold, "seed": number},
            "train": {"encoder": encoder, "weights": None, "batch": batch, "epochs": epochs, "lr": lr},
        }
        create_workspace(ROOT, folder, settings)
        dvc(folder, "repro", "evaluate")
        summary = read(folder / "results", names, networks, [0]).summary
        pooled = summary[(summary["metric"] == "crack_iou") & (summary["average"] == "pooled")]
        rows.append(pooled.assign(split=split, threshold=threshold, split_seed=number))
    frame = pd.concat(rows, ignore_index=True)
    files.write_csv(target / "scores.csv", frame)
    files.write_text(target / "README.md", text.markdown(table(frame)))
    click.echo(text.markdown(table(frame)))


def table(frame: pd.DataFrame) -> Table:
    """Return one row per dataset and model: the mean over the seeds of the split of each condition, and the leak."""
    wide = frame.pivot_table(index=["dataset", "model"], columns=["split", "threshold"], values="value")
    shown = wide.index.to_frame(index=False)
    for threshold in (0, 127):
        for split in ("random", "grouped"):
            shown[f"{split} > {threshold}"] = wide[split, threshold].to_numpy()
        shown[f"leak > {threshold}"] = (wide["random", threshold] - wide["grouped", threshold]).to_numpy()
    digits = dict.fromkeys(shown.columns[2:], 4)
    return Table("leakage_effect", CAPTION, shown, digits, NOTES)


if __name__ == "__main__":
    main()
