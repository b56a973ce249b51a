"""The report on a synthetic grid: what is in it, that it is stable, and what it says of bad input."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bench.errors import UserError
from bench.formats import files
from bench.render.headings import split_headings
from bench.render.latex import latex
from bench.render.score_tables import marks
from bench.render.tables import Table
from bench.report import figures
from bench.report.context import Values
from bench.report.external import read_all
from bench.report.figures import FIGURES
from bench.report.parts import PARTS
from bench.report.rank import rank
from bench.report.width import iou_by_width
from bench.stages import report


def test_every_part_writes_its_files(grid):
    tables = {p.name for p in (grid / "reports" / "tables").iterdir()}
    for number in (1, 2, 3, 4, 6, 7):  # none of the three datasets is in Table 5
        assert {f"table{number}.{s}" for s in ("md", "csv", "tex", "html")} <= tables
    figures = {p.name for p in (grid / "reports" / "figures").iterdir()}
    for name in ("figure6", "ranks", "critical_difference", "pareto", "iou_by_width", "precision_recall", "training"):
        assert {f"{name}.png", f"{name}.svg"} <= figures
    sixth = (grid / "reports" / "tables" / "table6.md").read_text()
    assert "| CAGM + Plain Skips |" in sixth
    assert "| context_cracknet" not in sixth  # names, not ids
    assert len(list((grid / "reports" / "cards").glob("*.md"))) == 9


def test_the_difference_is_measured_minus_published_and_the_interval_holds_the_value(grid):
    table = pd.read_csv(grid / "reports" / "tables" / "table3.csv")
    title = "Crack IoU (printed: mIoU)"
    gap = table[f"{title}, measured"] - table[f"{title}, published"]
    assert (gap - table[f"{title}, difference"]).abs().max() < 2e-4
    low, high = table[f"{title}, 95 % interval"].str.split("–", expand=True).astype(float).to_numpy().T
    assert ((low <= table[f"{title}, measured"] + 1e-3) & (table[f"{title}, measured"] - 1e-3 <= high)).all()


def test_best_and_second_are_marked_as_printed_with_ties_shared():
    assert marks([0.50004, 0.5, 0.4, 0.3], ["a"] * 4, 4) == {0: "best", 1: "best", 2: "second"}
    assert marks([0.5, 0.6], ["a", "b"], 4) == {}  # nothing to be better than


def test_ranks_of_a_grid_with_a_hole():
    ranked = rank(pd.DataFrame({"a": [0.9, 0.8], "b": [0.5, None], "c": [0.7, 0.9]}).to_numpy(float))
    assert ranked.ranks[0].tolist() == [1, 3, 2]
    assert ranked.ranks[1, [0, 2]].tolist() == [2, 1]
    assert ranked.mean_ranks[0] == 1.5
    assert pd.isna(ranked.mean_ranks[1])
    assert pd.isna(ranked.difference)


def test_iou_by_width_pools_the_images_of_a_class():
    rows = [("a", 10, 0, 10, 80, 20), ("b", 30, 10, 0, 60, 20), ("c", 10, 0, 90, 0, 5), ("d", 0, 4, 0, 96, 0)]
    images = pd.DataFrame(rows, columns=["item", "tp", "fp", "fn", "tn", "skeleton_true"])
    found = iou_by_width(images.assign(dataset="x", model="m", photo=images["item"]), ["m"]).set_index("bin")
    assert found.loc["< 2", ["images", "value"]].tolist() == [2, 40 / 60]  # widths 1 and 1.5
    assert found.loc["≥ 9", "value"] == 0.1
    assert pd.isna(found.loc["≥ 9", "low"])  # a single photograph
    assert pd.isna(found.loc["3–4", "value"])  # no image; "d" has no crack


def test_two_runs_give_the_same_bytes(grid, run_report):
    run_report(grid, "again")
    first, second = grid / "reports", grid / "again"
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_every_file_of_the_sample_says_so(tmp_path, write_grid, run_report):
    run_report(write_grid(tmp_path, source="sample"))
    reports = tmp_path / "reports"
    tables = [p for p in reports.rglob("*.csv") if not p.stem.startswith("audit_")]  # the paper's numbers
    assert len(tables) >= 10
    for path in tables:
        assert set(pd.read_csv(path)["data"]) == {"sample"}, path
    third = pd.read_csv(reports / "tables" / "table3.csv")
    assert third["Dice, measured"].notna().all()
    assert third["Dice, difference"].isna().all()  # to numbers of real photographs
    pages = [p for p in reports.rglob("*") if p.suffix in (".md", ".tex", ".html")]
    for path in (p for p in pages if not p.stem.startswith("audit_")):
        assert "SAMPLE: synthetic data" in path.read_text(), path
    assert json.loads((reports / "metrics.json").read_text())["data"] == "sample"


def test_several_seeds_are_averaged_and_named(tmp_path, write_grid, run_report):
    assert "18 cells" in run_report(write_grid(tmp_path, seeds=(0, 1)))
    reports = tmp_path / "reports"
    summary = pd.read_csv(reports / "summary.csv").query("dataset == 'cfd' and model == 'unet' and metric == 'dice'")
    each = summary.query("average == 'batch_mean'").set_index("seed")["value"]
    assert each[0] != each[1]
    third = pd.read_csv(reports / "tables" / "table3.csv").query("Dataset == 'CFD' and Model == 'UNet'").iloc[0]
    assert third["Dice, measured"] == pytest.approx(each.mean(), abs=1e-4)
    low, high = map(float, third["Dice, 95 % interval"].split("–"))
    assert low <= each.mean() <= high
    assert "mean over 2 seeds" in (reports / "tables" / "table3.md").read_text()
    assert {p.name for p in (reports / "cards").glob("cfd_unet_*")} == {"cfd_unet_0.md", "cfd_unet_1.md"}
    data = json.loads((reports / "index.html").read_text().split('id="data">')[1].split("</script>")[0])
    assert [value for key, value in data["cells"]["cfd/unet"]["record"] if key == "Seed"] == ["0", "1"]


def test_a_report_removes_what_an_earlier_one_wrote_and_nothing_else(tmp_path):
    folder = tmp_path / "reports"
    for name in ("tables/table1.md", "tables/old.md", "figures/mine.png", "../outside.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    (folder / "MANIFEST").write_text("tables/table1.md\ntables/old.md\ntables/gone.md\n../outside.md\n")
    report._remove_earlier(folder, {"tables/table1.md", "tables/new.md"})
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")}
    assert left == {"reports/tables/table1.md", "reports/figures/mine.png", "outside.md"}
    assert (folder / "MANIFEST").read_text() == "tables/new.md\ntables/table1.md\n"


def test_only_writes_only_the_part(grid, run_report):
    assert "table3.csv" in run_report(grid, "part", ["table3"])
    written = {p.name for p in (grid / "part").rglob("*") if p.is_file()}
    assert written == {"table3.md", "table3.csv", "table3.tex", "table3.html"}
    with pytest.raises(UserError, match="no part 'tabel3'; did you mean 'table3'"):
        run_report(grid, "part", ["tabel3"])
    assert "page" in PARTS


def test_highlight_emphasises_a_model_and_refuses_unknown_names(grid, run_report):
    drawn = []
    for name in ("unet", "context_cracknet"):
        run_report(grid, f"highlight_{name}", ["pareto"], (name,))
        drawn.append((grid / f"highlight_{name}" / "figures" / "pareto.svg").read_bytes())
    assert drawn[0] != drawn[1]
    assert drawn[1] == (grid / "reports" / "figures" / "pareto.svg").read_bytes()
    with pytest.raises(UserError, match=r"report.highlight: no model 'unett'; did you mean 'unet'"):
        run_report(grid, "highlight", ["pareto"], ("unett",))


def test_metrics_for_dvc_are_numbers(grid):
    shown = json.loads((grid / "reports" / "metrics.json").read_text())
    assert set(shown) == {"unet", "unetplusplus", "context_cracknet"}
    assert all(0 <= v["crack_iou"] <= 1 and 1 <= v["mean_rank"] <= 3 for v in shown.values())


def test_the_curve_of_the_loss_ends_where_the_first_cell_does(tmp_path, write_grid, run_report):
    write_grid(tmp_path, epochs=5)
    path = tmp_path / "results" / "scores" / "gaps" / "history.csv"
    frame = pd.read_csv(path)
    files.write_csv(path, frame[(frame["model"] != "unet") | (frame["epoch"] <= 3)])
    files.write_checksums(path.parent)
    run_report(tmp_path, only=("numbers",))
    loss = pd.read_csv(tmp_path / "reports" / "plots" / "selection_loss.csv").set_index("epoch")
    assert loss["unet"].count() == (frame["epoch"].unique() <= 3).sum()
    assert loss["unetplusplus"].count() == 5


def test_the_figure_of_widths_leaves_out_what_lacks_images_of_the_others(grid, monkeypatch):
    found = read_all(grid / "results", ["cfd", "gaps"], ["unet", "unetplusplus"], [0])
    cells = [c for c in found.cells if (c["dataset"], c["model"]) != ("gaps", "unet")]
    shown = []
    monkeypatch.setattr(figures, "iou_by_width", lambda images, models: shown.append(models))
    monkeypatch.setattr(figures.figures, "by_width", lambda *given: None)
    FIGURES["iou_by_width"].draw(Values(replace(found, cells=cells), "pooled", Path(), Path()))
    assert shown == [["unetplusplus"]]


def test_costs_unlike_the_runs_are_in_no_figure(grid):
    found = read_all(grid / "results", ["cfd"], ["unet", "unetplusplus"], [0])
    assert FIGURES["pareto"].draw(Values(found, "pooled", Path(), Path())) is not None
    for cell in found.cells:
        cell["settings"]["train"]["encoder"] = "resnet18"
    assert FIGURES["pareto"].draw(Values(found, "pooled", Path(), Path())) is None


def test_an_unfinished_grid_says_so_on_top(tmp_path, write_grid, run_report):
    write_grid(tmp_path)
    shutil.rmtree(tmp_path / "results" / "scores" / "gaps")
    assert "Missing: 3" in run_report(tmp_path)
    progress = "Training results: 6 of 9 cells so far."
    names = "Missing: gaps/unet/0, gaps/unetplusplus/0, gaps/context_cracknet/0."
    for page in ("README.md", "index.html", "tables/table3.md"):
        assert f"{progress} {names}" in (tmp_path / "reports" / page).read_text(), page
    assert progress in (tmp_path / "reports" / "tables" / "table3.tex").read_text()
    for name in ("critical_difference", "ranks"):
        assert not (tmp_path / "reports" / "figures" / f"{name}.png").exists()
    shown = json.loads((tmp_path / "reports" / "metrics.json").read_text())
    assert [sorted(v) for v in shown.values()] == [["crack_iou", "dice", "precision", "recall"]] * 3
    assert "Without results so far" in (tmp_path / "reports" / "tables" / "table6.md").read_text()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("tp", None, "lacks the column 'tp'"),
        ("dataset", "volker", "another dataset: volker"),
        ("tp", "", "'tp' of unet/0 is nan in line 2"),
        ("fn", "many", "'fn' contains 'many' in line 2, expected a number"),
    ],
)
def test_bad_scores_give_one_clear_line(tmp_path, write_grid, run_report, column, value, message):
    write_grid(tmp_path, datasets=["cfd"], models=["unet"])
    path = tmp_path / "results" / "scores" / "cfd" / "images.csv"
    frame = pd.read_csv(path, dtype=str)
    frame = frame.drop(columns=column) if value is None else frame.assign(**{column: value})
    frame.to_csv(path, index=False)
    with pytest.raises(UserError, match=message) as caught:
        run_report(tmp_path)
    assert "\n" not in str(caught.value)
    assert "images.csv" in str(caught.value)


def test_impossible_counts_are_tabulated_and_not_ranked(tmp_path, write_grid, run_report):
    write_grid(tmp_path, datasets=["cfd"], models=["unet", "fpn"])
    path = tmp_path / "results" / "scores" / "cfd" / "images.csv"
    frame = pd.read_csv(path)
    frame.loc[0, "tp"] = -5
    frame.to_csv(path, index=False)
    files.write_checksums(path.parent)
    assert "Not ranked: `bench check` has" in run_report(tmp_path)
    assert "Why these results are not ranked" in (tmp_path / "reports" / "index.html").read_text()
    assert not list((tmp_path / "reports" / "tables").glob("leaderboard_*"))
    assert "Not ranked: these results fail the check" in run_report(tmp_path, only=("leaderboard",))
    assert '"ranked":false' in (tmp_path / "reports" / "index.html").read_text()


def test_a_record_without_its_protocol_gives_one_clear_line(tmp_path, write_grid, run_report):
    write_grid(tmp_path, datasets=["cfd"], models=["unet"])
    path = tmp_path / "results" / "scores" / "cfd" / "cells.json"
    path.write_text(path.read_text().replace('"protocol":', '"protocoll":'))
    with pytest.raises(UserError, match=r"cells.json: a cell lacks the key 'protocol'"):
        run_report(tmp_path)


def test_an_empty_grid_gives_one_clear_line(tmp_path, write_grid, run_report):
    write_grid(tmp_path, datasets=["cfd"], models=["unet"])
    shutil.rmtree(tmp_path / "results")
    with pytest.raises(UserError, match="neither scores nor costs"):
        run_report(tmp_path)


def test_latex_escapes_and_groups():
    frame = pd.DataFrame({"Model": ["a_b & 5 %"], "Dice, published": [0.5], "Dice, here": [0.25]})
    text = latex(Table("t", "C.", frame, {"Dice, here": 2}, marks={(0, "Dice, here"): "best"}))
    assert r"a\_b \& 5 \% & 0.5 & \textbf{0.25} \\" in text
    assert r"\multicolumn{2}{c}{Dice}" in text
    assert split_headings(list(frame.columns)) == [("", ["Model"]), ("Dice", ["published", "here"])]


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not on this machine")
def test_every_table_compiles(grid, tmp_path):
    tables = sorted((grid / "reports" / "tables").glob("*.tex"))
    inputs = "\n".join(rf"\input{{{path.as_posix()}}}\clearpage" for path in tables)
    (tmp_path / "all.tex").write_text(
        r"\documentclass[a4paper]{article}\usepackage{booktabs,graphicx}\begin{document}" + inputs + r"\end{document}"
    )
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "all.tex"],
        cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert len(tables) >= 7


def test_the_report_imports_no_torch():
    code = "import sys; import bench.stages.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
