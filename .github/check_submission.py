"""Check the models that a pull request adds to the open track, and print the comparison as Markdown."""

import re
import subprocess
import sys

TRACK = "results/open"
BENCH = [sys.executable, "-m", "bench", "--params", f"{TRACK}/params.yaml"]


def main(base: str) -> int:
    """Print what `bench check` and `bench compare` say; return 1 if a check fails."""
    changed = run("git", "diff", "--name-only", f"{base}...HEAD", "--", f"{TRACK}/external")[1].splitlines()
    models = sorted({path.split("/")[3] for path in changed if path.count("/") > 3})
    code = 0
    for model in models:
        failed, said = run(*BENCH, "check", f"{TRACK}/external/{model}")
        print(f"## {heading(model)}\n\n`bench check`: {'FAILED' if failed else 'passed'}\n\n{fenced(said)}\n")
        missed, said = run(*BENCH, "compare", model, "--results", TRACK, "--format", "markdown")
        code = code or failed or missed
        print(f"{fenced(said) if missed else said.strip()}\n")
    return int(bool(code))


def heading(name: str) -> str:
    """Return the name of a folder as the heading of its answer; what is no plain name is not repeated."""
    return name if re.fullmatch(r"[\w-]+", name) else "A folder whose name is not that of a model"


def fenced(text: str) -> str:
    """Return text as a block of code, whatever fences are in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text.strip()}\n{fence}"


def run(*command: str) -> tuple[int, str]:
    """Return the exit status and the output of a command, its errors included."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
