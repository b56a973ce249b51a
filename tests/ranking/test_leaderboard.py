"""The leaderboard: order, places and published rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.ranking.leaderboard import leaderboards
from bench.ranking.results import Results, read
from bench.ranking.standings import Query

QUALITIES = {"fpn": 0.5, "unet": 0.9, "pan": 0.7}


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    folder = workspace(["cfd", "gaps"], QUALITIES) / "results"
    return read(folder, ["cfd", "gaps"], list(QUALITIES), [0])


def test_models_are_ordered_by_mean_rank_with_their_score_inside_its_interval(results: Results) -> None:
    (table,) = leaderboards(results, Query("dice", "pooled", 100), ["cfd", "gaps"], False)
    own = table.frame[table.frame["Trained"] != "paper"]
    assert own["Model"].tolist() == ["UNET", "PAN", "FPN"]
    assert own["Place"].tolist() == ["1", "2", "3"]
    assert own["Mean rank"].tolist() == [1, 2, 3]
    assert (own["Low"] <= own["Score"]).all()
    assert (own["Score"] <= own["High"]).all()


def test_the_score_is_the_mean_over_datasets(results: Results) -> None:
    (table,) = leaderboards(results, Query("dice", "pooled", 100), ["cfd", "gaps"], False)
    rows = results.summary[(results.summary["metric"] == "dice") & (results.summary["average"] == "pooled")]
    expected = rows[rows["model"] == "unet"]["value"].mean()
    scores = table.frame.set_index(["Model", "Trained"])["Score"]  # UNet's published row has the same name
    assert scores["UNET", "here"] == pytest.approx(expected)


def test_published_rows_have_a_place_only_where_they_are_ranked(results: Results) -> None:
    query = Query("dice", "pooled", 100)
    for rank_published in (False, True):
        (table,) = leaderboards(results, query, ["cfd", "gaps"], rank_published)
        paper = table.frame[table.frame["Trained"] == "paper"]
        assert len(paper) == 10
        assert (paper["Place"] != "").all() == rank_published


def test_an_unknown_metric_is_refused(results: Results) -> None:
    with pytest.raises(UserError, match="dicee"):
        leaderboards(results, Query("dicee", "pooled", 100), ["cfd"], False)


def test_models_that_differ_on_all_images_share_no_letter(results: Results) -> None:
    (table,) = leaderboards(results, Query("crack_iou", "pooled", 500), ["cfd", "gaps"], rank_published=False)
    measured = table.frame[table.frame["Trained"] == "here"]
    assert next(iter(measured["Group"])).startswith("a")
    assert (table.frame.loc[table.frame["Trained"] == "paper", "Group"] == "").all()
    assert any("share a letter" in note for note in table.notes)


def test_each_row_says_what_stands_behind_it(results: Results) -> None:
    (table,) = leaderboards(results, Query("crack_iou", "pooled", 200), ["cfd", "gaps"], rank_published=False)
    tiers = dict(zip(table.frame["Trained"], table.frame["Tier"], strict=True))
    assert tiers == {"here": "re-run", "paper": "claimed"}
