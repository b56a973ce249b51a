"""The results that params.yaml declares, and the external models that do not fit them."""

from collections.abc import Callable
from pathlib import Path

from bench.formats import files
from bench.ranking.of_params import default_average, read_declared
from bench.settings import load_params, section
from bench.tools.score import score_folder
from bench.training.settings import TrainSettings


def test_an_external_model_scored_on_other_data_is_left_out_and_named(
    workspace: Callable[..., Path], write_predictions: Callable[..., None]
) -> None:
    folder = workspace(["cfd"], {"unet": 0.6})
    params, results = load_params(folder / "params.yaml"), folder / "results"
    train = section(params, "train", TrainSettings)
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.9)
    for name in ("good", "old"):
        score_folder(folder / "masks", folder / "prepared" / "cfd", results, name, 0, train, 4)
    path = results / "external" / "old" / "cfd" / "cells.json"
    content = files.read_json(path)
    files.write_json(path, content | {"cells": [c | {"data": "0123456789abcdef"} for c in content["cells"]]})
    files.write_checksums(path.parent)
    content, left_out = read_declared(params, results)
    assert content.models == ["unet", "good"]
    assert list(left_out) == ["old"]
    assert "different version of cfd" in left_out["old"]
    every, none = read_declared(params, results, mixed=True)
    assert (every.models, none) == (["unet", "good", "old"], {})


def test_the_average_is_the_headline_where_the_metric_has_it() -> None:
    assert default_average("crack_iou", "pooled") == "pooled"
    assert default_average("ods", "image_mean") == "pooled"
