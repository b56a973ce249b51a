"""A real Slurm of one node with two fake GPUs, in a folder of its own. Needs root, slurm-wlm and munge.

Usage: ``python slurm_node.py start FOLDER`` prints the environment to use it with; ``stop FOLDER`` ends it.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun")
DAEMONS = ("munged", "slurmctld", "slurmd")

CONF = """
ClusterName=crackbench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={port2}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
KillWait=10
MaxArraySize=4
MinJobAge=10
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=2000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""


def missing() -> str:
    """Return why no node can be started here, or ""."""
    if os.geteuid() != 0:
        return "a Slurm node needs root"
    absent = [name for name in PROGRAMS if not shutil.which(name, path=_path())]
    return f"{', '.join(absent)} not installed (apt-get install slurm-wlm munge)" if absent else ""


def start(folder: Path) -> dict[str, str]:
    """Start the node; return the environment variables that its clients need."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    facts = {"host": socket.gethostname().partition(".")[0], "folder": folder, "cpus": os.cpu_count()}
    facts |= {"port": _free_port(), "port2": _free_port()}
    (folder / "slurm.conf").write_text(CONF.format(**facts))
    files = []
    for i in range(2):
        (folder / f"gpu{i}").touch()
        files.append(f"Name=gpu File={folder}/gpu{i}")
    (folder / "gres.conf").write_text("\n".join(files) + "\n")
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
    environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
    start_daemon(folder, "munged")
    for name in ("slurmctld", "slurmd"):
        start_daemon(folder, name)
    end = time.monotonic() + 60
    while "idle" not in _ask(["sinfo", "--noheader", "--format=%T"], environment):
        if time.monotonic() > end:
            logs = "\n".join(p.read_text()[-1500:] for p in folder.glob("*.log"))
            raise RuntimeError(f"the node does not come up: {logs}")
        time.sleep(0.5)
    return environment


def start_daemon(folder: Path, name: str) -> None:
    """Start one of the three daemons."""
    config = str(folder / "slurm.conf")
    commands = {
        "munged": ["--force", "--num-threads=1", f"--socket={folder}/munge.socket", f"--key-file={folder}/munge.key",
                   f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log",
                   f"--seed-file={folder}/munge.seed"],
        "slurmctld": ["-f", config],
        "slurmd": ["-f", config],
    }  # fmt: skip
    subprocess.run([name, *commands[name]], env=os.environ | {"PATH": _path()}, check=True, cwd=folder)


def wait_until_saved(folder: Path, job: str, seconds: float = 60) -> None:
    """Wait until slurmctld has saved what it knows now; killed earlier it would start running jobs a second time."""
    now = time.time()
    subprocess.run(["scontrol", "update", f"job={job}", "comment=save"], check=True)  # a change that is to be saved
    end = time.monotonic() + seconds
    state = folder / "state" / "job_state"
    while not (state.exists() and state.stat().st_mtime > now):
        if time.monotonic() > end:
            raise RuntimeError(f"{state} is not written")
        time.sleep(0.2)


def kill_daemon(folder: Path, name: str) -> None:
    """Kill one of the daemons by the number in its file."""
    path = folder / f"{name}.pid"
    try:
        os.kill(int(path.read_text()), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
    path.unlink(missing_ok=True)
    time.sleep(0.5)


def stop(folder: Path) -> None:
    """End all jobs and the daemons."""
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
    for how in ([], ["--signal=KILL", "--full"]):  # what outlives slurmd would go on for good
        subprocess.run(["scancel", "--user=root", *how], env=environment, check=False, capture_output=True, timeout=30)
        time.sleep(2)
    end = time.monotonic() + 60
    while _ask(["squeue", "--noheader"], environment).strip() and time.monotonic() < end:
        time.sleep(0.5)
    for name in reversed(DAEMONS):
        kill_daemon(folder, name)


def _ask(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    return done.stdout


def _path() -> str:
    return f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    verb, place = sys.argv[1], Path(sys.argv[2]).resolve()
    if verb == "start":
        print("\n".join(f"export {key}={value}" for key, value in start(place).items()))
    else:
        stop(place)
