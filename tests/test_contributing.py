"""What CONTRIBUTING shows works as shown: a copy of the package gets its dataset, model, metric and table."""

import importlib.util
import inspect
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.synthetic import write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def block(heading: str, number: int = 0) -> str:
    """Return a Python block below a heading."""
    section = TEXT.partition(f"### {heading}\n")[2]
    code: str = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[number]
    return code


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with all that CONTRIBUTING adds, and results of three cells."""
    folder = tmp_path_factory.mktemp("project")
    added = ("my_net.py", "balanced_accuracy.py", "seeds.py", "my_walls.py")  # by whoever follows it in a clone
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__", *added))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "bench" / "models" / "my_net.py").write_text(block("A model"))
    (folder / "bench" / "metrics" / "balanced_accuracy.py").write_text(block("A metric"))
    (folder / "bench" / "render" / "seeds.py").write_text(block("A table of the report"))
    parts = folder / "bench" / "report" / "parts.py"
    at_top = re.sub(
        r"(?m)^(from bench\.render\.tables)", block("A table of the report", 1) + r"\1", parts.read_text(), count=1
    )
    parts.write_text(at_top + "\n\n" + block("A table of the report", 2))
    write(folder, datasets=["cfd"], models=["unet", "fpn"], tests=4, epochs=2)
    params = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("image_size: 448", "image_size: 64")
    params = re.sub(r"(?m)^datasets: .*", "datasets: [cfd]", params).replace("source: collection", "source: sample")
    (folder / "params.yaml").write_text(re.sub(r"(?m)^models: .*", "models: [unet, fpn]", params))
    return folder


def bench(folder: Path, *arguments: str) -> str:
    """Run a command in the copy; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_metric_is_explained_and_computed(copy: Path) -> None:
    assert "Balanced accuracy" in bench(copy, "explain", "balanced_accuracy")
    assert "Balanced accuracy" in bench(copy, "conventions", "unet", "--dataset", "cfd")
    done = subprocess.run(
        [sys.executable, "-m", "doctest", str(copy / "bench" / "metrics" / "balanced_accuracy.py")],
        env=os.environ | {"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_what_is_added_is_as_the_rest(copy: Path) -> None:
    pytest.importorskip("torch")
    for command in (
        ["ruff", "check", "bench"],
        ["ruff", "format", "--check", "bench"],
        ["mypy", "bench/models/my_net.py"],
    ):
        done = subprocess.run([sys.executable, "-m", *command], cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    contract = runpy.run_path(str(ROOT / "tests" / "models" / "test_contract.py"))
    found = inspect.signature(contract["module"]("unet").build)
    spec = importlib.util.spec_from_file_location("my_net", copy / "bench" / "models" / "my_net.py")
    assert spec is not None
    assert spec.loader is not None
    my_net = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(my_net)
    assert inspect.signature(my_net.build) == found
    assert re.search(r"\b(19|20)\d\d\b", (my_net.__doc__ or "").splitlines()[0])


def test_the_table_is_a_part_of_the_report(copy: Path) -> None:
    bench(copy, "report", "--only", "seeds")
    table = (copy / "reports" / "tables" / "seeds.csv").read_text()
    assert "cfd,1" in table


def test_the_model_is_measured(copy: Path) -> None:
    pytest.importorskip("torch")
    bench(copy, "measure", "results/cost/my_net.json", "--model", "my_net")
    assert json.loads((copy / "results" / "cost" / "my_net.json").read_text())["model_name"] == "MyNet"


def test_the_dataset_is_prepared(copy: Path, make_raw: Callable[..., Any]) -> None:
    raw = make_raw([f"wall_{i}" for i in range(5)])
    (raw / "source.json").unlink()
    bench(copy, "add-dataset", str(raw), "--name", "my_walls")
    assert "my_walls" in (copy / "params.yaml").read_text()
    bench(copy, "download", "downloads")
    bench(copy, "prepare", "downloads/my_walls", "prepared/my_walls", "--dataset", "my_walls")
    assert (copy / "prepared" / "my_walls" / "images.npy").is_file()
