"""A model's file becomes a plug-in from anywhere; one that is none says so with its name."""

from pathlib import Path

import pytest

from bench import plugins
from bench.errors import UserError
from bench.tools.model_file import is_plugin, use_model_file

MODEL = 'NAME = "Mine"\n\n\ndef build(*arguments):\n    return None\n'


def test_the_file_is_a_model_under_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugins.OWN, "")
    file = tmp_path / "net.py"
    file.write_text(MODEL)
    assert not is_plugin(file)
    use_model_file(file, "anywhere", tmp_path / "work")
    assert plugins.load("models", "anywhere").NAME == "Mine"
    copy = tmp_path / "work" / "plugins" / "models" / "anywhere.py"
    assert is_plugin(copy)
    use_model_file(copy, "anywhere", tmp_path / "work")  # onto itself
    assert copy.read_text() == MODEL


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError: No module named"),
        ("def build(", "cannot be imported: SyntaxError"),
        ("NAME = 3", "defines no NAME"),
        (None, "not found"),
    ],
)
def test_what_is_no_model_is_refused_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, message: str
) -> None:
    monkeypatch.setenv(plugins.OWN, "")
    file = tmp_path / "net.py"
    if content:
        file.write_text(content)
    with pytest.raises(UserError, match=rf"net\.py {message}"):
        use_model_file(file, "broken", tmp_path / "work")


def test_a_model_of_the_suite_is_a_plugin_already() -> None:
    assert is_plugin(Path(plugins.load("models", "fpn").__file__ or ""))
