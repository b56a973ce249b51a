"""Tables 3 to 6 with some of the paper's models: what is marked as best and second best."""

import pytest

from bench.paper import published
from bench.render.score_tables import ABLATION_DATASET, segmentation_tables, table_6

IOU = "Crack IoU (printed: mIoU)"
NAMES = {"cfd": "CFD", "forest": "Forest"} | {m: m for m in ("pspnet", "unet", "unetplusplus", "my_net")}


def shown(models, measured=None):
    """Return (dataset, model) -> mark, of the published and of the measured crack IoU."""
    table, *_ = segmentation_tables(measured or {}, "pooled", NAMES, models, [], published("tables_3_4_5"), False)
    keys = [*table.frame[["Dataset", "Model"]].itertuples(index=False, name=None)]
    return tuple(
        {keys[row]: mark for (row, title), mark in table.marks.items() if title == f"{IOU}, {kind}"}
        for kind in ("published", "measured")
    )


def test_published_values_are_marked_among_all_rows_of_the_paper():
    assert shown(["pspnet", "unet"])[0] == {}  # 8th and in the middle of ten
    assert shown(["pspnet", "unetplusplus"])[0][("CFD", "unetplusplus")] == "second"  # behind the one not declared


def test_measured_values_are_marked_among_what_was_measured():
    measured = {("cfd", m): {"crack_iou": (v, v, v)} for m, v in (("pspnet", 0.5), ("unet", 0.4), ("my_net", 0.6))}
    found = shown(["unet", "pspnet", "my_net"], measured)[1]
    assert found == {("CFD", "my_net"): "best", ("CFD", "pspnet"): "second"}


@pytest.mark.parametrize("column", ["miou", "dice", "recall", "precision"])
def test_the_ablation_marks_the_highest_published_row(column):
    printed = published("table_6")
    table = table_6({}, "pooled", {ABLATION_DATASET: "GAPs"}, printed, False)
    titles = {"miou": IOU, "dice": "Dice", "recall": "Recall", "precision": "Precision"}
    best = [row for (row, title), m in table.marks.items() if (title, m) == (f"{titles[column]}, published", "best")]
    highest = printed.loc[printed[column] == printed[column].max(), "printed"]
    assert table.frame["Configuration"].iloc[best].tolist() == highest.tolist()


@pytest.mark.parametrize("measured", [0.6, 0.5])
def test_the_difference_is_measured_minus_published(measured):
    paper = published("tables_3_4_5").set_index(["dataset", "model"]).loc[("cfd", "unet"), "miou"]
    cells = {("cfd", "unet"): {"crack_iou": (measured, measured, measured)}}
    table, *_ = segmentation_tables(cells, "pooled", NAMES, ["unet"], [], published("tables_3_4_5"), False)
    row = table.frame.set_index(["Dataset", "Model"]).loc[("CFD", "unet")]
    assert row[f"{IOU}, difference"] == pytest.approx(measured - paper)
    assert (row[f"{IOU}, published"], row[f"{IOU}, measured"]) == (paper, measured)


def test_the_ablation_has_the_same_sign():
    printed = published("table_6")
    first = printed.iloc[0]
    cells = {(ABLATION_DATASET, first["model"]): {"dice": (0.9, 0.8, 1.0)}}
    row = table_6(cells, "pooled", {ABLATION_DATASET: "GAPs"}, printed, False).frame.iloc[0]
    assert row["Dice, difference"] == pytest.approx(0.9 - first["dice"])
    assert first["dice"] < 0.9


def test_synthetic_data_have_no_difference():
    cells = {("cfd", "unet"): {"crack_iou": (0.6, 0.5, 0.7)}}
    table, *_ = segmentation_tables(cells, "pooled", NAMES, ["unet"], [], published("tables_3_4_5"), True)
    assert table.frame[f"{IOU}, difference"].isna().all()
