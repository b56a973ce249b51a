"""The published split of own data: read from folders or a file, written beside the images, used by prepare."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from bench.data.assign import SplitPlan, assign
from bench.data.convention import Convention
from bench.data.dataset import Pair
from bench.data.own_folder import from_folder
from bench.data.own_split import own_split, read_split_file, with_test, write_own_split
from bench.errors import UserError

ITEMS = ["a", "b", "c.1", "d"]


def test_names_with_and_without_an_ending_are_found(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_bytes("\ufeffFile,Split\r\na.jpg,train\r\nb,Val\r\nc.1,test\r\nd.png,training\r\n".encode())
    assert read_split_file(path, ITEMS) == {"a": "train", "b": "validation", "c.1": "test", "d": "train"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,part\na,train\n", "needs the columns item and split, has item, part"),
        ("", "needs the columns item and split, has none"),
        ("item,split\na,train\nb,test\n", "lacks items: c.1, d"),
        ("item,split\na,train\nb,test\nc.1,test\nd,test\ne,test\n", "lists unknown items: e"),
        ("item,split\na,train\na.png,test\n", "a.png is listed twice"),
        ("item,split\na,dev\n", "a is in 'dev': write train, val or test"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_split_file(tmp_path / "s.csv", ITEMS)


def test_without_a_test_part_validation_is_for_testing() -> None:
    assert with_test({"a": "train", "b": "validation"}) == {"a": "train", "b": "test"}
    assert with_test({"a": "test", "b": "validation"}) == {"a": "test", "b": "validation"}


def write_parts(folder: Path, **parts: int) -> None:
    for part, count in parts.items():
        for number in range(count):
            for kind in ("images", "masks"):
                path = folder / part / kind / f"{part}{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.full((8, 8), 255 * (kind == "masks"), np.uint8)).save(path)


def test_folders_become_the_published_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parts(tmp_path / "own", train=5, val=1, test=2)
    plugin = ModuleType("own")
    plugin.__dict__.update({"FOLDER": str(tmp_path / "own"), "CONVENTION": Convention((255,), (0,)), "PREFIX": "own_"})
    monkeypatch.setattr("bench.plugins.load", lambda kind, name: plugin)
    plugin.__dict__["CARD"] = type("Card", (), {"classes": 1, "coded": False})
    target = tmp_path / "data"
    for kind in ("images", "masks"):
        (target / kind).mkdir(parents=True)
    origin = from_folder(plugin)
    origin.fill(target)
    items = sorted(path.stem for path in (target / "images").iterdir())
    pairs = [Pair(i, target / "images" / f"{i}.png", target / "masks" / f"{i}.png", i) for i in items]
    plan = SplitPlan("published", 0.2, 0.4, 0)
    expected = ["test", "test", *["train"] * 5, "validation"]
    assert own_split(target, items) == expected
    assert assign("own", pairs, plan, items) == expected  # no more validation is split off
    (tmp_path / "s.csv").write_text(
        "item,split\n" + "".join(f"{i},{'test' if i == 'val0' else 'train'}\n" for i in items)
    )
    plugin.__dict__["SPLIT"] = str(tmp_path / "s.csv")
    assert from_folder(plugin).facts["split"] != origin.facts["split"]
    from_folder(plugin).fill(target)
    assert assign("own", pairs, SplitPlan("published", 0.2, 0.0, 0), items) == [*["train"] * 7, "test"]


def test_a_folder_without_a_split_has_none(tmp_path: Path) -> None:
    assert own_split(tmp_path, ["a"]) is None


def test_any_name_survives(tmp_path: Path) -> None:
    items = sorted(["x,y", 'q"q', "NA", "001", " a", "Ri\u00df \u00e9", "-1"])
    write_own_split(tmp_path, dict.fromkeys(items, "train") | {"x,y": "test"})
    assert own_split(tmp_path, items) == ["test" if item == "x,y" else "train" for item in items]
    path = tmp_path / "s.csv"
    path.write_text("item,split\nRi\u00df e\u0301.jpg,train\nb,test\n", encoding="utf-8")
    assert read_split_file(path, ["Ri\u00df \u00e9", "b"]) == {"Ri\u00df \u00e9": "train", "b": "test"}
