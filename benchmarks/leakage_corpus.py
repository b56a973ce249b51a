"""Build a stand-in for the whole collection, with its names, counts, source images and size, from the available images.

Usage: python benchmarks/leakage_corpus.py DATA TARGET: DATA contains <dataset>/{images,masks} as written by
`bench download`. Files in DATA are copied. Every other file of the collection's index is a crop of a synthetic source
image: one per source image of the index, composed of four images of DATA, each rotated, stretched and relit. The crop
box is the one in the file name if there is one. The 1,411 files without cracks, which belong to none of the ten
datasets, are added to CRACK500, so that the number of files is the collection's 11,298.
"""

import argparse
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from bench import plugins
from bench.data.index import PATH, index
from bench.formats import files

SIDE = 448
SOURCE_SIDE = 1024
NONCRACK = "noncrack_"


def compose(sources, generator):
    """Return a synthetic source image and its mask, grey level 0 to 255."""
    image, mask = np.zeros((SOURCE_SIDE, SOURCE_SIDE, 3), np.uint8), np.zeros((SOURCE_SIDE, SOURCE_SIDE), np.uint8)
    half = SOURCE_SIDE // 2
    for i in range(4):
        path = sources[generator.integers(len(sources))]
        matrix = cv2.getRotationMatrix2D((224, 224), generator.uniform(0, 360), generator.uniform(1.6, 2.6))
        matrix[:, 2] += half / 2 - 224
        place = slice(i // 2 * half, (i // 2 + 1) * half), slice(i % 2 * half, (i % 2 + 1) * half)
        for kind, canvas in (("images", image), ("masks", mask)):
            flag = cv2.IMREAD_COLOR if kind == "images" else cv2.IMREAD_GRAYSCALE
            seen = cv2.imread(str(path if kind == "images" else path.parents[1] / kind / path.name), flag)
            canvas[place] = cv2.warpAffine(seen, matrix, (half, half), borderMode=cv2.BORDER_REFLECT_101)
        image[place] = np.clip(image[place] * generator.uniform(0.8, 1.2) + generator.normal(0, 4), 0, 255)
    noise = generator.normal(0, 5, (SOURCE_SIDE, SOURCE_SIDE, 1))
    return np.clip(image + noise, 0, 255).astype(np.uint8), mask


def box(file, extent, generator):
    """Return rows and columns of a file's crop in its source image."""
    match = re.fullmatch(r".*_(\d+)_(\d+)_(\d+)_(\d+)\.jpg", file)
    if match and extent:
        top, left, height, width = (int(number) * SOURCE_SIDE // extent for number in match.groups())
        height, width = max(height, 64), max(width, 64)
    else:
        height = width = int(generator.integers(400, 700))
        top, left = generator.integers(0, SOURCE_SIDE - height, 2)
    return slice(top, top + height), slice(left, left + width)


def build(group, target, sources):
    """Write the files of one source image."""
    (name, photo), rows = group
    generator = np.random.default_rng([len(name), *photo.encode()])
    numbers = [re.findall(r"_(\d+)_(\d+)_(\d+)_(\d+)\.jpg$", file) for file in rows["file"]]
    extent = max((max(int(t) + int(h), int(le) + int(w)) for n in numbers for t, le, h, w in n), default=0)
    image, mask = compose(sources[name], generator)
    for file in rows["file"]:
        part = box(file, extent, generator)
        for kind, seen, quality in (("images", image, 90), ("masks", mask, 95)):
            crop = cv2.resize(seen[part], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            crop = crop if kind == "images" else np.where(crop > 127, 255, 0).astype(np.uint8)
            cv2.imwrite(str(target / name / kind / file), crop, [cv2.IMWRITE_JPEG_QUALITY, quality])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    names = [n for n in plugins.names("datasets") if not hasattr(plugins.load("datasets", n), "PINNED")]
    sources = {n: sorted((arguments.data / n / "images").glob("*.jpg")) for n in names}
    every = [path for paths in sources.values() for path in paths]
    sources = {n: paths or every for n, paths in sources.items()}
    parts = [index(plugins.load("datasets", n).PREFIX).assign(dataset=n) for n in names]
    rest = pd.read_csv(PATH, dtype={"photo": str})
    parts.append(rest[rest["file"].str.startswith(NONCRACK)].assign(dataset="crack500"))
    frame = pd.concat(parts, ignore_index=True)
    for name in names:
        for kind in ("images", "masks"):
            (arguments.target / name / kind).mkdir(parents=True, exist_ok=True)
        files.write_json(arguments.target / name / "source.json", {"source": "collection", "archive": "synthetic"})
    real = [(arguments.data / d / "images" / f).exists() for d, f in zip(frame["dataset"], frame["file"], strict=True)]
    for row in frame[real].itertuples():
        for kind in ("images", "masks"):
            shutil.copyfile(
                arguments.data / row.dataset / kind / row.file, arguments.target / row.dataset / kind / row.file
            )
    with ProcessPoolExecutor() as pool:
        groups = list(frame[~np.array(real)].groupby(["dataset", "photo"]))
        list(pool.map(partial(build, target=arguments.target, sources=sources), groups, chunksize=8))
    print(f"{len(frame)} files, {sum(real)} of them real")


if __name__ == "__main__":
    main()
