"""The commands for raw data: add-dataset, remove-dataset and audit."""

from pathlib import Path
from typing import Any

import click

from bench.cli.options import DATA, declared, out, read_section
from bench.errors import UserError


@click.command("add-dataset")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="Id of the new dataset.")
@click.option("--images", metavar="GLOB", help="Paths of the images in FOLDER, such as 'photos/*.jpg'.")
@click.option("--masks", metavar="GLOB", help="Paths of the masks in FOLDER, such as 'photos/*_seg.png'.")
@click.option("--crack", metavar="V[,V]", help="Values, or labels, of crack in the masks; the others are background.")
@click.option(
    "--classes", metavar="N|V=NAME,...",
    help="Number of classes, background included (1: crack against background), or the name of each value or label; "
    "'background' may be one.",
)  # fmt: skip
@click.option(
    "--ignore", metavar="V[,V]", help="Values, or labels, of pixels that count neither in training nor in scores."
)
@click.option(
    "--photo", default="(.*)", show_default=True,
    help="Regular expression on file names; its first group names the source image.",
)  # fmt: skip
@click.option(
    "--exif", type=click.Choice(["rotate", "ignore"]),
    help="Masks of images with an EXIF orientation were drawn on the rotated image, or on its stored pixels.",
)  # fmt: skip
@click.option(
    "--split", type=click.Path(dir_okay=False), metavar="CSV",
    help="Published split: columns item and split (train, val, test).  [default: the folders train, val and test]",
)  # fmt: skip
@click.option("--replace", is_flag=True, help="Overwrite a dataset of this name that you added before.")
@click.option("--yes", is_flag=True, help="Accept masks in which no pixel, or more than half of them, is crack.")
@click.pass_context
def add_dataset_command(
    context: click.Context, /, folder: Path, name: str, replace: bool, yes: bool, **stated: Any
) -> None:
    """Make a dataset from a folder of images and masks.

    Images and masks may be in two folders or in one, with train, val and test above or below; the layouts of nnU-Net
    and Supervisely are recognised, and the regions of COCO and labelme files are drawn as masks. A summary is printed,
    and six overlays are written to NAME_overlays.png: check them. The values of the masks are recognised, or refused
    with the option that states their meaning.
    """
    from bench.tools.add_dataset import add_dataset
    from bench.tools.reading import Reading
    from bench.tools.workspace import link_code, own_target

    stated["crack"], stated["ignore"] = values(stated["crack"], "--crack"), values(stated["ignore"], "--ignore")
    stated["classes"] = classes(stated["classes"])
    target = own_target(context.obj, "datasets")
    click.echo(add_dataset(folder, name, Reading(**stated), context.obj, target, replace=replace, yes=yes))
    link_code(context.obj.parent)


@click.command("remove-dataset")
@click.argument("name")
@click.pass_context
def remove_dataset_command(context: click.Context, name: str) -> None:
    """Remove a dataset that add-dataset made.

    This deletes its file and its entry in params.yaml; the images and masks stay.
    """
    from bench.tools.add_dataset import remove_dataset
    from bench.tools.workspace import link_code, own_target

    click.echo(remove_dataset(name, context.obj, own_target(context.obj, "datasets")))
    link_code(context.obj.parent)


def values(text: str | None, option: str) -> tuple[str, ...]:
    """Return the values or labels in "V,V".

    Raises:
        UserError: one is empty.
    """
    entries = [entry.strip() for entry in text.split(",")] if text else []
    if not all(entries):
        raise UserError(f"{option} {text}: give values from 0 to 255, or labels, separated by commas.")
    return tuple(dict.fromkeys(entries))


def classes(text: str | None) -> int | tuple[tuple[str, str], ...] | None:
    """Return the number in "N", or the pairs of value and name in "V=NAME,V=NAME".

    Raises:
        UserError: it is neither.
    """
    if text is None:
        return None
    if "=" not in text:
        if not text.isdecimal() or not 1 <= int(text) <= 255:
            raise UserError(
                f"--classes {text}: give their number, 1 to 255, or a name for each value, as 0=background,1=crack."
            )
        return int(text)
    named = [entry.partition("=") for entry in text.split(",")]
    if not all(name.strip() for _, _, name in named):
        raise UserError(f"--classes {text}: give a name for each value, as 0=background,1=crack.")
    numbers = [values(value.strip() or ",", "--classes")[0] for value, _, _ in named]
    return tuple(zip(numbers, (name.strip() for _, _, name in named), strict=True))


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
