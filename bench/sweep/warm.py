"""Preload the heavy imports in the fork server, so that each cell starts without them."""

import os
import signal

from bench.sweep.preload import preload
from bench.sweep.progress import BAR_FORMAT

os.environ["TQDM_BAR_FORMAT"] = BAR_FORMAT  # tqdm, which most of these libraries import, reads it on import
preload()
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Slurm signals every process of a job; cells handle it themselves
