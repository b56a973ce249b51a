"""Committed reports are exactly what `bench report` writes from the committed results."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli.main import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TRACK = ROOT / "results" / "open"
EXPERIMENT = ROOT / "results" / "experiments" / "cpu_128px"
REPRODUCIBLE = {".md", ".csv", ".tex", ".json", ".html"}
"""Suffixes compared; figures depend on the fonts of the machine."""
FIGURE = re.compile(r'"data:image/[^"]*"(?: width="\d+" height="\d+")?')


@pytest.mark.parametrize(("results", "committed"), [(TRACK, ROOT / "reports"), (EXPERIMENT, EXPERIMENT / "reports")])
def test_a_committed_report_is_that_of_its_results(
    results: Path, committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # without prepared datasets and runs
    found = CliRunner().invoke(main, ["--params", str(results / "params.yaml"), "report", str(results), "new"])
    assert found.exit_code == 0, found.output
    pages = [p for p in committed.rglob("*") if p.suffix in REPRODUCIBLE and p != committed / "README.md"]
    assert len(pages) > 20
    for page in pages:
        new = tmp_path / "new" / page.relative_to(committed)
        texts = [FIGURE.sub("", path.read_text()) for path in (new, page)]
        assert texts[0] == texts[1], f"`bench report` writes a different {page.relative_to(ROOT)}"


def test_the_numbers_of_the_public_page_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = CliRunner().invoke(main, ["check"])
    assert (found.exit_code, "324 cells checked: 0 findings." in found.output) == (0, True), found.output
    assert "no printed number was checked" not in found.output
