"""Options and readers that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


def _own_or_open(context: click.Context, parameter: click.Parameter, folder: Path) -> Path:
    """Return the results folder; without results of one's own, that of the open track, with the settings there."""
    track = folder / "open"
    if (folder / "scores").is_dir() or not (track / "params.yaml").is_file():
        return folder
    click.echo(f"{folder} holds no scores of your own: this is the open track, {track}.", err=True)
    context.obj = track / "params.yaml"
    return track


RESULTS = click.option(
    "--results", default="results", show_default=True, type=FOLDER, callback=_own_or_open,
    help="Results folder; without scores in it, those of the open track are read.",
)  # fmt: skip
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
