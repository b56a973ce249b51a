"""The report stage: which files it writes, removes and refuses."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.report.settings import ReportSettings
from bench.stages.report import MANIFEST, Folders, Grid, run

Make = Callable[..., Path]


def render(folder: Path, *only: str) -> str:
    folders = Folders(folder / "results", folder / "reports", folder / "prepared", folder / "runs")
    return run(folders, Grid(["cfd"], ["unet", "fpn"], [0]), ReportSettings("pooled"), only)


@pytest.fixture
def folder(workspace: Make) -> Path:
    return workspace(["cfd"], {"fpn": 0.6, "unet": 0.75})


def test_one_part_writes_its_own_files_and_no_others(folder: Path) -> None:
    said = render(folder, "table3")
    written = sorted(p.relative_to(folder / "reports").as_posix() for p in (folder / "reports").rglob("*.*"))
    assert written == [f"tables/table3.{suffix}" for suffix in ("csv", "html", "md", "tex")]
    assert all(name in said for name in written)


def test_an_unknown_part_is_refused_before_anything_is_written(folder: Path) -> None:
    with pytest.raises(UserError, match="'table33'"):
        render(folder, "table3", "table33")
    assert not (folder / "reports").exists()


def test_a_whole_report_lists_its_files_and_removes_those_of_an_earlier_one(folder: Path) -> None:
    reports = folder / "reports"
    (reports / "tables").mkdir(parents=True)
    for name in ("tables/earlier.md", "tables/mine.md"):
        (reports / name).touch()
    (folder / "outside").touch()
    (reports / MANIFEST).write_text("tables/earlier.md\n../outside\n")
    assert "index.html" in render(folder)
    names = (reports / MANIFEST).read_text().splitlines()
    assert names == sorted(names)
    assert all((reports / name).is_file() for name in names)
    assert not (reports / "tables" / "earlier.md").exists()
    assert (reports / "tables" / "mine.md").exists()  # a person's own
    assert (folder / "outside").exists()
