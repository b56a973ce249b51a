"""What a training imports, imported before it is asked for: forked children start with it in no time."""

import gc
import importlib
import signal

# torch imports _dynamo when the first optimiser is made; smp's models come with timm
for _name in ("torch._dynamo", "segmentation_models_pytorch", "bench.stages.train", "bench.cli"):
    importlib.import_module(_name)
gc.collect()
gc.freeze()  # a child's collector would touch, and so copy, every page
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Slurm sends it to every process; cells take it again, and end in order
