"""CSV cells: formulas are guarded, numbers are not, and nothing is lost."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.render.csv_cells import csv_text, guard, unguard


@given(st.text("'=+-@\t\ra1."))
def test_guarding_loses_nothing(text: str) -> None:
    assert unguard(guard(text)) == text


@pytest.mark.parametrize("text", ["-0.5", "+1e-05", "-0.012–0.034", "-0.1 to +0.2", "-", "12", "−3", "unet", ""])
def test_numbers_and_names_stay(text: str) -> None:
    assert guard(text) == text


@pytest.mark.parametrize("text", ["=1", "+a", "-1+cmd|' /C calc'!A0", "@a", "\t=1", "\r=1", "'=1", "-e"])
def test_formulas_are_guarded(text: str) -> None:
    assert guard(text) == f"'{text}"


def test_a_frame_by_hand() -> None:
    frame = pd.DataFrame({"=name": ["=a", "b", None], "x": [-1.5, 2.0, float("nan")], "n": [-1, 0, 1]})
    assert csv_text(frame, "%.2f") == "'=name,x,n\n'=a,-1.50,-1\nb,2.00,0\n,,1\n"


def test_columns_of_one_name_are_both_written() -> None:
    frame = pd.DataFrame([["=a", "-b"]], columns=["x", "x"])
    assert csv_text(frame) == "x,x\n'=a,'-b\n"
    assert frame.iloc[0].tolist() == ["=a", "-b"]
