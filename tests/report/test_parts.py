"""The parts of the report: paths, formats, and the same bytes every time."""

import json
from pathlib import Path

import pytest
import yaml

from bench.report.context import Values
from bench.report.external import read_all
from bench.report.parts import PARTS, figure_files


@pytest.fixture
def values(grid: Path) -> Values:
    params = yaml.safe_load((grid / "params.yaml").read_text())
    results = read_all(grid / "results", params["datasets"], params["models"], params["seeds"])
    return Values(results, "batch_mean", grid / "prepared", grid / "runs")


@pytest.mark.parametrize("name", ["table1", "table3", "table7", "leaderboard", "transfer_tables", "audit"])
def test_a_table_comes_in_four_formats(values: Values, name: str) -> None:
    paths = [path for path, _ in PARTS[name](values)]
    assert paths
    assert {Path(path).parent for path in paths} == {Path("tables")}
    stems = {Path(path).stem for path in paths}
    assert sorted(paths) == sorted(f"tables/{stem}.{s}" for stem in stems for s in ("md", "csv", "tex", "html"))


def test_a_figure_is_png_and_svg_drawn_once_with_the_same_bytes(values: Values) -> None:
    first = figure_files(values, "ranks")
    assert [path for path, _ in first] == ["figures/ranks.png", "figures/ranks.svg"]
    assert first[0][1].startswith(b"\x89PNG")
    assert figure_files(values, "ranks") is first
    values.drawn.clear()
    assert figure_files(values, "ranks") == first


def test_numbers_have_the_models_in_metrics_json(values: Values) -> None:
    content = dict(PARTS["numbers"](values))
    metrics = json.loads(content["metrics.json"])
    assert set(values.results.models) <= metrics.keys()
    assert sorted(m["mean_rank"] for m in metrics.values() if isinstance(m, dict))[0] >= 1
    assert str(content["summary.csv"]).count("\n") == len(values.results.summary) + 1
