"""A fingerprint stays the same through resizing, JPEG and rotation, and tells different images apart."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from bench import plugins
from bench.data.fingerprints import are_near, fingerprint, known_sets, of_folder, of_set
from bench.errors import UserError


@pytest.fixture
def images() -> list[npt.NDArray[np.uint8]]:
    """Return twenty textures with detail at all scales, 120 x 200 px."""
    rng = np.random.default_rng(0)
    scales = (0.5, 2.0, 8.0, 20.0)
    layers = [[cv2.GaussianBlur(rng.normal(size=(120, 200, 3)), (0, 0), s) * s for s in scales] for _ in range(20)]
    return [np.clip(128 + 40 * np.sum(of, axis=0), 0, 255).astype(np.uint8) for of in layers]


def jpeg(image: npt.NDArray[np.uint8], size: tuple[int, int], quality: int) -> npt.NDArray[np.uint8]:
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.parametrize("mirror", [1, -1])
def test_a_squeezed_and_compressed_image_is_recognised_however_it_lies(
    images: list[npt.NDArray[np.uint8]], quarter: int, mirror: int
) -> None:
    known = np.stack([fingerprint(image)[0] for image in images[:10]])
    seen = [jpeg(np.rot90(image, quarter)[:, ::mirror].copy(), (96, 96), 60) for image in images]
    assert are_near([fingerprint(image) for image in seen], known).tolist() == [True] * 10 + [False] * 10


def test_a_blank_image_is_like_nothing() -> None:
    blank = fingerprint(np.full((30, 30, 3), 200, np.uint8))
    assert not are_near([blank], blank[:1]).any()
    assert are_near([blank], np.zeros((0, 32), np.uint8)).tolist() == [False]


def test_the_index_knows_the_sets_of_the_open_track_whole() -> None:
    known = known_sets()
    for name in (
        "asphalt300",
        "ceramic",
        "cfd_native",
        "crack500_crops",
        "deepcrack_544",
        "masonry",
        "uav75",
        "uav_cc0",
    ):
        assert known[name] == plugins.load("datasets", name).CARD.images
    assert known["sylvie_native"] == 170  # 185 files, some of which are the same image
    with pytest.raises(UserError, match=r"--seen: no set 'moon' among the public ones.*crack500_crops"):
        of_set("moon")


def test_a_folder_of_training_images(tmp_path: Path, images: list[npt.NDArray[np.uint8]]) -> None:
    with pytest.raises(UserError, match="contains no images: give the folder of your training images"):
        of_folder(tmp_path)
    (tmp_path / "deep").mkdir()
    cv2.imwrite(str(tmp_path / "deep" / "a.png"), images[0][..., ::-1])
    (tmp_path / "notes.txt").write_text("no image")
    assert are_near([fingerprint(images[0]), fingerprint(images[1])], of_folder(tmp_path)).tolist() == [True, False]
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"broken\.png"):
        of_folder(tmp_path)
