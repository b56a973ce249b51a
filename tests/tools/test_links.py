"""The sources of the datasets: what counts as there and as gone, at a real server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.data.pinned import pinned_datasets
from bench.tools.links import addresses, check_links, dead, failure


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = self.path.strip("/")
        self.send_response({"gone": 404, "part": 206}.get(kind, 200))
        self.send_header("Content-Type", "text/html; charset=utf-8" if kind == "page" else "application/zip")
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "reason"), [("whole", ""), ("part", ""), ("gone", "status 404"), ("page", "a web page, not a file")]
)
def test_what_a_server_answers(server: str, path: str, reason: str) -> None:
    assert failure(f"{server}/{path}") == reason


def test_a_server_that_does_not_answer_is_a_failure() -> None:
    assert failure("http://127.0.0.1:9/x") == "ConnectionError"


def test_one_address_that_answers_is_enough(server: str) -> None:
    sources = {"one": [f"{server}/gone", f"{server}/whole"], "two": [f"{server}/gone"]}
    checked = list(check_links(sources))
    assert [(name, reason) for name, _, reason in checked] == [
        ("one", "status 404"), ("one", ""), ("two", "status 404")
    ]  # fmt: skip
    assert dead(checked) == ["two"]


def test_every_public_dataset_has_an_address_over_http() -> None:
    found = addresses()
    assert {*pinned_datasets(), "cfd", "deepcrack", "the merged collection"} <= set(found)
    assert all(url.startswith("https://") and " " not in url for urls in found.values() for url in urls)
