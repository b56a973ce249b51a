import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import PCG64, Generator
from torch import Tensor, nn

from bench.models._context_cracknet import ContextAwareGlobal, ContextCrackNet

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "context_cracknet.json").read_text(encoding="utf-8"))
VARIANTS = {
    (True, True): "context_cracknet",
    (True, False): "context_cracknet_rfem",
    (False, True): "context_cracknet_cagm",
    (False, False): "context_cracknet_baseline",
}
RTOL = 1e-4  # what float32 allows between machines


def build(model: str, size: int = 64, encoder: str = "resnet18") -> ContextCrackNet:
    torch.manual_seed(0)
    return import_module(f"bench.models.{model}").build(3, 1, size, encoder, None).eval()


def images(size: int = 64) -> Tensor:
    return torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def fill(network: nn.Module, salt: int) -> None:
    """Set weights that depend on each tensor's shape alone, as the golden outputs were made with."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            shape = tuple(parameter.shape)
            values = Generator(PCG64([salt, *shape])).standard_normal(shape).astype(np.float32)
            parameter.copy_(torch.from_numpy(values) * (2 * shape[0] / values.size) ** 0.5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            module.reset_parameters()
        elif isinstance(getattr(module, "bias", None), nn.Parameter):
            module.bias.zero_()


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: VARIANTS[case["rfem"], case["cagm"]])
def test_golden_output(case: dict[str, Any]) -> None:
    network = build(VARIANTS[case["rfem"], case["cagm"]], 448, "resnet50")
    assert sum(parameter.numel() for parameter in network.parameters()) == case["params"]
    fill(network, case["salt"])
    image = Generator(PCG64([case["salt"], 448])).standard_normal((1, 3, 448, 448)).astype(np.float32)
    with torch.no_grad():
        logits = network(torch.from_numpy(image))[0, 0].double()
    assert logits.mean().item() == pytest.approx(case["mean"], rel=RTOL)
    assert logits.std().item() == pytest.approx(case["std"], rel=RTOL)
    for place, expected in case["pixels"].items():
        row, column = map(int, place.split(","))
        assert logits[row, column].item() == pytest.approx(expected, rel=RTOL), place


@pytest.mark.parametrize(
    ("model", "parameters"),
    # the published model without its four gates; and without CAGM
    [("context_cracknet_cagm_skip", 82_050_597 - 1_386_852), ("context_cracknet_skip", 73_249_317 - 1_386_852)],
)
def test_parameters_with_plain_skips(model: str, parameters: int) -> None:
    with torch.device("meta"):
        network = import_module(f"bench.models.{model}").build(3, 1, 448, "resnet50", None)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_cagm_against_numpy() -> None:
    """The golden outputs hardly see the inside of CAGM: compare with its equations in float64."""
    torch.manual_seed(0)
    cagm = ContextAwareGlobal(width=16, tokens=12).eval()
    for parameter in cagm.parameters():
        nn.init.normal_(parameter)
    w = {name: parameter.detach().double().numpy() for name, parameter in cagm.named_parameters()}
    features = torch.randn(2, 16, 3, 4)

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]

    expected = np.empty((2, 16, 3, 4))
    for b, x in enumerate(features.double().numpy().reshape(2, 16, 12).transpose(0, 2, 1)):
        n = norm(x, "attention_norm")
        query, key, value = linear(n, "query"), linear(n, "key"), linear(n, "value")
        key, value = w["key_projection"].T @ key, w["value_projection"].T @ value
        heads = []
        for head in range(8):
            d = slice(2 * head, 2 * head + 2)
            scores = np.exp(query[:, d] @ key[:, d].T / np.sqrt(2))
            heads.append(scores / scores.sum(1, keepdims=True) @ value[:, d])
        y = x + linear(np.concatenate(heads, axis=1), "out")
        y = y + linear(np.maximum(linear(norm(y, "feed_forward.0"), "feed_forward.1"), 0), "feed_forward.3")
        expected[b] = y.T.reshape(16, 3, 4)
    with torch.no_grad():
        found = cagm(features).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_dropout_is_on_the_attention_weights_alone() -> None:
    dropouts = {
        name: module.p for name, module in build("context_cracknet").named_modules() if "Drop" in type(module).__name__
    }
    assert dropouts == {"cagm.dropout": 0.1}


def test_projections_keep_lengths_on_average() -> None:
    torch.manual_seed(0)
    projection = ContextAwareGlobal(width=8, tokens=784).key_projection
    assert projection.shape == (784, 256)
    assert projection.std().item() == pytest.approx(256**-0.5, rel=0.01)


def test_cagm_only_is_the_baseline() -> None:
    baseline, cagm = build("context_cracknet_baseline"), build("context_cracknet_cagm")
    missing = cagm.load_state_dict(baseline.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all(key.startswith("cagm.") for key in missing.missing_keys)
    with torch.no_grad():
        assert torch.equal(cagm(images()), baseline(images()))


@pytest.mark.parametrize("model", ["context_cracknet", "context_cracknet_cagm_skip"])
def test_cagm_counts_where_there_are_skips(model: str) -> None:
    network = build(model)
    with torch.no_grad():
        before = network(images())
        network.cagm.out.bias += 1
        assert not torch.allclose(before, network(images()))


@torch.no_grad()
def test_gates() -> None:
    network = build("context_cracknet")
    logits = network(images())
    gates = network.gates(images())
    assert [tuple(gate.shape) for gate in gates] == [(2, 1, size, size) for size in (4, 8, 16, 32)]
    assert all(0 <= gate.min() <= gate.max() <= 1 for gate in gates)
    assert all(gate.std() > 0 for gate in gates)
    assert torch.equal(network(images()), logits)


@torch.no_grad()
def test_a_closed_gate_closes_the_skip() -> None:
    network = build("context_cracknet")
    for stage in network.decoder:
        stage.gate.factor[1].bias.fill_(-1e4)  # the sigmoid is 0
    assert all(gate.max() == 0 for gate in network.gates(images()))
    shut = network(images())
    network.cagm.out.bias += 1
    assert torch.equal(network(images()), shut)


@pytest.mark.parametrize("model", ["context_cracknet_baseline", "context_cracknet_cagm_skip"])
def test_no_gates_without_rfem(model: str) -> None:
    with pytest.raises(ValueError, match="has no RFEM"):
        build(model).gates(images())


def test_wrong_size_names_both_sizes() -> None:
    with pytest.raises(ValueError, match=r"images of 96 x 96 px, but the network was built for 64 x 64 px"):
        build("context_cracknet")(images(96))


def test_without_cagm_any_multiple_of_32() -> None:
    network = build("context_cracknet_rfem")
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 96, 128)).shape == (1, 1, 96, 128)
    with pytest.raises(ValueError, match=r"images of 96 x 100 px.*multiples of 32"):
        network(torch.zeros(1, 3, 96, 100))


@pytest.mark.parametrize("size", [0, 100, -32])
def test_build_refuses_a_size(size: int) -> None:
    with pytest.raises(ValueError, match=f"image size {size} px"):
        build("context_cracknet", size)


@pytest.mark.parametrize("encoder", ["mobilenet_v2", "vgg11_bn", "efficientnet-b0"])
def test_other_encoders(encoder: str) -> None:
    network = build("context_cracknet", 64, encoder)
    with torch.no_grad():
        assert network(images()).shape == (2, 1, 64, 64)


def test_encoder_without_features_at_half_size_is_refused() -> None:
    with pytest.raises(ValueError, match="'mit_b0' does not fit Context-CrackNet"):
        build("context_cracknet", 64, "mit_b0")
