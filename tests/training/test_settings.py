"""The section ``train``: ranges are checked, and an error names the key."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.errors import UserError


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0), ("batch", 1), ("accumulate", 3), ("accumulate", 0), ("lr", 0.0), ("lr", float("nan")),
        ("weight_decay", -1.0), ("stop_patience", 0), ("threads", 0), ("workers", -1), ("checkpoint_minutes", -1.0),
        ("select_on", "train"), ("precision", "float16"), ("augment_on", "gpu"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_by_key(train_settings: Callable[..., Any], key: str, value: Any) -> None:
    with pytest.raises(UserError, match=key):
        train_settings(**{"batch": 4, key: value})


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("augment", "affine_p", 1.5), ("augment", "shift", -0.1), ("augment", "hue", 0.6),
        ("augment", "noise_std", [0.2, 0.1]), ("plateau", "factor", 1.0), ("loss", "epsilon", 0.0),
    ],
)  # fmt: skip
def test_nested_values_too(train_settings: Callable[..., Any], section: str, key: str, value: Any) -> None:
    from dataclasses import asdict

    content = asdict(getattr(train_settings(), section)) | {key: value}
    with pytest.raises(UserError, match=key):
        train_settings(**{section: content})


def test_a_loss_of_nothing_is_refused(train_settings: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="cross_entropy"):
        train_settings(loss={"cross_entropy": 0.0, "dice": 0.0, "epsilon": 1e-6, "dice_over": "image"})


@pytest.mark.parametrize(("batch", "accumulate", "micro_batch"), [(32, 1, 32), (32, 4, 8), (7, 3, 3), (5, 2, 3)])
def test_a_micro_batch_is_the_batch_over_its_parts_rounded_up(
    train_settings: Callable[..., Any], batch: int, accumulate: int, micro_batch: int
) -> None:
    assert train_settings(batch=batch, accumulate=accumulate).micro_batch == micro_batch
