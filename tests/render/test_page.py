"""The page: one file, data that cannot end their element, escaped text."""

import json

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from bench.render.page import WIDE_PX, Picture, embed, page
from bench.render.tables import Table

JSON = st.recursive(
    st.integers() | st.text() | st.none(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5
)


@given(st.dictionaries(st.text(), JSON))
def test_embedded_data_come_back_and_cannot_end_their_element(data: dict[str, object]) -> None:
    text = embed(data)
    assert json.loads(text) == data
    assert not set(text) & {"<", "\u2028", "\u2029"}


def test_all_that_is_given_is_on_the_page_escaped() -> None:
    table = Table("t", "A <table>.", pd.DataFrame({"A": [1]}))
    pictures = [
        Picture("Narrow.", "n", "n.png", WIDE_PX - 1, 10),
        Picture("Wide & tall.", "w", "w.png", WIDE_PX, 10),
    ]
    html = page(
        {"x": "</script>"}, "SAMPLE <1>", [table], [table], [table], ["fact <2>"], ["fault <3>"], ["note <4>"], pictures
    )
    for text in ("SAMPLE &lt;1&gt;", "fact &lt;2&gt;", "fault &lt;3&gt;", "note &lt;4&gt;", "A &lt;table&gt;."):
        assert text in html
    assert "Wide &amp; tall." in html
    assert 'src="n.png"' in html
    assert "<1>" not in html


def test_the_page_needs_no_network() -> None:
    html = page({}, "", [], [], [], [], [], [], [])
    assert "<script src=" not in html
    assert '<link rel="stylesheet"' not in html
    assert "vegaEmbed" in html
