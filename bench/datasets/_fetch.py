"""Fetch an archive over HTTP: mirrors in order, a progress bar, and the way by hand where the network is missing."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from bench.datasets._dataset import Archive
from bench.errors import UserError
from bench.formats import files

TIMEOUT_S = (10, 60)
"""Seconds to connect, and between two pieces of the answer."""


def fetch(archive: Archive, mirrors: Sequence[str], folder: Path) -> Path:
    """Return the path of an archive in ``folder``, downloaded first if it is not there.

    Raises:
        UserError: no link gave a zip; the message holds each reason and the way by hand.
    """
    path = folder / archive.file
    if path.exists():
        return path
    reasons = []
    for url in [*mirrors, *archive.urls]:
        try:
            _get(url, path)
            return path
        except (requests.RequestException, UserError) as error:
            reasons.append(f"  {urlsplit(url).netloc.rpartition('@')[2]}: {_short(error)}")
    raise UserError(
        f"{archive.file} could not be downloaded:\n" + "\n".join(reasons) + "\n"
        f"By hand: get it from {archive.page}\n"
        f"and save it as {path.resolve()}, then run the same command again\n"
        "(or set download.source in params.yaml to the path of the zip)."
    )


def _get(url: str, path: Path) -> None:
    """Download one link to ``path``, whole or not at all."""
    with requests.get(url, stream=True, timeout=TIMEOUT_S) as answer, files.whole_file(path) as temporary:
        answer.raise_for_status()
        total = int(answer.headers.get("Content-Length", 0)) or None
        with (
            temporary.open("wb") as file,
            tqdm(total=total, desc=path.name, unit="B", unit_scale=True) as bar,
        ):
            for piece in answer.iter_content(2**20):
                file.write(piece)
                bar.update(len(piece))
        if not zipfile.is_zipfile(temporary):
            html = "text/html" in answer.headers.get("Content-Type", "")
            raise UserError("answered with a web page (a quota or a login)" if html else "what arrived is no zip")


def _short(error: Exception) -> str:
    """Return the reason of a failed transfer in a few words."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, requests.HTTPError) and error.response is not None:  # its text would repeat the whole link
        return f"{error.response.status_code} {error.response.reason}"
    return str(error).partition("\n")[0]
