"""Text from outside in Markdown: shown as it is, never as markup."""

import re

_SPECIAL = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)|[`*]|(?<![^\W_])_|_(?![^\W_])|\](?=[\[(:])")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_BLOCK = re.compile(r"^(\s*)(?:([#>+-])|(\d+)([.)]))")
_CODE = re.compile(r"((?<!`)`[^`\n]+`(?!`))")


def escape(text: str) -> str:
    r"""Return text that a line of Markdown shows as it is; line breaks and invisible characters become spaces.

    **Source:** CommonMark 0.31, section 2.4, and the tables and strikethrough of GitHub Flavored Markdown.

    >>> print(escape("a_b *c* [d](e) <f> g|h"))
    a_b \*c\* [d\](e) &lt;f> g\|h
    """
    text = _SPECIAL.sub(lambda found: "\\" + found[0], _INVISIBLE.sub(" ", text))
    text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).replace("~~", "&#126;&#126;").replace("|", "\\|")


def prose(text: str) -> str:
    r"""Return a sentence of this suite in which names may stand: its code in backticks is kept, all else is escaped.

    >>> print(prose("*x* was left out: run `bench check *`."))
    \*x\* was left out: run `bench check *`.
    """
    parts = _CODE.split(_INVISIBLE.sub(" ", text))
    escaped = "".join(part if number % 2 else escape(part) for number, part in enumerate(parts))
    return _BLOCK.sub(lambda found: f"{found[1]}{found[3] or ''}\\{found[2] or found[4]}", escaped)


def code(text: str) -> str:
    """Return text as code, whatever backticks are in it.

    >>> code("a"), code("a`b")
    ('`a`', '`` a`b ``')
    """
    text = _INVISIBLE.sub(" ", text)
    runs = re.findall("`+", text)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    return f"{fence} {text} {fence}" if runs else f"`{text}`"
