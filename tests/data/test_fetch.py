"""Fetching an archive without a network: mirrors in order, checksums from the first sight, the way by hand."""

import zipfile
from pathlib import Path

import pytest

from bench.data import fetch as module
from bench.data.dataset import Archive
from bench.data.fetch import LEDGER, check, fetch
from bench.errors import UserError
from bench.formats import files

ARCHIVE = Archive("a.zip", ("https://one.example/a.zip", "https://two.example/a.zip"), "https://page.example", dict)


def write_zip(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.txt", text)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return link -> content of what can be downloaded."""
    content: dict[str, str] = {}

    def transfer(url: str, path: Path, pause_s: float) -> None:
        if url not in content:
            raise UserError(f"{url} is not served")
        write_zip(path, content[url])

    monkeypatch.setattr(module, "transfer", transfer)
    return content


def test_the_first_link_that_works_is_taken_and_its_checksum_recorded(tmp_path: Path, served: dict[str, str]) -> None:
    served["https://two.example/a.zip"] = "second"
    path = fetch(ARCHIVE, ["https://mirror.example/a.zip"], tmp_path)
    assert path == tmp_path / "a.zip"
    assert files.read_json(tmp_path / LEDGER)["a.zip"]["sha256"] == files.sha256(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", LEDGER]


def test_an_archive_on_disk_is_not_downloaded(tmp_path: Path, served: dict[str, str]) -> None:
    write_zip(tmp_path / "a.zip", "mine")
    assert fetch(ARCHIVE, [], tmp_path) == tmp_path / "a.zip"


def test_where_no_link_works_each_reason_and_the_page_are_named(tmp_path: Path, served: dict[str, str]) -> None:
    with pytest.raises(UserError) as caught:
        fetch(ARCHIVE, ["https://mirror.example/a.zip"], tmp_path)
    for name in ("mirror.example", "one.example", "two.example", "https://page.example", "a.zip"):
        assert name in str(caught.value)


def test_another_content_behind_a_known_link_is_refused(tmp_path: Path, served: dict[str, str]) -> None:
    served["https://one.example/a.zip"] = "first"
    fetch(ARCHIVE, [], tmp_path).unlink()
    served["https://one.example/a.zip"] = "changed"
    with pytest.raises(UserError, match=LEDGER):
        fetch(ARCHIVE, [], tmp_path)
    assert not (tmp_path / "a.zip").exists()


def test_an_archive_that_changed_on_disk_is_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", "first")
    assert check(tmp_path / "a.zip", tmp_path) == check(tmp_path / "a.zip", tmp_path)
    write_zip(tmp_path / "a.zip", "other")
    with pytest.raises(UserError, match=r"a\.zip"):
        check(tmp_path / "a.zip", tmp_path)


def test_a_damaged_list_of_checksums_is_refused(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", "first")
    (tmp_path / LEDGER).write_text('{"a.zip": "abc"}')
    with pytest.raises(UserError, match=LEDGER):
        check(tmp_path / "a.zip", tmp_path)
