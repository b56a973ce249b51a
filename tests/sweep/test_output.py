"""Only a whole output is the proof that a cell is done."""

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.formats import files
from bench.sweep import output


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "probabilities").mkdir(parents=True)
    (tmp_path / "run" / "weights").write_text("w")
    (tmp_path / "run" / "probabilities" / "0.png").write_text("p")
    files.write_checksums(tmp_path / "run")
    return tmp_path / "run"


def test_a_whole_run_has_the_digest_of_its_checksums(run: Path) -> None:
    assert output.digest(run) == files.sha256(run / files.SUMS)
    assert output.matches(run, files.sha256(run / files.SUMS))
    assert not output.matches(run, "another")
    assert not output.matches(run, "")
    assert output.digest(run / "weights") == files.sha256(run / "weights")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("weights", None, "weights is missing"),
        ("weights", "v", "weights is damaged"),
        ("probabilities/0.png", "v", "0.png is damaged"),
        (files.SUMS, None, "is unfinished"),
        (files.SUMS, "", "is unfinished"),
        (files.SUMS, "garbage\n", "missing|damaged"),
    ],
)
def test_damage_is_named(run: Path, file: str, content: str | None, message: str) -> None:
    whole = output.digest(run)
    (run / file).unlink()
    if content is not None:
        (run / file).write_text(content)
    with pytest.raises(UserError, match=message):
        output.digest(run)
    assert not output.matches(run, whole)


def test_what_is_not_there_was_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run was not written"):
        output.digest(tmp_path / "run")
