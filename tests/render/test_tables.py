"""Tables 1, 2 and 7 of a few hand-written records."""

import pandas as pd
import pytest

from bench.render.tables import GFLOPS_TOLERANCE, comparable, table_1, table_2, table_7

PAPER = pd.DataFrame(
    {"model": ["unet", "fpn"], "params_m": [32.52, 26.12], "gflops": [65.6, 48.2], "inference_ms": [3.0, 2.0]}
)


def cost(**changes: object) -> dict[str, object]:
    record: dict[str, object] = {"encoder": "resnet50", "image_size": 448, "parameters": 32_521_105, "gflops": 65.6}
    record |= {"gmacs": 32.8, "device": "a CPU", "threads": 2, "latency_ms_p50": 10.0, "latency_ms_p95": 12.0}
    return record | changes


def row(record: dict[str, object]) -> pd.Series:
    return table_7({"unet": record}, {"unet": "UNet"}, PAPER).frame.iloc[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "both"),
        ({"parameters": 32_530_000}, "parameters differ"),
        ({"gflops": 65.6 * (1 + GFLOPS_TOLERANCE + 1e-3)}, "GFLOPs differ"),
        ({"gflops": 65.6 * (1 + GFLOPS_TOLERANCE - 1e-3)}, "both"),
        ({"image_size": 256}, "not comparable"),
        ({"encoder": "resnet18"}, "not comparable"),
    ],
)
def test_what_reproduces(changes: dict[str, object], said: str) -> None:
    assert row(cost(**changes))["Reproduces"] == said


def test_the_difference_is_measured_over_published() -> None:
    assert row(cost(gflops=65.6 * 1.5))["GFLOPs difference %"] == pytest.approx(50)
    assert pd.isna(row(cost(image_size=256))["GFLOPs difference %"])
    assert comparable(cost())


def test_a_latency_beside_that_of_the_reference_network() -> None:
    assert "Latency, ResNet-18 = 1" not in row(cost())
    found = row(cost(relative_latency=2.5, drifted=True))
    assert found["Latency, ResNet-18 = 1"] == 2.5
    assert found["Device"] == "a CPU, 2 threads; drifted: the machine was not steady"
    assert row(cost(relative_latency=2.5, drifted=False))["Device"] == "a CPU, 2 threads"


def test_the_note_names_what_counted_the_multiply_adds() -> None:
    names, new = {"unet": "UNet", "fpn": "FPN"}, cost(counter="torch.utils.flop_counter")
    noted = [table_7(costs, names, PAPER).notes[0] for costs in ({"unet": cost()}, {"unet": new, "fpn": cost()})]
    assert noted[0].endswith("GFLOPs = 2 x GMACs. fvcore reports GMACs.")
    assert "fvcore reports GMACs (FPN). torch.utils.flop_counter reports GMACs: " in noted[1]
    assert noted[1].endswith("that run (UNet).")


def test_models_without_a_cost_or_a_published_row() -> None:
    table = table_7({"mine": cost()}, {"unet": "UNet", "mine": "Mine"}, PAPER)
    assert table.frame["Reproduces"].tolist() == ["not measured", "not published"]
    assert table.frame["Params M, here"].tolist() == pytest.approx([float("nan"), 32.521105], nan_ok=True)


def test_settings_are_compared_as_numbers() -> None:
    printed = pd.DataFrame(
        {"setting": ["train.lr", "train.batch", "train.optimizer"], "printed": ["lr", "batch", "optimiser"],
         "where": "4.1", "value": ["0.0001", "32", "AdamW"]}
    )  # fmt: skip
    table = table_2({"train.lr": 1e-4, "train.batch": 16}, printed)
    assert table.frame["Agreement"].tolist() == ["same", "differs", "same"]
    assert set(table_2({}, printed).frame["Agreement"]) == {"no runs"}


def test_a_dataset_that_is_not_prepared_says_so() -> None:
    facts = {"name": "CFD", "crack_type": "Road", "images": 118, "photographs": 118, "crack_share_pct": 1.6}
    printed = pd.DataFrame({"dataset": ["cfd"], "crack_type": ["Pavement"]})
    frame = table_1({}, {"cfd": facts | {"licence": "none"}}, printed).frame
    assert frame.loc[0, "Train / validation / test"] == "not prepared"
    assert frame.loc[0, "Crack type"] == "Pavement"  # as printed
    assert frame.loc[0, "Pairs, published"] == 118
