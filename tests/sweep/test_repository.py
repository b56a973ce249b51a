"""A sweep and `dvc repro` do not work on the same cells, and what blocks them is named."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.sweep import repository
from bench.tools import workspace

PIPELINE = """
stages:
  train:
    matrix: {model: [m, n]}
    cmd: mkdir -p runs && echo ${item.model} > runs/${item.model}
    outs: ["runs/${item.model}"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    workspace.dvc(tmp_path, "init", "--no-scm", "--quiet")
    return tmp_path


def repro(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", "repro"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)


def write_users(project: Path, **held: object) -> None:
    (project / ".dvc/tmp/rwlock").write_text(json.dumps({"write": {}, "read": {}} | held))


def test_dvc_repro_refuses_the_cells_of_a_sweep(project: Path) -> None:
    (project / "runs").mkdir()
    (project / "runs" / "m").write_text("of the sweep")
    with repository.hold(project, [Path("runs/m")]), repository.hold(project, [Path("runs/m")]):
        done = repro(project)
        assert done.returncode != 0
        assert "bench sweep" in done.stderr
        assert (project / "runs" / "m").read_text() == "of the sweep"
    assert "runs" not in (project / ".dvc/tmp/rwlock").read_text()
    assert repro(project).returncode == 0


def test_a_list_that_is_deleted_or_damaged_meanwhile_ends_no_sweep(project: Path) -> None:
    with repository.hold(project, [Path("runs/m")]):
        (project / ".dvc/tmp/rwlock").unlink()
    with repository.hold(project, [Path("runs/m")]):
        (project / ".dvc/tmp/rwlock").write_text("")
    assert (project / ".dvc/tmp/rwlock").read_text() == ""


def test_a_sweep_does_not_start_while_dvc_writes_anything(project: Path) -> None:
    other = {"pid": os.getppid(), "cmd": "dvc repro"}
    with repository.repository(project):  # makes the folder
        write_users(project, write={str(project / "prepared"): other})
    with (
        pytest.raises(UserError, match=r"`dvc repro` \(process \d+\) is working on .*prepared: wait"),
        repository.hold(project, [Path("runs/m")]),
    ):
        pass
    write_users(project, write={str(project / "prepared"): other | {"pid": 2**22 + 1}})  # it was killed
    with repository.hold(project, [Path("runs/m")]):
        pass
    write_users(project, read={str(project / "prepared"): [other]})  # reads alone
    with repository.hold(project, [Path("runs/m")]):
        pass


def test_outputs_in_use_are_refused_unless_a_sweep_uses_them(project: Path) -> None:
    with repository.repository(project) as repo:
        other = {"pid": os.getppid(), "cmd": "dvc repro evaluate"}
        write_users(project, read={str(project / "runs"): [other]})
        repository.refuse_users(repo, [str(project / "prepared")])
        with pytest.raises(UserError, match="dvc repro evaluate"):
            repository.refuse_users(repo, [str(project / "runs" / "m")])
        write_users(project, read={str(project / "runs"): [other | {"cmd": repository.SWEEP}]})
        repository.refuse_users(repo, [str(project / "runs" / "m")])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"write": 1}'])
def test_a_damaged_list_is_named_with_what_to_do(project: Path, content: str) -> None:
    with repository.repository(project):
        (project / ".dvc/tmp/rwlock").write_text(content)
    with pytest.raises(UserError, match=r"\.dvc/tmp/rwlock is damaged.*delete that file"), repository.hold(project, []):
        pass


def test_a_damaged_database_of_dvc_is_named_with_what_to_do(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("site")
    workspace.dvc(project, "config", "core.site_cache_dir", str(place))
    with repository.repository(project):
        pass
    for path in place.rglob("cache.db*"):
        path.write_bytes(b"garbage" * 1000)
    with (
        pytest.raises(
            UserError, match=r"database of file hashes .*delete its folder.*`dvc config core.site_cache_dir`"
        ),
        repository.repository(project),
    ):
        pass
    shutil.rmtree(place)  # as it says
    with repository.repository(project):
        pass


def test_a_folder_without_dvc_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no DVC repository"), repository.repository(tmp_path):
        pass


def test_a_lock_of_hard_links_that_another_process_holds_is_waited_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.lock import LockError, make_lock

    workspace.dvc(project, "config", "core.hardlink_lock", "true")
    monkeypatch.setattr(repository.lock, "is_possible", lambda folder: False)
    with (
        make_lock(str(project / ".dvc/tmp/lock"), tmp_dir=str(project / ".dvc/tmp"), hardlink_lock=True, friendly=True),
        ExitStack() as stack,
        pytest.raises(LockError),  # not the advice to delete the lock
    ):
        repository._wait_for_lock(project, stack, time.monotonic())
