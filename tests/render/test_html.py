"""Tables as HTML: escaped, marked, with two lines of headings where columns share a name."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from bench.render.html import document, fragment
from bench.render.tables import Table


@pytest.fixture
def table() -> Table:
    frame = pd.DataFrame(
        {
            "Dataset": ["a", "a", "b"],
            "Model": ["<x>", "y", "z"],
            "Dice, published": [0.5, np.nan, 0.25],
            "Dice, here": 1.0,
        }
    )
    marks = {(0, "Dice, published"): "best", (2, "Dice, published"): "second"}
    return Table("t", "A & B.", frame, {"Dice, published": 2, "Dice, here": 1}, ["note <1>"], marks)


def test_cells_are_rounded_marked_and_escaped(table: Table) -> None:
    html = fragment(table)
    assert "<strong>0.50</strong>" in html
    assert "<u>0.25</u>" in html
    assert "&lt;x&gt;" in html
    assert "note &lt;1&gt;" in html
    assert "A &amp; B." in html


def test_the_fragment_is_well_formed_with_a_cell_for_each_column(table: Table) -> None:
    root = ET.fromstring(f"<div>{fragment(table)}</div>")
    assert [len(row) for row in root.findall("./table/tbody/tr")] == [4, 4, 4]
    above, below = root.findall("./table/thead/tr")
    assert [(cell.text, cell.get("colspan")) for cell in above] == [("Dataset", None), ("Model", None), ("Dice", "2")]
    assert [cell.text for cell in below] == ["published", "here"]
    assert [row.get("class") for row in root.findall("./table/tbody/tr")] == [None, None, "new"]  # another dataset


def test_a_document_has_its_warning_above_the_table(table: Table) -> None:
    page = document(table, "SAMPLE <data>")
    assert page.index("SAMPLE &lt;data&gt;") < page.index("<table>")
    assert "alert" not in document(table)
