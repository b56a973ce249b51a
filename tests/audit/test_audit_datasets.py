"""The audit names each fault of crafted files, and counts what a split gives away as one does by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from bench.audit.integrity import inspect, unpaired
from bench.audit.leakage import SIDES, coverage, leakage, links_by_content, links_by_names
from bench.cli.main import main
from bench.data import decode
from bench.data.dataset import Pair
from bench.stages.download import DownloadSettings, Sample
from bench.stages.download import run as download

GENERATOR = np.random.default_rng(0)
PARAMS = Path(__file__).parents[2] / "params.yaml"


def noise(*shape: int) -> np.ndarray:
    return GENERATOR.integers(0, 256, shape, np.uint8)


def half(value: int) -> np.ndarray:
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :2] = value
    return mask


def save(path: Path, array: np.ndarray, **options: object) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path, **options)


def flags(root: Path, image: np.ndarray, mask: np.ndarray, suffix: str = ".png", **options: object) -> set[str]:
    save(root / "images" / f"1{suffix}", image, **options)
    save(root / "masks" / "1.png", mask)
    pair = Pair("1", root / "images" / f"1{suffix}", root / "masks" / "1.png", "1")
    return set(inspect(pair, 1)[0]["flags"].split("; ")) - {""}


def test_a_sound_pair_has_no_flags(tmp_path: Path) -> None:
    assert flags(tmp_path, noise(8, 8, 3), half(255)) == set()


def test_each_fault_is_named(tmp_path: Path) -> None:
    image = noise(8, 8, 3)
    assert flags(tmp_path, noise(9, 8, 3), half(255)) == {"sizes differ"}
    assert flags(tmp_path, np.full((8, 8, 3), (9, 8, 7), np.uint8), half(255)) == {"blank image"}
    assert flags(tmp_path, image, half(0)) == {"empty mask"}
    assert flags(tmp_path, image, half(2)) == {"label values", "empty mask"}
    assert flags(tmp_path, image, 255 - half(255)) == {"full mask"}
    assert flags(tmp_path, image, np.arange(64, dtype=np.uint8).reshape(8, 8) * 4) == {"lossy mask"}
    assert flags(tmp_path, noise(8, 8, 4), half(255)) == {"alpha"}
    assert flags(tmp_path, noise(8, 8), half(255)) == {"grey image"}
    assert "16 bit" in flags(tmp_path, noise(8, 8).astype(np.uint16) * 200, half(255), ".tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    assert flags(tmp_path, image, half(255), ".jpg", exif=exif) == {"turned by EXIF"}
    (tmp_path / "images" / "1.png").write_bytes(b"no image")
    pair = Pair("1", tmp_path / "images" / "1.png", tmp_path / "masks" / "1.png", "1")
    assert inspect(pair, 1)[0]["flags"] == "unreadable"


def test_an_image_too_large_to_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_PIXELS", 1)
    assert flags(tmp_path, noise(8, 8, 3), half(255)) == {"unreadable"}


def audit(folder: Path, *datasets: str, params: Path = PARAMS) -> str:
    """Return what the command says of the datasets in ``folder/data``; tables and page are in ``folder/audit``."""
    arguments = [*datasets, "--data", str(folder / "data"), "--out", str(folder / "audit")]
    result = CliRunner().invoke(main, ["--params", str(params), "audit", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("others", [[], ["forest"]])
def test_a_dataset_without_a_whole_pair_is_told(tmp_path: Path, others: list[str]) -> None:
    if others:
        download(tmp_path / "data", others, tmp_path, DownloadSettings("sample", [], Sample(6, 64, 0)))
    for i in range(2):
        (tmp_path / "data" / "cfd").mkdir(parents=True, exist_ok=True)
        save(tmp_path / "data" / "cfd" / "images" / f"{i}.png", noise(8, 8, 3))
        save(tmp_path / "data" / "cfd" / "masks" / f"{i}_mask.png", half(255))
    audit(tmp_path, "cfd", *others)
    found = pd.read_csv(tmp_path / "audit" / "integrity.csv").set_index("Dataset")
    assert found.loc["cfd", ["Pairs", "Without partner"]].tolist() == [0, 4]
    assert found.index.tolist() == ["cfd", *others]
    assert len(pd.read_csv(tmp_path / "audit" / "files.csv")) == 6 * len(others)


def test_what_prepare_skips_is_in_no_split(tmp_path: Path) -> None:
    download(tmp_path / "data", ["cfd"], tmp_path, DownloadSettings("sample", [], Sample(10, 64, 0)))
    content = yaml.safe_load(PARAMS.read_text())
    items = sorted(path.stem for path in (tmp_path / "data" / "cfd" / "images").iterdir())
    content["prepare"]["skip"] = [f"cfd/{item}" for item in items[:5]]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    said = audit(tmp_path, "cfd", params=tmp_path / "params.yaml")
    assert "Without the 5 pairs that prepare.skip leaves out." in said
    table = pd.read_csv(tmp_path / "audit" / "leakage.csv").set_index("Split")
    assert table.loc["random", "Test"] == 1  # of five
    assert len(pd.read_csv(tmp_path / "audit" / "files.csv")) == 10


def test_files_without_partner_are_listed(tmp_path: Path) -> None:
    save(tmp_path / "images" / "1.png", noise(8, 8))
    save(tmp_path / "masks" / "2.png", noise(8, 8))
    assert unpaired(tmp_path) == ["images/1.png", "masks/2.png"]


def test_crop_boxes_in_names_are_linked_with_their_common_part() -> None:
    items = ["Volker_A_0_0_100_200", "Volker_A_50_100_100_200", "Volker_A_500_0_10_10", "Volker_B_0_0_100_200"]
    links = links_by_names(items, ["A", "A", "A", "B"])
    assert links[["a", "b", *SIDES]].to_numpy().tolist() == [[0, 1, 0.5, 0.5, 1, 1], [1, 0, 0, 0, 0.5, 0.5]]


def test_leakage_as_counted_by_hand() -> None:
    duplicates = pd.DataFrame([[0, 2]], columns=["a", "b"])
    crops = pd.DataFrame([[1, 3, 9, 0, 0, 0.5, 1, 0, 0, 1, 1]])
    crops.columns = ["a", "b", "inliers", *(f"{x}_{side}" for x in "ab" for side in SIDES)]
    links = links_by_content(duplicates, crops)
    split = ["test", "test", "train", "train", "test", "train"]
    found = leakage(split, ["p", "q", "r", "s", "t", "t"], links)
    assert found["photo_by_name_pct"] == pytest.approx(100 / 3)  # item 4: photograph t is in training
    assert found["photo_pct"] == pytest.approx(100)
    assert found["pixels_pct"] == pytest.approx(50)  # all of item 0, half of item 1, none of item 4


def test_parts_that_overlap_are_counted_once() -> None:
    assert coverage(np.array([[0, 0, 1, 0.5], [0, 0.25, 1, 0.75]])) == 0.75


def test_the_command_finds_the_twins_in_the_sample(tmp_path: Path) -> None:
    settings = DownloadSettings("sample", [], Sample(6, 192, 0))
    download(tmp_path / "data", ["cfd", "forest", "sylvie"], tmp_path, settings)
    said = audit(tmp_path, "cfd", "forest", "sylvie")
    assert (tmp_path / "audit" / "README.md").read_text() in said
    page = (tmp_path / "audit" / "index.html").read_text()
    assert page.count("<table>") == 5
    assert "duplicate: cfd" in page
    assert "http" not in page
    found = pd.read_csv(tmp_path / "audit" / "duplicates.csv").set_index(["Dataset", "And"])["Same picture"]
    assert found["cfd", "forest"] == 6
    assert found["cfd", "sylvie"] == 3
    assert json.loads((tmp_path / "data/cfd/source.json").read_text())["source"] == "sample"
