"""Two-level headings: "Dice, published" and "Dice, measured" stand below one "Dice"."""

from collections.abc import Sequence


def split_headings(headings: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return neighbours that share what stands before their last ", " as (shared, rests); others as ("", [heading]).

    >>> split(["Model", "Dice, published", "Dice, here", "p95, here"])
    [('', ['Model']), ('Dice', ['published', 'here']), ('', ['p95, here'])]
    """
    found: list[tuple[str, list[str]]] = []
    for heading in headings:
        shared, comma, rest = heading.rpartition(", ")
        if comma and found and found[-1][0] == shared:
            found[-1][1].append(rest)
        else:
            found.append((shared, [rest]) if comma else ("", [heading]))
    return [
        (shared, rests) if len(rests) > 1 else ("", [f"{shared}, {rests[0]}" if shared else rests[0]])
        for shared, rests in found
    ]
