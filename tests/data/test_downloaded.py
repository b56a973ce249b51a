"""The folder of a downloaded dataset: filled atomically, recognised, and left alone if its content is unchanged."""

from pathlib import Path

import pytest

from bench.data.downloaded import is_filled, read_record, replace
from bench.data.sources import Origin
from bench.errors import UserError
from bench.formats import files

FACTS = {"source": "sample", "archive": "a.zip"}


def origin(content: str, **facts: str) -> Origin:
    """Return the origin of one pair of files with this content."""

    def fill(folder: Path) -> None:
        for part in ("images", "masks"):
            (folder / part / "CFD_001.png").write_text(content)

    return Origin(FACTS | facts, fill)


def fail(folder: Path) -> None:
    (folder / "images" / "CFD_001.png").write_text("half of it")
    raise UserError("the archive is damaged")


def test_a_replaced_folder_has_files_record_and_checksums(tmp_path: Path) -> None:
    replace("cfd", tmp_path / "cfd", origin("first"))
    record = read_record(tmp_path / "cfd")
    assert (record["source"], record["files"], record["bytes"]) == ("sample", 2, 10)
    assert record["licence"]
    assert record["citation"]
    files.verify(tmp_path / "cfd", ["source.json", "images/CFD_001.png"])
    assert [path.name for path in tmp_path.iterdir()] == ["cfd"]


def test_a_folder_is_filled_if_source_files_and_bytes_are_as_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "cfd"
    assert not is_filled(folder, FACTS)
    replace("cfd", folder, origin("first"))
    assert is_filled(folder, FACTS)
    assert not is_filled(folder, FACTS | {"source": "originals"})
    (folder / "masks" / "CFD_001.png").write_text("longer than before")
    assert not is_filled(folder, FACTS)
    (folder / "masks" / "CFD_001.png").unlink()
    assert not is_filled(folder, FACTS)


def test_the_same_files_from_another_archive_leave_the_folder_as_it_is(tmp_path: Path) -> None:
    replace("cfd", tmp_path / "cfd", origin("first"))
    replace("cfd", tmp_path / "cfd", origin("first", archive="b.zip"))
    assert read_record(tmp_path / "cfd")["archive"] == "a.zip"
    replace("cfd", tmp_path / "cfd", origin("second", archive="b.zip"))
    assert read_record(tmp_path / "cfd")["archive"] == "b.zip"


def test_an_origin_that_fails_leaves_the_previous_files_in_place(tmp_path: Path) -> None:
    replace("cfd", tmp_path / "cfd", origin("first"))
    with pytest.raises(UserError, match="damaged"):
        replace("cfd", tmp_path / "cfd", Origin(FACTS, fail))
    assert is_filled(tmp_path / "cfd", FACTS)
    replace("cfd", tmp_path / "cfd", origin("second"))  # what the failed one left is no obstacle
    assert (tmp_path / "cfd" / "images" / "CFD_001.png").read_text() == "second"


def test_a_damaged_record_names_the_folder_to_delete(tmp_path: Path) -> None:
    assert read_record(tmp_path) == {}
    (tmp_path / "source.json").write_text('{"source": 1}')
    with pytest.raises(UserError, match=f"delete {tmp_path} and download again"):
        read_record(tmp_path)
