"""`bench sweep --engine local`, whole: real cells, real DVC, real signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import psutil
import pytest
import yaml

from bench.sweep import cells, ledger, local, progress

pytestmark = pytest.mark.slow


def test_failing_cells_are_listed_and_the_others_recorded(tmp_path: Path, lab: ModuleType) -> None:
    folder = lab.make_workspace(tmp_path / "ws", models=["unet", "pan"])  # PAN cannot do 64 px

    status, said = lab.sweep(folder)

    assert status == 1
    assert "2 cells done in this sweep. 2 of 4 cells are up to date, 2 failed." in said
    assert ".sweep/train@cfd-pan-0/001.log" in said
    assert [c.name for c in cells.stale(folder, "train")[0]] == ["train@cfd-pan-0", "train@gaps-pan-0"]

    status, said = lab.sweep(folder)
    assert status == 1
    assert "0 cells done in this sweep" in said
    assert set(lab.attempts(folder).values()) == {1}

    lab.sweep(folder, "--retry-failed", "cfd/pan/0")
    assert lab.attempts(folder) == {n: 1 + (n == "train@cfd-pan-0") for n in lab.attempts(folder)}

    done = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "--json", "train@cfd-unet-0", "train@gaps-unet-0"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {}


def test_two_sweeps_at_once_train_each_cell_once(tmp_path: Path, lab: ModuleType) -> None:
    folder = lab.make_workspace(tmp_path / "ws")

    both = [lab.start(folder), lab.start(folder)]
    said = "".join(part for process in both for part in process.communicate(timeout=300))

    assert [p.returncode for p in both] == [0, 0], said
    assert lab.attempts(folder) == {f"train@{d}-{m}-0": 1 for d in ("cfd", "gaps") for m in ("fpn", "unet")}
    assert cells.stale(folder, "train")[0] == []

    (folder / "runs" / "cfd" / "unet" / "0" / "run.json").unlink()  # an output lost is in DVC's cache
    status, said = lab.sweep(folder)
    assert status == 0
    assert "1 cells restored from DVC's cache. 0 cells done in this sweep. 4 of 4 cells are up to date." in said
    assert (folder / "runs" / "cfd" / "unet" / "0" / "run.json").exists()
    assert sum(lab.attempts(folder).values()) == 4


def test_ctrl_c_stops_gracefully_and_the_next_sweep_resumes(long_workspace: Path, lab: ModuleType) -> None:
    process = lab.start(long_workspace)
    lab.wait_for(lambda: lab.training(long_workspace))
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    said = "".join(process.communicate(timeout=240))

    assert process.returncode == 128 + signal.SIGINT
    assert "stopped" in said
    assert lab.all_gone(children)
    assert len(list(long_workspace.glob("runs/cfd/*/.0.checkpoint/*.safetensors"))) == 2

    process = lab.start(long_workspace)
    lab.wait_for(
        lambda: len([p for p in (long_workspace / ".sweep").glob("*/002.log") if "epoch=" in p.read_text()]) == 2
    )
    children = psutil.Process(process.pid).children(recursive=True)
    stuck = next(psutil.Process(json.loads(p.read_text())["pid"]) for p in long_workspace.glob(".sweep/*/002.child"))
    stuck.suspend()  # it cannot end in order any more
    process.send_signal(signal.SIGINT)
    lab.wait_for(lambda: len(list(long_workspace.glob(".sweep/*/002.end"))) == 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=240)

    assert process.returncode == 128 + signal.SIGINT
    assert lab.all_gone(children)
    assert all("resuming from" in p.read_text() for p in long_workspace.glob(".sweep/*/002.log"))


def test_a_killed_cell_fails_alone_and_a_killed_sweep_leaves_no_orphans(long_workspace: Path, lab: ModuleType) -> None:
    process = lab.start(long_workspace)
    lab.wait_for(lambda: lab.training(long_workspace))
    victim = long_workspace / ".sweep" / "train@cfd-unet-0"
    os.kill(json.loads((victim / "001.child").read_text())["pid"], signal.SIGKILL)
    lab.wait_for((victim / "001.end").exists)

    assert json.loads((victim / "001.end").read_text())["state"] == "failed"
    assert "SIGKILL" in json.loads((victim / "001.end").read_text())["why"]
    children = psutil.Process(process.pid).children(recursive=True)
    assert any(c.pid == _child(long_workspace, "train@cfd-fpn-0") for c in children)

    process.kill()
    process.communicate()
    assert lab.all_gone(children)
    assert len(list(long_workspace.glob("runs/cfd/fpn/.0.checkpoint/*.safetensors"))) == 1
    said = lab.sweep(long_workspace, "--status")[1]
    assert "0 of 2 cells are up to date, 1 to do, 1 failed." in said


def test_when_the_server_of_forks_dies_cells_write_their_checkpoints(long_workspace: Path, lab: ModuleType) -> None:
    process = lab.start(long_workspace)
    lab.wait_for(lambda: lab.training(long_workspace))
    psutil.Process(_child(long_workspace, "train@cfd-unet-0")).parent().kill()
    said = "".join(process.communicate(timeout=120))

    assert "0 of 2 cells are up to date, 2 to do." in said
    assert len(list(long_workspace.glob("runs/cfd/*/.0.checkpoint/*.safetensors"))) == 2


def test_cells_of_a_second_server_show_their_progress_too(long_workspace: Path, lab: ModuleType) -> None:
    process = lab.start(long_workspace, "--jobs", "1")

    def trains(number: int) -> bool:
        return len([p for p in long_workspace.glob(".sweep/*/001.log") if progress.read(p).epoch]) == number

    lab.wait_for(lambda: trains(1))
    child = next(long_workspace.glob(".sweep/*/001.child"))
    psutil.Process(json.loads(child.read_text())["pid"]).parent().kill()
    lab.wait_for(lambda: trains(2))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=240)


def test_a_cell_that_takes_too_long_fails_and_keeps_its_checkpoint(long_workspace: Path, lab: ModuleType) -> None:
    status, said = lab.sweep(long_workspace, "--timeout", "0.05", "cfd/unet/0")

    assert status == 1
    assert "took longer than 0.05 minutes" in said
    assert len(list(long_workspace.glob("runs/cfd/unet/.0.checkpoint/*.safetensors"))) == 1


def test_what_changed_while_it_ran_is_not_recorded(tmp_path: Path, lab: ModuleType) -> None:
    folder = lab.make_workspace(tmp_path / "ws", datasets=["cfd"], models=["unet"])
    process = lab.start(folder)
    lab.wait_for(lambda: list(folder.glob(".sweep/*/001.child")))
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["train"]["lr"] = 0.5
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    said = "".join(process.communicate(timeout=240))

    assert process.returncode == 0, said
    assert "0 of 1 cells are up to date, 1 to do." in said


def test_stale_data_hold_up_their_own_cells_alone(tmp_path: Path, lab: ModuleType) -> None:
    folder = lab.make_workspace(tmp_path / "ws", models=["unet"])
    (folder / "prepared" / "cfd" / "card.json").unlink()

    status, said = lab.sweep(folder)

    assert status == 1
    assert "1 cells done in this sweep. 1 of 2 cells are up to date, 1 waiting." in said
    assert "train@cfd-unet-0 cannot run: prepare@cfd not up to date; run `dvc repro prepare` first." in said


def test_a_process_that_ends_on_its_own_has_not_finished(tmp_path: Path) -> None:
    attempt = ledger.claim(ledger.last(tmp_path, "c"), "f")
    assert attempt
    attempt.log.write_text("train: 4/8 images, 9.00image/s, 00:01 left, epoch=1\n")
    running = local.Running(None, attempt, None, None, 0.0)  # type: ignore[arg-type]
    assert local._outcome(running, 0) == ("failed", "its process exited with status 0 before the run was finished")
    assert local._outcome(running, 3) == ("failed", "exit status 3")  # not the progress bar
    attempt.log.write_text("Error: no memory\n")
    assert local._outcome(running, 3) == ("failed", "Error: no memory")


def test_a_ledger_that_cannot_be_written_is_named(tmp_path: Path, lab: ModuleType) -> None:
    folder = lab.make_workspace(tmp_path / "ws", datasets=["cfd"], models=["unet"])
    (folder / ".sweep").symlink_to("nowhere")
    status, said = lab.sweep(folder)
    assert status == 1
    assert "1 cells could not be started: the ledger cannot be written" in said
    assert "Traceback" not in said


def _child(folder: Path, cell: str) -> int:
    pid: int = json.loads((folder / ".sweep" / cell / "001.child").read_text())["pid"]
    return pid
