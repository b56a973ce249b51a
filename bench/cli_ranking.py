"""The commands that answer where a model stands: explain, metrics, check, leaderboard, compare, score, audit-paper."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.errors import UserError, instead_of

if TYPE_CHECKING:
    from bench.render.tables import Table
    from bench.results import Results
    from bench.standings import Question

RESULTS = click.option(
    "--results", default="results", show_default=True, type=click.Path(path_type=Path, file_okay=False),
    help="Read results from here.",
)  # fmt: skip
PREPARED = click.option(
    "--prepared", default="prepared", show_default=True, type=click.Path(path_type=Path), help="Data are here."
)
FORMAT = click.option(
    "--format", "form", default="text", show_default=True, type=click.Choice(["text", "markdown", "csv", "json"]),
    help="Print as this.",
)  # fmt: skip


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what is compared."""
    options = (
        click.option("--metric", default="crack_iou", show_default=True, help="Compare by this metric."),
        click.option("--average", help="Average it so: pooled, image_mean, batch_mean.  [default: report.headline]"),
        click.option(
            "--resamples", default=10_000, show_default=True, type=click.IntRange(100), help="Of the bootstrap."
        ),
        click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the bootstrap."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("metric")
def explain(metric: str) -> None:
    """Say what METRIC is: formula, range, direction, empty case, source."""
    from bench.definitions import explanation

    click.echo(explanation(metric))


@click.command()
@click.argument("model")
@click.option("--dataset", required=True, help="Name of the dataset.")
@RESULTS
@FORMAT
@click.pass_context
def metrics(context: click.Context, model: str, dataset: str, results: Path, form: str) -> None:
    """Show MODEL on one dataset under every metric and every average."""
    from bench.definitions import definitions

    found = _read(context, results)
    _print([definitions(found, model, dataset)], form, found.is_sample)


@click.command()
@RESULTS
@click.option("--reports", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="The report on them.  [default: within or beside]")  # fmt: skip
@click.pass_context
def check(context: click.Context, results: Path, reports: Path | None) -> None:
    """Check that the results are complete and consistent; exit with 1 if not."""
    from bench import check as tool

    within = results / "reports"
    reports = reports or (within if within.is_dir() else results.parent / "reports")
    found = _read(context, results, mixed=True)
    failures = tool.findings(found, reports / "summary.csv")
    for failure in failures:
        click.echo(f"FAIL  {failure}")
    for note in tool.notes(found, reports / "summary.csv"):
        click.echo(f"note  {note}")
    click.echo(f"{len(found.cells)} cells checked: {len(failures)} findings.")
    context.exit(1 if failures else 0)


@click.command()
@click.option("--dataset", "datasets", multiple=True, help="Only this dataset; may be given several times.")
@click.option("--rank-published", is_flag=True, help="Rank the paper's rows among the others.")
@_asked
@RESULTS
@FORMAT
@click.pass_context
def leaderboard(
    context: click.Context, /, datasets: tuple[str, ...], rank_published: bool, results: Path, form: str, **asked: Any
) -> None:
    """Print the ranking with intervals, range of places, parameters and latency."""
    from bench.leaderboard import leaderboards

    found = _read(context, results)
    chosen = _chosen(found, datasets)
    tables = leaderboards(found, _question(context, **asked), chosen, rank_published)
    if not tables:
        raise UserError("no model has a value on all of these datasets: choose another --metric or --dataset.")
    _print(tables, form, found.is_sample)


@click.command()
@click.argument("model")
@click.option("--against", help="Compare with this model.  [default: the best other one]")
@click.option("--rope", default=0.01, show_default=True, type=click.FloatRange(0, min_open=True),
              help="Differences below this count as equal.")  # fmt: skip
@_asked
@RESULTS
@FORMAT
@click.pass_context
def compare(
    context: click.Context, /, model: str, against: str | None, rope: float, results: Path, form: str, **asked: Any
) -> None:
    """Say where MODEL stands: differences with intervals, tests, places, cost, and a verdict."""
    from bench import compare as tool

    read = _read(context, results)
    found = tool.compare(read, _question(context, **asked), model, against, rope)
    _print(found.tables, form, read.is_sample)
    click.echo(f"\n{found.verdict}", err=form in ("csv", "json"))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--dataset", required=True, help="Name of the dataset.")
@click.option("--model", required=True, help="Name to score it under.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Number of the repetition.")
@PREPARED
@RESULTS
@click.pass_context
def score(
    context: click.Context, folder: Path, dataset: str, model: str, seed: int, prepared: Path, results: Path
) -> None:
    """Score the masks or probability maps in FOLDER, from any framework, as MODEL.

    The files are PNG or NPY, named after the test items. By scoring you declare that the model followed the protocol
    of params.yaml; every ranking marks it as trained elsewhere.
    """
    from bench import plugins
    from bench import score as tool
    from bench.learning.settings import Settings
    from bench.settings import load_params, section
    from bench.stages import evaluate

    params = load_params(context.obj)
    own = plugins.names("models")
    taken = {name.lower() for name in (*own, *(plugins.load("models", m).NAME for m in own))}
    if not model.replace("-", "_").isidentifier() or model.lower() in taken:
        raise UserError(f"--model {model}: choose a name of letters, digits and _ that no model of this suite has.")
    plugins.load("datasets", dataset)
    batch, train = section(params, "evaluate", evaluate.Settings).batch, section(params, "train", Settings)
    click.echo(tool.run(folder, prepared / dataset, results, model, seed, train, batch))


@click.command("audit-paper")
@RESULTS
@FORMAT
def audit_paper(results: Path, form: str) -> None:
    """Say what the paper's own tables show: identities, winners, ranks, Table 7 against measured."""
    from bench import paper_audit, plugins
    from bench.formats import cost

    names = plugins.names("models")
    costs = {m: cost.read(path) for m in names if (path := results / "cost" / f"{m}.json").is_file()}
    _print(paper_audit.tables(costs), form)


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--dataset", help="Predict the test items of this dataset, for `bench score`.")
@click.option("--images", type=click.Path(path_type=Path, file_okay=False), help="Segment the photographs in here.")
@click.option("--out", default="predictions", show_default=True, type=click.Path(path_type=Path), help="Write here.")
@PREPARED
@click.option("--output", default="logits", show_default=True, type=click.Choice(["logits", "probabilities"]),
              help="What an .onnx or .pt2 file returns.")  # fmt: skip
@click.option("--tile", type=click.IntRange(32), help="Side of a tile, px.  [default: the model's image size]")
@click.option("--overlap", default=0.25, show_default=True, type=click.FloatRange(0, 0.9), help="Share of a tile.")
def predict(
    source: Path, dataset: str | None, images: Path | None, out: Path, prepared: Path, output: str, tile: int | None,
    overlap: float,
) -> None:  # fmt: skip
    """Predict with SOURCE: the folder of a run, an .onnx file or a torch.export file (.pt2).

    A file takes RGB images normalised as ImageNet's, float32 (1, 3, H, W), and returns (1, 1, H, W), or (1, C, H, W)
    of C classes, the first of which is background.
    """
    from bench import predict as tool

    if (dataset is None) == (images is None):
        raise UserError("say either --dataset D (its test items) or --images FOLDER (photographs of any size).")
    is_logits = output == "logits"
    if dataset is not None:
        click.echo(tool.on_dataset(source, prepared / dataset, out, is_logits))
    elif images is not None:
        click.echo(tool.on_photographs(source, images, out, is_logits, tile, overlap))


def _chosen(results: "Results", datasets: Sequence[str]) -> list[str]:
    """Return the datasets asked for, all if none is."""
    unknown = [d for d in datasets if d not in results.datasets]
    if unknown:
        raise UserError(f"no dataset {unknown[0]!r} in params.yaml{instead_of(unknown[0], results.datasets)}")
    return list(dict.fromkeys(datasets)) or results.datasets


def _read(context: click.Context, folder: Path, mixed: bool = False) -> "Results":
    """Return the results of the declared cells, and of all models from elsewhere that fit them or are to be checked."""
    from bench import plugins
    from bench.results import external_models, read, refused, without
    from bench.settings import load_params, name_list, seed_list

    params = load_params(context.obj)
    datasets, models = (name_list(params, kind, plugins.names(kind)) for kind in ("datasets", "models"))
    external = [m for m in external_models(folder) if m not in models]
    found = read(folder, datasets, models, seed_list(params), external, mixed)
    left_out = {} if mixed else refused(found)
    for model, why in sorted(left_out.items()):
        click.echo(f"Left out: {model} {why}.", err=True)
    return without(found, left_out)


def _question(context: click.Context, metric: str, average: str | None, resamples: int, seed: int) -> "Question":
    """Return what is compared; the average is that of the report where it is defined, unless one is asked for."""
    from bench import plugins
    from bench.settings import load_params, section
    from bench.standings import Question, Settings

    headline = section(load_params(context.obj), "report", Settings).headline
    defined = plugins.load("metrics", metric).INPUT.averages
    return Question(metric, average or (headline if headline in defined else defined[0]), resamples, seed)


def _print(tables: "Sequence[Table]", form: str, is_sample: bool = False) -> None:
    """Print tables in a form; whether they are of synthetic data stands in each."""
    from bench.render import text
    from bench.results import SAMPLE_WARNING

    marks = (SAMPLE_WARNING, "sample") if is_sample else ("", "")
    click.echo(text.together(tables, form, *marks), nl=False)


COMMANDS = (explain, metrics, check, leaderboard, compare, score, audit_paper, predict)
