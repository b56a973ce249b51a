"""Selecting pairs from the names in an archive."""

from bench.data.pack import paired

SELECT = paired(r"(train|test|)/?images/(.+)\.jpg", r"(train|test|)/?labels/(.+)\.png")


def test_images_without_a_mask_and_other_files_are_left_out() -> None:
    members = ["images/a.jpg", "labels/a.png", "images/b.jpg", "labels/c.png", "readme.txt"]
    assert SELECT(members) == {"images/a.jpg": "images/a.jpg", "masks/a.png": "labels/a.png"}


def test_the_same_stem_in_two_parts_gets_its_part_in_front_the_second_time() -> None:
    members = ["test/images/a.jpg", "test/labels/a.png", "train/images/a.jpg", "train/labels/a.png"]
    chosen = SELECT(members)
    assert chosen["images/a.jpg"] == "train/images/a.jpg"  # training first, whatever the order of the members
    assert chosen["images/test_a.jpg"] == "test/images/a.jpg"
    assert chosen["masks/test_a.png"] == "test/labels/a.png"
    assert SELECT(members[::-1]) == chosen


def test_the_case_of_names_does_not_matter() -> None:
    assert SELECT(["IMAGES/a.JPG", "Labels/a.PNG"]) == {"images/a.jpg": "IMAGES/a.JPG", "masks/a.png": "Labels/a.PNG"}
