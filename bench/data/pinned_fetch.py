"""Fetch files at pinned commits over HTTP, several at a time; each is verified, and kept under its checksum."""

import hashlib
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import quote, urlsplit

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
from bench.data.pinned import PinnedFile
from bench.data.transfer import CHUNK, LONGEST_PAUSE_S, SPARE_BYTES, TIMEOUT_S
from bench.errors import UserError
from bench.formats import files

SERVERS = (
    "https://raw.githubusercontent.com/{repository}/{commit}/{path}",
    "https://cdn.jsdelivr.net/gh/{repository}@{commit}/{path}",
)
"""Public addresses of a file, tried in order."""
WORKERS = 8
"""Files fetched at a time."""
TRIES = 4
"""Attempts per file and server."""
MOST_FAILURES = 5
"""Files of a dataset that may fail before the others are not tried any more."""
_PATTERN = "/{repository}/{commit}/{path}"
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "crackbench"}


class _StoppedError(Exception):
    """Another file failed, so that this one is not needed any more."""


class PinnedFetcher:
    """Fetches files into a folder; a server that cannot be reached is not asked again.

    Args:
        folder: where the files are kept, each as ``<first two digits>/<SHA-256>``; what has arrived is never lost.
        mirrors: addresses tried before the public ones: of a copy of raw.githubusercontent.com, or with the
            placeholders {repository}, {commit} and {path}.
        pause_s: seconds before the second attempt; doubled each time.
    """

    def __init__(self, folder: Path, mirrors: Sequence[str] = (), pause_s: float = 1.0) -> None:
        self.folder, self.pause_s = folder, pause_s
        self.servers = [*(m if "{path}" in m else m.rstrip("/") + _PATTERN for m in mirrors), *SERVERS]
        self._unreachable: dict[str, str] = {}
        self._offline: str | None = None
        self._stop = threading.Event()

    def path(self, file: PinnedFile) -> Path:
        """Return where the content of a file is kept."""
        return self.folder / file.sha256[:2] / file.sha256

    def read(self, file: PinnedFile) -> bytes:
        """Return the content of a file that was fetched.

        Raises:
            UserError: it is missing, or was changed since.
        """
        path = self.path(file)
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise UserError(f"{path} changed while it was used: run the same command again.")
        return content

    def fetch(self, wanted: Sequence[PinnedFile]) -> None:
        """Fetch those of the files that are missing.

        Raises:
            UserError: some could not be fetched from any server, or the disk is too small.
        """
        missing = list({f.sha256: f for f in wanted if not self._is_kept(f)}.values())
        if not missing:
            return
        if self._offline:
            raise UserError(self._offline)
        self._require_space(sum(file.bytes for file in missing))
        self._stop.clear()
        failures: list[str] = []
        with (
            requests.Session() as session,
            ThreadPoolExecutor(WORKERS) as pool,
            tqdm(total=len(wanted), initial=len(wanted) - len(missing), desc=wanted[0].dataset, unit="file") as bar,
        ):
            running = {pool.submit(self._fetch_one, session, file): file for file in missing}
            try:
                for done in as_completed(running):
                    try:
                        done.result()
                        bar.update()
                    except _StoppedError:
                        continue
                    except UserError as error:
                        failures.append(f"{running[done].path} of {running[done].repository} ({error})")
                        if self._is_offline() or len(failures) == MOST_FAILURES:
                            self._stop.set()
            finally:  # on an interrupt, the files in transfer are abandoned and those that wait are not started
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
        if failures:
            raise UserError(self._message(sorted(failures), wanted[0]))

    def _is_kept(self, file: PinnedFile) -> bool:
        """Return whether a file is in the folder; a damaged one is removed."""
        path = self.path(file)
        if not path.is_file():
            return False
        if path.stat().st_size == file.bytes and files.sha256(path) == file.sha256:
            return True
        path.unlink()
        return False

    def _require_space(self, needed: int) -> None:
        """Raise a UserError if the disk is too small for the missing files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < needed + SPARE_BYTES:
            raise UserError(f"needs {needed + SPARE_BYTES} bytes on the disk of {self.folder}, which has {free} free.")

    def _fetch_one(self, session: requests.Session, file: PinnedFile) -> None:
        """Fetch one file from the first server that delivers it.

        Raises:
            UserError: no server did; gives the reason of each.
        """
        reasons = []
        for server in self.servers:
            host = urlsplit(server).netloc.rpartition("@")[2] or server
            try:
                if server not in self._unreachable:
                    content = self._attempts(session, server, file)
                    break
                reasons.append(f"{host}: {self._unreachable[server]}")
            except (UserError, TransientError, *NETWORK_ERRORS) as error:
                reasons.append(f"{host}: {failure_reason(error)}")
                if isinstance(error, requests.ConnectionError | requests.Timeout):
                    self._unreachable[server] = failure_reason(error)
        else:
            raise UserError("; ".join(reasons))
        with files.atomic_write(self.path(file), len(content)) as temporary:
            temporary.write_bytes(content)

    def _attempts(self, session: requests.Session, server: str, file: PinnedFile) -> bytes:
        """Return the content of a file from a server, after several attempts if need be; the last error is raised."""
        url = server.format(repository=file.repository, commit=file.commit, path=quote(file.path))
        for attempt in range(1, TRIES + 1):
            if self._stop.is_set():
                raise _StoppedError
            try:
                return self._request(session, url, file)
            except (TransientError, *NETWORK_ERRORS) as error:
                if attempt == TRIES or server in self._unreachable or is_lasting(error):
                    raise
                requested_s = error.pause_s if isinstance(error, TransientError) else 0.0
                self._stop.wait(min(max(self.pause_s * 2 ** (attempt - 1), requested_s), LONGEST_PAUSE_S))
        raise AssertionError("unreachable")

    def _request(self, session: requests.Session, url: str, file: PinnedFile) -> bytes:
        """Return the verified content behind a link; at most one chunk more than the file's size is read.

        Raises:
            TransientError: the answer is too short, or its status is worth another attempt.
            UserError: another error status, or other content.
        """
        content = bytearray()
        with session.get(url, headers=_HEADERS, stream=True, timeout=TIMEOUT_S) as response:
            raise_for_status(response)
            refuse_compressed(response)
            if "text/html" in response.headers.get("Content-Type", ""):
                raise UserError("answered with a web page")
            for chunk in response.iter_content(CHUNK):
                content += chunk
                if len(content) > file.bytes:
                    raise UserError(f"sends more than the {file.bytes} bytes of the file")
        if len(content) < file.bytes:
            raise TransientError(f"{len(content)} of {file.bytes} bytes arrived")
        if (sha256 := hashlib.sha256(content).hexdigest()) != file.sha256:
            raise UserError(f"other content, SHA-256 {sha256[:12]}... instead of {file.sha256[:12]}...")
        return bytes(content)

    def _is_offline(self) -> bool:
        return all(server in self._unreachable for server in self.servers)

    def _message(self, failures: Sequence[str], file: PinnedFile) -> str:
        """Return the error of a dataset; without any network it is the same for all datasets."""
        more = f" and {len(failures) - 1} more" if len(failures) > 1 and not self._is_offline() else ""
        message = (
            f"{failures[0]}{more} could not be fetched. Run the same command again to resume; without network, copy "
            "the repositories' files or zips here and run `bench download --from FOLDER_OR_ZIP` "
            f"(this one: https://github.com/{file.repository}/tree/{file.commit})."
        )
        if self._is_offline():
            self._offline = message
        return message
