"""Models that do not fit the results are named with the reason, and left out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.ranking.refused import refused, without
from bench.ranking.results import Results, read


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    return read(
        workspace(["cfd"], {"fpn": 0.6, "unet": 0.75}, seeds=(0, 1)) / "results", ["cfd"], ["fpn", "unet"], [0, 1]
    )


def marked(results: Results, model: str, **facts: Any) -> Results:
    return replace(results, cells=[c | facts if c["model"] == model else c for c in results.cells])


def test_a_model_can_be_taken_out(results: Results) -> None:
    left = without(results, {"fpn": "a reason"})
    assert left.models == ["unet"]
    for frame in (left.summary, left.images, left.curves):
        assert set(frame["model"]) == {"unet"}
    assert len(left.histograms) == len(left.images)


@pytest.mark.parametrize("trained", ["external", "entered"])
def test_entries_into_another_version_of_the_track_are_refused(results: Results, trained: str) -> None:
    track = replace(results, track_version=2)
    assert refused(track) == {}  # what the suite trained is the track itself
    assert refused(marked(track, "fpn", trained=trained, track_version=2)) == {}
    assert (
        "version 1 of the open track, these are results of version 2"
        in refused(marked(track, "fpn", trained=trained))["fpn"]
    )
    assert refused(marked(results, "fpn", trained=trained)) == {}  # no track, no version
