"""The commands for a model of one's own: which names and combinations of options are refused."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench.cli.main import main
from bench.tools import predict

PARAMS = Path(__file__).parents[2] / "params.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PARAMS.read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("plugins: null", "plugins: mine"), encoding="utf-8")
    (tmp_path / "maps").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["unet", "UNet", "a b", "a/b", "../x", "..", "1st", "", "=1", "-x", "--help"])
def test_score_refuses_names_of_this_suite_and_names_that_are_no_identifier(name: str) -> None:
    result = run("score", "maps", "--dataset", "cfd", f"--model={name}")
    assert result.exit_code == 1
    assert f"--model {name}:" in result.output


@pytest.mark.parametrize(("name", "named"), [("a\x1b[2Jb\n", r"a\x1b[2Jb\n:"), ("x" * 300, "xxx... (308 characters):")])
def test_a_name_of_control_characters_or_too_long_is_one_line(name: str, named: str) -> None:
    result = run("score", "maps", "--dataset", "cfd", f"--model={name}")
    assert result.exit_code == 1
    assert named in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_score_refuses_an_unknown_dataset_and_a_negative_seed() -> None:
    assert "'cfdd'" in run("score", "maps", "--dataset", "cfdd", "--model", "mine").output
    assert run("score", "maps", "--dataset", "cfd", "--model", "mine", "--seed", "-1").exit_code == 2


def test_predict_takes_either_a_dataset_or_images() -> None:
    for arguments in ([], ["--dataset", "cfd", "--images", "maps"]):
        result = run("predict", "net.onnx", *arguments)
        assert result.exit_code == 1
        assert "--dataset" in result.output
        assert "--images" in result.output


def test_predict_hands_on_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(predict, "on_dataset", lambda *given: calls.append(given) or "done")
    result = run("predict", "net.onnx", "--dataset", "cfd", "--output", "probabilities", "--out", "p")
    assert result.output == "done\n"
    assert calls == [(predict.Network(Path("net.onnx"), "probabilities"), Path("prepared/cfd"), Path("p"))]


def test_add_model_refuses_a_name_that_no_package_offers() -> None:
    result = run("add-model", "nowhere")
    assert result.exit_code == 1
    assert "nowhere" in result.output
