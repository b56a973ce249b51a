"""Plug-ins: a name is a file, or an entry point of an installed package."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import plugins
from bench.errors import UserError
from bench.settings import name_list

BENCH = Path(plugins.__file__).parent
KINDS = ("datasets", "models", "metrics")

Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that installs a package of one module: kind, name of the plug-in, source of the module."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def install(kind: str, name: str, source: str) -> None:
        module = f"crackbench_test_{kind}_{name}"
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[bench.{kind}]\n{name} = {module}\n")
        importlib.invalidate_caches()

    yield install
    for module in set(sys.modules) - before:
        if module.startswith("crackbench_test_"):
            del sys.modules[module]


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_the_files_of_the_folder(kind: str) -> None:
    files = {path.stem for path in (BENCH / kind).glob("[!_]*.py")} - plugins.HELPERS.get(kind, set())
    assert set(plugins.names(kind)) >= files
    assert not plugins.HELPERS.get(kind, set()) & set(plugins.names(kind))
    assert plugins.names(kind) == sorted(plugins.names(kind))
    assert not [name for name in plugins.names(kind) if name.startswith("_")]


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_loads_its_file(kind: str) -> None:
    for path in (BENCH / kind).glob("[!_]*.py"):
        if path.stem not in plugins.HELPERS.get(kind, set()):
            assert plugins.load(kind, path.stem).__file__ == str(path)


@pytest.mark.parametrize(
    ("kind", "name", "start"),
    [
        ("datasets", "deepcrak", "unknown dataset 'deepcrak'; did you mean 'deepcrack'? Valid names: "),
        ("models", "unett", "unknown model 'unett'; did you mean 'unet'? Valid names: "),
        ("metrics", "dise", "unknown metric 'dise'; did you mean 'dice'? Valid names: "),
        ("models", "zzz", "unknown model 'zzz'. Valid names: "),
        ("models", "_smp", "unknown model '_smp'"),
        ("models", "../errors", "unknown model '../errors'"),
        ("datasets", "", "unknown dataset ''"),
    ],
)
def test_an_unknown_name_lists_the_valid_ones(kind: str, name: str, start: str) -> None:
    with pytest.raises(UserError) as caught:
        plugins.load(kind, name)
    assert str(caught.value).startswith(start)
    assert str(caught.value).endswith(f"Valid names: {', '.join(plugins.names(kind))}.")


@pytest.mark.parametrize("kind", KINDS)
def test_an_installed_package_offers_one(install: Install, kind: str) -> None:
    install(kind, "my_own", "NAME = 'My own'\n")
    assert "my_own" in plugins.names(kind)
    assert plugins.load(kind, "my_own").NAME == "My own"
    assert name_list({kind: ["my_own"]}, kind, plugins.names(kind)) == ["my_own"]


def test_an_entry_point_counts_for_its_own_kind_only(install: Install) -> None:
    install("models", "my_own", "NAME = 'My own'\n")
    assert "my_own" not in plugins.names("datasets")
    with pytest.raises(UserError, match="unknown dataset 'my_own'"):
        plugins.load("datasets", "my_own")


def test_an_error_inside_a_plug_in_is_not_hidden(install: Install) -> None:
    install("models", "my_own", "import a_module_that_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        plugins.load("models", "my_own")
