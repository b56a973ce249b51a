"""Audit raw datasets: read them, find faults, duplicates and leakage, write tables and a page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import plugins
from bench.audit import width
from bench.audit.integrity import COLUMNS, FLAGS, doubt_about_all, inspect, unpaired
from bench.audit.leakage import leakage, links_by_content, links_by_names
from bench.audit.page import examples, markdown, page
from bench.data.assign import assign
from bench.data.crops import find_crops
from bench.data.dataset import Pair, pairs_of, photo_of
from bench.data.duplicates import find_duplicates, join_groups
from bench.data.features import Features, extract
from bench.data.parallel_map import parallel_map
from bench.errors import UserError
from bench.formats import files
from bench.render import text
from bench.render.tables import Table
from bench.stages.prepare import PrepareSettings

ALL = (*COLUMNS, *width.COLUMNS)
SPLITS = ("random", "grouped", "published")


def audit_datasets(data: Path, target: Path, datasets: Sequence[str], settings: PrepareSettings) -> str:
    """Write ``files.csv``, ``links.csv``, one CSV per table and the audit as Markdown and HTML into ``target``.

    Args:
        data: folder of the datasets, as written by `bench download`.
        target: folder for the audit.
        datasets: ids; those without a folder are listed as missing.
        settings: shares and seed of the splits to examine.

    Returns:
        The Markdown.

    Raises:
        UserError: none of the datasets is present.
    """
    present = [name for name in datasets if (data / name / "images").is_dir()]
    if not present:
        raise UserError(
            f"{data} holds none of {', '.join(datasets)}: run `dvc repro prepare`, or `bench download {data}`, first."
        )
    unpaired_files = {name: unpaired(data / name) for name in present}
    pairs = {name: _pairs(name, data / name) for name in present}
    inspected, features = _examine_all(pairs)
    pairs, items = _readable(pairs, inspected)
    links = _links(features, items)
    for name in present:
        _mark_identical(inspected[name], items, features, items.index[items["dataset"] == name].tolist())
    tables = [
        _integrity_table(inspected, unpaired_files),
        _flags_table(inspected, unpaired_files),
        width.table(inspected),
        _across_table(items, links),
        _leakage_table(items, links, pairs, settings),
    ]
    missing = [name for name in datasets if name not in present]
    _write(target, tables, inspected, items, links)
    files.write_text(target / "index.html", page(tables, missing, examples(items, links, features)))
    files.write_text(target / "README.md", markdown(tables, missing))
    return markdown(tables, missing)


def _readable(
    pairs: Mapping[str, list[Pair]], inspected: Mapping[str, pd.DataFrame]
) -> tuple[dict[str, list[Pair]], pd.DataFrame]:
    """Return the pairs that can be read, and one row for each: item, crack share above_127, dataset, photo."""
    readable = {name: frame[frame["flags"] != "unreadable"] for name, frame in inspected.items()}
    kept = {name: [pair for pair in pairs[name] if pair.item in set(readable[name]["item"])] for name in pairs}
    items = _stacked(
        frame[["item", "above_127"]].assign(dataset=name, photo=[pair.photo for pair in kept[name]])
        for name, frame in readable.items()
    )
    return kept, items


def _examine_all(pairs: Mapping[str, list[Pair]]) -> tuple[dict[str, pd.DataFrame], list[Features]]:
    """Return the findings on the pairs of each dataset, and the features of all readable images."""
    cards = {name: plugins.load("datasets", name).CARD for name in pairs}
    work = [(pair, cards[name].classes, cards[name].coded) for name in pairs for pair in pairs[name]]
    examined = parallel_map(_examine, work, "examine")
    inspected, start = {}, 0
    for name, own in pairs.items():
        inspected[name] = pd.DataFrame([row for row, _ in examined[start : start + len(own)]], columns=ALL)
        start += len(own)
    return inspected, [features for _, features in examined if features is not None]


def _examine(work: tuple[Pair, int, bool]) -> tuple[dict[str, Any], Features | None]:
    row, image = inspect(*work)
    return row | width.measure(work[0], image, *work[1:]), None if image is None else extract(image)


def _pairs(name: str, root: Path) -> list[Pair]:
    """Return the complete pairs; unpaired files are reported separately."""
    plugin, unpaired_files = plugins.load("datasets", name), {Path(path).stem for path in unpaired(root)}
    if not unpaired_files:
        return pairs_of(plugin, root)
    images = {p.stem: p for p in (root / "images").glob("*") if p.stem not in unpaired_files}
    masks = {p.stem: p for p in (root / "masks").glob("*") if p.stem not in unpaired_files}
    return [Pair(stem, images[stem], masks[stem], photo_of(plugin, stem)) for stem in sorted(images)]


def _stacked(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the frames concatenated; empty ones are dropped if others remain, so they do not change dtypes."""
    every = list(frames)
    return pd.concat([frame for frame in every if len(frame)] or every[:1], ignore_index=True)


def _links(features: Sequence[Features], items: pd.DataFrame) -> pd.DataFrame:
    """Return all links: by content over all datasets, by names within each."""
    if not features:
        return links_by_names([], [])
    duplicates = find_duplicates(np.stack([f.thumbnail for f in features]))
    links = [links_by_content(duplicates, find_crops(features, sets=items["dataset"].tolist()))]
    for _, group in items.groupby("dataset"):
        named = links_by_names(group["item"].tolist(), group["photo"].tolist())
        named[["a", "b"]] = group.index.to_numpy()[named[["a", "b"]].to_numpy(int)]
        links.append(named)
    return _stacked(links)


def _mark_identical(
    inspected: pd.DataFrame, items: pd.DataFrame, features: Sequence[Features], positions: list[int]
) -> None:
    pixels = pd.Series([features[i].pixels for i in positions], index=items.loc[positions, "item"])
    repeated = set(pixels[pixels.duplicated(keep=False)].index)
    marked = inspected["item"].isin(repeated)
    flags = inspected.loc[marked, "flags"]
    inspected.loc[marked, "flags"] = flags.where(flags == "", flags + "; ") + "identical images"


def _integrity_table(inspected: Mapping[str, pd.DataFrame], unpaired_files: Mapping[str, list[str]]) -> Table:
    rows = [
        {
            "Dataset": name,
            "Pairs": len(frame),
            "Without partner": len(unpaired_files[name]),
            "Sizes": frame.groupby(["width", "height"]).ngroups,
            "Smallest": "x".join(map(str, min(zip(frame["width"], frame["height"], strict=True), default=()))),
            "Largest": "x".join(map(str, max(zip(frame["width"], frame["height"], strict=True), default=()))),
            "Crack % > 0": 100 * frame["above_0"].mean(),
            "Crack % > 127": 100 * frame["above_127"].mean(),
            "Ratio": frame["above_0"].mean() / frame["above_127"].mean() if frame["above_127"].any() else np.nan,
        }
        for name, frame in inspected.items()
    ]
    digits = {"Crack % > 0": 3, "Crack % > 127": 3, "Ratio": 2}
    note = "Ratio: crack area when every non-zero pixel of a mask counts, over the area above half the grey range."
    return Table("integrity", "Contents of the files.", pd.DataFrame(rows), digits, [note])


def _flags_table(inspected: Mapping[str, pd.DataFrame], unpaired_files: Mapping[str, list[str]]) -> Table:
    rows = []
    for name, frame in inspected.items():
        if (doubt := doubt_about_all(frame)) is not None:
            rows.append([name, "all masks", len(frame), "", doubt])
        for flag, meaning in FLAGS.items():
            marked = frame.loc[frame["flags"].str.split("; ").map(lambda flags, flag=flag: flag in flags), "item"]
            if len(marked):
                first = ", ".join(marked[:3])
                rows.append([name, flag, len(marked), first, meaning])
        if unpaired_files[name]:
            first = ", ".join(unpaired_files[name][:3])
            rows.append([name, "without partner", len(unpaired_files[name]), first, ""])
    columns = ["Dataset", "Finding", "Pairs", "First", "Means"]
    return Table("findings", "Faults and oddities.", pd.DataFrame(rows, columns=columns))


def _across_table(items: pd.DataFrame, links: pd.DataFrame) -> Table:
    content = links[links["kind"] != "name"]
    names = items["dataset"].to_numpy()
    frame = content.assign(left_set=names[content["a"].to_numpy(int)], right_set=names[content["b"].to_numpy(int)])
    frame = frame[frame["left_set"] <= frame["right_set"]]
    rows = []
    for (a, b), group in frame.groupby(["left_set", "right_set"]):
        kinds = group["kind"].value_counts() // (2 if a == b else 1)  # each pair is listed in both directions
        counts = {"Same picture": int(kinds.get("duplicate", 0)), "Overlapping": int(kinds.get("crop", 0))}
        of_b = group["b"].nunique()
        rows.append({"Dataset": a, "And": b, **counts, "Images of the second": of_b})
    note = "Found by content, not by names: duplicates, or overlapping parts of one source image."
    columns = ["Dataset", "And", "Same picture", "Overlapping", "Images of the second"]
    return Table("duplicates", "Pairs of images.", pd.DataFrame(rows, columns=columns), {}, [note])


def _leakage_table(
    items: pd.DataFrame, links: pd.DataFrame, pairs: Mapping[str, list[Pair]], settings: PrepareSettings
) -> Table:
    rows = []
    skipped = (items["dataset"] + "/" + items["item"]).isin(settings.skip)
    for name, group in items[~skipped].groupby("dataset", sort=False):
        kept = [pair for pair in pairs[str(name)] if pair.item in set(group["item"])]
        place = pd.Series(range(len(group)), index=group.index)
        own = links[links["a"].isin(group.index) & links["b"].isin(group.index)]
        own = own.assign(a=own["a"].map(place), b=own["b"].map(place))
        is_listed = hasattr(plugins.load("datasets", str(name)), "SAME_PLACE")  # as in bench.data.same_place
        alike = own[own["kind"].isin(["duplicate"] if is_listed else ["duplicate", "crop"])]
        groups = join_groups(group["photo"].tolist(), zip(alike["a"], alike["b"], strict=True))
        for kind in SPLITS:
            try:
                chosen = replace(settings, split=kind)  # type: ignore[arg-type]
                split = assign(str(name), kept, chosen.plan, groups, group["above_127"].tolist())
            except (UserError, ValueError):
                continue  # too few source images, or no published split
            seen = leakage(split, group["photo"].tolist(), own)
            content = leakage(split, [str(i) for i in range(len(group))], own[own["kind"] != "name"])
            rows.append(
                {
                    "Dataset": name, "Split": kind, "Test": split.count("test"),
                    "Photograph in training %": seen["photo_pct"], "by names %": seen["photo_by_name_pct"],
                    "by content %": content["photo_pct"], "Test pixels seen %": seen["pixels_pct"],
                }
            )  # fmt: skip
    digits = dict.fromkeys(["Photograph in training %", "by names %", "by content %", "Test pixels seen %"], 1)
    caption = "Test images whose source image is also in training, and the share of test pixels visible in training."
    columns = ["Dataset", "Split", "Test", *digits]
    notes = [f"Without the {skipped.sum()} pairs that prepare.skip leaves out."] * bool(skipped.any())
    return Table("leakage", caption, pd.DataFrame(rows, columns=columns), digits, notes)


def _write(
    target: Path,
    tables: Sequence[Table],
    inspected: Mapping[str, pd.DataFrame],
    items: pd.DataFrame,
    links: pd.DataFrame,
) -> None:
    every = _stacked(frame.assign(dataset=name) for name, frame in inspected.items())
    files.write_csv(target / "files.csv", every[["dataset", *every.columns.drop("dataset")]])
    named = links[(links["kind"] != "name") & (links["a"] < links["b"])]
    left, right = items.loc[named["a"].astype(int)], items.loc[named["b"].astype(int)]
    shown = pd.DataFrame({"kind": named["kind"].tolist()})
    shown[["dataset", "item"]] = left[["dataset", "item"]].to_numpy()
    shown[["other_dataset", "other_item"]] = right[["dataset", "item"]].to_numpy()
    shown[["left", "top", "right", "bottom"]] = (
        named[["left", "top", "right", "bottom"]].astype(float).round(3).to_numpy()
    )
    files.write_csv(target / "links.csv", shown)
    for table in tables:
        files.write_text(target / f"{table.name}.csv", text.csv(table))
