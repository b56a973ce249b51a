"""The ledger: claims are exclusive, owners are told dead from alive."""

import errno
import json
import multiprocessing
import os
import socket
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bench.formats import files
from bench.sweep import ledger, owner
from bench.sweep.attempt import Attempt


def test_of_many_claims_at_once_one_wins(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        for i in range(25):
            won = list(pool.map(ledger.claim, [Attempt(tmp_path / f"cell{i}", 0)] * 8, ["f"] * 8))
            assert len(won) - won.count(None) == 1
    assert not list(tmp_path.glob("*/.*"))  # no temporary files are left


def test_without_hard_links_one_claim_wins_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with ThreadPoolExecutor(4) as pool:
        for i in range(25):
            won = list(pool.map(ledger.claim, [Attempt(tmp_path / f"cell{i}", 0)] * 8, ["f"] * 8))
            assert len(won) - won.count(None) == 1
            assert ledger.last(tmp_path, f"cell{i}").claim_id in {w.claim_id for w in won if w}


def test_a_claim_that_is_being_written_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "c" / "001.lock").mkdir(parents=True)
    assert ledger.last(tmp_path, "c").state == "running"
    old = (tmp_path / "c" / "001.lock").stat().st_mtime - owner.LEASE_S - 60
    os.utime(tmp_path / "c" / "001.lock", (old, old))
    assert ledger.last(tmp_path, "c").state == "lost"


def test_attempts_follow_each_other(tmp_path: Path) -> None:
    first = ledger.claim(ledger.last(tmp_path, "train@a"), "f")
    assert first is not None
    assert first.number == 1
    assert ledger.last(tmp_path, "train@a").state == "running"

    ledger.end(first, "failed", "why", 1.234)
    assert ledger.end(first, "done", "", 2).state == "failed"  # how it ended first counts
    second = ledger.claim(ledger.last(tmp_path, "train@a"), "g")
    assert second is not None
    assert second.number == 2
    assert ledger.last(tmp_path, "train@a") == second


def test_an_owner_is_dead_when_its_process_or_its_signs_are_gone(tmp_path: Path) -> None:
    attempt = ledger.claim(Attempt(tmp_path / "c", 0), "f")
    assert attempt is not None
    claim = attempt.path("claim")
    content = json.loads(claim.read_text())

    content["owner"]["started"] -= 1000  # the number was given to another process since
    claim.write_text(json.dumps(files.with_checksum(content)))
    assert ledger.last(tmp_path, "c").state == "lost"

    content["owner"]["host"] = socket.gethostname()  # another container of this name, where numbers mean others
    claim.write_text(json.dumps(files.with_checksum(content)))
    assert ledger.last(tmp_path, "c").state == "running"
    old = claim.stat().st_mtime - owner.LEASE_S - 60
    os.utime(claim, (old, old))
    assert ledger.last(tmp_path, "c").state == "lost"
    ledger.heartbeat(attempt)
    assert ledger.last(tmp_path, "c").state == "running"


def test_a_clock_that_is_set_leaves_the_living_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ledger.claim(Attempt(tmp_path / "c", 0), "f")
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 0.0)  # it moves with the clock
    assert ledger.last(tmp_path, "c").state == "running"


def test_a_job_counts_while_slurm_knows_it(tmp_path: Path) -> None:
    attempt = ledger.claim(Attempt(tmp_path / "c", 0), "f")
    assert attempt is not None
    content = json.loads(attempt.path("claim").read_text())
    content["owner"]["started"] -= 1000
    attempt.path("claim").write_text(json.dumps(files.with_checksum(content)))
    ledger.mark_job(attempt, "12_3")

    assert ledger.last(tmp_path, "c", frozenset({"12_3"})).state == "running"
    assert ledger.last(tmp_path, "c", None).state == "running"  # Slurm does not answer
    assert ledger.last(tmp_path, "c", frozenset({"12_4"})).state == "lost"
    ledger.end(attempt, "interrupted", "stopped", 1)
    assert ledger.last(tmp_path, "c", frozenset({"12_3"})).state == "running"  # queued again
    assert ledger.last(tmp_path, "c", frozenset()).state == "interrupted"
