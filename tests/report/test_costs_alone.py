"""The measured costs of the repository, without any scores, make a report with Table 7."""

import shutil
from pathlib import Path

from click.testing import CliRunner

from bench.cli.main import main

ROOT = Path(__file__).parents[2]


def test_costs_alone_make_a_report(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "results" / "cost", tmp_path / "results" / "cost")
    call = ["--params", str(ROOT / "params.yaml"), "report", str(tmp_path / "results"), str(tmp_path / "reports")]
    found = CliRunner().invoke(main, call)
    assert found.exit_code == 0, found.output
    assert "Missing: 100" in found.output
    rows = (tmp_path / "reports" / "tables" / "table7.md").read_text().splitlines()
    verdicts = {r.split(" | ")[0].strip("| "): r.split(" | ")[7] for r in rows if r.startswith("| ") and "px" in r}
    differing = {"LinkNet": "GFLOPs differ", "PSPNet": "parameters differ", "Context-CrackNet": "GFLOPs differ"}
    assert len(verdicts) == 10
    assert {m: v for m, v in verdicts.items() if v != "both"} == differing
