"""Take a model from an installed package: write its file in bench/models, which DVC watches; add it to params.yaml."""

import importlib
import keyword
import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from bench.errors import UserError
from bench.formats import files
from bench.tools.add_dataset import with_name

GROUP = "bench.models"
MARK = "`bench add-model"
TEMPLATE = '''"""{title}

From the installed package {package}, whose source has the hash {digest}. Written by `bench add-model {name}`:
run it again when the package has changed, and `dvc repro` trains the cells of this model again.
"""

from {module} import NAME, build

__all__ = ["NAME", "build"]
'''


def add_model(name: str, params: Path, target: Path) -> str:
    """Write ``target/<name>.py`` and add the name to the models of params.yaml; return what to do next.

    The file takes NAME and build from the package. DVC can depend on a file of the workspace, not on a package: as
    version and hash of the package stand in this file, a changed package makes the cells of its model stale.

    Args:
        name: of an entry point in the group ``bench.models``.
        params: params.yaml.
        target: folder of the models' files.

    Raises:
        UserError: no package offers the name, it is taken, or the module lacks NAME or build.
    """
    entry = _entry(name)
    path = target / f"{name}.py"
    if path.exists() and MARK not in path.read_text(encoding="utf-8"):
        raise UserError(f"{path} is a model of its own: {_package(entry)} must offer its model under another name.")
    module = importlib.import_module(entry.module)
    lacking = [attribute for attribute in ("NAME", "build") if not hasattr(module, attribute)]
    if lacking:
        raise UserError(
            f"{module.__file__} lacks {' and '.join(lacking)}: a model has NAME and build, as in README.md."
        )
    listed = with_name(params, "models", name)
    title = (module.__doc__ or f"{module.NAME}.").strip().splitlines()[0]
    files.write_text(
        path,
        TEMPLATE.format(title=title, package=_package(entry), digest=_digest(module), name=name, module=entry.module),
    )
    files.write_text(params, listed)
    return f"{name}: {path} takes it from {_package(entry)}; it stands in `models` of {params}. Now: dvc repro"


def _entry(name: str) -> EntryPoint:
    """Return the entry point of a name."""
    offered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in offered:
        valid = ", ".join(sorted(offered)) or "none"
        raise UserError(
            f"no installed package offers a model {name!r} (entry points in the group {GROUP}: {valid}). "
            f"A model in one file needs no package: put it into bench/models and its name into `models` of params.yaml."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} is no name for a model: its package must offer it as letters, digits, underscores.")
    return offered[name]


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.module


def _digest(module: ModuleType) -> str:
    """Return a hash of the source of the whole package that a module is in."""
    top = importlib.import_module(module.__name__.partition(".")[0])
    folders = [Path(folder) for folder in getattr(top, "__path__", [])]
    sources = [(p.relative_to(f).as_posix(), files.sha256(p)) for f in folders for p in sorted(f.rglob("*.py"))]
    return files.digest(sources or files.sha256(Path(str(top.__file__))))
