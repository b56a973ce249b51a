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

import requests
from tqdm import tqdm

from bench.data.network_errors import (
    NETWORK_ERRORS,
    TransientError,
    failure_reason,
    is_lasting,
    raise_for_status,
    refuse_compressed,
)
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
"""Attempts in a row that get no further than an earlier one before a URL is given up."""
MOST_ATTEMPTS = 200
"""Attempts before a URL is given up, even if each gets a little further."""
MAX_BYTES = 64 * 2**30
"""Most bytes of a download; the largest known archive is far smaller."""
LONGEST_PAUSE_S = 60.0


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
        UserError: the link is dead, answers with a web page, nothing, too much or compressed content, breaks off too
            often, or the disk is too small.

    **Source:** RFC 9110, sections 13.1.5 (If-Range) and 14 (ranges).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    furthest = part.stat().st_size if part.exists() else 0
    failures = 0
    with requests.Session() as session:
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                _attempt(session, url, part)
                break
            except (TransientError, *NETWORK_ERRORS) as error:
                reached = part.stat().st_size if part.exists() else 0
                failures = 0 if reached > furthest else failures + 1  # as far as before is no progress
                furthest = max(furthest, reached)
                if failures >= TRIES or attempt == MOST_ATTEMPTS or is_lasting(error):
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
        if start and start == total:
            return
        _require_space(part.parent, (total or start) - start)
        with (
            part.open("ab" if start else "wb") as file,
            tqdm(initial=start, total=total, desc=part.stem, unit="B", unit_scale=True) as bar,
        ):
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                file.flush()
                bar.update(len(chunk))
                _require_space(part.parent, 0)
                if file.tell() > (total or MAX_BYTES):
                    part.unlink()
                    raise UserError(f"sends more than {total or MAX_BYTES} bytes")
        size = part.stat().st_size
        if not size:
            part.unlink()
            raise UserError("answered with no content")
        if total is not None and size != total:
            raise TransientError(f"{size} of {total} bytes arrived")


def _require_space(folder: Path, needed: int) -> None:
    """Raise a UserError if the disk is too small for so many more bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise UserError(f"needs {needed + SPARE_BYTES} bytes on the disk of {folder}, which has {free} free")


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
            refuse_compressed(response)
            return response, partial
        url = download_link(response)
    raise UserError("answered with one web page after another")


def _read_partial(url: str, part: Path) -> _Partial:
    """Return the recorded state of a partial file; it starts over if the file belongs to another URL."""
    if not part.exists() or not _state_file(part).exists():
        return _Partial(url, 0)
    try:
        state = files.read_object(_state_file(part), {"total": int, "validator": (str, type(None))})
    except UserError:  # damaged: nothing is lost but the part
        return _Partial(url, 0)
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
