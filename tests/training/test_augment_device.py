"""The augmentation on the device against the reference: the same picture for the same draw, the same distribution."""

from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
import torch
import yaml
from scipy.stats import ks_2samp

from bench.training.augment import augment, build_augmentation
from bench.training.augment_device import Draw, apply, draw
from bench.training.settings import AugmentSettings

NONE = Draw(False, False, 0, None, None, (), 0)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth picture, so that a shift by half a pixel does not show, and a mask."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    mask = np.zeros((96, 96), np.uint8)
    mask[20:30, 10:80] = 1
    return cv2.GaussianBlur(noise, (9, 9), 3), mask


@pytest.fixture(scope="module")
def settings() -> AugmentSettings:
    """Return the settings of params.yaml."""
    values = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["train"]["augment"]
    return AugmentSettings(**values | {"noise_std": tuple(values["noise_std"])})


def on_device(pair: tuple[np.ndarray, np.ndarray], **chosen: object) -> tuple[np.ndarray, np.ndarray]:
    images, masks = apply(
        [torch.from_numpy(pair[0]).permute(2, 0, 1)], [torch.from_numpy(pair[1])], [Draw(**vars(NONE) | chosen)]
    )
    return images[0].permute(1, 2, 0).numpy(), masks[0].numpy()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, lambda a: a),
        ({"horizontal_flip": True}, lambda a: a[:, ::-1]),
        ({"vertical_flip": True}, lambda a: a[::-1]),
        ({"quarter_turns": 1}, lambda a: np.rot90(a)),
        ({"quarter_turns": 2}, lambda a: np.rot90(a, 2)),
        ({"quarter_turns": 3}, lambda a: np.rot90(a, 3)),
    ],
)
def test_flips_and_turns_are_exact(pair, chosen, expected) -> None:
    image, mask = on_device(pair, **chosen)
    assert np.array_equal(image, expected(pair[0]))
    assert np.array_equal(mask, expected(pair[1]))


@pytest.mark.parametrize("move", [(20, 0, 0, 1), (0, 9, -6, 1), (0, 0, 0, 1.1), (15, 8, 5, 0.93), (-30, -9, 9, 1.07)])
def test_affine_agrees_with_albumentations(pair, move) -> None:
    angle, right, down, scale = move
    reference = A.Affine(
        rotate=(-angle, -angle), translate_px={"x": (right, right), "y": (down, down)}, scale=(scale, scale), p=1
    )(image=pair[0], mask=pair[1])
    image, mask = on_device(pair, affine=(float(angle), float(right), float(down), float(scale)))
    assert np.abs(image.astype(int) - reference["image"]).mean() < 0.1
    assert (mask != reference["mask"]).mean() < 0.002


@pytest.mark.parametrize(
    ("name", "factor", "most"),
    [("brightness", 1.15, 0), ("contrast", 0.85, 1), ("saturation", 1.2, 1), ("hue", 0.08, 4), ("hue", -0.1, 4)],
)
def test_jitter_agrees_with_albumentations(pair, name, factor, most) -> None:
    off = {"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)}
    reference = A.ColorJitter(**off | {name: (factor, factor)}, p=1)(image=pair[0])["image"]
    image, _ = on_device(pair, jitter=((f"adjust_{name}", factor),))
    assert np.abs(image.astype(int) - reference).max() <= most


def test_noise_has_the_asked_deviation_and_leaves_the_mask(pair) -> None:
    grey = np.full((200, 200, 3), 128, np.uint8), np.ones((200, 200), np.uint8)
    image, mask = on_device(grey, noise_std=6.0, noise_seed=3)
    assert image.std() == pytest.approx(6, rel=0.02)
    assert image.mean() == pytest.approx(128, abs=0.1)
    assert np.corrcoef(image[..., 0].ravel(), image[..., 1].ravel())[0, 1] == pytest.approx(0, abs=0.02)
    assert (mask == 1).all()


def test_the_draw_depends_on_the_key_alone(settings) -> None:
    keys = [(0, 1, 2), (1, 1, 2), (0, 2, 2), (0, 1, 3)]
    assert len({draw(settings, 64, key) for key in keys}) == 4
    assert draw(settings, 64, keys[0]) == draw(settings, 64, keys[0])


def test_draws_follow_the_settings(settings) -> None:
    draws = [draw(settings, 100, (0, 0, n)) for n in range(4000)]
    assert np.mean([d.horizontal_flip for d in draws]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([d.noise_std is not None for d in draws]) == pytest.approx(0.2, abs=0.03)
    assert np.bincount([d.quarter_turns for d in draws]) / 4000 == pytest.approx([0.625, 0.125, 0.125, 0.125], abs=0.03)
    affine = np.array([d.affine for d in draws if d.affine])
    assert len(affine) / 4000 == pytest.approx(0.5, abs=0.03)
    assert np.abs(affine).max(0) == pytest.approx([30, 10, 10, 1.1], rel=0.02)
    assert np.corrcoef(affine.T)[~np.eye(4, dtype=bool)] == pytest.approx(0, abs=0.08)
    orders = {tuple(name for name, _ in d.jitter) for d in draws if d.jitter}
    assert len(orders) == 24


def test_statistics_of_both_engines_agree(pair, settings) -> None:
    """Compare mean, contrast, saturation and crack share of 600 augmented pictures of each."""
    compose = build_augmentation(settings)

    def facts(image: np.ndarray, mask: np.ndarray) -> tuple[float, ...]:
        spread = image.max(2).astype(int) - image.min(2)
        return float(image.mean()), float(image.std()), float(spread.mean()), float(mask.mean())

    reference, device = [], []
    for n in range(600):
        reference.append(facts(*augment(compose, *pair, (0, 0, n))))
        chosen = draw(settings, 96, (1, 0, n))
        device.append(facts(*on_device(pair, **vars(chosen))))
    for name, a, b in zip(
        ("mean", "std", "spread", "share"), zip(*reference, strict=True), zip(*device, strict=True), strict=True
    ):
        assert ks_2samp(a, b).pvalue > 1e-3, name


def test_the_reference_draws_its_transforms_independently(settings) -> None:
    compose = A.ReplayCompose(build_augmentation(settings).transforms)
    picture = np.zeros((8, 8, 3), np.uint8)
    applied = []

    class Spy:
        """Note which transforms were applied."""

        set_random_state = compose.set_random_state

        def __call__(self, **pair: np.ndarray) -> dict[str, np.ndarray]:
            result = compose(**pair)
            applied.append([transform["applied"] for transform in result["replay"]["transforms"]])
            return result

    for n in range(2000):
        augment(Spy(), picture, picture[..., 0], (0, 0, n))
    together = np.corrcoef(np.array(applied, float).T)
    assert together[~np.eye(6, dtype=bool)] == pytest.approx(0, abs=0.08)
