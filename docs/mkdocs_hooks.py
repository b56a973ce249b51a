"""Pages of the site that are made from the code or lie elsewhere in the repository; MkDocs calls the functions on_*."""

import posixpath
import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
import griffe
import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from bench import plugins
from bench.cli.main import main
from bench.ranking.definitions import explanation

ROOT = Path(__file__).resolve().parents[1]

ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "results/benchmarks.md",
    "results/open/README.md": "results/open.md",
    **{
        f"results/experiments/{name}/README.md": f"results/{name}.md"
        for name in ("data_audit", "leakage_effect", "cpu_128px")
    },
    "docs/notebook.ipynb": "notebook.md",
    "reports/README.md": "report/index.html",
    "reports/index.html": "report/index.html",
}
"""File in the repository -> its place on the site."""

SECTIONS = {
    "download": ["stages.download.DownloadSettings"],
    "prepare": ["stages.prepare.PrepareSettings"],
    "train": ["training.settings.TrainSettings", "training.settings.AugmentSettings", "training.settings.LossSettings"],
    "evaluate": ["stages.evaluate.EvaluateSettings"],
    "transfer": ["stages.transfer.TransferSettings"],
    "measure": ["stages.measure.MeasureSettings"],
    "report": ["report.settings.ReportSettings"],
}
"""Section of params.yaml -> its dataclasses."""

FORMATS = (
    "prepared", "run", "predictions", "scores", "class_scores", "transfer", "cost", "split", "protocol", "checkpoint",
    "entry", "failure", "lock", "files", "atomic",
)  # fmt: skip


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages made here."""
    made = {"options.md": options(), "metrics.md": metrics(), "settings.md": settings(), "formats.md": formats()}
    made["notebook.md"] = notebook(ROOT / "docs" / "notebook.ipynb")
    texts = {place: (ROOT / path).read_text(encoding="utf-8") for path, place in ELSEWHERE.items() if path not in OTHER}
    for place, text in (made | texts).items():
        files.append(File.generated(config, place, content=text))
    files.append(File.generated(config, "report/index.html", abs_src_path=str(ROOT / "reports" / "index.html")))
    return files


OTHER = ("docs/notebook.ipynb", "reports/README.md", "reports/index.html")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page whose links lead to pages of the site; files that are not on the site become plain text."""
    place = page.file.src_uri
    source = next((path for path, other in ELSEWHERE.items() if other == place), f"docs/{place}")

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found.group(1), found.group(2), found.group(3) or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        there = ELSEWHERE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
        if there is None or files.get_file_from_path(there) is None:
            return text
        return f"[{text}]({posixpath.relpath(there, posixpath.dirname(place) or '.')}{anchor})"

    return re.sub(r"\[((?:!\[[^]]*\]\([^)]*\)|[^]\[])*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)", link, markdown)


def options() -> str:
    """Return every command with its arguments and options, as `bench COMMAND --help` describes them."""
    lines = ["# All options", "", "Made from the commands themselves; `bench COMMAND --help` prints the same."]
    for topic, names in main.topics.items():
        lines += ["", f"## {topic}"]
        for name in names:
            lines += ["", f"### bench {name}", "", *_command(main.commands[name], name)]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=f"bench {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (cleandoc(command.help or ""), "", f"```text\nbench {name} {usage}\n```", "")
    yield from ("| Option | Meaning |", "|---|---|")
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option):
            yield "| `{}` | {} |".format(*(part.replace("|", "\\|") for part in record))


def metrics() -> str:
    """Return every metric as `bench explain` prints it."""
    lines = ["# Metrics", "", "Made from the files in `bench/metrics`; `bench explain METRIC` prints the same."]
    for name in sorted(plugins.names("metrics"), key=lambda n: plugins.title("metrics", n).lower()):
        title, _, text = explanation(name).partition("\n")
        lines += ["", f"## {title}", _fenced(text)]
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> str:
    """Return a docstring whose examples are blocks of code."""
    return re.sub(r"(?m)(^>>> .*\n(?:^.+\n?)*)", lambda found: f"```pycon\n{found.group(1).rstrip()}\n```\n", text)


class Fences(griffe.Extension):
    """Show the examples of docstrings as code."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence the examples of one docstring."""
        if obj.docstring:
            obj.docstring.value = _fenced(obj.docstring.value)


def settings() -> str:
    """Return params.yaml section by section, each with the dataclass that it becomes."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    head, *sections = re.split(r"(?m)^(?=[a-z]+:(?:\s*#.*)?$)", text)
    lines = ["# Settings", "", "All settings are in `params.yaml`. These are the ones of the paper's protocol.", ""]
    lines += [f"```yaml\n{head.strip()}\n```"]
    for part in sections:
        name = part.partition(":")[0]
        lines += ["", f"## {name}", "", f"```yaml\n{part.strip()}\n```", ""]
        for path in SECTIONS.get(name, ()):
            lines += [f"::: bench.{path}", "    options: {members: false, heading_level: 3}", ""]
    return "\n".join(lines) + "\n"


def formats() -> str:
    """Return what each file between two stages contains."""
    lines = ["# File formats", "", "What one stage writes and the next reads; one module of `bench/formats` each."]
    for name in FORMATS:
        lines += ["", f"## {name}", "", f"::: bench.formats.{name}"]
        lines += ["    options: {show_root_heading: false, show_root_toc_entry: false, heading_level: 3}"]
    return "\n".join(lines) + "\n"


def notebook(path: Path) -> str:
    """Return a notebook with its stored outputs as Markdown."""
    parts = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        parts += [_output(output) for output in cell.outputs]
    return "\n\n".join(parts) + "\n"


def _output(output: Any) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        return f"![Figure](data:image/png;base64,{data['image/png'].strip()})"
    if "text/html" in data:
        return re.sub(
            r'(?s)<style.*?</style>| border="1"| class="dataframe"| style="[^"]*"|\n\s*', "", data["text/html"]
        )
    return f"```text\n{output.get('text') or data['text/plain']}\n```"
