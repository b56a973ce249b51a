"""The command group: commands listed by topic, and every error meant for the user as one message."""

import errno
import os
import re
import sys
import traceback
from contextlib import suppress
from typing import Any

import click

from bench.errors import Interrupted, UserError, instead_of, os_error_line

TRAINING_LIBRARIES = {
    "torch", "torchvision", "segmentation_models_pytorch", "albumentations", "safetensors",
}  # fmt: skip
"""Libraries of the extra ``train``; an installation without it lacks them."""


class Group(click.Group):
    """A click group that lists its commands under topics and turns user errors into messages."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.topics: dict[str, list[str]] = {}

    def add_topic(self, topic: str, *commands: click.Command) -> None:
        """Add commands under a heading of the help text."""
        for command in commands:
            self.add_command(command)
            self.topics.setdefault(topic, []).append(str(command.name))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and report its errors.

        Raises:
            click.ClickException: a UserError, a missing training library, or an error of the operating system.
        """
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(_with_params_path(str(error), str(ctx.params["params"]))) from error
        except ModuleNotFoundError as error:
            if error.name not in TRAINING_LIBRARIES:
                raise
            raise click.ClickException(f"{error}: `pip install '.[train]'` in the clone of CrackBench.") from error
        except OSError as error:
            raise _output_error(error) or click.ClickException(os_error_line(error)) from error
        except Interrupted as error:
            click.echo(str(error), err=True)
            ctx.exit(128 + error.number)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; where the help cannot be printed, say so in a line.

        Raises:
            SystemExit: with the command's exit status.
        """
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            if not (failure := _output_error(error)):
                raise
            failure.show()
            sys.exit(failure.exit_code)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that the arguments name.

        Raises:
            click.UsageError: no command has this name; the message suggests the closest one.
        """
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            ctx.fail(f"no command {args[0]!r}{instead_of(args[0], self.commands, 'commands')}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands to the help text, one section per topic."""
        for topic, names in self.topics.items():
            with formatter.section(topic):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=60)) for name in names])


def _output_error(error: OSError) -> click.ClickException | None:
    """Return what to say if it was the standard output that could not be written, else None.

    Raises:
        OSError: the reader of a pipe has ended, which ends the command silently.
    """
    if error.filename is not None or traceback.extract_tb(error.__traceback__)[-1].name != "echo":
        return None
    if error.errno == errno.EPIPE:
        raise error
    with suppress(OSError, ValueError):  # what it still holds would fail again at the end of the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return click.ClickException(f"the output cannot be written: {error.strerror}.")


def _with_params_path(message: str, params: str) -> str:
    """Return a message with the settings file named as ``--params`` gave it.

    >>> _with_params_path("params.yaml: no seeds; see also a/params.yaml", "my.yaml")
    'my.yaml: no seeds; see also a/params.yaml'
    >>> _with_params_path("my params.yaml not found", "my params.yaml")
    'my params.yaml not found'
    """
    already_replaced = re.escape(params) + r"(?![\w-])"
    return re.sub(rf"(?<![\w./-])({already_replaced}|params\.yaml)", lambda _: params, message)
