"""A failed training leaves its reason beside the run until it succeeds; an interruption is no failure."""

from pathlib import Path

import pytest

from bench.errors import Interrupted, UserError
from bench.formats import failure


def test_a_failure_is_recorded_and_a_success_clears_it(tmp_path: Path) -> None:
    run = tmp_path / "cfd" / "unet" / "0"
    assert failure.read(run) is None
    with pytest.raises(UserError), failure.recorded_failure(run):
        raise UserError("the loss is NaN\nin epoch 3")
    assert failure.read(run) == "the loss is NaN in epoch 3"
    assert not run.exists()
    with pytest.raises(ZeroDivisionError), failure.recorded_failure(run):
        raise ZeroDivisionError
    assert failure.read(run) == "ZeroDivisionError"
    with failure.recorded_failure(run):
        pass
    assert failure.read(run) is None


def test_an_interruption_is_no_failure(tmp_path: Path) -> None:
    for error in (KeyboardInterrupt(), Interrupted("stopped", 15)):
        with pytest.raises(type(error)), failure.recorded_failure(tmp_path / "0"):
            raise error
    assert failure.read(tmp_path / "0") is None


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / ".0.failed.json").write_text("{}")
    with pytest.raises(UserError, match=r"\.0\.failed\.json lacks the key 'why': delete it"):
        failure.read(tmp_path / "0")
