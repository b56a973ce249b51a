"""The entry point ``bench``: the group of all commands, listed by topic."""

from pathlib import Path

import click

from bench.cli import data, model, pipeline, ranking, sweep, tools
from bench.cli.checkout import use_code_beside
from bench.cli.group import Group


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="crackbench")
@click.option(
    "--params", default="params.yaml", show_default=True, type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)  # fmt: skip
@click.pass_context
def main(context: click.Context, params: Path) -> None:
    """Benchmark crack segmentation: download, prepare, train, evaluate, measure, report.

    A cell is one training: dataset x model x seed, such as cfd/unet/0.
    """
    use_code_beside(params)
    context.obj = params
    context.meta["run_command"] = run_command  # handed down: a sweep runs commands in processes of its own


def run_command(arguments: list[str]) -> None:
    """Run one command line in this process, as a sweep does for a cell.

    Raises:
        SystemExit: always, with the command's exit status.
    """
    main(arguments, prog_name="bench")


main.add_topic("Pipeline", *pipeline.COMMANDS)
main.add_topic(
    "Your model", model.score_command, ranking.compare_command, model.predict_command, model.add_model_command
)
main.add_topic(
    "Ranking",
    ranking.leaderboard_command,
    ranking.metrics_command,
    ranking.check_command,
    ranking.audit_paper_command,
)
main.add_topic("Data", data.add_dataset_command, data.remove_dataset_command, data.audit_command)
main.add_topic("Many cells", sweep.sweep_command, sweep.plan_command)
main.add_topic(
    "Help",
    tools.demo_command,
    tools.doctor_command,
    tools.list_command,
    ranking.explain_command,
    tools.protocol_command,
)
