"""What the fork server preloads."""

import subprocess
import sys

CODE = """
import gc, signal, sys
before = gc.get_freeze_count()
import bench.sweep.warm
from bench.sweep.progress import BAR_FORMAT
print(all(m in sys.modules for m in ("torch._dynamo", "segmentation_models_pytorch", "albumentations")))
print(gc.get_freeze_count() > before)
print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)
from tqdm import tqdm
print(tqdm([], disable=False, file=sys.stderr).bar_format == BAR_FORMAT)
"""


def test_libraries_are_loaded_frozen_bars_can_be_parsed_and_sigterm_is_left_to_the_cells() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 4
