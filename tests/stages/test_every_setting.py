"""Every key of params.yaml has an effect: with another value its stage does something else, or refuses it."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from dvc.repo import Repo

from bench.data import transfer
from bench.errors import UserError
from bench.formats import files, prepared
from bench.report.settings import ReportSettings
from bench.settings import load_params, section
from bench.stages import download, evaluate, measure, prepare, report, train
from bench.sweep import slots, slurm
from bench.sweep import sweep as sweeps
from bench.tools import workspace
from bench.training import loader, loop, saver
from bench.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]
PARAMS = load_params(ROOT / "params.yaml")
Make = Callable[..., Any]

LISTS = {"datasets": ["cfd", "gaps"], "models": ["unet", "fpn"], "seeds": [0, 1]}
OTHER_TESTS = {  # shown by other tests
    "plugins": "tests/tools/test_workspace.py",
    "transfer.corruptions": "tests/stages/test_transfer.py",
    "transfer.device": "tests/stages/test_transfer.py",
    "sweep.timeout_minutes": "tests/sweep/test_local.py",
    "sweep.slurm.cells_per_job": "tests/sweep/test_slurm.py",
}
SOURCES = {"download.source": "/nowhere.zip", "download.mirrors": ["http://127.0.0.1:9/archive.zip"]}
SAMPLE = {"download.sample.images": 3, "download.sample.size": 48, "download.sample.seed": 1}
PREPARE = {
    "prepare.image_size": 64,
    "prepare.geometry": "tiles",
    "prepare.tile_stride": 16,
    "prepare.mask_resize": "any",
    "prepare.mask_threshold": 100,
    "prepare.split": "grouped",
    "prepare.test_share": 0.5,
    "prepare.validation_share": 0.4,
    "prepare.train_items": 4,
    "prepare.seed": 1,
    "prepare.skip": ["volker/Volker_1_3_0_0_0"],
}
TRAIN = {
    "train.encoder": "mobilenet_v2",
    "train.epochs": 2,
    "train.epoch_items": 4,
    "train.batch": 4,
    "train.accumulate": 2,
    "train.lr": 0.01,
    "train.weight_decay": 0.5,
    "train.schedule": "cosine",
    "train.plateau.factor": 0.1,
    "train.plateau.patience": 7,
    "train.stop_patience": 1,
    "train.select_on": "validation",
    "train.loss.cross_entropy": 2.0,
    "train.loss.dice": 2.0,
    "train.loss.epsilon": 1.0,
    "train.loss.dice_over": "batch",
    "train.augment.horizontal_flip_p": 0.0,
    "train.augment.vertical_flip_p": 0.0,
    "train.augment.quarter_turn_p": 0.0,
    "train.augment.affine_p": 0.0,
    "train.augment.shift": 0.3,
    "train.augment.scale": 0.3,
    "train.augment.rotate_deg": 5,
    "train.augment.noise_p": 0.0,
    "train.augment.noise_std": [0.1, 0.2],
    "train.augment.jitter_p": 0.0,
    "train.augment.brightness": 0.5,
    "train.augment.contrast": 0.5,
    "train.augment.saturation": 0.5,
    "train.augment.hue": 0.4,
    "train.augment_on": "device",
}
MACHINE = {
    "train.threads": (2, torch.get_num_threads),
    "train.deterministic": (True, torch.are_deterministic_algorithms_enabled),
}
REFUSED = {"train.weights": "nowhere", "train.device": "cuda", "measure.device": "cuda", "train.precision": "float8"}
SINGLE = {
    "train.workers", "train.compile", "train.checkpoint_minutes", "evaluate.batch", "report.headline",
    "report.highlight", "sweep.jobs", "sweep.per_gpu",
}  # fmt: skip
MEASURE = {"measure.encoder": "resnet34", "measure.image_size": 96, "measure.warmup": 3, "measure.repeats": 2}
SLURM = {
    "sweep.slurm.partition": "long",
    "sweep.slurm.account": "road",
    "sweep.slurm.time_minutes": 7,
    "sweep.slurm.gres": "gpu:2",
    "sweep.slurm.cpus": 3,
    "sweep.slurm.memory_gb": 5,
    "sweep.slurm.max_parallel": 11,
    "sweep.slurm.extra": {"constraint": "h100"},
}


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted names of all values that are no mapping."""
    if not isinstance(value, Mapping) or not value:
        yield path
        return
    for key, item in value.items():
        yield from leaves(item, f"{path}.{key}" if path else key)


def changed(params: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return params with one value replaced."""
    name, _, rest = key.partition(".")
    return params | {name: changed(params[name], rest, value) if rest else value}


def test_no_key_is_left_out() -> None:
    tested = [LISTS, OTHER_TESTS, SOURCES, SAMPLE, PREPARE, TRAIN, MACHINE, REFUSED, SINGLE, MEASURE, SLURM]
    assert sorted(leaves(PARAMS)) == sorted(key for some in tested for key in some)
    for key, path in OTHER_TESTS.items():
        name = key.rpartition(".")[2].partition("_minutes")[0]
        assert name in (ROOT / path).read_text(encoding="utf-8")


def test_the_matrix(tmp_path: Path) -> None:
    lists = {"datasets": ["cfd"], "models": ["unet"], "seeds": [0]}
    workspace.create_workspace(ROOT, tmp_path, lists)
    for key, value in LISTS.items():
        (tmp_path / "params.yaml").write_text(json.dumps(PARAMS | lists | {key: value}))  # JSON is YAML
        with Repo(str(tmp_path)) as repo:
            names = {stage.addressing.rpartition(":")[2] for stage in repo.index.stages}
        cells = {name for name in names if name.startswith("train@")}
        added = {"datasets": "gaps-unet-0", "models": "cfd-fpn-0", "seeds": "cfd-unet-1"}[key]
        assert cells == {"train@cfd-unet-0", f"train@{added}"}


@pytest.mark.parametrize("key", SOURCES)
def test_where_data_come_from(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    monkeypatch.setattr(transfer.time, "sleep", lambda _: None)
    settings = section(changed(PARAMS, key, SOURCES[key]), "download", download.DownloadSettings)
    with pytest.raises(UserError, match={"download.source": "/nowhere.zip", "download.mirrors": "127.0.0.1:9"}[key]):
        download.run(tmp_path / "downloads", ["cfd"], tmp_path / "archives", settings)


def no_network(*_: Any, **__: Any) -> Any:
    raise OSError("no network in this test")


def downloaded(folder: Path, params: dict[str, Any]) -> dict[str, bytes]:
    small = {"images": 2, "size": 32, "seed": 0}
    for name in small:
        if params["download"]["sample"][name] == PARAMS["download"]["sample"][name]:
            params = changed(params, f"download.sample.{name}", small[name])
    settings = section(changed(params, "download.source", "sample"), "download", download.DownloadSettings)
    download.run(folder, ["cfd"], folder / "archives", settings)
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


@pytest.mark.parametrize("key", SAMPLE)
def test_the_sample(key: str, tmp_path: Path) -> None:
    base = downloaded(tmp_path / "a", PARAMS)
    assert base
    assert downloaded(tmp_path / "b", changed(PARAMS, key, SAMPLE[key])) != base


@pytest.fixture
def raw(make_raw: Make) -> Path:
    """Return raw pairs, three crops of a photograph each, masks of two grey levels."""
    folder: Path = make_raw([f"Volker_{i // 3}_{i}_0_0_0" for i in range(12)])
    for path in (folder / "masks").iterdir():
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        mask[::2] = mask[::2] // 255 * 50
        cv2.imwrite(str(path), mask)
    return folder


@pytest.mark.parametrize("key", PREPARE)
def test_prepare(key: str, raw: Path, tmp_path: Path) -> None:
    contents = []
    for name, params in (("a", PARAMS), ("b", changed(PARAMS, key, PREPARE[key]))):
        if key != "prepare.image_size" or name == "a":
            params = changed(params, "prepare.image_size", 32)
        if key == "prepare.tile_stride":
            params = changed(params, "prepare.geometry", "tiles")
        prepare.run(raw, tmp_path / name, "volker", section(params, "prepare", prepare.PrepareSettings))
        data = prepared.read(tmp_path / name)
        contents.append((data.images.tobytes(), data.masks.tobytes(), data.items["split"].tolist()))
    assert contents[0] != contents[1]


BASE: dict[str, dict[str, bytes]] = {}
"""What the trainings that others are compared with wrote, by model."""


def base_training(model: str) -> dict[str, Any]:
    """Return params of a training of a second, in which everything happens: a plateau, every transform."""
    params = changed(PARAMS, "train.weights", None)
    ranges = {"epochs": 4, "batch": 3, "lr": 0.5, "plateau": {"factor": 0.5, "patience": 0}, "stop_patience": 100}
    ranges |= {"device": "cpu", "threads": 1, "workers": 0, "encoder": "resnet18"}
    ranges["augment"] = {key: 0.5 if key.endswith("_p") else v for key, v in PARAMS["train"]["augment"].items()}
    if model != "tiny":
        ranges |= {"epochs": 1, "batch": 6, "lr": 1e-3}
    return params | {"train": params["train"] | ranges}


@pytest.fixture
def trained(make_prepared: Make, tmp_path: Path, tiny_model: str) -> Callable[..., dict[str, bytes]]:
    source = make_prepared((6, 2, 2), size=32)

    def run(params: dict[str, Any], model: str) -> dict[str, bytes]:
        target = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        train.run(source, target, model, 0, section(params, "train", TrainSettings))
        return {name: (target / name).read_bytes() for name in ("weights.safetensors", "history.csv")}

    return run


@pytest.mark.parametrize("key", TRAIN)
def test_train(key: str, trained: Callable[..., dict[str, bytes]]) -> None:
    model = "pspnet" if key in ("train.encoder", "train.accumulate") else "tiny"
    params = base_training(model)
    if model not in BASE:
        BASE[model] = trained(params, model)
    assert trained(changed(params, key, TRAIN[key]), model) != BASE[model]


@pytest.mark.parametrize("key", MACHINE)
def test_the_machine(key: str, trained: Callable[..., dict[str, bytes]]) -> None:
    value, observe = MACHINE[key]
    trained(base_training("tiny"), "tiny")
    before = observe()
    trained(changed(base_training("tiny"), key, value), "tiny")
    assert before != observe() == value


@pytest.mark.parametrize("key", REFUSED)
def test_what_is_not_there_is_refused(
    key: str, trained: Callable[..., dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    params = changed(PARAMS | base_training("pspnet"), key, REFUSED[key])

    def run() -> None:
        if key.startswith("train."):
            trained(params, "pspnet")
        else:
            measure.run(tmp_path / "cost.json", "pspnet", section(params, "measure", measure.MeasureSettings))

    with pytest.raises(UserError, match=REFUSED[key]):
        run()


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # torch's compiler uses it
def test_workers_compile_and_checkpoints(
    trained: Callable[..., dict[str, bytes]], make_prepared: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = base_training("tiny")
    settings = section(changed(base, "train.workers", 3), "train", TrainSettings)
    assert loader.count_workers(settings, torch.device("cpu")) == 3

    data = prepared.read(make_prepared(size=32, folder="other"))
    for value in (False, True):
        settings = section(changed(base, "train.compile", value), "train", TrainSettings)
        network = train.build_network(data, "pspnet", settings, torch.device("cpu"))
        assert (network._compiled_call_impl is not None) == value

    saved = []
    monkeypatch.setattr(loop.State, "save", lambda *_: saved.append(1))
    monkeypatch.setattr(saver, "CHECKPOINT_SHARE", 1e9)
    trained(changed(base, "train.checkpoint_minutes", 1000), "tiny")
    assert not saved
    trained(changed(base, "train.checkpoint_minutes", 0), "tiny")
    assert len(saved) == 8


def test_evaluate(make_prepared: Make) -> None:
    data = prepared.read(make_prepared((1, 0, 4), size=32))
    batches = []
    for size in (1, 2):
        settings = section(changed(PARAMS, "evaluate.batch", size), "evaluate", evaluate.EvaluateSettings)
        levels = lambda name, shape: np.zeros(shape, np.uint8)  # noqa: E731
        batches.append(evaluate.score(data, levels, settings.batch)[0]["images"]["batch"].tolist())
    assert batches == [[0, 1, 2, 3], [0, 0, 1, 1]]


def test_report(tmp_path: Path, write_grid: Make) -> None:
    folder = write_grid(tmp_path, tests=40)  # of two batches
    params = load_params(folder / "params.yaml")
    grid = report.Grid(params["datasets"], params["models"], params["seeds"])

    def written(key: str, value: Any, part: str, path: str) -> str:
        settings = section(changed(PARAMS, f"report.{key}", value), "report", ReportSettings)
        report.run(report.Folders(folder / "results", tmp_path / str(value)), grid, settings, [part])
        return (tmp_path / str(value) / path).read_text(encoding="utf-8")

    averages = ("batch_mean", "pooled", "image_mean")
    assert len({written("headline", average, "table3", "tables/table3.csv") for average in averages}) == 3
    assert len({written("highlight", [name], "pareto", "figures/pareto.svg") for name in params["models"][:2]}) == 2


@pytest.mark.parametrize("key", MEASURE)
def test_measure(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"encoder": "resnet18", "image_size": 64, "warmup": 0, "repeats": 1, "device": "cpu"}
    found = []
    for params in (PARAMS | {"measure": small}, changed(PARAMS | {"measure": small}, key, MEASURE[key])):
        passes = []
        monkeypatch.setattr(measure, "tqdm", lambda some, passes=passes, **_: passes.append(len(some)) or some)
        measure.run(tmp_path / "cost.json", "pspnet", section(params, "measure", measure.MeasureSettings))
        found.append((passes, files.read_json(tmp_path / "cost.json")["gmacs"]))
    assert found[0] != found[1]


@pytest.mark.parametrize("key", SLURM)
def test_slurm(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "srun").touch(mode=0o755)  # submitit looks for it; these tests submit nothing
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    written = []
    for params in (PARAMS, changed(PARAMS, key, SLURM[key])):
        settings = section(params, "sweep", sweeps.SweepSettings)
        written.append(slurm._executor(tmp_path, settings.slurm).parameters)
    assert written[0] != written[1]


def test_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert [len(slots.slots(jobs, per_gpu)) for jobs, per_gpu in ((None, 1), (1, 1), (None, 2))] == [2, 1, 4]
