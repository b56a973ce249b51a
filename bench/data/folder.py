"""Find the pairs in a user's folder, under the usual names of image and mask folders."""

import re
from pathlib import Path

from bench.data.dataset import IMAGE_SUFFIXES, MASK_SUFFIXES, Pair, by_stem
from bench.errors import UserError, shorten

IMAGES = ("images", "image", "imgs", "img", "rgb")
MASKS = ("masks", "mask", "labels", "label", "gt", "annotations", "lab")
_SUFFIX = re.compile(r"[_-](mask|masks|label|labels|gt|lab)$", re.IGNORECASE)


def find_pairs(folder: Path) -> list[Pair]:
    """Return the pairs below ``folder``, sorted; a mask may be named like its image with _mask, _label or _gt appended.

    Raises:
        UserError: a folder or a partner is missing, or a name occurs more than once.
    """
    images, masks = (
        _files(_first(folder, names), s) for names, s in ((IMAGES, IMAGE_SUFFIXES), (MASKS, MASK_SUFFIXES))
    )
    for stem in [s for s in masks if s not in images]:
        short = _SUFFIX.sub("", stem)
        if short in images and short not in masks:
            masks[short] = masks.pop(stem)
    unpaired = sorted(
        str(p) for p in [*(images[s] for s in images.keys() - masks), *(masks[s] for s in masks.keys() - images)]
    )
    if unpaired or not images:
        raise UserError(
            f"{folder}: {len(unpaired)} files have no partner: {shorten(unpaired)}. Give image and mask the same name."
            if unpaired
            else f"{folder} holds no images: add some."
        )
    return [Pair(stem, images[stem], masks[stem], stem) for stem in sorted(images)]


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    existing = [folder / name for name in names if (folder / name).is_dir()]
    if not existing:
        raise UserError(f"{folder} has no folder {names[0]!r} (or {', '.join(names[1:])}): create one.")
    return existing[0]


def _files(folder: Path, suffixes: set[str]) -> dict[str, Path]:
    paths = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in suffixes and not p.name.startswith(".")]
    return by_stem(folder, paths)
