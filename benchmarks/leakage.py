"""Measure recall, false alarms and run time of the search for duplicates and crops, on real images.

Usage: python benchmarks/leakage.py DATA [--full FULL]: DATA contains <dataset>/images as written by `bench download`,
FULL is the output of leakage_corpus.py. The results are stored part by part in leakage.json beside this file.

duplicates: every image is changed in each of the ways below and searched among all images.
crops by names: the pairs found, compared with the boxes in the names of Rissbilder, Volker and Eugen Miller.
planted crops: two crops of one image, each 45 to 75 % of its sides, recompressed, are searched among all crops and all
images. Overlap is the smaller share of the two. Features were chosen on Volker and on planted crops of CFD, CRACK500,
CrackTree200, DeepCrack, GAPs and Volker; the boxes here differ, the images may be the same. Rissbilder and Sylvie were
not used, but Sylvie contains the source images of CFD.
This is not a strict hold-out: the thresholds of ``bench/data/crops.py`` (INLIERS, SURE, CORRELATION) were set with
all real pairs in view, Rissbilder's and those of the false alarms included.
false alarms: pairs found within a dataset whose names state different source images, as a share of all such pairs and
of the images; ``SAME_SCENE`` lists those that show the same place twice (judged by one person at 128 px).
speed: `bench audit --all` on FULL: wall time and CPU time of all its processes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from bench import plugins
from bench.audit.leakage import links_by_names
from bench.data.crops import find_crops
from bench.data.dataset import pairs_of
from bench.data.duplicates import find_duplicates, thumbnail
from bench.data.features import extract, extract_all
from bench.data.images import read_image
from bench.data.parallel_map import parallel_map
from bench.formats import files
from bench.machine import cores

KEPT = Path(__file__).with_suffix(".json")
OVERLAPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
PLANTED = ("cfd", "crack500", "deepcrack", "gaps", "rissbilder", "sylvie", "volker")
SAME_SCENE = {
    ("001", "095"), ("012", "013"), ("064", "115"), ("084", "085"),  # CrackForest, in CFD, Forest and Sylvie
    ("002", "304"), ("11138", "11183"), ("11187", "11236"), ("20160328_151504", "20160328_151506"),
    ("9S6A2788", "9S6A2789"), ("9S6A2831", "9S6A2832"), ("9S6A2877", "9S6A2878"), ("DSC01612", "DSC01623"),
}  # fmt: skip


def jpeg(x, quality):
    return cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def resized(x, factor):
    return cv2.resize(x, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


CHANGES = {
    "jpeg 50": lambda x: jpeg(x, 50),
    "jpeg 20": lambda x: jpeg(x, 20),
    "mirrored": lambda x: x[:, ::-1],
    "turned 90": lambda x: np.rot90(x),
    "turned 180": lambda x: np.rot90(x, 2),
    "turned 270": lambda x: np.rot90(x, 3),
    "resized to 1/2": lambda x: resized(x, 0.5),
    "resized to 1/4": lambda x: resized(x, 0.25),
    "resized to 3/2": lambda x: resized(x, 1.5),
    "brighter by 30": lambda x: np.clip(x.astype(int) + 30, 0, 255).astype(np.uint8),
    "contrast 0.7": lambda x: (x * 0.7).astype(np.uint8),
    "all at once": lambda x: jpeg(
        np.clip(resized(np.rot90(x)[:, ::-1], 0.6).astype(int) + 20, 0, 255).astype(np.uint8), 40
    ),
}


def duplicates(paths):
    greys = [cv2.cvtColor(read_image(path), cv2.COLOR_RGB2GRAY) for path in paths]
    originals = np.stack([thumbnail(grey) for grey in greys])
    known = find_duplicates(originals)
    alike = {frozenset(pair) for pair in zip(known["a"], known["b"], strict=True)}
    count = len(paths)
    recall, wrong = {}, {}
    for name, change in CHANGES.items():
        changed = np.stack([thumbnail(np.ascontiguousarray(change(grey))) for grey in greys])
        pairs = find_duplicates(np.concatenate([originals, changed]))
        cross = pairs[(pairs["a"] < count) & (pairs["b"] >= count)]
        hits = cross[cross["b"] - count == cross["a"]]["a"].nunique()
        others = {
            int(b) - count
            for a, b in zip(cross["a"], cross["b"], strict=True)
            if b - count != a and frozenset((a, b - count)) not in alike
        }
        recall[name] = round(100 * hits / count, 3)
        wrong[name] = round(100 * len(others) / count, 3)
    return {"images": count, "recall_pct": recall, "images_with_false_match_pct": wrong}


def by_names(crops, names, items, photos):
    """Return the recall of pairs whose boxes overlap, by the smaller share, and the error of the common part."""
    pairs, result = set(zip(crops["a"], crops["b"], strict=True)), {}
    for dataset in ("rissbilder", "volker", "eugen_miller"):
        own = [i for i, name in enumerate(names) if name == dataset]
        links = links_by_names([items[i] for i in own], [photos[i] for i in own])
        if not len(links):
            continue
        links = links.assign(area=(links["right"] - links["left"]) * (links["bottom"] - links["top"]))
        links["key"] = [tuple(sorted((own[a], own[b]))) for a, b in zip(links["a"], links["b"], strict=True)]
        least = links.groupby("key")["area"].min()
        bins = {}
        for low, high in zip((0, *OVERLAPS), (*OVERLAPS, 1.01), strict=True):
            known = least.index[(least > low) & (least <= high)]
            if len(known):
                bins[f"{low} to {min(high, 1)}"] = f"{sum(k in pairs for k in known)} of {len(known)}"
        forward = links[[own[a] == k[0] for a, k in zip(links["a"], links["key"], strict=True)]]
        sides, errors = ("left", "top", "right", "bottom"), []
        for link in forward.to_dict("records"):
            hit = crops[(crops["a"] == link["key"][0]) & (crops["b"] == link["key"][1])]
            errors += [max(abs(hit.iloc[0][f"a_{s}"] - link[s]) for s in sides)] if len(hit) else []
        linked = {i for key in least.index for i in key}
        hit = {i for key in least.index if key in pairs for i in key}
        result[dataset] = {
            "pairs": f"{sum(k in pairs for k in least.index)} of {len(least)}",
            "by_overlap": bins,
            "images_with_a_partner": f"{len(hit)} of {len(linked)}",
            "median_error_of_common_part": round(float(np.median(errors)), 4),
        }
    return result


def false_alarms(crops, names, photos):
    """Return counts of the pairs found in each dataset whose source images differ."""
    result = {}
    for dataset in dict.fromkeys(names):
        own = [i for i, name in enumerate(names) if name == dataset]
        kinds = pd.Series([photos[i] for i in own]).value_counts()
        different = len(own) * (len(own) - 1) // 2 - int((kinds * (kinds - 1) // 2).sum())
        member, scenes, wrong = set(own), set(), []
        for a, b in zip(crops["a"], crops["b"], strict=True):
            if a in member and b in member and photos[a] != photos[b]:
                scene = tuple(sorted((photos[a], photos[b])))
                (scenes.add((a, b)) if scene in SAME_SCENE else wrong.append((a, b)))
        result[dataset] = {
            "images": len(own),
            "pairs_of_different_photographs": different,
            "same_scene_pairs": len(scenes),
            "false_pairs": len(wrong),
            "false_pairs_pct": round(100 * len(wrong) / max(different, 1), 5),
            "images_with_a_false_pair_pct": round(100 * len({i for pair in wrong for i in pair}) / len(own), 3),
            "named": [f"{photos[a]} {photos[b]}" for a, b in wrong[:20]],
        }
    return result


def crop(image, box):
    top, left, bottom, right = box
    resized_crop = cv2.resize(image[top:bottom, left:right], (448, 448), interpolation=cv2.INTER_LINEAR)
    return cv2.imdecode(cv2.imencode(".jpg", resized_crop, [cv2.IMWRITE_JPEG_QUALITY, 92])[1], 1)


def plant(work):
    """Return the features of two crops of an image whose overlap lies between two bounds."""
    path, low, high, seed = work
    image, generator = read_image(path), np.random.default_rng(seed)
    while True:
        boxes = []
        for _ in range(2):
            height, width = (int(generator.uniform(0.45, 0.75) * side) for side in image.shape[:2])
            top, left = (
                int(generator.integers(0, s - n + 1)) for s, n in zip(image.shape, (height, width), strict=False)
            )
            boxes.append((top, left, top + height, left + width))
        a, b = boxes
        common = [max(0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]
        share = min(common[0] * common[1] / ((t - s) * (v - u)) for s, u, t, v in boxes)
        if low < share <= high:
            return [extract(crop(image, box)) for box in boxes]


def planted(paths, names, features, each):
    """Return the number of planted pairs and their recall by overlap, for each dataset and all."""
    generator = np.random.default_rng(2026)
    work, kinds = [], []
    for dataset in PLANTED:
        own = [p for p, n in zip(paths, names, strict=True) if n == dataset]
        for low, high in pairwise(OVERLAPS):
            for i in generator.permutation(len(own))[:each]:
                work.append((own[i], low, high, int(generator.integers(2**31))))
                kinds.append((dataset, f"{low} to {high}"))
    crops = [f for pair in parallel_map(plant, work, "plant") for f in pair]
    overlaps = find_crops([*crops, *features])
    pairs = set(zip(overlaps["a"], overlaps["b"], strict=True))
    hits = pd.DataFrame(kinds, columns=["dataset", "overlap"]).assign(
        hit=[(2 * i, 2 * i + 1) in pairs for i in range(len(work))]
    )
    share = (100 * hits.pivot_table(index="overlap", columns="dataset", values="hit")).round(1)
    every = (100 * hits.groupby("overlap")["hit"].mean()).round(1)
    return {"pairs": len(work), "recall_pct": {o: {"all": every[o], **share.loc[o].to_dict()} for o in every.index}}


def speed(full):
    count, load = len(list(full.glob("*/images/*"))), os.getloadavg()[0]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-m", "bench", "audit", "--all", "--data", str(full), "--target", target]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "files": count,
        "cores": cores(),
        "wall_s": round(time.perf_counter() - start),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
        "largest_process_gib": round(after.ru_maxrss / 2**20, 2),
        "load_before": round(load, 1),
    }


def keep(**parts):
    files.write_json(KEPT, (files.read_json(KEPT) if KEPT.exists() else {}) | parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--full", type=Path)
    parser.add_argument("--each", type=int, default=20, help="Planted pairs per dataset and overlap.")
    arguments = parser.parse_args()
    if arguments.full:
        keep(speed=speed(arguments.full))
        return
    pairs = [
        (name, pair)
        for name in plugins.names("datasets")
        if (arguments.data / name / "images").is_dir()
        for pair in pairs_of(plugins.load("datasets", name), arguments.data / name)
    ]
    names, paths = [n for n, _ in pairs], [p.image for _, p in pairs]
    items, photos = [p.item for _, p in pairs], [p.photo for _, p in pairs]
    features = extract_all(paths)
    crops = find_crops(features)
    keep(crops_by_names=by_names(crops, names, items, photos), false_alarms=false_alarms(crops, names, photos))
    keep(planted_crops=planted(paths, names, features, arguments.each))
    keep(duplicates=duplicates(paths))


if __name__ == "__main__":
    main()
