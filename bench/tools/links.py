"""Check that every dataset is still where its file says, without downloading it."""

from collections.abc import Iterator
from urllib.parse import quote

import requests

from bench import plugins
from bench.data.collection import COLLECTION
from bench.data.pinned import pinned_files
from bench.data.pinned_fetch import SERVERS

TIMEOUT_S = 30.0


def addresses() -> dict[str, list[str]]:
    """Return the addresses of each source; one that answers is enough.

    Of a dataset at a pinned commit, the first file is asked for: with the commit, all its files are gone or there.
    """
    found = {"the merged collection": [_over_http(url) for url in COLLECTION.urls]}
    for name in plugins.names("datasets"):
        plugin = plugins.load("datasets", name)
        if hasattr(plugin, "PINNED"):
            file = pinned_files(name)[0]
            facts = {"repository": file.repository, "commit": file.commit, "path": quote(file.path)}
            found[name] = [server.format(**facts) for server in SERVERS]
        elif getattr(plugin, "ORIGINAL", None):
            found[name] = list(plugin.ORIGINAL.urls)
    return found


def _over_http(url: str) -> str:
    """Return the address that answers for ``hf://datasets/X``; any other one as it is."""
    return url.replace("hf://datasets/", "https://huggingface.co/api/datasets/")


def check_links(sources: dict[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield (source, address, why it failed or "") for each address, one after the other.

    Args:
        sources: as ``addresses`` returns them.
    """
    for name, urls in sources.items():
        for url in urls:
            yield name, url, failure(url)


def failure(url: str) -> str:
    """Return why the file at an address cannot be had; "" if it can: its first byte is asked for.

    A web page instead of a file is a failure: so do servers say that a file is gone.
    """
    try:
        with requests.get(url, headers={"Range": "bytes=0-0"}, stream=True, timeout=TIMEOUT_S) as answer:
            if not answer.ok:
                return f"status {answer.status_code}"
            is_page = answer.headers.get("Content-Type", "").startswith("text/html")
            return "a web page, not a file" if is_page else ""
    except requests.RequestException as error:
        return type(error).__name__


def dead(checked: list[tuple[str, str, str]]) -> list[str]:
    """Return the sources of which no address answers.

    >>> dead([("cfd", "a", "status 404"), ("cfd", "b", ""), ("gaps", "c", "status 404")])
    ['gaps']
    """
    alive = {name for name, _, reason in checked if not reason}
    return [name for name in dict.fromkeys(name for name, _, _ in checked) if name not in alive]
