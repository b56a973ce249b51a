"""Building an architecture of segmentation-models-pytorch."""

import pytest
import torch

from bench.errors import UserError
from bench.models.smp import build_smp


def test_shapes_follow_the_arguments() -> None:
    network = build_smp("Unet", 1, 3, "resnet18", None).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 1, 64, 96)).shape == (2, 3, 64, 96)


def test_an_unknown_encoder_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="resnet19"):
        build_smp("Unet", 3, 1, "resnet19", None)


def test_the_same_seed_gives_the_same_weights() -> None:
    def weights() -> torch.Tensor:
        torch.manual_seed(3)
        return torch.cat([p.detach().ravel() for p in build_smp("FPN", 3, 1, "resnet18", None).parameters()])

    assert torch.equal(weights(), weights())
