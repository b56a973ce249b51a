"""Tables as HTML: a fragment for a page, or a complete page."""

import re
from html import escape

from bench.render.headings import split_headings
from bench.render.tables import Table
from bench.render.text import is_numeric, shown

MARKS = {"best": "<strong>{}</strong>", "second": "<u>{}</u>", "": "{}"}

STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } caption { text-align: left; font-weight: 600 }
th, td { padding: .2rem .6rem; border-bottom: 1px solid #8886; text-align: left } .n { text-align: right }
thead tr:first-child th { border-top: 2px solid } th[colspan] { text-align: center } .new > * { border-top: 1px solid }
"""


def document(table: Table, heading: str = "") -> str:
    """Return a complete page; ``heading`` is a warning above the table."""
    warning = f'<p role="alert"><strong>{escape(heading)}</strong></p>\n' if heading else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(table.caption)}</title>\n'
        f"<style>{STYLE}</style>\n{warning}{fragment(table)}</html>\n"
    )


def fragment(table: Table) -> str:
    """Return the table element with its caption, and its notes as a list."""
    columns = [str(c) for c in table.frame.columns]
    right = {c: ' class="n"' if is_numeric(table, c) else "" for c in columns}
    lines = ["<table>", f"<caption>{escape(table.caption)}</caption>", "<thead>", *_head(columns, right), "</thead>"]
    lines.append("<tbody>")
    grouped = columns[0] == "Dataset" and table.frame[columns[0]].duplicated().any()
    previous = None
    for i, cells in enumerate(shown(table)):
        first = cells[columns[0]]
        new = ' class="new"' if grouped and previous not in (None, first) else ""
        previous = first
        texts = (MARKS[table.marks.get((i, c), "")].format(escape(cells[c])) for c in columns)
        inner = "".join(f"<td{right[c]}>{text}</td>" for c, text in zip(columns, texts, strict=True))
        lines.append(f"<tr{new}>{inner}</tr>")
    lines += ["</tbody>", "</table>"]
    notes = "".join(f"<li>{_prose(note)}</li>" for note in table.notes)
    return "\n".join([*lines, f"<ul>{notes}</ul>" if notes else ""]) + "\n"


def _head(columns: list[str], right: dict[str, str]) -> list[str]:
    """Return one row of headings, or two if columns share a name."""
    groups = split_headings(columns)
    if not any(shared for shared, _ in groups):
        return ["<tr>" + "".join(f'<th scope="col"{right[c]}>{escape(c)}</th>' for c in columns) + "</tr>"]
    above = [
        f'<th scope="colgroup" colspan="{len(rests)}">{escape(shared)}</th>'
        if shared
        else f'<th scope="col" rowspan="2">{escape(rests[0])}</th>'
        for shared, rests in groups
    ]
    below = [f'<th scope="col" class="n">{escape(rest)}</th>' for shared, rests in groups if shared for rest in rests]
    return [f"<tr>{''.join(above)}</tr>", f"<tr>{''.join(below)}</tr>"]


def _prose(text: str) -> str:
    """Return a sentence whose words between backticks are code.

    >>> _prose("p < 0.05: `bench check`")
    'p &lt; 0.05: <code>bench check</code>'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
