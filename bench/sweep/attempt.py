"""One attempt to run a cell, as its files in the ledger describe it; a damaged file counts as missing."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import uuid4

from bench.errors import UserError
from bench.formats import files
from bench.sweep import owner

State = Literal["running", "done", "failed", "interrupted", "lost"]

_DAMAGED, UNREADABLE = "is damaged", "cannot be read"
_END: dict[str, files.Kind] = {"state": str, "why": str, "seconds": files.NUMBER}


@dataclass(frozen=True)
class Attempt:
    """One attempt to run a cell.

    Attributes:
        folder: folder of the cell.
        number: from 1; 0 before the first attempt.
        fingerprint: fingerprint of the cell when it was claimed.
        state: "running", "done", "failed" (needs a fix), "interrupted" (stopped gracefully) or "lost" (owner died).
        why: reason for the final state.
        seconds: duration.
        recorded: whether it is recorded with DVC.
        job: id of its Slurm job, or "".
        claim_id: random id of its claim, which its end names; "" in ledgers of earlier versions.
        output: digest of the finished output if done, or "".
        damage: damaged files -> what is wrong with them.
    """

    folder: Path
    number: int
    fingerprint: str = ""
    state: State = "lost"
    why: str = ""
    seconds: float = 0.0
    recorded: bool = False
    job: str = ""
    claim_id: str = ""
    output: str = ""
    damage: Mapping[Path, str] = field(default_factory=dict)

    def path(self, suffix: str) -> Path:
        """Return the path of a file of this attempt, by suffix."""
        return self.folder / f"{self.number:03}.{suffix}"

    @property
    def log(self) -> Path:
        """Return the path of the log."""
        return self.path("log")


def read(attempt: Attempt, jobs: frozenset[str] | None) -> Attempt:
    """Return an attempt as its files describe it."""
    damage: dict[Path, str] = {}
    claim = read_content(attempt.path("claim"), {"fingerprint": str, "owner": dict}, damage)
    owners = [read_owner(attempt.path("claim"), claim and claim["owner"], damage)]
    if owners[0] is None:
        claim = None
    owners.append(read_owner(attempt.path("child"), read_content(attempt.path("child"), {}, damage), damage))
    job = _job(attempt.path("job"), damage)
    is_queued = bool(job) and (jobs is None or job in jobs)
    is_alive = any(o and owner.is_alive(o, attempt.path(s)) for o, s in zip(owners, ("claim", "child"), strict=True))
    is_alive |= claim is None and owner.age_s(attempt.path("lock")) < owner.LEASE_S  # about to be claimed
    attempt = replace(
        attempt,
        state="running" if is_queued or is_alive else "lost",
        fingerprint=claim["fingerprint"] if claim else "",
        claim_id=str(claim.get("id", "")) if claim else "",
        recorded=attempt.path("recorded").exists(),
        job=job,
    )
    ended_attempt = read_end(attempt, claim is not None, damage)  # after the owner, who may have ended meanwhile
    if ended_attempt and not (ended_attempt.state == "interrupted" and is_queued):  # else it is requeued
        attempt = ended_attempt
    if any(what.startswith(UNREADABLE) for what in damage.values()):
        attempt = replace(attempt, state="running")  # it may be; another user's, for example
    return replace(attempt, damage=damage)


def read_end(attempt: Attempt, has_claim: bool, damage: dict[Path, str]) -> Attempt | None:
    """Return an attempt with its final state, or None; without a claim only a finished output counts."""
    for suffix in ("end", "done"):
        content = read_content(attempt.path(suffix), _END, damage)
        if content and content["state"] not in get_args(State):
            damage[attempt.path(suffix)] = _DAMAGED
        elif content:
            is_own = has_claim and content.get("claim", "") == attempt.claim_id
            if is_own or (not has_claim and content["state"] == "done"):
                return replace(
                    attempt,
                    state=content["state"],
                    why=content["why"],
                    seconds=content["seconds"],
                    output=str(content.get("output", "")),
                    fingerprint=str(content.get("fingerprint", attempt.fingerprint)),
                )
    return None


def read_content(path: Path, kinds: Mapping[str, files.Kind], damage: dict[Path, str]) -> dict[str, Any] | None:
    """Return the content of a file, or None if it is missing or damaged; note the damage."""
    if not os.path.lexists(path):
        return None
    try:
        if path.is_file():
            content: dict[str, Any] = files.read_object(path, kinds)
            return content
        damage[path] = "is not a file"
    except UserError:
        damage[path] = _DAMAGED
    except OSError as error:
        damage[path] = f"{UNREADABLE} ({error.strerror})"
    return None


def read_owner(path: Path, content: Any, damage: dict[Path, str]) -> owner.Owner | None:
    """Return the process that a file names, or None if it is missing or damaged."""
    if content is None:
        return None
    try:
        return owner.parse(content, path)
    except UserError:
        damage[path] = _DAMAGED
        return None


def _job(path: Path, damage: dict[Path, str]) -> str:
    """Return the id of a Slurm job, or "" if the file is missing or damaged."""
    if not os.path.lexists(path):
        return ""
    try:
        job = path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""
    except OSError as error:
        damage[path] = f"{UNREADABLE} ({error.strerror})"
        return ""
    if not re.fullmatch(r"[0-9]+(_[0-9]+)?", job):
        damage[path] = _DAMAGED
        return ""
    return job


def set_aside(attempt: Attempt) -> list[str]:
    """Rename the damaged files of an attempt, so that each is reported once; return what was found."""
    lines = []
    for path, what in attempt.damage.items():
        aside = path.with_name(f"{path.name}.damaged-{uuid4().hex[:6]}")
        result = "left as it is"
        if not what.startswith(UNREADABLE):
            with suppress(OSError):
                path.rename(aside)
                result = f"moved to {aside.name}"
        lines.append(f"{path} {what}; {result}, other cells are not affected")
    return lines
