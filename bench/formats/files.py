"""Write files atomically, and read them with errors that name the file."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from bench.errors import UserError
from bench.formats.atomic import atomic_write as atomic_write
from bench.render.csv_cells import csv_text, unguard

SUMS = "SHA256SUMS"
"""Name of the file with a folder's checksums, in the format of ``sha256sum --check``."""

Kind = type | tuple[type, ...]

NUMBER = (int, float)

_HINT = (
    "delete {folder} and run the stage that writes it again (`dvc repro`, with --force if the copy in DVC's cache is "
    "damaged too); if the change is intended, delete {folder}/" + SUMS + "."
)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically."""
    content = text.encode()
    with atomic_write(path, len(content)) as temporary:
        temporary.write_bytes(content)


def replace_text(path: Path, text: str) -> None:
    """Write an edited file as UTF-8, atomically, with the line ends that it has."""
    is_windows = b"\r\n" in path.read_bytes()
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\r\n" if is_windows else "\n")


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys and an indent, so that equal content gives equal files."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return loads(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run the stage that writes it, or `dvc repro`.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run the stage that writes it again.") from None


def loads(text: str, name: str) -> Any:
    """Return the content of JSON text; ``name`` is the file it comes from.

    Raises:
        UserError: it is not valid JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is damaged ({error}): delete it and run the stage that writes it again.") from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not valid JSON")


def read_object(path: Path, kinds: Mapping[str, Kind], hint: str = "run the stage that writes it again") -> Any:
    """Return a JSON object without its checksum, after verifying the checksum, if any, and the type of each key.

    Args:
        path: the file.
        kinds: required key -> type.
        hint: what the user should do, for the error message.

    Raises:
        UserError: the file is missing, damaged, not an object, or a key is missing or of another type.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} does not contain a JSON object: {hint}.")
    for key, kind in kinds.items():
        if key not in content:
            raise UserError(f"{path} lacks the key {key!r}: {hint}.")
        if not isinstance(content[key], kind) or (isinstance(content[key], bool) and kind not in (bool, object)):
            raise UserError(f"{path}: {key} is {content[key]!r:.80}, which is of the wrong type: {hint}.")
    if "checksum" in content and content != with_checksum(content):
        raise UserError(f"{path} is damaged (its checksum does not match): delete it and {hint}.")
    return {key: value for key, value in content.items() if key != "checksum"}


def with_checksum(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with its checksum under the key ``checksum``, which ``read_object`` verifies.

    >>> with_checksum({"a": 1})
    {'a': 1, 'checksum': '015abd7f5cc5'}
    """
    rest = {key: value for key, value in content.items() if key != "checksum"}
    return rest | {"checksum": digest(rest)}


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files below a folder; call it after all files are written."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS and not p.name.startswith("."))
    write_text(folder / SUMS, "".join(f"{sha256(p)}  {p.relative_to(folder).as_posix()}\n" for p in paths))


def verify(folder: Path, names: Iterable[str]) -> None:
    """Compare files of a folder with their checksums; a folder without checksums is accepted.

    Raises:
        UserError: a checksum does not match; missing files are reported by the reader.
    """
    if not (folder / SUMS).is_file():
        return
    text = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    checksums = {name: checksum for checksum, _, name in (line.partition("  ") for line in text.splitlines())}
    hint = _HINT.format(folder=folder)
    for name in names:
        if name not in checksums or len(checksums[name]) != 64 or not text.endswith("\n"):
            raise UserError(f"{folder / SUMS} is damaged or does not list {name}: {hint}")
        if (folder / name).is_file() and sha256(folder / name) != checksums[name]:
            raise UserError(f"{folder / name} is damaged (its SHA-256 differs from that in {folder / SUMS}): {hint}")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame without its index, floats with 9 significant digits (enough to restore float32).

    A text that a spreadsheet would take for a formula is guarded; ``read_csv`` restores it.
    """
    write_text(path, csv_text(frame, "%.9g"))


def read_csv(
    path: Path, columns: Sequence[str], text: Sequence[str] = (), optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Return a CSV file; ``text`` columns as strings (an item may be called "NA"), empty numbers as NaN.

    ``optional`` columns of numbers may be missing.

    Raises:
        UserError: the file is missing, damaged, not a CSV file, or lacks one of ``columns``.
    """
    undefined = {column: [""] for column in [*columns, *optional] if column not in text}
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):  # a truncated row would be read as NaN
            raise pd.errors.ParserError("its last line has no newline")
        frame = pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=undefined)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run the stage that writes it, or `dvc repro`.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run the stage that writes it again.") from None
    for column in (c for c in text if c in frame and b"'" in content):
        frame[column] = frame[column].map(unguard).astype(frame[column].dtype)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise UserError(f"{path} lacks the column {missing[0]!r}; expected: {', '.join(columns)}.")
    for column in (c for c in [*columns, *optional] if c not in text and c in frame and not is_numeric_dtype(frame[c])):
        wrong = pd.to_numeric(frame[column], errors="coerce").isna() & frame[column].notna()
        if wrong.any():
            line, value = int(wrong.to_numpy().argmax()) + 2, frame[column][wrong].iloc[0]
            raise UserError(f"{path}: column {column!r} contains {value!r} in line {line}, expected a number.")
    return frame


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return arrays of an .npz file, without executing pickles.

    Raises:
        UserError: the file is missing or damaged, or lacks one of ``names``.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            return {name: content[name] for name in names}
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run the stage that writes it, or `dvc repro`.") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path} is damaged ({error}): delete it and run the stage that writes it again.") from None


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(content: Any) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of the canonical JSON of ``content``."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
