"""The group: topics in the help text, and one message for every error meant for the user."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from bench.cli.group import Group
from bench.errors import Interrupted, UserError


def invoke(action: Callable[[], None], *arguments: str) -> Result:
    @click.group(cls=Group)
    @click.option("--params", default="params.yaml", type=click.Path(path_type=Path))
    def group(params: Path) -> None:
        """Do things."""

    @click.command("act")
    def act() -> None:
        """Act at once."""
        action()

    group.add_topic("First topic", act)
    return CliRunner().invoke(group, arguments)


def fail(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


def test_help_lists_commands_under_their_topic() -> None:
    lines = invoke(lambda: None, "--help").output.splitlines()
    topic = next(i for i, line in enumerate(lines) if line.startswith("First topic"))
    assert lines[topic + 1].split() == ["act", "Act", "at", "once."]


def test_a_user_error_is_one_line_and_exit_status_1() -> None:
    result = invoke(fail(UserError("params.yaml: no seeds")), "--params", "my.yaml", "act")
    assert (result.exit_code, result.output) == (1, "Error: my.yaml: no seeds\n")


def test_a_missing_training_library_names_what_to_install_and_any_other_is_a_bug() -> None:
    result = invoke(fail(ModuleNotFoundError("No module named 'torch'", name="torch")), "act")
    assert result.exit_code == 1
    assert ".[train]" in result.output
    assert isinstance(invoke(fail(ModuleNotFoundError("x", name="bench.typo")), "act").exception, ModuleNotFoundError)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.ENAMETOOLONG, errno.ENOTDIR])
def test_a_file_that_cannot_be_used_is_named(number: int) -> None:
    result = invoke(fail(OSError(number, "no room", "runs/a.png")), "act")
    assert result.exit_code == 1
    assert "runs/a.png: no room" in result.output


def bench(*arguments: str, output: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose standard output is the file ``output``."""
    with Path(output).open("w") as file:
        return subprocess.run(
            [sys.executable, "-m", "bench", *arguments], stdout=file, stderr=subprocess.PIPE, text=True, check=False
        )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["list", "models"], ["prepare", "--help"]])
def test_output_to_a_full_disk_is_one_line(arguments: list[str]) -> None:
    found = bench(*arguments, output="/dev/full")
    assert found.returncode == 1
    assert found.stderr == "Error: the output cannot be written: No space left on device.\n"


def test_a_pipe_whose_reader_has_ended_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    found = subprocess.run(
        [sys.executable, "-m", "bench", "list", "models"], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (found.returncode, found.stderr) == (1, b"")


def test_a_signal_gives_128_plus_its_number() -> None:
    result = invoke(fail(Interrupted("stopped by SIGTERM", 15)), "act")
    assert result.exit_code == 143
    assert "stopped by SIGTERM" in result.stderr
