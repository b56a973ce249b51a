"""The commands that help to get started: demo, doctor, list, protocol."""

from pathlib import Path

import click

from bench.cli.options import FOLDER, read_section


@click.command("demo")
@click.argument("folder", default="demo", type=FOLDER)
@click.pass_context
def demo_command(context: click.Context, folder: Path) -> None:
    """Run the whole pipeline on the embedded sample, in FOLDER."""
    from bench.tools.demo import run_demo

    click.echo(run_demo(context.obj.resolve().parent, folder, context.meta["run_command"]))


@click.command("doctor")
@click.option("--model", default="unet", show_default=True, help="Model to train with --prepared.")
@click.option(
    "--prepared",
    type=FOLDER,
    help="Time a training on this prepared dataset, such as prepared/cfd, for a minute to find what limits it.",
)
@click.pass_context
def doctor_command(context: click.Context, model: str, prepared: Path | None) -> None:
    """Check what this machine has and lacks for a training."""
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


@click.command("list")
@click.argument("kind", type=click.Choice(["datasets", "models", "metrics"]))
def list_command(kind: str) -> None:
    """List the datasets, models or metrics by id and name."""
    from bench import plugins

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
