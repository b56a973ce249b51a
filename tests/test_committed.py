"""Committed reports are exactly what `bench report` writes from the committed results."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli.main import main

ROOT = Path(__file__).parents[1]
EXPERIMENT = ROOT / "results" / "experiments" / "cpu_128px"
REPRODUCIBLE = {".md", ".csv", ".tex", ".json"}
"""Suffixes compared; figures depend on the fonts of the machine."""


@pytest.mark.parametrize(
    ("params", "results"), [(ROOT / "params.yaml", ROOT / "results"), (EXPERIMENT / "params.yaml", EXPERIMENT)]
)
def test_a_committed_report_is_that_of_its_results(
    params: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = (ROOT if results == ROOT / "results" else results) / "reports"
    monkeypatch.chdir(tmp_path)  # without prepared datasets and runs
    found = CliRunner().invoke(main, ["--params", str(params), "report", str(results), "new"])
    assert found.exit_code == 0, found.output
    pages = [p for p in committed.rglob("*") if p.suffix in REPRODUCIBLE and p != committed / "README.md"]
    assert len(pages) > 20
    for page in pages:
        new = tmp_path / "new" / page.relative_to(committed)
        assert new.read_text() == page.read_text(), f"`bench report` writes a different {page.relative_to(ROOT)}"
