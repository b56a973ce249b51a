"""Add a folder of images and masks as a dataset: write its file in bench/datasets and list it in params.yaml."""

import json
import keyword
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from bench import plugins
from bench.data.dataset import Pair
from bench.data.folder import find_pairs
from bench.data.images import read_image, read_label
from bench.errors import UserError
from bench.formats import files
from bench.settings import load_params, verify_edit

MAX_CLASSES = 16
"""Masks with more distinct values are treated as grey and thresholded."""

TEMPLATE = '''"""{title}: {images} images from a local folder."""

from bench.data.dataset import Card

CARD = Card(
    name="{title}",
    crack_type="own",
    scene="own data",
    images={images},
    photographs={photographs},
    crack_share_pct={share:.3f},
    licence="own data: state yours here",
    citation="own data: state yours here",
    classes={classes},
)
PREFIX = "{name}_"
PHOTO = {photo}  # the first group is the source image of an item; a split keeps its items together
ORIGINAL = None
FOLDER = {folder}  # folder with the images and masks
CRACK_VALUE = {value}  # value of crack in the masks; None: 255
'''


def add_dataset(folder: Path, name: str, classes: int | None, photo: str, params: Path, target: Path) -> str:
    """Write ``target/<name>.py`` and add the name to the datasets of params.yaml; return a summary.

    Args:
        folder: contains a folder of images and a folder of masks of the same names (or ending in _mask, _label, _gt).
        name: id of the dataset.
        classes: number of classes, background included; 1 for crack against background; None: read from the masks.
        photo: regular expression whose first group is the source image in the name of an item.
        params: params.yaml.
        target: folder of the dataset modules.

    Raises:
        UserError: the name is taken or not an identifier, a pair is faulty, or the pattern has no group.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"{name!r} is not a valid dataset name: use lower-case letters, digits and underscores, such as my_walls."
        )
    if name in plugins.names("datasets") or (target / f"{name}.py").exists():
        raise UserError(f"the dataset {name!r} exists already: choose another name, or delete {target / name}.py.")
    try:
        if re.compile(photo).groups < 1:
            raise UserError(
                f"--photo {photo!r} needs a group in parentheses that matches the name of the source image."
            )
    except re.error as error:
        raise UserError(f"--photo {photo!r} is not a valid regular expression ({error}).") from None
    pairs = find_pairs(folder)
    count, value, share = _labels(pairs, classes)
    photos = {match[1] if (match := re.fullmatch(photo, pair.item)) else pair.item for pair in pairs}
    content = TEMPLATE.format(
        title=name.replace("_", " "), name=name, images=len(pairs), photographs=len(photos), share=share,
        classes=count, folder=_quoted(str(folder.resolve())), value=value, photo=_quoted(photo),
    )  # fmt: skip
    new_params = with_name(params, "datasets", name)
    files.write_text(target / f"{name}.py", content)
    files.write_text(params, new_params)
    kind = "crack against background" if count == 1 else f"{count} classes"
    return (
        f"{name}: {len(pairs)} pairs from {len(photos)} source images, {kind}, {share:.2f} % not background.\n"
        f"Wrote its card to {target / name}.py and added it to `datasets` of {params}. Next: dvc repro"
    )


def _quoted(text: str) -> str:
    """Return a string as Python source, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _labels(pairs: Sequence[Pair], classes: int | None) -> tuple[int, int | None, float]:
    """Return the number of classes, the value of crack if it is not 255, and the percentage that is not background.

    With one class, if the masks contain only 0 and one other value, that value is crack, even below the threshold.

    Raises:
        UserError: a file cannot be read, sizes differ, or a mask contains a value that is no class.
    """
    values: set[int] = set()
    above: dict[int, list[float]] = {0: [], 127: []}
    for pair in tqdm(pairs, desc="read masks", unit="pair"):
        label, image = read_label(pair.mask), read_image(pair.image)
        if label.shape != image.shape[:2]:
            raise UserError(
                f"{pair.mask} is {label.shape[::-1]} px, but its image {image.shape[1::-1]}: make them the same size."
            )
        values |= set(np.unique(label).tolist())
        for level, shares in above.items():
            shares.append(float((label > level).mean()))
        if classes and classes > 1 and max(values) >= classes:
            raise UserError(
                f"{pair.mask} has the value {max(values)}: with --classes {classes} values must be below {classes}."
            )
    if classes is None:
        classes = max(values) + 1 if 1 < max(values) < MAX_CLASSES else 1
    is_binary = classes == 1 and (values <= {0, 1} or (len(values) == 2 and 0 in values))
    value = max(values | {1}) if is_binary and max(values) < 255 else None
    is_grey = classes == 1 and value is None and max(values) > MAX_CLASSES
    return classes, value, 100 * float(np.mean(above[127 if is_grey else 0]))


def with_name(params: Path, key: str, name: str) -> str:
    """Return the text of params.yaml with a name appended to one of its lists, unless it is listed; all else unchanged.

    Raises:
        UserError: the file or the list is missing, or must be edited by hand.
    """
    content, text = load_params(params), params.read_text(encoding="utf-8")
    listed = content.get(key) or []
    if name in listed:
        return text
    for old, new in (
        (rf"(?m)^({key}: *\[[^\]]*?)\s*\]", rf"\1, {name}]"),  # key: [a, b]
        (rf"(?m)^({key}:[^\n\[]*\n(?:( *)- [^\n]*\n)+)", rf"\1\2- {name}\n"),  # one name per line
    ):
        changed, count = re.subn(old, new, text, count=1)
        if count:
            return verify_edit(params, changed, {**content, key: [*listed, name]})
    raise UserError(f"{params} has no list `{key}`: add it as `{key}: [{name}]`.")
