"""Run the code that lies beside params.yaml, for that is the code whose hash DVC records."""

import os
import subprocess
import sys
from pathlib import Path

import click

import bench
from bench.errors import UserError

RESTARTED = "CRACKBENCH_RESTARTED"
"""Environment variable: the folder whose code a process was restarted with."""


def use_code_beside(params: Path) -> None:
    """Restart the command with the package beside ``params``, if there is one and it is not the one that runs.

    The command ``bench`` may be installed from one clone while the work is done in another: a second clone, a git
    worktree, or the folder in which DVC runs a queued experiment. DVC hashes the files beside params.yaml, so those
    must run. Without a package beside params.yaml (an installed wheel, an empty folder) nothing happens.

    Raises:
        UserError: the package beside params.yaml is shadowed even after the restart.
    """
    root = params.resolve().parent
    running = Path(bench.__file__).resolve().parent
    beside = (root / "bench").resolve()  # a workspace may link to the code of a clone
    entry = Path("cli", "main.py")
    if not (beside / entry).is_file() or (beside / entry).samefile(running / entry):
        return
    if os.environ.get(RESTARTED) == str(beside):
        raise UserError(
            f"the code in {running} runs, but {params} belongs to the code in {beside}, whose hash DVC records: "
            f"run `pip install --editable {root}`, or remove {running} from PYTHONPATH."
        )
    click.echo(f"bench: running the code in {beside}, not that in {running}", err=True)
    path = os.pathsep.join(p for p in (str(root), os.environ.get("PYTHONPATH", "")) if p)
    # safe path: else the current folder comes first, for this process and for those that it starts
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", RESTARTED: str(beside)}
    command = [sys.executable, "-m", "bench", *sys.argv[1:]]
    sys.stderr.flush()
    if sys.platform == "win32":  # execve there returns to the shell at once
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    os.execve(sys.executable, command, environment)
