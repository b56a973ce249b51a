"""The data type a network computes in: mixed precision on a CUDA GPU, float32 on any other device."""

import torch

from bench.training.settings import TrainSettings


def autocast(settings: TrainSettings, device: torch.device) -> torch.autocast:
    """Return the autocast context; disabled in float32 and on every device but CUDA."""
    return torch.autocast(device.type, dtype=_half(device), enabled=_is_mixed(settings, device))


def compute_dtype(settings: TrainSettings, device: torch.device) -> torch.dtype:
    """Return the data type: bfloat16 in mixed precision, or float16 on GPUs without bfloat16; otherwise float32."""
    return _half(device) if _is_mixed(settings, device) else torch.float32


def _half(device: torch.device) -> torch.dtype:
    native = device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def _is_mixed(settings: TrainSettings, device: torch.device) -> bool:
    return settings.precision == "mixed" and device.type == "cuda"
