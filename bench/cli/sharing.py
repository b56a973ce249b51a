"""The commands that write what others can use: export and export-card."""

from pathlib import Path

import click

from bench.cli.options import FOLDER, PREPARED


@click.command("export")
@click.argument("run", type=FOLDER)
@click.option("--onnx", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@PREPARED
def export_command(run: Path, onnx: Path, prepared: Path) -> None:
    """Export a run as an ONNX file with a model card.

    RUN is runs/DATASET/MODEL/SEED. The file takes any number of images, and its probabilities are compared with those
    of the run on test images; README.md beside it is a card for the Hugging Face hub. `bench predict` reads the file.
    """
    from bench.formats import files
    from bench.tools.export import export

    record = files.read_json(run / "run.json")
    click.echo(export(run, onnx, prepared / str(record["dataset"])))


@click.command("export-card")
@click.argument("dataset")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False),
    help="File to write.  [default: DATASET.croissant.json]",
)  # fmt: skip
def export_card_command(dataset: str, out: Path | None) -> None:
    """Describe a public dataset in Croissant (JSON-LD).

    Every file is listed with its address at a pinned commit and its SHA-256.
    """
    from bench import plugins
    from bench.formats import files
    from bench.tools.croissant import croissant

    plugins.load("datasets", dataset)
    content = croissant(dataset)
    target = out or Path(f"{dataset}.croissant.json")
    files.write_json(target, content)
    click.echo(f"{target} describes {len(content['distribution'])} files of {dataset}.")
