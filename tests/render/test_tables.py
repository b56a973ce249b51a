"""The paper's tables from small frames: what stands beside what, and the differences."""

import math
from typing import Any

import pandas as pd
import pytest

from bench.paper import published
from bench.render import tables
from bench.render.tables import Table

IOU = "Crack IoU (printed: mIoU)"


def summary(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    """Return rows (dataset, model, seed, crack IoU), with the other metrics at 0.5, under two averages."""
    made = []
    for dataset, model, seed, iou in rows:
        for metric in ("crack_iou", "dice", "recall", "precision", "f1"):
            value = iou if metric == "crack_iou" else 0.5
            made += [(dataset, model, seed, metric, "pooled", value), (dataset, model, seed, metric, "image_mean", 0.0)]
    return pd.DataFrame(made, columns=["dataset", "model", "seed", "metric", "average", "value"])


NAMES = {"cfd": "CFD", "gaps": "GAPs", "unet": "UNet", "pan": "PAN", "mine": "Mine"}


def rows(table: Table) -> list[dict[Any, Any]]:
    return table.frame.to_dict("records")


def three_to_five(frame: pd.DataFrame, models: list[str]) -> dict[str, Table]:
    made = tables.segmentation_tables(frame, "pooled", NAMES, models, published("tables_3_4_5"))
    return {table.name: table for table in made}


def test_difference_is_measured_minus_published() -> None:
    found = rows(three_to_five(summary(("cfd", "unet", 0, 0.2)), ["unet"])["table3"])[0]
    assert found[f"{IOU}, published"] == 0.1562
    assert found[f"{IOU}, measured"] == 0.2
    assert found[f"{IOU}, difference"] == pytest.approx(0.2 - 0.1562)
    assert found["Recall, difference"] == pytest.approx(0.5 - 0.8370)
    assert found["Precision, difference"] == pytest.approx(0.5 - 0.1611)
    assert found["Dice, difference"] == pytest.approx(0.5 - 0.2703)


def test_seeds_are_averaged() -> None:
    frame = summary(("cfd", "unet", 0, 0.2), ("cfd", "unet", 1, 0.5))
    assert rows(three_to_five(frame, ["unet"])["table3"])[0][f"{IOU}, measured"] == pytest.approx(0.35)


def test_a_dataset_stands_in_the_paper_s_table_and_others_are_left_out() -> None:
    found = three_to_five(summary(("cfd", "unet", 0, 0.2), ("gaps", "unet", 0, 0.3)), ["unet"])
    assert {name: {row["Dataset"] for row in rows(table)} for name, table in found.items()} == {
        "table3": {"CFD"},
        "table4": {"GAPs"},
    }


def test_a_model_of_one_s_own_stands_below_the_published_ones() -> None:
    found = rows(three_to_five(summary(("cfd", "mine", 0, 0.9)), ["mine", "unet", "pan"])["table3"])
    assert [row["Model"] for row in found] == ["PAN", "UNet", "Mine"]  # published ones in the paper's order
    assert found[2][f"{IOU}, measured"] == 0.9
    assert math.isnan(found[2][f"{IOU}, published"])
    assert math.isnan(found[2][f"{IOU}, difference"])


def test_what_was_not_run_is_empty() -> None:
    found = rows(three_to_five(summary(), ["unet"])["table3"])[0]
    assert found[f"{IOU}, published"] == 0.1562
    assert math.isnan(found[f"{IOU}, measured"])
    assert math.isnan(found[f"{IOU}, difference"])


def test_the_average_chosen_is_shown_and_named() -> None:
    table = tables.segmentation_tables(
        summary(("cfd", "unet", 0, 0.2)), "image_mean", NAMES, ["unet"], published("tables_3_4_5")
    )[0]
    assert rows(table)[0][f"{IOU}, measured"] == 0
    assert table.caption == "Table 3. Segmentation results (image mean)."


def test_table_6_has_the_authors_rows_and_the_fair_ones() -> None:
    frame = summary(("gaps", "context_cracknet", 0, 0.5), ("gaps", "context_cracknet_skip", 0, 0.4))
    found = {row["Configuration"]: row for row in rows(tables.table_6(frame, "pooled", NAMES, published("table_6")))}
    assert list(found)[:4] == ["Baseline", "RFEM Only", "CAGM Only", "RFEM + CAGM"]
    assert len(found) == 6
    assert found["RFEM + CAGM"][f"{IOU}, difference"] == pytest.approx(0.5 - 0.4743)
    assert found["context_cracknet_skip"][f"{IOU}, measured"] == 0.4
    assert math.isnan(found["context_cracknet_skip"][f"{IOU}, published"])
    assert math.isnan(found["Baseline"][f"{IOU}, measured"])


CARD = {
    "counts": {"train": 94, "validation": 0, "test": 24},
    "measured": {"photographs": 118, "crack_share": 0.0291, "native_size": "480x320"},
    "origin": {"source": "originals"},
}
FACTS = {
    "name": "CFD", "crack_type": "from the card", "images": 118, "photographs": 118, "crack_share_pct": 1.617,
    "licence": "research",
}  # fmt: skip


def test_table_1_by_hand() -> None:
    found = rows(tables.table_1({"cfd": CARD}, {"cfd": FACTS, "mine": FACTS | {"name": "Mine"}}, published("table_1")))
    assert found[0] == {
        "Dataset": "CFD",
        "Crack type": "Road crack",
        "Pairs, published": 118,
        "Pairs, here": 118,
        "Train / validation / test": "94 / 0 / 24",
        "Photographs, published": 118,
        "Photographs, here": 118,
        "Native size, here": "480x320",
        "Crack share %, published": 1.617,
        "Crack share %, here": pytest.approx(2.91),
        "Source": "originals",
        "Licence": "research",
    }
    assert found[1]["Crack type"] == "from the card"  # not one of the paper's
    assert found[1]["Train / validation / test"] == "not prepared"


@pytest.mark.parametrize(
    ("settings", "agreement", "here"),
    [
        ({"train.lr": 1e-4}, "same", "0.0001"),
        ({"train.lr": "1e-4"}, "same", "1e-4"),
        ({"train.lr": 1e-3}, "differs", "0.001"),
        ({"train.lr": None}, "differs", "none"),
        ({}, "no runs", ""),
    ],
)
def test_table_2_compares_as_numbers(settings: dict[str, Any], agreement: str, here: str) -> None:
    found = {row["Setting"]: row for row in rows(tables.table_2(settings, published("table_2")))}
    assert (found["Learning Rate"]["Agreement"], found["Learning Rate"]["Here"]) == (agreement, here)
    assert found["Learning Rate"]["Published"] == "0.0001"
    assert found["Learning Rate"]["Where"] == "Table 2"


COST = {
    "parameters": 32_521_105, "gmacs": 32.8, "gflops": 65.6, "latency_ms_p50": 5.0, "latency_ms_p95": 6.0,
    "images_per_s": 200.0, "peak_memory_mb": 900.0, "encoder": "resnet50", "image_size": 448, "device": "A40",
    "threads": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "both"),
        ({"gflops": 65.6 * 1.0079}, "both"),
        ({"gflops": 65.6 * 1.0081}, "GFLOPs differ"),
        ({"gflops": 65.6 * 0.9921}, "both"),
        ({"gflops": 65.6 * 0.99}, "GFLOPs differ"),
        ({"parameters": 32_524_999}, "both"),
        ({"parameters": 32_525_001}, "parameters differ"),
        ({"parameters": 1, "gflops": 1.0}, "parameters differ, GFLOPs differ"),
    ],
)
def test_table_7_says_what_reproduces(changes: dict[str, Any], verdict: str) -> None:
    found = rows(tables.table_7({"unet": COST | changes}, {"unet": "UNet"}, published("table_7")))[0]
    assert found["Reproduces"] == verdict


def test_table_7_by_hand() -> None:
    found = rows(
        tables.table_7(
            {"unet": COST, "mine": COST}, {"unet": "UNet", "pan": "PAN", "mine": "Mine"}, published("table_7")
        )
    )
    unet, pan, mine = found
    assert unet["Params M, published"] == 32.52
    assert unet["Params M, here"] == pytest.approx(32.521105)
    assert unet["GFLOPs difference %"] == pytest.approx(0)
    assert unet["Latency ms, published (A40)"] == 7.67
    assert unet["Latency ms p50, here"] == 5.0
    assert unet["Input"] == "resnet50, 448 px"
    assert unet["Device"] == "A40, 8 threads"
    assert pan["Reproduces"] == "not measured"
    assert math.isnan(pan["Params M, here"])
    assert pan["Params M, published"] == 24.26
    assert mine["Reproduces"] == "not published"
    assert math.isnan(mine["GFLOPs difference %"])
