"""Sweeps in odd surroundings: file systems, users, hosts, clocks and memory limits, each of them real."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from bench.formats.lock import exclusive
from bench.sweep import owner, progress
from bench.tools import workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CELL = "train@cfd-unet-0"
LACKING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int lacks(int file) {  /* whether a file lies below the folder that has no locks */
  char link[64], path[4096];
  const char *folder = getenv("NO_LOCKS_BELOW");
  if (!folder) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return !strncmp(path, folder, strlen(folder));
}
static int no(void) { errno = EOPNOTSUPP; return -1; }
int link(const char *a, const char *b) {
  if (getenv("NO_HARD_LINKS")) return no();
  return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link"))(a, b);
}
int flock(int file, int how) {
  if (lacks(file)) return no();
  return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(file, how);
}
#define FCNTL(name) int name(int file, int how, ...) { \\
  va_list rest; va_start(rest, how); void *more = va_arg(rest, void *); va_end(rest); \\
  if ((how == F_SETLK || how == F_SETLKW) && lacks(file)) return no(); \\
  return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, #name))(file, how, more); }
FCNTL(fcntl)
FCNTL(fcntl64)
"""
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux: mounts and namespaces"
)


def start(folder: Path, *arguments: str, under: Sequence[str] = (), **variables: str) -> subprocess.Popen[str]:
    """Start `bench` in a workspace, under another command."""
    command = [*under, sys.executable, "-m", "bench", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def bench(folder: Path, *arguments: str, under: Sequence[str] = (), **variables: str) -> tuple[int, str]:
    """Run `bench` in a workspace; return its exit status and all that it printed."""
    process = start(folder, *arguments, under=under, **variables)
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in err, err
    return process.returncode, out + err


def shell(before: str) -> list[str]:
    """Return a command that does something first, in a mount namespace of its own."""
    return ["unshare", "--mount", "sh", "-ec", f'{before}; "$@"', "sh"]


def is_training(folder: Path) -> bool:
    return any(progress.read(log).epoch for log in folder.glob(".sweep/*/*.log"))


@pytest.fixture
def cell(tmp_path: Path, lab: ModuleType) -> Path:
    """A workspace with one short cell."""
    folder: Path = lab.make_workspace(tmp_path / "ws", datasets=["cfd"], models=["unet"])
    return folder


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library that takes hard links or locks away from the processes that preload it."""
    if sys.platform != "linux" or not shutil.which("gcc"):
        pytest.skip("needs Linux and gcc")
    place = tmp_path_factory.mktemp("library")
    (place / "lacking.c").write_text(LACKING)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "lacking.so", "lacking.c", "-ldl"], cwd=place, check=True)
    return str(place / "lacking.so")


@as_root
@pytest.mark.parametrize("place", ["runs", ".sweep"])
def test_runs_or_ledger_on_another_file_system_with_a_umask_of_077(cell: Path, place: str) -> None:
    (cell / place).mkdir()
    status, said = bench(cell, "sweep", under=shell(f"umask 077; mount -t tmpfs tmpfs {place}"))
    assert (status, "1 of 1 cells are up to date." in said) == (0, True), said
    status, said = bench(cell, "sweep")  # the other file system is gone
    assert (status, "1 of 1 cells are up to date." in said) == (0, True), said
    assert ("1 cells restored from DVC's cache" in said) == (place == "runs")


def test_a_file_system_without_hard_links(cell: Path, lacking: str) -> None:
    status, said = bench(cell, "sweep", LD_PRELOAD=lacking, NO_HARD_LINKS="1")
    assert (status, "1 of 1 cells are up to date." in said) == (0, True), said
    assert (cell / ".sweep" / CELL / "001.lock").is_dir()


def test_a_file_system_without_locks(cell: Path, lacking: str) -> None:
    without = {"LD_PRELOAD": lacking, "NO_LOCKS_BELOW": str(cell)}
    status, said = bench(cell, "sweep", **without)
    assert status == 1
    assert said.startswith(
        f"Error: the file system of {cell} has no locks, which DVC needs. Where it has hard links, run"
    )
    assert len(said.splitlines()) == 1
    workspace.dvc(cell, "config", "--local", "core.hardlink_lock", "true")  # as it says
    for name in ("lock", "rwlock.lock"):
        (cell / ".dvc" / "tmp" / name).unlink(missing_ok=True)
    status, said = bench(cell, "sweep", **without)
    assert (status, "1 of 1 cells are up to date." in said) == (0, True), said


@as_root
@pytest.mark.parametrize(
    ("under", "reason"),
    [
        (shell("mount --bind .sweep .sweep; mount -o remount,ro,bind .sweep"), "Read-only file system"),
        (["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-all"], "Permission denied"),
        (["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"], "Permission denied"),
    ],
    ids=["read-only", "of another user", "private to another user"],
)
def test_a_ledger_that_others_keep(cell: Path, under: list[str], reason: str) -> None:
    (cell / ".sweep").mkdir(mode=0o700 if "search" in str(under) else 0o755)
    os.chown(cell / ".sweep", 12345, 12345)
    status, said = bench(cell, "sweep", under=under)
    assert status == 1
    assert f"{cell}/.sweep/" in said
    assert reason in said
    assert "1 to do" in bench(cell, "sweep", "--status")[1]


def test_a_cell_that_is_trained_by_hand_is_left_to_the_next_sweep(cell: Path) -> None:
    with exclusive(cell / "runs" / "cfd" / "unet" / "0"):
        status, said = bench(cell, "sweep", "cfd/unet/0")
    assert status == 1
    assert "1 to do.\nNot finished; `bench sweep` resumes:\ncfd/unet/0: " in said
    assert f"process {os.getpid()} on " in said
    assert "1 to do" in bench(cell, "sweep", "--status", "cfd/unet/0")[1]


@as_root
def test_a_second_host_on_a_shared_folder(long_workspace: Path, lab: ModuleType) -> None:
    """Another name, network and numbers of processes."""
    other = ["unshare", "--uts", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    host = [*other, "sh", "-c", 'hostname other; exec "$@"', "sh"]
    sweep = start(long_workspace, "sweep", "cfd/unet/0", under=host)
    try:
        lab.wait_for(lambda: is_training(long_workspace))
        assert "1 running" in bench(long_workspace, "sweep", "--status", "cfd/unet/0")[1]
        assert "0 cells done in this sweep" in bench(long_workspace, "sweep", "cfd/unet/0")[1]
        status, said = bench(long_workspace, "train", "prepared/cfd", "runs/cfd/unet/0", "--model", "unet")
        assert (status, " on other is training it" in said) == (1, True), said
    finally:
        sweep.kill()  # with the host
        sweep.communicate()
    assert "1 running" in bench(long_workspace, "sweep", "--status", "cfd/unet/0")[1]
    for path in long_workspace.glob(f".sweep/{CELL}/001.c*"):
        past = path.stat().st_mtime - owner.LEASE_S
        os.utime(path, (past, past))
    assert "1 to do" in bench(long_workspace, "sweep", "--status", "cfd/unet/0")[1]


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed (apt-get install faketime)")
@pytest.mark.parametrize("host", [(), ("unshare", "--uts", "sh", "-c", 'hostname other; exec "$@"', "sh")])
def test_a_clock_that_jumps(long_workspace: Path, lab: ModuleType, host: Sequence[str]) -> None:
    if host and os.geteuid() != 0:
        pytest.skip("another host name needs root")
    offset = long_workspace / "offset"
    offset.write_text("+0")
    fake = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1"}
    fake |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}  # file times come from the kernel
    sweep = start(long_workspace, "sweep", "cfd/unet/0", under=host, **fake)
    try:
        lab.wait_for(lambda: is_training(long_workspace))
        for jump in ("+2d", "-9d", "+4000d"):
            offset.write_text(jump)
            assert "0 cells done in this sweep" in bench(long_workspace, "sweep", "cfd/unet/0", **fake)[1]
        sweep.send_signal(signal.SIGINT)
        sweep.communicate(timeout=120)
    finally:
        sweep.kill()
    assert json.loads((long_workspace / ".sweep" / CELL / "001.end").read_text())["state"] == "interrupted"
    assert lab.attempts(long_workspace) == {CELL: 1}
    assert list(long_workspace.glob("runs/cfd/unet/.0.checkpoint/*.safetensors"))


HUNGRY = '''"""Takes all the memory that there is."""

NAME = "Hungry"


def build(channels, classes, image_size, encoder, weights):
    taken = []
    while True:
        taken.append(b"x" * 2**24)
'''


@pytest.fixture
def memory_group(lab: ModuleType) -> Iterator[Path]:
    """A control group of 2 GB of memory."""
    for base, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(base) / f"crackbench-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / limit).exists():
                (group / limit).write_text(str(2 * 10**9))
                yield group
                lab.wait_for(lambda group=group: not (group / "cgroup.procs").read_text(), 60)
                return
        finally:
            group.rmdir()
    pytest.skip("no control group for memory can be made here")


def test_a_control_group_s_memory_limit_ends_one_cell(tmp_path: Path, memory_group: Path, lab: ModuleType) -> None:
    folder = lab.make_workspace(tmp_path / "ws", datasets=["cfd"], models=["unet"])
    (folder / "mine" / "models").mkdir(parents=True)
    (folder / "mine" / "models" / "hungry.py").write_text(HUNGRY)
    workspace.create_workspace(
        ROOT, folder, lab.SETTINGS | {"datasets": ["cfd"], "models": ["hungry", "unet"], "plugins": "mine"}
    )
    join = ["sh", "-c", f'echo $$ > {memory_group}/cgroup.procs; exec "$@"', "sh"]
    status, said = bench(folder, "sweep", under=join)
    assert status == 1
    assert "1 of 2 cells are up to date, 1 failed." in said, said
    assert "cfd/hungry/0: killed by SIGKILL: probably the kernel, out of memory" in said
