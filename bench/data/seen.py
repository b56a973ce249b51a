"""What a model has seen: the test images of a dataset that look like images it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.data.fingerprints import Prints, are_near, fingerprint, of_folder, of_set
from bench.data.views import views, whole
from bench.errors import UserError
from bench.formats import files
from bench.formats.prepared import Prepared

NONE = "none"


@dataclass(frozen=True)
class Seen:
    """What a model was trained on, besides the training images of the protocol.

    Attributes:
        sets: names of public sets; empty: none of them.
        folder_images: number of own training images that were fingerprinted; None: no folder was given.
        prints: fingerprints of all these images, (N, 32).
    """

    sets: tuple[str, ...]
    folder_images: int | None
    prints: Prints


def read_seen(names: str | None, folder: Path | None) -> Seen | None:
    """Return what is stated to be seen; None if nothing is stated.

    Args:
        names: public sets separated by commas, or "none".
        folder: own training images.

    Raises:
        UserError: the index does not know a set, "none" stands beside one, or the folder has no readable images.
    """
    if names is None and folder is None:
        return None
    sets = tuple(dict.fromkeys(name.strip() for name in names.split(","))) if names is not None else ()
    if NONE in sets and len(sets) > 1:
        raise UserError(f"--seen {names}: give either the names of sets or none.")
    sets = tuple(name for name in sets if name != NONE)
    own = None if folder is None else of_folder(folder)
    parts = [*(of_set(name) for name in sets), *([] if own is None else [own])]
    return Seen(sets, None if own is None else len(own), np.concatenate([np.zeros((0, 32), np.uint8), *parts]))


def seen_facts(seen: Seen, data: Prepared) -> Mapping[str, Any]:
    """Return the record of a cell: the images known of each set, the number of own ones, the source images seen.

    A source image counts as seen if one of its images looks like one that the model was trained on.
    """
    tests = list(views(data, "test"))
    prints = [
        fingerprint(whole(data, v.rows, v.places, [np.asarray(data.images[row]) for row in v.rows])) for v in tests
    ]
    photos = {view.photo for view, near in zip(tests, are_near(prints, seen.prints), strict=True) if near}
    return {
        "sets": {name: len(of_set(name)) for name in seen.sets},
        "folder_images": seen.folder_images,
        "photos": sorted(photos),
    }


def stated_seen(seen: Seen | None, data: Prepared, target: Path) -> dict[str, Any]:
    """Return the key ``seen`` of a cell: what is stated now, or else what earlier scores in a folder state, if any."""
    if seen is not None:
        return {"seen": seen_facts(seen, data)}
    record = target / "cells.json"
    cells = files.read_json(record)["cells"] if record.is_file() else []
    return next(({"seen": cell["seen"]} for cell in cells if "seen" in cell), {})
