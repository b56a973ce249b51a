"""The wheel holds all that the package needs: built, unpacked in another folder and used without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_works_alone(tmp_path: Path) -> None:
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path), cwd=ROOT)
    (wheel,) = tmp_path.glob("crackbench-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        names = set(archive.namelist())
    data = {
        str(path.relative_to(ROOT))
        for folder in ("bench", "crackbench")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert data <= names
    assert not [name for name in names if name.startswith(("tests", "results", "reports"))]

    package = {"PYTHONPATH": str(tmp_path / "installed")}
    where = run(sys.executable, "-c", "import bench; print(bench.__path__[0])", cwd=tmp_path, **package)
    assert Path(where.strip()) == tmp_path / "installed" / "bench"
    iou = "import crackbench; print(crackbench.evaluate([[1, 1]], [[0, 1]])['crack_iou'])"
    assert run(sys.executable, "-c", iou, cwd=tmp_path, **package) == "0.5\n"
    assert "crack" in run(sys.executable, "-m", "bench", "explain", "crack_iou", cwd=tmp_path, **package)
    assert "Friedman" in run(sys.executable, "-m", "bench", "audit-paper", cwd=tmp_path, **package)
