"""Whole files on full disks, after kills, under long names and in places that cannot hold them."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.formats import atomic
from bench.formats.atomic import atomic_write, reserve

WRITER = """
import sys, time
from pathlib import Path
from bench.formats.atomic import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def first_write() -> None:
    """Let each test be the first write of a process."""
    atomic._remove_leftovers.cache_clear()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 100 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def write(path: Path, size: int, stated: int | None = None) -> None:
    with atomic_write(path, stated) as temporary:
        temporary.write_bytes(bytes(size))


def started(path: Path) -> subprocess.Popen[str]:
    """Return a process that has begun to write a file."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    return process


def test_a_full_disk_names_the_file_and_the_space_needed_and_free(small_disk: Path) -> None:
    (small_disk / "other").write_bytes(bytes(40_960))
    with pytest.raises(UserError, match=r"a\.bin: No space left on device: it needs 0\.2 MB, 61440 bytes are free"):
        write(small_disk / "a.bin", 200_000, 200_000)
    with pytest.raises(UserError, match=r"it needs more than 61440 bytes, 61440 bytes are free"):
        write(small_disk / "a.bin", 200_000)
    assert [p.name for p in small_disk.iterdir()] == ["other"]


def test_space_is_reserved_before_anything_is_written(small_disk: Path) -> None:
    with (small_disk / "a").open("wb") as file:
        with pytest.raises(OSError, match=r"No space left on device: '.*/a'"):
            reserve(file, 200_000)
        reserve(file, 50_000)
        assert Path(file.name).stat().st_size == 50_000


def test_a_limit_of_file_sizes_is_named(tmp_path: Path) -> None:
    with largest_file(1000), pytest.raises(UserError, match=r"a\.bin: File too large: raise the limit \(`ulimit -f`\)"):
        write(tmp_path / "a.bin", 5000)
    assert not list(tmp_path.iterdir())


def test_places_that_cannot_hold_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for folder, reason in {
        "file": "Not a directory|File exists",
        "dangling": "File exists",
        "x" * 300: "too long",
    }.items():
        with pytest.raises(UserError, match=reason):
            write(tmp_path / folder / "a", 1)
    with pytest.raises(UserError, match="Is a directory"):
        write(tmp_path, 1)


def test_any_name_that_the_disk_accepts_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 255, "ä" * 127, "🧱" * 63):
        write(tmp_path / name, 1)
        assert (tmp_path / name).stat().st_size == 1


def test_the_error_of_another_file_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="other"), atomic_write(tmp_path / "a"):
        (tmp_path / "other").read_bytes()


def test_what_a_killed_process_left_is_removed_and_a_file_in_use_is_not(tmp_path: Path) -> None:
    killed, alive = started(tmp_path / "a"), started(tmp_path / "b")
    try:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        (tmp_path / ".my.settings.tmp").touch()  # of somebody else: another kind of name
        assert len(list(tmp_path.iterdir())) == 3
        write(tmp_path / "c", 1)
        left = sorted(p.name[:3] for p in tmp_path.iterdir())
        assert left == [".b.", ".my", "c"]
    finally:
        alive.kill()
        for process in (alive, killed):
            process.communicate()
    atomic._remove_leftovers.cache_clear()
    write(tmp_path / "c", 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".my.settings.tmp", "c"]


def test_a_file_taken_for_a_leftover_before_it_was_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = fcntl.flock, []

    def take_first(handle: int, kind: int) -> None:
        if not taken:
            taken.extend(tmp_path.glob(".a.*"))
            taken[0].unlink()
        lock(handle, kind)

    monkeypatch.setattr(fcntl, "flock", take_first)
    write(tmp_path / "a", 3)
    assert [(p.name, p.stat().st_size) for p in tmp_path.iterdir()] == [("a", 3)]
