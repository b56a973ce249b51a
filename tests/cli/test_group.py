"""The group: topics in the help text, and one message for every error meant for the user."""

import errno
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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_named(number: int) -> None:
    result = invoke(fail(OSError(number, "no room", "runs/a.png")), "act")
    assert result.exit_code == 1
    assert "runs/a.png: no room" in result.output
    assert isinstance(invoke(fail(OSError(errno.EIO, "bad", "x")), "act").exception, OSError)


def test_a_signal_gives_128_plus_its_number() -> None:
    result = invoke(fail(Interrupted("stopped by SIGTERM", 15)), "act")
    assert result.exit_code == 143
    assert "stopped by SIGTERM" in result.stderr
