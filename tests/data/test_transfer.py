"""Downloads from a real local server that drops connections, lies, changes its content and serves web pages."""

import gzip
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.data import transfer as transfer_module
from bench.data.dataset import Archive
from bench.data.fetch import LEDGER, fetch
from bench.data.transfer import transfer
from bench.errors import UserError

CONTENT = bytes(range(256)) * 2000
QUOTA = b"<html><title>Google Drive - Quota exceeded</title>Too many users have viewed this file</html>"


class Site:
    """What the server does next, and the path and Range header of each request it got."""

    def __init__(self) -> None:
        self.content, self.etag, self.ranges = CONTENT, '"one"', True
        self.after_first: tuple[bytes, str] | None = None
        self.break_after: list[int] = []
        self.statuses: list[int] = []
        self.extra_length = 0
        self.pages: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.shifted = False
        self.raw: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.url = ""

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        path, wanted = handler.path, handler.headers.get("Range")
        if self.requests and self.after_first:
            self.content, self.etag = self.after_first
        self.requests.append((path, wanted))
        if path in self.raw:
            handler.wfile.write(self.raw[path])
            handler.close_connection = True
        elif self.statuses:
            handler.send_error(self.statuses.pop(0))
        elif path in self.pages:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html; charset=utf-8")
            handler.end_headers()
            handler.wfile.write(self.pages[path])
        else:
            self._content(handler, wanted)

    def _content(self, handler: BaseHTTPRequestHandler, wanted: str | None) -> None:
        start = 0
        if wanted and self.ranges and handler.headers.get("If-Range") in (None, self.etag):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start and start >= len(self.content):
            handler.send_error(416)
            return
        start -= bool(start and self.shifted)  # another range than was asked for
        total = len(self.content) + self.extra_length
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        handler.send_header("Content-Length", str(total - start))
        handler.send_header("ETag", self.etag)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        body = self.content[start:]
        handler.wfile.write(body[: self.break_after.pop(0)] if self.break_after else body)


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.serve(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", content)
    return buffer.getvalue()


def archive(*urls: str) -> Archive:
    return Archive("a.zip", urls, "https://example.org/page", lambda names: {name: name for name in names})


def test_broken_connections_are_resumed_where_they_broke(site: Site, tmp_path: Path) -> None:
    site.break_after = [100_000, 150_000]
    transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [wanted for _, wanted in site.requests] == [None, "bytes=65536-", "bytes=196608-"]  # whole chunks
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_killed_download_resumes_in_the_next_run(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_: float) -> None:
        raise KeyboardInterrupt

    site.break_after = [100_000]
    with monkeypatch.context() as patch:
        patch.setattr(transfer_module.time, "sleep", kill)
        with pytest.raises(KeyboardInterrupt):
            transfer(f"{site.url}/a", tmp_path / "a")
    transfer(f"{site.url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [wanted for _, wanted in site.requests] == [None, "bytes=65536-"]


def test_a_server_without_ranges_is_read_from_the_start_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.break_after = False, [100_000]
    transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_content_that_changes_in_between_is_not_glued_together(site: Site, tmp_path: Path) -> None:
    site.break_after, site.after_first = [100_000], (CONTENT[::-1], '"two"')
    transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert (tmp_path / "a").read_bytes() == CONTENT[::-1]


def test_a_promised_length_that_never_comes_is_an_error(site: Site, tmp_path: Path) -> None:
    site.extra_length = 10
    with pytest.raises(UserError, match=r"fewer than the|breaks repeatedly"):
        transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert not (tmp_path / "a").exists()


def test_passing_errors_are_tried_again_and_lasting_ones_not(site: Site, tmp_path: Path) -> None:
    site.statuses = [503, 429, 500]
    transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert (tmp_path / "a").read_bytes() == CONTENT
    site.statuses, site.requests = [404], []
    with pytest.raises(UserError, match="404"):
        transfer(f"{site.url}/b", tmp_path / "b", 0.001)
    assert len(site.requests) == 1


def test_web_pages_are_told_apart(site: Site, tmp_path: Path) -> None:
    site.pages = {"/quota": QUOTA, "/login": b"<html>Please sign in</html>", "/x": b"<html><title>Gone fishing</title>"}
    for page, words in {"quota": "quota", "login": "login", "x": "Gone fishing"}.items():
        with pytest.raises(UserError, match=words):
            transfer(f"{site.url}/{page}", tmp_path / page, 0.001)
    assert not list(tmp_path.iterdir())


def test_the_button_of_the_virus_scan_page_is_followed_once(site: Site, tmp_path: Path) -> None:
    form = b'<form id="download-form" action="%s" method="get"><input type="hidden" name="uuid" value="a&amp;b"></form>'
    site.pages = {"/warn": form % b"/file", "/loop": form % b"/warn"}
    transfer(f"{site.url}/warn", tmp_path / "a", 0.001)
    assert (tmp_path / "a").read_bytes() == CONTENT
    site.pages["/warn?uuid=a%26b"] = form % b"/loop"
    with pytest.raises(UserError, match="one web page after another"):
        transfer(f"{site.url}/loop", tmp_path / "b", 0.001)


def test_a_full_disk_is_found_before_the_transfer(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_module, "SPARE_BYTES", 2**60)
    with pytest.raises(UserError, match=f"needs {len(CONTENT) + 2**60} bytes"):
        transfer(f"{site.url}/a", tmp_path / "a", 0.001)


def test_mirrors_are_tried_in_order_and_every_reason_is_told(site: Site, tmp_path: Path) -> None:
    site.content, site.pages = zipped(b"a"), {"/quota": QUOTA}
    dead = "http://127.0.0.1:9/none"
    path = fetch(archive(f"{site.url}/zip"), [dead, f"{site.url}/quota"], tmp_path, 0.001)
    assert path.read_bytes() == site.content
    with pytest.raises(
        UserError, match=r"(?s)no connection.*quota.*By hand: download it from https://example.org/page"
    ):
        fetch(archive(f"{site.url}/quota"), [dead], tmp_path / "other", 0.001)


def test_what_is_no_archive_is_not_kept(site: Site, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a zip"):
        fetch(archive(f"{site.url}/a"), [], tmp_path, 0.001)
    assert not list(tmp_path.iterdir())


def test_the_first_hash_is_recorded_and_another_refused(site: Site, tmp_path: Path) -> None:
    site.content = zipped(b"a")
    wanted = archive(f"{site.url}/zip")
    path = fetch(wanted, [], tmp_path, 0.001)
    ledger = json.loads((tmp_path / LEDGER).read_text())
    link = site.url.removeprefix("http://")
    assert [key.split()[0] for key in ledger] == [link, "a.zip"]
    assert {entry["sha256"] for entry in ledger.values()} == {hashlib.sha256(site.content).hexdigest()}
    path.write_bytes(zipped(b"b"))
    with pytest.raises(UserError, match="has changed since its first download"):
        fetch(wanted, [], tmp_path, 0.001)
    path.unlink()
    site.content = zipped(b"c")
    with pytest.raises(UserError, match="its content changed since the first download"):
        fetch(wanted, [], tmp_path, 0.001)


def test_hugging_face_repositories_are_listed_first(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", site.url)
    site.pages = {"/api/datasets/who/what": json.dumps({"siblings": [{"rfilename": "data set.zip"}]}).encode()}
    site.content = zipped(b"a")
    fetch(archive("hf://datasets/who/what"), [], tmp_path, 0.001)
    assert [path for path, _ in site.requests] == [
        "/api/datasets/who/what",
        "/datasets/who/what/resolve/main/data%20set.zip",
    ]


OK = b"HTTP/1.0 200 OK\r\n"
ODD = {
    "nothing, of stated length": OK + b"Content-Length: 0\r\n\r\n",
    "nothing, of no length": OK + b"\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nabcde",
    "chunks that are none": OK.replace(b"1.0", b"1.1") + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "no HTTP": b"220 ftp ready\r\n",
    "a header without end": OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "a redirect to nowhere": b"HTTP/1.0 302 Found\r\nLocation: http://[::1/\r\n\r\n",
    "a redirect to no label": b"HTTP/1.0 302 Found\r\nLocation: http://a..b/\r\n\r\n",
    "a redirect to itself": b"HTTP/1.0 302 Found\r\nLocation: /odd\r\n\r\n",
    "a partial answer unasked": b"HTTP/1.0 206 Partial\r\nContent-Range: bytes 5-9/10\r\n\r\nabcde",
    "another encoding": OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_after_any_odd_answer_the_next_mirror_is_asked(site: Site, tmp_path: Path, answer: bytes) -> None:
    site.content, site.raw = zipped(b"a"), {"/odd": answer}
    assert fetch(archive(f"{site.url}/good"), [f"{site.url}/odd"], tmp_path, 0.001).read_bytes() == site.content
    assert sorted(p.name for p in tmp_path.iterdir() if ".part" not in p.name) == ["a.zip", LEDGER]
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(archive(f"{site.url}/odd"), [], tmp_path / "other", 0.001)


def test_a_server_that_answers_another_range_is_given_up(site: Site, tmp_path: Path) -> None:
    site.break_after, site.shifted = [100_000, 100_000] * 100, True
    with pytest.raises(UserError, match=r"changed during the transfer|breaks repeatedly"):
        transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert len(site.requests) <= 2 * transfer_module.TRIES


def test_a_server_that_sends_next_to_nothing_each_time_is_given_up(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer_module, "CHUNK", 1)
    monkeypatch.setattr(transfer_module, "MOST_ATTEMPTS", 20)
    site.break_after = [1] * 100
    with pytest.raises(UserError, match="breaks repeatedly"):
        transfer(f"{site.url}/a", tmp_path / "a", 0.0001)
    assert len(site.requests) == 20


def test_a_compressed_answer_is_not_unpacked(site: Site, tmp_path: Path) -> None:
    site.content, site.headers = gzip.compress(bytes(10_000_000)), {"Content-Encoding": "gzip"}
    with pytest.raises(UserError, match=r"compressed content \(gzip\), which was not asked for"):
        transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) == 0


def test_an_endless_answer_is_cut(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_module, "MAX_BYTES", 200_000)
    site.raw = {"/a": OK + b"\r\n" + CONTENT}
    with pytest.raises(UserError, match="sends more than 200000 bytes"):
        transfer(f"{site.url}/a", tmp_path / "a", 0.001)
    assert not (tmp_path / "a.part").exists()


def test_a_damaged_state_of_a_partial_download_starts_it_over(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(CONTENT[:1000])
    for state in ("{", '{"total": "x"}', '{"total": 9, "validator": [1]}', "[]"):
        (tmp_path / "a.part.json").write_text(state)
        transfer(f"{site.url}/a", tmp_path / "a", 0.001)
        assert (tmp_path / "a").read_bytes() == CONTENT
