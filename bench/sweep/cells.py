"""Ask DVC which cells are stale, restore those that it has in its cache, and record finished ones."""

import shlex
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import signals
from bench.errors import UserError
from bench.formats.files import digest
from bench.formats.lock import InUseError, exclusive
from bench.sweep import output
from bench.sweep.repository import LOCK_WAIT_S, refuse_users, repository


@dataclass(frozen=True)
class Cell:
    """One stage of dvc.yaml that a sweep may run.

    Attributes:
        name: as in ``dvc repro NAME``, such as "train@cfd-unet-0".
        command: arguments of ``bench``.
        source: the first dependency that is the output of another stage, or None; relative to the project.
        target: first output, relative to the project.
        fingerprint: hash of the command and of the contents of all dependencies.
    """

    name: str
    command: tuple[str, ...]
    source: Path | None
    target: Path
    fingerprint: str

    @property
    def label(self) -> str:
        """Return the short name of the cell within its stage, such as "cfd/unet/0"."""
        return "/".join(self.target.with_suffix("").parts[1:])


def stale(root: Path, stage: str, names: Collection[str] = ()) -> tuple[list[Cell], dict[str, list[str]], list[str]]:
    """Return the stale cells of a stage that can run, those that cannot run yet, and the names of all selected cells.

    Args:
        root: the project.
        stage: name of a matrix stage of dvc.yaml.
        names: cells to select, such as "train@cfd-unet-0"; empty: all.

    Returns:
        The cells that can run; names of those that cannot -> the stages that must run first; all selected names.

    Raises:
        UserError: dvc.yaml has no such stage or cell, or DVC is busy.
    """
    from dvc.fs import localfs

    with repository(root) as repo:
        stages = {_name(s): s for s in _stages(repo, stage)}
        if unknown := set(names) - stages.keys():
            raise UserError(f"dvc.yaml has no cell {min(unknown)!r}. Cells: {', '.join([*stages][:5])}, ...")
        selected = [name for name in stages if name in names or not names]
        makers = {out.fs_path: maker for maker in repo.index.stages for out in maker.outs}

        @cache
        def outdated_makers(needed: str) -> set[str]:
            """Return the outdated stages that write a path, a part of it or a folder around it."""
            overlapping = {maker for path, maker in makers.items() if localfs.overlaps(path, needed)}
            return {_name(maker) for maker in overlapping if maker.changed()}

        outdated = [stages[name] for name in selected if stages[name].changed()]
        waiting = {_name(s): sorted(set().union(*(outdated_makers(d.fs_path) for d in s.deps))) for s in outdated}
        ready = [_cell(s, makers) for s in outdated if not waiting[_name(s)]]
        return ready, {name: before for name, before in waiting.items() if before}, selected


def outdated_names(root: Path, stage: str) -> set[str]:
    """Return the names of the stale cells of a stage, whether they can run now or not.

    Raises:
        UserError: dvc.yaml has no such stage, or DVC is busy.
    """
    with repository(root) as repo:
        return {_name(s) for s in _stages(repo, stage) if s.changed()}


def restore(root: Path, names: Collection[str]) -> list[str]:
    """Check out and record cells whose output DVC has in its cache, as `dvc repro` does; return their names.

    These were computed before with the same command and dependencies.

    Raises:
        UserError: DVC is busy.
    """
    from dvc.lock import LockError
    from dvc.stage.cache import RunCacheNotFoundError

    done: dict[str, Any] = {}
    with repository(root) as repo:
        for stage in (s for s in repo.index.stages if _name(s) in names):
            with suppress(RunCacheNotFoundError, LockError, InUseError):  # not there, or another process works on it
                stage.save_deps()
                for out in stage.outs:
                    out.clear()  # otherwise the recorded output would be restored, which is of other dependencies
                repo.stage_cache.restore(stage, dry=True)  # raises if it is not there
                with exclusive(Path(stage.outs[0].fs_path)):
                    stage.remove_outs()
                    repo.stage_cache.restore(stage)
                done[_name(stage)] = stage
        return _save(done.values(), {name: _digest(stage) for name, stage in done.items()})


def record(
    root: Path, fingerprints: Mapping[str, str], outputs: Mapping[str, str] | None = None, wait_s: float = LOCK_WAIT_S
) -> list[str]:
    """Record cells with DVC as `dvc commit` does; return the names of those that changed since they ran.

    Args:
        root: the project.
        fingerprints: of each computed cell, taken before it ran; a cell whose fingerprint differs now stays stale.
        outputs: digest of each cell's output; a cell with another output now stays stale. None: not compared.
        wait_s: how long to wait for another DVC process.

    Raises:
        UserError: DVC is busy.
    """
    with repository(root, wait_s) as repo:
        stages = [s for s in repo.index.stages if _name(s) in fingerprints and all(out.exists for out in s.outs)]
        refuse_users(repo, [out.fs_path for stage in stages for out in stage.outs])
        recorded = _save(stages, fingerprints, outputs)
    return [name for name in fingerprints if name not in recorded]


def _save(
    stages: Iterable[Any], fingerprints: Mapping[str, str], outputs: Mapping[str, str] | None = None
) -> list[str]:
    """Record the present outputs of stages in DVC's caches and in dvc.lock; return their names.

    Left out are stages with another fingerprint or output than the given one, and those that another process trains
    now: what is compared is what is recorded, not that of a moment later.
    """
    saved: list[Any] = []
    for stage in stages:
        name, target = _name(stage), Path(stage.outs[0].fs_path)
        with suppress(InUseError), exclusive(target):
            if _fingerprint(stage) != fingerprints[name] or (outputs and not output.matches(target, outputs[name])):
                continue
            with signals.postponed():  # DVC puts links in the place of files
                stage.save_outs()
                stage.md5 = stage.compute_md5()
                stage.repo.stage_cache.save(stage)
                for out in stage.outs:
                    out.commit()  # not stage.commit(), which refuses outputs that another sweep keeps from `dvc repro`
            saved.append(stage)
    if saved:
        with signals.postponed():  # DVC overwrites dvc.lock in place
            saved[0].dvcfile.dump_stages(saved, update_pipeline=False)  # dvc.lock is written once, not once per cell
    return [_name(stage) for stage in saved]


def _name(stage: Any) -> str:
    """Return the name in dvc.yaml, or the .dvc file; DVC's own ``addressing`` depends on the working directory."""
    return str(getattr(stage, "name", None) or stage.path_in_repo)


def _stages(repo: Any, name: str) -> list[Any]:
    """Return the stages of a matrix, in the order of dvc.yaml."""
    cells = [s for s in repo.index.stages if "@" in _name(s)]
    selected = [s for s in cells if _name(s).partition("@")[0] == name]
    if not selected:
        valid = sorted({_name(s).partition("@")[0] for s in cells})
        raise UserError(f"dvc.yaml has no matrix stage {name!r}. Matrix stages: {', '.join(valid)}.")
    return selected


def _cell(stage: Any, makers: Mapping[str, Any]) -> Cell:
    """Return a stage of DVC as a cell."""
    command = shlex.split(stage.cmd)
    if command[0] != "bench":
        raise UserError(f"dvc.yaml: {_name(stage)} runs {command[0]!r}; a sweep runs commands of `bench` only.")
    sources = [Path(d.def_path) for d in stage.deps if d.fs_path in makers]
    return Cell(
        _name(stage),
        tuple(command[1:]),
        sources[0] if sources else None,
        Path(stage.outs[0].def_path),
        _fingerprint(stage),
    )


def _fingerprint(stage: Any) -> str:
    """Return a hash of the command and of the current contents of its dependencies.

    Raises:
        UserError: a dependency is missing.
    """
    from dvc.dependency.base import DependencyDoesNotExistError

    try:
        stage.save_deps()
    except DependencyDoesNotExistError as error:
        raise UserError(f"{_name(stage)}: {error}. Run `dvc repro` on the stage that writes it first.") from error
    return _digest(stage)


def _digest(stage: Any) -> str:
    """Return a hash of the command and of the contents of the dependencies as DVC last read them."""
    return digest([stage.cmd, [[dep.def_path, dep.hash_info.value] for dep in stage.deps]])
