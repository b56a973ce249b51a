"""Each file that the pipeline writes, damaged in each way: the next step names it, mends it, or does without it.

``python tests/test_faults.py`` prints how many faults of each group all tests together try and how many are held, then
the outcomes of damage to each file.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.cli.main import main
from bench.formats import files
from bench.sweep import cells, ledger, owner
from bench.tools.workspace import create_workspace

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value")  # DVC's use of pygtrie

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "datasets": ["cfd"],
    "models": ["unet", "linknet"],
    "download": {"source": "sample", "sample": {"images": 6, "size": 64}},
    "prepare": {"image_size": 64, "mask_threshold": 127},
    "train": {
        "encoder": "mobilenet_v2", "weights": None, "epochs": 1, "batch": 2, "threads": 1, "workers": 0,
        "device": "cpu", "augment": {"noise_p": 0.0},
    },
    "measure": {"encoder": "mobilenet_v2", "image_size": 64, "warmup": 0, "repeats": 1, "device": "cpu"},
}  # fmt: skip
GOOD = {"named", "repaired", "redone", "harmless"}
NOISE = ("run.json", files.SUMS, "source.json")  # durations, what follows them, and where an archive lay


def flip_bit(content: bytes) -> bytes:
    """Flip a bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def flip_digit(content: bytes) -> bytes:
    """Change the first digit of the second half."""
    at = next(i for i in [*range(len(content) // 2, len(content)), *range(len(content) // 2)] if 48 <= content[i] < 58)
    return content[:at] + bytes([48 + (content[at] - 47) % 10]) + content[at + 1 :]


FAULTS: dict[str, Callable[[bytes], bytes | None]] = {
    "removed": lambda content: None,
    "half": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "bit": flip_bit,
    "digit": flip_digit,
}

PREPARE = "prepare data/cfd {out} --dataset cfd"
TRAIN = "train prepared/cfd {out}/0 --model unet"
EVALUATE = "evaluate prepared/cfd runs/cfd {out} --dataset cfd"
PREDICT = "predict runs/cfd/unet/0 --dataset cfd --out {out}"
RANK = ("check", "leaderboard --resamples 100 --format json", "report results {out} --only table3 --only table7")
PREPARED, RUN, SCORES = "prepared/cfd", "runs/cfd/unet/0", "results/scores/cfd"


@dataclass(frozen=True)
class Case:
    """A file, the commands that read it, and what else a message may call it."""

    file: str
    commands: tuple[str, ...]
    said: str = "its whole path"


CASES = [
    *(Case(f"data/cfd/{name}", (f"{PREPARE} --splits {{out}}/splits",))
      for name in ("images/*", "masks/*", "source.json", files.SUMS)),
    Case("splits/*.json", (f"{PREPARE} --splits splits",)),
    *(Case(f"archives/{name}", ("--params collection.yaml download {out} --archives archives",))
      for name in ("*.zip", "sha256.json")),
    *(Case(f"{PREPARED}/{name}", (TRAIN, EVALUATE))
      for name in ("images.npy", "masks.npy", "items.csv", "card.json", files.SUMS)),
    Case(f"{RUN}/weights.safetensors", (PREDICT,)),
    *(Case(f"{RUN}/{name}", (EVALUATE,), RUN)
      for name in ("history.csv", "run.json", "probabilities/*.png", files.SUMS)),
    Case("stopped/.0.checkpoint/*.safetensors", ("train prepared/cfd stopped/0 --model unet",)),
    *(Case(f"{SCORES}/{name}", RANK) for name in ("images.csv", "curves.csv", "history.csv", "cells.json", files.SUMS)),
    Case("results/cost/unet.json", ("check", "leaderboard --resamples 100"), "cost of unet"),
    Case("reports/summary.csv", ("check",)),
    *(Case(f".sweep/train@cfd-{name}", ("sweep --status",))
      for name in ("unet-0/*.claim", "unet-0/*.end", "unet-0/*.child", "unet-0/*.job", "unet-0/*.log",
                   "linknet-0/*.claim", "linknet-0/*.end", "linknet-0/*.recorded")),
]  # fmt: skip


def bench(command: str) -> Any:
    """Run a command of the suite in this process."""
    return CliRunner().invoke(main, command.split())


def done(command: str) -> None:
    result = bench(command)
    assert result.exit_code == 0, (command, result.output, result.exception)


def make_workspace(folder: Path) -> Path:
    """Return a finished workspace that DVC knows, with an interrupted training and a ledger besides."""
    from dvc.repo import Repo

    create_workspace(ROOT, folder, SETTINGS)
    with chdir(folder):
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with Repo() as repo:
            repo.reproduce(["data.dvc"])
        done("prepare data/cfd prepared/cfd --dataset cfd")
        for model in ("unet", "linknet"):
            done(f"train prepared/cfd runs/cfd/{model}/0 --model {model}")
            done(f"measure results/cost/{model}.json --model {model}")
        done("evaluate prepared/cfd runs/cfd results/scores/cfd --dataset cfd")
        done("transfer prepared runs/cfd results/transfer/cfd --dataset cfd")
        done("report --only numbers")
        with Repo() as repo:
            repo.commit(force=True)
        stop_a_training(Path("stopped/0"))
        (folder / "collection.yaml").write_text(
            (folder / "params.yaml").read_text().replace("source: sample", "source: collection")
        )
        Path("archives").mkdir()
        with zipfile.ZipFile("archives/crack_segmentation_dataset.zip", "w") as archive:
            for path in sorted(Path("data/cfd").glob("*/*")):
                archive.write(path, f"{path.parent.name}/CFD_{path.name}")
        done("--params collection.yaml download first --archives archives")
        make_ledger(folder)
    return folder


def stop_a_training(target: Path) -> None:
    """Train until the first checkpoint, which a signal asks for."""
    from bench.training import loop

    real = loop.step

    def step(*args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "step", step)
        assert bench(f"train prepared/cfd {target} --model unet").exit_code == 128 + signal.SIGTERM


def make_ledger(folder: Path) -> None:
    """Note a failed attempt of one cell and one of the other that DVC knows; then make both cells stale."""
    for name in ("unet", "linknet"):
        (folder / f"runs/cfd/{name}/0/run.json").rename(folder / f"{name}.json")
    for cell in cells.stale(folder, "train")[0]:
        attempt = ledger.claim(ledger.last(folder / ".sweep", cell.name), cell.fingerprint)
        assert attempt
        dead = {"host": owner.this_process().host, "pid": os.getpid(), "started": 0.0}  # pid reused since
        claimed = {"fingerprint": cell.fingerprint, "owner": dead, "id": attempt.claim_id}
        attempt.path("claim").write_text(json.dumps(files.with_checksum(claimed)))
        files.write_json(attempt.path("child"), files.with_checksum(dead))
        attempt.log.write_text("train: 4/4 images\nError: no memory for 12 images\n")
        if "unet" in cell.name:
            ledger.mark_job(attempt, "12_3")
            ledger.end(attempt, "failed", "no memory for 12 images", 3.25)
        else:
            run = folder / cell.target
            ledger.mark_recorded(ledger.end(attempt, "done", "", 12.5, files.sha256(run / files.SUMS)))
    for name in ("unet", "linknet"):
        (folder / f"{name}.json").rename(folder / f"runs/cfd/{name}/0/run.json")


def outputs(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder but for those that two undisturbed runs do not have in common."""
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name not in NOISE]
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths}


def run(case: Case, command: str) -> tuple[Any, Any]:
    """Return what a command says, and what it writes, to ``out`` or beside the checkpoint that it resumes from."""
    out = Path("stopped/0" if case.file.startswith("stopped") else "out")
    shutil.rmtree(out, ignore_errors=True)
    stale = [Path(f"runs/cfd/{m}/0/history.csv") for m in ("unet", "linknet")] if "sweep" in command else []
    kept = [path.read_bytes() for path in stale]
    for path in stale:
        path.unlink()
    try:
        result = bench(command.format(out=out))
    finally:
        for path, content in zip(stale, kept, strict=True):
            path.write_bytes(content)
    return result, (result.stdout, outputs(out))


def replace(path: Path, content: bytes | None) -> None:
    """Put another file in its place, as most damage does; the old one may be DVC's own copy too."""
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)


def outcomes(case: Case) -> dict[str, str]:
    """Return what comes of each fault of a file."""
    path = sorted(Path().glob(case.file))[0]
    folder, kept, whole = path.parents[-3 if path.parts[0] == "results" else -2], Path("kept"), path.read_bytes()
    shutil.copytree(folder, kept)
    found: dict[str, str] = {}
    try:
        sound = []
        for command in case.commands:
            sound.append(run(case, command)[1])
            restore(kept, folder)
        for name, fault in FAULTS.items():
            if (
                (name == "digit" and path.suffix not in (".csv", ".json", ".claim", ".end", ".child", ""))
                or (not whole and name != "removed")
                or (path.suffix == ".zip" and name == "removed")
            ):
                continue  # an archive that is not there is fetched: no network here
            kinds = []
            for command, before in zip(case.commands, sound, strict=True):
                replace(path, fault(whole))
                result, after = run(case, command)
                repaired = path.is_file() and path.read_bytes() == whole
                kinds.append(outcome(case, path, result, differing(before, after), repaired))
                restore(kept, folder)
            found[name] = ", ".join(dict.fromkeys(kinds))
    finally:
        shutil.rmtree(kept)
    return found


def restore(kept: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)


def differing(before: Any, after: Any) -> list[str]:
    """Return what two runs of a command do not share: "what it says", and names of files."""
    names = sorted(n for n in before[1].keys() | after[1].keys() if before[1].get(n) != after[1].get(n))
    return ["what it says"] * (before[0] != after[0]) + names


def outcome(case: Case, path: Path, result: Any, changed: list[str], repaired: bool) -> str:
    """Return the word for what a command made of a fault."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"traceback: {result.exception!r}"
    said = any(word in result.output for word in (str(path), f"masks/{path.stem}.", f"images/{path.stem}.", case.said))
    if path.parts[0] == ".sweep" and changed and not said and not result.exit_code:
        return "redone" if "to do" in result.stdout or "not recorded" in result.stdout else "wrong state"
    if result.exit_code:
        return "named" if said else f"not named: {result.output[-300:]}"
    if not changed:
        return "repaired" if repaired or case.file.startswith("stopped") else "harmless"
    return "named" if said else f"wrong number in {changed}: {result.output[-300:]}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = make_workspace(tmp_path_factory.mktemp("faults") / "workspace")
    with chdir(folder):
        yield folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_damage_is_named_mended_or_harmless(workspace: Path, case: Case) -> None:
    found = outcomes(case)
    assert {o for text in found.values() for o in text.split(", ")} <= {"named", "repaired", "redone", "harmless"}, (
        found
    )


def tracked() -> dict[str, list[Path]]:
    """Return the files of each output that DVC tracks."""
    places = {
        "prepare@cfd": PREPARED,
        "train@cfd-unet-0": RUN,
        "evaluate@cfd": SCORES,
        "measure@unet": "results/cost/unet.json",
        "report": "reports",
    }
    found = {stage: [Path(p), *sorted(Path(p).rglob("*"))] for stage, p in places.items()}
    return {stage: [p for p in paths if p.is_file()][:6] for stage, paths in found.items()}


def test_dvc_tells_which_stage_to_run_again(workspace: Path) -> None:
    from dvc.repo import Repo

    with Repo() as repo:
        assert not repo.status()
    for turn in range(6):
        for fault in ("removed", "half", "bit") if turn < 3 else ("bit",):
            damaged = {stage: paths[turn % len(paths)] for stage, paths in tracked().items()}
            kept = {path: path.read_bytes() for path in damaged.values()}
            for path, content in kept.items():
                replace(path, FAULTS[fault](content))
            with Repo() as repo:
                changed = {s for s, facts in repo.status().items() if any("changed outs" in f for f in facts)}
            for path, content in kept.items():
                replace(path, content)
            assert changed == set(damaged), (fault, damaged)


def test_rot_that_leaves_the_time_of_change_alone_is_found(workspace: Path) -> None:
    """DVC trusts size and time of a file it has hashed before; the checksums do not."""
    from dvc.repo import Repo

    path = Path(f"{PREPARED}/masks.npy")
    whole, facts = path.read_bytes(), path.stat()
    mode = facts.st_mode
    try:
        path.chmod(0o644)
        with path.open("r+b") as file:
            file.write(flip_bit(whole))
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        with Repo() as repo:
            assert not repo.status()
        found = bench(EVALUATE.format(out="out"))
        assert found.exit_code == 1
        assert f"{path} is damaged" in found.output
    finally:
        replace(path, whole)
        path.chmod(mode)


@pytest.mark.parametrize(
    ("fault", "file"),
    [("removed", f"{PREPARED}/masks.npy"), ("half", f"{RUN}/weights.safetensors"), ("digit", f"{SCORES}/images.csv")],
)
def test_repro_brings_it_back(workspace: Path, fault: str, file: str) -> None:
    """What is in DVC's cache comes from there; the scores, which are in git, are computed again."""
    from dvc.repo import Repo

    tops = ("prepared", "runs", "results", "reports")
    before = {p: p.read_bytes() for top in tops for p in Path(top).rglob("*") if p.is_file()}
    replace(Path(file), FAULTS[fault](before[Path(file)]))
    with Repo() as repo:
        repo.reproduce()
        assert not repo.status()
    assert {p: p.read_bytes() for top in tops for p in Path(top).rglob("*") if p.is_file()} == before


def table() -> str:
    """Return the outcomes as Markdown."""
    lines = ["| file | " + " | ".join(FAULTS) + " |", "|---" * (1 + len(FAULTS)) + "|"]
    for case in CASES:
        found = outcomes(case)
        lines.append(f"| {case.file} | " + " | ".join(found.get(f, "") for f in FAULTS) + " |")
    return "\n".join(lines)


FULL = "full"
WRITERS = (
    f"download {FULL}/d",
    f"prepare data/cfd {FULL}/p --dataset cfd",
    f"train prepared/cfd {FULL}/0 --model unet",
    f"evaluate prepared/cfd runs/cfd {FULL}/e --dataset cfd",
    f"transfer prepared runs/cfd {FULL}/t --dataset cfd",
    f"measure {FULL}/m.json --model unet",
    f"report results {FULL}/r",
    f"predict runs/cfd/unet/0 --dataset cfd --out {FULL}/o",
    f"export runs/cfd/unet/0 --onnx {FULL}/x.onnx",
    f"audit --out {FULL}/a",
)


@pytest.fixture
def full_disk(workspace: Path) -> Iterator[Path]:
    """A folder on a disk without space, in the workspace."""
    folder = workspace / FULL
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        folder.rmdir()
        pytest.skip("mounting a small disk needs root")
    (folder / "other").write_bytes(bytes(16384))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


@pytest.mark.slow
@pytest.mark.parametrize("command", WRITERS)
def test_a_full_disk_is_named_with_what_is_needed_and_free(full_disk: Path, command: str) -> None:
    result = bench(command)
    assert result.exit_code == 1, result.output
    assert re.search(
        rf"Error: \S*{FULL}/\S+: No space left on device: it needs (.+, 0 bytes|more than the 0 bytes that) are free\.",
        result.output,
    ), result.output
    assert not list(full_disk.rglob("*.crackbench"))


# Group of faults -> parts of the names of the tests that try it, and how many faults held when they were first tried
# from outside, where these were counted group by group; all together: 311 of 376.
GROUPS = {
    "Files of the pipeline, damaged": (
        "test_faults.py::test_damage test_faults.py::test_rot test_faults.py::test_repro",
        "",
    ),
    "Checkpoints, torn or forged": ("test_state.py::test_a_forged formats/test_checkpoint.py", "15 of 22"),
    "A training killed; the same bits": (
        "test_train_kill.py test_loop.py::test_another_number test_state.py::test_the_number",
        "38 of 38",
    ),
    "A full disk": ("_full_disk disk_that_fills formats/test_atomic.py::test_space", ""),
    "Errors of the operating system": ("cli/test_group.py formats/test_atomic.py cli/test_main.py::test_faults_of", ""),
    "Two trainings, orphans": ("cli/test_process.py formats/test_lock.py test_worker.py::test_a_target", ""),
    "A sweep beside `dvc repro`": ("sweep/test_repository.py sweep/test_recorder.py test_cells.py::test_a_time", ""),
    "Downloads, TLS, proxies": (
        "data/test_transfer.py test_pinned_fetch.py test_tls_and_proxy.py test_network_err",
        "",
    ),
    "params.yaml": ("test_strict_yaml.py tests/test_settings.py", ""),
    "`bench score`": (
        "test_a_forged_array test_sizes_are_compared test_other_sizes test_a_prediction_that_lies a_name_that_a_model",
        "",
    ),
    "Names in tables": ("test_hostile_names.py test_csv_cells.py render/test_markdown.py", ""),
    "The ledger, damaged": ("sweep/test_attempt.py", "4 of 14"),
    "What a cell's end means": ("test_worker.py::test_done test_output.py test_local.py::test_a_process", "2 of 5"),
    "What was computed before": (
        "test_cells.py::test_what_was_computed test_cells.py::test_what_is_trained test_dvc_remote",
        "0 of 1",
    ),
    "Sweeps stopped, killed, crowded out": ("sweep/test_local.py", ""),
    "Slurm": ("sweep/test_slurm.py", ""),
    "File systems, users, hosts, clocks": ("test_surroundings.py test_owner.py sweep/test_ledger.py", ""),
    "Supply chain": ("test_supply_chain.py", ""),
}


class Count:
    """A plug-in of pytest that counts the outcomes of each group; a test counts for the first group that names it."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}

    @staticmethod
    def group(test: str) -> str | None:
        return next((group for group, (parts, _) in GROUPS.items() if any(p in test for p in parts.split())), None)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self.group(item.nodeid)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        group = self.group(report.nodeid)
        if group and (report.when == "call" or report.outcome != "passed"):
            self.outcomes[group][report.outcome] += 1

    def table(self) -> str:
        """Return the counts as Markdown; what this machine cannot try is skipped."""
        lines = ["| group | held before | tried | held | skipped |", "|---|---|---|---|---|"]
        rows = [(group, GROUPS[group][1], found) for group, found in self.outcomes.items()]
        for group, before, found in [*rows, ("All", "311 of 376", sum(self.outcomes.values(), Counter()))]:
            held, failed = found["passed"], found["failed"]
            lines.append(f"| {group} | {before} | {held + failed} | {held} | {found['skipped']} |")
        return "\n".join(lines)


if __name__ == "__main__":
    count = Count()
    files_of_tests = {str(p) for p in (ROOT / "tests").rglob("test_*.py")}
    pytest.main([*sorted(files_of_tests), "-q", "--rootdir", str(ROOT)], plugins=[count])
    print(count.table() + "\n", flush=True)
    with tempfile.TemporaryDirectory() as place, chdir(make_workspace(Path(place) / "workspace")):
        print(table())
