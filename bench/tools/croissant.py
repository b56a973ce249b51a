"""Describe a public dataset in Croissant, the JSON-LD vocabulary that dataset search engines and loaders read."""

from typing import Any
from urllib.parse import quote

from bench import plugins
from bench.data.pinned import PinnedFile, pinned_files
from bench.data.pinned_fetch import SERVERS

CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""**Source:** Croissant Format Specification 1.0, MLCommons 2024, appendix 1: the recommended context."""

TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".bmp": "image/bmp", ".mat": "text/plain"}
"""Suffix -> media type; CrackForest's .mat files have none of their own."""


def croissant(dataset: str) -> dict[str, Any]:
    """Return the Croissant description of a dataset: facts of its card, and each file with address and SHA-256.

    Raises:
        UserError: no file of the dataset has a fixed public address and a checksum.
    """
    chosen = pinned_files(dataset)
    plugin = plugins.load("datasets", dataset)
    card = plugin.CARD
    return {
        "@context": CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": dataset, "alternateName": card.name,
        "description": f"{card.crack_type}: {card.scene}. {card.images} images with masks of cracks, cut from "
        f"{card.photographs} source images; {card.crack_share_pct:g} % of the pixels are crack.",
        "url": plugin.PINNED.page, "license": card.licence, "citeAs": card.citation, "version": "1.0.0",
        "keywords": ["crack segmentation", card.crack_type],
        "distribution": [_file(file) for file in chosen], "recordSet": [_pairs(dataset, chosen)],
    }  # fmt: skip


def _file(file: PinnedFile) -> dict[str, Any]:
    """Return one file; the SHA-256 is of the file as it is at the address."""
    suffix = f".{file.target.rpartition('.')[2].lower()}"
    return {
        "@type": "cr:FileObject", "@id": file.target, "name": file.target,
        "contentUrl": SERVERS[0].format(repository=file.repository, commit=file.commit, path=_quoted(file.path)),
        "contentSize": f"{file.bytes} B", "encodingFormat": TYPES[suffix], "sha256": file.sha256,
    }  # fmt: skip


def _quoted(path: str) -> str:
    return quote(path)


def _pairs(dataset: str, chosen: tuple[PinnedFile, ...]) -> dict[str, Any]:
    """Return which image belongs to which mask: equal names below images/ and masks/."""
    targets = {kind: {_stem(f.target): f.target for f in chosen if f.target.startswith(kind)} for kind in _KINDS}
    shared = sorted(set.intersection(*(set(names) for names in targets.values())))
    rows = [{f"pairs/{key}": targets[kind][stem] for kind, key in _KINDS.items()} for stem in shared]
    fields = [
        {"@type": "cr:Field", "@id": f"pairs/{key}", "name": f"pairs/{key}", "dataType": "sc:Text"}
        for key in _KINDS.values()
    ]
    return {
        "@type": "cr:RecordSet", "@id": "pairs", "name": "pairs", "field": fields, "data": rows,
        "description": f"Names of the image and the mask of each item of {dataset}.",
    }  # fmt: skip


_KINDS = {"images": "image", "masks": "mask"}


def _stem(target: str) -> str:
    return target.partition("/")[2].rpartition(".")[0]
