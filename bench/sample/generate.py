"""The embedded sample: ten small synthetic datasets that resemble the ten real ones, file names included."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from bench.sample.roads import COARSE, MOTORWAY, PAVEMENT, STREET, SURVEY
from bench.sample.scene import Labelling, Scene, cracks_of, image_of, mask_of
from bench.sample.walls import CONCRETE, MIXED, PLASTER, TUNNEL

Image = NDArray[np.uint8]

_CROPS = 3  # crops per source image, so that 12 samples have 4: enough for a grouped split
_CRACK_FREE = 900  # offset of the number of a crack-free source image, beyond those with cracks
_SMALLEST_PX = 32  # below this, the texture of a scene is finer than a pixel
_TUNNELS = ("4470", "7723", "8980", "8980a", "9360")  # the source images of the real dataset
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT)


@dataclass(frozen=True)
class _Source:
    """The definition of a sample: source image number ``photo`` of ``owner``, how it is cropped, labelled and named.

    ``crop`` is the number of the crop; None shows the whole image. ``stem`` is the file name, with placeholders for the
    crop box in px of the source image: {top}, {left}, {height}, {width}, and {top1}, {left1} counted from 1.
    """

    owner: str
    photo: int
    scene: Scene
    labelling: Labelling
    stem: str
    crop: int | None = None
    cracked: bool = True


def _whole(owner: str, photo: int, scene: Scene, stem: str) -> _Source:
    return _Source(owner, photo, scene, scene.labelling, stem)


def _cropped(owner: str, index: int, scene: Scene, first: int, stem: str, empty: int | None = None) -> _Source:
    """Return a crop of a source image; these are numbered from ``first``, and # in ``stem`` stands for the number."""
    photo = first + (_CRACK_FREE if index == empty else index // _CROPS)
    named = stem.replace("#", str(photo))
    return _Source(owner, photo, scene, scene.labelling, named, index % _CROPS, index != empty)


def _deepcrack(index: int) -> _Source:
    """Return a sample of DeepCrack: two in three are parts of one source image, numbered after a dash."""
    group, part = divmod(index, 3)
    photo = 11111 + 2 * group + (part > 0)
    return replace(
        _whole("deepcrack", photo, MIXED, f"DeepCrack_{photo}" + (f"-{part}" if part else "")), crop=max(0, part - 1)
    )


def _eugen_miller(index: int) -> _Source:
    """Return a sample of Eugen Miller: crops of five source images; after the fifth, further crops of the first."""
    lap, place = divmod(index, _CROPS * len(_TUNNELS))
    photo, crop = divmod(place, _CROPS)
    stem = f"Eugen_Muller_{_TUNNELS[photo]}_{{top}}_{{left}}_{{height}}_{{width}}"
    return replace(_whole("eugen_miller", photo, TUNNEL, stem), crop=crop + lap * _CROPS)


def _sylvie(index: int) -> _Source:
    """Return a sample of Sylvie: every other one is an image of CFD with a much thicker label; the sixth is empty."""
    number = index // 2
    if index % 2 == 0:
        return replace(_whole("cfd", number, STREET, f"Sylvie_Chambon_{number + 1:03d}"), labelling=SURVEY.labelling)
    if index == 5:
        return replace(_whole("sylvie", _CRACK_FREE, SURVEY, "Sylvie_Chambon_201"), cracked=False)
    return _whole("sylvie", number, SURVEY, f"Sylvie_Chambon_Im_GT_ESAR_{20 + number}a")


_SOURCES: dict[str, Callable[[int], _Source]] = {
    "cfd": lambda i: _whole("cfd", i, STREET, f"CFD_{i + 1:03d}"),
    "crack500": lambda i: _cropped("crack500", i, COARSE, 80850, "CRACK500_20160222_0#_{left1}_{top1}"),
    "cracktree200": lambda i: _whole("cracktree200", i, PAVEMENT, f"cracktree200_{6192 + i}"),
    "deepcrack": _deepcrack,
    "eugen_miller": _eugen_miller,
    "forest": lambda i: _whole("cfd", i, STREET, f"forest_{i + 1:03d}"),  # the source images of CFD under another name
    "gaps": lambda i: _cropped("gaps", i, MOTORWAY, 1100, "GAPS384_train_#_{top1}_{left1}"),
    "rissbilder": lambda i: _cropped(
        "rissbilder", i, PLASTER, 2782, "Rissbilder_for_Florian_9S6A#_{top}_{left}_{height}_{width}", empty=5
    ),
    "sylvie": _sylvie,
    "volker": lambda i: _cropped("volker", i, CONCRETE, 1608, "Volker_DSC0#_{top}_{left}_{height}_{width}", empty=7),
}


def _box(rng: Generator, mask: Image, size: int, crop: int) -> tuple[int, int]:
    """Return top and left of a crop, px: all different, those with enough of the crack first."""
    side = mask.shape[0] - size + 1
    total = np.pad(np.cumsum(np.cumsum(mask > 0, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    inside = total[size:, size:] - total[:side, size:] - total[size:, :side] + total[:side, :side]
    order = np.argsort(rng.random(side * side), kind="stable")
    poor = inside.ravel()[order] * mask.size < 0.7 * int(total[-1, -1]) * size * size
    top, left = divmod(int(order[np.argsort(poor, kind="stable")][crop]), side)
    return top, left


def _sample(dataset: str, index: int, seed: int, size: int) -> tuple[str, Image, Image]:
    """Return the stem of the file name, the image and the mask of a sample."""
    if dataset not in _SOURCES:
        raise ValueError(f"unknown dataset {dataset!r}; valid names: {', '.join(_SOURCES)}.")
    if size < _SMALLEST_PX:
        raise ValueError(f"size is {size} px; it must be at least {_SMALLEST_PX} px.")
    source = _SOURCES[dataset](index)

    def stream(purpose: str) -> Generator:
        return Generator(PCG64([seed, zlib.crc32(source.owner.encode()), source.photo, zlib.crc32(purpose.encode())]))

    side = size if source.crop is None else size + size // 2
    cracks = cracks_of(source.scene, stream, (side, side), size) if source.cracked else []
    image = image_of(source.scene, stream, (side, side), size, cracks)
    mask = mask_of(source.labelling, stream, (side, side), size, cracks)
    top, left = (0, 0) if source.crop is None else _box(stream("crops"), mask, size, source.crop)
    stem = source.stem.format(top=top, left=left, height=size, width=size, top1=top + 1, left1=left + 1)
    box = slice(top, top + size), slice(left, left + size)
    return stem, np.ascontiguousarray(image[box]), np.ascontiguousarray(mask[box])


def draw(dataset: str, index: int, seed: int, size: int) -> tuple[Image, Image]:
    """Return sample number ``index`` of a dataset: the image (H, W, 3) uint8 RGB and the mask (H, W), 255 on a crack.

    Both sides are ``size`` px. The pixels are a pure function of the arguments, the same on every machine.

    Raises:
        ValueError: no such dataset, or ``size`` below 32.
    """
    _, image, mask = _sample(dataset, index, seed, size)
    return image, mask


def _write(path: Path, pixels: Image) -> None:
    """Write a PNG atomically, with fixed settings, so that its bytes are reproducible."""
    encoded = cv2.imencode(".png", pixels, _PNG)[1]
    temporary = path.with_name(f".{path.name}")
    temporary.write_bytes(encoded.tobytes())
    temporary.replace(path)


def generate(dataset: str, folder: Path, seed: int, images: int, size: int) -> None:
    """Write the first ``images`` samples of a dataset as ``folder/images/*.png`` and ``folder/masks/*.png``.

    A mask has the stem of its image. The names follow the published collection: they contain the source image and,
    where the collection's do, the crop box.

    Raises:
        ValueError: no such dataset, or ``size`` below 32 px.
    """
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for index in range(images):
        stem, image, mask = _sample(dataset, index, seed, size)
        _write(folder / "images" / f"{stem}.png", image[:, :, ::-1])  # OpenCV writes BGR
        _write(folder / "masks" / f"{stem}.png", mask)
