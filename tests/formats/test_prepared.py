"""A prepared dataset: what is written comes back, what does not fit is named."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files, prepared

SIDE = 32
ITEMS = pd.DataFrame(
    {
        "item": ["001", "NA", "b"],
        "file": ["001.jpg", "NA.jpg", "b.png"],
        "photo": ["1", "1", "2"],
        "split": ["train", "test", "train"],
    }
)
CARD = {"dataset": "cfd", "classes": 1, "settings": {"image_size": SIDE}}


def pairs(seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray, tuple[int, int]]]:
    generator = np.random.default_rng(seed)
    for number in range(3):
        image = generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[:number] = 1
        yield image, mask, (48, 64 if number else 80)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepared.write(tmp_path / "cfd", ITEMS, CARD, pairs())
    return tmp_path / "cfd"


def test_what_is_written_comes_back(folder: Path) -> None:
    data = prepared.read(folder)
    for row, (image, mask, _) in enumerate(pairs()):
        assert np.array_equal(data.images[row], image)
        assert np.array_equal(data.masks[row], mask)
    assert data.images.dtype == data.masks.dtype == np.uint8
    assert data.items[list(ITEMS.columns)].to_dict("list") == ITEMS.to_dict("list")
    assert list(data.items.columns) == prepared.COLUMNS
    assert sorted(path.name for path in folder.iterdir()) == [
        "SHA256SUMS", "card.json", "images.npy", "items.csv", "masks.npy",
    ]  # fmt: skip


def test_arrays_are_memory_mapped_and_read_only(folder: Path) -> None:
    data = prepared.read(folder)
    assert isinstance(data.images, np.memmap)
    assert isinstance(data.masks, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        data.images[0, 0, 0, 0] = 1


def test_sizes_and_shares_are_measured(folder: Path) -> None:
    data = prepared.read(folder)
    assert data.items["native_h"].tolist() == [48, 48, 48]
    assert data.items["native_w"].tolist() == [80, 64, 64]
    assert data.items["crack_share"].tolist() == [0.0, 1 / 32, 2 / 32]
    assert data.card["measured"] == {
        "photographs": 2,
        "crack_share": 0.03125,
        "native_size": "64x48 and 1 others",
        "ignored_pixels": 0,
    }
    assert data.card["dataset"] == "cfd"


def test_splits_are_positions(folder: Path) -> None:
    data = prepared.read(folder)
    assert data.split("train").tolist() == [0, 2]
    assert data.split("test").tolist() == [1]
    assert data.split("validation").tolist() == []


def content(tmp_path: Path, items: pd.DataFrame = ITEMS, seed: int = 0, name: str = "other") -> str:
    prepared.write(tmp_path / name, items, CARD, pairs(seed))
    return str(prepared.read(tmp_path / name).card["content"])


def test_the_content_hash_is_of_arrays_names_and_splits(folder: Path, tmp_path: Path) -> None:
    first = prepared.read(folder).card["content"]
    assert len(first) == 16
    assert content(tmp_path) == first
    assert content(tmp_path, seed=1) != first
    assert content(tmp_path, ITEMS.assign(split=["test", "train", "train"])) != first
    assert content(tmp_path, ITEMS.assign(photo=["1", "2", "3"])) != first
    assert content(tmp_path, ITEMS.assign(item=["001", "N", "b"])) != first


def test_the_content_hash_sees_where_the_crack_is(folder: Path, tmp_path: Path) -> None:
    moved = ((image, mask[::-1].copy(), size) for image, mask, size in pairs())  # the same shares
    prepared.write(tmp_path / "moved", ITEMS, CARD, moved)
    assert prepared.read(tmp_path / "moved").card["content"] != prepared.read(folder).card["content"]


def test_an_error_among_the_pairs_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[Any]:
        yield next(pairs())
        raise UserError("the second image is torn")

    with pytest.raises(UserError, match="the second image is torn"):
        prepared.write(tmp_path / "cfd", ITEMS, CARD, broken())
    assert list((tmp_path / "cfd").iterdir()) == []


@pytest.mark.parametrize("name", ["card.json", "items.csv", "images.npy", "masks.npy"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(UserError, match="is missing: run") as caught:
        prepared.read(folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", ["card.json", "images.npy", "masks.npy"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_torn_file_is_named(folder: Path, name: str, share: float) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match="is damaged") as caught:
        prepared.read(folder)
    assert str(path) in str(caught.value)


def drop_a_row(folder: Path) -> None:
    lines = (folder / "items.csv").read_text().splitlines()
    (folder / "items.csv").write_text("\n".join(lines[:-1]) + "\n")


def drop_an_image(folder: Path) -> None:
    np.save(folder / "images.npy", np.load(folder / "images.npy")[:-1])


def shrink_masks(folder: Path) -> None:
    np.save(folder / "masks.npy", np.load(folder / "masks.npy")[:, :-1])


@pytest.mark.parametrize("change", [drop_a_row, drop_an_image, shrink_masks])
def test_files_that_do_not_fit_together_are_refused(folder: Path, change: Callable[[Path], None]) -> None:
    change(folder)
    with pytest.raises(UserError, match=r"the files in .* do not match") as caught:
        prepared.read(folder)
    assert str(folder) in str(caught.value)


def test_an_array_of_another_type_is_refused(folder: Path) -> None:
    np.save(folder / "masks.npy", np.load(folder / "masks.npy").astype(np.int64))
    with pytest.raises(UserError, match=r"masks\.npy has dtype int64, expected uint8"):
        prepared.read(folder)


def test_an_array_with_pickles_is_refused(folder: Path) -> None:
    np.save(folder / "masks.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"masks\.npy is damaged"):
        prepared.read(folder)


def test_a_missing_column_is_named(folder: Path) -> None:
    frame = pd.read_csv(folder / "items.csv").drop(columns="photo")
    files.write_csv(folder / "items.csv", frame)
    with pytest.raises(UserError, match=r"items\.csv lacks the column 'photo'"):
        prepared.read(folder)
