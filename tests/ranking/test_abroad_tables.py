"""Tables of models at home and abroad: rows, notes, the command, results that do not fit."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from bench.errors import UserError
from bench.ranking import results
from bench.ranking.abroad_tables import of_results, per_model, train_by_test


@pytest.fixture
def found(grid: Path) -> results.Results:
    params = yaml.safe_load((grid / "params.yaml").read_text())
    return results.read(grid / "results", params["datasets"], params["models"], params["seeds"])


def test_models_are_ordered_by_their_score_abroad(found: results.Results) -> None:
    abroad = of_results(found)
    assert abroad is not None
    table = per_model(abroad, found.names)
    frame = table.frame
    assert sorted(frame["Model"]) == sorted(found.names[m] for m in found.models)
    assert frame["Abroad"].is_monotonic_decreasing
    assert frame["Rank abroad"].tolist() == [1, 2, 3]
    assert frame["Drop"].to_numpy() == pytest.approx(frame["Home"] - frame["Abroad"])
    assert (frame["Low"] <= frame["Drop"]).all()
    assert (frame["Drop"] <= frame["High"]).all()
    assert (frame["Drop, blur"] > 0).all()
    assert set(table.digits) == set(frame) - {"Model"}
    assert frame["Alarms abroad %"].isna().all()  # no image is without crack
    others = len(abroad.datasets) - 1
    assert table.caption.endswith("tested on it and on the other." if others == 1 else f"on the other {others}.")


def test_at_home_values_are_the_pooled_scores(found: results.Results) -> None:
    abroad = of_results(found)
    assert abroad is not None
    summary = found.summary[(found.summary["metric"] == "crack_iou") & (found.summary["average"] == "pooled")]
    values = summary.pivot(index="model", columns="dataset", values="value").loc[abroad.models, abroad.datasets]
    assert np.diagonal(abroad.values, axis1=1, axis2=2) == pytest.approx(values.to_numpy())


def test_training_by_test_dataset(found: results.Results) -> None:
    abroad = of_results(found)
    assert abroad is not None
    table = train_by_test(abroad, found.names, "unet")
    assert table.name == "transfer_unet"
    values = table.frame[[found.names[d] for d in abroad.datasets]].to_numpy()
    assert values.tolist() == abroad.values[abroad.models.index("unet")].tolist()
    assert table.frame["Abroad"][0] == pytest.approx(values[0, 1:].mean())
    mean = train_by_test(abroad, found.names)
    assert mean.frame.iloc[0, 1] == pytest.approx(abroad.values[:, 0, 0].mean())


def test_a_dataset_that_was_not_transferred_is_named(found: results.Results) -> None:
    first, *others = found.datasets
    assert len(others) > 1
    abroad = of_results(replace(found, transfers={d: found.transfers[d] for d in others}))
    assert abroad is not None
    assert (abroad.datasets, abroad.absent) == (others, [first])
    assert per_model(abroad, found.names).notes[-1] == f"Left out, not transferred: {found.names[first]}."
    whole = of_results(found)
    assert whole is not None
    assert "not transferred" not in " ".join(per_model(whole, found.names).notes)


def test_images_left_out_and_models_left_out_are_named(found: results.Results) -> None:
    abroad = of_results(found)
    assert abroad is not None
    left_out = abroad.left_out.copy()
    left_out[0, 2] = 4
    changed = replace(abroad, left_out=left_out, incomplete=["unet"])
    notes = " ".join(per_model(changed, found.names).notes)
    assert f"{found.names['cfd']} to {found.names['gaps']}: 4 of 6." in notes
    assert f"no seed has a run on every dataset: {found.names['unet']}." in notes


def test_number_of_seeds_and_of_images_without_crack_is_said(found: results.Results) -> None:
    abroad = of_results(found)
    assert abroad is not None
    for seeds, caption, note in ((1, "one seed", "lacks the variation"), (3, "mean over 3 seeds", "and seeds.")):
        changed = replace(abroad, seeds=np.full(3, seeds), crackless=np.array([0, 2, 0]))
        table = per_model(changed, found.names)
        assert caption in table.caption
        assert note in table.notes[0]
        assert caption in train_by_test(changed, found.names).caption
        assert f"the images without crack: 2 of {found.names[abroad.datasets[1]]}." in table.notes[1]


def test_other_runs_than_those_scored_are_refused(found: results.Results) -> None:
    runs = [run | {"program": "another"} for run in found.transfers["gaps"].runs]
    found.transfers["gaps"] = replace(found.transfers["gaps"], runs=runs)
    with pytest.raises(UserError, match="transfer/gaps: unet/0 is not the run that was scored"):
        of_results(found)


def test_one_dataset_gives_no_table(found: results.Results) -> None:
    assert of_results(replace(found, transfers={"cfd": found.transfers["cfd"]})) is None


def test_the_command_prints_both_tables_and_refuses_other_metrics(grid: Path) -> None:
    command = [sys.executable, "-m", "bench", "leaderboard", "--abroad"]
    (grid / "params.yaml").touch()
    shown = subprocess.run(command, cwd=grid, capture_output=True, text=True, check=True).stdout
    assert "Models at home and abroad" in shown
    assert "Crack IoU by training and test dataset" in shown
    refused = subprocess.run([*command, "--metric", "dice"], cwd=grid, capture_output=True, text=True, check=False)
    assert refused.returncode
    assert "--metric does not apply to --abroad" in refused.stderr
