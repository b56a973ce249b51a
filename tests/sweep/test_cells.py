"""What DVC is asked and told, in a small pipeline of a real DVC; and what a sweep makes of it."""

import json
import os
import shutil
import signal
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import IO

import dvc.utils.serialize._yaml
import pytest
from dvc.repo import Repo, lock_repo
from packaging.requirements import Requirement

from bench.errors import UserError
from bench.formats import files
from bench.formats.lock import exclusive
from bench.sweep import cells, ledger, output
from bench.sweep.repository import repository
from bench.sweep.state import LEDGER, stage_state
from bench.tools import workspace

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
    workspace.dvc(tmp_path, "init", "--no-scm", "--quiet")
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


def test_cells_that_another_dvc_process_computes_are_reported(project: Path) -> None:
    held = {"write": {str(project / "runs/a/m"): {"pid": os.getppid(), "cmd": "dvc repro"}}, "read": {}}
    (project / ".dvc/tmp/rwlock").write_text(json.dumps(held))
    with pytest.raises(UserError, match=r"(?s)DVC is busy in .*dvc repro"):
        cells.stale(project, "train")


def test_an_output_that_is_gone_is_computed_again(project: Path) -> None:
    cell = cells.stale(project, "train", ["train@a-m"])[0][0]
    attempt = ledger.claim(ledger.last(project / LEDGER, cell.name), cell.fingerprint)
    assert attempt
    (project / cell.target).mkdir(parents=True)
    (project / cell.target / "weights").write_text("1")
    files.write_checksums(project / cell.target)
    ledger.end(attempt, "done", "", 1.0, output.digest(project / cell.target))
    assert [c.name for c, _ in stage_state(project, "train").done] == ["train@a-m"]
    (project / cell.target / "weights").write_text("2")  # another run than that of the attempt
    assert [c.name for c, _ in stage_state(project, "train").todo] == ["train@a-m", "train@a-n"]
    shutil.rmtree(project / cell.target)
    assert [c.name for c, _ in stage_state(project, "train").todo] == ["train@a-m", "train@a-n"]


def test_what_was_computed_before_with_the_same_inputs_is_restored(project: Path) -> None:
    def change_input(content: str) -> None:
        (project / "prepared" / "a" / "file").write_text(content)
        with repository(project) as repo:
            prepare = next(s for s in repo.index.stages if s.name == "prepare@a")
            prepare.save()
            prepare.commit()
            prepare.dump(update_pipeline=False)

    compute(project, "train", ["train@a-m"])
    run = project / "runs" / "a" / "m"
    change_input("other settings")
    (run / "file").unlink()
    (run / "file").write_text("of other settings")
    again = cells.stale(project, "train", ["train@a-m"])[0]
    assert cells.restore(project, ["train@a-m", "train@a-n"]) == []
    assert cells.record(project, {cell.name: cell.fingerprint for cell in again}) == []

    change_input("prepare@a")
    assert [c.name for c in cells.stale(project, "train")[0]] == ["train@a-m", "train@a-n"]
    assert cells.restore(project, ["train@a-m", "train@a-n"]) == ["train@a-m"]
    assert (run / "file").read_text() == "train@a-m"
    assert [c.name for c in cells.stale(project, "train")[0]] == ["train@a-n"]
    change_input("other settings")
    assert cells.restore(project, ["train@a-m"]) == ["train@a-m"]
    assert (run / "file").read_text() == "of other settings"


def test_a_time_limit_that_arrives_while_cells_are_recorded_waits_until_they_are(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm signals a job before its limit, and submitit ends it from the handler: dvc.lock would be cut off."""
    cell = cells.stale(project, "train", ["train@a-m"])[0][0]
    (project / cell.target).mkdir(parents=True)
    (project / cell.target / "file").write_text(cell.name)
    dumped = dvc.utils.serialize._yaml._dump

    def dump(data: object, stream: IO[str]) -> None:
        if stream.name.endswith("dvc.lock"):
            stream.write("cut")
            stream.flush()
            os.kill(os.getpid(), signal.SIGUSR2)
            stream.seek(0)
        dumped(data, stream)

    before = signal.signal(signal.SIGUSR2, lambda number, frame: sys.exit("the end of the job"))
    try:
        monkeypatch.setattr(dvc.utils.serialize._yaml, "_dump", dump)
        with pytest.raises(SystemExit, match="the end of the job"):
            cells.record(project, {cell.name: cell.fingerprint})
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert [c.name for c in cells.stale(project, "train")[0]] == ["train@a-n"]


def test_what_changes_while_cells_are_recorded_is_not_recorded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recording many cells takes minutes, in which a user may edit."""
    cell = cells.stale(project, "train", ["train@a-m"])[0][0]
    (project / cell.target).mkdir(parents=True)
    monkeypatch.setattr(cells, "refuse_users", lambda *_: (project / "prepared" / "a" / "file").write_text("edited"))
    assert cells.record(project, {cell.name: cell.fingerprint}) == [cell.name]
    assert "train@a-m" not in (project / "dvc.lock").read_text()


def test_an_output_that_is_trained_anew_by_hand_is_not_recorded(project: Path) -> None:
    cell = cells.stale(project, "train", ["train@a-m"])[0][0]
    run = project / cell.target
    run.mkdir(parents=True)
    (run / "weights").write_text("1")
    files.write_checksums(run)
    fingerprints, outputs = {cell.name: cell.fingerprint}, {cell.name: output.digest(run)}
    with exclusive(run):
        assert cells.record(project, fingerprints, outputs) == [cell.name]
    (run / "weights").write_text("2")
    assert cells.record(project, fingerprints, outputs) == [cell.name]
    (run / "weights").write_text("1")
    assert cells.record(project, fingerprints, outputs) == []


def test_what_is_trained_by_hand_is_not_removed_to_restore_another(project: Path) -> None:
    compute(project, "train", ["train@a-m"])
    run = project / "runs" / "a" / "m"
    (run / "file").unlink()
    (run / "file").write_text("of a training that runs")
    with exclusive(run):
        assert cells.restore(project, ["train@a-m"]) == []
    assert (run / "file").read_text() == "of a training that runs"
    assert cells.restore(project, ["train@a-m"]) == ["train@a-m"]


def test_the_installed_dvc_is_one_that_pyproject_allows() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bound = next(r for r in map(Requirement, project["dependencies"]) if r.name == "dvc")
    assert any(s.operator == "<" for s in bound.specifier), "dvc needs an upper bound: its internals are used"
    assert bound.specifier.contains(version("dvc"))


# What cells.py and repository.py use of DVC beside its command line. DVC promises none of it: if an upgrade lacks one
# of these, adapt them, then the bound in pyproject.toml.
INTERNALS = {
    "dvc.fs": ["localfs.overlaps"],
    "dvc.exceptions": ["DvcException", "NotDvcRepoError"],
    "dvc.lock": ["LockError"],
    "dvc.repo": ["Repo.__enter__", "Repo.index", "lock_repo"],
    "dvc.rwlock": ["rwlock", "SCHEMA", "RWLockFileCorruptedError", "RWLockFileFormatError"],
    "dvc.stage.cache": ["RunCacheNotFoundError", "StageCache.restore", "StageCache.save"],
    "dvc.dependency.base": ["DependencyDoesNotExistError"],
    "dvc.stage": [
        "PipelineStage", "Stage.changed", "Stage.save_deps", "Stage.save_outs", "Stage.compute_md5",
        "Stage.remove_outs", "Stage.dvcfile", "Stage.path_in_repo",
    ],
    "dvc.output": ["Output.exists", "Output.commit", "Output.clear"],
    "dvc.dvcfile": ["ProjectFile.dump_stages"],
}  # fmt: skip
OF_A_STAGE = {"name": str, "md5": object, "cmd": str, "path_in_repo": str, "deps": list, "outs": list}
OF_A_FILE = {"def_path": str, "fs_path": str, "hash_info": object}


@pytest.mark.parametrize("name", [f"{module}:{name}" for module, names in INTERNALS.items() for name in names])
def test_dvc_has_what_cells_uses(name: str) -> None:
    module, _, path = name.partition(":")
    value = import_module(module)
    for part in path.split("."):
        assert hasattr(value, part), f"DVC {version('dvc')} lacks {module}.{path}: adapt bench/sweep/cells.py"
        value = getattr(value, part)


def test_a_stage_of_dvc_has_what_cells_reads(project: Path) -> None:
    with Repo(str(project)) as repo, lock_repo(repo):
        stage = next(s for s in repo.index.stages if s.name == "prepare@a")
        stage.save_deps()
        files = [*stage.deps, *stage.outs]
        for kinds, things in ((OF_A_STAGE, [stage]), (OF_A_FILE, files)):
            for name, kind in kinds.items():
                assert all(isinstance(getattr(thing, name, None), kind) for thing in things), name
        assert all(dep.hash_info.value for dep in stage.deps)
        assert all(out.exists for out in stage.outs)
        assert "update_pipeline" in signature(stage.dvcfile.dump_stages).parameters
