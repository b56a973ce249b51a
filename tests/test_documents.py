"""What README and CONTRIBUTING name exists: commands, their options, make targets, settings, files."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from bench import plugins
from bench.cli.main import main
from bench.formats import files
from bench.paper import audit, published
from bench.settings import load_params, section
from bench.stages import download
from bench.stats.paired import smallest_p

ROOT = Path(__file__).parents[1]
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")}


def snippets(text: str, language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> Iterator[str]:
    """Yield every `bench ...` and `make ...` of code spans and shell blocks."""
    spans = re.findall(r"`((?:bench|make) [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in [*spans, *(line for block in snippets(text, "sh") for line in block.splitlines())]:
        yield from re.findall(r"\b(?:bench|make) [^;#&|]+", line)


CALLS = sorted({(name, call.strip()) for name, text in TEXTS.items() for call in commands(text)})


@pytest.mark.parametrize(("document", "call"), CALLS)
def test_a_command_that_is_named_exists_with_its_options(document: str, call: str) -> None:
    program, *words = shlex.split(call)
    if program == "make":
        targets = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
        assert words[0] in targets, document
        return
    options = [word for word in words if word.startswith("--")]
    words = [word for word in words if not word.startswith("--")]
    if words[0].isupper():  # `bench COMMAND --help`
        return
    command: Any = main.commands[words[0]]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert set(options) <= known, document


def test_a_file_that_is_named_exists() -> None:
    folders = ("bench", "tests", "benchmarks", "docs", "results")
    named = re.findall(rf"[`(]((?:{'|'.join(folders)})/[\w./]+\.\w+)", "\n".join(TEXTS.values()))
    added = {"bench/models/my_net.py", "bench/datasets/my_walls.py", "bench/metrics/balanced_accuracy.py"}
    lacking = [path for path in named if path not in added and not (ROOT / path).exists()]
    assert named
    assert not lacking


def test_the_settings_shown_are_settings() -> None:
    params = load_params(ROOT / "params.yaml")
    (block,) = snippets(TEXTS["README.md"], "yaml")
    shown = yaml.safe_load(block)
    assert shown.keys() <= params.keys()
    assert section(params | shown, "download", download.DownloadSettings).source == "originals"
    (dataset,) = shown["datasets"]
    original = plugins.load("datasets", dataset).ORIGINAL
    assert original.file in TEXTS["README.md"]
    assert f"]({original.urls[0]})" in TEXTS["README.md"]
    keys = [key for key in re.findall(r"`(\w+\.\w+)[`:]", TEXTS["README.md"]) if key.split(".")[0] in params]
    assert len(keys) > 8
    assert [key for key in keys if key.split(".")[1] not in params[key.split(".")[0]]] == []


def test_the_shell_completes() -> None:
    from click.shell_completion import BashComplete

    (line,) = [line for line in TEXTS["README.md"].splitlines() if "_BENCH_COMPLETE" in line]
    assert '"$(_BENCH_COMPLETE=bash_source bench)"' in line
    complete = BashComplete(main, {}, "bench", "_BENCH_COMPLETE")
    assert [item.value for item in complete.get_completions([], "lead")] == ["leaderboard"]
    assert "--dataset" in [item.value for item in complete.get_completions(["score"], "--d")]


def test_what_the_readme_says_of_the_paper_is_what_the_audit_finds() -> None:
    text = " ".join(TEXTS["README.md"].partition("## What it found about the paper")[2].partition("\n## ")[0].split())
    leakage = (ROOT / "results" / "experiments" / "data_audit" / "README.md").read_text(encoding="utf-8")
    shared = [line.split("|")[4].strip() for line in leakage.splitlines() if line.startswith("| deepcrack | random |")]
    assert [f"{share} % of DeepCrack's test images" in text for share in shared] == [True]
    gaps = audit.identities()["iou_gap"].abs()
    assert f"{(gaps < 2e-4).sum()} of its {len(gaps)} rows" in text
    assert gaps.max() < 1e-3
    first = {c: (audit.winners(c)["first"] == "Context-CrackNet").sum() for c in ("miou", "recall", "precision")}
    assert (
        f"first in crack IoU on {first['miou']} of 10 datasets, in recall on {first['recall']}, in precision on "
        f"{first['precision']}."
    ) in text
    costs = {p.stem: files.read_json(p) for p in (ROOT / "results" / "cost").glob("*.json")}
    table = audit.complexity(costs).set_index("printed")
    for model in ("LinkNet", "Context-CrackNet"):
        row = table.loc[model]
        assert f"{row['gflops']:.2f}" in text
        assert f"{row['gflops_here']:.2f}" in text
    rest = table.drop(index=["LinkNet", "Context-CrackNet"])
    assert (rest["gflops_here"] / rest["gflops"] - 1).abs().max() < 0.01
    ranks = next(t for t in audit.tables(costs) if t.name == "audit_ranks")
    assert "critical difference: 4.28 ranks" in " ".join(ranks.notes)
    alike = ranks.frame[ranks.frame["Differs by Nemenyi"] == "no"]["Model"].tolist()
    assert alike == ["UnetPlusPlus", "Unet", "Linknet", "MAnet"]
    first, second, *others = ranks.frame["Wilcoxon-Holm p"].round(3)
    assert f"from UNet++ alone (p = {second}; of all others p = {others[0]}, the smallest there can be)" in text
    assert set(others) == {round(smallest_p(10, 9), 3)}


def test_the_terms_of_every_dataset_are_listed() -> None:
    for name in published("table_1")["dataset"]:
        card = plugins.load("datasets", name).CARD
        assert f"| {card.name} | {card.licence} | {card.citation} |" in TEXTS["README.md"]


def test_the_effect_of_thick_masks_and_of_leakage_is_as_the_readme_says() -> None:
    table = pd.read_csv(ROOT / "results" / "experiments" / "leakage_effect" / "table.csv", comment="#")
    ends = table.set_index("Condition")["95 % interval"].str.extract(r"(\S+) to (\S+)").astype(float)
    for condition in ("thick masks, random", "thick masks, grouped"):
        assert ends.loc[condition, 0] > 0
    for condition in ("leakage at > 0", "leakage at > 127"):
        assert ends.loc[condition, 0] < 0 < ends.loc[condition, 1]
