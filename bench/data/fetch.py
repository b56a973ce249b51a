"""Fetch an archive: mirrors in order, SHA-256 held against the first sight, and the way by hand where none works."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from bench.data.dataset import Archive
from bench.data.transfer import TIMEOUT_S, transfer
from bench.data.unpack import open_tree
from bench.errors import UserError
from bench.formats import files

LEDGER = "sha256.json"
"""Beside the archives, and in git: link or file -> SHA-256 and bytes, as first seen."""


def fetch(archive: Archive, mirrors: Sequence[str], folder: Path, pause_s: float = 1.0) -> Path:
    """Return the path of an archive in ``folder``, downloaded first if it is not there.

    Args:
        archive: what to fetch.
        mirrors: links tried before the public ones.
        folder: where archives are kept, with the ledger of their hashes.
        pause_s: see `transfer`.

    Raises:
        UserError: no link gave the archive; the message holds each reason and the way by hand.
    """
    path = folder / archive.file
    if path.exists():
        check(path, folder)
        return path
    reasons = []
    for url in [*mirrors, *archive.urls]:
        arrived = folder / f"{archive.file}.{files.digest(url)}"
        try:
            transfer(_direct(url), arrived, pause_s)
            with open_tree(arrived):
                pass
            _agree(folder, url, arrived)
            arrived.replace(path)
            _record(folder, archive.file, path)
            return path
        except (requests.RequestException, UserError) as error:
            reasons.append(f"  {_host(url)}: {str(error).splitlines()[0]}")
            arrived.unlink(missing_ok=True)
    raise UserError(
        f"{archive.file} could not be downloaded:\n" + "\n".join(reasons) + "\n"
        f"By hand: get it from {archive.page}\n"
        f"and save it as {path.resolve()}, then run the same command again\n"
        "(or name the file, or the folder it was unpacked to: `bench download --from PATH`)."
    )


def check(path: Path, folder: Path) -> str:
    """Return the SHA-256 of an archive in ``folder``; note it if it is seen for the first time.

    Raises:
        UserError: the file is another than the one noted.
    """
    known = _ledger(folder).get(path.name)
    seen = files.sha256(path)
    if known is None:
        _record(folder, path.name, path)
    elif known["sha256"] != seen:
        raise UserError(
            f"{path} has changed since it was first seen (SHA-256 {seen[:12]}..., noted {known['sha256'][:12]}...): "
            f"delete it to download it again, or its entry in {folder / LEDGER} to accept it."
        )
    return seen


def _agree(folder: Path, url: str, path: Path) -> None:
    """Note the hash behind a link on first sight, refuse another one ever after."""
    key = f"{_host(url)} {files.digest(url)}"  # not the link: it may hold a password or a token
    known = _ledger(folder).get(key)
    if known is None:
        _record(folder, key, path)
    elif known["sha256"] != files.sha256(path):
        raise UserError(
            f"its content changed since it was first seen; to accept it, delete its entry in {folder / LEDGER}"
        )


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url


def _ledger(folder: Path) -> dict[str, dict[str, str]]:
    if not (folder / LEDGER).exists():
        return {}
    cure = "restore it from git, or delete it to note the archives anew"
    ledger: dict[str, dict[str, str]] = files.read_object(folder / LEDGER, {}, cure)
    if not all(isinstance(entry, dict) and isinstance(entry.get("sha256"), str) for entry in ledger.values()):
        raise UserError(f"{folder / LEDGER} is no list of checksums: {cure}.")
    return ledger


def _record(folder: Path, key: str, path: Path) -> None:
    entry = {"sha256": files.sha256(path), "bytes": path.stat().st_size}
    files.write_json(folder / LEDGER, _ledger(folder) | {key: entry})


def _direct(url: str) -> str:
    """Return a link as it is; of ``hf://datasets/<owner>/<name>`` the link to the zip in that repository.

    **Source:** https://huggingface.co/docs/hub/api, "List files of a repository"; HF_ENDPOINT names another server.

    Raises:
        UserError: the repository holds no zip.
    """
    if not url.startswith("hf://"):
        return url
    host = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    repository = url.removeprefix("hf://").strip("/")
    answer = requests.get(f"{host}/api/{repository}", timeout=TIMEOUT_S)
    if not answer.ok:
        raise UserError(f"answered {answer.status_code} {answer.reason}")
    try:
        names = sorted(str(file["rfilename"]) for file in answer.json()["siblings"])
    except (ValueError, KeyError, TypeError):
        raise UserError("answered with something that is no list of files") from None
    zips = [name for name in names if name.lower().endswith(".zip")]
    if len(zips) != 1:
        raise UserError(f"{repository} holds {len(zips)} zip files, expected one; download it by hand")
    return f"{host}/{repository}/resolve/main/{quote(zips[0])}"
