"""Report: hand-checked tables from a tiny results folder, warnings everywhere, the same bytes each time."""

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bench.errors import UserError
from bench.formats import cost, files, scores
from bench.results import read
from bench.stages import report as report_stage
from bench.stages.report import Settings, run

DATASETS, MODELS, SEEDS = ["cfd", "volker"], ["unet", "context_cracknet"], [0]
SAMPLE = "SAMPLE: synthetic data, made to try the pipeline. Not a result."

NAMES = {"unet": "UNet", "pan": "PAN", "context_cracknet": "Context-CrackNet"}

# tp, fp, fn, tn of each test image; batches of 2
COUNTS = {
    ("cfd", "unet"): [(30, 10, 20, 940), (10, 10, 0, 980), (0, 0, 0, 1000), (25, 50, 25, 900)],
    ("cfd", "context_cracknet"): [(50, 0, 0, 950), (10, 0, 0, 990), (0, 5, 0, 995), (40, 10, 10, 940)],
    ("cfd", "pan"): [(1, 1, 1, 997)],
    ("volker", "unet"): [(1, 1, 2, 996), (0, 0, 0, 1000)],
    ("volker", "context_cracknet"): [(2, 0, 1, 997), (0, 0, 0, 1000)],
}
# by hand: batches of cfd/unet are (40, 20, 20) and (25, 50, 25), all of it (65, 70, 45)
POOLED = {"Crack IoU": 65 / 180, "Dice": 130 / 245, "Recall": 65 / 110, "Precision": 65 / 135}
BATCH_MEAN = {
    "Crack IoU": (40 / 80 + 25 / 100) / 2,
    "Dice": (80 / 120 + 50 / 125) / 2,
    "Recall": (40 / 60 + 25 / 50) / 2,
    "Precision": (40 / 60 + 25 / 75) / 2,
}
IMAGE_MEAN = {
    "Crack IoU": (30 / 60 + 10 / 20 + 25 / 100) / 3,
    "Dice": (60 / 90 + 20 / 30 + 50 / 125) / 3,
    "Recall": (30 / 50 + 1 + 25 / 50) / 3,
    "Precision": (30 / 40 + 10 / 20 + 25 / 75) / 3,
}
PUBLISHED = {"Crack IoU": 0.1562, "Dice": 0.2703, "Recall": 0.8370, "Precision": 0.1611}  # CFD, Unet in Table 3
TITLES = {"Crack IoU": "Crack IoU (printed: mIoU)", "Dice": "Dice", "Recall": "Recall", "Precision": "Precision"}

Make = Callable[..., Any]


@pytest.fixture
def figures() -> None:
    """Ask for real figures; the other tests do without, since they take a second each."""


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "figures" not in request.fixturenames:
        monkeypatch.setattr(report_stage.figures, "figure_6", lambda *_: Figure(figsize=(1, 1)))


@pytest.fixture
def write_scores(tmp_path: Path, score_rows: Make, run_record: Make, history: pd.DataFrame) -> Callable[..., Path]:
    """Return a function that writes the scores of a dataset."""

    def write(
        dataset: str,
        models: Sequence[str] = MODELS,
        seeds: Sequence[int] = (0,),
        source: str = "collection",
        **record: Any,
    ) -> Path:
        cells = [(model, seed) for model in models for seed in seeds]
        images = [score_rows(dataset, m, s, COUNTS[dataset, m], batch=2) for m, s in cells]
        curve = pd.DataFrame({"threshold": range(256), "tp": 1, "fp": 1, "fn": 1, "f1_mean": 0.5})
        card = {
            "dataset": dataset,
            "content": f"content of {dataset}",
            "classes": 1,
            "origin": {"source": source},
            "counts": {"train": 16, "validation": 0, "test": 4},
            "settings": {"image_size": 448},
            "measured": {"photographs": 20, "crack_share": 0.0161, "native_size": "480x320"},
        }
        folder = tmp_path / "results" / "scores" / dataset
        records = [
            run_record(dataset=dataset, model=m, seed=s, source=source, model_name=NAMES[m]) | record for m, s in cells
        ]
        scores.write(
            folder,
            scores.Scores(
                pd.concat(images, ignore_index=True),
                pd.concat([curve.assign(dataset=dataset, model=m, seed=s) for m, s in cells], ignore_index=True),
                pd.concat([history.assign(dataset=dataset, model=m, seed=s) for m, s in cells], ignore_index=True),
                records,
                card,
                [],
            ),
        )
        return folder

    return write


@pytest.fixture
def results(tmp_path: Path, write_scores: Make, cost_record: Make) -> Path:
    """Return a complete results folder."""
    for dataset in DATASETS:
        write_scores(dataset)
    for model in MODELS:
        record = cost_record(model=model, parameters=32_521_105 if model == "unet" else 1, gflops=65.9, gmacs=32.95)
        cost.write(tmp_path / "results" / "cost" / f"{model}.json", record)
    return tmp_path / "results"


def report(
    folder: Path,
    headline: str = "pooled",
    datasets: Sequence[str] = DATASETS,
    models: Sequence[str] = MODELS,
    seeds: Sequence[int] = SEEDS,
    target: str = "reports",
) -> Path:
    run(folder, folder.with_name(target), datasets, models, seeds, Settings(headline))  # type: ignore[arg-type]
    return folder.with_name(target)


def table(reports: Path, name: str) -> list[dict[str, str]]:
    with (reports / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row(rows: list[dict[str, str]], **wanted: str) -> dict[str, str]:
    found = [r for r in rows if all(r[key] == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, rows)
    return found[0]


@pytest.mark.parametrize(
    ("headline", "expected"), [("pooled", POOLED), ("batch_mean", BATCH_MEAN), ("image_mean", IMAGE_MEAN)]
)
def test_a_row_of_table_3_by_hand(results: Path, headline: str, expected: dict[str, float]) -> None:
    found = row(table(report(results, headline), "table3"), Dataset="CFD", Model="UNet")
    for metric, value in expected.items():
        title = TITLES[metric]
        assert found[f"{title}, published"] == f"{PUBLISHED[metric]:.4f}"
        assert found[f"{title}, measured"] == f"{value:.4f}"
        assert found[f"{title}, difference"] == f"{value - PUBLISHED[metric]:.4f}"


def test_all_numbers_of_the_paper_stand_beside_ours(results: Path) -> None:
    reports = report(results)
    assert [r["Dataset"] for r in table(reports, "table3")] == ["CFD", "CFD"]
    assert [r["Dataset"] for r in table(reports, "table5")] == ["Volker", "Volker"]
    assert not (reports / "tables" / "table4.csv").exists()  # none of its datasets is in the list
    found = row(table(reports, "table5"), Dataset="Volker", Model="UNet")
    assert found["Recall, published"] == "0.8574"
    assert found["Recall, measured"] == "0.3333"
    assert found["Recall, difference"] == "-0.5241"


def test_the_tables_show_the_mean_over_seeds(tmp_path: Path, write_scores: Make) -> None:
    folder = write_scores("cfd", seeds=(0, 1))
    frame = files.read_csv(folder / "images.csv", scores.IMAGES, text=["item", "photo"])
    frame.loc[(frame["seed"] == 1) & (frame["model"] == "unet"), ["tp", "fp", "fn"]] = (5, 5, 0)
    files.write_csv(folder / "images.csv", frame)
    both = row(table(report(tmp_path / "results", seeds=[0, 1]), "table3"), Dataset="CFD", Model="UNet")
    assert both["Crack IoU (printed: mIoU), measured"] == f"{(65 / 180 + 20 / 40) / 2:.4f}"
    one = row(table(report(tmp_path / "results", seeds=[1]), "table3"), Dataset="CFD", Model="UNet")
    assert one["Crack IoU (printed: mIoU), measured"] == "0.5000"


def test_table_1_shows_published_beside_measured(results: Path) -> None:
    found = row(table(report(results, datasets=[*DATASETS, "gaps"]), "table1"), Dataset="CFD")
    assert found["Crack type"] == "Road crack"
    assert found["Pairs, published"] == "118"
    assert found["Pairs, here"] == "20"
    assert found["Train / validation / test"] == "16 / 0 / 4"
    assert found["Crack share %, published"] == "1.617"
    assert found["Crack share %, here"] == "1.610"
    assert found["Source"] == "collection"
    assert found["Licence"] == '"for non-commercial research purposes only"'
    lacking = row(table(report(results, datasets=[*DATASETS, "gaps"]), "table1"), Dataset="GAPs")
    assert lacking["Train / validation / test"] == "not prepared"
    assert lacking["Crack share %, here"] == ""


def test_table_2_says_what_differs(results: Path, write_scores: Make) -> None:
    settings = {"prepare": {"image_size": 128, "test_share": 0.2}, "train": {"lr": 1e-4, "batch": 32, "weights": None}}
    for dataset in DATASETS:
        write_scores(dataset, settings=settings)
    found = {r["Setting"]: r for r in table(report(results), "table2")}
    assert (found["Image size"]["Here"], found["Image size"]["Agreement"]) == ("128", "differs")
    assert (found["Learning Rate"]["Here"], found["Learning Rate"]["Agreement"]) == ("0.0001", "same")
    assert (found["Batch Size"]["Here"], found["Batch Size"]["Agreement"]) == ("32", "same")
    assert (found["Encoder weights"]["Here"], found["Encoder weights"]["Agreement"]) == ("none", "differs")


def test_table_7_says_what_reproduces(results: Path) -> None:
    rows = table(report(results), "table7")
    unet, ours = row(rows, Model="UNet"), rows[1]
    assert (unet["Params M, published"], unet["Params M, here"]) == ("32.52", "32.52")
    assert (unet["GFLOPs, published"], unet["GFLOPs, here"], unet["GMACs, here"]) == ("65.60", "65.90", "32.95")
    assert unet["GFLOPs difference %"] == f"{100 * (65.9 / 65.6 - 1):.2f}"
    assert unet["Reproduces"] == "both"  # 0.46 %
    assert ours["Reproduces"] == "parameters differ, GFLOPs differ"


def texts(reports: Path) -> dict[str, str]:
    paths = [path for path in reports.rglob("*") if path.suffix in (".md", ".svg")]
    return {str(path.relative_to(reports)): path.read_text(encoding="utf-8") for path in paths}


def test_the_sample_is_labelled_everywhere(results: Path, write_scores: Make, figures: None) -> None:
    assert not [name for name, text in texts(report(results)).items() if "SAMPLE" in text]
    plain = (results.with_name("reports") / "figures" / "figure6.png").read_bytes()
    write_scores("volker", source="sample")  # one is enough
    reports = report(results)
    found = texts(reports)
    assert {"README.md", "tables/table1.md", "tables/table3.md", "tables/table7.md", "figures/figure6.svg"} <= set(
        found
    )
    assert [name for name, text in found.items() if SAMPLE not in text] == []
    assert (reports / "figures" / "figure6.png").read_bytes() != plain
    for name, text in found.items():
        if name.startswith("tables"):
            assert text.startswith(f"**{SAMPLE}"), name


def test_missing_cells_are_named_and_counted(results: Path, write_scores: Make) -> None:
    write_scores("cfd", models=["unet"])
    (results / "cost" / "unet.json").unlink()
    closing = run(results, results.with_name("reports"), [*DATASETS, "gaps"], MODELS, SEEDS, Settings("pooled"))
    index = (results.with_name("reports") / "README.md").read_text()
    missing = re.findall(r"^- (\S+/\S+/\d|cost of \S+)$", index, re.MULTILINE)
    assert missing == ["cfd/context_cracknet/0", "gaps/unet/0", "gaps/context_cracknet/0", "cost of unet"]
    assert "3 cells. Missing: 4 (cfd/context_cracknet/0, gaps/unet/0, gaps/context_cracknet/0, ...)" in closing
    for name, text in texts(results.with_name("reports")).items():
        assert "UNFINISHED: 3 of 6 cells have not been run." in text, name
    found = row(table(results.with_name("reports"), "table3"), Dataset="CFD", Model="Context-CrackNet")
    assert found["Dice, published"] == "0.7235"
    assert found["Dice, measured"] == found["Dice, difference"] == ""


def test_a_complete_report_has_no_warning(results: Path) -> None:
    reports = report(results)
    index = (reports / "README.md").read_text()
    assert "UNFINISHED" not in index
    assert "## Missing" not in index
    for link in re.findall(r"\]\((.*?)\)", index):
        assert (reports / link).is_file()
    assert len(re.findall(r"\]\(tables/", index)) == len(list((reports / "tables").glob("*.md"))) >= 5


def test_the_index_tells_where_numbers_come_from(results: Path) -> None:
    index = (report(results) / "README.md").read_text()
    for fact in ("0123456789ab", "content of cfd", "content of volker", "c0ffee", "hardware: CPU", '"train.batch": 32'):
        assert fact in index


def test_two_reports_have_the_same_bytes(results: Path, figures: None) -> None:
    trees = []
    for target in ("a", "b"):
        reports = report(results, target=target)
        paths = [path for path in reports.rglob("*") if path.is_file()]
        trees.append({str(path.relative_to(reports)): path.read_bytes() for path in paths})
    assert trees[0] == trees[1]
    assert {"figures/figure6.png", "figures/figure6.svg", "README.md"} <= set(trees[0])


def test_what_an_older_report_left_is_removed(results: Path) -> None:
    reports = report(results)
    assert (reports / "tables" / "table5.md").exists()
    (reports / "notes.txt").write_text("mine")
    report(results, datasets=["cfd"])
    assert not (reports / "tables" / "table5.md").exists()
    assert (reports / "notes.txt").read_text() == "mine"


def test_a_failed_report_keeps_the_one_before(results: Path) -> None:
    reports = report(results)
    before = {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()}
    (results / "scores" / "cfd" / "images.csv").write_text("dataset\n")
    with pytest.raises(UserError, match=r"images\.csv lacks the column"):
        report(results)
    assert {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()} == before


def test_mixed_protocols_are_refused(results: Path, write_scores: Make) -> None:
    write_scores("volker", protocol="ffffffffffff")
    with pytest.raises(UserError, match="mixes 2 protocols, which are never ranked together") as caught:
        report(results)
    assert "0123456789ab: cfd/unet/0, cfd/context_cracknet/0 (2 cells)" in str(caught.value)
    assert "ffffffffffff: volker/unet/0, volker/context_cracknet/0 (2 cells)" in str(caught.value)
    report(results, datasets=["cfd"])  # what is not shown does not count


def test_nothing_to_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds neither scores nor costs: run `dvc repro` first"):
        report(tmp_path / "results")


def test_costs_alone_make_a_report(tmp_path: Path, cost_record: Make) -> None:
    cost.write(tmp_path / "results" / "cost" / "unet.json", cost_record())
    reports = report(tmp_path / "results")
    assert row(table(reports, "table7"), Model="UNet")["Reproduces"] == "both"
    assert [r["Train / validation / test"] for r in table(reports, "table1")] == ["not prepared"] * 2
    assert {r["Agreement"] for r in table(reports, "table2")} == {"no runs"}
    assert "UNFINISHED: 4 of 4 cells" in (reports / "README.md").read_text()


def test_damaged_scores_are_named(results: Path) -> None:
    path = results / "scores" / "volker" / "cells.json"
    path.write_text("{")
    with pytest.raises(UserError, match="is damaged") as caught:
        report(results)
    assert str(path) in str(caught.value)


def test_results_hold_what_is_declared_and_no_more(results: Path, write_scores: Make) -> None:
    write_scores("cfd", models=["unet", "pan"], seeds=(0, 1))
    found = read(results, ["cfd"], ["unet", "fpn"], [1])
    assert [(c["model"], c["seed"]) for c in found.cells] == [("unet", 1)]
    assert set(zip(found.images["model"], found.images["seed"], strict=True)) == {("unet", 1)}
    assert set(zip(found.history["model"], found.history["seed"], strict=True)) == {("unet", 1)}
    assert set(found.summary["model"]) == {"unet"}
    assert found.missing == ["cfd/fpn/1", "cost of fpn"]
    assert found.names == {"cfd": "CFD", "unet": "UNet", "fpn": "FPN"}
    assert not found.is_sample
    assert set(found.published) == {"table_1", "table_2", "tables_3_4_5", "table_6", "table_7"}


def test_the_summary_has_every_metric_under_every_average(results: Path) -> None:
    summary = read(results, DATASETS, MODELS, SEEDS).summary
    assert list(summary.columns) == ["dataset", "model", "seed", "metric", "average", "value"]
    assert len(summary) == 4 * 6 * 3
    value = summary.set_index(["dataset", "model", "metric", "average"])["value"]
    for average, expected in (("pooled", POOLED), ("batch_mean", BATCH_MEAN), ("image_mean", IMAGE_MEAN)):
        for metric, number in expected.items():
            assert value["cfd", "unet", metric.lower().replace(" ", "_"), average] == pytest.approx(number)
    both = (65 / 180 + (4000 - 180 + 0) / (4000 - 65)) / 2  # background: tn 3820 of 3935
    assert value["cfd", "unet", "mean_iou", "pooled"] == pytest.approx(both)
    assert np.isfinite(summary["value"]).all()
