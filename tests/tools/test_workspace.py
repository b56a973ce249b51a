"""A workspace links to the code; what a user adds lies in a folder of their own, in a clone and with a wheel."""

import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from bench.errors import UserError
from bench.tools.workspace import create_workspace, link_code, own_target

ROOT = Path(__file__).parents[2]
MODEL = '''"""MyNet: one convolution."""

NAME = "MyNet"


def build(channels, classes, image_size, encoder, weights):
    from torch import nn

    return nn.Conv2d(channels, classes, 3, padding="same")
'''
METRIC = '''"""Miss rate: the share of crack that is not found."""

from bench.metrics.inputs import COUNTS
from bench.metrics.ratios import ratio

NAME = "Miss rate"
HIGHER_IS_BETTER = False
INPUT = COUNTS


def compute(tp, fp, fn, tn):
    """Return fn / (tp + fn), elementwise."""
    return ratio(fn, tp + fn)
'''


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
    (tmp_path / "bench" / "cli").unlink()
    (tmp_path / "bench" / "cli").symlink_to(tmp_path / "before" / "bench" / "cli")
    (tmp_path / "bench" / "models" / "old.py").symlink_to(tmp_path / "before" / "old.py")
    create_workspace(ROOT, tmp_path, {})
    assert (tmp_path / "bench" / "cli").resolve() == ROOT / "bench" / "cli"
    assert not (tmp_path / "bench" / "models" / "old.py").is_symlink()
    assert (tmp_path / "bench" / "models" / "unet.py").samefile(ROOT / "bench" / "models" / "unet.py")


def test_a_file_system_without_symbolic_links_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")  # exFAT

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(UserError, match=r"bench/\w+.*: no symbolic link can be made .*: use a folder on a file system"):
        create_workspace(ROOT, tmp_path, {})


def test_a_workspace_without_a_folder_for_plug_ins_changes_no_code(tmp_path: Path) -> None:
    create_workspace(ROOT, tmp_path, {})
    with pytest.raises(UserError, match="as `plugins: my_bench`; the installed package is not changed"):
        own_target(tmp_path / "params.yaml", "datasets")


def test_a_clone_keeps_its_code_and_gets_links_to_own_files(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bench", tmp_path / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "params.yaml").write_text("plugins: null\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    assert own_target(tmp_path / "params.yaml", "models") == tmp_path / "bench" / "models"
    (tmp_path / "params.yaml").write_text("plugins: mine\n")
    (tmp_path / "mine" / "models").mkdir(parents=True)
    own = tmp_path / "mine" / "models" / "my_net.py"
    own.write_text(MODEL)
    link_code(tmp_path)
    assert (tmp_path / "bench" / "models" / "my_net.py").samefile(own)
    assert not (tmp_path / "bench" / "models" / "unet.py").is_symlink()
    own.unlink()
    link_code(tmp_path)
    assert not (tmp_path / "bench" / "models" / "my_net.py").is_symlink()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return the folder in which the wheel is installed."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("crackbench-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "bench"  # as pip writes it
    script.write_text(f"#!{sys.executable}\nfrom bench.cli.main import main\n\nmain()\n")
    script.chmod(0o755)
    return tmp_path / "installed"


def write_photographs(folder: Path) -> None:
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for number in range(10):
        image = generator.integers(90, 160, (64, 64, 3), dtype=np.uint8)
        mask = np.zeros((64, 64), np.uint8)
        cv2.line(mask, (0, 5 + 5 * number), (63, 60 - 5 * number), 255, 3)
        cv2.imwrite(str(folder / "images" / f"wall_{number}.png"), np.where(mask[..., None] > 0, 20, image))
        cv2.imwrite(str(folder / "masks" / f"wall_{number}.png"), mask)


@pytest.mark.slow
def test_an_empty_folder_and_a_wheel_are_enough_for_own_data_models_and_metrics(
    installed: Path, tmp_path: Path
) -> None:
    """Own beside sample data, own beside shipped model: one report; a change of the own model runs its cells only."""
    folder = tmp_path / "work"
    path = os.pathsep.join([str(installed.parent / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    before = {p: p.read_bytes() for p in installed.rglob("*") if p.is_file() and "__pycache__" not in p.parts}

    def call(*command: str) -> str:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"PATH": path, "PYTHONPATH": str(installed)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    folder.mkdir()
    call("bench", "init")
    settings = yaml.safe_load((folder / "params.yaml").read_text())
    settings |= {"datasets": ["cfd"], "models": ["unet"]}
    settings["download"] |= {"source": "sample", "sample": {"images": 10, "size": 64, "seed": 0}}
    settings["prepare"] |= {"image_size": 64, "mask_threshold": 127}
    settings["train"] |= {"encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 4, "threads": 1}
    settings["measure"] |= {"encoder": "mobilenet_v2", "image_size": 64, "warmup": 0, "repeats": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    for kind, name, text in (("models", "my_net", MODEL), ("metrics", "miss_rate", METRIC)):
        (folder / "my_bench" / kind).mkdir(parents=True)
        (folder / "my_bench" / kind / f"{name}.py").write_text(text)
    write_photographs(tmp_path / "walls")
    call("bench", "add-dataset", str(tmp_path / "walls"), "--name", "my_walls")
    call("bench", "add-model", "my_net")
    assert (folder / "my_bench" / "datasets" / "my_walls.py").is_file()
    assert "my_walls" in call("bench", "list", "datasets")

    call(sys.executable, "-m", "dvc", "repro")
    assert "Miss rate" in call("bench", "conventions", "my_net", "--dataset", "my_walls")
    board = call("bench", "leaderboard", "--resamples", "100")
    assert "MyNet" in board
    assert "2 protocols" not in board
    assert "mynet" in call("bench", "compare", "my_net", "--resamples", "100").lower()
    call("bench", "check")
    own = folder / "my_bench" / "models" / "my_net.py"
    first = json.loads((folder / "runs/my_walls/my_net/0/run.json").read_text())["program"]
    own.write_text(MODEL.replace("classes, 3", "classes, 5"))
    stale = set(json.loads(call(sys.executable, "-m", "dvc", "status", "--json", "train", "measure")))
    assert stale == {"train@cfd-my_net-0", "train@my_walls-my_net-0", "measure@my_net"}
    call(sys.executable, "-m", "dvc", "repro", "train@my_walls-my_net-0")
    assert json.loads((folder / "runs/my_walls/my_net/0/run.json").read_text())["program"] != first
    after = {p: p.read_bytes() for p in installed.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert after == before
