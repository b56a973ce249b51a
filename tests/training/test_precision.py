"""Mixed precision: on a GPU only, and only where asked for."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from bench.training.precision import autocast, compute_dtype

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("precision", ["mixed", "float32"])
def test_a_cpu_compute_dtype_float32(train_settings: Callable[..., Any], precision: str) -> None:
    settings = train_settings(precision=precision)
    assert compute_dtype(settings, CPU) == torch.float32
    with autocast(settings, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("kind", ["mps", "xpu"])
def test_a_device_that_nobody_tried_computes_in_float32(train_settings: Callable[..., Any], kind: str) -> None:
    assert compute_dtype(train_settings(precision="mixed"), torch.device(kind)) == torch.float32


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_compute_dtype_bfloat16_where_it_has_it(
    train_settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, native: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert compute_dtype(train_settings(precision="mixed"), GPU) == expected
    assert compute_dtype(train_settings(precision="float32"), GPU) == torch.float32
