"""Which GPUs a model fits, by hand; the items that a training keeps; what a plan prints."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.settings import load_params
from bench.tools import plan, plan_memory
from bench.tools.memory import Footprint

PARAMS = Path(__file__).parents[2] / "params.yaml"
Make = Callable[..., Any]
GIB = 2**30


def test_the_gpus_that_a_model_fits_by_hand(train_settings: Make) -> None:
    """Tensors of a GPU of 8 GB may take 6.8 GiB, of 12 GB 10.4, of 24 GB 21.3, of 48 GB 43.1, of 80 GB 72.2."""
    found = Footprint(GIB, 8 * GIB, 16, 22 * GIB, 0)  # 10 GiB with 4 images at once, 14 with 8
    said = plan_memory.fits(found, train_settings(batch=16), 0).strip()
    assert said == ("22.0 GB; fits 48, 80 GB; 12 GB with accumulate 4; 24 GB with accumulate 2; 8 GB is too small")
    said = plan_memory.fits(found, train_settings(batch=16, accumulate=4), GIB).strip()
    assert said == "11.0 GB; fits 24, 48, 80 GB; 12 GB with accumulate 8; 8 GB is too small"
    assert "fits none" in plan_memory.fits(Footprint(90 * GIB, 90 * GIB, 4, 91 * GIB, 0), train_settings(), 0)


def test_the_items_that_are_kept(tmp_path: Path) -> None:
    params = load_params(PARAMS)  # CFD has 118 items, of which a fifth are tested on, and select the checkpoint
    assert plan_memory.kept_items(tmp_path, "cfd", params) == 24
    params["train"]["augment_on"] = "device"
    assert plan_memory.kept_items(tmp_path, "cfd", params) == 118
    (tmp_path / "items.csv").write_text("item,split\na,train\nb,train\nc,test\nd,validation\ne,validation\n")
    params["train"]["select_on"] = "validation"
    assert plan_memory.kept_items(tmp_path, "cfd", params) == 4


def test_a_plan_says_the_memory_of_each_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan.cells, "outdated_names", lambda root, stage: {"train@cfd-unet-0", "train@cfd-fpn-0"})
    monkeypatch.setattr(plan_memory, "footprint", lambda *_: Footprint(GIB, 2 * GIB, 32, 5 * GIB, 0))
    said = plan.plan(tmp_path, load_params(PARAMS), [1]).splitlines()
    assert said[-3] == "memory on a GPU  computed for batches of 32 images of 448 px"
    assert said[-2].split() == ["fpn", "5.0", "GB;", "fits", "8,", "12,", "24,", "48,", "80", "GB"]
    assert said[-1].startswith("  unet ")
    assert len(plan.plan(tmp_path, load_params(PARAMS), [1], memory=False).splitlines()) == len(said) - 3


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "train.accumulate: 2 is the least"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you"), "train.accumulate: 2 is the least"),
        (RuntimeError("other"), ""),
    ],
)
def test_advice_when_memory_runs_out(
    cause: Exception, expected: str, train_settings: Make, monkeypatch: pytest.MonkeyPatch, make_prepared: Make
) -> None:
    monkeypatch.setattr(plan_memory, "footprint", lambda *_: Footprint(GIB, 2 * GIB, 8, 9 * GIB, 0))
    monkeypatch.setattr(plan_memory, "memory_bytes", lambda: 8 * GIB)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_per_process_memory_fraction", lambda index: 1.0)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda index: SimpleNamespace(total_memory=8 * GIB))
    said = plan_memory.advice(cause, make_prepared(), "unet", train_settings(batch=8))
    assert said.startswith(" Computed need: 9.0 GB; of the 8.0 GB here " if expected else "")
    assert expected in said
