"""The share of test images seen and the score on the others, by hand; ranks do not change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.ranking.leaderboard import leaderboards
from bench.ranking.results import Results, read
from bench.ranking.seen import seen_table
from bench.ranking.standings import Query


@pytest.fixture
def results(tmp_path: Path, write_grid: Any) -> Results:
    write_grid(tmp_path, datasets=["cfd"], models=["unet", "fpn"], seeds=(0, 1))
    return read(tmp_path / "results", ["cfd"], ["unet", "fpn"], [0, 1])


def stated(results: Results, model: str, **seen: Any) -> Results:
    facts = {"seen": {"sets": {}, "folder_images": None, "photos": []} | seen}
    return replace(results, cells=[c | facts if c["model"] == model else c for c in results.cells])


def test_share_and_score_of_the_unseen_images(results: Results) -> None:
    photos = sorted(set(results.images["photo"]))
    table = seen_table(stated(results, "fpn", sets={"crack500": 296}, photos=photos[:1]))
    (row,) = table.frame.to_dict("records")
    images = results.images[(results.images["model"] == "fpn")]
    unseen = images[images["photo"] != photos[0]]
    ious = [
        r["tp"] / (r["tp"] + r["fp"] + r["fn"]) for _, r in unseen.groupby("seed")[["tp", "fp", "fn"]].sum().iterrows()
    ]
    assert (row["Model"], row["Dataset"], row["Stated"]) == ("FPN", "CFD", "crack500")
    assert row["Test images"] == images["item"].nunique()
    assert row["Share"] == pytest.approx(1 - unseen["item"].nunique() / images["item"].nunique())
    assert row["Crack IoU, unseen"] == pytest.approx(sum(ious) / 2)
    notes = " ".join(table.notes)
    assert "The index knows 296 of the 3,363 images of crack500" in notes
    assert "on the training images of the protocol alone: UNet." in notes


def test_all_seen_leaves_no_score_and_nothing_seen_leaves_it_as_it_is(results: Results) -> None:
    every = seen_table(stated(results, "fpn", photos=sorted(set(results.images["photo"])), folder_images=7)).frame
    assert (every["Share"].iloc[0], every["Stated"].iloc[0]) == (1, "7 own images")
    assert every["Crack IoU, unseen"].isna().all()
    none = seen_table(stated(results, "fpn")).frame.iloc[0]
    assert (none["Stated"], none["Seen images"]) == ("none", 0)
    assert none["Crack IoU"] == none["Crack IoU, unseen"]
    assert seen_table(results).frame.empty


def test_saying_so_costs_nothing_in_the_ranking(results: Results) -> None:
    query = Query("crack_iou", "pooled", 100)
    said = stated(results, "fpn", sets={"ceramic": 100}, photos=sorted(set(results.images["photo"])))
    (before,), (after,) = (leaderboards(r, query, ["cfd"], rank_published=False) for r in (results, said))
    assert before.frame.equals(after.frame)
    assert "Trained on some of the test images: FPN (`bench leaderboard --seen`)." in after.notes
    assert not [note for note in before.notes if "--seen" in note]
    external = replace(said, cells=[c | {"trained": "external"} if c["model"] == "unet" else c for c in said.cells])
    assert "Not stated, so that anything may have been seen: UNet." in seen_table(external).notes
