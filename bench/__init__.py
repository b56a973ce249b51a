"""CrackBench: a reproducible benchmark suite for crack segmentation.

The functions below are those of the command line, for scripts and notebooks. ``import crackbench`` and ``import bench``
offer the same; importing them loads no other library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api import evaluate, load_dataset, load_model, predict, read_results

__all__ = ["evaluate", "load_dataset", "load_model", "predict", "read_results"]


def __getattr__(name: str) -> Any:
    """Return a function of ``bench.api`` when it is first asked for (PEP 562)."""
    if name in __all__:
        return getattr(import_module("bench.api"), name)
    if name == "__version__":
        return import_module("importlib.metadata").version("crackbench")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__, "__version__"]
