"""What commands share: sections and lists of the settings file, read with the file's own errors."""

from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from bench.cli.options import declared, out, read_section
from bench.errors import UserError


@dataclass(frozen=True)
class Small:
    size: int


def context(path: Path) -> click.Context:
    made = click.Context(click.Command("x"))
    made.obj = path
    return made


def test_a_section_comes_with_all_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("small: {size: 3}\nother: 1\n")
    params, small = read_section(context(tmp_path / "p.yaml"), "small", Small)
    assert small == Small(3)
    assert params["other"] == 1


@pytest.mark.parametrize("text", ["other: 1\n", "small: {size: x}\n", "small: {sise: 3}\n"])
def test_a_missing_section_a_wrong_value_and_an_unknown_key_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(UserError, match="small"):
        read_section(context(tmp_path / "p.yaml"), "small", Small)


def test_declared_names_are_known_ones() -> None:
    assert declared({"models": ["unet", "fpn"]}, "models") == ["unet", "fpn"]
    with pytest.raises(UserError, match="unett"):
        declared({"models": ["unett"]}, "models")
    with pytest.raises(UserError, match="models"):
        declared({"models": []}, "models")


def test_out_has_the_default_of_each_command() -> None:
    command = click.command()(out("here", "Folder.")(lambda out: None))
    assert command.make_context("x", []).params == {"out": Path("here")}
