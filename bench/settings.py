"""Parse and validate params.yaml: each section becomes the frozen dataclass of its stage."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

from bench import strict_yaml
from bench.errors import UserError, instead_of

T = TypeVar("T")


def load_params(path: Path) -> dict[str, Any]:
    """Return params.yaml as a mapping, read as DVC reads it.

    Raises:
        UserError: the file is missing, is not YAML, is ambiguous or does not contain a mapping.
    """
    try:
        params = strict_yaml.load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path} not found: run in the project's folder, or pass the file with --params.") from None
    if not isinstance(params, dict):
        raise UserError(f"{path} must hold a mapping of sections, found {type(params).__name__}.")
    return params


def track_version(path: Path) -> int | None:
    """Return the version of the open track whose settings a params.yaml holds; None of another or a missing file.

    Raises:
        UserError: the file cannot be read, or the version is no whole number.
    """
    version = load_params(path).get("track_version") if path.is_file() else None
    if version is not None and type(version) is not int:
        raise UserError(f"{path}: track_version = {version!r}: give a whole number, such as 1.")
    return version


def own_plugins(path: Path) -> Path | None:
    """Return the folder of the user's own datasets, models and metrics that params.yaml names, or None.

    Raises:
        UserError: params.yaml cannot be read, or ``plugins`` is not the path of a folder.
    """
    folder = load_params(path).get("plugins")
    if folder is None:
        return None
    if not isinstance(folder, str) or not folder or (path.parent / folder).is_file():
        raise UserError(
            f"{path}: plugins = {folder!r}: give the folder of your own plug-ins, such as my_bench, or null."
        )
    return (path.resolve().parent / folder).resolve()


def verify_edit(path: Path, text: str, expected: Mapping[str, Any]) -> str:
    """Return the edited text of params.yaml after verifying its content: an edit of the text can miss some YAML styles.

    Args:
        path: the file before the edit.
        text: its text after the edit.
        expected: the content that the text must have.

    Raises:
        UserError: the text has other content.
    """
    try:
        content = strict_yaml.load(text, str(path))
    except UserError:
        content = None
    if content != expected:
        before = load_params(path)
        changes = "; ".join(f"{key}: {value}" for key, value in expected.items() if before.get(key) != value)
        raise UserError(f"{path} cannot be edited safely because of its layout. Edit it by hand and set {changes}.")
    return text


def section(params: Mapping[str, Any], name: str, cls: type[T]) -> T:
    """Return one section of params.yaml as the dataclass of its stage.

    Raises:
        UserError: a key is unknown, missing or of the wrong type; the message names the key and lists the valid ones.
    """
    from pydantic import TypeAdapter, ValidationError

    if not isinstance(params.get(name), Mapping):
        raise UserError(f"params.yaml has no section {name!r}.")
    _refuse_unknown(params[name], name, cls)
    _refuse_coercion(params[name], name, cls)
    try:
        return TypeAdapter(cls).validate_python(params[name])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([name, *(str(part) for part in first["loc"])])
        if first["type"] == "missing":
            raise UserError(f"params.yaml: the key {key!r} is missing.") from None
        if first["type"] == "value_error":
            raise UserError(f"params.yaml: {key}: {first['msg'].removeprefix('Value error, ')}.") from None
        raise UserError(f"params.yaml: {key} = {first['input']!r}: {first['msg']}.") from None


def name_list(params: Mapping[str, Any], key: str, valid: list[str]) -> list[str]:
    """Return a list of plug-in names from params.yaml.

    Raises:
        UserError: the key is missing or empty, or a name is invalid or listed twice.
    """
    chosen = params.get(key)
    if not isinstance(chosen, list) or not chosen:
        raise UserError(f"params.yaml: {key} must be a list of at least one name. Valid names: {', '.join(valid)}.")
    for name in chosen:
        if name not in valid:
            raise UserError(f"params.yaml: unknown name {name!r} in {key}{instead_of(str(name), valid)}")
        if chosen.count(name) > 1:
            raise UserError(f"params.yaml: {name!r} is listed twice in {key}.")
    return list(chosen)


def seed_list(params: Mapping[str, Any]) -> list[int]:
    """Return the seeds from params.yaml.

    Raises:
        UserError: the key is missing or empty, or a seed is invalid or listed twice.
    """
    seeds = params.get("seeds")
    if not isinstance(seeds, list) or not seeds or any(type(s) is not int or s < 0 for s in seeds):
        raise UserError(f"params.yaml: seeds must be a list of integers from 0, got {seeds!r}.")
    if len(set(seeds)) < len(seeds):
        raise UserError(f"params.yaml: a seed is listed twice in seeds: {seeds}.")
    return list(seeds)


def _refuse_coercion(mapping: Mapping[str, Any], path: str, cls: type) -> None:
    """Refuse values that pydantic would convert: a boolean as a number, a number or a string as a boolean.

    Raises:
        UserError: names the key and the value.
    """
    for key, kind in get_type_hints(cls).items():
        value = mapping.get(key)
        if isinstance(value, Mapping) and is_dataclass(kind):
            _refuse_coercion(value, f"{path}.{key}", cast("type", kind))
        elif kind is bool and value is not None and not isinstance(value, bool):
            raise UserError(f"params.yaml: {path}.{key} = {value!r}: write true or false.")
        elif kind is not bool:
            listed = value if isinstance(value, list) else [value]
            if any(isinstance(item, bool) for item in listed):
                raise UserError(f"params.yaml: {path}.{key} = {value!r}: true and false are not valid here.")


def _refuse_unknown(mapping: Mapping[str, Any], path: str, cls: type) -> None:
    """Refuse keys that the dataclass, or a nested one, does not have.

    Raises:
        UserError: names the key, the closest valid key and all valid keys.
    """
    known = get_type_hints(cls)
    for key, value in mapping.items():
        if key not in known:
            hint = instead_of(str(key), sorted(known), f"keys in {path!r}")
            raise UserError(f"params.yaml: unknown key '{path}.{key}'{hint}")
        if isinstance(value, Mapping) and is_dataclass(known[key]):
            _refuse_unknown(value, f"{path}.{key}", known[key])
