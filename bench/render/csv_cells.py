"""CSV text whose cells no spreadsheet takes for a formula."""

import re
from typing import Any

import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBERS = re.compile(r"(?:[-+−–±\d.,%()/ ]| to |[eE](?=[-+]?\d))+(?: \*)?")


def csv_text(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """Return a frame as CSV without its index; texts and headings that begin like a formula are guarded."""
    shown = frame.copy(deep=False)
    for number, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            column = frame.iloc[:, number]
            guarded = column.map(lambda value: guard(value) if isinstance(value, str) else value)
            if not guarded.equals(column):
                shown.isetitem(number, guarded.array)
    shown.columns = pd.Index([guard(name) if isinstance(name, str) else name for name in frame.columns])
    return str(shown.to_csv(index=False, float_format=float_format, lineterminator="\n"))


def guard(text: str) -> str:
    """Return a text with an apostrophe before it if it begins like a formula and is more than numbers.

    **Source:** OWASP, CSV injection: cells that begin with = + - @, a tab or a carriage return.

    >>> guard("=1+1"), guard("-0.5"), guard("unet")
    ("'=1+1", '-0.5', 'unet')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBERS.fullmatch(text) else text


def unguard(text: Any) -> Any:
    """Return what `guard` was given.

    >>> unguard("'=1+1"), unguard("''=1+1"), unguard("'a'")
    ('=1+1', "'=1+1", "'a'")
    """
    return text[1:] if isinstance(text, str) and text.startswith("'") and _FORMULA.match(text) else text
