"""Pinned files in folders and archives at any depth, verified by their checksum and counted."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from bench.data.pinned_local import LocalFiles, pinned_from_path
from bench.data.sources import NotHeldError
from bench.errors import UserError
from bench.stages.download import DownloadSettings, Sample, run, status
from tests.fixtures.pinned import CONTENTS, NAME, Site, rows, site, small_manifest

__all__ = ["site", "small_manifest"]
pytestmark = pytest.mark.usefixtures("small_manifest")


def settings(source: str = "pinned", *mirrors: str) -> DownloadSettings:
    return DownloadSettings(source, list(mirrors), Sample(2, 64, 0))


def folder(root: Path, above: str = "", without: str = "") -> Path:
    for path, content in CONTENTS.items():
        target = root / above / path.removeprefix(without)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return root


def archive(path: Path, above: str = "uav75-main/") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in CONTENTS.items():
            file.writestr(above + name, content)
    return path


def fetched(tmp_path: Path, path: Path) -> dict[str, bytes]:
    """Return the files of the dataset after a download from a path."""
    target = tmp_path / "fetched"
    shutil.rmtree(target, ignore_errors=True)
    assert run(target, [NAME], tmp_path / "archives", settings(), path) == []
    return {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*") if p.is_file()}


def test_every_kind_of_place_gives_the_same_dataset_as_the_network(site: Site, tmp_path: Path) -> None:
    run(tmp_path / "network", [NAME], tmp_path / "archives", settings("pinned", site.url))
    expected = {
        p.relative_to(tmp_path / "network").as_posix(): p.read_bytes()
        for p in (tmp_path / "network").rglob("*")
        if p.is_file()
    }
    assert len(expected) == len(CONTENTS) + 2
    places = [
        folder(tmp_path / "plain"),
        folder(tmp_path / "deep", "a/b/uav75-eb552d0"),
        folder(tmp_path / "inside", without="data set/"),
        archive(tmp_path / "one.zip"),
        archive(tmp_path / "many/x/one.zip").parents[1],
    ]
    for place in places:
        assert fetched(tmp_path, place) == expected
    site.asked = []
    run(tmp_path / "fetched", [NAME], tmp_path / "other", settings("pinned", site.url))
    assert site.asked == []  # what came from a folder is as good as what came from the network


def test_how_many_of_how_many_files_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder(tmp_path / "some")
    (path / "data set/labels/DSC00002.png").unlink()
    (path / "data set/images/DSC00003.png").write_bytes(b"other")
    with pytest.raises(UserError) as caught:
        fetched(tmp_path, path)
    message = str(caught.value)
    assert f"{path} holds 4 of the 6 files of 'uav75' (lacking: data set/images/DSC00003.png has other" in message
    assert "data set/labels/DSC00002.png)" in message
    assert "https://github.com/ben-z-original/uav75/tree/eb552d0" in message
    assert f"uav75: 4 of 6 files in {path}" in capsys.readouterr().err


def test_a_dataset_that_is_complete_survives_a_path_with_some_of_its_files(tmp_path: Path) -> None:
    target = tmp_path / "downloads"
    run(target, [NAME], tmp_path / "a", settings(), archive(tmp_path / "one.zip"))
    some = folder(tmp_path / "some")
    (some / "data set/labels/DSC00002.png").unlink()
    with pytest.raises(UserError, match="holds 5 of the 6 files"):  # the wrong path, since it completes no dataset
        run(target, [NAME], tmp_path / "a", settings(), some)
    assert (target / NAME / "source.json").is_file()
    assert status(target, [NAME])["state"].tolist() == ["verified"]


def test_an_archive_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    path = archive(tmp_path / "all/one.zip").parent
    (path / "broken.zip").write_bytes(b"PK\x03\x04 no")
    fetched(tmp_path, path)
    (path / "one.zip").unlink()
    with pytest.raises(NotHeldError, match=r"holds 0 of the 6 files .* Not readable: .*broken\.zip"):
        pinned_from_path(NAME, LocalFiles(path))


def test_a_file_that_changes_in_between_is_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "plain")
    origin = pinned_from_path(NAME, LocalFiles(path))
    (path / "data set/images/DSC00001.png").write_bytes(b"other")
    with pytest.raises(UserError, match=r"'data set/images/DSC00001\.png' changed while it was read"):
        origin.fill(tmp_path)


def test_the_right_bytes_count_under_the_right_name_only(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/renamed.png").write_bytes(CONTENTS["data set/images/DSC00001.png"])
    assert LocalFiles(tmp_path).find(rows()) == {}


def test_the_record_names_the_commit(tmp_path: Path) -> None:
    record = json.loads(fetched(tmp_path, archive(tmp_path / "one.zip"))[f"{NAME}/source.json"])
    assert record["source"] == "pinned"
    assert record["commit"] == "eb552d046fe50b3325e89644aa9ae75e7bc7cbcc"
    assert record["licence"].startswith("GPL-3.0")


def test_the_network_fills_what_is_listed_and_reports_what_is_not(site: Site, tmp_path: Path) -> None:
    messages = run(tmp_path / "d", [NAME, "cfd"], tmp_path / "a", settings("pinned", site.url))
    assert len(messages) == 1
    assert "cfd is missing: dataset 'cfd' has no files at a pinned commit" in messages[0]
    kept = [p for p in (tmp_path / "a/files").rglob("*") if p.is_file()]
    assert len(kept) == len(CONTENTS)


def test_without_network_there_is_one_line_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.data.pinned_fetch.TRIES", 1)
    with pytest.raises(UserError) as caught:
        run(tmp_path / "d", [NAME, "masonry"], tmp_path / "a", settings("pinned", "http://127.0.0.1:9"))
    (line,) = str(caught.value).splitlines()
    assert "no connection" in line
    assert "`bench download --from FOLDER_OR_ZIP`" in line


@pytest.mark.parametrize("source", ["collection", "originals", "sample"])
def test_other_sources_say_which_one_is_needed(tmp_path: Path, source: str) -> None:
    with pytest.raises(UserError, match=r"set download\.source to 'pinned'"):
        run(tmp_path / "d", [NAME], tmp_path / "a", settings(source))


def test_download_source_may_be_the_path(tmp_path: Path) -> None:
    path = archive(tmp_path / "one.zip")
    assert run(tmp_path / "d", [NAME], tmp_path / "a", settings(str(path))) == []
    assert (tmp_path / "d" / NAME / "images/DSC00001.png").read_bytes() == CONTENTS["data set/images/DSC00001.png"]
