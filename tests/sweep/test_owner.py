"""Owners are judged alive or dead: by the system on this host, by their heartbeat on another."""

import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from bench.errors import UserError
from bench.sweep import owner
from bench.sweep.owner import Owner


def test_this_process_lives_and_one_of_another_start_does_not(tmp_path: Path) -> None:
    this = owner.this_process()
    assert owner.is_alive(this, tmp_path / "none")
    assert not owner.is_alive(replace(this, started=this.started - 1000), tmp_path / "none")
    assert not owner.is_alive(replace(this, pid=2**31 - 1), tmp_path / "none")


def test_the_time_of_start_does_not_move_with_the_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = owner.this_process()
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 0.0)
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert owner.is_alive(before, tmp_path / "none")


def test_on_another_host_the_heartbeat_counts(tmp_path: Path) -> None:
    beat = tmp_path / "claim"
    beat.touch()
    other = Owner("another host", 1, 0.0)
    assert owner.is_alive(other, beat)
    old = beat.stat().st_mtime - owner.LEASE_S - 60
    os.utime(beat, (old, old))
    assert not owner.is_alive(other, beat)
    assert not owner.is_alive(other, tmp_path / "none")
    assert list(tmp_path.iterdir()) == [beat]  # no temporary files are left
    assert not list(tmp_path.parent.glob(".now*"))


@pytest.mark.parametrize("jump_s", [-1e6, 1e6])
def test_a_clock_that_is_set_leaves_those_of_other_hosts_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    beat = tmp_path / "claim"
    beat.touch()
    jumped = time.time() + jump_s
    monkeypatch.setattr(time, "time", lambda: jumped)
    assert owner.is_alive(Owner("another host", 1, 0.0), beat)
    old = beat.stat().st_mtime - owner.LEASE_S - 60
    os.utime(beat, (old, old))
    assert not owner.is_alive(Owner("another host", 1, 0.0), beat)


def test_a_folder_of_another_user_is_judged_by_this_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError

    beat = tmp_path / "claim"
    beat.touch()
    monkeypatch.setattr(Path, "touch", refuse)
    owner._server_ahead_s.cache_clear()
    assert owner.age_s(beat) < owner.LEASE_S


def test_what_names_no_process_is_refused(tmp_path: Path) -> None:
    this = owner.this_process()
    assert owner.parse(asdict(this), tmp_path) == this
    for change in ({"host": 1}, {"pid": 0}, {"pid": True}, {"pid": 2**31}, {"started": "1"}):
        with pytest.raises(UserError, match="does not name a process"):
            owner.parse(asdict(this) | change, tmp_path)
