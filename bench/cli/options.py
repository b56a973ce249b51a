"""Options and readers that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

RESULTS = click.option("--results", default="results", show_default=True, type=FOLDER, help="Results folder.")
PREPARED = click.option(
    "--prepared", default="prepared", show_default=True, type=FOLDER, help="Folder of prepared datasets."
)
DATA = click.option("--data", default="data", show_default=True, type=FOLDER, help="Folder of raw datasets.")
DATASET = click.option("--dataset", required=True, help="Dataset id, such as cfd.")
FORMAT = click.option(
    "--format", "form", default="text", show_default=True, type=click.Choice(["text", "markdown", "csv", "json"]),
    help="Output format.",
)  # fmt: skip


def out(default: str, help: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option ``--out``: where a command writes."""
    return click.option("--out", default=default, show_default=True, type=FOLDER, help=help)


def read_section(context: click.Context, name: str, cls: type[Any]) -> tuple[dict[str, Any], Any]:
    """Return all of params.yaml and one section of it as its dataclass.

    Raises:
        UserError: the file or the section is missing, or a value is wrong.
    """
    from bench.settings import load_params, section

    params = load_params(context.obj)
    return params, section(params, name, cls)


def declared(params: dict[str, Any], kind: str) -> list[str]:
    """Return the datasets or models that params.yaml lists.

    Raises:
        UserError: the list is missing or empty, or a name in it is unknown.
    """
    from bench import plugins
    from bench.settings import name_list

    return name_list(params, kind, plugins.names(kind))
