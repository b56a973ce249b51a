"""The record of an entry: it fits what was written, and names what was changed since."""

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.formats import entry, files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return external/my_net with the scores of two datasets and a record."""
    (tmp_path / "params.yaml").write_text("a: 1\n")
    made = tmp_path / "external" / "my_net"
    for dataset in ("cfd", "gaps"):
        files.write_text(made / dataset / "images.csv", f"{dataset}\n")
        files.write_checksums(made / dataset)
    facts = {"model": "my_net", "trained": "entered", "versions": {}, "code": {}}
    entry.write(made, facts | {"params_sha256": files.sha256(tmp_path / "params.yaml")})
    return made


def faults(folder: Path) -> list[str]:
    return list(entry.faults(folder, folder.parents[1] / "params.yaml"))


def test_what_was_written_has_no_faults(folder: Path) -> None:
    assert faults(folder) == []


def test_each_change_is_named(folder: Path) -> None:
    files.write_text(folder / "cfd" / "images.csv", "better\n")
    files.write_checksums(folder / "cfd")
    (found,) = faults(folder)
    assert "cfd: the scores are not those that `bench enter` wrote" in found
    (folder.parents[1] / "params.yaml").write_text("a: 2\n")
    assert "another params.yaml" in faults(folder)[0]
    renamed = folder.rename(folder.with_name("other"))
    assert "is of my_net, not of other" in faults(renamed)[0]


def test_a_missing_or_incomplete_record_is_said(folder: Path) -> None:
    files.write_json(folder / entry.NAME, {"model": "my_net"})
    with pytest.raises(UserError, match="lacks the key"):
        faults(folder)
    (folder / entry.NAME).unlink()
    assert "is missing: enter the model" in faults(folder)[0]
