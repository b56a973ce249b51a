"""COCO and labelme files: every kind of region is drawn as its own tool draws it, or refused by name."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.tools.annotations import annotation_files, read_annotations
from tests.fixtures.annotations import SIZE, box, coco, labelme


def drawn(path: Path) -> dict[str, np.ndarray]:
    """Return the regions of the first image of a file by label."""
    one = next(read_annotations(path, annotation_files(path.parent)[path]))
    return {shape.label: shape.draw() for shape in one.shapes(SIZE)}


def test_polygons_of_several_parts_and_run_lengths_are_drawn(tmp_path: Path) -> None:
    from faster_coco_eval.core import mask

    truth = np.zeros(SIZE, np.uint8)
    truth[3:9, 5:50] = 1
    flat = truth.ravel(order="F")
    counts = np.diff(np.r_[0, np.flatnonzero(np.diff(flat)) + 1, flat.size]).tolist()
    compressed = mask.encode(np.asfortranarray(truth))
    segmentations: dict[str, Any] = {
        "one": [box(5, 3, 50, 9)],
        "parts": [box(5, 3, 20, 9), box(20, 3, 50, 9)],
        "counts": {"size": list(SIZE), "counts": counts},
        "text": {"size": list(SIZE), "counts": compressed["counts"].decode()},
    }
    coco(tmp_path / "a.json", ["a.jpg"], [(0, label, outline) for label, outline in segmentations.items()])
    found = drawn(tmp_path / "a.json")
    assert found.keys() == segmentations.keys()
    for label, region in found.items():
        assert np.array_equal(region, truth > 0), label


def test_a_polygon_of_labelme_has_its_outline(tmp_path: Path) -> None:
    outlines = {"crack": [[[5, 3], [50, 3], [50, 9], [5, 9]]], "thin": [[[1, 1], [9, 1], [5, 1]]]}
    labelme(tmp_path / "a.json", "a.jpg", outlines)
    found = drawn(tmp_path / "a.json")
    expected = np.zeros(SIZE, bool)
    expected[3:10, 5:51] = True
    assert np.array_equal(found["crack"], expected)
    assert found["thin"].sum() == 9  # as thin as a line


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([], "annotation 0 without an outline"),
        (None, "annotation 0 without an outline"),
        ([[1, 2, 3, 4]], "fewer than three points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "annotation 0 without an outline"),
        ({"size": [4, 4], "counts": [16]}, r"run lengths of \[4, 4\], not of \[40, 60\] px"),
        ({"size": list(SIZE), "counts": [5]}, "do not cover the image"),
        ({"size": list(SIZE), "counts": "zz"}, "is damaged"),
        ([["a", "b", "c", "d", "e", "f"]], "is damaged"),
        ({"counts": [5]}, r"is damaged \(KeyError"),
    ],
)
def test_what_is_no_region_is_refused_by_file(tmp_path: Path, segmentation: Any, message: str) -> None:
    from bench.tools.draw_annotations import draw_annotations
    from tests.fixtures.annotations import save_image

    save_image(tmp_path / "a.jpg")
    coco(tmp_path / "a.json", ["a.jpg"], [(0, "crack", segmentation)])
    with pytest.raises(UserError, match=message) as caught:
        draw_annotations(tmp_path, annotation_files(tmp_path), tmp_path / "masks")
    assert "a.json" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"shapes": [{"label": "a", "points": [[1, 1], [9, 9]], "shape_type": "linestrip"}]},
            "a linestrip of 2 points",
        ),
        ({"shapes": [{"label": "crack", "points": [[1, 1], [9, 9]]}]}, "a polygon of 2 points labelled crack"),
        ({"shapes": [{"points": [[1, 1], [9, 9], [1, 9]]}]}, r"is damaged \(KeyError: 'label'\)"),
        ({"shapes": ["crack"]}, "is damaged"),
    ],
)
def test_other_shapes_of_labelme_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    labelme(tmp_path / "a.json", "a.jpg", {}, **changes)
    with pytest.raises(UserError, match=message):
        drawn(tmp_path / "a.json")


def test_annotations_of_an_image_that_is_not_listed_are_named(tmp_path: Path) -> None:
    content = coco(tmp_path / "a.json", ["a.jpg"], [(0, "crack", [box(1, 1, 9, 9)])])
    coco(tmp_path / "a.json", ["a.jpg"], [], annotations=[content["annotations"][0] | {"image_id": 99}])
    with pytest.raises(UserError, match=r"a\.json lists no image for 1 annotations, such as 0"):
        drawn(tmp_path / "a.json")


def test_other_json_files_are_left_out_and_broken_ones_named(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(json.dumps({"tags": []}))
    (tmp_path / "list.json").write_text("[1]")
    labelme(tmp_path / "a.json", "a.jpg", {}, imageData="abc")
    assert list(annotation_files(tmp_path)) == [tmp_path / "a.json"]
    assert "imageData" not in annotation_files(tmp_path)[tmp_path / "a.json"]
    with pytest.raises(UserError, match=r"no COCO or labelme file below .* matches --masks 'meta\.json'"):
        annotation_files(tmp_path, "meta.json")
    (tmp_path / "torn.json").write_text('{"shapes": [')
    with pytest.raises(UserError, match=r"torn\.json is no valid JSON"):
        annotation_files(tmp_path)
    assert annotation_files(tmp_path, "a*.json").keys() == {tmp_path / "a.json"}


def test_coco_files_without_their_library_get_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coco(tmp_path / "a.json", ["a.jpg"], [(0, "crack", [box(1, 1, 9, 9)])])
    monkeypatch.setitem(sys.modules, "faster_coco_eval.core", None)
    with pytest.raises(UserError, match=r"COCO files need faster-coco-eval: `pip install '\.\[coco\]'`"):
        drawn(tmp_path / "a.json")
