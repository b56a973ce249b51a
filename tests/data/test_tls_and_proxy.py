"""Downloads through real TLS and real proxies on this machine: each failure is one line, lasting ones come at once."""

import gzip
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from bench.data import transfer as transfer_module
from bench.data.dataset import Archive
from bench.data.fetch import fetch
from bench.data.transfer import transfer
from bench.errors import UserError

x509 = pytest.importorskip("cryptography.x509")
CONTENT = bytes(range(256)) * 40


class Proxy(BaseHTTPRequestHandler):
    """Answers every request, and every wish for a tunnel, in the way that the server's ``answer`` says."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        answer = self.server.answer  # type: ignore[attr-defined]
        if isinstance(answer, int):
            self.send_error(answer)
            return
        body = gzip.compress(CONTENT) if answer == "gzip" else CONTENT
        self.send_response(200)
        if answer == "gzip":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_CONNECT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(answer: object, context: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.answer, server.asked = answer, []  # type: ignore[attr-defined]
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def _proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def through(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{server.server_address[1]}")


@pytest.mark.usefixtures("_proxied")
@pytest.mark.parametrize(
    ("answer", "scheme", "tries", "reason"),
    [
        (407, "http", 1, "answered 407 .*put its user and password into HTTP_PROXY"),
        (407, "https", 1, "the proxy answered 407: put its user and password into HTTP_PROXY"),
        (403, "https", 1, "the proxy answered 403: check HTTPS_PROXY"),
        (502, "http", transfer_module.TRIES, "answered 502"),
        (502, "https", transfer_module.TRIES, "the proxy answered 502: check HTTPS_PROXY"),
        ("gzip", "http", 1, r"compressed content \(gzip\), which was not asked for; is a proxy between"),
    ],
)
def test_a_proxy_that_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: object, scheme: str, tries: int, reason: str
) -> None:
    with serving(answer) as server:
        through(server, monkeypatch)
        with pytest.raises(UserError, match=reason) as caught:
            transfer(f"{scheme}://data.example/a.zip", tmp_path / "a.zip", pause_s=0.0)
        assert len(server.asked) == tries  # type: ignore[attr-defined]
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.usefixtures("_proxied")
def test_a_proxy_that_hands_on_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("plain") as server:
        through(server, monkeypatch)
        transfer("http://data.example/a.zip", tmp_path / "a.zip", pause_s=0.0)
        assert server.asked == ["http://data.example/a.zip"]  # type: ignore[attr-defined]
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


@pytest.mark.usefixtures("_proxied")
def test_a_proxy_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving("plain") as server:
        through(server, monkeypatch)
    with pytest.raises(UserError, match=r"^the proxy refuses or cannot be reached: check HTTPS_PROXY$"):
        transfer("https://data.example/a.zip", tmp_path / "a.zip", pause_s=0.0)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate that the key itself has signed."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    now = datetime.now(UTC)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = builder.serial_number(1).add_extension(address, critical=False).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    form = serialization.Encoding.PEM
    path = tmp_path / "server.pem"
    path.write_bytes(key.private_bytes(form, serialization.PrivateFormat.PKCS8, plain) + signed.public_bytes(form))
    return path


@pytest.mark.usefixtures("_proxied")
def test_a_certificate_that_nobody_vouches_for_is_one_line_and_not_tried_again(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving("plain", context) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client hangs up
        url = f"https://127.0.0.1:{server.server_address[1]}/a.zip"
        with pytest.raises(UserError, match=r"^its TLS certificate cannot be verified: check REQUESTS_CA_BUNDLE$"):
            transfer(url, tmp_path / "a.zip", pause_s=60.0)  # a second attempt would reach the test's time limit
        with pytest.raises(UserError) as caught:
            fetch(Archive("a.zip", (url,), "https://page.example", lambda _: {}), [], tmp_path, pause_s=60.0)
        assert (
            str(caught.value)
            .splitlines()[1]
            .endswith("its TLS certificate cannot be verified: check REQUESTS_CA_BUNDLE")
        )
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        transfer(url, tmp_path / "b.zip", pause_s=0.0)
    assert (tmp_path / "b.zip").read_bytes() == CONTENT


@pytest.mark.usefixtures("_proxied")
def test_a_server_without_tls_is_one_line(tmp_path: Path) -> None:
    refusal = pytest.raises(UserError, match=r"^the encrypted connection cannot be set up: check the link")
    with serving("plain") as server, refusal:
        transfer(f"https://127.0.0.1:{server.server_address[1]}/a.zip", tmp_path / "a.zip", pause_s=0.0)
