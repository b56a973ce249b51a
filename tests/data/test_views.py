"""Views: test images as they are scored, whole, from squeezed items and from tiles."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.data.tiles import cut, ignore_covered, tile_places
from bench.data.views import view, views, whole
from bench.formats import prepared
from bench.stages.evaluate import score

SIDE = 32


@pytest.fixture
def tiled(tmp_path: Path) -> tuple[prepared.Prepared, np.ndarray, np.ndarray]:
    """Return a prepared dataset of one test image of 70 x 50 px in tiles, the image and its labels."""
    rng = np.random.default_rng(0)
    image, labels = rng.integers(0, 256, (70, 50, 3), np.uint8), (rng.random((70, 50)) < 0.3).astype(np.uint8)
    places = tile_places(70, 50, SIDE, SIDE)
    rows, pairs = [], []
    for part in ("train", "test"):
        for i, (top, left) in enumerate(places):
            known = cut(image, labels, (top, left), SIDE)
            mask = ignore_covered(known[1], places, i) if part == "test" else known[1]
            pairs.append((known[0], mask, (70, 50)))
            name = {"item": f"{part}_{top}_{left}", "file": f"{part}.png", "photo": part, "image": part}
            rows.append(name | {"split": part, "top": top, "left": left})
    card = {"dataset": "cfd", "classes": 1, "settings": {"image_size": SIDE, "geometry": "tiles"}}
    prepared.write(tmp_path, pd.DataFrame(rows), card, pairs)
    return prepared.read(tmp_path), image, labels


def test_the_tiles_of_an_image_are_one_view(tiled: tuple[prepared.Prepared, np.ndarray, np.ndarray]) -> None:
    data, image, labels = tiled
    (only,) = views(data, "test")
    assert (only.name, only.photo) == ("test", "test")
    assert np.array_equal(only.mask, labels)
    assert np.array_equal(whole(data, only.rows, only.places, [data.images[row] for row in only.rows]), image)


def test_a_tile_has_a_view_of_its_own(tiled: tuple[prepared.Prepared, np.ndarray, np.ndarray]) -> None:
    data, image, _ = tiled
    tile = view(data, "train_0_18")
    pixels = whole(data, tile.rows, tile.places, [data.images[tile.rows[0]]])
    assert np.array_equal(pixels, image[:SIDE, 18 : 18 + SIDE])
    with pytest.raises(KeyError, match="absent"):
        view(data, "absent")


def test_scores_of_tiles_are_those_of_the_whole_image(
    tiled: tuple[prepared.Prepared, np.ndarray, np.ndarray],
) -> None:
    data, _, labels = tiled
    levels = np.random.default_rng(1).integers(0, 256, labels.shape, np.uint8)
    of_item = {
        row["item"]: levels[row["top"] : row["top"] + SIDE, row["left"] : row["left"] + SIDE]
        for _, row in data.items.iterrows()
    }
    tables, histograms = score(data, lambda item, size: of_item[item], 4)
    (row,) = tables["images"].to_dict("records")
    pred, true = levels >= 128, labels > 0
    assert (row["tp"], row["fp"]) == ((pred & true).sum(), (pred & ~true).sum())
    assert (row["fn"], row["tn"], row["ignored"]) == ((~pred & true).sum(), (~pred & ~true).sum(), 0)
    assert histograms.sum() == labels.size
    half = tables["curves"].set_index("threshold").loc[128]
    assert (half["tp"], half["fp"], half["fn"]) == (row["tp"], row["fp"], row["fn"])


def test_ignored_pixels_are_in_no_count(tmp_path: Path) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:8], mask[20:] = 1, prepared.IGNORED
    items = pd.DataFrame({"item": ["a", "b"], "file": ["a", "b"], "photo": ["a", "b"], "split": ["train", "test"]})
    pairs = [(np.zeros((SIDE, SIDE, 3), np.uint8), mask, (SIDE, SIDE))] * 2
    prepared.write(tmp_path, items, {"dataset": "cfd", "classes": 1, "settings": {"image_size": SIDE}}, pairs)
    data = prepared.read(tmp_path)
    assert data.items["crack_share"].tolist() == pytest.approx([4 / 20] * 2)
    assert data.card["measured"]["ignored_pixels"] == 2 * 12 * SIDE
    everywhere = np.full((SIDE, SIDE), 255, np.uint8)
    tables, histograms = score(data, lambda *_: everywhere, 4)
    (row,) = tables["images"].to_dict("records")
    assert (row["tp"], row["fp"], row["fn"], row["tn"]) == (4 * SIDE, 16 * SIDE, 0, 0)
    assert row["ignored"] == 12 * SIDE
    assert row["pred_hit_2px"] == 8 * SIDE  # rows 2 to 9
    assert histograms.sum() == 20 * SIDE
    assert tables["curves"]["fp"].max() == 16 * SIDE
