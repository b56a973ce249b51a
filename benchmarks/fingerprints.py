"""Write the index of fingerprints, bench/data/fingerprints.npz, from the public images.

Usage: python benchmarks/fingerprints.py DATA: a folder with the files of the open track and of CrackForest (folders or
archives at any depth), and with the merged collection or a part of it as an archive collection*.zip. Only fingerprints
are written, no images. An image that looks like another one of its set is counted once.
"""

import argparse
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from bench import plugins
from bench.data import fingerprints
from bench.data.pinned import pinned_datasets, pinned_files
from bench.data.pinned_local import LocalFiles
from bench.data.unpack import open_tree

CONTAINS = {"crack500": "crack500_crops", "deepcrack": "deepcrack_544", "sylvie": "sylvie_native"}
CONTAINS |= {"cfd": "cfd_native", "forest": "cfd_native"}
"""Set -> one whose images are a part of it."""
NONCRACK = "noncrack"


def first_print(content):
    """Return the fingerprint of an encoded image."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return fingerprints.fingerprint(np.asarray(image[..., ::-1], np.uint8))[0]


def of_track(data):
    """Return the fingerprints of each dataset with files at pinned commits."""
    local = LocalFiles(data)
    found = {}
    for name in pinned_datasets():
        wanted = [file for file in pinned_files(name) if file.target.startswith("images/")]
        contents = local.read_all(local.find(wanted))
        found[name] = [first_print(contents[file.sha256]) for file in wanted]
    return found


def of_collection(path):
    """Return the fingerprints of each dataset of the merged collection."""
    prefixes = {plugins.load("datasets", name).PREFIX: name for name in plugins.names("datasets")}
    prefixes["noncrack_"] = NONCRACK
    found = {}
    with open_tree(path) as tree:
        for member in sorted(name for name in tree.names if PurePosixPath(name).parent.name == "images"):
            owner = next((p for p in prefixes if PurePosixPath(member).name.startswith(p)), None)
            if owner is not None:
                found.setdefault(prefixes[owner], []).append(first_print(tree.read(member)))
    return found


def distinct(prints):
    """Return the fingerprints of which none before looks like it."""
    kept = np.zeros((0, 32), np.uint8)
    for one in prints:
        if not fingerprints.are_near([np.stack([one] * 8)], kept)[0]:
            kept = np.concatenate([kept, one[None]])
    return kept


def main():
    """Write the index and print how many images of each set it knows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    found = of_track(data)
    for archive in sorted(data.glob("collection*.zip")):
        for name, prints in of_collection(archive).items():
            found[name] = [*found.get(name, []), *prints]
    for name, part in CONTAINS.items():
        found[name] = [*found.get(name, []), *found[part]]
    kept = {name: distinct(prints) for name, prints in sorted(found.items())}
    sets = np.concatenate([np.full(len(prints), number, np.uint8) for number, prints in enumerate(kept.values())])
    np.savez_compressed(
        fingerprints.PATH, fingerprints=np.concatenate(list(kept.values())), sets=sets, names=np.array(list(kept))
    )
    for name, prints in kept.items():
        print(f"{name}: {len(prints)} images")


if __name__ == "__main__":
    main()
