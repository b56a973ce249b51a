"""The layouts of downloads, and the datasets that a dead source does not affect."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from bench import plugins
from bench.data import decode
from bench.data.dataset import pairs_of, photo_of
from bench.data.images import read_mask
from bench.data.index import PATH, deviations, index, published_split
from bench.errors import UserError
from bench.stages.download import DownloadSettings, Sample, run, status


def jpeg(value: int = 90) -> bytes:
    return image(np.full((8, 8, 3), value, np.uint8), "JPEG")


def png(*values: int) -> bytes:
    return image(np.array([values], np.uint8), "PNG")


def image(array: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind)
    return buffer.getvalue()


LAYOUTS = {
    "crack500": {"P/traincrop/2016_1_1_1.jpg": jpeg(), "P/traincrop/2016_1_1_1.png": png(0, 255)},
    "cracktree200": {"cracktree200/cracktree200rgb/6192.jpg": jpeg(), "cracktree200/cracktree200_gt/6192.png": png(0)},
    "gaps": {"GAPS384/croppedimg/train_0005_1_1.jpg": jpeg(), "GAPS384/croppedgt/train_0005_1_1.png": png(0)},
    "deepcrack": {
        "train_img/11289-1.jpg": jpeg(1),
        "train_lab/11289-1.png": png(0),
        "test_img/11289-1.jpg": jpeg(200),
        "test_lab/11289-1.png": png(255),
    },
    "sylvie": {"x-main/ds/img/001.jpg": jpeg(), "x-main/ds/masks_machine/001.png": png(0, 1, 2, 3)},
}


def settings(source: str) -> DownloadSettings:
    return DownloadSettings(source, [], Sample(2, 64, 0))


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_folder(path: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize("make", [make_zip, make_folder])
@pytest.mark.parametrize("name", LAYOUTS)
def test_originals_arrive_from_a_zip_and_from_a_folder(tmp_path: Path, name: str, make) -> None:
    path = make(tmp_path / "given", LAYOUTS[name])
    assert run(tmp_path / "d", [name], tmp_path / "a", settings("originals"), path) == []
    pairs = pairs_of(plugins.load("datasets", name), tmp_path / "d" / name)
    assert len(pairs) == len(LAYOUTS[name]) // 2
    record = json.loads((tmp_path / "d" / name / "source.json").read_text())
    assert record["source"] == "originals"
    assert record["licence"]
    assert record["citation"]


def test_stems_in_both_parts_of_deepcrack_stay_two_images(tmp_path: Path) -> None:
    run(tmp_path / "d", ["deepcrack"], tmp_path, settings(str(make_zip(tmp_path / "a.zip", LAYOUTS["deepcrack"]))))
    pairs = pairs_of(plugins.load("datasets", "deepcrack"), tmp_path / "d" / "deepcrack")
    assert [(p.item, read_mask(p.mask).tolist()) for p in pairs] == [("11289-1", [[0]]), ("test_11289-1", [[255]])]


def test_crack_is_two_in_sylvies_masks(tmp_path: Path) -> None:
    run(tmp_path / "d", ["sylvie"], tmp_path, settings(str(make_zip(tmp_path / "a.zip", LAYOUTS["sylvie"]))))
    assert read_mask(tmp_path / "d/sylvie/masks/001.png").tolist() == [[0, 0, 255, 0]]


def test_a_mask_that_is_stored_turned_arrives_upright(tmp_path: Path) -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Orientation] = 3  # half a turn
    Image.fromarray(np.array([[0, 1, 2, 3]], np.uint8)).save(buffer, "PNG", exif=exif)
    members = LAYOUTS["sylvie"] | {"x-main/ds/masks_machine/001.png": buffer.getvalue()}
    run(tmp_path / "d", ["sylvie"], tmp_path, settings(str(make_zip(tmp_path / "a.zip", members))))
    assert read_mask(tmp_path / "d/sylvie/masks/001.png").tolist() == [[0, 255, 0, 0]]


def test_a_mask_corrected_in_the_given_folder_is_taken_again(tmp_path: Path) -> None:
    given = make_folder(tmp_path / "given", {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)})
    run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("collection"), given)
    (given / "masks/CFD_001.jpg").write_bytes(jpeg(255))
    run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("collection"), given)
    assert (tmp_path / "d/cfd/masks/CFD_001.jpg").read_bytes() == jpeg(255)


@pytest.mark.parametrize("record", [b"{}", b"[1]", b'{"source": 3}', b"\xff\xfe"])
def test_a_foreign_record_is_refused_by_name(tmp_path: Path, record: bytes) -> None:
    given = make_folder(tmp_path / "given", {"cfd/source.json": record, "cfd/images/a.jpg": jpeg()})
    with pytest.raises(UserError, match=r"cfd/source\.json"):
        run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("collection"), given)


def zipped(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder.with_suffix("")), "zip", folder))


@pytest.mark.parametrize("pack", [lambda folder: folder, zipped])
@pytest.mark.parametrize("layout", ["x/cfd", "x/copy", "x", "cfd"])
@pytest.mark.parametrize("name", ["cfd", "crack500"])
def test_a_sample_stays_a_sample_wherever_it_is_copied(tmp_path: Path, name: str, layout: str, pack) -> None:
    run(tmp_path / "d", [name], tmp_path / "a", settings("sample"))
    given = tmp_path / "given" / layout.replace("cfd", name)
    shutil.copytree(tmp_path / "d" / name, given)
    source = pack(tmp_path / "given" / Path(layout.replace("cfd", name)).parts[0])
    run(tmp_path / "e", [name], tmp_path / "a", settings("collection"), source)
    assert json.loads((tmp_path / "e" / name / "source.json").read_text())["source"] == "sample"
    assert sorted(p.name for p in (tmp_path / "e" / name / "images").iterdir()) == sorted(
        p.name for p in (tmp_path / "d" / name / "images").iterdir()
    )


def test_a_sample_does_not_hide_the_real_data_beside_it(tmp_path: Path) -> None:
    run(tmp_path / "x", ["cfd"], tmp_path / "a", settings("sample"))
    make_folder(tmp_path / "x/real/deeper", {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)})
    run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("collection"), tmp_path / "x")
    assert json.loads((tmp_path / "d/cfd/source.json").read_text())["source"] == "collection"
    assert [p.name for p in (tmp_path / "d/cfd/images").iterdir()] == ["CFD_001.jpg"]


def test_a_mask_too_large_to_be_one_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = make_folder(tmp_path / "given", LAYOUTS["sylvie"])
    monkeypatch.setattr(decode, "MAX_PIXELS", 1)
    with pytest.raises(UserError, match=r"001\.png has 4x1 px: 1 at most"):
        run(tmp_path / "d", ["sylvie"], tmp_path / "a", settings("originals"), given)


def test_what_was_given_is_kept_when_the_network_is_asked_for(tmp_path: Path) -> None:
    members = {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)}
    run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("collection"), make_zip(tmp_path / "a.zip", members))
    assert run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("collection")) == []
    copy = run(tmp_path / "e", ["cfd"], tmp_path / "a", settings("collection"), tmp_path / "d")
    assert copy == []
    assert json.loads((tmp_path / "e/cfd/source.json").read_text())["source"] == "collection"


@pytest.mark.parametrize("name", ["sample", "collection", "originals"])
def test_a_given_folder_may_have_the_name_of_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder(Path(name), {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)})
    assert run(tmp_path / "d", ["cfd"], tmp_path / "a", settings("sample"), Path(name)) == []
    assert [p.name for p in (tmp_path / "d/cfd/images").iterdir()] == ["CFD_001.jpg"]
    with pytest.raises(UserError, match=f"^{name} holds no images of the dataset 'volker'"):
        run(tmp_path / "e", ["volker"], tmp_path / "a", settings("sample"), Path(name))


def test_what_a_given_archive_lacks_is_no_fault_if_it_is_there(tmp_path: Path) -> None:
    run(tmp_path / "d", ["forest"], tmp_path / "a", settings("sample"))
    path = make_zip(tmp_path / "a.zip", {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)})
    messages = run(tmp_path / "d", ["forest", "cfd", "volker"], tmp_path / "a", settings("sample"), path)
    assert [message.split(" is missing: ")[0] for message in messages] == ["volker"]
    assert (tmp_path / "d/forest/source.json").is_file()
    with pytest.raises(UserError, match="holds no images of the dataset 'forest'"):  # the wrong archive altogether
        run(tmp_path / "d", ["forest"], tmp_path / "a", settings("sample"), path)


def test_one_dead_source_leaves_the_others_alone(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)})
    messages = run(tmp_path / "d", ["volker", "cfd"], tmp_path / "a", settings(str(path)))
    assert [message.split(" is missing: ")[0] for message in messages] == ["volker"]
    assert (tmp_path / "d/cfd/source.json").exists()
    with pytest.raises(UserError, match="holds no images of the dataset 'volker'"):
        run(tmp_path / "d", ["volker"], tmp_path / "a", settings(str(path)))


def test_status_says_what_is_wrong(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"images/CFD_001.jpg": jpeg(), "masks/CFD_001.jpg": jpeg(0)})
    run(tmp_path / "d", ["cfd"], tmp_path / "a", settings(str(path)))
    states = status(tmp_path / "d", ["cfd", "forest"]).set_index("dataset")["state"]
    assert "deviates from the index in 118 places" in states["cfd"]  # 117 missing, one with another crack share
    assert states["forest"].startswith("missing")
    lines = (tmp_path / "d/cfd/deviations.txt").read_text().splitlines()
    assert lines[0] == "missing: CFD_002"
    assert lines[-1] == "crack share: CFD_001 has 0.00 %, expected 1.20 %"
    (tmp_path / "d/cfd/images/CFD_001.jpg").write_bytes(jpeg(1))
    assert "changed since it was written" in status(tmp_path / "d", ["cfd"])["state"][0]


def test_the_index_agrees_with_the_cards() -> None:
    for name in plugins.names("datasets"):
        plugin = plugins.load("datasets", name)
        if hasattr(plugin, "FOLDER") or hasattr(plugin, "PINNED"):
            continue  # not in the collection
        known = index(plugin.PREFIX)
        assert len(known) == plugin.CARD.images
        assert known["photo"].nunique() >= plugin.CARD.photographs
        assert known["crack_share_pct"].mean() == pytest.approx(plugin.CARD.crack_share_pct, abs=2e-3)
        photos = [photo_of(plugin, Path(file).stem) for file in known["file"]]
        assert len(set(photos)) == plugin.CARD.photographs
    assert PATH.stat().st_size < 150_000


def test_the_published_split_knows_both_spellings() -> None:
    assert published_split("CFD_", ["CFD_001", "002", "new"]) == ["test", "train", "train"]
    with pytest.raises(UserError, match="contain no item of this dataset"):
        published_split("CFD_", ["x"])
    assert len(deviations("CFD_", [], "originals")) == 118
