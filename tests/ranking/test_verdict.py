"""Verdicts: the claim, its scope, and the correction for a rival that was chosen by the same scores."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.ranking.standings import Standings, merged
from bench.ranking.verdict import COVERAGE, decide, differences, sentence

SETS = ["cfd", "gaps", "volker", "rissbilder", "crack500", "deepcrack", "cracktree200"]


def standings(
    difference: float, datasets: int, spread: float = 0.02, models: int = 2, higher: bool = True
) -> Standings:
    """Return standings in which the first model is ahead of all others by ``difference``."""
    rng = np.random.default_rng(0)
    values = np.full((datasets, models), 0.5) + rng.normal(0, 1e-4, (datasets, models))
    values[:, 0] += difference if higher else -difference
    draws = values + rng.normal(0, spread, (2000, datasets, models))
    ids = [f"m{i}" for i in range(models)]
    return Standings("p", SETS[:datasets], ids, values, draws, higher, np.full(datasets, 30))


@pytest.mark.parametrize("higher", [True, False])
def test_differences_are_positive_where_the_first_is_better(higher: bool) -> None:
    found = standings(0.1, 2, higher=higher)
    values, draws = differences(found, "m0", ["m1"])
    assert values.shape == (2, 1)
    assert draws.shape == (2000, 2, 1)
    assert (values > 0).all()
    assert (differences(found, "m1", ["m0"])[0] == -values).all()


def test_claims_and_scopes() -> None:
    few, many = standings(0.1, 3), standings(0.1, 7)
    assert [decide(few, *pair, [pair[1]]).claim for pair in (("m0", "m1"), ("m1", "m0"))] == ["ahead", "behind"]
    assert decide(few, "m0", "m1", ["m1"]).scope == "images"
    found = decide(many, "m0", "m1", ["m1"])
    assert (found.scope, found.p) == ("datasets", 2 / 2**7)
    assert "too few datasets" in sentence(decide(few, "m0", "m1", ["m1"]), few, ("A", "B"), 1)
    said = sentence(found, many, ("A", "B"), 1)
    assert said.startswith("Verdict: A is ahead of B (")
    assert said.endswith("Wilcoxon p 0.016).")  # a named rival: nothing is corrected
    assert decide(standings(0, 7), "m0", "m1", ["m1"]).claim == "none"


def test_a_rival_chosen_among_many_needs_a_larger_difference() -> None:
    found = standings(0.036, 3, models=10)
    others = found.models[1:]
    alone, among = decide(found, "m0", "m1", ["m1"]), decide(found, "m0", "m1", others)
    assert alone.difference == among.difference
    assert among.low < 0 < alone.low
    assert (alone.claim, among.claim) == ("ahead", "none")
    assert "95 % interval for 9 comparisons" in sentence(among, found, ("A", "B"), 9)


def test_many_comparisons_are_no_claim_over_datasets() -> None:
    """Seven datasets that all agree give p = 2 / 2**7, times nine comparisons."""
    found = standings(0.3, 7, models=10)
    verdict = decide(found, "m0", "m1", found.models[1:])
    assert verdict.p == pytest.approx(9 * 2 / 2**7)
    assert (verdict.claim, verdict.scope) == ("ahead", "images")
    said = sentence(verdict, found, ("A", "B"), 9)
    assert "(Wilcoxon p 0.14 after correction for 9 comparisons), though ahead of it on new source images" in said


def test_datasets_with_common_source_images_count_once_in_p() -> None:
    found = standings(0.1, 7)
    shared = Standings(
        "p", ["cfd", "forest", *SETS[1:6]], found.models, found.values, found.draws, True, found.source_images
    )
    verdict = decide(shared, "m0", "m1", ["m1"])
    assert verdict.p == 2 / 2**6
    assert merged(found.values, shared.datasets).shape == (6, 2)


def test_undefined_draws_are_no_verdict() -> None:
    found = standings(0.1, 2)
    found.draws[0, 0, 0] = np.nan
    verdict = decide(found, "m0", "m1", ["m1"])
    assert verdict.claim == "unknown"
    assert "cannot be compared" in sentence(verdict, found, ("A", "B"), 1)


def test_two_source_images_are_no_verdict() -> None:
    """Two that agree by chance, as with numbers of pieces, give an interval without width."""
    found = standings(0.1, 3, spread=0)
    few = replace(found, source_images=np.array([2, 2, 2]))
    verdict = decide(few, "m0", "m1", ["m1"])
    assert verdict.claim == "unknown"
    assert sentence(verdict, few, ("A", "B"), 1).endswith("or none has 3 of them.")
    assert decide(replace(found, source_images=np.array([2, 2, 3])), "m0", "m1", ["m1"]).claim == "ahead"


def test_stated_coverage_is_the_measured_one() -> None:
    measured = json.loads((Path(__file__).parents[2] / "benchmarks/verdicts.json").read_text())
    lowest: dict[int, float] = {}
    for row, values in measured["coverage_of_a_95_percent_interval"].items():
        images = int(row.split()[0])
        lowest[images] = min(values["now"], lowest.get(images, 1))
    assert lowest == COVERAGE
