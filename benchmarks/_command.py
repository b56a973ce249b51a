"""A click command that reports user errors in one line, like `bench`."""

from typing import Any

import click

from bench.errors import UserError


class Command(click.Command):
    """Print a UserError as a message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and convert a UserError to a click error."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(str(error)) from error
