r"""Tables as LaTeX: special characters, rules, marks, notes."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.render.latex import SPECIAL, escape, latex
from bench.render.tables import Table


@given(st.text())
def test_no_special_character_stays_bare(text: str) -> None:
    escaped = escape(text)
    for printed in sorted(SPECIAL.values(), key=len, reverse=True):
        escaped = escaped.replace(printed, "")
    assert not set(escaped) & {"&", "%", "#", "^", "~", "<", ">"}


def test_a_table_by_hand() -> None:
    frame = pd.DataFrame({"Model": ["a_b", "c"], "Dice, published": [0.5, 0.25], "Dice, here": [0.125, 0.75]})
    marks = {(1, "Dice, here"): "best", (0, "Dice, here"): "second"}
    table = Table("t7", "50 % off.", frame, {"Dice, here": 3, "Dice, published": 2}, ["a & b"], marks)
    lines = latex(table, "SAMPLE").splitlines()
    assert r"\caption{SAMPLE 50 \% off.}" in lines
    assert r"\label{tab:t7}" in lines
    assert any(line.startswith(r"\begin{tabular}{@{}lrr@{}}") for line in lines)
    assert any(r"\multicolumn{2}{c}{Dice}" in line for line in lines)
    text = "\n".join(lines)
    assert r"a\_b & 0.50 & \underline{0.125} \\" in text
    assert r"c & 0.25 & \textbf{0.750} \\" in text
    assert r"a \& b" in text
    assert lines[-1] == r"\end{table*}"


@pytest.mark.parametrize("opened", ["table*", "tabular"])
def test_environments_are_closed(opened: str) -> None:
    text = latex(Table("t", "C.", pd.DataFrame({"A": [1]})))
    assert text.count(rf"\begin{{{opened}}}") == text.count(rf"\end{{{opened}}}") == 1
