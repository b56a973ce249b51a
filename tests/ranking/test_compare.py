"""Comparing two models: the signs of differences, outcomes and places."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.ranking.compare import compare
from bench.ranking.results import Results, read
from bench.ranking.standings import Query, seed_note

QUALITIES = {"fpn": 0.5, "unet": 0.9, "pan": 0.7}
QUERY = Query("dice", "pooled", 200)


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    folder = workspace(["cfd", "gaps"], QUALITIES) / "results"
    return read(folder, ["cfd", "gaps"], list(QUALITIES), [0])


@pytest.mark.parametrize(("model", "other", "sign"), [("unet", "fpn", 1), ("fpn", "unet", -1)])
def test_a_positive_difference_means_that_the_first_is_better(
    results: Results, model: str, other: str, sign: int
) -> None:
    found = compare(results, QUERY, model, other, 0.01)
    frame = found.tables[0].frame
    assert (sign * frame["Difference"] > 0).all()
    assert frame["Difference"].tolist() == pytest.approx((frame[model.upper()] - frame[other.upper()]).tolist())
    assert set(frame["Outcome"]) == {"win" if sign > 0 else "loss"}
    assert frame["Coverage %"].tolist() == pytest.approx([94.9, 94.9])  # three source images each
    assert ("ahead of" if sign > 0 else "behind") in found.verdict


def test_no_outcome_is_claimed_from_fewer_images_than_were_simulated(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.ranking.verdict.COVERAGE", {4: 0.9})
    frame = compare(results, QUERY, "unet", "fpn", 0.01).tables[0].frame
    assert set(frame["Outcome"]) == {"few"}
    assert frame["Coverage %"].isna().all()


def test_without_a_rival_the_best_other_one_is_taken(results: Results) -> None:
    assert "PAN" in compare(results, QUERY, "unet", None, 0.01).verdict
    assert "UNET" in compare(results, QUERY, "fpn", None, 0.01).verdict


def test_pairs_are_corrected_for_their_number(results: Results) -> None:
    table = next(t for t in compare(results, QUERY, "unet", None, 0.01).tables if t.name == "pairs")
    assert table.frame["Raw p"].tolist() == [0.5, 0.5]  # two datasets
    assert table.frame["Holm p"].tolist() == [1, 1]
    probabilities = table.frame[["P worse", "P equal", "P better"]].sum(axis=1)
    assert probabilities.tolist() == pytest.approx([1, 1])


def test_models_without_scores_and_a_model_against_itself_are_refused(results: Results) -> None:
    with pytest.raises(UserError, match="unett"):
        compare(results, QUERY, "unett", None, 0.01)
    with pytest.raises(UserError, match="'unet'"):
        compare(results, QUERY, "unet", "unet", 0.01)


def test_a_claim_from_one_seed_says_that_it_is_about_trainings(workspace: Callable[..., Path]) -> None:
    folder = workspace(["cfd", "gaps"], QUALITIES, seeds=(0, 1)) / "results"
    two, one = (read(folder, ["cfd", "gaps"], list(QUALITIES), seeds) for seeds in ([0, 1], [0]))
    caveat = "With one seed of each model, intervals lack the variation between trainings"
    assert caveat in compare(one, QUERY, "unet", "fpn", 0.01).verdict
    pairs = [next(t for t in compare(r, QUERY, "unet", None, 0.01).tables if t.name == "pairs") for r in (one, two)]
    assert [caveat in " ".join(table.notes) for table in pairs] == [True, False]
    assert "With one seed" not in compare(two, QUERY, "unet", "fpn", 0.01).verdict
    assert seed_note(one, ["cfd"], ["unet", "fpn"]) != []
    mixed = replace(two, cells=[c for c in two.cells if (c["dataset"], c["model"], c["seed"]) != ("gaps", "pan", 1)])
    assert seed_note(mixed, ["cfd"], ["unet", "pan"]) == []
    assert seed_note(mixed, ["cfd", "gaps"], ["unet", "pan"])[0].startswith("With one seed of PAN, intervals lack")
