"""The commands that read results or documentation: conventions, check, leaderboard, compare, audit-paper, explain."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.options import DATASET, FOLDER, FORMAT, RESULTS, read_section

if TYPE_CHECKING:
    from bench.ranking.results import Results
    from bench.ranking.standings import Query
    from bench.render.tables import Table


def query_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose metric, average and bootstrap."""
    options = (
        click.option("--metric", default="crack_iou", show_default=True, help="Metric id; see `bench list metrics`."),
        click.option(
            "--average", help="Averaging: pooled, image_mean or batch_mean.  [default: report.headline of params.yaml]"
        ),
        click.option(
            "--resamples", default=10_000, show_default=True, type=click.IntRange(100), help="Bootstrap resamples."
        ),
        click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Bootstrap seed."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("explain")
@click.argument("metric")
def explain_command(metric: str) -> None:
    """Explain a metric: formula, range, direction, source."""
    from bench.ranking.definitions import explanation

    click.echo(explanation(metric))


@click.command("conventions")
@click.argument("model")
@DATASET
@click.option("--target", help="A printed score, such as 0.78: mark the conventions that give it when rounded.")
@RESULTS
@FORMAT
@click.pass_context
def conventions_command(
    context: click.Context, model: str, dataset: str, target: str | None, results: Path, form: str
) -> None:
    """Show a model under every convention, metric and average.

    Each convention is named after the script that it is from. Prints also how the order of the models changes.
    """
    from bench.ranking.convention_tables import conventions

    content = read_results(context, results)
    print_tables(conventions(content, model, dataset, target), form, content.is_sample)


@click.command("check")
@click.argument("entry", required=False, type=FOLDER)
@RESULTS
@click.option(
    "--reports", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Report to compare with the results.  [default: within or beside the results]",
)  # fmt: skip
@click.pass_context
def check_command(context: click.Context, entry: Path | None, results: Path, reports: Path | None) -> None:
    """Check that results are complete and consistent.

    ENTRY is a model entered into the open track, results/open/external/MODEL: with it, its record is checked too, and
    the results beside it. Exits with status 1 if a check fails.
    """
    from bench.formats.entry import faults
    from bench.ranking import check

    if entry:
        results = entry.resolve().parents[1]
        context.obj = results / "params.yaml"

    within = results / "reports"
    beside = results.resolve().parents[1] if (results / "params.yaml").is_file() else results.parent  # results/open
    reports = reports or (within if within.is_dir() else beside / "reports")
    content = read_results(context, results, mixed=True)
    failures = check.findings(content, reports / "summary.csv")
    failures += list(faults(entry, context.obj)) if entry else []
    for failure in failures:
        click.echo(f"FAIL  {failure}")
    for note in check.notes(content, reports / "summary.csv"):
        click.echo(f"note  {note}")
    click.echo(f"{len(content.cells)} cells checked: {len(failures)} findings.")
    context.exit(1 if failures else 0)


def print_power(context: click.Context, results: Path, wished: float) -> None:
    """Print how small a difference in pooled crack IoU results like these can show, and what the wished one needs."""
    from bench.ranking.power import power_tables
    from bench.ranking.standings import Query

    content = read_results(context, results)
    print_tables(power_tables(content, Query("crack_iou", "pooled", 2000), wished), "text", content.is_sample)


@click.command("compare")
@click.argument("model")
@click.option("--against", help="Model to compare with.  [default: the best other one]")
@click.option(
    "--rope", default=0.01, show_default=True, type=click.FloatRange(0, min_open=True),
    help="Region of practical equivalence: smaller differences count as equal.",
)  # fmt: skip
@query_options
@RESULTS
@FORMAT
@click.pass_context
def compare_command(
    context: click.Context, /, model: str, against: str | None, rope: float, results: Path, form: str, **query: Any
) -> None:
    """Compare a model with the others and print a verdict.

    Prints differences with intervals, tests, places and cost.
    """
    from bench.ranking.compare import compare

    chosen = query_of(context, **query)
    content = read_results(context, results)
    comparison = compare(content, chosen, model, against, rope)
    print_tables(comparison.tables, form, content.is_sample)
    click.echo(f"\n{comparison.verdict}", err=form in ("csv", "json"))


@click.command("audit-paper")
@RESULTS
@FORMAT
def audit_paper_command(results: Path, form: str) -> None:
    """Check the paper's own tables: identities, winners, costs."""
    from bench import plugins
    from bench.formats import cost
    from bench.paper import audit

    names = plugins.names("models")
    costs = {m: cost.read(path) for m in names if (path := results / "cost" / f"{m}.json").is_file()}
    print_tables(audit.tables(costs), form)


def read_results(context: click.Context, folder: Path, mixed: bool = False) -> "Results":
    """Return the results of the declared cells and of the external models that fit them (all if ``mixed``)."""
    from bench.ranking.of_params import read_declared
    from bench.settings import load_params

    content, left_out = read_declared(load_params(context.obj), folder, mixed)
    for model, reason in sorted(left_out.items()):
        click.echo(f"Left out: {model} {reason}.", err=True)
    return content


def query_of(context: click.Context, metric: str, average: str | None, resamples: int, seed: int) -> "Query":
    """Return the query; the average defaults to the headline of the report, if the metric defines it."""
    from bench.ranking.of_params import default_average
    from bench.ranking.standings import Query
    from bench.report.settings import ReportSettings

    _, settings = read_section(context, "report", ReportSettings)
    return Query(metric, average or default_average(metric, settings.headline), resamples, seed)


def print_tables(tables: "Sequence[Table]", form: str, is_sample: bool = False) -> None:
    """Print tables, marked if their data are synthetic."""
    from bench.ranking.results import SAMPLE_WARNING
    from bench.render import text

    marks = (SAMPLE_WARNING, "sample") if is_sample else ("", "")
    click.echo(text.together(tables, form, *marks), nl=False)
