"""params.yaml: what is accepted, and what the message says where it is not."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest

from bench import plugins
from bench.errors import UserError
from bench.paper import published
from bench.settings import load_params, name_list, section, seed_list

ROOT = Path(__file__).parents[1]
STAGES = ("download", "prepare", "train", "evaluate", "measure", "report")


@dataclass(frozen=True)
class Inner:
    factor: float
    span: tuple[float, float]


@dataclass(frozen=True)
class Outer:
    size: int
    rate: float
    mode: Literal["slow", "fast"]
    names: list[str]
    inner: Inner
    weights: str | None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")


GOOD: dict[str, Any] = {
    "size": 3,
    "rate": 0.5,
    "mode": "slow",
    "names": ["a"],
    "inner": {"factor": 2.0, "span": [0, 1]},
    "weights": None,
}


def read(**changes: Any) -> Outer:
    return section({"outer": GOOD | changes}, "outer", Outer)


def refusal(**changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(**changes)
    return str(caught.value)


def test_a_section_becomes_its_dataclass() -> None:
    assert read() == Outer(3, 0.5, "slow", ["a"], Inner(2.0, (0, 1)), None)


def test_scientific_notation_without_a_point_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("rate: 1e-4\n")  # a string to YAML 1.1
    assert read(**load_params(path)).rate == 1e-4


def test_an_unknown_key_is_named_with_the_likely_and_the_valid_ones() -> None:
    assert refusal(sise=3) == (
        "params.yaml: unknown key 'outer.sise'; did you mean 'size'? "
        "Valid keys in 'outer': inner, mode, names, rate, size, weights."
    )


def test_an_unknown_key_without_a_likely_one() -> None:
    assert "unknown key 'outer.zzzz'. Valid keys in 'outer': inner," in refusal(zzzz=1)


def test_an_unknown_key_in_a_nested_section() -> None:
    message = refusal(inner={"factor": 1.0, "span": [0, 1], "facter": 2.0})
    assert message == (
        "params.yaml: unknown key 'outer.inner.facter'; did you mean 'factor'? "
        "Valid keys in 'outer.inner': factor, span."
    )


@pytest.mark.parametrize("key", sorted(GOOD))
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(UserError, match=rf"^params.yaml: the key 'outer\.{key}' is missing\.$"):
        section({"outer": {k: v for k, v in GOOD.items() if k != key}}, "outer", Outer)


def test_a_missing_key_in_a_nested_section() -> None:
    assert refusal(inner={"factor": 1.0}) == "params.yaml: the key 'outer.inner.span' is missing."


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"size": "many"}, "outer.size", "'many'"),
        ({"size": 1.5}, "outer.size", "1.5"),
        ({"size": None}, "outer.size", "None"),
        ({"rate": [1]}, "outer.rate", "[1]"),
        ({"mode": "medium"}, "outer.mode", "'medium'"),
        ({"names": "a"}, "outer.names", "'a'"),
        ({"names": ["a", 1]}, "outer.names.1", "1"),
        ({"inner": 3}, "outer.inner", "3"),
        ({"inner": {"factor": "x", "span": [0, 1]}}, "outer.inner.factor", "'x'"),
        ({"inner": {"factor": 1, "span": [0, "b"]}}, "outer.inner.span.1", "'b'"),
        ({"weights": 3}, "outer.weights", "3"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(changes: dict[str, Any], key: str, value: str) -> None:
    assert refusal(**changes).startswith(f"params.yaml: {key} = {value}: ")


def test_the_valid_words_are_listed() -> None:
    message = refusal(mode="medium")
    assert "slow" in message
    assert "fast" in message


def test_a_value_out_of_range_says_the_range() -> None:
    assert refusal(size=0) == "params.yaml: outer: size must be at least 1, got 0."


@pytest.mark.parametrize("content", [{}, {"outer": None}, {"outer": 5}, {"outer": [1]}])
def test_a_section_that_is_not_there(content: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"params.yaml has no section 'outer'\."):
        section(content, "outer", Outer)


def test_no_params_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"params.yaml not found: run in the project's folder, or .*--params"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("content", [b"a: [1, 2", b"a: b: c", b"\xff\xfe\x00", b"\t- a"])
def test_a_params_file_that_is_no_yaml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"params.yaml is not valid YAML: ") as caught:
        load_params(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "kind"), [("", "NoneType"), ("- a\n", "list"), ("word\n", "str")])
def test_a_params_file_that_is_no_mapping(tmp_path: Path, content: str, kind: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=f"must hold a mapping of sections, found {kind}"):
        load_params(path)


def test_a_list_of_names_keeps_its_order() -> None:
    assert name_list({"models": ["b", "a"]}, "models", ["a", "b", "c"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "models must be a list of at least one name. Valid names: pan, unet."),
        ({"models": []}, "models must be a list of at least one name. Valid names: pan, unet."),
        ({"models": "unet"}, "models must be a list of at least one name. Valid names: pan, unet."),
        ({"models": ["unnet"]}, "unknown name 'unnet' in models; did you mean 'unet'? Valid names: pan, unet."),
        ({"models": ["zzz"]}, "unknown name 'zzz' in models. Valid names: pan, unet."),
        ({"models": [3]}, "unknown name 3 in models. Valid names: pan, unet."),
        ({"models": ["pan", "unet", "pan"]}, "'pan' is listed twice in models."),
    ],
)
def test_a_list_of_names_that_does_not_fit(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        name_list(params, "models", ["pan", "unet"])
    assert str(caught.value) == f"params.yaml: {message}"


def test_seeds_keep_their_order() -> None:
    assert seed_list({"seeds": [2, 0]}) == [2, 0]


@pytest.mark.parametrize("seeds", [None, [], 0, ["0"], [-1], [0.5], [True], [None]])
def test_seeds_that_are_none(seeds: Any) -> None:
    with pytest.raises(UserError, match="seeds must be a list of integers from 0"):
        seed_list({"seeds": seeds})


def test_a_seed_that_stands_twice() -> None:
    with pytest.raises(UserError, match=r"a seed is listed twice in seeds: \[0, 1, 0\]"):
        seed_list({"seeds": [0, 1, 0]})


@pytest.mark.parametrize("stage", STAGES)
def test_the_repository_s_params_fit_each_stage(stage: str) -> None:
    params = load_params(ROOT / "params.yaml")
    cls = getattr(import_module(f"bench.stages.{stage}"), f"{stage.capitalize()}Settings")
    assert isinstance(section(params, stage, cls), cls)


def test_the_repository_s_params_are_the_paper_s_grid() -> None:
    params = load_params(ROOT / "params.yaml")
    assert set(name_list(params, "datasets", plugins.names("datasets"))) >= set(published("tables_3_4_5")["dataset"])
    assert len(name_list(params, "models", plugins.names("models"))) >= 10
    assert seed_list(params) == [0]
    assert set(params) == {"datasets", "models", "seeds", "plugins", "sweep", "transfer", *STAGES}


@pytest.mark.parametrize(
    ("stage", "changes", "message"),
    [
        ("prepare", {"image_size": 100}, "image_size must be a multiple of 32, got 100"),
        ("prepare", {"image_size": 0}, "image_size must be a multiple of 32, got 0"),
        ("prepare", {"mask_threshold": 255}, "mask_threshold must be 0 to 254, got 255"),
        ("prepare", {"mask_threshold": -1}, "mask_threshold must be 0 to 254, got -1"),
        ("prepare", {"test_share": 0}, "test_share must lie between 0 and 1"),
        ("prepare", {"test_share": 1}, "test_share must lie between 0 and 1"),
        ("prepare", {"validation_share": 1}, "validation_share must be at least 0 and below 1"),
        ("prepare", {"validation_share": -0.1}, "validation_share must be at least 0 and below 1"),
        ("prepare", {"split": "by_hand"}, "prepare.split = 'by_hand'"),
        ("evaluate", {"batch": 0}, "batch must be at least 1, got 0"),
        ("measure", {"repeats": 0}, "repeats must be at least 1"),
        ("measure", {"warmup": -1}, "warmup at least 0"),
        ("download", {"source": ""}, "download: source is empty"),
        ("download", {"source": " "}, "download: source is empty"),
        ("measure", {"device": "tpu"}, "measure.device = 'tpu'"),
        ("report", {"headline": "median"}, "report.headline = 'median'"),
        ("train", {"select_on": "train"}, "train.select_on = 'train'"),
        ("train", {"precision": "half"}, "train.precision = 'half'"),
    ],
)
def test_a_stage_s_setting_out_of_range(stage: str, changes: dict[str, Any], message: str) -> None:
    params = load_params(ROOT / "params.yaml")
    cls = getattr(import_module(f"bench.stages.{stage}"), f"{stage.capitalize()}Settings")
    with pytest.raises(UserError) as caught:
        section(params | {stage: params[stage] | changes}, stage, cls)
    assert message in str(caught.value)
