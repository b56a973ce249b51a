"""The manifest of pinned files, and what a dataset's folder holds once they are there."""

from pathlib import Path

import pytest

from bench import plugins
from bench.data import pinned
from bench.data.images import read_label
from bench.data.pinned import PATH, pinned_datasets, pinned_files, pinned_origin
from bench.errors import UserError
from tests.fixtures.pinned import CONTENTS, NAME, rows, small_manifest

__all__ = ["small_manifest"]


def test_the_manifest_is_complete_and_unambiguous() -> None:
    files = [file for name in pinned_datasets() for file in pinned_files(name)]
    assert len(files) == 2214
    assert len({(file.dataset, file.target) for file in files}) == len(files)
    assert len({(file.repository, file.commit, file.path) for file in files}) == len(files)
    for file in files:
        assert len(file.sha256) == 64
        assert len(file.commit) == 40
        assert 0 < file.bytes < 500_000
        assert file.target.split("/")[0] in ("images", "masks")
        assert ".." not in file.target
    assert PATH.stat().st_size < 150_000


def test_a_dataset_without_pinned_files_is_named() -> None:
    with pytest.raises(UserError, match=r"dataset 'cfd' has no files at a pinned commit, only asphalt300, ceramic"):
        pinned_files("cfd")


@pytest.mark.usefixtures("small_manifest")
def test_masks_are_rewritten_and_images_are_not(tmp_path: Path) -> None:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    origin = pinned_origin(NAME, lambda file: CONTENTS[file.path])
    origin.fill(tmp_path)
    assert (tmp_path / "images/DSC00001.png").read_bytes() == CONTENTS["data set/images/DSC00001.png"]
    mask = read_label(tmp_path / "masks/DSC00001.png")
    assert set(mask.ravel().tolist()) == {0, 255}
    assert (mask[1] == 255).all()
    assert (mask > 0).sum() == 16  # the planking is no crack


@pytest.mark.usefixtures("small_manifest")
def test_the_record_identifies_the_files_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = pinned_origin(NAME, lambda file: b"").facts
    source = plugins.load("datasets", NAME).PINNED
    assert facts["source"] == "pinned"
    assert (facts["repository"], facts["commit"], facts["files"]) == (source.repository, source.commit, 6)
    listed = rows()
    changed = pinned.PinnedFile(**{**vars(listed[0]), "sha256": "0" * 64})
    monkeypatch.setattr(pinned, "_manifest", lambda: {NAME: (changed, *listed[1:])})
    assert pinned_origin(NAME, lambda file: b"").facts["sha256"] != facts["sha256"]
