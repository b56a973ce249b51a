"""Fetch an archive: try its mirrors, compare its SHA-256 with the first download, else explain the manual way."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from bench.data.dataset import Archive
from bench.data.network_errors import NETWORK_ERRORS, failure_reason
from bench.data.transfer import TIMEOUT_S, transfer
from bench.data.unpack import open_tree
from bench.errors import UserError
from bench.formats import files

LEDGER = "sha256.json"
"""File beside the archives, kept in git: link or file -> SHA-256 and bytes of the first download."""

_LIST_BYTES = 2**24
"""Most bytes of a repository's list of files that are read; a longer one is cut, and then no list."""


def fetch(archive: Archive, mirrors: Sequence[str], folder: Path, pause_s: float = 1.0) -> Path:
    """Return the path of an archive in ``folder``; download it if it is missing.

    Args:
        archive: the archive to fetch.
        mirrors: links tried before the public ones.
        folder: folder of the archives and of the ledger of their hashes.
        pause_s: see `transfer`.

    Raises:
        UserError: no link worked; the message gives each reason and explains the manual download.
    """
    path = folder / archive.file
    if path.exists():
        check(path, folder)
        return path
    reasons = []
    for url in [*mirrors, *archive.urls]:
        downloaded = folder / f"{archive.file}.{files.digest(url)}"
        try:
            transfer(_direct(url), downloaded, pause_s)
            with open_tree(downloaded):
                pass
            _require_known_hash(folder, url, downloaded)
            downloaded.replace(path)
            _record(folder, archive.file, path)
            return path
        except (*NETWORK_ERRORS, UserError) as error:
            reasons.append(f"  {_host(url)}: {failure_reason(error)}")
            downloaded.unlink(missing_ok=True)
    raise UserError(
        f"{archive.file} could not be downloaded:\n" + "\n".join(reasons) + "\n"
        f"By hand: download it from {archive.page}\n"
        f"and save it as {path.resolve()}, then run the same command again\n"
        "(or pass the file, or the folder it was unpacked to: `bench download --from PATH`)."
    )


def check(path: Path, folder: Path) -> str:
    """Return the SHA-256 of an archive in ``folder``; record it the first time.

    Raises:
        UserError: the checksum differs from the recorded one.
    """
    known = _ledger(folder).get(path.name)
    sha256 = files.sha256(path)
    if known is None:
        _record(folder, path.name, path)
    elif known["sha256"] != sha256:
        raise UserError(
            f"{path} has changed since its first download (SHA-256 {sha256[:12]}..., recorded "
            f"{known['sha256'][:12]}...): "
            f"delete it to download it again, or its entry in {folder / LEDGER} to accept it."
        )
    return sha256


def _require_known_hash(folder: Path, url: str, path: Path) -> None:
    """Record the hash of a link's content the first time; afterwards, raise a UserError if it differs."""
    key = f"{_host(url)} {files.digest(url)}"  # not the link itself, which may contain a password or a token
    known = _ledger(folder).get(key)
    if known is None:
        _record(folder, key, path)
    elif known["sha256"] != files.sha256(path):
        raise UserError(
            f"its content changed since the first download; to accept it, delete its entry in {folder / LEDGER}"
        )


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url


def _ledger(folder: Path) -> dict[str, dict[str, str]]:
    if not (folder / LEDGER).exists():
        return {}
    hint = "restore it from git, or delete it to record the archives again"
    ledger: dict[str, dict[str, str]] = files.read_object(folder / LEDGER, {}, hint)
    if not all(isinstance(entry, dict) and isinstance(entry.get("sha256"), str) for entry in ledger.values()):
        raise UserError(f"{folder / LEDGER} is not a list of checksums: {hint}.")
    return ledger


def _record(folder: Path, key: str, path: Path) -> None:
    entry = {"sha256": files.sha256(path), "bytes": path.stat().st_size}
    files.write_json(folder / LEDGER, _ledger(folder) | {key: entry})


def _direct(url: str) -> str:
    """Return a link unchanged; for ``hf://datasets/<owner>/<name>``, the link to the zip in that repository.

    **Source:** https://huggingface.co/docs/hub/api, "List files of a repository"; HF_ENDPOINT selects another server.

    Raises:
        UserError: the repository does not hold exactly one zip.
    """
    if not url.startswith("hf://"):
        return url
    host = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    repository = url.removeprefix("hf://").strip("/")
    with requests.get(f"{host}/api/{repository}", timeout=TIMEOUT_S, stream=True) as response:
        if not response.ok:
            raise UserError(f"answered {response.status_code} {response.reason}")
        answer = next(response.iter_content(_LIST_BYTES), b"")
    try:
        names = sorted(str(file["rfilename"]) for file in json.loads(answer)["siblings"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError("did not answer with a list of files") from None
    zips = [name for name in names if name.lower().endswith(".zip")]
    if len(zips) != 1:
        raise UserError(f"{repository} holds {len(zips)} zip files, expected one; download it by hand")
    return f"{host}/{repository}/resolve/main/{quote(zips[0])}"
