"""YAML as DVC reads it: what is ambiguous or a bomb is refused, with its line, at once."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import parse_yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.strict_yaml import MAX_BYTES, MAX_DEPTH, load, load_file

ROOT = Path(__file__).parents[1]
BOMB = "a0: &a0 [1, 1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "has the key 'a' a second time"),
        ("s:\n  a: 1\n  'a': 2\n", 3, "has the key 'a' a second time"),
        ("a: {b: 1, b: 1}\n", 1, "has the key 'b' a second time"),
        ("a: 0100\n", 1, "0100 is decimal in YAML 1.2, and octal in YAML 1.1"),
        ("a: -0_7\n", 1, "-0_7 is decimal in YAML 1.2"),
        ("a:\n- 1:04\n", 2, "1:04 is text in YAML 1.2, and a number to base 60 in YAML 1.1"),
        ("a: no\n", 1, "no is text in YAML 1.2, and true or false in YAML 1.1"),
        ("on: 1\n", 1, "on is text in YAML 1.2"),
        ("# a\n\na: [1, Yes]\n", 3, "Yes is text in YAML 1.2"),
        ("%YAML 1.1\n---\na: no\n", 1, "sets the version of YAML"),
        ("a: !!int '0100'\n", 1, "has the tag tag:yaml.org,2002:int"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "has the tag "),
        ("? [1]\n: 2\n", 1, "has a list, a mapping or an alias as key"),
        ("a: 1\n? {b: 1}\n: 2\n", 2, "has a list, a mapping or an alias as key"),
        ("a: &x b\n*x : 2\n", 2, "has a list, a mapping or an alias as key"),
        (f"a: {'9' * 5000}\n", 1, "has a number of 5000 digits"),
        (f"a: 0x{'f' * 5000}\n", 1, "has a number of 5002 digits"),
        ("a: " + "[" * 100_000, 1, f"is nested more than {MAX_DEPTH} deep"),
        ("a: " + "{a: " * 100_000, 1, f"is nested more than {MAX_DEPTH} deep"),
        ("- " * 100_000, 1, f"is nested more than {MAX_DEPTH} deep"),
        (BOMB, 15, "holds more than 100000 values, aliases included"),
        ("a: &x [*x]\n", 1, "*x refers to itself"),
        ("a: *x\n", 1, "*x refers to itself, or to nothing above"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_ambiguous_or_a_bomb_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        load(text, "a/params.yaml")
    assert str(caught.value).startswith(f"a/params.yaml, line {line}: {reason}")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: 'no'\nb: \"0100\"\nc: '1:04'\n", {"a": "no", "b": "0100", "c": "1:04"}),
        ("a: 1e-4\nb: -.5\nc: 0\nd: 0.5\ne: 007.5\n", {"a": 1e-4, "b": -0.5, "c": 0, "d": 0.5, "e": 7.5}),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
        ("a: {b: 1}\nc: {b: 1}\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("\ufeffa: null\r\nb: ~\r\n", {"a": None, "b": None}),
        ("a: 0123456789abcdef0123\n", {"a": "0123456789abcdef0123"}),
        ("", None),
    ],
)
def test_what_is_plain_is_read(text: str, content: Any) -> None:
    assert load(text, "params.yaml") == content


def test_the_files_of_the_repository_are_read_as_before() -> None:
    for path in (ROOT / "params.yaml", ROOT / "results" / "open" / "params.yaml", ROOT / "dvc.yaml"):
        assert load_file(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


@given(st.text("0123456789_:.+-eExobyYnNsSfFtrlu~", max_size=8))
def test_a_value_has_no_second_reading(word: str) -> None:
    """It is what DVC reads; and what PyYAML reads, but for numbers that PyYAML takes for text."""
    text = f"a: {word}\n"
    with contextlib.suppress(UserError):
        content = load(text, "params.yaml")
        assert content == (parse_yaml(text, "params.yaml") or None) or content != content or "nan" in text.lower()
        other = yaml.safe_load(text)
        assert other == content or isinstance(other["a"], str) or "nan" in text.lower()


def test_a_file_that_is_too_large_or_no_text_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(UserError, match=rf"params.yaml is larger than {MAX_BYTES} bytes"):
        load_file(path)
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(UserError, match=r"params.yaml is not valid YAML: .*invalid start byte"):
        load_file(path)
