"""Read YAML 1.2 as DVC does, and refuse what other readers take for something else."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from bench.errors import UserError

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
MAX_VALUES = 100_000
"""Values in a file, with those behind each alias counted as often as it is used."""
MAX_DIGITS = 18
"""Digits of an integer: what fits into 64 bits."""

_AMBIGUOUS = (
    (
        re.compile(r"yes|no|on|off", re.IGNORECASE),
        "is text in YAML 1.2, and true or false in YAML 1.1: write true or false, or the word in quotes",
    ),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        "is text in YAML 1.2, and a number to base 60 in YAML 1.1: write the number, or the text in quotes",
    ),
    (
        re.compile(r"[-+]?0_*[0-9][0-9_]*"),
        "is decimal in YAML 1.2, and octal in YAML 1.1: write it without leading zeros, or in quotes if it is text",
    ),
)
"""Unquoted values that YAML 1.1 and YAML 1.2 read differently.

**Source:** YAML 1.2.2, section 10.3.2; https://yaml.org/type/ for YAML 1.1.
"""

_LONG_INTEGER = re.compile(rf"[-+]?([0-9][0-9_]{{{MAX_DIGITS},}}|0[xob][0-9a-fA-F_]{{{MAX_DIGITS},}})")


def load(text: str, name: str) -> Any:
    """Return the content of a YAML text, as DVC reads it.

    Args:
        text: at most MAX_BYTES long.
        name: the file it comes from, for messages.

    Raises:
        UserError: it is not valid YAML, is ambiguous or too large; the message names the line.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise UserError(f"{name} is larger than {MAX_BYTES} bytes, which no settings file is: pass another one")
    try:
        scan = _Scan(name)
        for event in YAML(typ="safe").parse(text):
            scan.take(event)
        return YAML(typ="safe").load(text)
    except (YAMLError, ValueError) as error:
        reason = " ".join(str(error).replace('in "<unicode string>",', "at").split())
        raise UserError(f"{name} is not valid YAML: {reason}") from None


def load_file(path: Path) -> Any:
    """Return the content of a YAML file; see `load`.

    Raises:
        UserError: see `load`; or the file is not UTF-8.
        FileNotFoundError: it is missing.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        return load(content.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not valid YAML: {error}") from None


@dataclass
class _Collection:
    """A list or mapping that is being read: its anchor, and for a mapping its keys."""

    is_mapping: bool
    anchor: str | None
    values: int = 1
    keys: set[str] = field(default_factory=set)
    expects_key: bool = True


@dataclass
class _Scan:
    """What has been read of a file ``name``: the collections that are open, and the values behind each anchor."""

    name: str
    open: list[_Collection] = field(default_factory=list)
    anchored: dict[str, int] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Check the next event.

        Raises:
            UserError: see `load`.
        """
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent) and event.version is not None:
            raise self._refusal(line, "sets the version of YAML: remove the line that starts with %YAML")
        if tag := getattr(event, "tag", None):
            raise self._refusal(line, f"has the tag {tag!s:.80}: write the value alone")
        if self._is_key(event):
            self._check_key(event, line)
        if isinstance(event, ScalarEvent):
            self._check_scalar(event, line)
            self._count(1, event.anchor, line)
        elif isinstance(event, AliasEvent):
            if event.anchor not in self.anchored:
                raise self._refusal(line, f"*{event.anchor} refers to itself, or to nothing above: write the value")
            self._count(self.anchored[event.anchor], None, line)
        elif isinstance(event, CollectionStartEvent):
            if len(self.open) >= MAX_DEPTH:
                raise self._refusal(line, f"is nested more than {MAX_DEPTH} deep: flatten it")
            self.open.append(_Collection(isinstance(event, MappingStartEvent), event.anchor))
        elif isinstance(event, CollectionEndEvent):
            closed = self.open.pop()
            self._count(closed.values, closed.anchor, line)

    def _is_key(self, event: Event) -> bool:
        """Return whether an event is, or begins, a key of the innermost mapping."""
        if not self.open or not self.open[-1].is_mapping or isinstance(event, CollectionEndEvent):
            return False
        if isinstance(event, ScalarEvent | AliasEvent | CollectionStartEvent):
            self.open[-1].expects_key = not self.open[-1].expects_key
            return not self.open[-1].expects_key
        return False

    def _check_key(self, event: Event, line: int) -> None:
        if not isinstance(event, ScalarEvent):
            raise self._refusal(line, "has a list, a mapping or an alias as key: write a word")
        if event.value in self.open[-1].keys:
            raise self._refusal(line, f"has the key {event.value!r:.80} a second time: keep one of the two")
        self.open[-1].keys.add(event.value)

    def _check_scalar(self, event: ScalarEvent, line: int) -> None:
        if not event.implicit[0]:  # quoted
            return
        for pattern, why in _AMBIGUOUS:
            if pattern.fullmatch(event.value):
                raise self._refusal(line, f"{event.value[:80]} {why}")
        if _LONG_INTEGER.fullmatch(event.value):
            raise self._refusal(
                line, f"has a number of {len(event.value)} digits, at most {MAX_DIGITS} are read: correct it"
            )

    def _count(self, values: int, anchor: str | None, line: int) -> None:
        """Add values to the innermost collection, and remember how many an anchor stands for."""
        if anchor:
            self.anchored[anchor] = values
        if self.open:
            self.open[-1].values += values
        if values > MAX_VALUES or (self.open and self.open[-1].values > MAX_VALUES):
            raise self._refusal(line, f"holds more than {MAX_VALUES} values, aliases included: shorten it")

    def _refusal(self, line: int, why: str) -> UserError:
        return UserError(f"{self.name}, line {line}: {why}.")
