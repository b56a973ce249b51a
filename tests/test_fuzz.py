"""Whatever comes from outside is taken, or refused with one message that names it: nothing else ever happens."""

import io
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.data.images import read_image, read_mask
from bench.data.unpack import open_tree
from bench.errors import UserError
from bench.formats import cost, files, predictions, prepared, run, scores
from bench.formats.split import load_or_create
from bench.settings import load_params, section
from bench.sweep import ledger
from bench.tools import read_predictions

ROOT = Path(__file__).parents[1]
PARAMS = load_params(ROOT / "params.yaml")
MODULES = {name: f"bench.stages.{name}" for name in ("download", "prepare", "train", "evaluate", "measure", "report")}
MODULES["sweep"] = "bench.sweep.sweep"

fuzz = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["yes", "no", "nan", "inf", "-1", "1e-4", "0", "true", [], {}, [1, 0], ["a"], {"a": 1}]),
)  # fmt: skip
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def keys(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every value in nested mappings."""
    if isinstance(content, dict) and content:
        for key, value in content.items():
            yield from keys(value, (*path, key))
    else:
        yield path


def settings_class(section: str) -> type:
    """Return the dataclass of a section of params.yaml."""
    return getattr(import_module(MODULES[section]), f"{section.capitalize()}Settings")


SETTINGS = [path for name in MODULES for path in keys(PARAMS[name], (name,))]


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return params.yaml with one value replaced."""
    params: dict[str, Any] = json.loads(json.dumps(PARAMS))
    place = params
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return params


def refused_or_not(call: Callable[[], Any], name: str = "") -> None:
    """Call; a refusal must be a UserError of one message that holds a name."""
    said = name
    try:
        call()
    except UserError as error:
        said = str(error)
    assert name in said


@settings(fuzz, max_examples=120)
@given(st.sampled_from(SETTINGS), SCALARS)
def test_any_value_of_any_setting(path: tuple[str, ...], value: Any) -> None:
    params = yaml.safe_load(yaml.safe_dump(changed(path, value)))
    refused_or_not(
        lambda: section(params, path[0], settings_class(path[0])),
        path[0],
    )


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("train.lr", [0, -1, "nan", "inf", "yes", True, 1e9]),
        ("train.plateau.factor", [0, 1, -0.5, "nan", 2]),
        ("train.plateau.patience", [-1, 1.5]),
        ("train.augment.noise_p", [-0.1, 1.1, "nan", True]),
        ("train.augment.noise_std", [[0.2, 0.1], [-0.1, 0.1], ["nan", 0.1], [0.1], 0.1]),
        ("train.augment.hue", [-0.1, 0.6, "inf"]),
        ("train.workers", [-1, 0.5, "all"]),
        ("train.threads", [0, -2]),
        ("train.batch", [0, 1, -4, True]),
        ("train.epochs", [0, -1]),
        ("train.accumulate", [0, 17]),
        ("train.stop_patience", [0]),
        ("train.weight_decay", [-1e-5, "inf"]),
        ("train.checkpoint_minutes", [-1, "nan"]),
        ("train.deterministic", ["yes", 1, None]),
        ("train.loss.epsilon", [0, -1, "nan"]),
        ("prepare.test_share", [0, 1, -0.2, "nan", True]),
        ("prepare.seed", [-1, 0.5]),
        ("measure.image_size", [0, 33, -32, 2**40]),
        ("sweep.jobs", [0, -1]),
        ("sweep.per_gpu", [0]),
        ("sweep.slurm.cpus", [0]),
        ("sweep.timeout_minutes", [0, "nan"]),
    ],
)
def test_values_out_of_range(path: str, values: list[Any]) -> None:
    for value in values:
        name = path.partition(".")[0]
        with pytest.raises(UserError, match=rf"^params\.yaml: (the key ')?{name}"):
            section(
                changed(tuple(path.split(".")), value),
                name,
                settings_class(name),
            )


@pytest.mark.parametrize("encoder", ["tu-nothing", "nothing", "tu-", "../resnet50", ""])
def test_an_encoder_that_does_not_exist_is_named(encoder: str) -> None:
    from bench.models.unet import build

    with pytest.raises(UserError, match="encoder"):
        build(3, 1, 64, encoder, None)


def encoded(kind: str, mode: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


IMAGES = [encoded(*pair) for pair in (("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA"), ("PNG", "1"), ("PNG", "I;16"),
                                      ("JPEG", "L"), ("JPEG", "CMYK"), ("TIFF", "F"), ("BMP", "RGB"))]  # fmt: skip


def damaged(wholes: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return files of a kind, whole, cut, or with some bytes changed, and bytes that are no file at all."""

    def damage(whole: bytes, share: float, places: list[tuple[float, int]]) -> bytes:
        content = bytearray(whole[: int(len(whole) * share)])
        for place, value in places:
            if content:
                content[int(place * (len(content) - 1))] = value
        return bytes(content)

    places = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)
    return st.binary(max_size=200) | st.builds(
        damage, st.sampled_from(wholes), st.sampled_from([1, 1, 0.9, 0.5]), places
    )


@fuzz
@given(damaged(IMAGES), st.sampled_from([".png", ".jpg", ".mat", ".tif"]), st.sampled_from([1, 3]))
def test_images_and_masks(tmp_path: Path, content: bytes, suffix: str, classes: int) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    refused_or_not(lambda: read_image(path), str(path))
    refused_or_not(lambda: read_mask(path, classes), str(path))


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def huge() -> bytes:
    """Return a PNG that says that it has 3.6 billion pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    content = encoded("PNG", "L")
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_of_absurd_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(huge())
    for read in (
        read_image,
        read_mask,
        read_predictions.read_one,
        lambda p: predictions.read_one(tmp_path, "a", (16, 20)),
    ):
        with pytest.raises(UserError, match=r"a\.png"):
            read(path)


ARRAYS = [saved(np.full((8, 8), value)) for value in (0.5, 1, True, np.nan, 1j, "x")]
ARRAYS += [saved(np.array([[print]])), saved(np.zeros((0, 8))), saved(np.zeros((8, 8, 3), np.uint8))]


@fuzz
@given(damaged([*ARRAYS, *IMAGES]), st.sampled_from([".png", ".npy"]))
def test_external_predictions(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    refused_or_not(lambda: read_predictions.read_one(path), str(path))
    if suffix == ".png":
        refused_or_not(lambda: predictions.read_one(tmp_path, "a", (16, 20)), str(path))


def test_an_array_that_holds_a_pickle_is_not_opened(tmp_path: Path) -> None:
    for name in ("images.npy", "a.npy"):
        (tmp_path / name).write_bytes(ARRAYS[6])
        with pytest.raises(UserError, match=name):
            (prepared._array if name == "images.npy" else read_predictions.read_one)(tmp_path / name)


@fuzz
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00"]))
def test_archives(tmp_path: Path, content: bytes, magic: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(magic + content + (b"PK\x05\x06" + bytes(18) if magic == b"PK\x03\x04" else b""))

    def read_all() -> None:
        with open_tree(path) as tree:
            for name in tree.names:
                tree.read(name)

    refused_or_not(read_all, str(path))


READERS: dict[str, Callable[[Path], Any]] = {
    "cost.json": cost.read,
    "run.json": lambda path: run.read(path.parent),
    "cells.json": lambda path: scores.read(path.parent),
    "card.json": lambda path: prepared.read(path.parent),
    "c/001.claim": lambda path: ledger.last(path.parents[1], "c"),
}


@fuzz
@given(st.sampled_from(sorted(READERS)), JSON | st.dictionaries(st.sampled_from(["card", "cells", "schema", *cost.KEYS,
       *run.RECORD, "fingerprint", "owner", "checksum", "missing", "content"]), SCALARS))  # fmt: skip
def test_json_of_any_content(tmp_path: Path, name: str, content: Any) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    refused_or_not(lambda: READERS[name](path), str(path))


@fuzz
@given(st.text(max_size=60) | st.sampled_from(["[" * 100_000, "1" * 5000, '{"a": NaN}', "\ufeff{}"]))
def test_json_of_any_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cost.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    refused_or_not(lambda: cost.read(path), str(path))


@fuzz
@given(st.lists(st.lists(st.text(max_size=5) | st.sampled_from(["1", "nan", "inf", "-1", "1e400"]), max_size=4)))
def test_csv_of_any_content(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["item,tp", *(",".join(row) for row in rows)]) + "\n", errors="surrogatepass")

    def read() -> None:
        frame = files.read_csv(path, ["item", "tp"], text=["item"])
        assert pd.api.types.is_numeric_dtype(frame["tp"]) or frame["tp"].isna().all()

    refused_or_not(read, str(path))


@fuzz
@given(JSON)
def test_split_manifests(tmp_path: Path, content: Any) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    load_or_create(tmp_path, "cfd", "random", ["a", "b"], {}, lambda: ["train", "test"])
    (path,) = tmp_path.glob("*.json")
    path.write_text(json.dumps(content))
    refused_or_not(lambda: load_or_create(tmp_path, "cfd", "random", ["a", "b"], {}, list), str(path))


@fuzz
@given(
    st.binary(max_size=100), st.sampled_from([None, {}, {"facts": "1"}, {"facts": "{}"}, {"facts": '{"identity": 1}'}])
)
def test_checkpoints(tmp_path: Path, content: bytes, facts: dict[str, str] | None) -> None:
    import torch
    from safetensors.torch import save

    from bench.formats import checkpoint

    for old in tmp_path.iterdir():
        old.unlink()
    whole = content if facts is None else save({"a": torch.zeros(2)}, facts)
    path = tmp_path / f"{1:012d}-{zlib.crc32(whole):08x}.safetensors"
    path.write_bytes(whole)
    with pytest.raises(UserError, match="is not a checkpoint"):
        checkpoint.load(tmp_path, {"seed": 0})


@settings(fuzz, max_examples=20)
@given(st.binary(max_size=200), st.sampled_from([".onnx", ".pt2"]))
def test_external_networks(tmp_path: Path, content: bytes, suffix: str) -> None:
    from bench.tools import predict

    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    refused_or_not(lambda: predict.load(path, True), str(path))


def test_any_changed_byte_of_a_sealed_folder_is_found(tmp_path: Path) -> None:
    generator = random.Random(0)
    (tmp_path / "a.csv").write_text("item,tp\nx,123\n")
    files.write_checksums(tmp_path)
    whole = {name: (tmp_path / name).read_bytes() for name in ("a.csv", files.SUMS)}
    for name, content in whole.items():
        for place in range(len(content)):
            other = bytearray(content)
            other[place] ^= 1 << generator.randrange(8)
            (tmp_path / name).write_bytes(other)
            with pytest.raises(UserError, match=r"a\.csv"):
                files.verify(tmp_path, ["a.csv"])
        (tmp_path / name).write_bytes(content)
    with suppress(UserError):
        files.verify(tmp_path, ["a.csv"])
