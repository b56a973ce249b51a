"""The band of a repeated training is a prediction interval; the long form shows it with what stands behind a score."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.ranking.bands import band, bands_table
from bench.ranking.results import Results, read


def test_the_band_holds_95_percent_of_new_seeds() -> None:
    # mean 0.5, deviation 0.1 of three: t(0.975, 2) = 4.3027, times sqrt(1 + 1/3) = 4.9683
    low, high = band([0.4, 0.5, 0.6])
    assert (low, high) == pytest.approx((0.5 - 0.49683, 0.5 + 0.49683), abs=1e-4)
    assert band([0.5, 0.5, 0.5]) == pytest.approx((0.48, 0.52))


@pytest.fixture
def results(tmp_path: Path, write_grid: Any) -> Results:
    write_grid(tmp_path, datasets=["cfd", "gaps"], models=["unet", "fpn"], seeds=(0, 1))
    return read(tmp_path / "results", ["cfd", "gaps"], ["unet", "fpn"], [0, 1])


def test_each_model_and_dataset_has_a_row_with_band_and_hashes(results: Results) -> None:
    frame = bands_table(results).frame
    assert frame[["Model", "Dataset"]].to_numpy().tolist() == [
        ["UNet", "CFD"], ["UNet", "GAPs"], ["FPN", "CFD"], ["FPN", "GAPs"],
    ]  # fmt: skip
    row = frame.iloc[3]
    summary = results.summary.query(
        "metric == 'crack_iou' and average == 'pooled' and model == 'fpn' and dataset == 'gaps'"
    )
    assert row["Crack IoU"] == pytest.approx(summary["value"].mean())
    assert (row["Re-run, low"], row["Re-run, high"]) == pytest.approx(band(summary["value"].tolist()))
    cell = next(c for c in results.cells if (c["model"], c["dataset"]) == ("fpn", "gaps"))
    assert (row["Tier"], row["Seeds"], row["Protocol"]) == ("re-run", "0, 1", cell["protocol"])
    assert row["Data"] == cell["data"][:12]


def test_scored_predictions_have_no_band(results: Results) -> None:
    cells = [c | {"trained": "external"} if c["model"] == "fpn" else c for c in results.cells]
    frame = bands_table(replace(results, cells=cells)).frame.set_index("Model")
    assert set(frame.loc["FPN", "Tier"]) == {"re-scored"}
    assert frame.loc["FPN", "Re-run, low"].isna().all()
    assert frame.loc["UNet", "Re-run, low"].notna().all()
