"""The commands of the pipeline, one per stage: download, prepare, train, evaluate, transfer, measure, report."""

from pathlib import Path

import click

from bench.cli.options import DATA, DATASET, FILE, FOLDER, PREPARED, declared, read_section
from bench.errors import UserError
from bench.formats.lock import exclusive


@click.command("download")
@click.argument("target", default="downloads", type=FOLDER)
@click.option("--archives", default="archives", show_default=True, type=FOLDER, help="Folder of downloaded archives.")
@click.option(
    "--from", "given", type=click.Path(path_type=Path, exists=True),
    help="Take the datasets from this archive or folder instead of the network.",
)  # fmt: skip
@DATA
@click.option("--status", is_flag=True, help="Verify what is on disk and download nothing.")
@click.pass_context
def download_command(
    context: click.Context, target: Path, archives: Path, given: Path | None, data: Path, status: bool
) -> None:
    """Download the datasets into TARGET/<dataset>.

    TARGET is `downloads` unless given. Datasets that DVC has pulled into the raw data folder are not downloaded again.
    """
    from bench.stages import download

    params, settings = read_section(context, "download", download.DownloadSettings)
    if status:
        click.echo(download.status(target, declared(params, "datasets")).to_string(index=False))
        return
    messages = download.run(target, declared(params, "datasets"), archives, settings, given, data)
    if messages:  # exit 0: the other datasets are usable; but DVC will consider this stage done and not retry it
        click.echo("\n".join([*messages, "To retry: `bench download`, then `dvc repro`."]), err=True)


@click.command("prepare")
@click.argument("source", type=FOLDER)
@click.argument("target", type=FOLDER)
@DATASET
@click.option("--splits", default="splits", show_default=True, type=FOLDER, help="Folder of pinned split manifests.")
@click.pass_context
def prepare_command(context: click.Context, source: Path, target: Path, dataset: str, splits: Path) -> None:
    """Resize, binarise and split a raw dataset into arrays.

    Reads the pairs in SOURCE and writes to TARGET.
    """
    from bench.stages import prepare

    _, settings = read_section(context, "prepare", prepare.PrepareSettings)
    prepare.run(source, target, dataset, settings, splits)


@click.command("train")
@click.argument("source", type=FOLDER)
@click.argument("target", type=FOLDER)
@click.option("--model", required=True, help="Model id, such as unet.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0),
    help="Seed of initial weights, data order and augmentation.",
)  # fmt: skip
@click.pass_context
def train_command(context: click.Context, source: Path, target: Path, model: str, seed: int) -> None:
    """Train one cell: a model on the prepared dataset in SOURCE.

    Writes the run (weights, history, predictions, provenance) to TARGET. Resumes from the checkpoint of an
    interrupted training; refuses if another process is training it.
    """
    from bench.sweep.dvc_stage import hand_over

    same = ["--params", str(context.obj), "train", str(source), str(target), "--model", model, "--seed", str(seed)]
    if (status := hand_over(same, context.meta["run_command"])) is not None:
        context.exit(status)
    with exclusive(target):  # before the imports, which take seconds
        from bench.formats.failure import recorded_failure
        from bench.stages import train
        from bench.sweep.state import refuse_while_swept

        refuse_while_swept(context.obj.resolve().parent)
        _, settings = read_section(context, "train", train.TrainSettings)
        with recorded_failure(target):
            try:
                train.run(source, target, model, seed, settings)
            except UserError as error:
                from bench.tools.plan_memory import advice

                raise UserError(f"{error}{advice(error.__cause__, source, model, settings)}") from error


@click.command("evaluate")
@click.argument("source", type=FOLDER)
@click.argument("runs", type=FOLDER)
@click.argument("target", type=FOLDER)
@DATASET
@click.pass_context
def evaluate_command(context: click.Context, source: Path, runs: Path, target: Path, dataset: str) -> None:
    """Count hits and misses per test image.

    The predictions are in RUNS, the true masks in SOURCE, the prepared dataset; the counts are written to TARGET.
    """
    from bench.settings import seed_list
    from bench.stages import evaluate

    params, settings = read_section(context, "evaluate", evaluate.EvaluateSettings)
    evaluate.run(source, runs, target, dataset, declared(params, "models"), seed_list(params), settings)


@click.command("transfer")
@click.argument("source", type=FOLDER)
@click.argument("runs", type=FOLDER)
@click.argument("target", type=FOLDER)
@DATASET
@click.option("--seeds", "only", multiple=True, type=int, help="Only runs of this seed; repeatable.")
@click.pass_context
def transfer_command(
    context: click.Context, source: Path, runs: Path, target: Path, dataset: str, only: tuple[int, ...]
) -> None:
    """Count hits and misses on the other datasets.

    The runs of one dataset in RUNS predict the test images of every dataset in SOURCE, the folder of prepared
    datasets, and corrupted copies of their own; the counts are written to TARGET.
    """
    from bench.settings import seed_list
    from bench.stages import transfer

    params, settings = read_section(context, "transfer", transfer.TransferSettings)
    cells = [(model, seed) for model in declared(params, "models") for seed in only or seed_list(params)]
    transfer.run(source, runs, target, dataset, declared(params, "datasets"), cells, settings)


@click.command("measure")
@click.argument("target", type=FILE)
@click.option("--model", required=True, help="Model id, such as unet.")
@click.pass_context
def measure_command(context: click.Context, target: Path, model: str) -> None:
    """Measure the cost of a model: parameters, latency, memory.

    Writes parameters, multiply-adds, latency and peak memory to TARGET, a JSON file.
    """
    from bench.stages import measure

    _, settings = read_section(context, "measure", measure.MeasureSettings)
    measure.run(target, model, settings)


@click.command("report")
@click.argument("results", default="results", type=FOLDER)
@click.argument("reports", default="reports", type=FOLDER)
@PREPARED
@click.option("--runs", default="runs", show_default=True, type=FOLDER, help="Folder of runs.")
@click.option("--only", multiple=True, metavar="PART", help="Write only this part, such as table3; repeatable.")
@click.pass_context
def report_command(
    context: click.Context, results: Path, reports: Path, prepared: Path, runs: Path, only: tuple[str, ...]
) -> None:
    """Render tables, figures, model cards and the web page.

    Reads RESULTS and writes to REPORTS. Figures of images are drawn where prepared datasets and runs are on disk.
    """
    from bench.settings import seed_list
    from bench.stages import report

    params, settings = read_section(context, "report", report.ReportSettings)
    grid = report.Grid(declared(params, "datasets"), declared(params, "models"), seed_list(params))
    click.echo(report.run(report.Folders(results, reports, prepared, runs), grid, settings, only))


COMMANDS = (
    download_command, prepare_command, train_command, evaluate_command, transfer_command, measure_command,
    report_command,
)  # fmt: skip
