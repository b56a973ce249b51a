"""Find the pairs of image and mask in a folder, in any of the usual layouts."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bench.data.dataset import IMAGE_SUFFIXES, MASK_SUFFIXES, Pair
from bench.data.pairing import EXTENSION, SUFFIX, File, Key, match, names_of, unused
from bench.errors import UserError, shorten

IMAGES = {"images", "image", "imgs", "img", "rgb", "photos", "photo", "jpegimages"}
MASKS = {
    "masks", "mask", "labels", "label", "labs", "lab", "gt", "gts", "groundtruth", "truth", "annotations", "annotation",
    "ann", "seg", "segmentation", "segmentations",
}  # fmt: skip
PARTS = {
    "train": "train", "training": "train", "tr": "train", "val": "validation", "valid": "validation",
    "validation": "validation", "test": "test", "testing": "test", "ts": "test",
}  # fmt: skip
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^A-Za-z\d_\-. ]+")


@dataclass(frozen=True)
class Layout:
    """The pairs in a folder.

    Attributes:
        pairs: sorted by name.
        parts: name of a pair -> train, validation or test, from the folders; empty without such folders.
        folders: where images and masks are, relative to the folder.
        left_out: files that are neither, or that have no partner in their whole folder.
    """

    pairs: list[Pair]
    parts: dict[str, str]
    folders: list[str]
    left_out: list[str] = field(default_factory=list)


def find_layout(folder: Path, images: str | None = None, masks: str | None = None) -> Layout:
    """Return the pairs below ``folder``.

    Images and masks may lie in two folders or in one, a level down, with train, val and test above or below; a mask may
    have _mask, _label or _gt, or the ending of its image, behind its name; nnU-Net's images end in _0000.

    Args:
        folder: where to look.
        images: pattern of the images' paths below it, such as "photos/*.jpg".
        masks: pattern of the masks' paths; with as many ``*`` as the other, what they stand for must agree.

    Raises:
        UserError: there are no images or masks, a partner is missing, or a name occurs more than once.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: unpack an archive first, then give its folder.")
    if (images is None) != (masks is None):
        raise UserError("give both --images and --masks, or neither.")
    if images is not None and masks is not None:
        chosen = [*_matching(folder, images, "image"), *_matching(folder, masks, "mask")]
        return _paired(folder, chosen, [])
    every = [_classified(folder, path) for path in listed(folder)]
    chosen = _with_roles(folder, every)
    taken = {file.path for file in chosen}
    return _paired(folder, chosen, [file.name for file in every if file.path not in taken])


def holds_masks(folder: Path) -> bool:
    """Return whether a folder has masks that differ from the images by folder, suffix or ending."""
    every = [_classified(folder, path) for path in listed(folder)]
    return any(f.role == "mask" or SUFFIX.search(f.key[2]) for f in every) or bool(_by_ending(every))


def drawn_layout(folder: Path, masks: Path) -> Layout:
    """Return the pairs of images below ``folder`` and masks that were drawn from annotations.

    Args:
        folder: of the images.
        masks: of the masks, ``<name of the annotation file>/<path of the image below the folder>.png``.

    Raises:
        UserError: there are no masks, or an image is missing.
    """
    drawn = {path: path.relative_to(masks).with_suffix("") for path in listed(masks)}
    keys = {path: _classified(masks, masks / name).key for path, name in drawn.items()}
    images = [File(folder / Path(*n.parts[1:]), "/".join(n.parts[1:]), "image", keys[p]) for p, n in drawn.items()]
    if missing := [file.name for file in images if not file.path.is_file()]:
        raise UserError(f"{folder} lacks {len(missing)} images of the masks in {masks}: {shorten(missing)}.")
    taken = {file.path for file in images}
    left_out = [p.relative_to(folder).as_posix() for p in listed(folder) if p not in taken]
    return _paired(folder, [*images, *(File(p, n.as_posix(), "mask", keys[p]) for p, n in drawn.items())], left_out)


def listed(folder: Path, suffixes: Collection[str] = MASK_SUFFIXES) -> list[Path]:
    """Return the files below a folder, without hidden ones and the shadows that macOS adds to archives."""
    paths = (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in suffixes and p.is_file())
    return [p for p in paths if not any(x.startswith(".") or x == "__MACOSX" for x in p.relative_to(folder).parts)]


def _classified(folder: Path, path: Path) -> File:
    """Return a file with the role and key that its folders' names tell."""
    relative = path.relative_to(folder)
    role = part = ""
    rest = []
    for name in reversed(relative.parent.parts):
        tokens = [token.lower() for token in _TOKEN.findall(unicodedata.normalize("NFC", name))]
        kind = "mask" if MASKS & set(tokens) else "image" if IMAGES & set(tokens) else ""
        role = role or kind
        part = part or next((PARTS[token] for token in tokens if token in PARTS), "")
        kept = [token for token in tokens if token not in MASKS | IMAGES | PARTS.keys() and (token, kind) not in _TOOL]
        rest += ["_".join(kept)] * bool(kept)
    return File(path, relative.as_posix(), role, (part, "/".join(rest), unicodedata.normalize("NFC", path.stem)))


_TOOL = {("machine", "mask"), ("ground", "mask")}
"""Words beside "masks" that say nothing: masks_machine of Supervisely, ground_truth."""


def _with_roles(folder: Path, every: Sequence[File]) -> list[File]:
    """Return the files that are images or masks, with their role: by folder, by suffix, or by ending.

    Raises:
        UserError: there are no images, or no masks.
    """
    if not every:
        raise UserError(f"{folder} contains no images: add some.")
    is_supervisely = any("masks_machine" in f.name for f in every)  # masks_human holds the same in colour
    named = [f for f in every if f.role and not (is_supervisely and "masks_human" in f.name)]
    if any(f.role == "mask" for f in named):
        images = [f for f in named if f.role == "image"] or [
            File(f.path, f.name, "image", f.key) for f in every if not f.role
        ]
        return [*images, *(f for f in named if f.role == "mask")]
    suffixed = {f.name for f in every if SUFFIX.search(f.key[2])}
    if not suffixed:
        suffixed = _by_ending(every)
    if not suffixed:
        raise UserError(
            f"{folder} has no masks that differ from the images by name: put them in a folder 'masks' beside "
            "'images', append _mask to their names, or name both with --images GLOB --masks GLOB."
        )
    return [File(f.path, f.name, "mask" if f.name in suffixed else "image", f.key) for f in every]


def _by_ending(every: Sequence[File]) -> set[str]:
    """Return the PNG, .mat or BMP files that have a partner of the same name with a lossy or another ending."""
    groups: dict[str, list[File]] = defaultdict(list)
    for file in every:
        groups[str(PurePosixPath(file.name).parent / EXTENSION.sub("", file.key[2]))].append(file)
    order = [".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".png", ".mat"]
    masks = set()
    for group in groups.values():
        if len(group) == 2:
            masks.add(max(group, key=lambda file: (len(file.key[2]), order.index(file.path.suffix.lower()))).name)
    return masks


def _matching(folder: Path, pattern: str, role: str) -> list[File]:
    """Return the files that match a pattern; what its wildcards stand for becomes the key.

    Raises:
        UserError: no file matches.
    """
    files = []
    for path in listed(folder):
        name = path.relative_to(folder)
        if (groups := wildcards(pattern, name)) is not None:
            stem = EXTENSION.sub("", groups[-1]) if groups else path.stem
            files.append(File(path, name.as_posix(), role, ("", "/".join(groups[:-1]), stem)))
    if not files:
        raise UserError(f"no file below {folder} matches --{role}s {pattern!r}: correct the pattern.")
    return files


def wildcards(pattern: str, name: Path) -> list[str] | None:
    """Return what the wildcards of a pattern stand for in a path, or None if it does not match.

    >>> wildcards("photos/*.jpg", Path("photos/a.jpg")), wildcards("photos/*.jpg", Path("a.jpg"))
    (['a'], None)
    """
    expression = re.escape(unicodedata.normalize("NFC", pattern))
    for wildcard, part in ((r"\*\*/", "(?:(.+)/)?"), (r"\*", "([^/]*)"), (r"\?", "([^/])")):
        expression = expression.replace(wildcard, part)
    matched = re.fullmatch(expression, unicodedata.normalize("NFC", name.as_posix()))
    return None if matched is None else [group or "" for group in matched.groups()]


def _paired(folder: Path, chosen: Sequence[File], left_out: list[str]) -> Layout:
    """Return the layout of images and masks.

    Raises:
        UserError: a partner is missing, or a name occurs more than once.
    """
    images = _by_key(folder, (f for f in chosen if f.role == "image" and f.path.suffix.lower() in IMAGE_SUFFIXES))
    masks = _by_key(folder, (f for f in chosen if f.role == "mask"))
    couples = match(images, masks)
    lonely = [*(f for f in images.values() if f.key not in couples), *unused(masks, couples.values())]
    with_pairs = {images[key].path.parent for key in couples} | {mask.path.parent for mask in couples.values()}
    faults = [f.name for f in lonely if f.path.parent in with_pairs or not couples]
    if faults or not couples:
        raise UserError(
            f"{folder}: {len(faults)} files have no partner: {shorten(sorted(faults))}. Give image and mask "
            "the same name, or name them with --images GLOB --masks GLOB."
            if faults
            else f"{folder} contains no images: add some."
        )
    names = names_of(couples)
    pairs = [Pair(names[key], images[key].path, mask.path, names[key]) for key, mask in couples.items()]
    parts = {names[key]: key[0] or mask.key[0] for key, mask in couples.items()}
    return Layout(
        sorted(pairs, key=lambda pair: pair.item),
        parts if len(set(parts.values())) > 1 and all(parts.values()) else {},
        sorted({PurePosixPath(f.name).parent.as_posix() for k, mask in couples.items() for f in (images[k], mask)}),
        [*left_out, *(f.name for f in lonely)],
    )


def _by_key(folder: Path, files: Iterable[File]) -> dict[Key, File]:
    keyed: dict[Key, File] = {}
    repeated = set()
    for file in files:
        if file.key in keyed:
            repeated.add(file.key[2])
        keyed[file.key] = file
    if repeated:
        raise UserError(
            f"{folder}: {len(repeated)} names occur more than once: {shorten(sorted(repeated))}. Keep one file of each."
        )
    return keyed
