import csv
from importlib import import_module
from pathlib import Path

import pytest
import torch


def table(number: int) -> dict[str, dict[str, str]]:
    path = Path(__file__).parents[2] / "bench" / "paper" / f"table_{number}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


# Millions of parameters. The 24.26 printed for PSPNet is PAN's figure; the library that the paper names gives this.
CORRECTED_M = {"pspnet": 24.30}
# In table 6 the full model is the row "RFEM + CAGM".
PRINTED = {model: row["printed"] for model, row in (table(6) | table(7)).items()}


@pytest.mark.parametrize("model", table(7))
def test_parameters_are_the_published_ones(model: str) -> None:
    with torch.device("meta"):
        network = import_module(f"bench.models.{model}").build(3, 1, 448, "resnet50", None)
    parameters_m = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert parameters_m == pytest.approx(CORRECTED_M.get(model, float(table(7)[model]["params_m"])), abs=0.005)


@pytest.mark.parametrize(("model", "printed"), PRINTED.items())
def test_name_is_the_printed_one(model: str, printed: str) -> None:
    name = import_module(f"bench.models.{model}").NAME
    assert name == printed


def test_smp_refuses_a_wrong_size() -> None:
    network = import_module("bench.models.fpn").build(3, 1, 64, "resnet18", None)
    with pytest.raises(RuntimeError, match=r"height=72, width=64.*divisible by 32"):
        network(torch.zeros(1, 3, 72, 64))
