"""Markdown: text from outside is shown, never taken for markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.render.markdown import code, escape, prose

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("context_cracknet, 0.5 [0.4, 0.6]", "context_cracknet, 0.5 [0.4, 0.6]"),
        ("p < 0.05 & q > 1", "p < 0.05 & q > 1"),
        ("a\nb\tc\x00\u202ed", "a b c d"),
        ("_a_ *b*", r"\_a\_ \*b\*"),
    ],
)
def test_escaped_by_hand(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@pytest.mark.parametrize(("text", "escaped"), [("# a", r"\# a"), ("12. a", r"12\. a"), ("~~~ a", "&#126;&#126;~ a")])
def test_a_sentence_does_not_begin_a_block(text: str, escaped: str) -> None:
    assert MARKDOWN.render(prose(text)) == f"<p>{text}</p>\n"


@given(st.text("ab1 \\`*_[]()<>&#!|~-+.\"'/:;=", max_size=30))
def test_the_text_is_what_is_shown(text: str) -> None:
    wanted = f"a{text}a"
    (inline,) = MARKDOWN.parseInline(escape(wanted))
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children or []) == wanted


@given(st.text("ab `", min_size=1, max_size=12).filter(lambda text: text.strip() == text and text.strip("`")))
def test_code_is_what_is_shown(text: str) -> None:
    (inline,) = MARKDOWN.parseInline(code(text))
    assert [(child.type, child.content) for child in inline.children or []] == [("code_inline", text)]
