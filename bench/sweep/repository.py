"""Lock the DVC repository, and keep `dvc repro` and a sweep from working on the same cells."""

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from bench import signals
from bench.errors import UserError
from bench.formats import lock

LOCK_WAIT_S = 120
"""How long to wait for another DVC process that locks the repository; `dvc repro` unlocks it while a command runs."""

NO_LOCKS = (
    "the file system of {root} has no locks, which DVC needs. Where it has hard links, run `dvc config --local "
    "core.hardlink_lock true`, delete .dvc/tmp/lock and .dvc/tmp/rwlock.lock, and run the same command again; else "
    "use a folder on another file system."
)

SWEEP = "bench sweep"
"""Name of a sweep in DVC's list of the processes that use files."""


@contextmanager
def repository(root: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[Any]:
    """Yield the locked DVC repository.

    Raises:
        UserError: the folder is no DVC repository, or stays locked.
    """
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.lock import LockError
    from dvc.rwlock import RWLockFileCorruptedError, RWLockFileFormatError

    logging.getLogger("dvc").setLevel(logging.WARNING)  # otherwise it reports updates of dvc.lock on stdout
    try:
        with ExitStack() as stack:
            yield _wait_for_lock(root, stack, time.monotonic() + wait_s)
    except NotDvcRepoError as error:
        raise UserError(
            f"{root} is no DVC repository: run `bench` in the project's folder, or `dvc init` there first."
        ) from error
    except LockError as error:  # lock of the repository, or of an output that a running `dvc repro` computes
        reason = " ".join(str(error).split())
        raise UserError(
            f"DVC is busy in {root} ({reason}): wait for the process that uses it, or stop it, and retry."
        ) from error
    except (RWLockFileCorruptedError, RWLockFileFormatError) as error:
        raise UserError(
            f"{root / '.dvc/tmp/rwlock'} is damaged, as a killed DVC process leaves it: make sure that no `dvc` "
            "command runs in this project, delete that file (it holds no results), and run the same command again."
        ) from error
    except DvcException as error:
        raise UserError(f"DVC in {root}: {error}") from error
    except sqlite3.Error as error:
        from dvc.dirs import site_cache_dir

        raise UserError(
            f"DVC's database of file hashes is damaged or cannot be locked ({error}): while no `dvc` command "
            f"runs, delete its folder, which holds no results ({site_cache_dir()} unless `dvc config "
            "core.site_cache_dir` names another), and run the same command again."
        ) from error


def _wait_for_lock(root: Path, stack: ExitStack, give_up: float) -> Any:
    """Return the DVC repository, open and locked until ``stack`` is closed.

    Raises:
        LockError: it is still locked at the time ``give_up``.
        UserError: it cannot be locked, because the file system has no locks.
    """
    from dvc.lock import LockError

    while True:
        try:
            return _locked(root, stack)
        except LockError:
            if not _has_hard_lock(root) and not lock.is_possible(root):
                raise UserError(NO_LOCKS.format(root=root)) from None
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)


def _has_hard_lock(root: Path) -> bool:
    """Return whether DVC locks by hard links, as it can on a file system without locks."""
    from dvc.config import Config

    return bool(Config(str(root / ".dvc"))["core"].get("hardlink_lock", False))


def _locked(root: Path, stack: ExitStack) -> Any:
    """Return the DVC repository, open and locked until ``stack`` is closed; undo all steps if it cannot be locked."""
    from dvc.repo import Repo, lock_repo

    with ExitStack() as steps:
        steps.enter_context(chdir(root))  # DVC commits only from inside the repository
        repo = steps.enter_context(Repo())
        steps.enter_context(lock_repo(repo))
        stack.push(steps.pop_all())
    return repo


@contextmanager
def hold(root: Path, paths: Sequence[Path]) -> Iterator[None]:
    """Keep files from `dvc repro` for the duration of a sweep, as files that are being read.

    Several sweeps may hold the same files. `dvc repro` refuses to run a stage that writes one of them.

    Args:
        root: the project.
        paths: relative to it.

    Raises:
        UserError: `dvc repro` is at work.
    """
    from dvc.exceptions import DvcException
    from dvc.rwlock import rwlock

    with ExitStack() as held:
        with repository(root) as repo:
            refuse_users(repo, None)
            is_hard = repo.config["core"].get("hardlink_lock", False)
            names = [str(Path(repo.root_dir) / path) for path in paths]
            users = rwlock(repo.tmp_dir, repo.fs, SWEEP, names, [], is_hard)
            with signals.postponed():  # DVC overwrites its list of users in place
                users.__enter__()
        held.callback(_release, users, (AssertionError, KeyError, DvcException))
        yield


def _release(users: Any, errors: tuple[type[Exception], ...]) -> None:
    """Release held files; if DVC's list of them was deleted or damaged meanwhile, there is nothing to release."""
    with suppress(*errors), signals.postponed():
        users.__exit__(None, None, None)


def refuse_users(repo: Any, paths: Sequence[str] | None) -> None:
    """Refuse to continue while a DVC process that is no sweep uses files.

    Args:
        repo: locked, so that no other process changes the list of users.
        paths: files in question, used in any way; None: any file that is being written.

    Raises:
        UserError: names the process.
    """
    from dvc.fs import localfs
    from dvc.rwlock import SCHEMA, Invalid, RWLockFileCorruptedError

    path_of_users = Path(repo.tmp_dir) / "rwlock"
    try:
        users = SCHEMA(json.loads(path_of_users.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return
    except (ValueError, Invalid):
        raise RWLockFileCorruptedError(str(path_of_users)) from None
    writers = [(path, [info]) for path, info in users["write"].items()]
    readers = list(users["read"].items()) if paths is not None else []
    for path, infos in writers + readers:
        if paths is not None and not any(localfs.overlaps(path, own) for own in paths):
            continue
        for info in infos:
            if info["cmd"] != SWEEP and psutil.pid_exists(info["pid"]):
                raise UserError(
                    f"`{info['cmd']}` (process {info['pid']}) is working on {path}: wait until it has ended, or stop "
                    "it, then run the same command again."
                )
