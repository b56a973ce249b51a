"""Make the pictures of the documentation with Chromium.

    python docs/pictures.py                 # leaderboard.png, from the results in results/open
    python docs/pictures.py demo/reports    # also cell.png, from the report that `make demo` writes

Pictures are scaled down and reduced to few colours to keep the repository small.
"""

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
TRACK = DOCS.parent / "results" / "open"
VIEW_PX = {"width": 1360, "height": 800}
WIDTH_PX, COLOURS = 1600, 160  # about twice the width of a README, for sharp text on dense screens


def main(sample_reports: Path | None) -> None:
    """Write leaderboard.png and, given a report of the sample, cell.png beside this file."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEW_PX, color_scheme="light", device_scale_factor=2)
        save("leaderboard", leaderboard(page, render(Path(folder))))
        if sample_reports:
            save("cell", cell(page, sample_reports / "index.html"))
        browser.close()


def render(folder: Path) -> Path:
    """Render the page of the open track into a folder and return its path."""
    bench = [sys.executable, "-m", "bench", "--params", str(TRACK / "params.yaml")]
    subprocess.run([*bench, "report", str(TRACK), str(folder), "--only", "page"], cwd=DOCS.parent, check=True)
    return folder / "index.html"


def leaderboard(page: Page, path: Path) -> bytes:
    """Return the top of the page, down to the last row of the leaderboard, as PNG."""
    open_page(page, path)
    box = page.locator("#board").bounding_box()
    assert box is not None
    return page.screenshot(clip={"x": 0, "y": 0, "width": VIEW_PX["width"], "height": box["y"] + box["height"] + 12})


def cell(page: Page, path: Path) -> bytes:
    """Return the dialog of the cell with the highest score as PNG."""
    open_page(page, path)
    best = page.locator("#board td.best button")
    scores = [float(text) for text in best.all_inner_texts()]
    best.nth(scores.index(max(scores))).click()
    page.wait_for_selector("#training svg")
    page.wait_for_function("[...document.querySelectorAll('dialog img')].every(image => image.complete)")
    return page.locator("dialog").screenshot()


def open_page(page: Page, path: Path) -> None:
    """Open a report and wait until its leaderboard is filled."""
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("#board tbody tr")


def save(name: str, content: bytes) -> None:
    """Write a picture, scaled down and with few colours."""
    picture = Image.open(BytesIO(content)).convert("RGB")
    picture.thumbnail((WIDTH_PX, 10 * WIDTH_PX), Image.Resampling.LANCZOS)
    path = DOCS / f"{name}.png"
    picture.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
