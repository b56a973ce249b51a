"""Every file in bench/metrics: its contract, the empty cases, and what holds for any counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import bench.metrics.counting as counting
from bench import plugins
from bench.formats import scores
from bench.metrics.histogram import histogram
from bench.ranking.derived import with_derived
from bench.ranking.summary import summarise
from tests.fixtures import averaging

REFERENCE = vars(averaging)
AVERAGES, average = REFERENCE["AVERAGES"], REFERENCE["average"]

NAMES = plugins.names("metrics")
MODULES = {name: plugins.load("metrics", name) for name in NAMES}
UNBOUNDED = {name for name in NAMES if name.endswith("_px")} - {"centreline_iou_4px"} | {"betti0_error"}
UNBOUNDED -= {f"{name}_{px}px" for name in ("f1", "precision", "recall") for px in (2, 5)}
FEW = settings(deadline=None, max_examples=25)
SMALL = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
PAIRS = SMALL.flatmap(lambda s: st.tuples(hnp.arrays(np.uint8, s), hnp.arrays(np.bool_, s)))


def every_value(*images):
    """Return (metric, average) -> value of one cell of these (levels, truth) pairs, in batches of two."""
    rows, curves = zip(*(counting.count_image(*pair) for pair in images), strict=True)
    f1 = [counting.f1_curve(c) for c, (_, true) in zip(curves, images, strict=True) if true.any()]
    cell = {"dataset": "cfd", "model": "unet", "seed": 0}
    curve = pd.DataFrame(sum(curves), columns=["tp", "fp", "fn"])
    curve = curve.assign(threshold=range(256), f1_mean=np.mean(f1, 0) if f1 else np.nan, **cell)
    table = pd.DataFrame(rows).assign(batch=[i // 2 for i in range(len(rows))], item="i", photo="p", **cell)
    batches = [sum(curves[i : i + 2]) for i in range(0, len(curves), 2)]
    of_batch = pd.DataFrame([{"batch": i} | counting.curve_metrics(c) for i, c in enumerate(batches)]).assign(**cell)
    histograms = np.array([histogram(*pair) for pair in images], np.uint32)
    return (
        summarise(*with_derived(table, curve, histograms), of_batch).set_index(["metric", "average"])["value"].to_dict()
    )


@pytest.mark.parametrize("name", NAMES)
def test_file_says_what_it_is(name):
    metric = plugins.load("metrics", name)
    known = {*scores.IMAGES, *scores.CURVES, *scores.DERIVED_IMAGES, *scores.DERIVED_CURVES}
    assert metric.NAME, f"bench/metrics/{name}.py needs NAME"
    assert isinstance(metric.HIGHER_IS_BETTER, bool), f"bench/metrics/{name}.py needs HIGHER_IS_BETTER"
    assert set(metric.INPUT.columns) <= known, f"bench/metrics/{name}.py: INPUT names columns that no score file has"
    assert set(metric.INPUT.averages) <= set(AVERAGES)
    for word in ("Return", "Range", "**Source:**", "nan", "better", ">>>"):
        assert word in metric.compute.__doc__, f"bench/metrics/{name}.py: the docstring of compute must say {word!r}"


@FEW
@given(PAIRS)
def test_every_metric_lies_in_its_range_or_is_undefined(pair):
    for (name, how), value in every_value(pair).items():
        assert np.isnan(value) or 0 <= value <= (np.inf if name in UNBOUNDED else 1 + 1e-12), (name, how)


@FEW
@given(PAIRS)
def test_masks_turned_around_give_the_same_numbers(pair):
    levels, true = pair
    turned = every_value((levels.T.copy(), true.T.copy()))
    skeletal = ("cl_dice", "centreline_iou_4px", "f1_matched")  # thinning depends on the orientation
    skeletal += ("centreline_iou_4px_thin", "f1_matched_thin")
    skeletal += ("length_error_px", "width_error_px", "width_max_error_px")
    same = {key: value for key, value in every_value(pair).items() if key[0] not in skeletal}
    for key, value in same.items():
        assert turned[key] == pytest.approx(value, nan_ok=True), key


@FEW
@given(PAIRS)
def test_identities(pair):
    value = every_value(pair)
    iou, dice = value["crack_iou", "pooled"], value["dice", "pooled"]
    assert dice == pytest.approx(2 * iou / (1 + iou), nan_ok=True)
    assert value["f1", "pooled"] == pytest.approx(dice, nan_ok=True)
    if not np.isnan(dice):
        assert value["f1_2px", "pooled"] >= dice - 1e-12
        assert value["f1_5px", "pooled"] >= value["f1_2px", "pooled"] - 1e-12
    if pair[1].any():
        assert value["ods", "pooled"] >= dice - 1e-12
        assert value["ois_image_mean", "image_mean"] == pytest.approx(value["ods", "pooled"])
        assert value["ois", "pooled"] == pytest.approx(value["ods", "pooled"])
        assert value["aiu_all_images", "image_mean"] == pytest.approx(value["aiu", "pooled"])
        assert value["miou_best", "image_mean"] >= np.nan_to_num(value["mean_iou", "pooled"]) - 1e-12
    for name in NAMES:
        if ("pooled" in MODULES[name].INPUT.averages) and (name, "image_mean") in value:
            assert value[name, "image_mean"] == pytest.approx(value[name, "pooled"], nan_ok=True), name


@pytest.mark.parametrize("shape", [(40, 50), (64, 64)])
def test_a_perfect_mask_is_perfect(shape):
    true = np.zeros(shape, bool)
    true[5:8, 4:30] = True
    for (name, how), value in every_value((np.where(true, 255, 0).astype(np.uint8), true)).items():
        if name == "expected_calibration_error":
            assert value == pytest.approx(0.5 / 256)
        elif name in UNBOUNDED:
            assert value == 0, name
        else:
            assert value == pytest.approx(1.0), (name, how)


NO_CRACK = np.zeros((20, 20), bool)
BLOB = np.pad(np.ones((4, 9), bool), ((8, 8), (5, 6)))


def test_nothing_predicted_where_there_is_crack_scores_zero_and_precision_is_undefined():
    value = every_value((np.zeros(BLOB.shape, np.uint8), BLOB))
    assert np.isnan(value["precision", "pooled"])
    for name in ("crack_iou", "dice", "recall", "f1_2px", "f1_5px", "cl_dice", "centreline_iou_4px", "boundary_iou"):
        assert value[name, "pooled"] == 0, name


def test_crack_predicted_where_there_is_none_scores_zero_and_recall_is_undefined():
    value = every_value((np.where(BLOB, 255, 0).astype(np.uint8), NO_CRACK))
    for name in ("crack_iou", "dice", "precision", "f1_2px", "f1_5px", "cl_dice", "centreline_iou_4px", "boundary_iou"):
        assert value[name, "pooled"] == 0, name
    for name in ("recall", "ods", "aiu", "average_precision"):
        assert np.isnan(value[name, "pooled"]), name


def test_nothing_where_there_is_nothing_is_undefined_but_for_the_background():
    value = every_value((np.zeros(NO_CRACK.shape, np.uint8), NO_CRACK))
    defined = {name for (name, _), v in value.items() if not np.isnan(v)}
    assert defined == {"accuracy", "specificity", "expected_calibration_error", "aiu_all_images", "miou_best"}


def test_three_averages_of_two_images_by_hand():
    first, second = np.zeros((20, 20), np.uint8), np.where(BLOB, 255, 0).astype(np.uint8)
    true = np.roll(BLOB, 2, axis=0)  # half of the blob's four rows overlap
    value = every_value((first, BLOB), (second, true), (second, BLOB))
    assert value["crack_iou", "pooled"] == pytest.approx((18 + 36) / (36 + 54 + 36))
    assert value["crack_iou", "image_mean"] == pytest.approx((0 + 18 / 54 + 1) / 3)
    assert value["crack_iou", "batch_mean"] == pytest.approx((18 / 90 + 1) / 2)
    assert value["ois_image_mean", "image_mean"] == pytest.approx((0 + 0.5 + 1) / 3)


def test_the_summary_of_many_cells_is_that_of_each_alone():
    rng = np.random.default_rng(0)
    counts = pd.DataFrame(rng.integers(1, 50, (24, 4)), columns=scores.COUNTS)
    table = pd.DataFrame(rng.uniform(0, 1, (24, len(scores.IMAGES))), columns=scores.IMAGES).assign(**counts)
    table = table.assign(dataset=["cfd", "gaps"] * 12, model="unet", seed=[0, 0, 1, 1] * 6, batch=range(24))
    table = table.assign(batch=table["batch"] // 8, item="i", photo="p")
    part = pd.DataFrame({"threshold": range(256), "tp": 5, "fp": 2, "fn": 1, "f1_mean": 0.5})
    curves = pd.concat([part.assign(dataset=d, model="unet", seed=s) for d in ("gaps", "cfd") for s in (1, 0)])
    found = summarise(table, curves, pd.DataFrame(columns=scores.BATCHES)).set_index(
        [*scores.CELL, "metric", "average"]
    )["value"]
    for (dataset, model, seed), rows in table.groupby(scores.CELL):
        for name in ("crack_iou", "mean_iou", "dice"):
            for how in AVERAGES:
                compute = plugins.load("metrics", name).compute
                expected = average(compute, rows[scores.COUNTS].to_numpy(float), rows["batch"].to_numpy(), how)
                assert found[dataset, model, seed, name, how] == pytest.approx(expected)
        assert found[dataset, model, seed, "ods", "pooled"] == pytest.approx(10 / 13)
