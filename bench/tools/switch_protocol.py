"""Switch params.yaml between the protocols paper, strict and open, comments and all else kept."""

import re
from pathlib import Path
from typing import Any

import yaml

from bench.errors import UserError
from bench.formats import files
from bench.settings import load_params, verify_edit

NAMES = ("paper", "strict", "open")
_TEN = "[cfd, crack500, cracktree200, deepcrack, eugen_miller, forest, gaps, rissbilder, sylvie, volker]"
_NINE = "[masonry, uav75, ceramic, uav_cc0, asphalt300, crack500_crops, deepcrack_544, sylvie_native, cfd_native]"
_LOSS = "{{cross_entropy: 1.0, dice: 1.0, epsilon: 1.0e-5, dice_over: {}}}"
_MODELS = "[deeplabv3, deeplabv3plus, fpn, linknet, manet, pan, pspnet, unet, unetplusplus, context_cracknet]"

# What the protocols set, as it is written in params.yaml. Settings where `strict` is None belong to the open track:
# `paper` and `strict` restore them when they leave it, where they have its value, and otherwise keep the user's choice.
TABLE: dict[str, tuple[str, str | None, str]] = {
    # setting                    paper                strict        open
    "datasets":                 (_TEN,                None,         _NINE),
    "models":                   (_MODELS,             None,         _MODELS),
    "seeds":                    ("[0]",               None,         "[0, 1, 2]"),
    "download.source":          ("collection",        None,         "pinned"),
    "prepare.image_size":       ("448",               None,         "128"),
    "prepare.geometry":         ("squeeze",           None,         "tiles"),
    "prepare.mask_resize":      ("nearest",           "any",        "nearest"),  # benchmarks/README.md
    "prepare.mask_threshold":   ("0",                 "127",        "127"),
    "prepare.split":            ("random",            "grouped",    "grouped"),
    "prepare.validation_share": ("0.0",               "0.125",      "0.2"),  # strict: a tenth of the dataset
    "train.encoder":            ("resnet50",          None,         "efficientnet_lite0"),
    "train.weights":            ("imagenet",          None,         "imagenet"),
    "train.epochs":             ("1000",              None,         "16"),
    "train.epoch_items":        ("null",              None,         "64"),  # equal cost on each dataset
    "train.batch":              ("32",                None,         "4"),
    "train.lr":                 ("1.0e-4",            None,         "3.0e-3"),  # 1e-3 is too slow for linknet
    "train.schedule":           ("plateau",           None,         "cosine"),  # short trainings must end at a low rate
    "train.precision":          ("mixed",             None,         "float32"),  # the same on a laptop and on a GPU
    "train.loss":               (_LOSS.format("image"), None,       _LOSS.format("batch")),  # many tiles have no crack
    "train.select_on":          ("test",              "validation", "validation"),
    "measure.encoder":          ("resnet50",          None,         "efficientnet_lite0"),
    "measure.image_size":       ("448",               None,         "128"),
    "report.headline":          ("batch_mean",        "pooled",     "pooled"),
    "report.highlight":         ("[context_cracknet]", None,        "[]"),
}  # fmt: skip


def switch_protocol(path: Path, name: str) -> str:
    """Set the protocol ``name`` in params.yaml; return which settings changed.

    Raises:
        UserError: the file is missing, is no YAML, lacks one of the settings or must be edited by hand.
    """
    wanted, text = load_params(path), path.read_text(encoding="utf-8")
    places = yaml.compose(text, yaml.SafeLoader)
    assert places is not None  # load_params has read a mapping
    is_open = (wanted.get("download") or {}).get("source") == TABLE["download.source"][2]
    changed, replacements = [], []
    for setting, values in TABLE.items():
        section, _, key = setting.rpartition(".")
        holder = wanted.get(section) if section else wanted
        if not isinstance(holder, dict) or key not in holder:
            raise UserError(f"{path} has no setting {setting}: restore it from git.")
        new = _new_value(values, name, holder[key], is_open)
        if new is not None and yaml.safe_load(new) != holder[key]:
            changed.append(f"{setting}: {_shown(holder[key])} -> {new}")
            replacements.append((_extent(places, setting), new))
            holder[key] = yaml.safe_load(new)
    for extent, new in sorted(replacements, reverse=True):  # the last first: it moves no other
        text = _replaced(text, extent, new)
    files.replace_text(path, verify_edit(path, text, wanted))
    return "\n".join([f"protocol {name}:", *(f"  {line}" for line in changed or ["nothing to change"])])


def _new_value(values: tuple[str, str | None, str], name: str, current: Any, is_open: bool) -> str | None:
    """Return what a protocol writes for a setting, in a file that is set to the open track or not; None keeps it."""
    paper, strict, open_track = values
    if name == "open":
        return open_track
    if strict is None:
        return paper if is_open and current == yaml.safe_load(open_track) else None
    return paper if name == "paper" else strict


def _shown(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=9999).removesuffix("...\n").strip()


def _extent(node: yaml.Node, setting: str) -> tuple[int, int]:
    """Return where the value of a setting begins and ends in the text."""
    for key in setting.split("."):
        node = next(value for name, value in node.value if name.value == key)
    is_block = isinstance(node, yaml.SequenceNode) and not node.flow_style
    last = node.value[-1] if is_block else node  # the end of a block includes the comments behind it
    return node.start_mark.index, last.end_mark.index


def _replaced(text: str, extent: tuple[int, int], value: str) -> str:
    """Return the text with the value at (start, end) replaced; a comment behind it stays in its column if it fits."""
    start, end = extent
    gap = re.match(r"( +)#", text[end:])
    if not gap:
        return text[:start] + value + text[end:]
    spaces = max(end - start + len(gap[1]) - len(value), 1)
    return text[:start] + value + " " * spaces + text[end + len(gap[1]) :]
