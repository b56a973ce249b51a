"""Switch params.yaml between the paper's protocol and the strict one; comments and all other text are kept."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench.errors import UserError
from bench.formats import files
from bench.settings import load_params, verify_edit

PROTOCOLS: dict[str, dict[tuple[str, str], Any]] = {
    "paper": {
        ("prepare", "mask_threshold"): 0,
        ("prepare", "split"): "random",
        ("prepare", "validation_share"): 0.0,
        ("train", "select_on"): "test",
        ("report", "headline"): "batch_mean",
    },
    "strict": {
        ("prepare", "mask_threshold"): 127,
        ("prepare", "split"): "grouped",
        ("prepare", "validation_share"): 0.125,
        ("train", "select_on"): "validation",
        ("report", "headline"): "pooled",
    },
}
"""Settings of the two protocols; 0.125 of the 80 % for training is a tenth of the dataset."""


def switch_protocol(path: Path, name: str) -> str:
    """Set the protocol ``name`` in params.yaml; return which settings changed.

    Raises:
        UserError: the file is missing or not YAML, a setting is missing, or the file must be edited by hand.
    """
    wanted, text = load_params(path), path.read_text(encoding="utf-8")
    places = YAML().load(text)  # only for the positions: dumping would drop `null`
    changed, replacements = [], []
    for (section, key), value in PROTOCOLS[name].items():
        if key not in (wanted.get(section) or {}):
            raise UserError(f"{path} has no setting {section}.{key}: restore it from git.")
        if wanted[section][key] != value:
            changed.append(f"{section}.{key}: {wanted[section][key]} -> {value}")
            replacements.append((places[section].lc.value(key), str(value)))
            wanted[section][key] = value
    for place, new in sorted(replacements, reverse=True):  # last first, so that the other positions stay valid
        text = _replaced(text, place, new)
    files.write_text(path, verify_edit(path, text, wanted))
    return "\n".join([f"protocol {name}:", *(f"  {line}" for line in changed or ["nothing to change"])])


def _replaced(text: str, place: tuple[int, int], value: str) -> str:
    """Return the text with the plain value at (line, column) replaced; a comment after it keeps its column."""
    lines = text.split("\n")
    line, column = lines[place[0]], place[1]
    match = re.match(r"([^\s,}#]+)(\s*)", line[column:])
    if not match:
        return text
    old, gap = match.groups()
    rest = line[column + len(old) + len(gap) :]
    spaces = " " * max(len(old) + len(gap) - len(value), 1) if gap else ""
    lines[place[0]] = line[:column] + value + spaces + rest
    return "\n".join(lines)
