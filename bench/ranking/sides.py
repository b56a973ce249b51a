"""Read the two sides of `bench why`: results folders, folders of scores, or one model or cell of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import UserError, shorten
from bench.formats import scores
from bench.ranking.differences import Side
from bench.ranking.results import EXTERNAL


def read_sides(text: str) -> list[Side]:
    """Return the scores that a text names, one side per dataset and model, sorted.

    Args:
        text: ``FOLDER`` or ``FOLDER:DATASET/MODEL`` or ``FOLDER:DATASET/MODEL/SEED``; the folder holds ``scores/`` or
            ``external/``, or is the folder of the scores of one dataset. ``*`` stands for any dataset or model.

    Raises:
        UserError: there is no such folder, it holds no scores, or none of the named cell.
    """
    folder, cell = _parse(text)
    paths = list(_folders(folder))
    named = [path for path in paths if cell and path.name == cell[0]]
    found = [side for path in named or paths for side in _models(text, scores.read(path))]
    chosen = [picked for side in found if (picked := _picked(side, cell))]
    if not chosen:
        names = sorted(f"{side.dataset}/{side.model}" for side in found)
        raise UserError(f"{folder} has no scores of {'/'.join(cell)}: it has {shorten(names, 12)}.")
    return sorted(chosen, key=lambda side: (side.dataset, side.model))


def pairs(a: Sequence[Side], b: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Return what is compared with what: equal datasets and models; else equal datasets; else one and one.

    Raises:
        UserError: the sides have no dataset and model in common, and it is not clear what else to compare.
    """
    for key in (_cell, _dataset):
        of_b = {key(side): side for side in b}
        if len(of_b) == len(b) and len({key(side) for side in a}) == len(a):
            matched = [(side, of_b[key(side)]) for side in a if key(side) in of_b]
            if matched:
                return matched
    if len(a) == len(b) == 1:
        return [(a[0], b[0])]
    names = (shorten([_cell(side) for side in sides], 6) for sides in (a, b))
    raise UserError(
        f"no dataset and model is in both: {a[0].name} has {next(names)}; {b[0].name} has {next(names)}. "
        "Name one of each, as in FOLDER:cfd/unet."
    )


def _parse(text: str) -> tuple[Path, list[str]]:
    """Return the folder, and dataset, model and seed as far as they are named."""
    if Path(text).exists():
        return Path(text), []
    folder, colon, cell = text.rpartition(":")
    words = cell.split("/")
    if not colon or not Path(folder).is_dir():
        raise UserError(f"{folder or text} not found: give a results folder, a folder of scores, or FOLDER:cfd/unet/0.")
    if len(words) > 3 or not all(words) or (len(words) == 3 and not words[2].isdecimal()):
        raise UserError(f"{text}: after the colon comes DATASET/MODEL or DATASET/MODEL/SEED, such as cfd/unet/0.")
    return Path(folder), words


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the folders with scores of one dataset.

    Raises:
        UserError: there are none.
    """
    patterns = ("cells.json", "*/cells.json", "scores/*/cells.json", f"{EXTERNAL}/*/*/cells.json")
    found = sorted({path.parent for pattern in patterns for path in folder.glob(pattern)})
    if not found:
        hint = "evaluate it first (`bench evaluate`)" if (folder / "run.json").is_file() else "run `dvc repro` first"
        raise UserError(f"{folder} holds no scores (cells.json): {hint}, or give another folder.")
    yield from found


def _models(name: str, part: scores.Scores) -> Iterator[Side]:
    for model in sorted({cell["model"] for cell in part.cells}):
        yield Side(name, _only(part, model, {int(c["seed"]) for c in part.cells if c["model"] == model}))


def _picked(side: Side, cell: Sequence[str]) -> Side | None:
    """Return the part of a side that a cell names; None if there is none."""
    wanted = [*cell, *["*"] * (3 - len(cell))]
    if any(want not in ("*", have) for want, have in zip(wanted, (side.dataset, side.model), strict=False)):
        return None
    seeds = [seed for seed in side.seeds if wanted[2] in ("*", str(seed))]
    return Side(side.name, _only(side.scores, side.model, set(seeds))) if seeds else None


def _only(part: scores.Scores, model: str, seeds: set[int]) -> scores.Scores:
    images = part.images[(part.images["model"] == model) & part.images["seed"].isin(seeds)]
    cells = [c for c in part.cells if c["model"] == model and int(c["seed"]) in seeds]
    return replace(part, images=images, cells=cells)


def _cell(side: Side) -> str:
    return f"{side.dataset}/{side.model}"


def _dataset(side: Side) -> str:
    return side.dataset
