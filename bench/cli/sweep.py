"""The commands that run and watch many cells: sweep, plan and tensorboard."""

from pathlib import Path
from typing import Any

import click

from bench.cli.options import FOLDER, RESULTS, out
from bench.cli.ranking import print_power

ENGINES = {"jobs": "local", "per_gpu": "local"}
ENGINES |= dict.fromkeys(("partition", "account", "time_minutes", "gres", "max_parallel", "cells_per_job"), "slurm")
"""Option -> the only engine that uses it."""


@click.command("sweep")
@click.argument("cells", nargs=-1)
@click.option(
    "--engine", type=click.Choice(["local", "slurm"]), default="local", show_default=True,
    help="Run on this machine or submit to Slurm.",
)  # fmt: skip
@click.option("--stage", default="train", show_default=True, help="Matrix stage of dvc.yaml to run.")
@click.option("--jobs", type=click.IntRange(1), help="Local: number of parallel cells.")
@click.option("--per-gpu", type=click.IntRange(1), help="Local: cells that share a GPU.")
@click.option("--timeout", "timeout_minutes", type=float, help="Time limit of one cell, minutes.")
@click.option("--partition", help="Slurm: partition to submit to.")
@click.option("--account", help="Slurm: account to charge.")
@click.option("--time", "time_minutes", type=click.IntRange(1), help="Slurm: time limit of one job, minutes.")
@click.option("--gres", help='Slurm: generic resources of one job, such as "gpu:1".')
@click.option("--max-parallel", type=click.IntRange(1), help="Slurm: jobs that run at a time.")
@click.option("--cells-per-job", type=click.IntRange(1), help="Slurm: cells trained by one job.")
@click.option("--retry-failed", is_flag=True, help="Run failed cells again.")
@click.option("--no-record", is_flag=True, help="Do not record finished cells with DVC; do it later with --collect.")
@click.option("--status", is_flag=True, help="Show the state of the cells and run nothing.")
@click.option("--collect", is_flag=True, help="Record finished cells with DVC and run nothing.")
@click.pass_context
def sweep_command(context: click.Context, /, cells: tuple[str, ...], engine: Any, stage: str, **options: Any) -> None:
    """Train all stale cells, here or on Slurm.

    CELLS limits the sweep to some, such as cfd/unet/0. Finished cells are recorded with DVC. Safe to repeat: only
    cells that are neither done nor running are started.
    """
    from bench.settings import load_params, section
    from bench.sweep import state, sweep

    for option in context.command.params:
        if option.name in ENGINES and ENGINES[option.name] != engine and options[option.name] is not None:
            raise click.UsageError(f"{option.opts[0]} is for --engine {ENGINES[option.name]}.")
    params = load_params(context.obj)
    section(params, "sweep", sweep.SweepSettings)
    settings = sweep.with_options(params, options)
    root = context.obj.resolve().parent
    if options["collect"]:  # with --status too: it prints the state
        click.echo(f"{state.collect(root, stage, cells)} cells recorded. {state.status(root, stage, cells)}")
    elif options["status"]:
        click.echo(state.status(root, stage, cells))
    else:
        click.echo(
            sweep.sweep(
                root,
                settings,
                context.meta["run_command"],
                engine,
                stage,
                cells,
                options["retry_failed"],
                not options["no_record"],
            )
        )


@click.command("plan")
@click.option(
    "--gpus", type=click.IntRange(1), multiple=True, default=(1, 8), show_default=True,
    help="Number of GPUs to estimate for; repeatable.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["table", "commands"]), default="table", show_default=True,
    help="Print the cost, or one shell line per cell for another scheduler.",
)  # fmt: skip
@click.option(
    "--power", type=click.FloatRange(0, min_open=True),
    help="Instead say how many datasets and seeds it takes to find this difference in crack IoU.",
)  # fmt: skip
@click.option(
    "--memory/--no-memory", default=True, show_default=True,
    help="Compute which GPUs' memory the cells fit; takes seconds per model.",
)  # fmt: skip
@RESULTS
@click.pass_context
def plan_command(
    context: click.Context, gpus: tuple[int, ...], form: str, power: float | None, memory: bool, results: Path
) -> None:
    """Estimate the cost of the remaining training."""
    if power is not None:
        print_power(context, results, power)
        return
    from bench.settings import load_params
    from bench.tools import plan

    root, params = context.obj.resolve().parent, load_params(context.obj)
    click.echo(plan.commands(root, params) if form == "commands" else plan.plan(root, params, gpus, memory))


@click.command("tensorboard")
@click.argument("runs", default="runs", type=FOLDER)
@out("tensorboard", "Folder of the event files.")
@click.option("--follow", is_flag=True, help="Add each new epoch while cells are trained, until Ctrl-C.")
def tensorboard_command(runs: Path, out: Path, follow: bool) -> None:
    """Write training curves for TensorBoard.

    The curves come from history.csv of each run in RUNS, which a training extends after every epoch.
    """
    from bench.tools.curves import write_curves

    click.echo(write_curves(runs, out, follow))
