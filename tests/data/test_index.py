"""The index of the merged collection: published splits and what differs from it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import plugins
from bench.data.dataset import Pair
from bench.data.index import deviations, index, published_split
from bench.errors import UserError

PREFIX = plugins.load("datasets", "cfd").PREFIX


def test_the_index_of_a_dataset_has_its_files_alone() -> None:
    known = index(PREFIX)
    assert len(known) == 118
    assert known["file"].str.startswith(PREFIX).all()
    assert set(known["split"]) == {"train", "test"}
    assert known["crack_share_pct"].between(0, 100).all()


def test_published_splits_are_found_with_and_without_the_prefix() -> None:
    known = index(PREFIX)
    stems = [Path(file).stem for file in known["file"]]
    assert published_split(PREFIX, stems) == known["split"].tolist()
    assert published_split(PREFIX, [stem.removeprefix(PREFIX) for stem in stems]) == known["split"].tolist()


def test_an_item_in_no_list_is_for_training_and_none_at_all_is_an_error() -> None:
    first = Path(index(PREFIX)["file"][0]).stem
    assert published_split(PREFIX, ["unknown", first])[0] == "train"
    with pytest.raises(UserError, match="'unknown'"):
        published_split(PREFIX, ["unknown"])


def test_missing_and_extra_items_and_other_crack_shares_are_listed(tmp_path: Path) -> None:
    known = index(PREFIX)
    first = Path(known["file"][0]).stem
    Image.fromarray(np.full((10, 10), 255, np.uint8)).save(tmp_path / "m.png")
    pairs = [Pair(name, tmp_path / "i.png", tmp_path / "m.png", name) for name in (first, PREFIX + "extra")]
    lines = deviations(PREFIX, pairs, "collection")
    assert sum(line.startswith("missing: ") for line in lines) == len(known) - 1
    assert any(PREFIX + "extra" in line for line in lines)
    assert any(first in line and "100.00 %" in line for line in lines)
    assert not any("100.00 %" in line for line in deviations(PREFIX, pairs, "originals"))
