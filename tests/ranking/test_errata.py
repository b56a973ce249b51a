"""The list of known faults, and results without the test images that have one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench import plugins
from bench.errors import UserError
from bench.ranking import check, errata
from bench.ranking.results import Results, read

DATASETS, MODELS = ["cfd", "gaps"], ["fpn", "unet"]
LISTED = pd.DataFrame(
    [("cfd", "cfd_1"), ("cfd", "cfd_4"), ("cfd", "*"), ("gaps", "gaps_99"), ("forest", "forest_1")],
    columns=["dataset", "item"],
).assign(fault="a fault", found_by="somebody", source="a page")


@pytest.fixture
def results(workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Results:
    monkeypatch.setattr(errata, "errata", lambda: LISTED)
    folder = workspace(DATASETS, {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results"
    return read(folder, DATASETS, MODELS, [0, 1])


def test_each_fault_of_the_list_has_a_dataset_a_finder_and_a_source() -> None:
    listed = errata.errata()
    assert list(listed.columns) == ["dataset", "item", "fault", "found_by", "source"]
    assert (listed != "").all(axis=None)
    assert listed["fault"].str.len().max() <= 56, "a cell of the page's tables holds no more"
    assert set(listed["dataset"]) <= set(plugins.names("datasets"))
    assert not listed.duplicated(["dataset", "item", "fault"]).any()
    assert listed.equals(listed.sort_values(["dataset", "item"], kind="stable", ignore_index=True))
    root = Path(__file__).parents[2]
    assert all((root / source).is_file() for source in listed["source"])


def test_only_the_listed_test_images_are_left_out(results: Results) -> None:
    assert errata.tested(results)["item"].tolist() == ["cfd_1", "cfd_4"]
    less = errata.without_errata(results)
    assert len(results.images) - len(less.images) == 2 * 4  # of two models with two seeds
    assert not set(less.images.loc[less.images["dataset"] == "cfd", "item"]) & {"cfd_1", "cfd_4"}
    assert less.cards["cfd"]["test_images"] == results.cards["cfd"]["counts"]["test"] - 2
    assert check.findings(less) == []


def test_every_score_is_that_of_the_images_left(results: Results) -> None:
    less = errata.without_errata(results)
    summary = less.summary.set_index(["dataset", "model", "seed", "metric", "average"])["value"].sort_index()
    rows = less.images.query("dataset == 'cfd' and model == 'unet' and seed == 1")
    tp, fp, fn = rows[["tp", "fp", "fn"]].sum()
    assert summary["cfd", "unet", 1, "crack_iou", "pooled"] == pytest.approx(tp / (tp + fp + fn))
    assert summary["cfd", "unet", 1, "aiu", "image_mean"] == pytest.approx(rows["aiu"].mean())
    counts = less.curves.query("dataset == 'cfd' and model == 'unet' and seed == 1 and threshold > 0")
    best = (2 * counts["tp"] / (2 * counts["tp"] + counts["fp"] + counts["fn"])).max()
    assert summary["cfd", "unet", 1, "ods", "pooled"] == pytest.approx(best)
    before = results.summary.set_index(["dataset", "model", "seed", "metric", "average"])["value"].sort_index()
    assert summary.index.equals(before.index)
    pd.testing.assert_series_equal(summary.loc["gaps"], before.loc["gaps"])


def test_computing_the_curves_again_gives_what_evaluate_wrote(results: Results) -> None:
    summary, curves = errata._again(results.images, results.histograms)
    keys = ["dataset", "model", "seed", "metric", "average"]
    pd.testing.assert_frame_equal(
        summary.sort_values(keys, ignore_index=True), results.summary.sort_values(keys, ignore_index=True)
    )
    keys = ["dataset", "model", "seed", "threshold"]
    expected = results.curves.sort_values(keys, ignore_index=True)
    found = curves.sort_values(keys, ignore_index=True)[list(expected.columns)]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_without_histograms_nothing_is_left_out_silently(results: Results) -> None:
    empty = replace(results, histograms=np.zeros_like(results.histograms))
    with pytest.raises(UserError, match="the scores of cfd have no histograms"):
        errata.without_errata(empty)


def test_the_tables_list_faults_and_scores(results: Results) -> None:
    listed = errata.errata_table(results).frame
    assert listed["Item"].tolist() == ["cfd_1", "cfd_4", "all", "gaps_99"]
    assert listed["Test image"].tolist() == ["yes", "yes", "", ""]
    table = errata.scores_without(results, "pooled")
    assert table is not None
    row = table.frame.set_index("Model").loc["UNET"]
    assert row["Listed"] == 2
    assert row["Difference"] == pytest.approx(row["Without"] - row["With"])
    assert row["Place with"] == 1
    assert set(table.frame["Dataset"]) == {"CFD"}


def test_without_listed_test_images_the_results_are_the_same(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errata, "errata", lambda: LISTED[LISTED["item"] == "*"])
    assert errata.without_errata(results) is results
    assert errata.scores_without(results, "pooled") is None
