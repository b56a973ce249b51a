"""Draw the annotations of COCO or labelme files as masks: value 0 is background, 1, 2, ... are the labels."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from PIL import Image

from bench.data.dataset import IMAGE_SUFFIXES
from bench.data.decode import read_header
from bench.data.folder import listed
from bench.errors import UserError, shorten
from bench.tools.annotations import Annotated, Shape, Size, damage_named, read_annotations

MOST_LABELS = 254
"""As many as fit beside background and ignored pixels."""


def draw_annotations(folder: Path, contents: Mapping[Path, Any], target: Path) -> list[str]:
    """Write a mask for each annotated image below a folder; return the labels, whose values are 1, 2, and so on.

    The mask of an image is ``target/<name of the COCO file, or labelme>/<path of the image below the folder>.png``.
    Where regions overlap, the smaller one is on top.

    Args:
        folder: where to look for the images.
        contents: of the annotation files, by their paths.
        target: folder for the masks.

    Raises:
        UserError: an image is missing or annotated twice, sizes differ, or a region has no outline.
    """
    annotated = [one for path, content in contents.items() for one in read_annotations(path, content)]
    images = _images(folder, annotated)
    drawn = [_shapes(one, image) for one, image in zip(annotated, images, strict=True)]
    labels = sorted({shape.label for _, shapes in drawn for shape in shapes})
    if len(labels) > MOST_LABELS:
        raise UserError(f"{folder}: {len(labels)} labels, {MOST_LABELS} at most: {shorten(labels)}. Merge some.")
    for one, image, (size, shapes) in zip(annotated, images, drawn, strict=True):
        mask = np.zeros(size, np.uint8)
        for shape in sorted(shapes, key=lambda shape: -shape.area):
            with damage_named(one.source):
                mask[shape.draw()] = labels.index(shape.label) + 1
        name = image.relative_to(folder).as_posix()
        path = target / one.group / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    return labels


def _shapes(one: Annotated, image: Path) -> tuple[Size, list[Shape]]:
    """Return the size of the mask of an image, (h, w), and its regions.

    Raises:
        UserError: the file states another size than the image has.
    """
    height, width, orientation = read_header(image)
    size = one.size or ((width, height) if orientation >= 5 else (height, width))
    if sorted(size) != sorted((height, width)):
        raise UserError(
            f"{one.source} says that {image} is {size[1]}x{size[0]} px, it is {width}x{height}: "
            "annotate this image, or export again."
        )
    with damage_named(one.source):
        return size, one.shapes(size)


def _images(folder: Path, annotated: Sequence[Annotated]) -> list[Path]:
    """Return the path of each image: what its annotation file says, else the only file of its name.

    Raises:
        UserError: an image is missing, may be several files, or is annotated twice.
    """
    of_name, beside = defaultdict(list), defaultdict(list)
    for path in listed(folder, IMAGE_SUFFIXES):
        of_name[_normal(path.name)].append(path)
        beside[path.parent, path.stem].append(path)
    found: list[Path] = []
    faults: list[str] = []
    for one in annotated:
        stated = PureWindowsPath(_normal(one.image))  # which takes / and \\
        places = of_name[stated.name]
        folder_stated = (one.source.parent / stated.parent.as_posix()).resolve()
        near = [path for path in places if path.parent.resolve() == folder_stated]
        ending = [path for path in places if _normal(path.as_posix()).endswith("/" + stated.as_posix())]
        same_folder = [path for path in places if _normal(path.parent.name) == stated.parent.name]
        anywhere = [] if stated.parent.name and not stated.root else places  # val/1.jpg is not train/1.jpg
        same_stem = beside.get((one.source.parent, one.source.stem), [])
        found_in = (near, ending, same_folder, anywhere, same_stem)
        chosen = next((paths[0] for paths in found_in if len(paths) == 1), None)
        found.append(chosen) if chosen else faults.append(one.image)
    if faults:
        raise UserError(
            f"{folder}: {len(faults)} annotated images are missing, or several files have their name: "
            f"{shorten(sorted(faults))}. Add them, or remove them from the annotations."
        )
    if twice := sorted(path.name for path, count in Counter(found).items() if count > 1):
        raise UserError(
            f"{folder}: {len(twice)} images are in several annotation files: {shorten(twice)}. Keep one file for each, "
            "or name the files with --masks, such as --masks 'annotations/instances_*.json'."
        )
    return found


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)
