"""What goes wrong between a download and its server: worth another attempt, or lasting; each as a short reason."""

import http.client
import re
from typing import Any

import requests
import urllib3

from bench.errors import UserError

_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""HTTP status codes worth a retry."""

PROXY_LOGIN = 407
_PROXY_LOGIN_HINT = "put its user and password into HTTP_PROXY and HTTPS_PROXY, as http://user:password@host:port"

NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, ValueError)
"""What requests raises, and the errors of the layers below that it passes on; ValueError for a malformed link."""


class TransientError(Exception):
    """The transfer failed but may succeed later; ``pause_s`` is the delay the server asks for."""

    def __init__(self, reason: str, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


def raise_for_status(response: requests.Response) -> None:
    """Raise for an error status.

    Raises:
        TransientError: it is worth a retry, after the seconds in ``Retry-After``.
        UserError: it is permanent.
    """
    message = f"answered {response.status_code} {response.reason}"
    if response.status_code == PROXY_LOGIN:
        raise UserError(f"{message}: {_PROXY_LOGIN_HINT}")
    if response.status_code in _TRANSIENT:
        retry_after = response.headers.get("Retry-After", "")
        raise TransientError(message, float(retry_after) if retry_after.isdecimal() else 0.0)
    if response.status_code >= 400:
        raise UserError(message)


def refuse_compressed(response: requests.Response) -> None:
    """Raise a UserError if the content is compressed on the way: it may unpack to any size, and ranges do not fit."""
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise UserError(f"answered with compressed content ({encoding}), which was not asked for; is a proxy between?")


def is_lasting(error: Exception) -> bool:
    """Return whether another attempt would fail like this one: a malformed link, a certificate, a proxy's refusal."""
    if isinstance(error, requests.exceptions.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    status = _proxy_status(error)
    return isinstance(error, ValueError) or (status >= 400 and status not in _TRANSIENT)


def _proxy_status(error: Exception) -> int:
    """Return the status with which a proxy refused a tunnel, 0 for another error."""
    found = re.search(r"Tunnel connection failed: (\d{3})", str(error))
    return int(found[1]) if found and isinstance(error, requests.exceptions.ProxyError) else 0


def failure_reason(error: Any) -> str:
    """Return a short reason for a failed transfer."""
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection breaks repeatedly"
    if isinstance(error, requests.exceptions.ProxyError):
        status = _proxy_status(error)
        said = f"answered {status}" if status else "refuses or cannot be reached"
        return f"the proxy {said}: {_PROXY_LOGIN_HINT if status == PROXY_LOGIN else 'check HTTPS_PROXY'}"
    if isinstance(error, requests.exceptions.SSLError) and not is_lasting(error):
        return "the encrypted connection cannot be set up: check the link, and HTTPS_PROXY if a proxy is between"
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate cannot be verified: check REQUESTS_CA_BUNDLE"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return next(iter(str(error).splitlines()), "") or type(error).__name__
