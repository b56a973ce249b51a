"""Evaluation, scoring, check, ranking, report and audit run where nothing of the extra `train` is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

WITHOUT = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "segmentation_models_pytorch", "albumentations",
                                  "safetensors", "timm", "torchmetrics", "sklearn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
import pytest

from bench.cli.main import main
main(sys.argv[1:], prog_name="bench")
"""


def bench(folder, *arguments, status=0):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "error::DeprecationWarning:bench", "-c", WITHOUT, *arguments]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(root), "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr * bool(status)


def test_everything_after_training_runs_without_torch(workspace, write_predictions):
    folder = workspace(["cfd", "forest"], {"fpn": 0.6, "unet": 0.75})
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.9)
    assert "6 items scored" in bench(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net")
    assert "0 findings" in bench(folder, "check")
    assert "UNET" in bench(folder, "leaderboard", "--resamples", "200")
    assert "Verdict" in bench(folder, "compare", "my_net", "--resamples", "200")
    assert "UNET" in bench(folder, "conventions", "unet", "--dataset", "cfd")
    assert "first on 8 of 10" in bench(folder, "audit-paper")


def test_evaluate_and_report_run_without_torch(workspace, write_predictions):
    import pandas as pd

    from bench.formats import files, prepared, run

    folder = workspace(["cfd"], {"unet": 0.75})
    data = prepared.read(folder / "prepared" / "cfd")
    write_predictions(folder / "runs" / "cfd" / "unet" / "0" / "probabilities", folder / "prepared" / "cfd", 0.9)
    record = dict.fromkeys(run.RECORD, "x") | files.read_json(folder / "results/scores/cfd/cells.json")["cells"][0]
    assert record["data"] == data.card["content"]
    history = pd.DataFrame([dict.fromkeys(run.HISTORY, 1.0)])
    run.write(folder / "runs" / "cfd" / "unet" / "0", record, history)
    bench(folder, "evaluate", "prepared/cfd", "runs/cfd", "results/scores/cfd", "--dataset", "cfd")
    assert "1 cells" in bench(folder, "report")
    assert "0 findings" in bench(folder, "check")
    assert (folder / "reports" / "summary.csv").is_file()
    assert list((folder / "reports" / "tables").glob("leaderboard_*.md"))


def test_what_needs_torch_says_so(workspace):
    folder = workspace(["cfd"], {"unet": 0.6})
    said = bench(folder, "train", "prepared/cfd", "runs/cfd/unet/0", "--model", "unet", status=1)
    assert said.endswith("pip install '.[train]'` in the clone of CrackBench.\n")
    assert "Traceback" not in said
