"""Files are written whole, and read with errors that name them."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from bench.formats import files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with files.atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def test_who_reads_the_old_file_still_reads_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with path.open() as reader:
        files.write_text(path, "new")
        assert reader.read() == "old"


def test_a_whole_file_makes_its_folder(tmp_path: Path) -> None:
    with files.atomic_write(tmp_path / "b" / "c" / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "b" / "c" / "a.txt").read_text() == "new"


def fail(path: Path, error: BaseException) -> None:
    with files.atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError("stop"), KeyboardInterrupt("stop")])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error), match="stop"):
        fail(tmp_path / "a.txt", error)
    assert names(tmp_path) == []


def test_a_failure_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="stop"):
        fail(path, ValueError("stop"))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_a_file_has_the_rights_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.write_text(tmp_path / "a.txt", "x")
        assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o666 & ~umask
        assert os.umask(umask) == umask  # unchanged
    finally:
        os.umask(before)


def test_text_is_utf_8_with_unix_line_ends(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.txt", "α\nβ\n")
    assert (tmp_path / "a.txt").read_bytes() == "α\nβ\n".encode()


def test_json_has_sorted_keys_and_a_line_end(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"b": 1, "a": ["ü"]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "a": [\n  "ü"\n ],\n "b": 1\n}\n'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_comes_back_as_written(tmp_path: Path, content: object) -> None:
    files.write_json(tmp_path / "a.json", content)
    assert files.read_json(tmp_path / "a.json") == content


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_what_is_no_number(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"a": value})
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b'{"a": 1}}'])
def test_a_torn_json_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged") as caught:
        files.read_json(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("read", [files.read_json, lambda path: files.read_csv(path, [])])
def test_a_missing_file_is_named_with_a_hint(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match="is missing: run the stage that writes it") as caught:
        read(tmp_path / "absent")
    assert str(tmp_path / "absent") in str(caught.value)


FRAMES = st.lists(
    st.tuples(
        st.text(st.characters(min_codepoint=32, max_codepoint=1000, exclude_categories=("Cs", "Cc")), min_size=1),
        st.integers(-(2**53), 2**53),
        st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False),
    ),
    min_size=1,
    max_size=5,
)


@given(FRAMES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_frame_comes_back_as_written(tmp_path: Path, rows: list[tuple[str, int, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["name", "count", "share"])
    files.write_csv(tmp_path / "a.csv", frame)
    found = files.read_csv(tmp_path / "a.csv", ["name", "count", "share"], text=["name"])
    assert found["name"].tolist() == frame["name"].tolist()
    assert found["count"].tolist() == frame["count"].tolist()
    assert found["share"].astype(np.float32).tolist() == frame["share"].astype(np.float32).tolist()


@pytest.mark.parametrize("word", ["NA", "nan", "null", "None", "001", "1e5", "True", "N/A"])
def test_a_name_that_looks_like_something_else_stays_a_name(tmp_path: Path, word: str) -> None:
    files.write_csv(tmp_path / "a.csv", pd.DataFrame({"name": [word, "b"], "share": [0.5, float("nan")]}))
    found = files.read_csv(tmp_path / "a.csv", ["name", "share"], text=["name"])
    assert found["name"].tolist() == [word, "b"]
    assert np.isnan(found["share"][1])


def test_undefined_values_stay_undefined(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "a.csv", pd.DataFrame({"f1": [0.25, float("nan")]}))
    found = files.read_csv(tmp_path / "a.csv", ["f1"])["f1"]
    assert found[0] == 0.25
    assert np.isnan(found[1])


def test_a_missing_column_is_named_with_those_expected(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("item,tp\nx,1\n")
    with pytest.raises(UserError, match=r"a.csv lacks the column 'fp'; expected: item, fp, tn\."):
        files.read_csv(tmp_path / "a.csv", ["item", "fp", "tn"])


@pytest.mark.parametrize("content", [b"", b'a,b\n"1,2\n', b"a,b\n1,2,3\n4,5,6,7\n", b"\xff\xfe\x00a"])
def test_a_damaged_csv_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged") as caught:
        files.read_csv(path, ["a"])
    assert str(path) in str(caught.value)


def test_a_csv_file_torn_within_a_row_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    files.write_csv(path, pd.DataFrame({"item": ["x", "y"], "tp": [123, 456], "fp": [7, 8]}))
    path.write_bytes(path.read_bytes()[:-4])  # "y,45": two columns short
    with pytest.raises(UserError, match="is damaged") as caught:
        files.read_csv(path, ["item", "tp", "fp"], text=["item"])
    assert str(path) in str(caught.value)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert files.digest({"a": 1, "b": {"c": 2, "d": 3}}) == files.digest({"b": {"d": 3, "c": 2}, "a": 1})
    canonical = json.dumps({"a": 1}, separators=(",", ":"))
    assert files.digest({"a": 1}) == hashlib.sha256(canonical.encode()).hexdigest()[:12]


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1.5}, {"a": "1"}, {"b": 1}, {"a": [1]}, {"a": None}, {}])
def test_a_digest_tells_contents_apart(other: dict[str, object]) -> None:
    assert files.digest({"a": 1}) != files.digest(other)


@pytest.fixture
def with_checksums(tmp_path: Path) -> Path:
    """Return a folder of two files, one of them in a subfolder, with their checksums."""
    files.write_text(tmp_path / "a.txt", "first")
    files.write_text(tmp_path / "below" / "b.txt", "second")
    files.write_checksums(tmp_path)
    return tmp_path


def test_files_that_match_their_checksums_pass(with_checksums: Path) -> None:
    files.verify(with_checksums, ["a.txt", "below/b.txt"])


@pytest.mark.parametrize("name", ["a.txt", "below/b.txt"])
def test_a_file_that_does_not_match_its_checksum_is_refused_by_name(with_checksums: Path, name: str) -> None:
    path = with_checksums / name
    path.write_bytes(path.read_bytes()[::-1])  # the same length
    with pytest.raises(UserError) as caught:
        files.verify(with_checksums, ["a.txt", "below/b.txt"])
    assert str(path) in str(caught.value)
    assert files.SUMS in str(caught.value)


def test_only_the_named_files_are_verified_and_a_missing_one_is_left_to_its_reader(with_checksums: Path) -> None:
    (with_checksums / "a.txt").write_text("other")
    (with_checksums / "below" / "b.txt").unlink()
    files.verify(with_checksums, ["below/b.txt"])


def test_a_file_without_a_checksum_is_refused_where_there_are_checksums(with_checksums: Path) -> None:
    (with_checksums / "c.txt").write_text("third")
    with pytest.raises(UserError, match=r"c\.txt"):
        files.verify(with_checksums, ["c.txt"])


def test_truncated_checksums_are_refused(with_checksums: Path) -> None:
    sums = with_checksums / files.SUMS
    sums.write_text(sums.read_text()[:-5])
    with pytest.raises(UserError, match=files.SUMS):
        files.verify(with_checksums, ["a.txt"])


def test_a_folder_without_checksums_is_accepted(with_checksums: Path) -> None:
    (with_checksums / files.SUMS).unlink()
    (with_checksums / "a.txt").write_text("other")
    files.verify(with_checksums, ["a.txt"])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_edited_file_keeps_its_line_ends(tmp_path: Path, end: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(f"a: 1{end}b: 2{end}".encode())
    files.replace_text(path, path.read_text().replace("1", "3"))
    assert path.read_bytes() == f"a: 3{end}b: 2{end}".encode()
