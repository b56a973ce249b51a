"""Values shared by the parts of the report."""

from bench.report.context import Values
from bench.report.external import read_all


def test_progress_names_the_few_missing_cells(workspace):
    folder = workspace(["cfd"], {"fpn": 0.6}) / "results"
    values = Values(read_all(folder, ["cfd"], ["fpn", "unet"], [0]), "pooled", folder, folder)
    assert values.progress == "Training results: 1 of 2 cells so far. Missing: cfd/unet/0."
    assert values.warning == values.progress
    assert values.few_labels is None
