"""Schedules against hand-computed ones and against their bounds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.settings import load_params
from bench.tools import plan
from bench.tools.plan import makespan

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.mark.parametrize(("seconds", "slots", "expected"), [([5], 3, 5), ([4, 3, 3], 2, 6), ([1] * 10, 4, 3)])
def test_hand_computed(seconds: list[float], slots: int, expected: float) -> None:
    assert makespan(seconds, slots) == expected


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=40), st.integers(1, 8))
def test_within_grahams_bound(seconds: list[float], slots: int) -> None:
    bound = max(sum(seconds) / slots, max(seconds))
    assert bound * (1 - 1e-9) <= makespan(seconds, slots) <= sum(seconds) / slots + max(seconds) + 1e-6


@pytest.mark.parametrize(("section", "key"), [("train", "encoder"), ("prepare", "test_share")])
def test_a_missing_setting_is_named(tmp_path: Path, section: str, key: str) -> None:
    params = load_params(PARAMS)
    del params[section][key]
    for make in (lambda: plan.plan(tmp_path, params, [1]), lambda: plan.commands(tmp_path, params)):
        with pytest.raises(UserError, match=rf"the key '{section}\.{key}' is missing"):
            make()


def test_commands_stand_a_folder_with_blanks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan.cells, "outdated_names", lambda root, stage: {"train@cfd-unet-0"})
    found = plan.commands(tmp_path / "my work", load_params(PARAMS))
    assert found == f"cd '{tmp_path}/my work' && bench sweep --no-record --jobs 1 cfd/unet/0"
