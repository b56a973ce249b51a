"""Write benchmarks/README.md: the results in every JSON file here as tables, so that no number is typed by hand.

Usage: python benchmarks/summary.py
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bench.formats import files
from bench.render.tables import Table
from bench.render.text import markdown

HERE = Path(__file__).parent


def render(folder: Path) -> str:
    """Return the page of the JSON files of a folder, each under the summary of the script that wrote it."""
    parts = ["# Benchmarks", "Written by `python benchmarks/summary.py` from the JSON files beside it."]
    for path in sorted(folder.glob("*.json")):
        scripts = [p for p in HERE.glob("*.py") if path.stem.startswith(p.stem)]
        (script,) = sorted(scripts, key=lambda p: len(p.stem))[-1:]
        doc = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
        parts += [f"## {path.stem}", f"{doc.splitlines()[0]} (`benchmarks/{script.name}`)"]
        parts += list(_parts(files.read_json(path)))
    return "\n\n".join(parts) + "\n"


def _parts(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table for each list of rows, then one line with everything else."""
    facts = {}
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield _table(pd.DataFrame(value).map(_text))
        elif isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
            frame = pd.json_normalize(list(value.values()))
            frame.insert(0, key, list(value))
            yield _table(frame.map(_text))
        elif isinstance(value, dict) and value and all(isinstance(v, int | float) for v in value.values()):
            yield _table(pd.DataFrame({key: list(value), "": [_shown(v) for v in value.values()]}))
        else:
            facts[key] = value
    if facts:
        yield "; ".join(f"{key}: {_text(value)}" for key, value in facts.items()) + "."


def _table(frame: pd.DataFrame) -> str:
    return markdown(Table("", "", frame)).strip()


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    return (", ".join(map(_text, value)) or "none") if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    files.write_text(HERE / "README.md", render(HERE))
