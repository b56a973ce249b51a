"""Preload the heavy imports in the fork server, so that each cell starts without them."""

import gc
import importlib
import os
import signal

from bench.sweep.progress import BAR_FORMAT

os.environ["TQDM_BAR_FORMAT"] = BAR_FORMAT  # tqdm, which most of these libraries import, reads it on import

# torch imports _dynamo with the first optimiser; segmentation_models_pytorch imports timm with its models
for _name in ("torch._dynamo", "segmentation_models_pytorch", "albumentations", "safetensors.torch"):
    importlib.import_module(_name)
gc.collect()
gc.freeze()  # otherwise the garbage collector of each child would touch, and so copy, every page
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Slurm signals every process of a job; cells handle it themselves
