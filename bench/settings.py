"""Turn sections of params.yaml into the frozen dataclasses of the stages, and refuse what does not fit."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bench.errors import UserError

T = TypeVar("T")


def load_params(path: Path) -> dict[str, Any]:
    """Return params.yaml as a mapping.

    Raises:
        UserError: the file is missing, is no YAML or holds no mapping.
    """
    try:
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} not found: run in the project's folder, or name the file with --params.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(params, dict):
        raise UserError(f"{path} must hold a mapping of sections, found {type(params).__name__}.")
    return params


def section(params: Mapping[str, Any], name: str, cls: type[T]) -> T:
    """Return one section of params.yaml as the dataclass of its stage.

    Raises:
        UserError: a key is unknown, missing or of the wrong type; the message names it and the valid ones.
    """
    from pydantic import TypeAdapter, ValidationError

    if name not in params:
        raise UserError(f"params.yaml has no section {name!r}.")
    try:
        return TypeAdapter(cls).validate_python(params[name])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *(str(part) for part in first["loc"])])
        raise UserError(f"params.yaml: {_explain(key, first, cls)}") from None


def name_list(params: Mapping[str, Any], key: str, valid: list[str]) -> list[str]:
    """Return a list of plug-in names from params.yaml.

    Raises:
        UserError: the key is missing, empty, holds a name twice or one that is not valid.
    """
    chosen = params.get(key)
    if not isinstance(chosen, list) or not chosen:
        raise UserError(f"params.yaml: {key} must be a list of at least one name. Valid names: {', '.join(valid)}.")
    for name in chosen:
        if name not in valid:
            close = get_close_matches(str(name), valid, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise UserError(f"params.yaml: unknown name {name!r} in {key}{hint} Valid names: {', '.join(valid)}.")
        if chosen.count(name) > 1:
            raise UserError(f"params.yaml: {name!r} stands twice in {key}.")
    return list(chosen)


def seed_list(params: Mapping[str, Any]) -> list[int]:
    """Return the seeds from params.yaml.

    Raises:
        UserError: the key is missing, empty, holds a seed twice or something that is no seed.
    """
    seeds = params.get("seeds")
    if not isinstance(seeds, list) or not seeds or any(type(s) is not int or s < 0 for s in seeds):
        raise UserError(f"params.yaml: seeds must be a list of numbers from 0, got {seeds!r}.")
    if len(set(seeds)) < len(seeds):
        raise UserError(f"params.yaml: a seed stands twice in seeds: {seeds}.")
    return list(seeds)


def _explain(key: str, error: Any, cls: type) -> str:
    """Return one line for a pydantic error: what is wrong, what is valid."""
    parent, _, last = key.rpartition(".")
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        valid = sorted(_keys(cls, error["loc"][:-1]))
        close = get_close_matches(last, valid, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        return f"unknown key {key!r}{hint} Valid keys in {parent!r}: {', '.join(valid)}."
    if error["type"] == "missing":
        return f"the key {key!r} is missing."
    return f"{key} = {error['input']!r}: {error['msg'].removeprefix('Value error, ')}."


def _keys(cls: Any, location: tuple[Any, ...]) -> list[str]:
    """Return the keys that the dataclass at a location inside ``cls`` knows."""
    from typing import get_type_hints

    for part in location:
        cls = get_type_hints(cls)[part]
    return [f.name for f in fields(cls)]
