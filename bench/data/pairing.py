"""Match images with masks by the names of their files and folders."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SUFFIX = re.compile(r"[_-](mask|masks|label|labels|gt|lab|seg)$", re.IGNORECASE)
"""What may stand behind the name of a mask."""
EXTENSION = re.compile(r"\.(jpe?g|png|bmp|tiff?|webp)$", re.IGNORECASE)
CHANNEL = re.compile(r"_\d{4}$")
"""Number of the channel behind the name of an image of nnU-Net."""

Key = tuple[str, str, str]
"""Part ("train", "validation", "test" or ""), rest of the folder's name, and name of a file without its ending."""


@dataclass(frozen=True)
class File:
    """An image or mask: its path, role ("image", "mask" or "", if the folders do not tell) and key."""

    path: Path
    name: str
    role: str
    key: Key


def match(images: Mapping[Key, File], masks: Mapping[Key, File]) -> dict[Key, File]:
    """Return {key of an image: its mask}: by the same folders, else by the same names, if they are unique."""
    places: list[Callable[[Key], tuple[str, ...]]] = [lambda k: k[:2], lambda k: k[1:2], lambda k: ()]
    stems: list[Callable[[str], str]] = [
        str,
        lambda s: SUFFIX.sub("", s),
        lambda s: EXTENSION.sub("", s),
        lambda s: SUFFIX.sub("", EXTENSION.sub("", s)),
    ]
    strips: list[Callable[[str], str]] = [str, lambda s: CHANNEL.sub("", s)]
    couples: dict[Key, File] = {}
    for strip in strips:
        for place in places:
            for stem in stems:
                free = [k for k in images if k not in couples]
                wanted = _unique((*place(k), strip(k[2])) for k in free)
                left = {f.key: f for f in unused(masks, couples.values())}
                offered = _unique((*place(k), stem(k[2])) for k in left)
                by_name = {(*place(k), stem(k[2])): f for k, f in left.items()}
                for key in free:
                    name = (*place(key), strip(key[2]))
                    if name in wanted and name in offered and _agree(key[0], by_name[name].key[0]):
                        couples[key] = by_name[name]
    return couples


def _agree(part: str, other: str) -> bool:
    return part == other or not (part and other)


def _unique(names: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    once: dict[tuple[str, ...], int] = defaultdict(int)
    for name in names:
        once[name] += 1
    return {name for name, count in once.items() if count == 1}


def unused(masks: Mapping[Key, File], used: Iterable[File]) -> list[File]:
    """Return the masks that are not in ``used``."""
    taken = {file.path for file in used}
    return [file for file in masks.values() if file.path not in taken]


def names_of(couples: Mapping[Key, File]) -> dict[Key, str]:
    """Return a unique name for each pair: its file's, with its folders in front if that occurs more than once."""
    own = {k: short if mask.key[2] == (short := CHANNEL.sub("", k[2])) else k[2] for k, mask in couples.items()}
    single = _unique((name,) for name in own.values())
    full = {key: "_".join(filter(None, (*key[:2], own[key]))).replace("/", "_") for key in couples}
    return {key: own[key] if (own[key],) in single else full[key] for key in couples}
