"""A folder of images and masks becomes a dataset that keeps the contract, and goes through download and prepare."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from bench import plugins
from bench.data.convention import Convention
from bench.errors import UserError
from bench.formats import prepared
from bench.settings import load_params, section
from bench.stages import download, prepare
from bench.tools import add_dataset
from bench.tools.reading import Reading
from tests.datasets.test_contract import check_contract
from tests.fixtures.annotations import box, coco, save_image

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_bytes(PARAMS.read_bytes())
    return path


def folder(path: Path, values: list[int], count: int = 6, masks: str = "masks", behind: str = "") -> Path:
    """Write pairs whose masks hold ``values`` in stripes."""
    generator = np.random.default_rng(0)
    for part in ("images", masks):
        (path / part).mkdir(parents=True)
    for i in range(count):
        image = generator.integers(0, 256, (40, 64, 3), np.uint8)
        mask = np.repeat(np.array(values, np.uint8), -(-64 // len(values)))[:64][None].repeat(40, 0)
        Image.fromarray(image).save(path / "images" / f"wall{i // 2}_{i}.jpg")
        Image.fromarray(mask).save(path / masks / f"wall{i // 2}_{i}{behind}.png")
    return path


def add(monkeypatch: pytest.MonkeyPatch, source: Path, params: Path, yes: bool = False, **said: Any) -> ModuleType:
    """Add a dataset ``mine`` whose file lies beside params.yaml, and make it a plug-in."""
    reading = Reading(photo=r"(wall\d)_.*", **said)
    add_dataset.add_dataset(source, "mine", reading, params, params.parent, yes=yes)
    spec = importlib.util.spec_from_file_location("mine", params.parent / "mine.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mine", module)
    spec.loader.exec_module(module)
    load = plugins.load
    monkeypatch.setattr(plugins, "load", lambda kind, name: module if name == "mine" else load(kind, name))
    return module


def through(tmp_path: Path, params: Path) -> prepared.Prepared:
    content = load_params(params)
    settings = section(content, "download", download.DownloadSettings)
    assert download.run(tmp_path / "d", ["mine"], tmp_path / "a", settings) == []
    content["prepare"] |= {"image_size": 32, "mask_threshold": 127, "split": "grouped"}
    prepare.run(tmp_path / "d/mine", tmp_path / "p", "mine", section(content, "prepare", prepare.PrepareSettings))
    return prepared.read(tmp_path / "p")


@pytest.mark.parametrize(("values", "masks", "behind"), [([0, 255], "masks", ""), ([0, 1], "labels", "_mask")])
def test_crack_against_background(
    tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch, values: list[int], masks: str, behind: str
) -> None:
    module = add(monkeypatch, folder(tmp_path / "own", values, masks=masks, behind=behind), params)
    data = through(tmp_path, params)
    check_contract(module, "mine", tmp_path / "d/mine")
    assert module.CARD.classes == 1
    assert module.CARD.photographs == data.items["photo"].nunique() == 3
    assert data.masks.mean() == pytest.approx(0.5)  # value 1 counts as crack although it is below the threshold
    assert data.items.groupby("photo")["split"].nunique().max() == 1


def test_several_classes(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = add(monkeypatch, folder(tmp_path / "own", [0, 1, 2, 3]), params)
    data = through(tmp_path, params)
    check_contract(module, "mine", tmp_path / "d/mine")
    assert module.CARD.classes == data.card["classes"] == 4
    assert module.CARD.coded
    assert np.unique(data.masks).tolist() == [0, 1, 2, 3]


def test_each_of_many_classes_counts(tmp_path: Path, params: Path) -> None:
    said = add_dataset.add_dataset(folder(tmp_path / "own", [0, 20]), "mine", Reading(classes=21), params, tmp_path)
    assert "21 classes" in said
    assert "50.00 %" in said


def test_a_name_that_stands_twice_is_told(tmp_path: Path, params: Path) -> None:
    source = folder(tmp_path / "own", [0, 255])
    for name in ("wall0_0.k.jpg", "wall0_0.png"):
        (source / "images" / name).write_bytes((source / "images" / "wall0_0.jpg").read_bytes())
    with pytest.raises(UserError, match="1 names occur more than once: wall0_0"):
        add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)


def test_params_gain_one_name_and_lose_nothing(tmp_path: Path, params: Path) -> None:
    add_dataset.add_dataset(folder(tmp_path / "own", [0, 255]), "mine", Reading(), params, tmp_path)
    before, after = yaml.safe_load(PARAMS.read_text()), yaml.safe_load(params.read_text())
    assert after["datasets"] == [*before["datasets"], "mine"]
    lines = zip(PARAMS.read_text().splitlines(), params.read_text().splitlines(), strict=True)
    assert sum(x != y for x, y in lines) == 1


@pytest.mark.parametrize("written", ["[cfd, forest,]", "[cfd,\n  forest  # the last\n  ]", "[cfd, 'a]b']"])
def test_a_list_that_cannot_be_changed_safely_is_left_to_a_person(tmp_path: Path, written: str) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(f"datasets: {written}\nseeds: [0]\n")
    with pytest.raises(UserError, match=r"Edit it by hand and set datasets: .*'mine'\]"):
        add_dataset.add_dataset(folder(tmp_path / "own", [0, 255]), "mine", Reading(), params, tmp_path)
    assert params.read_text() == f"datasets: {written}\nseeds: [0]\n"
    assert not (tmp_path / "mine.py").exists()


def test_an_empty_list_takes_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("datasets: []  # none yet\nseeds: [0]\n")
    after = add_dataset.with_name(tmp_path / "p.yaml", "datasets", "mine")
    assert after == "datasets: [mine]  # none yet\nseeds: [0]\n"


def test_a_changed_folder_is_taken_again(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path / "own", [0, 255])
    add(monkeypatch, source, params)
    through(tmp_path, params)
    Image.fromarray(np.zeros((40, 64, 3), np.uint8)).save(source / "images" / "wall0_0.jpg")
    through(tmp_path, params)
    assert (tmp_path / "d/mine/images/wall0_0.jpg").read_bytes() == (source / "images" / "wall0_0.jpg").read_bytes()


@pytest.mark.parametrize(
    ("values", "classes", "expected"),
    [([0, 100], None, 100), ([0, 2], 1, 2), ([0, 127], 1, 127), ([0, 200], 1, 200), ([0, 255], 1, 255), ([0], 1, 255)],
)
def test_of_two_values_the_larger_is_crack_whatever_the_threshold(
    tmp_path: Path,
    params: Path,
    monkeypatch: pytest.MonkeyPatch,
    values: list[int],
    classes: int | None,
    expected: int,
) -> None:
    module = add(monkeypatch, folder(tmp_path / "own", values), params, yes=len(values) == 1, classes=classes)
    assert Convention(crack=(expected,), background=(0,)) == module.CONVENTION
    assert pytest.approx(50 * (len(values) - 1)) == module.CARD.crack_share_pct
    assert through(tmp_path, params).masks.mean() == pytest.approx((len(values) - 1) / 2)


def test_grey_levels_are_kept_for_the_threshold(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path / "own", [0, *range(90, 110), *range(200, 211)])
    module = add(monkeypatch, source, params)
    assert Convention() == module.CONVENTION
    assert not module.CARD.coded
    assert through(tmp_path, params).masks.mean() == pytest.approx(11 / 32)


def test_a_threshold_that_changes_the_share_is_told(tmp_path: Path, params: Path) -> None:
    source = folder(tmp_path / "own", [0, *range(90, 110), *range(200, 211)])
    said = add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)
    assert "34.38 % of the pixels" in said
    assert "prepare.mask_threshold is 0 in" in said
    assert "so that 96.88 % will be crack" in said
    assert "note" not in add_dataset.add_dataset(folder(tmp_path / "b", [0, 255]), "b", Reading(), params, tmp_path)


def test_ignored_pixels_reach_the_prepared_masks(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path / "own", [0, 1, 0, 255])
    with pytest.raises(UserError, match="are codes"):
        add(monkeypatch, source, params)
    module = add(monkeypatch, source, params, ignore=("255",))
    data = through(tmp_path, params)
    check_contract(module, "mine", tmp_path / "d/mine")
    assert np.unique(data.masks).tolist() == [0, 1, 255]
    assert pytest.approx(100 / 3, rel=1e-3) == module.CARD.crack_share_pct
    assert data.items["crack_share"].mean() == pytest.approx(1 / 3)


def test_named_values_become_classes(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes = (("255", "crack"), ("204", "planking"))
    module = add(monkeypatch, folder(tmp_path / "own", [0, 204, 0, 255]), params, classes=classes)
    assert module.CARD.classes == 3
    assert np.unique(through(tmp_path, params).masks).tolist() == [0, 1, 2]


def test_masks_that_are_likely_wrong_are_refused_with_overlays(tmp_path: Path, params: Path) -> None:
    source = folder(tmp_path / "own", [255, 255, 255, 0])
    with pytest.raises(UserError, match=r"75.00 % of all pixels are crack: .* inverted \(`--crack 0` reads them so\)"):
        add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)
    assert (tmp_path / "mine_overlays.png").is_file()
    assert not (tmp_path / "mine.py").exists()
    assert "25.00 %" in add_dataset.add_dataset(source, "mine", Reading(crack=("0",)), params, tmp_path)
    said = add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path, replace=True, yes=True)
    assert "75.00 %" in said


def test_an_own_dataset_is_replaced_and_removed(tmp_path: Path, params: Path) -> None:
    source = folder(tmp_path / "own", [0, 255])
    add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)
    with pytest.raises(UserError, match=r"'mine' exists already: .*--replace"):
        add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)
    add_dataset.add_dataset(source, "mine", Reading(photo="(.).*"), params, tmp_path, replace=True)
    assert 'PHOTO = "(.).*"' in (tmp_path / "mine.py").read_text()
    assert "untouched" in add_dataset.remove_dataset("mine", params, tmp_path)
    assert params.read_bytes() == PARAMS.read_bytes()
    assert not (tmp_path / "mine.py").exists()
    assert len(list((source / "masks").iterdir())) == 6
    for name, words in (("mine", "does not exist"), ("cfd", "is not one of your own")):
        with pytest.raises(UserError, match=words):
            add_dataset.remove_dataset(name, params, Path(plugins.__file__).parent / "datasets")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("datasets: [mine]  # own\n", []),
        ("datasets: [mine, cfd]\n", ["cfd"]),
        ("datasets: [cfd, mine]\n", ["cfd"]),
        ("datasets: [cfd, mine, mine_2]\n", ["cfd", "mine_2"]),
        ("datasets: [mine_2,\n  mine]\n", ["mine_2"]),
        ("datasets:\n  - cfd\n  - mine\n  - gaps\n", ["cfd", "gaps"]),
        ("datasets: [cfd]\n", ["cfd"]),
    ],
)
def test_a_name_leaves_the_list_and_nothing_else(tmp_path: Path, text: str, left: list[str]) -> None:
    (tmp_path / "p.yaml").write_text(text + "seeds: [0]  # keep\n")
    after = add_dataset.without_name(tmp_path / "p.yaml", "datasets", "mine")
    assert yaml.safe_load(after) == {"datasets": left, "seeds": [0]}
    assert after.endswith("seeds: [0]  # keep\n")


def test_what_does_not_fit_is_told(tmp_path: Path, params: Path) -> None:
    source = folder(tmp_path / "own", [0, 1, 2])
    for name, said, words in (
        ("My Walls", {}, "is not a valid dataset name"),
        ("cfd", {}, "exists already and is not one of your own"),
        ("mine", {"photo": "wall"}, "needs a group"),
        ("mine", {"photo": "("}, "not a valid regular expression"),
        ("mine", {"classes": 2}, "has the value 2: with --classes 2 values must be below 2"),
    ):
        with pytest.raises(UserError, match=words):
            add_dataset.add_dataset(source, name, Reading(**said), params, tmp_path)  # type: ignore[arg-type]
    (source / "masks" / "wall0_0.png").unlink()
    with pytest.raises(UserError, match=r"1 files have no partner: .*wall0_0\.jpg"):
        add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="contains no images"):
        add_dataset.add_dataset(tmp_path / "none", "mine", Reading(), params, tmp_path)
    assert params.read_bytes() == PARAMS.read_bytes()


def annotated(root: Path) -> Path:
    """Write six images with two labels in two COCO files, train and val."""
    for part, count in (("train", 4), ("val", 2)):
        names = [f"{part}{i}.jpg" for i in range(count)]
        for name in names:
            save_image(root / "images" / name)
        regions = [(i, label, [box(5, top, 50, top + 4)]) for i in range(count) for label, top in LABELS.items()]
        coco(root / "annotations" / f"instances_{part}.json", names, regions)
    save_image(root / "images" / "without.jpg")
    return root


LABELS = {"crack": 3, "spalling": 20}


def test_annotations_become_masks(tmp_path: Path, params: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = annotated(tmp_path / "own")
    with pytest.raises(UserError, match=r"2 labels: crack \(7\.50 %\), spalling \(7\.50 %\)"):
        add_dataset.add_dataset(source, "mine", Reading(), params, tmp_path)
    assert not [path for path in tmp_path.iterdir() if "masks" in path.name]
    module = add(monkeypatch, source, params, crack=("crack",))
    data = through(tmp_path, params)
    check_contract(module, "mine", tmp_path / "d/mine")
    assert len(data.items) == 6
    assert data.masks.mean() == pytest.approx(0.075, abs=0.02)
    said = add_dataset.add_dataset(
        source, "mine", Reading(classes=(("crack", "crack"), ("spalling", "damage"))), params, tmp_path, replace=True
    )
    for text in ("4 train, 2 test", "annotations         1 crack, 2 spalling", "15.00 %", "images/without.jpg"):
        assert text in said
    assert "3 classes (background: 0, crack: 1, damage: 2)" in said
    assert len(list((tmp_path / "mine_masks").rglob("*.png"))) == 6
    add_dataset.remove_dataset("mine", params, tmp_path)
    assert not (tmp_path / "mine_masks").exists()
    assert len(list((source / "images").iterdir())) == 7


def test_a_region_that_moved_changes_the_datasets_file(tmp_path: Path, params: Path) -> None:
    source, written = annotated(tmp_path / "own"), []
    for shift in (0, 7):  # the crack share stays
        regions = [(i, "crack", [box(5, 3 + shift, 50, 7 + shift)]) for i in range(2)]
        coco(source / "annotations" / "instances_val.json", ["val0.jpg", "val1.jpg"], regions)
        add_dataset.add_dataset(source, "mine", Reading(crack=("crack",)), params, tmp_path, replace=bool(shift))
        written.append((tmp_path / "mine.py").read_text())
    assert written[0] != written[1]
    assert len({text.split("share_pct=")[1].split(",")[0] for text in written}) == 1


def test_annotation_files_may_be_named_and_masks_come_first(tmp_path: Path, params: Path) -> None:
    source = annotated(tmp_path / "own")
    reading = Reading(masks="annotations/*_train.json", crack=("crack",))
    assert "pairs               4" in add_dataset.add_dataset(source, "mine", reading, params, tmp_path)
    (tmp_path / "other_masks").mkdir()
    with pytest.raises(UserError, match=r"other_masks, for the drawn masks, exists already"):
        add_dataset.add_dataset(source, "other", reading, params, tmp_path)
    with pytest.raises(UserError, match="leave out --images"):
        add_dataset.add_dataset(source, "third", Reading("images/*", "*.json"), params, tmp_path)
    masks = folder(tmp_path / "masks", [0, 255])
    coco(masks / "instances.json", ["wall0_0.jpg"], [(0, "crack", [box(1, 1, 9, 9)])])
    assert "pairs               6" in add_dataset.add_dataset(masks, "fourth", Reading(), params, tmp_path)
