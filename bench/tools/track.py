"""The open track: where it is, and its version, which entries must have."""

import shutil
from pathlib import Path

import bench
from bench.errors import UserError
from bench.formats import files
from bench.settings import track_version

VERSION = 1
"""Version of the open track that this program enters. Raise it, here and in results/open/params.yaml, with every change
of code, data or settings that moves the score of the reference cell by more than ``TOLERANCE``, and train the track's
cells again: scores of different versions do not compare."""

TOLERANCE = 0.03
"""How far the pooled crack IoU of the reference cell (results/open/reference) may lie from its committed one on another
machine, whose last bits differ. **Source:** results/open/README.md."""


def own_track(results: Path) -> Path:
    """Return the open track in a results folder; without a clone, it is copied there from the package.

    Raises:
        UserError: neither has it, or it has another version than this program.
    """
    track, packaged = results / "open", Path(bench.__file__).parent / "project" / "results" / "open"
    if not (track / "params.yaml").is_file():
        if not packaged.is_dir():
            raise UserError(
                f"{track} holds no open track: run this in a clone, or give its results folder by --results."
            )
        shutil.copytree(packaged, track)
    version = track_version(track / "params.yaml")
    if version != VERSION:
        raise UserError(
            f"{track} is version {version} of the open track, this program enters version {VERSION}: "
            "take the program and the track from the same release of CrackBench."
        )
    return track


def require_same_version(scores: Path, version: int = VERSION) -> None:
    """Refuse earlier scores of a model that were entered into another version of the track.

    Args:
        scores: folder with the scores of the model on each dataset; may be missing.
        version: of the track.

    Raises:
        UserError: some are of another version.
    """
    for path in sorted(scores.glob("*/cells.json")):
        for cell in files.read_json(path)["cells"]:
            if (earlier := cell.get("track_version", 1)) != version:
                raise UserError(
                    f"{path.parent} was entered into version {earlier} of the open track, this is version {version}: "
                    f"move {scores} away and enter again."
                )
