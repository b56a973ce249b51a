"""Matching by names: the same folders first, then the same names, never a guess."""

from pathlib import Path

from bench.data.pairing import File, Key, match, names_of, unused


def keyed(role: str, *keys: Key) -> dict[Key, File]:
    return {key: File(Path(f"{role}/{'-'.join(key)}"), "", role, key) for key in keys}


def test_the_same_folders_come_first() -> None:
    images = keyed("image", ("train", "a", "1"), ("test", "a", "1"))
    masks = keyed("mask", ("test", "a", "1"), ("train", "a", "1"))
    assert {key: mask.key for key, mask in match(images, masks).items()} == {key: key for key in images}


def test_an_exact_name_comes_before_one_with_a_suffix() -> None:
    images = keyed("image", ("", "", "a"), ("", "", "a_mask"))
    masks = keyed("mask", ("", "", "a_mask"), ("", "", "a"))
    assert {key: mask.key for key, mask in match(images, masks).items()} == {key: key for key in images}


def test_names_that_fit_twice_are_left_alone() -> None:
    images = keyed("image", ("", "", "a_0000"), ("", "", "a_0001"))
    masks = keyed("mask", ("", "", "a"))
    assert match(images, masks) == {}
    assert unused(masks, []) == list(masks.values())


def test_a_channel_is_no_part_of_the_name() -> None:
    images, masks = keyed("image", ("train", "", "a_0000")), keyed("mask", ("train", "", "a"))
    assert list(names_of(match(images, masks)).values()) == ["a"]
