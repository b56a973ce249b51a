"""Names from outside in tables and cards: each format shows them as they are, and none takes them for its own."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import markdown as python_markdown
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from bench.formats import files
from bench.render import html, latex, model_card, text
from bench.render.tables import Table
from tests.fixtures.hostile import NAMES

NUMBERS = [number - 2.5 for number in range(len(NAMES))]
FRAME = pd.DataFrame({"Model": NAMES, "Difference": NUMBERS})
TABLE = Table("t", f"Of {NAMES[7]}.", FRAME, {"Difference": 1}, NAMES)


class Cells(HTMLParser):
    """Collects the text of each element, and the names of all elements."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self.inside.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.inside):
            self.texts[tag][-1] += data


def test_html_shows_the_names() -> None:
    cells = Cells(html.fragment(TABLE))
    assert cells.texts["td"][::2] == NAMES
    assert cells.texts["li"] == [re.sub("`([^`]+)`", r"\1", name) for name in NAMES]  # in notes these are code
    assert not cells.tags - {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "code"}


@pytest.mark.parametrize("renderer", ["commonmark", "python-markdown"])
def test_markdown_shows_the_names(renderer: str) -> None:
    source = text.markdown(TABLE)
    if renderer == "commonmark":
        page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source)
    else:
        page = python_markdown.markdown(source, extensions=["tables"])
    page = re.sub(r"<(hr|br) ?/?>", "", page)
    cells = Cells(page)
    assert cells.texts["td"][::2] == [name.strip() for name in NAMES]
    in_code = {name: name for name in NAMES} | {"`code`": "code"}  # in a sentence, backticks are those of the suite
    shown = [note.strip().replace("\n", "") for note in cells.texts["li"]]
    assert shown == [in_code[name].strip() for name in NAMES]
    assert not cells.tags - {"p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code"}


def test_csv_holds_no_formula_and_the_same_numbers() -> None:
    rows = list(csv.reader(io.StringIO(text.csv(TABLE))))[1:]
    assert [float(number) for _, number in rows] == NUMBERS
    assert not [name for name, _ in rows if name[:1] in ("=", "+", "-", "@")]


def test_our_reader_returns_the_names(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "a.csv", FRAME)
    assert not re.search(r'(?m)^"?[=+@-]', (tmp_path / "a.csv").read_text())
    read = files.read_csv(tmp_path / "a.csv", ["Model", "Difference"], text=["Model"])
    assert read["Model"].tolist() == NAMES
    assert read["Difference"].tolist() == NUMBERS


def test_latex_has_no_command_of_a_name() -> None:
    for name in NAMES:
        bare = latex.escape(name)
        for printed in sorted(latex.SPECIAL.values(), key=len, reverse=True):
            bare = bare.replace(printed, "")
        assert not set(bare) & set("\\&%$#_{}~^<>"), name


def test_a_model_card_shows_the_names() -> None:
    scores = pd.DataFrame({"metric": ["Dice"], "pooled": [0.5]})
    data = {"counts": {}, "origin": {"source": "sample", "licence": NAMES[8]}}
    for name in NAMES:
        cell = {"dataset": "d", "model": "m", "seed": 0, "protocol": name, "data": "x", "hardware": {"gpu": name}}
        card = model_card.model_card(cell, {"d": "D", "m": name}, scores, data, "")
        cells = Cells(re.sub(r"<details>|</?summary>|</details>", "", MarkdownIt("commonmark").render(card)))
        assert cells.texts["h1"] == [f"{' '.join(name.split())} on D, seed 0"]
        assert not cells.tags & {"script", "img", "a", "td"}
        assert name in cells.texts["code"]
        assert any(item == f"hardware: gpu {name}" for item in cells.texts["li"])
