"""Tables as text: digits, gaps and separators."""

import csv as csv_module
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.render.tables import Table
from bench.render.text import csv, markdown

TABLE = Table(
    "table9",
    "Table 9. Anything.",
    pd.DataFrame({"Model": ["a|b", "c"], "IoU": [0.12345, float("nan")], "Pairs": [118, 3363], "Note": ["", None]}),
    {"IoU": 3},
    ("The first note.", "The second."),
)


def test_markdown_by_hand() -> None:
    assert markdown(TABLE) == (
        "Table 9. Anything.\n"
        "\n"
        "| Model | IoU | Pairs | Note |\n"
        "| --- | --- | --- | --- |\n"
        "| a\\|b | 0.123 | 118 |  |\n"
        "| c |  | 3363 |  |\n"
        "\n"
        "- The first note.\n"
        "- The second.\n"
    )


def test_a_warning_stands_above_all() -> None:
    assert markdown(TABLE, "SAMPLE") == "**SAMPLE**\n\n" + markdown(TABLE)


def test_a_table_without_notes_ends_with_its_last_row() -> None:
    table = Table("t", "T.", pd.DataFrame({"a": [1]}))
    assert markdown(table) == "T.\n\n| a |\n| --- |\n| 1 |\n"


def test_csv_has_the_digits_of_the_page() -> None:
    assert csv(TABLE) == "Model,IoU,Pairs,Note\na|b,0.123,118,\nc,,3363,\n"


def test_csv_quotes_what_needs_it() -> None:
    table = Table("t", "T.", pd.DataFrame({"Licence": ['"for research", they say', "a\nb"]}))
    rows = list(csv_module.reader(io.StringIO(csv(table))))
    assert rows == [["Licence"], ['"for research", they say'], ["a\nb"]]


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (-0.00001, 4, "0.0000"),
        (1.0, None, "1"),
        (0.5, None, "0.5"),
        (0.5, 4, "0.5000"),
        (float("nan"), 4, ""),
        (np.float64("nan"), None, ""),
        (None, 2, ""),
        (3, 2, "3.00"),
        ("text", None, "text"),
        (True, None, "True"),
    ],
)
def test_a_value_as_shown(value: Any, digits: int | None, shown: str) -> None:
    table = Table(
        "t", "T.", pd.DataFrame({"a": pd.Series([value], dtype=object)}), {} if digits is None else {"a": digits}
    )
    assert markdown(table).splitlines()[-1] == f"| {shown} |"


def test_whole_numbers_stay_whole_beside_gaps() -> None:
    frame = pd.DataFrame([{"Pairs": 118}, {"Pairs": None}])  # pandas makes floats of them
    assert markdown(Table("t", "T.", frame)).splitlines()[-2:] == ["| 118 |", "|  |"]
