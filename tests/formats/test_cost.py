"""Cost: what is written comes back, what is missing is named."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.formats import cost, files

Record = Callable[..., dict[str, Any]]


def test_what_is_written_comes_back(tmp_path: Path, cost_record: Record) -> None:
    cost.write(tmp_path / "cost" / "unet.json", cost_record())
    derived = {"relative_latency": 0.25, "drifted": False}
    assert cost.read(tmp_path / "cost" / "unet.json") == cost_record() | derived


@pytest.mark.parametrize(
    ("before", "after", "relative", "drifted"), [(4, 5, 2, True), (10, 8, 1, True), (4.4, 4, 9 / 4.2, False)]
)
def test_the_latency_relative_to_the_anchor(
    tmp_path: Path, cost_record: Record, before: float, after: float, relative: float, drifted: bool
) -> None:
    record = cost_record(latency_ms_p50=9.0, anchor_ms_before=before, anchor_ms_after=after)
    cost.write(tmp_path / "unet.json", record)
    found = cost.read(tmp_path / "unet.json")
    assert found["relative_latency"] == pytest.approx(relative)
    assert found["drifted"] is drifted


def test_an_older_file_was_counted_by_fvcore_and_has_no_anchor(tmp_path: Path, cost_record: Record) -> None:
    record = {key: value for key, value in cost_record().items() if key not in cost.LATER}
    files.write_json(tmp_path / "unet.json", record)
    found = cost.read(tmp_path / "unet.json")
    assert found["counter"] == "fvcore"
    assert math.isnan(found["relative_latency"])
    assert not found["drifted"]


@pytest.mark.parametrize("value", [0, -1.0, True, "4", None])
def test_an_anchor_s_latency_that_is_none_is_refused(tmp_path: Path, cost_record: Record, value: object) -> None:
    files.write_json(tmp_path / "unet.json", cost_record(anchor_ms_after=value))
    with pytest.raises(UserError, match=r"unet\.json: anchor_ms_after is .*, not a latency in ms: run `bench measure`"):
        cost.read(tmp_path / "unet.json")


@pytest.mark.parametrize("key", cost.KINDS)
def test_a_record_without_a_key_is_neither_written_nor_read(tmp_path: Path, cost_record: Record, key: str) -> None:
    record = cost_record()
    del record[key]
    path = tmp_path / "unet.json"
    with pytest.raises(ValueError, match=f"cost record lacks .*{key}"):
        cost.write(path, record)
    assert not path.exists()
    files.write_json(path, record)
    with pytest.raises(UserError, match=f"lacks the key '{key}': run `bench measure`") as caught:
        cost.read(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_torn_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "unet.json"
    with pytest.raises(UserError, match=r"unet\.json is missing"):
        cost.read(path)
    path.write_text('{"model": "un')
    with pytest.raises(UserError, match=r"unet\.json is damaged"):
        cost.read(path)
