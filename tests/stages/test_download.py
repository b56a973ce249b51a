"""Download: from archives on disk and from the embedded sample; nothing half-done is left in place."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from bench.datasets import _fetch
from bench.datasets.sylvie import CARD
from bench.errors import UserError
from bench.formats import files
from bench.stages import download
from bench.stages.download import Sample, Settings, run

SAMPLE = Sample(images=2, size=32, seed=0)


def jpeg(number: int) -> bytes:
    buffer = BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def write_zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def collection(names: Iterable[str]) -> dict[str, bytes]:
    """Return the members of a collection that holds these pairs; each is repeated in train/ or test/."""
    members = {}
    for number, name in enumerate(names):
        for kind in ("images", "masks"):
            content = jpeg(2 * number + (kind == "masks"))
            members[f"crack/{kind}/{name}.jpg"] = content
            members[f"crack/{('train', 'test')[number % 2]}/{kind}/{name}.jpg"] = content
    return members


NAMES = ("CFD_001", "CFD_002", "CFD_003", "Volker_DSC01608_0_0_2736_1824", "noncrack_noncrack_concrete_wall_1_2.jpg")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_zip(tmp_path / "all.zip", collection(NAMES))


def fill(
    tmp_path: Path, source: object, *datasets: str, sample: Sample = SAMPLE, mirrors: tuple[str, ...] = ()
) -> Path:
    run(tmp_path / "downloads", datasets, tmp_path / "archives", Settings(str(source), list(mirrors), sample))
    return tmp_path / "downloads"


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and time of change of each file."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def refusal(tmp_path: Path, source: object, *datasets: str) -> str:
    with pytest.raises(UserError) as caught:
        fill(tmp_path, source, *datasets)
    return str(caught.value)


def test_a_collection_on_disk_gives_each_dataset_its_files(tmp_path: Path, archive: Path) -> None:
    root = fill(tmp_path, archive, "cfd", "volker")
    members = collection(NAMES)
    assert sorted(path.name for path in root.iterdir()) == ["cfd", "volker"]
    for dataset, names in (("cfd", NAMES[:3]), ("volker", NAMES[3:4])):
        expected = {
            f"{kind}/{name}.jpg": members[f"crack/{kind}/{name}.jpg"] for kind in ("images", "masks") for name in names
        }
        found = {name: content for name, (content, _) in tree(root / dataset).items()}
        assert found.pop("source.json")
        assert found == expected


def test_the_origin_is_recorded(tmp_path: Path, archive: Path) -> None:
    root = fill(tmp_path, archive, "cfd", "volker")
    record = json.loads((root / "cfd" / "source.json").read_text())
    assert record == {
        "source": "collection",
        "archive": "all.zip",
        "sha256": files.sha256(archive),
        "files": 6,
        "licence": '"for non-commercial research purposes only"',
        "citation": "Shi et al. 2016, IEEE T-ITS 17(12), doi 10.1109/TITS.2016.2552248",
    }


def crackforest(path: Path) -> Path:
    """Write an archive like that of CrackForest's authors: two labelled images and one without ground truth."""
    top, members = "CrackForest-dataset-master", {}
    for number in ("001", "002", "119"):
        members[f"{top}/image/{number}.jpg"] = jpeg(int(number))
    for number in ("001", "002"):
        buffer = BytesIO()
        savemat(buffer, {"groundTruth": {"Segmentation": np.full((16, 16), 2, np.uint16)}})
        members[f"{top}/groundTruth/{number}.mat"] = buffer.getvalue()
    return write_zip(path, members | {f"{top}/README.md": b"read me"})


def test_the_authors_archive_of_crackforest_serves_both_its_datasets(tmp_path: Path) -> None:
    root = fill(tmp_path, crackforest(tmp_path / "forest.zip"), "cfd", "forest")
    for dataset in ("cfd", "forest"):
        names = sorted(name for name in tree(root / dataset) if name != "source.json")
        assert names == ["images/001.jpg", "images/002.jpg", "masks/001.mat", "masks/002.mat"]
        assert json.loads((root / dataset / "source.json").read_text())["source"] == "originals"


def test_an_archive_put_there_by_hand_serves_each_setting(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "archives").mkdir()
    shutil.copy(archive, tmp_path / "archives" / "crack_segmentation_dataset.zip")
    crackforest(tmp_path / "archives" / "CrackForest-dataset-master.zip")
    root = fill(tmp_path, "collection", "cfd")
    assert json.loads((root / "cfd" / "source.json").read_text())["source"] == "collection"
    root = fill(tmp_path, "originals", "cfd")
    assert json.loads((root / "cfd" / "source.json").read_text())["source"] == "originals"
    assert not (root / "cfd" / "images" / "CFD_001.jpg").exists()


def test_a_dataset_without_archive_of_its_own_says_so(tmp_path: Path) -> None:
    message = refusal(tmp_path, "originals", "sylvie")
    assert "dataset 'sylvie' has no archive of its own here: set download.source to 'collection'" in message


def test_mirrors_are_asked_for_the_collection(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def get(url: str, path: Path) -> None:
        asked.append(url)
        path.parent.mkdir()
        shutil.copy(archive, path)

    monkeypatch.setattr(_fetch, "_get", get)
    root = fill(tmp_path, "collection", "cfd", "volker", mirrors=("https://mirror.example/a.zip",))
    assert asked == ["https://mirror.example/a.zip"]  # once for all datasets, and no public link
    assert (root / "volker" / "source.json").is_file()


def test_the_sample_needs_no_archive(tmp_path: Path) -> None:
    root = fill(tmp_path, "sample", "cfd", "sylvie")
    for dataset in ("cfd", "sylvie"):
        assert len(list((root / dataset / "images").iterdir())) == len(list((root / dataset / "masks").iterdir())) == 2
    record = json.loads((root / "sylvie" / "source.json").read_text())
    assert record == {
        "source": "sample", "images": 2, "size": 32, "seed": 0, "licence": CARD.licence, "citation": CARD.citation
    }  # fmt: skip


@pytest.mark.parametrize("source", ["sample", "archive"])
def test_what_is_there_is_kept(tmp_path: Path, archive: Path, source: str) -> None:
    chosen = archive if source == "archive" else "sample"
    before = tree(fill(tmp_path, chosen, "cfd"))
    assert tree(fill(tmp_path, chosen, "cfd")) == before
    after = tree(fill(tmp_path, chosen, "cfd", "volker"))
    assert {name: found for name, found in after.items() if name.startswith("cfd/")} == before
    assert any(name.startswith("volker/") for name in after)


def test_another_source_replaces_it(tmp_path: Path, archive: Path) -> None:
    before = tree(fill(tmp_path, "sample", "cfd"))
    other = tree(fill(tmp_path, "sample", "cfd", sample=Sample(2, 32, seed=1)))
    assert [name for name in before if before[name][0] == other[name][0]] == []
    assert set(tree(fill(tmp_path, archive, "cfd"))).isdisjoint(set(before) - {"cfd/source.json"})


def test_another_archive_of_the_same_name_replaces_it(tmp_path: Path, archive: Path) -> None:
    fill(tmp_path, archive, "cfd")
    write_zip(archive, collection(["CFD_001"]))
    root = fill(tmp_path, archive, "cfd")
    assert [path.name for path in (root / "cfd" / "images").iterdir()] == ["CFD_001.jpg"]


def test_a_dataset_dropped_from_the_list_is_removed(tmp_path: Path) -> None:
    root = fill(tmp_path, "sample", "cfd", "volker")
    fill(tmp_path, "sample", "volker")
    assert [path.name for path in root.iterdir()] == ["volker"]


def test_a_half_filled_folder_of_a_killed_run_is_filled_anew(tmp_path: Path) -> None:
    root = fill(tmp_path, "sample", "cfd")
    whole = {name: content for name, (content, _) in tree(root).items()}
    (root / "cfd" / "source.json").unlink()
    next((root / "cfd" / "images").iterdir()).unlink()
    (root / ".cfd.partial" / "images").mkdir(parents=True)
    (root / ".volker.partial" / "images").mkdir(parents=True)
    fill(tmp_path, "sample", "cfd")
    assert {name: content for name, (content, _) in tree(root).items()} == whole
    assert [path.name for path in root.iterdir()] == ["cfd"]


def test_a_stray_file_among_the_downloads_does_no_harm(tmp_path: Path) -> None:
    root = fill(tmp_path, "sample", "cfd")
    (root / ".DS_Store").write_bytes(b"x")
    fill(tmp_path, "sample", "cfd")
    assert (root / "cfd" / "source.json").is_file()


def test_a_folder_that_no_download_filled_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "downloads" / "thesis").mkdir(parents=True)
    (tmp_path / "downloads" / "thesis" / "chapter1.tex").write_text("years of work")
    fill(tmp_path, "sample", "cfd")
    assert (tmp_path / "downloads" / "thesis" / "chapter1.tex").read_text() == "years of work"


def test_an_archive_that_lacks_a_dataset_says_which(tmp_path: Path, archive: Path) -> None:
    message = refusal(tmp_path, archive, "cfd", "gaps")
    assert f"{archive} holds no images of the dataset 'gaps' (expected GAPS384_*.jpg in images/ and masks/)" in message
    assert "drop the dataset from `datasets` in params.yaml" in message
    assert not (tmp_path / "downloads" / "gaps").exists()


@pytest.mark.parametrize("content", [b"", b"<html>quota</html>", b"PK\x03\x04 and no more"])
def test_what_is_no_zip_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    message = refusal(tmp_path, path, "cfd")
    assert f"{path} is not a readable zip" in message
    assert "delete it and download it again" in message


def test_a_truncated_zip_is_refused_by_name(tmp_path: Path, archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-100])
    assert f"{archive} is not a readable zip" in refusal(tmp_path, archive, "cfd")


@pytest.mark.parametrize("source", ["colection", "missing.zip", "", "."])
def test_a_source_that_is_none_lists_the_valid_ones(tmp_path: Path, source: str) -> None:
    message = refusal(tmp_path, source, "cfd")
    assert f"download.source = {source!r} is neither 'collection', 'originals' or 'sample' nor a zip on disk" in message


def damage(path: Path, member: str, place: int) -> None:
    """Flip a byte of a member's data."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    content = bytearray(path.read_bytes())
    content[info.header_offset + 30 + len(member) + place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("place", [50, 100, 300])
def test_a_damaged_member_is_refused_by_name(tmp_path: Path, compression: int, place: int) -> None:
    path = write_zip(tmp_path / "all.zip", collection(NAMES), compression)
    damage(path, "crack/masks/CFD_002.jpg", place)
    message = refusal(tmp_path, path, "cfd")
    assert f"{path}: 'crack/masks/CFD_002.jpg' is damaged" in message
    assert "download the archive again" in message
    assert not (tmp_path / "downloads" / "cfd").exists()


def test_a_failure_keeps_what_was_there(tmp_path: Path, archive: Path) -> None:
    before = tree(fill(tmp_path, "sample", "cfd"))
    damage(archive, "crack/images/CFD_003.jpg", 50)
    refusal(tmp_path, archive, "cfd")
    after = tree(tmp_path / "downloads")
    assert {name: after[name] for name in before} == before


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_MEMBER_BYTES", 100)
    assert "bytes: not an image, refused" in refusal(tmp_path, archive, "cfd")


HOSTILE = ("../CFD_9", "../../images/CFD_9", "/images/CFD_9", "images/../../CFD_9", "images/CFD_9/../../../CFD_9")


def test_hostile_names_write_nothing_outside_the_dataset(tmp_path: Path) -> None:
    members = collection(["CFD_001"]) | {f"{name}.jpg": b"evil" for name in HOSTILE}
    root = fill(tmp_path, write_zip(tmp_path / "all.zip", members), "cfd")
    assert [path.name for path in tmp_path.rglob("CFD_9*") if path.parent != root / "cfd" / "images"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "downloads"]


@pytest.mark.parametrize("values", [(2, 31, 0), (1, 32, 0), (2, 32, -1)])
def test_a_sample_too_small_or_without_seed_is_refused(values: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="images must be at least 2, size at least 32 px and seed not negative"):
        Sample(*values)


def test_progress_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, "sample", "cfd")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "download" in captured.err


def test_the_order_of_datasets_does_not_matter(tmp_path: Path, archive: Path) -> None:
    strip: Callable[[Path], dict[str, bytes]] = lambda root: {name: found[0] for name, found in tree(root).items()}  # noqa: E731
    first = strip(fill(tmp_path, archive, "cfd", "volker"))
    shutil.rmtree(tmp_path / "downloads")
    assert strip(fill(tmp_path, archive, "volker", "cfd")) == first
