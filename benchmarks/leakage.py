"""Measure recall, false alarms and time of the search for duplicates and crops, on real images.

Usage: python benchmarks/leakage.py DATA [--scale N]: DATA holds <dataset>/images as `bench download` writes them.
Planted duplicates: every image in each of the changes below, looked for among all images. A false alarm is a pair of
two different originals that is called alike although the names do not tell of one photograph; the pairs are printed,
since some are real. Crops: found pairs against the boxes in the names of Rissbilder, Volker and Eugen Miller.
--scale N: times the whole search on N files, the images repeated as random crops.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from bench import plugins
from bench.audit.crops import find_crops
from bench.audit.features import extract_all
from bench.audit.leakage import links_by_names
from bench.datasets._duplicates import find_duplicates, thumbnail
from bench.datasets._images import read_image


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


def duplicates(paths, photos):
    greys = [cv2.cvtColor(read_image(path), cv2.COLOR_RGB2GRAY) for path in paths]
    originals = np.stack([thumbnail(grey) for grey in greys])
    found = find_duplicates(originals)
    alike = {frozenset(pair) for pair in zip(found["a"], found["b"], strict=True)}
    unlike = [pair for pair in alike if len({photos[i].split("/")[1] for i in pair}) > 1]
    count = len(paths)
    print(f"{count} images: {len(alike)} pairs alike, {len(unlike)} of them with different photographs in their names")
    for a, b in map(sorted, unlike[:10]):
        print(f"  {paths[a].stem} {paths[b].stem}")
    print(f"false alarms at most {100 * len(unlike) / (count * (count - 1) / 2):.6f} % of all pairs")
    for name, change in CHANGES.items():
        changed = np.stack([thumbnail(np.ascontiguousarray(change(grey))) for grey in greys])
        pairs = find_duplicates(np.concatenate([originals, changed]))
        cross = pairs[(pairs["a"] < count) & (pairs["b"] >= count)]
        hits = cross[cross["b"] - count == cross["a"]]["a"].nunique()
        wrong = {
            b - count
            for a, b in zip(cross["a"], cross["b"], strict=True)
            if b - count != a and frozenset((a, b - count)) not in alike
        }
        print(
            f"{name:16} recall {100 * hits / count:6.2f} %, images with a false match {100 * len(wrong) / count:.3f} %"
        )


def crops(paths, names, photos):
    features = extract_all(paths)
    start = time.perf_counter()
    found = find_crops(features)
    print(f"crops: {time.perf_counter() - start:.1f} s for {len(paths)} images")
    pairs = set(zip(found["a"], found["b"], strict=True))
    links = links_by_names([p.stem for p in paths], photos)
    links = links.assign(area=(links["right"] - links["left"]) * (links["bottom"] - links["top"]))
    both = {}
    errors = []
    for link in links.to_dict("records"):
        key = tuple(sorted((link["a"], link["b"])))
        both[key] = max(both.get(key, 0), link["area"])
        hit = found[(found["a"] == link["a"]) & (found["b"] == link["b"])]
        if len(hit):
            errors.append(max(abs(hit.iloc[0][f"a_{s}"] - link[s]) for s in ("left", "top", "right", "bottom")))
    for low, high in ((0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.01)):
        known = [key for key, area in both.items() if low < area <= high]
        if known:
            hits = sum(key in pairs for key in known)
            print(f"overlap {low:.2f} to {min(high, 1):.2f}: {hits} of {len(known)} pairs found")
    linked, hit = {i for key in both for i in key}, {i for key in both if key in pairs for i in key}
    print(f"images with an overlapping partner: {len(hit)} of {len(linked)} found")
    print(f"error of the common part: median {np.median(errors):.4f}, largest {max(errors):.4f} of the side")
    other = [(a, b) for a, b in pairs if photos[a] != photos[b]]
    print(f"{len(other)} overlapping pairs whose names tell of different photographs (duplicates included)")


def timing(paths, count):
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for i in range(count):
            image = cv2.imread(str(paths[i % len(paths)]))
            side = int(generator.integers(250, 448))
            y, x = generator.integers(0, 448 - side, 2)
            made.append(Path(folder) / f"{i}.jpg")
            cv2.imwrite(str(made[-1]), cv2.resize(image[y : y + side, x : x + side], (448, 448)))
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        features = extract_all(made)
        marks = [time.perf_counter()]
        find_duplicates(np.stack([f.thumbnail for f in features]))
        marks.append(time.perf_counter())
        find_crops(features)
        marks.append(time.perf_counter())
        after = resource.getrusage(resource.RUSAGE_SELF)
        steps = np.diff([start, *marks])
        print(
            f"{count} files: features {steps[0]:.0f} s, duplicates {steps[1]:.0f} s, crops {steps[2]:.0f} s, "
            f"together {steps.sum():.0f} s; CPU {after.ru_utime - before.ru_utime:.0f} s, "
            f"peak {after.ru_maxrss / 2**20:.1f} GiB"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scale", type=int)
    arguments = parser.parse_args()
    names, paths = [], []
    for name in plugins.names("datasets"):
        for path in sorted((arguments.data / name / "images").glob("*")):
            names.append(name)
            paths.append(path)
    if arguments.scale:
        timing(paths, arguments.scale)
        return
    photos = [f"{n}/{plugins.load('datasets', n).photo(p.stem)}" for n, p in zip(names, paths, strict=True)]
    duplicates(paths, photos)
    crops(paths, names, [photo.split("/")[1] for photo in photos])


if __name__ == "__main__":
    main()
