"""Transfer one link over HTTP to a file: resumed by range, retried with back-off, checked for length and web pages.

On requests alone: gdown resumes without ``If-Range``, so that a file that changed is glued together, and neither it nor
pooch nor huggingface_hub offers disk space, several mirrors and one kind of error at once; all three together would
still need this file for the originals and for own mirrors.
"""

import html
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from tqdm import tqdm

from bench.errors import UserError
from bench.formats import files

TIMEOUT_S = (10, 60)
"""Seconds to connect, and between two pieces of the answer."""
PIECE = 2**16
"""Bytes at a time; a piece that breaks off half-way is lost."""
SPARE_BYTES = 2**28
"""Room to leave on the disk beside what is downloaded."""
TRIES = 5
"""Attempts in a row that bring not one byte before a link is given up."""
LONGEST_PAUSE_S = 60.0
_PASSING = {408, 425, 429, 500, 502, 503, 504}


class _PassingError(Exception):
    """The transfer stopped for a reason that may pass; ``pause_s`` is what the server asks to wait."""

    def __init__(self, reason: str, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


def transfer(url: str, path: Path, pause_s: float = 1.0) -> None:
    """Download ``url`` to ``path``, whole or not at all; what arrived before an interruption is used again.

    The piece is kept as ``path`` + ``.part`` with the validator of its answer, and goes on by a range request that
    holds only if the content is still the same (``If-Range``).

    Args:
        url: the link.
        path: where the file is to stand.
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
            except (_PassingError, requests.RequestException) as error:
                failures = 0 if part.exists() and part.stat().st_size > before else failures + 1
                if failures >= TRIES or isinstance(error, ValueError):  # a malformed link
                    raise UserError(_reason(error)) from None
                asked = error.pause_s if isinstance(error, _PassingError) else 0.0
                time.sleep(min(max(pause_s * 2 ** max(failures - 1, 0), asked), LONGEST_PAUSE_S))
    part.replace(path)
    _notes(part).unlink(missing_ok=True)


def _attempt(session: requests.Session, url: str, part: Path) -> None:
    """Bring the piece to its full length, or raise with what is there so far kept."""
    with _open(session, url, part) as (answer, start, total):
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
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                file.flush()
                bar.update(len(piece))
        have = part.stat().st_size
        if total is not None and have != total:
            raise _PassingError(f"{have} of {total} bytes arrived")


@contextmanager
def _open(
    session: requests.Session, url: str, part: Path, pages: int = 0
) -> Iterator[tuple[requests.Response, int, int | None]]:
    """Yield the answer, the byte it starts at and the length of the whole, if the server tells.

    ``pages`` counts the web pages on the way.
    """
    notes = files.read_object(_notes(part), {}, "delete it") if part.exists() and _notes(part).exists() else {}
    start = part.stat().st_size if notes.get("link") == files.digest(url) and notes.get("total") else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "crackbench"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if notes.get("validator"):
            headers["If-Range"] = notes["validator"]
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        if answer.status_code == 416 and start:
            if start == notes["total"]:
                yield answer, start, start
                return
            part.unlink()
            raise _PassingError(f"the server has fewer than the {notes['total']} bytes it promised")
        if answer.status_code in _PASSING:
            asked = answer.headers.get("Retry-After", "")
            raise _PassingError(
                f"answered {answer.status_code} {answer.reason}", float(asked) if asked.isdecimal() else 0.0
            )
        if answer.status_code >= 400:
            raise UserError(f"answered {answer.status_code} {answer.reason}")
        if "text/html" in answer.headers.get("Content-Type", ""):
            follow = _web_page(answer)
            if pages:
                raise UserError("answered with one web page after another")
            with _open(session, follow, part, pages + 1) as opened:
                yield opened
            return
        begin, total = _extent(answer)
        if begin not in (0, start) or (begin and total != notes["total"]):
            part.unlink()
            raise _PassingError("the content changed while it was transferred")
        if not begin:
            etag = answer.headers.get("ETag", "")  # a weak one does not promise equal bytes
            validator = answer.headers.get("Last-Modified") if not etag or etag.startswith("W/") else etag
            part.unlink(missing_ok=True)
            files.write_json(_notes(part), {"link": files.digest(url), "total": total, "validator": validator})
        yield answer, begin, total


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """Return the first byte of the answer and the length of the whole."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if answer.status_code == 206 and match:
        return int(match[1]), int(match[2]) if match[2] != "*" else None
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _web_page(answer: requests.Response) -> str:
    """Return the link behind a page's download button (Drive shows one before large files).

    Raises:
        UserError: the page has none; the message says what it seems to be.
    """
    page = next(answer.iter_content(PIECE), b"").decode("utf-8", "replace")
    form = re.search(r'<form[^>]*id="download-form"[^>]*>(.*?)</form>', page, re.DOTALL | re.IGNORECASE)
    if form:
        action = re.search(r'action="([^"]*)"', form[0])
        fields = {
            n[1]: html.unescape(v[1])
            for tag in re.findall(r"<input[^>]*>", form[1])
            if (n := re.search(r'name="([^"]*)"', tag)) and (v := re.search(r'value="([^"]*)"', tag))
        }
        target = urljoin(answer.url, html.unescape(action[1]) if action else "")
        link = requests.Request("GET", target, params=fields).prepare().url or ""
        if link != answer.url:
            return link
    for words, meaning in _PAGES.items():
        if re.search(words, page, re.IGNORECASE):
            raise UserError(f"answered with a web page instead of the archive: {meaning}")
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.DOTALL | re.IGNORECASE)
    shown = f" ({' '.join(html.unescape(title[1]).split())[:80]})" if title else ""
    raise UserError(f"answered with a web page instead of the archive{shown}")


_PAGES = {
    r"quota|too many users|download limit": "its download quota is used up; try again in a day, or another source",
    r"sign in|log in|login|captcha": "it wants a login; download it by hand in a browser",
}


def _notes(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _reason(error: Any) -> str:
    """Return the reason of a failed transfer in a few words."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection breaks off again and again"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error).splitlines()[0]
