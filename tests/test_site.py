"""The site of the documentation: built with warnings as errors, complete, without network access, and readable."""

import functools
import html
import re
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from click import Option

import bench
from bench import plugins
from bench.cli.main import main
from bench.settings import load_params

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = ("index", "notebook", "commands", "options", "python", "metrics", "settings", "formats", "results/open")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def text_of(path: Path) -> str:
    """Return what a page shows."""
    return html.unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8")))


def test_every_page_is_in_the_navigation() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}\n" in nav, page.name


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in (*site.glob("*.html"), *site.glob("results/*.html")):
        content = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe|source)[^>]+src="(?:https?:)?//[^"]+', content), page
        assert not re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect|icon)"[^>]+href="(?:https?:)?//', content), page


def test_the_reference_has_every_command_option_metric_setting_and_function(site: Path) -> None:
    options = text_of(site / "options.html")
    for name, command in main.commands.items():
        assert f"bench {name}" in options
        for parameter in command.params:
            if isinstance(parameter, Option) and not parameter.hidden:
                assert parameter.opts[0] in options, (name, parameter.opts)
    metrics = text_of(site / "metrics.html")
    for name in plugins.names("metrics"):
        assert f"{plugins.title('metrics', name)} ({name})" in metrics
    settings = text_of(site / "settings.html")
    for key, value in load_params(ROOT / "params.yaml").items():
        assert all(f"{inner}:" in settings for inner in (value if isinstance(value, dict) else [key])), key
    python = text_of(site / "python.html")
    assert all(f"{name}(" in python for name in bench.__all__)
    formats = text_of(site / "formats.html")
    for module in (ROOT / "bench" / "formats").glob("[!_]*.py"):
        assert f"\n{module.stem}¶" in formats or f"{module.stem}¶" in formats, module


def test_links_to_files_outside_the_site_are_text(site: Path) -> None:
    page = (site / "contributing.html").read_text(encoding="utf-8")
    assert 'href="own_data.html"' in page
    assert ".md" not in " ".join(re.findall(r'href="([^"]+)"', page))
    assert (site / "report" / "index.html").read_bytes() == (ROOT / "reports" / "index.html").read_bytes()


def test_the_theme_is_that_of_the_settings() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert config["theme"]["font"] is False  # else it is fetched from another host


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_pages_fit_the_screen_load_nothing_else_and_can_be_searched(site: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    handler = functools.partial(_Quiet, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_address[1]}/"
    outside: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((home, "data:")) else None)
            for name in PAGES:
                page.goto(f"{home}{name}.html")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{home}index.html", wait_until="networkidle")  # the script that opens the results is there
        page.click(".md-search__input")
        page.keyboard.type("bootstrap")
        page.wait_for_selector(".md-search-result__item", timeout=60_000)
        assert "Statistics" in page.inner_text(".md-search-result__list")
        browser.close()
    server.shutdown()
    server.server_close()
    assert outside == []


class _Quiet(SimpleHTTPRequestHandler):
    """Serve files without a log."""

    def log_message(self, format: str, *args: object) -> None:
        pass
