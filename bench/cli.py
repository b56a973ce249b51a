"""The command line: parse, read one section of params.yaml, call one function."""

from pathlib import Path
from typing import Any

import click

from bench import cli_ranking, cli_sweep
from bench.cli_group import Group

DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crackbench")
@click.option(
    "--params", default="params.yaml", type=click.Path(path_type=Path, dir_okay=False), help="Read settings from here."
)
@click.pass_context
def main(context: click.Context, params: Path) -> None:
    """Benchmark crack segmentation: download, prepare, train, evaluate, measure, report."""
    context.obj = params


def _section(context: click.Context, name: str, cls: type[Any]) -> tuple[dict[str, Any], Any]:
    """Return all of params.yaml and one section of it as its dataclass."""
    from bench.settings import load_params, section

    params = load_params(context.obj)
    return params, section(params, name, cls)


def _names(params: dict[str, Any], kind: str) -> list[str]:
    from bench import plugins
    from bench.settings import name_list

    return name_list(params, kind, plugins.names(kind))


@main.command()
@click.argument("target", default="downloads", type=DIRECTORY)
@click.option("--archives", default="archives", show_default=True, type=DIRECTORY, help="Keep archives here.")
@click.option(
    "--from", "given", type=click.Path(path_type=Path, exists=True), help="Take them from this archive or folder."
)
@click.option("--pulled", default="data", show_default=True, type=DIRECTORY, help="What DVC pulled is not fetched.")
@click.option("--status", is_flag=True, help="Only say what is there, and verify it.")
@click.pass_context
def download(
    context: click.Context, target: Path, archives: Path, given: Path | None, pulled: Path, status: bool
) -> None:
    """Fill TARGET/<dataset> with the images and masks of each dataset (TARGET: downloads, unless named)."""
    from bench.stages import download as stage

    params, settings = _section(context, "download", stage.Settings)
    if status:
        click.echo(stage.status(target, _names(params, "datasets")).to_string(index=False))
        return
    messages = stage.run(target, _names(params, "datasets"), archives, settings, given, pulled)
    if messages:  # exit 0: the others go on; but DVC then holds this stage for done, and would not try again
        click.echo("\n".join([*messages, "To try again: `bench download`, then `dvc repro`."]), err=True)


@main.command()
@click.argument("source", type=DIRECTORY)
@click.argument("target", type=DIRECTORY)
@click.option("--dataset", required=True, help="Name of the dataset.")
@click.option("--splits", default="splits", show_default=True, type=DIRECTORY, help="Manifests of splits.")
@click.pass_context
def prepare(context: click.Context, source: Path, target: Path, dataset: str, splits: Path) -> None:
    """Resize, binarise and split the pairs in SOURCE into arrays in TARGET."""
    from bench.stages import prepare as stage

    _, settings = _section(context, "prepare", stage.Settings)
    stage.run(source, target, dataset, settings, splits)


@main.command()
@click.argument("source", type=DIRECTORY)
@click.argument("target", type=DIRECTORY)
@click.option("--model", required=True, help="Name of the architecture.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of weights, order and augmentation."
)
@click.pass_context
def train(context: click.Context, source: Path, target: Path, model: str, seed: int) -> None:
    """Train one model on the prepared dataset in SOURCE and write the run to TARGET."""
    from bench.learning.settings import Settings
    from bench.stages import train as stage

    _, settings = _section(context, "train", Settings)
    stage.run(source, target, model, seed, settings)


@main.command()
@click.argument("source", type=DIRECTORY)
@click.argument("runs", type=DIRECTORY)
@click.argument("target", type=DIRECTORY)
@click.option("--dataset", required=True, help="Name of the dataset.")
@click.pass_context
def evaluate(context: click.Context, source: Path, runs: Path, target: Path, dataset: str) -> None:
    """Score the predictions in RUNS against the masks in SOURCE and write the counts to TARGET."""
    from bench.settings import seed_list
    from bench.stages import evaluate as stage

    params, settings = _section(context, "evaluate", stage.Settings)
    stage.run(source, runs, target, dataset, _names(params, "models"), seed_list(params), settings)


@main.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--model", required=True, help="Name of the architecture.")
@click.pass_context
def measure(context: click.Context, target: Path, model: str) -> None:
    """Measure parameters, multiply-adds, latency and memory of a model and write them to TARGET."""
    from bench.stages import measure as stage

    _, settings = _section(context, "measure", stage.Settings)
    stage.run(target, model, settings)


@main.command()
@click.argument("results", default="results", type=DIRECTORY)
@click.argument("reports", default="reports", type=DIRECTORY)
@click.option("--prepared", default="prepared", show_default=True, type=DIRECTORY, help="Photographs, if here.")
@click.option("--runs", default="runs", show_default=True, type=DIRECTORY, help="Predictions, if here.")
@click.option("--only", multiple=True, metavar="PART", help="Write only this part, such as table3; may be repeated.")
@click.pass_context
def report(
    context: click.Context, results: Path, reports: Path, prepared: Path, runs: Path, only: tuple[str, ...]
) -> None:
    """Render the tables, figures, model cards and page of RESULTS into REPORTS."""
    from bench.settings import seed_list
    from bench.stages import report as stage
    from bench.standings import Settings

    params, settings = _section(context, "report", Settings)
    lists = _names(params, "datasets"), _names(params, "models"), seed_list(params)
    click.echo(stage.run(results, reports, *lists, settings, prepared, runs, only))


@main.command()
@click.argument("folder", type=DIRECTORY)
@click.option("--name", required=True, help="Id of the dataset.")
@click.option("--classes", type=click.IntRange(1, 255), help="Classes, background included; else seen.")
@click.option("--photo", default="(.*)", help="Pattern whose first group is the source photograph.")
@click.pass_context
def add_dataset(context: click.Context, folder: Path, name: str, classes: int | None, photo: str) -> None:
    """Make a dataset of the images and masks in FOLDER."""
    from bench import custom, datasets

    target = Path(datasets.__file__).parent
    click.echo(custom.run(folder, name, classes, photo, context.obj, target))


@main.command()
@click.argument("name")
@click.pass_context
def add_model(context: click.Context, name: str) -> None:
    """Take the model NAME from an installed package that offers it as an entry point in bench.models."""
    from bench import add_model as tool
    from bench import models

    click.echo(tool.run(name, context.obj, Path(models.__file__).parent))


@main.command()
@click.argument("dataset", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All datasets of params.yaml.")
@click.option("--data", default="data", show_default=True, type=DIRECTORY, help="The raw datasets.")
@click.option(
    "--target", default="audit", show_default=True, type=DIRECTORY, help="Write the tables and the page here."
)
@click.pass_context
def audit(context: click.Context, dataset: tuple[str, ...], every: bool, data: Path, target: Path) -> None:
    """Examine raw datasets: faults, duplicates, and photographs on both sides of a split."""
    from bench import plugins
    from bench.audit.run import run
    from bench.stages import prepare as stage

    params, settings = _section(context, "prepare", stage.Settings)
    chosen = [] if every else list(dict.fromkeys(dataset))
    for name in chosen:
        plugins.load("datasets", name)
    click.echo(run(data, target, chosen or _names(params, "datasets"), settings))


@main.command()
@click.argument("name", type=click.Choice(["paper", "strict"]))
@click.pass_context
def protocol(context: click.Context, name: str) -> None:
    """Switch params.yaml to the paper's protocol or to the strict one."""
    from bench import switch

    click.echo(switch.run(context.obj, name))


@main.command()
@click.argument("folder", default="demo", type=DIRECTORY)
@click.pass_context
def demo(context: click.Context, folder: Path) -> None:
    """Run the whole pipeline on the embedded sample, in the workspace FOLDER."""
    from bench import demo as tool

    click.echo(tool.run(context.obj.resolve().parent, folder))


@main.command()
@click.option("--model", default="unet", show_default=True, help="Network to train.")
@click.option("--prepared", "source", type=DIRECTORY, help="Measure a training on this prepared dataset, in a minute.")
@click.pass_context
def doctor(context: click.Context, model: str, source: Path | None) -> None:
    """Say what this machine has and lacks, and what limits a training on it."""
    from bench import doctor as tool

    for what, found, cure in tool.environment(Path()):
        click.echo(f"{what:28} {found or 'missing':24} {cure}".rstrip())
    if source:
        from bench.formats import prepared
        from bench.learning.settings import Settings

        _, settings = _section(context, "train", Settings)
        rates = tool.throughput(prepared.read(source), model, settings, seconds=15)
        for kind, rate in rates.items():
            click.echo(f"{kind:28} {rate:.1f} images/s")
        click.echo(tool.verdict(rates, settings))


for _command in (*cli_ranking.COMMANDS, *cli_sweep.COMMANDS):
    main.add_command(_command)
