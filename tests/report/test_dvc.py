"""`dvc metrics` and `dvc plots` on a report in a real git and DVC repository: they say what changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from bench.formats import files

ROOT = Path(__file__).parents[2]
QUIET = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c"}

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on this machine")


@pytest.fixture
def repository(tmp_path, write_grid, run_report):
    """Return a function that runs a command in a repository of two commits: of five epochs, then better."""
    environment = {**os.environ, **QUIET, "DVC_NO_ANALYTICS": "1", "PYTHONWARNINGS": "default"}

    def call(*command):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dvc(*command):
        return call(sys.executable, "-m", "dvc", *command)

    call("git", "init", "-q")
    dvc("init", "-q")
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({k: pipeline[k] for k in ("metrics", "plots")}))
    write_grid(tmp_path)
    run_report(tmp_path, only=("numbers",))
    call("git", "add", "-A")
    call("git", "commit", "-qm", "first")
    for path in (tmp_path / "results" / "scores").glob("*/images.csv"):
        frame = pd.read_csv(path)
        better = frame["model"] == "unet"
        frame.loc[better, "tp"] += frame.loc[better, "fn"]
        frame.loc[better, "fn"] = 0
        frame.to_csv(path, index=False, lineterminator="\n")
        files.write_checksums(path.parent)
    run_report(tmp_path, only=("numbers",))
    call("git", "commit", "-qam", "second")
    return dvc


def test_metrics_and_plots_say_what_is_and_what_changed(repository, tmp_path):
    assert "context_cracknet" in repository("metrics", "show")
    changed = json.loads(repository("metrics", "diff", "HEAD~1", "HEAD", "--json"))["reports/metrics.json"]
    assert changed["unet.recall"]["new"] == 1.0
    assert changed["unet.crack_iou"]["diff"] > 0.01
    assert not [k for k in changed if k.startswith("unetplusplus") and "rank" not in k]  # it is as it was
    repository("plots", "show", "--out", "shown")
    page = (tmp_path / "shown" / "index.html").read_text()
    for text in ("mean crack IoU", "selection loss, mean over datasets", "Context-CrackNet"):
        assert text in page
