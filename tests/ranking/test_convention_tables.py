"""Tables of conventions: scores, places, the target, and the order of models."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.ranking.convention_tables import _gives, all_conventions, conventions
from bench.ranking.conventions import CONVENTIONS, by_convention
from bench.ranking.results import Results, read


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Results:
    folder = workspace(["cfd", "gaps"], {"fpn": 0.6, "unet": 0.75, "pan": 0.4}) / "results"
    return read(folder, ["cfd", "gaps"], ["fpn", "unet", "pan"], [0])


def test_the_conventions_that_give_a_printed_score_are_named(results: Results) -> None:
    scores = by_convention(results).set_index(["dataset", "model"]).loc[("cfd", "unet")]
    target = f"{scores['ods']:.2f}"
    table = conventions(results, "unet", "cfd", target)[0]
    for name, marked, score in zip(CONVENTIONS, table.frame["Gives target"], scores, strict=True):
        assert (marked == "yes") == (abs(score - float(target)) <= 0.005), name
        assert (CONVENTIONS[name].name in table.caption) == (marked == "yes")
    assert "Gives target" not in conventions(results, "unet", "cfd", None)[0].frame
    assert "none of them" in conventions(results, "unet", "cfd", "0.00001")[0].caption


@given(st.floats(0, 1), st.integers(1, 6))
def test_a_score_gives_what_it_rounds_to(score: float, digits: int) -> None:
    assert _gives(score, Decimal(f"{score:.{digits}f}"))
    assert not _gives(score + 2 * 10**-digits, Decimal(f"{score:.{digits}f}"))


@pytest.mark.parametrize("target", ["78", "-0.1", "1", "0.", "good", "NaN", ""])
def test_a_target_that_is_no_share_is_refused(results: Results, target: str) -> None:
    with pytest.raises(UserError, match=f"--target is '{target}': give a score from 0 to 1"):
        conventions(results, "unet", "cfd", target)


def test_places_follow_the_scores(results: Results) -> None:
    first, places, every = conventions(results, "fpn", "cfd", None)
    scores = by_convention(results).query("dataset == 'cfd'").set_index("model")
    for row, name in enumerate(CONVENTIONS):
        assert places.frame.loc[row, "FPN"] == str(1 + (scores[name] > scores.loc["fpn", name]).sum())
        assert first.frame.loc[row, "Place"] == places.frame.loc[row, "FPN"]
        assert first.frame.loc[row, "First"] == scores[name].idxmax().upper()
    assert first.frame.loc[0, "Tau"] == 1
    assert "Spread" in every.frame


def test_one_model_has_no_places_table_and_no_tau(workspace: Callable[..., Path]) -> None:
    folder = workspace(["cfd"], {"unet": 0.6}) / "results"
    tables = conventions(read(folder, ["cfd"], ["unet"], [0]), "unet", "cfd", None)
    assert len(tables) == 2
    assert tables[0].frame["Tau"].isna().all()


def test_the_report_shows_means_over_datasets_of_models_that_have_all(results: Results) -> None:
    table = all_conventions(results, ["cfd", "gaps"], ["fpn", "unet", "linknet"])
    assert table is not None
    scores = by_convention(results).groupby("model")["f1_pooled"].mean()
    row = table.frame.iloc[list(CONVENTIONS).index("f1_pooled")]
    assert row["UNET"] == pytest.approx(scores["unet"])
    assert "LinkNet" not in table.frame
    assert np.isfinite(row["Tau"])
    assert all_conventions(results, ["cfd"], ["linknet"]) is None
