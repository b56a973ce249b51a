"""What every file in bench/datasets keeps to; a failing message says what its author has to do."""

from pathlib import Path
from types import ModuleType

import pytest

from bench import plugins
from bench.data.dataset import Archive, Card, Pair
from bench.data.images import read_image, read_mask
from bench.sample.generate import generate

every_dataset = pytest.mark.parametrize("name", plugins.names("datasets"))


def check_contract(module: ModuleType, name: str, root: Path) -> None:
    """Check a dataset's module against files in ``root``."""
    path = f"bench/datasets/{name}.py"
    assert (module.__doc__ or "").strip(), f"{path}: the first line says what the dataset shows."
    card = module.CARD
    assert isinstance(card, Card), f"{path}: CARD must be a Card."
    assert card.licence, f"{path}: say under which terms the images are."
    assert card.citation, f"{path}: say who to cite."
    assert card.classes >= 1, f"{path}: classes is 1 for crack against background, else their number."
    assert 0 < card.photographs <= card.images, f"{path}: photographs is at least 1 and at most images."
    assert module.PREFIX.endswith("_"), f"{path}: PREFIX is what names begin with in the collection, like CFD_."
    assert module.ORIGINAL is None or isinstance(module.ORIGINAL, Archive), f"{path}: ORIGINAL is an Archive or None."
    pairs = module.pairs(root)
    assert pairs, f"{path}: pairs(root) finds nothing in {root}."
    assert all(isinstance(pair, Pair) for pair in pairs)
    assert [p.item for p in pairs] == sorted({p.item for p in pairs}), f"{path}: pairs are sorted, items unique."
    for pair in pairs:
        assert pair.photo == module.photo(pair.item), f"{path}: pair.photo is photo(item)."
        assert read_image(pair.image).shape[:2] == read_mask(pair.mask, card.classes).shape


@every_dataset
def test_keeps_the_contract(name: str, tmp_path: Path) -> None:
    module = plugins.load("datasets", name)
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    if hasattr(module, "FOLDER"):
        from bench.data.sources import from_folder

        from_folder(Path(module.FOLDER), module.CRACK_VALUE).fill(tmp_path)
    else:
        generate(name, tmp_path, 0, 3, 64)
    check_contract(module, name, tmp_path)
    assert module.photo("no name of this dataset") == "no name of this dataset"


@every_dataset
def test_the_folder_of_an_own_dataset_is_the_only_source_of_one(name: str) -> None:
    module = plugins.load("datasets", name)
    if hasattr(module, "FOLDER"):
        assert module.ORIGINAL is None, f"bench/datasets/{name}.py: has FOLDER, so ORIGINAL must be None."
