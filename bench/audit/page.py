"""The audit as pages: Markdown for the terminal, and one HTML file with small pictures of matching images."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.audit.leakage import SIDES
from bench.data.features import Features
from bench.render import html, text
from bench.render.tables import Table

EXAMPLES = 3
"""Pairs shown for each two datasets and each kind of link."""
TITLE = "Audit of the raw data"
FILES = "`bench audit` writes every pair of matching images to links.csv, every file to files.csv."
STYLE = """
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem }
section { overflow-x: auto; margin-top: 2rem } nav a { margin-right: 1rem }
caption { padding-bottom: .4rem } td, th { vertical-align: top }
.pairs { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0; width: 17rem }
figcaption { font-size: .8rem; overflow-wrap: anywhere }
.both { display: flex; gap: .3rem } .both div { position: relative; width: 8rem; height: 8rem }
.both img { width: 100%; height: 100%; display: block } .both i { position: absolute; outline: 2px solid #e69f00 }
"""


@dataclass(frozen=True)
class Example:
    """Two linked images: the caption, their pictures (grey, uint8), the part that both show."""

    caption: str
    pictures: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
    parts: tuple[Sequence[float], Sequence[float]]


def examples(items: pd.DataFrame, links: pd.DataFrame, features: Sequence[Features]) -> list[Example]:
    """Return the first pairs found by content, for each two datasets and each kind.

    Args:
        items: columns dataset and item, one row per image.
        links: each finding in both directions: a, b, kind, and the part of a that b shows.
        features: features of the images.
    """
    content = links[links["kind"] != "name"]
    back = content.rename(columns={"a": "b", "b": "a"}).drop_duplicates(["a", "b"])
    both = content[content["a"] < content["b"]].merge(back, on=["a", "b", "kind"], suffixes=("", "_b"))
    names = items["dataset"].to_numpy()
    both = both.assign(left_set=names[both["a"].to_numpy(int)], right_set=names[both["b"].to_numpy(int)])
    names_of: list[list[str]] = items[["dataset", "item"]].to_numpy(str).tolist()
    shown = []
    for row in both.groupby(["left_set", "right_set", "kind"]).head(EXAMPLES).to_dict("records"):
        a, b = int(row["a"]), int(row["b"])
        caption = f"{row['kind']}: {' '.join(names_of[a])}, {' '.join(names_of[b])}"
        parts = [row[s] for s in SIDES], [row[f"{s}_b"] for s in SIDES]
        shown.append(Example(caption, (features[a].local.picture, features[b].local.picture), parts))
    return shown


def markdown(tables: Sequence[Table], missing: Sequence[str]) -> str:
    """Return the audit as Markdown; ``missing`` are the datasets without data."""
    lines = [f"# {TITLE}", ""]
    lines += [_missing(missing), ""] if missing else []
    lines += [f"## {table.name.capitalize()}\n\n{text.markdown(table)}" for table in tables]
    return "\n".join([*lines, FILES]) + "\n"


def page(tables: Sequence[Table], missing: Sequence[str], shown: Sequence[Example]) -> str:
    """Return the audit as one self-contained HTML file."""
    links = "".join(f'<a href="#{table.name}">{table.name.capitalize()}</a>' for table in tables)
    parts = [f"<h1>{TITLE}</h1>", f'<nav>{links}<a href="#examples">Examples</a></nav>']
    parts += [f"<p>{escape(_missing(missing))}</p>"] if missing else []
    parts += [f'<section id="{t.name}"><h2>{t.name.capitalize()}</h2>\n{html.fragment(t)}</section>' for t in tables]
    pairs = "\n".join(map(_figure, shown)) or "<p>No two images match.</p>"
    parts.append('<section id="examples"><h2>Examples</h2>\n<p>Matching images; framed: the part that both show.</p>')
    parts.append(f'<div class="pairs">\n{pairs}\n</div></section>\n<p>{FILES}</p>')
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{TITLE}</title>\n<style>{html.STYLE}{STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _missing(missing: Sequence[str]) -> str:
    return f"Missing, so not examined: {', '.join(missing)}."


def _figure(example: Example) -> str:
    inner = ""
    for picture, (left, top, right, bottom) in zip(example.pictures, example.parts, strict=True):
        code = base64.b64encode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()).decode()
        place = f"left:{left:.1%};top:{top:.1%};width:{right - left:.1%};height:{bottom - top:.1%}"
        inner += f'<div><img alt="" src="data:image/jpeg;base64,{code}"><i style="{place}"></i></div>'
    return f'<figure><div class="both">{inner}</div><figcaption>{escape(example.caption)}</figcaption></figure>'
