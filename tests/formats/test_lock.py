"""Two processes never train one target at once."""

import os
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.formats.lock import exclusive, is_possible


def test_a_target_has_one_holder(tmp_path: Path) -> None:
    target = tmp_path / "runs" / "0"
    refusal = rf"^{target}: process {os.getpid()} on \S+ is training it: wait until it has ended, or stop it"
    with exclusive(target), exclusive(tmp_path / "runs" / "1"):
        for same in (target, tmp_path / "runs" / "1" / ".." / "0"):
            with pytest.raises(UserError, match=refusal), exclusive(same):
                pass
    with exclusive(target):
        pass


def test_this_file_system_has_locks(tmp_path: Path) -> None:
    assert is_possible(tmp_path)
    assert not list(tmp_path.iterdir())
