"""What DVC is asked and told, in a small pipeline of a real DVC; and what a sweep makes of it."""

import json
import os
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.sweep import cells, ledger
from bench.sweep import sweep as sweep_module
from bench.sweep.sweep import LEDGER
from bench.tools import demo

PIPELINE = """
stages:
  prepare:
    matrix: {dataset: [a, b]}
    cmd: bench prepare ${item.dataset}
    deps: [raw]
    outs: ["prepared/${item.dataset}"]
  train:
    matrix: {dataset: [a, b], model: [m, n]}
    cmd: bench train ${item.dataset} ${item.model}
    deps: ["prepared/${item.dataset}"]
    outs: ["runs/${item.dataset}/${item.model}"]
  evaluate:
    matrix: {dataset: [a, b]}
    cmd: bench evaluate ${item.dataset}
    deps: ["runs/${item.dataset}"]
    outs: ["scores/${item.dataset}"]
  report:
    cmd: bench report
    deps: [scores]
    outs: [reports]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A pipeline of which dataset a is prepared and dataset b is not."""
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "raw").write_text("x")
    demo.dvc(tmp_path, "init", "--no-scm", "--quiet")
    compute(tmp_path, "prepare", ["prepare@a"])
    return tmp_path


def compute(folder: Path, stage: str, names: list[str]) -> None:
    """Write what cells write, and tell DVC."""
    fit = cells.stale(folder, stage, names)[0]
    for cell in fit:
        (folder / cell.target).mkdir(parents=True)
        (folder / cell.target / "file").write_text(cell.name)
    assert cells.record(folder, {cell.name: cell.fingerprint for cell in fit}) == []


def test_what_is_not_prepared_holds_up_its_own_cells_alone(project: Path) -> None:
    fit, waiting, asked = cells.stale(project, "train")
    assert [cell.name for cell in fit] == ["train@a-m", "train@a-n"]
    assert waiting == {"train@b-m": ["prepare@b"], "train@b-n": ["prepare@b"]}
    assert len(asked) == 4
    assert cells.stale(project, "train", ["train@a-n"]) == (fit[1:], {}, ["train@a-n"])
    with pytest.raises(UserError, match="no cell 'train@c-m'"):
        cells.stale(project, "train", ["train@c-m"])


def test_a_folder_of_runs_needs_each_of_them(project: Path) -> None:
    compute(project, "train", ["train@a-m"])
    assert cells.stale(project, "evaluate", ["evaluate@a"])[1] == {"evaluate@a": ["train@a-n"]}
    compute(project, "train", ["train@a-n"])
    assert [cell.name for cell in cells.stale(project, "evaluate", ["evaluate@a"])[0]] == ["evaluate@a"]


def test_what_is_no_matrix_is_no_sweep(project: Path) -> None:
    with pytest.raises(UserError, match=r"no matrix stage 'report'. Matrix stages: evaluate, prepare, train\."):
        cells.stale(project, "report")


def test_what_dvc_computes_elsewhere_is_told(project: Path) -> None:
    held = {"write": {str(project / "runs/a/m"): {"pid": os.getppid(), "cmd": "dvc repro"}}, "read": {}}
    (project / ".dvc/tmp/rwlock").write_text(json.dumps(held))
    with pytest.raises(UserError, match=r"(?s)DVC is busy in .*dvc repro"):
        cells.stale(project, "train")


def test_an_output_that_is_gone_is_computed_again(project: Path) -> None:
    cell = cells.stale(project, "train", ["train@a-m"])[0][0]
    attempt = ledger.claim(ledger.last(project / LEDGER, cell.name), cell.fingerprint)
    assert attempt
    ledger.end(attempt, "done", "", 1.0)
    (project / cell.target).mkdir(parents=True)
    assert [c.name for c, _ in sweep_module.stage_state(project, "train").done] == ["train@a-m"]
    (project / cell.target).rmdir()
    assert [c.name for c, _ in sweep_module.stage_state(project, "train").todo] == ["train@a-m", "train@a-n"]
