"""The heavy imports of a training, made once in a process from which those of the cells are forked."""

import gc
import importlib


def preload() -> None:
    """Import what a training needs of other libraries, none of the suite's own code."""
    # torch imports _dynamo with the first optimiser; segmentation_models_pytorch imports timm with its models
    for name in ("torch._dynamo", "segmentation_models_pytorch", "albumentations", "safetensors.torch"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # otherwise the garbage collector of each child would touch, and so copy, every page
