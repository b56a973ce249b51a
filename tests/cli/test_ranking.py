"""The commands that say where a model stands, as a user types them."""

import json
import re
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from bench.cli.main import main
from bench.formats import files, prepared
from bench.ranking.results import read
from bench.ranking.standings import Query, compute_standings

DATASETS = ["cfd", "deepcrack", "crack500", "gaps", "rissbilder", "volker"]
MODELS = {"fpn": 0.60, "unet": 0.75, "linknet": 0.70}


@pytest.fixture
def call(monkeypatch):
    def run(folder, *arguments, fails=False):
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(main, [str(a) for a in arguments])
        assert (result.exit_code != 0) == fails, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.output

    return run


FAST = ("--resamples", 300)


def test_the_leaderboard_orders_by_rank_with_intervals_cost_and_the_published_rows_unranked(workspace, call):
    folder = workspace(DATASETS, MODELS)
    table = json.loads(call(folder, "leaderboard", *FAST, "--format", "json"))
    (rows,) = table.values()
    ranked = [r for r in rows if r["Place"]]
    assert [(r["Place"], r["Model"]) for r in ranked] == [("1", "UNET"), ("2", "LINKNET"), ("3", "FPN")]
    assert all(r["Low"] <= r["Score"] <= r["High"] for r in ranked)
    assert [r["Latency ms"] for r in ranked] == [11.0, 12.0, 10.0]
    published = [r for r in rows if not r["Place"]]
    assert len(published) == 10
    assert all(r["Trained"] == "paper" and r["Low"] is None for r in published)


def test_published_rows_are_ranked_only_if_asked(workspace, call):
    folder = workspace(DATASETS, MODELS)
    (rows,) = json.loads(call(folder, "leaderboard", *FAST, "--rank-published", "--format", "json")).values()
    assert len(rows) == 13
    assert all(r["Place"] for r in rows)
    assert not any(r["Places, 95 %"] or r["P first"] is not None for r in rows)
    said = " ".join(call(folder, "leaderboard", *FAST, "--rank-published").split())
    assert "Friedman" not in said
    assert "Nothing was resampled or tested with them" in said
    assert "they are batch means, the others pooled" in said
    assert "batch means" not in call(folder, "leaderboard", *FAST, "--rank-published", "--average", "batch_mean")


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_the_leaderboard_is_the_same_text_every_time(workspace, call, form):
    folder = workspace(DATASETS[:2], MODELS, seeds=(0, 1))
    first, second = (call(folder, "leaderboard", *FAST, "--format", form) for _ in range(2))
    assert first == second
    assert "UNET" in first


def test_lower_is_better_where_it_is(workspace, call):
    folder = workspace(DATASETS[:3], MODELS)
    asked = ("--metric", "expected_calibration_error", *FAST, "--format", "json")
    (rows,) = json.loads(call(folder, "leaderboard", *asked)).values()
    values = [r["Score"] for r in rows]
    assert values == sorted(values)


def test_from_new_model_to_verdict_in_three_commands(workspace, call, write_predictions):
    folder = workspace(DATASETS, MODELS)
    for dataset in DATASETS:
        write_predictions(folder / "masks" / dataset, folder / "prepared" / dataset, 0.95)
        said = call(folder, "score", f"masks/{dataset}", "--dataset", dataset, "--model", "my_net")
        assert "6 items scored" in said
    said = call(folder, "compare", "my_net", *FAST)
    assert "Verdict: my_net is not distinguishable from UNET over datasets" in said  # 3 comparisons: p 0.094
    assert "6 wins, 0 ties, 0 losses." in said
    assert "94.9" in said  # coverage of an interval of three source images
    assert "Verdict: my_net is ahead of UNET" in call(folder, "compare", "my_net", "--against", "unet", *FAST)
    (rows,) = json.loads(call(folder, "leaderboard", *FAST, "--format", "json")).values()
    assert (rows[0]["Model"], rows[0]["Trained"]) == ("my_net", "external")
    places = json.loads(call(folder, "compare", "my_net", *FAST, "--format", "json").split("\n\nVerdict")[0])["places"]
    assert [(r["Model"], r["Trained"]) for r in places[:2]] == [("my_net", "external"), ("UNET", "here")]
    assert "External models, whose protocol" in call(folder, "check")


def test_scores_of_older_versions_count_as_external(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.95)
    call(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net")
    path = folder / "results" / "external" / "my_net" / "cfd" / "cells.json"
    content = files.read_json(path)
    assert [c["trained"] for c in content["cells"]] == ["external"]
    files.write_json(path, content | {"cells": [c | {"trained": "elsewhere"} for c in content["cells"]]})
    files.write_checksums(path.parent)
    (rows,) = json.loads(call(folder, "leaderboard", *FAST, "--format", "json")).values()
    assert {r["Model"]: r["Trained"] for r in rows if r["Place"]}["my_net"] == "external"


def test_the_same_predictions_under_another_name_are_not_distinguishable(workspace, call, write_predictions):
    folder = workspace(DATASETS, MODELS)
    for dataset in DATASETS:
        number = [DATASETS.index(dataset), 0, len("unet")]
        write_predictions(folder / "masks" / dataset, folder / "prepared" / dataset, MODELS["unet"], number)
        call(folder, "score", f"masks/{dataset}", "--dataset", dataset, "--model", "my_net")
    said = call(folder, "compare", "my_net", "--against", "unet", *FAST)
    assert "Verdict: my_net is not distinguishable from UNET on 6 datasets (mean difference +0.0000" in said


def test_few_datasets_claim_nothing_about_others(workspace, call):
    said = call(workspace(DATASETS[:2], MODELS), "compare", "unet", "--against", "fpn", *FAST)
    assert "too few datasets for a claim about others" in said


def test_scoring_names_what_is_missing_extra_and_of_the_wrong_size(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.9)
    (folder / "masks" / "cfd_0.png").rename(folder / "masks" / "other.png")
    np.save(folder / "masks" / "cfd_1.npy", np.zeros((8, 9)))
    (folder / "masks" / "cfd_1.png").unlink()
    said = call(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net", fails=True)
    for part in ("missing: cfd_0.png", "no test item: other.png", "not 32x32 px: cfd_1.npy (9x8 px)"):
        assert part in said


@pytest.mark.parametrize("kind", ["bool", "classes", "float", "sixteen"])
def test_masks_of_any_kind_score_the_same(workspace, call, kind):
    import cv2

    from bench.formats import prepared

    folder = workspace(["cfd"], MODELS)
    data = prepared.read(folder / "prepared" / "cfd")
    (folder / "masks").mkdir()
    for row in data.split("test"):
        mask, name = data.masks[row] > 0, data.items["item"].iloc[row]
        if kind == "bool":
            np.save(folder / "masks" / f"{name}.npy", mask[None])
        elif kind == "classes":
            cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask.astype(np.uint8))
        elif kind == "float":
            np.save(folder / "masks" / f"{name}.npy", mask * 0.99)
        else:
            cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask.astype(np.uint16) * 65535)
    assert "Dice 1.0000" in call(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net")


def test_logits_are_refused(workspace, call):
    folder = workspace(["cfd"], MODELS)
    (folder / "masks").mkdir()
    for i in range(6):
        np.save(folder / "masks" / f"cfd_{i}.npy", np.full((32, 32), -3.0))
    said = call(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net", fails=True)
    assert "after the sigmoid" in said


def test_a_model_that_declares_another_protocol_has_a_table_of_its_own(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["train"]["lr"] = 0.5
    files.write_text(folder / "other.yaml", yaml.safe_dump(params))
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.99)
    said = call(folder, "--params", "other.yaml", "score", "masks", "--dataset", "cfd", "--model", "my_net")
    assert "No run in results/scores/cfd follows its protocol" in said
    first, second = json.loads(call(folder, "leaderboard", *FAST, "--format", "json")).values()
    assert "my_net" not in [r["Model"] for r in first]
    assert [r["Model"] for r in second if r["Place"]] == ["my_net"]
    assert "no other model of the protocol" in call(folder, "compare", "my_net", *FAST, fails=True)


def score_nothing(folder, call, datasets, empty):
    """Score ``my_net`` on all datasets: half a crack, but nothing at all on one."""
    from bench.formats import prepared

    for dataset in datasets:
        data = prepared.read(folder / "prepared" / dataset)
        (folder / "masks" / dataset).mkdir(parents=True)
        for row in data.split("test"):
            mask = (data.masks[row] > 0) & (dataset != empty)
            np.save(folder / "masks" / dataset / f"{data.items['item'].iloc[row]}.npy", mask)
        call(folder, "score", f"masks/{dataset}", "--dataset", dataset, "--model", "my_net")


def test_a_model_whose_metric_is_undefined_somewhere_is_named_and_spoils_no_other(workspace, call):
    folder = workspace(DATASETS[:3], MODELS)
    asked = ("--metric", "precision", *FAST)
    before = call(folder, "leaderboard", *asked, "--format", "json")
    score_nothing(folder, call, DATASETS[:3], "cfd")
    assert call(folder, "leaderboard", *asked, "--format", "json") == before
    said = " ".join(call(folder, "leaderboard", *asked).split())
    assert "Left out, metric undefined: my_net (on CFD)." in said
    assert "No interval" not in said
    assert "precision of my_net is undefined on cfd" in call(folder, "compare", "my_net", *asked, fails=True)
    said = call(folder, "compare", "unet", *asked)
    assert "Left out, metric undefined: my_net (on CFD)." in said
    assert "Verdict: UNET is" in said


def test_a_single_source_image_gives_neither_interval_nor_winner(workspace, call):
    folder = workspace(DATASETS[:3], MODELS)
    for path in (folder / "results" / "scores" / "cfd").glob("*.csv"):
        frame = pd.read_csv(path)
        if "photo" in frame:
            files.write_csv(path, frame.assign(photo="p0"))
    files.write_checksums(folder / "results" / "scores" / "cfd")
    (rows,) = json.loads(call(folder, "leaderboard", *FAST, "--format", "json")).values()
    assert [r["Low"] for r in rows if r["Place"]] == [None, None, None]
    assert "a dataset has a single source image" in " ".join(call(folder, "leaderboard", *FAST).split())
    found = json.loads(call(folder, "compare", "unet", *FAST, "--format", "json").split("\n\nVerdict")[0])
    assert next((r["Dataset"], r["Outcome"]) for r in found["datasets"]) == ("CFD", "")
    assert "UNET and LINKNET cannot be compared" in call(folder, "compare", "unet", *FAST)


def test_scores_that_fit_nothing_are_named_and_block_no_ranking(workspace, call, write_predictions):
    folder = workspace(DATASETS[:2], MODELS)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["train"]["lr"] = 0.5
    files.write_text(folder / "other.yaml", yaml.safe_dump(params))
    for dataset in DATASETS[:2]:
        write_predictions(folder / "masks" / dataset, folder / "prepared" / dataset, 0.99)
    given = ("score", "masks/cfd", "--dataset", "cfd", "--model")
    call(folder, *given, "mixed_net")
    call(folder, "--params", "other.yaml", "score", "masks/deepcrack", "--dataset", "deepcrack", "--model", "mixed_net")
    call(folder, "--params", "other.yaml", *given, "half_net")
    (folder / "results" / "external" / "no_net" / "volker").mkdir(parents=True)
    said = " ".join(call(folder, "leaderboard", *FAST).split())
    for part in (
        "Left out: mixed_net declares several protocols",
        "Left out, no scores on some dataset: half_net.",
        "any score of no_net on these datasets is missing.",
    ):
        assert part in said
    assert re.search("1 [a-z]+ UNET", said)
    assert "Verdict" in call(folder, "compare", "unet", *FAST)
    said = call(folder, "check", fails=True)
    assert "FAIL  mixed_net declares several protocols; run `bench score` again" in said
    assert "1 findings" in said


def test_scores_of_data_prepared_anew_block_no_ranking(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.99)
    call(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net")
    path = folder / "results" / "external" / "my_net" / "cfd" / "cells.json"
    content = files.read_json(path)
    files.write_json(path, content | {"cells": [c | {"data": "0123456789abcdef"} for c in content["cells"]]})
    files.write_checksums(path.parent)
    assert "Left out: my_net was scored on a different version of cfd" in call(folder, "leaderboard", *FAST)
    said = call(folder, "check", fails=True)
    assert "run `bench score` again" in said
    assert "run this cell again" not in said


def test_scores_in_other_batches_than_the_runs_are_left_out(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    path = folder / "results" / "scores" / "cfd" / "cells.json"
    content = files.read_json(path)
    files.write_json(path, content | {"cells": [c | {"evaluation_batch": 5} for c in content["cells"]]})
    files.write_checksums(path.parent)
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.99)
    call(folder, "score", "masks", "--dataset", "cfd", "--model", "my_net")
    asked = ("leaderboard", "--average", "batch_mean", *FAST)
    said = call(folder, *asked)
    assert "Left out: my_net was scored in batches of 4 images, unlike the runs" in said
    assert "(batch mean of 5;" in said


def test_settings_that_are_not_there_or_misspelt_are_refused(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    files.write_text(folder / "odd.yaml", yaml.safe_dump(params | {"report": {"headline": "batchmean"}}))
    assert "report.headline = 'batchmean'" in call(folder, "--params", "odd.yaml", "leaderboard", *FAST, fails=True)
    files.write_text(folder / "odd.yaml", yaml.safe_dump({k: v for k, v in params.items() if k != "train"}))
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.99)
    given = ("score", "masks", "--dataset", "cfd", "--model", "my_net")
    assert "no section 'train'" in call(folder, "--params", "odd.yaml", *given, fails=True)
    files.write_text(folder / "odd.yaml", yaml.safe_dump(params | {"train": params["train"] | {"lrr": 1}}))
    assert "lrr" in call(folder, "--params", "odd.yaml", *given, fails=True)
    assert "No run" not in call(folder, *given)
    assert "nowhere" in call(folder, "check", "--reports", "nowhere", fails=True)
    assert "summary.csv is missing: no printed number was checked." in call(folder, "check")


def test_old_scores_that_cannot_be_read_are_reported_with_a_hint(workspace, call, write_predictions):
    folder = workspace(["cfd"], MODELS)
    write_predictions(folder / "masks", folder / "prepared" / "cfd", 0.99)
    given = ("score", "masks", "--dataset", "cfd", "--model", "my_net")
    call(folder, *given)
    target = folder / "results" / "external" / "my_net" / "cfd"
    (target / "histograms.npz").write_bytes(b"damaged")
    assert "delete results/external/my_net/cfd" in call(folder, *given, fails=True)
    shutil.rmtree(target)
    call(folder, *given)


def test_conventions_and_explain(workspace, call):
    folder = workspace(["cfd"], MODELS)
    said = call(folder, "conventions", "unet", "--dataset", "cfd")
    assert "Mean of" in said
    assert "cl_dice" in said
    assert "\n- No ods mean of images: " in call(
        folder, "conventions", "unet", "--dataset", "cfd", "--format", "markdown"
    )
    said = call(folder, "explain", "boundary_iou")
    for part in ("Source:", "Range 0 to 1", "nan where", "Higher is better", "Averages: pooled"):
        assert part in said
    assert "did you mean 'dice'" in call(folder, "explain", "dise", fails=True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("conventions", "unett", "--dataset", "cfd"), "no scores of unett; did you mean 'unet'?"),
        (
            ("conventions", "unet", "--dataset", "cdf"),
            "no scores of unet on cdf; did you mean 'cfd'? Valid names: cfd.",
        ),
        (("leaderboard", "--dataset", "cdf"), "no dataset 'cdf' in mine.yaml; did you mean 'cfd'?"),
        (("compare", "unett"), "no scores of unett; did you mean 'unet'?"),
        (("compare", "unet", "--against", "linket"), "cannot be compared with 'linket'; did you mean 'linknet'?"),
    ],
)
def test_a_name_typed_wrong_gets_the_likely_one(workspace, call, typed, said):
    folder = workspace(["cfd"], MODELS)
    (folder / "params.yaml").rename(folder / "mine.yaml")
    assert said in call(folder, "--params", "mine.yaml", *typed, fails=True)


def test_an_average_that_a_metric_does_not_have_is_refused(workspace, call):
    folder = workspace(["cfd"], MODELS)
    said = call(folder, "leaderboard", "--metric", "ods", "--average", "batch_mean", fails=True)
    assert "choose --average from pooled" in said


def test_datasets_with_source_images_in_common_are_named_and_count_once(workspace, call):
    folder = workspace(["cfd", "deepcrack", "forest", "gaps", "sylvie", "volker"], MODELS)
    note = "CFD, Forest and Sylvie have source images in common"
    assert note in " ".join(call(folder, "leaderboard", *FAST).split())
    for others in (("cfd", "gaps"), ("gaps",)):
        assert note not in call(folder, "leaderboard", *(word for d in others for word in ("--dataset", d)), *FAST)
    said = " ".join(call(folder, "compare", "unet", *FAST).split())
    assert note in said
    assert "these are too few datasets for a claim about others" in said  # four, not six


def test_a_dataset_named_twice_counts_once(workspace, call):
    folder = workspace(DATASETS[:2], MODELS)
    once, twice = (call(folder, "leaderboard", *FAST, *("--dataset", "cfd") * times) for times in (1, 2))
    assert once == twice


@pytest.mark.parametrize("name", ["UNet", "unet", "context-cracknet", "a b"])
def test_a_name_that_a_model_of_the_suite_has_is_refused(workspace, call, name):
    folder = workspace(["cfd"], MODELS)
    said = call(folder, "score", "masks", "--dataset", "cfd", "--model", name, fails=True)
    assert "that no model of this suite has" in said


@pytest.mark.parametrize("kind", ["float", "uint16"])
def test_almost_no_crack_is_not_taken_for_masks_of_0_and_1(workspace, call, kind):
    folder = workspace(["cfd"], MODELS)
    data = prepared.read(folder / "prepared" / "cfd")
    (folder / "maps").mkdir()
    for item in data.items["item"].iloc[data.split("test")]:
        low = np.full(data.masks.shape[1:], 0.006)
        if kind == "float":
            np.save(folder / "maps" / f"{item}.npy", low)
        else:
            cv2.imwrite(str(folder / "maps" / f"{item}.png"), (low * 65535).astype(np.uint16))
    call(folder, "score", "maps", "--dataset", "cfd", "--model", "low_net")
    images = pd.read_csv(folder / "results" / "external" / "low_net" / "cfd" / "images.csv")
    assert images["tp"].sum() == images["fp"].sum() == 0


def test_a_metric_that_one_seed_leaves_undefined_is_undefined(workspace, call):
    folder = workspace(["cfd"], MODELS, seeds=(0, 1))
    results = read(folder / "results", ["cfd"], list(MODELS), [0, 1])
    summary = results.summary
    one = (summary["model"] == "fpn") & (summary["seed"] == 1) & (summary["metric"] == "precision")
    summary.loc[one, "value"] = np.nan
    standings = compute_standings(results, Query("precision", "pooled", 100), ["cfd"], list(MODELS))
    assert np.isnan(standings.values[0]).tolist() == [True, False, False]


def test_conventions_that_give_a_printed_score_are_named(workspace, call):
    folder = workspace(["cfd"], MODELS)
    said = call(folder, "conventions", "unet", "--dataset", "cfd", "--target", "0.00001")
    assert "0.00001 is given by: none of" in said
    assert "DeepSegmentor" in said
    refused = call(folder, "conventions", "unet", "--dataset", "cfd", "--target", "78", fails=True)
    assert "--target is '78': give a score from 0 to 1 with the decimals as printed, such as 0.78." in refused


def test_the_leaderboard_leaves_out_images_with_known_faults(workspace, call, monkeypatch):
    import pandas as pd

    from bench.ranking import errata

    folder = workspace(["cfd"], MODELS)
    assert "Test images left out: none has a known fault." in call(folder, "leaderboard", "--without-errata")
    listed = pd.DataFrame([("cfd", "cfd_1")], columns=["dataset", "item"])
    monkeypatch.setattr(errata, "errata", lambda: listed)
    said = call(folder, "leaderboard", "--without-errata", "--resamples", "100")
    assert "Test images left out: 1 of CFD." in said
    assert "UNET" in said
