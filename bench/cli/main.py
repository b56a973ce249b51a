"""The entry point ``bench``: the group of all commands, listed by topic."""

import os
from pathlib import Path

import click

from bench.cli import data, leaderboard, model, pipeline, ranking, sharing, sweep, tools, why
from bench.cli.checkout import use_code_beside
from bench.cli.group import Group
from bench.cli.process import stop_with_dvc


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crackbench")
@click.option(
    "--params", default="params.yaml", show_default=True, type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)  # fmt: skip
@click.pass_context
def main(context: click.Context, params: Path) -> None:
    """Benchmark crack segmentation: download, prepare, train, evaluate, transfer, measure, report.

    A cell is one training: dataset x model x seed, such as cfd/unet/0.
    """
    os.environ["MPLBACKEND"] = "agg"  # figures are files; a notebook's backend may not be installed here
    os.environ.setdefault(
        "PYTORCH_ENABLE_MPS_FALLBACK", "1"
    )  # read when torch is imported; torch warns of each operator
    use_code_beside(params)
    stop_with_dvc()
    use_own_plugins(context, params)
    context.obj = params
    context.meta["run_command"] = run_command  # handed down: a sweep runs commands in processes of its own


def use_own_plugins(context: click.Context, params: Path) -> None:
    """Offer the plug-ins of the folder that params.yaml names, to this command and to the processes it starts."""
    from bench.plugins import OWN
    from bench.settings import own_plugins

    before, folder = os.environ.get(OWN), own_plugins(params) if params.is_file() else None
    os.environ[OWN] = str(folder or "")
    context.call_on_close(lambda: os.environ.update({OWN: before or ""}))


def run_command(arguments: list[str]) -> None:
    """Run one command line in this process, as a sweep does for a cell.

    Raises:
        SystemExit: always, with the command's exit status.
    """
    main(arguments, prog_name="bench")


main.add_topic("Pipeline", *pipeline.COMMANDS)
main.add_topic(
    "Your model",
    model.enter_command,
    model.score_command,
    ranking.compare_command,
    model.predict_command,
    sharing.export_command,
    model.add_model_command,
)
main.add_topic(
    "Ranking",
    leaderboard.leaderboard_command,
    model.baselines_command,
    ranking.conventions_command,
    why.why_command,
    ranking.check_command,
    ranking.audit_paper_command,
)
main.add_topic(
    "Data", data.add_dataset_command, data.remove_dataset_command, data.audit_command, sharing.export_card_command
)
main.add_topic("Many cells", sweep.sweep_command, sweep.plan_command, sweep.tensorboard_command)
main.add_topic(
    "Help",
    tools.init_command,
    tools.demo_command,
    tools.doctor_command,
    tools.list_command,
    ranking.explain_command,
    tools.protocol_command,
)
