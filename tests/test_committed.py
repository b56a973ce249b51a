"""The reports that are committed: what `bench report` makes of the committed results, and nothing typed by hand."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli.main import main

ROOT = Path(__file__).parents[1]
EXPERIMENT = ROOT / "results" / "experiments" / "cpu_128px"
WRITTEN_THE_SAME_EVERYWHERE = {".md", ".csv", ".tex", ".json"}
"""Figures are not: their text is drawn with the fonts of the machine."""


@pytest.mark.parametrize(
    ("params", "results"), [(ROOT / "params.yaml", ROOT / "results"), (EXPERIMENT / "params.yaml", EXPERIMENT)]
)
def test_a_committed_report_is_that_of_its_results(
    params: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = (ROOT if results == ROOT / "results" else results) / "reports"
    monkeypatch.chdir(tmp_path)  # where neither photographs nor predictions are
    found = CliRunner().invoke(main, ["--params", str(params), "report", str(results), "new"])
    assert found.exit_code == 0, found.output
    pages = [
        p for p in committed.rglob("*") if p.suffix in WRITTEN_THE_SAME_EVERYWHERE and p != committed / "README.md"
    ]
    assert len(pages) > 20
    for page in pages:
        new = tmp_path / "new" / page.relative_to(committed)
        assert new.read_text() == page.read_text(), f"`bench report` writes another {page.relative_to(ROOT)}"
