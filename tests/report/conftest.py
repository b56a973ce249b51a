"""A workspace with predictions and gates on disk, from which the report can show source images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from bench.formats import cost, files, predictions, scores
from bench.stages.evaluate import score
from tests.fixtures import grid as grid_module

ROOT = Path(__file__).parents[2]
TRAIN = yaml.safe_load((ROOT / "params.yaml").read_text())["train"]


@pytest.fixture
def photographed(tmp_path):
    """Return a workspace of one dataset and two models with source images, predictions and gates."""
    data = grid_module.write_prepared(tmp_path / "prepared" / "cfd", "cfd", 0)
    tables, histograms, cells = {name: [] for name in scores.TABLES if name != "history"}, [], []
    for model, quality in (("context_cracknet", 0.9), ("manet", 0.3)):
        found, cell = grid_module.predict(data, quality, 0), {"dataset": "cfd", "model": model, "seed": 0}
        for item, levels in found.items():
            predictions.write_one(tmp_path / "runs" / "cfd" / model / "0" / "probabilities", item, levels)
        written, counts = score(data, lambda item, _, found=found: found[item], 4)
        histograms.append(counts)
        for name, table in written.items():
            tables[name].append(table.assign(**cell))
        cells.append(grid_module.record_of(data, model, 0, TRAIN))
        cost.write(tmp_path / "results" / "cost" / f"{model}.json", dict.fromkeys(cost.KEYS, 1.0) | {"model": model})
    for side in (2, 4, 8, 16):
        gate = np.full((side, side), 200, np.uint8)
        predictions.write_one(tmp_path / "runs" / "cfd" / "context_cracknet" / "0" / "gates" / str(side), "cfd_0", gate)
    frames = {name: pd.concat(parts) for name, parts in tables.items()} | {"histograms": np.concatenate(histograms)}
    made = scores.Scores(
        **frames, history=pd.DataFrame(columns=scores.HISTORY), cells=cells, card=data.card, missing=[]
    )
    scores.write(tmp_path / "results" / "scores" / "cfd", made)
    params = {"datasets": ["cfd"], "models": ["context_cracknet", "manet"], "seeds": [0]}
    files.write_text(tmp_path / "params.yaml", yaml.safe_dump(params))
    return tmp_path
