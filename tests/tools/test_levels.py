"""Arrays of every usual encoding are read as one and the same mask, and what could mean several things is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.errors import UserError
from bench.tools.levels import to_levels, to_mask

MASK = np.array([[True, False, False], [True, True, False]])
ENCODINGS = {
    "bool": MASK, "0 and 1": MASK.astype(np.uint8), "0 and 255": np.where(MASK, 255, 0).astype(np.uint8),
    "int64": MASK.astype(np.int64),
    "float": MASK.astype(float), "float 255": 255.0 * MASK, "16 bit": MASK * np.uint16(65535),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENCODINGS)
def test_every_encoding_is_the_same_mask(kind: str) -> None:
    assert (to_mask(ENCODINGS[kind], "true") == MASK).all()
    assert (to_levels({"pred": ENCODINGS[kind]}, "pred")["pred"] == np.where(MASK, 255, 0)).all()


@pytest.mark.parametrize("array", [np.zeros((2, 2)), np.zeros((2, 2), bool)])
def test_an_empty_mask_is_empty(array: np.ndarray) -> None:
    assert not to_mask(array, "true").any()
    assert not to_levels({"pred": array}, "pred")["pred"].any()


@pytest.mark.parametrize("value", [1, 255])
def test_a_full_mask_is_full(value: int) -> None:
    array = np.full((2, 2), value, np.uint8)
    assert to_mask(array, "true").all()
    assert (to_levels({"pred": array}, "pred")["pred"] == 255).all()


@given(arrays.arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32)))
def test_probabilities_keep_their_side_of_one_half(prob: np.ndarray) -> None:
    levels = to_levels({"pred": prob}, "pred")["pred"]
    if not set(np.unique(prob)) <= {0, 1}:
        assert ((levels >= 128) == (prob >= 0.5)).all()


@pytest.mark.parametrize(
    "array", [np.array([[0, 1, 2]]), np.array([[0.0, 300.5]]), np.array([[-1.5, 2.5]]), np.array([[0.5, np.nan]])]
)
def test_what_could_mean_several_things_is_refused_by_name(array: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"^my_pred contains"):
        to_levels({"my_pred": array}, "my_pred")


@pytest.mark.parametrize("array", [np.array([[0, 1, 2]]), np.array([[0.25, 0.75]]), np.arange(256, dtype=np.uint8)])
def test_probabilities_and_codes_are_no_mask(array: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"^true contains"):
        to_mask(array, "true")
