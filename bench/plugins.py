"""Resolve a name in params.yaml to a file in bench/<kind>/ or an entry point of an installed package."""

import importlib
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import UserError, instead_of

HELPERS = {
    "models": {"packaged", "smp", "weights"},
    "metrics": {"counting", "histogram", "inputs", "ratios", "tolerance"},
}
"""Modules in a plug-in folder that plug-ins share and that are not plug-ins."""


def names(kind: str) -> list[str]:
    """Return the sorted names of all plug-ins of a kind ("datasets", "models" or "metrics")."""
    folder = Path(__file__).parent / kind
    files = {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}
    return sorted(files - HELPERS.get(kind, set()) | {e.name for e in entry_points(group=f"bench.{kind}")})


def load(kind: str, name: str) -> ModuleType:
    """Return the module of a plug-in.

    An installed package provides a plug-in through an entry point in the group ``bench.<kind>`` that names a module.

    Raises:
        UserError: no plug-in has this name; the message lists the valid names.
    """
    is_file = name.isidentifier() and not name.startswith("_") and name not in HELPERS.get(kind, ())
    if is_file and (Path(__file__).parent / kind / f"{name}.py").is_file():
        return importlib.import_module(f"bench.{kind}.{name}")
    for entry in entry_points(group=f"bench.{kind}"):
        if entry.name == name:
            return importlib.import_module(entry.module)
    raise UserError(f"unknown {kind[:-1]} {name!r}{instead_of(name, names(kind))}")


def title(kind: str, name: str) -> str:
    """Return the display name of a plug-in: NAME of a model or metric, the name on the card of a dataset."""
    module = load(kind, name)
    return str(module.CARD.name if kind == "datasets" else module.NAME)


def build_network(name: str, channels: int, classes: int, side: int, encoder: str, weights: str | None) -> Any:
    """Return the network of an architecture.

    Args:
        name: name of the plug-in.
        channels: channels of the image.
        classes: number of classes; 1 for crack and background.
        side: side of the image, px.
        encoder: name of the encoder in segmentation-models-pytorch.
        weights: name of its pretrained weights, or None.

    Raises:
        UserError: the architecture cannot be built with these arguments.
    """
    try:
        return load("models", name).build(channels, classes, side, encoder, weights)
    except (KeyError, ValueError) as error:
        raise UserError(f"model {name!r} cannot be built with {encoder} at {side} px: {error}") from error
