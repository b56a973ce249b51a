"""Make the pictures of README.md from a report of the sample: `make demo`, then `python docs/pictures.py demo/reports`.

The page and its best cell are photographed by Chromium; all are reduced to what a README shows.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH_PX, COLOURS = 900, 160


def main(reports: Path) -> None:
    """Write page.png, cell.png and cost.png beside this file."""
    pictures = photograph(reports / "index.html") | {"cost": (reports / "figures" / "pareto.png").read_bytes()}
    for name, content in pictures.items():
        picture = Image.open(BytesIO(content)).convert("RGB")
        picture.thumbnail((WIDTH_PX, 10 * WIDTH_PX), Image.Resampling.LANCZOS)
        path = Path(__file__).parent / f"{name}.png"
        few = picture.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def photograph(page_file: Path) -> dict[str, bytes]:
    """Return the top of the page and the cell with the highest score, opened, as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 780}, color_scheme="light")
        page.goto(page_file.resolve().as_uri())
        page.wait_for_selector("#board tbody tr")
        top = page.screenshot()
        best = page.locator("#board td.best button")
        scores = [float(text) for text in best.all_inner_texts()]
        best.nth(scores.index(max(scores))).click()
        page.wait_for_selector("#training svg")
        page.wait_for_function("[...document.querySelectorAll('dialog img')].every(image => image.complete)")
        cell = page.locator("dialog").screenshot()
        browser.close()
    return {"page": top, "cell": cell}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
