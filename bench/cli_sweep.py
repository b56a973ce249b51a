"""Commands that run many cells: sweep and plan."""

from typing import Any

import click

ENGINES = {"jobs": "local", "per_gpu": "local"}
ENGINES |= dict.fromkeys(("partition", "account", "time_minutes", "gres", "max_parallel", "cells_per_job"), "slurm")
"""What one engine alone obeys."""


@click.command()
@click.argument("cells", nargs=-1)
@click.option(
    "--engine",
    type=click.Choice(["local", "slurm"]),
    default="local",
    show_default=True,
    help="This machine, or a cluster.",
)
@click.option("--stage", default="train", show_default=True, help="Matrix stage of dvc.yaml to run.")
@click.option("--jobs", type=click.IntRange(1), help="Cells at a time on this machine.")
@click.option("--per-gpu", type=click.IntRange(1), help="Cells that share a GPU.")
@click.option("--timeout", "timeout_minutes", type=float, help="Minutes that one cell may take.")
@click.option("--partition", help="Of Slurm; likewise the next ones.")
@click.option("--account", help="To charge.")
@click.option("--time", "time_minutes", type=click.IntRange(1), help="Minutes of one job.")
@click.option("--gres", help='Such as "gpu:1".')
@click.option("--max-parallel", type=click.IntRange(1), help="Jobs at a time.")
@click.option("--cells-per-job", type=click.IntRange(1), help="Cells that one job trains.")
@click.option("--retry-failed", is_flag=True, help="Run those again that failed.")
@click.option("--no-record", is_flag=True, help="Leave telling DVC to --collect.")
@click.option("--status", is_flag=True, help="Show where the cells stand, and do nothing.")
@click.option("--collect", is_flag=True, help="Record what is computed with DVC, and run nothing.")
@click.pass_context
def sweep(context: click.Context, /, cells: tuple[str, ...], engine: Any, stage: str, **options: Any) -> None:
    """Run the stale CELLS (default: all), such as cfd/unet/0, on this machine or on Slurm, and record them with DVC.

    Run it again at any time: only what is neither done nor running is run.
    """
    from bench.settings import load_params, section
    from bench.sweep import run as tool

    for option in context.command.params:
        if option.name in ENGINES and ENGINES[option.name] != engine and options[option.name] is not None:
            raise click.UsageError(f"{option.opts[0]} is for --engine {ENGINES[option.name]}.")
    params = load_params(context.obj)
    section(params, "sweep", tool.Settings)
    settings = tool.with_options(params, options)
    root = context.obj.resolve().parent
    if options["status"]:
        click.echo(tool.status(root, stage, cells))
    elif options["collect"]:
        click.echo(f"{tool.collect(root, stage, cells)} cells recorded. {tool.status(root, stage, cells)}")
    else:
        click.echo(tool.sweep(root, settings, engine, stage, cells, options["retry_failed"], not options["no_record"]))


@click.command()
@click.option("--gpus", type=click.IntRange(1), multiple=True, default=(1, 8), show_default=True, help="How many.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "commands"]),
    default="table",
    show_default=True,
    help="Costs, or commands.",
)
@click.pass_context
def plan(context: click.Context, gpus: tuple[int, ...], form: str) -> None:
    """Say what is left to train costs, or print it as one shell line per cell for another scheduler."""
    from bench import plan as tool
    from bench.settings import load_params

    root, params = context.obj.resolve().parent, load_params(context.obj)
    click.echo(tool.commands(root, params) if form == "commands" else tool.plan(root, params, gpus))


COMMANDS = (sweep, plan)
