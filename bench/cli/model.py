"""The commands for a model of your own: score, predict, add-model."""

from pathlib import Path

import click

from bench.cli.options import DATASET, PREPARED, RESULTS, out, read_section
from bench.errors import UserError


@click.command("score")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@DATASET
@click.option("--model", required=True, help="Name for the scored model.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Number of the repetition.")
@click.option(
    "--resize", type=click.Choice(["nearest"]),
    help="Resize predictions of another size to the prepared masks.  [default: they are refused]",
)  # fmt: skip
@PREPARED
@RESULTS
@click.pass_context
def score_command(
    context: click.Context, folder: Path, dataset: str, model: str, seed: int, resize: str | None, prepared: Path,
    results: Path,
) -> None:  # fmt: skip
    """Score a folder of masks or probability maps as a model.

    The files are PNG or NPY, named after the test items, made by any framework. By scoring them you declare that the
    model followed the protocol of params.yaml; every ranking marks it as external.
    """
    from bench import plugins
    from bench.settings import section
    from bench.stages.evaluate import EvaluateSettings
    from bench.tools.score import score_folder
    from bench.training.settings import TrainSettings

    params, train = read_section(context, "train", TrainSettings)
    own = plugins.names("models")
    taken = {name.lower() for name in (*own, *(plugins.load("models", m).NAME for m in own))}
    if not model.replace("-", "_").isidentifier() or model.lower() in taken:
        raise UserError(f"--model {model}: choose a name of letters, digits and _ that no model of this suite has.")
    plugins.load("datasets", dataset)
    batch = section(params, "evaluate", EvaluateSettings).batch
    click.echo(score_folder(folder, prepared / dataset, results, model, seed, train, batch, resize == "nearest"))


@click.command("predict")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--dataset", help="Predict the test items of this prepared dataset, for `bench score`.")
@click.option(
    "--images", type=click.Path(path_type=Path, file_okay=False), help="Predict the images of any size in this folder."
)
@out("predictions", "Folder for the predictions.")
@PREPARED
@click.option(
    "--output", default="logits", show_default=True, type=click.Choice(["logits", "probabilities"]),
    help="What an .onnx or .pt2 file returns.",
)  # fmt: skip
@click.option("--tile", type=click.IntRange(32), help="Tile side, px.  [default: the model's image size]")
@click.option(
    "--overlap", default=0.25, show_default=True, type=click.FloatRange(0, 0.9),
    help="Overlap of neighbouring tiles, as a fraction of the side.",
)  # fmt: skip
def predict_command(
    source: Path, dataset: str | None, images: Path | None, out: Path, prepared: Path, output: str, tile: int | None,
    overlap: float,
) -> None:  # fmt: skip
    """Predict with a run, an ONNX file or a torch.export file.

    SOURCE is the folder of a run, an .onnx file or a .pt2 file. A file takes RGB images normalised as ImageNet's,
    float32 (1, 3, H, W), and returns (1, 1, H, W), or (1, C, H, W) of C classes, the first of which is background.
    """
    from bench.tools import predict

    if (dataset is None) == (images is None):
        raise UserError("give either --dataset D (its test items) or --images FOLDER (images of any size).")
    is_logits = output == "logits"
    if dataset is not None:
        click.echo(predict.on_dataset(source, prepared / dataset, out, is_logits))
    elif images is not None:
        click.echo(predict.on_images(source, images, out, is_logits, tile, overlap))


@click.command("add-model")
@click.argument("name")
@click.pass_context
def add_model_command(context: click.Context, name: str) -> None:
    """Add the model NAME that an installed package offers.

    The package offers it as an entry point in the group bench.models.
    """
    from bench import models
    from bench.tools.add_model import add_model

    click.echo(add_model(name, context.obj, Path(models.__file__).parent))
