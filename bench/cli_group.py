"""The command line's top: what a user is told of an error, and the exit status."""

import errno
import re
from typing import Any

import click

from bench.errors import Interrupted, UserError

EXTRA = {"torch", "torchvision", "segmentation_models_pytorch", "albumentations", "fvcore", "safetensors"}
"""What only training needs, and an installation without the extra ``train`` lacks."""


class Group(click.Group):
    """Print what is meant for the user as one message, and keep the commands in the pipeline's order."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it raises for the user becomes a message."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(_named(str(error), str(ctx.params["params"]))) from error
        except ModuleNotFoundError as error:
            if error.name not in EXTRA:
                raise
            raise click.ClickException(f"{error}: `pip install '.[train]'` in the clone of CrackBench.") from error
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT):
                raise
            raise click.ClickException(
                f"{error.filename or 'a file'}: {error.strerror}. Mend that and run again."
            ) from error
        except Interrupted as error:
            click.echo(str(error), err=True)
            ctx.exit(128 + error.number)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names as they were added, not sorted."""
        return list(self.commands)


def _named(message: str, settings: str) -> str:
    """Return a message that calls the file of settings by the name that --params gave it.

    >>> _named("params.yaml: no seeds; see also a/params.yaml", "my.yaml")
    'my.yaml: no seeds; see also a/params.yaml'
    >>> _named("my params.yaml not found", "my params.yaml")
    'my params.yaml not found'
    """
    there_already = re.escape(settings) + r"(?![\w-])"
    return re.sub(rf"(?<![\w./-])({there_already}|params\.yaml)", lambda _: settings, message)
