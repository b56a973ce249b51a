"""Archives with paths outside their folder, or that would fill the disk, are refused by name; nothing is written."""

import errno
import gzip
import io
import os
import stat
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from bench.data import unpack
from bench.data.unpack import open_tree
from bench.errors import UserError


def refused(path: Path, words: str) -> None:
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(UserError, match=words), open_tree(path):
        pass
    assert sorted(path.parent.rglob("*")) == before


def zip_of(path: Path, *names: str) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # the duplicate name is the point
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x")
    return path


@pytest.mark.parametrize("name", ["../x.jpg", "images/../../x.jpg", "/etc/x.jpg", "C:/x.jpg", "images\\..\\x.jpg"])
def test_paths_that_lead_outside(tmp_path: Path, name: str) -> None:
    refused(zip_of(tmp_path / "a.zip", "images/1.jpg", name), "points outside")


@pytest.mark.parametrize("name", ["images/a\nb.jpg", "images/a\x1b[2J.jpg", "images/a.jpg\x00.exe"])
def test_names_with_control_characters(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "a.zip", name.replace("\x00", "#"))
    path.write_bytes(path.read_bytes().replace(b"#", b"\x00"))
    refused(path, "control characters")


def test_duplicate_names(tmp_path: Path) -> None:
    refused(zip_of(tmp_path / "a.zip", "images/1.jpg", "images/1.jpg"), r"'images/1.jpg' occurs twice")


def test_links_in_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("images/1.jpg")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.zip", r"'images/1.jpg' is a link")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("images/1.jpg")
    info.type, info.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(info)
    refused(tmp_path / "a.tar", r"'images/1.jpg' is a link or a device")


def test_bombs(tmp_path: Path) -> None:
    zeros = bytes(2**20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(130):
            archive.writestr(f"{i}.jpg", zeros)
    refused(tmp_path / "a.zip", "a decompression bomb")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images/1.jpg", zeros * 65)
    refused(tmp_path / "b.zip", r"'images/1.jpg' would unpack to 68157440 bytes")


def test_a_packed_tar_is_not_unpacked_to_learn_that_it_is_a_bomb(tmp_path: Path) -> None:
    header = tarfile.TarInfo("zeros")
    header.size = 2**50
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(header.tobuf()))  # whoever looks for the next member fails
    refused(tmp_path / "a.tar.gz", "a decompression bomb")


def test_a_failure_of_who_reads_is_not_blamed_on_the_archive(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="No space left"),
        open_tree(zip_of(tmp_path / "a.zip", "images/1.jpg")),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_damaged_member_of_a_tar_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("images/1.jpg")
        info.size = 2**20
        archive.addfile(info, io.BytesIO(bytes(2**20)))
    with open_tree(tmp_path / "a.tar") as tree:
        os.truncate(tmp_path / "a.tar", 1024)
        with pytest.raises(UserError, match=r"'images/1.jpg' is damaged .*: download the archive again"):
            tree.read("images/1.jpg")


def test_absurd_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)
    refused(zip_of(tmp_path / "a.zip", *"abcd"), "more than 3 members")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in "abcd":
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    refused(tmp_path / "a.tar", "more than 3 members")


def test_truncated_and_missing_files(tmp_path: Path) -> None:
    whole = zip_of(tmp_path / "a.zip", "images/1.jpg").read_bytes()
    (tmp_path / "truncated.zip").write_bytes(whole[:-30])
    refused(tmp_path / "truncated.zip", "is not a zip, tar or folder")
    refused(tmp_path / "none.zip", "does not exist")


def test_folder_zip_and_tar_read_alike(tmp_path: Path) -> None:
    (tmp_path / "f" / "images").mkdir(parents=True)
    (tmp_path / "f" / "images" / "1.jpg").write_bytes(b"x")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "f", ".")
    for path in (tmp_path / "f", zip_of(tmp_path / "a.zip", "images/1.jpg"), tmp_path / "a.tar.gz"):
        with open_tree(path) as tree:
            assert {name: tree.read(name) for name in tree.names} == {"images/1.jpg": b"x"}


def test_shadows_of_macos_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    names = ["a/images/1.jpg", "__MACOSX/a/images/._1.jpg", "a/._x.png", ".DS_Store"]
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
            (tmp_path / "f" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "f" / name).touch()
    for path in (zip_of(tmp_path / "a.zip", *names), tmp_path / "a.tar", tmp_path / "f"):
        with open_tree(path) as tree:
            assert tree.names == ["a/images/1.jpg"]
