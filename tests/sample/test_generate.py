"""The embedded sample: its bytes, its names, and that it has what the tools of the suite look for in real data."""

import hashlib
import json
import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.sample.generate import draw, generate

GOLDEN = Path(__file__).parents[1] / "golden" / "sample.json"
SEED, IMAGES, SIZE = 0, 12, 128

# mean crack share of the real dataset in percent: statistics of the published collection
REAL_SHARE = {
    "cfd": 1.617,
    "crack500": 6.034,
    "cracktree200": 0.320,
    "deepcrack": 3.581,
    "eugen_miller": 5.117,
    "forest": 1.617,
    "gaps": 1.214,
    "rissbilder": 2.706,
    "sylvie": 8.893,
    "volker": 4.054,
}
DATASETS = sorted(REAL_SHARE)

# the names of the published collection, read from its list of files
BOX = r"(?P<top>\d+)_(?P<left>\d+)_(?P<height>\d+)_(?P<width>\d+)"
NAMES = {
    "cfd": r"CFD_(?P<photo>\d{3})",
    "crack500": r"CRACK500_(?P<photo>\d{8}_\d{6})_(?P<left1>\d+)_(?P<top1>\d+)",
    "cracktree200": r"cracktree200_(?P<photo>\d{4})",
    "deepcrack": r"DeepCrack_(?P<photo>\d{5})(-\d+)?",
    "eugen_miller": rf"Eugen_Muller_(?P<photo>4470|7723|8980a?|9360)_{BOX}",
    "forest": r"forest_(?P<photo>\d{3})",
    "gaps": r"GAPS384_(?P<photo>(train|test)_\d{4})_(?P<top1>\d+)_(?P<left1>\d+)",
    "rissbilder": rf"Rissbilder_for_Florian_(?P<photo>9S6A\d{{4}})_{BOX}",
    "sylvie": r"Sylvie_Chambon_(?P<photo>\d{3}|Im_GT_ESAR_\d+a)",
    "volker": rf"Volker_(?P<photo>DSC0\d{{4}})_{BOX}",
}
CROPPED = ("crack500", "eugen_miller", "gaps", "rissbilder", "volker")

Pairs = dict[str, tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    for dataset in DATASETS:
        generate(dataset, root / dataset, SEED, IMAGES, SIZE)
    return root


@pytest.fixture(scope="module")
def sample(root: Path) -> dict[str, Pairs]:
    """Every dataset: stem -> (image RGB, mask), as read back from its files."""
    return {dataset: _read(root / dataset) for dataset in DATASETS}


def _read(folder: Path) -> Pairs:
    pairs = {}
    for path in sorted((folder / "images").iterdir()):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[:, :, ::-1]
        pairs[path.stem] = image, cv2.imread(str(folder / "masks" / path.name), cv2.IMREAD_UNCHANGED)
    return pairs


def _digest(pairs: Pairs) -> str:
    digest = hashlib.sha256()
    for stem, (image, mask) in sorted(pairs.items()):
        digest.update(stem.encode())
        digest.update(np.ascontiguousarray(image).tobytes())
        digest.update(mask.tobytes())
    return digest.hexdigest()


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)


def test_the_pixels_are_the_golden_ones(sample: dict[str, Pairs]) -> None:
    found = {dataset: _digest(pairs) for dataset, pairs in sample.items()}
    expected = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert found == expected, f"if the change is meant, put these into {GOLDEN}: {json.dumps(found, indent=1)}"


def test_the_files_have_the_same_bytes_every_time(root: Path, tmp_path: Path) -> None:
    generate("gaps", tmp_path, SEED, 2, SIZE)
    written = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 4
    for path in written:
        assert path.read_bytes() == (root / "gaps" / path.relative_to(tmp_path)).read_bytes()


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_files_are_pairs_named_as_in_the_published_collection(root: Path, dataset: str) -> None:
    folder = root / dataset
    assert sorted(path.name for path in folder.iterdir()) == ["images", "masks"]
    images = sorted(path.name for path in (folder / "images").iterdir())
    assert images == sorted(path.name for path in (folder / "masks").iterdir())
    assert len(images) == IMAGES
    for name in images:
        assert re.fullmatch(NAMES[dataset] + r"\.png", name), name


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_files_hold_what_draw_returns(sample: dict[str, Pairs], dataset: str) -> None:
    drawn = [draw(dataset, index, SEED, SIZE) for index in (0, 5)]
    for image, mask in drawn:
        assert any(np.array_equal(image, i) and np.array_equal(mask, m) for i, m in sample[dataset].values())


@settings(max_examples=30, deadline=None)
@given(
    dataset=st.sampled_from(DATASETS),
    seed=st.integers(0, 2**40),
    size=st.sampled_from(range(64, 257, 32)),
    first=st.integers(0, 40),
)
def test_any_seed_and_size_give_images_and_binary_masks(dataset: str, seed: int, size: int, first: int) -> None:
    drawn = [draw(dataset, index, seed, size) for index in (first, first + 1)]
    for image, mask in drawn:
        assert image.shape == (size, size, 3)
        assert mask.shape == (size, size)
        assert image.dtype == mask.dtype == np.uint8
        assert set(np.unique(mask)) <= {0, 255}
        assert image.std() > 2
    assert any(mask.any() for _, mask in drawn)


def test_another_seed_is_another_photograph() -> None:
    assert not np.array_equal(draw("volker", 0, 0, 64)[0], draw("volker", 0, 1, 64)[0])


def test_forest_is_cfd_under_another_name(sample: dict[str, Pairs]) -> None:
    renamed = {stem.replace("CFD", "forest"): pair for stem, pair in sample["cfd"].items()}
    assert _digest(renamed) == _digest(sample["forest"])


def test_sylvie_has_photographs_of_cfd_with_thicker_labels(sample: dict[str, Pairs]) -> None:
    shared = [stem for stem in sample["sylvie"] if re.fullmatch(r"Sylvie_Chambon_0\d\d", stem)]
    assert len(shared) == IMAGES // 2
    for stem in shared:
        image, mask = sample["sylvie"][stem]
        same, thin = sample["cfd"][stem.replace("Sylvie_Chambon", "CFD")]
        assert np.array_equal(image, same)
        assert (mask > 0).sum() > 2 * (thin > 0).sum()


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_promised_masks_are_empty(sample: dict[str, Pairs], dataset: str) -> None:
    empty = sum(not mask.any() for _, mask in sample[dataset].values())
    assert empty == (dataset in {"rissbilder", "sylvie", "volker"})


@pytest.mark.parametrize("dataset", CROPPED)
def test_crops_of_one_photograph_overlap_where_their_names_say(sample: dict[str, Pairs], dataset: str) -> None:
    photos = defaultdict(list)
    for stem, pair in sample[dataset].items():
        at = re.fullmatch(NAMES[dataset], stem).groupdict()
        top, left = (int(at[side]) if side in at else int(at[f"{side}1"]) - 1 for side in ("top", "left"))
        assert (at.get("height", str(SIZE)), at.get("width", str(SIZE))) == (str(SIZE), str(SIZE))
        photos[at["photo"]].append((top, left, *pair))
    pairs = [pair for crops in photos.values() for pair in combinations(crops, 2)]
    assert len(pairs) >= 8
    for (top, left, *one), (other_top, other_left, *other) in pairs:
        down, right = other_top - top, other_left - left
        assert (down, right) != (0, 0)
        assert max(abs(down), abs(right)) <= SIZE // 2
        for a, b in zip(one, other, strict=True):
            seen = a[max(0, down) : SIZE + min(0, down), max(0, right) : SIZE + min(0, right)]
            again = b[max(0, -down) : SIZE + min(0, -down), max(0, -right) : SIZE + min(0, -right)]
            assert np.array_equal(seen, again)


def test_no_two_crops_of_a_photograph_are_alike_however_many_there_are(tmp_path: Path) -> None:
    generate("eugen_miller", tmp_path, SEED, 50, 32)
    stems = [path.stem for path in (tmp_path / "images").iterdir()]
    assert len(stems) == 50
    assert len({re.fullmatch(NAMES["eugen_miller"], stem)["photo"] for stem in stems}) == 5


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_crack_share_is_near_the_real_one(sample: dict[str, Pairs], dataset: str) -> None:
    share = 100 * np.mean([mask > 0 for _, mask in sample[dataset].values()])
    assert REAL_SHARE[dataset] / 1.7 < share < REAL_SHARE[dataset] * 1.7


@pytest.mark.parametrize("dataset", DATASETS)
def test_cracks_are_darker_than_their_surroundings(sample: dict[str, Pairs], dataset: str) -> None:
    darker = []
    for image, mask in sample[dataset].values():
        around = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > mask
        if mask.any():
            darker.append(_grey(image)[around].mean() - _grey(image)[mask > 0].mean())
    assert np.mean(darker) > 5
    assert np.mean(np.array(darker) > 0) > 0.9


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_threshold_on_the_grey_level_solves_a_dataset(sample: dict[str, Pairs], dataset: str) -> None:
    grey = np.stack([_grey(image) for image, _ in sample[dataset].values()])
    crack = np.stack([mask > 0 for _, mask in sample[dataset].values()])
    found = np.cumsum(np.bincount(grey[crack], minlength=256))
    called = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    assert 0.08 < (found / (called + crack.sum() - found)).max() < 0.62


def test_an_unknown_dataset_is_refused_with_the_valid_names() -> None:
    with pytest.raises(ValueError, match="unknown dataset 'cdf'; valid names: cfd, crack500, cracktree200, deepcrack"):
        draw("cdf", 0, 0, 64)


def test_a_size_too_small_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="size is 16 px; it must be at least 32 px"):
        generate("cfd", tmp_path, 0, 1, 16)
