"""Read the annotations of COCO and labelme files: the images, and the regions of each with their labels."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from bench.data.folder import listed, wildcards
from bench.errors import UserError

Size = tuple[int, int]


@dataclass(frozen=True)
class Shape:
    """One annotated region: its label, its area in px, and what draws it, a bool array (H, W)."""

    label: str
    area: float
    draw: Callable[[], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Annotated:
    """One image of an annotation file.

    Attributes:
        source: the annotation file.
        group: "labelme", or the name of a COCO file, which may tell the part of a split.
        image: name of the image as written in the file.
        size: of the image (h, w) as stated; None: not stated.
        shapes: size (h, w) -> the regions.
    """

    source: Path
    group: str
    image: str
    size: Size | None
    shapes: Callable[[Size], list[Shape]]


def annotation_files(folder: Path, pattern: str | None = None) -> dict[Path, Any]:
    """Return the content of the COCO and labelme files below a folder, by their paths; other JSON files are left out.

    Args:
        folder: where to look.
        pattern: of the paths below it, such as "annotations/*.json"; None: all.

    Raises:
        UserError: a JSON file is damaged, or none that matches the pattern is a COCO or labelme file.
    """
    found = {}
    for path in listed(folder, {".json"}):
        if pattern is not None and wildcards(pattern, path.relative_to(folder)) is None:
            continue
        try:
            content = json.loads(path.read_bytes())
        except ValueError as error:
            raise UserError(f"{path} is no valid JSON ({error}): export it again, or move it away.") from None
        if isinstance(content, dict) and (_is_coco(content) or _is_labelme(content)):
            content.pop("imageData", None)  # the image itself, in labelme
            found[path] = content
    if pattern is not None and not found:
        raise UserError(f"no COCO or labelme file below {folder} matches --masks {pattern!r}: correct the pattern.")
    return found


def _is_coco(content: Mapping[str, Any]) -> bool:
    return all(isinstance(content.get(key), list) for key in ("images", "annotations", "categories"))


def _is_labelme(content: Mapping[str, Any]) -> bool:
    return isinstance(content.get("shapes"), list) and "imagePath" in content


def read_annotations(path: Path, content: Any) -> Iterator[Annotated]:
    """Yield the images of an annotation file.

    Raises:
        UserError: it lacks a key, or has annotations of images that it does not list.
    """
    with damage_named(path):
        yield from (_of_coco if _is_coco(content) else _of_labelme)(path, content)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Raise a UserError that names the file if its content is not as expected."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}): export it again.") from None


def _of_coco(path: Path, content: Any) -> Iterator[Annotated]:
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    of_image: dict[Any, list[Any]] = {image["id"]: [] for image in content["images"]}
    if unknown := [a["id"] for a in content["annotations"] if a["image_id"] not in of_image]:
        raise UserError(f"{path} lists no image for {len(unknown)} annotations, such as {unknown[0]}: export it again.")
    for annotation in content["annotations"]:
        of_image[annotation["image_id"]].append((names[annotation["category_id"]], annotation))
    for image in content["images"]:
        name = str(image["file_name"])
        shapes = partial(_coco_shapes, f"{path}: {name}", of_image[image["id"]])
        yield Annotated(path, path.stem, name, _stated_size(image.get("height"), image.get("width")), shapes)


def _stated_size(height: Any, width: Any) -> Size | None:
    return (int(height), int(width)) if height and width else None


def _coco_shapes(where: str, regions: Sequence[tuple[str, Any]], size: Size) -> list[Shape]:
    """Return the regions of a COCO image: polygons, each in parts, or run lengths."""
    shapes = []
    for label, annotation in regions:
        segmentation = annotation.get("segmentation")
        parts = segmentation if isinstance(segmentation, list) else []
        if not segmentation or any(len(part) < 6 or len(part) % 2 for part in parts):
            raise UserError(
                f"{where} has an annotation {annotation['id']} without an outline (a box, or fewer than three points): "
                "export polygons or masks."
            )
        code = _run_lengths(where, segmentation, size)
        shapes.append(Shape(label, float(_coco().area(code)), partial(_decoded, code)))
    return shapes


def _decoded(code: Any) -> npt.NDArray[np.bool_]:
    """Return the pixels of compressed run lengths, (H, W)."""
    return np.asarray(_coco().decode(code), np.bool_)


def _run_lengths(where: str, segmentation: Any, size: Size) -> Any:
    """Return a region as compressed run lengths.

    Raises:
        UserError: it is of another size than its image.
    """
    if isinstance(segmentation, list):
        return _coco().merge(_coco().frPyObjects(segmentation, *size))
    if tuple(segmentation["size"]) != size:
        raise UserError(f"{where} has run lengths of {segmentation['size']}, not of {list(size)} px: export it again.")
    if isinstance(segmentation["counts"], list):
        if sum(segmentation["counts"]) != size[0] * size[1]:
            raise UserError(f"{where} has run lengths that do not cover the image: export it again.")
        return _coco().frPyObjects(segmentation, *size)
    return segmentation


def _coco() -> Any:
    """Return the module that draws the regions of COCO files."""
    try:
        from faster_coco_eval.core import mask
    except ImportError:
        raise UserError(
            "COCO files need faster-coco-eval: `pip install '.[coco]'` in the clone of CrackBench, or `pip install "
            "faster-coco-eval`."
        ) from None
    return mask


def _of_labelme(path: Path, content: Any) -> Iterator[Annotated]:
    for shape in content["shapes"]:
        kind, label, points = shape.get("shape_type") or "polygon", shape["label"], shape["points"]
        if kind != "polygon" or len(points) < 3:
            raise UserError(
                f"{path} has a {kind} of {len(points)} points labelled {label}: only polygons of at least three points "
                "are drawn."
            )
    size = _stated_size(content.get("imageHeight"), content.get("imageWidth"))
    yield Annotated(path, "labelme", str(content["imagePath"]), size, partial(_labelme_shapes, content["shapes"]))


def _labelme_shapes(regions: Sequence[Any], size: Size) -> list[Shape]:
    shapes = []
    for region in regions:
        points = np.asarray(region["points"], float)
        x, y = points.T
        area = abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2
        shapes.append(Shape(str(region["label"]), area, partial(_polygon, points, size)))
    return shapes


def _polygon(points: npt.NDArray[np.float64], size: Size) -> npt.NDArray[np.bool_]:
    """Return the pixels of a polygon with its outline, (H, W), as labelme draws it."""
    image = Image.new("1", (size[1], size[0]))
    ImageDraw.Draw(image).polygon([tuple(point) for point in points.tolist()], fill=1, outline=1)
    return np.asarray(image)
