"""Enter a model from a file that lies anywhere: a copy of it in the work folder becomes a plug-in."""

import os
import shutil
from pathlib import Path

from bench import plugins
from bench.errors import UserError


def is_plugin(path: Path) -> bool:
    """Return whether a file is a model of this suite or of the user's plug-in folder already."""
    return path.is_file() and path.stem in plugins.names("models") and path.samefile(_file_of(path.stem))


def _file_of(name: str) -> Path:
    return Path(str(plugins.load("models", name).__file__))


def use_model_file(path: Path, name: str, work: Path) -> None:
    """Copy the file of an architecture to ``<work>/plugins/models/<name>.py`` and make it the model of that name.

    Processes started later find it too. The copy is replaced by each call, so that an edited model is trained again.

    Raises:
        UserError: the file is missing, cannot be imported, or does not define NAME and build.
    """
    if not path.is_file():
        raise UserError(
            f"{path} not found: give the file of your model, the id of a model, or a folder of predictions."
        )
    folder = (work / "plugins").resolve()
    target = folder / "models" / f"{name}.py"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and target.samefile(path)):
        shutil.copyfile(path, target)
    os.environ[plugins.OWN] = str(folder)
    try:
        module = plugins.load("models", name)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{path} cannot be imported: {type(error).__name__}: {error}. Correct the file.") from error
    if not isinstance(getattr(module, "NAME", None), str) or not callable(getattr(module, "build", None)):
        raise UserError(f"{path} defines no NAME (a string) and build (a function): see `A model` in CONTRIBUTING.md.")
