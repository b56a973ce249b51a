"""The protocol of a run: all settings that change a result; runs are ranked together only if its hash is equal."""

from collections.abc import Mapping
from typing import Any

from bench.formats.files import digest

MACHINE_ONLY = {"device", "threads", "workers", "deterministic", "compile", "checkpoint_minutes"}
"""Settings of the section ``train`` that concern the machine and do not change what is computed."""


ADDED: dict[str, dict[str, Any]] = {
    "prepare": {"geometry": "squeeze", "tile_stride": None, "mask_resize": "nearest", "train_items": None},
    "train": {"epoch_items": None, "schedule": "plateau"},
    "loss": {"dice_over": "image"},
}
"""Settings added after the first results, and the value those had: with it they do not change the hash."""


def protocol(prepared_card: Mapping[str, Any], train: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the settings of the protocol and their hash (12 hexadecimal digits).

    Args:
        prepared_card: card.json of the prepared dataset.
        train: the section ``train`` of params.yaml.
    """
    settings = {
        "prepare": {k: v for k, v in prepared_card["settings"].items() if k != "skip"},
        "train": {k: v for k, v in train.items() if k not in MACHINE_ONLY},
    }
    return settings, protocol_hash(settings)


def protocol_hash(settings: Mapping[str, Any]) -> str:
    """Return the hash of recorded settings.

    Where the data come from is a fact of one dataset, which the content hash of its data identifies: it is not hashed,
    so that datasets of different sources can stand in one report.
    """
    prepare, train = _without(settings["prepare"], "prepare"), _without(settings["train"], "train")
    if isinstance(train.get("loss"), Mapping):
        train["loss"] = _without(train["loss"], "loss")
    return digest(_canonical({"prepare": prepare, "train": train}))


def _without(section: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a section without the settings of ``ADDED`` that have the value there."""
    return {k: v for k, v in section.items() if not (k in ADDED[name] and v == ADDED[name][k])}


def _canonical(value: Any) -> Any:
    """Return nested settings with all numbers as floats, so that 30, 30.0 and "3e1" give the same hash.

    >>> _canonical({"a": (1, True, "1e-4", "cpu", None)})
    {'a': [1.0, True, 0.0001, 'cpu', None]}
    """
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    try:
        return float(value)
    except ValueError:
        return value
