"""What is installed: every file by its hash, every licence known, and the audit of known vulnerabilities."""

import re
import runpy
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SCRIPT = runpy.run_path(str(ROOT / ".github" / "licences.py"))
LICENCES = dict(
    re.findall(r"(?m)^\| ([a-z0-9][a-z0-9.-]*) \| (.+) \|$", (ROOT / "docs" / "licences.md").read_text("utf-8"))
)
ACCEPTED = re.compile(
    r"MIT|BSD|Apache|ISC|MPL|Mozilla|PSF|Python Software Foundation|Unlicense|ZPL|0BSD|HPND|CC0|Zlib|EPL|GPL|NVIDIA",
    re.IGNORECASE,
)
REFUSED = re.compile(r"AGPL|Affero|SSPL|BUSL|unknown|non-?commercial", re.IGNORECASE)


def test_every_package_is_pinned_with_hashes_and_the_lock_names_no_place() -> None:
    entries = re.split(r"\n(?! )", LOCK.strip())
    assert len(entries) > 200
    for entry in entries:
        first, *hashes = entry.replace("\\\n", "\n").splitlines()
        assert re.fullmatch(r"[\w.-]+==\S+( ; .+)?", first.strip()), first
        assert hashes, first
        assert all(re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}", line.rstrip()) for line in hashes), first
    assert "://" not in LOCK


def test_whatever_installs_the_lock_checks_the_hashes() -> None:
    places = [ROOT / "Makefile", ROOT / "Dockerfile", ROOT / "crackbench.def", *(ROOT / ".github").rglob("*.yml")]
    commands = [c for path in places for c in re.split(r"\n|;", path.read_text("utf-8").replace("\\\n", " "))]
    installs = [c for c in commands if "install" in c and re.search(r"(-r|--requirement) \S*\.lock", c)]
    assert len(installs) == 4  # uv itself, with uv, with pip, and in CI without make
    assert all("--require-hashes" in command for command in installs)


def test_every_licence_is_listed_and_accepted() -> None:
    assert LICENCES.keys() == SCRIPT["versions"]().keys(), "write docs/licences.md anew: make lock"
    assert not {name: text for name, text in LICENCES.items() if REFUSED.search(text) or not ACCEPTED.search(text)}


@pytest.mark.parametrize(
    "licence", ["unknown", "AGPL-3.0-only", "GNU Affero General Public License v3", "Licence of ours"]
)
def test_other_licences_are_refused(licence: str) -> None:
    assert REFUSED.search(licence) or not ACCEPTED.search(licence)


def test_the_list_is_what_the_installed_packages_state() -> None:
    compared = 0
    for name, versions in SCRIPT["versions"]().items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if installed in versions:
            assert SCRIPT["licence"](name) == LICENCES[name], "write docs/licences.md anew: make lock"
            compared += 1
    assert compared > 20


def test_known_vulnerabilities_are_looked_up_on_a_schedule() -> None:
    content = yaml.safe_load((ROOT / ".github" / "workflows" / "audit.yml").read_text(encoding="utf-8"))
    assert content[True]["schedule"]  # YAML 1.1 reads the key `on` so
    (audit,) = [step["run"] for step in content["jobs"]["check"]["steps"] if "pip-audit --" in step.get("run", "")]
    assert "--requirement requirements.lock --require-hashes" in audit
    assert "--strict" in audit  # otherwise packages that cannot be looked up count as sound
