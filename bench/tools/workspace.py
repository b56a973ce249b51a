"""A folder to work in: settings, pipeline and links to the code, beside the user's own plug-ins."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import bench
from bench import plugins
from bench.errors import UserError
from bench.formats import files
from bench.settings import load_params, own_plugins

PIPELINE = ("dvc.yaml", "data.dvc", ".dvcignore")
CODE = Path(bench.__file__).parent


def shipped_project() -> Path:
    """Return the folder with params.yaml and the pipeline: that of the clone, or the copy inside an installed wheel."""
    inside = CODE / "project"
    return inside if inside.is_dir() else CODE.parent


def init_workspace(folder: Path) -> str:
    """Create a workspace with the settings of the paper and a folder for own plug-ins; return what to do next.

    Raises:
        UserError: the folder has a params.yaml.
    """
    if (folder / "params.yaml").exists():
        raise UserError(f"{folder / 'params.yaml'} exists already: choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    text = (shipped_project() / "params.yaml").read_text(encoding="utf-8")
    files.write_text(folder / "params.yaml", text.replace("\nplugins: null ", "\nplugins: my_bench ", 1))
    _write_pipeline(shipped_project(), folder)
    return f"{folder} is ready: params.yaml has the settings, my_bench/ is for your own datasets, models and metrics."


def create_workspace(project: Path, folder: Path, settings: Mapping[str, Any]) -> None:
    """Create or update a workspace: the project's pipeline with some settings of params.yaml replaced.

    Args:
        project: the folder with params.yaml and dvc.yaml.
        folder: the workspace; earlier outputs in it are kept and reused where still valid.
        settings: nested; replace these keys.

    Raises:
        UserError: the project is incomplete, a key does not exist in params.yaml, or the folder is itself a project.
    """
    if (folder / "params.yaml").exists() and not (folder / "bench" / "cli").is_symlink():
        raise UserError(f"{folder} is a project, whose settings would be lost: choose another folder, such as `demo`.")
    params = load_params(project / "params.yaml")
    _replace(params, settings, "")
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / "params.yaml", yaml.safe_dump(params, sort_keys=False))
    _write_pipeline(project, folder)


def _write_pipeline(project: Path, folder: Path) -> None:
    """Write the pipeline's files, link to the code and start a DVC repository."""
    for name in PIPELINE:
        if name == "dvc.yaml" or not (folder / name).exists():
            files.write_text(folder / name, (project / name).read_text(encoding="utf-8"))
    link_code(folder)
    if not (folder / ".dvc").exists():
        dvc(folder, "init", "--no-scm", "--quiet")
        dvc(folder, "config", "core.analytics", "false")
        dvc(folder, "config", "cache.type", "reflink,hardlink,copy")


def own_target(params: Path, kind: str) -> Path:
    """Return the folder that a new plug-in of a kind is written to.

    Raises:
        UserError: params.yaml names no folder, and the code beside it is not the user's to change.
    """
    folder = own_plugins(params)
    if folder is not None:
        return folder / kind
    beside = params.resolve().parent / "bench" / kind
    if beside.is_dir() and not any(path.is_symlink() for path in (beside, beside / "__init__.py", beside.parent)):
        return beside
    raise UserError(
        f"{params}: name a folder for your own {kind}, as `plugins: my_bench`; the installed package is not changed."
    )


def link_code(folder: Path) -> None:
    """Make ``folder/bench`` show the running code and the user's plug-ins, the files whose hashes DVC records.

    In a workspace its entries are links to the code. In a clone, which has the code itself, only the links to the
    user's plug-ins are made: DVC finds each plug-in as bench/<kind>/<name>.py, wherever it lies.
    """
    top = folder / "bench"
    if not (folder / "dvc.yaml").exists():
        return
    if top.is_symlink():  # of an earlier version, or of a clone that has moved
        top.unlink()
    if not (top / "cli" / "main.py").is_file() or (top / "cli").is_symlink():
        _link_entries(CODE, top, plugins.KINDS)
        for kind in plugins.KINDS:
            _link_entries(CODE / kind, top / kind)
    own = own_plugins(folder / "params.yaml")
    for kind in plugins.KINDS if own else ():
        _unlink_missing(top / kind)
        for path in sorted((own / kind).glob("[!_]*.py")) if own else ():
            link = top / kind / path.name
            if not link.exists():
                _link(link, Path(os.path.relpath(path, link.parent.resolve())))


def _link_entries(source: Path, target: Path, folders: tuple[str, ...] = ()) -> None:
    """Link to every entry of a folder but ``folders``, which are made."""
    target.mkdir(parents=True, exist_ok=True)
    _unlink_missing(target)
    for path in source.iterdir():
        link = target / path.name
        if path.name in folders or path.name == "__pycache__":
            continue
        if link.is_symlink() and not link.samefile(path):  # of a clone that has moved
            link.unlink()
        if not link.exists():
            _link(link, path.resolve())


def _link(link: Path, target: Path) -> None:
    """Make a symbolic link.

    Raises:
        UserError: it cannot be made, for example on a file system that has none.
    """
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:
        raise UserError(
            f"{link}: no symbolic link can be made ({error.strerror}): use a folder on a file system that has them, or "
            "work in a clone."
        ) from error


def _unlink_missing(folder: Path) -> None:
    """Remove links whose target is gone."""
    for link in folder.iterdir():
        if link.is_symlink() and not link.exists():
            link.unlink()


def dvc(folder: Path, *arguments: str) -> None:
    """Run DVC in a workspace.

    Raises:
        UserError: DVC fails; its output explains why.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # where `bench` is
    if subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, check=False).returncode:
        raise UserError(f"`dvc {' '.join(arguments)}` failed in {folder}; see the lines above for the reason.")


def _replace(params: dict[str, Any], settings: Mapping[str, Any], path: str) -> None:
    """Replace nested values in place."""
    for key, value in settings.items():
        if key not in params:
            raise UserError(f"params.yaml has no key {path + key!r}: remove it from the settings of the workspace.")
        if isinstance(value, Mapping) and isinstance(params[key], dict):
            _replace(params[key], value, f"{path}{key}.")
        else:
            params[key] = value
