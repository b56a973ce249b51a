r"""Tables as LaTeX: a ``table*`` with booktabs rules, for \input in a paper that loads booktabs and graphicx."""

from bench.render.headings import split_headings
from bench.render.tables import Table
from bench.render.text import is_numeric, shown

MARKS = {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}", "": "{}"}

SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "[": "{[}", "*": "{*}",  # either would belong to the end of the row above
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "–": "--", "−": "$-$", "×": r"$\times$", "±": r"$\pm$",
}  # fmt: skip


def latex(table: Table, heading: str = "") -> str:
    """Return the table with its notes below; ``heading`` is a warning that starts the caption.

    A first column "Dataset" with repeated values is printed only where it changes, with extra space above.
    """
    groups = split_headings([str(c) for c in table.frame.columns])
    align = "".join("r" if is_numeric(table, str(c)) else "l" for c in table.frame.columns)
    caption = f"{heading} {table.caption}" if heading else table.caption
    lines = [
        "% requires booktabs and graphicx", r"\begin{table*}[p]", r"\centering", r"\scriptsize",
        rf"\caption{{{escape(caption)}}}", rf"\label{{tab:{table.name}}}",
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%", rf"\begin{{tabular}}{{@{{}}{align}@{{}}}}",
        r"\toprule", *_head(groups), r"\midrule", *_body(table), r"\bottomrule", r"\end{tabular}}",
    ]  # fmt: skip
    notes = [rf"\par\raggedright\footnotesize {escape(note)}" for note in table.notes]
    return "\n".join([*lines, *notes, r"\end{table*}"]) + "\n"


def escape(text: str) -> str:
    r"""Return text with LaTeX's special characters escaped.

    >>> print(escape("95 % of a_b"))
    95 \% of a\_b
    """
    return "".join(SPECIAL.get(character, character) for character in text)


def _head(groups: list[tuple[str, list[str]]]) -> list[str]:
    """Return one row of headings, or two with rules between them if columns share a name."""
    below = " & ".join(escape(rest) for _, rests in groups for rest in rests) + r" \\"
    if not any(shared for shared, _ in groups):
        return [below]
    above, rules, column = [], [], 1
    for shared, rests in groups:
        above.append(rf"\multicolumn{{{len(rests)}}}{{c}}{{{escape(shared)}}}" if shared else "")
        rules += [rf"\cmidrule(lr){{{column}-{column + len(rests) - 1}}}"] if shared else []
        column += len(rests)
    return [" & ".join(above) + r" \\", "".join(rules), below]


def _body(table: Table) -> list[str]:
    """Return the rows, with best values in bold and second-best values underlined."""
    lines: list[str] = []
    first = str(table.frame.columns[0])
    grouped = first == "Dataset" and table.frame[first].duplicated().any()
    previous = None
    for i, cells in enumerate(shown(table)):
        if grouped and previous is not None and cells[first] != previous:
            lines.append(r"\addlinespace")
        texts = {name: escape(cell) for name, cell in cells.items()}
        if grouped and cells[first] == previous:
            texts[first] = ""
        previous = cells[first]
        lines.append(
            " & ".join(MARKS[table.marks.get((i, name), "")].format(cell) for name, cell in texts.items()) + r" \\"
        )
    return lines
