"""A split as arrays: its own items only, crack and ignored pixels told apart."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import evaluate, load_dataset
from bench.errors import UserError
from bench.formats import prepared


def test_the_arrays_are_those_of_the_split(make_prepared: Callable[..., Path]) -> None:
    folder = make_prepared((3, 0, 2))
    data, test = prepared.read(folder), load_dataset(folder, "test")
    assert len(test) == 2
    assert test.items["item"].tolist() == ["CFD_003", "CFD_004"]
    assert (test.images == data.images[3:]).all()
    assert (test.masks == (data.masks[3:] == 1)).all()
    assert test.known.all()
    for number, (image, mask) in enumerate(test):
        assert (image == test.images[number]).all()
        assert (mask == test.masks[number]).all()
    with pytest.raises(IndexError):
        test[2]


def test_ignored_pixels_are_no_crack_and_do_not_count(tmp_path: Path, make_prepared: Callable[..., Path]) -> None:
    data = prepared.read(make_prepared((1, 0, 1)))
    masks = np.array(data.masks)
    masks[:, 0] = prepared.IGNORED
    pairs = [(np.array(image), mask, (64, 64)) for image, mask in zip(data.images, masks, strict=True)]
    card = {key: value for key, value in data.card.items() if key not in ("measured", "content")}
    prepared.write(tmp_path / "ignoring", data.items[["item", "file", "photo", "split"]], card, iter(pairs))
    test = load_dataset(tmp_path / "ignoring")
    assert not test.known[:, 0].any()
    assert test.known[:, 1:].all()
    assert not test.masks[:, 0].any()
    pred = test.masks.copy()
    pred[:, 0] = True  # false alarms that do not count
    assert evaluate(pred, test.masks, known=test.known)["crack_iou"] == 1


@pytest.mark.parametrize("split", ["validation", "tests"])
def test_a_split_without_items_is_refused_with_those_that_have_some(
    make_prepared: Callable[..., Path], split: str
) -> None:
    with pytest.raises(UserError, match=f"no items to '{split}'.* Valid splits: train, test."):
        load_dataset(make_prepared(), split)


def test_a_folder_that_is_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"card\.json"):
        load_dataset(tmp_path)
