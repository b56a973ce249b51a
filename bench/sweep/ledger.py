"""The ledger of attempts: a folder per cell with numbered files. Safe on a shared file system, needs no server.

``<cell>/NNN.claim`` names the owner of attempt N: the process that created the file, by a hard link, which is atomic on
NFS too. Attempt N + 1 can be claimed only after attempt N has ended. ``NNN.end`` holds the final state, ``NNN.done`` a
copy of it if the cell is done, ``NNN.log`` the output, ``NNN.child`` the computing process, ``NNN.job`` the Slurm job;
``NNN.recorded`` exists once DVC has it. A damaged file counts as missing, and never concerns another cell.
"""

import errno
import json
import os
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

from bench.errors import UserError, os_error_line
from bench.formats import files
from bench.sweep import owner
from bench.sweep.attempt import UNREADABLE, Attempt, State, read, read_content, read_end, read_owner, set_aside

_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def last(ledger: Path, cell: str, jobs: frozenset[str] | None = frozenset()) -> Attempt:
    """Return the last attempt of a cell.

    Args:
        ledger: folder of all cells.
        cell: name of the cell in dvc.yaml.
        jobs: Slurm jobs that are queued or running; None if Slurm does not answer: all are assumed to run.
    """
    folder = ledger / cell
    if not os.path.lexists(folder):
        return Attempt(folder, 0)
    if not folder.is_dir():
        return Attempt(folder, 0, damage={folder: "is not a folder"})
    try:
        names = [path.name.partition(".")[0] for path in folder.iterdir()]
    except OSError as error:
        return Attempt(folder, 0, state="running", damage={folder: f"{UNREADABLE} ({error.strerror})"})
    number = max((int(name) for name in names if name.isascii() and name.isdecimal()), default=0)
    return read(Attempt(folder, number), jobs) if number else Attempt(folder, 0)


def claim(after: Attempt, fingerprint: str) -> Attempt | None:
    """Claim the attempt that follows ``after`` and return it; None if another process was faster.

    Raises:
        UserError: the ledger cannot be written.
    """
    attempt = Attempt(after.folder, after.number + 1, fingerprint, "running", claim_id=uuid4().hex)
    content = {"fingerprint": fingerprint, "owner": asdict(owner.this_process()), "id": attempt.claim_id}
    temporary = attempt.folder / f".{attempt.claim_id}"
    try:
        attempt.folder.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(files.with_checksum(content)), encoding="utf-8")
    except OSError as error:
        raise UserError(f"the ledger cannot be written: {os_error_line(error, attempt.folder)}") from error
    try:
        _publish(temporary, attempt)
    except FileExistsError:
        return None
    except OSError as error:
        raise UserError(f"the ledger cannot be written: {os_error_line(error, attempt.folder)}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return attempt


def _publish(temporary: Path, attempt: Attempt) -> None:
    """Give a written claim its name.

    Raises:
        FileExistsError: another process was faster.
    """
    try:
        os.link(temporary, attempt.path("claim"))  # fails if it exists; open("x") is not atomic on every NFS
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        attempt.path("lock").mkdir()  # as exclusive, but not in one step with the content
        temporary.replace(attempt.path("claim"))


def end(attempt: Attempt, state: State, why: str, seconds: float, output: str = "") -> Attempt:
    """Record the final state of an attempt unless one exists already; return the attempt with the recorded state."""
    if ended_attempt := read_end(attempt, True, {}):
        return ended_attempt
    attempt = replace(attempt, state=state, why=why, seconds=round(seconds, 2), output=output)
    content = {key: getattr(attempt, key) for key in ("state", "why", "seconds", "output", "fingerprint")}
    for suffix in ("done", "end") if state == "done" else ("end",):
        if attempt.path(suffix).is_dir():
            set_aside(replace(attempt, damage={attempt.path(suffix): "is not a file"}))
        files.write_json(attempt.path(suffix), files.with_checksum(content | {"claim": attempt.claim_id}))
    return attempt


def ended(attempt: Attempt) -> State | None:
    """Return the final state of an attempt, or None if it has not ended."""
    found = read_end(attempt, True, {})
    return found.state if found else None


def clear_end(attempt: Attempt) -> None:
    """Delete the final state of an interrupted attempt, because its job was requeued."""
    attempt.path("end").unlink(missing_ok=True)


def mark_job(attempt: Attempt, job: str) -> None:
    """Record the Slurm job of an attempt."""
    files.write_text(attempt.path("job"), job)


def mark_recorded(attempt: Attempt) -> None:
    """Record that an attempt is recorded with DVC; without this file it is only recorded again."""
    with suppress(OSError):
        attempt.path("recorded").touch()


def mark_child(attempt: Attempt) -> None:
    """Record that this process computes an attempt."""
    files.write_json(attempt.path("child"), files.with_checksum(asdict(owner.this_process())))


def has_live_child(attempt: Attempt) -> bool:
    """Return whether a process computes an attempt now."""
    child = read_owner(attempt.path("child"), read_content(attempt.path("child"), {}, {}), {})
    return child is not None and owner.is_alive(child, attempt.path("child"))


def heartbeat(attempt: Attempt) -> None:
    """Show other hosts that the owner and the computing process are alive."""
    for suffix in ("claim", "child"):
        with suppress(OSError):
            os.utime(attempt.path(suffix))
