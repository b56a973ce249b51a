"""The two sides of `bench why`: which folders and cells they name, and what is compared with what."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.ranking.sides import pairs, read_sides


@pytest.fixture
def results(workspace: Callable[..., Path]) -> Path:
    return workspace(["cfd", "gaps"], {"unet": 0.7, "fpn": 0.5}, seeds=(0, 1)) / "results"


def named(text: str) -> list[tuple[str, str, list[int]]]:
    return [(side.dataset, side.model, side.seeds) for side in read_sides(text)]


def test_folders_and_cells(results: Path) -> None:
    assert named(f"{results}") == [(d, m, [0, 1]) for d in ("cfd", "gaps") for m in ("fpn", "unet")]
    assert named(f"{results}/scores/gaps") == [("gaps", "fpn", [0, 1]), ("gaps", "unet", [0, 1])]
    assert named(f"{results}/scores") == named(f"{results}")
    assert named(f"{results}:cfd/unet/1") == [("cfd", "unet", [1])]
    assert named(f"{results}:*/unet") == [("cfd", "unet", [0, 1]), ("gaps", "unet", [0, 1])]
    assert named(f"{results}/scores/gaps:gaps/fpn") == [("gaps", "fpn", [0, 1])]


def test_only_the_rows_of_the_named_seed_are_kept(results: Path) -> None:
    (side,) = read_sides(f"{results}:cfd/unet/1")
    assert set(side.scores.images["seed"]) == {1}
    assert set(side.scores.images["model"]) == {"unet"}


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        (":cfd/unett", "cfd/unet"),
        (":cfd/unet/7", "cfd/unet/7"),
        (":cfd/unet/x", "SEED"),
        (":cfd//0", "SEED"),
        ("x", "not found"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(results: Path, tail: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_sides(f"{results}{tail}")


def test_a_folder_without_scores_names_the_step_that_writes_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dvc repro"):
        read_sides(str(tmp_path))
    (tmp_path / "run.json").touch()
    with pytest.raises(UserError, match="bench evaluate"):
        read_sides(str(tmp_path))


def test_equal_cells_are_compared_then_equal_datasets_then_one_with_one(results: Path) -> None:
    def compared(a: str, b: str) -> list[str]:
        sides = (read_sides(f"{results}{a}"), read_sides(f"{results}{b}"))
        return [f"{x.dataset}/{x.model} {y.dataset}/{y.model}" for x, y in pairs(*sides)]

    assert compared("", ":cfd/unet") == ["cfd/unet cfd/unet"]
    assert compared(":*/unet", ":*/fpn") == ["cfd/unet cfd/fpn", "gaps/unet gaps/fpn"]
    assert compared(":cfd/unet", ":gaps/fpn") == ["cfd/unet gaps/fpn"]
    with pytest.raises(UserError, match="Name one of each"):
        compared(":cfd", ":gaps/unet")
