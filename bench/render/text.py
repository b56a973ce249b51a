"""Tables as text: Markdown and CSV."""

import math
from typing import Any

from bench.render.tables import Table


def markdown(table: Table, heading: str = "") -> str:
    """Return a Markdown page: caption, table, notes; ``heading`` is a warning above it."""
    lines = [f"**{heading}**", ""] if heading else []
    lines += [table.caption, "", _row(table.frame.columns), _row("---" for _ in table.frame.columns)]
    for row in table.frame.to_dict("records"):
        lines.append(_row(_show(value, table.digits.get(str(name))) for name, value in row.items()))
    lines += ["", *[f"- {note}" for note in table.notes]] if table.notes else []
    return "\n".join(lines) + "\n"


def csv(table: Table) -> str:
    """Return the table as CSV with the digits it is printed with."""
    shown = table.frame.apply(lambda column: column.map(lambda v: _show(v, table.digits.get(str(column.name)))))
    return str(shown.to_csv(index=False, lineterminator="\n"))


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _show(value: Any, digits: int | None) -> str:
    """Return a value as printed; nothing for nan and None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if digits is not None:
        return f"{value:.{digits}f}"
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
