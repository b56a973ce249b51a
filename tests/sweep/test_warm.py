"""What the fork server preloads."""

import subprocess
import sys

CODE = """
import signal, sys
import bench.sweep.warm
from bench.sweep.progress import BAR_FORMAT
print("torch._dynamo" in sys.modules)
print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)
from tqdm import tqdm
print(tqdm([], disable=False, file=sys.stderr).bar_format == BAR_FORMAT)
"""


def test_libraries_are_loaded_bars_can_be_parsed_and_sigterm_is_left_to_the_cells() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3
