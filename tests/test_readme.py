"""What the documents show for a new model works: at most three commands to a verdict, 15 lines of code, Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OWN_MODEL = (ROOT / "docs" / "own_model.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def block(text, heading, language):
    section = text.partition(f"# {heading}\n")[2]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]


def test_the_commands_lead_from_masks_to_a_verdict(workspace, write_predictions):
    folder = workspace(["cfd", "forest"], {"fpn": 0.6, "unet": 0.75})
    for dataset in ("cfd", "forest"):
        write_predictions(folder / "masks" / dataset, folder / "prepared" / dataset, 0.9)
    commands = block(OWN_MODEL, "Score predictions", "sh")
    assert commands.count("bench ") <= 3
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": search, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-e", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Verdict: my_net is ahead of UNET" in done.stdout


def test_the_readme_leads_from_clone_to_verdict_in_three_commands():
    commands = block(README, "CrackBench", "sh").splitlines()
    assert len(commands) == 3
    assert [line.split()[:2] for line in commands] == [
        ["make", "install"],
        ["bench", "leaderboard"],
        ["bench", "enter"],
    ]


def test_the_python_shown_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    values = {}
    exec(block(PYTHON, "Python", "python").replace("resamples=1000", "resamples=100"), values)
    assert values["crackbench"].evaluate([[0, 1, 1]], [[0, 255, 0]])["precision"] == 0.5
    assert values["results"].left_out == {}


def test_the_model_file_is_a_model_in_at_most_15_lines():
    torch = pytest.importorskip("torch")
    code = block(CONTRIBUTING, "A model", "python")
    assert len([line for line in code.splitlines() if line]) <= 15
    module: dict = {}
    exec(code, module)
    assert module["NAME"]
    network = module["build"](3, 1, 64, "resnet18", None)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1, 64, 64)


def test_an_installed_package_offers_a_model_by_an_entry_point(tmp_path, monkeypatch):
    from bench import plugins

    (tmp_path / "other_net.py").write_text(block(CONTRIBUTING, "A model", "python"), encoding="utf-8")
    facts = tmp_path / "other_net-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: other-net\nVersion: 1.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text("[bench.models]\nother_net = other_net\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "other_net" in plugins.names("models")
    assert plugins.load("models", "other_net").NAME == "MyNet"
