"""Why one number is not another, on the committed results of the open track and of an experiment."""

from pathlib import Path

import pandas as pd
import pytest

from bench.ranking.sides import pairs, read_sides
from bench.ranking.why import Why, sentence, tables, why, widest

RESULTS = Path(__file__).parents[2] / "results"


def explained(a: str, b: str) -> list[Why]:
    return [why(x, y) for x, y in pairs(read_sides(f"{RESULTS}/{a}"), read_sides(f"{RESULTS}/{b}"))]


def test_from_scratch_the_weights_are_the_first_difference() -> None:
    (one,) = explained("open:cfd_native/unet", "open/scratch")
    assert [str(found) for found in one.found] == ["settings: weights", "seeds"]
    assert one.within == "no"
    assert one.gap.value > one.gap.spread > 0
    said = sentence(one, "crack_iou")
    assert "0.4968 against 0.3415, a gap of +0.1553, beyond the spread of the seeds" in said
    assert said.endswith("First difference, settings: weights: imagenet against None.")


def test_two_seeds_differ_in_the_seed_alone_and_their_spread_is_unknown() -> None:
    (one,) = explained("open:cfd_native/unet/0", "open:cfd_native/unet/1")
    assert [str(found) for found in one.found] == ["seeds"]
    assert one.within == "unknown"
    assert "whether seeds explain it is unknown" in sentence(one, "crack_iou")


def test_a_score_is_itself() -> None:
    (one,) = explained("open:uav75/unet", "open:uav75/unet")
    assert sentence(one, "crack_iou").endswith("a gap of +0.0000, none at all. Nothing that is recorded differs.")
    gaps, found, images = tables([one], "crack_iou")
    assert gaps.frame.loc[0, "First difference"] == "none recorded"
    assert found.frame.empty
    assert images.frame.empty


def test_two_protocols_on_two_preparations_of_a_dataset() -> None:
    (one,) = explained("open:cfd_native/unet", "experiments/cpu_128px:cfd/unet")
    kinds = list(dict.fromkeys(found.kind for found in one.found))
    assert kinds == ["dataset", "data", "split", "preparation", "settings", "seeds", "library", "hardware", "program"]
    images = tables([one], "crack_iou", most=48)[2]
    assert images.notes[1:] == ["24 images are in A only.", "24 images are in B only."]
    assert images.frame["Part of the gap"].sum() == pytest.approx(one.gap.value)


def test_all_cells_of_two_folders_and_the_largest_gap() -> None:
    found = explained("open:*/unet", "open/scratch")
    gaps = tables(found, "crack_iou")[0].frame
    assert len(gaps) == 9
    assert gaps["Gap"].abs().is_monotonic_decreasing
    assert widest(found).gap.value == gaps["Gap"].iloc[0]


def test_the_scores_are_those_of_the_summary() -> None:
    from bench.ranking.results import read

    summary = read(RESULTS / "open", ["uav75"], ["unet", "fpn"], [0, 1, 2]).summary
    (one,) = explained("open:uav75/unet", "open:uav75/fpn")
    rows = summary[(summary["metric"] == "crack_iou") & (summary["average"] == "pooled")]
    for model, values in (("unet", one.gap.a), ("fpn", one.gap.b)):
        expected: pd.Series = rows.loc[rows["model"] == model, "value"]
        assert values.tolist() == pytest.approx(expected.tolist())
