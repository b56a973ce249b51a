"""A workspace is made beside the project, never over one."""

import shutil
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.tools.demo import create_workspace

ROOT = Path(__file__).parents[2]


def test_a_project_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    for name in ("params.yaml", "dvc.yaml", "data.dvc", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for project in (ROOT, tmp_path):
        with pytest.raises(UserError, match="is a project, whose settings would be lost"):
            create_workspace(project, tmp_path, {})
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_project_that_was_moved_is_linked_to_again(tmp_path: Path) -> None:
    create_workspace(ROOT, tmp_path, {})
    (tmp_path / "bench").unlink()
    (tmp_path / "bench").symlink_to(tmp_path / "before" / "bench")
    create_workspace(ROOT, tmp_path, {})
    assert (tmp_path / "bench").resolve() == ROOT / "bench"
