"""Show whether more epochs would change the order of the models: at every epoch, and after twice as many.

Run: python benchmarks/epochs.py RESULTS LONGER [--out benchmarks/epochs.json] [--figure results/open/epochs.png]
RESULTS and LONGER are results folders with the same datasets, LONGER (one seed) trained for twice the epochs.

by_epoch: Kendall's tau between the order of the models at that epoch and at the last one; crack IoU on validation
images, mean over datasets and seeds. The learning rate falls to 0 at the last epoch, so that curves flatten by
themselves; only a longer training shows what is left. longer: crack IoU of the test images, pooled, mean over the
datasets of LONGER, of the models that it has on all of them. order: tau between the order after LONGER and the mean
order of RESULTS, beside the mean tau of one seed of RESULTS with the mean of its other seeds.
"""

from pathlib import Path

import click
import matplotlib
import pandas as pd
from _command import Command
from _record import write
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import kendalltau

from bench import plugins
from bench.errors import UserError
from bench.render import style

COUNTS = ["tp", "fp", "fn"]


@click.command(cls=Command, help=__doc__)
@click.argument("results", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("longer", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False))
def main(results, longer, out, figure):
    """Compare the orders and draw them."""
    curves = validation(results)
    last = curves.iloc[-1]
    by_epoch = [{"epoch": int(epoch), "tau": tau(row, last)} for epoch, row in curves.iterrows()]
    table, order = compare(test_scores(results), test_scores(longer))
    write(out, {"by_epoch": by_epoch, "longer": table.reset_index().to_dict("records"), "order": order})
    click.echo(f"{pd.DataFrame(by_epoch).to_string(index=False)}\n\n{table.to_string()}\n\n{order}")
    if figure:
        draw(curves, table).savefig(figure, dpi=200)


def read(folder, file):
    """Return one of the files of all datasets."""
    paths = sorted(folder.glob(f"scores/*/{file}"))
    if not paths:
        raise UserError(f"{folder} has no scores/<dataset>/{file}: give a results folder, such as results/open.")
    return pd.concat([pd.read_csv(path) for path in paths])


def validation(folder):
    """Return crack IoU on validation images, mean over datasets and seeds: a row per epoch, a column per model."""
    return read(folder, "history.csv").pivot_table(index="epoch", columns="model", values="val_iou")


def test_scores(folder):
    """Return pooled crack IoU of the test images: a row per dataset and model, a column per seed."""
    sums = read(folder, "images.csv").groupby(["dataset", "model", "seed"])[COUNTS].sum()
    return (sums["tp"] / sums.sum(axis=1)).unstack("seed")


def compare(short, long):
    """Return a row per model, and how much the order changes."""
    models = long.groupby("model").size()
    datasets = long.index.unique("dataset")
    whole = [model for model, count in models.items() if count == len(datasets)]
    long, short = (part.loc[part.index.isin([(d, m) for d in datasets for m in whole])] for part in (long, short))
    short = short.groupby("model").mean()
    long = long.groupby("model").mean().mean(axis=1)
    table = pd.DataFrame({"score": short.mean(axis=1), "lowest_seed": short.min(axis=1),
                          "highest_seed": short.max(axis=1), "twice_the_epochs": long}).round(4)  # fmt: skip
    others = [tau(short[seed], short.drop(columns=seed).mean(axis=1)) for seed in short]
    order = {"datasets": list(datasets), "models": len(whole), "tau": tau(table["score"], long),
             "tau_of_a_seed": round(sum(others) / len(others), 3)}  # fmt: skip
    return table.sort_values("score", ascending=False), order


def tau(one, other):
    """Return Kendall's tau of two series of the same models."""
    return round(float(kendalltau(one, other[one.index]).statistic), 3)


@matplotlib.rc_context(style.RC)
def draw(curves, table):
    """Return the validation curves beside the scores before and after."""
    figure = Figure(figsize=(style.PAGE, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for model, look in style.looks(curves.columns).items():
        left.plot(curves.index, curves[model], **look.line, label=plugins.load("models", model).NAME)
        if model in table.index:
            right.plot([0, 1], table.loc[model, ["score", "twice_the_epochs"]], **look.line)
            right.plot([0, 0], table.loc[model, ["lowest_seed", "highest_seed"]], color=look.colour, alpha=0.4)
    left.set(xlabel="Epoch", ylabel="Crack IoU", title="Validation images, mean over datasets and seeds")
    left.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    right.set(title="Test images, mean over the datasets trained longer", xlim=(-0.3, 1.3))
    right.set_xticks([0, 1], [f"{len(curves)} epochs; bar: seeds", f"{2 * len(curves)} epochs, one seed"])
    figure.legend(loc="outside lower center", ncols=6)
    return figure


if __name__ == "__main__":
    main()
