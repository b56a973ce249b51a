"""Tables as Markdown, CSV, plain text for a terminal, and JSON records."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from textwrap import fill, wrap
from typing import Any

import pandas as pd

from bench.render.csv_cells import csv_text
from bench.render.markdown import escape, prose
from bench.render.tables import Table

WIDTH = 100
"""Line width of captions and notes on a terminal, characters."""

MARKS = {"best": "**{}**", "second": "<u>{}</u>", "": "{}"}


def together(tables: Sequence[Table], form: str, warning: str = "", data: str = "") -> str:
    """Return several tables in one text.

    Args:
        tables: the tables.
        form: "text" (for a terminal), "markdown", "csv" or "json".
        warning: put before each caption.
        data: origin of the numbers, such as "sample", for the forms without captions; may be empty.
    """
    if form == "json":
        content: dict[str, Any] = {"data": data} if data else {}
        content |= {table.name: records(table) for table in tables}
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    if form == "csv":
        return "\n".join(csv(table, data) for table in tables)
    show = plain if form == "text" else markdown
    return "\n".join(show(replace(table, caption=f"{warning} {table.caption}".lstrip())) for table in tables)


def markdown(table: Table, heading: str = "") -> str:
    """Return a Markdown page: caption, table and notes; ``heading`` is a warning above them."""
    lines = [f"**{heading}**", ""] if heading else []
    lines += [prose(table.caption), "", _row(table.frame.columns), "| --- " * len(table.frame.columns) + "|"]
    for i, cells in enumerate(shown(table)):
        lines.append(_row(cells.values(), [MARKS[table.marks.get((i, name), "")] for name in cells]))
    lines += ["", *[f"- {prose(note)}" for note in table.notes]] if table.notes else []
    return "\n".join(lines) + "\n"


def csv(table: Table, data: str = "") -> str:
    """Return the table as CSV, with the same digits as in print.

    Args:
        table: the table.
        data: value of an additional last column ``data``, such as "sample"; empty for no such column.
    """
    frame = pd.DataFrame(shown(table), columns=table.frame.columns)
    return csv_text(frame.assign(data=data) if data else frame)


def plain(table: Table) -> str:
    """Return the table for a terminal: caption, aligned columns with wrapped headings, notes."""
    names = [str(name) for name in table.frame.columns]
    rows = [list(cells.values()) for cells in shown(table)]
    columns = []
    for i, name in enumerate(names):
        cells = [row[i] for row in rows]
        heading = wrap(name, max(len(text) for text in [*name.split(), *cells]))
        columns.append((heading, cells))
    height = max(len(heading) for heading, _ in columns)
    lines = [""] * (height + 1 + len(rows))
    for name, (heading, cells) in zip(names, columns, strict=True):
        width = max(map(len, [*heading, *cells]))
        column = [*[""] * (height - len(heading)), *heading, "-" * width, *cells]
        aligned = (text.rjust(width) if is_numeric(table, name) else text.ljust(width) for text in column)
        lines = [f"{line}{text}  " for line, text in zip(lines, aligned, strict=True)]
    prose = [fill(text, WIDTH) for text in (table.caption, *table.notes)]
    return "\n".join([prose[0], "", *(line.rstrip() for line in lines), "", *prose[1:]]).rstrip() + "\n"


def records(table: Table) -> list[dict[str, Any]]:
    """Return the rows for JSON: numbers as numbers, None for NaN."""
    return [
        {str(name): None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        for row in table.frame.to_dict("records")
    ]


def shown(table: Table) -> list[dict[str, str]]:
    """Return the rows as printed: numbers with their digits, ``blank`` for missing values."""
    return [
        {str(name): _show(value, table.digits.get(str(name)), table.blank) for name, value in row.items()}
        for row in table.frame.to_dict("records")
    ]


def is_numeric(table: Table, heading: str) -> bool:
    """Return whether a column holds numbers and is right-aligned."""
    return bool(pd.api.types.is_numeric_dtype(table.frame[heading]))


def _row(cells: Iterable[Any], marks: Iterable[str] = ()) -> str:
    texts = [escape(str(cell)) for cell in cells]
    marked = [mark.format(text) for mark, text in zip(marks, texts, strict=True)] if marks else texts
    return f"| {' | '.join(marked)} |"


def _show(value: Any, digits: int | None, blank: str) -> str:
    """Return a value as printed; ``blank`` for nan and None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return blank
    if digits is not None and not isinstance(value, str):
        return f"{value:z.{digits}f}" if digits >= 0 else f"{value:#.{-digits}g}".rstrip(".")
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
