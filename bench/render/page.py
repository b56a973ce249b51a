"""The report's page: one HTML file with its data, its style, its program and Vega-Lite inside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.render.html import fragment
from bench.render.tables import Table

WIDE_PX = 1000
"""Figures from here on stand alone on the page, others in two columns: between one and two columns of print."""


@dataclass(frozen=True)
class Picture:
    """A figure on the page: title, the sentence that says what it shows (its alt text), address, size in px."""

    title: str
    text: str
    address: str
    width: int
    height: int


def page(
    data: Mapping[str, Any], warning: str, tables: Sequence[Table], audit: Sequence[Table], facts: Sequence[str],
    faults: Sequence[str], notes: Sequence[str], pictures: Sequence[Picture],
) -> str:  # fmt: skip
    """Return the page.

    Args:
        data: what the program on the page shows; see ``page.js``, which documents each key.
        warning: what stands on top.
        tables: printed ones.
        audit: those of the audit of the paper.
        facts: provenance that all cells share, one sentence each.
        faults: what forbids a ranking.
        notes: what a ranking cannot show, one sentence each.
        pictures: figures, with addresses relative to the page or data URIs.
    """
    environment = Environment(
        loader=PackageLoader("bench.render", "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    galleries = [("columns", [p for p in pictures if p.width < WIDE_PX])]
    galleries += [("wide", [p for p in pictures if p.width >= WIDE_PX])]
    return environment.get_template("page.html").render(
        data=embed(data), warning=warning, tables=[(t, fragment(t)) for t in tables], faults=faults, notes=notes,
        facts=facts, audit=[(t, fragment(t)) for t in audit], galleries=galleries, vega=vega(), style=_text("page.css"),
        program=_text("page.js"),
    )  # fmt: skip


def embed(data: Mapping[str, Any]) -> str:
    r"""Return JSON that may stand inside <script>: no character that could end the element.

    >>> embed({"a": "</script>"})
    '{"a":"\\u003c/script>"}'
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def vega() -> str:
    """Return Vega-Lite, Vega and their embedding as one script that defines ``vegaEmbed``; needs no network."""
    from vl_convert import javascript_bundle

    return str(javascript_bundle("window.vegaEmbed = vegaEmbed;")).replace("</script", "<\\/script")


def _text(name: str) -> str:
    return (files("bench.render") / "page" / name).read_text(encoding="utf-8")
