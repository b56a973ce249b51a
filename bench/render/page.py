"""The page of the report: one HTML file with embedded data, styles, script and Vega-Lite."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.render.html import fragment
from bench.render.tables import Table

WIDE_PX = 1000
"""Figures from this width on take the full width of the page, others are arranged in two columns."""


@dataclass(frozen=True)
class Picture:
    """A figure on the page: title, caption (also its alt text), address and size in px."""

    title: str
    text: str
    address: str
    width: int
    height: int


def page(
    data: Mapping[str, Any], warning: str, published: Sequence[Table], tables: Sequence[Table], audit: Sequence[Table],
    facts: Sequence[str], faults: Sequence[str], notes: Sequence[str], pictures: Sequence[Picture],
) -> str:  # fmt: skip
    """Return the page.

    Args:
        data: data for the script; ``page.js`` documents each key.
        warning: text at the top; may be empty.
        published: tables of scores that others have published.
        tables: tables of the results.
        audit: tables of the audit of the paper.
        facts: provenance shared by all cells, one sentence each.
        faults: reasons why there is no ranking, one sentence each.
        notes: limitations of the ranking, one sentence each.
        pictures: figures; their addresses are relative to the page, or data URIs.
    """
    environment = Environment(
        loader=PackageLoader("bench.render", "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    galleries = [("columns", [p for p in pictures if p.width < WIDE_PX])]
    galleries += [("wide", [p for p in pictures if p.width >= WIDE_PX])]
    return environment.get_template("page.html").render(
        data=embed(data), warning=warning, published=published, tables=tables, audit=audit, fragment=fragment,
        faults=faults, notes=notes, facts=facts, galleries=galleries, vega=vega(), style=_text("page.css"),
        program=_text("page.js"),
    )  # fmt: skip


def embed(data: Mapping[str, Any]) -> str:
    r"""Return JSON that is safe inside <script>: it cannot close the element.

    >>> embed({"a": "</script>"})
    '{"a":"\\u003c/script>"}'
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def vega() -> str:
    """Return one script with Vega, Vega-Lite and ``vegaEmbed``; it needs no network."""
    from vl_convert import javascript_bundle

    return str(javascript_bundle("window.vegaEmbed = vegaEmbed;")).replace("</script", "<\\/script")


def _text(name: str) -> str:
    return (files("bench.render") / "page" / name).read_text(encoding="utf-8")
