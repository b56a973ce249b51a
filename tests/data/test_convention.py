"""Conventions: what can be told is told, what could mean several things is refused with values, shares and options."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.data.convention import Census, Convention, canonical, census, crack_share, recognise, stated
from bench.errors import UserError
from tests.fixtures.masks import AS_BINARY, framed, layers, share, write

CODED = {
    "ignored rows": lambda i, m: framed(m),
    "classes and ignored rows": lambda i, m: np.where(framed(m) == 1, 1 + i % 2, framed(m)).astype(np.uint8),
    "127 and 255": lambda i, m: np.where(m > 0, 127 if i % 2 else 255, 0).astype(np.uint8),
    "204 in all": lambda i, m: np.where(np.arange(96)[:, None] < 5, 204, m).astype(np.uint8),
    "1 and 2": lambda i, m: (m > 0).astype(np.uint8) + np.uint8(1),
}


def masks(root: Path, store: Callable[[int, np.ndarray], Any], suffix: str = ".png") -> list[Census]:
    return [census(path)[0] for path in sorted((write(root, store, suffix=suffix) / "masks").iterdir())]


@pytest.mark.parametrize("kind", AS_BINARY)
def test_the_same_masks_have_the_same_share_however_they_are_stored(tmp_path: Path, kind: str) -> None:
    store, suffix = AS_BINARY[kind]
    counted = masks(tmp_path, store, suffix)
    convention = recognise(counted)
    expected = share() if kind != "one empty" else share() - share(1) / 6
    assert crack_share(counted, convention) == pytest.approx(expected, rel=0.02 if suffix == ".jpg" else 1e-9)
    assert not convention.is_coded
    for mask in counted:
        values = canonical(mask.path, convention)
        assert set(np.unique(values)) <= {0, 255}
        assert kind == "one empty" or (values > 127).any()


@pytest.mark.parametrize("kind", CODED)
def test_codes_are_refused_with_values_shares_and_options(tmp_path: Path, kind: str) -> None:
    counted = masks(tmp_path, CODED[kind])
    with pytest.raises(UserError) as caught:
        recognise(counted)
    for text in (r"%)", "codes, not grey levels", "--crack V", "--classes V=name", "--ignore V"):
        assert text in str(caught.value)
    for value in set().union(*(mask.counts for mask in counted)):
        assert f"{value} (" in str(caught.value)


def test_ignored_pixels_leave_the_share_of_the_others(tmp_path: Path) -> None:
    counted = masks(tmp_path, CODED["ignored rows"])
    convention = recognise(counted, ignore=[255])
    total = sum(mask.counts[1] for mask in counted)
    assert crack_share(counted, convention) == pytest.approx(total / (6 * 96 * 72))
    assert convention == Convention(crack=(1,), background=(0,), ignore=(255,))
    assert np.unique(canonical(counted[0].path, convention)).tolist() == [0, 1, 255]
    assert recognise(masks(tmp_path / "b", CODED["classes and ignored rows"]), ignore=[255]).names == [
        "background", "class 1", "class 2",
    ]  # fmt: skip


def test_values_without_gaps_are_classes(tmp_path: Path) -> None:
    counted = masks(tmp_path, lambda i, m: np.where(m > 0, 1 + i % 2, 0).astype(np.uint8))
    assert recognise(counted).names == ["background", "class 1", "class 2"]
    assert crack_share(counted, recognise(counted)) == pytest.approx(share())
    with pytest.raises(UserError, match="has the value 2: with --classes 2 values must be below 2"):
        recognise(counted, classes=2)
    with pytest.raises(UserError, match="are codes"):
        recognise(counted, classes=1)


def test_a_user_says_what_codes_mean(tmp_path: Path) -> None:
    counted = masks(tmp_path, CODED["204 in all"])
    crack = stated(counted, [255], (), ())
    assert crack == Convention(crack=(255,), background=(0, 204))
    assert crack_share(counted, crack) == pytest.approx(sum(m.counts[255] for m in counted) / (6 * 96 * 96))
    named = stated(counted, (), [(255, "crack"), (204, "planking")], ())
    assert named.names == ["background", "crack", "planking"]
    assert np.unique(canonical(counted[0].path, named)).tolist() == [0, 1, 2]
    assert stated(counted, (), [(255, "crack"), (204, "background")], ()).crack == (255,)
    assert stated(counted, [255], (), [204]).is_coded


@pytest.mark.parametrize(
    ("crack", "classes", "words"),
    [
        ([7], (), "no mask has the value 7; they contain 0 "),
        ((), [(255, "crack")], "--classes does not name the value 204"),
    ],
)
def test_what_a_user_says_is_compared_with_the_masks(
    tmp_path: Path, crack: list[int], classes: list[tuple[int, str]], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        stated(masks(tmp_path, CODED["204 in all"]), crack, classes, ())


def test_grey_levels_have_no_codes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"grey levels .*leave out --crack"):
        stated(masks(tmp_path, lambda i, m: m, ".jpg"), [255], (), ())


def test_codes_among_masks_of_grey_levels_are_named(tmp_path: Path) -> None:
    counted = masks(tmp_path / "soft", lambda i, m: m, ".jpg")
    assert recognise(counted + masks(tmp_path / "two", CODED["204 in all"])[:2]) == Convention()  # may be smooth edges
    counted += masks(tmp_path / "coded", CODED["204 in all"])
    with pytest.raises(
        UserError, match=r"6 masks, such as .*w0\.png, contain only 0, 204, 255, others have grey levels"
    ):
        recognise(counted)
    assert recognise(counted, classes=1) == Convention()


def test_different_colours_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"w0\.png is red on black, .*w1\.png is blue: colours may be classes"):
        recognise(masks(tmp_path, lambda i, m: (layers(0, 0, -1) if i % 2 else layers(-1, 0, 0))(i, m)))


def test_a_value_that_came_later_is_refused_by_file(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 9]], np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"a\.png has the value 9, which no other mask had"):
        canonical(tmp_path / "a.png", Convention(crack=(255,), background=(0,)))


def test_all_pixels_ignored_is_no_crack() -> None:
    masks = [Census(Path("a.png"), {255: 4}, "grey", False)]
    assert crack_share(masks, Convention(crack=(1,), background=(0,), ignore=(255,))) == 0
