"""Mixed precision: on a GPU only, and only where asked for."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bench.training.precision import autocast, computes_in

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("precision", ["mixed", "float32"])
def test_a_cpu_computes_in_float32(train_settings: Callable[..., Any], precision: str) -> None:
    settings = train_settings(precision=precision)
    assert computes_in(settings, CPU) == torch.float32
    with autocast(settings, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_computes_in_bfloat16_where_it_has_it(
    train_settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, native: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert computes_in(train_settings(precision="mixed"), GPU) == expected
    assert computes_in(train_settings(precision="float32"), GPU) == torch.float32
