"""Workflows, forms and containers: valid by their schemas, and what they call exists."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from bench.cli.main import main

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(p for p in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if p.name != "config.yml")
SCHEMAS = {
    "github-workflows": WORKFLOWS,
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
}
TEXT = {path.name: path.read_text(encoding="utf-8") for path in WORKFLOWS}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema: str) -> None:
    pytest.importorskip("check_jsonschema")
    assert SCHEMAS[schema]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *SCHEMAS[schema]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", TEXT)
def test_a_workflow_states_its_rights_and_no_text_from_outside_gets_into_a_script(name: str) -> None:
    content = yaml.safe_load(TEXT[name])
    assert "permissions" in content
    for job in content["jobs"].values():
        assert "timeout-minutes" in job or "needs" in job
        for step in job["steps"]:
            values = re.findall(r"\$\{\{\s*([\w.]+)", str(step.get("run", "")))
            assert all(value.startswith("matrix.") for value in values), f"{name}: pass {values} by env"
    assert "pull_request_target" not in TEXT[name]


def test_what_a_workflow_calls_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for name, text in TEXT.items():
        assert set(re.findall(r"run: make (\w+)", text)) - {"docs"} <= targets, name
        for path in re.findall(r"(?:tests|results|\.github)/[\w./]+", text):
            assert (ROOT / path).exists() or "external" in path, f"{name}: {path}"
        for command, *words in (call.split() for call in re.findall(r"run: bench (.+)", text)):
            main.commands[command].make_context(command, words, parent=click.Context(main))


def test_the_versions_of_python_are_those_that_the_package_allows() -> None:
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    versions = yaml.safe_load(TEXT["ci.yml"])["jobs"]["linux"]["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13"]
    assert lowest == f">={versions[0]}"


def test_a_submission_is_checked_and_compared(tmp_path: Path) -> None:
    """A pull request with the committed scores of a model under another name, in a real clone."""
    from bench.formats import entry, scores
    from bench.formats.files import sha256

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(tmp_path), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    shutil.copytree(ROOT / "results" / "open" / "scores" / "uav75", tmp_path / "results" / "open" / "scores" / "uav75")
    params = yaml.safe_load((ROOT / "results" / "open" / "params.yaml").read_text(encoding="utf-8"))
    params |= {"datasets": ["uav75"], "models": ["unet", "fpn"]}
    (tmp_path / "results" / "open" / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "base")
    base = git("rev-parse", "HEAD")
    part = scores.read(tmp_path / "results" / "open" / "scores" / "uav75")
    chosen = {
        name: frame[frame["model"] == "pan"].assign(model="my_net")
        for name, frame in ((table, getattr(part, table)) for table in scores.TABLES)
    }
    assert part.histograms is not None
    histograms = part.histograms[(part.images["model"] == "pan").to_numpy()]
    facts = {"model": "my_net", "model_name": "MyNet", "trained": "entered"}
    cells = [cell | facts for cell in part.cells if cell["model"] == "pan"]
    mine = scores.Scores(**chosen, histograms=histograms, cells=cells, card=part.card, missing=[])
    scores.write(tmp_path / "results" / "open" / "external" / "my_net" / "uav75", mine)
    params_path = tmp_path / "results" / "open" / "params.yaml"
    entry.write(
        tmp_path / "results" / "open" / "external" / "my_net",
        {"model": "my_net", "trained": "entered", "versions": {}, "code": {}, "params_sha256": sha256(params_path)},
    )
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "my net")

    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(GITHUB / "check_submission.py"), base]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "`bench check`: passed" in done.stdout
    assert "## my_net" in done.stdout
    assert "Verdict: MyNet" in done.stdout
    edited = tmp_path / "results" / "open" / "external" / "my_net" / "uav75" / "images.csv"
    edited.write_text(edited.read_text(encoding="utf-8").replace(",0,", ",1,", 1), encoding="utf-8")
    done = check()
    assert done.returncode == 1
    assert "FAILED" in done.stdout


@pytest.mark.skipif(
    shutil.which("hadolint", path=str(Path(sys.executable).parent)) is None, reason="hadolint is missing"
)
def test_the_dockerfile_is_linted() -> None:
    command = [str(Path(sys.executable).parent / "hadolint"), str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_both_containers_have_the_same_base_and_run_targets_of_the_makefile() -> None:
    docker, apptainer = ((ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "crackbench.def"))
    (image,) = re.findall(r"(?m)^FROM (\S+)$", docker)
    assert f"\nFrom: {image}\n" in apptainer
    sections = re.findall(r"(?m)^%(\w+)$", apptainer)
    assert sections == ["files", "post", "runscript"]
    for name, script in zip(sections[1:], re.split(r"(?m)^%\w+$", apptainer)[2:], strict=True):
        done = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"%{name}: {done.stderr}"
    assert "make install" in docker
    assert "make install" in apptainer
