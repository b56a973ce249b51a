"""The house rules that a machine can check: who imports whom, stages = dvc.yaml = commands, dependencies, sizes."""

import ast
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names

import pytest
import yaml

from bench import plugins
from bench.cli.main import main
from bench.formats.protocol import MACHINE_ONLY

ROOT = Path(__file__).parents[1]
FILES = sorted(str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in (ROOT / "bench").rglob("*.py"))
MODULES = [name.removesuffix(".__init__") for name in FILES]
STAGES = sorted(name.rpartition(".")[2] for name in MODULES if fnmatch(name, "bench.stages.[!_]*"))
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

# Who may import whom, from the top of the house down. Left: modules; right: what of the package they may import, beside
# their own folder where "own" stands. The first line that fits counts.
GROUND = ["bench.errors", "bench.metrics.*", "bench.stats.*", "bench.render.*", "bench.sample.*"]
SINGLE = ["bench.plugins", "bench.settings", "bench.signals", "bench.machine", "bench.paper"]
FORMATS = [*GROUND, *SINGLE, "bench.formats.*"]
MIDDLE = [*FORMATS, "bench.training.*", "bench.data.*", "bench.ranking.*", "bench.paper.*"]
STAGE = [*MIDDLE, "bench", "bench.report.*"]
ARROWS = {
    "bench.__main__": ["bench.cli.main"],
    "bench.api*": ["bench", "bench.*"],
    "bench.cli.*": ["bench", "bench.*"],
    "bench.tools.*": ["own", *STAGE, "bench.stages.*", "bench.sweep.*"],
    "bench.audit.*": ["own", *FORMATS, "bench.data.*", "bench.stages.prepare"],
    "bench.stages.*": STAGE,  # never another stage
    "bench.report.*": ["own", *MIDDLE],
    "bench.sweep.*": ["own", *FORMATS, "bench"],
    "bench.datasets.*": ["bench.data.*", "bench.errors"],  # never another dataset
    "bench.training.*": ["own", *FORMATS, "bench"],
    "bench.data.*": ["own", *FORMATS],
    "bench.ranking.*": ["own", *FORMATS, "bench.paper.*"],
    "bench.paper.*": ["bench.errors", "bench.plugins", "bench.paper", "bench.stats.*", "bench.render.*"],
    "bench.formats.*": ["own", "bench.errors", "bench.render.csv_cells"],
    "bench.models.*": [
        "own _*",
        "bench.models.packaged",
        "bench.models.smp",
        "bench.models.weights",
        "bench.errors",
        "bench.formats.files",
    ],
    "bench.plugins": ["bench.errors"],
    "bench.settings": ["bench.errors", "bench.strict_yaml"],
    "bench.strict_yaml": ["bench.errors"],
    "bench.metrics.*": ["own"],
    "bench.stats.*": ["own"],
    "bench.render.*": ["own"],
    "bench.sample.*": ["own"],
    "bench.*": [],
    "bench": [],
}


# What decides no number: a change must not compute anything again.
EXEMPT = {"bench", "bench.errors", "bench.plugins", "bench.signals"}


def path_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


def is_package(module: str) -> bool:
    return path_of(module).name == "__init__.py"


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those under ``if TYPE_CHECKING``, which never run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield from statements(other)
            continue
        yield child
        yield from statements(child)


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports, at its top or within functions."""
    found = set()
    for node in statements(ast.parse(path_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full, not relative"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return frozenset(name for name in found if name == "bench" or name.startswith("bench."))


@cache
def closure(module: str) -> frozenset[str]:
    """Return all modules of the package that are loaded with a module, itself included; tools are not looked into."""
    seen, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += imports(name)
    return frozenset(seen)


@cache
def data_files(module: str) -> frozenset[str]:
    """Return the data files below a module's folder that it names, in full or, as in f"{name}.csv", by their suffix."""
    texts = {
        node.value
        for node in ast.walk(ast.parse(path_of(module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    folder = path_of(module).parent
    inside = folder.glob("*.*") if folder == ROOT / "bench" else folder.rglob("*.*")
    below = [path for path in inside if path.suffix not in (".py", ".pyc")]
    found = [path for path in below if {path.name, *path.suffixes, "".join(path.suffixes)} & texts]
    return frozenset(str(path.relative_to(ROOT)) for path in found)


def allowed(module: str, imported: str) -> bool:
    folder = module if is_package(module) else module.rpartition(".")[0]
    rule = next(rule for pattern, rule in ARROWS.items() if fnmatch(module, pattern))
    patterns = [entry.replace("own _*", f"{folder}._*").replace("own", f"{folder}.*") for entry in rule]
    return any(fnmatch(imported, pattern) for pattern in patterns)


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 60
    assert "bench.formats.files" in imports("bench.stages.prepare")
    assert "bench.stats.paired" in closure("bench.stages.report")
    assert "bench.stages.train" not in imports("bench.training.loop")  # for annotations only
    assert data_files("bench.data.index") == {"bench/data/index.csv.gz"}
    assert "bench/paper/table_1.csv" in data_files("bench.paper")
    assert "bench/render/page/page.html" in data_files("bench.render.page")
    assert not allowed("bench.stages.report", "bench.stages.train")
    assert not allowed("bench.metrics.dice", "bench.formats.files")
    assert not allowed("bench.sweep.sweep", "bench.stages.train")
    assert not allowed("bench.audit.audit_datasets", "bench.ranking.results")
    assert not allowed("bench.datasets.cfd", "bench.datasets.forest")
    assert allowed("bench.datasets.cfd", "bench.data.crackforest")


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module: str) -> None:
    wrong = sorted(name for name in imports(module) if not allowed(module, name))
    assert not wrong, f"{path_of(module).relative_to(ROOT)} must not import {', '.join(wrong)}"


@pytest.mark.parametrize("module", MODULES)
def test_each_file_is_short_and_says_its_responsibility_in_one_line(module: str) -> None:
    path = path_of(module)
    text = path.read_text(encoding="utf-8")
    lines = (ast.get_docstring(ast.parse(text)) or "").splitlines()
    name = path.relative_to(ROOT)
    assert lines, f"{name}: begin with a docstring of one line"
    assert lines[0].endswith((".", ":")), f"{name}: the docstring's first line is a sentence: {lines[0]!r}"
    assert len(lines) == 1 or not lines[1], f"{name}: one line, then a blank one"
    assert text.count("\n") <= 250, f"{name}: {text.count(chr(10))} lines, 250 at most"


# Modules that still lack a test file of their own name; this list may only become shorter.
WITHOUT_TESTS: set[str] = set()


def lacks_tests(module: str) -> bool:
    """Return whether a module has no tests/<same folder>/test_<same name>.py; plug-ins have the contract tests."""
    folders, _, name = module.removeprefix("bench.").rpartition(".")
    is_plugin = folders in ("datasets", "models", "metrics") and name in plugins.names(folders)
    if is_package(module) or name == "__main__" or is_plugin:
        return False
    return not (ROOT / "tests" / folders.replace(".", "/") / f"test_{name.lstrip('_')}.py").exists()


def test_every_module_has_a_test_file_of_its_name() -> None:
    lacking = {module for module in MODULES if lacks_tests(module)}
    assert not lacking - WITHOUT_TESTS, f"write tests/<folder>/test_<name>.py for {sorted(lacking - WITHOUT_TESTS)}"
    assert not WITHOUT_TESTS - lacking, f"no longer without tests: {sorted(WITHOUT_TESTS - lacking)}"


def test_folders_are_at_most_two_deep() -> None:
    assert [name for name in MODULES if name.count(".") > 2] == []


def test_stages_are_files_are_commands() -> None:
    assert sorted(PIPELINE) == STAGES
    assert list(PIPELINE) == list(main.commands)[: len(PIPELINE)]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_of_dvc_yaml_calls_its_own_command_with_its_own_section(stage: str) -> None:
    assert PIPELINE[stage]["cmd"].split()[:2] == ["bench", stage]
    assert {key.partition(".")[0] for key in PIPELINE[stage]["params"]} & {stage}
    assert hasattr(import_module(f"bench.stages.{stage}"), f"{stage.capitalize()}Settings")


def test_training_is_stale_when_its_protocol_changes_and_not_when_the_machine_does() -> None:
    keys = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["train"]
    assert PIPELINE["train"]["params"] == [f"train.{key}" for key in keys if key not in MACHINE_ONLY]


def covers(dependency: str, path: str) -> bool:
    """Return whether a dependency of dvc.yaml is a file, or a folder above it; ${item.x} is any plug-in."""
    if "${item." in dependency:
        kind = dependency.split("/")[1]
        return path in {f"bench/{kind}/{name}.py" for name in plugins.names(kind)}
    return path == dependency or path.startswith(f"{dependency}/")


def plugin_closure(dependencies: list[str]) -> set[str]:
    """Return the modules that plug-ins chosen by name bring along, themselves left out."""
    found: set[str] = set()
    for kind in ("datasets", "models", "metrics"):
        if any(d == f"bench/{kind}" or d.startswith(f"bench/{kind}/${{item.") for d in dependencies):
            chosen = {f"bench.{kind}.{name}" for name in plugins.names(kind)}
            found |= {other for name in chosen for other in closure(name)} - chosen
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_yaml_lists_all_that_a_stage_imports_and_reads_beside_its_code(stage: str) -> None:
    dependencies = [d for d in PIPELINE[stage]["deps"] if d.startswith("bench/")]
    needed = closure(f"bench.stages.{stage}") | plugin_closure(dependencies)
    paths = {str(path_of(name).relative_to(ROOT)) for name in needed if name not in EXEMPT}
    paths = {path for path in paths if Path(path).name != "__init__.py" or path == "bench/paper/__init__.py"}
    paths |= {path for name in needed for path in data_files(name)}
    lacking = sorted(path for path in paths if not any(covers(d, path) for d in dependencies))
    assert not lacking, f"dvc.yaml: the stage {stage} lacks the dependencies {', '.join(lacking)}"


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_yaml_lists_nothing_that_a_stage_does_not_import(stage: str) -> None:
    """An unused dependency makes everything run again for nothing."""
    dependencies = [d for d in PIPELINE[stage]["deps"] if d.startswith("bench/")]
    for dependency in dependencies:
        assert "${item." in dependency or (ROOT / dependency).exists(), f"dvc.yaml: {stage}: {dependency} is missing"
    needed = closure(f"bench.stages.{stage}") | plugin_closure(dependencies)
    paths = {str(path_of(name).relative_to(ROOT)) for name in needed}
    idle = [d for d in dependencies if d.endswith(".py") and "${item." not in d and d not in paths]
    assert not idle, f"dvc.yaml: the stage {stage} does not import {', '.join(idle)}"


# Calls that run what a file or a person wrote, and the words that make them harmless. The one pickle is not in this
# code: submitit pickles its own job files in .sweep/jobs, written and read by the same person's processes.
DANGEROUS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads", "torch.load",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "joblib.load", "pd.read_pickle", "shelve.open", "marshal.loads",
    "np.load", "loadmat",
}  # fmt: skip
HARMLESS = {"torch.load": "weights_only=True", "np.load": "allow_pickle=False", "loadmat": ""}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_runs_what_a_file_holds(module: str) -> None:
    for node in ast.walk(ast.parse(path_of(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            assert not {"pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"} & set(names), module
        if isinstance(node, ast.Call):
            name, words = ast.unparse(node.func), [ast.unparse(word) for word in node.keywords]
            assert "shell=True" not in words, f"{module} line {node.lineno}: give a list of words, no shell"
            if name in DANGEROUS:
                assert HARMLESS.get(name, "-") in ["", *words], f"{module} line {node.lineno}: {ast.unparse(node)}"


def test_plug_in_folders_have_no_registry() -> None:
    for kind in ("datasets", "models", "metrics"):
        assert not imports(f"bench.{kind}"), f"bench/{kind}/__init__.py must not import its plug-ins"


def test_nothing_is_imported_that_is_not_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(r for extra in ("train", "onnx", "coco", "tensorboard") for r in project["optional-dependencies"][extra]),
    ]
    names = {_normal(requirement) for requirement in declared}
    offered = packages_distributions()
    for module in MODULES:
        for node in statements(ast.parse(path_of(module).read_text(encoding="utf-8"))):
            tops = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            tops += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for top in {name.partition(".")[0] for name in tops} - stdlib_module_names - {"bench"}:
                found = {_normal(name) for name in offered.get(top, [top])}
                assert found & names, f"{module} imports {top}, which pyproject.toml does not declare"


def _normal(requirement: str) -> str:
    name = requirement
    for sign in "><=!~[; ":
        name = name.partition(sign)[0]
    return name.strip().lower().replace("_", "-").replace(".", "-")
