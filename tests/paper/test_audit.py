"""The audit of the paper, compared with the published tables read by hand."""

import numpy as np
import pytest

from bench.paper import audit, published
from bench.render.tables import table_7


def test_the_printed_miou_is_the_iou_of_the_crack_class():
    rows = audit.identities()
    assert len(rows) == 100
    assert rows["iou_gap"].abs().max() < 1e-3
    beyond = rows[rows["iou_gap"].abs() > 2e-4]
    assert set(beyond["dataset"]) == {"crack500", "deepcrack", "gaps", "rissbilder"}
    row = rows[(rows["dataset"] == "cfd") & (rows["model"] == "unet")].iloc[0]
    assert row["dice_of_iou"] == pytest.approx(2 * 0.1562 / 1.1562)
    assert row["f1_of_pr"] == pytest.approx(2 * 0.8370 * 0.1611 / (0.8370 + 0.1611))
    assert row["iou_holds"]


def test_the_best_model_of_each_dataset():
    first = audit.winners().set_index("dataset")["first"]
    assert (first == "Context-CrackNet").sum() == 8
    assert first["eugen_miller"] == first["rissbilder"] == "UNetPlusPlus"


def test_table_7_against_measured_leaves_out_other_sizes():
    cost = {"image_size": 448, "encoder": "resnet50", "parameters": 24_300_000, "gflops": 89.6}
    table = audit.complexity({"pspnet": cost, "linknet": cost | {"image_size": 128}}).set_index("model")
    assert table.loc["pspnet", "params_m_ratio"] == pytest.approx(24.30 / 24.26)
    assert np.isnan(table.loc["linknet", "gflops_here"])


def test_table_7_judges_only_what_was_measured_as_published():
    keys = ["device", "threads", "gmacs", "latency_ms_p50", "latency_ms_p95", "images_per_s", "peak_memory_mb"]
    cost = dict.fromkeys(keys, 1.0) | {"image_size": 448, "encoder": "resnet50", "parameters": 24_262_000}
    costs = {"pspnet": cost | {"gflops": 1.0}, "linknet": cost | {"image_size": 128, "gflops": 1.0}}
    costs["fpn"] = cost | {"encoder": "resnet18", "gflops": 1.0}
    names = {"pspnet": "PSPNet", "linknet": "LinkNet", "fpn": "FPN", "pan": "PAN"}
    frame = table_7(costs, names, published("table_7")).frame
    assert frame["Reproduces"].tolist() == ["GFLOPs differ", "not comparable", "not comparable", "not measured"]
    assert frame["GFLOPs difference %"].notna().tolist() == [True, False, False, False]


def test_every_table_names_the_command_that_reproduces_it():
    for table in audit.tables({}):
        assert any("bench audit-paper" in note for note in table.notes)
        assert len(table.frame)
    ranks = audit.tables({})[2]
    assert any("critical difference: 4.28 ranks" in note for note in ranks.notes)
