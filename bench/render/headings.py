"""Two-level headings: "Dice, published" and "Dice, measured" become "published" and "measured" below "Dice"."""

from collections.abc import Sequence


def split_headings(headings: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Group neighbouring headings with the same text before their last ", " as (shared, rests).

    A heading without such a neighbour is returned as ("", [heading]).

    >>> split_headings(["Model", "Dice, published", "Dice, here", "p95, here"])
    [('', ['Model']), ('Dice', ['published', 'here']), ('', ['p95, here'])]
    """
    groups: list[tuple[str, list[str]]] = []
    for heading in headings:
        shared, comma, rest = heading.rpartition(", ")
        if comma and groups and groups[-1][0] == shared:
            groups[-1][1].append(rest)
        else:
            groups.append((shared, [rest]) if comma else ("", [heading]))
    return [
        (shared, rests) if len(rests) > 1 else ("", [f"{shared}, {rests[0]}" if shared else rests[0]])
        for shared, rests in groups
    ]
