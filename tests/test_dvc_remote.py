"""The raw data under a real DVC with a real remote, a folder: pushed, cloned, pulled, frozen, changed, half missing."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(PROJECT),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def call(folder: Path, *command: str, fails: bool = False) -> str:
    """Return what a command says; ``dvc`` is that of this environment."""
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def encoded(array: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


def collection(path: Path, **shades: int) -> Path:
    """Write a merged archive: three pairs for each prefix, of one shade."""
    mask = np.zeros((32, 32), np.uint8)
    mask[8:12] = 255
    with zipfile.ZipFile(path, "w") as archive:
        for prefix, shade in shades.items():
            for i in range(3):
                image = np.full((32, 32, 3), shade + i, np.uint8)
                archive.writestr(f"images/{prefix}_{i:03d}.jpg", encoded(image, "JPEG"))
                archive.writestr(f"masks/{prefix}_{i:03d}.jpg", encoded(mask, "JPEG"))
    return path


def set_source(folder: Path, source: Path | str) -> None:
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["datasets"] = ["cfd", "forest"]
    params["download"]["source"] = str(source)
    params["prepare"]["image_size"] = 32
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of the pipeline's files, under git and DVC, with a remote."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("dvc.yaml", "data.dvc", "params.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / "data.dvc").write_text("deps:\n- path: downloads\nouts:\n- path: data\n")
    (folder / "bench").symlink_to(PROJECT / "bench", target_is_directory=True)
    call(folder, "git", "init", "--quiet")
    call(folder, "dvc", "init", "--quiet")
    call(folder, "dvc", "config", "core.analytics", "false")
    call(folder, "dvc", "remote", "add", "--default", "store", str(tmp_path / "remote"))
    return folder


def test_a_clone_pulls_and_fetches_nothing(project: Path, tmp_path: Path) -> None:
    (project / "archives").mkdir()
    collection(project / "archives/crack_segmentation_dataset.zip", CFD=50, forest=90)
    set_source(project, "collection")
    call(project, "dvc", "repro", "--quiet", "prepare")
    call(project, "dvc", "push", "--quiet")
    call(project, "git", "add", "--all")
    call(project, "git", "commit", "--quiet", "--message", "data")
    call(tmp_path, "git", "clone", "--quiet", str(project), "clone")
    clone = tmp_path / "clone"
    assert not (clone / "archives/crack_segmentation_dataset.zip").exists()
    call(clone, "dvc", "pull", "--quiet", "data.dvc")
    call(clone, "dvc", "repro", "prepare")
    assert not (clone / "archives/crack_segmentation_dataset.zip").exists()
    assert (clone / "prepared/cfd/card.json").read_bytes() == (project / "prepared/cfd/card.json").read_bytes()


def test_changed_frozen_and_half_missing_sources(project: Path, tmp_path: Path) -> None:
    set_source(project, collection(tmp_path / "a.zip", CFD=50, forest=90))
    call(project, "dvc", "repro", "--quiet", "prepare")
    set_source(project, collection(tmp_path / "b.zip", CFD=50, forest=120))
    said = call(project, "dvc", "repro", "prepare")
    assert "Running stage 'prepare@forest'" in said
    assert "Running stage 'prepare@cfd'" not in said  # its files are the same in the other archive
    call(project, "dvc", "freeze", "data.dvc")
    set_source(project, collection(tmp_path / "c.zip", CFD=10, forest=20))
    said = call(project, "dvc", "repro", "prepare")
    assert "Running stage 'prepare@" not in said
    call(project, "dvc", "unfreeze", "data.dvc")
    shutil.rmtree(project / "downloads")
    set_source(project, collection(tmp_path / "d.zip", CFD=70))
    said = call(project, "dvc", "repro", "--keep-going", "prepare", fails=True)
    assert "forest is missing" in said
    assert "Running stage 'prepare@cfd'" in said
    assert (project / "prepared/cfd/card.json").exists()
    assert "To retry: `bench download`, then `dvc repro`." in said
    set_source(project, collection(tmp_path / "d.zip", CFD=70, forest=20))
    call(project, "bench", "download")
    call(project, "dvc", "repro", "prepare")
    assert (project / "prepared/forest/card.json").exists()
