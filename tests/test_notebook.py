"""The notebook runs on the committed results, and its stored outputs are those of this run."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

PATH = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


def executed(notebook: Any) -> Any:
    """Return the notebook with the outputs of a fresh kernel in its folder."""
    kernel = NotebookClient(
        notebook, timeout=300, record_timing=False, resources={"metadata": {"path": str(PATH.parent)}},
        extra_arguments=["--Application.log_level=ERROR"],
    )  # fmt: skip
    return kernel.execute()


def texts(notebook: Any) -> list[str]:
    """Return what the cells print and show, pictures left out."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/png" not in data:
                found.append(output.get("text") or data["text/plain"])
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq", "ignore::ResourceWarning", "ignore:.*CurveZMQ")
def test_the_notebook_runs_and_shows_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)  # set by the commands, for figures that are files
    stored = nbformat.read(PATH, as_version=4)
    fresh = executed(nbformat.read(PATH, as_version=4))
    assert texts(fresh) == texts(stored), "run: python tests/test_notebook.py"
    assert sum("image/png" in o.get("data", {}) for cell in fresh.cells for o in cell.get("outputs", ())) == 2
    assert not [o for cell in fresh.cells for o in cell.get("outputs", ()) if o.get("name") == "stderr"]


if __name__ == "__main__":
    nbformat.write(executed(nbformat.read(PATH, as_version=4)), PATH)
