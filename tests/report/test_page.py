"""The page in a real browser, from disk."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli.main import main

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not on this machine"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark", "phone"])
def page(browser, grid, request):
    """Return the page; fail afterwards if it logged to the console or made a network request."""
    size = {"width": 390, "height": 844} if request.param == "phone" else {"width": 1280, "height": 900}
    scheme = "dark" if request.param == "dark" else "light"
    page = browser.new_page(viewport=size, color_scheme=scheme)
    logged, requested = [], []
    page.on("console", lambda message: logged.append(message.text))
    page.on("pageerror", lambda error: logged.append(str(error)))
    page.on(
        "request", lambda r: requested.append(r.url) if r.url.split(":")[0] not in ("file", "data", "blob") else None
    )
    page.goto((grid / "reports" / "index.html").as_uri())
    page.wait_for_selector("#board tbody tr")
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    yield page
    assert (logged, requested) == ([], [])
    page.close()


@pytest.fixture
def show_changed(page, grid, tmp_path):
    """Return a function that changes the data of the page and opens it again."""
    head, rest = (grid / "reports" / "index.html").read_text().split('id="data">')
    text, tail = rest.split("</script>", 1)
    data = json.loads(text)

    def show_changed(change):
        change(data)
        (tmp_path / "index.html").write_text(f'{head}id="data">{json.dumps(data)}</script>{tail}')
        page.goto((tmp_path / "index.html").as_uri())

    return show_changed


def models(page):
    return page.locator("#board tbody th").all_inner_texts()


def ranks(page):
    cells = page.locator("#board tbody tr td:nth-child(2)").all_inner_texts()
    return [float(cell) for cell in cells if cell]


def choices(page, name):
    return page.locator(f"#{name} option").evaluate_all("options => options.map(o => o.value)")


def test_it_sorts(page):
    page.click("#board th[data-id=score] button")
    first = page.locator("#board tbody tr td:nth-child(3)").all_inner_texts()
    scores = [float(text.split()[0].split("±")[0]) for text in first]
    assert scores == sorted(scores, reverse=True)
    assert page.get_attribute("#board th[data-id=score]", "aria-sort") == "descending"
    before = models(page)
    page.keyboard.press("Enter")  # the heading kept the focus
    assert models(page) == before[::-1]
    assert page.get_attribute("#board th[data-id=score]", "aria-sort") == "ascending"


def test_it_filters(page):
    page.select_option("#dataset", "gaps")
    assert "GAPs" in page.inner_text("#caption")
    page.select_option("#metric", "recall")
    assert page.inner_text("#caption").startswith("Recall")
    page.fill("#search", "context")
    assert models(page) == ["Context-CrackNet"]
    page.fill("#search", "")
    page.select_option("#protocol", "published")
    assert "as printed" in page.inner_text("#caption")
    row = page.locator("#board tbody tr", has_text="Context-CrackNet")
    assert "0.7838" in row.inner_text()  # the paper's Table 4
    assert len(models(page)) == 10


@pytest.mark.parametrize("heading", ["d0", "d2"])
def test_a_sorted_column_that_vanishes_leaves_the_best_on_top(page, heading):
    for _ in range(2):  # up, down: the second puts the worst on top
        page.click(f"#board th[data-id={heading}] button")
    page.select_option("#dataset", "gaps")
    assert ranks(page) == [1, 2, 3]
    assert page.get_attribute("#board th[data-id=rank]", "aria-sort") == "ascending"
    page.select_option("#dataset", "")
    assert ranks(page) == sorted(ranks(page))


def test_a_metric_of_the_other_direction_leaves_the_best_on_top(page):
    page.click("#board th[data-id=score] button")
    page.select_option("#metric", "dice")
    assert page.get_attribute("#board th[data-id=score]", "aria-sort") == "descending"
    page.select_option("#metric", "expected_calibration_error")
    assert "lower is better" in page.inner_text("#caption")
    assert page.get_attribute("#board th[data-id=rank]", "aria-sort") == "ascending"
    assert ranks(page) == sorted(ranks(page))
    page.click("#board th[data-id=name] button")
    page.select_option("#metric", "dice")  # names have no better direction
    assert page.get_attribute("#board th[data-id=name]", "aria-sort") == "ascending"


def test_the_average_comes_back_after_a_metric_or_protocol_without_it(page):
    assert page.input_value("#average") == "batch_mean"  # the report's
    page.select_option("#metric", "ods")
    assert page.input_value("#average") == "pooled"
    page.select_option("#metric", "dice")
    assert page.input_value("#average") == "batch_mean"
    page.select_option("#average", "image_mean")
    page.select_option("#protocol", "published")
    assert page.input_value("#average") == "printed"
    page.select_option("#protocol", index=0)
    assert page.input_value("#average") == "image_mean"  # the reader's
    assert page.inner_text("#caption").startswith("Dice (mean of images;")


def test_a_protocol_offers_the_metrics_that_it_has(page):
    page.select_option("#metric", "ods")
    page.select_option("#protocol", "published")
    assert sorted(choices(page, "metric")) == ["crack_iou", "dice", "precision", "recall"]
    assert page.input_value("#metric") == "crack_iou"
    assert len(models(page)) == 10
    page.select_option("#protocol", index=0)
    assert page.input_value("#metric") == "ods"
    assert len(models(page)) == 3


def test_the_mean_of_batches_names_their_size(page, show_changed):
    assert "(mean of batches; " in page.inner_text("#caption")  # the cells do not record it
    show_changed(lambda data: data.update(batch="32"))
    assert "(mean of batches of 32; " in page.inner_text("#caption")
    assert "mean of batches of 32" in page.locator("#average option").all_inner_texts()


def test_only_complete_models_of_sound_results_have_a_rank(page, show_changed):
    def lack_a_value(data):
        for table in data["values"].values():
            table["v"][0][1] = None

    assert len(ranks(page)) == 3
    show_changed(lack_a_value)
    assert sum(ranks(page)) == pytest.approx(3, abs=0.02)  # of two models, as if there were no third
    assert "1 of 3 models lack a value" in page.inner_text("#caption")
    show_changed(lambda data: data["protocols"][0].update(ranked=False))
    assert ranks(page) == []
    assert "Not ranked: these results fail the check." in page.inner_text("#caption")


def test_scores_of_one_dataset_stay_in_their_column(page):
    page.select_option("#dataset", "gaps")
    ends = "cell => [cell, ...cell.querySelectorAll('*')].map(e => e.getBoundingClientRect().right)"
    for cell in page.locator("#board tbody tr td:nth-child(3)").all():
        end, *inside = cell.evaluate(ends)
        assert max(inside) <= end


def test_a_table_without_any_value_says_so(page, show_changed):
    show_changed(lambda data: [table.update(v=[[None] * 3 for _ in table["v"]]) for table in data["values"].values()])
    assert "no dataset has a value" in page.inner_text("#caption")
    assert ranks(page) == []


def test_a_latency_is_shown_beside_that_of_the_reference_network(page, show_changed):
    assert page.inner_text("#board th[data-id=latency]") == "Latency ms"  # costs without a reference
    show_changed(lambda data: data["models"][0].update(latency=40.0, relative=2.34, drifted=True))
    heading = page.inner_text("#board th[data-id=latency]")
    assert " ".join(heading.split()) == "Latency ms (× ResNet\u201118)"
    assert "40.0 (≈2.3)" in page.inner_text("#board")
    assert "not steady" in page.inner_text("#caption")


def test_a_cell_opens_with_the_keyboard_and_closes(page):
    button = page.locator("#board td button").first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#pr svg")
    page.wait_for_selector("#training svg")
    assert "on CFD" in page.inner_text("#cell-title")
    assert "c0ffee1" in page.inner_text("#cell-body")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('cell').open")


def test_it_does_not_scroll_sideways_and_every_image_has_a_text(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].every(image => image.alt.length > 20)")


def test_the_theme_can_be_chosen(page):
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_the_published_leaderboard_is_shown_without_results_and_fits_on_the_screen(browser, tmp_path):
    settings = ["--params", str(ROOT / "params.yaml")]
    written = CliRunner().invoke(main, [*settings, "report", str(ROOT / "results"), str(tmp_path), "--only", "page"])
    assert written.exit_code == 0, written.output
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((tmp_path / "index.html").as_uri())  # ten datasets
    page.wait_for_selector("#board tbody tr")
    assert len(models(page)) == 10
    assert "UNet" in models(page)
    for width in ("document.documentElement", "document.querySelector('#leaderboard .scroll')"):
        assert page.evaluate(f"{width}.scrollWidth <= {width}.clientWidth"), width
    page.close()
