"""The tables of the report: which there are, by the datasets of the results."""

from pathlib import Path

import pytest
import yaml

from bench.report.context import Values
from bench.report.external import read_all
from bench.report.parts import PARTS
from bench.report.report_tables import all_tables, flat, published

TRACK = Path(__file__).parents[2] / "results" / "open"


@pytest.fixture
def values(grid: Path) -> Values:
    params = yaml.safe_load((grid / "params.yaml").read_text())
    results = read_all(grid / "results", params["datasets"], params["models"], params["seeds"])
    return Values(results, "batch_mean", grid / "prepared", grid / "runs")


def test_nested_settings_get_dotted_keys() -> None:
    assert flat({"a": {"b": 1, "c": {"d": [2]}}, "e": None}) == {"a.b": 1, "a.c.d": [2], "e": None}
    assert flat({}) == {}


def test_each_table_has_a_name_of_its_own(values: Values) -> None:
    names = [table.name for table in all_tables(values)]
    assert len(set(names)) == len(names)
    assert set(names) <= PARTS.keys()


def test_tables_of_the_paper_are_those_of_its_datasets(values: Values) -> None:
    tables = {table.name: table for table in all_tables(values)}
    assert "table3" in tables
    assert "scores" not in tables
    tables = {table.name: table for table in all_tables(track("ceramic"))}
    assert tables["scores"].frame[["Dataset", "Model"]].to_numpy().tolist() == [["Ceramic", "UNet"], ["Ceramic", "FPN"]]
    assert tables["scores"].marks[(0, "Crack IoU")] == "best"
    assert not {"table3", "table4", "table5", "table6"} & set(tables)
    assert not [c for name in ("table2", "table7") for c in tables[name].frame if "ublished" in c]


def test_the_published_scores_are_shown_beside_datasets_that_the_paper_lacks() -> None:
    (table,) = published(track("ceramic"))
    assert len(table.frame) == 10
    assert table.frame.iloc[0]["Model"] == "Context-CrackNet"
    assert "mean over CFD, CRACK500" in table.caption


def track(dataset: str) -> Values:
    """Return the committed results of two models on a dataset of the open track."""
    return Values(read_all(TRACK, [dataset], ["unet", "fpn"], [0, 1, 2]), "pooled", Path(), Path())
