"""The audit of the paper in a report: its numbers are the paper's, whatever was run."""

import shutil

import pandas as pd

AUDIT = ("audit_complexity", "audit_identities", "audit_ranks", "audit_winners")


def test_the_audit_of_the_paper_is_neither_a_sample_nor_unfinished(tmp_path, write_grid, run_report):
    write_grid(tmp_path, source="sample")
    shutil.rmtree(tmp_path / "results" / "scores" / "gaps")
    run_report(tmp_path)
    tables = tmp_path / "reports" / "tables"
    third = (tables / "table3.md").read_text()
    assert "SAMPLE" in third
    assert "UNFINISHED" in third
    for name in AUDIT:
        for suffix in ("md", "tex", "html"):
            page = (tables / f"{name}.{suffix}").read_text()
            assert "SAMPLE" not in page, f"{name}.{suffix}"
            assert "UNFINISHED" not in page, f"{name}.{suffix}"
        assert "data" not in pd.read_csv(tables / f"{name}.csv").columns
