"""The imports made once for all cells."""

import subprocess
import sys

CODE = """
import gc, sys
from bench.sweep.preload import preload
before = gc.get_freeze_count()
preload()
print(all(m in sys.modules for m in ("torch._dynamo", "segmentation_models_pytorch", "albumentations")))
print(gc.get_freeze_count() > before)
print([m for m in sys.modules if m.startswith("bench.") and m not in ("bench.sweep", "bench.sweep.preload")])
"""


def test_libraries_are_loaded_and_frozen_but_none_of_the_code_that_may_change() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True", "True", "[]"]
