"""The audit of the paper in a report: it holds the paper's numbers and needs no warning."""

import shutil

import pandas as pd

AUDIT = ("audit_complexity", "audit_identities", "audit_ranks", "audit_winners")


def test_the_audit_of_the_paper_has_no_warning(tmp_path, write_grid, run_report):
    write_grid(tmp_path, source="sample")
    shutil.rmtree(tmp_path / "results" / "scores" / "gaps")
    run_report(tmp_path, only=("table3", "audit"))
    tables = tmp_path / "reports" / "tables"
    third = (tables / "table3.md").read_text()
    assert "SAMPLE" in third
    assert "Training results: 6 of 9 cells so far." in third
    for name in AUDIT:
        for suffix in ("md", "tex", "html"):
            page = (tables / f"{name}.{suffix}").read_text()
            assert "SAMPLE" not in page, f"{name}.{suffix}"
            assert "Training results" not in page, f"{name}.{suffix}"
        assert "data" not in pd.read_csv(tables / f"{name}.csv").columns
