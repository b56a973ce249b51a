"""Download one URL to a file over HTTP: resume by range, retry with back-off, check the length, detect web pages.

Built on requests alone: gdown resumes without ``If-Range``, so that parts of a changed file are joined, and neither it
nor pooch nor huggingface_hub offers disk space checks, several mirrors and one kind of error together; all three
combined would still need this file for the original archives and for user-supplied mirrors.
"""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

from bench.data.web_page import download_link
from bench.errors import UserError
from bench.formats import files

TIMEOUT_S = (10, 60)
"""Seconds to connect, and between two chunks of the response."""
CHUNK = 2**16
"""Chunk size, bytes; an incomplete chunk is discarded."""
SPARE_BYTES = 2**28
"""Free disk space to leave beside the download."""
TRIES = 5
"""Consecutive attempts without a single new byte before a URL is given up."""
LONGEST_PAUSE_S = 60.0
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""HTTP status codes worth a retry."""


class TransientError(Exception):
    """The transfer failed but may succeed later; ``pause_s`` is the delay the server asks for."""

    def __init__(self, reason: str, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


@dataclass(frozen=True)
class _Partial:
    """The state of a partial download of ``url``.

    Attributes:
        url: the link that delivers the content.
        start: first byte still to fetch; 0 starts over.
        total: length of the whole content, if the server stated it.
        validator: ETag or date that identifies the content (``If-Range``), if the server sent one.
    """

    url: str
    start: int
    total: int | None = None
    validator: str | None = None


def transfer(url: str, path: Path, pause_s: float = 1.0) -> None:
    """Download ``url`` to ``path`` atomically; an interrupted download resumes.

    The partial file is kept as ``path`` + ``.part`` together with the validator of its response. A range request
    continues it only if the content is unchanged (``If-Range``).

    Args:
        url: the link.
        path: target file.
        pause_s: seconds before the second attempt; doubled each time.

    Raises:
        UserError: the link is dead, answers with a web page, or the disk is too small.

    **Source:** RFC 9110, sections 13.1.5 (If-Range) and 14 (ranges).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    failures = 0
    with requests.Session() as session:
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                _attempt(session, url, part)
                break
            except (TransientError, requests.RequestException) as error:
                failures = 0 if part.exists() and part.stat().st_size > before else failures + 1
                if failures >= TRIES or isinstance(error, ValueError):  # a malformed link
                    raise UserError(failure_reason(error)) from None
                requested_s = error.pause_s if isinstance(error, TransientError) else 0.0
                time.sleep(min(max(pause_s * 2 ** max(failures - 1, 0), requested_s), LONGEST_PAUSE_S))
    part.replace(path)
    _state_file(part).unlink(missing_ok=True)


def _attempt(session: requests.Session, url: str, part: Path) -> None:
    """Complete the partial file; on an error, what has arrived is kept.

    Raises:
        TransientError: the connection ended early.
        UserError: see `transfer`.
    """
    with _open(session, url, part) as (response, start, total):
        if start == total:
            return
        if total is not None:
            free = shutil.disk_usage(part.parent).free
            if free < total - start + SPARE_BYTES:
                raise UserError(f"needs {total - start} bytes on the disk of {part.parent}, which has {free} free")
        with (
            part.open("ab" if start else "wb") as file,
            tqdm(initial=start, total=total, desc=part.stem, unit="B", unit_scale=True) as bar,
        ):
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                file.flush()
                bar.update(len(chunk))
        size = part.stat().st_size
        if total is not None and size != total:
            raise TransientError(f"{size} of {total} bytes arrived")


@contextmanager
def _open(session: requests.Session, url: str, part: Path) -> Iterator[tuple[requests.Response, int, int | None]]:
    """Yield the response with the content, the byte it starts at and the total length, if the server states it."""
    with ExitStack() as stack:
        response, partial = _request(session, url, part, stack)
        if response.status_code == 416:
            _require_complete(partial, part)
            yield response, partial.start, partial.start
        else:
            yield response, *_continue_or_restart(response, partial, part)


def _request(session: requests.Session, url: str, part: Path, stack: ExitStack) -> tuple[requests.Response, _Partial]:
    """Return the response with the content and the state it resumes; follow one web page with a download button.

    Raises:
        TransientError: a status worth a retry.
        UserError: another error status, or no content behind the web page.
    """
    for _ in range(2):
        partial = _read_partial(url, part)
        response = stack.enter_context(
            session.get(url, headers=_headers(partial), stream=True, timeout=TIMEOUT_S),
        )
        if response.status_code == 416 and partial.start:  # nothing left after the bytes we have
            return response, partial
        raise_for_status(response)
        if "text/html" not in response.headers.get("Content-Type", ""):
            return response, partial
        url = download_link(response)
    raise UserError("answered with one web page after another")


def _read_partial(url: str, part: Path) -> _Partial:
    """Return the recorded state of a partial file; it starts over if the file belongs to another URL."""
    if not part.exists() or not _state_file(part).exists():
        return _Partial(url, 0)
    state = files.read_object(_state_file(part), {}, "delete it")
    if state.get("link") != files.digest(url) or not state.get("total"):
        return _Partial(url, 0)
    return _Partial(url, part.stat().st_size, state["total"], state.get("validator"))


def _headers(partial: _Partial) -> dict[str, str]:
    """Return the request headers, with a range if the download resumes."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "crackbench"}
    if partial.start:
        headers["Range"] = f"bytes={partial.start}-"
        if partial.validator:
            headers["If-Range"] = partial.validator
    return headers


def raise_for_status(response: requests.Response) -> None:
    """Raise for an error status.

    Raises:
        TransientError: it is worth a retry, after the seconds in ``Retry-After``.
        UserError: it is permanent.
    """
    message = f"answered {response.status_code} {response.reason}"
    if response.status_code in _TRANSIENT:
        retry_after = response.headers.get("Retry-After", "")
        raise TransientError(message, float(retry_after) if retry_after.isdecimal() else 0.0)
    if response.status_code >= 400:
        raise UserError(message)


def _require_complete(partial: _Partial, part: Path) -> None:
    """Accept a partial file of full length (status 416); delete a shorter one."""
    if partial.start != partial.total:
        part.unlink()
        raise TransientError(f"the server has fewer than the {partial.total} bytes it promised")


def _continue_or_restart(response: requests.Response, partial: _Partial, part: Path) -> tuple[int, int | None]:
    """Return the byte the response starts at and the total length; if that is byte 0, start a new partial file."""
    start, total = _extent(response)
    if start not in (0, partial.start) or (start and total != partial.total):
        part.unlink(missing_ok=True)
        raise TransientError("the content changed during the transfer")
    if not start:
        etag = response.headers.get("ETag", "")  # a weak one does not promise equal bytes
        validator = response.headers.get("Last-Modified") if not etag or etag.startswith("W/") else etag
        part.unlink(missing_ok=True)
        state = {"link": files.digest(partial.url), "total": total, "validator": validator}
        files.write_json(_state_file(part), state)
    return start, total


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """Return the first byte of the response and the total length, if the server states it."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status_code == 206 and match:
        return int(match[1]), int(match[2]) if match[2] != "*" else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _state_file(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def failure_reason(error: Any) -> str:
    """Return a short reason for a failed transfer."""
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection breaks repeatedly"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error).splitlines()[0]
