"""Make a dataset of a folder of images and masks: write its file in bench/datasets and add it to params.yaml."""

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

MOST_CLASSES = 16
"""A mask with more values is taken for a grey one, which a threshold binarises."""
TEMPLATE = '''"""{title}: {images} images from a user's folder."""

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
FOLDER = {folder}  # source of the images and masks
CRACK_VALUE = {value}  # grey level of crack in these masks; None: 255
'''


def add_dataset(folder: Path, name: str, classes: int | None, photo: str, params: Path, target: Path) -> str:
    """Write ``target/<name>.py`` and add the name to the datasets of params.yaml; return what was found.

    Args:
        folder: holds a folder of images and one of masks of the same names (or with _mask, _label, _gt behind).
        name: id of the dataset.
        classes: number of classes, background included; 1 for crack against background; None: told by the masks.
        photo: pattern whose first group is the source photograph in the name of an item.
        params: params.yaml.
        target: folder of the datasets' files.

    Raises:
        UserError: the name is taken or no identifier, a pair is faulty, the pattern has no group.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(f"{name!r} is no name for a dataset: use small letters, digits and underscores, like my_walls.")
    if name in plugins.names("datasets") or (target / f"{name}.py").exists():
        raise UserError(f"the dataset {name!r} exists already: choose another name, or delete {target / name}.py.")
    try:
        if re.compile(photo).groups < 1:
            raise UserError(f"--photo {photo!r} needs a group in parentheses that is the photograph's name.")
    except re.error as error:
        raise UserError(f"--photo {photo!r} is no regular expression ({error}).") from None
    pairs = find_pairs(folder)
    found, value, share = _labels(pairs, classes)
    photos = {match[1] if (match := re.fullmatch(photo, pair.item)) else pair.item for pair in pairs}
    content = TEMPLATE.format(
        title=name.replace("_", " "), name=name, images=len(pairs), photographs=len(photos), share=share,
        classes=found, folder=_quoted(str(folder.resolve())), value=value, photo=_quoted(photo),
    )  # fmt: skip
    added = with_name(params, "datasets", name)
    files.write_text(target / f"{name}.py", content)
    files.write_text(params, added)
    kind = "crack against background" if found == 1 else f"{found} classes"
    return (
        f"{name}: {len(pairs)} pairs of {len(photos)} photographs, {kind}, {share:.2f} % not background.\n"
        f"Its card is in {target / name}.py; it stands in `datasets` of {params}. Now: dvc repro"
    )


def _quoted(text: str) -> str:
    """Return a string as Python source, in double quotes, as the rest of the file."""
    return json.dumps(text, ensure_ascii=False)


def _labels(pairs: Sequence[Pair], classes: int | None) -> tuple[int, int | None, float]:
    """Return the number of classes, the value of crack if it is not 255, and the percent that is not background.

    If the masks of one class hold 0 and one other value, that is crack, be it above the threshold or not.

    Raises:
        UserError: a file cannot be read, sizes differ, or a mask has a value that no class has.
    """
    values: set[int] = set()
    above: dict[int, list[float]] = {0: [], 127: []}
    for pair in tqdm(pairs, desc="look at masks", unit="pair"):
        label, image = read_label(pair.mask), read_image(pair.image)
        if label.shape != image.shape[:2]:
            raise UserError(f"{pair.mask} is {label.shape[::-1]} px, its image {image.shape[1::-1]}: they must agree.")
        values |= set(np.unique(label).tolist())
        for level, shares in above.items():
            shares.append(float((label > level).mean()))
        if classes and classes > 1 and max(values) >= classes:
            raise UserError(f"{pair.mask} has the value {max(values)}: with --classes {classes} it must be less.")
    if classes is None:
        classes = max(values) + 1 if 1 < max(values) < MOST_CLASSES else 1
    is_binary = classes == 1 and (values <= {0, 1} or (len(values) == 2 and 0 in values))
    value = max(values | {1}) if is_binary and max(values) < 255 else None
    is_grey = classes == 1 and value is None and max(values) > MOST_CLASSES
    return classes, value, 100 * float(np.mean(above[127 if is_grey else 0]))


def with_name(params: Path, key: str, name: str) -> str:
    """Return params.yaml with a name at the end of one of its lists, if it is not there yet, all else as it is.

    Raises:
        UserError: there is no such file or list, or it is written in a way that must be edited by hand.
    """
    content, text = load_params(params), params.read_text(encoding="utf-8")
    listed = content.get(key) or []
    if name in listed:
        return text
    for old, new in (
        (rf"(?m)^({key}: *\[[^\]]*?)\s*\]", rf"\1, {name}]"),  # key: [a, b]
        (rf"(?m)^({key}:[^\n\[]*\n(?:( *)- [^\n]*\n)+)", rf"\1\2- {name}\n"),  # a line for each
    ):
        changed, count = re.subn(old, new, text, count=1)
        if count:
            return verify_edit(params, changed, {**content, key: [*listed, name]})
    raise UserError(f"{params} has no list `{key}`: add it, as `{key}: [{name}]`.")
