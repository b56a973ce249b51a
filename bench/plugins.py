"""Resolve a name in params.yaml to a file in the user's folder or in bench/<kind>/, or to an installed package."""

import importlib
import importlib.util
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import UserError, instead_of

KINDS = ("datasets", "models", "metrics")
HELPERS = {
    "models": {"packaged", "smp", "weights"},
    "metrics": {
        "counting",
        "crack_size",
        "histogram",
        "inputs",
        "moved_labels",
        "ratios",
        "shape",
        "thinning",
        "tolerance",
    },
}
"""Modules in a plug-in folder that plug-ins share and that are not plug-ins."""

OWN = "CRACKBENCH_PLUGINS"
"""Environment variable: the user's folder of plug-ins, which also the processes of a sweep or a loader find so."""


def names(kind: str) -> list[str]:
    """Return the sorted names of all plug-ins of a kind ("datasets", "models" or "metrics")."""
    folders = [Path(__file__).parent / kind, *(folder / kind for folder in _own())]
    files = {p.stem for folder in folders for p in folder.glob("*.py") if not p.stem.startswith("_")}
    return sorted(files - HELPERS.get(kind, set()) | {e.name for e in entry_points(group=f"bench.{kind}")})


def load(kind: str, name: str) -> ModuleType:
    """Return the module of a plug-in.

    An installed package provides a plug-in through an entry point in the group ``bench.<kind>`` that names a module.

    Raises:
        UserError: no plug-in has this name, and the message lists the valid names; or the user's folder has a file of
            the same name as the suite.
    """
    is_file = name.isidentifier() and not name.startswith("_") and name not in HELPERS.get(kind, ())
    shipped = Path(__file__).parent / kind / f"{name}.py"
    own = next((path for folder in _own() if is_file and (path := folder / kind / f"{name}.py").is_file()), None)
    if own:
        if shipped.is_file() and not shipped.samefile(own):
            raise UserError(f"{own}: the suite has a file of this name in bench/{kind}: rename yours.")
        return _load_file(kind, own)
    if is_file and shipped.is_file():
        return importlib.import_module(f"bench.{kind}.{name}")
    for entry in entry_points(group=f"bench.{kind}"):
        if entry.name == name:
            return importlib.import_module(entry.module)
    raise UserError(f"unknown {kind[:-1]} {name!r}{instead_of(name, names(kind))}")


def _own() -> list[Path]:
    """Return the user's folder of plug-ins, if there is one."""
    folder = os.environ.get(OWN)
    return [Path(folder)] if folder else []


def _load_file(kind: str, path: Path) -> ModuleType:
    """Return the module in a file of the user's folder; it is executed once in a process."""
    name = f"crackbench_own_{kind}_{path.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # the file ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


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
