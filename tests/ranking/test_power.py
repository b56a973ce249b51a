"""Power: hand-computed differences, spread recovered from simulated results, too few cells."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench.errors import UserError
from bench.ranking.power import DATASETS, SEEDS, Spread, detectable, power_tables, spread
from bench.ranking.results import Results, read
from bench.ranking.standings import Query

QUERY = Query("crack_iou", "pooled", 300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_grid) -> Path:
    """Return results of three models on three datasets with three seeds."""
    made: Path = write_grid(tmp_path_factory.mktemp("power"), seeds=(0, 1, 2), tests=30)
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return read(
        folder / "results", ["cfd", "deepcrack", "gaps"], ["unet", "unetplusplus", "context_cracknet"], [0, 1, 2]
    )


def test_differences_by_hand() -> None:
    found = Spread(images=0.0004, seeds=0.0009, datasets=0.0025)
    both = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    assert detectable(found, 4, 3, over_datasets=False) == pytest.approx(both * np.sqrt(0.0007 / 4))
    t = stats.t.isf(0.025, 9) + stats.t.isf(0.2, 9)
    assert detectable(found, 10, 1, over_datasets=True) == pytest.approx(t * np.sqrt(0.0038 / 10 * np.pi / 3))
    assert np.isnan(detectable(found, 5, 1, over_datasets=True))


def test_a_simulated_test_has_the_stated_power() -> None:
    rng, found = np.random.default_rng(0), Spread(0.0004, 0.0, 0.0021)
    difference = detectable(found, 12, 1, over_datasets=True)
    drawn = rng.normal(difference, np.sqrt(0.0025), (2000, 12))
    assert (stats.wilcoxon(drawn, axis=1).pvalue < 0.05).mean() == pytest.approx(0.8, abs=0.05)


def test_the_spread_of_seeds_is_that_of_the_cells(results: Results) -> None:
    found = spread(results, QUERY)
    chosen = results.summary[(results.summary["metric"] == "crack_iou") & (results.summary["average"] == "pooled")]
    of_model = chosen.groupby(["model", "dataset"])["value"].var().groupby("model").mean().to_numpy()
    pairs = [of_model[i] + of_model[j] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found.seeds == pytest.approx(np.median(pairs))
    assert found.images > 0


def test_tables_name_what_a_wished_difference_needs(results: Results) -> None:
    images, datasets = power_tables(results, QUERY, 0.05)
    assert images.frame["Datasets"].tolist() == list(DATASETS)
    assert datasets.frame["Datasets"].min() == 6
    for table in (images, datasets):
        values = table.frame[[f"{s} seed{'s' * (s > 1)}" for s in SEEDS]].to_numpy()
        assert (np.diff(values, axis=0) < 0).all()
        assert (np.diff(values, axis=1) <= 0).all()
        assert "A difference of 0.05 needs" in table.notes[0]


def test_one_seed_is_refused(results: Results) -> None:
    one = replace(results, summary=results.summary[results.summary["seed"] == 0])
    with pytest.raises(UserError, match="two datasets, models and seeds, and these results have 3, 3 and 1"):
        spread(one, QUERY)


def test_the_command_prints_it(folder: Path) -> None:
    command = [sys.executable, "-m", "bench", "plan", "--power", "0.03"]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert "claim: new datasets" in shown
    assert "A difference of 0.03 needs" in shown
