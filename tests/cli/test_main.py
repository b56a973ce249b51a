"""The command line: what it says, what it refuses, and the stages one after the other on a tiny sample."""

import errno
import json
import os
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from bench import plugins
from bench.cli.main import main
from bench.errors import UserError
from bench.stages import report

ROOT = Path(__file__).parents[2]
STAGES = ["download", "prepare", "train", "evaluate", "transfer", "measure", "report"]


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a params.yaml for one dataset and one network on tiny synthetic images, in the folder worked in."""
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    content |= {"datasets": ["cfd"], "models": ["unet"]}
    content["download"] |= {"source": "sample", "sample": {"images": 5, "size": 64, "seed": 0}}
    content["prepare"] |= {"image_size": 64, "mask_threshold": 127}
    content["train"] |= {"encoder": "resnet18", "weights": None, "epochs": 1, "batch": 4, "threads": 1, "device": "cpu"}
    content["measure"] |= {"encoder": "resnet18", "image_size": 64, "warmup": 0, "repeats": 1, "device": "cpu"}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def bench(params: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["--params", str(params), *map(str, arguments)])


def test_the_commands_are_the_stages_in_order_then_the_tools() -> None:
    assert list(main.commands)[: len(STAGES)] == STAGES
    assert sorted(name for names in main.topics.values() for name in names) == sorted(main.commands)


def test_help_lists_the_commands_by_topic_and_cuts_none_at_80_columns() -> None:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["--help"]).output.split("\n\nPipeline:\n")[1]
    lines = [line for line in shown.split("\n") if line.startswith("  ")]
    assert [line.split()[0] for line in lines] == list(main.commands)  # one line each: none is wrapped
    assert not [line for line in lines if line.endswith("...") or len(line) > 80]


@pytest.mark.parametrize("command", sorted(main.commands))
def test_each_command_has_help_in_the_imperative(command: str) -> None:
    found = CliRunner().invoke(main, [command, "-h"])
    assert found.exit_code == 0
    first = (main.commands[command].help or "").split()[0]
    assert first[0].isupper()
    assert not first.endswith("s"), f"bench {command}: write the help in the imperative, not {first!r}"
    options = [p for p in main.commands[command].params if isinstance(p, click.Option)]
    assert all(option.help for option in options), f"bench {command}: an option has no help"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = ["torch", "pandas", "numpy", "cv2", "matplotlib", "pydantic", "dvc", "requests"]
    start = "from bench.cli.main import main; main(prog_name='bench')"
    code = f"import sys; sys.modules.update(dict.fromkeys({heavy})); {start}"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_help_has_each_topic_once_in_order() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    topics = [line[:-1] for line in shown.split("\n") if line.endswith(":") and not line.startswith((" ", "Options"))]
    assert topics == list(main.topics) == ["Pipeline", "Your model", "Ranking", "Data", "Many cells", "Help"]


def test_bench_and_crackbench_are_one_command() -> None:
    scripts = {e.name: e.value for e in entry_points(group="console_scripts") if e.value.startswith("bench.")}
    assert scripts == {"bench": "bench.cli.main:main", "crackbench": "bench.cli.main:main"}
    shown = [
        subprocess.run(
            [Path(sys.executable).parent / name, "--version"], capture_output=True, text=True, check=True
        ).stdout
        for name in scripts
    ]
    assert shown == [f"{name}, version {version('crackbench')}\n" for name in scripts]


@pytest.mark.parametrize(("kind", "plugin", "title"), [("datasets", "cfd", "CFD"), ("models", "unet", "UNet")])
def test_list_shows_every_id_with_its_name(kind: str, plugin: str, title: str) -> None:
    lines = CliRunner().invoke(main, ["list", kind]).output.splitlines()
    assert [line.split()[0] for line in lines] == plugins.names(kind)
    assert [line.split(maxsplit=1)[1] for line in lines if line.split()[0] == plugin] == [title]


def test_list_of_an_unknown_kind_names_the_valid_ones() -> None:
    found = CliRunner().invoke(main, ["list", "modles"])
    assert found.exit_code == 2
    assert "'datasets', 'models', 'metrics'" in found.output


def test_a_mistyped_command_gets_the_likely_one() -> None:
    found = CliRunner().invoke(main, ["leadboard"])
    assert found.exit_code == 2
    assert "no command 'leadboard'; did you mean 'leaderboard'? Valid commands: download, " in found.output


def test_the_version_is_that_of_the_package() -> None:
    found = CliRunner().invoke(main, ["--version"], prog_name="bench")
    assert found.output == f"bench, version {version('crackbench')}\n"


def test_a_user_error_is_a_message_and_exit_code_1(tmp_path: Path) -> None:
    found = bench(tmp_path / "absent.yaml", "download", tmp_path / "downloads")
    assert found.exit_code == 1
    assert found.output.startswith(f"Error: {tmp_path / 'absent.yaml'} not found: run in the project's folder")
    assert "Traceback" not in found.output


@pytest.mark.parametrize("name", ["my params.yaml", "params.yaml", "params.yaml.old", "a params.yaml/b.yaml", "p"])
def test_the_file_of_settings_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert bench(Path(name), "report").output.startswith(f"Error: {name} not found: ")
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("datasets: []\n")
    assert bench(Path(name), "report").output.startswith(f"Error: {name} has no section 'report'.")


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"datasets": ["cdf"]}, ["download", "d"], "unknown name 'cdf' in datasets; did you mean 'cfd'?"),
        ({"models": []}, ["evaluate", "p", "r", "s", "--dataset", "cfd"], "models must be a list of at least one name"),
        ({"seeds": "0"}, ["evaluate", "p", "r", "s", "--dataset", "cfd"], "seeds must be a list of integers from 0"),
        ({"prepare": {"image_size": 448}}, ["prepare", "d", "p", "--dataset", "cfd"], "the key 'prepare."),
        ({"measure": None}, ["measure", "c.json", "--model", "unet"], "params.yaml has no section 'measure'"),
        ({"report": {"headline": "best"}}, ["report"], "report.headline = 'best'"),
    ],
)
def test_settings_that_do_not_fit_are_told(
    params: Path, changes: dict[str, Any], arguments: list[str], message: str
) -> None:
    params.write_text(yaml.safe_dump(yaml.safe_load(params.read_text()) | changes))
    found = bench(params, *arguments)
    assert found.exit_code == 1
    assert message.replace("params.yaml", str(params)) in found.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prepare", "x", "y", "--dataset", "cdf"], "unknown dataset 'cdf'; did you mean 'cfd'?"),
        (["audit", "cfdd"], "Error: unknown dataset 'cfdd'; did you mean 'cfd'? Valid names: "),
        (["measure", "x.json", "--model", "unett"], "unknown model 'unett'; did you mean 'unet'?"),
        (["prepare", "nowhere", "y", "--dataset", "cfd"], "nowhere/source.json is missing"),
        (["train", "nowhere", "y", "--model", "unet"], "nowhere/card.json is missing"),
        (["evaluate", "nowhere", "r", "s", "--dataset", "cfd"], "nowhere/card.json is missing"),
        (["report", "nowhere", "reports"], "nowhere holds neither scores nor costs"),
    ],
)
def test_arguments_that_do_not_fit_are_told(params: Path, arguments: list[str], message: str) -> None:
    found = bench(params, *arguments)
    assert found.exit_code == 1
    assert message.replace("params.yaml", str(params)) in found.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "a", "b"],
        ["prepare", "a", "b"],
        ["nothing"],
        ["train", "a", "b", "--model", "unet", "--seed", "-1"],
    ],
)
def test_a_wrong_call_is_told_by_exit_code_2(params: Path, arguments: list[str]) -> None:
    assert bench(params, *arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), True),
        (PermissionError(errno.EACCES, "Permission denied", "runs/x"), True),
        (OSError(errno.EIO, "Input/output error", "runs/x"), True),
        (ValueError("a fault of the program"), False),
    ],
)
def test_faults_of_the_machine_are_told_those_of_the_program_are_not_hidden(
    params: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, told: bool
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("bench.stages.report.run", fail)
    found = bench(params, "report")
    assert found.exit_code == 1
    assert ("Error: runs/x: " in found.output) is told
    assert (found.exception is error) is not told


def test_a_message_of_several_lines_stays_whole(params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise UserError("first line\nsecond line")

    monkeypatch.setattr("bench.stages.report.run", fail)
    assert bench(params, "report").output == "Error: first line\nsecond line\n"


def test_the_stages_one_after_the_other(tmp_path: Path, params: Path) -> None:
    t = tmp_path
    calls: list[list[object]] = [
        ["download", t / "downloads", "--archives", t / "archives"],
        ["prepare", t / "downloads/cfd", t / "prepared/cfd", "--dataset", "cfd"],
        ["train", t / "prepared/cfd", t / "runs/cfd/unet/0", "--model", "unet", "--seed", 0],
        ["evaluate", t / "prepared/cfd", t / "runs/cfd", t / "results/scores/cfd", "--dataset", "cfd"],
        ["measure", t / "results/cost/unet.json", "--model", "unet"],
        ["report", t / "results", t / "reports"],
    ]
    for call in calls:
        found = bench(params, *call)
        assert found.exit_code == 0, (found.output, found.exception)
        expected = f"The report is in {t / 'reports' / 'index.html'}: 1 cells." if call[0] == "report" else ""
        assert found.stdout.startswith(expected), call[0]  # results to stdout, progress to stderr
        assert bool(found.stdout) == bool(expected), call[0]
    index = (t / "reports" / "README.md").read_text()
    assert "SAMPLE: synthetic data" in index
    assert "Training results:" not in index
    record = json.loads((t / "runs/cfd/unet/0/run.json").read_text())
    assert record["protocol"] in index
    assert not (t / "archives").exists()


def test_the_lists_of_params_reach_the_stages(params: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = yaml.safe_load(params.read_text())
    content |= {"datasets": ["volker", "cfd"], "models": ["pan", "unet"], "seeds": [3, 1]}
    params.write_text(yaml.safe_dump(content))
    calls: list[tuple[object, ...]] = []

    def note(*arguments: object) -> str:
        calls.append(arguments)
        return ""

    monkeypatch.setattr("bench.stages.report.run", note)
    monkeypatch.setattr("bench.stages.evaluate.run", note)
    assert bench(params, "report", "a", "b").exit_code == 0
    assert bench(params, "evaluate", "p", "r", "s", "--dataset", "cfd").exit_code == 0
    assert calls[0][:2] == (
        report.Folders(Path("a"), Path("b")),
        report.Grid(["volker", "cfd"], ["pan", "unet"], [3, 1]),
    )
    assert calls[1][:6] == (Path("p"), Path("r"), Path("s"), "cfd", ["pan", "unet"], [3, 1])


def test_the_backend_of_a_notebook_hinders_no_figure() -> None:
    code = "from bench.cli.main import main; main(['explain', 'dice'], standalone_mode=False); import matplotlib"
    environment = os.environ | {"MPLBACKEND": "module://a_notebook.backend"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
