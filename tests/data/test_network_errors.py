"""Failures of the network: which are tried again, and what is said about each."""

import http.client

import pytest
import requests
import urllib3

from bench.data.network_errors import (
    NETWORK_ERRORS,
    TransientError,
    failure_reason,
    is_lasting,
    raise_for_status,
    refuse_compressed,
)
from bench.errors import UserError


def answer(status: int, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = status, "reason"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@pytest.mark.parametrize(("wait", "seconds"), [("7", 7.0), ("soon", 0.0), ("-1", 0.0)])
def test_a_passing_error_says_how_long_to_wait(wait: str, seconds: float) -> None:
    with pytest.raises(TransientError, match="503") as caught:
        raise_for_status(answer(503, Retry_After=wait))
    assert caught.value.pause_s == seconds


def test_a_lasting_error_is_not_tried_again() -> None:
    with pytest.raises(UserError, match="answered 404 reason"):
        raise_for_status(answer(404))
    raise_for_status(answer(206))


def test_a_proxy_that_wants_a_password_says_where_it_goes() -> None:
    with pytest.raises(UserError, match=r"answered 407 reason: put its user and password into HTTP_PROXY"):
        raise_for_status(answer(407))


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), True),
        (requests.exceptions.SSLError("EOF occurred"), False),
        (requests.exceptions.ProxyError("Tunnel connection failed: 407 Proxy"), True),
        (requests.exceptions.ProxyError("Tunnel connection failed: 502 Bad"), False),
        (requests.exceptions.ProxyError("refused"), False),
        (requests.exceptions.InvalidURL("x"), True),
        (requests.ConnectionError("Tunnel connection failed: 407"), False),
        (TransientError("3 of 9"), False),
    ],
)
def test_what_is_lasting_is_not_tried_again(error: Exception, lasting: bool) -> None:
    assert is_lasting(error) is lasting


def test_only_plain_content_is_accepted() -> None:
    refuse_compressed(answer(200))
    refuse_compressed(answer(200, Content_Encoding="Identity"))
    with pytest.raises(UserError, match="br"):
        refuse_compressed(answer(200, Content_Encoding="br"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (requests.ReadTimeout(), "the server did not answer in time"),
        (requests.exceptions.ChunkedEncodingError(), "the connection breaks repeatedly"),
        (requests.ConnectionError("long text"), "no connection"),
        (requests.exceptions.SSLError("EOF occurred"), "the encrypted connection cannot be set up"),
        (requests.exceptions.ProxyError("refused"), "the proxy"),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), "its TLS certificate cannot be verified"),
        (requests.exceptions.ProxyError("Tunnel connection failed: 407 Proxy"), "the proxy answered 407: put its user"),
        (requests.exceptions.ProxyError("Tunnel connection failed: 502 Bad"), "the proxy answered 502: check"),
        (TransientError("3 of 9 bytes arrived\nmore"), "3 of 9 bytes arrived"),
        (requests.RequestException(), "RequestException"),
        (urllib3.exceptions.HTTPError("odd"), "odd"),
        (http.client.IncompleteRead(b""), "IncompleteRead"),
    ],
)
def test_every_failure_has_a_reason_of_one_line(error: Exception, reason: str) -> None:
    assert isinstance(error, (TransientError, *NETWORK_ERRORS))
    assert failure_reason(error).startswith(reason)
    assert len(failure_reason(error).splitlines()) == 1
