"""A split for torch's data loader: what a network is trained on, without augmentation."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

from bench import load_dataset
from bench.training.settings import IMAGENET_MEAN, IMAGENET_STD


def test_a_loader_gives_normalised_images_and_classes(make_prepared: Callable[..., Path]) -> None:
    split = load_dataset(make_prepared((3, 0, 2)), "train")
    dataset = split.as_torch()
    assert isinstance(dataset, Dataset)
    ((images, classes),) = DataLoader(dataset, batch_size=3)
    assert images.shape == (3, 3, 64, 64)
    assert images.dtype == torch.float32
    expected = (torch.tensor(split.images[0, 5, 7]) / 255 - torch.tensor(IMAGENET_MEAN)) / torch.tensor(IMAGENET_STD)
    assert torch.allclose(images[0, :, 5, 7], expected, atol=1e-5)
    assert classes.dtype == torch.uint8
    assert ((classes == 1).numpy() == split.masks).all()
