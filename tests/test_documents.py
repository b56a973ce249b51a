"""What README, CONTRIBUTING and docs/ name exists: commands, options, make targets, settings, files, links, modules."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import yaml
from dvc.cli import parse_args as parse_dvc

import bench
from bench import plugins
from bench.cli.main import main
from bench.formats import files
from bench.paper import audit
from bench.ranking.compare import compare
from bench.ranking.convention_tables import all_conventions
from bench.ranking.of_params import read_declared
from bench.ranking.standings import Query
from bench.settings import load_params, section
from bench.stages import download
from bench.stats.paired import smallest_p
from bench.tools.switch_protocol import TABLE
from tests.test_structure import ARROWS, FORMATS, MODULES

ROOT = Path(__file__).parents[1]
PATHS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in PATHS}
EVERY = "\n".join(TEXTS.values())
EXPERIMENTS = ROOT / "results" / "experiments"
PROGRAM = r"\b(?:bench|make|dvc) [^;#&|]+"


def snippets(text: str, language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def flow(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def calls() -> Iterator[tuple[str, str, bool]]:
    """Yield document, call and whether it is in a shell block, where it must be complete."""
    for name, text in TEXTS.items():
        for span in re.findall(r"`((?:bench|make|dvc) [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
            yield name, span.strip(), False
        for line in "\n".join(snippets(text, "sh")).splitlines():
            for call in re.findall(PROGRAM, line):
                yield name, call.strip(), True


def options(command: str) -> set[str]:
    return {name for parameter in main.commands[command].params for name in parameter.opts} | {"--help"}


@pytest.mark.parametrize(("document", "call", "complete"), sorted(set(calls())))
def test_a_command_that_is_named_exists_with_its_options(document: str, call: str, complete: bool) -> None:
    program, *words = shlex.split(call)
    if program == "make":
        targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
        assert words[0] in targets, document
    elif program == "dvc":
        targets = getattr(parse_dvc(words), "targets", None) or []
        stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
        assert set(targets) <= {*stages, "data.dvc"}, document
    elif words[0].isupper():  # `bench COMMAND --help`
        assert words[1:] == ["--help"], document
    elif words != ["--help"]:
        if words[0] == "--params":
            assert (ROOT / words[1]).is_file(), document
            words = words[2:]
        check_bench(document, *words, complete=complete)


def check_bench(document: str, name: str, *words: str, complete: bool) -> None:
    """Parse a call as the command line does; only within text may required arguments be left out."""
    command: Any = main.commands[name]
    values = ["0" if word == "S" else word for word in words if word != "--help"]
    try:
        command.make_context(name, values, parent=click.Context(main, **main.context_settings))
    except click.MissingParameter:
        assert not complete, f"{document}: bench {name} {' '.join(words)}"


def test_every_command_is_in_the_table_of_commands() -> None:
    listed = re.findall(r"(?m)^\| `bench ([\w-]+)", TEXTS["docs/commands.md"])
    assert sorted(listed) == sorted(main.commands)


def test_the_options_of_a_table_row_are_of_its_command() -> None:
    rows = re.findall(r"(?m)^\| `bench ([\w-]+)[^`]*`(.*)$", EVERY)
    assert len(rows) > len(main.commands)
    for command, rest in rows:
        own = re.sub(r"`bench [^`]*`", "", rest)  # those of other commands are checked with them
        assert set(re.findall(r"`(--[\w-]+)", own)) <= options(command), command


def test_a_file_that_is_named_exists() -> None:
    folders = ("bench", "tests", "benchmarks", "docs", "results")
    named = re.findall(rf"[`(\s]((?:{'|'.join(folders)})/[\w./]+\.\w+)", EVERY)
    added = {"bench/models/my_net.py", "bench/datasets/my_walls.py", "bench/metrics/balanced_accuracy.py"}
    made = {"results/cost/M.json"}
    assert len(named) > 20
    assert [path for path in named if path not in added | made and not (ROOT / path).exists()] == []


def test_a_module_that_is_named_exists() -> None:
    named = set(re.findall(r"\b(bench\.[a-z_.]+[a-z_])\b", EVERY)) | set(re.findall(r"`([a-z]+)/`", EVERY))
    outside = {"prepared", "runs", "reports", "results", "demo", "audit", "docs", "site"}
    added = {"bench.render.seeds"}
    known = {*MODULES, *(module.removeprefix("bench.") for module in MODULES), "page"}
    known |= {f"bench.api.{name}" for name in bench.__all__}
    assert {"bench.data.dataset", "bench.metrics.inputs", "bench.metrics.ratios"} <= named
    assert named - known - outside - added == set()


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as hosts of Markdown make them."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", TEXTS)
def test_a_link_leads_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[document]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / document).parent / path
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def test_the_settings_shown_are_settings() -> None:
    params = load_params(ROOT / "params.yaml")
    trial = TEXTS["docs/reproduce.md"]
    (block,) = snippets(EVERY, "yaml")
    shown = yaml.safe_load(block)
    assert shown.keys() <= params.keys()
    assert section(params | shown, "download", download.DownloadSettings).source == "originals"
    (dataset,) = shown["datasets"]
    original = plugins.load("datasets", dataset).ORIGINAL
    assert original.file in trial
    assert f"]({original.urls[0]})" in trial
    modules = TEXTS["docs/architecture.md"]  # dotted names there are no settings
    dotted = re.findall(r"`(\w+\.\w+)[`:]", EVERY.replace(modules, ""))
    keys = [key for key in dotted if key.split(".")[0] in params and not key.endswith(".py")]
    assert len(keys) > 15
    assert [key for key in keys if key.split(".")[1] not in params[key.split(".")[0]]] == []


def test_the_protocols_are_as_the_table_says() -> None:
    rows = re.findall(r"(?m)^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.+?) \|$", TEXTS["docs/protocols.md"])
    shown = {setting: values for setting, *values in rows}
    described = {"datasets", "models", "train.loss"}  # too long for a cell
    assert shown.keys() == TABLE.keys() - {"models"}
    for setting in shown.keys() - described:
        paper, strict, open_track = TABLE[setting]
        assert shown[setting] == [paper, strict or "as paper", open_track], setting


def test_the_shell_completes() -> None:
    from click.shell_completion import BashComplete

    (line,) = [line for line in EVERY.splitlines() if "_BENCH_COMPLETE" in line]
    assert line == 'eval "$(_BENCH_COMPLETE=bash_source bench)"'
    complete = BashComplete(main, {}, "bench", "_BENCH_COMPLETE")
    assert [item.value for item in complete.get_completions([], "lead")] == ["leaderboard"]
    assert "--dataset" in [item.value for item in complete.get_completions(["score"], "--d")]


def test_the_architecture_lists_all_folders_and_their_arrows() -> None:
    text = TEXTS["docs/architecture.md"]
    folders = {path.name for path in (ROOT / "bench").iterdir() if (path / "__init__.py").exists()}
    assert set(re.findall(r"(?m)^\| `(\w+)/` \|", text)) == folders
    single = {path.name for path in (ROOT / "bench").glob("*.py") if not path.name.startswith("_")}
    assert set(re.findall(r"`(\w+\.py)` \(", text)) == single

    def short(pattern: str) -> str:
        return pattern.removeprefix("bench.").removesuffix(".*")

    base = {short(pattern) for pattern in FORMATS}
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (.+) \|$", text.partition("## Who may import whom")[2]))
    implied = {"own", "own _*", "bench"}  # the package itself holds nothing but its docstring
    for pattern, rule in ARROWS.items():
        if short(pattern) in {"__main__", "api*", "cli", "bench", "*", "bench.*"}:
            continue
        row = rows.pop(short(pattern)).partition(";")[0]
        named = set(re.findall(r"`([\w.]+)`", row)) | (base if row.startswith("base") else set())
        assert named == {short(entry) for entry in rule} - {short(pattern), *implied}, pattern
    assert rows == {"cli": "everything"}


def test_the_overlap_of_the_data_is_what_the_audit_of_the_data_finds() -> None:
    text, readme = flow(TEXTS["docs/leakage.md"]), flow(TEXTS["README.md"])
    leakage = (EXPERIMENTS / "data_audit" / "README.md").read_text(encoding="utf-8")
    shares = {
        split: line.split("|")[4].strip()
        for split in ("random", "grouped")
        for line in leakage.splitlines()
        if line.startswith(f"| deepcrack | {split} |")
    }
    said = f"{shares['random']} % of DeepCrack's test images share a source image with a training image"
    assert f"{said}; split by source image, {shares['grouped']} %." in text
    assert said in readme
    for page in (text, readme):
        assert f"the same {plugins.load('datasets', 'cfd').CARD.images} images" in page
    assert "| cfd | forest | 118 |" in leakage
    assert "| cfd | sylvie | 118 |" in leakage


def test_the_findings_about_the_paper_are_what_its_audit_finds() -> None:
    text = flow(TEXTS["docs/paper.md"])
    gaps = audit.identities()["iou_gap"].abs()
    for page in (text, flow(TEXTS["README.md"])):
        assert f"{(gaps < 2e-4).sum()} of its {len(gaps)} rows" in page
    assert gaps.max() < 1e-3
    first = {c: (audit.winners(c)["first"] == "Context-CrackNet").sum() for c in ("miou", "recall", "precision")}
    assert (
        f"first in crack IoU on {first['miou']} of 10 datasets, in recall on {first['recall']}, in precision on "
        f"{first['precision']}."
    ) in text
    costs = {p.stem: files.read_json(p) for p in (ROOT / "results" / "cost").glob("*.json")}
    table = audit.complexity(costs).set_index("name")
    for model in ("LinkNet", "Context-CrackNet"):
        row = table.loc[model]
        assert f"{row['gflops']:.2f}" in text
        assert f"{row['gflops_here']:.2f}" in text
    rest = table.drop(index=["LinkNet", "Context-CrackNet"])
    assert (rest["gflops_here"] / rest["gflops"] - 1).abs().max() < 0.01
    ranks = next(t for t in audit.tables(costs) if t.name == "audit_ranks")
    assert "critical difference: 4.28 ranks" in " ".join(ranks.notes)
    assert "(critical difference 4.28 ranks)" in text
    alike = ranks.frame[ranks.frame["Differs by Nemenyi"] == "no"]["Model"].tolist()
    assert alike == ["UNetPlusPlus", "UNet", "LinkNet", "MANet"]
    _, second, *others = ranks.frame["Wilcoxon-Holm p"].round(3)
    assert f"does not separate it from UNet++ (p = {second}); for all others p = {others[0]}, the smallest" in text
    assert set(others) == {round(smallest_p(10, 9), 3)}


def test_the_results_of_the_open_track_are_as_the_readme_says() -> None:
    text, tables = flow(TEXTS["README.md"]), ROOT / "reports" / "tables"
    (path,) = tables.glob("leaderboard_*.csv")
    ranking = pd.read_csv(path, comment="#").set_index("Model")
    ranking = ranking[ranking["Place"].notna()]  # without the detectors that need no training
    own, first = ranking.loc["Context-CrackNet"], ranking.iloc[0]
    assert f"crack IoU of {own['Score']:.3f} and place {own['Place']:.0f} of {len(ranking)}" in text
    assert f"(95 %: places {own['Places, 95 %']})" in text
    assert f"{ranking.index[0]} is first with {first['Score']:.3f}, not distinguishable from FPN." in text
    notes = flow(path.with_suffix(".md").read_text(encoding="utf-8"))
    pairs, smallest = re.search(r"any of the (\d+) pairs \(smallest possible p: ([\d.]+)\)", notes).groups()  # type: ignore[union-attr]
    assert f"correction for the {pairs} pairs, no p can be smaller than {smallest}" in text
    moved = pd.read_csv(tables / "transfer.csv", comment="#")
    home, abroad = (f"{moved[c].min():.2f} to {moved[c].max():.2f}" for c in ("Home", "Abroad"))
    assert f"Crack IoU is {home} on the dataset" in text
    assert f"and {abroad} on the others" in text


def test_the_verdicts_on_the_open_track_are_those_of_compare() -> None:
    folder = ROOT / "results" / "open"
    text = flow((folder / "README.md").read_text(encoding="utf-8"))
    results, _ = read_declared(load_params(folder / "params.yaml"), folder)
    first, own = (
        compare(results, Query("crack_iou", "pooled"), model, None, 0.01).verdict
        for model in ("segformer", "context_cracknet")
    )
    assert first.startswith("Verdict: SegFormer is not distinguishable from FPN on 9 datasets")
    assert "Context-CrackNet is not distinguishable from SegFormer over datasets" in own
    assert "though behind it on new source images" in own
    for verdict, said in ((first, "({}, 95 % interval for 11 comparisons {} to {})"), (own, "({}, {} to {})")):
        numbers = (f"{float(x):+.3f}" for x in re.findall(r"[+-]\d\.\d{4}", verdict))
        assert said.format(*numbers) in text
    conventions = all_conventions(results, results.datasets, results.models)
    assert conventions is not None
    best = conventions.frame["First"][conventions.frame["First"] != "-"]
    count = (best == "SegFormer").sum()
    assert (
        f"Of the {len(best)} published conventions that these score files record, SegFormer is first under {count},"
        in text
    )


def test_trainings_that_differ_in_the_seed_are_told_apart_as_often_as_the_pages_say() -> None:
    measured = files.read_json(ROOT / "benchmarks" / "verdicts.json")["two_trainings_of_one_model_told_apart"]
    counts = measured["on 9 datasets"]
    said = f"in {counts['told apart']} of {counts['pairs']} cases"
    assert said in flow(TEXTS["docs/statistics.md"])
    assert said in flow((ROOT / "results" / "open" / "README.md").read_text(encoding="utf-8"))


def test_the_effect_of_thick_masks_and_of_leakage_is_as_the_pages_say() -> None:
    table = pd.read_csv(EXPERIMENTS / "leakage_effect" / "table.csv", comment="#").set_index("Condition")
    ends = table["95 % interval"].str.extract(r"(\S+) to (\S+)").astype(float)
    for condition in ("thick masks, random", "thick masks, grouped"):
        assert ends.loc[condition, 0] > 0
    for condition in ("leakage at > 0", "leakage at > 127"):
        assert ends.loc[condition, 0] < 0 < ends.loc[condition, 1]
    effect = {split: f"{table.loc[f'thick masks, {split}', 'Crack IoU']:.2f}" for split in ("random", "grouped")}
    text = flow(TEXTS["docs/paper.md"])
    assert f"by {effect['random']} (random split) to {effect['grouped']} (grouped split)" in text
    counts = files.read_json(EXPERIMENTS / "leakage_effect" / "cells.json")[0]["counts"]
    assert f"on the {sum(counts.values())} images tested" in flow(TEXTS["docs/leakage.md"])


def test_the_picture_is_of_the_run_that_its_caption_names() -> None:
    params = load_params(ROOT / "results" / "open" / "params.yaml")
    text = flow(TEXTS["README.md"])
    assert "docs/leaderboard.png" in text
    models, datasets, seeds = (len(params[key]) for key in ("models", "datasets", "seeds"))
    cells = models * datasets * seeds
    assert f"{models} models, {datasets} public datasets, {seeds} seeds, {cells} trainings" in text


def test_the_terms_of_every_dataset_are_listed() -> None:
    for name in plugins.names("datasets"):
        card = plugins.load("datasets", name).CARD
        assert f"| {card.name} | {card.licence} | {card.citation} |" in TEXTS["docs/datasets.md"]


def test_the_citation_is_that_of_the_citation_file() -> None:
    (block,) = snippets(TEXTS["README.md"], "bibtex")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = citation["references"]
    authors = [f"{a['family-names']}, {a['given-names']}" for a in paper["authors"]]
    software = [citation["title"], citation["version"], citation["license"], f"{{{citation['authors'][0]['name']}}}"]
    article = [" and ".join(authors), *(str(paper[k]) for k in ("title", "journal", "volume", "start", "year", "doi"))]
    assert sorted(re.findall(r"= \{(.*)\},?$", block, re.MULTILINE)) == sorted([*software, *article])


def test_the_badges_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"licence: {project['license']}" in (ROOT / "docs" / "licence.svg").read_text(encoding="utf-8")
    lowest = project["requires-python"].removeprefix(">=")
    assert f"python: {lowest}+" in (ROOT / "docs" / "python.svg").read_text(encoding="utf-8")
    assert f"Python {lowest} or newer" in TEXTS["README.md"]
    assert set(project["optional-dependencies"]) >= set(re.findall(r'"\.\[(\w+)\]"', TEXTS["README.md"]))


def test_the_readme_is_short() -> None:
    assert len(TEXTS["README.md"].split()) <= 640


def test_the_new_modules_of_the_changelog_exist() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("| Old module | New module |")[2]
    rows = re.findall(r"(?m)^\| (`.*) \| (.*) \|$", text.partition("\n### ")[0])
    assert len(rows) > 10
    for _, new in rows:
        folder = ""
        for name in re.findall(r"`([\w/*]+)`", new):
            folder, module = name.rpartition("/")[::2] if "/" in name else (folder, name)
            path = ROOT / "bench" / folder / module.strip("*")
            assert path.is_dir() or path.with_suffix(".py").is_file(), name
