"""Prepare: sizes, thresholds and splits; faults are counted and reported with a hint."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from bench import plugins
from bench.data.dataset import Card, pairs_by_stem
from bench.errors import UserError
from bench.formats import prepared
from bench.stages import prepare
from bench.stages.prepare import PrepareSettings, resize, run

SETTINGS = PrepareSettings(
    image_size=32,
    geometry="squeeze",
    tile_stride=None,
    mask_resize="nearest",
    mask_threshold=0,
    split="random",
    test_share=0.2,
    validation_share=0.0,
    train_items=None,
    seed=0,
    skip=[],
)
NAMES = [f"CFD_{i:03d}" for i in range(1, 11)]

Make = Callable[..., Path]


def make(source: Path, **changes: Any) -> prepared.Prepared:
    target = source.with_name("prepared")
    run(source, target, "cfd", replace(SETTINGS, **changes))
    return prepared.read(target)


def refusal(source: Path, **changes: Any) -> str:
    target = source.with_name("prepared")
    with pytest.raises(UserError) as caught:
        run(source, target, "cfd", replace(SETTINGS, **changes))
    assert not [path for path in target.rglob("*") if path.is_file()]
    return str(caught.value)


def test_every_pair_becomes_a_row(make_raw: Make) -> None:
    source = make_raw(NAMES, 48, 80)
    data = make(source, image_size=64)
    assert data.images.shape == (10, 64, 64, 3)
    assert data.masks.shape == (10, 64, 64)
    assert data.items["item"].tolist() == NAMES
    assert data.items["file"].tolist() == [f"{name}.png" for name in NAMES]
    assert data.items["photo"].tolist() == [name.removeprefix("CFD_") for name in NAMES]
    assert data.items[["native_h", "native_w"]].drop_duplicates().to_numpy().tolist() == [[48, 80]]
    assert data.items["crack_share"].tolist() == pytest.approx([float((m > 0).mean()) for m in data.masks])
    assert set(np.unique(data.masks)) == {0, 1}


def test_images_of_the_right_size_stay_as_they_are(make_raw: Make) -> None:
    source = make_raw(NAMES, 64, 64)
    data = make(source, image_size=64)
    for row, name in enumerate(NAMES):
        assert np.array_equal(data.images[row], np.asarray(Image.open(source / "images" / f"{name}.png")))
        mask = np.asarray(Image.open(source / "masks" / f"{name}.png"))
        assert np.array_equal(data.masks[row], (mask > 0).astype(np.uint8))


def test_the_card_says_what_it_is_made_of(make_raw: Make) -> None:
    source = make_raw(NAMES)
    card = make(source, validation_share=0.25, skip=["cfd/CFD_004", "volker/x"]).card
    assert card["dataset"] == "cfd"
    assert card["classes"] == 1
    assert card["origin"] == json.loads((source / "source.json").read_text())
    assert card["counts"] == {"train": 5, "validation": 2, "test": 2}
    assert card["settings"] == {
        "image_size": 32, "geometry": "squeeze", "tile_stride": None, "mask_resize": "nearest", "mask_threshold": 0,
        "split": "random", "test_share": 0.2, "validation_share": 0.25, "train_items": None, "seed": 0,
        "skip": ["CFD_004"],
    }  # fmt: skip
    assert card["published"]["name"] == "CFD"
    assert card["measured"]["photographs"] == 9
    assert card["measured"]["native_size"] == "64x48"


@pytest.mark.parametrize(("threshold", "crack"), [(0, 4), (10, 3), (127, 2), (128, 1), (254, 1)])
def test_crack_is_what_is_above_the_threshold(make_raw: Make, threshold: int, crack: int) -> None:
    source = make_raw(NAMES, 32, 32)
    levels = np.zeros((32, 32), np.uint8)
    levels[0, :5] = [0, 1, 11, 128, 255]
    for name in NAMES:
        Image.fromarray(levels).save(source / "masks" / f"{name}.png")
    data = make(source, mask_threshold=threshold)
    assert data.masks[0].sum() == crack
    assert data.masks[0][0, 5 - crack : 5].all()


def test_masks_are_binarised_before_they_are_resized(make_raw: Make) -> None:
    source = make_raw(NAMES, 64, 64)
    levels = np.zeros((64, 64), np.uint8)
    levels[:, 20:26] = 120  # nowhere above 127, so no interpolation may make it so
    levels[:, 40:46] = 255
    for name in NAMES:
        Image.fromarray(levels).save(source / "masks" / f"{name}.png")
    masks = make(source, mask_threshold=127).masks
    assert set(np.unique(masks)) == {0, 1}
    assert masks[0].mean() == pytest.approx(6 / 64)
    assert masks[0][:, :16].sum() == 0


def test_a_mask_shrinks_by_nearest_neighbour() -> None:
    labels = np.arange(64, dtype=np.uint8).repeat(64).reshape(64, 64)
    _, found = resize(np.zeros((64, 64, 3), np.uint8), labels, 32)
    assert found[:, 0].tolist() == list(range(1, 64, 2))  # the pixel whose centre is nearest, of two the later


def test_an_image_shrinks_by_area() -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 64, 3), dtype=np.uint8)
    found, _ = resize(image, np.zeros((96, 64), np.uint8), 32)
    means = image.reshape(32, 3, 32, 2, 3).astype(float).mean((1, 3))
    assert np.abs(found - means).max() <= 0.5 + 1e-9


def test_an_image_grows_linearly() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 1] = 100
    found, _ = resize(image, np.zeros((2, 2), np.uint8), 4)
    assert found[0, :, 0].tolist() == [0, 25, 75, 100]


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 1000))
def test_resizing_makes_no_new_label_and_no_shift(height: int, width: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 4, (height, width), dtype=np.uint8)
    image = np.repeat((labels * 60)[:, :, None], 3, axis=2)
    new_image, new_labels = resize(image, labels, 32)
    assert new_image.shape == (32, 32, 3)
    assert set(np.unique(new_labels)) <= set(np.unique(labels))
    rows, columns = (((np.arange(32) + 0.5) * n / 32).astype(int) for n in (height, width))
    assert (new_labels == labels[np.ix_(rows, columns)]).mean() > 0.85  # but for ties
    assert abs(new_image.mean() - image.mean()) < 30 + 200 / min(height, width)


def test_one_image_does_not_change_the_others(make_raw: Make) -> None:
    first = make(make_raw(NAMES))
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(make_raw(NAMES, folder="b") / "images" / "CFD_003.png")
    other = make(Path(first.images.filename).parents[1] / "b")
    assert [bool((first.images[i] == other.images[i]).all()) for i in range(10)] == [i != 2 for i in range(10)]


def test_the_content_hash_is_stable_and_follows_the_split(make_raw: Make) -> None:
    source = make_raw(NAMES)
    first = make(source)
    again, other_seed, other_share = make(source), make(source, seed=1), make(source, test_share=0.4)
    assert again.card["content"] == first.card["content"]
    assert other_seed.items["split"].tolist() != first.items["split"].tolist()
    assert len({d.card["content"] for d in (first, other_seed, other_share)}) == 3


def test_the_same_input_gives_the_same_bytes(make_raw: Make) -> None:
    source = make_raw(NAMES)
    contents = []
    for _ in range(2):
        make(source)
        contents.append({path.name: path.read_bytes() for path in source.with_name("prepared").iterdir()})
    assert contents[0] == contents[1]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def test_all_faults_are_counted_and_the_first_named(make_raw: Make) -> None:
    source = make_raw(NAMES)
    for name in ("CFD_002", "CFD_003", "CFD_005", "CFD_007"):
        truncate(source / "images" / f"{name}.png")
    Image.fromarray(np.zeros((10, 12), np.uint8)).save(source / "masks" / "CFD_001.png")
    message = refusal(source)
    assert message.startswith("dataset cfd: 5 of 10 pairs are faulty: ")
    assert f"{source / 'masks' / 'CFD_001.png'} is 12x10 px, its image 64x48 px" in message
    assert f"{source / 'images' / 'CFD_002.png'} cannot be read" in message
    assert f"{source / 'images' / 'CFD_003.png'} cannot be read" in message
    assert "CFD_005" not in message
    assert "and 2 more" in message
    assert "list them as cfd/<item> in prepare.skip of params.yaml" in message


def test_skip_leaves_the_faulty_pair_out(make_raw: Make) -> None:
    source = make_raw(NAMES)
    truncate(source / "images" / "CFD_002.png")
    truncate(source / "masks" / "CFD_009.png")
    data = make(source, skip=["cfd/CFD_002", "cfd/CFD_009", "volker/CFD_001"])
    assert data.items["item"].tolist() == [name for name in NAMES if name not in ("CFD_002", "CFD_009")]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("cfd/CFD_0001", "Did you mean cfd/CFD_001?"),
        ("cdf/CFD_001", "cdf/CFD_001; write <dataset>/<item>"),
        ("x", "x;"),
    ],
)
def test_what_is_to_be_skipped_must_be_there(make_raw: Make, entry: str, said: str) -> None:
    message = refusal(make_raw(NAMES), skip=["cfd/CFD_002", entry])
    assert "prepare.skip names unknown pairs" in message
    assert said in message


def test_a_grouped_split_keeps_the_same_picture_on_one_side(make_raw: Make) -> None:
    source = make_raw(NAMES)
    twins = [f"CFD_{i:03d}" for i in (2, 5, 9)]
    first = Image.open(source / "images" / "CFD_002.png")
    first.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(source / "images" / "CFD_005.png")
    first.resize((80, 60)).resize((64, 48)).save(source / "images" / "CFD_009.png")
    splits = source.with_name("splits")
    for seed in range(4):
        run(source, source.with_name("prepared"), "cfd", replace(SETTINGS, split="grouped", seed=seed), splits)
        items = prepared.read(source.with_name("prepared")).items.set_index("item")
        assert items.loc[twins, "split"].nunique() == 1
    facts = json.loads(sorted(splits.iterdir())[0].read_text())["facts"]
    assert facts["duplicates"] == [["CFD_002", "CFD_005"], ["CFD_002", "CFD_009"], ["CFD_005", "CFD_009"]]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_pairs_are_refused(make_raw: Make, count: int) -> None:
    source = make_raw(NAMES[:count])
    message = refusal(source)
    assert str(source) in message
    assert ("holds no images" if count == 0 else "holds 1 pairs: at least 2 are needed") in message


def test_skipping_all_but_one_is_refused(make_raw: Make) -> None:
    assert "holds 1 pairs" in refusal(make_raw(NAMES[:3]), skip=["cfd/CFD_001", "cfd/CFD_002"])


def test_a_folder_without_origin_is_refused(make_raw: Make) -> None:
    source = make_raw(NAMES)
    (source / "source.json").unlink()
    assert f"{source / 'source.json'} is missing" in refusal(source)


def test_an_unknown_dataset_lists_the_valid_ones(make_raw: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown dataset 'cdf'; did you mean 'cfd'"):
        run(make_raw(NAMES), tmp_path / "prepared", "cdf", SETTINGS)


def test_crackforest_s_ground_truth_is_read(make_raw: Make) -> None:
    source = make_raw(NAMES)
    labels = np.ones((48, 64), np.uint16)
    labels[:, :16] = 2
    labels[:, 40:] = 3
    for name in NAMES:
        (source / "masks" / f"{name}.png").unlink()
        savemat(source / "masks" / f"{name}.mat", {"groundTruth": {"Segmentation": labels}})
    data = make(source, mask_threshold=127)
    assert data.items["crack_share"].tolist() == [0.25] * 10
    assert data.masks[0][:, :8].all()


def test_several_classes_keep_their_labels(
    make_raw: Make, monkeypatch: pytest.MonkeyPatch, three_class_card: Card
) -> None:
    source = make_raw(NAMES[:4], 64, 64)
    labels = (np.arange(64) // 22).astype(np.uint8).repeat(64).reshape(64, 64)
    for name in NAMES[:4]:
        Image.fromarray(labels).save(source / "masks" / f"{name}.png")
    plugin = plugins.load("datasets", "cfd")
    monkeypatch.setattr(plugin, "CARD", three_class_card)
    monkeypatch.setattr(plugin, "pairs", lambda root: pairs_by_stem(root, str), raising=False)
    data = make(source, mask_threshold=127)
    assert data.card["classes"] == 3
    assert np.unique(data.masks).tolist() == [0, 1, 2]
    assert data.items["crack_share"].tolist() == [pytest.approx(float((data.masks[0] > 0).mean()))] * 4


def test_progress_goes_to_stderr(make_raw: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(make_raw(NAMES))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "prepare cfd" in captured.err


def test_images_are_not_held_in_memory_all_at_once(make_raw: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    resident: list[int] = []
    source = make_raw(NAMES)
    target = source.with_name("prepared")

    def read(path: Path) -> np.ndarray:
        resident.append(max(path.stat().st_size for path in target.glob(".images.npy.*")))
        return np.zeros((48, 64, 3), np.uint8)

    monkeypatch.setattr(prepare, "read_image", read)
    make(source)
    written = [before // (32 * 32 * 3) for before in resident]
    assert max(i - before for i, before in enumerate(written)) <= 3  # but for a buffer, what was read is on disk
