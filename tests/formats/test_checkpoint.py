"""Checkpoints: whole or named as torn, of this training or refused."""

import json
import zlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bench.errors import UserError
from bench.formats import checkpoint

IDENTITY = {"model": "unet", "seed": 0}
STATE = {"epoch": 2, "step": 3, "history": [{"epoch": 1}], "best_epoch": 1, "best_loss": 0.5, "seconds": 9, "items": 5}
FACTS = {"identity": IDENTITY, "state": STATE, "groups": [{"lr": 0.1}], "scheduler": {"best": 0.5}, "scaler": {}}


def tensors(value: float = 1.0) -> dict[str, Tensor]:
    return {"weight": torch.full((3, 2), value), "step": torch.tensor(7), "half": torch.ones(2, dtype=torch.bfloat16)}


def save(folder: Path, progress: int = 5, value: float = 1.0, **identity: object) -> Path:
    checkpoint.save(folder, tensors(value), FACTS | {"identity": IDENTITY | identity}, progress)
    return max(folder.glob("*.safetensors"))


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    save(tmp_path / "new" / "folder")
    found = checkpoint.load(tmp_path / "new" / "folder", IDENTITY)
    assert found is not None
    loaded, facts, path = found
    assert facts == FACTS
    assert path.parent == tmp_path / "new" / "folder"
    assert loaded.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor)


def test_facts_may_hold_infinity(tmp_path: Path) -> None:
    state = {"epoch": 1, "step": 0, "history": [], "best_epoch": 0, "best_loss": float("inf"), "seconds": 0, "items": 0}
    checkpoint.save(tmp_path, tensors(), FACTS | {"state": state}, 1)
    found = checkpoint.load(tmp_path, IDENTITY)
    assert found is not None
    assert found.facts["state"]["best_loss"] == float("inf")


def test_the_name_carries_progress_and_checksum(tmp_path: Path) -> None:
    path = save(tmp_path, progress=123)
    assert path.name == f"000000000123-{zlib.crc32(path.read_bytes()):08x}.safetensors"


def test_the_newest_is_the_only_one_kept(tmp_path: Path) -> None:
    save(tmp_path, progress=9, value=9.0)
    save(tmp_path, progress=10, value=10.0)
    assert [path.name[:12] for path in tmp_path.iterdir()] == ["000000000010"]
    found = checkpoint.load(tmp_path, IDENTITY)
    assert found is not None
    assert found[0]["weight"][0, 0] == 10


def test_saving_the_same_state_again_keeps_it(tmp_path: Path) -> None:
    save(tmp_path)
    save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert checkpoint.load(tmp_path, IDENTITY) is not None


def test_no_folder_and_an_empty_one_hold_none(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "absent", IDENTITY) is None
    assert checkpoint.load(tmp_path, IDENTITY) is None


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("tear", [lambda c: c[: len(c) // 2], lambda c: c[:-1], lambda c: b"", flip])
def test_a_torn_one_is_named_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str], tear) -> None:  # type: ignore[no-untyped-def]
    path = save(tmp_path)
    path.write_bytes(tear(path.read_bytes()))
    assert checkpoint.load(tmp_path, IDENTITY) is None
    assert str(path) in capsys.readouterr().err
    assert not path.exists()


def test_behind_a_torn_one_the_older_whole_one_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = save(tmp_path, progress=1, value=1.0)
    content = older.read_bytes()
    newer = save(tmp_path, progress=2, value=2.0)
    older.write_bytes(content)  # as if the process had ended before it was removed
    newer.write_bytes(newer.read_bytes()[:-1])
    found = checkpoint.load(tmp_path, IDENTITY)
    assert found is not None
    assert found[0]["weight"][0, 0] == 1
    assert str(newer) in capsys.readouterr().err


def test_what_a_killed_process_left_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / ".writing").write_bytes(b"half")
    assert checkpoint.load(tmp_path, IDENTITY) is None
    save(tmp_path)
    assert checkpoint.load(tmp_path, IDENTITY) is not None


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        (IDENTITY | {"seed": 1}, "seed"),
        (IDENTITY | {"data": "x"}, "data"),
        ({"seed": 0}, "model"),
        ({"model": "pan", "seed": 2}, "model, seed"),
    ],
)
def test_one_of_another_training_is_refused_and_left_alone(
    tmp_path: Path, identity: dict[str, object], key: str
) -> None:
    path = save(tmp_path)
    content = path.read_bytes()
    with pytest.raises(UserError, match=f"belongs to another training: {key} differ") as caught:
        checkpoint.load(tmp_path, identity)
    assert str(path) in str(caught.value)
    assert f"Delete {tmp_path}" in str(caught.value)
    assert path.read_bytes() == content


FORGED = {
    "no metadata": None,
    "a list": [],
    "no state": {k: v for k, v in FACTS.items() if k != "state"},
    "identity": FACTS | {"identity": "unet"},
    "groups": FACTS | {"groups": {"lr": 1}},
    "a group": FACTS | {"groups": [1]},
    "scheduler": FACTS | {"scheduler": None},
    "scaler": FACTS | {"scaler": 3},
    "a row": FACTS | {"state": STATE | {"history": ["x"]}},
    "text": FACTS | {"state": STATE | {"epoch": "2"}},
    "true": FACTS | {"state": STATE | {"step": True}},
    "epochs": FACTS | {"state": STATE | {"epoch": 7}},
    "the best": FACTS | {"state": STATE | {"best_epoch": 2}},
    "a step": FACTS | {"state": STATE | {"step": -1}},
    "nan": FACTS | {"state": STATE | {"best_loss": float("nan")}},
    "time": FACTS | {"state": STATE | {"seconds": float("inf")}},
    "threads": FACTS | {"threads": 0},
    "no threads": FACTS | {"threads": "two"},
}


@pytest.mark.parametrize("facts", FORGED.values(), ids=FORGED)
def test_metadata_of_other_types_are_refused_in_a_line_that_names_the_file(tmp_path: Path, facts: object) -> None:
    content = {"facts": json.dumps(facts)} if facts is not None else None
    save_file(tensors(), tmp_path / "x", content)
    crc = f"{zlib.crc32((tmp_path / 'x').read_bytes()):08x}"
    path = (tmp_path / "x").rename(tmp_path / f"000000000005-{crc}.safetensors")
    with pytest.raises(UserError, match="is not a checkpoint of this suite") as caught:
        checkpoint.load(tmp_path, IDENTITY)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).endswith(f": delete {tmp_path}.")
    assert "\n" not in str(caught.value)
    assert path.exists()


def test_a_failed_save_keeps_the_last_one_and_no_part(tmp_path: Path) -> None:
    path = save(tmp_path)
    shared = torch.ones(4)
    with pytest.raises(RuntimeError, match="share memory"):
        checkpoint.save(tmp_path, {"a": shared, "b": shared}, FACTS, 9)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_in_it_is_a_pickle(tmp_path: Path) -> None:
    content = save(tmp_path).read_bytes()
    header = int.from_bytes(content[:8], "little")
    assert content[8:9] == b"{"  # safetensors: length of a JSON header, the header, raw numbers
    assert len(content) == 8 + header + 3 * 2 * 4 + 8 + 2 * 2
