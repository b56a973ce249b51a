"""The commands for raw data: add-dataset and audit."""

from pathlib import Path

import click

from bench.cli.options import DATA, FOLDER, declared, out, read_section


@click.command("add-dataset")
@click.argument("folder", type=FOLDER)
@click.option("--name", required=True, help="Id of the new dataset.")
@click.option(
    "--classes", type=click.IntRange(1, 255),
    help="Number of classes, background included; 1: crack against background.  [default: read from the masks]",
)  # fmt: skip
@click.option(
    "--photo", default="(.*)", show_default=True,
    help="Regular expression on file names; its first group names the source image.",
)  # fmt: skip
@click.pass_context
def add_dataset_command(context: click.Context, folder: Path, name: str, classes: int | None, photo: str) -> None:
    """Make a dataset from a folder of images and masks."""
    from bench import datasets
    from bench.tools.add_dataset import add_dataset

    target = Path(datasets.__file__).parent
    click.echo(add_dataset(folder, name, classes, photo, context.obj, target))


@click.command("audit")
@click.argument("dataset", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Audit all datasets of params.yaml.")
@DATA
@out("audit", "Folder for the tables and the page.")
@click.pass_context
def audit_command(context: click.Context, dataset: tuple[str, ...], every: bool, data: Path, out: Path) -> None:
    """Find faults, duplicates and train-test leakage in raw data."""
    from bench import plugins
    from bench.audit.audit_datasets import audit_datasets
    from bench.stages.prepare import PrepareSettings

    params, settings = read_section(context, "prepare", PrepareSettings)
    chosen = [] if every else list(dict.fromkeys(dataset))
    for name in chosen:
        plugins.load("datasets", name)
    click.echo(audit_datasets(data, out, chosen or declared(params, "datasets"), settings))
