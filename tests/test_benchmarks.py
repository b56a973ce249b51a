"""The page on the benchmarks shows what their files hold."""

import runpy
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_the_page_is_that_of_the_files() -> None:
    render = runpy.run_path(str(FOLDER / "summary.py"))["render"]
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == render(FOLDER), "run: python benchmarks/summary.py"


def test_an_experiment_says_how_its_tables_are_derived_again() -> None:
    text = runpy.run_path(str(FOLDER / "real_runs.py"))["README"]
    folders = [p.parent for p in (FOLDER.parent / "results" / "experiments").glob("*/params.yaml")]
    assert folders
    for folder in folders:
        assert (folder / "README.md").read_text(encoding="utf-8") == text.format(name=folder.name)
