"""The protocol of a run: all settings that change a result; runs are ranked together only if its hash is equal."""

from collections.abc import Mapping
from typing import Any

from bench.formats.files import digest

MACHINE_ONLY = {"device", "threads", "workers", "deterministic", "compile", "checkpoint_minutes"}
"""Settings of the section ``train`` that concern the machine and do not change what is computed."""


def protocol(prepared_card: Mapping[str, Any], train: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the settings of the protocol and their hash (12 hexadecimal digits).

    Args:
        prepared_card: card.json of the prepared dataset.
        train: the section ``train`` of params.yaml.
    """
    settings = {
        "source": prepared_card["origin"]["source"],
        "prepare": {k: v for k, v in prepared_card["settings"].items() if k != "skip"},
        "train": {k: v for k, v in train.items() if k not in MACHINE_ONLY},
    }
    return settings, digest(_canonical(settings))


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
