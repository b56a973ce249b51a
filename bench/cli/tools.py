"""The commands that help to get started: init, demo, doctor, list, protocol."""

from pathlib import Path

import click

from bench.cli.options import FOLDER, read_section
from bench.errors import UserError


@click.command("init")
@click.argument("folder", default=".", type=FOLDER)
def init_command(folder: Path) -> None:
    """Create a project in FOLDER: params.yaml and pipeline."""
    from bench.tools.workspace import init_workspace

    click.echo(init_workspace(folder))


@click.command("demo")
@click.argument("folder", default="demo", type=FOLDER)
@click.pass_context
def demo_command(context: click.Context, folder: Path) -> None:
    """Run the whole pipeline on the embedded sample, in FOLDER."""
    from bench.tools.demo import run_demo
    from bench.tools.workspace import shipped_project

    project = context.obj.resolve().parent if context.obj.exists() else shipped_project()
    click.echo(run_demo(project, folder, context.meta["run_command"]))


@click.command("doctor")
@click.option("--model", default="unet", show_default=True, help="Model to train with --prepared.")
@click.option(
    "--prepared",
    type=FOLDER,
    help="Time a training on this prepared dataset, such as prepared/cfd, for a minute to find what limits it.",
)
@click.option("--links", is_flag=True, help="Only ask every source of a dataset whether it is still there.")
@click.pass_context
def doctor_command(context: click.Context, model: str, prepared: Path | None, links: bool) -> None:
    """Check what this machine has and lacks for a training."""
    if links:
        _print_links()
        return
    from bench.tools import doctor

    for requirement, present, hint in doctor.environment(Path()):
        click.echo(f"{requirement:28} {present or 'missing':24} {hint}".rstrip())
    if prepared:
        from bench.formats import prepared as prepared_format
        from bench.tools import profile
        from bench.training.settings import TrainSettings

        _, settings = read_section(context, "train", TrainSettings)
        rates = profile.throughput(prepared_format.read(prepared), model, settings, seconds=15)
        for kind, rate in rates.items():
            click.echo(f"{kind:28} {rate:.1f} images/s")
        click.echo(profile.verdict(rates, settings))


def _print_links() -> None:
    """Print the sources of the datasets.

    Raises:
        UserError: no address of a source answers.
    """
    from bench.tools.links import addresses, check_links, dead

    checked = []
    for name, url, reason in check_links(addresses()):
        checked.append((name, url, reason))
        click.echo(f"{name:22} {reason or 'ok':24} {url}")
    if gone := dead(checked):
        raise UserError(
            f"no address answers for {', '.join(gone)}: check the network, then correct the dataset's file."
        )


@click.command("list")
@click.argument("kind", type=click.Choice(["datasets", "models", "metrics", "sets"]))
def list_command(kind: str) -> None:
    """List the datasets, models or metrics by id and name.

    The sets are the public ones whose images `--seen` knows, with the number of their fingerprints.
    """
    from bench import plugins

    if kind == "sets":
        from bench.data.fingerprints import known_sets

        for name, count in known_sets().items():
            click.echo(f"{name:16}  {count} images")
        return

    ids = plugins.names(kind)
    width = max(map(len, ids))
    for plugin in ids:
        click.echo(f"{plugin:{width}}  {plugins.title(kind, plugin)}")


@click.command("protocol")
@click.argument("name", type=click.Choice(["paper", "strict", "open"]))
@click.pass_context
def protocol_command(context: click.Context, name: str) -> None:
    """Switch params.yaml to the protocol paper, strict or open."""
    from bench.tools.switch_protocol import switch_protocol

    click.echo(switch_protocol(context.obj, name))
