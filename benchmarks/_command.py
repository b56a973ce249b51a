"""A click command that reports a user's mistake in one line, as `bench` does."""

from typing import Any

import click

from bench.errors import UserError


class Command(click.Command):
    """Print what is meant for the user as one message."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises for the user becomes a message."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(str(error)) from error
