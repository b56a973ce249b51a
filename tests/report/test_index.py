"""The README of a report: what was written is linked under its heading, and what is missing has no section."""

from pathlib import Path

import pytest
import yaml

from bench.report.context import Values
from bench.report.external import read_all
from bench.report.index import index, published_leaderboard


@pytest.fixture
def values(grid: Path) -> Values:
    params = yaml.safe_load((grid / "params.yaml").read_text())
    results = read_all(grid / "results", params["datasets"], params["models"], params["seeds"])
    return Values(results, "batch_mean", grid / "prepared", grid / "runs")


@pytest.fixture
def write(tmp_path: Path):
    """Return a function that writes files of a report, each with its name as caption, and returns their paths."""

    def files_of(*names: str) -> set[Path]:
        for name in names:
            path = tmp_path / "reports" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"**SAMPLE**\n\nCaption of {path.stem}.\n")
        return {tmp_path / "reports" / name for name in names}

    return files_of


def sections(text: str) -> dict[str, list[str]]:
    """Return heading -> lines below it."""
    parts = [part.splitlines() for part in text.split("\n## ")[1:]]
    return {heading: [line for line in lines if line] for heading, *lines in parts}


def test_each_file_is_shown_or_linked_once_under_its_heading(values: Values, write, tmp_path: Path) -> None:
    written = write(
        "index.html", "tables/leaderboard_1.md", "tables/leaderboard_1.csv", "tables/table7.md", "tables/table3.md",
        "tables/audit_dice.md", "figures/ranks.png", "figures/ranks.svg", "cards/unet.md", "photographs/cfd/a.png",
    )  # fmt: skip
    text = index(values, tmp_path / "reports", written, tmp_path / "results")
    found = sections(text)
    assert "[The page](index.html)" in text
    assert found["Leaderboard"] == ["**SAMPLE**", "Caption of leaderboard_1."]
    assert found["Model complexity"] == ["- [Caption of table7](tables/table7.md)"]
    assert found["Audit of the paper"] == ["- [Caption of audit_dice](tables/audit_dice.md)"]
    assert found["Other tables"] == ["- [Caption of table3](tables/table3.md)"]
    assert found["Figures and model cards"] == ["- [ranks](figures/ranks.png)", "- [model cards](cards/)"]
    assert "Experiments" not in found


def test_experiments_are_linked_from_the_report_to_the_results(values: Values, write, tmp_path: Path) -> None:
    readme = tmp_path / "results" / "experiments" / "small" / "README.md"
    readme.parent.mkdir(parents=True)
    readme.write_text("# small\n")
    text = index(values, tmp_path / "reports", write(), tmp_path / "results")
    assert sections(text)["Experiments"] == ["- [small](../results/experiments/small/README.md)"]


def test_provenance_names_protocol_data_code_and_hardware_of_the_runs(values: Values, write, tmp_path: Path) -> None:
    lines = sections(index(values, tmp_path / "reports", write(), tmp_path))["Provenance"]
    cell = values.trained[0]
    assert lines[0].startswith(f"- protocol {cell['protocol']}: ")
    assert all(card["content"] in lines[1] for card in values.results.cards.values())
    assert cell["code"]["commit"] in lines[2]
    assert lines[3].startswith("- hardware: ")


def test_the_published_leaderboard_is_ordered_by_mean_rank_and_uses_our_names(values: Values) -> None:
    table = published_leaderboard(values.results)
    assert table is not None
    ranks = table.frame["Mean rank"].tolist()
    assert ranks == sorted(ranks)
    assert table.frame["Place"].iloc[0] == 1
    assert len(table.frame) == 10
    assert "Context-CrackNet" in table.frame["Model"].tolist()
