"""The nine datasets of the open track, as their real files are; skipped where these are not on this machine."""

import os
from pathlib import Path

import numpy as np
import pytest

from bench import plugins
from bench.data.dataset import pairs_of
from bench.data.images import read_image, read_mask
from bench.data.pinned import pinned_datasets
from bench.data.pinned_local import LocalFiles, pinned_from_path

FOLDER = os.environ.get("CRACKBENCH_OPEN_DATA", "")

pytestmark = pytest.mark.skipif(
    not Path(FOLDER).is_dir() or not FOLDER,
    reason="CRACKBENCH_OPEN_DATA names no folder with the files, or zips, of the open track's repositories",
)


@pytest.fixture(scope="module")
def local() -> LocalFiles:
    return LocalFiles(Path(FOLDER))


@pytest.mark.parametrize("name", pinned_datasets())
def test_the_card_states_what_the_files_hold(name: str, local: LocalFiles, tmp_path: Path) -> None:
    plugin = plugins.load("datasets", name)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    pinned_from_path(name, local).fill(tmp_path)
    pairs = pairs_of(plugin, tmp_path)
    assert len(pairs) == plugin.CARD.images
    assert len({pair.photo for pair in pairs}) == plugin.CARD.photographs
    shares = []
    for pair in pairs:
        mask = read_mask(pair.mask)
        assert mask.shape == read_image(pair.image).shape[:2]
        assert set(np.unique(mask)) <= {0, 255}
        shares.append(100 * (mask > 127).mean())
    assert np.mean(shares) == pytest.approx(plugin.CARD.crack_share_pct, abs=5e-4)
    assert max(shares) < 50, "a mask is inverted"
