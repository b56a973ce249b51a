"""Add a model of the user's folder or of an installed package, whose file is written for DVC to track."""

import importlib
import keyword
import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from bench import plugins
from bench.errors import UserError
from bench.formats import files
from bench.tools.add_dataset import with_name

GROUP = "bench.models"
MARK = "`bench add-model"
TEMPLATE = '''"""{title}

From the installed package {package}, source hash {digest}. Written by `bench add-model {name}`: run it again
after the package has changed; `dvc repro` then trains the cells of this model again.
"""

from {module} import NAME, build

__all__ = ["NAME", "build"]
'''


def add_model(name: str, params: Path, target: Path) -> str:
    """Write ``target/<name>.py`` and add the name to the models of params.yaml; return what to do next.

    The file imports NAME and build from the package. DVC can depend on a file of the workspace, not on a package: the
    file contains version and hash of the package, so that a changed package makes the cells of its model stale.

    Args:
        name: entry point in the group ``bench.models``.
        params: params.yaml.
        target: folder of the model modules.

    Raises:
        UserError: no package offers the name, it is taken, or the module does not define NAME or build.
    """
    path = target / f"{name}.py"
    is_own = path.exists() and MARK not in path.read_text(encoding="utf-8")
    if is_own and name not in {entry.name for entry in entry_points(group=GROUP)}:
        return _add_file(name, params, path)
    entry = _entry(name)
    if path.exists() and MARK not in path.read_text(encoding="utf-8"):
        raise UserError(f"{path} is not from a package: {_package(entry)} must offer its model under another name.")
    module = importlib.import_module(entry.module)
    _verify(module)
    listed = with_name(params, "models", name)
    title = (module.__doc__ or f"{module.NAME}.").strip().splitlines()[0]
    files.write_text(
        path,
        TEMPLATE.format(title=title, package=_package(entry), digest=_digest(module), name=name, module=entry.module),
    )
    files.replace_text(params, listed)
    return (
        f"{name}: wrote {path}, imported from {_package(entry)}, and added it to `models` of {params}. Next: dvc repro"
    )


def _add_file(name: str, params: Path, path: Path) -> str:
    """List a model whose file is in the user's folder."""
    _verify(plugins.load("models", name))
    files.replace_text(params, with_name(params, "models", name))
    return f"{name}: {path} is listed in `models` of {params}. Next: dvc repro"


def _verify(module: ModuleType) -> None:
    missing = [attribute for attribute in ("NAME", "build") if not hasattr(module, attribute)]
    if missing:
        raise UserError(
            f"{module.__file__} does not define {' and '.join(missing)}: a model needs NAME and build, "
            "see CONTRIBUTING.md."
        )


def _entry(name: str) -> EntryPoint:
    """Return the entry point with a name."""
    offered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in offered:
        valid = ", ".join(sorted(offered)) or "none"
        raise UserError(
            f"no installed package offers a model {name!r} (entry points in the group {GROUP}: {valid}). "
            f"A model in a single file needs no package: put it into models/ of the folder `plugins` in params.yaml."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"{name!r} is not a valid model name: its package must use lower-case letters, digits and underscores."
        )
    return offered[name]


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.module


def _digest(module: ModuleType) -> str:
    """Return a hash of the source of the whole package that contains a module."""
    top = importlib.import_module(module.__name__.partition(".")[0])
    folders = [Path(folder) for folder in getattr(top, "__path__", [])]
    sources = [(p.relative_to(f).as_posix(), files.sha256(p)) for f in folders for p in sorted(f.rglob("*.py"))]
    return files.digest(sources or files.sha256(Path(str(top.__file__))))
