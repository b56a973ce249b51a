"""Fetching over HTTP, against a real server on this machine's loopback."""

import io
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.datasets import _fetch
from bench.datasets._dataset import Archive
from bench.datasets._fetch import fetch
from bench.errors import UserError


def zip_bytes() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("images/CFD_001.jpg", b"x" * 5000)
    return buffer.getvalue()


ZIP = zip_bytes()
PAGES: dict[str, tuple[int, str, bytes]] = {
    "/ok.zip": (200, "application/zip", ZIP),
    "/quota": (200, "text/html; charset=utf-8", b"<html>Quota exceeded</html>"),
    "/torn.zip": (200, "application/zip", ZIP[:-40]),
    "/empty.zip": (200, "application/zip", b""),
    "/moved": (302, "/ok.zip", b""),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/slow.zip":
            time.sleep(1)
        if self.path == "/short.zip":  # the connection ends before all is sent
            self.send_response(200)
            self.send_header("Content-Length", str(len(ZIP)))
            self.end_headers()
            self.wfile.write(ZIP[:100])
            return
        status, kind, body = PAGES.get(self.path, (404, "text/plain", b"not found"))
        self.send_response(status)
        self.send_header("Location" if status == 302 else "Content-Type", kind)
        if self.path != "/unknown_length.zip":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Server:
    def __init__(self, http: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{http.server_port}"
        self.asked: list[str] = []
        http.asked = self.asked  # type: ignore[attr-defined]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        found = Server(http)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        http.shutdown()
        thread.join()


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


ARCHIVE = Archive("a.zip", (), "https://example.org/data", lambda members: {})


def at(*urls: str) -> Archive:
    return replace(ARCHIVE, urls=urls)


def refusal(archive: Archive, folder: Path, mirrors: tuple[str, ...] = ()) -> str:
    with pytest.raises(UserError) as caught:
        fetch(archive, mirrors, folder)
    assert list(folder.iterdir()) == []
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "archives").mkdir()
    return tmp_path / "archives"


@pytest.mark.parametrize("page", ["/ok.zip", "/moved"])
def test_an_archive_arrives_whole(server: Server, tmp_path: Path, page: str) -> None:
    path = fetch(at(server.url + page), (), tmp_path / "new" / "archives")
    assert path == tmp_path / "new" / "archives" / "a.zip"
    assert path.read_bytes() == ZIP
    assert [p.name for p in path.parent.iterdir()] == ["a.zip"]


def test_mirrors_are_asked_first_and_one_answer_is_enough(server: Server, folder: Path) -> None:
    fetch(at(server.url + "/never.zip"), (server.url + "/ok.zip", server.url + "/nor.zip"), folder)
    assert server.asked == ["/ok.zip"]


def test_after_a_dead_link_the_next_is_tried(server: Server, folder: Path) -> None:
    path = fetch(at(server.url + "/gone.zip", server.url + "/ok.zip"), (server.url + "/mirror.zip",), folder)
    assert path.read_bytes() == ZIP
    assert server.asked == ["/mirror.zip", "/gone.zip", "/ok.zip"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("/gone.zip", "404"),
        ("/quota", "answered with a web page (a quota or a login)"),
        ("/torn.zip", "what arrived is no zip"),
        ("/empty.zip", "what arrived is no zip"),
        ("/short.zip", "IncompleteRead"),
    ],
)
def test_a_bad_answer_is_told_and_leaves_nothing(server: Server, folder: Path, page: str, reason: str) -> None:
    message = refusal(at(server.url + page), folder)
    assert f"  {server.url.removeprefix('http://')}: " in message
    assert reason in message


def test_no_connection_tells_the_way_by_hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    port = closed_port()
    message = refusal(at(f"http://127.0.0.1:{port}/a.zip"), folder)
    assert message.startswith("a.zip could not be downloaded:\n")
    assert f"127.0.0.1:{port}: no connection" in message
    assert "get it from https://example.org/data" in message
    assert f"save it as {folder / 'a.zip'}" in message
    assert "download.source" in message


def test_all_reasons_are_told(server: Server, folder: Path) -> None:
    message = refusal(at(server.url + "/quota", f"http://127.0.0.1:{closed_port()}/x"), folder, (server.url + "/no",))
    assert "404" in message
    assert "web page" in message
    assert "no connection" in message


def test_a_silent_server_is_given_up(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fetch, "TIMEOUT_S", (0.2, 0.2))
    assert "no answer in time" in refusal(at(server.url + "/slow.zip"), folder)


@pytest.mark.parametrize("url", ["no link", "ftp://127.0.0.1/a.zip", "http://", ""])
def test_a_link_that_is_none_is_told(folder: Path, url: str) -> None:
    assert "could not be downloaded" in refusal(at(), folder, (url,))


def test_a_file_put_there_by_hand_is_taken(server: Server, folder: Path) -> None:
    (folder / "a.zip").write_bytes(b"mine")
    assert fetch(at(server.url + "/ok.zip"), (server.url + "/ok.zip",), folder).read_bytes() == b"mine"
    assert server.asked == []


def test_a_link_does_not_leak_its_secrets(server: Server, folder: Path) -> None:
    message = refusal(at(), folder, (server.url.replace("http://", "http://user:geheim@") + "/gone.zip?token=geheim",))
    assert "geheim" not in message
