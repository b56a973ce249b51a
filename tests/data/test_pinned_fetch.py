"""Files at a pinned commit, fetched from servers on this machine that break off, lie, refuse and compress."""

import gzip
import re
import time
from pathlib import Path

import pytest

from bench.data import pinned_fetch
from bench.data.pinned import pinned_files
from bench.data.pinned_fetch import SERVERS, PinnedFetcher
from bench.errors import UserError
from tests.fixtures.pinned import CONTENTS, Site, mirror, rows, site, small_manifest

__all__ = ["mirror", "site", "small_manifest"]
pytestmark = pytest.mark.usefixtures("small_manifest")

FIRST = next(iter(CONTENTS))
DEAD = "http://127.0.0.1:9"


def fetcher(folder: Path, *mirrors: str) -> PinnedFetcher:
    return PinnedFetcher(folder, mirrors, pause_s=0.001)


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole() -> dict[str, bytes]:
    return {file.sha256: CONTENTS[file.path] for file in rows()}


def test_all_files_arrive_and_are_asked_for_once(site: Site, tmp_path: Path) -> None:
    fetcher(tmp_path, site.url).fetch(rows())
    assert kept(tmp_path) == whole()
    assert sorted(site.asked) == sorted(CONTENTS)
    assert fetcher(tmp_path).read(rows()[0]) == CONTENTS[FIRST]
    fetcher(tmp_path, site.url).fetch(rows())
    assert len(site.asked) == len(CONTENTS)


def test_several_are_fetched_at_a_time(site: Site, tmp_path: Path) -> None:
    site.pause_s = 0.2
    start = time.monotonic()
    fetcher(tmp_path, site.url).fetch(rows())
    assert site.at_once == len(CONTENTS)
    assert time.monotonic() - start < 0.2 * len(CONTENTS)


def test_what_arrived_before_a_failure_is_kept(site: Site, tmp_path: Path) -> None:
    del site.contents[FIRST]
    with pytest.raises(UserError, match="404"):
        fetcher(tmp_path, site.url).fetch(rows())
    assert len(kept(tmp_path)) == len(CONTENTS) - 1
    site.contents, site.asked = dict(CONTENTS), []
    fetcher(tmp_path, site.url).fetch(rows())
    assert site.asked == [FIRST]
    assert kept(tmp_path) == whole()


def test_a_damaged_file_is_fetched_again(site: Site, tmp_path: Path) -> None:
    files = fetcher(tmp_path, site.url)
    files.fetch(rows())
    files.path(rows()[0]).write_bytes(b"x" * rows()[0].bytes)
    with pytest.raises(UserError, match="changed while it was used"):
        files.read(rows()[0])
    site.asked = []
    files.fetch(rows())
    assert site.asked == [FIRST]
    assert kept(tmp_path) == whole()


def test_a_broken_connection_is_tried_again(site: Site, tmp_path: Path) -> None:
    site.cut, site.statuses = {FIRST: [40, 0]}, {list(CONTENTS)[1]: [503, 429]}
    fetcher(tmp_path, site.url).fetch(rows())
    assert kept(tmp_path) == whole()
    assert site.asked.count(FIRST) == 3


def test_a_connection_that_always_breaks_ends(site: Site, tmp_path: Path) -> None:
    site.cut = {FIRST: [40] * 100}
    with pytest.raises(UserError, match=rf"{FIRST} of ben-z-original/uav75 \(127\.0\.0\.1:\d+: "):
        fetcher(tmp_path, site.url).fetch(rows())
    assert site.asked.count(FIRST) == pinned_fetch.TRIES


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"0 of \d+ bytes arrived"),
        (b"short", r"5 of \d+ bytes arrived"),
        (CONTENTS[FIRST][:-1] + b"?", r"other content, SHA-256 \w{12}\.\.\. instead of \w{12}\.\.\."),
        (CONTENTS[FIRST] * 1000, r"sends more than the \d+ bytes of the file"),
    ],
)
def test_wrong_bytes_lead_to_the_next_mirror_then_to_a_line(
    site: Site, mirror: Site, tmp_path: Path, content: bytes, reason: str
) -> None:
    site.contents[FIRST] = content
    fetcher(tmp_path / "a", site.url, mirror.url).fetch(rows())
    assert kept(tmp_path / "a") == whole()
    assert mirror.asked == [FIRST]
    mirror.contents[FIRST] = content
    with pytest.raises(UserError) as caught:
        fetcher(tmp_path / "b", site.url, mirror.url).fetch(rows())
    (line,) = str(caught.value).splitlines()
    assert len(re.findall(reason, line)) == 2
    assert f"{FIRST} of ben-z-original/uav75" in line
    assert "bench download --from FOLDER_OR_ZIP" in line


def test_compressed_content_and_web_pages_are_not_read(site: Site, mirror: Site, tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    site.contents = dict.fromkeys(CONTENTS, bomb)
    site.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(UserError, match=r"compressed content \(gzip\), which was not asked for"):
        fetcher(tmp_path, site.url).fetch(rows())
    mirror.headers = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(UserError, match="answered with a web page"):
        fetcher(tmp_path, mirror.url).fetch(rows())
    assert kept(tmp_path) == {}


def test_of_many_failures_the_first_is_named_and_the_rest_counted(site: Site, tmp_path: Path) -> None:
    site.contents = {}
    with pytest.raises(UserError, match=r"answered 404 Not Found\) and [45] more could not be fetched"):
        fetcher(tmp_path, site.url).fetch(rows())


def test_without_network_all_datasets_fail_with_one_line_at_once(tmp_path: Path) -> None:
    files = fetcher(tmp_path, DEAD)
    with pytest.raises(UserError) as first:
        files.fetch(rows())
    (line,) = str(first.value).splitlines()
    assert "(127.0.0.1:9: no connection) could not be fetched. Run the same command again to resume" in line
    with pytest.raises(UserError) as second:
        files.fetch(pinned_files("masonry"))
    assert str(second.value) == line


def test_a_dead_mirror_is_asked_for_few_files_only(site: Site, tmp_path: Path) -> None:
    files = fetcher(tmp_path, DEAD, site.url)
    files.fetch(rows())
    assert kept(tmp_path) == whole()
    assert list(files._unreachable) == [DEAD + pinned_fetch._PATTERN]


def test_mirrors_may_lay_out_their_addresses_differently(site: Site, tmp_path: Path) -> None:
    fetcher(tmp_path, site.url + "/a/{repository}/{path}").fetch(rows()[:1])
    assert kept(tmp_path)
    assert PinnedFetcher(tmp_path, ["https://mirror.org/"]).servers == [
        "https://mirror.org/{repository}/{commit}/{path}"
    ]


def test_the_public_addresses_are_those_of_the_commit() -> None:
    values = {"repository": "o/r", "commit": "c0ffee", "path": "a/b.png"}
    assert [server.format(**values) for server in SERVERS] == [
        "https://raw.githubusercontent.com/o/r/c0ffee/a/b.png",
        "https://cdn.jsdelivr.net/gh/o/r@c0ffee/a/b.png",
    ]


def test_a_full_disk_is_found_before_the_transfer(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinned_fetch, "SPARE_BYTES", 2**60)
    with pytest.raises(UserError, match=rf"needs \d+ bytes on the disk of {tmp_path}, which has \d+ free"):
        fetcher(tmp_path, site.url).fetch(rows())
    assert site.asked == []


@pytest.mark.parametrize("address", ["mirror.org", "ftp://mirror.org", "http://"])
def test_a_malformed_mirror_is_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError, match="could not be fetched"):
        fetcher(tmp_path, address).fetch(rows())


def test_an_interrupt_stops_the_others_and_loses_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pause_s = 0.05
    monkeypatch.setattr(pinned_fetch, "WORKERS", 2)

    class Interrupted:
        def __init__(self, **_: object) -> None:
            pass

        def __enter__(self) -> "Interrupted":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pinned_fetch, "tqdm", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetcher(tmp_path, site.url).fetch(rows())
    count = len(kept(tmp_path))
    assert 1 <= count < len(CONTENTS)
    site.asked = []
    fetcher(tmp_path, site.url).fetch(rows())
    assert len(site.asked) == len(CONTENTS) - count
    assert kept(tmp_path) == whole()
