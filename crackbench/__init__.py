"""CrackBench from Python: load models and data, predict, evaluate, and read results; the same as ``import bench``."""

from typing import TYPE_CHECKING, Any

import bench

if TYPE_CHECKING:
    from bench import evaluate, load_dataset, load_model, predict, read_results

__all__ = ["evaluate", "load_dataset", "load_model", "predict", "read_results"]


def __getattr__(name: str) -> Any:
    """Return what ``bench`` has under this name, loaded when it is first asked for (PEP 562)."""
    if name in __all__ or name == "__version__":
        return getattr(bench, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__, "__version__"]
