"""The audit's pages: tables, missing datasets and examples, escaped and without anything from the network."""

import numpy as np
import pandas as pd
import pytest

from bench.audit.page import Example, markdown, page
from bench.render.tables import Table


@pytest.fixture
def table() -> Table:
    return Table("faults", "Faults <found>.", pd.DataFrame({"Dataset": ["A & B"], "Files": [3]}))


@pytest.fixture
def example() -> Example:
    pictures = np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)
    return Example("crop: a<1>, b", pictures, ((0.0, 0.0, 0.5, 1.0), (0.5, 0.25, 1.0, 1.0)))


def test_markdown_has_the_table_and_names_missing_datasets(table: Table) -> None:
    text = markdown([table], ["cfd", "gaps"])
    assert "## Faults" in text
    assert "| A & B |" in text
    assert "cfd, gaps" in text
    assert "cfd" not in markdown([table], [])


def test_the_page_escapes_what_it_shows_and_frames_the_common_part(table: Table, example: Example) -> None:
    html = page([table], ["cfd"], [example])
    assert "A &amp; B" in html
    assert "crop: a&lt;1&gt;, b" in html
    assert "left:0.0%;top:0.0%;width:50.0%;height:100.0%" in html
    assert "left:50.0%;top:25.0%;width:50.0%;height:75.0%" in html
    assert html.count("data:image/jpeg;base64,") == 2
    assert "http" not in html.replace("http-equiv", "")


def test_a_page_without_examples_has_no_figure(table: Table) -> None:
    assert "<figure>" not in page([table], [], [])
