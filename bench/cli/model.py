"""The commands for a model of your own, and for detectors without any: enter, score, baselines, predict, add-model."""

from pathlib import Path
from typing import Any, get_args

import click

from bench.cli.options import DATASET, FOLDER, PREPARED, RESULTS, declared, out, read_section
from bench.errors import UserError, shown
from bench.training.settings import Device

OUTPUT = click.option(
    "--output", type=click.Choice(["logits", "probabilities"]),
    help="What an .onnx or .pt2 file returns.  [default: recognised, or asked for]",
)  # fmt: skip
DEVICE = click.option(
    "--device", default="auto", show_default=True, type=click.Choice(get_args(Device)),
    help="Where to compute; mps and xpu are experimental, auto never takes them.",
)  # fmt: skip
OUTPUT_NAME = click.option("--output-name", help="Which of several outputs of a file is the map.")


SEEN = click.option(
    "--seen", help="Public sets that the model was trained on, separated by commas, or none; see `bench list sets`."
)
SEEN_FOLDER = click.option("--seen-folder", type=FOLDER, help="Training images, whose fingerprints are compared.")


@click.command("score")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@DATASET
@click.option("--model", required=True, help="Name for the scored model.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Number of the repetition.")
@click.option(
    "--resize", type=click.Choice(["nearest"]),
    help="Resize predictions of another size to the prepared masks.  [default: they are refused]",
)  # fmt: skip
@SEEN
@SEEN_FOLDER
@PREPARED
@RESULTS
@click.pass_context
def score_command(
    context: click.Context, folder: Path, dataset: str, model: str, seed: int, resize: str | None, seen: str | None,
    seen_folder: Path | None, prepared: Path, results: Path,
) -> None:  # fmt: skip
    """Score a folder of masks or probability maps as a model.

    The files are PNG or NPY, named after the test items, made by any framework. By scoring them you declare that the
    model followed the protocol of params.yaml; every ranking marks it as external.
    """
    from bench import plugins
    from bench.data.seen import read_seen
    from bench.settings import section
    from bench.stages.evaluate import EvaluateSettings
    from bench.tools.score import score_folder
    from bench.training.settings import TrainSettings

    params, train = read_section(context, "train", TrainSettings)
    _require_new(model, f"--model {model}")
    plugins.load("datasets", dataset)
    batch = section(params, "evaluate", EvaluateSettings).batch
    stated = read_seen(seen, seen_folder)
    data = prepared / dataset
    click.echo(score_folder(folder, data, results, model, seed, train, batch, resize == "nearest", stated))


@click.command("baselines")
@PREPARED
@RESULTS
@click.pass_context
def baselines_command(context: click.Context, prepared: Path, results: Path) -> None:
    """Score detectors that need no training, as the floor.

    These are ridge filters, a top-hat and a threshold, shown below the ranking of the models. Their width and threshold
    are chosen on the validation images of each dataset.
    """
    from bench.settings import section
    from bench.stages.evaluate import EvaluateSettings
    from bench.tools.baselines import score_baselines
    from bench.training.settings import TrainSettings

    params, train = read_section(context, "train", TrainSettings)
    batch = section(params, "evaluate", EvaluateSettings).batch
    for dataset in declared(params, "datasets"):
        for summary in score_baselines(prepared / dataset, results, train, batch):
            click.echo(summary)


@click.command("predict")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--dataset", help="Predict the test items of this prepared dataset, for `bench score`.")
@click.option(
    "--images", type=click.Path(path_type=Path, file_okay=False), help="Predict the images of any size in this folder."
)
@out("predictions", "Folder for the predictions.")
@PREPARED
@OUTPUT
@OUTPUT_NAME
@DEVICE
@click.option(
    "--scale", default="native", show_default=True, type=click.Choice(["native", "trained"]),
    help="Cut tiles at the scale of --images, or resize each image to the model's square, as in training.",
)  # fmt: skip
@click.option("--tile", type=click.IntRange(32), help="Tile side, px.  [default: the model's image size]")
@click.option(
    "--overlap", default=0.25, show_default=True, type=click.FloatRange(0, 0.9),
    help="Overlap of neighbouring tiles, as a fraction of the side.",
)  # fmt: skip
@click.option(
    "--mm-per-px", type=click.FloatRange(0, min_open=True),
    help="Size of a pixel on the surface: adds lengths and widths in mm.",
)  # fmt: skip
def predict_command(
    source: Path, dataset: str | None, images: Path | None, out: Path, prepared: Path, output: str | None,
    output_name: str | None, device: str, **view: Any,
) -> None:  # fmt: skip
    """Predict with a run, an ONNX file or a torch.export file.

    SOURCE is the folder of a run, an .onnx file or a .pt2 file. A file takes RGB images normalised as ImageNet's,
    float32 (1, 3, H, W), and returns (1, 1, H, W), or (1, C, H, W) of C classes, the first of which is background.
    For --images, cracks.csv gives the crack share, length and mean width of each image.
    """
    from bench.tools import predict

    if (dataset is None) == (images is None):
        raise UserError("give either --dataset D (its test items) or --images FOLDER (images of any size).")
    network = predict.Network(source, output, output_name, device)
    if dataset is not None:
        click.echo(predict.on_dataset(network, prepared / dataset, out))
    elif images is not None:
        click.echo(predict.on_images(network, images, out, predict.View(**view)))


@click.command("enter")
@click.argument("model")
@click.option("--datasets", help="Only these datasets, separated by commas.  [default: all of the track]")
@click.option("--seeds", help="Only these seeds, separated by commas.  [default: all of the track]")
@click.option("--name", help="Name for a file or folder that is entered.  [default: the file's]")
@click.option(
    "--from", "given", type=click.Path(path_type=Path, exists=True),
    help="Take the data from this archive or folder instead of the network.",
)  # fmt: skip
@OUTPUT
@OUTPUT_NAME
@DEVICE
@SEEN
@SEEN_FOLDER
@click.option("--work", default="entry", show_default=True, type=FOLDER, help="Folder for data and trainings.")
@click.option("--results", default="results", show_default=True, type=FOLDER, help="Folder that holds the open track.")
def enter_command(
    model: str, datasets: str | None, seeds: str | None, name: str | None, given: Path | None, output: str | None,
    output_name: str | None, device: Device, seen: str | None, seen_folder: Path | None, work: Path, results: Path,
) -> None:  # fmt: skip
    """Enter a model into the open track and print the verdict.

    MODEL is the .py file of your network, the id of a model of this suite or of yours, an .onnx or .pt2 file, or a
    folder of predictions, <dataset>/<item>.png. Only its own cells are trained, on this machine; an interrupted entry
    resumes when it is run again. A model that the track has already is trained again and compared with its committed
    scores.
    """
    from bench import plugins
    from bench.data.seen import read_seen
    from bench.settings import load_params
    from bench.tools.enter import Entry, enter
    from bench.tools.model_file import is_plugin, use_model_file
    from bench.tools.track import own_track

    track = own_track(results)
    params = load_params(track / "params.yaml")
    path = Path(model)
    source = path if path.suffix.lower() in (".onnx", ".pt2") or path.is_dir() else None
    if source is None and (path.suffix != ".py" or is_plugin(path)):
        model = path.stem if path.suffix == ".py" else model
        plugins.load("models", model)
    else:
        model = name or path.stem.replace("-", "_")
        _require_new(model, f"--name {name}" if name else str(path))
        if not path.exists():
            raise UserError(f"{path} not found: give an existing file or folder, or the id of a model.")
        if source is None:
            model = model.replace("-", "_")
            use_model_file(path, model, work)
    entry = Entry(
        track, work, model, source, datasets.split(",") if datasets else params["datasets"],
        _numbers(seeds) if seeds else params["seeds"], given, output, output_name, device,
        read_seen(seen, seen_folder),
    )  # fmt: skip
    for message in enter(entry):
        click.echo(message)


def _require_new(model: str, given: str) -> None:
    """Refuse a name that cannot be a folder, or that a model of the suite has."""
    from bench import plugins

    own = plugins.names("models")
    taken = {name.lower() for name in (*own, *(plugins.load("models", m).NAME for m in own))}
    is_name = model.replace("-", "_").isidentifier() and not model.startswith("-") and len(model.encode()) <= 100
    if not is_name or model.lower() in taken:
        raise UserError(
            f"{shown(given)}: choose a name of at most 100 letters, digits, _ and -, beginning with a letter, "
            "that no model of this suite has."
        )


def _numbers(text: str) -> list[int]:
    """Return whole numbers separated by commas."""
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise UserError(f"--seeds {text}: give whole numbers separated by commas, such as 0,1.") from None


@click.command("add-model")
@click.argument("name")
@click.pass_context
def add_model_command(context: click.Context, name: str) -> None:
    """Add a model from your plug-in folder or a package.

    The file NAME.py lies in models/ of the folder that params.yaml names as `plugins`. A package offers a model as an
    entry point in the group bench.models.
    """
    from bench.tools.add_model import add_model
    from bench.tools.workspace import link_code, own_target

    click.echo(add_model(name, context.obj, own_target(context.obj, "models")))
    link_code(context.obj.parent)
