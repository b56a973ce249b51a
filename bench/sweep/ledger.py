"""What was tried: a folder per cell with numbered attempts. Safe on a shared file system, needs no server.

``<cell>/NNN.claim`` says who owns attempt N. Whoever creates it, by a hard link, which is atomic on NFS too, runs the
cell; attempt N + 1 is claimed only by one who has seen attempt N end. ``NNN.end`` says how it ended, ``NNN.log`` holds
what it printed, ``NNN.child`` the process that computes, ``NNN.job`` its Slurm job, ``NNN.recorded`` that DVC knows.
"""

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import uuid4

import psutil

from bench.errors import UserError
from bench.formats import files

LEASE_S = 600
"""An owner on another host that gave no sign for so long is taken for dead; it gives one every half minute."""

_MEND = "make sure that no sweep runs this cell, then delete its folder there: only logs and tries are forgotten"

State = Literal["running", "done", "failed", "interrupted", "lost"]


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        host: name, boot and process namespace: within these a number belongs to one process at a time.
        pid: its number.
        started: ticks from boot to its start, as numbers are used again; without /proc, seconds since 1970.
    """

    host: str
    pid: int
    started: float


@dataclass(frozen=True)
class Attempt:
    """One try of one cell.

    Attributes:
        folder: the cell's.
        number: from 1; 0 where there was none yet.
        fingerprint: of the cell when it was claimed.
        state: "running", "done", "failed" (a cure is needed), "interrupted" (in order) or "lost" (its owner is gone).
        why: what it ended with.
        seconds: it took.
        recorded: whether DVC knows of it.
        job: number of its Slurm job, or "".
    """

    folder: Path
    number: int
    fingerprint: str = ""
    state: State = "lost"
    why: str = ""
    seconds: float = 0.0
    recorded: bool = False
    job: str = ""

    def path(self, suffix: str) -> Path:
        """Return the file of this attempt with a suffix."""
        return self.folder / f"{self.number:03}.{suffix}"

    @property
    def log(self) -> Path:
        """Return where it prints to."""
        return self.path("log")


def last(ledger: Path, cell: str, jobs: frozenset[str] | None = frozenset()) -> Attempt:
    """Return the last attempt of a cell.

    Args:
        ledger: folder of all cells.
        cell: name of the stage.
        jobs: Slurm jobs that are queued or run; None where Slurm does not answer: all are taken to run.
    """
    folder = ledger / cell
    numbers = [int(p.stem) for p in folder.glob("*.claim") if p.stem.isdecimal()]
    if not numbers:
        return Attempt(folder, 0)
    attempt = Attempt(folder, max(numbers))
    claim = _read(attempt, "claim", {"fingerprint": str, "owner": dict})
    job = attempt.path("job").read_text(encoding="utf-8").strip() if attempt.path("job").exists() else ""
    attempt = replace(attempt, fingerprint=claim["fingerprint"], recorded=attempt.path("recorded").exists(), job=job)
    owners = [_owner(claim["owner"], attempt.path("claim"))]
    if attempt.path("child").exists():
        owners.append(_owner(_read(attempt, "child", {}), attempt.path("child")))
    is_queued = bool(job) and (jobs is None or job in jobs)
    is_alive = is_queued or any(_is_alive(o, attempt.path("claim")) for o in owners)
    if attempt.path("end").exists():  # looked for after the owner: one that has just left has written it
        over = _with_end(attempt)
        return replace(over, state="running") if over.state == "interrupted" and is_queued else over
    return replace(attempt, state="running" if is_alive else "lost")


def claim(after: Attempt, fingerprint: str) -> Attempt | None:
    """Return the attempt that follows ``after``, ours now, or None where another was quicker."""
    attempt = Attempt(after.folder, after.number + 1, fingerprint, "running")
    attempt.folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(files.with_checksum({"fingerprint": fingerprint, "owner": asdict(myself())}))
    temporary = attempt.folder / f".{uuid4().hex}"
    temporary.write_text(text, encoding="utf-8")
    try:
        os.link(temporary, attempt.path("claim"))  # fails if it is there; open("x") is not atomic on every NFS
    except FileExistsError:
        return None
    finally:
        temporary.unlink()
    return attempt


def end(attempt: Attempt, state: State, why: str, seconds: float) -> Attempt:
    """Note how an attempt ended, unless that is known already; return it as it is then."""
    if not attempt.path("end").exists():
        content = {"state": state, "why": why, "seconds": round(seconds, 2)}
        files.write_json(attempt.path("end"), files.with_checksum(content))
    return _with_end(attempt)


def ended(attempt: Attempt) -> State | None:
    """Return how an attempt ended, or None while it did not."""
    return _with_end(attempt).state if attempt.path("end").exists() else None


def forget_end(attempt: Attempt) -> None:
    """Take back that an attempt was interrupted: its job was queued again."""
    attempt.path("end").unlink(missing_ok=True)


def mark_job(attempt: Attempt, job: str) -> None:
    """Note the Slurm job of an attempt."""
    files.write_text(attempt.path("job"), job)


def mark_recorded(attempt: Attempt) -> None:
    """Note that DVC knows of an attempt."""
    attempt.path("recorded").touch()


def mark_child(attempt: Attempt) -> None:
    """Note that this process computes an attempt."""
    files.write_json(attempt.path("child"), files.with_checksum(asdict(myself())))


def heartbeat(attempt: Attempt) -> None:
    """Tell other hosts that the owner is alive."""
    os.utime(attempt.path("claim"))


def myself() -> Owner:
    """Return this process."""
    return Owner(_host(), os.getpid(), _started(os.getpid()))


def _host() -> str:
    """Return what tells this machine since it was started, or this container, from others that may share its name."""
    facts = [socket.gethostname()]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip())
    with suppress(OSError):
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(facts)


def _started(pid: int) -> float:
    """Return when a process started, by a clock that nobody sets.

    Raises:
        psutil.NoSuchProcess: it is gone.
    """
    try:
        content = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return float(psutil.Process(pid).create_time())
    return float(content.rpartition(")")[2].split()[19])


def _with_end(attempt: Attempt) -> Attempt:
    """Return an attempt with what its end says."""
    content = _read(attempt, "end", {"state": str, "why": str, "seconds": files.NUMBER})
    if content["state"] not in get_args(State):
        raise UserError(f"{attempt.path('end')}: the state {content['state']!r} is none: {_MEND}.")
    return replace(attempt, state=content["state"], why=content["why"], seconds=content["seconds"])


def _read(attempt: Attempt, suffix: str, kinds: Mapping[str, files.Kind]) -> dict[str, Any]:
    """Return what a file of an attempt holds."""
    content: dict[str, Any] = files.read_object(attempt.path(suffix), kinds, _MEND)
    return content


def _owner(content: Mapping[str, Any], path: Path) -> Owner:
    """Return the process that a file names."""
    host, pid, started = (content.get(key) for key in ("host", "pid", "started"))
    if not (isinstance(host, str) and type(pid) is int and 0 < pid < 2**31 and isinstance(started, files.NUMBER)):
        raise UserError(f"{path} names no process: {_MEND}.")
    return Owner(host, pid, started)


def _is_alive(owner: Owner, sign: Path) -> bool:
    """Return whether a process runs: by asking the system on this host, by its signs of life on others."""
    if owner.host == _host():
        try:
            return abs(_started(owner.pid) - owner.started) < 1
        except psutil.NoSuchProcess:
            return False
    now = sign.with_name(f".now.{uuid4().hex}")
    now.touch()  # the file server's clock, not ours
    age = now.stat().st_mtime - sign.stat().st_mtime
    now.unlink()
    return age < LEASE_S


def tail(path: Path, lines: int = 15, bytes_read: int = 4096) -> list[str]:
    """Return the last lines of a log; of a progress bar only what it showed last, and no lines of mere ^^^."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - bytes_read))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    shown = (line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n"))
    return [line for line in shown if line.strip("^~")][-lines:]
