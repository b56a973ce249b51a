"""The process that runs a cell, piece by piece."""

import subprocess
import sys
from pathlib import Path

import pytest

SCORE = Path("/proc/self/oom_score_adj")
CODE = f"""
from pathlib import Path
from bench.sweep import worker
score = Path("{SCORE}")
score.write_text("BEFORE")
worker._prefer_for_oom_kill()
print(score.read_text())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's score is Linux's")
@pytest.mark.parametrize("before", [300, 800])
def test_the_kernel_s_score_rises_only(before: int) -> None:
    before = max(before, int(SCORE.read_text()))
    code = CODE.replace("BEFORE", str(before))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == max(before, 500)
