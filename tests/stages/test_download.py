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

from bench.errors import UserError
from bench.stages.download import DownloadSettings, Sample, run

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
    run(tmp_path / "downloads", datasets, tmp_path / "archives", DownloadSettings(str(source), list(mirrors), sample))
    return tmp_path / "downloads"


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return content and time of change of each file."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def refusal(tmp_path: Path, source: object, *datasets: str) -> str:
    with pytest.raises(UserError) as caught:
        fill(tmp_path, source, *datasets)
    return str(caught.value)


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


def test_an_archive_put_there_by_hand_serves_each_setting(tmp_path: Path, archive: Path) -> None:
    (tmp_path / "archives").mkdir()
    shutil.copy(archive, tmp_path / "archives" / "crack_segmentation_dataset.zip")
    crackforest(tmp_path / "archives" / "CrackForest-dataset-master.zip")
    root = fill(tmp_path, "collection", "cfd")
    assert json.loads((root / "cfd" / "source.json").read_text())["source"] == "collection"
    root = fill(tmp_path, "originals", "cfd")
    assert json.loads((root / "cfd" / "source.json").read_text())["source"] == "originals"
    assert not (root / "cfd" / "images" / "CFD_001.jpg").exists()


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
    assert set(tree(fill(tmp_path, archive, "cfd"))) & set(before) == {"cfd/source.json", "cfd/SHA256SUMS"}


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


HOSTILE = ("../CFD_9", "../../images/CFD_9", "/images/CFD_9", "images/../../CFD_9", "images/CFD_9/../../../CFD_9")


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
